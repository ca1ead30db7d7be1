/*
 * The protobuf wire format, writing side: tags, varints and copies.
 *
 * The functions write without checking: whoever calls them has compared the sizes with the room.
 */
#ifndef OTLOG_WIRE_WRITE_H
#define OTLOG_WIRE_WRITE_H

#include "sdk/wire/types.h"

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define OTLOG__MAX_VARINT 10

/* Bytes that the varint takes: 1 for each begun 7 bits. */
static inline size_t
otlog__varint_size(uint64_t value)
{
	unsigned bits = 64 - (unsigned)__builtin_clzll(value | 1);
	return (bits * 9 + 64) / 64; /* ⌈bits / 7⌉ for 1…64 */
}

static inline uint8_t *
otlog__put_varint(uint8_t *at, uint64_t value)
{
	while (value >= 0x80) {
		*at++ = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	*at++ = (uint8_t)value;
	return at;
}

static inline uint8_t *
otlog__put_fixed32(uint8_t *at, uint32_t value)
{
	value = htole32(value);
	memcpy(at, &value, sizeof value);
	return at + sizeof value;
}

static inline uint8_t *
otlog__put_fixed64(uint8_t *at, uint64_t value)
{
	value = htole64(value);
	memcpy(at, &value, sizeof value);
	return at + sizeof value;
}

static inline uint8_t *
otlog__put_bytes(uint8_t *at, const void *data, size_t size)
{
	if (size)
		memcpy(at, data, size);
	return at + size;
}

/* ---- Short copies ---------------------------------------------------------------------------------------------------
 *
 * Most strings of a record are short, and a call of memcpy costs more than they do. Two loads that overlap cover every
 * size between theirs and the double, without a loop; what was loaded is at hand to see whether it is ASCII.
 */
#define OTLOG__SHORT_COPY 64
#define OTLOG__HIGH_BITS 0x8080808080808080u

typedef uint64_t otlog__chunk __attribute__((vector_size(16)));

static inline otlog__chunk
otlog__load_chunk(const uint8_t *from)
{
	otlog__chunk chunk;
	memcpy(&chunk, from, sizeof chunk);
	return chunk;
}

static inline void
otlog__store_chunk(uint8_t *to, otlog__chunk chunk)
{
	memcpy(to, &chunk, sizeof chunk);
}

static inline uint64_t
otlog__load64(const uint8_t *from)
{
	uint64_t word;
	memcpy(&word, from, sizeof word);
	return word;
}

static inline uint32_t
otlog__load32(const uint8_t *from)
{
	uint32_t word;
	memcpy(&word, from, sizeof word);
	return word;
}

/* All bytes that were copied, put together by OR. {0}: none yet. */
typedef struct otlog__ascii {
	otlog__chunk chunk;
	uint64_t word;
} otlog__ascii;

static inline bool
otlog__is_ascii(const otlog__ascii *seen)
{
	return !((seen->word | seen->chunk[0] | seen->chunk[1]) & OTLOG__HIGH_BITS);
}

OTLOG__ALWAYS_INLINE void
otlog__copy_chunks(uint8_t *to, const uint8_t *from, size_t size, otlog__ascii *seen)
{
	otlog__chunk first = otlog__load_chunk(from);
	otlog__chunk last = otlog__load_chunk(from + size - 16);
	otlog__chunk all = first | last;
	if (size > 32) {
		otlog__chunk second = otlog__load_chunk(from + 16);
		otlog__chunk third = otlog__load_chunk(from + size - 32);
		otlog__store_chunk(to + 16, second);
		otlog__store_chunk(to + size - 32, third);
		all |= second | third;
	}
	otlog__store_chunk(to, first);
	otlog__store_chunk(to + size - 16, last);
	seen->chunk |= all;
}

OTLOG__ALWAYS_INLINE void
otlog__copy_words(uint8_t *to, const uint8_t *from, size_t size, otlog__ascii *seen)
{
	if (size >= 8) {
		uint64_t first = otlog__load64(from);
		uint64_t last = otlog__load64(from + size - 8);
		memcpy(to, &first, 8);
		memcpy(to + size - 8, &last, 8);
		seen->word |= first | last;
	} else if (size >= 4) {
		uint32_t first = otlog__load32(from);
		uint32_t last = otlog__load32(from + size - 4);
		memcpy(to, &first, 4);
		memcpy(to + size - 4, &last, 4);
		seen->word |= first | last;
	} else if (size) {
		uint8_t first = from[0];
		uint8_t middle = from[size / 2];
		uint8_t last = from[size - 1];
		to[0] = first;
		to[size / 2] = middle;
		to[size - 1] = last;
		seen->word |= first | middle | last;
	}
}

/* Copies at most OTLOG__SHORT_COPY bytes, and exactly these. */
OTLOG__ALWAYS_INLINE void
otlog__copy_short(uint8_t *to, const uint8_t *from, size_t size, otlog__ascii *seen)
{
	if (size >= 16)
		otlog__copy_chunks(to, from, size, seen);
	else
		otlog__copy_words(to, from, size, seen);
}

#endif
