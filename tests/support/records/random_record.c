#include "tests/support/records/random_record.h"

#include <stdlib.h>

#include "tests/support/harness/check.h"

typedef struct random_block {
	struct random_block *next;
	max_align_t bytes[];
} random_block;

/* Where choices come from: the bytes while there are any and then 0, or a seed. */
typedef struct source {
	random_record *record;
	const uint8_t *bytes;
	size_t left;
	uint64_t seed;
	size_t budget; /* values that may still be made, so that trees end */
} source;

uint64_t
random_next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1du;
}

/* 0…below-1 */
static size_t
choose(source *s, size_t below)
{
	if (s->seed)
		return (size_t)(random_next(&s->seed) >> 11) % below;
	size_t number = 0;
	for (size_t reach = 1; s->left && reach < below; reach <<= 8) {
		number = number << 8 | *s->bytes++;
		s->left--;
	}
	return number % below;
}

static uint64_t
number(source *s)
{
	uint64_t bits = (uint64_t)choose(s, 0x10000) << 48 | (uint64_t)choose(s, 0x10000) << 32 |
	                (uint64_t)choose(s, 0x10000) << 16 | choose(s, 0x10000);
	return bits >> choose(s, 64);
}

static void *
allocate(source *s, size_t size)
{
	random_block *block = calloc(1, sizeof *block + size);
	CHECK(block);
	block->next = s->record->blocks;
	s->record->blocks = block;
	return block->bytes;
}

/* ---- Text -------------------------------------------------------------------------------------------------------- */

/* Sizes near those where a copy, a length or a length of a length changes its form. */
static size_t
text_size(source *s)
{
	static const size_t edges[] = { 4, 8, 16, 32, 64, 100, 110, 120, 127, 128, 255, 256 };
	switch (choose(s, 16)) {
	case 0:
		return 0;
	case 1:
		return choose(s, 40) ? choose(s, 300) : 16370 + choose(s, 40);
	case 2:
	case 3:
	case 4:
	case 5:
		return edges[choose(s, sizeof edges / sizeof *edges)] + choose(s, 3) - 1;
	default:
		return choose(s, 40);
	}
}

static void
fill_with_characters(source *s, uint8_t *data, size_t size)
{
	static const char *const characters[] = {
		"a", "é", "語", "\xf0\x9f\x90\x9f", "\xef\xbf\xbd", "\xf4\x8f\xbf\xbf"
	};
	size_t at = 0;
	while (at < size) {
		const char *character = characters[choose(s, sizeof characters / sizeof *characters)];
		size_t length = strlen(character);
		if (length > size - at) {
			character = "z";
			length = 1;
		}
		memcpy(data + at, character, length);
		at += length;
	}
}

/* Writes text, or what should have been text. */
static void
fill(source *s, uint8_t *data, size_t size)
{
	size_t kind = choose(s, 12);
	for (size_t i = 0; i < size; i++)
		data[i] = (uint8_t)('a' + i % 26);
	if (kind == 0 || kind == 1)
		fill_with_characters(s, data, size);
	if (kind == 1 || kind == 2)
		for (size_t i = choose(s, 3); size && i < 3; i++)
			data[choose(s, size)] = (uint8_t)choose(s, 256);
	if (kind == 3)
		for (size_t i = 0; i < size && i < 64; i++)
			data[i] = (uint8_t)choose(s, 256);
}

/* A block of exactly this size, so that the address sanitizer sees who reads past it. */
static const char *
text(source *s, size_t size)
{
	uint8_t *data = allocate(s, size);
	fill(s, data, size);
	return (const char *)data;
}

static const char *
name(source *s)
{
	if (choose(s, 4) == 0)
		return NULL;
	size_t size = text_size(s);
	uint8_t *data = allocate(s, size + 1);
	fill(s, data, size);
	data[size] = 0;
	return (const char *)data;
}

/* ---- Values ------------------------------------------------------------------------------------------------------ */

static otlog_value value(source *s, unsigned depth);

