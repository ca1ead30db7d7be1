#include "tests/support/records/otlp_json_oracle.h"

#include "exporters/json/otlp_json.h"
#include "proto/logs_service.pb-c.h"
#include "tests/support/harness/check.h"
#include "tests/support/records/canonical.h"
#include "tests/support/records/json_tree.h"
#include "tests/support/records/record_oracle.h"
#include "tests/support/records/utf8_oracle.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CASE(name) OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_##name

typedef Opentelemetry__Proto__Common__V1__AnyValue any_value;
typedef Opentelemetry__Proto__Common__V1__KeyValue key_value;
typedef Opentelemetry__Proto__Common__V1__InstrumentationScope scope_message;
typedef Opentelemetry__Proto__Resource__V1__Resource resource_message;
typedef Opentelemetry__Proto__Logs__V1__LogRecord log_record;
typedef Opentelemetry__Proto__Logs__V1__ScopeLogs scope_logs;
typedef Opentelemetry__Proto__Logs__V1__ResourceLogs resource_logs;
typedef Opentelemetry__Proto__Collector__Logs__V1__ExportLogsServiceRequest request_message;

/* ---- Making a request -------------------------------------------------------------------------------------------- */

static void
append_field(otlog__buffer *out, uint8_t tag, const void *data, size_t size)
{
	uint8_t head[11] = { tag };
	size_t used = 1;
	size_t rest = size;
	for (; rest >= 0x80; rest >>= 7)
		head[used++] = (uint8_t)(rest | 0x80);
	head[used++] = (uint8_t)rest;
	CHECK(otlog__buffer_append(out, head, used) && otlog__buffer_append(out, data, size));
}

static void
append_record(const random_record *record, otlog__buffer *out)
{
	size_t room = 3 * otlog__record_bound(&record->record, &record->limits);
	uint8_t *bytes = malloc(room);
	CHECK(bytes);
	otlog__encode_notes notes = { 0 };
	size_t size = otlog__record_encode(&record->record, record->context, record->now_unix_nano, &record->limits,
	                                   bytes, room, &notes);
	CHECK(size);
	append_field(out, 0x12, bytes, size);
	free(bytes);
}

void
otlp_json_request_of(const random_record *record, otlog__buffer *out)
{
	otlog__buffer scope = { 0 }, resource = { 0 };
	const char *schema = record->record.severity_text;
	const otlog_logger_options logger = { .name = record->record.event_name,
		                              .version = record->record.severity_text,
		                              .attributes = record->record.attributes };
	CHECK(otlog__scope_encode(&logger, &scope));
	append_record(record, &scope);
	append_record(record, &scope);
	CHECK(otlog__schema_url_encode(schema, &scope));
	CHECK(otlog__resource_encode(record->record.attributes, &resource));
	append_field(&resource, 0x12, scope.data, scope.size);
	CHECK(otlog__schema_url_encode(schema, &resource));
	append_field(out, 0x0a, resource.data, resource.size);
	otlog__buffer_free(&scope);
	otlog__buffer_free(&resource);
}

/* ---- Comparing --------------------------------------------------------------------------------------------------- */

/* A JSON object whose members are asked for one by one. */
typedef struct asked {
	const json_tree *object;
	size_t found;
} asked;

static asked
ask(const json_tree *object)
{
	CHECK(object->kind == JSON_OBJECT);
	return (asked){ .object = object };
}

static const json_tree *
member(asked *asked, const char *name)
{
	const json_tree *found = json_member(asked->object, name);
	asked->found += found != NULL;
	return found;
}

/* There was nothing in the object but what was asked for. */
static void
done(const asked *asked)
{
	CHECK(asked->found == asked->object->count);
}

static void
check_text(const json_tree *got, ProtobufCBinaryData expected)
{
	uint8_t *clean = malloc(3 * expected.len + 1);
	CHECK(clean);
	size_t size = utf8_oracle_replace(expected.data, expected.len, clean);
	CHECK(got ? json_is(got, clean, size) : size == 0);
	free(clean);
}

static void
check_hex(const json_tree *got, ProtobufCBinaryData expected)
{
	CHECK(got || !expected.len);
	if (!got)
		return;
	CHECK(got->kind == JSON_STRING && got->size == 2 * expected.len);
	for (size_t i = 0; i < expected.len; i++) {
		char digits[3];
		snprintf(digits, sizeof digits, "%02x", expected.data[i]);
		CHECK(memcmp(got->text + 2 * i, digits, 2) == 0);
	}
}

static void
check_number(const json_tree *got, json_kind kind, int64_t expected)
{
	char text[24];
	snprintf(text, sizeof text, "%" PRId64, expected);
	CHECK(got ? got->kind == kind && strcmp(got->text, text) == 0 : expected == 0);
}

static void
check_decimal(const json_tree *got, uint64_t expected)
{
	char text[24];
	snprintf(text, sizeof text, "%" PRIu64, expected);
	CHECK(got ? json_is(got, text, strlen(text)) : expected == 0);
}

