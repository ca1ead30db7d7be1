/*
 * The OTLP/gRPC exporter against servers that behave well and badly. SIGPIPE keeps its default action throughout and is
 * not blocked, so that one raised by gRPC would end the program.
 */
#include "sdk/base/version.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/records/otlp_request.h"
#include "tests/support/sdk/diagnosed.h"
#include "tests/support/servers/grpc/grpc_exporter.h"
#include "tests/support/servers/grpc/grpc_server.h"
#include "tests/support/servers/rpc_status.h"
#include "tests/support/sdk/sdk_books.h"

#include <otlog/sdk.h>

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LONG_MS 30000
#define CALLS 4 /* at once, by default */

static otlog_exporter
open_url(const char *url)
{
	return create_grpc_exporter(&(otlog_otlp_options){ .endpoint = url }, &(otlog_grpc_options){ 0 });
}

/* ---- Requests ---------------------------------------------------------------------------------------------------- */

static void
a_call_is_what_otlp_asks_for(void **state)
{
	static const otlog_header headers[] = { { "Authorization", "Bearer secret" },
		                                { "x-empty", "" },
		                                { "X-Trace-Bin", "\x01\xff\xc3" } };
	grpc_receiver *server = grpc_receiver_start(NULL);
	otlog_exporter exporter = create_grpc_exporter(
	    &(otlog_otlp_options){ .endpoint = grpc_receiver_url(server), .headers = headers, .header_count = 3 },
	    &(otlog_grpc_options){ .keepalive_time_ms = 600000, .keepalive_timeout_ms = 1000 });
	otlog_batch batch = otlp_request_create(2, 100);
	(void)state;

	assert_string_equal(exporter.name, "otlp_grpc");
	assert_int_equal(exporter.concurrency, CALLS);
	for (size_t i = 0; i < 2; i++) { /* gRPC writes into the headers' array */
		otlog_export_result result = export_batch(exporter, &batch, LONG_MS);
		assert_int_equal(result.verdict, OTLOG_VERDICT_OK);
		assert_string_equal(result.message, "");
		const grpc_receiver_call *call = grpc_receiver_call_at(server, i);
		assert_string_equal(call->method, "/opentelemetry.proto.collector.logs.v1.LogsService/Export");
		assert_int_equal(call->body_size, batch.request_size);
		assert_memory_equal(call->body, batch.request, batch.request_size);
		assert_false(call->gzipped);
		const char *agent = "otlog/" OTLOG__VERSION " OTel-OTLP-Exporter-C/" OTLOG__VERSION " ";
		assert_memory_equal(grpc_receiver_header(call, "user-agent"), agent, strlen(agent));
		assert_string_equal(grpc_receiver_header(call, "authorization"), "Bearer secret");
		assert_string_equal(grpc_receiver_header(call, "x-empty"), "");
		assert_string_equal(grpc_receiver_header(call, "x-trace-bin"), "\x01\xff\xc3");
	}
	assert_int_equal(grpc_receiver_record_count(server), 4);
	assert_int_equal(diagnosed_count(), 0);

	otlp_request_free(&batch);
	close_exporter(exporter);
	grpc_receiver_stop(server);
}

static void
gzip_arrives_as_the_same_records(void **state)
{
	grpc_receiver *server = grpc_receiver_start(NULL);
	otlog_exporter exporter = create_grpc_exporter(
	    &(otlog_otlp_options){ .endpoint = grpc_receiver_url(server), .compression = OTLOG_COMPRESSION_GZIP },
	    &(otlog_grpc_options){ 0 });
	otlog_batch batch = otlp_request_create(200, 200);
	(void)state;
	assert_int_equal(export_batch(exporter, &batch, LONG_MS).verdict, OTLOG_VERDICT_OK);
	const grpc_receiver_call *call = grpc_receiver_call_at(server, 0);
	assert_true(call->gzipped);
	assert_int_equal(call->body_size, batch.request_size);
	assert_memory_equal(call->body, batch.request, batch.request_size);
	otlp_request_free(&batch);
	close_exporter(exporter);
	grpc_receiver_stop(server);
}

