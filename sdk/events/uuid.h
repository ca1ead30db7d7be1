/* UUIDs as text and as the 16 bytes of a trace id (RFC 9562, section 4). Async-signal-safe. */
#ifndef OTLOG_EVENTS_UUID_H
#define OTLOG_EVENTS_UUID_H

#include "sdk/base/hex.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Characters of the canonical form and a NUL. */
#define OTLOG__UUID_SIZE 37

typedef enum otlog__uuid_form {
	OTLOG__UUID_NONE,      /* no UUID, or the one of all zeros, which is no trace id */
	OTLOG__UUID_CANONICAL, /* 8-4-4-4-12 in small letters */
	OTLOG__UUID_OTHER      /* the same digits with capitals or without hyphens */
} otlog__uuid_form;

/* Reads a UUID of `size` characters into out, which is scratch where the answer is OTLOG__UUID_NONE. */
static inline otlog__uuid_form
otlog__uuid_parse(const char *text, size_t size, uint8_t out[16])
{
	const bool has_hyphens = size == OTLOG__UUID_SIZE - 1;
	bool canonical = has_hyphens;
	unsigned any = 0, digits = 0, number = 0;
	if (!has_hyphens && size != 32)
		return OTLOG__UUID_NONE;
	for (size_t at = 0; at < size; at++) {
		if (has_hyphens && (at == 8 || at == 13 || at == 18 || at == 23)) {
			if (text[at] != '-')
				return OTLOG__UUID_NONE;
			continue;
		}
		const int digit = otlog__hex_value(text[at]);
		if (digit < 0)
			return OTLOG__UUID_NONE;
		canonical &= text[at] < 'A' || text[at] > 'F';
		any |= (unsigned)digit;
		number = number << 4 | (unsigned)digit;
		if (digits++ % 2 == 1)
			out[digits / 2 - 1] = (uint8_t)number;
	}
	if (!any)
		return OTLOG__UUID_NONE;
	return canonical ? OTLOG__UUID_CANONICAL : OTLOG__UUID_OTHER;
}

/* Writes the canonical form and a NUL. */
static inline void
otlog__uuid_format(const uint8_t bytes[16], char out[OTLOG__UUID_SIZE])
{
	for (size_t i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		out = otlog__hex_put(out, &bytes[i], 1);
	}
	*out = '\0';
}

#endif
