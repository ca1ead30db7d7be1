#include "sdk/base/rare/header_rules.h"

#include "tests/support/harness/cmocka.h"

#include <string.h>

static bool
has_http_name(const char *name)
{
	return otlog__http_header_check(&(otlog_header){ name, "x" }) != OTLOG__HEADER_BAD_NAME;
}

static bool
has_http_value(const char *value)
{
	return otlog__http_header_check(&(otlog_header){ "x", value }) == OTLOG__HEADER_GOOD;
}

static void
header_names_are_tokens(void **state)
{
	(void)state;
	assert_true(has_http_name("X-Api-Key"));
	assert_true(has_http_name("!#$%&'*+-.^_`|~09azAZ"));
	assert_false(has_http_name(NULL));
	assert_false(has_http_name(""));
	for (int c = 1; c < 256; c++) {
		const char name[] = { 'x', (char)c, 'y', '\0' };
		bool token = c < 0x80 && (strchr("!#$%&'*+-.^_`|~", c) || (c >= '0' && c <= '9') ||
		                          (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
		assert_int_equal(has_http_name(name), token);
	}
}

static void
header_values_hold_no_control_characters(void **state)
{
	(void)state;
	assert_true(has_http_value(""));
	assert_false(has_http_value(NULL));
	for (int c = 1; c < 256; c++) {
		const char value[] = { 'x', (char)c, 'y', '\0' };
		assert_int_equal(has_http_value(value), c == '\t' || (c >= 0x20 && c != 0x7f));
	}
}

static void
what_a_transport_sets_itself_is_ours(void **state)
{
	static const char *const both[] = { "Content-Type", "content-length", "TE", "connection", "Accept-Encoding" };
	static const char *const of_http[] = { "Expect", "upgrade", "CONTENT-ENCODING" };
	static const char *const of_grpc[] = { "user-agent", "Host", "grpc-timeout", "GRPC-Anything" };
	(void)state;
	for (size_t i = 0; i < sizeof both / sizeof *both; i++) {
		assert_int_equal(otlog__http_header_check(&(otlog_header){ both[i], "x" }), OTLOG__HEADER_OURS);
		assert_int_equal(otlog__grpc_header_check(&(otlog_header){ both[i], "x" }), OTLOG__HEADER_OURS);
	}
	for (size_t i = 0; i < sizeof of_http / sizeof *of_http; i++) {
		assert_int_equal(otlog__http_header_check(&(otlog_header){ of_http[i], "x" }), OTLOG__HEADER_OURS);
		assert_int_equal(otlog__grpc_header_check(&(otlog_header){ of_http[i], "x" }), OTLOG__HEADER_GOOD);
	}
	for (size_t i = 0; i < sizeof of_grpc / sizeof *of_grpc; i++) {
		assert_int_equal(otlog__http_header_check(&(otlog_header){ of_grpc[i], "x" }), OTLOG__HEADER_GOOD);
		assert_int_equal(otlog__grpc_header_check(&(otlog_header){ of_grpc[i], "x" }), OTLOG__HEADER_OURS);
	}
}

/* What gRPC itself says of them is in grpc_metadata_test.c, which has gRPC. */
static void
metadata_are_ascii_unless_they_are_binary(void **state)
{
	(void)state;
	assert_int_equal(otlog__grpc_header_check(&(otlog_header){ "x-a", "\xc3\xa4" }), OTLOG__HEADER_BAD_VALUE);
	assert_int_equal(otlog__grpc_header_check(&(otlog_header){ "x-a-bin", "\xc3\xa4" }), OTLOG__HEADER_GOOD);
	assert_int_equal(otlog__grpc_header_check(&(otlog_header){ "X-A", "b c" }), OTLOG__HEADER_GOOD);
	assert_int_equal(otlog__grpc_header_check(&(otlog_header){ "x a", "b" }), OTLOG__HEADER_BAD_NAME);
	assert_int_equal(otlog__grpc_header_check(&(otlog_header){ "x~a", "b" }), OTLOG__HEADER_BAD_NAME);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_names_are_tokens),
		cmocka_unit_test(header_values_hold_no_control_characters),
		cmocka_unit_test(what_a_transport_sets_itself_is_ours),
		cmocka_unit_test(metadata_are_ascii_unless_they_are_binary),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
