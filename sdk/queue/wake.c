/*
 * What each sleeping thread waits for, and how an emit finds out cheaply whether to wake one.
 *
 * A worker sleeps until `wanted` frames have been accepted in all lanes together, or until a lane holds a quarter of
 * its bytes for it. No emit can afford to add lanes up, so each lane has an alarm: a seq and a position, set to half of
 * what is missing. The emit that reaches it takes the alarm away, adds up once, and either wakes or sets the alarm at
 * half of the rest. With one busy lane that is some ten additions a batch; with eight, waking comes at most four
 * batches late, never later than the worker's deadline.
 */
#include "sdk/base/futex.h"
#include "sdk/queue/state.h"

#define BYTES_SHARE 4 /* a lane's bytes divided by this are worth waking for */

void
otlog__rouse(otlog__sleeper *sleeper)
{
	/* Sequentially consistent, as in otlog__doze: either we see the sleeper, or it sees the new word. */
	atomic_fetch_add_explicit(&sleeper->word, 1, memory_order_seq_cst);
	if (atomic_load_explicit(&sleeper->sleeping, memory_order_seq_cst))
		otlog__futex_wake_all(&sleeper->word);
}

void
otlog__doze(otlog__sleeper *sleeper, uint32_t seen, uint64_t deadline_nano)
{
	atomic_fetch_add_explicit(&sleeper->sleeping, 1, memory_order_seq_cst);
	if (atomic_load_explicit(&sleeper->word, memory_order_seq_cst) == seen)
		otlog__futex_wait(&sleeper->word, seen, deadline_nano);
	atomic_fetch_sub_explicit(&sleeper->sleeping, 1, memory_order_relaxed); /* seen late it costs a system call */
}

uint64_t
otlog__queue_accepted(const otlog__queue *queue)
{
	uint64_t sum = 0;
	for (uint32_t lane = 0; lane < queue->lanes; lane++)
		/* Relaxed: a count that goes on growing. */
		sum += atomic_load_explicit(&otlog__lane(queue, lane)->producer.accepted, memory_order_relaxed);
	return sum;
}

/*
 * Sequentially consistent, as are the stores of `wanted` and `armed` before and their loads after a ring: either the
 * emit that takes the alarm away sees the sleeper, or the sleeper sees that the alarm is gone and sets it.
 */
static void
lower(_Atomic uint64_t *alarm, uint64_t to)
{
	uint64_t at = atomic_load_explicit(alarm, memory_order_seq_cst);
	while (to < at &&
	       !atomic_compare_exchange_weak_explicit(alarm, &at, to, memory_order_seq_cst, memory_order_seq_cst)) {
	}
}

/* After how many more frames in one lane the lanes are added up again, when `missing` are missing in all. */
static uint64_t
step(const otlog__queue *queue, uint64_t missing)
{
	uint64_t share = missing / 2;
	if (queue->lane_records != OTLOG__NEVER && share > queue->lane_records / 2)
		share = queue->lane_records / 2;
	return share ? share : 1;
}

static void
wake_worker(otlog__pipeline *pipeline)
{
	/* Of several emits one wakes the worker, and none does if it has given up sleeping meanwhile. */
	if (atomic_exchange_explicit(&pipeline->wanted, OTLOG__NEVER, memory_order_seq_cst) != OTLOG__NEVER)
		otlog__rouse(&pipeline->wake);
}

static uint64_t
bytes_alarm(const otlog__pipeline *pipeline, uint32_t lane)
{
	/* Relaxed: they do not change while the worker sleeps, and the alarm matters only then. */
	return atomic_load_explicit(&pipeline->readers[lane].read, memory_order_relaxed) +
	       atomic_load_explicit(&pipeline->enough_bytes, memory_order_relaxed);
}

