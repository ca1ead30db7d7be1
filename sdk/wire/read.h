/*
 * The protobuf wire format, reading side: the fields of any message, inline.
 *
 * Every function reads from `at` to `end` and returns where it ended, NULL at what makes no sense.
 */
#ifndef OTLOG_WIRE_READ_H
#define OTLOG_WIRE_READ_H

#include "sdk/wire/types.h"

#include <otlog/exporter.h>

#include <endian.h>
#include <string.h>

typedef struct otlog__field {
	uint64_t tag;
	uint64_t number;   /* VARINT, FIXED32, FIXED64 */
	otlog_slice bytes; /* BYTES */
} otlog__field;

/* Past a varint of more than a byte, or past the end of a group. */
const uint8_t *otlog__read_long_varint(const uint8_t *at, const uint8_t *end, uint64_t *value);
const uint8_t *otlog__skip_group(const uint8_t *at, const uint8_t *end);

/* As otlog__read_field, but a call: for code that runs seldom and should be small. */
const uint8_t *otlog__read_field_cold(const uint8_t *at, const uint8_t *end, otlog__field *field);

static inline const uint8_t *
otlog__read_varint(const uint8_t *at, const uint8_t *end, uint64_t *value)
{
	if (at < end && *at < 0x80) {
		*value = *at;
		return at + 1;
	}
	uint64_t number; /* lets *value stay in a register where this is inlined */
	at = otlog__read_long_varint(at, end, &number);
	*value = at ? number : 0;
	return at;
}

static inline const uint8_t *
otlog__read_tag(const uint8_t *at, const uint8_t *end, uint64_t *tag)
{
	if (at < end && *at < 0x80) {
		*tag = *at;
		return OTLOG__TAG_NUMBER(*at) ? at + 1 : NULL;
	}
	at = otlog__read_varint(at, end, tag);
	return at && OTLOG__TAG_NUMBER(*tag) && *tag <= UINT32_MAX ? at : NULL;
}

/* What follows a tag that is of no group. */
OTLOG__ALWAYS_INLINE const uint8_t *
otlog__read_content(const uint8_t *at, const uint8_t *end, otlog__field *field)
{
	size_t room = (size_t)(end - at);
	uint32_t half;
	switch (OTLOG__TAG_TYPE(field->tag)) {
	case OTLOG__WIRE_BYTES:
		at = otlog__read_varint(at, end, &field->number);
		if (!at || field->number > (uint64_t)(end - at))
			return NULL;
		field->bytes = (otlog_slice){ at, (size_t)field->number };
		return at + field->number;
	case OTLOG__WIRE_VARINT:
		return otlog__read_varint(at, end, &field->number);
	case OTLOG__WIRE_FIXED64:
		if (room < sizeof field->number)
			return NULL;
		memcpy(&field->number, at, sizeof field->number);
		field->number = le64toh(field->number);
		return at + sizeof field->number;
	case OTLOG__WIRE_FIXED32:
		if (room < sizeof half)
			return NULL;
		memcpy(&half, at, sizeof half);
		field->number = le32toh(half);
		return at + sizeof half;
	default:
		return NULL;
	}
}

/* The next field. A group is passed over, and comes with a tag that no OTLP message knows. */
OTLOG__ALWAYS_INLINE const uint8_t *
otlog__read_field(const uint8_t *at, const uint8_t *end, otlog__field *field)
{
	at = otlog__read_tag(at, end, &field->tag);
	if (!at)
		return NULL;
	if (OTLOG__TAG_TYPE(field->tag) == OTLOG__WIRE_GROUP)
		return otlog__skip_group(at, end);
	return otlog__read_content(at, end, field);
}

/* The next field with this tag, which is one of BYTES. `item->data` NULL: there is none any more. */
static inline const uint8_t *
otlog__read_item(const uint8_t *at, const uint8_t *end, uint64_t tag, otlog_slice *item)
{
	*item = (otlog_slice){ .data = NULL };
	while (at < end) {
		otlog__field field = { .tag = 0 };
		at = otlog__read_field(at, end, &field);
		if (!at)
			return NULL;
		if (field.tag == tag) {
			*item = field.bytes;
			return at;
		}
	}
	return at;
}

#endif
