#include "exporters/json/json_writer.h"

#include "exporters/json/put.h"
#include "sdk/base/base64.h"
#include "sdk/base/hex.h"
#include "sdk/base/utf8.h"

/* Longer texts are written in pieces, so that room is not made for what escapes could make of all of it. */
#define PIECE ((size_t)4096)

static bool
append_text(otlog__buffer *out, const uint8_t *text, size_t size, otlog__json_text form)
{
	while (size) {
		size_t piece = otlog__utf8_cut(text, size, PIECE);
		if (!otlog__buffer_reserve(out, OTLOG__JSON_TEXT_ROOM(piece)))
			return false;
		uint8_t *end = otlog__json_put_text(out->data + out->size, text, piece, form);
		out->size = (size_t)(end - out->data);
		text += piece;
		size -= piece;
	}
	return true;
}

bool
otlog__json_string(otlog__buffer *out, const void *text, size_t size, otlog__json_text form)
{
	size_t begin = out->size;
	if (otlog__buffer_append(out, "\"", 1) && append_text(out, text, size, form) &&
	    otlog__buffer_append(out, "\"", 1))
		return true;
	out->size = begin;
	return false;
}

static bool
append_number(otlog__buffer *out, const uint8_t *text, const uint8_t *end)
{
	return otlog__buffer_append(out, text, (size_t)(end - text));
}

bool
otlog__json_int64(otlog__buffer *out, int64_t value)
{
	uint8_t text[OTLOG__JSON_NUMBER_ROOM];
	return append_number(out, text, otlog__json_put_int64(text, value));
}

bool
otlog__json_uint64(otlog__buffer *out, uint64_t value)
{
	uint8_t text[OTLOG__JSON_NUMBER_ROOM];
	return append_number(out, text, otlog__json_put_uint64(text, value));
}

bool
otlog__json_double(otlog__buffer *out, double value)
{
	uint8_t text[OTLOG__JSON_NUMBER_ROOM];
	return append_number(out, text, otlog__json_put_double(text, value));
}

bool
otlog__json_base64(otlog__buffer *out, const void *data, size_t size)
{
	if (size > SIZE_MAX / 2 || !otlog__buffer_reserve(out, OTLOG__BASE64_SIZE(size) + 2))
		return false;
	uint8_t *at = OTLOG__JSON_PUT(out->data + out->size, "\"");
	at = (uint8_t *)otlog__base64_put((char *)at, data, size);
	at = OTLOG__JSON_PUT(at, "\"");
	out->size = (size_t)(at - out->data);
	return true;
}

bool
otlog__json_hex(otlog__buffer *out, const void *data, size_t size)
{
	if (size > SIZE_MAX / 4 || !otlog__buffer_reserve(out, 2 * size + 2))
		return false;
	uint8_t *at = OTLOG__JSON_PUT(out->data + out->size, "\"");
	at = (uint8_t *)otlog__hex_put((char *)at, data, size);
	at = OTLOG__JSON_PUT(at, "\"");
	out->size = (size_t)(at - out->data);
	return true;
}
