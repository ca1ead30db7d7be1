/*
 * OTLP/JSON: a serialised request becomes JSON in one pass over its bytes, without recursion and without a tree.
 * Source: OTLP specification, "JSON Protobuf Encoding"; proto3 JSON mapping.
 */
#ifndef OTLOG_JSON_OTLP_JSON_H
#define OTLOG_JSON_OTLP_JSON_H

#include "sdk/base/buffer.h"

/*
 * Appends the JSON of one ExportLogsServiceRequest (which is that of LogsData too), without a newline. False, with *out
 * as it was, when memory is short (errno is ENOMEM), or when the bytes are no such message or hold containers within
 * more than 200 others (EBADMSG); our encoder stops at 64.
 *
 * A field that is not on the wire is not in the JSON, and neither is one that nobody knows. What is given twice means what
 * otlog/exporter.h says of the view. Of arrays and maps that count for nothing, because something else came after them,
 * the inside is not looked at.
 */
bool otlog__otlp_json_append(const void *request, size_t request_size, otlog__buffer *out);

#endif
