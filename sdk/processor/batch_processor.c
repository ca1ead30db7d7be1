#include "sdk/processor/batch_processor.h"

#include "sdk/base/clock.h"
#include "sdk/base/futex.h"
#include "sdk/base/exporter_table.h"
#include "sdk/processor/worker.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* At most so much memory is reserved for each worker's request at once; for a larger one it is had when it comes. */
#define RESERVED_BYTES ((size_t)4 << 20)

#define MAX_WORKERS 64

/* How many workers are to be started: as many as the exporter takes calls at once. */
static uint32_t
count_workers(const otlog_exporter *exporter)
{
	if (exporter->concurrency == 0)
		return 1;
	return exporter->concurrency < MAX_WORKERS ? exporter->concurrency : MAX_WORKERS;
}

static bool
make_worker(otlog__batch_processor *p, otlog__worker *w)
{
	w->processor = p;
	w->own.refs = calloc(p->fixed.options.max_batch_records, sizeof *w->own.refs);
	/* For a full batch with its framing: a moment in which memory is short then loses nothing. */
	size_t room = p->fixed.options.max_batch_bytes + 16 * (size_t)p->fixed.options.max_batch_records +
	              otlog__queue_max_record(p->fixed.queue) / 4;
	return w->own.refs && otlog__buffer_reserve(&w->batch.request, room < RESERVED_BYTES ? room : RESERVED_BYTES);
}

/* Starts threads that block every signal: signals are the host's, and its handlers shall not run on our stacks. */
static bool
start_workers(otlog__batch_processor *p)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (uint32_t i = 0; i < p->fixed.most_workers; i++) {
		otlog__worker *w = &p->fixed.workers[p->fixed.worker_count];
		if (!make_worker(p, w) || pthread_create(&w->thread, NULL, otlog__worker_run, w) != 0)
			break; /* fewer will do, if there is one */
		p->fixed.worker_count++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return p->fixed.worker_count > 0;
}

/* Frees all that only workers and keeper use. Both are gone, or never were. */
static void
release(otlog__batch_processor *p)
{
	otlog__exporter_destroy(&p->fixed.exporter);
	p->fixed.exporter.functions = NULL;
	for (uint32_t i = 0; p->fixed.workers && i < MAX_WORKERS; i++) {
		otlog__buffer_free(&p->fixed.workers[i].batch.request);
		otlog__buffer_free(&p->fixed.workers[i].own.slice);
		otlog__backlog_batch_free(&p->fixed.workers[i].own.backlog);
		free(p->fixed.workers[i].own.refs);
	}
	otlog__buffer_free(&p->reading.unspooled.request);
	free(p->keeper.refs);
	p->keeper.refs = NULL;
	free(p->fixed.workers);
	p->fixed.workers = NULL;
}

otlog__batch_processor *
otlog__batch_create(otlog__queue *queue, uint32_t pipeline, otlog_exporter exporter,
                    const otlog__batch_options *options)
{
	otlog__batch_processor *p = calloc(1, sizeof *p);
	if (!p) {
		otlog__exporter_destroy(&exporter);
		return NULL;
	}
	p->fixed.queue = queue;
	p->fixed.pipeline = pipeline;
	p->fixed.exporter = exporter;
	p->fixed.exporter_flushes = otlog__exporter_function(&exporter, flush) != NULL;
	p->fixed.options = *options;
	p->fixed.most_workers = count_workers(&exporter);
	p->delivery.schedule =
	    (otlog__schedule){ .initial_ms = options->retry_initial_ms, .cap_ms = options->retry_cap_ms };
	p->reading.due_nano = otlog__deadline_nano(otlog__monotonic_nano(), options->schedule_delay_ms);
	pthread_mutex_init(&p->reading.lock, NULL);
	pthread_mutex_init(&p->delivery.lock, NULL);
	pthread_mutex_init(&p->told.lock, NULL);
	p->fixed.workers = calloc(MAX_WORKERS, sizeof *p->fixed.workers);
	if (p->fixed.workers && start_workers(p))
		return p;
	otlog__batch_destroy(p);
	return NULL;
}

