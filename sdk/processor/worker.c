/* The workers: waiting for work, taking it, finishing in order, flushing. */
#include "sdk/processor/worker.h"

#include "sdk/base/clock.h"
#include "sdk/base/futex.h"

/* A sleep between two batches at a steady pace. Shorter ones are not worth a timer, longer ones no steady pace. */
#define SHORTEST_NAP_NANO (200 * OTLOG__NANOS_PER_MS / 1000)
#define LONGEST_NAP_NANO (200 * OTLOG__NANOS_PER_MS)

/* So many batches waiting make a burst, for which an emit wakes the worker. */
#define BURST_BATCHES 4

/* How soon a spool that could not be read is tried again. */
#define STUCK_NAP_NANO (100 * OTLOG__NANOS_PER_MS)

/* While there is new traffic, what dead processes have left gets one batch after so many. */
#define OWN_BATCHES_IN_ROW 3

static void
add(_Atomic uint64_t *counter, uint64_t more)
{
	atomic_fetch_add_explicit(counter, more, memory_order_relaxed); /* a plain counter: it orders nothing else */
}

bool
otlog__is_stopping(const otlog__batch_processor *p)
{
	/* Acquire: pairs with the release in otlog__batch_begin_stop. */
	return atomic_load_explicit(&p->asked.stop, memory_order_acquire) != 0;
}

/* Wakes workers that wait for something other than work: a back-off, or their turn to finish. */
static void
ring_bell(otlog__batch_processor *p)
{
	/* Release: a worker that sees the new number also sees the change that it is rung for. */
	atomic_fetch_add_explicit(&p->bell, 1, memory_order_release);
	otlog__futex_wake_all(&p->bell);
}

void
otlog__workers_ring(otlog__batch_processor *p)
{
	ring_bell(p);
	otlog__queue_wake(p->fixed.queue, p->fixed.pipeline);
}

/* ---- Taking: every function of this part is called with reading.lock held ---------------------------------------- */

/* The batch in hand is in flight from here on. `number`: of the spool's entry, if it is one. Returns its records. */
static uint32_t
launch(otlog__worker *w, otlog__origin origin, uint64_t number, uint32_t records)
{
	otlog__batch_processor *p = w->processor;
	pthread_mutex_lock(&p->delivery.lock);
	w->delivery.origin = origin;
	w->delivery.number = number;
	w->batch.records = records;
	w->batch.ticket = p->reading.tickets++;
	w->delivery.in_flight = true;
	pthread_mutex_unlock(&p->delivery.lock);
	add(&p->counts.records_in_flight, records);
	return records;
}

static size_t
batch_bytes(const otlog__batch_processor *p)
{
	uint64_t limit = atomic_load_explicit(&p->hints.request_limit, memory_order_relaxed); /* an old value will do */
	return limit && limit < p->fixed.options.max_batch_bytes ? (size_t)limit : p->fixed.options.max_batch_bytes;
}

/* Each of these takes the next batch of one origin. Returns its records; 0 if there was nothing to send. */
static uint32_t
take_from_queue(otlog__worker *w)
{
	otlog__batch_processor *p = w->processor;
	bool framed = true;
	uint32_t records =
	    otlog__queue_read_begin(p->fixed.queue, p->fixed.pipeline, p->fixed.options.max_batch_records,
	                            batch_bytes(p), w->own.refs, &w->batch.span);
	if (records)
		framed = otlog__request_write(otlog__queue_scopes(p->fixed.queue), &p->fixed.options.frame, w->own.refs,
		                              records, &w->batch.request);
	otlog__queue_read_end(p->fixed.queue, p->fixed.pipeline);
	if (records && !framed)
		w->batch.request.size = 0; /* memory is short: the delivery drops the batch, and says so */
	p->reading.taken += records;
	p->reading.own_in_row++;
	if (records && p->fixed.options.tells_keeper)
		otlog__queue_wake_keeper(p->fixed.queue);
	return records ? launch(w, OTLOG__FROM_QUEUE, 0, records) : 0;
}

