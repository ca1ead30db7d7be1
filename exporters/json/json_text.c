#include "exporters/json/put.h"
#include "sdk/base/hex.h"
#include "sdk/base/utf8.h"

#include <endian.h>

/* ---- Plain text -------------------------------------------------------------------------------------------------- */

typedef int8_t chunk __attribute__((vector_size(16)));
typedef uint64_t word_pair __attribute__((vector_size(16)));

/* The bytes with all bits set are not plain: they cannot be copied as they are, or not in every form. */
static inline word_pair
find_special(word_pair words)
{
	chunk bytes = (chunk)words; /* signed: what is not ASCII is below the control characters */
	return (word_pair)((bytes < ' ') | (bytes == '"') | (bytes == '\\') | (bytes == 0x7f));
}

static inline bool
is_special(uint8_t byte)
{
	return byte < ' ' || byte == '"' || byte == '\\' || byte >= 0x7f;
}

/* The place of the first byte in memory that has its bits set; `word` is not 0. */
static inline size_t
first_set(uint64_t word)
{
	return (size_t)__builtin_ctzll(le64toh(word)) / 8;
}

static inline uint64_t
load64(const uint8_t *from)
{
	uint64_t word;
	memcpy(&word, from, sizeof word);
	return word;
}

static inline uint64_t
load32(const uint8_t *from)
{
	uint32_t word;
	memcpy(&word, from, sizeof word);
	return word;
}

/* Less than a chunk: two loads that overlap stand for every size between theirs and the double. */
static size_t
copy_short(uint8_t *to, const uint8_t *from, size_t size)
{
	if (size >= 8) {
		word_pair words = { load64(from), load64(from + size - 8) };
		word_pair special = find_special(words);
		memcpy(to, from, 8);
		memcpy(to + size - 8, from + size - 8, 8);
		if (special[0])
			return first_set(special[0]);
		return special[1] ? size - 8 + first_set(special[1]) : size;
	}
	size_t i = 0;
	if (size >= 4) {
		word_pair words = { load32(from) | 0x2020202000000000u, load32(from + size - 4) | 0x2020202000000000u };
		word_pair special = find_special(words);
		memcpy(to, from, 4);
		memcpy(to + size - 4, from + size - 4, 4);
		if (!(special[0] | special[1]))
			return size;
	}
	for (; i < size && !is_special(from[i]); i++)
		to[i] = from[i];
	return i;
}

/* Copies up to the first byte that is not plain; returns how many. Writes up to 15 bytes more. */
static size_t
copy_plain(uint8_t *to, const uint8_t *from, size_t size)
{
	if (size < 16)
		return copy_short(to, from, size);
	for (size_t i = 0;; i += 16) {
		if (size - i < 16)
			i = size - 16; /* once more over bytes that were plain, but not over the end */
		word_pair words;
		memcpy(&words, from + i, sizeof words);
		memcpy(to + i, &words, sizeof words);
		word_pair special = find_special(words);
		if (special[0] | special[1])
			return i + (special[0] ? first_set(special[0]) : 8 + first_set(special[1]));
		if (size - i == 16)
			return size;
	}
}

/* ---- All other text ---------------------------------------------------------------------------------------------- */

static uint8_t *
put_unit(uint8_t *at, uint32_t unit)
{
	at[0] = '\\';
	at[1] = 'u';
	at[2] = (uint8_t)otlog__hex_digit(unit >> 12);
	at[3] = (uint8_t)otlog__hex_digit(unit >> 8);
	at[4] = (uint8_t)otlog__hex_digit(unit >> 4);
	at[5] = (uint8_t)otlog__hex_digit(unit);
	return at + 6;
}

static uint8_t *
put_ascii_special(uint8_t *at, uint8_t byte, otlog__json_text form)
{
	static const char letters[0x20] = {
		['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't',
	};
	char letter = byte < sizeof letters ? letters[byte] : (char)byte;
	if (byte == 0x7f && form == OTLOG__JSON_UTF8) {
		*at = byte;
		return at + 1;
	}
	if (!letter || byte == 0x7f)
		return put_unit(at, byte);
	at[0] = '\\';
	at[1] = (uint8_t)letter;
	return at + 2;
}

/* The character at `from`, which is not ASCII, in escapes: two of them beyond U+FFFF. */
static uint8_t *
put_escaped(uint8_t *at, const uint8_t *from, size_t size)
{
	uint32_t character = otlog__utf8_code_point(from, size);
	if (character < 0x10000)
		return put_unit(at, character);
	character -= 0x10000;
	return put_unit(put_unit(at, 0xd800 | character >> 10), 0xdc00 | (character & 0x3ff));
}

static uint8_t *
put_replacement(uint8_t *at, otlog__json_text form)
{
	return form == OTLOG__JSON_UTF8 ? OTLOG__JSON_PUT(at, OTLOG__UTF8_REPLACEMENT) : OTLOG__JSON_PUT(at, "\\ufffd");
}

uint8_t *
otlog__json_put_text(uint8_t *at, const uint8_t *text, size_t size, otlog__json_text form)
{
	const uint8_t *end = text + size;
	while (text < end) {
		size_t plain = copy_plain(at, text, (size_t)(end - text));
		at += plain;
		text += plain;
		/* Scripts other than Latin come in runs: stay here as long as one lasts. */
		while (text < end && is_special(*text)) {
			if (*text < 0x80) {
				at = put_ascii_special(at, *text++, form);
				continue;
			}
			bool valid;
			size_t step = otlog__utf8_step(text, end, &valid);
			if (!valid)
				at = put_replacement(at, form);
			else if (form == OTLOG__JSON_UTF8)
				at = otlog__json_put_bytes(at, text, step);
			else
				at = put_escaped(at, text, step);
			text += step;
		}
	}
	return at;
}
