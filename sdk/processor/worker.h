/*
 * The workers of a batch processor, private to sdk/processor.
 *
 * As many as the exporter takes calls at once, mostly one. They take turns: the one whose turn it is to read waits for
 * work and takes a batch; then it is another's turn, while the first delivers. Batches finish in the order in which
 * they were read, so the queue's cursors move over the longest finished prefix and nothing unfinished is given up.
 *
 *   wait for work, read ──▶ deliver: attempts, back-off, halves ──▶ wait for the batches read before ──▶ finish
 *   (one at a time)
 *
 * A batch comes from one of three places, the older one first: the spool, where the keeper puts what the queue has no room
 * for; the queue; and, beside these, the backlog of dead processes. While a batch is in flight the keeper may move it from
 * the queue into the spool: its origin then changes, under `order`, and nothing else.
 *
 *   worker.c     waiting, taking, finishing, flushing
 *   delivery.c   one batch: attempts until every part of it has its verdict
 *   spooling.c   the keeper's part
 */
#ifndef OTLOG_PROCESSOR_WORKER_H
#define OTLOG_PROCESSOR_WORKER_H

#include "sdk/base/process/diagnostics.h"
#include "sdk/processor/batch_processor.h"
#include "sdk/processor/schedule.h"

#include <pthread.h>
#include <stdatomic.h>

typedef enum otlog__origin { OTLOG__FROM_QUEUE, OTLOG__FROM_SPOOL, OTLOG__FROM_BACKLOG } otlog__origin;

typedef struct otlog__worker {
	otlog__batch_processor *processor;
	pthread_t thread;
	otlog__frame_ref *refs; /* max_batch_records of them */

	/* The batch in hand. In flight nobody writes the request, and the keeper may read it. */
	otlog__buffer request;
	uint32_t records;
	uint32_t ticket;
	bool in_flight;       /* guarded by `order`, as are the next four while it is true */
	otlog__origin origin; /* writers: this worker, keeper */
	otlog__batch_span span;
	uint64_t number; /* in the spool */
	otlog__backlog_batch backlog;

	otlog__buffer slice; /* a part of the request */
	/* Writer: the worker. When its attempt began, 0 while it is in none; for the keeper. */
	_Atomic uint64_t attempt_started_nano;
} otlog__worker;

struct otlog__batch_processor {
	otlog__queue *queue;
	uint32_t pipeline;
	otlog_exporter exporter;
	otlog__batch_options options;
	bool holds_back;       /* the exporter has a flush of its own */
	uint32_t worker_count; /* threads that were started */
	otlog__worker *workers;

	/* Whose turn it is to read holds this, and what follows. */
	pthread_mutex_t reading;
	uint64_t due_nano;       /* when what is waiting goes out, however little it is */
	uint64_t draining;       /* records that were waiting when that time came, or a request, and are not read yet */
	uint32_t drains_for;     /* the flush requests that this serves */
	uint32_t drains_rooms;   /* the requests for room that this serves */
	uint32_t flushes_served; /* the flush requests whose records have all been read */
	uint32_t rooms_served;
	uint32_t tickets;     /* given out */
	uint32_t own_in_row;  /* batches of our own since one of the backlog */
	uint64_t taken;       /* records read from the queue in all */
	uint64_t looked_nano; /* when the pace was looked at last, and what had arrived by then */
	uint64_t looked_arrived;

	/* Writers: anybody who asks; readers: the workers. */
	_Atomic uint32_t stopping;
	_Atomic uint32_t flushes_asked;
	_Atomic uint32_t rooms_asked;
	_Atomic uint32_t bell; /* futex: something that a waiting worker looks at has changed */

	/* Guards what follows, and what of a worker's batch says so. Taken while `reading` is held, not the other way. */
	pthread_mutex_t order;
	otlog__schedule schedule;
	uint32_t flushes_tried; /* flush requests that had come when an attempt began */
	/* A flush that has been read; it is done with once the batches read before are finished. */
	bool flush_read, flushing;
	uint32_t flush_request; /* its number */
	uint32_t flush_after;   /* the ticket before which all have to be finished */

	/* Guards what is only told; never held for long, while `order` may be while the keeper waits for the disk. */
	pthread_mutex_t telling;
	char last_error[32];
	uint64_t duration_counts[OTLOG_DURATION_BOUNDS + 1];
	double duration_sum_s;

	/*
	 * What the keeper has read to spool it, while it holds `reading`. Where the spool does not take it, it is `unspooled`:
	 * older than all in the queue, so the next worker that reads takes it, unless the spool does before.
	 */
	otlog__frame_ref *spool_refs;
	otlog__buffer spool_request;
	otlog__batch_span spool_span;
	uint32_t unspooled; /* records; 0: nothing */
	/* The keeper's own. */
	uint64_t spool_failed_until_nano; /* the disk did not take something: not tried again before */

	/* Writers: the workers. */
	_Atomic uint32_t flushes_done, flushes_failed;
	_Atomic uint32_t turn;           /* the ticket that may finish */
	_Atomic uint32_t exited;         /* futex: threads that are about to end */
	_Atomic uint32_t gave_up_halves; /* 1: a destination that refuses everything is not asked for each half */
	_Atomic uint64_t request_limit;  /* bytes: larger ones were refused for their size; 0: none was */
	_Atomic uint64_t batches, retries, bytes, in_flight;
	otlog__diagnostic_site retry_site, drop_site, partial_site, record_site, size_site, spool_site, away_site,
	    back_site;
};

/* ---- worker.c ---------------------------------------------------------------------------------------------------- */

/* The thread's function; its argument is an otlog__worker. */
void *otlog__worker_run(void *worker);

/* Wakes workers that wait for work, for a back-off to end or for their turn, so that they look again. */
void otlog__workers_ring(otlog__batch_processor *processor);

bool otlog__is_stopping(const otlog__batch_processor *processor);

/* ---- delivery.c -------------------------------------------------------------------------------------------------- */

/* Tries until every part of the batch in hand has a verdict, and tells it. False when the processor is stopped before. */
bool otlog__deliver(otlog__worker *worker, otlog__batch_end *end);

#endif
