/* Delivering one batch: attempts, what is waited between them, and halves where the whole is refused. */
#include "sdk/processor/worker.h"

#include "sdk/base/clock.h"
#include "sdk/base/futex.h"
#include "sdk/base/limits.h"
#include "sdk/base/random.h"
#include "sdk/base/strings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* When a batch is halved until one record is left, at most 32 other halves are still to be sent. */
#define MOST_PARTS 34

/* Records of the batch, from `first` on. */
typedef struct part {
	uint32_t first;
	uint32_t count;
	bool too_large; /* it was refused for its size */
} part;

typedef struct delivery {
	otlog__worker *worker;
	otlog__batch_end *end;
	part parts[MOST_PARTS]; /* still to be sent, the next one last */
	size_t part_count;
	part put_off[MOST_PARTS]; /* refused, and not worth halving unless something else is taken */
	size_t put_off_count;
	bool took_some;
	otlog_export_result refusal; /* the last one */
	uint32_t attempts;
	uint32_t refusals;   /* parts in a row that were refused, with none taken between */
	uint32_t round;      /* of the schedule, when the attempt began */
	size_t bytes;        /* of the requests that were taken */
	uint64_t began_nano; /* the first attempt */
} delivery;

/* ---- One attempt ------------------------------------------------------------------------------------------------- */

/* Whether all batches that were read before this one are finished. */
static bool
is_first_in_line(otlog__worker *w)
{
	return atomic_load_explicit(&w->processor->progress.turn, memory_order_acquire) == w->batch.ticket;
}

/* Waits until the schedule lets this batch be tried. False when the processor is stopped before that. */
static bool
wait_for_attempt(delivery *d)
{
	otlog__worker *w = d->worker;
	otlog__batch_processor *p = w->processor;
	for (;;) {
		/* Read before all that it is rung for, so that no ring is missed. */
		uint32_t seen = atomic_load_explicit(&p->bell, memory_order_acquire);
		uint32_t flushes = atomic_load_explicit(&p->asked.flushes, memory_order_acquire);
		if (otlog__is_stopping(p))
			return false;
		bool probe = is_first_in_line(w);
		uint64_t now = otlog__monotonic_nano();
		pthread_mutex_lock(&p->delivery.lock);
		uint64_t next =
		    otlog__schedule_next_nano(&p->delivery.schedule, probe, flushes != p->delivery.flushes_tried);
		if (now >= next) {
			p->delivery.flushes_tried = flushes;
			d->round = p->delivery.schedule.failures;
		}
		pthread_mutex_unlock(&p->delivery.lock);
		if (now >= next)
			return true;
		otlog__futex_wait(&p->bell, seen, next);
	}
}

/* The verdict on a request that is too large for OTLP, which no destination is asked for. */
static void
refuse_ourselves(const otlog__buffer *request, otlog_export_result *result)
{
	*result = (otlog_export_result){ .verdict = OTLOG_VERDICT_TOO_LARGE };
	snprintf(result->message, sizeof result->message,
	         "a request of %zu bytes is over OTLP's limit of 64 MiB and was not sent. Lower "
	         "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE",
	         request->size);
	snprintf(result->error_type, sizeof result->error_type, "too_large_request");
}

static void
attempt(delivery *d, const otlog__buffer *request, uint32_t records, otlog_export_result *result)
{
	otlog__worker *w = d->worker;
	otlog__batch_processor *p = w->processor;
	*result = (otlog_export_result){ .verdict = OTLOG_VERDICT_OK };
	otlog_batch batch = { .request = request->data, .request_size = request->size, .records = records };
	uint64_t now = otlog__monotonic_nano();
	if (d->attempts++ == 0)
		d->began_nano = now;
	/* Relaxed: the keeper only compares it with the time. */
	atomic_store_explicit(&w->attempt_started_nano, now, memory_order_relaxed);
	p->fixed.exporter.functions->export_batch(p->fixed.exporter.self, &batch, p->fixed.options.export_timeout_ms,
	                                          result);
	atomic_store_explicit(&w->attempt_started_nano, 0, memory_order_relaxed);
	result->message[sizeof result->message - 1] = '\0';
	result->error_type[sizeof result->error_type - 1] = '\0';
}

