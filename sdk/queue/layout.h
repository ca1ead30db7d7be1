/*
 * The bytes of a queue, in a file and in memory alike.
 *
 *   0            header page     otlog__queue_header at 0 and once more at 2048, otlog__queue_seal at 128, the rest zero
 *   4096         control page    of lane 0: otlog__lane_page
 *   8192         control page    of lane 1 …
 *   data_offset  lane 0          lane_bytes, a power of two; the offset is a multiple of 64 KiB, whatever the page size
 *                lane 1 …
 *
 *   control page: one writer per cache line
 *   ┌──────────┬──────────┬──────────┬────────────────┬───┬─────────────────┐
 *   │ producer │ refused  │ released │ pipeline 0     │ … │ pipeline 15     │
 *   │ 0        │ 64       │ 192      │ 256            │   │ 2176            │
 *   └──────────┴──────────┴──────────┴────────────────┴───┴─────────────────┘
 *
 *   lane: frames end to end, 8-aligned, at position modulo lane_bytes; positions only grow
 *   ┌────────┬───────┬───────────┬───────┬────────┬──────────────┬───────┐
 *   │ size 4 │scope 2│pipelines 2│ seq 4 │ check 4│ record bytes │ 0…7   │
 *   └────────┴───────┴───────────┴───────┴────────┴──────────────┴───────┘
 *   A frame never wraps. The unused end of a lane is a frame of scope 0xffff that reaches to the end; where fewer than
 *   16 bytes are left there is no room for that header either and readers go on at the lane's start by arithmetic.
 *   The end is published together with the frame behind it, so a lane's tail always lies behind a real frame.
 *
 * The seal is written by a shutdown that leaves records behind, after all else was brought to the disk. It holds a checksum
 * of the live bytes of the lanes, by which a reader knows that they are as they were then. The cursors do not count in it,
 * so that who delivers the records later may move them.
 *
 * `seq` counts the frames of a lane, skip frames not included (theirs is that of the frame behind them). `check` binds
 * the header to its lane and to this queue, so bytes of an earlier lap or of another file do not pass for a frame.
 * Numbers are in the writer's byte order, which the header page states.
 */
#ifndef OTLOG_QUEUE_LAYOUT_H
#define OTLOG_QUEUE_LAYOUT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define OTLOG__QUEUE_MAGIC "otlogQ\r\n" /* a transfer as text changes the line end, and is noticed */
#define OTLOG__QUEUE_VERSION UINT32_C(2)
#define OTLOG__BYTE_ORDER UINT32_C(0x01020304)

#define OTLOG__QUEUE_SEAL_MAGIC "otlogE\r\n"
#define OTLOG__QUEUE_SEAL_OFFSET 128u
#define OTLOG__QUEUE_COPY_OFFSET 2048u /* of the header, should a sector be lost */

#define OTLOG__CONTROL_PAGE 4096u
#define OTLOG__DATA_ALIGN UINT64_C(65536)
#define OTLOG__MIN_LANE_BYTES (UINT64_C(1) << 16)
#define OTLOG__MAX_LANE_BYTES (UINT64_C(1) << 30)

#define OTLOG__SCOPE_SKIP UINT16_C(0xffff)
#define OTLOG__LAYOUT_PIPELINES 16
#define OTLOG__LAYOUT_REASONS 11 /* room for more reasons than there are today */

/* flags of the header */
/* Each frame ends in a trailer, counted in size: the record's CRC32C, begun with the frame's check instead of 0. */
#define OTLOG__QUEUE_PAYLOAD_CRC UINT32_C(1)
#define OTLOG__TRAILER_BYTES 4u

typedef struct otlog__queue_header {
	char magic[8];
	uint32_t byte_order;
	uint32_t version;
	uint32_t word_bytes;
	uint32_t flags;
	uint32_t lanes;
	uint32_t pipelines;
	uint64_t lane_bytes;
	uint64_t data_offset;
	uint64_t salt;
	uint64_t created_unix_nano;
	uint64_t pid;
	char boot_id[40]; /* /proc/sys/kernel/random/boot_id; the same one means that the page cache is coherent */
	uint32_t reserved;
	uint32_t crc; /* CRC32C of all before it */
} otlog__queue_header;

typedef struct otlog__queue_seal_mark {
	char magic[8];
	uint32_t live_crc; /* CRC32C, lane by lane: tail, accepted, released.position, released.seq, then the bytes from
	                      released.position to tail */
	uint32_t crc;      /* CRC32C of all before it, begun with the header's crc */
} otlog__queue_seal_mark;

