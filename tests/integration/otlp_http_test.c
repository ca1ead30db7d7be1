/*
 * The OTLP/HTTP exporter against servers that behave well and badly. SIGPIPE keeps its default action throughout and is
 * not blocked, so that one raised by the exporter would end the program.
 */
#include "sdk/base/clock.h"
#include "sdk/base/version.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/records/otlp_request.h"
#include "tests/support/sdk/diagnosed.h"
#include "tests/support/sdk/exporter_fixture.h"
#include "tests/support/servers/raw_server.h"
#include "tests/support/servers/receiver.h"

#include <otlog/exporters.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONG_MS 30000
/* What a busy machine may add to a time-out. */
#define NOISE_MS 10000

static const char empty_ok[] = "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n";

static otlog_exporter
open_exporter(const otlog_otlp_options *options)
{
	return create_exporter(otlog_otlp_http_exporter_create_sized, options);
}

static otlog_exporter
open_url(const char *url)
{
	return open_exporter(&(otlog_otlp_options){ .endpoint = url });
}

/* ---- Requests ---------------------------------------------------------------------------------------------------- */

static void
a_request_is_what_otlp_asks_for(void **state)
{
	static const otlog_header headers[] = { { "Authorization", "Bearer secret" },
		                                { "x-empty", "" },
		                                { "x-utf8", "\xc3\xa4" } };
	receiver *server = receiver_start(NULL);
	otlog_exporter exporter = open_exporter(
	    &(otlog_otlp_options){ .endpoint = receiver_url(server), .headers = headers, .header_count = 3 });
	otlog_batch batch = otlp_request_create(2, 100);
	(void)state;

	otlog_export_result result = export_batch(exporter, &batch, LONG_MS);
	assert_int_equal(result.verdict, OTLOG_VERDICT_OK);
	assert_string_equal(result.message, "");
	assert_int_equal(receiver_record_count(server), 2);
	const receiver_request *request = receiver_request_at(server, 0);
	assert_string_equal(request->method, "POST");
	assert_string_equal(request->path, "/v1/logs");
	assert_int_equal(request->body_size, batch.request_size);
	assert_memory_equal(request->body, batch.request, batch.request_size);
	assert_string_equal(receiver_header(request, "Content-Type"), "application/x-protobuf");
	assert_string_equal(receiver_header(request, "User-Agent"),
	                    "otlog/" OTLOG__VERSION " OTel-OTLP-Exporter-C/" OTLOG__VERSION);
	assert_string_equal(receiver_header(request, "Authorization"), "Bearer secret");
	assert_string_equal(receiver_header(request, "x-empty"), "");
	assert_string_equal(receiver_header(request, "x-utf8"), "\xc3\xa4");
	assert_null(receiver_header(request, "Content-Encoding"));
	assert_null(receiver_header(request, "Transfer-Encoding"));
	assert_int_equal(diagnosed_count(), 0);

	otlp_request_free(&batch);
	close_exporter(exporter);
	receiver_stop(server);
}

static void
a_large_request_is_sent_without_asking_first(void **state)
{
	receiver *server = receiver_start(NULL);
	otlog_exporter exporter = open_url(receiver_url(server));
	otlog_batch batch = otlp_request_create(3000, 1000);
	(void)state;

	assert_int_equal(export_batch(exporter, &batch, LONG_MS).verdict, OTLOG_VERDICT_OK);
	assert_int_equal(receiver_record_count(server), 3000);
	assert_null(receiver_header(receiver_request_at(server, 0), "Expect"));

	otlp_request_free(&batch);
	close_exporter(exporter);
	receiver_stop(server);
}

static void
gzip_arrives_as_the_same_records(void **state)
{
	receiver *server = receiver_start(NULL);
	otlog_exporter exporter = open_exporter(
	    &(otlog_otlp_options){ .endpoint = receiver_url(server), .compression = OTLOG_COMPRESSION_GZIP });
	(void)state;

	for (size_t round = 1; round <= 3; round++) {
		otlog_batch batch = otlp_request_create(100 * round, 200);
		assert_int_equal(export_batch(exporter, &batch, LONG_MS).verdict, OTLOG_VERDICT_OK);
		const receiver_request *request = receiver_request_at(server, round - 1);
		assert_string_equal(receiver_header(request, "Content-Encoding"), "gzip");
		assert_true(request->body_size < batch.request_size / 2);
		otlp_request_free(&batch);
	}
	assert_int_equal(receiver_record_count(server), 600);
	const receiver_record last = receiver_record_at(server, 599);
	assert_memory_equal(last.record->body->string_value.data, "299 bbb", 7);

	close_exporter(exporter);
	receiver_stop(server);
}

