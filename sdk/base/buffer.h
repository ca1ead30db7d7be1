/* A growable byte buffer. {0} is an empty one. */
#ifndef OTLOG_BASE_BUFFER_H
#define OTLOG_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct otlog__buffer {
	uint8_t *data;
	size_t size;
	size_t capacity;
} otlog__buffer;

/* Makes room for `more` bytes behind size. Returns false, with nothing changed, when memory is short. */
bool otlog__buffer_reserve(otlog__buffer *buffer, size_t more);

/* Appends; false, with nothing changed, when memory is short. */
bool otlog__buffer_append(otlog__buffer *buffer, const void *data, size_t size);

/* Frees the memory and makes it {0} again. */
void otlog__buffer_free(otlog__buffer *buffer);

#endif
