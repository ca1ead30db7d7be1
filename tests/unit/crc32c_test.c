/* CRC32C against known values, and the processor's instruction against the table. */
#include "tests/support/harness/cmocka.h"

#include "sdk/queue/crc32c.h"
#include "sdk/queue/crc32c_hardware.h"

#include <stdlib.h>
#include <string.h>

/* Source: RFC 3720, appendix B.4, and the check value of the catalogue of CRCs. */
static void
known_values_come_out(void **state)
{
	(void)state;
	uint8_t bytes[32];
	uint32_t (*const functions[])(uint32_t, const void *, size_t) = { otlog__crc32c, otlog__crc32c_portable };
	for (int f = 0; f < 2; f++) {
		assert_int_equal(functions[f](0, "", 0), 0);
		assert_int_equal(functions[f](0, "123456789", 9), 0xe3069283);
		memset(bytes, 0, sizeof bytes);
		assert_int_equal(functions[f](0, bytes, 32), 0x8a9136aa);
		memset(bytes, 0xff, sizeof bytes);
		assert_int_equal(functions[f](0, bytes, 32), 0x62a8ab43);
		for (uint8_t i = 0; i < 32; i++)
			bytes[i] = i;
		assert_int_equal(functions[f](0, bytes, 32), 0x46dd794e);
	}
}

static void
every_length_place_and_cut_gives_the_same(void **state)
{
	(void)state;
	uint8_t bytes[300];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 37 + i / 3);
	for (size_t from = 0; from < 9; from++)
		for (size_t size = 0; size + from <= sizeof bytes; size++) {
			uint32_t expected = otlog__crc32c_portable(7, bytes + from, size);
			assert_int_equal(otlog__crc32c(7, bytes + from, size), expected);
			size_t half = size / 3;
			uint32_t first = otlog__crc32c(7, bytes + from, half);
			assert_int_equal(otlog__crc32c(first, bytes + from + half, size - half), expected);
		}
}

static void
the_instruction_is_used_where_there_is_one(void **state)
{
	(void)state;
	if (!otlog__crc32c_has_hardware())
		skip();
	assert_int_equal(otlog__crc32c_by_hardware(0, "123456789", 9), 0xe3069283);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_values_come_out),
		cmocka_unit_test(every_length_place_and_cut_gives_the_same),
		cmocka_unit_test(the_instruction_is_used_where_there_is_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
