/*
 * The workers of a batch processor, private to sdk/processor.
 *
 * There are as many as the exporter takes calls at once, mostly one. They take turns: the one whose turn it is to read waits
 * for work and takes a batch; then it is another's turn, while the first delivers. Batches finish in the order in which
 * they were read, so the queue's cursors move over the longest finished prefix and nothing unfinished is given up.
 *
 *   wait for work, read ──▶ deliver: attempts, back-off, halves ──▶ wait for the batches read before ──▶ finish
 *   (one at a time)
 *
 * A batch comes from one of three places: the spool, where the keeper puts what the queue has no room for; the queue, whose
 * records are younger than those of the spool; and, beside these two, the backlog of dead processes. While a batch is
 * in flight the keeper may move it from the queue into the spool: of the worker, its `delivery` then changes and
 * nothing else.
 *
 *   worker.c     waiting, taking, finishing, flushing
 *   delivery.c   one batch: attempts until every part of it has its verdict
 *   spooling.c   what the keeper does for a processor
 */
#ifndef OTLOG_PROCESSOR_WORKER_H
#define OTLOG_PROCESSOR_WORKER_H

#include "sdk/base/process/diagnostics.h"
#include "sdk/processor/batch_processor.h"
#include "sdk/processor/schedule.h"

#include <pthread.h>
#include <stdatomic.h>

typedef enum otlog__origin { OTLOG__FROM_QUEUE, OTLOG__FROM_SPOOL, OTLOG__FROM_BACKLOG } otlog__origin;

/*
 * Locks stand in names: a member that a mutex guards lies in a struct with it, so p->reading.due_nano is read and written
 * with p->reading.lock held. A function that needs a lock held says so at the end of its comment, or its part of the file
 * does for all. No lock is taken while `told.lock` is held, and `reading.lock` never while `delivery.lock` is.
 */

typedef struct otlog__worker {
	otlog__batch_processor *processor;
	pthread_t thread; /* the owner's, who joins it */

	/*
	 * The batch in hand. Its worker writes it before it is in flight, and nobody does while it is; so the keeper, with
	 * processor->delivery.lock held, may read it then.
	 */
	struct {
		otlog__buffer request;
		uint32_t records;
		uint32_t ticket;
		otlog__batch_span span; /* of a batch that was taken from the queue */
	} batch;

	/* With processor->delivery.lock held, by the worker itself too. */
	struct {
		bool in_flight;
		otlog__origin origin; /* while it is in flight. Writers: this worker, keeper */
		uint64_t number;      /* of a batch that lies in the spool; the same writers */
	} delivery;

	/* This worker's thread alone. */
	struct {
		otlog__frame_ref *refs;       /* max_batch_records of them */
		otlog__buffer slice;          /* a part of the request */
		otlog__backlog_batch backlog; /* of a batch that was taken from the backlog */
	} own;

	/* Writer: this worker. When its attempt began, 0 while it is in none; for the keeper. */
	_Atomic uint64_t attempt_started_nano;
} otlog__worker;

struct otlog__batch_processor {
	/* Never changes once the first worker runs, but for what says so; read without a lock. */
	struct {
		otlog__queue *queue;
		uint32_t pipeline;
		otlog_exporter exporter; /* its functions are taken away once all workers are joined */
		otlog__batch_options options;
		bool exporter_flushes; /* it has a flush of its own; stays when its functions are gone */
		otlog__worker *workers;
		uint32_t most_workers; /* threads that were to be started */
		/* Threads that were started. It grows while the first of them run, so they do not read it. */
		uint32_t worker_count;
	} fixed;

