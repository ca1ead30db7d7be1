#include "sdk/record/encode.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "sdk/base/buffer.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/records/record_oracle.h"

static const otlog__limits limits = OTLOG__DEFAULT_LIMITS;

typedef Opentelemetry__Proto__Logs__V1__ScopeLogs scope_logs;
typedef Opentelemetry__Proto__Logs__V1__ResourceLogs resource_logs;

#define CASE(name) OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_##name

/* What an encoding gave. The observed time is 1 where the test says none. */
typedef struct encoded {
	uint8_t *bytes;
	size_t size;
	otlog__encode_notes notes;
	oracle_record *read;
} encoded;

static encoded
encode_with(const otlog_record *record, const otlog_span_context *context, const otlog__limits *with)
{
	encoded e = { .notes = { 0 } };
	size_t bound = otlog__record_bound(record, with);
	assert_true(bound < SIZE_MAX);
	e.bytes = malloc(bound);
	assert_non_null(e.bytes);
	e.size = otlog__record_encode(record, context, 1, with, e.bytes, bound, &e.notes);
	assert_true(e.size > 0);
	e.read = opentelemetry__proto__logs__v1__log_record__unpack(NULL, e.size, e.bytes);
	assert_non_null(e.read);
	return e;
}

static encoded
encode(const otlog_record *record)
{
	return encode_with(record, NULL, &limits);
}

static void
release(encoded *e)
{
	opentelemetry__proto__logs__v1__log_record__free_unpacked(e->read, NULL);
	free(e->bytes);
}

static void
assert_text(ProtobufCBinaryData got, const char *expected)
{
	assert_int_equal(got.len, strlen(expected));
	assert_memory_equal(got.data, expected, got.len);
}

/* ---- Bytes ------------------------------------------------------------------------------------------------------- */

static void
assert_bytes(const otlog_record *record, const otlog_span_context *context, const char *expected, size_t expected_size)
{
	encoded e = encode_with(record, context, &limits);
	assert_int_equal(e.size, expected_size);
	assert_memory_equal(e.bytes, expected, expected_size);
	release(&e);
}
#define ASSERT_BYTES(record, context, literal) assert_bytes(record, context, literal, sizeof(literal) - 1)

static void
every_field_comes_in_the_order_of_its_number(void **state)
{
	(void)state;
	otlog_span_context context = { .trace_id = "0123456789abcde", .span_id = "spanspa", .trace_flags = 1 };
	otlog_record record = { .time_unix_nano = 2,
		                .observed_time_unix_nano = UINT64_MAX,
		                .severity = 9,
		                .severity_text = "info",
		                .body = otlog_string("hi"),
		                .attributes = OTLOG_ATTRS(OTLOG_KV("k", 300), OTLOG_KV("", 1)),
		                .event_name = "e" };
	ASSERT_BYTES(&record, &context,
	             "\x09\x02\0\0\0\0\0\0\0\x10\x09\x1a\x04info\x2a\x04\x0a\x02hi"
	             "\x32\x08\x0a\x01k\x12\x03\x18\xac\x02\x38\x01\x45\x01\0\0\0"
	             "\x4a\x10"
	             "0123456789abcde\0\x52\x08spanspa\0\x59\xff\xff\xff\xff\xff\xff\xff\xff\x62\x01"
	             "e");
}

static void
a_record_of_zeros_is_its_observed_time_and_never_nothing(void **state)
{
	(void)state;
	ASSERT_BYTES(&(otlog_record){ 0 }, NULL, "\x59\x01\0\0\0\0\0\0\0");
	uint8_t out[9];
	otlog__encode_notes notes = { 0 };
	assert_int_equal(otlog__record_encode(&(otlog_record){ 0 }, NULL, 0, &limits, out, sizeof out, &notes), 9);
}

static void
times_of_zero_are_left_out_and_the_largest_is_kept(void **state)
{
	(void)state;
	ASSERT_BYTES(&(otlog_record){ .time_unix_nano = UINT64_MAX }, NULL,
	             "\x09\xff\xff\xff\xff\xff\xff\xff\xff\x59\x01\0\0\0\0\0\0\0");
}

