#include "sdk/base/strings.h"
#include "tests/support/harness/cmocka.h"

#include <string.h>

static void
blanks_around_text_are_trimmed_and_none_inside(void **state)
{
	(void)state;
	otlog__text text = otlog__text_trim(otlog__text_of(" \t\r\n a b \n"));
	assert_int_equal(text.size, 3);
	assert_memory_equal(text.data, "a b", 3);
	assert_int_equal(otlog__text_trim(otlog__text_of("  ")).size, 0);
	assert_int_equal(otlog__text_trim(otlog__text_of(NULL)).size, 0);
}

static void
comparing_ignores_the_case_of_ascii_letters_only(void **state)
{
	(void)state;
	assert_true(otlog__text_is(otlog__text_of("HtTp"), "http"));
	assert_false(otlog__text_is(otlog__text_of("https"), "http"));
	assert_false(otlog__text_is(otlog__text_of("htt"), "http"));
	assert_false(otlog__text_is(otlog__text_of("@"), "`"));
	assert_false(otlog__text_is(otlog__text_of("\xc4"), "\xe4"));
	assert_true(otlog__text_starts_with(otlog__text_of("HTTP://x"), "http://"));
	assert_false(otlog__text_starts_with(otlog__text_of("http:/"), "http://"));
	assert_true(otlog__text_is(otlog__text_of(NULL), ""));
}

static void
a_copy_ends_with_nul(void **state)
{
	(void)state;
	char *copy = otlog__text_copy((otlog__text){ .data = "abcdef", .size = 3 });
	assert_string_equal(copy, "abc");
	free(copy);
	copy = otlog__text_copy((otlog__text){ 0 });
	assert_string_equal(copy, "");
	free(copy);
}

static void
long_text_is_shown_cut_between_characters(void **state)
{
	(void)state;
	char out[8];
	otlog__text_show(otlog__text_of("1234567"), out, sizeof out);
	assert_string_equal(out, "1234567");
	otlog__text_show(otlog__text_of("12345678"), out, sizeof out);
	assert_string_equal(out, "1234…");
	otlog__text_show(otlog__text_of("123é5678"), out, sizeof out);
	assert_string_equal(out, "123…");
	otlog__text_show(otlog__text_of("12é45678"), out, sizeof out);
	assert_string_equal(out, "12é…");
	otlog__text_show(otlog__text_of("1\U0001f600345"), out, sizeof out);
	assert_string_equal(out, "1…");
	otlog__text_show(otlog__text_of("anything"), out, 4);
	assert_string_equal(out, "…");
	otlog__text_show(otlog__text_of("\x80\x80\x80\x80\x80\x80\x80\x80\x80"), out, sizeof out);
	assert_string_equal(out, "\x80\x80\x80\x80…"); /* no text: cut anywhere */
	otlog__text_show((otlog__text){ 0 }, out, sizeof out);
	assert_string_equal(out, "");
}

static void
decimal_numbers_are_read_to_the_last_one(void **state)
{
	(void)state;
	uint64_t number = 7;
	assert_true(otlog__parse_u64(otlog__text_of("0"), &number));
	assert_int_equal(number, 0);
	assert_true(otlog__parse_u64(otlog__text_of("0042"), &number));
	assert_int_equal(number, 42);
	assert_true(otlog__parse_u64(otlog__text_of("18446744073709551615"), &number));
	assert_true(number == UINT64_MAX);
}

static void
what_is_no_number_leaves_the_result_alone(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"", " ", "-1", "+1", "1 ", "1.0", "0x1", "1e3", "18446744073709551616", "99999999999999999999999"
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		uint64_t number = 7;
		assert_false(otlog__parse_u64(otlog__text_of(bad[i]), &number));
		assert_false(otlog__parse_bytes(otlog__text_of(bad[i]), &number));
		assert_int_equal(number, 7);
	}
}

static void
bytes_are_read_and_shown_with_units(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint64_t bytes;
		const char *shown;
	} cases[] = {
		{ "0", 0, "0 bytes" },
		{ "1000", 1000, "1000 bytes" },
		{ "1024", 1024, "1 KiB" },
		{ "3KIB", 3072, "3 KiB" },
		{ "16 MiB", 16 << 20, "16 MiB" },
		{ "1536MiB", UINT64_C(1536) << 20, "1536 MiB" },
		{ "17179869183GiB", UINT64_C(17179869183) << 30, "17179869183 GiB" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint64_t bytes = 7;
		char shown[OTLOG__BYTES_SHOWN];
		assert_true(otlog__parse_bytes(otlog__text_of(cases[i].text), &bytes));
		assert_true(bytes == cases[i].bytes);
		assert_string_equal(otlog__bytes_show(bytes, shown), cases[i].shown);
	}
	static const char *const bad[] = { "KiB", " KiB", "1KB", "1K", "1TiB", "-1KiB", "1KiBKiB", "17179869184GiB" };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		uint64_t bytes = 7;
		assert_false(otlog__parse_bytes(otlog__text_of(bad[i]), &bytes));
		assert_int_equal(bytes, 7);
	}
}

static void
percent_encoding_is_decoded_byte_by_byte(void **state)
{
	(void)state;
	const char *error = NULL;
	char *decoded = otlog__percent_decode(otlog__text_of("a%2Cb%2c%25%c3%A9+ "), &error);
	assert_string_equal(decoded, "a,b,%é+ ");
	free(decoded);
}

static void
bad_percent_encoding_is_named(void **state)
{
	(void)state;
	static const char *const bad[] = { "%", "a%2", "%%41", "%g0", "%0g", "%-1", "% 1", "%00" };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		const char *error = NULL;
		assert_null(otlog__percent_decode(otlog__text_of(bad[i]), &error));
		assert_non_null(error);
	}
	/* Digits behind the end of a view are not its own. */
	const char *error = NULL;
	assert_null(otlog__percent_decode((otlog__text){ .data = "%41", .size = 2 }, &error));
	assert_non_null(error);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blanks_around_text_are_trimmed_and_none_inside),
		cmocka_unit_test(comparing_ignores_the_case_of_ascii_letters_only),
		cmocka_unit_test(a_copy_ends_with_nul),
		cmocka_unit_test(long_text_is_shown_cut_between_characters),
		cmocka_unit_test(decimal_numbers_are_read_to_the_last_one),
		cmocka_unit_test(what_is_no_number_leaves_the_result_alone),
		cmocka_unit_test(bytes_are_read_and_shown_with_units),
		cmocka_unit_test(percent_encoding_is_decoded_byte_by_byte),
		cmocka_unit_test(bad_percent_encoding_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
