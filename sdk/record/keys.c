#include "sdk/record/keys.h"

#include "sdk/base/utf8.h"

static const uint8_t replacement[3] = { 0xef, 0xbf, 0xbd };

otlog__key
otlog__alias_key(const otlog_attr_group *group, const otlog_attr *attr)
{
	const uint8_t *name = (const uint8_t *)attr->key;
	const otlog_key_alias *alias = group->aliases;
	for (size_t i = alias ? group->alias_count : 0; i > 0; i--, alias++) {
		if (alias->key_size == attr->key_size && alias->key && alias->name && alias->name_size &&
		    memcmp(alias->key, name, attr->key_size) == 0) {
			name = (const uint8_t *)alias->name;
			return (otlog__key){ .prefix = name, .name = name, .name_size = alias->name_size };
		}
	}
	return (otlog__key){ .prefix = group->prefix ? (const uint8_t *)group->prefix : name,
		             .prefix_size = group->prefix ? group->prefix_size : 0,
		             .name = name,
		             .name_size = attr->key_size };
}

/* 1…7 bytes as a little-endian number. */
static uint64_t
short_word(const uint8_t *data, size_t size)
{
	if (size >= 4)
		return le32toh(otlog__load32(data)) | (uint64_t)le32toh(otlog__load32(data + size - 4))
		                                          << 8 * (size - 4);
	return (uint64_t)data[0] | (uint64_t)data[size / 2] << 8 * (size / 2) |
	       (uint64_t)data[size - 1] << 8 * (size - 1);
}

/* The last 8 bytes, or all of them moved to the top: two such words can be put one behind the other. */
static uint64_t
end_word(const uint8_t *data, size_t size)
{
	if (size >= 8)
		return le64toh(otlog__load64(data + size - 8));
	return size ? short_word(data, size) << (64 - 8 * size) : 0;
}

uint32_t
otlog__split_key_hash(const otlog__key *key)
{
	uint64_t end = end_word(key->name, key->name_size);
	if (key->prefix_size && key->name_size < 8)
		end |= end_word(key->prefix, key->prefix_size) >> 8 * key->name_size;
	return otlog__key_hash_of(end, key->prefix_size + key->name_size);
}

/* ---- Keys that are not UTF-8 ------------------------------------------------------------------------------------- */

static bool
is_utf8(const uint8_t *data, size_t size)
{
	return otlog__utf8_valid_size(data, size) == size;
}

bool
otlog__key_is_utf8(const otlog__key *key)
{
	return is_utf8(key->prefix, key->prefix_size) && is_utf8(key->name, key->name_size);
}

static size_t
clean_size(const uint8_t *data, size_t size)
{
	size_t result = 0;
	for (const uint8_t *at = data, *end = data + size; at < end;) {
		bool valid;
		size_t step = otlog__utf8_step(at, end, &valid);
		result += valid ? step : sizeof replacement;
		at += step;
	}
	return result;
}

static uint8_t *
put_clean(uint8_t *to, const uint8_t *data, size_t size)
{
	for (const uint8_t *at = data, *end = data + size; at < end;) {
		bool valid;
		size_t step = otlog__utf8_step(at, end, &valid);
		to = valid ? otlog__put_bytes(to, at, step) : otlog__put_bytes(to, replacement, sizeof replacement);
		at += step;
	}
	return to;
}

size_t
otlog__key_wire_size(const otlog__key *key, bool clean)
{
	if (clean)
		return key->prefix_size + key->name_size;
	return clean_size(key->prefix, key->prefix_size) + clean_size(key->name, key->name_size);
}

uint8_t *
otlog__key_put(uint8_t *at, const otlog__key *key, bool clean)
{
	if (clean) {
		at = otlog__put_bytes(at, key->prefix, key->prefix_size);
		return otlog__put_bytes(at, key->name, key->name_size);
	}
	at = put_clean(at, key->prefix, key->prefix_size);
	return put_clean(at, key->name, key->name_size);
}

/* Goes through the bytes of a key as they are on the wire. */
typedef struct cursor {
	const uint8_t *at, *end;           /* of the part that is read */
	const uint8_t *next_at, *next_end; /* of the part behind it */
	const uint8_t *run, *run_end;      /* the character that is given out */
} cursor;

static cursor
cursor_of(const otlog__key *key)
{
	return (cursor){ .at = key->prefix,
		         .end = key->prefix + key->prefix_size,
		         .next_at = key->name,
		         .next_end = key->name + key->name_size };
}