static uint32_t
take_from_spool(otlog__worker *w)
{
	otlog__spool *spool = w->processor->fixed.options.spool;
	uint64_t number = 0;
	uint32_t records = spool ? otlog__spool_take(spool, &w->batch.request, &number) : 0;
	return records ? launch(w, OTLOG__FROM_SPOOL, number, records) : 0;
}

/* The batch that the keeper has read and the spool did not take. */
static uint32_t
take_unspooled(otlog__worker *w)
{
	otlog__batch_processor *p = w->processor;
	uint32_t records = p->reading.unspooled.records;
	if (!records)
		return 0;
	otlog__buffer request = w->batch.request;
	w->batch.request = p->reading.unspooled.request;
	p->reading.unspooled.request = request;
	w->batch.span = p->reading.unspooled.span;
	p->reading.unspooled.records = 0;
	return launch(w, OTLOG__FROM_QUEUE, 0, records);
}

static uint32_t
take_from_backlog(otlog__worker *w)
{
	otlog__batch_processor *p = w->processor;
	otlog__backlog_batch *batch = &w->own.backlog;
	uint32_t records = otlog__backlog_take(p->fixed.options.backlog, p->fixed.pipeline,
	                                       p->fixed.options.max_batch_records, batch_bytes(p), batch);
	bool framed;
	w->batch.request.size = 0;
	if (!records)
		return 0;
	if (batch->refs) {
		const otlog__request_frame frame = { .resource_head = batch->resource,
			                             .resource_head_size = batch->resource_size };
		framed = otlog__request_write(batch->scopes, &frame, batch->refs, records, &w->batch.request);
	} else {
		framed = otlog__buffer_append(&w->batch.request, batch->bytes.data, batch->bytes.size);
	}
	if (!framed)
		w->batch.request.size = 0; /* as above */
	p->reading.own_in_row = 0;
	return launch(w, OTLOG__FROM_BACKLOG, 0, records);
}

/*
 * Called once the spool gave nothing. If entries wait there all the same they could not be read, because memory or
 * descriptors are short; what is younger must not overtake them.
 */
static bool
spool_is_stuck(const otlog__batch_processor *p)
{
	otlog__spool_books books;
	if (!p->fixed.options.spool)
		return false;
	otlog__spool_take_books(p->fixed.options.spool, &books);
	return books.waiting > 0;
}

static bool
has_backlog(const otlog__batch_processor *p)
{
	return p->fixed.options.backlog && otlog__backlog_waiting(p->fixed.options.backlog, p->fixed.pipeline) > 0;
}

/* All records that the last flush request wants sent have been read. */
static void
flush_was_read(otlog__batch_processor *p)
{
	pthread_mutex_lock(&p->delivery.lock);
	p->delivery.flush.waits = true;
	p->delivery.flush.request = p->reading.drains_for_flush;
	p->delivery.flush.after_ticket = p->reading.tickets;
	pthread_mutex_unlock(&p->delivery.lock);
}

/*
 * So many records have been read of those that were waiting when the schedule's time came or a request was made. True if
 * these are all, and a flush had asked for them.
 */
static bool
count_drained(otlog__batch_processor *p, uint32_t records)
{
	if (records && records < p->reading.draining) {
		p->reading.draining -= records;
		return false;
	}
	bool flush = p->reading.flushes_served != p->reading.drains_for_flush;
	p->reading.draining = 0;
	p->reading.flushes_served = p->reading.drains_for_flush;
	p->reading.rooms_served = p->reading.drains_for_room;
	p->reading.due_nano = otlog__deadline_nano(otlog__monotonic_nano(), p->fixed.options.schedule_delay_ms);
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
	uint64_t arrived = p->reading.taken + waiting, elapsed = now - p->reading.pace_nano;
	uint64_t came = arrived > p->reading.pace_arrived ? arrived - p->reading.pace_arrived : 0;
	p->reading.pace_nano = now;
	p->reading.pace_arrived = arrived;
	if (came && elapsed < LONGEST_NAP_NANO) {
		uint64_t nap = (p->fixed.options.max_batch_records - waiting) * elapsed / came;
		nap += nap / 8; /* a little late is better than being woken by an emit, which pays for it */
		if (nap >= SHORTEST_NAP_NANO && nap <= LONGEST_NAP_NANO && now + nap < p->reading.due_nano)
			return otlog__queue_wait(p->fixed.queue, p->fixed.pipeline,
			                         BURST_BATCHES * p->fixed.options.max_batch_records, now + nap);
	}
	return otlog__queue_wait(p->fixed.queue, p->fixed.pipeline, p->fixed.options.max_batch_records,
	                         p->reading.due_nano);
}

