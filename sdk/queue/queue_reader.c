/* The way out, one worker per pipeline: pick frames, and later say what became of them. */
#include "sdk/queue/state.h"

#include <string.h>

static bool
is_ours(const otlog__queue *queue, uint32_t pipeline)
{
	return otlog__gate(queue) != OTLOG__GATE_CHILD && pipeline < queue->pipeline_count;
}

/* Collects one batch. */
typedef struct picking {
	otlog__queue *queue;
	uint32_t pipeline;
	uint32_t max_records;
	size_t bytes_left;
	otlog__frame_ref *refs;
	otlog__batch_span *span;
	bool full;
} picking;

/* Whether the frame went into the batch. */
static bool
pick(picking *batch, uint32_t lane, uint64_t position, const otlog__frame *frame)
{
	otlog__batch_span *span = batch->span;
	uint32_t size = frame->size - batch->queue->trailer;
	if (span->records == batch->max_records || (span->records && size > batch->bytes_left)) {
		batch->full = true;
		return false;
	}
	const uint8_t *bytes =
	    otlog__lane_data(batch->queue, lane) + (position & (batch->queue->lane_bytes - 1)) + sizeof *frame;
	batch->refs[span->records++] = (otlog__frame_ref){ .bytes = bytes, .size = size, .scope = frame->scope };
	span->lane_records[lane]++;
	batch->bytes_left -= size < batch->bytes_left ? size : batch->bytes_left;
	return true;
}

static void
pick_from_lane(picking *batch, uint32_t lane)
{
	otlog__pipeline *p = &batch->queue->pipelines[batch->pipeline];
	otlog__lane_reader *reader = &p->readers[lane];
	if (p->dead_lanes >> lane & 1)
		return;
	/* Relaxed: ours under the mutex. */
	uint64_t position = atomic_load_explicit(&reader->read, memory_order_relaxed);
	uint64_t seq = atomic_load_explicit(&reader->read_seq, memory_order_relaxed);
	/* Acquire: the frames before it are there. */
	uint64_t tail = atomic_load_explicit(&otlog__lane(batch->queue, lane)->producer.tail, memory_order_acquire);
	uint64_t done = position;
	otlog__frame frame;
	otlog__next next = OTLOG__NEXT_NONE;
	while (!batch->full &&
	       (next = otlog__next_frame(batch->queue, lane, &position, tail, seq, &frame)) == OTLOG__NEXT_FRAME) {
		if (!(frame.pipelines >> batch->pipeline & 1))
			reader->passed_over++;
		else if (!pick(batch, lane, position, &frame))
			break;
		position += otlog__frame_bytes(frame.size);
		done = position;
		seq++;
	}
	/* Relaxed: others use them as hints only. */
	atomic_store_explicit(&reader->read, done, memory_order_relaxed);
	atomic_store_explicit(&reader->read_seq, seq, memory_order_relaxed);
	if (next == OTLOG__NEXT_DAMAGED)
		otlog__skip_damage(batch->queue, batch->pipeline, lane);
}

/*
 * If no batch of this lane is in flight, the cursor moves over the frames that were passed over. Returns whether it has
 * moved.
 */
static bool
settle(otlog__queue *queue, uint32_t pipeline, uint32_t lane)
{
	otlog__lane_reader *reader = &queue->pipelines[pipeline].readers[lane];
	uint64_t read = atomic_load_explicit(&reader->read, memory_order_relaxed);
	if (reader->finished < reader->handed || read == atomic_load_explicit(&reader->cursor, memory_order_relaxed))
		return false;
	otlog__bump(&otlog__lane(queue, lane)->pipeline[pipeline].filtered, reader->passed_over);
	reader->passed_over = 0;
	otlog__set_cursor(queue, pipeline, lane, read, atomic_load_explicit(&reader->read_seq, memory_order_relaxed));
	return true;
}

/* The batch now answers for all that was read up to here. */
static void
hand_out(otlog__queue *queue, uint32_t pipeline, otlog__batch_span *span)
{
	for (uint32_t lane = 0; lane < queue->lanes; lane++) {
		otlog__lane_reader *reader = &queue->pipelines[pipeline].readers[lane];
		span->end[lane] = atomic_load_explicit(&reader->read, memory_order_relaxed);
		span->end_seq[lane] = atomic_load_explicit(&reader->read_seq, memory_order_relaxed);
		span->lane_filtered[lane] = (uint32_t)reader->passed_over;
		reader->filtered_in_flight += reader->passed_over;
		reader->passed_over = 0;
		reader->handed = span->end[lane];
	}
}

