/*
 * The fields of OTLP's messages, each as the tag that it has on the wire: its number and its wire type. What reads or
 * writes a field names it from here. A field that comes with another wire type than this is one that nobody knows.
 *
 * Every number is below 16, so that every tag is one byte.
 *
 * Source: opentelemetry-proto: collector/logs/v1/logs_service.proto, logs/v1/logs.proto, resource/v1/resource.proto and
 * common/v1/common.proto.
 */
#ifndef OTLOG_WIRE_OTLP_H
#define OTLOG_WIRE_OTLP_H

#include "sdk/wire/types.h"

/* ExportLogsServiceRequest, and LogsData, which has the same form. */
enum { OTLOG__REQUEST_RESOURCE_LOGS = OTLOG__TAG(1, BYTES) };

enum {
	OTLOG__RESOURCE_LOGS_RESOURCE = OTLOG__TAG(1, BYTES),
	OTLOG__RESOURCE_LOGS_SCOPE_LOGS = OTLOG__TAG(2, BYTES),
	OTLOG__RESOURCE_LOGS_SCHEMA_URL = OTLOG__TAG(3, BYTES)
};

enum {
	OTLOG__RESOURCE_ATTRIBUTES = OTLOG__TAG(1, BYTES),
	OTLOG__RESOURCE_DROPPED_ATTRIBUTES_COUNT = OTLOG__TAG(2, VARINT)
};

enum {
	OTLOG__SCOPE_LOGS_SCOPE = OTLOG__TAG(1, BYTES),
	OTLOG__SCOPE_LOGS_LOG_RECORDS = OTLOG__TAG(2, BYTES),
	OTLOG__SCOPE_LOGS_SCHEMA_URL = OTLOG__TAG(3, BYTES)
};

/* Both say who, what they emitted and the schema of that, and what reads or writes the one does so with the other. */
_Static_assert((int)OTLOG__RESOURCE_LOGS_RESOURCE == (int)OTLOG__SCOPE_LOGS_SCOPE &&
                   (int)OTLOG__RESOURCE_LOGS_SCOPE_LOGS == (int)OTLOG__SCOPE_LOGS_LOG_RECORDS &&
                   (int)OTLOG__RESOURCE_LOGS_SCHEMA_URL == (int)OTLOG__SCOPE_LOGS_SCHEMA_URL,
               "ResourceLogs and ScopeLogs are not alike");

/* InstrumentationScope */
enum {
	OTLOG__SCOPE_NAME = OTLOG__TAG(1, BYTES),
	OTLOG__SCOPE_VERSION = OTLOG__TAG(2, BYTES),
	OTLOG__SCOPE_ATTRIBUTES = OTLOG__TAG(3, BYTES),
	OTLOG__SCOPE_DROPPED_ATTRIBUTES_COUNT = OTLOG__TAG(4, VARINT)
};

enum {
	OTLOG__LOG_RECORD_TIME_UNIX_NANO = OTLOG__TAG(1, FIXED64),
	OTLOG__LOG_RECORD_SEVERITY_NUMBER = OTLOG__TAG(2, VARINT),
	OTLOG__LOG_RECORD_SEVERITY_TEXT = OTLOG__TAG(3, BYTES),
	OTLOG__LOG_RECORD_BODY = OTLOG__TAG(5, BYTES),
	OTLOG__LOG_RECORD_ATTRIBUTES = OTLOG__TAG(6, BYTES),
	OTLOG__LOG_RECORD_DROPPED_ATTRIBUTES_COUNT = OTLOG__TAG(7, VARINT),
	OTLOG__LOG_RECORD_FLAGS = OTLOG__TAG(8, FIXED32),
	OTLOG__LOG_RECORD_TRACE_ID = OTLOG__TAG(9, BYTES),
	OTLOG__LOG_RECORD_SPAN_ID = OTLOG__TAG(10, BYTES),
	OTLOG__LOG_RECORD_OBSERVED_TIME_UNIX_NANO = OTLOG__TAG(11, FIXED64),
	OTLOG__LOG_RECORD_EVENT_NAME = OTLOG__TAG(12, BYTES)
};

enum { OTLOG__KEY_VALUE_KEY = OTLOG__TAG(1, BYTES), OTLOG__KEY_VALUE_VALUE = OTLOG__TAG(2, BYTES) };

/* A value is one of these: of all that come, the last one counts. */
enum {
	OTLOG__ANY_VALUE_STRING = OTLOG__TAG(1, BYTES),
	OTLOG__ANY_VALUE_BOOL = OTLOG__TAG(2, VARINT),
	OTLOG__ANY_VALUE_INT = OTLOG__TAG(3, VARINT),
	OTLOG__ANY_VALUE_DOUBLE = OTLOG__TAG(4, FIXED64),
	OTLOG__ANY_VALUE_ARRAY = OTLOG__TAG(5, BYTES),
	OTLOG__ANY_VALUE_KVLIST = OTLOG__TAG(6, BYTES),
	OTLOG__ANY_VALUE_BYTES = OTLOG__TAG(7, BYTES)
};

enum { OTLOG__ARRAY_VALUE_VALUES = OTLOG__TAG(1, BYTES) };

enum { OTLOG__KEY_VALUE_LIST_VALUES = OTLOG__TAG(1, BYTES) };

#endif
