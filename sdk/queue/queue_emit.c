/* The way in: hold a lane, write, publish. Async-signal-safe: no allocation, no lock, errno untouched. */
#include "sdk/base/clock.h"
#include "sdk/queue/crc32c.h"
#include "sdk/queue/state.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#define BUSY_ROUNDS 128
#define TAKE_SPINS 64

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Threads that have emitted so far. Writer: each thread's first emit. */
static _Atomic uint32_t threads;

/* Which lane this thread tries first, plus one. Initial-exec: storage that is allocated lazily is not signal-safe. */
static _Thread_local _Atomic uint32_t mine __attribute__((tls_model("initial-exec")));

static uint32_t
first_lane(void)
{
	/* Relaxed everywhere: only this thread and the handlers that interrupt it use the word. */
	uint32_t number = atomic_load_explicit(&mine, memory_order_relaxed);
	if (UNLIKELY(number == 0)) {
		number = atomic_fetch_add_explicit(&threads, 1, memory_order_relaxed) % INT32_MAX + 1;
		atomic_store_explicit(&mine, number, memory_order_relaxed);
	}
	return number - 1;
}

typedef enum attempt { TAKEN, LANE_BUSY, LANE_FULL, LANE_CLOSED } attempt;

/* Holds the lane if it is free and has `need` bytes in one piece. */
static inline attempt
try_lane(otlog__queue *queue, uint32_t lane, uint64_t need, otlog__slot *slot)
{
	otlog__lane_page *page = otlog__lane(queue, lane);
	uint32_t owner = OTLOG__LANE_FREE;
	/* Acquire: pairs with the release of the last holder. */
	if (!atomic_compare_exchange_strong_explicit(&page->producer.owner, &owner, OTLOG__LANE_HELD,
	                                             memory_order_acquire, memory_order_relaxed))
		return owner == OTLOG__LANE_CLOSED ? LANE_CLOSED : LANE_BUSY;

	/* Relaxed: ours while we hold the lane. */
	uint64_t tail = atomic_load_explicit(&page->producer.tail, memory_order_relaxed);
	uint64_t accepted = atomic_load_explicit(&page->producer.accepted, memory_order_relaxed);
	/* Acquire: what lies before it has been read to the end. */
	uint64_t released = atomic_load_explicit(&page->released.position, memory_order_acquire);
	uint64_t released_seq = atomic_load_explicit(&page->released.seq, memory_order_relaxed); /* a bound, no data */
	uint64_t offset = tail & (queue->lane_bytes - 1);
	uint64_t left = queue->lane_bytes - offset;
	uint64_t skip = left < need ? left : 0;
	if (UNLIKELY(tail + skip + need - released > queue->lane_bytes ||
	             accepted - released_seq >= queue->lane_records)) {
		/* Release: nothing was written, but the lane's words pass on to the next holder. */
		atomic_store_explicit(&page->producer.owner, OTLOG__LANE_FREE, memory_order_release);
		return LANE_FULL;
	}
	slot->bytes = otlog__lane_data(queue, lane) + (skip ? 0 : offset) + sizeof(otlog__frame);
	slot->capacity = need - sizeof(otlog__frame) - queue->trailer;
	slot->lane = lane;
	slot->skip = (uint32_t)skip;
	return TAKEN;
}

/* The thread's own lane would not do: tries them all, again as long as one of them was merely busy. */
static __attribute__((noinline)) otlog_emit_result
begin_anywhere(otlog__queue *queue, uint32_t first, uint64_t need, otlog__slot *slot)
{
	for (int round = 0; round < BUSY_ROUNDS; round++) {
		bool busy = false;
		for (uint32_t i = 0; i <= queue->lane_mask; i++) {
			attempt got = try_lane(queue, (first + i) & queue->lane_mask, need, slot);
			if (got == TAKEN)
				return OTLOG_EMIT_ACCEPTED;
			if (got == LANE_CLOSED)
				return OTLOG_EMIT_AFTER_SHUTDOWN;
			busy |= got == LANE_BUSY;
		}
		if (!busy) {
			otlog__wake_for_room(queue);
			return OTLOG_EMIT_QUEUE_FULL;
		}
		sched_yield();
	}
	return OTLOG_EMIT_BUSY;
}

