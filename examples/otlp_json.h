/*
 * Writes OTLP log messages, as protobuf-c unpacked them, in the OTLP/JSON form: lowerCamelCase names, 64-bit integers
 * as strings, ids in hex, bytes in base64, NaN and the infinities as strings, fields of value zero left out.
 * Source: opentelemetry-proto docs/specification.md, "JSON Protobuf Encoding"; protobuf's "ProtoJSON Format".
 */
#ifndef EXAMPLES_OTLP_JSON_H
#define EXAMPLES_OTLP_JSON_H

#include "proto/logs_service.pb-c.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Strings are declared as bytes in our .proto files, so that text which is not UTF-8 can be looked at too. */
typedef ProtobufCBinaryData otlp_text;
typedef Opentelemetry__Proto__Collector__Logs__V1__ExportLogsServiceRequest otlp_request;
typedef Opentelemetry__Proto__Logs__V1__ResourceLogs otlp_resource_logs;
typedef Opentelemetry__Proto__Logs__V1__ScopeLogs otlp_scope_logs;
typedef Opentelemetry__Proto__Logs__V1__LogRecord otlp_record;
typedef Opentelemetry__Proto__Common__V1__AnyValue otlp_value;
typedef Opentelemetry__Proto__Common__V1__ArrayValue otlp_array;
typedef Opentelemetry__Proto__Common__V1__KeyValue otlp_attribute;

#define otlp_request_unpack opentelemetry__proto__collector__logs__v1__export_logs_service_request__unpack
#define otlp_request_free opentelemetry__proto__collector__logs__v1__export_logs_service_request__free_unpacked
#define OTLP_STRING OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE
#define OTLP_BOOL OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_BOOL_VALUE
#define OTLP_INT OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_INT_VALUE
#define OTLP_DOUBLE OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_DOUBLE_VALUE
#define OTLP_ARRAY OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_ARRAY_VALUE
#define OTLP_MAP OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_KVLIST_VALUE
#define OTLP_BYTES OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_BYTES_VALUE

static inline bool
otlp_text_starts(otlp_text text, const char *prefix)
{
	size_t size = strlen(prefix);
	return text.len >= size && !memcmp(text.data, prefix, size);
}

static inline bool
otlp_text_is(otlp_text text, const char *other)
{
	return text.len == strlen(other) && otlp_text_starts(text, other);
}

/* Bytes of the UTF-8 sequence at *at, 0 if it is none. */
static inline size_t
otlp_utf8_sequence(const uint8_t *at, size_t left)
{
	size_t size = at[0] < 0x80 ? 1 : at[0] < 0xc2 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : at[0] < 0xf5 ? 4 : 0;

	if (size > left)
		return 0;
	for (size_t i = 1; i < size; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	if (size == 3 && ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] >= 0xa0)))
		return 0; /* overlong, or half of a surrogate pair */
	if (size == 4 && ((at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] >= 0x90)))
		return 0; /* overlong, or above U+10FFFF */
	return size;
}

static inline void
otlp_json_text(FILE *out, otlp_text text)
{
	putc('"', out);
	for (size_t i = 0, size; i < text.len; i += size) {
		uint8_t c = text.data[i];
		size = otlp_utf8_sequence(text.data + i, text.len - i);
		if (!size) {
			fputs("\\ufffd", out);
			size = 1;
		} else if (c == '"' || c == '\\') {
			fprintf(out, "\\%c", c);
		} else if (c == '\n') {
			fputs("\\n", out);
		} else if (c < 0x20 || c == 0x7f) {
			fprintf(out, "\\u%04x", c);
		} else {
			fwrite(text.data + i, 1, size, out);
		}
	}
	putc('"', out);
}

static inline void
otlp_json_base64(FILE *out, otlp_text bytes)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	putc('"', out);
	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t left = bytes.len - i;
		unsigned group = (unsigned)bytes.data[i] << 16;
		group |= left > 1 ? (unsigned)bytes.data[i + 1] << 8 : 0;
		group |= left > 2 ? bytes.data[i + 2] : 0;
		putc(digits[group >> 18], out);
		putc(digits[group >> 12 & 63], out);
		putc(left > 1 ? digits[group >> 6 & 63] : '=', out);
		putc(left > 2 ? digits[group & 63] : '=', out);
	}
	putc('"', out);
}

