/*
 * OTLP/JSON: a serialised request becomes JSON in one pass over its bytes, without recursion and without a tree.
 * Source: OTLP specification, "JSON Protobuf Encoding"; proto3 JSON mapping.
 */
#ifndef OTLOG_JSON_OTLP_JSON_H
#define OTLOG_JSON_OTLP_JSON_H

#include "sdk/base/buffer.h"

/*
 * Appends the JSON of one ExportLogsServiceRequest (which is that of LogsData too), without a newline. False when
 * memory is short or the bytes are no such message; *out is then as it was.
 */
bool otlog__otlp_json_append(const void *request, size_t request_size, otlog__buffer *out);

#endif