static void
fifty_batches_share_one_connection(void **state)
{
	grpc_receiver *server = grpc_receiver_start(NULL);
	otlog_exporter exporter = open_url(grpc_receiver_url(server));
	(void)state;
	for (int i = 0; i < 50; i++)
		assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
	assert_int_equal(grpc_receiver_call_count(server), 50);
	assert_int_equal(grpc_receiver_connection_count(server), 1);
	close_exporter(exporter);
	grpc_receiver_stop(server);
}

static void
a_unix_socket_is_an_endpoint(void **state)
{
	char directory[] = "/tmp/otlog-grpc-XXXXXX";
	char path[64];
	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/otlp.sock", directory);
	grpc_receiver *server = grpc_receiver_start(&(grpc_receiver_options){ .socket = path });
	otlog_exporter exporter = open_url(grpc_receiver_url(server));
	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
	assert_int_equal(grpc_receiver_record_count(server), 3);
	close_exporter(exporter);
	grpc_receiver_stop(server);
	unlink(path);

	char missing[80];
	snprintf(missing, sizeof missing, "unix:%s", path);
	exporter = open_url(missing);
	otlog_export_result result = export_some(exporter, LONG_MS);
	assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
	assert_non_null(strstr(result.message, "no such socket"));
	close_exporter(exporter);
	rmdir(directory);
}

static void
a_proxy_does_not_come_between_us_and_this_machine(void **state)
{
	grpc_receiver *server = grpc_receiver_start(NULL);
	(void)state;
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	otlog_exporter exporter = open_url(grpc_receiver_url(server));
	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
	unsetenv("http_proxy");
	close_exporter(exporter);
	grpc_receiver_stop(server);
}

static void
requests_over_the_limit_are_not_sent(void **state)
{
	grpc_receiver *server = grpc_receiver_start(NULL);
	otlog_exporter exporter = open_url(grpc_receiver_url(server));
	const otlog_batch batch = { .request = "", .request_size = 64 * 1024 * 1024 + 1, .records = 1 };
	(void)state;
	otlog_export_result result = export_batch(exporter, &batch, LONG_MS);
	assert_int_equal(result.verdict, OTLOG_VERDICT_TOO_LARGE);
	assert_string_equal(result.error_type, "too_large_request");
	assert_non_null(strstr(result.message, "67108865"));
	assert_non_null(strstr(result.message, "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE"));
	close_exporter(exporter);

	exporter = create_grpc_exporter(&(otlog_otlp_options){ .endpoint = grpc_receiver_url(server) },
	                                &(otlog_grpc_options){ .max_message_bytes = 10 });
	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_TOO_LARGE);
	assert_int_equal(grpc_receiver_call_count(server), 0);
	close_exporter(exporter);
	grpc_receiver_stop(server);
}

static void
a_request_over_the_receivers_limit_can_be_split_and_does_not_spoil_the_connection(void **state)
{
	grpc_receiver *server = grpc_receiver_start(NULL);
	otlog_batch batch = otlp_request_create(5000, 1000);
	(void)state;
	for (int gzip = 0; gzip < 2; gzip++) {
		otlog_exporter exporter = create_grpc_exporter(
		    &(otlog_otlp_options){ .endpoint = grpc_receiver_url(server),
		                           .compression = gzip ? OTLOG_COMPRESSION_GZIP : OTLOG_COMPRESSION_NONE },
		    &(otlog_grpc_options){ 0 });
		assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
		otlog_export_result result = export_batch(exporter, &batch, LONG_MS);
		if (!gzip) { /* gRPC's own server looks at what is on the wire */
			assert_int_equal(result.verdict, OTLOG_VERDICT_TOO_LARGE);
			assert_string_equal(result.error_type, "RESOURCE_EXHAUSTED");
			assert_non_null(strstr(result.message, "Lower OTEL_BLRP_MAX_EXPORT_BATCH_SIZE"));
		}
		assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
		close_exporter(exporter);
	}
	assert_int_equal(grpc_receiver_connection_count(server), 2);
	otlp_request_free(&batch);
	grpc_receiver_stop(server);
}

