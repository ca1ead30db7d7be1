#include <otlog/exporter.h>

#include <stdlib.h>
#include <string.h>

#include "tests/support/harness/cmocka.h"
#include "tests/support/records/record_oracle.h"

#define OPEN(literal, view) otlog_record_view_open(literal, sizeof(literal) - 1, view)

static void
assert_slice(otlog_slice got, const char *expected)
{
	assert_int_equal(got.size, strlen(expected));
	assert_memory_equal(got.data, expected, got.size);
}

static void
nothing_is_an_empty_record(void **state)
{
	(void)state;
	otlog_record_view view;
	assert_true(otlog_record_view_open(NULL, 0, &view));
	assert_int_equal(view.body.type, OTLOG_VALUE_EMPTY);
	otlog_items items = otlog_attributes(&view);
	otlog_slice key;
	otlog_value_view value;
	assert_false(otlog_next_item(&items, &key, &value));
	assert_false(items.malformed);
}

static void
of_a_field_given_twice_the_last_one_counts(void **state)
{
	(void)state;
	otlog_record_view view;
	assert_true(OPEN("\x10\x05\x62\x01"
	                 "a\x2a\x03\x0a\x01x\x10\x09\x62\x02"
	                 "bc\x2a\x04\x18\x01\x10\x01",
	                 &view));
	assert_int_equal(view.severity, 9);
	assert_slice(view.event_name, "bc");
	assert_int_equal(view.body.type, OTLOG_VALUE_BOOL);
	assert_true(view.body.as.boolean);
}

static void
an_empty_value_takes_nothing_from_the_one_before(void **state)
{
	(void)state;
	otlog_record_view view;
	otlog_slice key;
	otlog_value_view value;
	assert_true(OPEN("\x2a\x03\x0a\x01t\x2a\x00\x32\x0a\x0a\x01k\x12\x03\x0a\x01u\x12\x00", &view));
	assert_int_equal(view.body.type, OTLOG_VALUE_STRING);
	assert_slice(view.body.as.bytes, "t");
	otlog_items items = otlog_attributes(&view);
	assert_true(otlog_next_item(&items, &key, &value));
	assert_int_equal(value.type, OTLOG_VALUE_STRING);
	assert_slice(value.as.bytes, "u");
}

static void
unknown_fields_and_other_types_and_groups_are_skipped(void **state)
{
	(void)state;
	otlog_record_view view;
	/* fields 100 of each type; 2 as bytes; a group in a group; then event_name */
	assert_true(OPEN("\xa0\x06\xff\x01\xa1\x06"
	                 "12345678\xa2\x06\x03"
	                 "abc\xa5\x06"
	                 "1234\x12\x01x\xa3\x06\x0b\x08\x01\x12\x02yy\x0c\xa4\x06\x62\x01"
	                 "e",
	                 &view));
	assert_slice(view.event_name, "e");
	assert_int_equal(view.severity, 0);
	otlog_items items = otlog_attributes(&view);
	otlog_slice key;
	otlog_value_view value;
	assert_false(otlog_next_item(&items, &key, &value));
	assert_false(items.malformed);
}

static void
numbers_longer_than_they_need_to_be_are_read(void **state)
{
	(void)state;
	otlog_record_view view;
	assert_true(OPEN("\x10\x89\x80\x80\x80\x80\x80\x80\x80\x80\x00\x38\xff\xff\xff\xff\x0f", &view));
	assert_int_equal(view.severity, 9);
	assert_true(view.dropped_attributes_count == UINT32_MAX);
}

static void
what_is_malformed_is_no_record(void **state)
{
	(void)state;
	otlog_record_view view;
	assert_false(OPEN("\x09\x01\x02", &view));                                     /* fixed64 cut off */
	assert_false(OPEN("\x45\x01\x02", &view));                                     /* fixed32 cut off */
	assert_false(OPEN("\x10", &view));                                             /* varint missing */
	assert_false(OPEN("\x10\x80", &view));                                         /* varint cut off */
	assert_false(OPEN("\x10\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", &view)); /* varint of 11 bytes */
	assert_false(OPEN("\x1a\x05"
	                  "abcd",
	                  &view));                                                 /* text cut off */
	assert_false(OPEN("\x1a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", &view)); /* a length of 2^64 - 1 */
	assert_false(OPEN("\x00\x01", &view));                                     /* field 0 */
	assert_false(OPEN("\x0c", &view));                                         /* the end of no group */
	assert_false(OPEN("\x0b\x08\x01", &view));                                 /* a group without end */
	assert_false(OPEN("\x0e\x01", &view));                                     /* wire type 6 */
	assert_false(OPEN("\x2a\x02\x0a\x05", &view));                             /* inside the body */
	assert_false(OPEN("\x88\x80\x80\x80\x80\x01\x01", &view));                 /* a field number over 29 bits */
}

static void
malformed_items_end_the_reading_and_say_so(void **state)
{
	(void)state;
	otlog_record_view view;
	assert_true(OPEN("\x32\x07\x0a\x01"
	                 "a\x12\x02\x10\x01\x32\x04\x0a\x01"
	                 "b\x12\x32\x02\x0a\x00",
	                 &view));
	otlog_items items = otlog_attributes(&view);
	otlog_slice key;
	otlog_value_view value;
	assert_true(otlog_next_item(&items, &key, &value));
	assert_slice(key, "a");
	assert_int_equal(value.type, OTLOG_VALUE_BOOL);
	assert_false(otlog_next_item(&items, &key, &value));
	assert_true(items.malformed);
	assert_false(otlog_next_item(&items, &key, &value));
}

