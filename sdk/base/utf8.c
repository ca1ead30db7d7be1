#include "sdk/base/utf8.h"

#include <string.h>

#define HIGH_BITS 0x8080808080808080u

static bool
is_continuation(uint8_t byte)
{
	return (byte & 0xc0) == 0x80;
}

/* What the second byte may be. Its range alone rules out overlong forms, surrogates and what is above U+10FFFF. */
static bool
second_fits(uint8_t first, uint8_t second)
{
	switch (first) {
	case 0xe0:
		return second >= 0xa0 && second <= 0xbf;
	case 0xed:
		return second >= 0x80 && second <= 0x9f;
	case 0xf0:
		return second >= 0x90 && second <= 0xbf;
	case 0xf4:
		return second >= 0x80 && second <= 0x8f;
	default:
		return is_continuation(second);
	}
}

/* The size that the first byte announces; 0 if no character starts so. */
static size_t
announced_size(uint8_t first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2)
		return 0;
	if (first < 0xe0)
		return 2;
	if (first < 0xf0)
		return 3;
	return first < 0xf5 ? 4 : 0;
}

size_t
otlog__utf8_step(const uint8_t *at, const uint8_t *end, bool *valid)
{
	size_t size = announced_size(at[0]);
	*valid = size == 1;
	if (size <= 1)
		return 1;
	if (end - at < 2 || !second_fits(at[0], at[1]))
		return 1;
	for (size_t i = 2; i < size; i++)
		if ((size_t)(end - at) <= i || !is_continuation(at[i]))
			return i;
	*valid = true;
	return size;
}

static const uint8_t *
skip_ascii(const uint8_t *at, const uint8_t *end)
{
	while (end - at >= 16) {
		uint64_t words[2];
		memcpy(words, at, sizeof words);
		if ((words[0] | words[1]) & HIGH_BITS)
			break;
		at += 16;
	}
	while (at < end && *at < 0x80)
		at++;
	return at;
}

size_t
otlog__utf8_valid_size(const uint8_t *data, size_t size)
{
	const uint8_t *at = data;
	const uint8_t *end = data + size;
	while ((at = skip_ascii(at, end)) < end) {
		/* Scripts other than Latin come in runs: stay here as long as one lasts. */
		do {
			bool valid;
			size_t step = otlog__utf8_step(at, end, &valid);
			if (!valid)
				return (size_t)(at - data);
			at += step;
		} while (at < end && *at >= 0x80);
	}
	return size;
}

size_t
otlog__utf8_cut(const uint8_t *data, size_t size, size_t limit)
{
	if (size <= limit)
		return size;
	size_t cut = limit;
	while (cut && limit - cut < 3 && is_continuation(data[cut]))
		cut--;
	/* Three continuation bytes in a row and still no start: wherever they belong, nothing whole goes on here. */
	return is_continuation(data[cut]) ? limit : cut;
}
