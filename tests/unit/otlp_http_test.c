#include "exporters/otlp_http/http_answer.h"
#include "proto/logs_service.pb-c.h"
#include "sdk/base/buffer.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/sdk/diagnosed.h"

#include <otlog/exporters.h>

#include <string.h>

typedef Opentelemetry__Proto__Collector__Logs__V1__ExportLogsServiceResponse response;
typedef Opentelemetry__Proto__Collector__Logs__V1__ExportLogsPartialSuccess partial;

/* ---- Answers ----------------------------------------------------------------------------------------------------- */

static otlog__otlp_answer
read_success(const void *body, size_t size, const char *type)
{
	otlog__otlp_answer answer;
	otlog__http_outcome outcome = { .status = 200, .body = body, .body_size = size, .content_type = type };
	otlog__otlp_read_success(&outcome, &answer);
	return answer;
}

static otlog__otlp_answer
read_partial(int64_t rejected, const char *text)
{
	uint8_t bytes[512];
	partial part = OPENTELEMETRY__PROTO__COLLECTOR__LOGS__V1__EXPORT_LOGS_PARTIAL_SUCCESS__INIT;
	response whole = OPENTELEMETRY__PROTO__COLLECTOR__LOGS__V1__EXPORT_LOGS_SERVICE_RESPONSE__INIT;
	part.rejected_log_records = rejected;
	part.error_message = (ProtobufCBinaryData){ strlen(text), (uint8_t *)text };
	whole.partial_success = &part;
	size_t size = opentelemetry__proto__collector__logs__v1__export_logs_service_response__pack(&whole, bytes);
	return read_success(bytes, size, "application/x-protobuf");
}

static void
an_empty_answer_is_a_full_success(void **state)
{
	(void)state;
	static const char *const types[] = { NULL, "application/x-protobuf", "Application/X-Protobuf; charset=utf-8" };
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		otlog__otlp_answer answer = read_success(NULL, 0, types[i]);
		assert_false(answer.foreign);
		assert_int_equal(answer.rejected, 0);
		assert_string_equal(answer.text, "");
	}
}

static void
a_partial_success_says_how_many_and_why(void **state)
{
	(void)state;
	otlog__otlp_answer answer = read_partial(3, "too\x1bold\nsecond line");
	assert_int_equal(answer.rejected, 3);
	assert_string_equal(answer.text, "too?old");
	answer = read_partial(0, "be quick");
	assert_int_equal(answer.rejected, 0);
	assert_string_equal(answer.text, "be quick");
	answer = read_partial(-5, "");
	assert_int_equal(answer.rejected, 0);
	answer = read_partial(0, "");
	assert_int_equal(answer.rejected, 0);
	assert_false(answer.foreign);
}

static void
an_answer_of_another_kind_is_foreign(void **state)
{
	(void)state;
	assert_true(read_success("<html>", 6, "text/html").foreign);
	assert_true(read_success("<html>", 6, NULL).foreign);
	assert_true(read_success("{}", 2, "application/json").foreign);
	assert_true(read_success("\x0a\x7f", 2, "application/x-protobuf").foreign); /* cut short */
	assert_true(read_success(NULL, 0, "application/x-protobuffer").foreign);
}

static const char *
read_refusal(const void *body, size_t size, const char *type)
{
	static char text[32];
	otlog__http_outcome outcome = { .status = 400, .body = body, .body_size = size, .content_type = type };
	otlog__otlp_read_refusal(&outcome, text, sizeof text);
	return text;
}

static void
a_refusal_gives_its_words(void **state)
{
	static const char status[] = "\x08\x03\x12\x07no room\x1a\x00"; /* code 3, message, an empty detail */
	(void)state;
	assert_string_equal(read_refusal(status, sizeof status - 1, "application/x-protobuf"), "no room");
	assert_string_equal(read_refusal(" go away\r\nplease", 16, "text/plain; charset=utf-8"), "go away");
	assert_string_equal(read_refusal("{\"message\":\"no\"}", 16, "application/json"), "no");
	assert_string_equal(read_refusal("<html><body>", 12, "text/html"), "");
	assert_string_equal(read_refusal("\xff\xff\xff", 3, "application/x-protobuf"), "");
	assert_string_equal(read_refusal(NULL, 0, "text/plain"), "");
	assert_string_equal(read_refusal("no type", 7, NULL), "");
}

