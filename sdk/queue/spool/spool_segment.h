/*
 * One segment file of a spool: its header page, its done slots, and writing to its end. The layout stands in spool.h.
 * Numbers are in the writer's byte order, which the header states. Not thread-safe.
 */
#ifndef OTLOG_QUEUE_SPOOL_SEGMENT_H
#define OTLOG_QUEUE_SPOOL_SEGMENT_H

#include "sdk/queue/layout.h"
#include "sdk/queue/spool/spool_entry.h"

#define OTLOG__SPOOL_MAGIC "otlogS\r\n"
#define OTLOG__SPOOL_VERSION UINT32_C(1)
#define OTLOG__SPOOL_PAGE 4096u
#define OTLOG__SPOOL_SECOND_HEADER 1024u
#define OTLOG__SPOOL_DONE 2048u
#define OTLOG__SPOOL_SECOND_DONE 2560u /* in another sector */

#define OTLOG__SPOOL_FILE_MAX 32 /* bytes of a segment's file name */

typedef struct otlog__spool_header {
	char magic[8];
	uint32_t byte_order;
	uint32_t version;
	uint64_t salt;              /* of the chain: all segments of one pipeline by one process */
	uint64_t started_unix_nano; /* of the chain */
	uint64_t first;             /* number of its first entry */
	uint32_t segment;           /* its number */
	uint32_t pipeline;          /* bit */
	char boot_id[40];
	char pipeline_name[256]; /* NUL-terminated, cut to fit */
	uint32_t reserved;
	uint32_t crc; /* CRC32C of all before it */
} otlog__spool_header;

typedef struct otlog__spool_done {
	uint64_t generation;
	uint64_t position; /* of the first entry that is not done with, or where it will be */
	uint64_t number;   /* its number */
	uint64_t first;    /* number of the segment's first entry */
	uint32_t reserved;
	uint32_t crc; /* CRC32C of the salt and all before it */
} otlog__spool_done;

_Static_assert(sizeof(otlog__spool_header) == 352 && offsetof(otlog__spool_header, crc) == 348, "header");
_Static_assert(sizeof(otlog__spool_done) == 40 && offsetof(otlog__spool_done, crc) == 36, "done");

typedef struct otlog__spool_segment {
	int fd; /* -1: not open */
	uint32_t pipeline;
	uint32_t number; /* of the segment */
	uint64_t salt;
	uint64_t first;      /* number of its first entry */
	uint64_t end;        /* position behind its last entry */
	uint64_t generation; /* of its last done slot */
	bool torn;           /* what could not be cut off again stands behind the end */
} otlog__spool_segment;

void otlog__spool_file_name(char out[OTLOG__SPOOL_FILE_MAX], uint32_t pipeline, uint32_t number);

/* Fills everything but segment and first. */
void otlog__spool_header_fill(otlog__spool_header *header, uint64_t salt, uint32_t pipeline, const char *pipeline_name);

/*
 * Creates the file in the folder; it has its name when its header is written. An existing file is never replaced. False
 * with errno set, and nothing left behind: EEXIST if the number is in use.
 */
bool otlog__spool_segment_create(otlog__spool_segment *segment, int folder, otlog__spool_header *header);

/* Opens the file again, unless it is open. False with errno set. */
bool otlog__spool_segment_open(otlog__spool_segment *segment, int folder, bool writable);

/*
 * Writes an entry behind the end, which is moved by the caller. False with errno set: what was written of it was cut
 * off again, or else the segment is torn.
 */
bool otlog__spool_segment_write(otlog__spool_segment *segment, const otlog__spool_entry *entry, const void *request);

/* Cuts off what stands behind the end, or says that the segment is torn. Keeps errno. */
void otlog__spool_segment_cut(otlog__spool_segment *segment);

/* Writes the next done slot. Failing means that entries are delivered twice after a crash. */
void otlog__spool_segment_set_done(otlog__spool_segment *segment, const otlog__spool_cursor *cursor);

/* NULL-safe for what is not open. */
void otlog__spool_segment_close(otlog__spool_segment *segment);

/* Reads the header page; zeros where the file is cut off. False with errno set: the disk does not give it. */
bool otlog__spool_page_read(int fd, uint8_t page[OTLOG__SPOOL_PAGE]);

typedef enum otlog__spool_header_state {
	OTLOG__SPOOL_HEADER_OURS,
	OTLOG__SPOOL_HEADER_FOREIGN, /* of another version or byte order */
	OTLOG__SPOOL_HEADER_DAMAGED  /* it makes no sense */
} otlog__spool_header_state;

/* Fills *header from that of its two copies that makes sense. */
otlog__spool_header_state otlog__spool_page_header(const uint8_t page[OTLOG__SPOOL_PAGE], otlog__spool_header *header);

/*
 * What the done slots say of a segment of that chain with that first number: where the first entry stands that is not done
 * with. *generation is 0 if no slot makes sense, so that nothing is done with.
 */
void otlog__spool_page_done(const uint8_t page[OTLOG__SPOOL_PAGE], uint64_t salt, uint64_t first,
                            otlog__spool_cursor *cursor, uint64_t *generation);

#endif