static void
fifty_batches_share_one_connection(void **state)
{
	receiver *server = receiver_start(NULL);
	otlog_exporter exporter = open_url(receiver_url(server));
	(void)state;
	for (int i = 0; i < 50; i++)
		assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
	assert_int_equal(receiver_request_count(server), 50);
	assert_int_equal(receiver_connection_count(server), 1);
	close_exporter(exporter);
	receiver_stop(server);
}

static void
user_information_in_the_url_is_sent_but_never_shown(void **state)
{
	receiver *server = receiver_start(NULL);
	const receiver_reply denied = { .status = 403 };
	char url[128];
	(void)state;
	receiver_script(server, &denied);
	snprintf(url, sizeof url, "http://user:secret@127.0.0.1:%u/v1/logs?key=secret", receiver_port(server));
	otlog_exporter exporter = open_url(url);

	otlog_export_result result = export_some(exporter, LONG_MS);
	assert_int_equal(result.verdict, OTLOG_VERDICT_DROP);
	assert_null(strstr(result.message, "secret"));
	assert_non_null(strstr(result.message, "http://127.0.0.1:"));
	assert_string_equal(receiver_header(receiver_request_at(server, 0), "Authorization"), "Basic dXNlcjpzZWNyZXQ=");

	close_exporter(exporter);
	receiver_stop(server);
}

static void
a_proxy_does_not_come_between_us_and_this_machine(void **state)
{
	char proxy[64];
	int taken = raw_server_refuse(proxy, sizeof proxy);
	receiver *server = receiver_start(NULL);
	(void)state;
	setenv("http_proxy", proxy, 1);
	otlog_exporter exporter = open_url(receiver_url(server));
	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
	unsetenv("http_proxy");
	close_exporter(exporter);
	receiver_stop(server);
	close(taken);
}

static void
more_than_64_mib_are_not_sent(void **state)
{
	receiver *server = receiver_start(NULL);
	otlog_exporter exporter = open_url(receiver_url(server));
	const otlog_batch batch = { .request = "", .request_size = 64 * 1024 * 1024 + 1, .records = 1 };
	(void)state;
	otlog_export_result result = export_batch(exporter, &batch, LONG_MS);
	assert_int_equal(result.verdict, OTLOG_VERDICT_TOO_LARGE);
	assert_string_equal(result.error_type, "too_large_request");
	assert_non_null(strstr(result.message, "64 MiB"));
	assert_int_equal(receiver_connection_count(server), 0);
	close_exporter(exporter);
	receiver_stop(server);
}

/* ---- Answers ----------------------------------------------------------------------------------------------------- */

static void
retryable_statuses_ask_for_another_attempt_and_keep_the_connection(void **state)
{
	static const unsigned statuses[] = { 429, 502, 503, 504 };
	static const otlog_header later[] = { { "Retry-After", "3" } };
	receiver *server = receiver_start(NULL);
	otlog_exporter exporter = open_url(receiver_url(server));
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		receiver_script(server, &(receiver_reply){ .status = statuses[i] });
		receiver_script(server,
		                &(receiver_reply){ .status = statuses[i], .headers = later, .header_count = 1 });
		otlog_export_result result = export_some(exporter, LONG_MS);
		assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
		assert_int_equal(result.retry_after_ms, 0);
		result = export_some(exporter, LONG_MS);
		assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
		assert_int_equal(result.retry_after_ms, 3000);
	}
	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
	assert_int_equal(receiver_connection_count(server), 1);
	assert_int_equal(receiver_record_count(server), 3);
	close_exporter(exporter);
	receiver_stop(server);
}

