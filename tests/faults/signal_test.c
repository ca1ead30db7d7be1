/*
 * A million emits from handlers of SIGUSR1 and SIGSEGV, on alternate stacks, that interrupt emits and each other, while one
 * destination closes every connection: none hangs, no SIGPIPE comes (its action is the default throughout), every record
 * is accounted for.
 */
#include "tests/support/harness/check.h"
#include "tests/support/harness/factor.h"
#include "tests/support/servers/raw_server.h"
#include "tests/support/sdk/sdk_fixture.h"
#include "tests/support/sdk/sdk_books.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIGNALS 1000000
#define WORKERS 4
#define STACK_BYTES (32 * 1024)
#define LONG_MS 60000

/* ---- A destination that counts ----------------------------------------------------------------------------------- */

static void
count_records(void *self, const otlog_batch *batch, uint64_t timeout_ms, otlog_export_result *result)
{
	(void)timeout_ms;
	atomic_fetch_add((_Atomic uint64_t *)self, batch->records);
	result->verdict = OTLOG_VERDICT_OK;
}

static const otlog_exporter_functions counter = { .size = sizeof counter, .export_batch = count_records };

/* ---- Handlers ---------------------------------------------------------------------------------------------------- */

typedef struct worker {
	pthread_t thread;
	_Atomic pid_t id;
	_Atomic(struct worker *) next;
} worker;

static otlog_logger *logger;
static worker workers[WORKERS];
static uint64_t wanted;
static _Atomic uint64_t handled[2]; /* SIGUSR1, SIGSEGV */
static _Atomic uint64_t verdicts[OTLOG_EMIT_AFTER_SHUTDOWN + 1];
static _Atomic bool off_the_stack;

static void
emit_one(const char *from)
{
	otlog_emit_result result = otlog_emit(
	    logger, &(otlog_record){ .severity = OTLOG_SEVERITY_INFO,
	                             .body = otlog_string(from),
	                             .attributes = OTLOG_ATTRS(OTLOG_KV("some.key", 1), OTLOG_KV("other", from)) });
	atomic_fetch_add_explicit(&verdicts[result], 1, memory_order_relaxed);
}

static void
emit_in_handler(int signal)
{
	stack_t now;
	if (sigaltstack(NULL, &now) != 0 || !(now.ss_flags & SS_ONSTACK))
		atomic_store(&off_the_stack, true);
	emit_one(signal == SIGUSR1 ? "usr1" : "segv");
	atomic_fetch_add_explicit(&handled[signal == SIGSEGV], 1, memory_order_relaxed);
}

static uint64_t
handled_so_far(void)
{
	return atomic_load(&handled[0]) + atomic_load(&handled[1]);
}

/* Emits, and keeps sending signals to the next one, each at its own pace. */
static void *
work(void *self)
{
	static _Atomic unsigned ready;
	worker *me = self;
	char stack[STACK_BYTES];
	const stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };
	const stack_t none = { .ss_flags = SS_DISABLE };
	CHECK(sigaltstack(&alternate, NULL) == 0);
	atomic_store(&me->id, (pid_t)syscall(SYS_gettid));
	atomic_fetch_add(&ready, 1);
	while (atomic_load(&ready) < WORKERS)
		sched_yield();
	pid_t other = atomic_load(&atomic_load(&me->next)->id), own = atomic_load(&me->id);
	for (uint64_t i = 0; handled_so_far() < wanted; i++) {
		syscall(SYS_tgkill, getpid(), other, i & 1 ? SIGUSR1 : SIGSEGV);
		emit_one("thread");
		syscall(SYS_tgkill, getpid(), own, i & 1 ? SIGSEGV : SIGUSR1);
	}
	/* Signals may come until nobody sends any more: not before the others are done is the stack given back. */
	atomic_fetch_add(&ready, 1);
	while (atomic_load(&ready) < 2 * WORKERS)
		sched_yield();
	CHECK(sigaltstack(&none, NULL) == 0);
	return NULL;
}

static void
run_workers(void)
{
	for (int i = 0; i < WORKERS; i++)
		atomic_store(&workers[i].next, &workers[(i + 1) % WORKERS]);
	for (int i = 0; i < WORKERS; i++)
		CHECK(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
	for (int i = 0; i < WORKERS; i++)
		pthread_join(workers[i].thread, NULL);
}

static otlog_provider *
start(const raw_server *server, _Atomic uint64_t *counted)
{
	otlog_pipeline_options pipelines[] = {
		{ .exporter = { .functions = &counter, .self = counted, .name = "counter" }, .schedule_delay_ms = 5 },
		{ .schedule_delay_ms = 5, .retry_initial_ms = 1, .retry_cap_ms = 5 },
	};
	assert_true(otlog_otlp_http_exporter_create(&(otlog_otlp_options){ .endpoint = raw_server_url(server) },
	                                            &pipelines[1].exporter));
	otlog_provider *provider = otlog_provider_create(
	    &(otlog_options){ .pipelines = pipelines, .pipeline_count = 2, .diagnostic = sdk_silence });
	assert_non_null(provider);
	logger = otlog_provider_get_logger(provider, &(otlog_logger_options){ .name = "signals" });
	return provider;
}

static void
check_books(otlog_provider *provider, uint64_t counted)
{
	sdk_books books;
	uint64_t emitted = 0;
	for (int i = 0; i <= OTLOG_EMIT_AFTER_SHUTDOWN; i++)
		emitted += atomic_load(&verdicts[i]);
	sdk_take_books(provider, &books);
	assert_int_equal(books.totals.emitted, emitted);
	assert_int_equal(books.totals.accepted, atomic_load(&verdicts[OTLOG_EMIT_ACCEPTED]));
	assert_int_equal(books.pipelines[0].delivered, books.totals.accepted);
	assert_int_equal(counted, books.totals.accepted);
	assert_true(books.totals.accepted > 0);
	sdk_assert_books_balance(provider);
}

static void
a_million_signals(void **state)
{
	static const raw_play plays[] = { { .read = RAW_READ_NOTHING, .end = RAW_END_CLOSE },
		                          { .read = RAW_READ_HEAD, .end = RAW_END_RESET },
		                          { .read = RAW_READ_REQUEST, .end = RAW_END_CLOSE } };
	struct sigaction action = { .sa_handler = emit_in_handler, .sa_flags = SA_ONSTACK | SA_RESTART }, before;
	_Atomic uint64_t counted = 0;
	(void)state;
	wanted = faults_count(SIGNALS);
	signal(SIGPIPE, SIG_DFL);
	raw_server *server = raw_server_start(plays, sizeof plays / sizeof plays[0]);
	otlog_provider *provider = start(server, &counted);
	assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
	assert_int_equal(sigaction(SIGSEGV, &action, &before), 0);
	run_workers();
	sigaction(SIGSEGV, &before, NULL);
	signal(SIGUSR1, SIG_DFL);
	assert_true(handled_so_far() >= wanted);
	assert_true(atomic_load(&handled[0]) > wanted / 4 && atomic_load(&handled[1]) > wanted / 4);
	assert_false(atomic_load(&off_the_stack));
	assert_true(raw_server_connections(server) > 3);
	otlog_provider_shutdown(provider, 2000); /* the one destination takes nothing to the end */
	check_books(provider, atomic_load(&counted));
	otlog_provider_destroy(provider);
	raw_server_stop(server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_million_signals) };
	alarm(110); /* a deadlock ends here */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
