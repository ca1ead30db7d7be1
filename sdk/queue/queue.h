/*
 * The queue: try-lock lanes.
 *
 * Vocabulary
 *   queue     one provider, one resource, one file or one anonymous mapping with the same layout
 *   lane      a single-producer byte ring with a try-lock word that is held for one emit; nobody owns a lane in between
 *   frame     16-byte header + record bytes, 8-aligned
 *   pipeline  a bit in the frame's mask, and a cursor per lane
 *   cursor    where a pipeline is in a lane: with all frames before it it is done, for they were delivered, spooled,
 *             dropped, filtered or evicted
 *   read      how far that pipeline's worker has copied; between cursor and read lies what is in flight
 *   released  the least cursor of a lane: emitters may overwrite what lies before it
 *
 * A forked child may call everything here and touches nothing of its parent's: emits are OTLOG_EMIT_DISABLED, reads find
 * nothing, waits return at once, the books are zero, a flush has nothing to wait for.
 *
 * Beside it lie spool/, for what an outage leaves over, and recovery/, for what dead processes have left; nothing here
 * includes either.
 *
 * The frames are opaque here. The byte layout stands in layout.h, the concurrency in state.h.
 */
#ifndef OTLOG_QUEUE_QUEUE_H
#define OTLOG_QUEUE_QUEUE_H

#include <otlog/sdk.h>

#define OTLOG__QUEUE_MAX_LANES 64

typedef struct otlog__queue otlog__queue;

typedef struct otlog__queue_options {
	const char *directory;    /* NULL: in memory */
	const char *service_name; /* for the file's name */
	uint64_t bytes;           /* of all lanes together; rounded up so that a lane is a power of two ≥ 64 KiB */
	uint32_t lanes;           /* 0: 8; rounded up to a power of two, 64 at most */
	uint64_t max_records;     /* divided over the lanes, of which there are no more; 0: bounded by bytes alone */
	const char *const *pipelines; /* their names */
	uint32_t pipeline_count;      /* 1…OTLOG_MAX_PIPELINES */
	const void *resource;         /* opaque bytes for NAME.meta: the resource and its schema URL */
	size_t resource_size;
	bool checksums; /* in a file: each frame ends in a CRC32C, so that it may be trusted after a loss of power */
} otlog__queue_options;

/*
 * Maps and prefaults the queue. Where the directory cannot be used it says so in one diagnostic and stays in memory.
 * NULL when there is no memory either.
 */
otlog__queue *otlog__queue_open(const otlog__queue_options *options);

/*
 * Closes every lane to emitters, so that none is inside afterwards and none comes in; readers go on. What was accepted
 * before can then be flushed without more coming. Wakes those who wait for room. Emits that have begun are waited for
 * until the deadline, for all lanes together: 20 ms at least, so that one in progress ends, and 2 s at most, for one
 * that takes longer was stopped inside. False: some emit is inside still, and calling again tries those lanes again.
 */
bool otlog__queue_seal(otlog__queue *queue, uint64_t deadline_nano);

/*
 * Seals the queue, unless that is done, and unmaps the data. Frames still there are counted as dropped[after_shutdown],
 * unless the queue lies in a file: that is synced and kept. An empty file is removed, unless there is a spool beside it,
 * which must be closed before. The books stay readable. Call when no worker uses the queue any more. False: an emit is
 * inside still, so that the data stays mapped, or what was left in the file could not be brought to the disk.
 */
bool otlog__queue_close(otlog__queue *queue);

/* Frees what close kept: the control pages and the books. No emitter may reach the queue any more. */
void otlog__queue_free(otlog__queue *queue);

/* True in a child that was forked after the queue was opened: neither the ring nor the threads around it are there. */
bool otlog__queue_in_child(const otlog__queue *queue);
/* In such a child, from a handler of fork: where the kernel cannot tell, this does. */
void otlog__queue_mark_child(otlog__queue *queue);
bool otlog__queue_in_file(const otlog__queue *queue);
/* Of a queue in a file, until it is closed: the descriptor of its directory, and its NAME. */
int otlog__queue_directory(const otlog__queue *queue);
const char *otlog__queue_name(const otlog__queue *queue);
/* The files stay when the queue is closed, also if it is empty then. */
void otlog__queue_keep_file(otlog__queue *queue);
size_t otlog__queue_max_record(const otlog__queue *queue); /* bytes: half a lane, less the header */

