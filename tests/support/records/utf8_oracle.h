/*
 * UTF-8 told by arithmetic: a sequence is decoded to its number, and the number says whether it was right. Slow and
 * plain, to check the SDK's tables against.
 */
#ifndef TESTS_SUPPORT_RECORDS_UTF8_ORACLE_H
#define TESTS_SUPPORT_RECORDS_UTF8_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The size of the character at the beginning of data[0…size), 0 if there is none. */
size_t utf8_oracle_character(const uint8_t *data, size_t size);

/*
 * The same, or where there is no character the size of its longest beginning (tried by completing it in every way), at
 * least 1, and *valid false.
 */
size_t utf8_oracle_step(const uint8_t *data, size_t size, bool *valid);

bool utf8_oracle_is_valid(const uint8_t *data, size_t size);

/* Writes the text with U+FFFD for what is not valid; `out` has 3 × size bytes. Returns the size. */
size_t utf8_oracle_replace(const uint8_t *data, size_t size, uint8_t *out);

#endif