/* ---- Options ----------------------------------------------------------------------------------------------------- */

/* False must come with one diagnostic that says `why` and leave *out alone. */
static void
check_refused(const otlog_otlp_options *options, const char *why)
{
	otlog_exporter out = { .name = "untouched" };
	diagnosed_begin();
	assert_false(otlog_otlp_http_exporter_create(options, &out));
	assert_int_equal(diagnosed_count(), 1);
	assert_true(diagnosed_says(why));
	assert_false(diagnosed_says("secret"));
	assert_string_equal(out.name, "untouched");
}

static void
check_accepted(const otlog_otlp_options *options, size_t options_size, size_t diagnostics)
{
	otlog_exporter out = { 0 };
	diagnosed_begin();
	assert_true(otlog_otlp_http_exporter_create_sized(options, options_size, &out));
	assert_int_equal(diagnosed_count(), diagnostics);
	assert_string_equal(out.name, "otlp_http");
	out.functions->destroy(out.self);
}

static void
a_bad_endpoint_is_refused_without_its_secrets(void **state)
{
	static const char *const urls[] = { "",
		                            "localhost:4318",
		                            "ftp://user:secret@host/",
		                            "http://",
		                            "http://user:secret@host:99999/v1/logs",
		                            "http://host\n/?key=secret",
		                            "http:///v1/logs" };
	(void)state;
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
		check_refused(&(otlog_otlp_options){ .endpoint = urls[i] }, "OTEL_EXPORTER_OTLP_ENDPOINT");
}

static void
a_bad_header_is_refused_without_its_value(void **state)
{
	static const otlog_header headers[] = {
		{ NULL, "secret" },
		{ "", "secret" },
		{ "a b secret", "x" },
		{ "Authorization:", "secret" },
		{ "x", "secret\r\nHost: y" },
		{ "x", "secret\x7f" },
		{ "x", NULL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
		const otlog_header two[] = { { "good", "value" }, headers[i] };
		check_refused(&(otlog_otlp_options){ .headers = two, .header_count = 2 }, "OTEL_EXPORTER_OTLP_HEADERS");
	}
}

static void
headers_of_the_exporter_itself_are_left_out_with_a_warning(void **state)
{
	const otlog_header headers[] = { { "content-type", "text/plain" }, { "Content-Length", "3" }, { "a", "b" } };
	const otlog_otlp_options options = { .headers = headers, .header_count = 3 };
	(void)state;
	check_accepted(&options, sizeof options, 2);
	assert_true(diagnosed_says("Content-Length"));
}

static void
options_of_older_and_newer_programs_are_understood(void **state)
{
	struct {
		otlog_otlp_options known;
		void *new_in_a_later_version;
	} newer = { { .endpoint = "https://collector.example/v1/logs" }, &newer };
	(void)state;
	check_accepted(&newer.known, sizeof newer, 0);
	check_accepted(NULL, 0, 0);
	check_accepted(&newer.known, sizeof newer.known.endpoint, 0);

	/* Behind what an older program gives there is nothing that may be read. */
	otlog_otlp_options older = { .endpoint = "http://localhost/", .headers = (void *)8, .header_count = 1 };
	check_accepted(&older, offsetof(otlog_otlp_options, headers), 0);
}

static void
the_exporter_bears_its_name(void **state)
{
	otlog_exporter out = { 0 };
	(void)state;
	assert_true(otlog_otlp_http_exporter_create(NULL, &out));
	assert_string_equal(out.name, "otlp_http");
	out.functions->destroy(out.self);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_answer_is_a_full_success),
		cmocka_unit_test(a_partial_success_says_how_many_and_why),
		cmocka_unit_test(an_answer_of_another_kind_is_foreign),
		cmocka_unit_test(a_refusal_gives_its_words),
		cmocka_unit_test(a_bad_endpoint_is_refused_without_its_secrets),
		cmocka_unit_test(a_bad_header_is_refused_without_its_value),
		cmocka_unit_test(headers_of_the_exporter_itself_are_left_out_with_a_warning),
		cmocka_unit_test(options_of_older_and_newer_programs_are_understood),
		cmocka_unit_test(the_exporter_bears_its_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
