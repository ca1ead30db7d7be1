#include "sdk/processor/batch.h"

#include "sdk/base/clock.h"
#include "sdk/base/diagnostics.h"
#include "sdk/base/futex.h"
#include "sdk/base/random.h"
#include "sdk/processor/backoff.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

/* One attempt longer than this makes the pipeline away: other pipelines may then have its room in the queue. */
#define LONG_ATTEMPT_NANO (1 * OTLOG__NANOS_PER_S)

/* What a cancelled exporter gets to return in. */
#define CANCEL_GRACE_NANO (1 * OTLOG__NANOS_PER_S)

struct otlog__batch_processor {
	otlog__queue *queue;
	uint32_t pipeline;
	otlog_exporter exporter;
	otlog__batch_options options;
	pthread_t thread;

	/* Worker's own. */
	otlog__frame_ref *refs; /* max_batch_records of them */
	otlog__buffer request;
	otlog__batch_span span;
	uint32_t failures;       /* attempts in a row that ended in RETRY */
	uint32_t flushes_served; /* the flush requests that are done with */
	otlog__diagnostic_site retry_site, drop_site, partial_site;

	/* Writers: anybody who asks; reader: the worker. */
	_Atomic uint32_t stopping;
	_Atomic uint32_t flushes_asked;
	_Atomic uint32_t bell; /* futex: ends a back-off */

	/* Writer: the worker. */
	_Atomic uint32_t exited;               /* futex: 1 when the thread is about to end */
	_Atomic uint64_t attempt_started_nano; /* 0: not in an attempt */
	_Atomic uint64_t batches, retries, bytes;
};

/* Plain counters of one writer: readers want some recent value, nothing hangs on the order. */
static void
count(_Atomic uint64_t *counter, uint64_t more)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + more,
	                      memory_order_relaxed);
}

static bool
is_stopping(otlog__batch_processor *p)
{
	return atomic_load_explicit(&p->stopping, memory_order_acquire) !=
	       0; /* acquire: pairs with the release in stop */
}

static bool
flush_wanted(otlog__batch_processor *p)
{
	/* Acquire: the records emitted before the request are seen. */
	return atomic_load_explicit(&p->flushes_asked, memory_order_acquire) != p->flushes_served;
}

/* Wakes the worker from its sleep on the queue and from a back-off. */
static void
ring(otlog__batch_processor *p)
{
	atomic_fetch_add_explicit(&p->bell, 1,
	                          memory_order_release); /* what was asked for before it is seen after it */
	otlog__futex_wake_all(&p->bell);
	otlog__queue_wake(p->queue, p->pipeline);
}

/* Waits out a back-off. A flush ends one of our own once, a server's wish is obeyed; a stop ends both. */
static void
back_off(otlog__batch_processor *p, const otlog_export_result *result)
{
	uint64_t wait_ms = otlog__backoff_ms(p->failures, p->options.retry_initial_ms, p->options.retry_cap_ms,
	                                     result->retry_after_ms, otlog__random_u64());
	otlog__diagnose_at(&p->retry_site, OTLOG__WARN,
	                   "%s: %s (attempt %u failed; nothing is lost: %" PRIu64
	                   " records wait in the queue, the next attempt comes in %" PRIu64 " ms)",
	                   p->exporter.name, result->message[0] ? result->message : "the destination is away",
	                   p->failures, otlog__queue_waiting(p->queue, p->pipeline) + p->span.records, wait_ms);

	uint64_t deadline = otlog__deadline_nano(otlog__monotonic_nano(), wait_ms);
	uint32_t asked = atomic_load_explicit(&p->flushes_asked, memory_order_relaxed);
	while (!is_stopping(p) && otlog__monotonic_nano() < deadline) {
		uint32_t seen = atomic_load_explicit(&p->bell, memory_order_acquire); /* before the conditions below */
		if (is_stopping(p))
			return;
		if (result->retry_after_ms == 0 &&
		    atomic_load_explicit(&p->flushes_asked, memory_order_acquire) != asked)
			return;
		otlog__futex_wait(&p->bell, seen, deadline);
	}
}

/* One attempt. */
static otlog_export_result
attempt(otlog__batch_processor *p)
{
	otlog_export_result result = { .verdict = OTLOG_VERDICT_OK };
	otlog_batch batch = { p->request.data, p->request.size, p->span.records };
	/* Relaxed: the keeper only compares it with the time. */
	atomic_store_explicit(&p->attempt_started_nano, otlog__monotonic_nano(), memory_order_relaxed);
	p->exporter.functions->export_batch(p->exporter.self, &batch, p->options.export_timeout_ms, &result);
	atomic_store_explicit(&p->attempt_started_nano, 0, memory_order_relaxed);
	result.message[sizeof result.message - 1] = '\0';
	return result;
}