/* Nothing was picked, so no verdict will come: gives the room of what was passed over back now. */
static void
give_back(otlog__queue *queue, uint32_t pipeline)
{
	bool moved = false;
	for (uint32_t lane = 0; lane < queue->lanes; lane++)
		if (settle(queue, pipeline, lane)) {
			otlog__release_lane(queue, lane);
			moved = true;
		}
	if (!moved)
		return;
	otlog__tell_progress(queue);
	otlog__rouse_keeper_for_away(queue);
}

uint32_t
otlog__queue_read_begin(otlog__queue *queue, uint32_t pipeline, uint32_t max_records, size_t max_bytes,
                        otlog__frame_ref *refs, otlog__batch_span *span)
{
	memset(span, 0, sizeof *span);
	if (!is_ours(queue, pipeline))
		return 0;
	otlog__pipeline *p = &queue->pipelines[pipeline];
	pthread_mutex_lock(&p->mutex);
	if (p->closed || max_records == 0)
		return 0;
	picking batch = { .queue = queue,
		          .pipeline = pipeline,
		          .max_records = max_records,
		          .bytes_left = max_bytes,
		          .refs = refs,
		          .span = span };
	uint32_t first = p->next_lane;
	for (uint32_t i = 0; i < queue->lanes && !batch.full; i++) {
		uint32_t lane = (first + i) & queue->lane_mask;
		pick_from_lane(&batch, lane);
		p->next_lane =
		    (lane + 1) & queue->lane_mask; /* the next batch begins behind the lane that filled this one */
	}
	if (span->records)
		hand_out(queue, pipeline, span);
	else
		give_back(queue, pipeline);
	return span->records;
}

void
otlog__queue_read_end(otlog__queue *queue, uint32_t pipeline)
{
	if (!is_ours(queue, pipeline))
		return;
	pthread_mutex_unlock(&queue->pipelines[pipeline].mutex);
	otlog__report_troubles(queue);
}

/* How many of *left fall to the lane, which has *records without a verdict. Both become less by that. */
static uint32_t
take_share(uint32_t *left, uint32_t *records)
{
	uint32_t here = *left < *records ? *left : *records;
	*left -= here;
	*records -= here;
	return here;
}

/* Counts the batch's share in one lane and moves the cursor, unless an eviction was further already. */
static void
finish_lane(otlog__queue *queue, uint32_t pipeline, uint32_t lane, const otlog__batch_span *span,
            otlog__batch_end *left)
{
	otlog__lane_reader *reader = &queue->pipelines[pipeline].readers[lane];
	otlog__lane_cursor *kept = &otlog__lane(queue, lane)->pipeline[pipeline];
	uint32_t records = span->lane_records[lane];
	for (uint32_t reason = 0; reason < OTLOG_DROP_REASON_COUNT; reason++)
		otlog__bump(&kept->dropped[reason], take_share(&left->dropped[reason], &records));
	otlog__bump(&kept->spooled, take_share(&left->spooled, &records));
	otlog__bump(&kept->delivered, records);
	otlog__bump(&kept->filtered, span->lane_filtered[lane]);
	reader->filtered_in_flight -= span->lane_filtered[lane];
	if (span->end[lane] > reader->finished)
		reader->finished = span->end[lane];
	if (span->end[lane] > atomic_load_explicit(&reader->cursor, memory_order_relaxed))
		otlog__set_cursor(queue, pipeline, lane, span->end[lane], span->end_seq[lane]);
	settle(queue, pipeline, lane);
	otlog__release_lane(queue, lane);
}

void
otlog__queue_finish(otlog__queue *queue, uint32_t pipeline, const otlog__batch_span *span, const otlog__batch_end *end)
{
	if (!is_ours(queue, pipeline) || span->records == 0)
		return;
	otlog__pipeline *p = &queue->pipelines[pipeline];
	otlog__batch_end left = *end;
	pthread_mutex_lock(&p->mutex);
	for (uint32_t lane = 0; lane < queue->lanes && !p->closed; lane++)
		finish_lane(queue, pipeline, lane, span, &left);
	pthread_mutex_unlock(&p->mutex);
	otlog__tell_progress(queue);
	otlog__rouse_keeper_for_away(queue);
}

uint64_t
otlog__queue_waiting(otlog__queue *queue, uint32_t pipeline)
{
	if (!is_ours(queue, pipeline))
		return 0;
	uint64_t sum = 0;
	for (uint32_t lane = 0; lane < queue->lanes; lane++) {
		/* Relaxed, signed: an estimate from two moments. */
		int64_t here =
		    (int64_t)(atomic_load_explicit(&otlog__lane(queue, lane)->producer.accepted, memory_order_relaxed) -
		              atomic_load_explicit(&queue->pipelines[pipeline].readers[lane].read_seq,
		                                   memory_order_relaxed));
		sum += here > 0 ? (uint64_t)here : 0;
	}
	return sum;
}
