#include "sdk/events/back/object.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT alignof(max_align_t)

/* A further piece of memory, where the first did not suffice. */
typedef struct block {
	struct block *next;
	alignas(ALIGNMENT) uint8_t bytes[];
} block;

/* Lies before the root. */
typedef struct object {
	block *more;
	uint8_t *free; /* what is left of the newest piece */
	size_t left;
	bool is_broken;
	alignas(ALIGNMENT) uint8_t root[];
} object;

static object *
object_of(const void *root)
{
	return (object *)(uintptr_t)((const uint8_t *)root - offsetof(object, root));
}

static size_t
aligned(size_t size)
{
	return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

void *
otlog__object_create(size_t root_size, size_t expected)
{
	root_size = aligned(root_size);
	if (expected > SIZE_MAX / 2)
		return NULL;
	object *whole = malloc(sizeof *whole + root_size + expected);
	if (!whole)
		return NULL;
	*whole = (object){ .free = whole->root + root_size, .left = expected };
	memset(whole->root, 0, root_size);
	return whole->root;
}

static bool
add_block(object *whole, size_t size)
{
	const size_t room = size < 4096 ? 4096 : size;
	block *more = malloc(sizeof *more + room);
	if (!more)
		return false;
	more->next = whole->more;
	whole->more = more;
	whole->free = more->bytes;
	whole->left = room;
	return true;
}

/* Not zeroed. */
static void *
take(object *whole, size_t size)
{
	void *taken = NULL;
	if (size <= SIZE_MAX / 2) {
		size = aligned(size);
		if (size <= whole->left || add_block(whole, size)) {
			taken = whole->free;
			whole->free += size;
			whole->left -= size;
		}
	}
	whole->is_broken |= !taken;
	return taken;
}

void *
otlog__object_take(void *root, size_t size)
{
	void *taken = take(object_of(root), size);
	return taken ? memset(taken, 0, size) : NULL;
}

char *
otlog__object_text(void *root, const void *data, size_t size)
{
	char *text = size < SIZE_MAX ? take(object_of(root), size + 1) : NULL;
	if (!text)
		return NULL;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

void
otlog__object_break(void *root)
{
	object_of(root)->is_broken = true;
}

bool
otlog__object_is_broken(const void *root)
{
	return object_of(root)->is_broken;
}

void
otlog__object_free(void *root)
{
	if (!root)
		return;
	object *whole = object_of(root);
	for (block *at = whole->more; at;) {
		block *next = at->next;
		free(at);
		at = next;
	}
	free(whole);
}