/* Acts on a verdict that ends the batch. */
static void
finish(otlog__batch_processor *p, const otlog_export_result *result)
{
	uint32_t dropped = 0;
	if (result->verdict == OTLOG_VERDICT_DROP) {
		dropped = p->span.records;
		otlog__diagnose_at(
		    &p->drop_site, OTLOG__ERROR, "%s: %s (%u records dropped as rejected)", p->exporter.name,
		    result->message[0] ? result->message : "the destination refuses this batch for good", dropped);
	} else if (result->verdict == OTLOG_VERDICT_PARTIAL && result->rejected) {
		dropped = result->rejected < p->span.records ? (uint32_t)result->rejected : p->span.records;
		otlog__diagnose_at(&p->partial_site, OTLOG__WARN,
		                   "%s: the destination took a batch of %u records but rejected %u of them: %s",
		                   p->exporter.name, p->span.records, dropped,
		                   result->message[0] ? result->message : "it gives no reason; look into its own log");
	}
	/* Before the cursors move: who waits for them may then rely on the exporter's own flush too. */
	if (p->exporter.functions->flush && flush_wanted(p))
		p->exporter.functions->flush(p->exporter.self, p->options.export_timeout_ms);
	count(&p->batches, 1);
	if (dropped < p->span.records)
		count(&p->bytes, p->request.size);
	otlog__queue_set_away(p->queue, p->pipeline, false);
	otlog__queue_finish(p->queue, p->pipeline, &p->span, dropped, OTLOG_DROP_REJECTED);
}

/* Tries until the batch is done with, or the processor is stopped: then false, and the records stay in the queue. */
static bool
deliver(otlog__batch_processor *p)
{
	for (p->failures = 0;;) {
		otlog_export_result result = attempt(p);
		if (result.verdict != OTLOG_VERDICT_RETRY) {
			if (p->failures)
				otlog__diagnose(OTLOG__INFO, "%s: the destination is back", p->exporter.name);
			finish(p, &result);
			return true;
		}
		if (is_stopping(p))
			return false;
		p->failures++;
		count(&p->retries, 1);
		otlog__queue_set_away(p->queue, p->pipeline, true);
		back_off(p, &result);
		if (is_stopping(p))
			return false;
	}
}

/* Takes the next batch off the queue. Returns its records; 0 if there was nothing to send. */
static uint32_t
take_batch(otlog__batch_processor *p)
{
	bool framed = true;
	uint32_t records = otlog__queue_read_begin(p->queue, p->pipeline, p->options.max_batch_records,
	                                           p->options.max_batch_bytes, p->refs, &p->span);
	if (records)
		framed = otlog__request_write(p->queue, &p->options.frame, p->refs, records, &p->request);
	otlog__queue_read_end(p->queue, p->pipeline);
	if (records && framed)
		return records;
	if (records)
		otlog__diagnose(OTLOG__ERROR,
		                "%s: out of memory for a request, %u records dropped. Give the process more "
		                "memory or lower OTEL_BLRP_MAX_EXPORT_BATCH_SIZE",
		                p->exporter.name, records);
	/* Frames of other pipelines may have been passed over: their room is given back all the same. */
	otlog__queue_finish(p->queue, p->pipeline, &p->span, records, OTLOG_DROP_REJECTED);
	return 0;
}

/* Sends at least `records` records, or all there are. False when the processor was stopped in between. */
static bool
send_waiting(otlog__batch_processor *p, uint64_t records)
{
	for (uint64_t sent = 0; sent < records;) {
		uint32_t taken = take_batch(p);
		if (taken == 0)
			break;
		if (!deliver(p))
			return false;
		sent += taken;
		if (is_stopping(p))
			return false;
	}
	return true;
}

static void
work(otlog__batch_processor *p)
{
	uint64_t due = otlog__deadline_nano(otlog__monotonic_nano(), p->options.schedule_delay_ms);
	while (!is_stopping(p)) {
		uint32_t asked = atomic_load_explicit(&p->flushes_asked, memory_order_acquire);
		uint64_t waiting = otlog__queue_waiting(p->queue, p->pipeline);
		uint64_t now = otlog__monotonic_nano();
		bool all = now >= due || asked != p->flushes_served;
		if (all || waiting >= p->options.max_batch_records) {
			/* At least one look, although nothing seems to wait: frames of others are passed over. */
			if (!send_waiting(p, waiting ? waiting : 1))
				return;
			if (all) {
				p->flushes_served = asked;
				due = otlog__deadline_nano(otlog__monotonic_nano(), p->options.schedule_delay_ms);
			}
			continue;
		}
		otlog__queue_wait(p->queue, p->pipeline, p->options.max_batch_records, due);
	}
}

