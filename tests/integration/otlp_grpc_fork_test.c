/*
 * Children of a process that exports over gRPC: they cannot, and say so; what they log is in their queue's file, for another
 * process to deliver.
 */
#include "tests/support/harness/cmocka.h"
#include "tests/support/harness/files.h"
#include "tests/support/sdk/diagnosed.h"
#include "tests/support/servers/grpc/grpc_server.h"

#include <otlog/otlog.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RECORDS 50
#define LONG_MS 20000

static void
start(const grpc_receiver *server, const char *directory)
{
	const otlog_otlp_options options = { .endpoint = grpc_receiver_url(server) };
	otlog_pipeline_options pipeline = { .schedule_delay_ms = 10 };
	diagnosed_begin();
	assert_true(otlog_otlp_grpc_exporter_create(&options, NULL, &pipeline.exporter));
	assert_true(otlog_start(&(otlog_options){ .pipelines = &pipeline,
	                                          .pipeline_count = 1,
	                                          .queue_directory = directory,
	                                          .queue_bytes = 1 << 20,
	                                          .diagnostic = diagnosed_take }));
}

/* How many were accepted. */
static int
emit_records(void)
{
	const otlog_record record = { .severity = OTLOG_SEVERITY_INFO, .body = otlog_string("of a child") };
	int accepted = 0;
	for (int i = 0; i < RECORDS; i++)
		accepted += otlog_emit(otlog_get_logger("test", NULL), &record) == OTLOG_EMIT_ACCEPTED;
	return accepted;
}

/*
 * Exits with 0 if it is told once why nothing is sent, and no more than the truth: records are taken where there is a file
 * for them, and only there.
 */
static void
be_the_child(bool in_file)
{
	diagnosed_begin();
	int accepted = emit_records();
	bool told = diagnosed_count() == 1 && diagnosed_says("otlp_grpc: a forked child cannot use it") &&
	            diagnosed_says(in_file ? "stay in the queue directory" : "set OTLOG_QUEUE_DIR");
	otlog_flush_result end = otlog_shutdown(200);
	bool true_word = in_file ? accepted == RECORDS && end == OTLOG_DURABLE : accepted == 0;
	if (!told || !true_word)
		fprintf(stderr, "accepted %d, told %d, shutdown %s\n", accepted, told, otlog_flush_result_text(end));
	_exit(told && true_word ? 0 : 1);
}

static void
fork_a_child(bool in_file)
{
	int status = 1;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		be_the_child(in_file);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void
what_a_child_logs_waits_in_its_file_for_another_process(void **state)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	char directory[] = "/tmp/otlog-grpc-fork-XXXXXX";
	grpc_receiver *server = grpc_receiver_start(NULL);
	(void)state;
	assert_non_null(mkdtemp(directory));
	start(server, directory);
	assert_int_equal(emit_records(), RECORDS);
	assert_int_equal(otlog_flush(LONG_MS), OTLOG_DELIVERED);
	fork_a_child(true);
	assert_int_equal(emit_records(), RECORDS);
	assert_int_equal(otlog_shutdown(LONG_MS), OTLOG_DELIVERED);

	start(server, directory);
	for (int i = 0; i < 1000 && grpc_receiver_record_count(server) < 3 * RECORDS; i++)
		nanosleep(&pause, NULL);
	assert_int_equal(otlog_shutdown(LONG_MS), OTLOG_DELIVERED);
	assert_int_equal(grpc_receiver_record_count(server), 3 * RECORDS);
	grpc_receiver_stop(server);
	file_remove_all(directory);
}

static void
without_a_file_a_child_takes_no_records(void **state)
{
	grpc_receiver *server = grpc_receiver_start(NULL);
	(void)state;
	start(server, "");
	assert_int_equal(emit_records(), RECORDS);
	assert_int_equal(otlog_flush(LONG_MS), OTLOG_DELIVERED);
	fork_a_child(false);
	assert_int_equal(emit_records(), RECORDS);
	assert_int_equal(otlog_shutdown(LONG_MS), OTLOG_DELIVERED);
	assert_int_equal(grpc_receiver_record_count(server), 2 * RECORDS);
	grpc_receiver_stop(server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_child_logs_waits_in_its_file_for_another_process),
		cmocka_unit_test(without_a_file_a_child_takes_no_records),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
