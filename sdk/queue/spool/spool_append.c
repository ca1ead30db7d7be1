/* Growing a spool: room, segments, entries. Everything here runs under the spool's `appending`. */
#include "sdk/queue/mapping.h"
#include "sdk/queue/spool/spool_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define NAMES_TRIED 1000u

/* Whether an entry of that many bytes goes into the last segment. */
static bool
last_takes(const otlog__spool *spool, uint64_t bytes)
{
	const otlog__spooled *last = spool->last;
	return last && !last->file.torn && last->end + bytes <= spool->segment_bytes &&
	       otlog__file_may_grow_to(last->end + bytes);
}

/* Whether the spool's files may grow by an entry of that many bytes. */
static bool
has_bytes_left(const otlog__spool *spool, uint64_t bytes, bool in_last)
{
	return spool->books.bytes + bytes + (in_last ? 0 : OTLOG__SPOOL_PAGE) <= spool->options.max_bytes;
}

static bool
could_ever_fit(const otlog__spool *spool, size_t size)
{
	return size <= UINT32_MAX / 2 && otlog__spool_entry_bytes(size) + OTLOG__SPOOL_PAGE <= spool->options.max_bytes;
}

/*
 * Reserves the bytes, dropping the oldest segments for them if that is wanted. *last is held, or NULL: a new segment is
 * needed. False: there is no room. Under the mutex.
 */
static bool
reserve(otlog__spool *spool, uint64_t bytes, otlog__spooled **last, otlog__spooled **garbage)
{
	bool in_last;
	while (in_last = last_takes(spool, bytes), !has_bytes_left(spool, bytes, in_last)) {
		otlog__spooled *oldest = spool->first;
		if (!spool->options.drop_oldest || !oldest)
			return false;
		spool->books.dropped[OTLOG_DROP_SPOOL_FULL] += oldest->records;
		oldest->records = 0;
		otlog__spool_unlist(spool, oldest, garbage);
	}
	spool->books.bytes += bytes + (in_last ? 0 : OTLOG__SPOOL_PAGE);
	*last = in_last ? spool->last : NULL;
	if (in_last) {
		spool->last->holders++;
		spool->last->writing = true;
		spool->last->bytes += bytes;
	}
	return true;
}

/* The folder's descriptor; it is created if need be. -1 with errno set. */
static int
open_folder(otlog__spool *spool)
{
	char name[OTLOG__QUEUE_NAME_MAX + 8];
	snprintf(name, sizeof name, "%s.spool", spool->name);
	if (mkdirat(spool->options.directory, name, 0700) == 0)
		spool->folder_fresh = true;
	else if (errno != EEXIST)
		return -1;
	return openat(spool->options.directory, name, FOLDER_FLAGS);
}

static bool
have_folder(otlog__spool *spool)
{
	struct stat info;
	int before = spool->folder;
	if (before >= 0 && fstat(before, &info) == 0 && info.st_nlink > 0)
		return true;
	/* Another pipeline that was closed has removed the folder, for it was empty. */
	int folder = open_folder(spool);
	if (folder < 0)
		return false;
	if (before >= 0) { /* the number stays, for readers use it without a lock */
		bool moved = dup3(folder, before, O_CLOEXEC) >= 0;
		int error = errno;
		close(folder);
		errno = error;
		return moved;
	}
	pthread_mutex_lock(&spool->mutex);
	spool->folder = folder;
	pthread_mutex_unlock(&spool->mutex);
	return true;
}

/* A new segment that takes `bytes`, held and listed. NULL with errno set. */
static otlog__spooled *
add_segment(otlog__spool *spool, uint64_t bytes)
{
	otlog__spooled *segment = calloc(1, sizeof *segment);
	if (!segment) {
		errno = ENOMEM;
		return NULL;
	}
	bool created = false;
	spool->header.first = spool->next_number;
	if (have_folder(spool))
		for (uint32_t i = 0; !created && i < NAMES_TRIED; i++) {
			spool->header.segment++;
			created = otlog__spool_segment_create(&segment->file, spool->folder, &spool->header);
			if (!created && errno != EEXIST)
				break;
		}
	if (!created) {
		free(segment);
		return NULL;
	}
	segment->listed = segment->writing = segment->fresh = true;
	segment->holders = 2; /* the list, the append */
	segment->end = segment->synced_end = OTLOG__SPOOL_PAGE;
	segment->next_number = spool->next_number;
	segment->bytes = OTLOG__SPOOL_PAGE + bytes;
	segment->cursor = (otlog__spool_cursor){ .position = OTLOG__SPOOL_PAGE, .number = spool->next_number };
	pthread_mutex_lock(&spool->mutex);
	otlog__spooled *before = spool->last;
	if (before)
		before->next = segment;
	else
		spool->first = segment;
	spool->last = segment;
	/* Descriptors are few: a segment that nobody reads yet is closed until somebody does. */
	if (before && before->holders == 1 && before->cursor.position == OTLOG__SPOOL_PAGE)
		otlog__spool_segment_close(&before->file);
	pthread_mutex_unlock(&spool->mutex);
	return segment;
}

