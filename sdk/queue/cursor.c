/* Walking the frames of a lane and moving the cursors over them. */
#include "sdk/base/process/diagnostics.h"
#include "sdk/queue/state.h"

#include <string.h>

otlog__next
otlog__next_frame(const otlog__queue *queue, uint32_t lane, uint64_t *position, uint64_t tail, uint64_t seq,
                  otlog__frame *frame)
{
	if (tail - *position > queue->lane_bytes)
		return OTLOG__NEXT_DAMAGED;
	while (*position != tail) {
		uint64_t offset = *position & (queue->lane_bytes - 1);
		uint64_t left = queue->lane_bytes - offset;
		if (left > tail - *position)
			left = tail - *position;
		if (left < sizeof *frame) {
			*position += left;
			continue;
		}
		memcpy(frame, otlog__lane_data(queue, lane) + offset, sizeof *frame);
		if (frame->check != otlog__frame_check(frame, lane, queue->salt) || frame->seq != (uint32_t)seq ||
		    frame->size > left - sizeof *frame || otlog__frame_bytes(frame->size) > left)
			return OTLOG__NEXT_DAMAGED;
		if (frame->scope != OTLOG__SCOPE_SKIP)
			return frame->size >= queue->trailer ? OTLOG__NEXT_FRAME : OTLOG__NEXT_DAMAGED;
		*position += otlog__frame_bytes(frame->size);
	}
	return OTLOG__NEXT_NONE;
}

otlog__held
otlog__held_in(const otlog__queue *queue, uint32_t lane)
{
	const otlog__lane_page *page = otlog__lane(queue, lane);
	/* Relaxed: how full a lane is changes all the time. The two ends may be of different moments, or senseless. */
	uint64_t released = atomic_load_explicit(&page->released.position, memory_order_relaxed);
	uint64_t released_seq = atomic_load_explicit(&page->released.seq, memory_order_relaxed);
	uint64_t bytes = atomic_load_explicit(&page->producer.tail, memory_order_relaxed) - released;
	uint64_t records = atomic_load_explicit(&page->producer.accepted, memory_order_relaxed) - released_seq;
	return (otlog__held){ .bytes = bytes <= queue->lane_bytes ? bytes : 0,
		              .records = records <= queue->lane_bytes / sizeof(otlog__frame) ? records : 0 };
}

otlog__held
otlog__held_in_all(const otlog__queue *queue)
{
	otlog__held all = { 0 };
	for (uint32_t lane = 0; lane < queue->lanes; lane++) {
		otlog__held here = otlog__held_in(queue, lane);
		all.bytes += here.bytes;
		all.records += here.records;
	}
	return all;
}

otlog__held
otlog__share_of(const otlog__queue *queue, uint32_t lanes, uint32_t share)
{
	return (otlog__held){ .bytes = queue->lane_bytes / 8 * share * lanes,
		              .records = queue->lane_records == OTLOG__NEVER
		                             ? OTLOG__NEVER
		                             : queue->lane_records * lanes * share / 8 };
}

bool
otlog__is_short_of_room(const otlog__queue *queue)
{
	otlog__held all = otlog__held_in_all(queue);
	otlog__held limit = otlog__share_of(queue, queue->lanes, OTLOG__SHORT_FROM);
	return all.bytes > limit.bytes || all.records > limit.records;
}

void
otlog__set_cursor(otlog__queue *queue, uint32_t pipeline, uint32_t lane, uint64_t position, uint64_t consumed)
{
	otlog__lane_reader *reader = &queue->pipelines[pipeline].readers[lane];
	otlog__lane_cursor *kept = &otlog__lane(queue, lane)->pipeline[pipeline];
	if (reader->finished >= reader->handed)
		reader->finished = reader->handed = position;
	/* Release in the file: the counts are stored before, so a reader after a kill finds them no older. */
	atomic_store_explicit(&kept->consumed, consumed, memory_order_relaxed);
	atomic_store_explicit(&kept->cursor, position, memory_order_release);
	atomic_store_explicit(&reader->consumed, consumed, memory_order_relaxed); /* a bound */
	/* Sequentially consistent: see state.h; it also ends our reading of the bytes before. */
	atomic_store_explicit(&reader->cursor, position, memory_order_seq_cst);
}

