#include "sdk/processor/worker.h"

#include "sdk/base/clock.h"
#include "sdk/base/futex.h"
#include "sdk/base/random.h"
#include "sdk/processor/backoff.h"

#include <inttypes.h>

/* A sleep between two batches at a steady pace. Shorter ones are not worth a timer, longer ones no steady pace. */
#define SHORTEST_NAP_NANO (200 * OTLOG__NANOS_PER_MS / 1000)
#define LONGEST_NAP_NANO (200 * OTLOG__NANOS_PER_MS)

/* So many batches waiting make a burst, for which an emit wakes the worker. */
#define BURST_BATCHES 4

static void
count(_Atomic uint64_t *counter, uint64_t more)
{
	atomic_fetch_add_explicit(counter, more, memory_order_relaxed); /* nothing hangs on the order */
}

static bool
is_stopping(otlog__batch_processor *p)
{
	return atomic_load_explicit(&p->stopping, memory_order_acquire) !=
	       0; /* acquire: pairs with the release in stop */
}

void
otlog__workers_ring(otlog__batch_processor *p)
{
	atomic_fetch_add_explicit(&p->bell, 1,
	                          memory_order_release); /* what was asked for before it is seen after it */
	otlog__futex_wake_all(&p->bell);
	otlog__futex_wake_all(&p->turn);
	otlog__queue_wake(p->queue, p->pipeline);
}

/* ---- Reading ----------------------------------------------------------------------------------------------------- */

/* Takes the next batch off the queue. Returns its records; 0 if there was nothing to send. */
static uint32_t
take_batch(otlog__worker *w)
{
	otlog__batch_processor *p = w->processor;
	bool framed = true;
	uint32_t records = otlog__queue_read_begin(p->queue, p->pipeline, p->options.max_batch_records,
	                                           p->options.max_batch_bytes, w->refs, &w->span);
	if (records)
		framed = otlog__request_write(p->queue, &p->options.frame, w->refs, records, &w->request);
	otlog__queue_read_end(p->queue, p->pipeline);
	if (records && !framed)
		w->request.size = 0; /* finished in its turn, as dropped */
	if (records)
		w->ticket = p->tickets++;
	p->taken += records;
	return records;
}

/* All that a flush asked for has been read. */
static void
flush_was_read(otlog__batch_processor *p)
{
	pthread_mutex_lock(&p->order);
	p->flush_read = true;
	p->flush_request = p->drains_for;
	p->flush_after = p->tickets;
	pthread_mutex_unlock(&p->order);
}

/* What has been read counts towards what was waiting when the time came. True if that ends a flush's reading. */
static bool
drained(otlog__batch_processor *p, uint32_t records)
{
	if (records && records < p->draining) {
		p->draining -= records;
		return false;
	}
	bool flush = p->flushes_served != p->drains_for;
	p->draining = 0;
	p->flushes_served = p->drains_for;
	p->rooms_served = p->drains_rooms;
	p->due_nano = otlog__deadline_nano(otlog__monotonic_nano(), p->options.schedule_delay_ms);
	if (flush)
		flush_was_read(p);
	return flush;
}

/*
 * Sleeps until a batch is worth taking; true if one is for certain. At a steady pace the worker knows when the next batch
 * will be full and wakes by itself, so that no emit pays for a system call; a burst still wakes it.
 */
static bool
wait_for_batch(otlog__batch_processor *p, uint64_t waiting)
{
	uint64_t now = otlog__monotonic_nano();
	uint64_t arrived = p->taken + waiting, elapsed = now - p->looked_nano;
	uint64_t came = arrived > p->looked_arrived ? arrived - p->looked_arrived : 0;
	p->looked_nano = now;
	p->looked_arrived = arrived;
	if (came && elapsed < LONGEST_NAP_NANO) {
		uint64_t nap = (p->options.max_batch_records - waiting) * elapsed / came;
		nap += nap / 8; /* rather a little late than woken by an emit */
		if (nap >= SHORTEST_NAP_NANO && nap <= LONGEST_NAP_NANO && now + nap < p->due_nano)
			return otlog__queue_wait(p->queue, p->pipeline, BURST_BATCHES * p->options.max_batch_records,
			                         now + nap);
	}
	return otlog__queue_wait(p->queue, p->pipeline, p->options.max_batch_records, p->due_nano);
}

/* True if something was asked for, or the time has come, to send whatever is waiting. */
static bool
must_drain(otlog__batch_processor *p)
{
	if (p->draining)
		return true;
	/* Acquire: the records emitted before the request are seen. */
	uint32_t flushes = atomic_load_explicit(&p->flushes_asked, memory_order_acquire);
	uint32_t rooms = atomic_load_explicit(&p->rooms_asked, memory_order_acquire);
	if (flushes == p->flushes_served && rooms == p->rooms_served && otlog__monotonic_nano() < p->due_nano)
		return false;
	uint64_t waiting = otlog__queue_waiting(p->queue, p->pipeline);
	p->draining = waiting ? waiting : 1; /* at least one look: frames of others are passed over */
	p->drains_for = flushes;
	p->drains_rooms = rooms;
	return true;
}

