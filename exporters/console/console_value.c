#include "exporters/console/console_value.h"

#include "exporters/json/json_writer.h"
#include "sdk/base/hex.h"

#include <math.h>
#include <stdio.h>

void
otlog__console_put_hex(otlog__console_out *out, otlog_slice bytes)
{
	for (size_t i = 0; i < bytes.size; i++) {
		char pair[2];
		otlog__hex_put(pair, &bytes.data[i], 1);
		otlog__console_put(out, pair, sizeof pair);
	}
}

static void
put_double(otlog__console_out *out, double value)
{
	if (isnan(value))
		otlog__console_puts(out, "NaN");
	else if (isinf(value))
		otlog__console_puts(out, value < 0 ? "-Infinity" : "Infinity");
	else if (!out->failed && !otlog__json_double(out->buffer, value))
		out->failed = true;
}

static void
put_bytes(otlog__console_out *out, otlog_slice bytes)
{
	char more[40];
	otlog_slice shown = { bytes.data, bytes.size < OTLOG__CONSOLE_BYTES ? bytes.size : OTLOG__CONSOLE_BYTES };
	otlog__console_puts(out, "0x");
	otlog__console_put_hex(out, shown);
	if (shown.size < bytes.size) {
		snprintf(more, sizeof more, "…(%zu bytes)", bytes.size);
		otlog__console_puts(out, more);
	}
}

/* Anything but a container. */
static void
put_scalar(otlog__console_out *out, const otlog_value_view *value, bool quoted)
{
	switch (value->type) {
	case OTLOG_VALUE_STRING:
		if (quoted)
			otlog__console_put_quoted(out, value->as.bytes);
		else
			otlog__console_put_word(out, value->as.bytes);
		break;
	case OTLOG_VALUE_BOOL:
		otlog__console_puts(out, value->as.boolean ? "true" : "false");
		break;
	case OTLOG_VALUE_INT64:
		if (!out->failed && !otlog__json_int64(out->buffer, value->as.int64))
			out->failed = true;
		break;
	case OTLOG_VALUE_DOUBLE:
		put_double(out, value->as.float64);
		break;
	case OTLOG_VALUE_BYTES:
		put_bytes(out, value->as.bytes);
		break;
	default:
		otlog__console_puts(out, "null");
	}
}

static bool
is_container(const otlog_value_view *value)
{
	return value->type == OTLOG_VALUE_ARRAY || value->type == OTLOG_VALUE_MAP;
}

typedef struct level {
	otlog_items items;
	bool begun;
} level;

static level
enter(otlog__console_out *out, const otlog_value_view *container)
{
	otlog__console_put(out, container->type == OTLOG_VALUE_MAP ? "{" : "[", 1);
	return (level){ .items = otlog_items_of(container) };
}

static bool
put_container(otlog__console_out *out, const otlog_value_view *container)
{
	level levels[OTLOG__CONSOLE_DEPTH];
	unsigned depth = 0;
	bool sound = true;
	levels[depth++] = enter(out, container);
	while (depth) {
		level *at = &levels[depth - 1];
		otlog_slice key;
		otlog_value_view item;
		if (!otlog_next_item(&at->items, &key, &item)) {
			sound = sound && !at->items.malformed;
			otlog__console_put(out, at->items.keyed ? "}" : "]", 1);
			depth--;
			continue;
		}
		if (at->begun)
			otlog__console_put(out, ",", 1);
		at->begun = true;
		if (at->items.keyed) {
			otlog__console_put_quoted(out, key);
			otlog__console_put(out, ":", 1);
		}
		if (!is_container(&item))
			put_scalar(out, &item, true);
		else if (depth < OTLOG__CONSOLE_DEPTH)
			levels[depth++] = enter(out, &item);
		else
			otlog__console_puts(out, "…");
	}
	return sound;
}

bool
otlog__console_put_value(otlog__console_out *out, const otlog_value_view *value)
{
	if (is_container(value))
		return put_container(out, value);
	put_scalar(out, value, false);
	return true;
}