static void
final_statuses_give_the_batch_up_in_the_servers_words(void **state)
{
	static const unsigned statuses[] = {
		300, 304, 400, 401, 403, 404, 405, 408, 413, 415, 422, 500, 501, 505, 599
	};
	static const otlog_header plain[] = { { "Content-Type", "text/plain" } };
	receiver *server = receiver_start(NULL);
	otlog_exporter exporter = open_url(receiver_url(server));
	(void)state;
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
		receiver_script(server, &(receiver_reply){ .status = statuses[i],
		                                           .headers = plain,
		                                           .header_count = 1,
		                                           .body = "no, thanks\nmore",
		                                           .body_size = 15 });
		otlog_export_result result = export_some(exporter, LONG_MS);
		assert_int_equal(result.verdict, statuses[i] == 400 || statuses[i] == 422 ? OTLOG_VERDICT_INVALID
		                                 : statuses[i] == 413                     ? OTLOG_VERDICT_TOO_LARGE
		                                                                          : OTLOG_VERDICT_DROP);
		if (statuses[i] >= 400)
			assert_non_null(strstr(result.message, "\"no, thanks\""));
	}
	assert_int_equal(receiver_record_count(server), 0);
	close_exporter(exporter);
	receiver_stop(server);
}

static void
redirects_are_named_and_not_followed(void **state)
{
	receiver *elsewhere = receiver_start(NULL);
	receiver *server = receiver_start(NULL);
	char location[128];
	static const unsigned statuses[] = { 301, 302, 303, 307, 308 };
	(void)state;
	snprintf(location, sizeof location, "http://user:secret@127.0.0.1:%u/in", receiver_port(elsewhere));
	const otlog_header header = { "Location", location };
	otlog_exporter exporter = open_url(receiver_url(server));
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
		receiver_script(server,
		                &(receiver_reply){ .status = statuses[i], .headers = &header, .header_count = 1 });
		otlog_export_result result = export_some(exporter, LONG_MS);
		assert_int_equal(result.verdict, OTLOG_VERDICT_DROP);
		assert_non_null(strstr(result.message, "/in, which is not followed"));
		assert_non_null(strstr(result.message, "OTEL_EXPORTER_OTLP_ENDPOINT"));
		assert_null(strstr(result.message, "secret"));
	}
	assert_int_equal(receiver_connection_count(elsewhere), 0);
	close_exporter(exporter);
	receiver_stop(server);
	receiver_stop(elsewhere);
}

static void
partial_success_counts_what_was_refused(void **state)
{
	/* ExportLogsServiceResponse{ partial_success{ rejected_log_records, error_message } } */
	static const char two[] = "\x0a\x0b\x08\x02\x12\x07too old";
	static const char hundred[] = "\x0a\x02\x08\x64";
	static const char warning[] = "\x0a\x06\x12\x04slow";
	receiver *server = receiver_start(NULL);
	otlog_exporter exporter = open_url(receiver_url(server));
	(void)state;

	receiver_script(server, &(receiver_reply){ .body = two, .body_size = sizeof two - 1 });
	otlog_export_result result = export_some(exporter, LONG_MS);
	assert_int_equal(result.verdict, OTLOG_VERDICT_PARTIAL);
	assert_int_equal(result.rejected, 2);
	assert_non_null(strstr(result.message, "refused 2 of 3 records: \"too old\""));

	receiver_script(server, &(receiver_reply){ .body = hundred, .body_size = sizeof hundred - 1 });
	result = export_some(exporter, LONG_MS);
	assert_int_equal(result.verdict, OTLOG_VERDICT_PARTIAL);
	assert_int_equal(result.rejected, 3); /* never more than there were */

	assert_int_equal(diagnosed_count(), 0);
	receiver_script(server, &(receiver_reply){ .body = warning, .body_size = sizeof warning - 1 });
	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
	assert_int_equal(diagnosed_count(), 1);
	assert_true(diagnosed_says("\"slow\""));

	close_exporter(exporter);
	receiver_stop(server);
}

