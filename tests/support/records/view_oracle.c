#include <otlog/exporter.h>

#include "tests/support/harness/check.h"
#include "tests/support/records/canonical.h"
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

static void check_value(const otlog_value_view *got, const oracle_value *expected);

static void
check_items(otlog_items items, oracle_attr *const *keyed, oracle_value *const *values, size_t count)
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
		check_value(&value, expected ? expected : &empty);
	}
	CHECK(!otlog_next_item(&items, &key, &value));
	CHECK(!items.malformed);
}

static void
check_value(const otlog_value_view *got, const oracle_value *expected)
{
	switch ((unsigned)expected->value_case) {
	case CASE(STRING_VALUE):
		CHECK(got->type == OTLOG_VALUE_STRING && same(got->as.bytes, expected->string_value));
		break;
	case CASE(BYTES_VALUE):
		CHECK(got->type == OTLOG_VALUE_BYTES && same(got->as.bytes, expected->bytes_value));
		break;
	case CASE(BOOL_VALUE):
		CHECK(got->type == OTLOG_VALUE_BOOL && !got->as.boolean == !expected->bool_value);
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
		check_items(otlog_items_of(got), NULL, expected->array_value->values, expected->array_value->n_values);
		break;
	case CASE(KVLIST_VALUE):
		CHECK(got->type == OTLOG_VALUE_MAP);
		check_items(otlog_items_of(got), expected->kvlist_value->values, NULL,
		            expected->kvlist_value->n_values);
		break;
	default:
		CHECK(got->type == OTLOG_VALUE_EMPTY);
	}
}

static void
check_record(const otlog_record_view *got, const oracle_record *expected)
{
	static const oracle_value empty = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__INIT;
	CHECK(got->time_unix_nano == expected->time_unix_nano);
	CHECK(got->observed_time_unix_nano == expected->observed_time_unix_nano);
	CHECK(got->severity == expected->severity_number);
	CHECK(got->dropped_attributes_count == expected->dropped_attributes_count);
	CHECK(got->flags == expected->flags);
	CHECK(same(got->severity_text, expected->severity_text));
	CHECK(same(got->event_name, expected->event_name));
	CHECK(same_id(got->trace_id, expected->trace_id, 16));
	CHECK(same_id(got->span_id, expected->span_id, 8));
	check_value(&got->body, expected->body ? expected->body : &empty);
	check_items(otlog_attributes(got), expected->attributes, NULL, expected->n_attributes);
}

void
oracle_check_view(const uint8_t *bytes, size_t size, const oracle_record *expected)
{
	otlog_record_view view;
	CHECK(otlog_record_view_open(bytes, size, &view));
	check_record(&view, expected);
}

static void
check_resource(const otlog_record_view *got, const oracle_resource_logs *expected)
{
	CHECK(same(got->resource.schema_url, expected->schema_url));
	if (expected->resource)
		check_items(otlog_resource_attributes(got), expected->resource->attributes, NULL,
		            expected->resource->n_attributes);
	else
		check_items(otlog_resource_attributes(got), NULL, NULL, 0);
}

static void
check_scope(const otlog_record_view *got, const oracle_scope_logs *expected)
{
	static const Opentelemetry__Proto__Common__V1__InstrumentationScope none =
	    OPENTELEMETRY__PROTO__COMMON__V1__INSTRUMENTATION_SCOPE__INIT;
	const Opentelemetry__Proto__Common__V1__InstrumentationScope *scope = expected->scope ? expected->scope : &none;
	CHECK(same(got->scope.schema_url, expected->schema_url));
	CHECK(same(got->scope.name, scope->name) && same(got->scope.version, scope->version));
	check_items(otlog_scope_attributes(got), scope->attributes, NULL, scope->n_attributes);
}

void
oracle_check_batch(const uint8_t *bytes, size_t size, const oracle_request *expected)
{
	otlog_batch_reader reader = otlog_batch_records(&(otlog_batch){ .request = bytes, .request_size = size });
	otlog_record_view got;
	for (size_t r = 0; r < expected->n_resource_logs; r++) {
		const oracle_resource_logs *resource = expected->resource_logs[r];
		bool new_resource = true;
		for (size_t s = 0; s < resource->n_scope_logs; s++) {
			const oracle_scope_logs *scope = resource->scope_logs[s];
			for (size_t i = 0; i < scope->n_log_records; i++) {
				CHECK(otlog_batch_next(&reader, &got));
				CHECK(got.new_resource == new_resource && got.new_scope == (i == 0));
				new_resource = false;
				check_resource(&got, resource);
				check_scope(&got, scope);
				check_record(&got, scope->log_records[i]);
			}
		}
	}
	CHECK(!otlog_batch_next(&reader, &got) && !reader.malformed);
}

/* Reads each byte, so that the address sanitizer sees a slice that points elsewhere. */
static bool
lies_within(otlog_slice slice, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < slice.size; i++)
		(void)*(const volatile uint8_t *)&slice.data[i];
	return !slice.size || (slice.data >= bytes && slice.size <= size && slice.data + slice.size <= bytes + size);
}

/* Containers within containers that these recurse into; the view itself does not recurse. */
#define WALK_DEPTH 200

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
	while (depth < WALK_DEPTH && otlog_next_item(&items, &key, &item)) {
		CHECK(lies_within(key, bytes, size));
		if (!walk_value(&item, bytes, size, depth + 1))
			return false;
	}
	return !items.malformed;
}

static bool
walk_record(const uint8_t *bytes, size_t size)
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

bool
oracle_check_bytes(const uint8_t *bytes, size_t size)
{
	canonical meaning = canonical_of(&opentelemetry__proto__logs__v1__log_record__descriptor, bytes, size);
	const bool shallow = meaning.depth <= WALK_DEPTH;
	bool sound = walk_record(bytes, size);
	CHECK(sound == meaning.sound || !shallow);
	oracle_record *expected = NULL, *raw = NULL;
	if (sound && shallow) {
		expected =
		    opentelemetry__proto__logs__v1__log_record__unpack(NULL, meaning.bytes.size, meaning.bytes.data);
		CHECK(expected);
		oracle_check_view(bytes, size, expected);
		opentelemetry__proto__logs__v1__log_record__free_unpacked(expected, NULL);
	}
	if (shallow && !meaning.found) {
		raw = opentelemetry__proto__logs__v1__log_record__unpack(NULL, size, bytes);
		CHECK((raw != NULL) == sound);
		if (raw)
			oracle_check_view(bytes, size, raw);
		opentelemetry__proto__logs__v1__log_record__free_unpacked(raw, NULL);
	}
	otlog__buffer_free(&meaning.bytes);
	return sound;
}