/* The shortest digits that read back as the same number. */
static inline void
otlp_json_double(FILE *out, double number)
{
	char text[40];

	if (isnan(number) || isinf(number)) {
		fputs(isnan(number) ? "\"NaN\"" : number > 0 ? "\"Infinity\"" : "\"-Infinity\"", out);
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, number);
		if (strtod(text, NULL) == number)
			break;
	}
	fputs(text, out);
}

/* `, "name":`, without the comma where *first still is true. */
static inline void
otlp_json_name(FILE *out, bool *first, const char *name)
{
	fprintf(out, "%s\"%s\":", *first ? "" : ",", name);
	*first = false;
}

static inline void
otlp_json_text_field(FILE *out, bool *first, const char *name, otlp_text text)
{
	if (text.len) {
		otlp_json_name(out, first, name);
		otlp_json_text(out, text);
	}
}

static inline void
otlp_json_id_field(FILE *out, bool *first, const char *name, otlp_text id)
{
	if (!id.len)
		return;
	otlp_json_name(out, first, name);
	putc('"', out);
	for (size_t i = 0; i < id.len; i++)
		fprintf(out, "%02x", id.data[i]);
	putc('"', out);
}

static inline void
otlp_json_time_field(FILE *out, bool *first, const char *name, uint64_t unix_nano)
{
	if (unix_nano) {
		otlp_json_name(out, first, name);
		fprintf(out, "\"%" PRIu64 "\"", unix_nano);
	}
}

static inline void
otlp_json_number_field(FILE *out, bool *first, const char *name, int64_t number)
{
	if (number) {
		otlp_json_name(out, first, name);
		fprintf(out, "%" PRId64, number);
	}
}

static inline void otlp_json_value(FILE *out, const otlp_value *value, bool typed);

/* As OTLP has them, a list of keys and values; or, for reading, an object. */
static inline void
otlp_json_attributes(FILE *out, otlp_attribute **attributes, size_t count, bool typed)
{
	putc(typed ? '[' : '{', out);
	for (size_t i = 0; i < count; i++) {
		fputs(i ? "," : "", out);
		fputs(typed ? "{\"key\":" : "", out);
		otlp_json_text(out, attributes[i]->key);
		fputs(typed ? ",\"value\":" : ":", out);
		otlp_json_value(out, attributes[i]->value, typed);
		fputs(typed ? "}" : "", out);
	}
	putc(typed ? ']' : '}', out);
}

static inline void
otlp_json_attributes_field(FILE *out, bool *first, otlp_attribute **attributes, size_t count)
{
	if (count) {
		otlp_json_name(out, first, "attributes");
		otlp_json_attributes(out, attributes, count, true);
	}
}

static inline void
otlp_json_array(FILE *out, const otlp_array *array, bool typed)
{
	fputs(typed ? "{\"values\":[" : "[", out);
	for (size_t i = 0; i < array->n_values; i++) {
		fputs(i ? "," : "", out);
		otlp_json_value(out, array->values[i], typed);
	}
	fputs(typed ? "]}" : "]", out);
}

/*
 * Typed, as OTLP has it: an object with one member that names the kind, and {} is the empty value. Not typed: the value
 * alone, for people.
 */
static inline void
otlp_json_value(FILE *out, const otlp_value *value, bool typed)
{
	static const char *const names[] = {
		[OTLP_STRING] = "stringValue", [OTLP_BOOL] = "boolValue",   [OTLP_INT] = "intValue",
		[OTLP_DOUBLE] = "doubleValue", [OTLP_ARRAY] = "arrayValue", [OTLP_MAP] = "kvlistValue",
		[OTLP_BYTES] = "bytesValue",
	};
	size_t kind = value ? (size_t)value->value_case : 0;
	const char *name = kind < sizeof names / sizeof *names ? names[kind] : NULL;

	if (!name) {
		fputs(typed ? "{}" : "null", out);
		return;
	}
	if (typed)
		fprintf(out, "{\"%s\":", name);
	if (kind == OTLP_STRING)
		otlp_json_text(out, value->string_value);
	else if (kind == OTLP_BOOL)
		fputs(value->bool_value ? "true" : "false", out);
	else if (kind == OTLP_INT)
		fprintf(out, typed ? "\"%" PRId64 "\"" : "%" PRId64, value->int_value);
	else if (kind == OTLP_DOUBLE)
		otlp_json_double(out, value->double_value);
	else if (kind == OTLP_BYTES)
		otlp_json_base64(out, value->bytes_value);
	else if (kind == OTLP_ARRAY)
		otlp_json_array(out, value->array_value, typed);
	else {
		fputs(typed ? "{\"values\":" : "", out);
		otlp_json_attributes(out, value->kvlist_value->values, value->kvlist_value->n_values, typed);
		fputs(typed ? "}" : "", out);
	}
	fputs(typed ? "}" : "", out);
}