/* Many are alike, many are one key split in another way, and some differ only where they are not UTF-8. */
static void
key(source *s, otlog_attr *attr)
{
	static const char *const keys[] = { "a",
		                            "b",
		                            "p.a",
		                            "p.b",
		                            "long.prefix.of.keys.a",
		                            "keys.a",
		                            "é",
		                            "\xff",
		                            "\xfe",
		                            "p.\xff",
		                            "\xef\xbf\xbd",
		                            "a\xe2\x82",
		                            "a\0",
		                            "model",
		                            "p.model",
		                            "alias.a",
		                            "" };
	switch (choose(s, 8)) {
	case 0:
		attr->key_size = text_size(s);
		attr->key = text(s, attr->key_size);
		break;
	case 1:
		attr->key = choose(s, 4) ? "a" : NULL;
		attr->key_size = choose(s, 2);
		break;
	default:
		attr->key = keys[choose(s, sizeof keys / sizeof *keys)];
		attr->key_size = strlen(attr->key) + (attr->key[0] == 'a' && choose(s, 20) == 0);
		if (choose(s, 3) == 0) {
			char *copy = allocate(s, 32);
			attr->key_size = (size_t)snprintf(copy, 32, "k%zu", choose(s, 150));
			attr->key = copy;
		}
	}
}

static size_t
item_count(source *s)
{
	size_t count = choose(s, 60) == 0 ? 60 + choose(s, 90) : choose(s, 5);
	count = count < s->budget ? count : s->budget;
	s->budget -= count;
	return count;
}

static otlog_attrs
attributes(source *s, unsigned depth)
{
	otlog_attrs list = { .count = item_count(s) };
	otlog_attr *items = allocate(s, list.count * sizeof *items);
	for (size_t i = 0; i < list.count; i++) {
		key(s, &items[i]);
		items[i].value = value(s, depth);
	}
	list.items = choose(s, 50) ? items : NULL;
	return list;
}

static otlog_value
array(source *s, unsigned depth)
{
	size_t count = item_count(s);
	otlog_value *items = allocate(s, count * sizeof *items);
	for (size_t i = 0; i < count; i++)
		items[i] = value(s, depth);
	return otlog_array(choose(s, 50) ? items : NULL, count);
}

/* Containers in each other, many deep. */
static otlog_value
chain(source *s)
{
	otlog_value inner = otlog_int64(7);
	for (size_t depth = choose(s, 80); depth > 0; depth--) {
		if (choose(s, 2)) {
			otlog_value *item = allocate(s, sizeof *item);
			*item = inner;
			inner = otlog_array(item, 1);
		} else {
			otlog_attr *item = allocate(s, sizeof *item);
			*item = otlog_attr_of("a", inner);
			inner = otlog_map((otlog_attrs){ item, 1 });
		}
	}
	return inner;
}

static otlog_value
scalar(source *s)
{
	static const double doubles[] = { 0.0, -0.0, 0.045, 1e300, -1.5, 5e-324 };
	otlog_value v = otlog_empty();
	double zero = 0;
	switch (choose(s, 8)) {
	case 0:
		return otlog_bool(choose(s, 2));
	case 1:
		return otlog_int64((int64_t)number(s));
	case 2:
		return otlog_int64(-(int64_t)(number(s) >> 1));
	case 3:
		return otlog_uint64(number(s) | (choose(s, 2) ? (uint64_t)1 << 63 : 0));
	case 4:
		return otlog_double(choose(s, 4) ? doubles[choose(s, 6)] : choose(s, 2) ? 1 / zero : zero / zero);
	case 5:
		v.type = (otlog_value_type)choose(s, 40);
		v.type = v.type == OTLOG_VALUE_EMPTY || v.type > OTLOG_VALUE_MAP ? v.type : OTLOG_VALUE_EMPTY;
		return v;
	case 6:
		v = otlog_bytes(NULL, choose(s, 2));
		v.type = choose(s, 2) ? OTLOG_VALUE_STRING : OTLOG_VALUE_BYTES;
		return v;
	default:
		return otlog_int64((int64_t)choose(s, 300) - 100);
	}
}

