/* A request as one line of OTLP/JSON. Source: specification protocol/file-exporter.md. */
#ifndef OTLOG_EXPORTERS_STREAM_JSON_LINE_H
#define OTLOG_EXPORTERS_STREAM_JSON_LINE_H

#include "sdk/base/buffer.h"

#include <otlog/exporter.h>

/*
 * Appends the line, with its newline. False if it cannot be had, with *result saying why: DROP if the bytes are no
 * request, RETRY if memory is short; *line is then as it was.
 */
bool otlog__json_line_append(const otlog_batch *batch, otlog__buffer *line, otlog_export_result *result);

#endif