typedef enum next { NEXT_BATCH, NEXT_FLUSH, NEXT_STOP } next;

/* Waits for a full batch, the schedule or a request, and takes a batch; or finds that a flush has nothing to read. */
static next
next_batch(otlog__worker *w)
{
	otlog__batch_processor *p = w->processor;
	bool enough = false;
	while (!is_stopping(p)) {
		bool drain = must_drain(p);
		uint64_t waiting = otlog__queue_waiting(p->queue, p->pipeline);
		if (drain || enough || waiting >= p->options.max_batch_records) {
			enough = false;
			uint32_t records = take_batch(w);
			bool flush = drain && drained(p, records);
			if (records || flush)
				return records ? NEXT_BATCH : NEXT_FLUSH;
			continue;
		}
		enough = wait_for_batch(p, waiting);
	}
	return NEXT_STOP;
}

/* ---- Delivering -------------------------------------------------------------------------------------------------- */

/*
 * Sleeps until then, or until the processor is stopped; with `may_hurry`, also only until somebody asks for a flush beyond
 * those that had been asked for.
 */
static void
sleep_until(otlog__batch_processor *p, uint64_t deadline_nano, bool may_hurry, uint32_t asked)
{
	for (;;) {
		uint32_t seen = atomic_load_explicit(&p->bell, memory_order_acquire); /* before the conditions below */
		if (is_stopping(p) || otlog__monotonic_nano() >= deadline_nano)
			return;
		if (may_hurry && atomic_load_explicit(&p->flushes_asked, memory_order_acquire) != asked)
			return;
		otlog__futex_wait(&p->bell, seen, deadline_nano);
	}
}

/* Waits out a back-off. A flush ends one of our own once, a server's wish is obeyed; a stop ends both. */
static void
back_off(otlog__worker *w, const otlog_export_result *result, uint32_t failures, uint32_t asked)
{
	otlog__batch_processor *p = w->processor;
	uint64_t wait_ms = otlog__backoff_ms(failures, p->options.retry_initial_ms, p->options.retry_cap_ms,
	                                     result->retry_after_ms, otlog__random_u64());
	uint64_t deadline = otlog__deadline_nano(otlog__monotonic_nano(), wait_ms);
	if (result->retry_after_ms)
		atomic_store_explicit(&p->throttled_until_nano, deadline, memory_order_relaxed); /* only compared */
	otlog__diagnose_at(&p->retry_site, OTLOG__WARN,
	                   "%s: %s (attempt %" PRIu32 " failed; nothing is lost: %" PRIu64
	                   " records wait in the queue, the next attempt comes in %" PRIu64 " ms)",
	                   p->exporter.name, result->message[0] ? result->message : "the destination is away", failures,
	                   otlog__queue_waiting(p->queue, p->pipeline) + w->span.records, wait_ms);
	sleep_until(p, deadline, result->retry_after_ms == 0, asked);
}

static otlog_export_result
attempt(otlog__worker *w)
{
	otlog__batch_processor *p = w->processor;
	otlog_export_result result = { .verdict = OTLOG_VERDICT_OK };
	otlog_batch batch = { w->request.data, w->request.size, w->span.records };
	/* Relaxed: the keeper only compares it with the time. */
	atomic_store_explicit(&w->attempt_started_nano, otlog__monotonic_nano(), memory_order_relaxed);
	p->exporter.functions->export_batch(p->exporter.self, &batch, p->options.export_timeout_ms, &result);
	atomic_store_explicit(&w->attempt_started_nano, 0, memory_order_relaxed);
	result.message[sizeof result.message - 1] = '\0';
	return result;
}

/* Tries until there is a verdict that ends the batch. False when the processor is stopped: the records stay queued. */
static bool
deliver(otlog__worker *w, otlog_export_result *result)
{
	otlog__batch_processor *p = w->processor;
	if (w->request.size == 0) {
		*result =
		    (otlog_export_result){ .verdict = OTLOG_VERDICT_DROP,
			                   .message = "out of memory for a request. Give the process more memory or "
			                              "lower OTEL_BLRP_MAX_EXPORT_BATCH_SIZE" };
		return true;
	}
	for (uint32_t failures = 0;;) {
		sleep_until(p, atomic_load_explicit(&p->throttled_until_nano, memory_order_relaxed), false, 0);
		if (is_stopping(p))
			return false;
		/* A flush that comes while the attempt runs ends the back-off behind it. Relaxed: only compared. */
		uint32_t asked = atomic_load_explicit(&p->flushes_asked, memory_order_relaxed);
		*result = attempt(w);
		if (result->verdict != OTLOG_VERDICT_RETRY) {
			if (failures)
				otlog__diagnose(OTLOG__INFO, "%s: the destination is back", p->exporter.name);
			return true;
		}
		if (is_stopping(p))
			return false;
		count(&p->retries, 1);
		if (++failures > 1) /* once is a moment, for which nobody shall lose records */
			otlog__queue_set_away(p->queue, p->pipeline, true);
		back_off(w, result, failures, asked);
	}
}