/* Held by one emit at a time: the owner word says whose turn it is. */
enum {
	OTLOG__LANE_FREE = 0,
	OTLOG__LANE_HELD = 1,
	OTLOG__LANE_CLOSED = 2 /* for good */
};

typedef struct otlog__lane_producer {
	_Atomic uint32_t owner; /* writer: who swaps 0 for 1, and gives it back */
	uint32_t reserved;
	_Atomic uint64_t tail;     /* writer: the holder. The commit point, for workers and after a kill */
	_Atomic uint64_t accepted; /* writer: the holder. Frames published; one ahead of tail after a kill at most */
	uint64_t pad[5];
} otlog__lane_producer;

typedef struct otlog__lane_refused {
	_Atomic uint64_t count[OTLOG__LAYOUT_REASONS]; /* writers: all emits, by addition */
	uint64_t pad[5];
} otlog__lane_refused;

typedef struct otlog__lane_released {
	_Atomic uint64_t position; /* writer: consumers; the least cursor, never goes back */
	_Atomic uint64_t seq;      /* writer: consumers; frames before it, a lower bound */
	uint64_t pad[6];
} otlog__lane_released;

/* Of one pipeline in one lane. Writer: who holds that pipeline's mutex. The counts are stored before the cursor. */
typedef struct otlog__lane_cursor {
	_Atomic uint64_t cursor;
	_Atomic uint64_t consumed; /* frames before the cursor */
	_Atomic uint64_t delivered;
	_Atomic uint64_t filtered;
	_Atomic uint64_t spooled;
	_Atomic uint64_t dropped[OTLOG__LAYOUT_REASONS]; /* by otlog_drop_reason */
} otlog__lane_cursor;

typedef struct otlog__lane_page {
	_Alignas(64) otlog__lane_producer producer;
	_Alignas(64) otlog__lane_refused refused;
	_Alignas(64) otlog__lane_released released;
	_Alignas(64) otlog__lane_cursor pipeline[OTLOG__LAYOUT_PIPELINES];
} otlog__lane_page;

typedef struct otlog__frame {
	uint32_t size; /* of the record, in bytes */
	uint16_t scope;
	uint16_t pipelines; /* a bit for each that takes it */
	uint32_t seq;
	uint32_t check;
} otlog__frame;

_Static_assert(sizeof(otlog__queue_header) == 120 && offsetof(otlog__queue_header, crc) == 116, "header");
_Static_assert(sizeof(otlog__queue_seal_mark) == 16, "seal");
_Static_assert(sizeof(otlog__frame) == 16, "frame");
_Static_assert(sizeof(otlog__lane_producer) == 64 && offsetof(otlog__lane_producer, tail) == 8, "producer");
_Static_assert(offsetof(otlog__lane_page, refused) == 64, "refused");
_Static_assert(offsetof(otlog__lane_page, released) == 192, "released");
_Static_assert(offsetof(otlog__lane_page, pipeline) == 256 && sizeof(otlog__lane_cursor) == 128, "cursors");
_Static_assert(sizeof(otlog__lane_page) <= OTLOG__CONTROL_PAGE, "control page");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2, "a lock inside an atomic is no use in a file");

/* Bytes that a frame with a record of this size takes in its lane. */
static inline uint64_t
otlog__frame_bytes(uint64_t size)
{
	return (sizeof(otlog__frame) + size + 7) & ~UINT64_C(7);
}

/* The check of a frame: never 0, so that zeroed bytes are no frame. */
static inline uint32_t
otlog__frame_check(const otlog__frame *frame, uint32_t lane, uint64_t salt)
{
	uint64_t x = (uint64_t)frame->size << 32 | (uint64_t)frame->scope << 16 | frame->pipelines;
	x = (x ^ salt) * UINT64_C(0x9e3779b97f4a7c15);
	x ^= x >> 32 ^ (uint64_t)frame->seq << 8 ^ lane;
	x *= UINT64_C(0xd6e8feb86659fd93);
	return (uint32_t)(x >> 32) | 1;
}

/* Where the data begins. */
static inline uint64_t
otlog__layout_data_offset(uint32_t lanes)
{
	uint64_t control = (uint64_t)OTLOG__CONTROL_PAGE * (1 + (uint64_t)lanes);
	return (control + OTLOG__DATA_ALIGN - 1) & ~(OTLOG__DATA_ALIGN - 1);
}

#endif
