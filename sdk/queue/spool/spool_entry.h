/* Entries of a spool segment: their bytes, and finding them again in a file that may be damaged. */
#ifndef OTLOG_QUEUE_SPOOL_ENTRY_H
#define OTLOG_QUEUE_SPOOL_ENTRY_H

#include "sdk/base/buffer.h"

#include <stddef.h>

typedef struct otlog__spool_entry {
	uint32_t size;    /* of the request, in bytes; never 0 */
	uint32_t records; /* never 0 */
	uint64_t number;
	uint32_t check; /* CRC32C: goes on from `head` over the request */
	uint32_t
	    head; /* CRC32C of the salt and all before check: the size may be trusted, and the records be counted */
} otlog__spool_entry;

_Static_assert(sizeof(otlog__spool_entry) == 24 && offsetof(otlog__spool_entry, check) == 16, "entry");

/* Bytes that an entry with a request of this size takes in its file. */
static inline uint64_t
otlog__spool_entry_bytes(uint64_t size)
{
	return (sizeof(otlog__spool_entry) + size + 7) & ~UINT64_C(7);
}

/* The header of an entry. */
otlog__spool_entry otlog__spool_entry_make(uint64_t salt, uint64_t number, uint32_t records, const void *request,
                                           uint32_t size);

/* Where reading stands in a segment. */
typedef struct otlog__spool_cursor {
	uint64_t position; /* in the file, a multiple of 8 */
	uint64_t number;   /* entries with a smaller one are done with or passed over */
} otlog__spool_cursor;

/* What of a file is read. */
typedef struct otlog__spool_range {
	int fd;
	uint64_t salt;
	uint64_t first; /* number of the segment's first entry */
	uint64_t limit; /* entries from this number on do not count */
	uint64_t end;   /* position behind the last entry */
} otlog__spool_range;

/*
 * Moves *cursor to the next entry whose header makes sense, there or behind, and reads that header. It may reach beyond
 * the end. False: there is none up to the end.
 */
bool otlog__spool_find_entry(const otlog__spool_range *range, otlog__spool_cursor *cursor, otlog__spool_entry *entry);

/* Reads the first entry's header of a segment whose own header is lost. False: it makes no sense. */
bool otlog__spool_first_entry(int fd, uint64_t salt, otlog__spool_entry *entry);

typedef enum otlog__spool_step {
	OTLOG__SPOOL_ENTRY, /* one was read; *cursor lies behind it */
	OTLOG__SPOOL_END,   /* there is none up to the end */
	OTLOG__SPOOL_LATER  /* memory is short; *cursor is at the entry */
} otlog__spool_step;

/*
 * Reads the next intact entry's request into *out, from its beginning. The records of damaged ones on the way there,
 * those whose header can be read, are added to *damaged.
 */
otlog__spool_step otlog__spool_next_entry(const otlog__spool_range *range, otlog__spool_cursor *cursor,
                                          otlog__buffer *out, otlog__spool_entry *entry, uint64_t *damaged);

#endif
