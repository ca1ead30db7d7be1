/* Threads that give messages while the sink is changed again and again, and while the process forks. */
#include "sdk/base/process/diagnostics.h"
#include "tests/support/harness/check.h"
#include "tests/support/harness/cmocka.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 4
#define SINKS 3

/* A sink and its user belong together: the user names the function it was set with. */
typedef struct target {
	int function;
	_Atomic uint32_t messages;
} target;

static target targets[SINKS] = { { .function = 0 }, { .function = 1 }, { .function = 2 } };
static _Atomic bool stop;

static void
take(void *user, int function, const char *message)
{
	target *target = user;
	CHECK(target && target->function == function);
	CHECK(strncmp(message, "from thread ", 12) == 0);
	atomic_fetch_add(&target->messages, 1);
}

#define SINK(n)                                                                       \
	static void sink_##n(void *user, otlog_diagnostic_level level, const char *m) \
	{                                                                             \
		CHECK(level == OTLOG__WARN);                                          \
		take(user, n, m);                                                     \
	}
SINK(0)
SINK(1)
SINK(2)

static const otlog_diagnostic_function sinks[SINKS] = { sink_0, sink_1, sink_2 };

static void
set_target(unsigned n)
{
	otlog__diagnostics_set(sinks[n % SINKS], &targets[n % SINKS], OTLOG__WARN);
}

static uint32_t
messages_of_all(void)
{
	uint32_t sum = 0;
	for (int i = 0; i < SINKS; i++)
		sum += atomic_load(&targets[i].messages);
	return sum;
}

static void *
change_sinks(void *n)
{
	for (unsigned i = (unsigned)(uintptr_t)n; !atomic_load(&stop); i++)
		set_target(i);
	return NULL;
}

static void *
speak_2000_times(void *n)
{
	for (int i = 0; i < 2000; i++)
		otlog__diagnose_always(OTLOG__WARN, "from thread %d", (int)(uintptr_t)n);
	return NULL;
}

static void
every_message_reaches_a_sink_with_its_own_user(void **state)
{
	(void)state;
	pthread_t speakers[THREADS], changers[2];
	uint32_t before = messages_of_all();
	set_target(0);
	atomic_store(&stop, false);
	for (uintptr_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&changers[i], NULL, change_sinks, (void *)i), 0);
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&speakers[i], NULL, speak_2000_times, (void *)i), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(speakers[i], NULL);
	atomic_store(&stop, true);
	for (int i = 0; i < 2; i++)
		pthread_join(changers[i], NULL);
	assert_int_equal(messages_of_all() - before, THREADS * 2000);
}

static otlog__diagnostic_site shared_site;

static void *
speak_from_one_site(void *n)
{
	for (int i = 0; i < 2000; i++)
		otlog__diagnose_at(&shared_site, OTLOG__WARN, "from thread %d", (int)(uintptr_t)n);
	return NULL;
}

static void
one_thread_gets_through_a_shared_site_and_all_others_are_counted(void **state)
{
	(void)state;
	pthread_t threads[THREADS];
	uint32_t before = messages_of_all();
	set_target(1);
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, speak_from_one_site, (void *)i), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	/* More than one if the run takes longer than the quiet time; then what was held back has been counted off. */
	assert_in_range(messages_of_all() - before, 1, 8);
	assert_in_range(atomic_load(&shared_site.suppressed), 0, THREADS * 2000 - 1);
	if (messages_of_all() - before == 1)
		assert_int_equal(atomic_load(&shared_site.suppressed), THREADS * 2000 - 1);
}

static void
a_child_speaks_although_it_was_forked_during_a_change(void **state)
{
	(void)state;
	pthread_t changer;
	atomic_store(&stop, false);
	set_target(0);
	assert_int_equal(pthread_create(&changer, NULL, change_sinks, NULL), 0);
	for (int i = 0; i < 100; i++) {
		fflush(NULL);
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			alarm(30); /* a child that hangs is killed, and the test fails */
			close(STDERR_FILENO);
			otlog__diagnose_always(OTLOG__WARN, "from thread %d", 0);
			set_target(2);
			uint32_t before = atomic_load(&targets[2].messages);
			otlog__diagnose_always(OTLOG__WARN, "from thread %d", 0);
			_exit(atomic_load(&targets[2].messages) == before + 1 ? 0 : 1);
		}
		int status = 0;
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
	}
	atomic_store(&stop, true);
	pthread_join(changer, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_reaches_a_sink_with_its_own_user),
		cmocka_unit_test(one_thread_gets_through_a_shared_site_and_all_others_are_counted),
		cmocka_unit_test(a_child_speaks_although_it_was_forked_during_a_change),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
