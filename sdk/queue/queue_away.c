/* What the keeper does for room: a pipeline that is away loses frames so that the others need not. */
#include "sdk/queue/state.h"

/*
 * In eighths. The queue as a whole is brought down to five, so that the next emits do not call for the keeper again. For
 * that, lanes over four are brought down to three: a pipeline that is away loses what the others need the room of, no more.
 */
#define ALL_DOWN_TO 5
#define LANE_FROM 4
#define LANE_DOWN_TO 3

/* Nothing is spooled for a pipeline that holds back less than this: it is not the reason why room is short. */
#define SPOOL_FROM 3

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
		uint64_t cursor = atomic_load_explicit(&queue->pipelines[p].readers[lane].cursor, memory_order_acquire);
		limit = cursor < limit ? cursor : limit;
	}
	return limit;
}

/*
 * Moves the cursor over what is in flight: those records were copied, and are counted when their batch has its verdict.
 * False if that would be beyond the limit.
 */
static bool
pass_in_flight(otlog__queue *queue, uint32_t pipeline, uint32_t lane, uint64_t limit)
{
	otlog__lane_reader *reader = &queue->pipelines[pipeline].readers[lane];
	uint64_t read = atomic_load_explicit(&reader->read, memory_order_relaxed);
	if (read > limit)
		return false;
	if (atomic_load_explicit(&reader->cursor, memory_order_relaxed) == read)
		return true;
	otlog__bump(&otlog__lane(queue, lane)->pipeline[pipeline].filtered, reader->passed_over);
	reader->passed_over = 0;
	otlog__set_cursor(queue, pipeline, lane, read, atomic_load_explicit(&reader->read_seq, memory_order_relaxed));
	return true;
}

/* Evicts the frame at the cursor. False if there is none that may go. */
static bool
evict_frame(otlog__queue *queue, uint32_t pipeline, uint32_t lane, uint64_t limit, uint64_t *evicted)
{
	otlog__lane_reader *reader = &queue->pipelines[pipeline].readers[lane];
	otlog__lane_cursor *kept = &otlog__lane(queue, lane)->pipeline[pipeline];
	uint64_t position = atomic_load_explicit(&reader->read, memory_order_relaxed);
	uint64_t seq = atomic_load_explicit(&reader->read_seq, memory_order_relaxed);
	otlog__frame frame;
	otlog__next next = otlog__next_frame(queue, lane, &position, limit, seq, &frame);
	if (next == OTLOG__NEXT_DAMAGED) {
		otlog__skip_damage(queue, pipeline, lane);
		if (!(queue->pipelines[pipeline].dead_lanes >> lane & 1))
			otlog__set_cursor(queue, pipeline, lane,
			                  atomic_load_explicit(&reader->read, memory_order_relaxed),
			                  atomic_load_explicit(&reader->read_seq, memory_order_relaxed));
		return false;
	}
	if (next == OTLOG__NEXT_NONE)
		return false;
	bool taken = frame.pipelines >> pipeline & 1;
	otlog__bump(taken ? &kept->dropped[OTLOG_DROP_QUEUE_FULL] : &kept->filtered, 1);
	*evicted += taken;
	position += otlog__frame_bytes(frame.size);
	/* Relaxed: others use them as hints only. */
	atomic_store_explicit(&reader->read, position, memory_order_relaxed);
	atomic_store_explicit(&reader->read_seq, seq + 1, memory_order_relaxed);
	otlog__set_cursor(queue, pipeline, lane, position, seq + 1);
	return true;
}

/* Up to where a lane is to be evicted. */
typedef struct goal {
	uint64_t position;
	uint64_t seq;
} goal;

