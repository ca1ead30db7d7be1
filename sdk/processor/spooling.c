/*
 * What the keeper's thread does for a processor: where the queue's room is short, it moves into the spool what the
 * destination does not take.
 */
#include "sdk/processor/worker.h"

#include "sdk/base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* After a write that failed the disk is left alone for so long; until then the pipeline works as if it had no spool. */
#define FAILED_PAUSE_NANO (5 * OTLOG__NANOS_PER_S)

/* Moved in one call at most, so that the keeper gets to its other work even if emitters are as fast as the disk. */
#define MOST_BATCHES 64

static void
report_failure(otlog__batch_processor *p, int error)
{
	otlog__diagnose_at(
	    &p->sites.spool, OTLOG__ERROR,
	    "%s: the spool cannot be written (%s): records stay in the queue as long as it has room, then "
	    "they are dropped. Free disk space, or look after the disk of OTLOG_QUEUE_DIR",
	    p->fixed.exporter.name, strerror(error));
}

/* The spool has failed, errno says how. Returns false, for the caller to return. */
static bool
pause_spooling(otlog__batch_processor *p, uint64_t now_nano)
{
	int error = errno;
	p->keeper.paused_until_nano = now_nano + FAILED_PAUSE_NANO;
	otlog__queue_set_spools(p->fixed.queue, p->fixed.pipeline, false);
	report_failure(p, error);
	return false;
}

/* Of the workers with a batch from the queue in flight, the one whose batch was read first. With delivery.lock held. */
static otlog__worker *
first_in_flight(otlog__batch_processor *p)
{
	otlog__worker *first = NULL;
	for (uint32_t i = 0; i < p->fixed.worker_count; i++) {
		otlog__worker *w = &p->fixed.workers[i];
		if (w->delivery.in_flight && w->delivery.origin == OTLOG__FROM_QUEUE &&
		    (!first || (int32_t)(w->batch.ticket - first->batch.ticket) < 0))
			first = w;
	}
	return first;
}

/* Puts the worker's batch, which is in flight, into the spool, where it lies from then on. With delivery.lock held. */
static otlog__spool_result
spool_worker(otlog__batch_processor *p, otlog__worker *w)
{
	if (w->batch.request.size == 0) /* memory was short when it was read: its delivery drops it */
		return OTLOG__SPOOL_FULL;
	otlog__spool_result result =
	    otlog__spool_append(p->fixed.options.spool, w->batch.request.data, w->batch.request.size, w->batch.records,
	                        true, &w->delivery.number);
	if (result == OTLOG__SPOOL_TAKEN) {
		w->delivery.origin = OTLOG__FROM_SPOOL;
		otlog__queue_finish(p->fixed.queue, p->fixed.pipeline, &w->batch.span,
		                    &(otlog__batch_end){ .spooled = w->batch.records });
	}
	return result;
}

/*
 * Batches in flight are the oldest of the queue, so no room is given back before theirs is. Their bytes are put into the
 * spool as well, so that the queue's cursor may pass them; the verdict of each then counts for the spool's entry. False if
 * the spool does not take one. With reading.lock held, so that no other batch is taken meanwhile.
 */
static bool
spool_in_flight(otlog__batch_processor *p, uint64_t now_nano)
{
	otlog__spool_result result = OTLOG__SPOOL_TAKEN;
	otlog__worker *w;
	pthread_mutex_lock(&p->delivery.lock);
	while (result == OTLOG__SPOOL_TAKEN && (w = first_in_flight(p)))
		result = spool_worker(p, w);
	pthread_mutex_unlock(&p->delivery.lock);
	/* Not before: this tells the user, and no function of the user's may wait for the disk to free delivery.lock. */
	if (result == OTLOG__SPOOL_FAILED)
		pause_spooling(p, now_nano);
	return result == OTLOG__SPOOL_TAKEN;
}

/*
 * Puts the unspooled batch into the spool, or drops it if the spool is full. False if it stays unspooled: the disk has
 * failed, or nothing is to be dropped. With reading.lock held.
 */
