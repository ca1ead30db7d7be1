#include "tests/support/records/canonical.h"

#include "proto/common.pb-c.h"
#include "tests/support/harness/check.h"

#include <stdlib.h>

typedef struct field {
	uint64_t number;
	unsigned type; /* the wire type */
	uint64_t value;
	const uint8_t *bytes; /* of type 2, `value` of them */
} field;

/* ---- Reading ----------------------------------------------------------------------------------------------------- */

/* NULL if there is none. *length: the bytes that it takes; *lost: there are more than 64 bits. */
static const uint8_t *
read_number(const uint8_t *at, const uint8_t *end, uint64_t *number, size_t *length, bool *lost)
{
	*number = 0;
	for (*length = 0; at < end && *length < 10;) {
		uint64_t bits = *at & 0x7f;
		*number |= bits << 7 * *length;
		*lost = *length == 9 && bits > 1;
		++*length;
		if (*at++ < 0x80)
			return at;
	}
	return NULL;
}

static const uint8_t *
read_tag(canonical *c, const uint8_t *at, const uint8_t *end, field *f)
{
	uint64_t tag;
	size_t length;
	bool lost;
	at = read_number(at, end, &tag, &length, &lost);
	if (!at)
		return NULL;
	if (length > 5)
		c->found |= CANONICAL_LONG;
	f->number = tag >> 3;
	f->type = tag & 7;
	if (f->number > 0 && f->number < (uint64_t)1 << 29)
		return at;
	c->found |= CANONICAL_NUMBER;
	return NULL;
}

static const uint8_t *
read_content(canonical *c, const uint8_t *at, const uint8_t *end, field *f)
{
	size_t size = f->type == 1 ? 8 : f->type == 5 ? 4 : 0;
	size_t length;
	bool lost;
	f->value = 0;
	if (size) {
		if ((size_t)(end - at) < size)
			return NULL;
		for (size_t i = 0; i < size; i++)
			f->value |= (uint64_t)at[i] << 8 * i;
		return at + size;
	}
	if (f->type != 0 && f->type != 2)
		return NULL;
	at = read_number(at, end, &f->value, &length, &lost);
	if (!at)
		return NULL;
	if (f->type == 0 ? lost : length > 5 || f->value > UINT32_MAX)
		c->found |= CANONICAL_LONG;
	if (f->type == 0)
		return at;
	f->bytes = at;
	return f->value <= (uint64_t)(end - at) ? at + f->value : NULL;
}

/* The next field; type 3 for a whole group. */
static const uint8_t *
read_field(canonical *c, const uint8_t *at, const uint8_t *end, field *f)
{
	size_t open = 0;
	do {
		at = read_tag(c, at, end, f);
		if (!at)
			return NULL;
		if (f->type == 3)
			open++;
		else if (f->type == 4 && open)
			open--;
		else
			at = read_content(c, at, end, f);
		c->found |= f->type == 3 || f->type == 4 ? CANONICAL_GROUP : 0;
	} while (at && open);
	if (f->type == 4)
		f->type = 3;
	return at;
}

/* ---- Writing ----------------------------------------------------------------------------------------------------- */

static void
append(otlog__buffer *out, const void *bytes, size_t size)
{
	CHECK(otlog__buffer_append(out, bytes, size));
}

static void
append_number(otlog__buffer *out, uint64_t number)
{
	for (; number > 0x7f; number >>= 7)
		append(out, &(uint8_t){ (uint8_t)(number | 0x80) }, 1);
	append(out, &(uint8_t){ (uint8_t)number }, 1);
}

static void
append_field(otlog__buffer *out, const field *f)
{
	append_number(out, f->number << 3 | f->type);
	if (f->type == 0)
		append_number(out, f->value);
	for (size_t i = 0; (f->type == 1 && i < 8) || (f->type == 5 && i < 4); i++)
		append(out, &(uint8_t){ (uint8_t)(f->value >> 8 * i) }, 1);
	if (f->type == 2) {
		append_number(out, f->value);
		append(out, f->bytes, f->value);
	}
}

/* ---- Messages ---------------------------------------------------------------------------------------------------- */

/* What comes of the fields that a message has once. */
typedef struct single {
	field last;
	otlog__buffer parts; /* of a message, one behind the other */
	unsigned count;
} single;

static unsigned
type_of(const ProtobufCFieldDescriptor *known)
{
	switch (known->type) {
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return 2;
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return 1;
	case PROTOBUF_C_TYPE_FIXED32:
		return 5;
	default:
		return 0;
	}
}

