/* Views of text, and the small parsers that settings need. Nothing here knows a locale. */
#ifndef OTLOG_BASE_STRINGS_H
#define OTLOG_BASE_STRINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed text, not NUL-terminated. {0} is empty. */
typedef struct otlog__text {
	const char *data;
	size_t size; /* bytes */
} otlog__text;

/* A C string as a view; NULL is empty. */
otlog__text otlog__text_of(const char *string);

/* The same without spaces, tabs and line ends around it. */
otlog__text otlog__text_trim(otlog__text text);

/* Equal but for the case of ASCII letters. */
bool otlog__text_is(otlog__text text, const char *word);
bool otlog__text_starts_with(otlog__text text, const char *prefix);

/* A copy with a NUL behind it, or NULL when memory is short. Free with free(). */
char *otlog__text_copy(otlog__text text);

/*
 * Writes the text to out, with "…" for what does not fit `size` bytes (at least 4), never half a UTF-8 character, and a
 * NUL. For messages.
 */
void otlog__text_show(otlog__text text, char *out, size_t size);

/* Decimal digits and nothing else. False, with *out untouched, for everything else and above UINT64_MAX. */
bool otlog__parse_u64(otlog__text text, uint64_t *out);

/* The same with an optional KiB, MiB or GiB behind it. */
bool otlog__parse_bytes(otlog__text text, uint64_t *out);

#define OTLOG__BYTES_SHOWN 24

/* Writes a number of bytes as "16 MiB", in the largest unit that divides it; returns out. */
char *otlog__bytes_show(uint64_t bytes, char out[OTLOG__BYTES_SHOWN]);

/*
 * Decodes %XX. NULL if a % is not followed by two hex digits or stands for NUL (`*error` is then a static reason), or
 * when memory is short (`*error` is NULL). Free with free(). Source: RFC 3986, section 2.1.
 */
char *otlog__percent_decode(otlog__text text, const char **error);

/* The end of a plural: "%u record%s". For messages. */
static inline const char *
otlog__s(uint64_t count)
{
	return count == 1 ? "" : "s";
}

#endif
