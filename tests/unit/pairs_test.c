#include "sdk/settings/pairs.h"
#include "tests/support/harness/cmocka.h"

#include <stdbool.h>
#include <string.h>

/* Compares with `k|v` members, each ended by a newline. */
static void
assert_pairs(const char *text, const char *wanted)
{
	otlog__pairs pairs;
	const char *error = "untouched";
	char found[1024] = "";
	assert_true(otlog__pairs_parse(text, &pairs, &error));
	assert_null(error);
	for (size_t i = 0; i < pairs.count; i++) {
		strcat(found, pairs.items[i].name);
		strcat(found, "|");
		strcat(found, pairs.items[i].value);
		strcat(found, "\n");
	}
	assert_string_equal(found, wanted);
	otlog__pairs_free(&pairs);
	assert_null(pairs.items);
}

static void
assert_malformed(const char *text, const char *reason)
{
	otlog__pairs pairs;
	const char *error = NULL;
	assert_false(otlog__pairs_parse(text, &pairs, &error));
	assert_non_null(error);
	assert_string_equal(error, reason);
	assert_int_equal(pairs.count, 0);
	assert_null(pairs.items);
}

static void
members_keep_their_order(void **state)
{
	(void)state;
	assert_pairs("b=1,a=2,c=3", "b|1\na|2\nc|3\n");
	assert_pairs("one=1", "one|1\n");
}

static void
nothing_gives_an_empty_list(void **state)
{
	(void)state;
	assert_pairs(NULL, "");
	assert_pairs("", "");
	assert_pairs(" \t ", "");
	assert_pairs(",,", "");
}

static void
blanks_around_keys_values_and_members_are_trimmed(void **state)
{
	(void)state;
	assert_pairs(" a = 1 ,\tb=two words\t,c= ", "a|1\nb|two words\nc|\n");
}

static void
keys_and_values_are_percent_decoded_after_trimming(void **state)
{
	(void)state;
	assert_pairs("k%3Dey=a%2cb%2C%25,s=%20x%20,u=%C3%A9", "k=ey|a,b,%\ns| x \nu|é\n");
}

static void
the_first_equals_divides(void **state)
{
	(void)state;
	assert_pairs("authorization=Basic dXNlcjpwdw==,x==", "authorization|Basic dXNlcjpwdw==\nx|=\n");
}

static void
the_last_of_two_values_stays_in_the_first_place(void **state)
{
	(void)state;
	assert_pairs("a=1,b=2,a=3,%61=4", "a|4\nb|2\n");
	assert_pairs("a=1,A=2", "a|1\nA|2\n");
}

static void
empty_members_do_no_harm(void **state)
{
	(void)state;
	assert_pairs(",a=1,, b=2 , ,", "a|1\nb|2\n");
}

static void
any_malformed_member_discards_the_list(void **state)
{
	(void)state;
	assert_malformed("a=1,b", "a member has no '='");
	assert_malformed("a=1,=2", "a member has no key");
	assert_malformed(" = ", "a member has no key");
	assert_malformed("a=1,b=%", "a % is not followed by two hex digits");
	assert_malformed("a=%4,b=1", "a % is not followed by two hex digits");
	assert_malformed("a=%4g", "a % is not followed by two hex digits");
	assert_malformed("%zz=1", "a % is not followed by two hex digits");
	assert_malformed("a=x%00y", "%00 stands in it");
}

static bool
can_be_headers(const char *text, bool is_grpc)
{
	otlog__pairs pairs;
	const char *error = NULL;
	assert_true(otlog__pairs_parse(text, &pairs, &error));
	const char *problem = otlog__pairs_header_problem(&pairs, is_grpc);
	otlog__pairs_free(&pairs);
	return !problem;
}

static void
headers_that_would_break_a_request_are_found(void **state)
{
	(void)state;
	assert_true(can_be_headers("", false));
	assert_true(can_be_headers("x-api_key.1=a b;c=\"d\",Authorization=Bearer%20x,n=%C3%A9%09", false));
	assert_false(can_be_headers("a b=1", false));
	assert_false(can_be_headers("a:=1", false));
	assert_false(can_be_headers("%C3%A9=1", false));
	assert_false(can_be_headers("a=1%0D%0Aevil:%202", false));
	assert_false(can_be_headers("ok=1,a=%0A", false));
	assert_false(can_be_headers("a=%7F", false));
	assert_true(can_be_headers("x-a=b c,X-B-bin=%C3%A4", true));
	assert_false(can_be_headers("x-a=\xc3\xa4", true));
	assert_false(can_be_headers("ok=1,x-a=%C3%A4", true));
	assert_false(can_be_headers("x-a=%09", true));
	assert_false(can_be_headers("x~a=b", true));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_keep_their_order),
		cmocka_unit_test(nothing_gives_an_empty_list),
		cmocka_unit_test(blanks_around_keys_values_and_members_are_trimmed),
		cmocka_unit_test(keys_and_values_are_percent_decoded_after_trimming),
		cmocka_unit_test(the_first_equals_divides),
		cmocka_unit_test(the_last_of_two_values_stays_in_the_first_place),
		cmocka_unit_test(empty_members_do_no_harm),
		cmocka_unit_test(any_malformed_member_discards_the_list),
		cmocka_unit_test(headers_that_would_break_a_request_are_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
