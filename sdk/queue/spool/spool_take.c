/* Emptying a spool: entries out, and their end. Everything here runs under the spool's `reading`. */
#include "sdk/queue/spool/spool_state.h"

#include <errno.h>

/* One look at a segment. */
typedef struct look {
	otlog__spooled *segment; /* held */
	otlog__spool_range range;
	otlog__spool_cursor cursor;
	otlog__spool_step step;
	otlog__spool_entry entry;
	uint64_t damaged; /* records passed over */
} look;

/* Chooses the oldest segment that has something. False: there is none, or memory is short. */
static bool
begin(otlog__spool *spool, look *at)
{
	pthread_mutex_lock(&spool->mutex);
	otlog__spooled *segment = spool->closed ? NULL : spool->first;
	while (segment && segment->records == 0)
		segment = segment->next;
	bool found = segment && otlog__spool_flight_reserve(&spool->flight);
	if (found) {
		segment->holders++;
		*at = (look){ .segment = segment, .cursor = segment->cursor, .step = OTLOG__SPOOL_LATER };
		bool open = otlog__spool_segment_open(&segment->file, spool->folder, true);
		/* Somebody has removed it: all in it is lost. Any other trouble may pass. */
		if (!open && errno == ENOENT)
			at->step = OTLOG__SPOOL_END;
		at->range = (otlog__spool_range){ .fd = segment->file.fd,
			                          .salt = segment->file.salt,
			                          .first = segment->file.first,
			                          .limit = segment->next_number,
			                          .end = segment->end };
	}
	pthread_mutex_unlock(&spool->mutex);
	return found;
}

/* Under the mutex. What was read is now in flight, what could not be read is damaged. */
static void
account(otlog__spool *spool, look *at)
{
	otlog__spooled *segment = at->segment;
	uint64_t left = segment->records;
	/* More records than were appended: the entry is not ours, and with it the books would not balance. */
	if (at->step == OTLOG__SPOOL_ENTRY && at->damaged + at->entry.records > left)
		at->step = OTLOG__SPOOL_END;
	segment->cursor = at->cursor;
	if (at->step == OTLOG__SPOOL_END && segment->end == at->range.end) { /* else more has come meanwhile */
		at->damaged = left;
		segment->cursor = (otlog__spool_cursor){ .position = segment->end, .number = segment->next_number };
	}
	if (at->damaged > left)
		at->damaged = left;
	spool->books.dropped[OTLOG_DROP_DAMAGED] += at->damaged;
	segment->records -= at->damaged;
	if (at->step != OTLOG__SPOOL_ENTRY)
		return;
	segment->records -= at->entry.records;
	segment->in_flight++;
	segment->holders++;
	spool->in_flight_records += at->entry.records;
	otlog__spool_flight_push(&spool->flight, &(otlog__spool_taken){ .segment = segment,
	                                                                .number = at->entry.number,
	                                                                .records = at->entry.records,
	                                                                .behind = at->cursor });
}

/* Returns whether the entry is the caller's. One whose segment was dropped meanwhile was counted by that. */
static bool
settle(otlog__spool *spool, look *at)
{
	otlog__spooled *garbage = NULL;
	pthread_mutex_lock(&spool->mutex);
	bool listed = at->segment->listed;
	if (listed)
		account(spool, at);
	if (otlog__spooled_is_over(at->segment))
		otlog__spool_unlist(spool, at->segment, &garbage);
	pthread_mutex_unlock(&spool->mutex);
	otlog__spool_bury(spool, garbage);
	otlog__spool_release(spool, at->segment);
	return listed && at->step == OTLOG__SPOOL_ENTRY;
}

uint32_t
otlog__spool_take(otlog__spool *spool, otlog__buffer *out, uint64_t *number)
{
	uint32_t records = 0;
	look at;
	pthread_mutex_lock(&spool->reading);
	while (!records && begin(spool, &at)) {
		if (at.range.fd >= 0)
			at.step = otlog__spool_next_entry(&at.range, &at.cursor, out, &at.entry, &at.damaged);
		bool later = at.step == OTLOG__SPOOL_LATER;
		if (settle(spool, &at)) {
			records = at.entry.records;
			*number = at.entry.number;
		}
		if (later)
			break;
	}
	pthread_mutex_unlock(&spool->reading);
	return records;
}

/* Under the mutex. */
static void
count_end(otlog__spool *spool, uint32_t records, const otlog__batch_end *end)
{
	uint64_t left = records;
	for (size_t i = 0; i < OTLOG_DROP_REASON_COUNT; i++) {
		uint64_t dropped = end->dropped[i] < left ? end->dropped[i] : left;
		spool->books.dropped[i] += dropped;
		left -= dropped;
	}
	spool->books.delivered += left;
	spool->in_flight_records -= records;
}

void
otlog__spool_finish(otlog__spool *spool, uint64_t number, const otlog__batch_end *end)
{
	otlog__spool_taken taken;
	otlog__spooled *garbage = NULL;
	pthread_mutex_lock(&spool->reading);
	pthread_mutex_lock(&spool->mutex);
	bool found = otlog__spool_flight_pop(&spool->flight, number, &taken);
	bool mark = false;
	otlog__spooled *segment = found ? taken.segment : NULL;
	if (found) {
		count_end(spool, taken.records, end);
		segment->in_flight--;
		if (!spool->closed && otlog__spooled_is_over(segment))
			otlog__spool_unlist(spool, segment, &garbage);
		mark = segment->listed;
	}
	pthread_mutex_unlock(&spool->mutex);
	if (mark)
		otlog__spool_segment_set_done(&segment->file, &taken.behind);
	otlog__spool_bury(spool, garbage);
	if (found)
		otlog__spool_release(spool, segment);
	pthread_mutex_unlock(&spool->reading);
}