/* True if something was asked for, or the time has come, to send whatever is waiting. */
static bool
must_drain(otlog__batch_processor *p)
{
	if (p->reading.draining)
		return true;
	/* Acquire: the records that were emitted before the request are seen with it. */
	uint32_t flushes = atomic_load_explicit(&p->asked.flushes, memory_order_acquire);
	uint32_t rooms = atomic_load_explicit(&p->asked.rooms, memory_order_acquire);
	if (flushes == p->reading.flushes_served && rooms == p->reading.rooms_served &&
	    otlog__monotonic_nano() < p->reading.due_nano)
		return false;
	uint64_t waiting = otlog__queue_waiting(p->fixed.queue, p->fixed.pipeline);
	/* Never 0: even if nothing waits one read passes over the frames that are only for other pipelines. */
	p->reading.draining = waiting ? waiting : 1;
	p->reading.drains_for_flush = flushes;
	p->reading.drains_for_room = rooms;
	return true;
}

typedef enum next { NEXT_BATCH, NEXT_FLUSH, NEXT_STOP } next;

/*
 * Waits for a full batch, the schedule or a request, and takes a batch; or finds that a flush has nothing to read. What is
 * in the spool is older than what is in the queue, and goes first; the backlog has what time there is beside them.
 */
static next
next_batch(otlog__worker *w)
{
	otlog__batch_processor *p = w->processor;
	bool enough = false;
	while (!otlog__is_stopping(p)) {
		if (take_from_spool(w))
			return NEXT_BATCH;
		if (spool_is_stuck(p)) {
			otlog__queue_wait(p->fixed.queue, p->fixed.pipeline, UINT32_MAX,
			                  otlog__monotonic_nano() + STUCK_NAP_NANO);
			continue;
		}
		if (take_unspooled(w))
			return NEXT_BATCH;
		bool drain = must_drain(p);
		uint64_t waiting = otlog__queue_waiting(p->fixed.queue, p->fixed.pipeline);
		bool ready = drain || enough || waiting >= p->fixed.options.max_batch_records;
		enough = false;
		if (has_backlog(p) && (!ready || p->reading.own_in_row >= OWN_BATCHES_IN_ROW) && take_from_backlog(w))
			return NEXT_BATCH;
		if (ready) {
			uint32_t records = take_from_queue(w);
			bool flush = drain && count_drained(p, records);
			if (records || flush)
				return records ? NEXT_BATCH : NEXT_FLUSH;
			continue;
		}
		enough = wait_for_batch(p, waiting);
	}
	return NEXT_STOP;
}

/* ---- Finishing --------------------------------------------------------------------------------------------------- */

/* Waits until every batch read before is finished. False when the processor is stopped before that. */
static bool
wait_turn(otlog__worker *w)
{
	otlog__batch_processor *p = w->processor;
	for (;;) {
		/* Read before all that it is rung for, so that no ring is missed. */
		uint32_t seen = atomic_load_explicit(&p->bell, memory_order_acquire);
		/* Acquire: pairs with the release in finish. What the queue itself keeps is ordered by its own mutex. */
		if (atomic_load_explicit(&p->progress.turn, memory_order_acquire) == w->batch.ticket)
			return true;
		if (otlog__is_stopping(p))
			return false;
		otlog__futex_wait(&p->bell, seen, UINT64_MAX);
	}
}

/* Every part of the batch has its verdict: tells the one who keeps its records. With delivery.lock held. */
static void
finish_origin(otlog__worker *w, const otlog__batch_end *end)
{
	otlog__batch_processor *p = w->processor;
	switch (w->delivery.origin) {
	case OTLOG__FROM_QUEUE:
		otlog__queue_finish(p->fixed.queue, p->fixed.pipeline, &w->batch.span, end);
		break;
	case OTLOG__FROM_SPOOL:
		otlog__spool_finish(p->fixed.options.spool, w->delivery.number, end);
		break;
	case OTLOG__FROM_BACKLOG:
		otlog__backlog_finish(p->fixed.options.backlog, p->fixed.pipeline, &w->own.backlog, end);
		break;
	}
}

