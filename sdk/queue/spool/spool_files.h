/*
 * The spools that a dead process has left in NAME.spool, read from the files alone. The layout stands in spool.h and
 * spool_segment.h.
 *
 * Vocabulary
 *   chain     the segments of one pipeline that one process wrote, told by their salt; numbers of entries grow in it
 *   undone    entries that no done slot covers: those that are handed out
 *   lost      entries that the numbers tell of, and whose header cannot be read: how many records they held is unknown
 *
 * Segments are told by their headers, not by the names of their files, so exchanged ones are read in the right order. One
 * whose header is lost, both copies, is told by the salt of the others in the folder if its first entry is intact.
 * What is damaged is passed over; every intact entry is handed out, in the order of numbers. An entry that was cut off
 * at the very end was never appended, unless the machine went down meanwhile.
 *
 * Threads: different pipelines may be used by different threads at the same time; one pipeline by one at a time. Open,
 * close and free alone. Everything reads files, so it may block for the disk. Not async-signal-safe. The caller holds
 * the lock of NAME.queue if it adopts.
 */
#ifndef OTLOG_QUEUE_SPOOL_FILES_H
#define OTLOG_QUEUE_SPOOL_FILES_H

#include "sdk/base/buffer.h"
#include "sdk/queue/queue.h"

typedef struct otlog__spool_files otlog__spool_files;

/*
 * Opens NAME.spool in the directory, whose descriptor is borrowed until the close, and reads the header of every entry.
 * `adopt`: finish marks entries as done and removes what is done with; else nothing is changed, and the files may be
 * those of a live process: what is seen is of one moment.
 * NULL with errno set: ENOENT if there is no such folder.
 */
otlog__spool_files *otlog__spool_files_open(int directory, const char *name, bool adopt);

typedef struct otlog__spool_segments {
	uint64_t bytes;    /* of all segments that were found */
	uint32_t readable; /* segments */
	uint32_t foreign;  /* of another version or byte order: neither read nor removed */
	uint32_t damaged;  /* whose header makes no sense: nothing in them can be read. Removed when adopting */
} otlog__spool_segments;

void otlog__spool_files_count_segments(const otlog__spool_files *files, otlog__spool_segments *segments);

/* The pipelines that have segments, done with or not. Names live until the close; index < count. */
uint32_t otlog__spool_files_pipeline_count(const otlog__spool_files *files);
const char *otlog__spool_files_pipeline_name(const otlog__spool_files *files, uint32_t index);

/*
 * Reads the oldest undone entry that has not been taken into *out, from its beginning; one whole request. Returns how
 * many records it holds; 0: there is none, or memory or descriptors are short (then `waiting` is not 0: try later).
 */
uint32_t otlog__spool_files_take(otlog__spool_files *files, uint32_t index, otlog__buffer *out, uint64_t *number);

/* The entry is done with. In the order of taking. Where nothing is adopted it need not be called. */
void otlog__spool_files_finish(otlog__spool_files *files, uint32_t index, uint64_t number);

/*
 * In records, of one pipeline; at every moment found = waiting + in_flight + finished + damaged. `found` is settled when
 * the files are opened.
 */
typedef struct otlog__spool_files_books {
	uint64_t found;        /* in undone entries whose header could be read */
	uint64_t waiting;      /* of them: not taken */
	uint64_t in_flight;    /* of them: taken, not finished */
	uint64_t finished;     /* of them */
	uint64_t damaged;      /* of them: their request turned out to be damaged when it was to be taken */
	uint64_t lost_entries; /* beside them: entries, not records. Known once the files are open, may grow later */
} otlog__spool_files_books;

void otlog__spool_files_take_books(const otlog__spool_files *files, uint32_t index, otlog__spool_files_books *books);

/*
 * Closes the files. When adopting: those that are done with are removed, and so is the folder once it is empty; others
 * stay, and what was taken and not finished is handed out again by the next that opens them. NULL is allowed.
 */
void otlog__spool_files_close(otlog__spool_files *files);

/* In a forked child, instead of close: frees the memory, changes no file. NULL is allowed. */
void otlog__spool_files_free(otlog__spool_files *files);

#endif