static void
a_success_that_is_not_otlp_is_believed_and_reported_once(void **state)
{
	static const otlog_header html[] = { { "Content-Type", "text/html" } };
	receiver *server = receiver_start(NULL);
	otlog_exporter exporter = open_url(receiver_url(server));
	(void)state;
	receiver_script(server, &(receiver_reply){ .body = "\xff\xff", .body_size = 2 });
	receiver_script(server, &(receiver_reply){
				    .headers = html, .header_count = 1, .body = "<html>", .body_size = 6, .times = 2 });
	for (int i = 0; i < 3; i++)
		assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
	assert_int_equal(diagnosed_count(), 1);
	assert_true(diagnosed_says("not as an OTLP receiver does"));
	close_exporter(exporter);
	receiver_stop(server);
}

/* ---- Broken peers ------------------------------------------------------------------------------------------------ */

static otlog_export_result
export_to_raw(const raw_play *play, size_t records, size_t body_size, uint64_t timeout_ms)
{
	raw_server *server = raw_server_start(play, 1);
	otlog_exporter exporter = open_url(raw_server_url(server));
	otlog_batch batch = otlp_request_create(records, body_size);
	otlog_export_result result = export_batch(exporter, &batch, timeout_ms);
	otlp_request_free(&batch);
	close_exporter(exporter);
	raw_server_stop(server);
	return result;
}

static void
an_answer_that_is_not_http_keeps_the_batch_for_another_try(void **state)
{
	/* What a gRPC server says first: an HTTP/2 SETTINGS frame. */
	static const char grpc[] = "\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x05\x00\x00\x40\x00";
	(void)state;
	raw_play play = { .read = RAW_READ_REQUEST, .answer = "\x01\xff garbage\r\n\r\n", .end = RAW_END_CLOSE };
	otlog_export_result result = export_to_raw(&play, 3, 20, LONG_MS);
	assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
	play.answer = grpc;
	play.answer_size = sizeof grpc - 1;
	result = export_to_raw(&play, 3, 20, LONG_MS);
	assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
	assert_non_null(strstr(result.message, "4317"));
}

static void
an_answer_over_4_mib_gives_the_batch_up(void **state)
{
	static const char *const heads[] = { "HTTP/1.1 200 OK\r\nContent-Length: 10485760\r\n\r\n",
		                             "HTTP/1.1 503 Busy\r\nConnection: close\r\n\r\n" };
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		raw_play play = { .read = RAW_READ_REQUEST, .answer = heads[i], .padding = 10485760 };
		otlog_export_result result = export_to_raw(&play, 3, 20, LONG_MS);
		assert_int_equal(result.verdict, OTLOG_VERDICT_DROP);
		assert_non_null(strstr(result.message, "larger than 4 MiB"));
	}
}

static void
a_disconnect_without_an_answer_is_tried_again(void **state)
{
	static const raw_end ends[] = { RAW_END_CLOSE, RAW_END_RESET };
	static const raw_read reads[] = { RAW_READ_NOTHING, RAW_READ_HEAD, RAW_READ_REQUEST };
	static const char *const answers[] = { NULL, "HTTP/1.1 20",
		                               "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it" };
	(void)state;
	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; j < 3; j++)
			for (size_t k = 0; k < 3; k++) {
				const raw_play play = { .read = reads[j], .answer = answers[k], .end = ends[i] };
				assert_int_equal(export_to_raw(&play, 3, 20, LONG_MS).verdict, OTLOG_VERDICT_RETRY);
			}
}

static void
a_disconnect_within_a_large_body_is_tried_again(void **state)
{
	static const raw_end ends[] = { RAW_END_CLOSE, RAW_END_RESET };
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const raw_play play = { .read = RAW_READ_HEAD, .end = ends[i] };
		assert_int_equal(export_to_raw(&play, 3000, 1000, LONG_MS).verdict, OTLOG_VERDICT_RETRY);
	}
	receiver *server = receiver_start(NULL);
	otlog_exporter exporter = open_url(receiver_url(server));
	receiver_script(server, &(receiver_reply){ .part = RECEIVER_CLOSE_EARLY });
	receiver_script(server, &(receiver_reply){ .part = RECEIVER_CLOSE_LATE });
	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_RETRY);
	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_RETRY);
	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
	close_exporter(exporter);
	receiver_stop(server);
}