void
otlog__batch_watch(otlog__batch_processor *p, uint64_t now_nano, uint64_t long_nano)
{
	for (uint32_t i = 0; i < p->fixed.worker_count; i++) {
		uint64_t started =
		    atomic_load_explicit(&p->fixed.workers[i].attempt_started_nano, memory_order_relaxed);
		if (started && now_nano > started && now_nano - started > long_nano)
			otlog__queue_set_away(p->fixed.queue, p->fixed.pipeline, true);
	}
}

uint32_t
otlog__batch_request_flush(otlog__batch_processor *p)
{
	/* Release: the records emitted before are seen with it. */
	uint32_t request = atomic_fetch_add_explicit(&p->asked.flushes, 1, memory_order_release) + 1;
	otlog__workers_ring(p);
	return request;
}

bool
otlog__batch_flushed(const otlog__batch_processor *p, uint32_t request, bool *failed)
{
	if (!p->fixed.exporter_flushes)
		return true; /* what is delivered is delivered: the queue's cursors tell */
	/* Acquire: flushes_failed is stored before flushes_done. Numbers wrap around, so their distance is compared. */
	uint32_t done = atomic_load_explicit(&p->progress.flushes_done, memory_order_acquire);
	uint32_t bad = atomic_load_explicit(&p->progress.flushes_failed, memory_order_relaxed);
	if ((int32_t)(done - request) < 0)
		return false;
	*failed |= bad && (int32_t)(bad - request) >= 0;
	return true;
}

void
otlog__batch_request_room(otlog__batch_processor *p)
{
	atomic_fetch_add_explicit(&p->asked.rooms, 1, memory_order_release); /* as for a flush */
	otlog__queue_wake(p->fixed.queue, p->fixed.pipeline);
}

void
otlog__batch_begin_stop(otlog__batch_processor *p)
{
	atomic_store_explicit(&p->asked.stop, 1, memory_order_release); /* pairs with otlog__is_stopping */
	otlog__workers_ring(p);
}

bool
otlog__batch_await_stop(otlog__batch_processor *p, uint64_t deadline_nano)
{
	uint32_t exited;
	/* Acquire: what the workers did is seen. */
	while ((exited = atomic_load_explicit(&p->progress.exited, memory_order_acquire)) < p->fixed.worker_count) {
		if (otlog__monotonic_nano() >= deadline_nano)
			return false;
		otlog__futex_wait(&p->progress.exited, exited, deadline_nano);
	}
	return true;
}

void
otlog__batch_cancel(otlog__batch_processor *p)
{
	if (otlog__exporter_function(&p->fixed.exporter, cancel))
		p->fixed.exporter.functions->cancel(p->fixed.exporter.self);
}

void
otlog__batch_end_stop(otlog__batch_processor *p)
{
	for (uint32_t i = 0; i < p->fixed.worker_count; i++)
		pthread_join(p->fixed.workers[i].thread, NULL);
	release(p);
}

void
otlog__batch_destroy(otlog__batch_processor *p)
{
	if (!p)
		return;
	release(p);
	pthread_mutex_destroy(&p->reading.lock);
	pthread_mutex_destroy(&p->delivery.lock);
	pthread_mutex_destroy(&p->told.lock);
	free(p);
}

void
otlog__batch_take_books(otlog__batch_processor *p, otlog__batch_books *counts)
{
	/* Relaxed: plain counters. */
	counts->batches = atomic_load_explicit(&p->counts.batches, memory_order_relaxed);
	counts->retries = atomic_load_explicit(&p->counts.retries, memory_order_relaxed);
	counts->bytes = atomic_load_explicit(&p->counts.bytes, memory_order_relaxed);
	counts->in_flight = atomic_load_explicit(&p->counts.records_in_flight, memory_order_relaxed);
	pthread_mutex_lock(&p->told.lock);
	memcpy(counts->last_error, p->told.last_error, sizeof counts->last_error);
	memcpy(counts->duration_counts, p->told.duration_counts, sizeof counts->duration_counts);
	counts->duration_sum_s = p->told.duration_sum_s;
	pthread_mutex_unlock(&p->told.lock);
}