/* ---- Away and back ----------------------------------------------------------------------------------------------- */

/* The destination's own words, or what to do where it has none. */
static const char *
message_of(const otlog_export_result *result)
{
	return result->message[0] ? result->message : "the destination is away. See its own log";
}

/* The type of the last attempt's error, for statistics. "": it had none. */
static void
note_error(otlog__batch_processor *p, const char *type)
{
	pthread_mutex_lock(&p->told.lock);
	snprintf(p->told.last_error, sizeof p->told.last_error, "%s", type);
	pthread_mutex_unlock(&p->told.lock);
}

/* Records that wait for the destination: in hand, in the queue, in the spool and in the backlog. */
static uint64_t
count_waiting(otlog__batch_processor *p, uint64_t in_hand)
{
	uint64_t waiting = otlog__queue_waiting(p->fixed.queue, p->fixed.pipeline) + in_hand;
	if (p->fixed.options.spool) {
		otlog__spool_books books;
		otlog__spool_take_books(p->fixed.options.spool, &books);
		waiting += books.waiting;
	}
	if (p->fixed.options.backlog)
		waiting += otlog__backlog_waiting(p->fixed.options.backlog, p->fixed.pipeline);
	return waiting;
}

/* The attempt has ended in RETRY. */
static void
note_failure(delivery *d, const otlog_export_result *result)
{
	otlog__worker *w = d->worker;
	otlog__batch_processor *p = w->processor;
	bool opened;
	uint64_t now = otlog__monotonic_nano();
	pthread_mutex_lock(&p->delivery.lock);
	uint64_t wait_ms = otlog__schedule_failed(&p->delivery.schedule, now, d->round, result->retry_after_ms,
	                                          otlog__random_u64(), &opened);
	bool open = otlog__schedule_is_open(&p->delivery.schedule);
	uint32_t failures = p->delivery.schedule.failures;
	uint64_t away_s = (now - p->delivery.schedule.away_since_nano) / OTLOG__NANOS_PER_S;
	pthread_mutex_unlock(&p->delivery.lock);
	note_error(p, result->error_type);

	atomic_fetch_add_explicit(&p->counts.retries, 1, memory_order_relaxed); /* a plain counter */
	if (failures > 1) /* after a single failure no records are evicted for the sake of other pipelines yet */
		otlog__queue_set_away(p->fixed.queue, p->fixed.pipeline, true);
	uint64_t waiting = count_waiting(p, w->batch.records);
	if (opened)
		otlog__diagnose_at(
		    &p->sites.away, OTLOG__WARN,
		    "%s: away for %" PRIu64 " s: from now on one batch is tried at a time, at least every %" PRIu64
		    " ms, until it is taken; records waiting: %" PRIu64 ". %s",
		    p->fixed.exporter.name, away_s, p->fixed.options.retry_cap_ms, waiting, message_of(result));
	else
		otlog__diagnose_at(&p->sites.retry, open ? OTLOG__INFO : OTLOG__WARN,
		                   "%s: %s (attempt %" PRIu32 " failed; records waiting: %" PRIu64
		                   "; the next attempt comes in %" PRIu64 " ms)",
		                   p->fixed.exporter.name, message_of(result), failures, waiting, wait_ms);
}