/* ---- Finishing --------------------------------------------------------------------------------------------------- */

/* How many records the verdict drops, said once in a while. */
static uint32_t
dropped_by(otlog__worker *w, const otlog_export_result *result)
{
	otlog__batch_processor *p = w->processor;
	uint32_t dropped = 0;
	if (result->verdict == OTLOG_VERDICT_DROP) {
		dropped = w->span.records;
		otlog__diagnose_at(
		    &p->drop_site, OTLOG__ERROR, "%s: %s (%" PRIu32 " records dropped as rejected)", p->exporter.name,
		    result->message[0] ? result->message : "the destination refuses this batch for good", dropped);
	} else if (result->verdict == OTLOG_VERDICT_PARTIAL && result->rejected) {
		dropped = result->rejected < w->span.records ? (uint32_t)result->rejected : w->span.records;
		otlog__diagnose_at(&p->partial_site, OTLOG__WARN,
		                   "%s: the destination took a batch of %" PRIu32 " records but rejected %" PRIu32
		                   " of them: %s",
		                   p->exporter.name, w->span.records, dropped,
		                   result->message[0] ? result->message : "it gives no reason; look into its own log");
	}
	return dropped;
}

/* Waits until every batch read before is finished. False when the processor is stopped before that. */
static bool
wait_turn(otlog__worker *w)
{
	otlog__batch_processor *p = w->processor;
	uint32_t turn;
	/* Acquire: pairs with the release in finish; the queue's own mutex orders the rest. */
	while ((turn = atomic_load_explicit(&p->turn, memory_order_acquire)) != w->ticket) {
		if (is_stopping(p))
			return false;
		otlog__futex_wait(&p->turn, turn, UINT64_MAX);
	}
	return true;
}

static void
finish(otlog__worker *w, const otlog_export_result *result)
{
	otlog__batch_processor *p = w->processor;
	uint32_t dropped = dropped_by(w, result);
	/* In a file, what was not finished in its turn is left for the next process: sent twice rather than never. */
	if (!wait_turn(w) && otlog__queue_in_file(p->queue))
		return;
	count(&p->batches, 1);
	if (dropped < w->span.records)
		count(&p->bytes, w->request.size);
	otlog__queue_set_away(p->queue, p->pipeline, false);
	otlog__queue_finish(p->queue, p->pipeline, &w->span,
	                    &(otlog__batch_end){ .dropped[OTLOG_DROP_REJECTED] = dropped });
	atomic_store_explicit(&p->turn, w->ticket + 1, memory_order_release);
	if (p->worker_count > 1)
		otlog__futex_wake_all(&p->turn);
}

/* Takes the flush whose batches are all finished; false if there is none. */
static bool
take_flush(otlog__batch_processor *p, uint32_t *request)
{
	pthread_mutex_lock(&p->order);
	int32_t missing = (int32_t)(p->flush_after - atomic_load_explicit(&p->turn, memory_order_acquire));
	bool mine = p->flush_read && !p->flushing && missing <= 0;
	if (mine) {
		p->flush_read = false;
		p->flushing = true;
		*request = p->flush_request;
	}
	pthread_mutex_unlock(&p->order);
	return mine;
}

/* The end of a flush: the exporter hands on what it holds back itself. Under no lock. */
static void
end_flushes(otlog__batch_processor *p)
{
	uint32_t request;
	while (take_flush(p, &request)) {
		if (p->exporter.functions->flush &&
		    !p->exporter.functions->flush(p->exporter.self, p->options.export_timeout_ms))
			atomic_store_explicit(&p->flushes_failed, request,
			                      memory_order_relaxed); /* seen with the next */
		atomic_store_explicit(&p->flushes_done, request, memory_order_release);
		pthread_mutex_lock(&p->order);
		p->flushing = false;
		pthread_mutex_unlock(&p->order);
		otlog__queue_tell_progress(p->queue);
	}
}

void *
otlog__worker_run(void *self)
{
	otlog__worker *w = self;
	otlog__batch_processor *p = w->processor;
	otlog_export_result result;
	next what;
	pthread_setname_np(pthread_self(), "otlog-export");
	do {
		pthread_mutex_lock(&p->reading);
		what = next_batch(w);
		pthread_mutex_unlock(&p->reading);
		if (what == NEXT_BATCH && deliver(w, &result))
			finish(w, &result);
		end_flushes(p);
	} while (what != NEXT_STOP && !is_stopping(p));
	atomic_fetch_add_explicit(&p->exited, 1, memory_order_release); /* all that it did is seen by who joins */
	otlog__futex_wake_all(&p->exited);
	return NULL;
}
