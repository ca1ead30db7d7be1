/* Hex digits, two a byte. Async-signal-safe. */
#ifndef OTLOG_BASE_HEX_H
#define OTLOG_BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The digit of the lowest four bits, lower case. */
static inline char
otlog__hex_digit(unsigned number)
{
	return "0123456789abcdef"[number & 15];
}

/* The value of a digit, lower or upper case; -1 for anything else. */
static inline int
otlog__hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Writes 2 × size digits, lower case and without a NUL; returns where they end. */
static inline char *
otlog__hex_put(char *at, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		uint8_t byte = ((const uint8_t *)bytes)[i];
		*at++ = otlog__hex_digit(byte >> 4);
		*at++ = otlog__hex_digit(byte);
	}
	return at;
}

/* The byte of the two digits at `text`; -1 if these are none. Reads the second only if the first is a digit. */
static inline int
otlog__hex_byte(const char *text)
{
	int high = otlog__hex_value(text[0]);
	int low = high < 0 ? -1 : otlog__hex_value(text[1]);
	return low < 0 ? -1 : high << 4 | low;
}

#endif
