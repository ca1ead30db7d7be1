/*
 * Records as lines for people. The form may change: nothing should parse it.
 *
 *   2026-03-02T09:14:05.123Z ERROR  mito/sheet [mito.error] rename failed user.id=7 trace=0af76519 span=b7ad6b71
 *     exception.stacktrace:
 *       | Traceback (most recent call last):
 *       | KeyError: 'x'
 */
#ifndef OTLOG_EXPORTERS_CONSOLE_CONSOLE_LINES_H
#define OTLOG_EXPORTERS_CONSOLE_CONSOLE_LINES_H

#include "sdk/base/buffer.h"

#include <otlog/exporter.h>

#include <stdbool.h>

typedef enum otlog__console_end {
	OTLOG__CONSOLE_DONE,
	OTLOG__CONSOLE_NO_MEMORY,
	OTLOG__CONSOLE_MALFORMED
} otlog__console_end;

/* Appends the lines of every record of a batch. A record that cannot be read is a line that says so. */
otlog__console_end otlog__console_lines(const otlog_batch *batch, bool colour, otlog__buffer *out);

#endif
