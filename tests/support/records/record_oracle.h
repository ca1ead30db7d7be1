/*
 * Checks the encoder and the view against protobuf-c, and against a second, plain reading of the rules.
 */
#ifndef TESTS_SUPPORT_RECORDS_RECORD_ORACLE_H
#define TESTS_SUPPORT_RECORDS_RECORD_ORACLE_H

#include "proto/logs.pb-c.h"
#include "tests/support/records/random_record.h"

typedef Opentelemetry__Proto__Logs__V1__LogRecord oracle_record;
typedef Opentelemetry__Proto__Common__V1__AnyValue oracle_value;
typedef Opentelemetry__Proto__Common__V1__KeyValue oracle_attr;

/* These end the program with a message where something is not as it should be. */

/* Encodes the record in every way that matters and checks what comes out. */
void oracle_check_record(const random_record *given);

/* The fields of `got` are those of the record, the rules applied. */
void oracle_check_fields(const random_record *given, const oracle_record *got);

/* The view reads what protobuf-c reads. `damaged`: nobody vouches for the bytes. */
void oracle_check_view(const uint8_t *bytes, size_t size, const oracle_record *read, bool damaged);

/* Reads everything that can be reached through the view; returns false if something was malformed. */
bool oracle_walk_view(const uint8_t *bytes, size_t size);

#endif