/* The next byte; -1 at the end. */
static int
cursor_next(cursor *c)
{
	if (c->run < c->run_end)
		return *c->run++;
	if (c->at == c->end) {
		c->at = c->next_at;
		c->end = c->next_end;
		c->next_at = c->next_end;
		if (c->at == c->end)
			return -1;
	}
	if (*c->at < 0x80)
		return *c->at++;
	bool valid;
	size_t step = otlog__utf8_step(c->at, c->end, &valid);
	c->run = valid ? c->at : replacement;
	c->run_end = c->run + (valid ? step : sizeof replacement);
	c->at += step;
	return *c->run++;
}

/* ---- Equality ---------------------------------------------------------------------------------------------------- */

static bool
same_bytes(const otlog__key *a, const otlog__key *b)
{
	size_t size = a->prefix_size + a->name_size;
	if (size != b->prefix_size + b->name_size || !a->name_size || !b->name_size ||
	    a->name[a->name_size - 1] != b->name[b->name_size - 1])
		return false;
	if (a->prefix_size > b->prefix_size) {
		const otlog__key *swap = a;
		a = b;
		b = swap;
	}
	/* Three pieces: both in their prefix, b alone in its prefix, both in their name. */
	size_t between = b->prefix_size - a->prefix_size;
	return (!a->prefix_size || memcmp(a->prefix, b->prefix, a->prefix_size) == 0) &&
	       (!between || memcmp(a->name, b->prefix + a->prefix_size, between) == 0) &&
	       memcmp(a->name + between, b->name, b->name_size) == 0;
}

static bool
same_on_wire(const otlog__key *a, const otlog__key *b)
{
	if (same_bytes(a, b))
		return true;
	if (!a->name_size || !b->name_size)
		return false;
	uint8_t a_last = a->name[a->name_size - 1];
	uint8_t b_last = b->name[b->name_size - 1];
	if (a_last != b_last && (a_last < 0x80 || b_last < 0x80))
		return false; /* for most keys this is all it takes */
	cursor left = cursor_of(a);
	cursor right = cursor_of(b);
	int byte;
	do {
		byte = cursor_next(&left);
		if (byte != cursor_next(&right))
			return false;
	} while (byte >= 0);
	return true;
}

/* ---- Lists ------------------------------------------------------------------------------------------------------- */

static size_t
list_count(const otlog_attrs *list)
{
	return list->items ? list->count : 0;
}

size_t
otlog__keys_count(const otlog__keys *keys)
{
	size_t count = list_count(&keys->attributes);
	for (size_t i = 0; i < keys->group_count; i++)
		if (__builtin_add_overflow(count, list_count(&keys->groups[i].attributes), &count))
			return SIZE_MAX;
	return count;
}

static const otlog_attr *
attr_at(const otlog__keys *keys, size_t index, const otlog_attr_group **group)
{
	*group = NULL;
	const otlog_attrs *list = &keys->attributes;
	for (size_t next = 0; index >= list_count(list); next++) {
		index -= list_count(list);
		*group = &keys->groups[next];
		list = &keys->groups[next].attributes;
	}
	return &list->items[index];
}

static otlog__key
key_at(const otlog__keys *keys, size_t index)
{
	const otlog_attr_group *group;
	const otlog_attr *attr = attr_at(keys, index, &group);
	return otlog__key_of(group, attr);
}

bool
otlog__keys_have(const otlog__keys *keys, size_t before, const otlog__key *key)
{
	for (size_t i = 0; i < before; i++) {
		otlog__key other = key_at(keys, i);
		if (same_bytes(&other, key))
			return true;
	}
	return false;
}

bool
otlog__keys_need_plan(const otlog__keys *keys)
{
	otlog__key_filter filter = { { 0 } };
	size_t count = otlog__keys_count(keys);
	for (size_t i = 0; i < count; i++) {
		otlog__key key = key_at(keys, i);
		if (!key.name_size)
			continue;
		if (!otlog__key_is_utf8(&key))
			return true;
		if (otlog__key_filter_add(&filter, otlog__key_hash(&key)) && otlog__keys_have(keys, i, &key))
			return true;
	}
	return false;
}

/* ---- Plans ------------------------------------------------------------------------------------------------------- */

/* One place in the table. `first` is the number plus 1, 0 if the place is free. */
typedef struct slot {
	uint32_t first;
	uint32_t last;
} slot;

