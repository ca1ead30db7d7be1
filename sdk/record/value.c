#include "sdk/record/value.h"

#include "sdk/base/limits.h"

/* A container that is being written. */
typedef struct frame {
	const void *items; /* otlog_attr of a map, otlog_value of an array */
	uint8_t *outer;    /* the length of the KeyValue around it; NULL: there is none */
	uint8_t *inner;    /* the length of the AnyValue around it */
	uint8_t *slots;    /* the table of its plan, or NULL */
	uint32_t count;
	uint32_t next;
	bool is_map;
	bool planned;
} frame;

/* ---- Containers -------------------------------------------------------------------------------------------------- */

static bool
has_items(const otlog_value *value)
{
	return (value->type == OTLOG_VALUE_ARRAY && value->as.array.items && value->as.array.count) ||
	       (value->type == OTLOG_VALUE_MAP && value->as.map.items && value->as.map.count);
}

/*
 * Lends a plan of `count` keys its table, at the end of the room. The bound of a record with so many keys has room for
 * it. NULL if there is none: then the plan does without.
 */
static uint8_t *
borrow_table(otlog__writer *writer, const uint8_t *at, size_t count, size_t limit)
{
	size_t size = otlog__plan_scratch(count, limit);
	if (!writer->tables || !size || size > otlog__room(writer, at))
		return NULL;
	writer->table_used = true;
	writer->end -= size;
	return writer->end;
}

static void
return_table(otlog__writer *writer, const uint8_t *slots, size_t count, size_t limit)
{
	if (slots)
		writer->end += otlog__plan_scratch(count, limit);
}

/*
 * Makes a plan where one is needed: *planned. False if there is no room for one. The table, if any, is in plan->slots
 * and must be returned.
 */
static bool
start_plan(otlog__writer *writer, const uint8_t *at, const otlog__keys *keys, size_t limit, otlog__plan *plan,
           bool *planned)
{
	*plan = otlog__plan_of(keys, limit, NULL);
	*planned = true;
	if (plan->count <= OTLOG__FEW_KEYS) {
		*planned = plan->count > limit || otlog__keys_need_plan(keys);
		return true;
	}
	plan->slots = borrow_table(writer, at, plan->count, limit);
	if (!plan->slots)
		return plan->count <= OTLOG__MANY_KEYS;
	*planned = otlog__plan_fill(plan);
	if (!*planned) {
		return_table(writer, plan->slots, plan->count, limit);
		plan->slots = NULL;
	}
	return true;
}

static otlog__keys
keys_of(const frame *f)
{
	return (otlog__keys){ .attributes = { .items = f->items, .count = f->count } };
}

static bool
plan_map(otlog__writer *writer, const uint8_t *at, frame *f)
{
	otlog__keys keys = keys_of(f);
	otlog__plan plan;
	bool fits = start_plan(writer, at, &keys, SIZE_MAX, &plan, &f->planned);
	f->slots = plan.slots;
	return fits;
}

/* Writes all that comes before the items. The three lengths get one byte each for now. */
static uint8_t *
open_container(otlog__writer *writer, frame *f, uint8_t *at, uint8_t tag, const otlog__key *key,
               const otlog_value *value)
{
	bool is_map = value->type == OTLOG_VALUE_MAP;
	size_t count = is_map ? value->as.map.count : value->as.array.count;
	size_t room = otlog__room(writer, at);
	if (count > UINT32_MAX / 4 || room < 4)
		return NULL;
	*f = (frame){ .items = is_map ? (const void *)value->as.map.items : value->as.array.items,
		      .count = (uint32_t)count,
		      .is_map = is_map };
	*at++ = tag;
	if (key) {
		bool clean;
		size_t key_size = otlog__key_size_in(writer, key, room, &clean);
		if (key_size == SIZE_MAX || 1 + 1 + 1 + otlog__varint_size(key_size) + key_size + 1 + 3 > room)
			return NULL;
		f->outer = at++;
		at = otlog__put_key(at, key, key_size, clean);
	}
	f->inner = at++;
	*at++ = is_map ? OTLOG__ANY_VALUE_KVLIST : OTLOG__ANY_VALUE_ARRAY;
	at++;
	return is_map && !plan_map(writer, at, f) ? NULL : at;
}

/* Now that the size of the items is known, moves them up if the lengths need more than a byte, and writes those. */
static uint8_t *
close_container(otlog__writer *writer, frame *f, uint8_t *at)
{
	return_table(writer, f->slots, f->count, SIZE_MAX);
	uint8_t *items = f->inner + 3;
	uint8_t kind = f->inner[1];
	size_t items_size = (size_t)(at - items);
	size_t list_length = otlog__varint_size(items_size);
	size_t value_size = 1 + list_length + items_size;
	size_t value_length = otlog__varint_size(value_size);
	size_t shift = list_length - 1 + value_length - 1;
	if (f->outer) {
		size_t key_size = (size_t)(f->inner - f->outer - 1);
		size_t size = key_size + value_length + value_size;
		size_t outer_shift = otlog__varint_size(size) - 1;
		shift += outer_shift;
		if (shift > otlog__room(writer, at))
			return NULL;
		if (shift)
			memmove(items + shift, items, items_size);
		if (outer_shift)
			memmove(f->outer + 1 + outer_shift, f->outer + 1, key_size);
		otlog__put_varint(f->outer, size);
		f->inner += outer_shift;
	} else {
		if (shift > otlog__room(writer, at))
			return NULL;
		if (shift)
			memmove(items + shift, items, items_size);
	}
	uint8_t *head = otlog__put_varint(f->inner, value_size);
	*head++ = kind;
	otlog__put_varint(head, items_size);
	return at + shift;
}