static void
check_double(const json_tree *got, double expected)
{
	if (!isfinite(expected)) {
		const char *text = isnan(expected) ? "NaN" : expected < 0 ? "-Infinity" : "Infinity";
		CHECK(json_is(got, text, strlen(text)));
		return;
	}
	CHECK(got->kind == JSON_NUMBER);
	double read = strtod(got->text, NULL);
	CHECK(memcmp(&read, &expected, sizeof read) == 0);
}

/* Base64 by arithmetic over bits, letter by letter. */
static void
check_base64(const json_tree *got, ProtobufCBinaryData expected)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	CHECK(got->kind == JSON_STRING && got->size == (expected.len + 2) / 3 * 4);
	for (size_t i = 0; i < got->size; i++) {
		size_t first_bit = 6 * i;
		if (first_bit >= 8 * expected.len) {
			CHECK(got->text[i] == '=');
			continue;
		}
		unsigned number = 0;
		for (size_t bit = first_bit; bit < first_bit + 6; bit++) {
			unsigned byte = bit / 8 < expected.len ? expected.data[bit / 8] : 0;
			number = number << 1 | (byte >> (7 - bit % 8) & 1);
		}
		CHECK(got->text[i] == letters[number]);
	}
}

static void check_value(const json_tree *got, const any_value *expected);

static void
check_pairs(const json_tree *got, key_value *const *expected, size_t count)
{
	CHECK(got ? got->kind == JSON_ARRAY && got->count == count : count == 0);
	for (size_t i = 0; i < count; i++) {
		asked pair = ask(&got->items[i]);
		const json_tree *key = member(&pair, "key");
		const json_tree *value = member(&pair, "value");
		check_text(key, expected[i]->key);
		CHECK(!value == !expected[i]->value);
		if (value)
			check_value(value, expected[i]->value);
		done(&pair);
	}
}

static void
check_container(const json_tree *got, const any_value *expected)
{
	asked container = ask(got);
	const json_tree *values = member(&container, "values");
	if (expected->value_case == CASE(KVLIST_VALUE)) {
		check_pairs(values, expected->kvlist_value->values, expected->kvlist_value->n_values);
	} else {
		size_t count = expected->array_value->n_values;
		CHECK(values ? values->kind == JSON_ARRAY && values->count == count : count == 0);
		for (size_t i = 0; i < count; i++)
			check_value(&values->items[i], expected->array_value->values[i]);
	}
	done(&container);
}

static void
check_value(const json_tree *got, const any_value *expected)
{
	CHECK(got->kind == JSON_OBJECT && got->count == (expected->value_case != CASE(_NOT_SET)));
	const json_tree *content = got->items;
	if (content)
		CHECK(expected->value_case == CASE(STRING_VALUE)   ? json_member(got, "stringValue")
		      : expected->value_case == CASE(BOOL_VALUE)   ? json_member(got, "boolValue")
		      : expected->value_case == CASE(INT_VALUE)    ? json_member(got, "intValue")
		      : expected->value_case == CASE(DOUBLE_VALUE) ? json_member(got, "doubleValue")
		      : expected->value_case == CASE(BYTES_VALUE)  ? json_member(got, "bytesValue")
		      : expected->value_case == CASE(ARRAY_VALUE)  ? json_member(got, "arrayValue")
		                                                   : json_member(got, "kvlistValue"));
	switch (expected->value_case) {
	case CASE(STRING_VALUE):
		check_text(content, expected->string_value);
		break;
	case CASE(BOOL_VALUE):
		CHECK(content->kind == JSON_BOOL && content->boolean == (expected->bool_value != 0));
		break;
	case CASE(INT_VALUE):
		check_number(content, JSON_STRING, expected->int_value);
		break;
	case CASE(DOUBLE_VALUE):
		check_double(content, expected->double_value);
		break;
	case CASE(BYTES_VALUE):
		check_base64(content, expected->bytes_value);
		break;
	case CASE(ARRAY_VALUE):
	case CASE(KVLIST_VALUE):
		check_container(content, expected);
		break;
	default:
		break;
	}
}

static void
check_record(const json_tree *got, const log_record *expected)
{
	asked record = ask(got);
	check_decimal(member(&record, "timeUnixNano"), expected->time_unix_nano);
	check_decimal(member(&record, "observedTimeUnixNano"), expected->observed_time_unix_nano);
	check_number(member(&record, "severityNumber"), JSON_NUMBER, expected->severity_number);
	check_text(member(&record, "severityText"), expected->severity_text);
	check_text(member(&record, "eventName"), expected->event_name);
	check_number(member(&record, "droppedAttributesCount"), JSON_NUMBER, expected->dropped_attributes_count);
	check_number(member(&record, "flags"), JSON_NUMBER, expected->flags);
	check_hex(member(&record, "traceId"), expected->trace_id);
	check_hex(member(&record, "spanId"), expected->span_id);
	check_pairs(member(&record, "attributes"), expected->attributes, expected->n_attributes);
	const json_tree *body = member(&record, "body");
	CHECK(!body == !expected->body);
	if (body)
		check_value(body, expected->body);
	done(&record);
}

