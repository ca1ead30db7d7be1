/* The bytes of a queue's file, and the frames in them. */
#include "sdk/queue/crc32c.h"
#include "sdk/queue/recovery/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE 4096u
#define MOST_BAD_PIECES 16 /* in one go: a disk that fails may take seconds for each */

/* As much as can be read in one go; the rest is left as it is. 0, or an errno. */
static int
read_some(int file, uint64_t at, uint8_t *out, size_t size, size_t *done)
{
	*done = 0;
	while (*done < size) {
		ssize_t got = pread(file, out + *done, size - *done, (off_t)(at + *done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno;
		if (got == 0)
			break;
		*done += (size_t)got;
	}
	return 0;
}

bool
otlog__image_bytes(const otlog__image *image, uint64_t at, void *out, size_t size)
{
	uint8_t *bytes = out;
	size_t done = 0;
	int bad = 0;
	memset(bytes, 0, size);
	while (size && at < image->file_bytes) {
		if (read_some(image->file, at, bytes, size, &done) == 0)
			break;
		/* Passes over the piece that cannot be read. */
		size_t next = done + PIECE - (size_t)((at + done) % PIECE);
		if (++bad == MOST_BAD_PIECES || next >= size)
			break;
		at += next;
		bytes += next;
		size -= next;
	}
	return bad == 0;
}

bool
otlog__window_make(otlog__window *window, const otlog__image *image, uint32_t lane)
{
	*window = (otlog__window){ .image = image, .lane = lane, .bytes = malloc(OTLOG__WINDOW_BYTES) };
	return window->bytes != NULL;
}

void
otlog__window_free(otlog__window *window)
{
	free(window->bytes);
	window->bytes = NULL;
}

const uint8_t *
otlog__window_at(otlog__window *window, uint64_t offset, size_t size)
{
	if (offset < window->start || offset + size > window->end) {
		const otlog__queue_header *h = &window->image->header;
		uint64_t left = h->lane_bytes - offset;
		window->start = offset;
		window->end = offset + (left < OTLOG__WINDOW_BYTES ? left : OTLOG__WINDOW_BYTES);
		otlog__image_bytes(window->image, h->data_offset + window->lane * h->lane_bytes + offset, window->bytes,
		                   window->end - offset);
	}
	return window->bytes + (offset - window->start);
}

/* Whether the record behind the header is the one that its trailer was made for. */
static bool
record_fits(otlog__window *window, uint64_t offset, const otlog__frame *frame)
{
	uint32_t crc = frame->check, stated;
	uint64_t at = offset + sizeof *frame, end = at + frame->size - OTLOG__TRAILER_BYTES;
	while (at < end) {
		uint64_t size = end - at < OTLOG__WINDOW_BYTES / 2 ? end - at : OTLOG__WINDOW_BYTES / 2;
		crc = otlog__crc32c(crc, otlog__window_at(window, at, size), size);
		at += size;
	}
	memcpy(&stated, otlog__window_at(window, at, sizeof stated), sizeof stated);
	return crc == stated;
}

otlog__found
otlog__window_frame(otlog__window *window, uint64_t offset, bool whole, otlog__frame *frame)
{
	const otlog__image *image = window->image;
	uint64_t left = image->header.lane_bytes - offset;
	if (left < sizeof *frame)
		return OTLOG__FOUND_NONE;
	memcpy(frame, otlog__window_at(window, offset, sizeof *frame), sizeof *frame);
	if (frame->check != otlog__frame_check(frame, window->lane, image->header.salt) ||
	    otlog__frame_bytes(frame->size) > left)
		return OTLOG__FOUND_NONE;
	if (frame->scope == OTLOG__SCOPE_SKIP)
		return otlog__frame_bytes(frame->size) == left ? OTLOG__FOUND_SKIP : OTLOG__FOUND_NONE;
	if (frame->size < image->trailer || (whole && image->trailer && !record_fits(window, offset, frame)))
		return OTLOG__FOUND_NONE;
	return OTLOG__FOUND_FRAME;
}
