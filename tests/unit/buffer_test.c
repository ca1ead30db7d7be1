#include "sdk/base/buffer.h"
#include "tests/support/harness/cmocka.h"

#include <string.h>

static void
appended_bytes_stay_in_order_through_every_growth(void **state)
{
	(void)state;
	otlog__buffer buffer = { 0 };
	uint8_t piece[97];
	for (size_t i = 0; i < 1000; i++) {
		memset(piece, (int)(i & 0xff), sizeof piece);
		assert_true(otlog__buffer_append(&buffer, piece, i % sizeof piece));
	}
	size_t at = 0;
	for (size_t i = 0; i < 1000; i++) {
		for (size_t j = 0; j < i % sizeof piece; j++)
			assert_int_equal(buffer.data[at++], i & 0xff);
	}
	assert_int_equal(buffer.size, at);
	assert_true(buffer.capacity >= buffer.size);
	otlog__buffer_free(&buffer);
}

static void
appending_nothing_is_allowed_without_data(void **state)
{
	(void)state;
	otlog__buffer buffer = { 0 };
	assert_true(otlog__buffer_append(&buffer, NULL, 0));
	assert_int_equal(buffer.size, 0);
	otlog__buffer_free(&buffer);
}

static void
reserved_room_needs_no_further_memory(void **state)
{
	(void)state;
	otlog__buffer buffer = { 0 };
	assert_true(otlog__buffer_reserve(&buffer, 1000));
	assert_true(buffer.capacity >= 1000);
	assert_int_equal(buffer.size, 0);
	uint8_t *data = buffer.data;
	uint8_t bytes[1000] = { 1 };
	assert_true(otlog__buffer_append(&buffer, bytes, sizeof bytes));
	assert_ptr_equal(buffer.data, data);
	otlog__buffer_free(&buffer);
}

static void
what_cannot_be_had_changes_nothing(void **state)
{
	(void)state;
	otlog__buffer buffer = { 0 };
	assert_true(otlog__buffer_append(&buffer, "abc", 3));
	otlog__buffer before = buffer;
	assert_false(otlog__buffer_reserve(&buffer, SIZE_MAX));
	assert_false(otlog__buffer_reserve(&buffer, SIZE_MAX / 2));
	assert_false(otlog__buffer_append(&buffer, "x", SIZE_MAX - 2));
	assert_memory_equal(&buffer, &before, sizeof buffer);
	assert_memory_equal(buffer.data, "abc", 3);
	otlog__buffer_free(&buffer);
}

static void
a_freed_buffer_is_an_empty_one(void **state)
{
	(void)state;
	otlog__buffer buffer = { 0 };
	assert_true(otlog__buffer_append(&buffer, "abc", 3));
	otlog__buffer_free(&buffer);
	assert_null(buffer.data);
	assert_int_equal(buffer.size + buffer.capacity, 0);
	otlog__buffer_free(&buffer);
	assert_true(otlog__buffer_append(&buffer, "d", 1));
	otlog__buffer_free(&buffer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appended_bytes_stay_in_order_through_every_growth),
		cmocka_unit_test(appending_nothing_is_allowed_without_data),
		cmocka_unit_test(reserved_room_needs_no_further_memory),
		cmocka_unit_test(what_cannot_be_had_changes_nothing),
		cmocka_unit_test(a_freed_buffer_is_an_empty_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