static void
only_containers_have_items(void **state)
{
	(void)state;
	otlog_record_view view;
	assert_true(OPEN("\x2a\x04\x0a\x02\x0a\x00", &view));
	assert_int_equal(view.body.type, OTLOG_VALUE_STRING);
	otlog_items items = otlog_items_of(&view.body);
	otlog_slice key;
	otlog_value_view value;
	assert_false(otlog_next_item(&items, &key, &value));
}

/* Arrays in arrays, built from the inside out: each level puts two tags and two lengths before the one inside. */
static size_t
build_nested(uint8_t *end, size_t depth)
{
	uint8_t *at = end;
	for (size_t i = 0; i < 2 * depth; i++) {
		uint8_t head[12];
		uint64_t size = (uint64_t)(end - at);
		size_t length = 1;
		head[0] = i % 2 ? 0x0a : 0x2a; /* ArrayValue.values, AnyValue.array_value */
		for (; size >= 0x80; size >>= 7)
			head[length++] = (uint8_t)(size | 0x80);
		head[length++] = (uint8_t)size;
		at -= length;
		memcpy(at, head, length);
	}
	at[0] = 0x2a; /* the outermost item is the body */
	return (size_t)(end - at);
}

static void
any_depth_is_read_without_recursion(void **state)
{
	(void)state;
	enum { DEPTH = 200000, ROOM = DEPTH * 10 };
	uint8_t *bytes = malloc(ROOM);
	assert_non_null(bytes);
	size_t size = build_nested(bytes + ROOM, DEPTH);
	otlog_record_view view;
	assert_true(otlog_record_view_open(bytes + ROOM - size, size, &view));
	otlog_value_view value = view.body;
	size_t depth = 0;
	for (; value.type == OTLOG_VALUE_ARRAY; depth++) {
		otlog_items items = otlog_items_of(&value);
		otlog_slice key;
		if (!otlog_next_item(&items, &key, &value)) {
			assert_false(items.malformed);
			break;
		}
	}
	assert_int_equal(depth, DEPTH - 1);
	memset(bytes, 0x0b, ROOM); /* groups in groups, none of which ends */
	assert_false(otlog_record_view_open(bytes, ROOM, &view));
	free(bytes);
}

/* Exactly as large as it says, so that the address sanitizer sees what is read beyond. */
static uint8_t *
exact_copy(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	assert_non_null(copy);
	memcpy(copy, bytes, size);
	return copy;
}

/* Returns whether the view takes it; nowhere does it read beyond. */
static bool
check_copy(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = exact_copy(bytes, size);
	bool taken = oracle_check_bytes(copy, size);
	free(copy);
	return taken;
}

static size_t
good_record(uint64_t seed, uint8_t *out, size_t capacity)
{
	random_record *record = random_record_from_seed(seed);
	otlog__encode_notes notes = { 0 };
	size_t size = otlog__record_encode(&record->record, record->context, record->now_unix_nano, &record->limits,
	                                   out, capacity, &notes);
	random_record_free(record);
	return size;
}

static void
every_truncation_of_a_good_record_is_survived(void **state)
{
	(void)state;
	uint8_t bytes[2000];
	for (uint64_t seed = 1; seed < 60; seed++) {
		size_t size = good_record(seed, bytes, sizeof bytes);
		for (size_t part = 0; part < size; part++)
			check_copy(bytes, part);
	}
}

static void
every_flipped_bit_of_a_good_record_is_survived(void **state)
{
	(void)state;
	uint8_t bytes[600];
	for (uint64_t seed = 1; seed < 80; seed++) {
		size_t size = good_record(seed, bytes, sizeof bytes);
		for (size_t bit = 0; bit < 8 * size; bit++) {
			bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
			check_copy(bytes, size);
			bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
}

static void
random_bytes_are_survived(void **state)
{
	(void)state;
	uint64_t random = 42;
	uint8_t bytes[64];
	for (int i = 0; i < 100000; i++) {
		size_t size = (size_t)(random_next(&random) >> 40) % (sizeof bytes + 1);
		for (size_t at = 0; at < size; at++) {
			uint64_t number = random_next(&random) >> 32;
			/* Mostly small numbers, which are tags and lengths; or everything ends at once. */
			bytes[at] = (uint8_t)(number & 0x700 ? number & 0x3f : number);
		}
		check_copy(bytes, size);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_an_empty_record),
		cmocka_unit_test(of_a_field_given_twice_the_last_one_counts),
		cmocka_unit_test(an_empty_value_takes_nothing_from_the_one_before),
		cmocka_unit_test(unknown_fields_and_other_types_and_groups_are_skipped),
		cmocka_unit_test(numbers_longer_than_they_need_to_be_are_read),
		cmocka_unit_test(what_is_malformed_is_no_record),
		cmocka_unit_test(malformed_items_end_the_reading_and_say_so),
		cmocka_unit_test(only_containers_have_items),
		cmocka_unit_test(any_depth_is_read_without_recursion),
		cmocka_unit_test(every_truncation_of_a_good_record_is_survived),
		cmocka_unit_test(every_flipped_bit_of_a_good_record_is_survived),
		cmocka_unit_test(random_bytes_are_survived),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
