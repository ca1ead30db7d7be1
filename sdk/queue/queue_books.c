/* How far the pipelines are, for flush, and what became of the records, for the statistics. */
#include "sdk/queue/state.h"

#include <string.h>

void
otlog__queue_take_mark(otlog__queue *queue, otlog__queue_mark *mark)
{
	memset(mark, 0, sizeof *mark);
	if (otlog__gate(queue) == OTLOG__GATE_CHILD)
		return;
	for (uint32_t lane = 0; lane < queue->lanes; lane++)
		/* Acquire: nothing the caller does next comes before it. */
		mark->tail[lane] = atomic_load_explicit(&otlog__lane(queue, lane)->producer.tail, memory_order_acquire);
}

/* Up to where the pipeline's verdicts are known. A frame that is evicted while in flight has none until its batch ends. */
static uint64_t
known_until(const otlog__lane_reader *reader)
{
	return reader->finished < reader->handed ? reader->finished
	                                         : atomic_load_explicit(&reader->cursor, memory_order_relaxed);
}

bool
otlog__queue_passed(otlog__queue *queue, uint32_t pipeline, const otlog__queue_mark *mark)
{
	if (otlog__gate(queue) == OTLOG__GATE_CHILD || pipeline >= queue->pipeline_count)
		return true;
	otlog__pipeline *p = &queue->pipelines[pipeline];
	bool passed = true;
	pthread_mutex_lock(&p->mutex);
	for (uint32_t lane = 0; lane < queue->lanes && passed; lane++)
		passed = p->dead_lanes >> lane & 1 || known_until(&p->readers[lane]) >= mark->tail[lane];
	pthread_mutex_unlock(&p->mutex);
	return passed;
}

uint32_t
otlog__queue_wait_progress(otlog__queue *queue, uint32_t seen, uint64_t deadline_nano)
{
	if (otlog__gate(queue) == OTLOG__GATE_CHILD)
		return seen;
	otlog__doze(&queue->progress, seen, deadline_nano);
	/* Acquire: the cursors that moved before the word did. */
	return atomic_load_explicit(&queue->progress.word, memory_order_acquire);
}

void
otlog__queue_tell_progress(otlog__queue *queue)
{
	if (otlog__gate(queue) != OTLOG__GATE_CHILD)
		otlog__tell_progress(queue);
}

void
otlog__queue_take_books(otlog__queue *queue, otlog__queue_books *books)
{
	memset(books, 0, sizeof *books);
	if (otlog__gate(queue) == OTLOG__GATE_CHILD)
		return;
	books->accepted = otlog__queue_accepted(queue);
	books->bytes = queue->lanes * queue->lane_bytes;
	books->max_records = queue->lane_records == OTLOG__NEVER ? 0 : queue->lanes * queue->lane_records;
	for (uint32_t lane = 0; lane < queue->lanes; lane++) {
		const otlog__lane_page *page = otlog__lane(queue, lane);
		/* Relaxed: plain counters. `released` is read before the tail, so that the difference is not negative. */
		uint64_t released = atomic_load_explicit(&page->released.position, memory_order_acquire);
		uint64_t used = atomic_load_explicit(&page->producer.tail, memory_order_relaxed) - released;
		books->bytes_used += used < queue->lane_bytes ? used : queue->lane_bytes;
		for (uint32_t reason = 0; reason < OTLOG_DROP_REASON_COUNT; reason++)
			books->refused[reason] +=
			    atomic_load_explicit(&page->refused.count[reason], memory_order_relaxed);
	}
}

void
otlog__pipeline_take_books(otlog__queue *queue, uint32_t pipeline, otlog__pipeline_books *books)
{
	memset(books, 0, sizeof *books);
	if (otlog__gate(queue) == OTLOG__GATE_CHILD || pipeline >= queue->pipeline_count)
		return;
	uint64_t done = 0;
	pthread_mutex_lock(&queue->pipelines[pipeline].mutex);
	for (uint32_t lane = 0; lane < queue->lanes; lane++) {
		const otlog__lane_cursor *kept = &otlog__lane(queue, lane)->pipeline[pipeline];
		/* Relaxed: the mutex orders them. */
		books->delivered += atomic_load_explicit(&kept->delivered, memory_order_relaxed);
		books->filtered += atomic_load_explicit(&kept->filtered, memory_order_relaxed);
		books->spooled += atomic_load_explicit(&kept->spooled, memory_order_relaxed);
		for (uint32_t reason = 0; reason < OTLOG_DROP_REASON_COUNT; reason++) {
			uint64_t dropped = atomic_load_explicit(&kept->dropped[reason], memory_order_relaxed);
			books->dropped[reason] += dropped;
			done += dropped;
		}
	}
	/* After the counts: whatever was counted has been accepted before. */
	uint64_t accepted = otlog__queue_accepted(queue);
	pthread_mutex_unlock(&queue->pipelines[pipeline].mutex);
	done += books->delivered + books->filtered + books->spooled;
	books->queued = accepted > done ? accepted - done : 0;
	books->accepted = done + books->queued;
}

const char *
otlog_drop_reason_text(otlog_drop_reason reason)
{
	switch (reason) {
#define OTLOG__X(name, text) \
	case name:           \
		return text;
		OTLOG__DROP_REASONS(OTLOG__X)
#undef OTLOG__X
	case OTLOG_DROP_REASON_COUNT:
		break;
	}
	return "unknown reason";
}
