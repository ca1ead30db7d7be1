#include "sdk/record/bound.h"

#include "sdk/base/limits.h"
#include "sdk/record/value.h"

/* Tags and lengths around an item: four of either at most. */
enum { SHORT_ITEM = 112, SHORT_OVERHEAD = 8, LONG_OVERHEAD = 4 + 4 * OTLOG__MAX_VARINT };

/* Of a LogRecord: the time, severity number, dropped attributes, flags, trace id, span id and observed time. */
enum { FIXED_FIELDS = 9 + 2 + 6 + 5 + 18 + 10 + 9 };

/* A container whose items are being added up. */
typedef struct level {
	const char *item;
	size_t left;
	bool is_map;
} level;

static inline size_t
add(size_t a, size_t b)
{
	size_t sum;
	return __builtin_add_overflow(a, b, &sum) ? SIZE_MAX : sum;
}

static inline size_t
item_bound(size_t key_size, size_t value_size)
{
	size_t size = add(key_size, value_size);
	return add(size, size < SHORT_ITEM ? SHORT_OVERHEAD : LONG_OVERHEAD);
}

/* Without tag and length. Containers count as empty. */
static inline size_t
leaf_bound(const otlog_value *value, const otlog__limits *limits)
{
	switch (value->type) {
	case OTLOG_VALUE_STRING:
	case OTLOG_VALUE_BYTES:
		if (!value->as.bytes.data)
			return 0;
		return value->as.bytes.size < limits->value_size ? value->as.bytes.size : limits->value_size;
	case OTLOG_VALUE_INT64:
		return OTLOG__MAX_VARINT;
	case OTLOG_VALUE_UINT64:
		return 20; /* decimal digits */
	case OTLOG_VALUE_BOOL:
	case OTLOG_VALUE_DOUBLE:
		return 8;
	case OTLOG_VALUE_EMPTY:
	case OTLOG_VALUE_ARRAY:
	case OTLOG_VALUE_MAP:
		break;
	}
	return 0;
}

static bool
descend(level *into, const otlog_value *value)
{
	if (value->type == OTLOG_VALUE_ARRAY && value->as.array.items) {
		*into = (level){ (const char *)value->as.array.items, value->as.array.count, false };
		return true;
	}
	if (value->type == OTLOG_VALUE_MAP && value->as.map.items) {
		*into = (level){ (const char *)value->as.map.items, value->as.map.count, true };
		return true;
	}
	return false;
}

/* What is inside a container, and what its plan and those of the maps inside borrow. */
static size_t
contents_bound(const otlog_value *container, const otlog__limits *limits)
{
	level levels[OTLOG__DEPTH_MAX];
	size_t depth_limit = limits->depth < OTLOG__DEPTH_MAX ? limits->depth : OTLOG__DEPTH_MAX;
	size_t depth = 0;
	size_t total = 0;
	const otlog_value *value = container;
	for (;;) {
		if (depth < depth_limit && descend(&levels[depth], value)) {
			if (levels[depth].is_map)
				total = add(total, otlog__plan_scratch(levels[depth].left, SIZE_MAX));
			total = add(total, LONG_OVERHEAD);
			depth++;
		}
		while (depth && !levels[depth - 1].left)
			depth--;
		if (!depth || total == SIZE_MAX)
			return total;
		level *l = &levels[depth - 1];
		size_t key_size =
		    l->is_map && ((const otlog_attr *)l->item)->key ? ((const otlog_attr *)l->item)->key_size : 0;
		value = l->is_map ? &((const otlog_attr *)l->item)->value : (const otlog_value *)l->item;
		l->item += l->is_map ? sizeof(otlog_attr) : sizeof(otlog_value);
		l->left--;
		total = add(total, item_bound(key_size, leaf_bound(value, limits)));
	}
}

static inline size_t
value_bound(const otlog_value *value, const otlog__limits *limits)
{
	if (value->type == OTLOG_VALUE_ARRAY || value->type == OTLOG_VALUE_MAP)
		return contents_bound(value, limits);
	return leaf_bound(value, limits);
}

