/*
 * What a queue is in this process, private to sdk/queue.
 *
 * Who orders what
 *   lane's owner     swap 0→1 with acquire, back to 0 with release: what one holder wrote the next one sees
 *   lane's tail      release by the holder, acquire by readers: publishes the frames before it
 *   released         release by consumers, acquire by the holder: their reading is over before bytes are overwritten
 *   cursor           stored and read in sequential consistency: of two pipelines that finish at once one at least sees
 *                    the other's new cursor, or `released` would stay behind with nobody left to raise it
 *   alarm            relaxed by the holder, right after the tail. Nothing orders that load behind the tail's store, so
 *                    a worker that falls asleep at that moment may not be woken: its own deadline bounds the delay.
 *                    An exact answer would cost every emit a fence.
 *   a pipeline's readers   written under its mutex, which emit never takes
 *
 * States of the gate, one word on a page of its own that fork wipes in the child
 *   OPEN → SEALED by otlog__queue_seal.  CHILD: we are a forked child; neither ring nor mutexes are ours to touch.
 */
#ifndef OTLOG_QUEUE_STATE_H
#define OTLOG_QUEUE_STATE_H

#include "sdk/base/clock.h"
#include "sdk/base/futex.h"
#include "sdk/queue/layout.h"
#include "sdk/queue/mapping.h"
#include "sdk/queue/queue.h"
#include "sdk/queue/scopes.h"

#include <pthread.h>
#include <stdbool.h>

_Static_assert(OTLOG_MAX_PIPELINES == OTLOG__LAYOUT_PIPELINES, "a cursor each");
_Static_assert((int)OTLOG_DROP_REASON_COUNT <= OTLOG__LAYOUT_REASONS, "a counter each");

enum { OTLOG__GATE_CHILD = 0, OTLOG__GATE_OPEN = 1, OTLOG__GATE_SEALED = 2 };

#define OTLOG__NEVER UINT64_MAX

/* A word that threads sleep on. To rouse them costs a system call only if one sleeps. */
typedef struct otlog__sleeper {
	_Atomic uint32_t word;     /* writer: who rouses, by addition */
	_Atomic uint32_t sleeping; /* writer: who sleeps, by addition */
} otlog__sleeper;

/* The emit that reaches one of these looks whom to wake. Writers: the thread that falls asleep, the one that wakes it. */
typedef struct otlog__alarm {
	_Alignas(64) _Atomic uint64_t seq; /* frames */
	_Atomic uint64_t position;         /* bytes */
} otlog__alarm;

/*
 * One pipeline in one lane; written under the pipeline's mutex, read by others where _Atomic.
 *
 *   cursor ≤ read. What lies between is in flight, or was passed over behind what is in flight (`passed_over` frames).
 *   With nothing in flight both are equal. After an eviction they are equal while batches are in flight, too: the records
 *   of those were copied, and are counted when the batch has its verdict.
 */
typedef struct otlog__lane_reader {
	_Alignas(64) _Atomic uint64_t cursor;
	_Atomic uint64_t consumed; /* frames before the cursor */
	_Atomic uint64_t read;     /* position up to which frames were picked or passed over */
	_Atomic uint64_t read_seq; /* frames before it */
	uint64_t handed;           /* end of the last batch handed out */
	uint64_t finished;         /* end of the last batch finished */
	uint64_t passed_over;      /* frames of others between handed and read, not counted yet */
	uint64_t filtered_in_flight;
} otlog__lane_reader;

typedef struct otlog__pipeline {
	_Alignas(64) pthread_mutex_t mutex;
	otlog__lane_reader *readers;      /* one per lane */
	uint32_t next_lane;               /* under the mutex */
	uint64_t dead_lanes;              /* under the mutex: bit per lane whose tail makes no sense */
	bool closed;                      /* under the mutex: the data may be unmapped */
	uint32_t seen;                    /* the worker's own: the last wake it has noticed */
	_Alignas(64) otlog__sleeper wake; /* for the worker */
	_Atomic uint64_t wanted;          /* sum of `accepted` at which to wake it, or NEVER. Writers: worker, waker */
	_Atomic uint64_t read_before;     /* frames it had read when it fell asleep. Writer: worker */
	_Atomic uint64_t enough_bytes;    /* of one lane that are worth waking for. Writer: worker */
	uint64_t told_bytes;              /* the worker's own: read_before when it was last woken for bytes */
} otlog__pipeline;

