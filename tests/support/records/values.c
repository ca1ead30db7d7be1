#include "tests/support/records/values.h"

#include "tests/support/harness/check.h"
#include "tests/support/records/utf8_oracle.h"

#include <inttypes.h>
#include <math.h>

bool
text_is(const char *text, const char *expected)
{
	return text && expected ? strcmp(text, expected) == 0 : text == expected;
}

static bool
is_utf8(const char *text, size_t size)
{
	for (size_t at = 0, length; at < size; at += length)
		if (!(length = utf8_oracle_character((const uint8_t *)text + at, size - at)))
			return false;
	return true;
}

static bool
bytes_are(const otlog_value *value, const void *data, size_t size)
{
	/* What a decoder gives ends in a NUL that is not counted. */
	return value->as.bytes.size == size && value->as.bytes.data &&
	       (size == 0 || memcmp(value->as.bytes.data, data, size) == 0) &&
	       ((const char *)value->as.bytes.data)[size] == '\0';
}

static bool
array_came_back(const otlog_value *given, const otlog_value *got)
{
	if (given->as.array.count != got->as.array.count)
		return false;
	for (size_t i = 0; i < given->as.array.count; i++)
		if (!value_came_back(&given->as.array.items[i], &got->as.array.items[i]))
			return false;
	return true;
}

static otlog_value_type
expected_type(const otlog_value *given)
{
	if (given->type == OTLOG_VALUE_UINT64)
		return given->as.uint64 <= INT64_MAX ? OTLOG_VALUE_INT64 : OTLOG_VALUE_STRING;
	if (given->type == OTLOG_VALUE_STRING && !is_utf8(given->as.bytes.data, given->as.bytes.size))
		return OTLOG_VALUE_BYTES;
	return given->type;
}

bool
value_came_back(const otlog_value *given, const otlog_value *got)
{
	char digits[24];
	if (got->type != expected_type(given))
		return false;
	switch (given->type) {
	case OTLOG_VALUE_EMPTY:
		return true;
	case OTLOG_VALUE_BOOL:
		return got->as.boolean == given->as.boolean;
	case OTLOG_VALUE_INT64:
		return got->as.int64 == given->as.int64;
	case OTLOG_VALUE_UINT64:
		if (got->type == OTLOG_VALUE_INT64)
			return (uint64_t)got->as.int64 == given->as.uint64;
		snprintf(digits, sizeof digits, "%" PRIu64, given->as.uint64);
		return bytes_are(got, digits, strlen(digits));
	case OTLOG_VALUE_DOUBLE:
		return memcmp(&got->as.float64, &given->as.float64, sizeof given->as.float64) == 0;
	case OTLOG_VALUE_STRING:
	case OTLOG_VALUE_BYTES:
		return bytes_are(got, given->as.bytes.data, given->as.bytes.size);
	case OTLOG_VALUE_ARRAY:
		return array_came_back(given, got);
	case OTLOG_VALUE_MAP:
		return attrs_came_back(given->as.map, got->as.map);
	}
	return false;
}

bool
attrs_came_back(otlog_attrs given, otlog_attrs got)
{
	if (given.count != got.count)
		return false;
	for (size_t i = 0; i < given.count; i++) {
		const otlog_attr *a = &given.items[i], *b = &got.items[i];
		if (a->key_size != b->key_size || memcmp(a->key, b->key, a->key_size) != 0 ||
		    b->key[b->key_size] != '\0' || !value_came_back(&a->value, &b->value))
			return false;
	}
	return true;
}

typedef struct block {
	struct block *next;
	max_align_t bytes[];
} block;

static void *
take(random_values *random, size_t size)
{
	block *b = calloc(1, sizeof *b + size);
	CHECK(b);
	b->next = random->blocks;
	random->blocks = b;
	return b->bytes;
}

random_values
random_values_of(uint64_t seed)
{
	return (random_values){ .state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1 };
}

void
random_values_free(random_values *random)
{
	for (block *at = random->blocks; at;) {
		block *next = at->next;
		free(at);
		at = next;
	}
	random->blocks = NULL;
}

uint64_t
random_number(random_values *random, uint64_t below)
{
	/* splitmix64 */
	uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	z ^= z >> 31;
	return below ? z % below : z;
}

/* Bytes of text: ASCII, characters of several bytes, and where `soiled` also bytes that are no UTF-8. No NUL. */
static size_t
random_bytes_of_text(random_values *random, char *out, size_t size, bool soiled)
{
	static const char *const pieces[] = { "a", "Zq", " ", "\n", ": ", "é", "€", "😀", "\"", "." };
	static const char *const dirt[] = { "\xff", "\x80", "\xc3", "\xed\xa0\x80", "\xf0\x9f" };
	size_t at = 0;
	for (;;) {
		const char *piece = pieces[random_number(random, sizeof pieces / sizeof pieces[0])];
		if (soiled && random_number(random, 8) == 0)
			piece = dirt[random_number(random, sizeof dirt / sizeof dirt[0])];
		if (strlen(piece) > size - at)
			return at;
		memcpy(out + at, piece, strlen(piece));
		at += strlen(piece);
	}
}

const char *
random_text(random_values *random)
{
	const uint64_t kind = random_number(random, 10);
	if (kind == 0)
		return NULL;
	const size_t size = random_number(random, kind == 1 ? 1 : kind == 2 ? 700 : 40);
	char *text = take(random, size + 1);
	random_bytes_of_text(random, text, size, kind == 3);
	return text;
}

static otlog_value
random_value(random_values *random, unsigned depth)
{
	const double numbers[] = { 0.0, -0.0, 1.5, 1e308, -5e-324, (double)NAN, (double)INFINITY, -(double)INFINITY };
	const size_t size = random_number(random, random_number(random, 20) ? 30 : 300);
	otlog_value *items;
	char *bytes;
	switch (random_number(random, depth > 0 ? 10 : 8)) {
	case 0:
		return otlog_empty();
	case 1:
		return otlog_bool(random_number(random, 2));
	case 2:
		return otlog_int64((int64_t)random_number(random, 0) >> random_number(random, 64));
	case 3:
		return otlog_uint64(random_number(random, 0) >> random_number(random, 64));
	case 4:
		return otlog_double(numbers[random_number(random, sizeof numbers / sizeof numbers[0])]);
	case 5:
	case 6:
		bytes = take(random, size + 1);
		return otlog_string_n(bytes, random_bytes_of_text(random, bytes, size, random_number(random, 4) == 0));
	case 7:
		bytes = take(random, size + 1);
		for (size_t i = 0; i < size; i++)
			bytes[i] = (char)random_number(random, 256);
		return otlog_bytes(bytes, size);
	case 8:
		items = take(random, 5 * sizeof *items);
		for (size_t i = 0; i < 5; i++)
			items[i] = random_value(random, depth - 1);
		return otlog_array(items, random_number(random, 6));
	default:
		return otlog_map(random_attrs(random, 5, depth - 1));
	}
}

otlog_attrs
random_attrs(random_values *random, size_t most, unsigned depth)
{
	const size_t count = random_number(random, most + 1);
	otlog_attr *items = take(random, (count + 1) * sizeof *items);
	for (size_t i = 0; i < count; i++) {
		char *key = take(random, 64);
		const size_t size = random_bytes_of_text(random, key, random_number(random, 20), false);
		snprintf(key + size, 64 - size, "%u", random->keys++);
		items[i] = otlog_attr_of(key, random_value(random, depth));
	}
	return (otlog_attrs){ items, count };
}
