#include "exporters/otlp_http/http_answer.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/harness/cmocka.h"
#include "tests/support/sdk/diagnosed.h"

#include <otlog/exporters.h>

static otlog__otlp_answer
read_success(const char *body, const char *type)
{
	otlog__otlp_answer answer = { .foreign = true, .rejected = 9, .text = "stale" };
	const otlog__http_outcome outcome = {
		.status = 200, .body = (const uint8_t *)body, .body_size = strlen(body), .content_type = type
	};
	otlog__otlp_read_json_success(&outcome, &answer);
	return answer;
}

static void
check_success(const char *body, const char *type, uint64_t rejected, const char *text)
{
	otlog__otlp_answer answer = read_success(body, type);
	assert_false(answer.foreign);
	assert_int_equal(answer.rejected, rejected);
	assert_string_equal(answer.text, text);
}

static void
a_full_success_may_be_told_in_many_ways(void **state)
{
	(void)state;
	check_success("{}", "application/json", 0, "");
	check_success("{\"partialSuccess\":{}}", "application/json; charset=utf-8", 0, "");
	check_success("{\"partialSuccess\":null}", "Application/JSON", 0, "");
	check_success(" { \"more\" : [ { } ] } \n", NULL, 0, "");
	check_success("{\"partialSuccess\":{\"rejectedLogRecords\":\"0\",\"errorMessage\":\"\"}}", NULL, 0, "");
	check_success("", "application/json", 0, "");
	check_success("", NULL, 0, "");
}

static void
a_partial_success_says_how_many_and_why(void **state)
{
	(void)state;
	check_success("{\"partialSuccess\":{\"rejectedLogRecords\":\"3\",\"errorMessage\":\"too \\\"old\\\"\"}}", NULL,
	              3, "too \"old\"");
	check_success("{\"partialSuccess\":{\"rejectedLogRecords\":3}}", "application/json", 3, "");
	check_success("{\"partialSuccess\":{\"errorMessage\":\"be\\tquick\\nnow\"}}", NULL, 0, "be?quick");
	check_success("{\"partialSuccess\":{\"rejectedLogRecords\":-5}}", NULL, 0, "");
	check_success("{\"x\":1,\"partialSuccess\":{\"y\":[2],\"rejectedLogRecords\":\"9223372036854775807\"}}", NULL,
	              INT64_MAX, "");
}

static void
an_answer_of_another_kind_is_foreign(void **state)
{
	(void)state;
	static const char *const bodies[] = {
		"<html>",
		"[]",
		"null",
		"{",
		"{\"partialSuccess\":",
		"{\"partialSuccess\":3}",
		"{}{}",
		"\x0a\x02\x08\x03",
		"{\"partialSuccess\":{\"rejectedLogRecords\":true}}",
	};
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		assert_true(read_success(bodies[i], "application/json").foreign);
		assert_true(read_success(bodies[i], NULL).foreign);
	}
	assert_true(read_success("{}", "application/x-protobuf").foreign);
	assert_true(read_success("{}", "application/jsonl").foreign);
	assert_true(read_success("{}", "text/html").foreign);
}

static const char *
read_refusal(const char *body)
{
	static char text[32];
	const otlog__http_outcome outcome = { .status = 400,
		                              .body = (const uint8_t *)body,
		                              .body_size = strlen(body),
		                              .content_type = "application/json" };
	otlog__otlp_read_refusal(&outcome, text, sizeof text);
	return text;
}

static void
a_refusal_gives_the_message_of_its_status(void **state)
{
	(void)state;
	assert_string_equal(read_refusal("{\"code\":3,\"message\":\"no \\\"room\\\"\",\"details\":[{}]}"),
	                    "no \"room\"");
	assert_string_equal(read_refusal("{\"error\":\"no room\"}"), "{\"error\":\"no room\"}");
	assert_string_equal(read_refusal("{\"message\":7}"), "{\"message\":7}");
	assert_string_equal(read_refusal("no room"), "no room");
	assert_string_equal(read_refusal(""), "");
}

static void
the_exporter_bears_its_name(void **state)
{
	(void)state;
	otlog_exporter out = { 0 };
	assert_true(otlog_otlp_http_json_exporter_create(NULL, &out));
	assert_string_equal(out.name, "otlp_http_json");
	out.functions->destroy(out.self);
}

static void
bad_options_are_refused_as_by_its_sibling(void **state)
{
	(void)state;
	otlog_exporter out = { .name = "untouched" };
	diagnosed_begin();
	assert_false(otlog_otlp_http_json_exporter_create(&(otlog_otlp_options){ .endpoint = "localhost" }, &out));
	assert_int_equal(diagnosed_count(), 1);
	assert_true(diagnosed_says("OTEL_EXPORTER_OTLP_ENDPOINT"));
	assert_false(otlog_otlp_http_json_exporter_create(&(otlog_otlp_options){ 0 }, NULL));
	assert_string_equal(out.name, "untouched");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_success_may_be_told_in_many_ways),
		cmocka_unit_test(a_partial_success_says_how_many_and_why),
		cmocka_unit_test(an_answer_of_another_kind_is_foreign),
		cmocka_unit_test(a_refusal_gives_the_message_of_its_status),
		cmocka_unit_test(the_exporter_bears_its_name),
		cmocka_unit_test(bad_options_are_refused_as_by_its_sibling),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
