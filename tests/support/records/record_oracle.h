/*
 * Checks the encoder and the view against protobuf-c, and against a second, plain reading of the rules.
 */
#ifndef TESTS_SUPPORT_RECORDS_RECORD_ORACLE_H
#define TESTS_SUPPORT_RECORDS_RECORD_ORACLE_H

#include "proto/logs_service.pb-c.h"
#include "tests/support/records/random_record.h"

typedef Opentelemetry__Proto__Logs__V1__LogRecord oracle_record;
typedef Opentelemetry__Proto__Common__V1__AnyValue oracle_value;
typedef Opentelemetry__Proto__Common__V1__KeyValue oracle_attr;
typedef Opentelemetry__Proto__Logs__V1__ScopeLogs oracle_scope_logs;
typedef Opentelemetry__Proto__Logs__V1__ResourceLogs oracle_resource_logs;
typedef Opentelemetry__Proto__Collector__Logs__V1__ExportLogsServiceRequest oracle_request;

/* These end the program with a message where something is not as it should be. */

/* Encodes the record in every way that matters and checks what comes out. */
void oracle_check_record(const random_record *given);

/* The fields of `got` are those of the record, the rules applied. */
void oracle_check_fields(const random_record *given, const oracle_record *got);

/* The view reads in one record, or in a request, what protobuf-c reads. */
void oracle_check_view(const uint8_t *bytes, size_t size, const oracle_record *read);
void oracle_check_batch(const uint8_t *bytes, size_t size, const oracle_request *read);

/*
 * The same for any bytes of one record: the view takes what is sound protobuf (canonical.h), and protobuf-c reads the same
 * once it is rewritten, and in the bytes themselves unless there is something in them that it is known to read
 * otherwise. Returns whether the view takes them.
 */
bool oracle_check_bytes(const uint8_t *bytes, size_t size);

#endif
