/* Finding out what lies in a lane: by walking it where it can be trusted, else by looking at all of it. */
#include "sdk/queue/recovery/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A lane has at most one run for so many bytes; further ones are lost. Torn sectors make at most one for 256 bytes. */
#define LEAST_RUN_BYTES 128u

typedef struct loading {
	const otlog__image *image;
	otlog__image_lane *out;
	otlog__window window;
	uint32_t lane;
	uint32_t run_capacity;
	bool no_memory;
	/* From the control page. */
	uint64_t tail;
	uint64_t accepted;
	uint64_t near; /* the sequence numbers of the lane's frames are near this one */
	/* Of each pipeline: the number of the frame that its cursor points to, if there is one. */
	uint32_t seq_at_cursor[OTLOG__LAYOUT_PIPELINES];
	uint32_t has_seq_at_cursor;
	bool no_control; /* the page cannot be read */
} loading;

static uint64_t
lane_bytes(const loading *load)
{
	return load->image->header.lane_bytes;
}

static uint64_t
most_frames(const loading *load)
{
	return lane_bytes(load) / sizeof(otlog__frame);
}

/* ---- Runs -------------------------------------------------------------------------------------------------------- */

/* NULL if there are too many; with no_memory if memory is short. */
static otlog__run *
new_run(loading *load)
{
	otlog__image_lane *out = load->out;
	if (out->run_count >= lane_bytes(load) / LEAST_RUN_BYTES)
		return NULL;
	if (out->run_count == load->run_capacity) {
		uint32_t capacity = load->run_capacity ? 2 * load->run_capacity : 8;
		otlog__run *runs = realloc(out->runs, capacity * sizeof *runs);
		if (!runs) {
			load->no_memory = true;
			return NULL;
		}
		out->runs = runs;
		load->run_capacity = capacity;
	}
	return &out->runs[out->run_count++];
}

/* Adds a frame to the last run, or to a new one. False: there are too many, or memory is short. */
static bool
add_frame(loading *load, uint64_t seq, uint64_t position, uint64_t offset, uint64_t bytes)
{
	otlog__image_lane *out = load->out;
	otlog__run *run = out->run_count ? &out->runs[out->run_count - 1] : NULL;
	if (!run || run->end != offset / 8 || run->seq + run->frames != seq) {
		run = new_run(load);
		if (!run)
			return false;
		*run = (otlog__run){ .seq = seq, .position = position, .start = (uint32_t)(offset / 8) };
	}
	run->end = (uint32_t)((offset + bytes) / 8);
	run->frames++;
	return true;
}

/* ---- Walking ----------------------------------------------------------------------------------------------------- */

/* Adds the pipelines whose cursor stands here. False if one of them counts another number of frames before it. */
static bool
pass_cursors(const loading *load, uint64_t position, uint64_t seq, uint32_t *passed)
{
	const otlog__image_reader *readers = load->out->readers;
	for (uint32_t p = 0; p < load->image->header.pipelines; p++) {
		if (readers[p].cursor != position)
			continue;
		if (readers[p].consumed != seq)
			return false;
		*passed |= UINT32_C(1) << p;
	}
	return true;
}

static void
count_waiting(otlog__image_lane *out, uint32_t pipelines)
{
	out->waiting += pipelines != 0;
	for (; pipelines; pipelines &= pipelines - 1)
		out->readers[__builtin_ctz(pipelines)].waiting++;
}

/* The least cursor, with the frames before it. */
static const otlog__image_reader *
least_reader(const loading *load)
{
	const otlog__image_reader *least = load->out->readers;
	for (uint32_t p = 1; p < load->image->header.pipelines; p++)
		if (load->out->readers[p].cursor < least->cursor)
			least = &load->out->readers[p];
	return least;
}

