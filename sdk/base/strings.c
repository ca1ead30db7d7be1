#include "sdk/base/strings.h"

#include "sdk/base/hex.h"
#include "sdk/base/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

otlog__text
otlog__text_of(const char *string)
{
	return (otlog__text){ .data = string, .size = string ? strlen(string) : 0 };
}

otlog__text
otlog__text_trim(otlog__text text)
{
	while (text.size && is_blank(text.data[0])) {
		text.data++;
		text.size--;
	}
	while (text.size && is_blank(text.data[text.size - 1]))
		text.size--;
	return text;
}

bool
otlog__text_starts_with(otlog__text text, const char *prefix)
{
	size_t size = strlen(prefix);
	if (text.size < size)
		return false;
	for (size_t i = 0; i < size; i++) {
		if (lower(text.data[i]) != lower(prefix[i]))
			return false;
	}
	return true;
}

bool
otlog__text_is(otlog__text text, const char *word)
{
	return text.size == strlen(word) && otlog__text_starts_with(text, word);
}

char *
otlog__text_copy(otlog__text text)
{
	char *copy = malloc(text.size + 1);
	if (!copy)
		return NULL;
	if (text.size)
		memcpy(copy, text.data, text.size);
	copy[text.size] = '\0';
	return copy;
}

void
otlog__text_show(otlog__text text, char *out, size_t size)
{
	static const char more[] = "…";
	size_t kept = text.size;
	if (kept >= size)
		kept = otlog__utf8_cut((const uint8_t *)text.data, text.size, size - sizeof more);
	if (kept)
		memcpy(out, text.data, kept);
	if (kept < text.size)
		memcpy(out + kept, more, sizeof more);
	else
		out[kept] = '\0';
}

bool
otlog__parse_u64(otlog__text text, uint64_t *out)
{
	uint64_t number = 0;
	if (!text.size)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];
		if (c < '0' || c > '9')
			return false;
		uint64_t digit = (uint64_t)(c - '0');
		if (number > (UINT64_MAX - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	*out = number;
	return true;
}

static const char *const units[] = { "KiB", "MiB", "GiB" };

char *
otlog__bytes_show(uint64_t bytes, char out[OTLOG__BYTES_SHOWN])
{
	size_t unit = 0;
	while (bytes && bytes % 1024 == 0 && unit < sizeof units / sizeof units[0]) {
		bytes /= 1024;
		unit++;
	}
	snprintf(out, OTLOG__BYTES_SHOWN, "%" PRIu64 " %s", bytes, unit ? units[unit - 1] : "bytes");
	return out;
}

bool
otlog__parse_bytes(otlog__text text, uint64_t *out)
{
	unsigned shift = 0;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		size_t size = strlen(units[i]);
		if (text.size < size)
			continue;
		otlog__text end = { .data = text.data + text.size - size, .size = size };
		if (!otlog__text_is(end, units[i]))
			continue;
		shift = 10 * (unsigned)(i + 1);
		text.size -= size;
		text = otlog__text_trim(text);
		break;
	}
	uint64_t number;
	if (!otlog__parse_u64(text, &number) || number > UINT64_MAX >> shift)
		return false;
	*out = number << shift;
	return true;
}

char *
otlog__percent_decode(otlog__text text, const char **error)
{
	*error = NULL;
	char *decoded = malloc(text.size + 1);
	if (!decoded)
		return NULL;
	size_t used = 0;
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];
		if (c == '%') {
			int byte = i + 2 < text.size ? otlog__hex_byte(text.data + i + 1) : -1;
			if (byte < 0) {
				*error = "a % is not followed by two hex digits";
				break;
			}
			c = (char)byte;
			i += 2;
		}
		if (c == '\0') {
			*error = "%00 stands in it";
			break;
		}
		decoded[used++] = c;
	}
	decoded[used] = '\0';
	if (*error) {
		free(decoded);
		return NULL;
	}
	return decoded;
}