static void
a_connection_that_went_stale_is_replaced_at_once(void **state)
{
	const raw_play plays[][2] = {
		{ { RAW_READ_REQUEST, empty_ok, 0, 0, 0, RAW_END_CLOSE },
		  { RAW_READ_REQUEST, empty_ok, 0, 0, 0, RAW_END_REPEAT } },
		{ { RAW_READ_REQUEST, empty_ok, 0, 0, 0, RAW_END_STALE },
		  { RAW_READ_REQUEST, empty_ok, 0, 0, 0, RAW_END_REPEAT } },
	};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		raw_server *server = raw_server_start(plays[i], 2);
		otlog_exporter exporter = open_url(raw_server_url(server));
		for (int round = 0; round < 3; round++)
			assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
		assert_int_equal(raw_server_connections(server), 2);
		close_exporter(exporter);
		raw_server_stop(server);
	}
}

static void
nobody_there_is_said_with_the_remedy(void **state)
{
	char url[64];
	char expected[256];
	int taken = raw_server_refuse(url, sizeof url);
	otlog_exporter exporter = open_url(url);
	(void)state;
	snprintf(expected, sizeof expected,
	         "nobody listens at %s: connection refused. Start the collector or set OTEL_EXPORTER_OTLP_ENDPOINT",
	         url);
	for (int i = 0; i < 2; i++) {
		otlog_export_result result = export_some(exporter, LONG_MS);
		assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
		assert_string_equal(result.message, expected);
	}
	close_exporter(exporter);
	close(taken);
}

static void
a_name_that_cannot_be_resolved_is_tried_again_within_the_time(void **state)
{
	otlog_exporter exporter = open_url("http://no-such-host.invalid/v1/logs");
	(void)state;
	uint64_t start = otlog__monotonic_nano();
	otlog_export_result result = export_some(exporter, 500);
	assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
	assert_non_null(strstr(result.message, "no-such-host.invalid"));
	close_exporter(exporter);
	assert_true(otlog__monotonic_nano() - start < (500 + NOISE_MS) * OTLOG__NANOS_PER_MS);
}

static void
no_signal_is_left_to_the_host(void **state)
{
	struct sigaction action;
	sigset_t mask;
	(void)state;
	assert_int_equal(sigaction(SIGPIPE, NULL, &action), 0);
	assert_true(action.sa_handler == SIG_DFL);
	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	assert_false(sigismember(&mask, SIGPIPE));
	sigpending(&mask);
	assert_false(sigismember(&mask, SIGPIPE));
}

/* ---- Time and cancelling ----------------------------------------------------------------------------------------- */

static void
check_timeout(otlog_exporter exporter, uint64_t timeout_ms)
{
	uint64_t start = otlog__monotonic_nano();
	otlog_export_result result = export_some(exporter, timeout_ms);
	uint64_t took_ms = (otlog__monotonic_nano() - start) / OTLOG__NANOS_PER_MS;
	assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
	assert_non_null(strstr(result.message, "OTEL_EXPORTER_OTLP_TIMEOUT"));
	assert_in_range(took_ms, timeout_ms - 5, timeout_ms + NOISE_MS);
}

static void
an_attempt_ends_with_its_time(void **state)
{
	const raw_play dripping = { .read = RAW_READ_REQUEST, .answer = empty_ok, .pause_ms = 1000 };
	const raw_play silent = { .read = RAW_READ_NOTHING, .end = RAW_END_HOLD };
	const raw_play *const plays[] = { &dripping, &silent };
	receiver *server = receiver_start(NULL);
	otlog_exporter exporter = open_url(receiver_url(server));
	(void)state;

	receiver_script(server, &(receiver_reply){ .part = RECEIVER_HANG });
	check_timeout(exporter, 200);
	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
	close_exporter(exporter);
	receiver_stop(server);

	for (size_t i = 0; i < 2; i++) {
		raw_server *raw = raw_server_start(plays[i], 1);
		exporter = open_url(raw_server_url(raw));
		check_timeout(exporter, 200);
		close_exporter(exporter);
		raw_server_stop(raw);
	}
}