static void
a_severity_that_is_none_is_left_out(void **state)
{
	(void)state;
	static const int none[] = { 0, -1, 25, INT_MAX, INT_MIN };
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		ASSERT_BYTES(&(otlog_record){ .severity = none[i] }, NULL, "\x59\x01\0\0\0\0\0\0\0");
	ASSERT_BYTES(&(otlog_record){ .severity = 24 }, NULL, "\x10\x18\x59\x01\0\0\0\0\0\0\0");
}

static void
assert_attribute(otlog_value value, const char *expected, size_t expected_size)
{
	char bytes[128] = "\x32__\x0a\x01k\x12";
	bytes[1] = (char)(5 + expected_size);
	memmove(bytes + 2, bytes + 3, 4);
	bytes[6] = (char)expected_size;
	memcpy(bytes + 7, expected, expected_size);
	memcpy(bytes + 7 + expected_size, "\x59\x01\0\0\0\0\0\0\0", 9);
	otlog_attr attr = otlog_attr_of("k", value);
	assert_bytes(&(otlog_record){ .attributes = { &attr, 1 } }, NULL, bytes, 7 + expected_size + 9);
}
#define ASSERT_ATTRIBUTE(value, literal) assert_attribute(value, literal, sizeof(literal) - 1)

static void
values_of_every_kind_have_their_bytes_even_when_zero_or_empty(void **state)
{
	(void)state;
	ASSERT_ATTRIBUTE(otlog_empty(), "");
	ASSERT_ATTRIBUTE(otlog_string(""), "\x0a\0");
	ASSERT_ATTRIBUTE(otlog_string("a"), "\x0a\x01"
	                                    "a");
	ASSERT_ATTRIBUTE(otlog_string_n("a\0b", 3), "\x0a\x03"
	                                            "a\0b");
	ASSERT_ATTRIBUTE(otlog_bool(false), "\x10\0");
	ASSERT_ATTRIBUTE(otlog_bool(true), "\x10\x01");
	ASSERT_ATTRIBUTE(otlog_int64(0), "\x18\0");
	ASSERT_ATTRIBUTE(otlog_int64(127), "\x18\x7f");
	ASSERT_ATTRIBUTE(otlog_int64(-1), "\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
	ASSERT_ATTRIBUTE(otlog_uint64(INT64_MAX), "\x18\xff\xff\xff\xff\xff\xff\xff\xff\x7f");
	ASSERT_ATTRIBUTE(otlog_uint64((uint64_t)INT64_MAX + 1), "\x0a\x13"
	                                                        "9223372036854775808");
	ASSERT_ATTRIBUTE(otlog_uint64(UINT64_MAX), "\x0a\x14"
	                                           "18446744073709551615");
	ASSERT_ATTRIBUTE(otlog_double(0), "\x21\0\0\0\0\0\0\0\0");
	ASSERT_ATTRIBUTE(otlog_double(-0.0), "\x21\0\0\0\0\0\0\0\x80");
	ASSERT_ATTRIBUTE(otlog_double((double)INFINITY), "\x21\0\0\0\0\0\0\xf0\x7f");
	ASSERT_ATTRIBUTE(otlog_bytes("\xff", 1), "\x3a\x01\xff");
	ASSERT_ATTRIBUTE(otlog_bytes(NULL, 0), "\x3a\0");
	ASSERT_ATTRIBUTE(otlog_array(NULL, 0), "\x2a\0");
	ASSERT_ATTRIBUTE(otlog_map((otlog_attrs){ 0 }), "\x32\0");
	ASSERT_ATTRIBUTE(OTLOG_ARRAY(otlog_int64(1), otlog_empty()), "\x2a\x06\x0a\x02\x18\x01\x0a\0");
	ASSERT_ATTRIBUTE(otlog_map(OTLOG_ATTRS(OTLOG_KV("m", "v"))), "\x32\x0a\x0a\x08\x0a\x01m\x12\x03\x0a\x01v");
}

static void
nan_is_kept_bit_by_bit(void **state)
{
	(void)state;
	double nan;
	memcpy(&nan, "\x01\0\0\0\0\0\xf8\xff", 8);
	ASSERT_ATTRIBUTE(otlog_double(nan), "\x21\x01\0\0\0\0\0\xf8\xff");
}

static void
a_body_is_left_out_only_if_it_has_no_kind(void **state)
{
	(void)state;
	ASSERT_BYTES(&(otlog_record){ .body = otlog_string("") }, NULL, "\x2a\x02\x0a\0\x59\x01\0\0\0\0\0\0\0");
	ASSERT_BYTES(&(otlog_record){ .body = otlog_bool(false) }, NULL, "\x2a\x02\x10\0\x59\x01\0\0\0\0\0\0\0");
	otlog_value odd = otlog_int64(1);
	odd.type = (otlog_value_type)77;
	ASSERT_BYTES(&(otlog_record){ .body = odd }, NULL, "\x59\x01\0\0\0\0\0\0\0");
}

/* ---- What the caller gets wrong ---------------------------------------------------------------------------------- */

static void
null_anywhere_is_nothing_or_the_empty_value(void **state)
{
	(void)state;
	ASSERT_ATTRIBUTE(otlog_string_n(NULL, 5), "");
	ASSERT_ATTRIBUTE(otlog_bytes(NULL, SIZE_MAX), "");
	ASSERT_ATTRIBUTE(otlog_array(NULL, SIZE_MAX), "");
	ASSERT_ATTRIBUTE(otlog_map((otlog_attrs){ NULL, SIZE_MAX }), "");
	ASSERT_ATTRIBUTE(OTLOG_ARRAY(otlog_map((otlog_attrs){ NULL, 9 }), otlog_array(NULL, 9)),
	                 "\x2a\x04\x0a\0\x0a\0");
	otlog_attr_group group = { .prefix_size = 9, .alias_count = 9, .attributes = { NULL, 9 } };
	otlog_record record = { .attributes = { NULL, 7 }, .groups = &group, .group_count = 1 };
	ASSERT_BYTES(&record, NULL, "\x59\x01\0\0\0\0\0\0\0");
	record.groups = NULL;
	ASSERT_BYTES(&record, NULL, "\x59\x01\0\0\0\0\0\0\0");
}

static void
attributes_without_a_key_are_dropped_and_counted_in_maps_too(void **state)
{
	(void)state;
	otlog_attr inner[] = { { "x", 0, otlog_int64(1) }, { NULL, 4, otlog_int64(2) }, { "y", 1, otlog_int64(3) } };
	otlog_attr outer[] = { { NULL, 0, otlog_int64(1) }, { "m", 1, otlog_map((otlog_attrs){ inner, 3 }) } };
	encoded e = encode(&(otlog_record){ .attributes = { outer, 2 } });
	assert_int_equal(e.read->dropped_attributes_count, 3);
	assert_int_equal(e.notes.dropped_attributes, 3);
	assert_int_equal(e.read->n_attributes, 1);
	assert_int_equal(e.read->attributes[0]->value->kvlist_value->n_values, 1);
	release(&e);
	inner[1].key_size = SIZE_MAX; /* of no key: nothing to make room for */
	e = encode(&(otlog_record){ .attributes = { outer, 2 } });
	assert_int_equal(e.notes.dropped_attributes, 3);
	release(&e);
}

static void
a_key_given_twice_is_sent_once_first_place_last_value(void **state)
{
	(void)state;
	static const otlog_key_alias alias = { "model", 5, "gen_ai.request.model", 20 };
	otlog_attr_group group = { .prefix = "app.",
		                   .prefix_size = 4,
		                   .aliases = &alias,
		                   .alias_count = 1,
		                   .attributes = OTLOG_ATTRS(OTLOG_KV("name.of.some.length", "in a group"),
		                                             OTLOG_KV("model", "by its alias"), OTLOG_KV("b", 2)) };
	otlog_record record = { .attributes = OTLOG_ATTRS(OTLOG_KV("app.name.of.some.length", 1), OTLOG_KV("b", 1),
		                                          OTLOG_KV("gen_ai.request.model", 1), OTLOG_KV("b", 3),
		                                          OTLOG_KV("app.b", 1)),
		                .groups = &group,
		                .group_count = 1 };
	encoded e = encode(&record);
	assert_int_equal(e.read->n_attributes, 4);
	assert_text(e.read->attributes[0]->key, "app.name.of.some.length");
	assert_text(e.read->attributes[0]->value->string_value, "in a group");
	assert_text(e.read->attributes[1]->key, "b");
	assert_int_equal(e.read->attributes[1]->value->int_value, 3);
	assert_text(e.read->attributes[2]->key, "gen_ai.request.model");
	assert_text(e.read->attributes[2]->value->string_value, "by its alias");
	assert_text(e.read->attributes[3]->key, "app.b");
	assert_int_equal(e.read->attributes[3]->value->int_value, 2);
	assert_int_equal(e.read->dropped_attributes_count, 0);
	release(&e);
}

static void
keys_that_become_alike_when_they_are_mended_are_one(void **state)
{
	(void)state;
	otlog_attrs list = OTLOG_ATTRS(OTLOG_KV("\xff", 1), OTLOG_KV("\xc3", 2), OTLOG_KV("\xef\xbf\xbd", 3));
	otlog_record record = { .attributes = list, .body = otlog_map(list) };
	encoded e = encode(&record);
	assert_true(e.notes.not_utf8);
	assert_int_equal(e.read->n_attributes, 1);
	assert_text(e.read->attributes[0]->key, "\xef\xbf\xbd");
	assert_int_equal(e.read->attributes[0]->value->int_value, 3);
	assert_int_equal(e.read->body->kvlist_value->n_values, 1);
	assert_int_equal(e.read->body->kvlist_value->values[0]->value->int_value, 3);
	release(&e);
}

static void
text_that_is_not_utf8_becomes_bytes_and_names_are_mended(void **state)
{
	(void)state;
	otlog_record record = { .severity_text = "w\xe4rn",
		                .body = otlog_string("caf\xe9"),
		                .attributes = OTLOG_ATTRS(OTLOG_KV("k\xe2\x82.", "\xed\xa0\x80"), OTLOG_KV("é", "é")),
		                .event_name = "\xf0\x9f" };
	uint8_t out[512];
	encoded e = { .notes = { 0 } };
	e.size = otlog__record_encode(&record, NULL, 1, &limits, out, sizeof out, &e.notes);
	e.read = opentelemetry__proto__logs__v1__log_record__unpack(NULL, e.size, out);
	assert_non_null(e.read);
	assert_true(e.notes.not_utf8);
	assert_text(e.read->severity_text, "w\xef\xbf\xbdrn");
	assert_int_equal(e.read->body->value_case, CASE(BYTES_VALUE));
	assert_text(e.read->body->bytes_value, "caf\xe9");
	assert_text(e.read->attributes[0]->key, "k\xef\xbf\xbd.");
	assert_int_equal(e.read->attributes[0]->value->value_case, CASE(BYTES_VALUE));
	assert_text(e.read->attributes[1]->key, "é");
	assert_int_equal(e.read->attributes[1]->value->value_case, CASE(STRING_VALUE));
	assert_text(e.read->event_name, "\xef\xbf\xbd");
	release(&e);
}

static void
a_trace_context_counts_only_with_a_trace_id(void **state)
{
	(void)state;
	otlog_span_context context = { .span_id = { 1 }, .trace_flags = 0xff };
	ASSERT_BYTES(&(otlog_record){ 0 }, &context, "\x59\x01\0\0\0\0\0\0\0");
	context = (otlog_span_context){ .trace_id = { [15] = 1 } };
	ASSERT_BYTES(&(otlog_record){ 0 }, &context,
	             "\x4a\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x59\x01\0\0\0\0\0\0\0");
	context = (otlog_span_context){ .trace_id = { [7] = 1 }, .span_id = { 1 } };
	ASSERT_BYTES(&(otlog_record){ 0 }, &context,
	             "\x4a\x10\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\x52\x08\x01\0\0\0\0\0\0\0\x59\x01\0\0\0\0\0\0\0");
	context.trace_flags = 0xff;
	encoded e = encode_with(&(otlog_record){ 0 }, &context, &limits);
	assert_int_equal(e.read->flags, 0xff);
	assert_int_equal(e.read->trace_id.len, 16);
	assert_int_equal(e.read->span_id.len, 8);
	release(&e);
}

/* ---- Limits ------------------------------------------------------------------------------------------------------ */

/* Keys k0, k1, … in one block; `same` of them in a row are alike. */
static otlog_attr *
many_attributes(size_t count, size_t same)
{
	otlog_attr *list = calloc(count, sizeof *list);
	char(*names)[12] = calloc(count, sizeof *names);
	assert_non_null(list);
	assert_non_null(names);
	for (size_t i = 0; i < count; i++) {
		snprintf(names[i], sizeof names[i], "k%zu", i / same);
		list[i] = otlog_attr_of(names[i], otlog_int64((int64_t)i));
	}
	return list;
}

static void
free_attributes(otlog_attr *list)
{
	free((void *)list[0].key);
	free(list);
}

static void
attributes_over_the_limit_are_dropped_and_counted(void **state)
{
	(void)state;
	otlog_attr *list = many_attributes(10000, 1);
	encoded e = encode(&(otlog_record){ .attributes = { list, 10000 } });
	assert_int_equal(e.read->n_attributes, 128);
	assert_text(e.read->attributes[127]->key, "k127");
	assert_int_equal(e.read->dropped_attributes_count, 10000 - 128);
	release(&e);
	free_attributes(list);
}

static void
keys_given_twice_do_not_count_against_the_limit(void **state)
{
	(void)state;
	otlog_attr *list = many_attributes(256, 2);
	encoded e = encode(&(otlog_record){ .attributes = { list, 256 } });
	assert_int_equal(e.read->n_attributes, 128);
	assert_int_equal(e.read->attributes[127]->value->int_value, 255);
	assert_int_equal(e.read->dropped_attributes_count, 0);
	release(&e);

	/* A key that came too late stays out, however often it is given. */
	otlog__limits two = { 2, 64, SIZE_MAX };
	e = encode_with(&(otlog_record){ .attributes = { list, 12 } }, NULL, &two);
	assert_int_equal(e.read->n_attributes, 2);
	assert_int_equal(e.read->dropped_attributes_count, 8);
	release(&e);
	free_attributes(list);
}

/* Comparing each key with each other one would take minutes. */
static void
keys_of_large_maps_are_made_unique_in_linear_time(void **state)
{
	(void)state;
	enum { COUNT = 400000 };
	for (size_t same = 1; same <= 2; same++) {
		otlog_attr *list = many_attributes(COUNT, same);
		encoded e = encode(&(otlog_record){ .body = otlog_map((otlog_attrs){ list, COUNT }) });
		assert_int_equal(e.read->body->kvlist_value->n_values, COUNT / same);
		assert_int_equal(e.read->body->kvlist_value->values[COUNT / same - 1]->value->int_value, COUNT - 1);
		release(&e);
		free_attributes(list);
	}
}

static size_t
depth_of(const oracle_value *value)
{
	size_t depth = 0;
	for (; value->value_case == CASE(ARRAY_VALUE); depth++) {
		if (!value->array_value->n_values)
			return depth + 1;
		value = value->array_value->values[0];
	}
	return depth;
}

static void
containers_below_the_depth_limit_become_empty(void **state)
{
	(void)state;
	static otlog_value levels[1000];
	levels[999] = otlog_int64(1);
	for (size_t i = 999; i > 0; i--)
		levels[i - 1] = otlog_array(&levels[i], 1);
	encoded e = encode(&(otlog_record){ .body = levels[0], .attributes = OTLOG_ATTRS(OTLOG_KV("k", levels[0])) });
	assert_int_equal(depth_of(e.read->body), 65);
	assert_int_equal(depth_of(e.read->attributes[0]->value), 65);
	assert_true(e.notes.too_deep);
	release(&e);

	e = encode(&(otlog_record){ .body = levels[999 - 64] });
	assert_int_equal(depth_of(e.read->body), 64);
	assert_false(e.notes.too_deep);
	release(&e);

	otlog__limits flat = { 128, 0, SIZE_MAX };
	e = encode_with(&(otlog_record){ .body = levels[0] }, NULL, &flat);
	assert_int_equal(depth_of(e.read->body), 1);
	release(&e);
}

static void
values_are_cut_between_characters_and_bytes_anywhere(void **state)
{
	(void)state;
	otlog__limits short_values = { 128, 64, 4 };
	otlog_record record = { .body =
		                    OTLOG_ARRAY(otlog_string("12345"), otlog_string("123é"), otlog_string("12é"),
		                                otlog_bytes("\xff\xff\xff\xff\xff", 5), otlog_string("12\xff\xff\xff")),
		                .severity_text = "severity",
		                .event_name = "event name" };
	encoded e = encode_with(&record, NULL, &short_values);
	oracle_value **items = e.read->body->array_value->values;
	assert_text(items[0]->string_value, "1234");
	assert_text(items[1]->string_value, "123");
	assert_text(items[2]->string_value, "12é");
	assert_text(items[3]->bytes_value, "\xff\xff\xff\xff");
	assert_int_equal(items[4]->value_case, CASE(BYTES_VALUE));
	assert_text(items[4]->bytes_value, "12\xff\xff");
	assert_text(e.read->event_name, "event name");
	assert_true(e.notes.truncated);
	release(&e);
}

static void
a_value_of_ten_megabytes_is_sent_whole_or_cut_to_fit(void **state)
{
	(void)state;
	enum { SIZE = 10 << 20, ROOM = 1 << 20 };
	char *text = malloc(SIZE);
	assert_non_null(text);
	memset(text, 'x', SIZE);
	otlog_record record = { .attributes = OTLOG_ATTRS(OTLOG_KV("long", otlog_string_n(text, SIZE)),
		                                          OTLOG_KV("short", "stays as it is"),
		                                          OTLOG_KV("half", otlog_string_n(text, ROOM / 2))) };
	encoded e = encode(&record);
	assert_int_equal(e.read->attributes[0]->value->string_value.len, SIZE);
	release(&e);

	otlog__limits cut = limits;
	cut.value_size = otlog__record_value_limit(&record, &limits, ROOM);
	e = encode_with(&record, NULL, &cut);
	assert_true(e.size <= ROOM);
	assert_true(e.size > ROOM - 200);
	assert_text(e.read->attributes[1]->value->string_value, "stays as it is");
	assert_true(e.notes.truncated);
	release(&e);
	free(text);
}

static void
the_value_limit_is_0_where_values_are_not_what_is_large(void **state)
{
	(void)state;
	otlog_attr *list = many_attributes(1000, 1);
	otlog_record record = { .body = otlog_map((otlog_attrs){ list, 1000 }) };
	assert_int_equal(otlog__record_value_limit(&record, &limits, 1000), 0);
	assert_int_equal(otlog__record_value_limit(&record, &limits, 0), 0);
	assert_true(otlog__record_value_limit(&record, &limits, 1 << 20) > 0);
	free_attributes(list);
}

/* ---- Room -------------------------------------------------------------------------------------------------------- */

/* Tries all capacities; what lies behind must stay as it was. */
static void
assert_never_beyond(const otlog_record *record, const otlog_span_context *context)
{
	encoded e = encode_with(record, context, &limits);
	uint8_t *out = malloc(e.size + 64);
	assert_non_null(out);
	for (size_t capacity = 0; capacity <= e.size; capacity++) {
		otlog__encode_notes notes = { 0 };
		memset(out, 0xa5, e.size + 64);
		size_t size = otlog__record_encode(record, context, 1, &limits, out, capacity, &notes);
		assert_int_equal(size, capacity < e.size ? 0 : e.size);
		for (size_t i = capacity; i < e.size + 64; i++)
			assert_int_equal(out[i], 0xa5);
	}
	assert_memory_equal(out, e.bytes, e.size);
	free(out);
	release(&e);
}

static void
nothing_is_written_beyond_the_capacity(void **state)
{
	(void)state;
	char text[300];
	memset(text, 't', sizeof text);
	otlog_span_context context = { .trace_id = { 1 }, .span_id = { 1 }, .trace_flags = 1 };
	otlog_attr_group group = { .prefix = "prefix.",
		                   .prefix_size = 7,
		                   .attributes = OTLOG_ATTRS(OTLOG_KV("a", "é"), OTLOG_KV("a", 2.5)) };
	otlog_record record = {
		.time_unix_nano = 1,
		.severity = 1,
		.severity_text = "text",
		.body = otlog_string("a body"),
		.attributes = OTLOG_ATTRS(
		    OTLOG_KV("short", "v"), OTLOG_KV("long", otlog_string_n(text, sizeof text)),
		    OTLOG_KV("list", OTLOG_ARRAY(otlog_string_n(text, 100), otlog_string_n(text, 100))),
		    OTLOG_KV("map", OTLOG_ATTRS(OTLOG_KV("x", otlog_string_n(text, 126)), OTLOG_KV("x", 1))),
		    OTLOG_KV("", 0), OTLOG_KV("n", UINT64_MAX)),
		.groups = &group,
		.group_count = 1,
		.event_name = "some.event",
	};
	assert_never_beyond(&record, &context);
	record.groups = NULL;
	assert_never_beyond(&record, &context);
	record = (otlog_record){ .attributes = OTLOG_ATTRS(OTLOG_KV("a.key.of.some.forty.bytes.in.all.its.parts",
		                                                    otlog_string_n(text, 62))) };
	assert_never_beyond(&record, NULL);
	otlog_attr *list = many_attributes(150, 2);
	assert_never_beyond(&(otlog_record){ .body = otlog_map((otlog_attrs){ list, 150 }) }, NULL);
	assert_never_beyond(&(otlog_record){ .attributes = { list, 150 } }, NULL);
	free_attributes(list);
}

static void
absurd_sizes_have_no_bound_and_do_not_fit(void **state)
{
	(void)state;
	otlog_record record = { .attributes = OTLOG_ATTRS(OTLOG_KV("k", otlog_string_n("x", SIZE_MAX))) };
	uint8_t out[256];
	otlog__encode_notes notes = { 0 };
	assert_true(otlog__record_bound(&record, &limits) == SIZE_MAX);
	assert_int_equal(otlog__record_encode(&record, NULL, 1, &limits, out, sizeof out, &notes), 0);
	otlog_attr attr = { "k", SIZE_MAX - 1, otlog_int64(1) };
	record = (otlog_record){ .attributes = { &attr, 1 } };
	assert_true(otlog__record_bound(&record, &limits) == SIZE_MAX);
	record = (otlog_record){ .body = otlog_array(&record.body, SIZE_MAX / 2) };
	assert_int_equal(otlog__record_encode(&record, NULL, 1, &limits, out, sizeof out, &notes), 0);
}

/* ---- Around the records ------------------------------------------------------------------------------------------ */

static void
a_scope_is_the_first_field_of_its_scope_logs(void **state)
{
	(void)state;
	otlog_logger_options options = { .name = "check\xffout",
		                         .version = "1.4.0",
		                         .attributes =
		                             OTLOG_ATTRS(OTLOG_KV("a", 1), OTLOG_KV("", 2), OTLOG_KV("a", 3)) };
	otlog__buffer buffer = { 0 };
	assert_true(otlog__scope_encode(&options, &buffer));
	assert_true(otlog__schema_url_encode("https://example.org/1", &buffer));
	assert_true(otlog__schema_url_encode(NULL, &buffer));
	assert_true(otlog__schema_url_encode("", &buffer));
	scope_logs *read = opentelemetry__proto__logs__v1__scope_logs__unpack(NULL, buffer.size, buffer.data);
	assert_non_null(read);
	assert_text(read->scope->name, "check\xef\xbf\xbdout");
	assert_text(read->scope->version, "1.4.0");
	assert_int_equal(read->scope->n_attributes, 1);
	assert_int_equal(read->scope->attributes[0]->value->int_value, 3);
	assert_int_equal(read->scope->dropped_attributes_count, 1);
	assert_text(read->schema_url, "https://example.org/1");
	opentelemetry__proto__logs__v1__scope_logs__free_unpacked(read, NULL);
	otlog__buffer_free(&buffer);

	assert_true(otlog__scope_encode(&(otlog_logger_options){ 0 }, &buffer));
	assert_int_equal(buffer.size, 2);
	assert_memory_equal(buffer.data, "\x0a\0", 2);
	otlog__buffer_free(&buffer);
}

static void
a_resource_takes_any_number_of_attributes(void **state)
{
	(void)state;
	otlog_attr *list = many_attributes(1000, 2);
	otlog__buffer buffer = { 0 };
	assert_true(otlog__resource_encode((otlog_attrs){ list, 1000 }, &buffer));
	resource_logs *read = opentelemetry__proto__logs__v1__resource_logs__unpack(NULL, buffer.size, buffer.data);
	assert_non_null(read);
	assert_int_equal(read->resource->n_attributes, 500);
	assert_int_equal(read->resource->attributes[499]->value->int_value, 999);
	assert_int_equal(read->resource->dropped_attributes_count, 0);
	opentelemetry__proto__logs__v1__resource_logs__free_unpacked(read, NULL);
	otlog__buffer_free(&buffer);
	free_attributes(list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_comes_in_the_order_of_its_number),
		cmocka_unit_test(a_record_of_zeros_is_its_observed_time_and_never_nothing),
		cmocka_unit_test(times_of_zero_are_left_out_and_the_largest_is_kept),
		cmocka_unit_test(a_severity_that_is_none_is_left_out),
		cmocka_unit_test(values_of_every_kind_have_their_bytes_even_when_zero_or_empty),
		cmocka_unit_test(nan_is_kept_bit_by_bit),
		cmocka_unit_test(a_body_is_left_out_only_if_it_has_no_kind),
		cmocka_unit_test(null_anywhere_is_nothing_or_the_empty_value),
		cmocka_unit_test(attributes_without_a_key_are_dropped_and_counted_in_maps_too),
		cmocka_unit_test(a_key_given_twice_is_sent_once_first_place_last_value),
		cmocka_unit_test(keys_that_become_alike_when_they_are_mended_are_one),
		cmocka_unit_test(text_that_is_not_utf8_becomes_bytes_and_names_are_mended),
		cmocka_unit_test(a_trace_context_counts_only_with_a_trace_id),
		cmocka_unit_test(attributes_over_the_limit_are_dropped_and_counted),
		cmocka_unit_test(keys_given_twice_do_not_count_against_the_limit),
		cmocka_unit_test(keys_of_large_maps_are_made_unique_in_linear_time),
		cmocka_unit_test(containers_below_the_depth_limit_become_empty),
		cmocka_unit_test(values_are_cut_between_characters_and_bytes_anywhere),
		cmocka_unit_test(a_value_of_ten_megabytes_is_sent_whole_or_cut_to_fit),
		cmocka_unit_test(the_value_limit_is_0_where_values_are_not_what_is_large),
		cmocka_unit_test(nothing_is_written_beyond_the_capacity),
		cmocka_unit_test(absurd_sizes_have_no_bound_and_do_not_fit),
		cmocka_unit_test(a_scope_is_the_first_field_of_its_scope_logs),
		cmocka_unit_test(a_resource_takes_any_number_of_attributes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