static inline void
otlp_json_record(FILE *out, const otlp_record *record)
{
	bool first = true;

	putc('{', out);
	otlp_json_time_field(out, &first, "timeUnixNano", record->time_unix_nano);
	otlp_json_time_field(out, &first, "observedTimeUnixNano", record->observed_time_unix_nano);
	otlp_json_number_field(out, &first, "severityNumber", (int64_t)record->severity_number);
	otlp_json_text_field(out, &first, "severityText", record->severity_text);
	if (record->body) {
		otlp_json_name(out, &first, "body");
		otlp_json_value(out, record->body, true);
	}
	otlp_json_attributes_field(out, &first, record->attributes, record->n_attributes);
	otlp_json_number_field(out, &first, "droppedAttributesCount", record->dropped_attributes_count);
	otlp_json_number_field(out, &first, "flags", record->flags);
	otlp_json_id_field(out, &first, "traceId", record->trace_id);
	otlp_json_id_field(out, &first, "spanId", record->span_id);
	otlp_json_text_field(out, &first, "eventName", record->event_name);
	putc('}', out);
}

static inline void
otlp_json_scope_logs(FILE *out, const otlp_scope_logs *logs)
{
	bool first = true;

	putc('{', out);
	if (logs->scope) {
		bool first_of_scope = true;
		otlp_json_name(out, &first, "scope");
		putc('{', out);
		otlp_json_text_field(out, &first_of_scope, "name", logs->scope->name);
		otlp_json_text_field(out, &first_of_scope, "version", logs->scope->version);
		otlp_json_attributes_field(out, &first_of_scope, logs->scope->attributes, logs->scope->n_attributes);
		otlp_json_number_field(out, &first_of_scope, "droppedAttributesCount",
		                       logs->scope->dropped_attributes_count);
		putc('}', out);
	}
	otlp_json_name(out, &first, "logRecords");
	putc('[', out);
	for (size_t i = 0; i < logs->n_log_records; i++) {
		fputs(i ? "," : "", out);
		otlp_json_record(out, logs->log_records[i]);
	}
	putc(']', out);
	otlp_json_text_field(out, &first, "schemaUrl", logs->schema_url);
	putc('}', out);
}

static inline void
otlp_json_resource_logs(FILE *out, const otlp_resource_logs *logs)
{
	bool first = true;

	putc('{', out);
	if (logs->resource) {
		bool first_of_resource = true;
		otlp_json_name(out, &first, "resource");
		putc('{', out);
		otlp_json_attributes_field(out, &first_of_resource, logs->resource->attributes,
		                           logs->resource->n_attributes);
		otlp_json_number_field(out, &first_of_resource, "droppedAttributesCount",
		                       logs->resource->dropped_attributes_count);
		putc('}', out);
	}
	otlp_json_name(out, &first, "scopeLogs");
	putc('[', out);
	for (size_t i = 0; i < logs->n_scope_logs; i++) {
		fputs(i ? "," : "", out);
		otlp_json_scope_logs(out, logs->scope_logs[i]);
	}
	putc(']', out);
	otlp_json_text_field(out, &first, "schemaUrl", logs->schema_url);
	putc('}', out);
}

/* One ExportLogsServiceRequest as one line. */
static inline void
otlp_json_request(FILE *out, const otlp_request *request)
{
	fputs("{\"resourceLogs\":[", out);
	for (size_t i = 0; i < request->n_resource_logs; i++) {
		fputs(i ? "," : "", out);
		otlp_json_resource_logs(out, request->resource_logs[i]);
	}
	fputs("]}\n", out);
}

#endif