static uint64_t
over(uint64_t held, uint64_t limit)
{
	return held > limit ? held - limit : 0;
}

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* False if nothing is to be evicted there. `asked`: an emit found no room, however much there is in all. */
static bool
set_goal(const otlog__queue *queue, uint32_t lane, bool asked, goal *to)
{
	otlog__held here = otlog__held_in(queue, lane), from = otlog__share_of(queue, 1, LANE_FROM);
	if (here.bytes <= from.bytes && here.records <= from.records)
		return false;
	otlog__held all = otlog__held_in_all(queue), down_to = otlog__share_of(queue, queue->lanes, ALL_DOWN_TO);
	otlog__held lane_down_to = otlog__share_of(queue, 1, LANE_DOWN_TO);
	uint64_t bytes = over(here.bytes, lane_down_to.bytes), records = over(here.records, lane_down_to.records);
	if (!asked) {
		bytes = least(bytes, over(all.bytes, down_to.bytes));
		records = least(records, over(all.records, down_to.records));
	}
	const otlog__lane_released *released = &otlog__lane(queue, lane)->released;
	/* Relaxed: what may be evicted is decided frame by frame. */
	to->position = atomic_load_explicit(&released->position, memory_order_relaxed) + bytes;
	to->seq = atomic_load_explicit(&released->seq, memory_order_relaxed) + records;
	return bytes || records;
}

static bool
is_before(const otlog__lane_reader *reader, const goal *to)
{
	/* Relaxed: ours under the mutex. */
	return atomic_load_explicit(&reader->cursor, memory_order_relaxed) < to->position ||
	       atomic_load_explicit(&reader->consumed, memory_order_relaxed) < to->seq;
}

/* Under the pipeline's mutex. Returns whether the cursor may have moved. */
static bool
evict_lane(otlog__queue *queue, uint32_t pipeline, uint32_t lane, uint32_t away, const goal *to, uint64_t *evicted)
{
	otlog__pipeline *p = &queue->pipelines[pipeline];
	const otlog__lane_reader *reader = &p->readers[lane];
	if (p->closed || p->dead_lanes >> lane & 1 || !is_before(reader, to))
		return false;
	uint64_t limit = needed_by_none(queue, lane, away);
	if (!pass_in_flight(queue, pipeline, lane, limit))
		return false;
	while (is_before(reader, to) && evict_frame(queue, pipeline, lane, limit, evicted)) {
	}
	otlog__release_lane(queue, lane);
	return true;
}

/* Evicts in the lane for every pipeline that is away. Returns whether a cursor may have moved. */
static bool
evict_away(otlog__queue *queue, uint32_t lane, uint32_t away, const goal *to, uint64_t *evicted)
{
	bool moved = false;
	for (uint32_t p = 0; p < queue->pipeline_count; p++) {
		if (!(away >> p & 1))
			continue;
		pthread_mutex_lock(&queue->pipelines[p].mutex);
		moved |= evict_lane(queue, p, lane, away, to, evicted);
		pthread_mutex_unlock(&queue->pipelines[p].mutex);
	}
	return moved;
}

/* Remembers what the lanes held when the keeper looked: until they hold more, looking again is of no use. */
static void
note_look(otlog__queue *queue)
{
	queue->keeper.looked_short = otlog__is_short_of_room(queue);
	for (uint32_t lane = 0; lane < queue->lanes; lane++) {
		const otlog__lane_producer *producer = &otlog__lane(queue, lane)->producer;
		/* Relaxed: an older value makes the keeper look again a little sooner. */
		queue->keeper.looked[lane] = atomic_load_explicit(&producer->tail, memory_order_relaxed);
		queue->keeper.looked_seq[lane] = atomic_load_explicit(&producer->accepted, memory_order_relaxed);
	}
}

