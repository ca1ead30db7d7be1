#include "sdk/queue/spool/spool_segment.h"

#include "sdk/base/clock.h"
#include "sdk/queue/crc32c.h"
#include "sdk/queue/file_header.h"
#include "sdk/queue/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

void
otlog__spool_file_name(char out[OTLOG__SPOOL_FILE_MAX], uint32_t pipeline, uint32_t number)
{
	snprintf(out, OTLOG__SPOOL_FILE_MAX, "%02" PRIu32 "-%08" PRIu32, pipeline, number);
}

void
otlog__spool_header_fill(otlog__spool_header *header, uint64_t salt, uint32_t pipeline, const char *pipeline_name)
{
	*header = (otlog__spool_header){ .magic = OTLOG__SPOOL_MAGIC,
		                         .byte_order = OTLOG__BYTE_ORDER,
		                         .version = OTLOG__SPOOL_VERSION,
		                         .salt = salt,
		                         .started_unix_nano = otlog__unix_nano(),
		                         .pipeline = pipeline };
	otlog__boot_id(header->boot_id);
	snprintf(header->pipeline_name, sizeof header->pipeline_name, "%s", pipeline_name);
}

/* Writes all of it. False with errno set. */
static bool
write_all(int fd, struct iovec *parts, int count, uint64_t position)
{
	while (count > 0) {
		ssize_t written = pwritev(fd, parts, count, (off_t)position);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0) {
			errno = written < 0 ? errno : EIO;
			return false;
		}
		position += (uint64_t)written;
		while (count > 0 && (size_t)written >= parts->iov_len) {
			written -= (ssize_t)parts->iov_len;
			parts++;
			count--;
		}
		if (count > 0) {
			parts->iov_base = (uint8_t *)parts->iov_base + written;
			parts->iov_len -= (size_t)written;
		}
	}
	return true;
}

