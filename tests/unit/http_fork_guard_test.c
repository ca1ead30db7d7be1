/* A fork waits for who is inside the guard, but not for ever; the child knows whether it has waited long enough. */
#include "exporters/peer/fork_guard.h"
#include "sdk/base/clock.h"
#include "tests/support/harness/check.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/sdk/diagnosed.h"

#include <otlog/exporters.h>

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

/* A thread that enters, and leaves when it is told to, or after a time. */
typedef struct guest {
	sem_t inside;
	sem_t leave;
	uint64_t stay_ms; /* 0: until told */
	_Atomic bool left;
} guest;

static void *
visit(void *self)
{
	guest *g = self;
	otlog__fork_guard_enter();
	sem_post(&g->inside);
	if (g->stay_ms) {
		const struct timespec stay = { .tv_nsec = (long)(g->stay_ms * OTLOG__NANOS_PER_MS) };
		nanosleep(&stay, NULL);
	} else {
		while (sem_wait(&g->leave) != 0)
			;
	}
	atomic_store_explicit(&g->left, true, memory_order_release); /* seen by who forks behind it */
	otlog__fork_guard_leave();
	return NULL;
}

static pthread_t
invite(guest *g)
{
	pthread_t thread;
	sem_init(&g->inside, 0, 0);
	sem_init(&g->leave, 0, 0);
	assert_int_equal(pthread_create(&thread, NULL, visit, g), 0);
	while (sem_wait(&g->inside) != 0)
		;
	return thread;
}

/* The child's answer to the question. */
static bool
ask_child(bool (*question)(void *), void *about)
{
	int status;
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		alarm(20);
		_exit(question(about) ? 0 : 1);
	}
	while (waitpid(child, &status, 0) < 0)
		CHECK(errno == EINTR);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status) == 0;
}

static bool
all_is_well(void *guest_)
{
	const guest *g = guest_;
	if (!otlog__fork_guard_is_sound() || !atomic_load_explicit(&g->left, memory_order_acquire))
		return false;
	otlog__fork_guard_enter(); /* a child may use it */
	otlog__fork_guard_leave();
	return true;
}

static void
a_fork_waits_for_who_is_inside(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		guest g = { .stay_ms = 50 };
		pthread_t thread = invite(&g);
		assert_true(ask_child(all_is_well, &g));
		pthread_join(thread, NULL);
	}
}

/* Cannot reopen; says so once; and is not stuck. */
static bool
knows_its_limits(void *exporter_)
{
	const otlog_exporter *exporter = exporter_;
	otlog_exporter own = { .name = "untouched" };
	diagnosed_begin();
	if (otlog__fork_guard_is_sound() || exporter->functions->reopen(exporter->self, &own) || own.self)
		return false;
	otlog__fork_guard_enter();
	otlog__fork_guard_leave();
	return diagnosed_count() == 1 && diagnosed_says("exports nothing over HTTP");
}

static void
a_fork_does_not_wait_for_ever(void **state)
{
	guest g = { .stay_ms = 0 };
	otlog_exporter exporter = { 0 };
	(void)state;
	assert_true(otlog_otlp_http_exporter_create(&(otlog_otlp_options){ 0 }, &exporter));
	pthread_t thread = invite(&g);
	uint64_t start = otlog__monotonic_nano();
	assert_true(ask_child(knows_its_limits, &exporter));
	assert_true(otlog__monotonic_nano() - start >= 500 * OTLOG__NANOS_PER_MS);
	assert_true(otlog__fork_guard_is_sound()); /* here */
	sem_post(&g.leave);
	pthread_join(thread, NULL);
	assert_true(ask_child(all_is_well, &g));
	exporter.functions->destroy(exporter.self);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fork_waits_for_who_is_inside),
		cmocka_unit_test(a_fork_does_not_wait_for_ever),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
