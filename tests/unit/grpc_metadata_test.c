#include "exporters/otlp_grpc/metadata.h"
#include "sdk/base/rare/header_rules.h"
#include "tests/support/harness/cmocka.h"

#include <grpc/grpc.h>
#include <grpc/slice.h>

#include <stdio.h>
#include <string.h>

static otlog__header_fault
check(const char *name, const char *value)
{
	return otlog__grpc_header_check(&(otlog_header){ name, value });
}

/* gRPC's own opinion of a name in lower case. */
static bool
grpc_takes_name(const char *name)
{
	grpc_slice slice = grpc_slice_from_copied_string(name);
	bool legal = grpc_header_key_is_legal(slice);
	grpc_slice_unref(slice);
	return legal;
}

static bool
grpc_takes_value(const char *value)
{
	grpc_slice slice = grpc_slice_from_copied_string(value);
	bool legal = grpc_header_nonbin_value_is_legal(slice);
	grpc_slice_unref(slice);
	return legal;
}

static void
names_that_pass_are_those_that_grpc_takes(void **state)
{
	(void)state;
	assert_int_equal(check(NULL, "x"), OTLOG__HEADER_BAD_NAME);
	assert_int_equal(check("", "x"), OTLOG__HEADER_BAD_NAME);
	for (int c = 1; c < 256; c++) {
		char name[] = { 'x', (char)c, 'y', '\0' };
		bool good = check(name, "value") == OTLOG__HEADER_GOOD;
		otlog__grpc_header_lower(name, 3);
		assert_int_equal(good, grpc_takes_name(name));
	}
}

static void
values_that_pass_are_those_that_grpc_takes(void **state)
{
	(void)state;
	assert_int_equal(check("x", NULL), OTLOG__HEADER_BAD_VALUE);
	assert_int_equal(check("x", ""), OTLOG__HEADER_GOOD);
	for (int c = 1; c < 256; c++) {
		const char value[] = { 'x', (char)c, 'y', '\0' };
		assert_int_equal(check("x", value) == OTLOG__HEADER_GOOD, grpc_takes_value(value));
		assert_int_equal(check("x-Bin", value), OTLOG__HEADER_GOOD);
	}
}

static void
what_grpc_sets_itself_is_ours(void **state)
{
	static const char *const ours[] = {
		"content-type", "TE", "User-Agent", "Host", "grpc-timeout", "GRPC-anything"
	};
	(void)state;
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		assert_int_equal(check(ours[i], "x"), OTLOG__HEADER_OURS);
	assert_int_equal(check("grpc", "x"), OTLOG__HEADER_GOOD);
	assert_int_equal(check("authorization", "Bearer x"), OTLOG__HEADER_GOOD);
}

static void
names_become_lower_case(void **state)
{
	char name[] = "X-Api_Key.9Zz";
	(void)state;
	otlog__grpc_header_lower(name, strlen(name));
	assert_string_equal(name, "x-api_key.9zz");
}

static const char *
masked(const char *value, const char *text)
{
	static char out[128];
	snprintf(out, sizeof out, "%s", text);
	otlog__grpc_header_mask(value, strlen(value), out);
	return out;
}

static void
quoted_values_are_masked(void **state)
{
	(void)state;
	assert_string_equal(masked("Bearer abcdef", "bad token Bearer abcdef!"), "bad token *************!");
	assert_string_equal(masked("Bearer abcdef", "abcdef, abcdef"), "******, ******");
	assert_string_equal(masked("abcdef", "ABCDEF abcde"), "ABCDEF abcde");
	assert_string_equal(masked("five5", "five5"), "five5"); /* too short for a secret, too common in words */
	assert_string_equal(masked("", "text"), "text");
	assert_string_equal(masked("ends with a space ", "ends with a space "), "******************");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_pass_are_those_that_grpc_takes),
		cmocka_unit_test(values_that_pass_are_those_that_grpc_takes),
		cmocka_unit_test(what_grpc_sets_itself_is_ours),
		cmocka_unit_test(names_become_lower_case),
		cmocka_unit_test(quoted_values_are_masked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