static void
keeper_ring(otlog__queue *queue, uint32_t lane)
{
	otlog__keeper *keeper = &queue->keeper;
	if (!atomic_load_explicit(&keeper->armed, memory_order_seq_cst))
		return;
	const otlog__lane_producer *producer = &otlog__lane(queue, lane)->producer;
	/* Relaxed throughout: hints, checked again by the keeper under the locks. */
	uint64_t tail = atomic_load_explicit(&producer->tail, memory_order_relaxed);
	uint64_t accepted = atomic_load_explicit(&producer->accepted, memory_order_relaxed);
	uint64_t position = atomic_load_explicit(&keeper->position[lane], memory_order_relaxed);
	uint64_t seq = atomic_load_explicit(&keeper->seq[lane], memory_order_relaxed);
	if (tail < position && accepted < seq) {
		lower(&queue->alarms[lane].position, position); /* it rang for a worker only */
		lower(&queue->alarms[lane].seq, seq);
	} else if (!otlog__is_short_of_room(queue)) {
		otlog__keeper_set_alarm(queue, lane);
	} else if (atomic_exchange_explicit(&keeper->armed, 0, memory_order_seq_cst)) {
		otlog__rouse(&keeper->wake);
	}
}

/* This lane's part of what is missing: at least a sixteenth of the lane, a quarter at most, for lanes may fill in turn. */
static uint64_t
part(uint64_t held, uint64_t limit, uint32_t lanes, uint64_t of_lane)
{
	if (held > limit)
		return of_lane /
		       8; /* the keeper was woken for this and could do nothing: it is not woken by every emit */
	uint64_t share = (limit - held) / lanes;
	share = share < of_lane / 4 ? share : of_lane / 4;
	return share > of_lane / 16 ? share : of_lane / 16;
}

void
otlog__keeper_set_alarm(otlog__queue *queue, uint32_t lane)
{
	const otlog__lane_producer *producer = &otlog__lane(queue, lane)->producer;
	otlog__alarm *alarm = &queue->alarms[lane];
	otlog__held all = otlog__held_in_all(queue), limit = otlog__share_of(queue, queue->lanes, OTLOG__SHORT_FROM);
	/* Relaxed throughout: a bound that is a little off wakes a little early or late. */
	uint64_t position = atomic_load_explicit(&producer->tail, memory_order_relaxed) + 1 +
	                    part(all.bytes, limit.bytes, queue->lanes, queue->lane_bytes);
	uint64_t seq = OTLOG__NEVER;
	if (queue->lane_records != OTLOG__NEVER)
		seq = atomic_load_explicit(&producer->accepted, memory_order_relaxed) + 1 +
		      part(all.records, limit.records, queue->lanes, queue->lane_records);
	atomic_store_explicit(&queue->keeper.position[lane], position, memory_order_relaxed);
	atomic_store_explicit(&queue->keeper.seq[lane], seq, memory_order_relaxed);
	lower(&alarm->position, position);
	lower(&alarm->seq, seq);
}

void
otlog__alarm_ring(otlog__queue *queue, uint32_t lane)
{
	otlog__alarm *alarm = &queue->alarms[lane];
	atomic_exchange_explicit(&alarm->seq, OTLOG__NEVER, memory_order_seq_cst);
	atomic_exchange_explicit(&alarm->position, OTLOG__NEVER, memory_order_seq_cst);
	const otlog__lane_page *page = otlog__lane(queue, lane);
	/* Relaxed: at least what this thread has just stored. */
	uint64_t tail = atomic_load_explicit(&page->producer.tail, memory_order_relaxed);
	uint64_t accepted = atomic_load_explicit(&page->producer.accepted, memory_order_relaxed);
	uint64_t sum = otlog__queue_accepted(queue);
	for (uint32_t p = 0; p < queue->pipeline_count; p++) {
		otlog__pipeline *pipeline = &queue->pipelines[p];
		uint64_t wanted = atomic_load_explicit(&pipeline->wanted, memory_order_seq_cst);
		if (wanted == OTLOG__NEVER)
			continue;
		uint64_t enough_bytes = bytes_alarm(pipeline, lane);
		if (sum >= wanted || tail >= enough_bytes) {
			wake_worker(pipeline);
			continue;
		}
		lower(&alarm->seq, accepted + step(queue, wanted - sum));
		lower(&alarm->position, enough_bytes);
	}
	keeper_ring(queue, lane);
}

void
otlog__wake_for_room(otlog__queue *queue)
{
	uint64_t sum = otlog__queue_accepted(queue);
	for (uint32_t p = 0; p < queue->pipeline_count; p++) {
		otlog__pipeline *pipeline = &queue->pipelines[p];
		if (atomic_load_explicit(&pipeline->wanted, memory_order_relaxed) != OTLOG__NEVER &&
		    sum > atomic_load_explicit(&pipeline->read_before, memory_order_relaxed))
			wake_worker(pipeline);
	}
	/* Relaxed: a hint. The keeper is asked once, not with every emit that is refused. */
	if (otlog__somebody_makes_room(queue) &&
	    !atomic_exchange_explicit(&queue->keeper.asked, 1, memory_order_relaxed))
		otlog__rouse(&queue->keeper.wake);
}

