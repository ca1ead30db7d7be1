/*
 * The workers of a batch processor, private to sdk/processor.
 *
 * As many as the exporter takes calls at once, mostly one. They take turns: the one whose turn it is to read waits for
 * work and takes a batch; then it is another's turn, while the first delivers. Batches finish in the order in which
 * they were read, so the queue's cursors move over the longest finished prefix and nothing unfinished is given up.
 *
 *   wait for work, read ──▶ attempt ──▶ OK, PARTIAL, DROP ──▶ wait for the batches read before ──▶ finish
 *   (one at a time)            ▲  │ RETRY
 *                              └──┴─ back off
 */
#ifndef OTLOG_PROCESSOR_WORKER_H
#define OTLOG_PROCESSOR_WORKER_H

#include "sdk/base/diagnostics.h"
#include "sdk/processor/batch.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct otlog__worker {
	otlog__batch_processor *processor;
	pthread_t thread;
	otlog__frame_ref *refs; /* max_batch_records of them */
	otlog__buffer request;
	otlog__batch_span span;
	uint32_t ticket; /* of the batch in hand */
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
	uint64_t taken;       /* records read in all */
	uint64_t looked_nano; /* when the pace was looked at last, and what had arrived by then */
	uint64_t looked_arrived;

	/* Writers: anybody who asks; readers: the workers. */
	_Atomic uint32_t stopping;
	_Atomic uint32_t flushes_asked;
	_Atomic uint32_t rooms_asked;
	_Atomic uint32_t bell; /* futex: ends a back-off */

	/* A flush that has been read; it is done with once the batches read before are finished. Guarded by `order`. */
	pthread_mutex_t order;
	bool flush_read, flushing;
	uint32_t flush_request; /* its number */
	uint32_t flush_after;   /* the ticket before which all have to be finished */

	/* Writers: the workers. */
	_Atomic uint32_t flushes_done, flushes_failed;
	_Atomic uint32_t turn;                 /* futex: the ticket that may finish */
	_Atomic uint32_t exited;               /* futex: threads that are about to end */
	_Atomic uint64_t throttled_until_nano; /* the server's wish holds for all */
	_Atomic uint64_t batches, retries, bytes;
	otlog__diagnostic_site retry_site, drop_site, partial_site;
};

/* The thread's function; its argument is an otlog__worker. */
void *otlog__worker_run(void *worker);

/* Wakes whoever sleeps, so that it sees what has been asked for. */
void otlog__workers_ring(otlog__batch_processor *processor);

#endif
