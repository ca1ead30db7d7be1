/*
 * The OTLP/HTTP JSON exporter against a receiver. What it shares with its sibling, which is all that happens on the
 * wire, is tested there.
 */
#include "tests/support/harness/cmocka.h"
#include "tests/support/records/json_tree.h"
#include "tests/support/records/otlp_request.h"
#include "tests/support/sdk/diagnosed.h"
#include "tests/support/sdk/exporter_fixture.h"
#include "tests/support/servers/receiver.h"

#include <otlog/exporters.h>
#include <otlog/sdk.h>

#include <stdlib.h>
#include <string.h>

#define LONG_MS 30000

static otlog_exporter
open_exporter(const otlog_otlp_options *options)
{
	otlog_exporter exporter = create_exporter(otlog_otlp_http_json_exporter_create_sized, options);
	assert_string_equal(exporter.name, "otlp_http_json");
	return exporter;
}

static otlog_exporter
open_url(const char *url)
{
	return open_exporter(&(otlog_otlp_options){ .endpoint = url });
}

/* Exports that many small records. */
static otlog_export_result
export_records(otlog_exporter exporter, size_t records)
{
	otlog_batch batch = otlp_request_create(records, 20);
	otlog_export_result result = export_batch(exporter, &batch, LONG_MS);
	otlp_request_free(&batch);
	return result;
}

/* The list of records in the i-th request. */
static const json_tree *
records_at(receiver *server, size_t i)
{
	const json_tree *at = receiver_request_at(server, i)->json;
	assert_non_null(at);
	static const char *const path[] = { "resourceLogs", "scopeLogs" };
	for (size_t step = 0; step < 2; step++) {
		at = json_member(at, path[step]);
		assert_true(at && at->kind == JSON_ARRAY && at->count == 1);
		at = &at->items[0];
	}
	at = json_member(at, "logRecords");
	assert_non_null(at);
	return at;
}

/* ---- Requests ---------------------------------------------------------------------------------------------------- */

static void
a_request_is_json_and_says_so(void **state)
{
	receiver *server = receiver_start(NULL);
	static const otlog_header headers[] = { { "Authorization", "Bearer secret" } };
	otlog_exporter exporter = open_exporter(
	    &(otlog_otlp_options){ .endpoint = receiver_url(server), .headers = headers, .header_count = 1 });
	(void)state;

	otlog_export_result result = export_records(exporter, 2);
	assert_int_equal(result.verdict, OTLOG_VERDICT_OK);
	assert_string_equal(result.message, "");
	const receiver_request *request = receiver_request_at(server, 0);
	assert_string_equal(request->method, "POST");
	assert_string_equal(request->path, "/v1/logs");
	assert_string_equal(receiver_header(request, "Content-Type"), "application/json");
	assert_string_equal(receiver_header(request, "Authorization"), "Bearer secret");
	assert_null(receiver_header(request, "Content-Encoding"));
	const json_tree *records = records_at(server, 0);
	assert_int_equal(records->count, 2);
	const json_tree *body = json_member(json_member(&records->items[1], "body"), "stringValue");
	assert_true(json_is(body, "1 bbbbbbbbbbbbbbbbbb", 20));
	assert_int_equal(diagnosed_count(), 0);

	close_exporter(exporter);
	receiver_stop(server);
}

static void
gzip_arrives_as_the_same_json(void **state)
{
	receiver *server = receiver_start(NULL);
	otlog_exporter exporter = open_exporter(
	    &(otlog_otlp_options){ .endpoint = receiver_url(server), .compression = OTLOG_COMPRESSION_GZIP });
	(void)state;
	for (size_t round = 0; round < 3; round++) {
		assert_int_equal(export_records(exporter, 300 - 100 * round).verdict, OTLOG_VERDICT_OK);
		assert_string_equal(receiver_header(receiver_request_at(server, round), "Content-Encoding"), "gzip");
		assert_int_equal(records_at(server, round)->count, 300 - 100 * round);
	}
	close_exporter(exporter);
	receiver_stop(server);
}

static void
batches_of_all_sizes_follow_each_other_on_one_connection(void **state)
{
	static const size_t sizes[] = { 1, 1500, 3, 500, 1 };
	receiver *server = receiver_start(NULL);
	otlog_exporter exporter = open_url(receiver_url(server));
	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		otlog_batch batch = otlp_request_create(sizes[i], 2000);
		assert_int_equal(export_batch(exporter, &batch, LONG_MS).verdict, OTLOG_VERDICT_OK);
		assert_int_equal(records_at(server, i)->count, sizes[i]);
		otlp_request_free(&batch);
	}
	assert_int_equal(receiver_connection_count(server), 1);
	close_exporter(exporter);
	receiver_stop(server);
}

static void
what_is_no_request_is_dropped_and_not_sent(void **state)
{
	receiver *server = receiver_start(NULL);
	otlog_exporter exporter = open_url(receiver_url(server));
	const otlog_batch batch = { .request = "\x0a\x05xyz", .request_size = 5, .records = 7 };
	(void)state;
	otlog_export_result result = export_batch(exporter, &batch, LONG_MS);
	assert_int_equal(result.verdict, OTLOG_VERDICT_DROP);
	assert_non_null(strstr(result.message, "7 records cannot be written as JSON"));
	assert_int_equal(receiver_connection_count(server), 0);
	assert_int_equal(export_records(exporter, 1).verdict, OTLOG_VERDICT_OK);
	close_exporter(exporter);
	receiver_stop(server);
}