static void *
run(void *self)
{
	otlog__batch_processor *p = self;
	pthread_setname_np(pthread_self(), "otlog-export");
	work(p);
	atomic_store_explicit(&p->exited, 1, memory_order_release); /* all that the worker did is seen by who joins */
	otlog__futex_wake_all(&p->exited);
	return NULL;
}

/* A thread that takes no signals: they are the host's, and its handlers shall not run on our stack. */
static bool
start_thread(otlog__batch_processor *p)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&p->thread, NULL, run, p);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error == 0;
}

/* Gives up all that only the worker used. */
static void
release(otlog__batch_processor *p)
{
	if (p->exporter.functions && p->exporter.functions->destroy)
		p->exporter.functions->destroy(p->exporter.self);
	p->exporter.functions = NULL;
	otlog__buffer_free(&p->request);
	free(p->refs);
	p->refs = NULL;
}

otlog__batch_processor *
otlog__batch_create(otlog__queue *queue, uint32_t pipeline, otlog_exporter exporter,
                    const otlog__batch_options *options)
{
	otlog__batch_processor *p = calloc(1, sizeof *p);
	if (!p) {
		if (exporter.functions->destroy)
			exporter.functions->destroy(exporter.self);
		return NULL;
	}
	p->queue = queue;
	p->pipeline = pipeline;
	p->exporter = exporter;
	p->options = *options;
	p->refs = calloc(options->max_batch_records, sizeof *p->refs);
	/* A full batch and its framing: later batches need no memory, so a short moment of it loses nothing. */
	bool room =
	    otlog__buffer_reserve(&p->request, options->max_batch_bytes + 16 * (size_t)options->max_batch_records +
	                                           otlog__queue_max_record(queue) / 4);
	if (p->refs && room && start_thread(p))
		return p;
	otlog__batch_destroy(p);
	return NULL;
}

void
otlog__batch_watch(otlog__batch_processor *p, uint64_t now_nano)
{
	uint64_t started = atomic_load_explicit(&p->attempt_started_nano, memory_order_relaxed);
	if (started && now_nano > started && now_nano - started > LONG_ATTEMPT_NANO)
		otlog__queue_set_away(p->queue, p->pipeline, true);
}

void
otlog__batch_request_flush(otlog__batch_processor *p)
{
	atomic_fetch_add_explicit(&p->flushes_asked, 1,
	                          memory_order_release); /* records emitted before are seen with it */
	ring(p);
}

/* True once the worker has ended; waits for it until the deadline. */
static bool
wait_exited(otlog__batch_processor *p, uint64_t deadline_nano)
{
	while (atomic_load_explicit(&p->exited, memory_order_acquire) == 0) {
		if (otlog__monotonic_nano() >= deadline_nano)
			return false;
		otlog__futex_wait(&p->exited, 0, deadline_nano);
	}
	return true;
}

bool
otlog__batch_stop(otlog__batch_processor *p, uint64_t deadline_nano)
{
	atomic_store_explicit(&p->stopping, 1, memory_order_release);
	ring(p);
	if (!wait_exited(p, deadline_nano)) {
		if (p->exporter.functions->cancel)
			p->exporter.functions->cancel(p->exporter.self);
		if (!wait_exited(p, otlog__monotonic_nano() + CANCEL_GRACE_NANO)) {
			otlog__diagnose_always(
			    OTLOG__ERROR,
			    "%s: the exporter does not return although it was cancelled; its thread is left "
			    "behind. Report this to the exporter's authors",
			    p->exporter.name);
			return false;
		}
	}
	pthread_join(p->thread, NULL);
	release(p);
	return true;
}

void
otlog__batch_destroy(otlog__batch_processor *p)
{
	if (!p)
		return;
	release(p);
	free(p);
}

void
otlog__batch_take_counts(const otlog__batch_processor *p, otlog__batch_counts *counts)
{
	counts->batches = atomic_load_explicit(&p->batches, memory_order_relaxed);
	counts->retries = atomic_load_explicit(&p->retries, memory_order_relaxed);
	counts->bytes = atomic_load_explicit(&p->bytes, memory_order_relaxed);
}
