#include "sdk/queue/spool/spool_entry.h"

#include "sdk/queue/crc32c.h"
#include "sdk/queue/spool/spool_segment.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define BLOCK_BYTES 4096u
#define LEAST_ENTRY_BYTES 32u

static uint32_t
head_of(const otlog__spool_entry *entry, uint64_t salt)
{
	return otlog__crc32c(otlog__crc32c(0, &salt, sizeof salt), entry, offsetof(otlog__spool_entry, check));
}

otlog__spool_entry
otlog__spool_entry_make(uint64_t salt, uint64_t number, uint32_t records, const void *request, uint32_t size)
{
	otlog__spool_entry entry = { .size = size, .records = records, .number = number };
	entry.head = head_of(&entry, salt);
	entry.check = otlog__crc32c(entry.head, request, size);
	return entry;
}

/* Reads up to `size` bytes, fewer at the end of the file. -1 with errno set if the disk does not give them. */
static ssize_t
read_at(int fd, void *data, size_t size, uint64_t position)
{
	size_t done = 0;
	while (done < size) {
		ssize_t got = pread(fd, (uint8_t *)data + done, size - done, (off_t)(position + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

/* The number is compared first: in a search that costs almost nothing and rules out almost every position. */
static bool
is_entry(const otlog__spool_range *range, const otlog__spool_entry *entry, uint64_t position)
{
	uint64_t most = (position - OTLOG__SPOOL_PAGE) / LEAST_ENTRY_BYTES;
	return entry->number - range->first <= most && entry->size && entry->records &&
	       entry->head == head_of(entry, range->salt);
}

/* Looks for a header from *position on, in steps of 8. */
static bool
search(const otlog__spool_range *range, uint64_t *position, otlog__spool_entry *entry)
{
	uint8_t block[BLOCK_BYTES + sizeof *entry];
	while (*position < range->end && range->end - *position >= sizeof *entry) {
		uint64_t left = range->end - *position;
		ssize_t got = read_at(range->fd, block, left < sizeof block ? (size_t)left : sizeof block, *position);
		if (got < 0) { /* a bad block of the disk */
			*position += BLOCK_BYTES;
			continue;
		}
		for (size_t at = 0; at + sizeof *entry <= (size_t)got && at < BLOCK_BYTES; at += 8) {
			memcpy(entry, block + at, sizeof *entry);
			if (!is_entry(range, entry, *position + at))
				continue;
			*position += at;
			return true;
		}
		if ((size_t)got < sizeof block)
			break;
		*position += BLOCK_BYTES;
	}
	return false;
}

bool
otlog__spool_find_entry(const otlog__spool_range *range, otlog__spool_cursor *cursor, otlog__spool_entry *entry)
{
	uint64_t position = cursor->position;
	while (position < range->end && range->end - position >= sizeof *entry) {
		ssize_t got = read_at(range->fd, entry, sizeof *entry, position);
		bool found = got == sizeof *entry && is_entry(range, entry, position);
		if (!found && !search(range, &position, entry))
			return false;
		if (entry->number >= range->limit)
			return false;
		if (entry->number >= cursor->number) {
			cursor->position = position;
			return true;
		}
		position += otlog__spool_entry_bytes(entry->size);
	}
	return false;
}

bool
otlog__spool_first_entry(int fd, uint64_t salt, otlog__spool_entry *entry)
{
	return read_at(fd, entry, sizeof *entry, OTLOG__SPOOL_PAGE) == sizeof *entry && entry->size && entry->records &&
	       entry->head == head_of(entry, salt);
}

typedef enum request_state { INTACT, DAMAGED, NO_MEMORY } request_state;

static request_state
read_request(const otlog__spool_range *range, uint64_t position, const otlog__spool_entry *entry, otlog__buffer *out)
{
	position += sizeof *entry;
	if (position > range->end || entry->size > range->end - position)
		return DAMAGED;
	out->size = 0;
	if (!otlog__buffer_reserve(out, entry->size))
		return NO_MEMORY;
	ssize_t got = read_at(range->fd, out->data, entry->size, position);
	if (got < 0 && errno == ENOMEM)
		return NO_MEMORY;
	if (got != (ssize_t)entry->size || otlog__crc32c(entry->head, out->data, entry->size) != entry->check)
		return DAMAGED;
	out->size = entry->size;
	return INTACT;
}

otlog__spool_step
otlog__spool_next_entry(const otlog__spool_range *range, otlog__spool_cursor *cursor, otlog__buffer *out,
                        otlog__spool_entry *entry, uint64_t *damaged)
{
	while (otlog__spool_find_entry(range, cursor, entry)) {
		request_state state = read_request(range, cursor->position, entry, out);
		if (state == NO_MEMORY)
			return OTLOG__SPOOL_LATER;
		cursor->position += otlog__spool_entry_bytes(entry->size);
		cursor->number = entry->number + 1;
		if (state == INTACT)
			return OTLOG__SPOOL_ENTRY;
		*damaged += entry->records;
	}
	return OTLOG__SPOOL_END;
}