static void
check_scope(const json_tree *got, const scope_message *expected)
{
	CHECK(!got == !expected);
	if (!got)
		return;
	asked scope = ask(got);
	check_text(member(&scope, "name"), expected->name);
	check_text(member(&scope, "version"), expected->version);
	check_pairs(member(&scope, "attributes"), expected->attributes, expected->n_attributes);
	check_number(member(&scope, "droppedAttributesCount"), JSON_NUMBER, expected->dropped_attributes_count);
	done(&scope);
}

static void
check_resource(const json_tree *got, const resource_message *expected)
{
	CHECK(!got == !expected);
	if (!got)
		return;
	asked resource = ask(got);
	check_pairs(member(&resource, "attributes"), expected->attributes, expected->n_attributes);
	check_number(member(&resource, "droppedAttributesCount"), JSON_NUMBER, expected->dropped_attributes_count);
	done(&resource);
}

static void
check_scope_logs(const json_tree *got, const scope_logs *expected)
{
	asked logs = ask(got);
	check_scope(member(&logs, "scope"), expected->scope);
	check_text(member(&logs, "schemaUrl"), expected->schema_url);
	const json_tree *records = member(&logs, "logRecords");
	CHECK(records ? records->count == expected->n_log_records : expected->n_log_records == 0);
	for (size_t i = 0; i < expected->n_log_records; i++)
		check_record(&records->items[i], expected->log_records[i]);
	done(&logs);
}

static void
check_resource_logs(const json_tree *got, const resource_logs *expected)
{
	asked logs = ask(got);
	check_resource(member(&logs, "resource"), expected->resource);
	check_text(member(&logs, "schemaUrl"), expected->schema_url);
	const json_tree *scopes = member(&logs, "scopeLogs");
	CHECK(scopes ? scopes->count == expected->n_scope_logs : expected->n_scope_logs == 0);
	for (size_t i = 0; i < expected->n_scope_logs; i++)
		check_scope_logs(&scopes->items[i], expected->scope_logs[i]);
	done(&logs);
}

/* ---- Requests ---------------------------------------------------------------------------------------------------- */

/* Containers within containers that OTLP/JSON goes into; otlp_json.h. */
#define MAX_DEPTH 200

static request_message *
unpack(const uint8_t *bytes, size_t size)
{
	return opentelemetry__proto__collector__logs__v1__export_logs_service_request__unpack(NULL, size, bytes);
}

static void
free_request(request_message *request)
{
	opentelemetry__proto__collector__logs__v1__export_logs_service_request__free_unpacked(request, NULL);
}

static void
check_request(const json_tree *tree, const request_message *expected)
{
	asked got = ask(tree);
	const json_tree *logs = member(&got, "resourceLogs");
	CHECK(logs ? logs->count == expected->n_resource_logs : expected->n_resource_logs == 0);
	for (size_t i = 0; i < expected->n_resource_logs; i++)
		check_resource_logs(&logs->items[i], expected->resource_logs[i]);
	done(&got);
}

/* JSON and view say what protobuf-c reads in these bytes, which come from `request`. */
static void
check_against(const json_tree *tree, const uint8_t *request, size_t request_size, const uint8_t *bytes, size_t size)
{
	request_message *expected = unpack(bytes, size);
	CHECK(expected);
	check_request(tree, expected);
	oracle_check_batch(request, request_size, expected);
	free_request(expected);
}

void
otlp_json_check_request(const uint8_t *request, size_t size)
{
	otlog__buffer out = { 0 };
	CHECK(otlog__otlp_json_append(request, size, &out));
	json_tree *tree = json_parse(out.data, out.size);
	CHECK(tree);
	check_against(tree, request, size, request, size);
	json_free(tree);
	otlog__buffer_free(&out);
}

bool
otlp_json_check_bytes(const uint8_t *bytes, size_t size)
{
	canonical meaning = canonical_of(
	    &opentelemetry__proto__collector__logs__v1__export_logs_service_request__descriptor, bytes, size);
	const bool for_protobuf_c = !meaning.found && meaning.depth <= MAX_DEPTH;
	otlog__buffer out = { 0 };
	CHECK(otlog__buffer_append(&out, "before", 6));
	bool came = otlog__otlp_json_append(bytes, size, &out);
	CHECK(came == (meaning.sound && meaning.depth <= MAX_DEPTH));
	CHECK(came || (out.size == 6 && errno == EBADMSG));
	CHECK(memcmp(out.data, "before", 6) == 0);
	if (came) {
		json_tree *tree = json_parse(out.data + 6, out.size - 6);
		CHECK(tree);
		check_against(tree, bytes, size, meaning.bytes.data, meaning.bytes.size);
		if (for_protobuf_c)
			check_against(tree, bytes, size, bytes, size);
		json_free(tree);
	} else if (for_protobuf_c) {
		CHECK(!unpack(bytes, size));
	}
	otlog__buffer_free(&out);
	otlog__buffer_free(&meaning.bytes);
	return came;
}