typedef struct otlog__keeper {
	_Alignas(64) otlog__sleeper wake;
	uint32_t seen;                           /* the keeper's own, as are the next three */
	bool looked_short;                       /* room was short when it looked last */
	uint64_t looked[OTLOG__QUEUE_MAX_LANES]; /* tails when it looked last */
	uint64_t looked_seq[OTLOG__QUEUE_MAX_LANES];
	_Atomic uint32_t armed;                       /* writers: keeper, waker */
	_Atomic uint32_t asked;                       /* an emit found no room. Writers: that emit, keeper */
	_Atomic uint64_t seq[OTLOG__QUEUE_MAX_LANES]; /* when to wake it; writers: keeper, waker */
	_Atomic uint64_t position[OTLOG__QUEUE_MAX_LANES];
} otlog__keeper;

struct otlog__queue {
	/* Set once before anybody else sees the queue. */
	_Atomic uint32_t *gate; /* writers: seal, and fork by wiping */
	uint8_t *control;       /* lane 0's control page */
	uint8_t *data;
	uint64_t lane_bytes;
	uint64_t lane_records; /* bound of frames in a lane; OTLOG__NEVER: none */
	uint64_t salt;
	uint64_t max_record;
	uint32_t trailer; /* bytes of checksum behind each record: OTLOG__TRAILER_BYTES or 0 */
	uint32_t lane_mask;
	uint32_t pipeline_count;
	otlog__alarm *alarms; /* one per lane */
	otlog__pipeline *pipelines;

	uint32_t lanes;
	bool in_file;
	bool closed;      /* writer: who closes, once */
	bool keep_file;   /* the same */
	bool name_synced; /* writer: who syncs */
	bool unsynced;    /* writer: who closes. Records were left that may not be on the disk */
	otlog__lane_reader *readers;
	otlog__mapping mapping;
	otlog__scopes *scopes;
	otlog__keeper keeper;
	_Alignas(64) otlog__sleeper room;     /* for emitters under the policy block */
	_Alignas(64) otlog__sleeper progress; /* for flush */
	_Atomic uint32_t away;                /* bit per pipeline; writers: workers */
	_Atomic uint32_t spools;              /* the same; the keeper spools for these. Writers: start, keeper */
	_Atomic uint32_t damaged; /* 1: frames that do not fit were met and are to be reported; 2: reported */
};

static inline uint32_t
otlog__gate(const otlog__queue *queue)
{
	/* Relaxed: a fork changes it before the child's only thread looks, and a seal also takes every lane, in order. */
	return atomic_load_explicit(queue->gate, memory_order_relaxed);
}

static inline otlog__lane_page *
otlog__lane(const otlog__queue *queue, uint32_t lane)
{
	return (otlog__lane_page *)(void *)(queue->control + (size_t)lane * OTLOG__CONTROL_PAGE);
}

static inline uint8_t *
otlog__lane_data(const otlog__queue *queue, uint32_t lane)
{
	return queue->data + (size_t)lane * queue->lane_bytes;
}

/*
 * The pipelines that are away, a bit each; none if all are, for then no other one needs the room. Those with a spool are
 * not among them.
 */
static inline uint32_t
otlog__who_gives_way(const otlog__queue *queue)
{
	/* Relaxed: a hint; what is evicted is decided under the pipeline's mutex. */
	uint32_t away = atomic_load_explicit(&queue->away, memory_order_relaxed);
	uint32_t spools = atomic_load_explicit(&queue->spools, memory_order_relaxed);
	return away == (UINT32_C(1) << queue->pipeline_count) - 1 ? 0 : away & ~spools;
}

/* Whether the keeper can do something where room is short: evict, or spool. */
static inline bool
otlog__somebody_makes_room(const otlog__queue *queue)
{
	return atomic_load_explicit(&queue->spools, memory_order_relaxed) || otlog__who_gives_way(queue);
}

