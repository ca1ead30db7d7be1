/*
 * The keys of a record's attributes, or of a map: what they are on the wire, and which of them are sent.
 *
 * A key given twice is sent once, in the place of the first with the value of the last. Almost no list has such keys,
 * so the encoder first looks whether there are any (a hash of a key's end, a filter of bits), and only then makes a
 * plan.
 *
 * Keys count as equal if they are so on the wire, where U+FFFD stands for what is not UTF-8.
 */
#ifndef OTLOG_RECORD_KEYS_H
#define OTLOG_RECORD_KEYS_H

#include <otlog/logs.h>

#include <endian.h>

#include "sdk/wire/write.h"

/* Up to this many keys are compared with each other; more of them get a table. */
#define OTLOG__FEW_KEYS 64
/* Up to this many keys are compared with each other when there is no room for a table. */
#define OTLOG__MANY_KEYS 4096

/* A key on its way to the wire: prefix and name, one behind the other. name_size 0: there is no key, else no NULL. */
typedef struct otlog__key {
	const uint8_t *prefix;
	const uint8_t *name;
	size_t prefix_size;
	size_t name_size;
} otlog__key;

/* Lists of attributes whose keys are unique among all of them. Numbered from the first of `attributes` on. */
typedef struct otlog__keys {
	otlog_attrs attributes;
	const otlog_attr_group *groups;
	size_t group_count;
} otlog__keys;

otlog__key otlog__alias_key(const otlog_attr_group *group, const otlog_attr *attr);

/* `group` is NULL for an attribute outside of groups. */
static inline otlog__key
otlog__key_of(const otlog_attr_group *group, const otlog_attr *attr)
{
	if (!attr->key || !attr->key_size)
		return (otlog__key){ 0 };
	if (group)
		return otlog__alias_key(group, attr);
	const uint8_t *name = (const uint8_t *)attr->key;
	return (otlog__key){ .prefix = name, .name = name, .name_size = attr->key_size };
}

/* A number of 9 bits that depends on the end of the key and its size, wherever it is split into prefix and name. */
uint32_t otlog__split_key_hash(const otlog__key *key);

/* The factor is one that keeps the keys of Bonito and Mito apart. */
static inline uint32_t
otlog__key_hash_of(uint64_t end, size_t size)
{
	return (uint32_t)((end ^ size) * 0xff51afd7ed558ccdu >> 55);
}

static inline uint32_t
otlog__key_hash(const otlog__key *key)
{
	if (key->name_size < 8)
		return otlog__split_key_hash(key);
	return otlog__key_hash_of(le64toh(otlog__load64(key->name + key->name_size - 8)),
	                          key->prefix_size + key->name_size);
}

/* A set of hashes that may say yes by mistake. {0} is empty. */
typedef struct otlog__key_filter {
	uint64_t words[8];
} otlog__key_filter;

/* Adds the hash; returns whether it was there before. */
static inline bool
otlog__key_filter_add(otlog__key_filter *filter, uint32_t hash)
{
	uint64_t bit = (uint64_t)1 << (hash & 63);
	uint64_t *word = &filter->words[hash >> 6];
	bool was = *word & bit;
	*word |= bit;
	return was;
}

bool otlog__key_is_utf8(const otlog__key *key);

/* The bytes that the key takes on the wire, and writing them. `clean`: it is UTF-8. */
size_t otlog__key_wire_size(const otlog__key *key, bool clean);
uint8_t *otlog__key_put(uint8_t *at, const otlog__key *key, bool clean);

/* How many attributes there are in all. */
size_t otlog__keys_count(const otlog__keys *keys);

/* Whether one of the first `before` attributes has this key, byte by byte. */
bool otlog__keys_have(const otlog__keys *keys, size_t before, const otlog__key *key);

/* For OTLOG__FEW_KEYS at most: whether some key is there twice or is not UTF-8, so that a plan is needed. */
bool otlog__keys_need_plan(const otlog__keys *keys);

/* ---- Plans ------------------------------------------------------------------------------------------------------- */

/* What becomes of one attribute. */
typedef enum otlog__key_fate {
	OTLOG__KEY_SENT,
	OTLOG__KEY_MERGED, /* an earlier one has taken its value, or a later one's */
	OTLOG__KEY_DROPPED /* no key, or over the limit */
} otlog__key_fate;

typedef struct otlog__plan {
	otlog__keys keys;
	size_t count;
	size_t limit;   /* different keys that may be sent */
	size_t sent;    /* without a table: different keys seen so far */
	size_t full_at; /* without a table: the first attribute that was over the limit */
	uint8_t *slots; /* a table of number of the first, number of the last; NULL: keys are compared one by one */
} otlog__plan;

/* Bytes of scratch memory that a plan of so many attributes wants; 0 for few, SIZE_MAX for more than there can be. */
size_t otlog__plan_scratch(size_t count, size_t limit);

/* A plan without a table, in quadratic time; or one that goes on with the table of an earlier plan of the same keys. */
otlog__plan otlog__plan_of(const otlog__keys *keys, size_t limit, uint8_t *slots);

/*
 * Fills the table, otlog__plan_scratch bytes that must live as long as the plan. Returns whether anything is merged or
 * over the limit.
 */
bool otlog__plan_fill(otlog__plan *plan);

/* To be asked for each attribute in turn. For a sent one *value is the value of the last with its key. */
otlog__key_fate otlog__plan_fate(otlog__plan *plan, size_t index, otlog__key *key, const otlog_value **value);

#endif
