#include "sdk/record/leaf.h"

#include "sdk/base/utf8.h"

otlog_value_type
otlog__value_kind(const otlog_value *value)
{
	bool has_data = true;
	switch (value->type) {
	case OTLOG_VALUE_STRING:
	case OTLOG_VALUE_BYTES:
		has_data = value->as.bytes.data || !value->as.bytes.size;
		break;
	case OTLOG_VALUE_ARRAY:
		has_data = value->as.array.items || !value->as.array.count;
		break;
	case OTLOG_VALUE_MAP:
		has_data = value->as.map.items || !value->as.map.count;
		break;
	case OTLOG_VALUE_EMPTY:
	case OTLOG_VALUE_BOOL:
	case OTLOG_VALUE_INT64:
	case OTLOG_VALUE_UINT64:
	case OTLOG_VALUE_DOUBLE:
		break;
	default:
		has_data = false;
	}
	return has_data ? value->type : OTLOG_VALUE_EMPTY;
}

/* ---- Fields ------------------------------------------------------------------------------------------------------ */

uint8_t *
otlog__put_field(const otlog__writer *writer, uint8_t *at, uint8_t tag, const void *data, size_t size)
{
	size_t room = otlog__room(writer, at);
	if (size > room || 1 + otlog__varint_size(size) + size > room)
		return NULL;
	*at++ = tag;
	at = otlog__put_varint(at, size);
	return otlog__put_bytes(at, data, size);
}

uint8_t *
otlog__put_name(const otlog__writer *writer, uint8_t *at, uint8_t tag, const char *name, size_t size)
{
	otlog__key key = { .prefix = (const uint8_t *)name, .name = (const uint8_t *)name, .name_size = size };
	if (otlog__key_is_utf8(&key))
		return otlog__put_field(writer, at, tag, name, size);
	writer->notes->not_utf8 = true;
	size_t room = otlog__room(writer, at);
	size_t wire_size = otlog__key_wire_size(&key, false);
	if (1 + otlog__varint_size(wire_size) + wire_size > room)
		return NULL;
	*at++ = tag;
	at = otlog__put_varint(at, wire_size);
	return otlog__key_put(at, &key, false);
}

/* ---- Leaves ------------------------------------------------------------------------------------------------------ */

static void
leaf_of_bytes(otlog__leaf *out, uint8_t tag, const void *data, size_t size)
{
	uint8_t *at = out->head;
	*at++ = tag;
	at = otlog__put_varint(at, size);
	out->head_size = (size_t)(at - out->head);
	out->data = data;
	out->data_size = size;
}

/* Only what is sent is looked at, so a text whose end is cut off may be UTF-8 although the whole is not. */
static void
leaf_of_text(const otlog__writer *writer, size_t room, otlog__leaf *out, const otlog_value *value)
{
	size_t size = value->as.bytes.size;
	size_t limit = writer->limits->value_size;
	size_t cut = otlog__utf8_cut(value->as.bytes.data, size, limit);
	uint8_t tag = OTLOG__ANY_VALUE_STRING;
	if (cut && cut <= room && otlog__utf8_valid_size(value->as.bytes.data, cut) != cut) {
		writer->notes->not_utf8 = true;
		tag = OTLOG__ANY_VALUE_BYTES;
		cut = size < limit ? size : limit;
	}
	writer->notes->truncated |= cut < size;
	leaf_of_bytes(out, tag, value->as.bytes.data, cut);
}

static void
leaf_of_binary(const otlog__writer *writer, otlog__leaf *out, const otlog_value *value)
{
	size_t size = value->as.bytes.size;
	if (size > writer->limits->value_size) {
		size = writer->limits->value_size;
		writer->notes->truncated = true;
	}
	leaf_of_bytes(out, OTLOG__ANY_VALUE_BYTES, value->as.bytes.data, size);
}

static void
leaf_of_varint(otlog__leaf *out, uint8_t tag, uint64_t value)
{
	out->head[0] = tag;
	out->head_size = (size_t)(otlog__put_varint(out->head + 1, value) - out->head);
}