/* Whether room has become short since the last look, or lanes have grown by an eighth of one while it was. */
static bool
worth_a_look(const otlog__queue *queue)
{
	if (!otlog__is_short_of_room(queue))
		return false;
	otlog__held grown = { 0 };
	for (uint32_t lane = 0; lane < queue->lanes; lane++) {
		const otlog__lane_producer *producer = &otlog__lane(queue, lane)->producer;
		/* Relaxed: a hint. */
		grown.bytes += atomic_load_explicit(&producer->tail, memory_order_relaxed) - queue->keeper.looked[lane];
		grown.records +=
		    atomic_load_explicit(&producer->accepted, memory_order_relaxed) - queue->keeper.looked_seq[lane];
	}
	otlog__held enough = otlog__share_of(queue, 1, 1);
	return !queue->keeper.looked_short || grown.bytes > enough.bytes || grown.records > enough.records;
}

void
otlog__rouse_keeper_for_away(otlog__queue *queue)
{
	if (otlog__somebody_makes_room(queue) && otlog__is_short_of_room(queue))
		otlog__rouse(&queue->keeper.wake);
}

void
otlog__queue_set_spools(otlog__queue *queue, uint32_t pipeline, bool spools)
{
	if (pipeline >= queue->pipeline_count)
		return;
	uint32_t bit = UINT32_C(1) << pipeline;
	/* Relaxed: a hint, as `away` is. */
	if (spools)
		atomic_fetch_or_explicit(&queue->spools, bit, memory_order_relaxed);
	else
		atomic_fetch_and_explicit(&queue->spools, ~bit, memory_order_relaxed);
}

bool
otlog__queue_wants_spooling(otlog__queue *queue, uint32_t pipeline)
{
	otlog__held limit = otlog__share_of(queue, queue->lanes, SPOOL_FROM), held = { 0 };
	/* Relaxed: hints. */
	uint32_t away = atomic_load_explicit(&queue->away, memory_order_relaxed);
	uint32_t spools = atomic_load_explicit(&queue->spools, memory_order_relaxed);
	bool asked = atomic_load_explicit(&queue->keeper.asked, memory_order_relaxed);
	if (otlog__gate(queue) == OTLOG__GATE_CHILD || !(spools >> pipeline & 1) ||
	    !(asked || (away >> pipeline & 1 && otlog__is_short_of_room(queue))))
		return false;
	for (uint32_t lane = 0; lane < queue->lanes; lane++) {
		const otlog__lane_producer *producer = &otlog__lane(queue, lane)->producer;
		const otlog__lane_reader *reader = &queue->pipelines[pipeline].readers[lane];
		/* Relaxed: this changes all the time. Cursors are read before tails, so that no difference is negative. */
		uint64_t cursor = atomic_load_explicit(&reader->cursor, memory_order_relaxed);
		uint64_t consumed = atomic_load_explicit(&reader->consumed, memory_order_relaxed);
		held.bytes += atomic_load_explicit(&producer->tail, memory_order_acquire) - cursor;
		held.records += atomic_load_explicit(&producer->accepted, memory_order_relaxed) - consumed;
	}
	return held.bytes > limit.bytes || held.records > limit.records;
}

uint64_t
otlog__queue_evict(otlog__queue *queue)
{
	if (otlog__gate(queue) == OTLOG__GATE_CHILD)
		return 0;
	uint32_t away = otlog__who_gives_way(queue);
	/* Relaxed: a hint. An emit that asks from here on wakes the keeper again. */
	bool asked = atomic_exchange_explicit(&queue->keeper.asked, 0, memory_order_relaxed);
	uint64_t evicted = 0;
	bool moved = false;
	note_look(queue);
	if (away && (asked || queue->keeper.looked_short))
		for (uint32_t lane = 0; lane < queue->lanes; lane++) {
			goal to;
			if (!set_goal(queue, lane, asked, &to) || !evict_away(queue, lane, away, &to, &evicted))
				continue;
			moved = true;
			asked = false; /* one lane has room now */
		}
	if (moved)
		otlog__tell_progress(queue);
	otlog__report_troubles(queue);
	return evicted;
}

void
otlog__queue_wait_filled(otlog__queue *queue, uint64_t deadline_nano)
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