/* The server has the records then: sending them again, or in halves, would double them. */
static void
an_answer_over_our_limit_is_final(void **state)
{
	static uint8_t large[4 * 1024 * 1024 + 100];
	grpc_receiver *server = grpc_receiver_start(NULL);
	otlog_exporter exporter = open_url(grpc_receiver_url(server));
	(void)state;
	/* A field of a later version, as long as all the rest: well-formed. */
	memcpy(large, "\xfa\x7f\xdd\x80\x80\x02", 6);
	for (size_t size = sizeof large - 99; size <= sizeof large; size += 99) { /* over OTLP's limit, and gRPC's */
		grpc_receiver_script(server, &(grpc_receiver_reply){ .body = large, .body_size = size });
		otlog_export_result result = export_some(exporter, LONG_MS);
		assert_int_equal(result.verdict, OTLOG_VERDICT_DROP);
		assert_string_equal(result.error_type, "too_large_answer");
		assert_non_null(strstr(result.message, "larger than 4 MiB"));
	}
	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
	assert_int_equal(grpc_receiver_connection_count(server), 1);
	close_exporter(exporter);
	grpc_receiver_stop(server);
}

/* ---- Answers ----------------------------------------------------------------------------------------------------- */

static void
statuses_of_a_server_get_their_verdicts_and_keep_the_connection(void **state)
{
	static const otlog_verdict verdicts[17] = {
		[1] = OTLOG_VERDICT_RETRY,  [2] = OTLOG_VERDICT_DROP,   [3] = OTLOG_VERDICT_INVALID,
		[4] = OTLOG_VERDICT_RETRY,  [5] = OTLOG_VERDICT_DROP,   [6] = OTLOG_VERDICT_DROP,
		[7] = OTLOG_VERDICT_DROP,   [8] = OTLOG_VERDICT_DROP,   [9] = OTLOG_VERDICT_DROP,
		[10] = OTLOG_VERDICT_RETRY, [11] = OTLOG_VERDICT_RETRY, [12] = OTLOG_VERDICT_DROP,
		[13] = OTLOG_VERDICT_DROP,  [14] = OTLOG_VERDICT_RETRY, [15] = OTLOG_VERDICT_RETRY,
		[16] = OTLOG_VERDICT_DROP,
	};
	grpc_receiver *server = grpc_receiver_start(NULL);
	otlog_exporter exporter = open_url(grpc_receiver_url(server));
	(void)state;
	for (int status = 1; status <= 16; status++) {
		grpc_receiver_script(server, &(grpc_receiver_reply){ .status = status, .text = "no, thanks\nmore" });
		otlog_export_result result = export_some(exporter, LONG_MS);
		assert_int_equal(result.verdict, verdicts[status]);
		assert_int_equal(result.retry_after_ms, 0);
		assert_non_null(strstr(result.message, "\"no, thanks\""));
	}
	assert_int_equal(grpc_receiver_record_count(server), 0);
	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
	assert_int_equal(grpc_receiver_connection_count(server), 1);
	close_exporter(exporter);
	grpc_receiver_stop(server);
}

static void
a_retry_info_says_when_to_come_back(void **state)
{
	rpc_status info = rpc_status_with_delay(2, 500000000);
	grpc_receiver *server = grpc_receiver_start(NULL);
	otlog_exporter exporter = open_url(grpc_receiver_url(server));
	static const int statuses[] = { 8, 14 };
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		grpc_receiver_script(
		    server,
		    &(grpc_receiver_reply){ .status = statuses[i], .details = info.bytes, .details_size = info.size });
		otlog_export_result result = export_some(exporter, LONG_MS);
		assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
		assert_int_equal(result.retry_after_ms, 2500);
	}
	close_exporter(exporter);
	grpc_receiver_stop(server);
}

static void
partial_success_counts_what_was_refused(void **state)
{
	/* ExportLogsServiceResponse{ partial_success{ rejected_log_records, error_message } } */
	static const char two[] = "\x0a\x0b\x08\x02\x12\x07too old";
	static const char hundred[] = "\x0a\x02\x08\x64";
	static const char warning[] = "\x0a\x06\x12\x04slow";
	grpc_receiver *server = grpc_receiver_start(NULL);
	otlog_exporter exporter = open_url(grpc_receiver_url(server));
	(void)state;

	grpc_receiver_script(server, &(grpc_receiver_reply){ .body = two, .body_size = sizeof two - 1 });
	otlog_export_result result = export_some(exporter, LONG_MS);
	assert_int_equal(result.verdict, OTLOG_VERDICT_PARTIAL);
	assert_int_equal(result.rejected, 2);
	assert_non_null(strstr(result.message, "refused 2 of 3 records: \"too old\""));
	assert_string_equal(result.error_type, "partial_success");

	grpc_receiver_script(server, &(grpc_receiver_reply){ .body = hundred, .body_size = sizeof hundred - 1 });
	result = export_some(exporter, LONG_MS);
	assert_int_equal(result.verdict, OTLOG_VERDICT_PARTIAL);
	assert_int_equal(result.rejected, 3); /* never more than there were */

	assert_int_equal(diagnosed_count(), 0);
	grpc_receiver_script(server, &(grpc_receiver_reply){ .body = warning, .body_size = sizeof warning - 1 });
	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
	assert_int_equal(diagnosed_count(), 1);
	assert_true(diagnosed_says("\"slow\""));

	close_exporter(exporter);
	grpc_receiver_stop(server);
}

