/* UTF-8 as Unicode defines it (section 3.9, table 3-7): no surrogates, no overlong forms, nothing above U+10FFFF. */
#ifndef OTLOG_RECORD_UTF8_H
#define OTLOG_RECORD_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The size of the character at `at`, with *valid true; or of what U+FFFD takes the place of, with *valid false: the
 * longest start of a character, else one byte (Unicode section 3.9, "U+FFFD Substitution of Maximal Subparts").
 * At least 1. `at` must be before `end`.
 */
size_t otlog__utf8_step(const uint8_t *at, const uint8_t *end, bool *valid);

/* How many bytes are valid before the first that is not, in whole characters: `size` if all are. */
size_t otlog__utf8_valid_size(const uint8_t *data, size_t size);

/* Where to cut valid text so that `limit` bytes at most and no part of a character remain. */
size_t otlog__utf8_cut(const uint8_t *data, size_t size, size_t limit);

#endif