static bool
spool_unspooled(otlog__batch_processor *p, uint64_t now_nano)
{
	otlog__batch_end end = { 0 };
	uint64_t number;
	/* Memory was short when it was read: a worker drops it, and says so. */
	if (p->reading.unspooled.request.size == 0)
		return false;
	switch (otlog__spool_append(p->fixed.options.spool, p->reading.unspooled.request.data,
	                            p->reading.unspooled.request.size, p->reading.unspooled.records, false, &number)) {
	case OTLOG__SPOOL_TAKEN:
		end.spooled = p->reading.unspooled.records;
		break;
	case OTLOG__SPOOL_FULL:
		if (p->fixed.options.spool_full == OTLOG_SPOOL_FULL_BLOCK)
			return false;
		end.dropped[OTLOG_DROP_SPOOL_FULL] = p->reading.unspooled.records; /* the keeper reports it */
		break;
	case OTLOG__SPOOL_FAILED:
		return pause_spooling(p, now_nano);
	}
	p->reading.unspooled.records = 0;
	otlog__queue_finish(p->fixed.queue, p->fixed.pipeline, &p->reading.unspooled.span, &end);
	return true;
}

/* Moves one batch of the queue into the spool. False if there is none, or it does not go. With reading.lock held. */
static bool
spool_batch(otlog__batch_processor *p, uint64_t now_nano)
{
	if (p->reading.unspooled.records)
		return spool_unspooled(p, now_nano);
	bool framed = true;
	uint32_t records =
	    otlog__queue_read_begin(p->fixed.queue, p->fixed.pipeline, p->fixed.options.max_batch_records,
	                            p->fixed.options.max_batch_bytes, p->keeper.refs, &p->reading.unspooled.span);
	if (records)
		framed = otlog__request_write(otlog__queue_scopes(p->fixed.queue), &p->fixed.options.frame,
		                              p->keeper.refs, records, &p->reading.unspooled.request);
	otlog__queue_read_end(p->fixed.queue, p->fixed.pipeline);
	if (!framed)
		p->reading.unspooled.request.size = 0;
	p->reading.unspooled.records = records;
	return records && spool_unspooled(p, now_nano);
}

/* Whether this pipeline has a spool that can be tried now. Makes what the keeper needs for that. */
static bool
is_ready(otlog__batch_processor *p, uint64_t now_nano)
{
	if (!p->fixed.options.spool || now_nano < p->keeper.paused_until_nano)
		return false;
	if (p->keeper.paused_until_nano) {
		p->keeper.paused_until_nano = 0;
		otlog__queue_set_spools(p->fixed.queue, p->fixed.pipeline, true);
	}
	if (!p->keeper.refs)
		p->keeper.refs = calloc(p->fixed.options.max_batch_records, sizeof *p->keeper.refs);
	return p->keeper.refs;
}

bool
otlog__batch_spool(otlog__batch_processor *p, uint64_t now_nano)
{
	bool made_room = false;
	if (!is_ready(p, now_nano) || !otlog__queue_wants_spooling(p->fixed.queue, p->fixed.pipeline))
		return false;
	/* Held: a worker is reading, so the queue is being emptied without us. */
	if (pthread_mutex_trylock(&p->reading.lock) != 0)
		return false;
	/*
	 * What is in flight goes first. Workers take what waits in the spool before anything of the queue, so all that is in
	 * flight from there is younger than the spool's entries, and the order holds.
	 */
	bool goes = spool_in_flight(p, now_nano);
	for (int i = 0; goes && i < MOST_BATCHES; i++) {
		goes = otlog__queue_wants_spooling(p->fixed.queue, p->fixed.pipeline) && spool_batch(p, now_nano);
		made_room |= goes;
	}
	pthread_mutex_unlock(&p->reading.lock);
	if (made_room)
		otlog__queue_wake(p->fixed.queue, p->fixed.pipeline);
	return made_room;
}
