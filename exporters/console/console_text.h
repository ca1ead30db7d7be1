/*
 * Text of unknown origin, made harmless for a terminal: control characters, those that change the direction of writing,
 * and what is not UTF-8 come out as something that can be seen.
 */
#ifndef OTLOG_EXPORTERS_CONSOLE_CONSOLE_TEXT_H
#define OTLOG_EXPORTERS_CONSOLE_CONSOLE_TEXT_H

#include "sdk/base/buffer.h"

#include <otlog/exporter.h>

/* Where lines are put together. Memory that runs short is remembered, not reported at each step. */
typedef struct otlog__console_out {
	otlog__buffer *buffer;
	bool failed;
} otlog__console_out;

void otlog__console_put(otlog__console_out *out, const void *data, size_t size);
void otlog__console_puts(otlog__console_out *out, const char *string);

/* On one line: \n, \t, \x1b, \u202e and so on. */
void otlog__console_put_text(otlog__console_out *out, otlog_slice text);

/* The same in quotes. */
void otlog__console_put_quoted(otlog__console_out *out, otlog_slice text);

/* As a word of its own, in quotes only if it could not be told from what is around it. */
void otlog__console_put_word(otlog__console_out *out, otlog_slice text);

/* Each line with the prefix before it and a newline behind it. Tabs stay; newlines at the end are no lines. */
void otlog__console_put_block(otlog__console_out *out, otlog_slice text, const char *prefix);

#endif
