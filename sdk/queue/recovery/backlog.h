/*
 * What dead processes have left in the queue directory: their queues and spools, taken over by lock and delivered oldest
 * first, each under the resource and scopes that its NAME.meta keeps.
 *
 * A file is a dead owner's if its lock (F_SETLK) can be had. A process is never kept out by its own locks, so the
 * names of the queues that this process has open are kept in a list, and those are never opened: closing them again
 * would give up the lock. Files are read with pread and their cursors moved with pwrite, never mapped: a disk that fails
 * is an errno, not a signal. The cursors are those of the file's own control pages, so the adopter may die too.
 *
 * Which frames count: with the same boot id those between cursor and tail; with another one (the machine went down) those
 * with a right CRC, wherever in the lane, unless NAME.queue was sealed by a shutdown that synced it. Where a header makes
 * no sense the next frame is looked for in steps of 8; a gap in seq is the exact loss, counted as damaged.
 *
 * Threads: look and close are for one thread, the others for any; take and finish of one pipeline exclude each other.
 *
 * A pipeline is matched with that of the same name; of two with the same name the first with the first. Records of one that
 * nobody has stay in the file, with one diagnostic, and the file is given back. Files of another version or architecture are
 * left as they are, with one diagnostic. A file whose records are all done with is removed with its .meta and .spool.
 */
#ifndef OTLOG_QUEUE_BACKLOG_H
#define OTLOG_QUEUE_BACKLOG_H

#include "sdk/base/buffer.h"
#include "sdk/queue/recovery/image.h"
#include "sdk/queue/queue.h"
#include "sdk/queue/scopes.h"

typedef struct otlog__backlog otlog__backlog;

/* Everything is copied. */
typedef struct otlog__backlog_options {
	const char *directory;
	const char *const *pipelines; /* names; a bit each */
	uint32_t pipeline_count;
} otlog__backlog_options;

/* Does not touch the disk. NULL when memory is short. */
otlog__backlog *otlog__backlog_create(const otlog__backlog_options *options);

/*
 * Looks for files of dead owners and takes them over. For one thread that may wait for the disk: the keeper, at start and
 * then now and again. True if there is something new to deliver.
 */
bool otlog__backlog_look(otlog__backlog *backlog);

/*
 * A batch of one file. Its bytes are the taker's until the next take into the same struct; {0} before the first, free it
 * with otlog__backlog_batch_free.
 */
typedef struct otlog__backlog_batch {
	uint32_t records;
	otlog__buffer bytes;     /* a whole request where `refs` is NULL; else what the refs point into */
	otlog__frame_ref *refs;  /* `records` of them */
	const uint8_t *resource; /* of the request to be made of the refs; until the batch is finished */
	size_t resource_size;
	const otlog__scopes *scopes; /* what the refs' scopes mean; the same */
	/* Private. */
	otlog__image_refs memory;
	struct otlog__adopted *from;
	uint32_t lane;
	uint64_t number;  /* of the spool's entry */
	uint64_t end_seq; /* how far the lane is done with once the batch is finished */
	uint64_t end_position;
	uint64_t end_lost;
} otlog__backlog_batch;

/* The next batch of the pipeline: within one lane of one file, or one entry of a spool. 0: nothing is waiting. */
uint32_t otlog__backlog_take(otlog__backlog *backlog, uint32_t pipeline, uint32_t max_records, size_t max_bytes,
                             otlog__backlog_batch *batch);

/* In the order of taking. `end->spooled` is 0: what is on the disk is not spooled again. */
void otlog__backlog_finish(otlog__backlog *backlog, uint32_t pipeline, const otlog__backlog_batch *batch,
                           const otlog__batch_end *end);

void otlog__backlog_batch_free(otlog__backlog_batch *batch);

/* Records that take would hand out. No lock. */
uint64_t otlog__backlog_waiting(otlog__backlog *backlog, uint32_t pipeline);

typedef struct otlog__backlog_books {
	uint64_t adopted; /* delivered + queued + dropped */
	uint64_t delivered;
	uint64_t queued;
	uint64_t dropped[OTLOG_DROP_REASON_COUNT];
} otlog__backlog_books;

void otlog__backlog_take_books(otlog__backlog *backlog, uint32_t pipeline, otlog__backlog_books *books);

/* Gives back all files: what is not done with stays for the next process. The books stay readable. */
void otlog__backlog_close(otlog__backlog *backlog);

/* In a forked child: frees the memory only. NULL is allowed. */
void otlog__backlog_free(otlog__backlog *backlog);

#endif