/* The attempt has ended in a verdict other than RETRY: the destination can be reached. */
static void
note_reached(delivery *d, const otlog_export_result *result)
{
	otlog__batch_processor *p = d->worker->processor;
	bool refused = result->verdict != OTLOG_VERDICT_OK && result->verdict != OTLOG_VERDICT_PARTIAL;
	uint64_t now = otlog__monotonic_nano();
	pthread_mutex_lock(&p->delivery.lock);
	uint64_t away_s = (now - p->delivery.schedule.away_since_nano) / OTLOG__NANOS_PER_S;
	bool was_away = p->delivery.schedule.failures > 0;
	bool was_open = otlog__schedule_reached(&p->delivery.schedule);
	pthread_mutex_unlock(&p->delivery.lock);
	note_error(p, refused ? result->error_type : "");
	otlog__queue_set_away(p->fixed.queue, p->fixed.pipeline, false);
	if (was_open)
		otlog__diagnose_at(&p->sites.back, OTLOG__WARN,
		                   "%s: back after %" PRIu64
		                   " s; what has waited goes out now. There is nothing to be done",
		                   p->fixed.exporter.name, away_s);
	else if (was_away)
		otlog__diagnose(OTLOG__INFO, "%s: back; what has waited goes out now. There is nothing to be done",
		                p->fixed.exporter.name);
	if (was_away)
		otlog__workers_ring(p); /* other workers wait for the back-off, which is over */
}

/* Tries the part until there is a verdict. False when the processor is stopped. */
static bool
try_part(delivery *d, const otlog__buffer *request, uint32_t records, otlog_export_result *result)
{
	if (request->size > OTLOG__REQUEST_BYTES_MAX) { /* no attempt, so nothing to note about the destination */
		refuse_ourselves(request, result);
		return true;
	}
	for (;;) {
		if (!wait_for_attempt(d))
			return false;
		attempt(d, request, records, result);
		if (result->verdict != OTLOG_VERDICT_RETRY) {
			note_reached(d, result);
			return true;
		}
		if (otlog__is_stopping(d->worker->processor))
			return false;
		note_failure(d, result);
	}
}

/* ---- Verdicts ---------------------------------------------------------------------------------------------------- */

/* The destination has taken the part, or some of it. */
static void
count_taken(delivery *d, const otlog__buffer *request)
{
	d->refusals = 0;
	d->took_some = true;
	d->bytes += request->size;
	/* Relaxed: later batches may see it late. Read before it is written, because mostly it is 0 already. */
	_Atomic uint32_t *gave_up = &d->worker->processor->hints.gave_up_halves;
	if (atomic_load_explicit(gave_up, memory_order_relaxed))
		atomic_store_explicit(gave_up, 0, memory_order_relaxed);
}

/* Drops a record that is refused by itself, and tells which one it was. */
static void
drop_record(delivery *d, const otlog__buffer *request, bool too_large, const otlog_export_result *result)
{
	otlog__batch_processor *p = d->worker->processor;
	otlog_batch batch = { .request = request->data, .request_size = request->size, .records = 1 };
	otlog_batch_reader reader = otlog_batch_records(&batch);
	otlog_record_view record;
	char trace[33] = "";
	d->end->dropped[too_large ? OTLOG_DROP_TOO_LARGE : OTLOG_DROP_REJECTED]++;
	otlog_batch_next(&reader, &record); /* if it cannot be read, all of it is empty */
	otlog_hex(record.trace_id, trace, sizeof trace);
	otlog__diagnose_at(
	    &p->sites.record, OTLOG__ERROR,
	    "%s: one record dropped as %s: %zu bytes, logger \"%.*s\", event \"%.*s\", severity %d, time "
	    "%" PRIu64 ", trace %s: %s",
	    p->fixed.exporter.name, too_large ? "too_large" : "rejected", request->size, OTLOG_SLICE(record.scope.name),
	    OTLOG_SLICE(record.event_name), (int)record.severity,
	    record.time_unix_nano ? record.time_unix_nano : record.observed_time_unix_nano, trace[0] ? trace : "none",
	    message_of(result));
}

