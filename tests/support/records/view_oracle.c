#include <otlog/exporter.h>

#include "tests/support/harness/check.h"
#include "tests/support/records/record_oracle.h"

#define CASE(name) OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_##name

static bool
same(otlog_slice got, ProtobufCBinaryData expected)
{
	return got.size == expected.len && (!got.size || memcmp(got.data, expected.data, got.size) == 0);
}

/* The view has ids of their right size alone. */
static bool
same_id(otlog_slice got, ProtobufCBinaryData expected, size_t size)
{
	return expected.len == size ? same(got, expected) : got.size == 0;
}

static void check_value(const otlog_value_view *got, const oracle_value *expected, bool damaged);

static void
check_items(otlog_items items, oracle_attr *const *keyed, oracle_value *const *values, size_t count, bool damaged)
{
	otlog_slice key;
	otlog_value_view value;
	static const oracle_value empty = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__INIT;
	for (size_t i = 0; i < count; i++) {
		CHECK(otlog_next_item(&items, &key, &value));
		if (keyed)
			CHECK(same(key, keyed[i]->key));
		else
			CHECK(!key.size);
		const oracle_value *expected = keyed ? keyed[i]->value : values[i];
		check_value(&value, expected ? expected : &empty, damaged);
	}
	CHECK(!otlog_next_item(&items, &key, &value));
	CHECK(!items.malformed);
}

static void
check_value(const otlog_value_view *got, const oracle_value *expected, bool damaged)
{
	switch ((unsigned)expected->value_case) {
	case CASE(STRING_VALUE):
		CHECK(got->type == OTLOG_VALUE_STRING && same(got->as.bytes, expected->string_value));
		break;
	case CASE(BYTES_VALUE):
		CHECK(got->type == OTLOG_VALUE_BYTES && same(got->as.bytes, expected->bytes_value));
		break;
	case CASE(BOOL_VALUE):
		/* protobuf-c takes a bool from a field of any wire type; the view takes such a field for unknown. */
		CHECK(damaged || (got->type == OTLOG_VALUE_BOOL && !got->as.boolean == !expected->bool_value));
		break;
	case CASE(INT_VALUE):
		CHECK(got->type == OTLOG_VALUE_INT64 && got->as.int64 == expected->int_value);
		break;
	case CASE(DOUBLE_VALUE):
		CHECK(got->type == OTLOG_VALUE_DOUBLE &&
		      memcmp(&got->as.float64, &expected->double_value, sizeof(double)) == 0);
		break;
	case CASE(ARRAY_VALUE):
		CHECK(got->type == OTLOG_VALUE_ARRAY);
		check_items(otlog_items_of(got), NULL, expected->array_value->values, expected->array_value->n_values,
		            damaged);
		break;
	case CASE(KVLIST_VALUE):
		CHECK(got->type == OTLOG_VALUE_MAP);
		check_items(otlog_items_of(got), expected->kvlist_value->values, NULL, expected->kvlist_value->n_values,
		            damaged);
		break;
	default:
		/* Of a value and then an empty one protobuf makes the value, protobuf-c at times the empty one. */
		CHECK(damaged || got->type == OTLOG_VALUE_EMPTY);
	}
}

void
oracle_check_view(const uint8_t *bytes, size_t size, const oracle_record *expected, bool damaged)
{
	otlog_record_view view;
	CHECK(otlog_record_view_open(bytes, size, &view));
	CHECK(view.time_unix_nano == expected->time_unix_nano);
	CHECK(view.observed_time_unix_nano == expected->observed_time_unix_nano);
	CHECK(view.severity == expected->severity_number);
	CHECK(view.dropped_attributes_count == expected->dropped_attributes_count);
	CHECK(view.flags == expected->flags);
	CHECK(same(view.severity_text, expected->severity_text));
	CHECK(same(view.event_name, expected->event_name));
	CHECK(same_id(view.trace_id, expected->trace_id, 16));
	CHECK(same_id(view.span_id, expected->span_id, 8));
	static const oracle_value empty = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__INIT;
	check_value(&view.body, expected->body ? expected->body : &empty, damaged);
	check_items(otlog_attributes(&view), expected->attributes, NULL, expected->n_attributes, damaged);
}

/* Reads each byte, so that the address sanitizer sees a slice that points elsewhere. */
static bool
lies_within(otlog_slice slice, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < slice.size; i++)
		(void)*(const volatile uint8_t *)&slice.data[i];
	return !slice.size || (slice.data >= bytes && slice.size <= size && slice.data + slice.size <= bytes + size);
}

/* Goes 200 containers deep: that is for the stack of this test, the view itself does not recurse. */
static bool
walk_value(const otlog_value_view *value, const uint8_t *bytes, size_t size, unsigned depth)
{
	if (value->type == OTLOG_VALUE_STRING || value->type == OTLOG_VALUE_BYTES)
		CHECK(lies_within(value->as.bytes, bytes, size));
	if (value->type != OTLOG_VALUE_ARRAY && value->type != OTLOG_VALUE_MAP)
		return true;
	CHECK(lies_within(value->as.container, bytes, size));
	otlog_items items = otlog_items_of(value);
	otlog_slice key;
	otlog_value_view item;
	while (depth < 200 && otlog_next_item(&items, &key, &item)) {
		CHECK(lies_within(key, bytes, size));
		if (!walk_value(&item, bytes, size, depth + 1))
			return false;
	}
	return !items.malformed;
}

bool
oracle_walk_view(const uint8_t *bytes, size_t size)
{
	otlog_record_view view;
	if (!otlog_record_view_open(bytes, size, &view))
		return false;
	CHECK(lies_within(view.severity_text, bytes, size) && lies_within(view.event_name, bytes, size));
	CHECK(lies_within(view.trace_id, bytes, size) && lies_within(view.span_id, bytes, size));
	otlog_items items = otlog_attributes(&view);
	otlog_slice key;
	otlog_value_view value;
	if (!walk_value(&view.body, bytes, size, 0))
		return false;
	while (otlog_next_item(&items, &key, &value)) {
		CHECK(lies_within(key, bytes, size));
		if (!walk_value(&value, bytes, size, 0))
			return false;
	}
	return !items.malformed;
}
