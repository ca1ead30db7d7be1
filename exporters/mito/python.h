/* Values in JSON as Python's json.dumps writes them: ", " and ": " between, ASCII only, numbers as repr has them. */
#ifndef OTLOG_EXPORTERS_MITO_PYTHON_H
#define OTLOG_EXPORTERS_MITO_PYTHON_H

#include "sdk/base/buffer.h"

#include <otlog/exporter.h>

#define OTLOG__PUT(out, literal) otlog__buffer_append(out, literal, sizeof(literal) - 1)

/* Each appends, and returns false when memory is short; *out then ends anywhere. */

bool otlog__python_string(otlog__buffer *out, otlog_slice text);

/* NaN, Infinity and -Infinity are written so, which is Python's and not JSON's, but what log servers get today. */
bool otlog__python_double(otlog__buffer *out, double number);

/*
 * Bytes are text in base64, which json.dumps has no form for; the empty value is null. Containers deeper than
 * OTLOG__DEPTH_MAX come out empty. Does not recurse.
 */
bool otlog__python_value(otlog__buffer *out, const otlog_value_view *value);

/* A text as the array of its lines: one more than it has newlines. */
bool otlog__python_lines(otlog__buffer *out, otlog_slice text);

#endif