/* The next item of the container that is sent; NULL at the end. */
static const otlog_value *
next_item(const otlog__writer *writer, frame *f, otlog__key *key)
{
	while (f->next < f->count) {
		size_t index = f->next++;
		if (!f->is_map)
			return (const otlog_value *)f->items + index;
		const otlog_attr *attr = (const otlog_attr *)f->items + index;
		const otlog_value *value = &attr->value;
		otlog__key_fate fate = OTLOG__KEY_SENT;
		*key = otlog__key_of(NULL, attr);
		if (f->planned) {
			otlog__keys keys = keys_of(f);
			otlog__plan plan = otlog__plan_of(&keys, SIZE_MAX, f->slots);
			fate = otlog__plan_fate(&plan, index, key, &value);
		} else if (!key->name_size) {
			fate = OTLOG__KEY_DROPPED;
		}
		if (fate == OTLOG__KEY_SENT)
			return value;
		writer->notes->dropped_attributes += fate == OTLOG__KEY_DROPPED;
	}
	return NULL;
}

static size_t
depth_limit(const otlog__writer *writer)
{
	return writer->limits->depth < OTLOG__DEPTH_MAX ? writer->limits->depth : OTLOG__DEPTH_MAX;
}

static uint8_t *
put_container(otlog__writer *writer, uint8_t *at, uint8_t tag, const otlog__key *key, const otlog_value *value)
{
	frame frames[OTLOG__DEPTH_MAX];
	size_t depth = 1;
	at = open_container(writer, &frames[0], at, tag, key, value);
	while (at && depth) {
		frame *f = &frames[depth - 1];
		otlog__key item_key;
		const otlog_value *item = next_item(writer, f, &item_key);
		if (!item) {
			at = close_container(writer, f, at);
			depth--;
			continue;
		}
		const otlog__key *its_key = f->is_map ? &item_key : NULL;
		uint8_t item_tag = f->is_map ? OTLOG__KEY_VALUE_LIST_VALUES : OTLOG__ARRAY_VALUE_VALUES;
		if (has_items(item) && depth < depth_limit(writer)) {
			at = open_container(writer, &frames[depth++], at, item_tag, its_key, item);
		} else {
			writer->notes->too_deep |= has_items(item);
			otlog__leaf leaf = otlog__leaf_of(writer, otlog__room(writer, at), item);
			at = otlog__put_leaf(writer, at, item_tag, its_key, &leaf);
		}
	}
	return at;
}

/* ---- What others call -------------------------------------------------------------------------------------------- */

uint8_t *
otlog__put_value(otlog__writer *writer, uint8_t *at, uint8_t tag, const otlog__key *key, const otlog_value *value)
{
	if (has_items(value)) {
		if (depth_limit(writer) > 0)
			return put_container(writer, at, tag, key, value);
		writer->notes->too_deep = true;
	}
	otlog__leaf leaf = otlog__leaf_of(writer, otlog__room(writer, at), value);
	return otlog__put_leaf(writer, at, tag, key, &leaf);
}

static uint8_t *
put_planned(otlog__writer *writer, uint8_t *at, uint8_t tag, otlog__plan *plan)
{
	for (size_t i = 0; at && i < plan->count; i++) {
		otlog__key key;
		const otlog_value *value;
		otlog__key_fate fate = otlog__plan_fate(plan, i, &key, &value);
		if (fate == OTLOG__KEY_SENT)
			at = otlog__put_value(writer, at, tag, &key, value);
		writer->notes->dropped_attributes += fate == OTLOG__KEY_DROPPED;
	}
	return at;
}

static uint8_t *
put_list(otlog__writer *writer, uint8_t *at, uint8_t tag, const otlog_attr_group *group, const otlog_attrs *list)
{
	for (size_t i = 0; at && list->items && i < list->count; i++) {
		otlog__key key = otlog__key_of(group, &list->items[i]);
		if (key.name_size)
			at = otlog__put_value(writer, at, tag, &key, &list->items[i].value);
		else
			writer->notes->dropped_attributes++;
	}
	return at;
}

uint8_t *
otlog__put_attributes(otlog__writer *writer, uint8_t *at, uint8_t tag, const otlog__keys *keys, size_t limit)
{
	otlog__plan plan;
	bool planned;
	if (!start_plan(writer, at, keys, limit, &plan, &planned))
		return NULL;
	if (planned) {
		at = put_planned(writer, at, tag, &plan);
		return_table(writer, plan.slots, plan.count, limit);
		return at;
	}
	at = put_list(writer, at, tag, NULL, &keys->attributes);
	for (size_t i = 0; at && i < keys->group_count; i++)
		at = put_list(writer, at, tag, &keys->groups[i], &keys->groups[i].attributes);
	return at;
}
