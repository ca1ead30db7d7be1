/*
 * Checks OTLP/JSON: what was written of a request is read back and compared with what protobuf-c reads in the request.
 */
#ifndef TESTS_SUPPORT_RECORDS_OTLP_JSON_ORACLE_H
#define TESTS_SUPPORT_RECORDS_OTLP_JSON_ORACLE_H

#include "sdk/base/buffer.h"
#include "tests/support/records/random_record.h"

/* Appends a request with this record, twice, under a resource and a scope that have some of its attributes. */
void otlp_json_request_of(const random_record *record, otlog__buffer *out);

/* Ends the program if the request's JSON, or the view, does not say the same. */
void otlp_json_check_request(const uint8_t *request, size_t size);

/*
 * The same for bytes that nobody vouches for. JSON and view take what is sound protobuf (canonical.h), however odd it is,
 * and both say the same of it: what protobuf-c reads once it is rewritten, and in the bytes themselves unless there is
 * something in them that protobuf-c is known to read otherwise. Containers in over 200 others JSON does not take. Of what
 * is not sound comes nothing, and the buffer is as it was. Returns whether something came.
 */
bool otlp_json_check_bytes(const uint8_t *bytes, size_t size);

#endif
