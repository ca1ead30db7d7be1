/* Collects the SDK's diagnostics, so that tests can read what a user would be told. Thread-safe. */
#ifndef TESTS_SUPPORT_SDK_DIAGNOSED_H
#define TESTS_SUPPORT_SDK_DIAGNOSED_H

#include <otlog/sdk.h>

#include <stdbool.h>
#include <stddef.h>

/* Forgets all and collects from here on. */
void diagnosed_begin(void);

/* What collects: for the options of a provider, which sets where messages go. */
void diagnosed_take(void *user, otlog_diagnostic_level level, const char *message);

size_t diagnosed_count(void);

/* How many messages hold the text. */
size_t diagnosed_times(const char *text);

/* True if a message holds the text. */
bool diagnosed_says(const char *text);

#endif