void
otlog__skip_damage(otlog__queue *queue, uint32_t pipeline, uint32_t lane)
{
	otlog__pipeline *p = &queue->pipelines[pipeline];
	otlog__lane_reader *reader = &p->readers[lane];
	otlog__lane_page *page = otlog__lane(queue, lane);
	/* Tail and count belong together while we hold the lane, or it is closed, or a stopped emit holds it. */
	bool held = otlog__lane_take(queue, lane, OTLOG__LANE_HELD, otlog__monotonic_nano() + OTLOG__EMIT_NANO);
	uint64_t tail = atomic_load_explicit(&page->producer.tail, memory_order_relaxed);
	uint64_t accepted = atomic_load_explicit(&page->producer.accepted, memory_order_relaxed);
	if (held)
		otlog__lane_give_back(queue, lane);

	uint64_t read = atomic_load_explicit(&reader->read, memory_order_relaxed);
	uint64_t read_seq = atomic_load_explicit(&reader->read_seq, memory_order_relaxed);
	bool plausible = tail - read <= queue->lane_bytes && accepted - read_seq <= queue->lane_bytes / 16;
	if (plausible) {
		otlog__bump(&page->pipeline[pipeline].dropped[OTLOG_DROP_DAMAGED], accepted - read_seq);
		atomic_store_explicit(&reader->read_seq, accepted, memory_order_relaxed);
		atomic_store_explicit(&reader->read, tail, memory_order_relaxed);
	} else {
		p->dead_lanes |= UINT64_C(1) << lane;
	}
	uint32_t none = 0;
	atomic_compare_exchange_strong_explicit(&queue->damaged, &none, 1, memory_order_relaxed,
	                                        memory_order_relaxed); /* only a mark, which is reported later */
}

void
otlog__report_troubles(otlog__queue *queue)
{
	otlog__scopes_report(queue->scopes);
	uint32_t met = 1;
	if (atomic_load_explicit(&queue->damaged, memory_order_relaxed) != 1 ||
	    !atomic_compare_exchange_strong_explicit(&queue->damaged, &met, 2, memory_order_relaxed,
	                                             memory_order_relaxed))
		return;
	otlog__diagnose_always(
	    OTLOG__ERROR,
	    "the queue%s was changed from outside: records in it no longer make sense and are dropped "
	    "as damaged; keep other programs from writing to %s",
	    queue->in_file ? " file" : "'s memory",
	    queue->in_file ? "the files in the queue directory" : "this process's memory");
}

static void
raise_to(_Atomic uint64_t *word, uint64_t to)
{
	uint64_t at = atomic_load_explicit(word, memory_order_relaxed);
	/* Release: every consumer's reading of the bytes before is over for the emitter that acquires this. */
	while (at < to &&
	       !atomic_compare_exchange_weak_explicit(word, &at, to, memory_order_release, memory_order_relaxed)) {
	}
}

void
otlog__release_lane(otlog__queue *queue, uint32_t lane)
{
	uint64_t position = UINT64_MAX, seq = UINT64_MAX;
	for (uint32_t p = 0; p < queue->pipeline_count; p++) {
		otlog__lane_reader *reader = &queue->pipelines[p].readers[lane];
		/* The cursor first: `consumed` is stored before it, so what we get is no older. */
		uint64_t cursor = atomic_load_explicit(&reader->cursor, memory_order_seq_cst); /* see state.h */
		uint64_t consumed = atomic_load_explicit(&reader->consumed, memory_order_relaxed);
		position = cursor < position ? cursor : position;
		seq = consumed < seq ? consumed : seq;
	}
	otlog__lane_released *released = &otlog__lane(queue, lane)->released;
	raise_to(&released->seq, seq);
	raise_to(&released->position, position);
}

void
otlog__tell_progress(otlog__queue *queue)
{
	otlog__rouse(&queue->room);
	otlog__rouse(&queue->progress);
}
