/*
 * The batch processor: worker threads, mostly one, that take frames of its pipeline off the queue, frame them as a request,
 * hand that to the exporter, and act on the verdict. They alone wait, back off, count and give up.
 */
#ifndef OTLOG_PROCESSOR_BATCH_PROCESSOR_H
#define OTLOG_PROCESSOR_BATCH_PROCESSOR_H

#include "sdk/processor/request.h"
#include "sdk/queue/recovery/backlog.h"
#include "sdk/queue/queue.h"
#include "sdk/queue/spool/spool.h"

#include <otlog/exporter.h>

typedef struct otlog__batch_processor otlog__batch_processor;

typedef struct otlog__batch_options {
	uint32_t max_batch_records;
	uint32_t max_batch_bytes;
	uint64_t schedule_delay_ms;
	uint64_t export_timeout_ms; /* one attempt; 0: no limit */
	uint64_t retry_initial_ms;
	uint64_t retry_cap_ms;
	otlog__request_frame frame; /* what it points to lives as long as the processor */
	/* The caller's; both have to live until the workers have ended. NULL: none. */
	otlog__spool *spool;
	otlog__backlog *backlog;
	otlog_spool_full spool_full;
	bool tells_keeper; /* whenever a batch is taken, because the keeper brings the queue to the disk then */
} otlog__batch_options;

/* The exporter is the processor's from here on, or destroyed. NULL when memory or threads are short. */
otlog__batch_processor *otlog__batch_create(otlog__queue *queue, uint32_t pipeline, otlog_exporter exporter,
                                            const otlog__batch_options *options);

/*
 * For the keeper: a worker that sits in one attempt for longer than long_nano counts as away, so that other pipelines
 * need not wait for it.
 */
void otlog__batch_watch(otlog__batch_processor *processor, uint64_t now_nano, uint64_t long_nano);

/*
 * For the keeper: where the queue has no room for what this pipeline holds back, moves it into the spool, what is in
 * flight included, until it has. Reads and writes files. Returns true if that made room.
 */
bool otlog__batch_spool(otlog__batch_processor *processor, uint64_t now_nano);

/*
 * Asks for everything up to now to be sent at once; a back-off of ours ends for it. Does not wait. Returns the request's
 * number for otlog__batch_flushed.
 */
uint32_t otlog__batch_request_flush(otlog__batch_processor *processor);

/*
 * Whether the batches that were read for this request have been finished and the exporter has flushed what it held
 * back. *failed is set if the exporter could not. When this changes, those who wait for the queue's progress are woken.
 */
bool otlog__batch_flushed(const otlog__batch_processor *processor, uint32_t request, bool *failed);

/* Asks for what is waiting to be sent, because emitters wait for room. Ends no back-off. Async-signal-safe. */
void otlog__batch_request_room(otlog__batch_processor *processor);

/*
 * Stopping, in steps, so that several processors stop at the same time: begin tells the workers; await waits for them and
 * returns true once they have ended; cancel cuts their attempts short. After an await that returned true, end joins them
 * and destroys the exporter; the counts stay readable, and late requests do no harm. A processor whose workers do not end
 * is left behind with its exporter: neither it nor the queue may be freed.
 */
void otlog__batch_begin_stop(otlog__batch_processor *processor);
bool otlog__batch_await_stop(otlog__batch_processor *processor, uint64_t deadline_nano);
void otlog__batch_cancel(otlog__batch_processor *processor);
void otlog__batch_end_stop(otlog__batch_processor *processor);

/* After end. NULL is allowed. */
void otlog__batch_destroy(otlog__batch_processor *processor);

/* Upper bounds of the buckets of durations, seconds. */
#define OTLOG__DURATION_BOUNDS_S                                                          \
	{                                                                                 \
		0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10 \
	}

typedef struct otlog__batch_books {
	uint64_t batches;
	uint64_t retries;
	uint64_t bytes;
	uint64_t in_flight; /* records */
	char last_error[32];
	uint64_t duration_counts[OTLOG_DURATION_BOUNDS + 1];
	double duration_sum_s;
} otlog__batch_books;

void otlog__batch_take_books(otlog__batch_processor *processor, otlog__batch_books *counts);

#endif
