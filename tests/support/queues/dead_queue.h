/*
 * Queues whose owner is dead: a child makes one, fills it and ends without closing it, as a kill would have it. Records
 * are those of queue_record.h, so that every byte of what comes back can be checked.
 */
#ifndef TESTS_SUPPORT_QUEUES_DEAD_QUEUE_H
#define TESTS_SUPPORT_QUEUES_DEAD_QUEUE_H

#include "sdk/queue/recovery/backlog.h"
#include "sdk/queue/queue.h"

#include <stdbool.h>

#define DEAD_MAX 65536u

typedef struct dead_queue {
	const char *directory;
	const char *const *pipelines;
	uint32_t pipeline_count;
	uint32_t source;    /* of the records; scopes have its number too */
	uint32_t records;   /* that it emits, in order, in turn to `lanes` */
	uint32_t lanes;     /* 0: 1 */
	uint64_t bytes;     /* of all lanes; 0: 64 KiB each */
	uint32_t delivered; /* by the first pipeline, before the end */
	bool checksums;
	bool synced;                       /* by otlog__queue_sync, at the end */
	bool closed;                       /* by otlog__queue_close, at the end */
	uint16_t (*mask)(uint32_t number); /* NULL: all pipelines */
	/* What it has the child do to the queue before the end; NULL: nothing. */
	void (*then)(otlog__queue *queue, void *user);
	void *user;
} dead_queue;

/* Makes it in a child, which is gone when this returns. Ends the test program if that cannot be done. */
void dead_queue_make(const dead_queue *queue);

/* What the child does; the queue stays open. */
void dead_queue_live(const dead_queue *queue);

/* Emits records first … first + count - 1 of the source; those refused are not tried again. Returns how many got in. */
uint32_t dead_queue_emit(otlog__queue *queue, const dead_queue *as, uint32_t first, uint32_t count);

/* What came out, by number of record: how often each. */
typedef struct dead_tally {
	uint32_t source;
	uint32_t seen[DEAD_MAX];
	uint32_t records; /* in all */
	uint32_t strange; /* that are none of ours, or damaged */
	bool in_order;    /* numbers grew all the while */
	uint32_t last;
} dead_tally;

dead_tally *dead_tally_make(uint32_t source);

/* Enters a batch with refs. */
void dead_tally_enter(dead_tally *tally, const otlog__backlog_batch *batch);

/* How many of the numbers from … to - 1 were seen exactly once. */
uint32_t dead_tally_once(const dead_tally *tally, uint32_t from, uint32_t to);

/* Takes and finishes all that waits for the pipeline, at most `most` batches. Returns the records. */
uint32_t dead_drain(otlog__backlog *backlog, uint32_t pipeline, uint32_t most, dead_tally *tally);

#endif