/* How long the running attempt takes to end once it is cancelled. It has no time-out: only the cancel can end it. */
static uint64_t
cancel_one_that_hangs(void)
{
	receiver *server = receiver_start(NULL);
	attempt running;
	otlog_exporter exporter = open_url(receiver_url(server));
	/* The first request takes away the timers that libcurl has for a new connection. */
	assert_int_equal(export_some(exporter, 0).verdict, OTLOG_VERDICT_OK);
	receiver_script(server, &(receiver_reply){ .part = RECEIVER_HANG, .times = RECEIVER_FOREVER });

	start_attempts(&running, 1, exporter, 0);
	receiver_wait_requests(server, 2);
	uint64_t start = otlog__monotonic_nano();
	exporter.functions->cancel(exporter.self);
	join_attempts(&running, 1, OTLOG_VERDICT_RETRY);
	uint64_t took_ms = (otlog__monotonic_nano() - start) / OTLOG__NANOS_PER_MS;

	assert_int_equal(export_some(exporter, 0).verdict, OTLOG_VERDICT_RETRY);
	assert_int_equal(receiver_request_count(server), 2);
	close_exporter(exporter);
	receiver_stop(server);
	return took_ms;
}

static void
cancel_ends_the_running_attempt_and_every_later_one(void **state)
{
	uint64_t least_ms = UINT64_MAX; /* of several: a busy machine may be late, but hardly each time */
	(void)state;
	for (int round = 0; round < 10 && least_ms > 300; round++) {
		uint64_t took_ms = cancel_one_that_hangs();
		least_ms = took_ms < least_ms ? took_ms : least_ms;
	}
	assert_in_range(least_ms, 0, 300);
}

static void
cancel_in_any_moment_of_an_attempt_ends_it(void **state)
{
	const raw_play silent = { .read = RAW_READ_NOTHING, .end = RAW_END_HOLD };
	(void)state;
	for (uint64_t round = 0; round < 50; round++) {
		raw_server *server = raw_server_start(&silent, 1);
		attempt running;
		otlog_exporter exporter = open_url(raw_server_url(server));
		start_attempts(&running, 1, exporter, 0);
		uint64_t moment = otlog__monotonic_nano() + round * 50000;
		while (otlog__monotonic_nano() < moment)
			;
		exporter.functions->cancel(exporter.self);
		join_attempts(&running, 1, OTLOG_VERDICT_RETRY);
		close_exporter(exporter);
		raw_server_stop(server);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_what_otlp_asks_for),
		cmocka_unit_test(a_large_request_is_sent_without_asking_first),
		cmocka_unit_test(gzip_arrives_as_the_same_records),
		cmocka_unit_test(fifty_batches_share_one_connection),
		cmocka_unit_test(user_information_in_the_url_is_sent_but_never_shown),
		cmocka_unit_test(a_proxy_does_not_come_between_us_and_this_machine),
		cmocka_unit_test(more_than_64_mib_are_not_sent),
		cmocka_unit_test(retryable_statuses_ask_for_another_attempt_and_keep_the_connection),
		cmocka_unit_test(final_statuses_give_the_batch_up_in_the_servers_words),
		cmocka_unit_test(redirects_are_named_and_not_followed),
		cmocka_unit_test(partial_success_counts_what_was_refused),
		cmocka_unit_test(a_success_that_is_not_otlp_is_believed_and_reported_once),
		cmocka_unit_test(an_answer_that_is_not_http_keeps_the_batch_for_another_try),
		cmocka_unit_test(an_answer_over_4_mib_gives_the_batch_up),
		cmocka_unit_test(a_disconnect_without_an_answer_is_tried_again),
		cmocka_unit_test(a_disconnect_within_a_large_body_is_tried_again),
		cmocka_unit_test(a_connection_that_went_stale_is_replaced_at_once),
		cmocka_unit_test(nobody_there_is_said_with_the_remedy),
		cmocka_unit_test(a_name_that_cannot_be_resolved_is_tried_again_within_the_time),
		cmocka_unit_test(an_attempt_ends_with_its_time),
		cmocka_unit_test(cancel_ends_the_running_attempt_and_every_later_one),
		cmocka_unit_test(cancel_in_any_moment_of_an_attempt_ends_it),
		cmocka_unit_test(no_signal_is_left_to_the_host),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