static void
drop_part(delivery *d, part which, otlog_drop_reason reason, const otlog_export_result *result)
{
	otlog__batch_processor *p = d->worker->processor;
	d->end->dropped[reason] += which.count;
	otlog__diagnose_at(&p->sites.drop, OTLOG__ERROR, "%s: %" PRIu32 " record%s dropped as %s: %s",
	                   p->fixed.exporter.name, which.count, otlog__s(which.count), otlog_drop_reason_text(reason),
	                   result->message[0] ? result->message
	                                      : "the destination refuses this batch for good. See its own log");
}

/* A request of this size was too large: later ones are made smaller. */
static void
remember_size(otlog__batch_processor *p, size_t size)
{
	uint64_t limit = size / 2;
	/* Relaxed: a limit for later batches; where several workers set one at the same time, either will do. */
	uint64_t before = atomic_load_explicit(&p->hints.request_limit, memory_order_relaxed);
	if (before && before <= limit)
		return;
	atomic_store_explicit(&p->hints.request_limit, limit, memory_order_relaxed);
	if (size > OTLOG__REQUEST_BYTES_MAX) {
		otlog__diagnose_at(&p->sites.size, OTLOG__WARN,
		                   "%s: a request of %zu bytes is over OTLP's limit of 64 MiB and was not sent; it "
		                   "goes in halves, and later ones are made smaller. Lower "
		                   "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE",
		                   p->fixed.exporter.name, size);
		return;
	}
	otlog__diagnose_at(
	    &p->sites.size, OTLOG__WARN,
	    "%s: a request of %zu bytes is too large for the destination; it is sent in halves, and later "
	    "ones are made smaller. To send more at once, raise the receiver's limit",
	    p->fixed.exporter.name, size);
}

/* How often so many records can be halved until one is left. */
static uint32_t
halvings(uint32_t records)
{
	uint32_t count = 0;
	while (records > 1) {
		records -= records / 2;
		count++;
	}
	return count;
}

static void
split(delivery *d, part which)
{
	uint32_t half = which.count / 2;
	d->parts[d->part_count++] = (part){ .first = which.first + half, .count = which.count - half };
	d->parts[d->part_count++] = (part){ .first = which.first, .count = half };
}

/* The part is given up without halving it any further. */
static void
drop_refused(delivery *d, part which)
{
	drop_part(d, which, which.too_large ? OTLOG_DROP_TOO_LARGE : OTLOG_DROP_REJECTED, &d->refusal);
}

/*
 * The part is refused for something in it. One bad record is found by halving; where nothing at all is taken after as
 * many tries as that needs, and a few more, the destination seems to refuse everything: what it refuses then is put off
 * until the rest of the batch has been tried once, and is halved only if some of that was taken.
 */
static void
handle_refusal(delivery *d, part which, const otlog__buffer *request, const otlog_export_result *result)
{
	otlog__worker *w = d->worker;
	otlog__batch_processor *p = w->processor;
	which.too_large = result->verdict == OTLOG_VERDICT_TOO_LARGE;
	d->refusals++;
	d->refusal = *result;
	if (which.count == 1) {
		drop_record(d, request, which.too_large, result);
		return;
	}
	if (which.too_large)
		remember_size(p, request->size);
	if (!d->took_some && d->refusals > halvings(w->batch.records) + 3)
		atomic_store_explicit(&p->hints.gave_up_halves, 1, memory_order_relaxed); /* as in count_taken */
	if (d->took_some || !atomic_load_explicit(&p->hints.gave_up_halves, memory_order_relaxed))
		split(d, which);
	else if (d->put_off_count < MOST_PARTS)
		d->put_off[d->put_off_count++] = which;
	else
		drop_refused(d, which);
}

/* The part to be sent next; false if there is none. Decides on those that were put off, once nothing else is left. */
static bool
next_part(delivery *d, part *out)
{
	while (d->part_count == 0 && d->put_off_count) {
		part first = d->put_off[0];
		memmove(d->put_off, d->put_off + 1, --d->put_off_count * sizeof first);
		if (d->took_some)
			split(d, first);
		else
			drop_refused(d, first);
	}
	if (d->part_count == 0)
		return false;
	*out = d->parts[--d->part_count];
	return true;
}

