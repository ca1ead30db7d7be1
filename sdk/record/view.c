#include "sdk/record/view.h"

#include <endian.h>
#include <string.h>

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_GROUP = 3, WIRE_GROUP_END = 4, WIRE_FIXED32 = 5 };

/* Number and wire type together, so that a field with another type than it should have is one we do not know. */
#define FIELD(number, type) ((uint64_t)(number) << 3 | (type))
#define ATTRIBUTE FIELD(6, WIRE_BYTES)

/* One field as it was read. */
typedef struct field {
	uint64_t tag;
	uint64_t number;    /* VARINT, FIXED32, FIXED64 */
	otlog__slice bytes; /* BYTES */
} field;

/*
 * Reading goes from `at` to `end`, and every function takes where it may begin and returns where it ended, NULL at what
 * makes no sense.
 */

static const uint8_t *
read_long_varint(const uint8_t *at, const uint8_t *end, uint64_t *value)
{
	uint64_t result = 0;
	for (unsigned shift = 0; shift < 70 && at < end; shift += 7) {
		uint8_t byte = *at++;
		result |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*value = result;
			return at;
		}
	}
	return NULL;
}

static inline const uint8_t *
read_varint(const uint8_t *at, const uint8_t *end, uint64_t *value)
{
	if (at < end && *at < 0x80) {
		*value = *at;
		return at + 1;
	}
	return read_long_varint(at, end, value);
}

static inline const uint8_t *
read_bytes(const uint8_t *at, const uint8_t *end, otlog__slice *bytes)
{
	uint64_t size;
	at = read_varint(at, end, &size);
	if (!at || size > (uint64_t)(end - at))
		return NULL;
	*bytes = (otlog__slice){ at, (size_t)size };
	return at + size;
}

static inline const uint8_t *
read_fixed64(const uint8_t *at, const uint8_t *end, uint64_t *value)
{
	if (end - at < 8)
		return NULL;
	memcpy(value, at, 8);
	*value = le64toh(*value);
	return at + 8;
}

static inline const uint8_t *
read_fixed32(const uint8_t *at, const uint8_t *end, uint64_t *value)
{
	uint32_t half;
	if (end - at < 4)
		return NULL;
	memcpy(&half, at, 4);
	*value = le32toh(half);
	return at + 4;
}

static inline const uint8_t *
read_tag(const uint8_t *at, const uint8_t *end, uint64_t *tag)
{
	at = read_varint(at, end, tag);
	return at && *tag >> 3 != 0 && *tag <= UINT32_MAX ? at : NULL;
}

/* Any field but a group. */
static inline const uint8_t *
read_content(const uint8_t *at, const uint8_t *end, field *f)
{
	switch (f->tag & 7) {
	case WIRE_BYTES:
		return read_bytes(at, end, &f->bytes);
	case WIRE_VARINT:
		return read_varint(at, end, &f->number);
	case WIRE_FIXED64:
		return read_fixed64(at, end, &f->number);
	case WIRE_FIXED32:
		return read_fixed32(at, end, &f->number);
	default:
		return NULL;
	}
}

/* Past the end of a group. Groups inside it are counted, not entered, so depth costs nothing. */
static const uint8_t *
skip_group(const uint8_t *at, const uint8_t *end)
{
	for (uint64_t depth = 1; depth && at;) {
		field f = { .number = 0 };
		at = read_tag(at, end, &f.tag);
		if (!at)
			return NULL;
		if ((f.tag & 7) == WIRE_GROUP)
			depth++;
		else if ((f.tag & 7) == WIRE_GROUP_END)
			depth--;
		else
			at = read_content(at, end, &f);
	}
	return at;
}

/* The next field. A group counts as read, with a tag that no message here knows. */
static inline const uint8_t *
read_field(const uint8_t *at, const uint8_t *end, field *f)
{
	at = read_tag(at, end, &f->tag);
	if (!at)
		return NULL;
	return (f->tag & 7) == WIRE_GROUP ? skip_group(at, end) : read_content(at, end, f);
}

/* ---- Values ------------------------------------------------------------------------------------------------------ */

/* Reads an AnyValue over what *value holds: of several kinds in one message the last one counts. */
static bool
read_value(otlog__slice bytes, otlog__value_view *value)
{
	const uint8_t *end = bytes.data + bytes.size;
	for (const uint8_t *at = bytes.data; at < end;) {
		field f = { .number = 0 };
		at = read_field(at, end, &f);
		if (!at)
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
read_key_value(otlog__slice bytes, otlog__slice *key, otlog__value_view *value)
{
	const uint8_t *end = bytes.data + bytes.size;
	for (const uint8_t *at = bytes.data; at < end;) {
		field f = { .number = 0 };
		at = read_field(at, end, &f);
		if (!at)
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
	*view = (otlog__record_view){ .body = { .type = OTLOG_VALUE_EMPTY } };
	if (!size)
		return true;
	const uint8_t *at = bytes;
	const uint8_t *end = at + size;
	while (at < end) {
		field f = { .number = 0 };
		const uint8_t *start = at;
		at = read_field(at, end, &f);
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
		field f = { .number = 0 };
		const uint8_t *end = items->rest.data + items->rest.size;
		const uint8_t *at = read_field(items->rest.data, end, &f);
		bool sound = at != NULL;
		if (sound)
			items->rest = (otlog__slice){ at, (size_t)(end - at) };
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