/* ---- Scopes: id → opaque bytes that the batch needs (ScopeLogs without its records) ------------------------------ */

/*
 * Keeps a copy, writes it to NAME.meta, returns its number. 0xfffd at most are kept; the others, and those that memory
 * is too short for, get the number of an empty scope. May be called under locks: what went wrong is said later, by a
 * worker or the keeper.
 */
uint16_t otlog__queue_add_scope(otlog__queue *queue, const void *head, size_t head_size, const void *tail,
                                size_t tail_size);

typedef struct otlog__scope_bytes {
	const uint8_t *head; /* goes before the records: field scope */
	size_t head_size;
	const uint8_t *tail; /* goes behind them: field schema_url */
	size_t tail_size;
} otlog__scope_bytes;

/* All of them, for otlog__scopes_get; valid until the queue is freed. Any thread. */
const struct otlog__scopes *otlog__queue_scopes(const otlog__queue *queue);

/* ---- Emit: any thread, async-signal-safe, never blocks ----------------------------------------------------------- */

/* A lane held for one emit. */
typedef struct otlog__slot {
	uint8_t *bytes;  /* where the record goes */
	size_t capacity; /* ≥ the room asked for */
	uint32_t lane;
	uint32_t skip; /* private */
} otlog__slot;

/*
 * Holds a lane with room for `room` bytes in one piece. Returns OTLOG_EMIT_ACCEPTED, or why not, without counting it.
 * Commit or cancel must follow at once, in the same thread.
 */
otlog_emit_result otlog__queue_begin(otlog__queue *queue, size_t room, otlog__slot *slot);

/* Publishes `size` bytes of the slot and wakes workers that sleep while enough is waiting. */
void otlog__queue_commit(otlog__queue *queue, const otlog__slot *slot, size_t size, uint16_t scope, uint16_t pipelines);

void otlog__queue_cancel(otlog__queue *queue, const otlog__slot *slot);

/* Counts a record that did not get in. */
void otlog__queue_refuse(otlog__queue *queue, otlog_drop_reason reason);

/*
 * Policy block: sleeps until some lane may have `room` bytes, or the queue was sealed. False when the deadline has passed.
 * Room that comes just before the sleep is seen: it changes the word that is slept on.
 */
bool otlog__queue_wait_room(otlog__queue *queue, size_t room, uint64_t deadline_nano);

/* ---- Read: one worker thread per pipeline ------------------------------------------------------------------------ */

typedef struct otlog__frame_ref {
	const uint8_t *bytes;
	uint32_t size;
	uint16_t scope;
} otlog__frame_ref;

/* What a batch covers: how far its lanes will be done once it is finished. Kept by the worker until then. */
typedef struct otlog__batch_span {
	uint64_t end[OTLOG__QUEUE_MAX_LANES];     /* positions */
	uint64_t end_seq[OTLOG__QUEUE_MAX_LANES]; /* frames before them */
	uint32_t records;                         /* of this pipeline, in all lanes */
	uint32_t lane_records[OTLOG__QUEUE_MAX_LANES];
	uint32_t lane_filtered[OTLOG__QUEUE_MAX_LANES]; /* frames passed over: another pipeline's */
} otlog__batch_span;

/*
 * Picks frames for the pipeline, in order per lane, lanes in turn, up to max_records and max_bytes (always at least one
 * frame if there is any). Returns how many are in refs[]. Takes the pipeline's mutex, which otlog__queue_read_end gives
 * back: copy the bytes in between, nothing may point into the ring afterwards. Call read_end in every case.
 */
uint32_t otlog__queue_read_begin(otlog__queue *queue, uint32_t pipeline, uint32_t max_records, size_t max_bytes,
                                 otlog__frame_ref *refs, otlog__batch_span *span);
void otlog__queue_read_end(otlog__queue *queue, uint32_t pipeline);

/* What became of those records of a batch that were not delivered. {0}: all were. */
typedef struct otlog__batch_end {
	uint32_t spooled;
	uint32_t dropped[OTLOG_DROP_REASON_COUNT];
} otlog__batch_end;

/*
 * The batch is done with: delivered + spooled + dropped = span->records. Moves the cursors, gives room to emitters, wakes
 * those who wait for room or for progress. Batches of a pipeline finish in the order of reading.
 */
void otlog__queue_finish(otlog__queue *queue, uint32_t pipeline, const otlog__batch_span *span,
                         const otlog__batch_end *end);

