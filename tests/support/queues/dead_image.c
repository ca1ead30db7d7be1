#include "tests/support/queues/dead_image.h"

#include "sdk/queue/crc32c.h"
#include "tests/support/harness/check.h"
#include "tests/support/queues/disk.h"
#include "tests/support/queues/queue_directory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096u

static uint8_t *
read_file(const char *path, size_t *size)
{
	struct stat info;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && fstat(fd, &info) == 0);
	uint8_t *bytes = malloc((size_t)info.st_size + 1);
	CHECK(bytes && read(fd, bytes, (size_t)info.st_size) == info.st_size);
	close(fd);
	*size = (size_t)info.st_size;
	return bytes;
}

void
dead_image_load(dead_image *image, const char *directory)
{
	char path[512];
	CHECK(queue_directory_find(directory, ".queue", path) == 1);
	image->queue = read_file(path, &image->queue_size);
	const char *file = strrchr(path, '/') + 1;
	snprintf(image->name, sizeof image->name, "%.*s", (int)(strlen(file) - strlen(".queue")), file);
	CHECK(queue_directory_find(directory, ".meta", path) == 1);
	image->meta = read_file(path, &image->meta_size);
}

void
dead_image_copy(dead_image *out, const dead_image *image)
{
	*out = *image;
	out->queue = malloc(image->queue_size + 1);
	out->meta = malloc(image->meta_size + 1);
	CHECK(out->queue && out->meta);
	memcpy(out->queue, image->queue, image->queue_size);
	memcpy(out->meta, image->meta, image->meta_size);
}

static void
put_file(const char *directory, const char *name, const char *suffix, const uint8_t *bytes, size_t size)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s%s", directory, name, suffix);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	close(fd);
}

void
dead_image_put(const dead_image *image, const char *directory)
{
	put_file(directory, image->name, ".queue", image->queue, image->queue_size);
	put_file(directory, image->name, ".meta", image->meta, image->meta_size);
}

void
dead_image_free(dead_image *image)
{
	free(image->queue);
	free(image->meta);
	*image = (dead_image){ 0 };
}

otlog__queue_header *
dead_image_header(dead_image *image)
{
	return (otlog__queue_header *)(void *)image->queue;
}

otlog__lane_page *
dead_image_lane(dead_image *image, uint32_t lane)
{
	return (otlog__lane_page *)(void *)(image->queue + (size_t)PAGE * (1 + lane));
}

uint8_t *
dead_image_data(dead_image *image, uint32_t lane)
{
	otlog__queue_header header;
	memcpy(&header, image->queue, sizeof header);
	return image->queue + header.data_offset + lane * header.lane_bytes;
}

void
dead_image_sign(dead_image *image)
{
	otlog__queue_header header;
	memcpy(&header, image->queue, sizeof header);
	header.crc = otlog__crc32c(0, &header, offsetof(otlog__queue_header, crc));
	memcpy(image->queue, &header, sizeof header);
	memcpy(image->queue + OTLOG__QUEUE_COPY_OFFSET, &header, sizeof header);
}

void
dead_image_reboot(dead_image *image)
{
	otlog__queue_header *header = dead_image_header(image);
	otlog__queue_seal_mark seal;
	memset(header->boot_id, 'x', 36);
	dead_image_sign(image);
	/* The seal is bound to the header. */
	memcpy(&seal, image->queue + OTLOG__QUEUE_SEAL_OFFSET, sizeof seal);
	if (memcmp(seal.magic, OTLOG__QUEUE_SEAL_MAGIC, sizeof seal.magic) != 0)
		return;
	seal.crc = otlog__crc32c(header->crc, &seal, offsetof(otlog__queue_seal_mark, crc));
	memcpy(image->queue + OTLOG__QUEUE_SEAL_OFFSET, &seal, sizeof seal);
}

uint64_t
dead_image_frame(dead_image *image, uint32_t lane, uint32_t seq)
{
	const uint8_t *data = dead_image_data(image, lane);
	otlog__frame frame;
	uint64_t at = 0;
	for (;; at += otlog__frame_bytes(frame.size)) {
		memcpy(&frame, data + at, sizeof frame);
		CHECK(frame.check == otlog__frame_check(&frame, lane, dead_image_header(image)->salt));
		if (frame.seq == seq && frame.scope != OTLOG__SCOPE_SKIP)
			return at;
	}
}

void
dead_image_power_cut(dead_image *out, const dead_image *synced, const dead_image *now, uint64_t *random)
{
	CHECK(synced->queue_size == now->queue_size);
	dead_image_copy(out, synced);
	disk_cut_bytes(out->queue, out->queue_size, now->queue, now->queue_size, random);
}