static void
leaf_of_double(otlog__leaf *out, double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	out->head[0] = OTLOG__ANY_VALUE_DOUBLE;
	out->head_size = (size_t)(otlog__put_fixed64(out->head + 1, bits) - out->head);
}

/* OTLP has no unsigned integers: what int64 cannot hold goes out as its decimal digits. */
static void
leaf_of_unsigned(otlog__leaf *out, uint64_t value)
{
	if (value <= INT64_MAX) {
		leaf_of_varint(out, OTLOG__ANY_VALUE_INT, value);
		return;
	}
	uint8_t digits[20];
	size_t size = 0;
	for (; value; value /= 10)
		digits[sizeof digits - ++size] = (uint8_t)('0' + value % 10);
	out->head[0] = OTLOG__ANY_VALUE_STRING;
	out->head[1] = (uint8_t)size;
	memcpy(out->head + 2, digits + sizeof digits - size, size);
	out->head_size = 2 + size;
}

otlog__leaf
otlog__leaf_of(const otlog__writer *writer, size_t room, const otlog_value *value)
{
	otlog__leaf out = { .head_size = 0 };
	switch (otlog__value_kind(value)) {
	case OTLOG_VALUE_STRING:
		leaf_of_text(writer, room, &out, value);
		break;
	case OTLOG_VALUE_BYTES:
		leaf_of_binary(writer, &out, value);
		break;
	case OTLOG_VALUE_BOOL:
		leaf_of_varint(&out, OTLOG__ANY_VALUE_BOOL, value->as.boolean);
		break;
	case OTLOG_VALUE_INT64:
		leaf_of_varint(&out, OTLOG__ANY_VALUE_INT, (uint64_t)value->as.int64);
		break;
	case OTLOG_VALUE_UINT64:
		leaf_of_unsigned(&out, value->as.uint64);
		break;
	case OTLOG_VALUE_DOUBLE:
		leaf_of_double(&out, value->as.float64);
		break;
	case OTLOG_VALUE_ARRAY:
		leaf_of_bytes(&out, OTLOG__ANY_VALUE_ARRAY, NULL, 0);
		break;
	case OTLOG_VALUE_MAP:
		leaf_of_bytes(&out, OTLOG__ANY_VALUE_KVLIST, NULL, 0);
		break;
	case OTLOG_VALUE_EMPTY:
		break;
	}
	return out;
}

uint8_t *
otlog__put_key(uint8_t *at, const otlog__key *key, size_t key_size, bool clean)
{
	*at++ = OTLOG__KEY_VALUE_KEY;
	at = otlog__put_varint(at, key_size);
	at = otlog__key_put(at, key, clean);
	*at++ = OTLOG__KEY_VALUE_VALUE;
	return at;
}

size_t
otlog__key_size_in(const otlog__writer *writer, const otlog__key *key, size_t room, bool *clean)
{
	if (key->prefix_size > room || key->name_size > room)
		return SIZE_MAX;
	*clean = otlog__key_is_utf8(key);
	writer->notes->not_utf8 |= !*clean;
	size_t size = otlog__key_wire_size(key, *clean);
	return size > room ? SIZE_MAX : size;
}

uint8_t *
otlog__put_leaf(const otlog__writer *writer, uint8_t *at, uint8_t tag, const otlog__key *key, const otlog__leaf *value)
{
	size_t room = otlog__room(writer, at);
	if (value->data_size > room)
		return NULL;
	size_t value_size = value->head_size + value->data_size;
	size_t size = otlog__varint_size(value_size) + value_size;
	if (!key) {
		if (1 + size > room)
			return NULL;
		*at++ = tag;
	} else {
		bool clean;
		size_t key_size = otlog__key_size_in(writer, key, room, &clean);
		if (key_size == SIZE_MAX)
			return NULL;
		size += 1 + otlog__varint_size(key_size) + key_size + 1;
		if (1 + otlog__varint_size(size) + size > room)
			return NULL;
		*at++ = tag;
		at = otlog__put_varint(at, size);
		at = otlog__put_key(at, key, key_size, clean);
	}
	at = otlog__put_varint(at, value_size);
	at = otlog__put_bytes(at, value->head, value->head_size);
	return otlog__put_bytes(at, value->data, value->data_size);
}