/* Tells whether the pipeline's worker cannot get rid of its records now: the keeper may then evict them for the others. */
void otlog__queue_set_away(otlog__queue *queue, uint32_t pipeline, bool away);

/* Records waiting for the pipeline's worker, those in flight not counted. An estimate while emitters run. */
uint64_t otlog__queue_waiting(otlog__queue *queue, uint32_t pipeline);

/*
 * Sleeps until `enough_records` (or a good share of a lane's bytes) may be waiting for this pipeline, it is woken, or
 * the deadline has passed. May return early. UINT32_MAX: only a wake or the deadline ends the sleep. True: there is
 * enough, by count or by bytes, and reading now is worth while.
 *
 * An emit that comes at the very moment of falling asleep may fail to wake (see state.h); the deadline bounds that.
 */
bool otlog__queue_wait(otlog__queue *queue, uint32_t pipeline, uint32_t enough_records, uint64_t deadline_nano);

/* Wakes that worker, for flush and shutdown. A wake that comes before the wait is not lost. */
void otlog__queue_wake(otlog__queue *queue, uint32_t pipeline);

/* ---- Flush ------------------------------------------------------------------------------------------------------- */

/* Where the lanes end at this moment. */
typedef struct otlog__queue_mark {
	uint64_t tail[OTLOG__QUEUE_MAX_LANES];
} otlog__queue_mark;

void otlog__queue_take_mark(otlog__queue *queue, otlog__queue_mark *mark);
bool otlog__queue_passed(otlog__queue *queue, uint32_t pipeline, const otlog__queue_mark *mark);
/* Sleeps until some cursor has moved since `seen` (start with 0, then what this returns) or the deadline has passed. */
uint32_t otlog__queue_wait_progress(otlog__queue *queue, uint32_t seen, uint64_t deadline_nano);
/* Wakes those who sleep there although no cursor has moved: a batch of a spool or backlog, or a flush, has ended. */
void otlog__queue_tell_progress(otlog__queue *queue);

/* ---- Keeper: one thread per provider, never on the network ------------------------------------------------------- */

/*
 * Where the queue as a whole is more than three quarters full, or an emit has found no room, and a pipeline which is
 * away holds frames back that all others are done with: evicts the oldest of that pipeline's, in lanes over half full,
 * until the whole is down to five eighths, and counts them as dropped[queue_full]. Returns how many.
 */
uint64_t otlog__queue_evict(otlog__queue *queue);

/* Whether the pipeline has a spool: what it holds back is then not evicted, for the keeper spools it. */
void otlog__queue_set_spools(otlog__queue *queue, uint32_t pipeline, bool spools);

/*
 * Whether room is to be made by spooling for this pipeline: the queue as a whole is more than three quarters full while
 * the pipeline is away, or an emit has found no room; and the pipeline holds back more than three eighths of it.
 */
bool otlog__queue_wants_spooling(otlog__queue *queue, uint32_t pipeline);

/* Brings what was committed before the call to the disk. In memory: true. False with errno set. May take long. */
bool otlog__queue_sync(otlog__queue *queue);

/* Sleeps until the queue may be three quarters full, the keeper is woken, or the deadline has passed. */
void otlog__queue_wait_filled(otlog__queue *queue, uint64_t deadline_nano);
void otlog__queue_wake_keeper(otlog__queue *queue);

/* ---- Books ------------------------------------------------------------------------------------------------------- */

typedef struct otlog__queue_books {
	uint64_t accepted;
	uint64_t refused[OTLOG_DROP_REASON_COUNT];
	uint64_t bytes;
	uint64_t bytes_used;
	uint64_t max_records; /* 0: bounded by bytes alone */
} otlog__queue_books;

void otlog__queue_take_books(otlog__queue *queue, otlog__queue_books *books);

/* Of one pipeline, all taken together under its mutex. `accepted` is the sum of the others. */
typedef struct otlog__pipeline_books {
	uint64_t accepted;
	uint64_t delivered;
	uint64_t spooled; /* moved to the spool; its books say what became of them */
	uint64_t queued;
	uint64_t filtered;
	uint64_t dropped[OTLOG_DROP_REASON_COUNT];
} otlog__pipeline_books;

void otlog__pipeline_take_books(otlog__queue *queue, uint32_t pipeline, otlog__pipeline_books *books);

#endif
