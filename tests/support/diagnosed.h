/* Collects the SDK's diagnostics, so that tests can read what a user would be told. Thread-safe. */
#ifndef TESTS_SUPPORT_DIAGNOSED_H
#define TESTS_SUPPORT_DIAGNOSED_H

#include <stdbool.h>
#include <stddef.h>

/* Forgets all and collects from here on. */
void diagnosed_begin(void);

size_t diagnosed_count(void);

/* True if a message holds the text. */
bool diagnosed_says(const char *text);

#endif
