/* UTF-8 as Unicode defines it (section 3.9, table 3-7): no surrogates, no overlong forms, nothing above U+10FFFF. */
#ifndef OTLOG_BASE_UTF8_H
#define OTLOG_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* U+FFFD: stands in the place of what is no character. */
#define OTLOG__UTF8_REPLACEMENT "\xef\xbf\xbd"

/*
 * The size of the character at `at`, with *valid true; or of what U+FFFD takes the place of, with *valid false: the
 * longest start of a character, else one byte (Unicode section 3.9, "U+FFFD Substitution of Maximal Subparts").
 * At least 1. `at` must be before `end`.
 */
size_t otlog__utf8_step(const uint8_t *at, const uint8_t *end, bool *valid);

/* The number of the valid character at `at` that has `size` bytes. */
static inline uint32_t
otlog__utf8_code_point(const uint8_t *at, size_t size)
{
	uint32_t number = size == 1 ? at[0] : at[0] & (0x7fu >> size);
	for (size_t i = 1; i < size; i++)
		number = number << 6 | (at[i] & 0x3fu);
	return number;
}

/* How many bytes are valid before the first that is not, in whole characters: `size` if all are. */
size_t otlog__utf8_valid_size(const uint8_t *data, size_t size);

/*
 * Where to cut text so that `limit` bytes at most and no part of a character remain: `size` if that is not more. What is
 * no text is cut so that its pieces, each with U+FFFD for what is no character, are the same as the whole would be.
 */
size_t otlog__utf8_cut(const uint8_t *data, size_t size, size_t limit);

#endif
