/*
 * Writing JSON into a buffer: the pieces that every exporter with a JSON form shares. Each appends, and returns false
 * when memory is short. Output is always valid UTF-8: what is not becomes U+FFFD.
 */
#ifndef OTLOG_EXPORTERS_JSON_JSON_WRITER_H
#define OTLOG_EXPORTERS_JSON_JSON_WRITER_H

#include "sdk/base/buffer.h"

/* How text is written. */
typedef enum otlog__json_text {
	OTLOG__JSON_UTF8, /* as it is, but for what JSON wants escaped */
	OTLOG__JSON_ASCII /* \uXXXX for all that is not ASCII, as Python's json.dumps writes it */
} otlog__json_text;

bool otlog__json_string(otlog__buffer *out, const void *text, size_t size, otlog__json_text form); /* with quotes */
bool otlog__json_int64(otlog__buffer *out, int64_t value);
bool otlog__json_uint64(otlog__buffer *out, uint64_t value);
/*
 * The fewest digits that read back to the same number, as Python writes them: 5.0, 0.045, 1e-05. NaN and infinities as
 * the strings that proto3 JSON has for them.
 */
bool otlog__json_double(otlog__buffer *out, double value);
bool otlog__json_base64(otlog__buffer *out, const void *data, size_t size); /* with quotes */
bool otlog__json_hex(otlog__buffer *out, const void *data, size_t size);    /* with quotes, lower case */

#endif
