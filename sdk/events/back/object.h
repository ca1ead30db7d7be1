/*
 * The memory of one decoded event: a root struct and all it points to, freed at once.
 *
 * Shortage of memory and malformed bytes are remembered by the object, so that a decoder asks once, at its end.
 */
#ifndef OTLOG_EVENTS_BACK_OBJECT_H
#define OTLOG_EVENTS_BACK_OBJECT_H

#include <stdbool.h>
#include <stddef.h>

/* A zeroed root struct with room for about `expected` bytes behind it. NULL when memory is short. */
void *otlog__object_create(size_t root_size, size_t expected);

/* Zeroed memory of the object, aligned for pointers and numbers; NULL, and the object is broken, if there is none. */
void *otlog__object_take(void *root, size_t size);

/* A copy of the bytes with a NUL behind it; NULL as above. */
char *otlog__object_text(void *root, const void *data, size_t size);

void otlog__object_break(void *root);
bool otlog__object_is_broken(const void *root);

/* NULL is allowed. */
void otlog__object_free(void *root);

#endif
