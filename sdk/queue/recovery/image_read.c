/* Reading the records of a lane in batches. */
#include "sdk/queue/crc32c.h"
#include "sdk/queue/recovery/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MOST_BYTES (UINT32_C(4) << 20) /* read in one go, unless a single frame is larger */

typedef struct reading {
	const otlog__image *image;
	const otlog__image_lane *loaded;
	uint32_t lane;
	uint32_t mask;
	uint32_t max_records;
	size_t max_bytes;
	otlog__buffer *bytes;
	otlog__image_refs *refs;
	uint32_t records;
	size_t taken_bytes;
	bool full;
} reading;

static bool
reserve_refs(otlog__image_refs *refs, uint32_t count)
{
	if (count < refs->capacity)
		return true;
	size_t capacity = refs->capacity ? 2 * refs->capacity : 64;
	otlog__frame_ref *more = realloc(refs->refs, capacity * sizeof *more);
	if (!more)
		return false;
	refs->refs = more;
	refs->capacity = capacity;
	return true;
}

/* A piece of the run into the buffer: what is asked for, or the rest of the run. False when memory is short. */
static bool
fill(reading *read, const otlog__run *run, uint32_t offset, uint64_t want)
{
	const otlog__queue_header *h = &read->image->header;
	uint64_t left = ((uint64_t)run->end - offset) * 8;
	size_t size = (size_t)(left < want ? left : want);
	read->bytes->size = 0;
	if (!otlog__buffer_reserve(read->bytes, size))
		return false;
	otlog__image_bytes(read->image, h->data_offset + read->lane * h->lane_bytes + (uint64_t)offset * 8,
	                   read->bytes->data, size);
	read->bytes->size = size;
	return true;
}

typedef enum step { STEP_DONE, STEP_CUT_OFF, STEP_DAMAGED } step;

/* Whether a good frame of that number lies at `at` of the buffer, whole. */
static step
frame_at(const reading *read, size_t at, uint64_t seq, otlog__frame *frame)
{
	const uint8_t *bytes = read->bytes->data + at;
	size_t left = read->bytes->size - at;
	if (left < sizeof *frame)
		return STEP_CUT_OFF;
	memcpy(frame, bytes, sizeof *frame);
	if (frame->check != otlog__frame_check(frame, read->lane, read->image->header.salt) ||
	    frame->seq != (uint32_t)seq || frame->scope == OTLOG__SCOPE_SKIP || frame->size < read->image->trailer ||
	    otlog__frame_bytes(frame->size) > read->image->header.lane_bytes)
		return STEP_DAMAGED;
	if (otlog__frame_bytes(frame->size) > left)
		return STEP_CUT_OFF;
	if (read->image->trailer) {
		uint32_t stated, size = frame->size - read->image->trailer;
		memcpy(&stated, bytes + sizeof *frame + size, sizeof stated);
		if (stated != otlog__crc32c(frame->check, bytes + sizeof *frame, size))
			return STEP_DAMAGED;
	}
	return STEP_DONE;
}

/* Whether a pipeline of the mask is not done with the frame. */
static bool
is_wanted(const reading *read, const otlog__frame *frame, uint64_t seq)
{
	for (uint32_t bits = frame->pipelines & read->mask; bits; bits &= bits - 1)
		if (read->loaded->readers[__builtin_ctz(bits)].consumed <= seq)
			return true;
	return false;
}

/* Takes the frame into the batch if it is wanted. False: there is no room for it any more. */
static bool
take_frame(reading *read, const otlog__frame *frame, uint64_t seq, size_t at)
{
	uint32_t size = frame->size - read->image->trailer;
	if (!is_wanted(read, frame, seq))
		return true;
	bool room =
	    read->records < read->max_records && (read->records == 0 || size <= read->max_bytes - read->taken_bytes);
	if (!room || !reserve_refs(read->refs, read->records)) {
		read->full = true;
		return false;
	}
	read->refs->refs[read->records++] =
	    (otlog__frame_ref){ .bytes = read->bytes->data + at + sizeof *frame, .size = size, .scope = frame->scope };
	read->taken_bytes += size < read->max_bytes - read->taken_bytes ? size : read->max_bytes - read->taken_bytes;
	return true;
}