static bool rewrite(canonical *c, const ProtobufCMessageDescriptor *message, const uint8_t *bytes, size_t size,
                    size_t depth, otlog__buffer *out);

static bool
rewrite_message(canonical *c, const ProtobufCFieldDescriptor *known, const uint8_t *bytes, size_t size, size_t depth,
                otlog__buffer *out)
{
	const ProtobufCMessageDescriptor *message = known->descriptor;
	otlog__buffer inside = { 0 };
	if (message == &opentelemetry__proto__common__v1__array_value__descriptor ||
	    message == &opentelemetry__proto__common__v1__key_value_list__descriptor)
		depth++;
	bool sound = rewrite(c, message, bytes, size, depth, &inside);
	append_field(out, &(field){ .number = known->id, .type = 2, .value = inside.size, .bytes = inside.data });
	otlog__buffer_free(&inside);
	return sound;
}

/* Of the members of a oneof the last one counts, and it forgets the others. */
static void
forget_members(canonical *c, const ProtobufCMessageDescriptor *message, single *singles)
{
	for (unsigned i = 0; i < message->n_fields; i++) {
		const ProtobufCFieldDescriptor *known = &message->fields[i];
		if (!(known->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) || !singles[i].count)
			continue;
		if (known->type == PROTOBUF_C_TYPE_MESSAGE)
			c->found |= CANONICAL_REPLACED;
		singles[i].count = 0;
		singles[i].parts.size = 0;
	}
}

static bool
is_whole(canonical *c, const uint8_t *bytes, size_t size)
{
	field f;
	const uint8_t *at = bytes, *end = size ? at + size : at;
	while (at && at < end)
		at = read_field(c, at, end, &f);
	return at != NULL || !size;
}

static bool
take(canonical *c, const ProtobufCMessageDescriptor *message, single *singles, const field *f, size_t depth,
     otlog__buffer *out)
{
	const ProtobufCFieldDescriptor *known = protobuf_c_message_descriptor_get_field(message, (unsigned)f->number);
	if (!known || f->type == 3)
		return true;
	if (f->type != type_of(known)) {
		c->found |= CANONICAL_OTHER_TYPE;
		return true;
	}
	if (known->label == PROTOBUF_C_LABEL_REPEATED)
		return rewrite_message(c, known, f->bytes, f->value, depth, out);
	single *its = &singles[known - message->fields];
	if (known->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		forget_members(c, message, singles);
	its->last = *f;
	const bool first = its->count++ == 0;
	if (known->type != PROTOBUF_C_TYPE_MESSAGE)
		return true;
	append(&its->parts, f->bytes, f->value);
	c->found |= first ? 0 : CANONICAL_PARTS;
	/* What follows must not make whole a field that is cut off; of an array or map only the one that counts is read. */
	return (known->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) || is_whole(c, f->bytes, f->value);
}

/* Goes through all of it even if some of it makes no sense, so that everything is found that protobuf-c would come to. */
static bool
rewrite(canonical *c, const ProtobufCMessageDescriptor *message, const uint8_t *bytes, size_t size, size_t depth,
        otlog__buffer *out)
{
	/* On the heap, for this goes as deep as the bytes have it. */
	single *singles = calloc(message->n_fields, sizeof *singles);
	bool sound = true;
	CHECK(singles);
	c->depth = depth > c->depth ? depth : c->depth;
	for (const uint8_t *at = bytes, *end = size ? at + size : at; at && at < end;) {
		field f;
		at = read_field(c, at, end, &f);
		if (!at || !take(c, message, singles, &f, depth, out))
			sound = false;
	}
	for (unsigned i = 0; i < message->n_fields; i++) {
		const ProtobufCFieldDescriptor *known = &message->fields[i];
		single *its = &singles[i];
		if (its->count && known->type != PROTOBUF_C_TYPE_MESSAGE)
			append_field(out, &its->last);
		else if (its->count && !rewrite_message(c, known, its->parts.data, its->parts.size, depth, out))
			sound = false;
		otlog__buffer_free(&its->parts);
	}
	free(singles);
	return sound;
}

canonical
canonical_of(const ProtobufCMessageDescriptor *message, const uint8_t *bytes, size_t size)
{
	canonical c = { .sound = false };
	c.sound = rewrite(&c, message, bytes, size, 0, &c.bytes);
	return c;
}