static void
a_success_that_is_not_otlp_is_believed_and_reported_once(void **state)
{
	grpc_receiver *server = grpc_receiver_start(NULL);
	otlog_exporter exporter = open_url(grpc_receiver_url(server));
	(void)state;
	grpc_receiver_script(server, &(grpc_receiver_reply){ .body = "\xff\xff", .body_size = 2, .times = 2 });
	grpc_receiver_script(server, &(grpc_receiver_reply){ .no_body = true });
	for (int i = 0; i < 3; i++)
		assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
	assert_int_equal(diagnosed_count(), 1);
	assert_true(diagnosed_says("not as an OTLP receiver does"));
	close_exporter(exporter);
	grpc_receiver_stop(server);
}

/* ---- Several at once, time-outs, cancellation -------------------------------------------------------------------- */

static void
four_calls_are_out_at_once_and_a_fifth_is_put_off(void **state)
{
	attempt attempts[CALLS];
	grpc_receiver *server = grpc_receiver_start(NULL);
	otlog_exporter exporter = open_url(grpc_receiver_url(server));
	(void)state;
	grpc_receiver_script(server, &(grpc_receiver_reply){ .hang = true, .times = GRPC_RECEIVER_FOREVER });
	start_attempts(attempts, CALLS, exporter, LONG_MS);
	grpc_receiver_wait_calls(server, CALLS);
	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_RETRY);
	grpc_receiver_release(server);
	join_attempts(attempts, CALLS, OTLOG_VERDICT_OK);
	assert_int_equal(grpc_receiver_record_count(server), 3 * CALLS);
	assert_int_equal(grpc_receiver_connection_count(server), 1);
	close_exporter(exporter);
	grpc_receiver_stop(server);
}

static void
requests_in_flight_can_be_set(void **state)
{
	attempt attempts[9];
	grpc_receiver *server = grpc_receiver_start(NULL);
	otlog_exporter exporter = create_grpc_exporter(&(otlog_otlp_options){ .endpoint = grpc_receiver_url(server) },
	                                               &(otlog_grpc_options){ .requests_in_flight = 9 });
	(void)state;
	assert_int_equal(exporter.concurrency, 9);
	grpc_receiver_script(server, &(grpc_receiver_reply){ .hang = true, .times = GRPC_RECEIVER_FOREVER });
	start_attempts(attempts, 9, exporter, LONG_MS);
	grpc_receiver_wait_calls(server, 9);
	grpc_receiver_release(server);
	join_attempts(attempts, 9, OTLOG_VERDICT_OK);
	close_exporter(exporter);
	grpc_receiver_stop(server);

	exporter = create_grpc_exporter(NULL, &(otlog_grpc_options){ .requests_in_flight = 100000 });
	assert_int_equal(exporter.concurrency, 64);
	close_exporter(exporter);
}

static void
a_server_that_does_not_answer_costs_the_time_out_and_no_more(void **state)
{
	grpc_receiver *server = grpc_receiver_start(NULL);
	otlog_exporter exporter = open_url(grpc_receiver_url(server));
	(void)state;
	grpc_receiver_script(server, &(grpc_receiver_reply){ .hang = true });
	otlog_export_result result = export_some(exporter, 50);
	assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
	assert_non_null(strstr(result.message, "OTEL_EXPORTER_OTLP_TIMEOUT"));
	assert_string_equal(result.error_type, "timeout");
	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
	close_exporter(exporter);
	grpc_receiver_stop(server);
}

