#include "sdk/view/record_view.h"

#include "sdk/wire/read.h"

#define ATTRIBUTE OTLOG__FIELD(6, OTLOG__WIRE_BYTES)

/* ---- Values ------------------------------------------------------------------------------------------------------ */

/* Reads an AnyValue over what *value holds: of several kinds in one message the last one counts. */
static bool
read_value(otlog__slice bytes, otlog__value_view *value)
{
	const uint8_t *end = bytes.data + bytes.size;
	for (const uint8_t *at = bytes.data; at < end;) {
		otlog__field f = { .number = 0 };
		at = otlog__read_field(at, end, &f);
		if (!at)
			return false;
		switch (f.tag) {
		case OTLOG__FIELD(1, OTLOG__WIRE_BYTES):
			*value = (otlog__value_view){ .type = OTLOG_VALUE_STRING, .as.bytes = f.bytes };
			break;
		case OTLOG__FIELD(2, OTLOG__WIRE_VARINT):
			*value = (otlog__value_view){ .type = OTLOG_VALUE_BOOL, .as.boolean = f.number != 0 };
			break;
		case OTLOG__FIELD(3, OTLOG__WIRE_VARINT):
			*value = (otlog__value_view){ .type = OTLOG_VALUE_INT64, .as.int64 = (int64_t)f.number };
			break;
		case OTLOG__FIELD(4, OTLOG__WIRE_FIXED64):
			value->type = OTLOG_VALUE_DOUBLE;
			memcpy(&value->as.float64, &f.number, sizeof f.number);
			break;
		case OTLOG__FIELD(5, OTLOG__WIRE_BYTES):
			*value = (otlog__value_view){ .type = OTLOG_VALUE_ARRAY, .as.container = f.bytes };
			break;
		case OTLOG__FIELD(6, OTLOG__WIRE_BYTES):
			*value = (otlog__value_view){ .type = OTLOG_VALUE_MAP, .as.container = f.bytes };
			break;
		case OTLOG__FIELD(7, OTLOG__WIRE_BYTES):
			*value = (otlog__value_view){ .type = OTLOG_VALUE_BYTES, .as.bytes = f.bytes };
			break;
		}
	}
	return true;
}

static bool
read_key_value(otlog__slice bytes, otlog__slice *key, otlog__value_view *value)
{
	const uint8_t *end = bytes.data + bytes.size;
	for (const uint8_t *at = bytes.data; at < end;) {
		otlog__field f = { .number = 0 };
		at = otlog__read_field(at, end, &f);
		if (!at)
			return false;
		if (f.tag == OTLOG__FIELD(1, OTLOG__WIRE_BYTES))
			*key = f.bytes;
		else if (f.tag == OTLOG__FIELD(2, OTLOG__WIRE_BYTES) && !read_value(f.bytes, value))
			return false;
	}
	return true;
}

/* ---- Records ----------------------------------------------------------------------------------------------------- */

static bool
take_field(otlog__record_view *view, const otlog__field *f)
{
	switch (f->tag) {
	case OTLOG__FIELD(1, OTLOG__WIRE_FIXED64):
		view->time_unix_nano = f->number;
		break;
	case OTLOG__FIELD(2, OTLOG__WIRE_VARINT):
		view->severity = (int32_t)(uint32_t)f->number;
		break;
	case OTLOG__FIELD(3, OTLOG__WIRE_BYTES):
		view->severity_text = f->bytes;
		break;
	case OTLOG__FIELD(5, OTLOG__WIRE_BYTES):
		return read_value(f->bytes, &view->body);
	case OTLOG__FIELD(7, OTLOG__WIRE_VARINT):
		view->dropped_attributes_count = (uint32_t)f->number;
		break;
	case OTLOG__FIELD(8, OTLOG__WIRE_FIXED32):
		view->flags = (uint32_t)f->number;
		break;
	case OTLOG__FIELD(9, OTLOG__WIRE_BYTES):
		view->trace_id = f->bytes;
		break;
	case OTLOG__FIELD(10, OTLOG__WIRE_BYTES):
		view->span_id = f->bytes;
		break;
	case OTLOG__FIELD(11, OTLOG__WIRE_FIXED64):
		view->observed_time_unix_nano = f->number;
		break;
	case OTLOG__FIELD(12, OTLOG__WIRE_BYTES):
		view->event_name = f->bytes;
		break;
	}
	return true;
}

bool
otlog__record_view_open(const void *bytes, size_t size, otlog__record_view *view)
{
	*view = (otlog__record_view){ .body = { .type = OTLOG_VALUE_EMPTY } };
	if (!size)
		return true;
	const uint8_t *at = bytes;
	const uint8_t *end = at + size;
	while (at < end) {
		otlog__field f = { .number = 0 };
		const uint8_t *start = at;
		at = otlog__read_field(at, end, &f);
		if (!at || !take_field(view, &f))
			return false;
		if (f.tag != ATTRIBUTE)
			continue;
		if (!view->attributes.data)
			view->attributes.data = start;
		view->attributes.size = (size_t)(at - view->attributes.data);
	}
	return true;
}

otlog__items
otlog__attributes_of(const otlog__record_view *view)
{
	return (otlog__items){ .rest = view->attributes, .field = 6, .keyed = true };
}

otlog__items
otlog__items_of(const otlog__value_view *container)
{
	if (container->type != OTLOG_VALUE_ARRAY && container->type != OTLOG_VALUE_MAP)
		return (otlog__items){ .field = 1 };
	return (
	    otlog__items){ .rest = container->as.container, .field = 1, .keyed = container->type == OTLOG_VALUE_MAP };
}

bool
otlog__next_item(otlog__items *items, otlog__slice *key, otlog__value_view *value)
{
	*key = (otlog__slice){ .data = NULL };
	*value = (otlog__value_view){ .type = OTLOG_VALUE_EMPTY };
	while (items->rest.size) {
		otlog__field f = { .number = 0 };
		const uint8_t *end = items->rest.data + items->rest.size;
		const uint8_t *at = otlog__read_field(items->rest.data, end, &f);
		bool sound = at != NULL;
		if (sound)
			items->rest = (otlog__slice){ at, (size_t)(end - at) };
		if (sound && f.tag != OTLOG__FIELD(items->field, OTLOG__WIRE_BYTES))
			continue;
		if (sound)
			sound = items->keyed ? read_key_value(f.bytes, key, value) : read_value(f.bytes, value);
		if (sound)
			return true;
		items->malformed = true;
		items->rest.size = 0;
	}
	return false;
}