/* From the least cursor to the tail. False if anything is not as the owner left it. */
static bool
walk(loading *load)
{
	const otlog__image_reader *from = least_reader(load);
	const uint32_t all = (uint32_t)((UINT64_C(1) << load->image->header.pipelines) - 1);
	uint64_t position = from->cursor, seq = from->consumed;
	uint32_t passed = 0;
	if (load->tail - position > lane_bytes(load) || load->tail % 8 || position % 8)
		return false;
	while (position != load->tail) {
		uint64_t offset = position & (lane_bytes(load) - 1), left = lane_bytes(load) - offset, bytes = left;
		otlog__frame frame;
		if (!pass_cursors(load, position, seq, &passed))
			return false;
		if (left >= sizeof frame) {
			otlog__found found = otlog__window_frame(&load->window, offset, true, &frame);
			if (found == OTLOG__FOUND_NONE || frame.seq != (uint32_t)seq)
				return false;
			bytes = otlog__frame_bytes(frame.size);
			if (found == OTLOG__FOUND_FRAME) {
				if (!add_frame(load, seq, position, offset, bytes))
					return false;
				count_waiting(load->out, frame.pipelines & passed);
				seq++;
			}
		}
		if (bytes > load->tail - position)
			return false;
		position += bytes;
	}
	if (!pass_cursors(load, position, seq, &passed) || passed != all)
		return false;
	/* After a kill the count may be one ahead of the tail: of a frame that was not committed. */
	if (load->accepted != seq && load->accepted != seq + 1)
		return false;
	load->out->end_seq = seq;
	load->out->end_position = position;
	return true;
}

/* ---- Looking at everything --------------------------------------------------------------------------------------- */

static void
note_cursors(loading *load, uint64_t offset, uint32_t seq)
{
	for (uint32_t p = 0; p < load->image->header.pipelines; p++)
		if ((load->out->readers[p].cursor & (lane_bytes(load) - 1)) == offset) {
			load->seq_at_cursor[p] = seq;
			load->has_seq_at_cursor |= UINT32_C(1) << p;
		}
}

/* Every frame of the lane, whatever lap it is of, in order of place; numbers of 32 bits. */
static bool
scan(loading *load)
{
	const otlog__queue_header *h = &load->image->header;
	uint64_t start = h->data_offset + load->lane * h->lane_bytes;
	uint64_t end = load->image->file_bytes > start ? load->image->file_bytes - start : 0;
	end = end < h->lane_bytes ? end : h->lane_bytes;
	for (uint64_t offset = 0; offset + sizeof(otlog__frame) <= end;) {
		otlog__frame frame;
		otlog__found found = otlog__window_frame(&load->window, offset, true, &frame);
		if (found != OTLOG__FOUND_FRAME) {
			offset +=
			    8; /* also over a lane's unused end: it may be of another lap than what lies behind it */
			continue;
		}
		note_cursors(load, offset, frame.seq);
		if (!add_frame(load, frame.seq, 0, offset, otlog__frame_bytes(frame.size)) && load->no_memory)
			return false;
		offset += otlog__frame_bytes(frame.size);
	}
	return true;
}

/* The number that ends in these 32 bits and is nearest to the other one. */
static uint64_t
widen(uint32_t seq, uint64_t near)
{
	uint64_t wide = near + (uint64_t)(int64_t)(int32_t)(seq - (uint32_t)near);
	return wide > near && wide - near > UINT32_MAX ? wide + (UINT64_C(1) << 32) : wide;
}

