#include "sdk/queue/spool/spool_flight.h"

#include <stdlib.h>

bool
otlog__spool_flight_reserve(otlog__spool_flight *flight)
{
	if (flight->count < flight->capacity)
		return true;
	size_t capacity = flight->capacity ? flight->capacity * 2 : 8;
	otlog__spool_taken *taken = calloc(capacity, sizeof *taken);
	if (!taken)
		return false;
	for (size_t i = 0; i < flight->count; i++)
		taken[i] = flight->taken[(flight->first + i) & (flight->capacity - 1)];
	free(flight->taken);
	flight->taken = taken;
	flight->capacity = capacity;
	flight->first = 0;
	return true;
}

void
otlog__spool_flight_push(otlog__spool_flight *flight, const otlog__spool_taken *taken)
{
	flight->taken[(flight->first + flight->count++) & (flight->capacity - 1)] = *taken;
}

bool
otlog__spool_flight_pop(otlog__spool_flight *flight, uint64_t number, otlog__spool_taken *taken)
{
	if (flight->count == 0 || flight->taken[flight->first].number != number)
		return false;
	*taken = flight->taken[flight->first];
	flight->first = (flight->first + 1) & (flight->capacity - 1);
	flight->count--;
	return true;
}

void
otlog__spool_flight_free(otlog__spool_flight *flight)
{
	free(flight->taken);
	*flight = (otlog__spool_flight){ 0 };
}