static void
more_than_64_mib_of_json_are_not_sent(void **state)
{
	receiver *server = receiver_start(NULL);
	otlog_exporter exporter = open_url(receiver_url(server));
	otlog_batch batch = otlp_request_create(1, 12 * 1024 * 1024);
	(void)state;
	/* Control characters take six bytes each; the body's text is at the end of the request. */
	memset((char *)batch.request + batch.request_size - 11 * 1024 * 1024, 1, 11 * 1024 * 1024);
	otlog_export_result result = export_batch(exporter, &batch, LONG_MS);
	assert_int_equal(result.verdict, OTLOG_VERDICT_TOO_LARGE);
	assert_non_null(strstr(result.message, "64 MiB"));
	assert_int_equal(receiver_connection_count(server), 0);
	otlp_request_free(&batch);
	close_exporter(exporter);
	receiver_stop(server);
}

/* ---- Answers ----------------------------------------------------------------------------------------------------- */

static otlog_export_result
export_answered(otlog_exporter exporter, receiver *server, unsigned status, const char *body)
{
	receiver_script(server, &(receiver_reply){ .status = status, .body = body, .body_size = strlen(body) });
	return export_records(exporter, 3);
}

static void
partial_success_counts_what_was_refused(void **state)
{
	receiver *server = receiver_start(NULL);
	otlog_exporter exporter = open_url(receiver_url(server));
	(void)state;

	otlog_export_result result = export_answered(
	    exporter, server, 200, "{\"partialSuccess\":{\"rejectedLogRecords\":\"2\",\"errorMessage\":\"too old\"}}");
	assert_int_equal(result.verdict, OTLOG_VERDICT_PARTIAL);
	assert_int_equal(result.rejected, 2);
	assert_non_null(strstr(result.message, "refused 2 of 3 records: \"too old\""));

	result = export_answered(exporter, server, 200, "{\"partialSuccess\":{\"rejectedLogRecords\":100}}");
	assert_int_equal(result.verdict, OTLOG_VERDICT_PARTIAL);
	assert_int_equal(result.rejected, 3); /* never more than there were */

	assert_int_equal(diagnosed_count(), 0);
	result = export_answered(exporter, server, 200, "{\"partialSuccess\":{\"errorMessage\":\"slow\"}}");
	assert_int_equal(result.verdict, OTLOG_VERDICT_OK);
	assert_int_equal(diagnosed_count(), 1);
	assert_true(diagnosed_says("\"slow\""));

	close_exporter(exporter);
	receiver_stop(server);
}

static void
a_success_that_is_not_otlp_is_believed_and_reported_once(void **state)
{
	receiver *server = receiver_start(NULL);
	otlog_exporter exporter = open_url(receiver_url(server));
	(void)state;
	assert_int_equal(export_answered(exporter, server, 200, "<html>").verdict, OTLOG_VERDICT_OK);
	assert_int_equal(export_answered(exporter, server, 200, "{\"partialSuccess\":").verdict, OTLOG_VERDICT_OK);
	assert_int_equal(diagnosed_count(), 1);
	assert_true(diagnosed_says("not as an OTLP receiver does"));
	close_exporter(exporter);
	receiver_stop(server);
}

static void
other_statuses_get_the_verdicts_of_otlp(void **state)
{
	static const otlog_header later[] = { { "Retry-After", "3" } };
	receiver *server = receiver_start(NULL);
	otlog_exporter exporter = open_url(receiver_url(server));
	(void)state;
	receiver_script(server, &(receiver_reply){ .status = 503, .headers = later, .header_count = 1 });
	otlog_export_result result = export_records(exporter, 3);
	assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
	assert_int_equal(result.retry_after_ms, 3000);

	result = export_answered(exporter, server, 400, "{\"code\":3,\"message\":\"no, \\\"thanks\\\"\"}");
	assert_int_equal(result.verdict, OTLOG_VERDICT_INVALID);
	assert_non_null(strstr(result.message, "\"no, \"thanks\"\""));
	close_exporter(exporter);
	receiver_stop(server);
}

/* ---- The whole way ----------------------------------------------------------------------------------------------- */

static void
the_protocol_http_json_chooses_it(void **state)
{
	receiver *server = receiver_start(NULL);
	(void)state;
	setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", 1);
	setenv("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", receiver_url(server), 1);
	otlog_provider *provider = otlog_provider_create(&(otlog_options){ .service_name = "shop" });
	assert_non_null(provider);
	otlog_logger *logger = otlog_provider_get_logger(provider, &(otlog_logger_options){ .name = "checkout" });
	OTLOG_INFO(logger, "order placed", OTLOG_KV("order.id", INT64_MAX), OTLOG_KV("total", 42.5));
	assert_int_equal(otlog_provider_shutdown(provider, LONG_MS), OTLOG_DELIVERED);
	otlog_provider_destroy(provider);
	unsetenv("OTEL_EXPORTER_OTLP_PROTOCOL");
	unsetenv("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT");

	const json_tree *records = records_at(server, 0);
	assert_int_equal(records->count, 1);
	const json_tree *attributes = json_member(&records->items[0], "attributes");
	const json_tree *number = json_member(json_member(&attributes->items[0], "value"), "intValue");
	assert_true(json_is(number, "9223372036854775807", 19));
	receiver_stop(server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_json_and_says_so),
		cmocka_unit_test(gzip_arrives_as_the_same_json),
		cmocka_unit_test(batches_of_all_sizes_follow_each_other_on_one_connection),
		cmocka_unit_test(what_is_no_request_is_dropped_and_not_sent),
		cmocka_unit_test(more_than_64_mib_of_json_are_not_sent),
		cmocka_unit_test(partial_success_counts_what_was_refused),
		cmocka_unit_test(a_success_that_is_not_otlp_is_believed_and_reported_once),
		cmocka_unit_test(other_statuses_get_the_verdicts_of_otlp),
		cmocka_unit_test(the_protocol_http_json_chooses_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
