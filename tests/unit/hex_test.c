#include "sdk/base/hex.h"

#include "tests/support/harness/cmocka.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
every_byte_is_written_and_read_back(void **state)
{
	(void)state;
	for (unsigned byte = 0; byte < 256; byte++) {
		char text[3] = "";
		char wanted[3];
		const uint8_t one = (uint8_t)byte;
		snprintf(wanted, sizeof wanted, "%02x", byte);
		assert_ptr_equal(otlog__hex_put(text, &one, 1), text + 2);
		assert_string_equal(text, wanted);
		assert_int_equal(otlog__hex_byte(text), byte);
		text[0] = (char)toupper(text[0]);
		text[1] = (char)toupper(text[1]);
		assert_int_equal(otlog__hex_byte(text), byte);
	}
}

static void
nothing_else_is_a_digit(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		const char *digits = "0123456789abcdef";
		const char *found = c ? strchr(digits, tolower(c)) : NULL;
		assert_int_equal(otlog__hex_value((char)c), found ? found - digits : -1);
		const char second[2] = { '1', (char)c };
		assert_int_equal(otlog__hex_byte(second), found ? 16 + (found - digits) : -1);
	}
}

static void
nothing_is_read_behind_what_is_no_digit(void **state)
{
	(void)state;
	char *volatile nothing = calloc(1, 1); /* the sanitizers see a read behind it */
	assert_int_equal(otlog__hex_byte(nothing), -1);
	free(nothing);
}

static void
many_bytes_are_written_in_order(void **state)
{
	(void)state;
	char text[9] = "";
	assert_ptr_equal(otlog__hex_put(text, "\x00\x7f\xab\xff", 4), text + 8);
	assert_string_equal(text, "007fabff");
	assert_ptr_equal(otlog__hex_put(text, NULL, 0), text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_is_written_and_read_back),
		cmocka_unit_test(nothing_else_is_a_digit),
		cmocka_unit_test(nothing_is_read_behind_what_is_no_digit),
		cmocka_unit_test(many_bytes_are_written_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
