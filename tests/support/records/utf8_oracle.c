#include "tests/support/records/utf8_oracle.h"

#include <string.h>

size_t
utf8_oracle_character(const uint8_t *data, size_t size)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t wanted = data[0] < 0x80       ? 1
	                : data[0] >> 5 == 6  ? 2
	                : data[0] >> 4 == 14 ? 3
	                : data[0] >> 3 == 30 ? 4
	                                     : 0;
	if (wanted == 1)
		return 1;
	if (!wanted || wanted > size)
		return 0;
	uint32_t number = data[0] & (0xffu >> (wanted + 1));
	for (size_t i = 1; i < wanted; i++) {
		if (data[i] >> 6 != 2)
			return 0;
		number = number << 6 | (data[i] & 0x3fu);
	}
	bool surrogate = number >= 0xd800 && number <= 0xdfff;
	return number >= least[wanted] && number <= 0x10ffff && !surrogate ? wanted : 0;
}

/* Whether `size` bytes are the beginning of some character. */
static bool
begins_character(const uint8_t *data, size_t size)
{
	uint8_t sequence[4] = { 0 };
	memcpy(sequence, data, size);
	for (unsigned rest = 0; rest < 1u << 6 * (4 - size); rest++) {
		for (size_t i = size; i < 4; i++)
			sequence[i] = (uint8_t)(0x80 | (rest >> 6 * (i - size) & 0x3f));
		if (utf8_oracle_character(sequence, 4) > size)
			return true;
	}
	return false;
}

size_t
utf8_oracle_step(const uint8_t *data, size_t size, bool *valid)
{
	size_t character = utf8_oracle_character(data, size);
	*valid = character != 0;
	if (character)
		return character;
	for (size_t part = size < 3 ? size : 3; part > 1; part--)
		if (begins_character(data, part))
			return part;
	return 1;
}

bool
utf8_oracle_is_valid(const uint8_t *data, size_t size)
{
	size_t at = 0;
	while (at < size) {
		size_t step = utf8_oracle_character(data + at, size - at);
		if (!step)
			return false;
		at += step;
	}
	return true;
}

size_t
utf8_oracle_replace(const uint8_t *data, size_t size, uint8_t *out)
{
	size_t written = 0;
	for (size_t at = 0; at < size;) {
		bool valid;
		size_t step = utf8_oracle_step(data + at, size - at, &valid);
		size_t piece = valid ? step : 3;
		memcpy(out + written, valid ? (const void *)(data + at) : "\xef\xbf\xbd", piece);
		written += piece;
		at += step;
	}
	return written;
}
