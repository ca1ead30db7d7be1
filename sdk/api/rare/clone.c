#include "sdk/api/rare/clone.h"

#include "sdk/base/limits.h"

#include <stdlib.h>
#include <string.h>

/* As deep as a record may nest; bounds the recursion below, whatever the caller gives. */

/* Hands out pieces of one block: first only counts (base NULL), then, in the same order, gives them out. */
typedef struct arena {
	char *base;
	size_t used;
} arena;

static void *
take(arena *a, size_t size)
{
	void *piece = a->base ? a->base + a->used : NULL;
	a->used += (size + 7) & ~(size_t)7; /* every piece stays aligned for pointers and doubles */
	return piece;
}

static const void *
copy_bytes(arena *a, const void *data, size_t size)
{
	void *piece = take(a, size);
	if (piece && size)
		memcpy(piece, data, size);
	return piece;
}

static otlog_attrs copy_attrs(arena *a, otlog_attrs from, int depth);

static otlog_value
copy_value(arena *a, const otlog_value *from, int depth)
{
	otlog_value to = *from;
	switch (from->type) {
	case OTLOG_VALUE_STRING:
	case OTLOG_VALUE_BYTES:
		if (!from->as.bytes.data)
			to.as.bytes.size = 0;
		to.as.bytes.data = copy_bytes(a, from->as.bytes.data, to.as.bytes.size);
		break;
	case OTLOG_VALUE_ARRAY: {
		size_t count = from->as.array.items && depth < OTLOG__DEPTH_MAX ? from->as.array.count : 0;
		otlog_value *items = take(a, count * sizeof *items);
		for (size_t i = 0; i < count; i++) {
			otlog_value item = copy_value(a, &from->as.array.items[i], depth + 1);
			if (items)
				items[i] = item;
		}
		to = otlog_array(items, count);
		break;
	}
	case OTLOG_VALUE_MAP:
		to = otlog_map(
		    copy_attrs(a, depth < OTLOG__DEPTH_MAX ? from->as.map : (otlog_attrs){ NULL, 0 }, depth + 1));
		break;
	default:
		break;
	}
	return to;
}

static otlog_attrs
copy_attrs(arena *a, otlog_attrs from, int depth)
{
	size_t count = from.items ? from.count : 0;
	otlog_attr *items = take(a, count * sizeof *items);
	for (size_t i = 0; i < count; i++) {
		size_t key_size = from.items[i].key ? from.items[i].key_size : 0;
		otlog_attr attr = { copy_bytes(a, from.items[i].key, key_size), key_size,
			            copy_value(a, &from.items[i].value, depth) };
		if (items)
			items[i] = attr;
	}
	return (otlog_attrs){ items, count };
}

bool
otlog__attrs_clone(otlog_attrs attributes, otlog_attrs *out)
{
	*out = (otlog_attrs){ NULL, 0 };
	arena a = { NULL, 0 };
	copy_attrs(&a, attributes, 0);
	if (a.used == 0)
		return true;
	a = (arena){ malloc(a.used), 0 };
	if (!a.base)
		return false;
	*out = copy_attrs(&a, attributes, 0);
	return true;
}

static bool
bytes_equal(const void *a, size_t a_size, const void *b, size_t b_size)
{
	return a_size == b_size && (a_size == 0 || memcmp(a, b, a_size) == 0);
}

static bool
value_equal(const otlog_value *a, const otlog_value *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case OTLOG_VALUE_BOOL:
		return a->as.boolean == b->as.boolean;
	case OTLOG_VALUE_INT64:
	case OTLOG_VALUE_UINT64:
	case OTLOG_VALUE_DOUBLE:
		return memcmp(&a->as, &b->as, sizeof a->as.uint64) == 0;
	case OTLOG_VALUE_STRING:
	case OTLOG_VALUE_BYTES:
		return bytes_equal(a->as.bytes.data, a->as.bytes.data ? a->as.bytes.size : 0, b->as.bytes.data,
		                   b->as.bytes.data ? b->as.bytes.size : 0);
	case OTLOG_VALUE_ARRAY: {
		size_t count = a->as.array.items ? a->as.array.count : 0;
		if (count != (b->as.array.items ? b->as.array.count : 0))
			return false;
		for (size_t i = 0; i < count; i++)
			if (!value_equal(&a->as.array.items[i], &b->as.array.items[i]))
				return false;
		return true;
	}
	case OTLOG_VALUE_MAP:
		return otlog__attrs_equal(a->as.map, b->as.map);
	default:
		return true;
	}
}

bool
otlog__attrs_equal(otlog_attrs a, otlog_attrs b)
{
	size_t count = a.items ? a.count : 0;
	if (count != (b.items ? b.count : 0))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!bytes_equal(a.items[i].key, a.items[i].key_size, b.items[i].key, b.items[i].key_size) ||
		    !value_equal(&a.items[i].value, &b.items[i].value))
			return false;
	return true;
}
