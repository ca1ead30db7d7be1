/*
 * The batch processor: one worker thread that takes frames of its pipeline off the queue, frames them as a request,
 * hands it to the exporter, and acts on the verdict. It alone waits, backs off, counts and gives up.
 */
#ifndef OTLOG_PROCESSOR_BATCH_H
#define OTLOG_PROCESSOR_BATCH_H

#include "sdk/processor/request.h"
#include "sdk/queue/queue.h"

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
} otlog__batch_options;

/* Takes the exporter in every case. NULL when memory or threads are short. */
otlog__batch_processor *otlog__batch_create(otlog__queue *queue, uint32_t pipeline, otlog_exporter exporter,
                                            const otlog__batch_options *options);

/* For the keeper: a worker that sits in one attempt for long counts as away, so that others need not wait for it. */
void otlog__batch_watch(otlog__batch_processor *processor, uint64_t now_nano);

/* Asks for everything up to now to be sent at once, a waiting back-off of ours included. Does not wait. */
void otlog__batch_request_flush(otlog__batch_processor *processor);

/*
 * Stops the worker: it ends its attempt by the deadline, or is cancelled then. Destroys the exporter; the counts stay
 * readable, and a late otlog__batch_request_flush does no harm. False if the exporter does not come back even so: the
 * thread and the exporter are then left behind, and neither queue nor processor may be freed.
 */
bool otlog__batch_stop(otlog__batch_processor *processor, uint64_t deadline_nano);

/* After a stop that returned true. NULL is allowed. */
void otlog__batch_destroy(otlog__batch_processor *processor);

typedef struct otlog__batch_counts {
	uint64_t batches;
	uint64_t retries;
	uint64_t bytes;
} otlog__batch_counts;

void otlog__batch_take_counts(const otlog__batch_processor *processor, otlog__batch_counts *counts);

#endif
