#include "tests/support/queues/queue_image.h"

#include "sdk/queue/crc32c.h"
#include "sdk/queue/meta.h"
/* The inside of a queue: where its memory lies in this process, which is then read as a file would be. */
#include "sdk/queue/state.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
read_header(queue_image *image, size_t size)
{
	otlog__queue_header *h = &image->header;
	if (size < sizeof *h)
		return false;
	memcpy(h, image->bytes, sizeof *h);
	return memcmp(h->magic, OTLOG__QUEUE_MAGIC, 8) == 0 && h->byte_order == OTLOG__BYTE_ORDER &&
	       h->version == OTLOG__QUEUE_VERSION && h->word_bytes == sizeof(void *) &&
	       h->crc == otlog__crc32c(0, h, offsetof(otlog__queue_header, crc)) &&
	       size == h->data_offset + h->lanes * h->lane_bytes;
}

static uint8_t *
map_whole(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat info;
	if (fd < 0)
		return NULL;
	void *bytes = MAP_FAILED;
	if (fstat(fd, &info) == 0 && info.st_size > 0)
		bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (bytes == MAP_FAILED)
		return NULL;
	*size = (size_t)info.st_size;
	return bytes;
}

bool
queue_image_open(queue_image *image, const char *path)
{
	*image = (queue_image){ 0 };
	image->bytes = map_whole(path, &image->size);
	return image->bytes && read_header(image, image->size);
}

bool
queue_image_of(queue_image *image, otlog__queue *queue)
{
	*image = (queue_image){ .bytes = queue->mapping.base };
	return read_header(image, queue->mapping.control_size + queue->mapping.data_size);
}

void
queue_image_close(queue_image *image)
{
	if (image->size)
		munmap(image->bytes, image->size);
	*image = (queue_image){ 0 };
}

otlog__lane_page *
queue_image_lane(const queue_image *image, uint32_t lane)
{
	return (otlog__lane_page *)(void *)(image->bytes + 4096 * ((size_t)lane + 1));
}

int64_t
queue_image_walk(const queue_image *image, uint32_t lane, uint64_t position, queue_image_visit visit, void *user)
{
	const uint64_t capacity = image->header.lane_bytes;
	const uint8_t *data = image->bytes + image->header.data_offset + lane * capacity;
	uint64_t tail = atomic_load(&queue_image_lane(image, lane)->producer.tail);
	int64_t frames = 0;
	uint32_t seq = 0;
	if (tail < position || tail - position > capacity)
		return -1;
	while (position < tail) {
		uint64_t to_end = capacity - position % capacity;
		if (to_end < 16) {
			position += to_end;
			continue;
		}
		otlog__frame frame;
		memcpy(&frame, data + position % capacity, 16);
		uint64_t whole = (16 + (uint64_t)frame.size + 7) / 8 * 8;
		if (frame.check != otlog__frame_check(&frame, lane, image->header.salt) || whole > to_end ||
		    whole > tail - position || (frames && frame.seq != seq))
			return -1;
		seq = frame.seq;
		if (frame.scope == 0xffff) {
			if (whole != to_end)
				return -1;
		} else {
			if (visit)
				visit(user, lane, position, &frame, data + position % capacity + 16);
			frames++;
			seq++;
		}
		position += whole;
	}
	return frames;
}

struct counts {
	uint32_t pipeline;
	uint64_t taken, others;
};

static void
count_frame(void *user, uint32_t lane, uint64_t position, const otlog__frame *frame, const uint8_t *record)
{
	struct counts *counts = user;
	(void)lane, (void)position, (void)record;
	if (frame->pipelines >> counts->pipeline & 1)
		counts->taken++;
	else
		counts->others++;
}

bool
queue_image_count(const queue_image *image, uint32_t lane, uint64_t position, uint32_t pipeline, uint64_t *taken,
                  uint64_t *others)
{
	struct counts counts = { .pipeline = pipeline };
	int64_t frames = queue_image_walk(image, lane, position, count_frame, &counts);
	*taken = counts.taken;
	*others = counts.others;
	return frames >= 0;
}

int
queue_meta_walk(const char *path, queue_meta_visit visit, void *user)
{
	size_t size;
	uint8_t *bytes = map_whole(path, &size);
	int entries = -1;
	if (bytes && size >= 24 && memcmp(bytes, OTLOG__META_MAGIC, 8) == 0) {
		entries = 0;
		for (size_t at = 24; size - at >= 12;) {
			otlog__meta_entry entry;
			uint32_t crc;
			memcpy(&entry, bytes + at, 8);
			if (entry.size > size - at - 12)
				break;
			memcpy(&crc, bytes + at + 8 + entry.size, 4);
			if (crc != otlog__crc32c(0, bytes + at, 8 + entry.size))
				break;
			if (visit)
				visit(user, entry.kind, entry.number, bytes + at + 8, entry.size);
			at += 12 + entry.size;
			entries++;
		}
	}
	if (bytes)
		munmap(bytes, size);
	return entries;
}