static void
handle_partial(delivery *d, part which, const otlog__buffer *request, const otlog_export_result *result)
{
	otlog__batch_processor *p = d->worker->processor;
	uint32_t rejected = result->rejected < which.count ? (uint32_t)result->rejected : which.count;
	count_taken(d, request);
	d->end->dropped[OTLOG_DROP_REJECTED] += rejected;
	if (rejected)
		otlog__diagnose_at(&p->sites.partial, OTLOG__WARN,
		                   "%s: the destination took a batch, but rejected %" PRIu32 " of its %" PRIu32
		                   " record%s: %s",
		                   p->fixed.exporter.name, rejected, which.count, otlog__s(which.count),
		                   result->message[0] ? result->message : "it gives no reason; look into its own log");
}

static void
act_on_verdict(delivery *d, part which, const otlog__buffer *request, const otlog_export_result *result)
{
	switch (result->verdict) {
	case OTLOG_VERDICT_OK:
	case OTLOG_VERDICT_RETRY: /* try_part does not return it */
		count_taken(d, request);
		break;
	case OTLOG_VERDICT_PARTIAL:
		handle_partial(d, which, request, result);
		break;
	case OTLOG_VERDICT_TOO_LARGE:
	case OTLOG_VERDICT_INVALID:
		handle_refusal(d, which, request, result);
		break;
	case OTLOG_VERDICT_DROP:
		drop_part(d, which, OTLOG_DROP_REJECTED, result);
		break;
	}
}

/* ---- The batch --------------------------------------------------------------------------------------------------- */

/* Counts how long the batch took, in each bucket whose upper bound is not below that. */
static void
note_duration(delivery *d)
{
	static const double bounds_s[OTLOG_DURATION_BOUNDS] = OTLOG__DURATION_BOUNDS_S;
	otlog__batch_processor *p = d->worker->processor;
	if (!d->attempts)
		return;
	double took_s = (double)(otlog__monotonic_nano() - d->began_nano) / (double)OTLOG__NANOS_PER_S;
	size_t bucket = 0;
	while (bucket < OTLOG_DURATION_BOUNDS && took_s > bounds_s[bucket])
		bucket++;
	pthread_mutex_lock(&p->told.lock);
	for (size_t i = bucket; i <= OTLOG_DURATION_BOUNDS; i++)
		p->told.duration_counts[i]++;
	p->told.duration_sum_s += took_s;
	pthread_mutex_unlock(&p->told.lock);
}

static void
drop_for_memory(delivery *d, part which)
{
	static const otlog_export_result result = { .message =
		                                        "out of memory for a request. Give the process more memory "
		                                        "or lower OTEL_BLRP_MAX_EXPORT_BATCH_SIZE" };
	drop_part(d, which, OTLOG_DROP_REJECTED, &result);
}

bool
otlog__deliver(otlog__worker *w, otlog__batch_end *end)
{
	delivery d = { .worker = w, .end = end, .parts = { { .count = w->batch.records } }, .part_count = 1 };
	*end = (otlog__batch_end){ 0 };
	for (part which; next_part(&d, &which);) {
		const otlog__buffer *request = &w->batch.request;
		otlog_export_result result;
		if (which.count < w->batch.records) {
			request = &w->own.slice;
			if (!otlog__request_slice(&w->batch.request, which.first, which.count, &w->own.slice))
				w->own.slice.size = 0;
		}
		if (request->size == 0) {
			drop_for_memory(&d, which);
			continue;
		}
		if (!try_part(&d, request, which.count, &result))
			return false;
		act_on_verdict(&d, which, request, &result);
	}
	note_duration(&d);
	atomic_fetch_add_explicit(&w->processor->counts.bytes, d.bytes, memory_order_relaxed); /* a plain counter */
	return true;
}