static size_t
slot_count(size_t count, size_t limit)
{
	size_t keys = count < limit ? count : limit;
	size_t slots = 128;
	while (slots / 4 * 3 < keys)
		slots *= 2;
	return slots;
}

size_t
otlog__plan_scratch(size_t count, size_t limit)
{
	if (count <= OTLOG__FEW_KEYS)
		return 0;
	if (count > UINT32_MAX / 4)
		return SIZE_MAX;
	return slot_count(count, limit) * sizeof(slot);
}

static uint64_t
wire_hash(const otlog__key *key, const uint8_t *seed)
{
	cursor c = cursor_of(key);
	/* The seed differs from run to run, so that nobody can send keys that are known to collide. */
	uint64_t hash = (uint64_t)(uintptr_t)seed * 0x9e3779b97f4a7c15u;
	for (int byte; (byte = cursor_next(&c)) >= 0;)
		hash = (hash ^ (uint64_t)byte) * 0x100000001b3u;
	return (hash ^ hash >> 32) * 0x9e3779b97f4a7c15u >> 32;
}

/* The place of the key, or the free one where it would be. */
static slot
find_slot(const otlog__plan *plan, const otlog__key *key, uint8_t **place)
{
	size_t mask = slot_count(plan->count, plan->limit) - 1;
	for (size_t i = wire_hash(key, plan->slots);; i++) {
		slot found;
		*place = plan->slots + (i & mask) * sizeof found;
		memcpy(&found, *place, sizeof found);
		if (!found.first)
			return found;
		otlog__key other = key_at(&plan->keys, found.first - 1);
		if (same_on_wire(&other, key))
			return found;
	}
}

bool
otlog__plan_fill(otlog__plan *plan)
{
	bool eventful = false;
	size_t distinct = 0;
	memset(plan->slots, 0, otlog__plan_scratch(plan->count, plan->limit));
	for (size_t i = 0; i < plan->count; i++) {
		otlog__key key = key_at(&plan->keys, i);
		if (!key.name_size)
			continue;
		uint8_t *place;
		slot found = find_slot(plan, &key, &place);
		if (found.first || distinct == plan->limit)
			eventful = true;
		if (!found.first) {
			if (distinct == plan->limit)
				continue;
			distinct++;
			found.first = (uint32_t)i + 1;
		}
		found.last = (uint32_t)i;
		memcpy(place, &found, sizeof found);
	}
	return eventful;
}

otlog__plan
otlog__plan_of(const otlog__keys *keys, size_t limit, uint8_t *slots)
{
	return (otlog__plan){
		.keys = *keys, .count = otlog__keys_count(keys), .limit = limit, .full_at = SIZE_MAX, .slots = slots
	};
}

static otlog__key_fate
fate_by_comparing(otlog__plan *plan, size_t index, const otlog__key *key, size_t *last)
{
	for (size_t i = 0; i < index; i++) {
		otlog__key other = key_at(&plan->keys, i);
		if (same_on_wire(&other, key))
			return i >= plan->full_at ? OTLOG__KEY_DROPPED : OTLOG__KEY_MERGED;
	}
	if (plan->sent == plan->limit) {
		if (plan->full_at == SIZE_MAX)
			plan->full_at = index;
		return OTLOG__KEY_DROPPED;
	}
	plan->sent++;
	for (*last = plan->count - 1; *last > index; --*last) {
		otlog__key other = key_at(&plan->keys, *last);
		if (same_on_wire(&other, key))
			break;
	}
	return OTLOG__KEY_SENT;
}

static otlog__key_fate
fate_by_table(const otlog__plan *plan, size_t index, const otlog__key *key, size_t *last)
{
	uint8_t *place;
	slot found = find_slot(plan, key, &place);
	*last = found.last;
	if (!found.first)
		return OTLOG__KEY_DROPPED;
	return found.first == index + 1 ? OTLOG__KEY_SENT : OTLOG__KEY_MERGED;
}

otlog__key_fate
otlog__plan_fate(otlog__plan *plan, size_t index, otlog__key *key, const otlog_value **value)
{
	*key = key_at(&plan->keys, index);
	if (!key->name_size)
		return OTLOG__KEY_DROPPED;
	size_t last = index;
	otlog__key_fate fate =
	    plan->slots ? fate_by_table(plan, index, key, &last) : fate_by_comparing(plan, index, key, &last);
	if (fate == OTLOG__KEY_SENT) {
		const otlog_attr_group *group;
		*value = &attr_at(&plan->keys, last, &group)->value;
	}
	return fate;
}
