/* Records that say who emitted them and which one they are, and whose every byte can be checked. Signal-safe. */
#ifndef TESTS_SUPPORT_RECORDS_QUEUE_RECORD_H
#define TESTS_SUPPORT_RECORDS_QUEUE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define QUEUE_RECORD_MAX 304

static inline uint64_t
queue_record_sum(uint32_t source, uint32_t number)
{
	uint64_t x = ((uint64_t)source << 32 | number) * UINT64_C(0x9e3779b97f4a7c15);
	x ^= x >> 29;
	return x * UINT64_C(0xbf58476d1ce4e5b9);
}

/* From 16 bytes to QUEUE_RECORD_MAX, every length. */
static inline size_t
queue_record_size(uint32_t source, uint32_t number)
{
	return 16 + queue_record_sum(source, number) % (QUEUE_RECORD_MAX - 15);
}

static inline size_t
queue_record_make(uint8_t *out, uint32_t source, uint32_t number)
{
	uint64_t sum = queue_record_sum(source, number);
	size_t size = queue_record_size(source, number);
	memcpy(out, &source, 4);
	memcpy(out + 4, &number, 4);
	memcpy(out + 8, &sum, 8);
	memset(out + 16, (int)(sum & 255), size - 16);
	return size;
}

static inline bool
queue_record_read(const uint8_t *bytes, size_t size, uint32_t *source, uint32_t *number)
{
	uint8_t expected[QUEUE_RECORD_MAX];
	if (size < 16)
		return false;
	memcpy(source, bytes, 4);
	memcpy(number, bytes + 4, 4);
	return size == queue_record_size(*source, *number) && queue_record_make(expected, *source, *number) == size &&
	       memcmp(bytes, expected, size) == 0;
}

#endif