static otlog_value
value(source *s, unsigned depth)
{
	size_t kind = choose(s, depth < 6 ? 10 : 7);
	if (kind < 4) {
		size_t size = text_size(s);
		const char *data = text(s, size);
		return kind ? otlog_string_n(data, size) : otlog_bytes(data, size);
	}
	if (kind < 7)
		return scalar(s);
	if (kind == 7)
		return otlog_map(attributes(s, depth + 1));
	return kind == 8 ? array(s, depth + 1) : choose(s, 10) ? scalar(s) : chain(s);
}

/* ---- Records ----------------------------------------------------------------------------------------------------- */

static void
groups(source *s, otlog_record *record)
{
	static const otlog_key_alias aliases[] = { { "model", 5, "alias.a", 7 },
		                                   { "b", 1, NULL, 3 },
		                                   { "a", 1, "gen_ai.usage.output_tokens", 26 },
		                                   { NULL, 1, "x", 1 } };
	static const char *const prefixes[] = { NULL, "", "p.", "long.prefix.of.", "long.prefix.of.keys.", "a" };
	record->group_count = choose(s, 4);
	otlog_attr_group *list = allocate(s, record->group_count * sizeof *list);
	for (size_t i = 0; i < record->group_count; i++) {
		list[i].prefix = prefixes[choose(s, sizeof prefixes / sizeof *prefixes)];
		list[i].prefix_size = list[i].prefix ? strlen(list[i].prefix) : choose(s, 2);
		list[i].aliases = choose(s, 2) ? aliases : NULL;
		list[i].alias_count = choose(s, 5);
		list[i].attributes = attributes(s, 1);
	}
	record->groups = choose(s, 20) ? list : NULL;
}

static const otlog_span_context *
context(source *s)
{
	otlog_span_context *made = allocate(s, sizeof *made);
	made->trace_id[choose(s, 16)] = (uint8_t)choose(s, 256);
	made->span_id[choose(s, 8)] = (uint8_t)choose(s, 256);
	made->trace_flags = choose(s, 2) ? (uint8_t)choose(s, 256) : 0;
	return choose(s, 4) ? made : NULL;
}

static random_record *
make(source *s)
{
	random_record *made = calloc(1, sizeof *made);
	CHECK(made);
	s->record = made;
	s->budget = 400;
	made->record = (otlog_record){ .time_unix_nano = choose(s, 4)   ? number(s)
		                                         : choose(s, 2) ? UINT64_MAX
		                                                        : 0,
		                       .observed_time_unix_nano = choose(s, 2) ? number(s) : 0,
		                       .severity = choose(s, 20) ? (int)choose(s, 26) : (int)number(s),
		                       .severity_text = name(s),
		                       .event_name = name(s),
		                       .body = value(s, 1) };
	made->context = context(s);
	made->now_unix_nano = choose(s, 20) ? number(s) : 0;
	made->limits = (otlog__limits)OTLOG__DEFAULT_LIMITS;
	if (choose(s, 4) == 0)
		made->limits = (otlog__limits){ (uint32_t)choose(s, 100), (uint32_t)choose(s, 70), choose(s, 200) };
	made->record.attributes = attributes(s, 1);
	groups(s, &made->record);
	return made;
}

random_record *
random_record_from_seed(uint64_t seed)
{
	source s = { .seed = seed * 2 + 1 };
	random_next(&s.seed);
	return make(&s);
}

random_record *
random_record_from_bytes(const uint8_t *bytes, size_t size)
{
	source s = { .bytes = bytes, .left = size };
	return make(&s);
}

void
random_record_free(random_record *record)
{
	if (!record)
		return;
	while (record->blocks) {
		random_block *block = record->blocks;
		record->blocks = block->next;
		free(block);
	}
	free(record);
}
