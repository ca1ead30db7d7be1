#include "sdk/base/base64.h"

#include "tests/support/harness/cmocka.h"

#include <stdint.h>
#include <string.h>

/* Source: RFC 4648, section 10. */
static void
the_examples_of_the_rfc_are_written(void **state)
{
	static const char *const wanted[] = {
		"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy",
	};
	(void)state;
	for (size_t size = 0; size < sizeof wanted / sizeof *wanted; size++) {
		char text[9] = "";
		assert_ptr_equal(otlog__base64_put(text, "foobar", size), text + strlen(wanted[size]));
		assert_string_equal(text, wanted[size]);
		assert_int_equal(OTLOG__BASE64_SIZE(size), strlen(wanted[size]));
	}
	assert_null(otlog__base64_put(NULL, NULL, 0));
}

/* The value of a letter, told by its place in the alphabet. */
static unsigned
value_of(char letter)
{
	if (letter >= 'A' && letter <= 'Z')
		return (unsigned)(letter - 'A');
	if (letter >= 'a' && letter <= 'z')
		return 26 + (unsigned)(letter - 'a');
	if (letter >= '0' && letter <= '9')
		return 52 + (unsigned)(letter - '0');
	assert_true(letter == '+' || letter == '/');
	return letter == '+' ? 62 : 63;
}

static void
every_pair_of_bytes_comes_back(void **state)
{
	(void)state;
	for (uint32_t number = 0; number < 1u << 16; number++) {
		const uint8_t bytes[3] = { (uint8_t)(number >> 8), (uint8_t)number, (uint8_t)~number };
		char text[4];
		otlog__base64_put(text, bytes, 3);
		uint32_t bits = 0;
		for (size_t i = 0; i < sizeof text; i++)
			bits = bits << 6 | value_of(text[i]);
		assert_int_equal(bits, (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_examples_of_the_rfc_are_written),
		cmocka_unit_test(every_pair_of_bytes_comes_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
