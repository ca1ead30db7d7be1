/* Values and ids as text, written into the caller's room piece by piece. */
#include "exporters/json/put.h"
#include "sdk/base/base64.h"
#include "sdk/base/hex.h"
#include "sdk/base/limits.h"
#include "sdk/base/utf8.h"

#include <otlog/exporter.h>

#include <math.h>

/* Bytes of a string that are escaped at a time. */
#define TEXT_PIECE 128

/* Where text goes: what does not fit, in whole characters, is only counted. */
typedef struct sink {
	char *out;
	size_t room; /* without the NUL */
	size_t end;  /* of what was written */
	size_t size; /* of the whole text */
} sink;

static sink
open_sink(char *out, size_t out_size)
{
	return (sink){ .out = out, .room = out && out_size ? out_size - 1 : 0 };
}

static void
put(sink *s, const void *text, size_t size)
{
	size_t left = s->size < s->room ? s->room - s->size : 0;
	size_t fits = left ? otlog__utf8_cut(text, size, left) : 0;
	if (fits) {
		memcpy(s->out + s->size, text, fits);
		s->end = s->size + fits;
	}
	s->size = size < SIZE_MAX - 1 - s->size ? s->size + size : SIZE_MAX - 1;
}

#define PUT(s, literal) put(s, literal, sizeof literal - 1)

static void
close_sink(const sink *s, size_t out_size)
{
	if (s->out && out_size)
		s->out[s->end] = '\0';
}

static void
put_quoted(sink *s, otlog_slice text)
{
	uint8_t piece[OTLOG__JSON_TEXT_ROOM(TEXT_PIECE)];
	PUT(s, "\"");
	while (text.size) {
		size_t size = otlog__utf8_cut(text.data, text.size, TEXT_PIECE);
		uint8_t *end = otlog__json_put_text(piece, text.data, size, OTLOG__JSON_UTF8);
		put(s, piece, (size_t)(end - piece));
		text.data += size;
		text.size -= size;
	}
	PUT(s, "\"");
}

static void
put_base64(sink *s, otlog_slice bytes)
{
	for (size_t i = 0; i < bytes.size; i += 3) {
		char four[OTLOG__BASE64_SIZE(3)];
		otlog__base64_put(four, bytes.data + i, bytes.size - i < 3 ? bytes.size - i : 3);
		put(s, four, sizeof four);
	}
}

/* With quotes in JSON, where NaN and Infinity are no numbers. */
static void
put_double(sink *s, double value, bool quoted)
{
	uint8_t digits[OTLOG__JSON_NUMBER_ROOM];
	size_t size = (size_t)(otlog__json_put_double(digits, value) - digits);
	if (isfinite(value) || quoted)
		put(s, digits, size);
	else
		put(s, digits + 1, size - 2);
}

/* Anything but a container; `inside` one it is JSON. */
static void
put_scalar(sink *s, const otlog_value_view *value, bool inside)
{
	uint8_t digits[OTLOG__JSON_NUMBER_ROOM];
	switch (value->type) {
	case OTLOG_VALUE_STRING:
		if (inside)
			put_quoted(s, value->as.bytes);
		else
			put(s, value->as.bytes.data, value->as.bytes.size);
		break;
	case OTLOG_VALUE_BYTES:
		if (inside)
			PUT(s, "\"");
		put_base64(s, value->as.bytes);
		if (inside)
			PUT(s, "\"");
		break;
	case OTLOG_VALUE_BOOL:
		if (value->as.boolean)
			PUT(s, "true");
		else
			PUT(s, "false");
		break;
	case OTLOG_VALUE_INT64:
		put(s, digits, (size_t)(otlog__json_put_int64(digits, value->as.int64) - digits));
		break;
	case OTLOG_VALUE_DOUBLE:
		put_double(s, value->as.float64, inside);
		break;
	default:
		if (inside)
			PUT(s, "null");
	}
}

static bool
is_container(const otlog_value_view *value)
{
	return value->type == OTLOG_VALUE_ARRAY || value->type == OTLOG_VALUE_MAP;
}

static otlog_items
enter(sink *s, const otlog_value_view *container)
{
	otlog_items items = otlog_items_of(container);
	put(s, items.keyed ? "{" : "[", 1);
	return items;
}

/* False if it holds malformed bytes; writing ends there. */
static bool
put_container(sink *s, const otlog_value_view *container)
{
	otlog_items open[OTLOG__DEPTH_MAX];
	size_t depth = 0;
	bool first = true;
	open[depth++] = enter(s, container);
	while (depth) {
		otlog_items *items = &open[depth - 1];
		otlog_slice key;
		otlog_value_view item;
		if (!otlog_next_item(items, &key, &item)) {
			if (items->malformed)
				return false;
			put(s, items->keyed ? "}" : "]", 1);
			depth--;
			first = false;
			continue;
		}
		if (!first)
			PUT(s, ",");
		if (items->keyed) {
			put_quoted(s, key);
			PUT(s, ":");
		}
		first = is_container(&item) && depth < OTLOG__DEPTH_MAX;
		if (first)
			open[depth++] = enter(s, &item);
		else if (is_container(&item))
			PUT(s, "\"…\"");
		else
			put_scalar(s, &item, true);
	}
	return true;
}

size_t
otlog_value_text(const otlog_value_view *value, char *out, size_t out_size)
{
	sink s = open_sink(out, out_size);
	bool sound = true;
	if (value && is_container(value))
		sound = put_container(&s, value);
	else if (value)
		put_scalar(&s, value, false);
	close_sink(&s, out_size);
	return sound ? s.size : SIZE_MAX;
}

size_t
otlog_hex(otlog_slice bytes, char *out, size_t out_size)
{
	size_t fits = out && out_size ? (out_size - 1) / 2 : 0;
	if (fits > bytes.size)
		fits = bytes.size;
	if (fits)
		otlog__hex_put(out, bytes.data, fits);
	if (out && out_size)
		out[2 * fits] = '\0';
	return bytes.size < SIZE_MAX / 2 ? 2 * bytes.size : SIZE_MAX - 1;
}