/* What an append with `sync` promises. What cannot be brought to the disk is taken back. */
static bool
sync_entry(otlog__spool *spool, otlog__spooled *segment)
{
	if (fdatasync(segment->file.fd) == 0 && (!segment->fresh || fsync(spool->folder) == 0) &&
	    (!spool->folder_fresh || fsync(spool->options.directory) == 0)) {
		segment->fresh = spool->folder_fresh = false;
		return true;
	}
	otlog__spool_segment_cut(&segment->file);
	segment->file.torn = true; /* what the disk has of it is not known */
	return false;
}

/* Under the mutex: readers may see the entry. */
static void
publish(otlog__spool *spool, otlog__spooled *segment, const otlog__spool_entry *entry, bool in_flight)
{
	segment->file.end += otlog__spool_entry_bytes(entry->size);
	segment->end = segment->file.end;
	segment->next_number = ++spool->next_number;
	if (spool->options.sync)
		segment->synced_end = segment->end;
	spool->books.spooled += entry->records;
	if (!in_flight) {
		segment->records += entry->records;
		return;
	}
	segment->cursor = (otlog__spool_cursor){ .position = segment->end, .number = segment->next_number };
	otlog__spool_flight_push(&spool->flight, &(otlog__spool_taken){ .segment = segment,
	                                                                .number = entry->number,
	                                                                .records = entry->records,
	                                                                .behind = segment->cursor });
	spool->in_flight_records += entry->records;
	segment->in_flight++;
	segment->holders++;
}

static bool
write_entry(otlog__spool *spool, otlog__spooled *segment, const otlog__spool_entry *entry, const void *request,
            bool in_flight)
{
	bool done = otlog__spool_segment_write(&segment->file, entry, request) &&
	            (!spool->options.sync || sync_entry(spool, segment));
	int error = errno;
	uint64_t bytes = otlog__spool_entry_bytes(entry->size);
	otlog__spooled *garbage = NULL;
	pthread_mutex_lock(&spool->mutex);
	segment->writing = false;
	if (done) {
		publish(spool, segment, entry, in_flight);
	} else if (!segment->file.torn) {
		segment->bytes -= bytes;
		spool->books.bytes -= bytes;
	}
	if (otlog__spooled_is_over(segment))
		otlog__spool_unlist(spool, segment, &garbage);
	pthread_mutex_unlock(&spool->mutex);
	otlog__spool_bury(spool, garbage);
	otlog__spool_release(spool, segment);
	errno = error;
	return done;
}

/* Whether the call makes sense at this moment, and memory for it is there. Under the mutex. */
static bool
may_append(otlog__spool *spool, uint64_t bytes, bool in_flight)
{
	errno = spool->closed ? EBADF : EINVAL;
	if (spool->closed || (in_flight && otlog__spool_waiting(spool) > 0))
		return false;
	errno = EFBIG; /* what does not fit into a file of its own fits nowhere */
	if (!otlog__file_may_grow_to(OTLOG__SPOOL_PAGE + bytes))
		return false;
	errno = ENOMEM;
	return !in_flight || otlog__spool_flight_reserve(&spool->flight);
}

static otlog__spool_result
append(otlog__spool *spool, const void *request, uint32_t size, uint32_t records, bool in_flight, uint64_t *number)
{
	uint64_t bytes = otlog__spool_entry_bytes(size);
	otlog__spooled *segment = NULL, *garbage = NULL;
	pthread_mutex_lock(&spool->mutex);
	bool allowed = may_append(spool, bytes, in_flight);
	bool room = allowed && reserve(spool, bytes, &segment, &garbage);
	pthread_mutex_unlock(&spool->mutex);
	if (!allowed)
		return OTLOG__SPOOL_FAILED;
	otlog__spool_bury(spool, garbage);
	if (!room)
		return OTLOG__SPOOL_FULL;
	if (!segment)
		segment = add_segment(spool, bytes);
	if (!segment) {
		int error = errno;
		pthread_mutex_lock(&spool->mutex);
		spool->books.bytes -= bytes + OTLOG__SPOOL_PAGE;
		pthread_mutex_unlock(&spool->mutex);
		errno = error;
		return OTLOG__SPOOL_FAILED;
	}
	otlog__spool_entry entry =
	    otlog__spool_entry_make(spool->header.salt, spool->next_number, records, request, size);
	*number = entry.number;
	return write_entry(spool, segment, &entry, request, in_flight) ? OTLOG__SPOOL_TAKEN : OTLOG__SPOOL_FAILED;
}

otlog__spool_result
otlog__spool_append(otlog__spool *spool, const void *request, size_t size, uint32_t records, bool in_flight,
                    uint64_t *number)
{
	if (size == 0 || records == 0) {
		errno = EINVAL;
		return OTLOG__SPOOL_FAILED;
	}
	if (!could_ever_fit(spool, size))
		return OTLOG__SPOOL_FULL;
	pthread_mutex_lock(&spool->appending);
	otlog__spool_result result = append(spool, request, (uint32_t)size, records, in_flight, number);
	pthread_mutex_unlock(&spool->appending);
	return result;
}
