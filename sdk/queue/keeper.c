/* The keeper's part: who is away gives way to those who are not. */
#include "sdk/queue/state.h"

/* From more than half a lane down to three eighths, so that the next emits do not call for the keeper again. */
#define EVICT_FROM 4
#define EVICT_DOWN_TO 3

void
otlog__queue_set_away(otlog__queue *queue, uint32_t pipeline, bool away)
{
	if (otlog__gate(queue) == OTLOG__GATE_CHILD || pipeline >= queue->pipeline_count)
		return;
	uint32_t bit = UINT32_C(1) << pipeline;
	/* Relaxed: a hint to the keeper; what it evicts is decided under the pipeline's mutex. */
	bool was = atomic_load_explicit(&queue->away, memory_order_relaxed) & bit;
	if (was == away)
		return;
	if (!away) {
		atomic_fetch_and_explicit(&queue->away, ~bit, memory_order_relaxed);
		return;
	}
	atomic_fetch_or_explicit(&queue->away, bit, memory_order_relaxed);
	otlog__rouse(&queue->keeper.wake);
}

/* How far every pipeline that is not away is done with the lane: evicting beyond it would make no room. */
static uint64_t
needed_by_none(const otlog__queue *queue, uint32_t lane, uint32_t away)
{
	uint64_t limit = UINT64_MAX;
	for (uint32_t p = 0; p < queue->pipeline_count; p++) {
		if (away >> p & 1)
			continue;
		/* Acquire: frames before it exist for us too. */
		uint64_t cursor = atomic_load_explicit(&queue->pipelines[p].places[lane].cursor, memory_order_acquire);
		limit = cursor < limit ? cursor : limit;
	}
	return limit;
}

/* Passes over what is in flight: it has been copied, its batch's verdict counts it. False if that is too far. */
static bool
pass_in_flight(otlog__queue *queue, uint32_t pipeline, uint32_t lane, uint64_t limit)
{
	otlog__place *place = &queue->pipelines[pipeline].places[lane];
	uint64_t read = atomic_load_explicit(&place->read, memory_order_relaxed);
	if (read > limit)
		return false;
	if (atomic_load_explicit(&place->cursor, memory_order_relaxed) == read)
		return true;
	otlog__bump(&otlog__lane(queue, lane)->pipeline[pipeline].filtered, place->passed_over);
	place->passed_over = 0;
	otlog__set_cursor(queue, pipeline, lane, read, atomic_load_explicit(&place->read_seq, memory_order_relaxed));
	return true;
}

/* Evicts the frame at the cursor. False if there is none that may go. */
static bool
evict_frame(otlog__queue *queue, uint32_t pipeline, uint32_t lane, uint64_t limit, uint64_t *evicted)
{
	otlog__place *place = &queue->pipelines[pipeline].places[lane];
	otlog__lane_cursor *kept = &otlog__lane(queue, lane)->pipeline[pipeline];
	uint64_t position = atomic_load_explicit(&place->read, memory_order_relaxed);
	uint64_t seq = atomic_load_explicit(&place->read_seq, memory_order_relaxed);
	otlog__frame frame;
	otlog__next next = otlog__next_frame(queue, lane, &position, limit, seq, &frame);
	if (next == OTLOG__NEXT_DAMAGED) {
		otlog__skip_damage(queue, pipeline, lane);
		if (!(queue->pipelines[pipeline].dead_lanes >> lane & 1))
			otlog__set_cursor(queue, pipeline, lane,
			                  atomic_load_explicit(&place->read, memory_order_relaxed),
			                  atomic_load_explicit(&place->read_seq, memory_order_relaxed));
		return false;
	}
	if (next == OTLOG__NEXT_NONE)
		return false;
	bool taken = frame.pipelines >> pipeline & 1;
	otlog__bump(taken ? &kept->dropped[OTLOG_DROP_QUEUE_FULL] : &kept->filtered, 1);
	*evicted += taken;
	position += otlog__frame_bytes(frame.size);
	/* Relaxed: others use them as hints only. */
	atomic_store_explicit(&place->read, position, memory_order_relaxed);
	atomic_store_explicit(&place->read_seq, seq + 1, memory_order_relaxed);
	otlog__set_cursor(queue, pipeline, lane, position, seq + 1);
	return true;
}

static bool
holds_back(const otlog__queue *queue, const otlog__place *place, uint32_t lane, uint32_t share)
{
	/* Relaxed: ours under the mutex. */
	return otlog__holds_more_than(queue, lane, atomic_load_explicit(&place->cursor, memory_order_relaxed),
	                              atomic_load_explicit(&place->consumed, memory_order_relaxed), share);
}