static int
create_file(int folder, const char *file)
{
	return openat(folder, file, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

static bool
write_page(int fd, const otlog__spool_header *header)
{
	uint8_t page[OTLOG__SPOOL_PAGE] = { 0 };
	memcpy(page, header, sizeof *header);
	memcpy(page + OTLOG__SPOOL_SECOND_HEADER, header, sizeof *header);
	if (!otlog__file_may_grow_to(sizeof page)) {
		errno = EFBIG;
		return false;
	}
	return write_all(fd, &(struct iovec){ .iov_base = page, .iov_len = sizeof page }, 1, 0);
}

bool
otlog__spool_segment_create(otlog__spool_segment *segment, int folder, otlog__spool_header *header)
{
	char file[OTLOG__SPOOL_FILE_MAX], fresh[OTLOG__SPOOL_FILE_MAX + 4];
	otlog__spool_file_name(file, header->pipeline, header->segment);
	snprintf(fresh, sizeof fresh, "%s.new", file);
	header->crc = otlog__crc32c(0, header, offsetof(otlog__spool_header, crc));
	*segment = (otlog__spool_segment){ .pipeline = header->pipeline,
		                           .number = header->segment,
		                           .salt = header->salt,
		                           .first = header->first,
		                           .end = OTLOG__SPOOL_PAGE };
	struct stat info;
	if (fstatat(folder, file, &info, AT_SYMLINK_NOFOLLOW) == 0) {
		segment->fd = -1;
		errno = EEXIST;
		return false;
	}
	segment->fd = create_file(folder, fresh);
	if (segment->fd < 0 && errno == EEXIST && unlinkat(folder, fresh, 0) == 0)
		segment->fd = create_file(folder, fresh); /* what an earlier failure has left */
	if (segment->fd < 0)
		return false;
	if (write_page(segment->fd, header) && renameat(folder, fresh, folder, file) == 0)
		return true;
	int error = errno;
	unlinkat(folder, fresh, 0);
	otlog__spool_segment_close(segment);
	errno = error;
	return false;
}

bool
otlog__spool_segment_open(otlog__spool_segment *segment, int folder, bool writable)
{
	if (segment->fd >= 0)
		return true;
	char file[OTLOG__SPOOL_FILE_MAX];
	otlog__spool_file_name(file, segment->pipeline, segment->number);
	segment->fd = openat(folder, file, (writable ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return segment->fd >= 0;
}

bool
otlog__spool_segment_write(otlog__spool_segment *segment, const otlog__spool_entry *entry, const void *request)
{
	static const uint8_t zeros[8];
	uint64_t bytes = otlog__spool_entry_bytes(entry->size);
	struct iovec parts[3] = {
		{ .iov_base = (void *)(uintptr_t)entry, .iov_len = sizeof *entry },
		{ .iov_base = (void *)(uintptr_t)request, .iov_len = entry->size },
		{ .iov_base = (void *)(uintptr_t)zeros, .iov_len = (size_t)(bytes - sizeof *entry - entry->size) },
	};
	if (!otlog__file_may_grow_to(segment->end + bytes)) {
		errno = EFBIG;
		return false;
	}
	if (write_all(segment->fd, parts, 3, segment->end))
		return true;
	otlog__spool_segment_cut(segment);
	return false;
}

void
otlog__spool_segment_cut(otlog__spool_segment *segment)
{
	int error = errno;
	if (ftruncate(segment->fd, (off_t)segment->end) != 0)
		segment->torn = true;
	errno = error;
}

static uint32_t
done_crc(const otlog__spool_done *done, uint64_t salt)
{
	return otlog__crc32c(otlog__crc32c(0, &salt, sizeof salt), done, offsetof(otlog__spool_done, crc));
}

void
otlog__spool_segment_set_done(otlog__spool_segment *segment, const otlog__spool_cursor *cursor)
{
	otlog__spool_done done = { .generation = ++segment->generation,
		                   .position = cursor->position,
		                   .number = cursor->number,
		                   .first = segment->first };
	done.crc = done_crc(&done, segment->salt);
	off_t slot = done.generation % 2 ? OTLOG__SPOOL_DONE : OTLOG__SPOOL_SECOND_DONE;
	ssize_t written;
	/* A write that changes what is there already raises SIGXFSZ too, where the limit was lowered since. */
	if (!otlog__file_may_grow_to((uint64_t)slot + sizeof done))
		return;
	do
		written = pwrite(segment->fd, &done, sizeof done, slot);
	while (written < 0 && errno == EINTR);
}

void
otlog__spool_segment_close(otlog__spool_segment *segment)
{
	if (segment->fd >= 0)
		close(segment->fd);
	segment->fd = -1;
}

static bool
header_is_ours(const otlog__spool_header *header)
{
	return memcmp(header->magic, OTLOG__SPOOL_MAGIC, sizeof header->magic) == 0 &&
	       header->byte_order == OTLOG__BYTE_ORDER && header->version == OTLOG__SPOOL_VERSION &&
	       header->crc == otlog__crc32c(0, header, offsetof(otlog__spool_header, crc)) &&
	       memchr(header->pipeline_name, '\0', sizeof header->pipeline_name);
}

/* Both copies agree on something that is not ours: a flipped bit would be in one of them. */
static bool
header_is_foreign(const otlog__spool_header *header, const otlog__spool_header *second)
{
	return memcmp(header->magic, OTLOG__SPOOL_MAGIC, sizeof header->magic) == 0 &&
	       memcmp(header, second, offsetof(otlog__spool_header, salt)) == 0 &&
	       (header->byte_order != OTLOG__BYTE_ORDER || header->version != OTLOG__SPOOL_VERSION);
}

void
otlog__spool_page_done(const uint8_t page[OTLOG__SPOOL_PAGE], uint64_t salt, uint64_t first,
                       otlog__spool_cursor *cursor, uint64_t *generation)
{
	static const size_t slots[] = { OTLOG__SPOOL_DONE, OTLOG__SPOOL_SECOND_DONE };
	*cursor = (otlog__spool_cursor){ .position = OTLOG__SPOOL_PAGE, .number = first };
	*generation = 0;
	for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++) {
		otlog__spool_done done;
		memcpy(&done, page + slots[i], sizeof done);
		if (done.crc != done_crc(&done, salt) || done.first != first || done.generation <= *generation ||
		    done.position < OTLOG__SPOOL_PAGE || done.position % 8 || done.number < first)
			continue;
		*generation = done.generation;
		*cursor = (otlog__spool_cursor){ .position = done.position, .number = done.number };
	}
}

otlog__spool_header_state
otlog__spool_page_header(const uint8_t page[OTLOG__SPOOL_PAGE], otlog__spool_header *header)
{
	otlog__spool_header second;
	memcpy(header, page, sizeof *header);
	memcpy(&second, page + OTLOG__SPOOL_SECOND_HEADER, sizeof second);
	if (header_is_ours(header))
		return OTLOG__SPOOL_HEADER_OURS;
	if (!header_is_ours(&second))
		return header_is_foreign(header, &second) ? OTLOG__SPOOL_HEADER_FOREIGN : OTLOG__SPOOL_HEADER_DAMAGED;
	*header = second;
	return OTLOG__SPOOL_HEADER_OURS;
}

bool
otlog__spool_page_read(int fd, uint8_t page[OTLOG__SPOOL_PAGE])
{
	size_t done = 0;
	memset(page, 0, OTLOG__SPOOL_PAGE); /* what is cut off is zero, and its CRC wrong */
	while (done < OTLOG__SPOOL_PAGE) {
		ssize_t got = pread(fd, page + done, OTLOG__SPOOL_PAGE - done, (off_t)done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return false;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return true;
}
