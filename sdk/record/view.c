#include "sdk/record/view.h"

#include <endian.h>
#include <string.h>

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_GROUP = 3, WIRE_GROUP_END = 4, WIRE_FIXED32 = 5 };

/* Number and wire type together, so that a field with another type than it should have is one we do not know. */
#define FIELD(number, type) ((uint64_t)(number) << 3 | (type))

/* One field as it was read. */
typedef struct field {
	uint64_t tag;
	uint64_t number;    /* VARINT, FIXED32, FIXED64 */
	otlog__slice bytes; /* BYTES */
} field;

static bool
read_varint(otlog__slice *rest, uint64_t *value)
{
	uint64_t result = 0;
	for (unsigned i = 0; i < 10 && i < rest->size; i++) {
		result |= (uint64_t)(rest->data[i] & 0x7f) << 7 * i;
		if (rest->data[i] < 0x80) {
			rest->data += i + 1;
			rest->size -= i + 1;
			*value = result;
			return true;
		}
	}
	return false;
}

static bool
read_bytes(otlog__slice *rest, uint64_t size, otlog__slice *bytes)
{
	if (size > rest->size)
		return false;
	*bytes = (otlog__slice){ rest->data, (size_t)size };
	rest->data += size;
	rest->size -= (size_t)size;
	return true;
}

static bool
read_fixed(otlog__slice *rest, size_t size, uint64_t *value)
{
	otlog__slice bytes;
	if (!read_bytes(rest, size, &bytes))
		return false;
	*value = 0;
	memcpy(value, bytes.data, size); /* the low bytes come first on the wire */
	*value = le64toh(*value);
	return true;
}

static bool
read_tag(otlog__slice *rest, uint64_t *tag)
{
	return read_varint(rest, tag) && *tag >> 3 != 0 && *tag <= UINT32_MAX;
}

/* Any field but a group. */
static bool
read_content(otlog__slice *rest, field *f)
{
	uint64_t size;
	switch (f->tag & 7) {
	case WIRE_VARINT:
		return read_varint(rest, &f->number);
	case WIRE_FIXED64:
		return read_fixed(rest, 8, &f->number);
	case WIRE_FIXED32:
		return read_fixed(rest, 4, &f->number);
	case WIRE_BYTES:
		return read_varint(rest, &size) && read_bytes(rest, size, &f->bytes);
	default:
		return false;
	}
}

/* Past the end of a group. Groups inside it are counted, not entered, so depth costs nothing. */
static bool
skip_group(otlog__slice *rest)
{
	for (uint64_t depth = 1; depth;) {
		field f;
		if (!read_tag(rest, &f.tag))
			return false;
		if ((f.tag & 7) == WIRE_GROUP)
			depth++;
		else if ((f.tag & 7) == WIRE_GROUP_END)
			depth--;
		else if (!read_content(rest, &f))
			return false;
	}
	return true;
}

/* The next field. A group counts as read, with a tag that no message here knows. */
static bool
read_field(otlog__slice *rest, field *f)
{
	if (!read_tag(rest, &f->tag))
		return false;
	return (f->tag & 7) == WIRE_GROUP ? skip_group(rest) : read_content(rest, f);
}

/* ---- Values ------------------------------------------------------------------------------------------------------ */

/* Reads an AnyValue over what *value holds: of several kinds in one message the last one counts. */
static bool
read_value(otlog__slice rest, otlog__value_view *value)
{
	while (rest.size) {
		field f;
		if (!read_field(&rest, &f))
			return false;
		switch (f.tag) {
		case FIELD(1, WIRE_BYTES):
			*value = (otlog__value_view){ .type = OTLOG_VALUE_STRING, .as.bytes = f.bytes };
			break;
		case FIELD(2, WIRE_VARINT):
			*value = (otlog__value_view){ .type = OTLOG_VALUE_BOOL, .as.boolean = f.number != 0 };
			break;
		case FIELD(3, WIRE_VARINT):
			*value = (otlog__value_view){ .type = OTLOG_VALUE_INT64, .as.int64 = (int64_t)f.number };
			break;
		case FIELD(4, WIRE_FIXED64):
			value->type = OTLOG_VALUE_DOUBLE;
			memcpy(&value->as.float64, &f.number, sizeof f.number);
			break;
		case FIELD(5, WIRE_BYTES):
			*value = (otlog__value_view){ .type = OTLOG_VALUE_ARRAY, .as.container = f.bytes };
			break;
		case FIELD(6, WIRE_BYTES):
			*value = (otlog__value_view){ .type = OTLOG_VALUE_MAP, .as.container = f.bytes };
			break;
		case FIELD(7, WIRE_BYTES):
			*value = (otlog__value_view){ .type = OTLOG_VALUE_BYTES, .as.bytes = f.bytes };
			break;
		}
	}
	return true;
}

static bool
read_key_value(otlog__slice rest, otlog__slice *key, otlog__value_view *value)
{
	while (rest.size) {
		field f;
		if (!read_field(&rest, &f))
			return false;
		if (f.tag == FIELD(1, WIRE_BYTES))
			*key = f.bytes;
		else if (f.tag == FIELD(2, WIRE_BYTES) && !read_value(f.bytes, value))
			return false;
	}
	return true;
}

/* ---- Records ----------------------------------------------------------------------------------------------------- */

static bool
take_field(otlog__record_view *view, const field *f)
{
	switch (f->tag) {
	case FIELD(1, WIRE_FIXED64):
		view->time_unix_nano = f->number;
		break;
	case FIELD(2, WIRE_VARINT):
		view->severity = (int32_t)(uint32_t)f->number;
		break;
	case FIELD(3, WIRE_BYTES):
		view->severity_text = f->bytes;
		break;
	case FIELD(5, WIRE_BYTES):
		return read_value(f->bytes, &view->body);
	case FIELD(7, WIRE_VARINT):
		view->dropped_attributes_count = (uint32_t)f->number;
		break;
	case FIELD(8, WIRE_FIXED32):
		view->flags = (uint32_t)f->number;
		break;
	case FIELD(9, WIRE_BYTES):
		view->trace_id = f->bytes;
		break;
	case FIELD(10, WIRE_BYTES):
		view->span_id = f->bytes;
		break;
	case FIELD(11, WIRE_FIXED64):
		view->observed_time_unix_nano = f->number;
		break;
	case FIELD(12, WIRE_BYTES):
		view->event_name = f->bytes;
		break;
	}
	return true;
}

bool
otlog__record_view_open(const void *bytes, size_t size, otlog__record_view *view)
{
	*view = (otlog__record_view){ .record = { bytes, size } };
	otlog__slice rest = view->record;
	while (rest.size) {
		field f;
		if (!read_field(&rest, &f) || !take_field(view, &f))
			return false;
	}
	return true;
}

otlog__items
otlog__attributes_of(const otlog__record_view *view)
{
	return (otlog__items){ .rest = view->record, .field = 6, .keyed = true };
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
		field f;
		bool sound = read_field(&items->rest, &f);
		if (sound && f.tag != FIELD(items->field, WIRE_BYTES))
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
