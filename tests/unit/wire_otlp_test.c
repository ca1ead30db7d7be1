/* The numbers and wire types of OTLP's fields, against what protoc-c made of the .proto files. */
#include "sdk/wire/otlp.h"

#include "proto/logs_service.pb-c.h"
#include "tests/support/harness/cmocka.h"

typedef struct field {
	const char *name;
	int tag;
} field;

static int
wire_type_of(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return OTLOG__WIRE_FIXED64;
	case PROTOBUF_C_TYPE_FIXED32:
		return OTLOG__WIRE_FIXED32;
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return OTLOG__WIRE_BYTES;
	default:
		return OTLOG__WIRE_VARINT;
	}
}

/* The message has these fields and no others. */
static void
check(const ProtobufCMessageDescriptor *message, const field *fields, size_t count)
{
	assert_int_equal(message->n_fields, count);
	for (size_t i = 0; i < count; i++) {
		const ProtobufCFieldDescriptor *found =
		    protobuf_c_message_descriptor_get_field_by_name(message, fields[i].name);
		assert_non_null(found);
		assert_int_equal(OTLOG__TAG_NUMBER(fields[i].tag), found->id);
		assert_int_equal(OTLOG__TAG_TYPE(fields[i].tag), wire_type_of(found->type));
		assert_in_range(fields[i].tag, 1, 127); /* one byte */
	}
}

#define CHECK_FIELDS(message, ...)                                                            \
	check(&opentelemetry__proto__##message##__descriptor, (const field[]){ __VA_ARGS__ }, \
	      sizeof((const field[]){ __VA_ARGS__ }) / sizeof(field))

static void
fields_around_records_have_their_numbers(void **state)
{
	(void)state;
	CHECK_FIELDS(collector__logs__v1__export_logs_service_request,
	             { "resource_logs", OTLOG__REQUEST_RESOURCE_LOGS });
	CHECK_FIELDS(logs__v1__resource_logs, { "resource", OTLOG__RESOURCE_LOGS_RESOURCE },
	             { "scope_logs", OTLOG__RESOURCE_LOGS_SCOPE_LOGS },
	             { "schema_url", OTLOG__RESOURCE_LOGS_SCHEMA_URL });
	CHECK_FIELDS(resource__v1__resource, { "attributes", OTLOG__RESOURCE_ATTRIBUTES },
	             { "dropped_attributes_count", OTLOG__RESOURCE_DROPPED_ATTRIBUTES_COUNT });
	CHECK_FIELDS(logs__v1__scope_logs, { "scope", OTLOG__SCOPE_LOGS_SCOPE },
	             { "log_records", OTLOG__SCOPE_LOGS_LOG_RECORDS }, { "schema_url", OTLOG__SCOPE_LOGS_SCHEMA_URL });
	CHECK_FIELDS(common__v1__instrumentation_scope, { "name", OTLOG__SCOPE_NAME },
	             { "version", OTLOG__SCOPE_VERSION }, { "attributes", OTLOG__SCOPE_ATTRIBUTES },
	             { "dropped_attributes_count", OTLOG__SCOPE_DROPPED_ATTRIBUTES_COUNT });
}

static void
fields_of_records_and_values_have_their_numbers(void **state)
{
	(void)state;
	CHECK_FIELDS(logs__v1__log_record, { "time_unix_nano", OTLOG__LOG_RECORD_TIME_UNIX_NANO },
	             { "severity_number", OTLOG__LOG_RECORD_SEVERITY_NUMBER },
	             { "severity_text", OTLOG__LOG_RECORD_SEVERITY_TEXT }, { "body", OTLOG__LOG_RECORD_BODY },
	             { "attributes", OTLOG__LOG_RECORD_ATTRIBUTES },
	             { "dropped_attributes_count", OTLOG__LOG_RECORD_DROPPED_ATTRIBUTES_COUNT },
	             { "flags", OTLOG__LOG_RECORD_FLAGS }, { "trace_id", OTLOG__LOG_RECORD_TRACE_ID },
	             { "span_id", OTLOG__LOG_RECORD_SPAN_ID },
	             { "observed_time_unix_nano", OTLOG__LOG_RECORD_OBSERVED_TIME_UNIX_NANO },
	             { "event_name", OTLOG__LOG_RECORD_EVENT_NAME });
	CHECK_FIELDS(common__v1__key_value, { "key", OTLOG__KEY_VALUE_KEY }, { "value", OTLOG__KEY_VALUE_VALUE });
	CHECK_FIELDS(common__v1__any_value, { "string_value", OTLOG__ANY_VALUE_STRING },
	             { "bool_value", OTLOG__ANY_VALUE_BOOL }, { "int_value", OTLOG__ANY_VALUE_INT },
	             { "double_value", OTLOG__ANY_VALUE_DOUBLE }, { "array_value", OTLOG__ANY_VALUE_ARRAY },
	             { "kvlist_value", OTLOG__ANY_VALUE_KVLIST }, { "bytes_value", OTLOG__ANY_VALUE_BYTES });
	CHECK_FIELDS(common__v1__array_value, { "values", OTLOG__ARRAY_VALUE_VALUES });
	CHECK_FIELDS(common__v1__key_value_list, { "values", OTLOG__KEY_VALUE_LIST_VALUES });
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_around_records_have_their_numbers),
		cmocka_unit_test(fields_of_records_and_values_have_their_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