/* Adds to a counter that has one writer at a time. */
static inline void
otlog__bump(_Atomic uint64_t *counter, uint64_t by)
{
	/* Relaxed: a thread that reads several counters together holds the mutex under which they are written. */
	if (by)
		atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + by,
		                      memory_order_relaxed);
}

/* Frames accepted in all lanes together. */
uint64_t otlog__queue_accepted(const otlog__queue *queue);

/* ---- wake.c ------------------------------------------------------------------------------------------------------ */

/* Wakes all who sleep there and all who are about to. Signal-safe. */
void otlog__rouse(otlog__sleeper *sleeper);

/* Sleeps until the word is no longer `seen` or the deadline has passed. */
void otlog__doze(otlog__sleeper *sleeper, uint32_t seen, uint64_t deadline_nano);

/* The lane's alarm has gone off: wakes those who have enough now and sets it again for the others. Signal-safe. */
void otlog__alarm_ring(otlog__queue *queue, uint32_t lane);

/*
 * No lane had the room: wakes workers that sleep although something is waiting, and the keeper if it can make room.
 * Signal-safe.
 */
void otlog__wake_for_room(otlog__queue *queue);

/* When to wake the keeper for this lane. Signal-safe. */
void otlog__keeper_set_alarm(otlog__queue *queue, uint32_t lane);

/* ---- cursor.c ---------------------------------------------------------------------------------------------------- */

typedef enum otlog__next { OTLOG__NEXT_NONE, OTLOG__NEXT_FRAME, OTLOG__NEXT_DAMAGED } otlog__next;

/*
 * The frame at *position or behind the lane's unused end; *position is moved to it. The header is copied out and
 * checked, so that bytes which change underneath can do no harm.
 */
otlog__next otlog__next_frame(const otlog__queue *queue, uint32_t lane, uint64_t *position, uint64_t tail, uint64_t seq,
                              otlog__frame *frame);

/* How much lies in lanes, for whichever pipeline. */
typedef struct otlog__held {
	uint64_t bytes;
	uint64_t records; /* an upper bound */
} otlog__held;

otlog__held otlog__held_in(const otlog__queue *queue, uint32_t lane);
otlog__held otlog__held_in_all(const otlog__queue *queue);

/* `share` eighths of what so many lanes may hold. */
otlog__held otlog__share_of(const otlog__queue *queue, uint32_t lanes, uint32_t share);

/* From more than this the queue as a whole is short of room; eighths. */
#define OTLOG__SHORT_FROM 6

bool otlog__is_short_of_room(const otlog__queue *queue);

/* Moves the cursor of the pipeline in the lane, here and in the control page. Under the mutex. */
void otlog__set_cursor(otlog__queue *queue, uint32_t pipeline, uint32_t lane, uint64_t position, uint64_t consumed);

/*
 * The frame at the reader's `read` is damaged: gives up what lies from there to the lane's tail and counts it as
 * damaged. Under the mutex.
 */
void otlog__skip_damage(otlog__queue *queue, uint32_t pipeline, uint32_t lane);

/* Raises `released` to the least cursor. */
void otlog__release_lane(otlog__queue *queue, uint32_t lane);

/* Tells everybody who waits for room or for progress. */
void otlog__tell_progress(otlog__queue *queue);

/* Says once that frames were damaged, if they were, and what was wrong with scopes. Under no lock. */
void otlog__report_troubles(otlog__queue *queue);

/* ---- queue_away.c ------------------------------------------------------------------------------------------------ */

/* Something was read: wakes the keeper if room is short and it can do something about that now. */
void otlog__rouse_keeper_for_away(otlog__queue *queue);

/* ---- queue_emit.c ------------------------------------------------------------------------------------------------ */

/* No emit takes so long: after this time its thread must have been stopped inside. */
#define OTLOG__EMIT_NANO (2 * OTLOG__NANOS_PER_S)

/* Takes a lane, waiting for its holder until the deadline. False if it is closed already, or not given back. */
bool otlog__lane_take(otlog__queue *queue, uint32_t lane, uint32_t state, uint64_t deadline_nano);

void otlog__lane_give_back(otlog__queue *queue, uint32_t lane);

#endif