otlog_emit_result
otlog__queue_begin(otlog__queue *queue, size_t room, otlog__slot *slot)
{
	uint32_t gate = otlog__gate(queue);
	if (UNLIKELY(gate != OTLOG__GATE_OPEN))
		return gate == OTLOG__GATE_CHILD ? OTLOG_EMIT_DISABLED : OTLOG_EMIT_AFTER_SHUTDOWN;
	if (UNLIKELY(room > queue->max_record))
		return OTLOG_EMIT_TOO_LARGE;
	uint64_t need = otlog__frame_bytes(room + queue->trailer);
	uint32_t first = first_lane();
	if (LIKELY(try_lane(queue, first & queue->lane_mask, need, slot) == TAKEN))
		return OTLOG_EMIT_ACCEPTED;
	return begin_anywhere(queue, first, need, slot);
}

static inline void
put_frame(uint8_t *at, otlog__frame frame, uint32_t lane, uint64_t salt)
{
	frame.check = otlog__frame_check(&frame, lane, salt);
	memcpy(at, &frame, sizeof frame);
}

/* The checksum of the record whose frame lies at `at`, behind it. `size`: of both. */
static __attribute__((noinline)) void
put_trailer(uint8_t *at, size_t size)
{
	otlog__frame frame;
	memcpy(&frame, at, sizeof frame);
	uint32_t crc = otlog__crc32c(frame.check, at + sizeof frame, size - OTLOG__TRAILER_BYTES);
	memcpy(at + sizeof frame + size - OTLOG__TRAILER_BYTES, &crc, sizeof crc);
}

void
otlog__queue_commit(otlog__queue *queue, const otlog__slot *slot, size_t size, uint16_t scope, uint16_t pipelines)
{
	otlog__lane_page *page = otlog__lane(queue, slot->lane);
	/* Relaxed: ours while we hold the lane. */
	uint64_t tail = atomic_load_explicit(&page->producer.tail, memory_order_relaxed);
	uint64_t accepted = atomic_load_explicit(&page->producer.accepted, memory_order_relaxed);
	if (UNLIKELY(slot->skip >= sizeof(otlog__frame)))
		put_frame(otlog__lane_data(queue, slot->lane) + (tail & (queue->lane_bytes - 1)),
		          (otlog__frame){ .size = slot->skip - (uint32_t)sizeof(otlog__frame),
		                          .scope = OTLOG__SCOPE_SKIP,
		                          .seq = (uint32_t)accepted },
		          slot->lane, queue->salt);
	size += queue->trailer;
	put_frame(
	    slot->bytes - sizeof(otlog__frame),
	    (otlog__frame){ .size = (uint32_t)size, .scope = scope, .pipelines = pipelines, .seq = (uint32_t)accepted },
	    slot->lane, queue->salt);
	if (UNLIKELY(queue->trailer))
		put_trailer(slot->bytes - sizeof(otlog__frame), size);
	tail += slot->skip + otlog__frame_bytes(size);
	accepted++;

	/* Relaxed: readers come to it through the tail. */
	atomic_store_explicit(&page->producer.accepted, accepted, memory_order_relaxed);
	/* Release: the commit. Whoever sees this tail sees the frames before it, in this process and after its death. */
	atomic_store_explicit(&page->producer.tail, tail, memory_order_release);
	/* Release: to the next holder. */
	atomic_store_explicit(&page->producer.owner, OTLOG__LANE_FREE, memory_order_release);

	/* Relaxed: see state.h on sleepers that are missed. */
	otlog__alarm *alarm = &queue->alarms[slot->lane];
	if (UNLIKELY(accepted >= atomic_load_explicit(&alarm->seq, memory_order_relaxed) ||
	             tail >= atomic_load_explicit(&alarm->position, memory_order_relaxed)))
		otlog__alarm_ring(queue, slot->lane);
}