/* Goes through what is in the buffer. STEP_CUT_OFF: the frame that follows is not whole; its size is in *need. */
static step
go_through(reading *read, const otlog__run *run, otlog__image_at *at, uint64_t *need)
{
	size_t position = 0;
	while (position < read->bytes->size) {
		otlog__frame frame = { 0 };
		step found = frame_at(read, position, at->seq, &frame);
		*need = otlog__frame_bytes(frame.size);
		if (found != STEP_DONE)
			return found;
		if (!take_frame(read, &frame, at->seq, position))
			break;
		position += *need;
		at->seq++;
		at->offset += (uint32_t)(*need / 8);
		at->position = run->position + ((uint64_t)at->offset - run->start) * 8;
	}
	return STEP_DONE;
}

/* How much to read for a batch, by what the run's frames take on average. */
static uint64_t
bytes_for(const reading *read, const otlog__run *run)
{
	uint64_t average = ((uint64_t)run->end - run->start) * 8 / run->frames;
	uint64_t records = average * read->max_records;
	uint64_t bytes = read->max_bytes < records ? read->max_bytes : records;
	bytes += bytes / 8 + 4096;
	return bytes < MOST_BYTES ? bytes : MOST_BYTES;
}

/* The run from *at on. What has changed since it was looked at is passed over and counted as lost. */
static bool
read_run(reading *read, const otlog__run *run, otlog__image_at *at)
{
	const uint64_t most = bytes_for(read, run);
	uint64_t want = most;
	while (at->offset < run->end && !read->full && read->records == 0) {
		uint64_t need = 0;
		if (!fill(read, run, at->offset, want)) {
			errno = ENOMEM;
			return false;
		}
		uint32_t before = at->offset;
		step result = go_through(read, run, at, &need);
		want = most;
		if (result == STEP_CUT_OFF && at->offset == before && need > read->bytes->size &&
		    need <= ((uint64_t)run->end - at->offset) * 8) {
			want = need;
			continue;
		}
		if (result == STEP_DAMAGED || (result == STEP_CUT_OFF && at->offset == before)) {
			at->lost += run->seq + run->frames - at->seq;
			at->seq = run->seq + run->frames;
			at->offset = run->end;
			at->position = run->position + ((uint64_t)run->end - run->start) * 8;
		}
	}
	return true;
}

/* Moves *at to the frame with its number, or the first behind that; the frames before it are done with. */
static bool
find_at(reading *read, const otlog__run *run, otlog__image_at *at)
{
	otlog__window window;
	at->offset = run->start;
	at->position = run->position;
	if (at->seq <= run->seq) {
		at->lost += run->seq - at->seq;
		at->seq = run->seq;
		return true;
	}
	if (!otlog__window_make(&window, read->image, read->lane)) {
		at->offset = 0;
		return false;
	}
	otlog__frame frame;
	for (uint64_t seq = run->seq; seq < at->seq && at->offset < run->end; seq++) {
		if (otlog__window_frame(&window, (uint64_t)at->offset * 8, false, &frame) != OTLOG__FOUND_FRAME)
			break; /* read_run finds it damaged */
		at->offset += (uint32_t)(otlog__frame_bytes(frame.size) / 8);
	}
	at->position = run->position + ((uint64_t)at->offset - run->start) * 8;
	otlog__window_free(&window);
	return true;
}

uint32_t
otlog__image_read(const otlog__image *image, uint32_t lane, const otlog__image_lane *loaded, uint32_t mask,
                  otlog__image_at *at, uint32_t max_records, size_t max_bytes, otlog__buffer *bytes,
                  otlog__image_refs *refs)
{
	reading read = { .image = image,
		         .loaded = loaded,
		         .lane = lane,
		         .mask = mask,
		         .max_records = max_records,
		         .max_bytes = max_bytes,
		         .bytes = bytes,
		         .refs = refs };
	errno = 0;
	while (at->run < loaded->run_count && read.records == 0 && max_records && !read.full) {
		const otlog__run *run = &loaded->runs[at->run];
		if (at->seq < run->seq + run->frames) {
			if (!at->inside && !find_at(&read, run, at))
				break;
			at->inside = true;
			if (!read_run(&read, run, at))
				break;
		}
		if (at->seq >= run->seq + run->frames) {
			at->run++;
			at->inside = false;
		}
	}
	if (at->run == loaded->run_count && at->seq < loaded->end_seq && read.records == 0) {
		at->lost += loaded->end_seq - at->seq;
		at->seq = loaded->end_seq;
	}
	if (read.full && read.records == 0)
		errno = ENOMEM;
	return read.records;
}
