#include "sdk/queue/meta.h"

#include "sdk/base/buffer.h"
#include "sdk/queue/crc32c.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Writes all of it at the end of the file, or cuts off again what it wrote: an entry behind a torn one could not be
 * found by a reader.
 */
static bool
append_all(int fd, const uint8_t *data, size_t size)
{
	struct stat before;
	if (fstat(fd, &before) != 0)
		return false;
	if (!otlog__file_may_grow_to((uint64_t)before.st_size + size)) {
		errno = EFBIG;
		return false;
	}
	size_t done = 0;
	while (done < size) {
		ssize_t written = write(fd, data + done, size - done);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0) {
			int error = written < 0 ? errno : EIO;
			int cut = ftruncate(fd, before.st_size);
			(void)cut; /* then the torn entry stays, and readers stop there */
			errno = error;
			return false;
		}
		done += (size_t)written;
	}
	return true;
}

int
otlog__meta_create(const otlog__mapping *mapping, uint64_t salt)
{
	char file[OTLOG__QUEUE_NAME_MAX + 8];
	snprintf(file, sizeof file, "%s.meta", mapping->name);
	int fd = openat(mapping->directory, file, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	otlog__meta_header header = { .magic = OTLOG__META_MAGIC,
		                      .byte_order = OTLOG__BYTE_ORDER,
		                      .version = OTLOG__QUEUE_VERSION,
		                      .salt = salt };
	if (append_all(fd, (const uint8_t *)&header, sizeof header))
		return fd;
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

bool
otlog__meta_append(int fd, uint16_t kind, uint16_t number, const void *first, size_t first_size, const void *second,
                   size_t second_size)
{
	if (first_size > UINT32_MAX / 2 || second_size > UINT32_MAX / 2) {
		errno = EFBIG;
		return false;
	}
	otlog__meta_entry entry = { .size = (uint32_t)(first_size + second_size), .kind = kind, .number = number };
	otlog__buffer buffer = { 0 };
	bool done = otlog__buffer_append(&buffer, &entry, sizeof entry) &&
	            otlog__buffer_append(&buffer, first, first_size) &&
	            otlog__buffer_append(&buffer, second, second_size);
	uint32_t crc = done ? otlog__crc32c(0, buffer.data, buffer.size) : 0;
	done = done && otlog__buffer_append(&buffer, &crc, sizeof crc);
	if (!done)
		errno = ENOMEM;
	else
		done = append_all(fd, buffer.data, buffer.size);
	int error = errno;
	otlog__buffer_free(&buffer);
	errno = error;
	return done;
}

bool
otlog__meta_append_scope(int fd, uint16_t number, const void *head, size_t head_size, const void *tail,
                         size_t tail_size)
{
	uint32_t size = (uint32_t)head_size;
	otlog__buffer first = { 0 };
	bool done = head_size <= UINT32_MAX / 2 && otlog__buffer_append(&first, &size, sizeof size) &&
	            otlog__buffer_append(&first, head, head_size);
	if (!done)
		errno = ENOMEM;
	else
		done = otlog__meta_append(fd, OTLOG__META_SCOPE, number, first.data, first.size, tail, tail_size);
	int error = errno;
	otlog__buffer_free(&first);
	errno = error;
	return done;
}