static void
cancel_ends_all_calls_and_every_later_one(void **state)
{
	attempt attempts[CALLS];
	grpc_receiver *server = grpc_receiver_start(NULL);
	otlog_exporter exporter = open_url(grpc_receiver_url(server));
	(void)state;
	grpc_receiver_script(server, &(grpc_receiver_reply){ .hang = true, .times = GRPC_RECEIVER_FOREVER });
	start_attempts(attempts, CALLS, exporter, LONG_MS);
	grpc_receiver_wait_calls(server, CALLS);
	exporter.functions->cancel(exporter.self);
	join_attempts(attempts, CALLS, OTLOG_VERDICT_RETRY);
	for (size_t i = 0; i < CALLS; i++) {
		assert_non_null(strstr(attempts[i].result.message, "shutting down"));
		assert_string_equal(attempts[i].result.error_type, "cancelled");
	}
	assert_int_equal(export_some(exporter, 0).verdict, OTLOG_VERDICT_RETRY);
	assert_int_equal(grpc_receiver_call_count(server), CALLS);
	close_exporter(exporter);
	grpc_receiver_stop(server);
}

/* ---- Servers that come and go ------------------------------------------------------------------------------------ */

static void
a_server_that_comes_up_is_found_by_the_next_attempt(void **state)
{
	grpc_receiver *server = grpc_receiver_start(NULL);
	const grpc_receiver_options again = { .port = grpc_receiver_port(server) };
	otlog_exporter exporter = open_url(grpc_receiver_url(server));
	(void)state;
	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
	for (int round = 0; round < 3; round++) {
		grpc_receiver_stop(server);
		for (int i = 0; i < 3; i++) {
			otlog_export_result result = export_some(exporter, LONG_MS);
			assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
			if (i < 2)
				continue;
			assert_non_null(strstr(result.message, "nobody listens"));
			assert_string_equal(result.error_type, "connection_refused");
		}
		server = grpc_receiver_start(&again);
		assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
		assert_int_equal(grpc_receiver_record_count(server), 3);
	}
	close_exporter(exporter);
	grpc_receiver_stop(server);
}

static void
through_the_sdk_the_books_balance_while_one_call_in_three_fails(void **state)
{
	enum { RECORDS = 2000 };
	grpc_receiver *server = grpc_receiver_start(NULL);
	otlog_exporter exporter = open_url(grpc_receiver_url(server));
	const otlog_pipeline_options pipeline = {
		.exporter = exporter, .max_batch_records = 50, .retry_initial_ms = 1, .retry_cap_ms = 5
	};
	sdk_books statistics;
	(void)state;
	for (int i = 0; i < 10; i++) {
		grpc_receiver_script(server, &(grpc_receiver_reply){ .times = 2 });
		grpc_receiver_script(server, &(grpc_receiver_reply){ .status = 14, .text = "busy" });
	}
	assert_true(otlog_start(&(otlog_options){
	    .pipelines = &pipeline, .pipeline_count = 1, .diagnostic_level = OTLOG_DIAGNOSTIC_ERROR }));
	otlog_logger *log = otlog_get_logger("test", NULL);
	for (int i = 0; i < RECORDS; i++)
		OTLOG_INFO(log, "counted", OTLOG_KV("number", i));
	assert_int_equal(otlog_shutdown(LONG_MS), OTLOG_DELIVERED);
	sdk_take_global_books(&statistics);
	assert_int_equal(statistics.pipelines[0].emitted, RECORDS);
	assert_int_equal(statistics.pipelines[0].delivered, RECORDS);
	assert_int_equal(statistics.pipelines[0].queued, 0);
	assert_true(statistics.pipelines[0].retries >= 10);
	assert_int_equal(grpc_receiver_record_count(server), RECORDS);
	grpc_receiver_stop(server);
}

/* ---- The host ---------------------------------------------------------------------------------------------------- */

/* The signals that a thread blocks, as bits; from /proc/self/task/<thread>/status. */
static unsigned long long
blocked_by(const char *thread)
{
	char name[64];
	char line[256];
	unsigned long long blocked = 0;
	snprintf(name, sizeof name, "/proc/self/task/%.20s/status", thread);
	FILE *file = fopen(name, "r");
	while (file && fgets(line, sizeof line, file))
		if (sscanf(line, "SigBlk: %llx", &blocked) == 1)
			break;
	if (file)
		fclose(file);
	return blocked;
}

