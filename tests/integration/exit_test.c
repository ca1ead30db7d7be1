/* How programs end: flushed at exit where that was asked for, and nowhere else; and a library that is closed too early. */
#include "tests/support/harness/check.h"
#include "tests/support/servers/receiver.h"
#include "tests/support/harness/sanitized.h"
#include "tests/support/sdk/sdk_fixture.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define QUEUE_BYTES (1 << 20)

static receiver *server;

/* Runs the function in a child, which ends by exit, and returns its exit code. */
static int
run(void (*program)(void))
{
	fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(60);
		program();
		exit(0);
	}
	int status = -1;
	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Nothing leaves before it is flushed. */
static void
start(otlog_switch flush_at_exit)
{
	otlog_pipeline_options pipeline = { .schedule_delay_ms = 3600000 };
	CHECK(otlog_otlp_http_exporter_create(&(otlog_otlp_options){ .endpoint = receiver_url(server) },
	                                      &pipeline.exporter));
	CHECK(otlog_start(&(otlog_options){ .pipelines = &pipeline,
	                                    .pipeline_count = 1,
	                                    .queue_bytes = QUEUE_BYTES,
	                                    .flush_at_exit = flush_at_exit,
	                                    .diagnostic = sdk_silence }));
}

static void
emit(void)
{
	CHECK(sdk_emit_text(otlog_get_logger("exit", NULL), "last words") == OTLOG_EMIT_ACCEPTED);
}

static void
ask_in_code(void)
{
	start(OTLOG_SWITCH_ON);
	emit();
}

static void
ask_by_variable(void)
{
	setenv("OTLOG_FLUSH_AT_EXIT", "1", 1);
	start(OTLOG_SWITCH_DEFAULT);
	emit();
}

static void
code_says_no(void)
{
	setenv("OTLOG_FLUSH_AT_EXIT", "1", 1);
	start(OTLOG_SWITCH_OFF);
	emit();
}

static void
ask_for_nothing(void)
{
	start(OTLOG_SWITCH_DEFAULT);
	emit();
}

static void
shut_down_first(void)
{
	start(OTLOG_SWITCH_ON);
	emit();
	CHECK(otlog_shutdown(20000) == OTLOG_DELIVERED);
}

static void
a_program_is_flushed_at_exit_only_if_it_asks(void **state)
{
	(void)state;
	if (UNDER_ASAN) /* the receiver's threads are beside each fork */
		skip();
	assert_int_equal(run(ask_in_code), 0);
	assert_int_equal(receiver_record_count(server), 1);
	assert_int_equal(run(ask_by_variable), 0);
	assert_int_equal(receiver_record_count(server), 2);
	assert_int_equal(run(code_says_no), 0);
	assert_int_equal(run(ask_for_nothing), 0);
	assert_int_equal(receiver_record_count(server), 2);
	assert_int_equal(run(shut_down_first), 0);
	assert_int_equal(receiver_record_count(server), 3);
}

static void
await_child(pid_t pid)
{
	int status = -1;
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static void
fork_a_silent_child(void)
{
	start(OTLOG_SWITCH_ON);
	emit();
	pid_t pid = fork();
	if (pid == 0)
		exit(0); /* its parent's handler runs here too, and finds nothing to do */
	await_child(pid);
	_exit(0);
}

static void
fork_a_child_that_logs(void)
{
	start(OTLOG_SWITCH_ON);
	emit();
	pid_t pid = fork();
	if (pid == 0) {
		emit();
		exit(0);
	}
	await_child(pid);
	_exit(0); /* what it had itself is lost */
}

static void
a_forked_child_flushes_what_is_its_own(void **state)
{
	(void)state;
	if (UNDER_ASAN)
		skip();
	assert_int_equal(run(fork_a_silent_child), 0);
	assert_int_equal(receiver_record_count(server), 0);
	assert_int_equal(run(fork_a_child_that_logs), 0);
	assert_int_equal(receiver_record_count(server), 1);
}

static void
close_the_library_while_it_runs(void)
{
	void *library = dlopen(OTLOG_LIBRARY, RTLD_NOW | RTLD_LOCAL);
	CHECK(library);
	bool (*start_it)(const otlog_options *, size_t, size_t) =
	    (bool (*)(const otlog_options *, size_t, size_t))dlsym(library, "otlog_start_sized");
	CHECK(start_it);
	setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver_url(server), 1);
	setenv("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", receiver_url(server), 1);
	setenv("OTEL_BLRP_SCHEDULE_DELAY", "10", 1);
	setenv("OTLOG_QUEUE_BYTES", "1MiB", 1);
	setenv("OTLOG_FLUSH_AT_EXIT", "1", 1);
	CHECK(start_it(NULL, 0, 0));
	CHECK(dlclose(library) == 0);
	for (int i = 0; i < 100; i++) {
		emit();
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL); /* its threads get to run */
	}
}

static void
closing_the_library_leaves_its_threads_their_code(void **state)
{
	(void)state;
	assert_int_equal(run(close_the_library_while_it_runs), 0);
	assert_int_equal(receiver_record_count(server), 100);
}

static int
set_up(void **state)
{
	(void)state;
	server = receiver_start(NULL);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	receiver_stop(server);
	return 0;
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_program_is_flushed_at_exit_only_if_it_asks),
		TEST(a_forked_child_flushes_what_is_its_own),
		TEST(closing_the_library_leaves_its_threads_their_code),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