static int
by_seq(const void *a, const void *b)
{
	const otlog__run *x = a, *y = b;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/*
 * Gives every run a position: the first possible one behind the run before it, with room for the frames that are missing
 * in between. Runs that cannot be there with others are left out.
 */
static void
order_runs(loading *load)
{
	otlog__image_lane *out = load->out;
	uint64_t end_seq = 0, end_position = 0;
	uint32_t kept = 0;
	for (uint32_t i = 0; i < out->run_count; i++)
		out->runs[i].seq = widen((uint32_t)out->runs[i].seq, load->near);
	if (out->run_count)
		qsort(out->runs, out->run_count, sizeof *out->runs, by_seq);
	for (uint32_t i = 0; i < out->run_count; i++) {
		otlog__run run = out->runs[i];
		if (kept && run.seq < end_seq)
			continue;
		uint64_t least = kept ? end_position + (run.seq - end_seq) * sizeof(otlog__frame) : 0;
		run.position = least + (((uint64_t)run.start * 8 - least) & (lane_bytes(load) - 1));
		end_seq = run.seq + run.frames;
		end_position = run.position + ((uint64_t)run.end - run.start) * 8;
		out->runs[kept++] = run;
	}
	out->run_count = kept;
	out->end_seq = end_seq;
	out->end_position = end_position;
}

/* A frame more than a lap older than the newest one had been read by all pipelines before that was written. */
static void
leave_out_old_laps(loading *load)
{
	otlog__image_lane *out = load->out;
	uint32_t dead = 0;
	while (dead < out->run_count && out->runs[dead].position + lane_bytes(load) < out->end_position)
		dead++;
	if (dead)
		memmove(out->runs, out->runs + dead, (out->run_count - dead) * sizeof *out->runs);
	out->run_count -= dead;
}

/* Frames that were accepted behind the last one that is there. */
static void
settle_end(loading *load)
{
	otlog__image_lane *out = load->out;
	bool none = out->run_count == 0;
	bool reaches_tail = !none && ((load->tail ^ out->end_position) & (lane_bytes(load) - 1)) == 0;
	uint64_t missing = load->accepted - out->end_seq;
	if (none || (!reaches_tail && missing <= most_frames(load)))
		out->end_seq = load->accepted;
	/* Positions as the control page counts them, where it can be believed. */
	uint64_t shift = load->tail - out->end_position;
	if (reaches_tail || none) {
		for (uint32_t i = 0; i < out->run_count; i++)
			out->runs[i].position += shift;
		out->end_position = load->tail;
	}
}

/* Whether so many frames before the end can have been what was consumed. */
static bool
is_plausible(const loading *load, uint64_t consumed)
{
	return consumed <= load->out->end_seq && load->out->end_seq - consumed <= most_frames(load);
}

/*
 * The number of the frame at the pipeline's cursor, if that stands before a tail that can be believed. At the tail itself
 * lies a frame of the lap before.
 */
static bool
is_pointed_at(const loading *load, uint32_t pipeline, uint64_t *seq)
{
	const otlog__image_lane *out = load->out;
	uint64_t behind = load->tail - out->readers[pipeline].cursor;
	bool tail_fits = ((load->tail ^ out->end_position) & (lane_bytes(load) - 1)) == 0;
	*seq = widen(load->seq_at_cursor[pipeline], out->end_seq);
	return (load->has_seq_at_cursor >> pipeline & 1) && tail_fits && behind > 0 && behind < lane_bytes(load) &&
	       is_plausible(load, *seq);
}

/* Frames that the pipeline is done with; in doubt fewer, for it is better to deliver twice than never. */
static uint64_t
choose_consumed(const loading *load, uint32_t pipeline)
{
	const otlog__image_lane *out = load->out;
	const otlog__image_reader *reader = &out->readers[pipeline];
	uint64_t verdicts = 0, pointed;
	bool points = is_pointed_at(load, pipeline, &pointed), plausible = is_plausible(load, reader->consumed);
	/* If the file is not trusted, the bytes at the cursor may be of an older or newer lap than the control page. */
	if (plausible && !(points && otlog__image_is_trusted(load->image) && pointed < reader->consumed))
		return reader->consumed;
	if (points)
		return pointed;
	for (size_t i = 0; i < sizeof reader->counts / sizeof reader->counts[0]; i++)
		verdicts += reader->counts[i];
	if (is_plausible(load, verdicts))
		return verdicts;
	return out->run_count ? out->runs[0].seq : out->end_seq;
}

/*
 * If the file is not trusted the control page may be older than the lane. What is missing before the first frame may then
 * have been read and overwritten. It counts as lost only if the lane has room for it.
 */
static bool
is_room_before_first(const loading *load, uint64_t missing)
{
	const otlog__image_lane *out = load->out;
	uint64_t held = out->end_position - out->runs[0].position;
	return otlog__image_is_trusted(load->image) ||
	       (held <= lane_bytes(load) && missing <= (lane_bytes(load) - held) / sizeof(otlog__frame));
}

static void
settle_places(loading *load)
{
	otlog__image_lane *out = load->out;
	for (uint32_t p = 0; p < load->image->header.pipelines; p++) {
		otlog__image_reader *reader = &out->readers[p];
		reader->consumed = choose_consumed(load, p);
		if (out->run_count && reader->consumed < out->runs[0].seq &&
		    !is_room_before_first(load, out->runs[0].seq - reader->consumed))
			reader->consumed = out->runs[0].seq;
	}
}

/* Counts what waits in the runs, whose frames are known to be good. */
static void
count_runs(loading *load)
{
	otlog__image_lane *out = load->out;
	const uint32_t pipelines = load->image->header.pipelines;
	for (uint32_t i = 0; i < out->run_count; i++) {
		const otlog__run *run = &out->runs[i];
		uint64_t offset = (uint64_t)run->start * 8;
		for (uint64_t seq = run->seq; seq < run->seq + run->frames; seq++) {
			otlog__frame frame;
			uint32_t behind = 0;
			if (otlog__window_frame(&load->window, offset, false, &frame) != OTLOG__FOUND_FRAME)
				break; /* it has changed since: reading will find that out */
			for (uint32_t p = 0; p < pipelines; p++)
				behind |= (uint32_t)(out->readers[p].consumed <= seq) << p;
			count_waiting(out, frame.pipelines & behind);
			offset += otlog__frame_bytes(frame.size);
		}
	}
}

static bool
look_at_everything(loading *load)
{
	otlog__image_lane *out = load->out;
	out->run_count = 0;
	out->waiting = 0;
	for (uint32_t p = 0; p < OTLOG__LAYOUT_PIPELINES; p++)
		out->readers[p].waiting = 0;
	/* Without checksums nothing in an untrusted lane tells a record from what lay there before. */
	if ((otlog__image_is_trusted(load->image) || load->image->trailer) && !scan(load))
		return false;
	order_runs(load);
	leave_out_old_laps(load);
	settle_end(load);
	settle_places(load);
	count_runs(load);
	return true;
}

/* ---- Both -------------------------------------------------------------------------------------------------------- */

uint64_t
otlog__image_lost_from(const otlog__image_lane *lane, uint64_t seq)
{
	uint64_t there = 0;
	for (uint32_t i = 0; i < lane->run_count; i++) {
		uint64_t end = lane->runs[i].seq + lane->runs[i].frames;
		uint64_t from = lane->runs[i].seq > seq ? lane->runs[i].seq : seq;
		there += end > from ? end - from : 0;
	}
	return lane->end_seq > seq ? lane->end_seq - seq - there : 0;
}

otlog__sealed_words
otlog__image_words(const otlog__image *image, uint32_t lane)
{
	_Alignas(64) uint8_t bytes[OTLOG__CONTROL_PAGE];
	otlog__image_bytes(image, (uint64_t)OTLOG__CONTROL_PAGE * (1 + (uint64_t)lane), bytes, sizeof bytes);
	return otlog__sealed_words_of(bytes);
}

/* In a sound lane three counts are near each other: returns one of them that is near another. */
static uint64_t
choose_near(const loading *load, uint64_t released)
{
	uint64_t consumed = load->out->readers[0].consumed;
	bool accepted_is_odd = load->accepted - consumed > most_frames(load);
	return accepted_is_odd && consumed - released <= most_frames(load) ? consumed : load->accepted;
}

static void
read_control(loading *load)
{
	_Alignas(64) uint8_t bytes[OTLOG__CONTROL_PAGE];
	load->no_control = !otlog__image_bytes(load->image, (uint64_t)OTLOG__CONTROL_PAGE * (1 + (uint64_t)load->lane),
	                                       bytes, sizeof bytes);
	otlog__sealed_words words = otlog__sealed_words_of(bytes);
	load->tail = words.tail;
	load->accepted = words.accepted;
	for (uint32_t p = 0; p < load->image->header.pipelines; p++) {
		otlog__image_reader *reader = &load->out->readers[p];
		const uint8_t *at = bytes + offsetof(otlog__lane_page, pipeline) + p * sizeof(otlog__lane_cursor);
		memcpy(&reader->cursor, at, 8);
		memcpy(&reader->consumed, at + 8, 8);
		memcpy(reader->counts, at + 16, sizeof reader->counts);
	}
	load->near = choose_near(load, words.start_seq);
}

bool
otlog__image_load(const otlog__image *image, uint32_t lane, otlog__image_lane *out)
{
	loading load = { .image = image, .out = out, .lane = lane };
	*out = (otlog__image_lane){ 0 };
	if (!otlog__window_make(&load.window, image, lane))
		return false;
	read_control(&load);
	bool walked = otlog__image_is_trusted(image) && !load.no_control && walk(&load);
	out->walked = walked;
	if (!walked && !load.no_memory)
		look_at_everything(&load);
	for (uint32_t p = 0; p < image->header.pipelines; p++)
		out->readers[p].lost = otlog__image_lost_from(out, out->readers[p].consumed);
	otlog__window_free(&load.window);
	return !load.no_memory;
}