static bool
has_enough_bytes(const otlog__queue *queue, const otlog__pipeline *pipeline)
{
	for (uint32_t lane = 0; lane < queue->lanes; lane++)
		/* Relaxed: the read that follows looks again, with acquire. */
		if (atomic_load_explicit(&otlog__lane(queue, lane)->producer.tail, memory_order_relaxed) >=
		    bytes_alarm(pipeline, lane))
			return true;
	return false;
}

static bool
has_enough(const otlog__queue *queue, const otlog__pipeline *pipeline, uint64_t wanted)
{
	return otlog__queue_accepted(queue) >= wanted || has_enough_bytes(queue, pipeline);
}

static uint64_t
reachable(const otlog__queue *queue, uint64_t enough)
{
	uint64_t most = queue->lane_records == OTLOG__NEVER ? OTLOG__NEVER : queue->lane_records * queue->lanes / 2;
	enough = enough < most ? enough : most;
	return enough ? enough : 1;
}

/* Sets the alarms. False if there is no need to sleep. */
static bool
arm_worker(otlog__queue *queue, otlog__pipeline *pipeline, uint64_t before, uint32_t enough_records)
{
	uint64_t wanted = before + reachable(queue, enough_records);
	/* A worker that was woken for bytes and has read nothing since has no use for them: woken again it would spin. */
	uint64_t bytes = before == pipeline->told_bytes ? OTLOG__NEVER / 2 : queue->lane_bytes / BYTES_SHARE;
	atomic_store_explicit(&pipeline->enough_bytes, bytes, memory_order_relaxed); /* `wanted` publishes them */
	atomic_store_explicit(&pipeline->read_before, before, memory_order_relaxed);
	if (has_enough(queue, pipeline, wanted))
		return false;
	atomic_store_explicit(&pipeline->wanted, wanted, memory_order_seq_cst);
	uint64_t sum = otlog__queue_accepted(queue);
	for (uint32_t lane = 0; sum < wanted && lane < queue->lanes; lane++) {
		uint64_t accepted = atomic_load_explicit(&otlog__lane(queue, lane)->producer.accepted,
		                                         memory_order_relaxed); /* a hint */
		lower(&queue->alarms[lane].seq, accepted + step(queue, wanted - sum));
		lower(&queue->alarms[lane].position, bytes_alarm(pipeline, lane));
	}
	return !has_enough(queue, pipeline, wanted);
}

bool
otlog__queue_wait(otlog__queue *queue, uint32_t pipeline, uint32_t enough_records, uint64_t deadline_nano)
{
	if (otlog__gate(queue) == OTLOG__GATE_CHILD || pipeline >= queue->pipeline_count)
		return false;
	otlog__pipeline *p = &queue->pipelines[pipeline];
	uint64_t before = 0;
	for (uint32_t lane = 0; lane < queue->lanes; lane++)
		before +=
		    atomic_load_explicit(&p->readers[lane].read_seq,
		                         memory_order_relaxed); /* others write it only when they evict or spool */
	/* Acquire: what the waker wrote before, such as a request to stop. */
	uint32_t word = atomic_load_explicit(&p->wake.word, memory_order_acquire);
	bool counting = enough_records != UINT32_MAX;
	if (word == p->seen && (!counting || arm_worker(queue, p, before, enough_records)))
		otlog__doze(&p->wake, word, deadline_nano);
	atomic_exchange_explicit(&p->wanted, OTLOG__NEVER, memory_order_seq_cst);
	p->seen = atomic_load_explicit(&p->wake.word, memory_order_acquire);
	if (!counting)
		return false;
	if (otlog__queue_accepted(queue) >= before + reachable(queue, enough_records))
		return true;
	if (!has_enough_bytes(queue, p))
		return false;
	p->told_bytes = before;
	return true;
}

void
otlog__queue_wake(otlog__queue *queue, uint32_t pipeline)
{
	if (otlog__gate(queue) != OTLOG__GATE_CHILD && pipeline < queue->pipeline_count)
		otlog__rouse(&queue->pipelines[pipeline].wake);
}