/* The batch in hand is no longer in flight. `end` NULL: it has no verdict, and its records stay where they are kept. */
static void
land(otlog__worker *w, const otlog__batch_end *end)
{
	otlog__batch_processor *p = w->processor;
	pthread_mutex_lock(&p->delivery.lock);
	w->delivery.in_flight = false;
	otlog__origin origin = w->delivery.origin;
	if (end)
		finish_origin(w, end);
	pthread_mutex_unlock(&p->delivery.lock);
	atomic_fetch_sub_explicit(&p->counts.records_in_flight, w->batch.records,
	                          memory_order_relaxed); /* a plain counter */
	if (end && origin != OTLOG__FROM_QUEUE)
		otlog__queue_tell_progress(p->fixed.queue);
}

static void
finish(otlog__worker *w, const otlog__batch_end *end)
{
	otlog__batch_processor *p = w->processor;
	/*
	 * Stopped before its turn. In a file the records are left for the next process, although this batch was delivered:
	 * better sent twice than that one before it is never sent.
	 */
	if (!wait_turn(w) && otlog__queue_in_file(p->fixed.queue)) {
		land(w, NULL);
		return;
	}
	add(&p->counts.batches, 1);
	land(w, end);
	atomic_store_explicit(&p->progress.turn, w->batch.ticket + 1, memory_order_release);
	if (p->fixed.most_workers > 1)
		ring_bell(p);
}

/* Makes the flush this worker's whose batches are all finished. False: there is none, or another worker has it. */
static bool
take_flush(otlog__batch_processor *p, uint32_t *request)
{
	pthread_mutex_lock(&p->delivery.lock);
	int32_t missing =
	    (int32_t)(p->delivery.flush.after_ticket - atomic_load_explicit(&p->progress.turn, memory_order_acquire));
	bool mine = p->delivery.flush.waits && !p->delivery.flush.runs && missing <= 0;
	if (mine) {
		p->delivery.flush.waits = false;
		p->delivery.flush.runs = true;
		*request = p->delivery.flush.request;
	}
	pthread_mutex_unlock(&p->delivery.lock);
	return mine;
}

/* The end of a flush: the exporter sends what it holds back itself. With no lock held: that may take long. */
static void
end_flushes(otlog__batch_processor *p)
{
	uint32_t request;
	while (take_flush(p, &request)) {
		if (p->fixed.exporter_flushes &&
		    !p->fixed.exporter.functions->flush(p->fixed.exporter.self, p->fixed.options.export_timeout_ms))
			atomic_store_explicit(&p->progress.flushes_failed, request,
			                      memory_order_relaxed); /* seen with the next */
		atomic_store_explicit(&p->progress.flushes_done, request, memory_order_release);
		pthread_mutex_lock(&p->delivery.lock);
		p->delivery.flush.runs = false;
		pthread_mutex_unlock(&p->delivery.lock);
		otlog__queue_tell_progress(p->fixed.queue);
	}
}

void *
otlog__worker_run(void *self)
{
	otlog__worker *w = self;
	otlog__batch_processor *p = w->processor;
	otlog__batch_end end;
	next what;
	pthread_setname_np(pthread_self(), "otlog-export");
	do {
		pthread_mutex_lock(&p->reading.lock);
		what = next_batch(w);
		pthread_mutex_unlock(&p->reading.lock);
		if (what == NEXT_BATCH) {
			if (otlog__deliver(w, &end))
				finish(w, &end);
			else
				land(w, NULL);
		}
		end_flushes(p);
	} while (what != NEXT_STOP && !otlog__is_stopping(p));
	atomic_fetch_add_explicit(&p->progress.exited, 1,
	                          memory_order_release); /* what this thread did is seen with it */
	otlog__futex_wake_all(&p->progress.exited);
	return NULL;
}
