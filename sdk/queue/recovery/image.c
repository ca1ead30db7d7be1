/* What a queue's file is, and how far its pipelines are. */
#include "sdk/queue/recovery/image.h"

#include "sdk/queue/crc32c.h"
#include "sdk/queue/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t
control_page_at(uint32_t lane)
{
	return (uint64_t)OTLOG__CONTROL_PAGE * (1 + (uint64_t)lane);
}

/* The checksum of the live bytes of one lane, going on from *crc. False if its words make no sense. */
static bool
add_lane(const otlog__image *image, uint32_t lane, uint32_t *crc)
{
	_Alignas(64) uint8_t page[OTLOG__CONTROL_PAGE];
	otlog__window window;
	otlog__image_bytes(image, control_page_at(lane), page, sizeof page);
	otlog__sealed_words words = otlog__sealed_words_of(page);
	const uint64_t lane_bytes = image->header.lane_bytes;
	if (words.tail - words.start > lane_bytes || !otlog__window_make(&window, image, lane))
		return false;
	*crc = otlog__crc32c(*crc, &words, sizeof words);
	for (uint64_t at = words.start; at != words.tail;) {
		uint64_t offset = at & (lane_bytes - 1), size = lane_bytes - offset;
		size = size < words.tail - at ? size : words.tail - at;
		size = size < OTLOG__WINDOW_BYTES ? size : OTLOG__WINDOW_BYTES;
		*crc = otlog__crc32c(*crc, otlog__window_at(&window, offset, size), size);
		at += size;
	}
	otlog__window_free(&window);
	return true;
}

/* Whether the owner has shut down in order and all that it left has come to the disk. */
static bool
is_sealed(const otlog__image *image, const uint8_t *page)
{
	otlog__queue_seal_mark seal;
	uint32_t crc = 0;
	memcpy(&seal, page + OTLOG__QUEUE_SEAL_OFFSET, sizeof seal);
	if (image->file_bytes < image->header.data_offset + image->header.lanes * image->header.lane_bytes ||
	    memcmp(seal.magic, OTLOG__QUEUE_SEAL_MAGIC, sizeof seal.magic) != 0 ||
	    seal.crc != otlog__crc32c(image->header.crc, &seal, offsetof(otlog__queue_seal_mark, crc)))
		return false;
	for (uint32_t lane = 0; lane < image->header.lanes; lane++)
		if (!add_lane(image, lane, &crc))
			return false;
	return crc == seal.live_crc;
}

otlog__header_kind
otlog__image_open(otlog__image *image, int file)
{
	uint8_t page[OTLOG__CONTROL_PAGE];
	struct stat info;
	*image = (otlog__image){ .file = file };
	if (fstat(file, &info) != 0)
		return OTLOG__HEADER_DAMAGED;
	image->file_bytes = (uint64_t)info.st_size;
	if (!otlog__image_bytes(image, 0, page, sizeof page)) {
		errno = EIO;
		return OTLOG__HEADER_DAMAGED;
	}
	errno = 0;
	otlog__header_kind kind = otlog__header_read(page, image->file_bytes, &image->header);
	if (kind != OTLOG__HEADER_SOUND)
		return kind;
	image->trailer = image->header.flags & OTLOG__QUEUE_PAYLOAD_CRC ? OTLOG__TRAILER_BYTES : 0;
	image->same_boot = otlog__boot_id_is_ours(image->header.boot_id);
	image->sealed = !image->same_boot && is_sealed(image, page);
	return kind;
}

static void
punch(const otlog__image *image, uint32_t lane, uint64_t from, uint64_t to)
{
	const otlog__queue_header *h = &image->header;
	uint64_t start = h->data_offset + lane * h->lane_bytes;
	if (to > from && start + to <= image->file_bytes) {
		int done = fallocate(image->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)(start + from),
		                     (off_t)(to - from));
		(void)done; /* where that fails the file takes up its room until it is removed */
	}
}

/* Whether all that waits lies between what the owner had released last, and the tail. */
static bool
is_inside(const otlog__image_lane *loaded, const otlog__sealed_words *words)
{
	if (loaded->run_count == 0)
		return true;
	const otlog__run *last = &loaded->runs[loaded->run_count - 1];
	uint64_t from = loaded->runs->position - words->start;
	uint64_t to = last->position + ((uint64_t)last->end - last->start) * 8 - words->start;
	return from <= to && to <= words->tail - words->start;
}

/* What adopters have delivered since the owner ended keeps its room, too: the seal's checksum covers it. */
void
otlog__image_trim(const otlog__image *image, uint32_t lane, const otlog__image_lane *loaded)
{
	const uint64_t lane_bytes = image->header.lane_bytes;
	const otlog__sealed_words words = otlog__image_words(image, lane);
	const uint64_t held = words.tail - words.start;
	if (!loaded->walked || held > lane_bytes || !is_inside(loaded, &words) ||
	    !otlog__file_may_grow_to(image->file_bytes))
		return;
	const uint64_t start = words.start & (lane_bytes - 1), end = start + held;
	if (end > lane_bytes) {
		punch(image, lane, end - lane_bytes, start);
		return;
	}
	punch(image, lane, 0, start);
	punch(image, lane, end, lane_bytes);
}

/* Writes all of it. False with errno set. The file may be as large as that, which the caller has made sure of. */
static bool
write_all(int file, const void *data, size_t size, uint64_t at)
{
	const uint8_t *bytes = data;
	while (size) {
		ssize_t written = pwrite(file, bytes, size, (off_t)at);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0) {
			errno = written < 0 ? errno : EIO;
			return false;
		}
		bytes += written;
		size -= (size_t)written;
		at += (uint64_t)written;
	}
	return true;
}

bool
otlog__image_write_reader(const otlog__image *image, uint32_t lane, uint32_t pipeline,
                          const otlog__image_reader *reader)
{
	uint64_t at = control_page_at(lane) + offsetof(otlog__lane_page, pipeline) +
	              (uint64_t)pipeline * sizeof(otlog__lane_cursor);
	const uint64_t ends[2] = { reader->cursor, reader->consumed };
	if (at + sizeof(otlog__lane_cursor) > image->file_bytes) {
		errno = ENOSPC; /* cut off: a file does not grow by what is read from it */
		return false;
	}
	if (!otlog__file_may_grow_to(at + sizeof(otlog__lane_cursor))) {
		errno = EFBIG;
		return false;
	}
	return write_all(image->file, reader->counts, sizeof reader->counts, at + sizeof ends) &&
	       write_all(image->file, ends, sizeof ends, at);
}

void
otlog__image_lane_free(otlog__image_lane *lane)
{
	free(lane->runs);
	lane->runs = NULL;
	lane->run_count = 0;
}
