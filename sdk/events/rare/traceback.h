/* A traceback given as lines becomes one text, in a buffer of bounded size. */
#ifndef OTLOG_EVENTS_RARE_TRACEBACK_H
#define OTLOG_EVENTS_RARE_TRACEBACK_H

#include <stddef.h>

/* No joined traceback is longer. It lies on the emitting thread's stack. */
#define OTLOG__TRACEBACK_SIZE 16384

/*
 * Joins the lines by newlines; a NULL line is empty. If they do not fit: as many of the first lines as fit, a line that
 * tells how many are left out, and the last line, whose end is cut at a character if it is over half the buffer.
 * Returns the bytes written, without a NUL. Async-signal-safe.
 */
size_t otlog__traceback_join(const char *const *lines, size_t count, char out[OTLOG__TRACEBACK_SIZE]);

#endif