void
otlog__queue_cancel(otlog__queue *queue, const otlog__slot *slot)
{
	otlog__lane_give_back(queue, slot->lane);
}

void
otlog__lane_give_back(otlog__queue *queue, uint32_t lane)
{
	/* Release: to the next holder. */
	atomic_store_explicit(&otlog__lane(queue, lane)->producer.owner, OTLOG__LANE_FREE, memory_order_release);
}

bool
otlog__lane_take(otlog__queue *queue, uint32_t lane, uint32_t state, uint64_t deadline_nano)
{
	_Atomic uint32_t *owner = &otlog__lane(queue, lane)->producer.owner;
	for (uint32_t spins = 0;; spins++) {
		uint32_t seen = OTLOG__LANE_FREE;
		/* Acquire: what the last holder wrote. */
		if (atomic_compare_exchange_strong_explicit(owner, &seen, state, memory_order_acquire,
		                                            memory_order_relaxed))
			return true;
		if (seen == OTLOG__LANE_CLOSED)
			return false; /* for good: nobody writes there any more */
		if (spins < TAKE_SPINS)
			continue;
		if (otlog__monotonic_nano() >= deadline_nano)
			return false;
		sched_yield();
	}
}

void
otlog__queue_refuse(otlog__queue *queue, otlog_drop_reason reason)
{
	if (otlog__gate(queue) == OTLOG__GATE_CHILD || (uint32_t)reason >= OTLOG_DROP_REASON_COUNT)
		return;
	otlog__lane_page *page = otlog__lane(queue, first_lane() & queue->lane_mask);
	/* Relaxed: a plain counter. */
	atomic_fetch_add_explicit(&page->refused.count[reason], 1, memory_order_relaxed);
}

/* Whether the lane has the room, as far as can be seen without holding it. */
static bool
may_fit(otlog__queue *queue, uint32_t lane, uint64_t need)
{
	const otlog__lane_page *page = otlog__lane(queue, lane);
	/* Relaxed: the caller tries for itself afterwards. The order against the room word is the caller's. */
	uint64_t released = atomic_load_explicit(&page->released.position, memory_order_relaxed);
	uint64_t released_seq = atomic_load_explicit(&page->released.seq, memory_order_relaxed);
	uint64_t tail = atomic_load_explicit(&page->producer.tail, memory_order_relaxed);
	uint64_t accepted = atomic_load_explicit(&page->producer.accepted, memory_order_relaxed);
	uint64_t left = queue->lane_bytes - (tail & (queue->lane_bytes - 1));
	uint64_t skip = left < need ? left : 0;
	/* An older tail with a newer `released` gives a negative size: there is room, so the comparison is signed. */
	return (int64_t)(tail + skip + need - released) <= (int64_t)queue->lane_bytes &&
	       (queue->lane_records == OTLOG__NEVER ||
	        (int64_t)(accepted - released_seq) < (int64_t)queue->lane_records);
}

static bool
some_lane_may_fit(otlog__queue *queue, size_t room)
{
	for (uint32_t lane = 0; lane < queue->lanes; lane++)
		if (may_fit(queue, lane, otlog__frame_bytes(room + queue->trailer)))
			return true;
	return otlog__gate(queue) != OTLOG__GATE_OPEN;
}

bool
otlog__queue_wait_room(otlog__queue *queue, size_t room, uint64_t deadline_nano)
{
	if (otlog__gate(queue) != OTLOG__GATE_OPEN || room > queue->max_record)
		return true; /* begin says what is wrong */
	if (otlog__monotonic_nano() >= deadline_nano)
		return false;
	int saved = errno;
	/* Acquire, before the lanes: room that appears after we have looked changes the word, and we do not sleep. */
	uint32_t seen = atomic_load_explicit(&queue->room.word, memory_order_acquire);
	bool fits = some_lane_may_fit(queue, room);
	if (!fits) {
		otlog__doze(&queue->room, seen, deadline_nano);
		fits = some_lane_may_fit(queue, room);
	}
	errno = saved;
	return fits || otlog__monotonic_nano() < deadline_nano;
}
