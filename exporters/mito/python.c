#include "exporters/mito/python.h"

#include "exporters/json/json_writer.h"
#include "sdk/base/limits.h"

#include <math.h>
#include <string.h>

bool
otlog__python_string(otlog__buffer *out, otlog_slice text)
{
	return otlog__json_string(out, text.data, text.size, OTLOG__JSON_ASCII);
}

bool
otlog__python_double(otlog__buffer *out, double number)
{
	if (isnan(number))
		return OTLOG__PUT(out, "NaN");
	if (isinf(number))
		return number < 0 ? OTLOG__PUT(out, "-Infinity") : OTLOG__PUT(out, "Infinity");
	return otlog__json_double(out, number);
}

static bool
is_container(const otlog_value_view *value)
{
	return value->type == OTLOG_VALUE_ARRAY || value->type == OTLOG_VALUE_MAP;
}

static bool
put_leaf(otlog__buffer *out, const otlog_value_view *value)
{
	switch (value->type) {
	case OTLOG_VALUE_BOOL:
		return value->as.boolean ? OTLOG__PUT(out, "true") : OTLOG__PUT(out, "false");
	case OTLOG_VALUE_INT64:
		return otlog__json_int64(out, value->as.int64);
	case OTLOG_VALUE_DOUBLE:
		return otlog__python_double(out, value->as.float64);
	case OTLOG_VALUE_STRING:
		return otlog__python_string(out, value->as.bytes);
	case OTLOG_VALUE_BYTES:
		return otlog__json_base64(out, value->as.bytes.data, value->as.bytes.size);
	case OTLOG_VALUE_ARRAY: /* too deep */
		return OTLOG__PUT(out, "[]");
	case OTLOG_VALUE_MAP:
		return OTLOG__PUT(out, "{}");
	default:
		return OTLOG__PUT(out, "null");
	}
}

/* Writes the next item of the container, key included. */
static bool
put_item(otlog__buffer *out, otlog_slice key, bool keyed, const otlog_value_view *item, bool opens)
{
	uint8_t last = out->data[out->size - 1]; /* no value ends as a container begins */
	if (last != '[' && last != '{' && !OTLOG__PUT(out, ", "))
		return false;
	if (keyed && !(otlog__python_string(out, key) && OTLOG__PUT(out, ": ")))
		return false;
	if (opens)
		return item->type == OTLOG_VALUE_MAP ? OTLOG__PUT(out, "{") : OTLOG__PUT(out, "[");
	return put_leaf(out, item);
}

bool
otlog__python_value(otlog__buffer *out, const otlog_value_view *value)
{
	otlog_items open[OTLOG__DEPTH_MAX];
	size_t depth = 0;
	if (!is_container(value))
		return put_leaf(out, value);
	if (!(value->type == OTLOG_VALUE_MAP ? OTLOG__PUT(out, "{") : OTLOG__PUT(out, "[")))
		return false;
	open[depth++] = otlog_items_of(value);
	while (depth) {
		otlog_items *items = &open[depth - 1];
		otlog_slice key;
		otlog_value_view item;
		if (!otlog_next_item(items, &key, &item)) {
			if (!(items->keyed ? OTLOG__PUT(out, "}") : OTLOG__PUT(out, "]")))
				return false;
			depth--;
			continue;
		}
		bool opens = is_container(&item) && depth < OTLOG__DEPTH_MAX;
		if (!put_item(out, key, items->keyed, &item, opens))
			return false;
		if (opens)
			open[depth++] = otlog_items_of(&item);
	}
	return true;
}

bool
otlog__python_lines(otlog__buffer *out, otlog_slice text)
{
	const uint8_t *at = text.data, *end = text.data + text.size;
	if (!OTLOG__PUT(out, "["))
		return false;
	for (bool first = true; at; first = false) {
		const uint8_t *newline = memchr(at, '\n', (size_t)(end - at));
		otlog_slice line = { at, (size_t)((newline ? newline : end) - at) };
		if ((!first && !OTLOG__PUT(out, ", ")) || !otlog__python_string(out, line))
			return false;
		at = newline ? newline + 1 : NULL;
	}
	return OTLOG__PUT(out, "]");
}
