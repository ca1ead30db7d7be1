/* Entries of a spool that were taken and are not finished, in the order of taking. {0} is empty. Not thread-safe. */
#ifndef OTLOG_QUEUE_SPOOL_FLIGHT_H
#define OTLOG_QUEUE_SPOOL_FLIGHT_H

#include "sdk/queue/spool/spool_entry.h"

typedef struct otlog__spool_taken {
	void *segment; /* whose it is */
	uint64_t number;
	uint32_t records;
	otlog__spool_cursor behind; /* where it ends */
} otlog__spool_taken;

typedef struct otlog__spool_flight {
	otlog__spool_taken *taken; /* a ring */
	size_t capacity;           /* a power of two */
	size_t first;
	size_t count;
} otlog__spool_flight;

/* Makes room for one more, so that the next push cannot fail. False when memory is short. */
bool otlog__spool_flight_reserve(otlog__spool_flight *flight);

void otlog__spool_flight_push(otlog__spool_flight *flight, const otlog__spool_taken *taken);

/* Takes the first one out if it has that number. */
bool otlog__spool_flight_pop(otlog__spool_flight *flight, uint64_t number, otlog__spool_taken *taken);

void otlog__spool_flight_free(otlog__spool_flight *flight);

#endif