	/*
	 * The worker whose turn it is to read holds the lock, also while it waits for work; or the keeper, while it
	 * spools.
	 */
	struct {
		pthread_mutex_t lock;
		/* When what is waiting goes out, however little it is. */
		uint64_t due_nano;
		/* Records that were waiting when that time came, or a request, and are not read yet. */
		uint64_t draining;
		uint32_t drains_for_flush; /* the last flush request that this serves */
		uint32_t drains_for_room;  /* the last request for room that this serves */
		uint32_t flushes_served;   /* the last flush request whose records have all been read */
		uint32_t rooms_served;
		uint32_t tickets;    /* given out */
		uint32_t own_in_row; /* batches of our own since one of the backlog */
		uint64_t taken;      /* records read from the queue in all */
		uint64_t pace_nano;  /* when the pace was measured last, and what had arrived by then */
		uint64_t pace_arrived;
		/*
		 * A batch that the keeper has read to spool it and that the spool does not take yet. It is older than all in
		 * the queue, so the next worker that reads takes it, unless the spool does before.
		 */
		struct {
			uint32_t records; /* 0: there is none */
			otlog__buffer request;
			otlog__batch_span span;
		} unspooled;
	} reading;

	/*
	 * When to try, and what is in flight: this lock guards `delivery` of each worker too. The keeper holds it while it
	 * waits for the disk.
	 */
	struct {
		pthread_mutex_t lock;
		otlog__schedule schedule;
		uint32_t flushes_tried; /* flush requests that had come when an attempt began */
		/* The last flush whose records have all been read; it ends once the batches read before are finished. */
		struct {
			bool waits;
			bool runs;             /* some worker is in the exporter's flush */
			uint32_t request;      /* its number */
			uint32_t after_ticket; /* the batches with a lower ticket have to be finished */
		} flush;
	} delivery;

	/* What is only told, in statistics. The lock is never held for long, unlike delivery.lock. */
	struct {
		pthread_mutex_t lock;
		char last_error[32];
		uint64_t duration_counts[OTLOG_DURATION_BOUNDS + 1];
		double duration_sum_s;
	} told;

	/* The keeper's thread alone. */
	struct {
		otlog__frame_ref *refs;     /* max_batch_records of them; NULL until it spools */
		uint64_t paused_until_nano; /* the disk did not take something: not tried again before. 0: it did */
	} keeper;

	/* Atomics. Writers: whoever asks; readers: the workers. */
	struct {
		_Atomic uint32_t stop; /* 1: workers end */
		_Atomic uint32_t flushes;
		_Atomic uint32_t rooms;
	} asked;

	/* Futex: something that a waiting worker looks at has changed. Writers: whoever changes it. */
	_Atomic uint32_t bell;

	/* Atomics. Writers: the workers, each member by one of them at a time but for `exited`; readers: all. */
	struct {
		_Atomic uint32_t turn; /* the ticket that may finish */
		_Atomic uint32_t flushes_done, flushes_failed;
		_Atomic uint32_t exited; /* futex: threads that are about to end */
	} progress;

	/* Atomics that only save work: an old value does no harm. Writers and readers: the workers. */
	struct {
		/* 1: a destination that refuses everything is not asked for each half. */
		_Atomic uint32_t gave_up_halves;
		/* Bytes: larger ones were refused for their size; 0: none was. */
		_Atomic uint64_t request_limit;
	} hints;

	/* Atomics, plain counters. Writers: the workers; readers: statistics. */
	struct {
		_Atomic uint64_t batches, retries, bytes;
		_Atomic uint64_t records_in_flight;
	} counts;

	/* When each kind of message was said last; they guard themselves. */
	struct {
		otlog__diagnostic_site retry, drop, partial, record, size, spool, away, back;
	} sites;
};

/* ---- worker.c ---------------------------------------------------------------------------------------------------- */

/* The thread's function; its argument is an otlog__worker. */
void *otlog__worker_run(void *worker);

/* Wakes workers that wait for work, for a back-off to end or for their turn, so that they look again. */
void otlog__workers_ring(otlog__batch_processor *processor);

bool otlog__is_stopping(const otlog__batch_processor *processor);

/* ---- delivery.c -------------------------------------------------------------------------------------------------- */

/* Tries until every part of the batch in hand has its verdict; *end tells it. False: the processor was stopped before. */
bool otlog__deliver(otlog__worker *worker, otlog__batch_end *end);

#endif