static void
signals_stay_the_hosts(void **state)
{
	static const int usual[] = { SIGPIPE, SIGTERM, SIGINT, SIGUSR1, SIGCHLD, SIGALRM };
	char self[32];
	(void)state;
	otlog_exporter exporter = open_url("http://127.0.0.1:1");
	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_RETRY);
	for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
		struct sigaction action;
		assert_int_equal(sigaction(usual[i], NULL, &action), 0);
		assert_true(action.sa_handler == SIG_DFL);
	}
	snprintf(self, sizeof self, "%d", (int)getpid());
	assert_int_equal(blocked_by(self), 0);

	unsigned threads = 0;
	DIR *tasks = opendir("/proc/self/task");
	assert_non_null(tasks);
	for (struct dirent *task = readdir(tasks); task; task = readdir(tasks)) {
		if (*task->d_name == '.' || strcmp(task->d_name, self) == 0)
			continue;
		threads++;
		for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
			assert_true(blocked_by(task->d_name) >> (usual[i] - 1) & 1);
	}
	closedir(tasks);
	assert_true(threads > 0);
	close_exporter(exporter);
}

/*
 * Exits with 0 if the exporter of the parent and one of the child's own both keep their batches, and the parent's cannot be
 * opened again: what comes of that is not the exporter's to say.
 */
static void
be_the_child(otlog_exporter parents)
{
	otlog_exporter own = { .name = "untouched" };
	diagnosed_begin();
	bool refused = !parents.functions->reopen(parents.self, &own) && diagnosed_count() == 0 &&
	               strcmp(own.name, "untouched") == 0;
	otlog_export_result first = export_some(parents, LONG_MS);
	bool created = otlog_otlp_grpc_exporter_create(NULL, NULL, &own);
	otlog_export_result second = created ? export_some(own, LONG_MS) : first;
	if (created) {
		own.functions->cancel(own.self);
		close_exporter(own);
	}
	close_exporter(parents);
	_exit(refused && created && first.verdict == OTLOG_VERDICT_RETRY && second.verdict == OTLOG_VERDICT_RETRY &&
	              strstr(first.message, "fork") && strstr(second.message, "fork")
	          ? 0
	          : 1);
}

static void
a_forked_child_keeps_its_batches_and_says_why(void **state)
{
	grpc_receiver *server = grpc_receiver_start(NULL);
	otlog_exporter exporter = open_url(grpc_receiver_url(server));
	(void)state;
	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		be_the_child(exporter);
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
	assert_int_equal(grpc_receiver_record_count(server), 6);
	close_exporter(exporter);
	grpc_receiver_stop(server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_is_what_otlp_asks_for),
		cmocka_unit_test(gzip_arrives_as_the_same_records),
		cmocka_unit_test(fifty_batches_share_one_connection),
		cmocka_unit_test(a_unix_socket_is_an_endpoint),
		cmocka_unit_test(a_proxy_does_not_come_between_us_and_this_machine),
		cmocka_unit_test(requests_over_the_limit_are_not_sent),
		cmocka_unit_test(a_request_over_the_receivers_limit_can_be_split_and_does_not_spoil_the_connection),
		cmocka_unit_test(an_answer_over_our_limit_is_final),
		cmocka_unit_test(statuses_of_a_server_get_their_verdicts_and_keep_the_connection),
		cmocka_unit_test(a_retry_info_says_when_to_come_back),
		cmocka_unit_test(partial_success_counts_what_was_refused),
		cmocka_unit_test(a_success_that_is_not_otlp_is_believed_and_reported_once),
		cmocka_unit_test(four_calls_are_out_at_once_and_a_fifth_is_put_off),
		cmocka_unit_test(requests_in_flight_can_be_set),
		cmocka_unit_test(a_server_that_does_not_answer_costs_the_time_out_and_no_more),
		cmocka_unit_test(cancel_ends_all_calls_and_every_later_one),
		cmocka_unit_test(a_server_that_comes_up_is_found_by_the_next_attempt),
		cmocka_unit_test(through_the_sdk_the_books_balance_while_one_call_in_three_fails),
		cmocka_unit_test(signals_stay_the_hosts),
		cmocka_unit_test(a_forked_child_keeps_its_batches_and_says_why),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