static size_t
longest_alias(const otlog_attr_group *group)
{
	size_t longest = 0;
	for (size_t i = 0; group->aliases && i < group->alias_count; i++)
		if (group->aliases[i].name_size > longest)
			longest = group->aliases[i].name_size;
	return longest;
}

/* Of an attribute that is short and no container; SIZE_MAX for others. */
static inline size_t
short_bound(size_t key_size, const otlog_value *value, const otlog__limits *limits)
{
	size_t size = 20; /* no number is longer */
	if (value->type == OTLOG_VALUE_STRING || value->type == OTLOG_VALUE_BYTES)
		size = value->as.bytes.size < limits->value_size ? value->as.bytes.size : limits->value_size;
	else if (value->type >= OTLOG_VALUE_ARRAY)
		return SIZE_MAX;
	return size < SHORT_ITEM && key_size < SHORT_ITEM - size ? size + key_size + SHORT_OVERHEAD : SIZE_MAX;
}

/* Adds the attributes of a list to *total; returns the greatest of them, if that is more than `greatest`. */
static size_t
list_bound(const otlog_attrs *list, const otlog_attr_group *group, const otlog__limits *limits, size_t *total,
           size_t greatest)
{
	size_t prefix_size = group && group->prefix ? group->prefix_size : 0;
	size_t alias_size = group ? longest_alias(group) : 0;
	size_t sum = *total;
	for (size_t i = 0; list->items && i < list->count; i++) {
		const otlog_attr *attr = &list->items[i];
		size_t key_size = attr->key ? add(prefix_size, attr->key_size) : 0;
		key_size = key_size > alias_size ? key_size : alias_size;
		size_t bound = short_bound(key_size, &attr->value, limits);
		if (bound == SIZE_MAX)
			bound = item_bound(key_size, value_bound(&attr->value, limits));
		greatest = bound > greatest ? bound : greatest;
		sum = add(sum, bound);
	}
	*total = sum;
	return greatest;
}

size_t
otlog__attributes_bound(const otlog__keys *keys, size_t count_limit, const otlog__limits *limits)
{
	size_t total = 0;
	size_t greatest = list_bound(&keys->attributes, NULL, limits, &total, 0);
	size_t count = keys->attributes.count;
	for (size_t i = 0; i < keys->group_count; i++) {
		const otlog_attr_group *group = &keys->groups[i];
		greatest = list_bound(&group->attributes, group, limits, &total, greatest);
		count = add(count, group->attributes.count);
	}
	if (count <= OTLOG__FEW_KEYS && count <= count_limit)
		return total;
	size_t sent;
	if (!__builtin_mul_overflow(greatest, count_limit, &sent) && sent < total)
		total = sent;
	return add(total, otlog__plan_scratch(otlog__keys_count(keys), count_limit));
}

size_t
otlog__field_bound(size_t size)
{
	return add(size, 1 + OTLOG__MAX_VARINT);
}

static size_t
name_bound(const char *name)
{
	return name ? otlog__field_bound(strlen(name)) : 0;
}

size_t
otlog__record_bound(const otlog_record *record, const otlog__limits *limits)
{
	otlog__keys keys = { .attributes = record->attributes,
		             .groups = record->groups,
		             .group_count = record->groups ? record->group_count : 0 };
	size_t total = FIXED_FIELDS + name_bound(record->severity_text) + name_bound(record->event_name);
	total = add(total, item_bound(0, value_bound(&record->body, limits)));
	return add(total, otlog__attributes_bound(&keys, limits->attribute_count, limits));
}

size_t
otlog__record_value_limit(const otlog_record *record, const otlog__limits *limits, size_t room)
{
	otlog__limits cut = *limits;
	size_t fits = 0;
	size_t too_long = limits->value_size < room ? limits->value_size : room;
	if (too_long < SIZE_MAX)
		too_long++;
	while (too_long - fits > 1) {
		cut.value_size = fits + (too_long - fits) / 2;
		if (otlog__record_bound(record, &cut) <= room)
			fits = cut.value_size;
		else
			too_long = cut.value_size;
	}
	return fits;
}
