/*
 * NAME.meta: what the frames of NAME.queue refer to, so that the pair can be read alone. Append-only.
 *
 *   header   magic "otlogM\r\n" | byte order u32 | version u32 | salt u64 (that of NAME.queue)
 *   entry    payload size u32 | kind u16 | number u16 | payload | CRC32C u32 of all before it in the entry
 *
 *   kind       number         payload
 *   RESOURCE   0              opaque bytes
 *   PIPELINE   bit            exporter's name
 *   SCOPE      id in a frame  head size u32 | head | tail
 *
 * A reader stops at the first entry whose CRC does not fit: it was cut off in the writing and nothing refers to it.
 */
#ifndef OTLOG_QUEUE_META_H
#define OTLOG_QUEUE_META_H

#include "sdk/base/buffer.h"
#include "sdk/queue/mapping.h"
#include "sdk/queue/scopes.h"

#define OTLOG__META_MAGIC "otlogM\r\n"

enum { OTLOG__META_RESOURCE = 1, OTLOG__META_PIPELINE = 2, OTLOG__META_SCOPE = 3 };

typedef struct otlog__meta_header {
	char magic[8];
	uint32_t byte_order;
	uint32_t version;
	uint64_t salt;
} otlog__meta_header;

typedef struct otlog__meta_entry {
	uint32_t size;
	uint16_t kind;
	uint16_t number;
} otlog__meta_entry;

_Static_assert(sizeof(otlog__meta_header) == 24 && sizeof(otlog__meta_entry) == 8, "meta");

/* Creates the file beside the mapping's and writes its header. Returns its descriptor, or -1 with errno set. */
int otlog__meta_create(const otlog__mapping *mapping, uint64_t salt);

/*
 * Appends an entry whose payload is `first` and then `second`; in the file when this returns true. False with errno
 * set: nothing but a torn end is there.
 */
bool otlog__meta_append(int fd, uint16_t kind, uint16_t number, const void *first, size_t first_size,
                        const void *second, size_t second_size);

/* The same for a scope. */
bool otlog__meta_append_scope(int fd, uint16_t number, const void *head, size_t head_size, const void *tail,
                              size_t tail_size);

/* What a NAME.meta says; {0} knows nothing. */
typedef struct otlog__meta {
	otlog__buffer resource;
	char *pipelines[OTLOG__LAYOUT_PIPELINES]; /* NULL: not known */
	otlog__scopes *scopes;
	bool has_resource;
	bool whole;     /* every entry fits */
	uint64_t bytes; /* of the file */
} otlog__meta;

/*
 * Reads what there is of it: up to the first entry that does not fit, and nothing if the file is not that of the queue with
 * this salt. False when memory is short. Free it in either case.
 */
bool otlog__meta_read(otlog__meta *meta, int fd, uint64_t salt);

void otlog__meta_free(otlog__meta *meta);

#endif
