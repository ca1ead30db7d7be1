#include "sdk/base/random.h"
#include "sdk/queue/mapping.h"
#include "sdk/queue/spool/spool_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEAST_SEGMENT_BYTES (UINT64_C(256) << 10)
#define MOST_SEGMENT_BYTES (UINT64_C(16) << 20)
#define SEGMENTS 8u /* of these, full ones, max_bytes has room for so many */

otlog__spool *
otlog__spool_create(const otlog__spool_options *options)
{
	otlog__spool *spool = calloc(1, sizeof *spool);
	if (!spool)
		return NULL;
	spool->options = *options;
	spool->folder = -1;
	spool->next_number = 1;
	spool->name = strdup(options->name);
	spool->pipeline_name = strdup(options->pipeline_name);
	if (!spool->name || !spool->pipeline_name) {
		otlog__spool_free(spool);
		return NULL;
	}
	uint64_t bytes = options->max_bytes / SEGMENTS / OTLOG__SPOOL_PAGE * OTLOG__SPOOL_PAGE;
	bytes = bytes < MOST_SEGMENT_BYTES ? bytes : MOST_SEGMENT_BYTES;
	spool->segment_bytes = bytes > LEAST_SEGMENT_BYTES ? bytes : LEAST_SEGMENT_BYTES;
	otlog__spool_header_fill(&spool->header, otlog__random_u64(), options->pipeline, options->pipeline_name);
	pthread_mutex_init(&spool->appending, NULL);
	pthread_mutex_init(&spool->reading, NULL);
	pthread_mutex_init(&spool->mutex, NULL);
	return spool;
}

bool
otlog__spooled_is_over(const otlog__spooled *segment)
{
	return segment->listed && !segment->writing && segment->records == 0 && segment->in_flight == 0;
}

void
otlog__spool_unlist(otlog__spool *spool, otlog__spooled *segment, otlog__spooled **garbage)
{
	otlog__spooled **link = &spool->first, *before = NULL;
	while (*link != segment) {
		before = *link;
		link = &before->next;
	}
	*link = segment->next;
	if (spool->last == segment)
		spool->last = before;
	segment->listed = false;
	spool->books.bytes -= segment->bytes;
	segment->next = *garbage;
	*garbage = segment;
}

void
otlog__spool_release(otlog__spool *spool, otlog__spooled *segment)
{
	pthread_mutex_lock(&spool->mutex);
	bool last = --segment->holders == 0;
	pthread_mutex_unlock(&spool->mutex);
	if (!last)
		return;
	otlog__spool_segment_close(&segment->file);
	free(segment);
}

void
otlog__spool_bury(otlog__spool *spool, otlog__spooled *garbage)
{
	while (garbage) {
		otlog__spooled *next = garbage->next;
		char file[OTLOG__SPOOL_FILE_MAX];
		otlog__spool_file_name(file, garbage->file.pipeline, garbage->file.number);
		unlinkat(spool->folder, file, 0);
		otlog__spool_release(spool, garbage);
		garbage = next;
	}
}

uint64_t
otlog__spool_waiting(const otlog__spool *spool)
{
	uint64_t done = spool->books.delivered + spool->in_flight_records;
	for (size_t i = 0; i < OTLOG_DROP_REASON_COUNT; i++)
		done += spool->books.dropped[i];
	return spool->books.spooled - done;
}

void
otlog__spool_take_books(otlog__spool *spool, otlog__spool_books *books)
{
	pthread_mutex_lock(&spool->mutex);
	*books = spool->books;
	books->waiting = otlog__spool_waiting(spool);
	books->queued = books->waiting + spool->in_flight_records;
	pthread_mutex_unlock(&spool->mutex);
}

/* Holds the oldest segment that is not wholly on the disk. NULL if there is none. */
static otlog__spooled *
next_unsynced(otlog__spool *spool, uint64_t *end, bool *open)
{
	pthread_mutex_lock(&spool->mutex);
	otlog__spooled *segment = spool->first;
	while (segment && segment->synced_end >= segment->end)
		segment = segment->next;
	if (segment) {
		segment->holders++;
		*end = segment->end;
		*open = otlog__spool_segment_open(&segment->file, spool->folder, true);
	}
	pthread_mutex_unlock(&spool->mutex);
	return segment;
}

bool
otlog__spool_sync(otlog__spool *spool)
{
	bool done = true, open = false;
	uint64_t end = 0;
	int error = 0;
	otlog__spooled *segment;
	pthread_mutex_lock(&spool->appending);
	while (done && !spool->closed && (segment = next_unsynced(spool, &end, &open))) {
		done = open && fdatasync(segment->file.fd) == 0 && (!segment->fresh || fsync(spool->folder) == 0) &&
		       (!spool->folder_fresh || fsync(spool->options.directory) == 0);
		error = errno;
		if (done) {
			segment->fresh = spool->folder_fresh = false;
			pthread_mutex_lock(&spool->mutex);
			segment->synced_end = end;
			pthread_mutex_unlock(&spool->mutex);
		}
		otlog__spool_release(spool, segment);
	}
	pthread_mutex_unlock(&spool->appending);
	errno = error;
	return done;
}

/*
 * Entries in flight whose segment was dropped as the oldest are in no file any more, so no later process delivers them.
 * Under the mutex.
 */
static void
give_up_dropped(otlog__spool *spool)
{
	otlog__spool_flight *flight = &spool->flight;
	for (size_t i = 0; i < flight->count; i++) {
		otlog__spool_taken *taken = &flight->taken[(flight->first + i) & (flight->capacity - 1)];
		const otlog__spooled *segment = taken->segment;
		if (segment->listed)
			continue;
		spool->books.dropped[OTLOG_DROP_SPOOL_FULL] += taken->records;
		spool->in_flight_records -= taken->records;
		taken->records = 0;
	}
}

void
otlog__spool_close(otlog__spool *spool)
{
	pthread_mutex_lock(&spool->appending);
	pthread_mutex_lock(&spool->reading);
	pthread_mutex_lock(&spool->mutex);
	int folder = spool->folder;
	bool empty = !spool->first;
	spool->closed = true;
	spool->folder = -1;
	give_up_dropped(spool);
	for (otlog__spooled *segment = spool->first; segment; segment = segment->next)
		otlog__spool_segment_close(&segment->file);
	pthread_mutex_unlock(&spool->mutex);
	if (folder >= 0)
		close(folder);
	if (folder >= 0 && empty) { /* it stays if another pipeline has something in it */
		char name[OTLOG__QUEUE_NAME_MAX + 8];
		snprintf(name, sizeof name, "%s.spool", spool->name);
		unlinkat(spool->options.directory, name, AT_REMOVEDIR);
	}
	pthread_mutex_unlock(&spool->reading);
	pthread_mutex_unlock(&spool->appending);
}

static void
free_segment(otlog__spooled *segment)
{
	otlog__spool_segment_close(&segment->file);
	free(segment);
}

void
otlog__spool_free(otlog__spool *spool)
{
	if (!spool)
		return;
	otlog__spool_flight *flight = &spool->flight;
	while (flight->count) {
		otlog__spool_taken taken;
		otlog__spool_flight_pop(flight, flight->taken[flight->first].number, &taken);
		otlog__spooled *segment = taken.segment;
		if (--segment->holders == 0)
			free_segment(segment);
	}
	while (spool->first) {
		otlog__spooled *segment = spool->first;
		spool->first = segment->next;
		free_segment(segment);
	}
	if (spool->folder >= 0)
		close(spool->folder);
	otlog__spool_flight_free(flight);
	free(spool->name);
	free(spool->pipeline_name);
	free(spool);
}