/* Under the pipeline's mutex. Returns whether the cursor may have moved. */
static bool
evict_lane(otlog__queue *queue, uint32_t pipeline, uint32_t lane, uint32_t away, uint64_t *evicted)
{
	otlog__pipeline *p = &queue->pipelines[pipeline];
	const otlog__place *place = &p->places[lane];
	if (p->dead_lanes >> lane & 1 || !holds_back(queue, place, lane, EVICT_FROM))
		return false;
	uint64_t limit = needed_by_none(queue, lane, away);
	if (!pass_in_flight(queue, pipeline, lane, limit))
		return false;
	while (holds_back(queue, place, lane, EVICT_DOWN_TO) && evict_frame(queue, pipeline, lane, limit, evicted)) {
	}
	otlog__release_lane(queue, lane);
	return true;
}

/* Remembers what the lanes held when the keeper looked: until they hold more, looking again is of no use. */
static void
note_look(otlog__queue *queue)
{
	for (uint32_t lane = 0; lane < queue->lanes; lane++) {
		const otlog__lane_producer *producer = &otlog__lane(queue, lane)->producer;
		/* Relaxed: taken before the look, so at most too early. */
		queue->keeper.looked[lane] = atomic_load_explicit(&producer->tail, memory_order_relaxed);
		queue->keeper.looked_seq[lane] = atomic_load_explicit(&producer->accepted, memory_order_relaxed);
	}
}

/* Whether a lane is more than half full and has grown by an eighth since the last look. */
static bool
worth_a_look(const otlog__queue *queue)
{
	for (uint32_t lane = 0; lane < queue->lanes; lane++) {
		const otlog__lane_released *released = &otlog__lane(queue, lane)->released;
		/* Relaxed: a hint. */
		if (otlog__holds_more_than(queue, lane, atomic_load_explicit(&released->position, memory_order_relaxed),
		                           atomic_load_explicit(&released->seq, memory_order_relaxed), EVICT_FROM) &&
		    otlog__holds_more_than(queue, lane, queue->keeper.looked[lane], queue->keeper.looked_seq[lane], 1))
			return true;
	}
	return false;
}

void
otlog__rouse_keeper_for_away(otlog__queue *queue)
{
	if (atomic_load_explicit(&queue->away, memory_order_relaxed) == 0)
		return;
	for (uint32_t lane = 0; lane < queue->lanes; lane++) {
		const otlog__lane_released *released = &otlog__lane(queue, lane)->released;
		/* Relaxed: a hint, the keeper looks for itself. */
		if (otlog__holds_more_than(queue, lane, atomic_load_explicit(&released->position, memory_order_relaxed),
		                           atomic_load_explicit(&released->seq, memory_order_relaxed), EVICT_FROM)) {
			otlog__rouse(&queue->keeper.wake);
			return;
		}
	}
}

uint64_t
otlog__queue_evict(otlog__queue *queue)
{
	if (otlog__gate(queue) == OTLOG__GATE_CHILD)
		return 0;
	uint32_t everybody = (uint32_t)((UINT64_C(1) << queue->pipeline_count) - 1);
	uint32_t away = atomic_load_explicit(&queue->away, memory_order_relaxed); /* a hint */
	if (away == 0 || away == everybody) {
		note_look(queue);
		return 0;
	}
	uint64_t evicted = 0;
	bool moved = false;
	note_look(queue);
	for (uint32_t p = 0; p < queue->pipeline_count; p++) {
		if (!(away >> p & 1))
			continue;
		pthread_mutex_lock(&queue->pipelines[p].mutex);
		for (uint32_t lane = 0; lane < queue->lanes && !queue->pipelines[p].closed; lane++)
			moved |= evict_lane(queue, p, lane, away, &evicted);
		pthread_mutex_unlock(&queue->pipelines[p].mutex);
	}
	if (moved)
		otlog__tell_progress(queue);
	otlog__report_damage(queue);
	return evicted;
}

void
otlog__queue_wait_half_full(otlog__queue *queue, uint64_t deadline_nano)
{
	if (otlog__gate(queue) == OTLOG__GATE_CHILD)
		return;
	otlog__keeper *keeper = &queue->keeper;
	/* Acquire: what the waker wrote before, such as a request to stop. */
	uint32_t word = atomic_load_explicit(&keeper->wake.word, memory_order_acquire);
	if (word == keeper->seen) {
		/* Sequentially consistent: as `wanted` in wake.c. */
		atomic_store_explicit(&keeper->armed, 1, memory_order_seq_cst);
		for (uint32_t lane = 0; lane < queue->lanes; lane++)
			otlog__keeper_set_alarm(queue, lane);
		if (!worth_a_look(queue))
			otlog__doze(&keeper->wake, word, deadline_nano);
		atomic_store_explicit(&keeper->armed, 0, memory_order_relaxed); /* one wake too many is harmless */
	}
	keeper->seen = atomic_load_explicit(&keeper->wake.word, memory_order_acquire);
}

void
otlog__queue_wake_keeper(otlog__queue *queue)
{
	if (otlog__gate(queue) != OTLOG__GATE_CHILD)
		otlog__rouse(&queue->keeper.wake);
}
