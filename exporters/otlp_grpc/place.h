/* The places where calls run: as many as there may be at once. And how a cancel reaches those that do. */
#ifndef OTLOG_EXPORTERS_OTLP_GRPC_PLACE_H
#define OTLOG_EXPORTERS_OTLP_GRPC_PLACE_H

#include <grpc/grpc.h>

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#define OTLOG__GRPC_PLACES_MAX 64u

typedef struct otlog__grpc_place {
	grpc_completion_queue *queue;
	grpc_metadata *metadata; /* of each call: an array of its own, because gRPC writes into it */
	grpc_call *running;      /* what a cancel ends; NULL: nothing */
	bool taken;
} otlog__grpc_place;

typedef struct otlog__grpc_places {
	pthread_mutex_t lock; /* guards `cancelled`, `running` and `taken`; held for moments only */
	bool cancelled;       /* it never goes back */
	size_t count;
	size_t metadata_count;
	otlog__grpc_place items[OTLOG__GRPC_PLACES_MAX];
} otlog__grpc_places;

/* Fills places that are {0}, with copies of the metadata. False when memory is short; destroy them then too. */
bool otlog__grpc_places_create(otlog__grpc_places *places, size_t count, const grpc_metadata *metadata,
                               size_t metadata_count);

/* No call runs any more. */
void otlog__grpc_places_destroy(otlog__grpc_places *places);

/* A free place for the caller alone, or NULL: *cancelled tells whether that is why. */
otlog__grpc_place *otlog__grpc_place_take(otlog__grpc_places *places, bool *cancelled);
void otlog__grpc_place_give(otlog__grpc_places *places, otlog__grpc_place *place);

/* From here on a cancel reaches the call. False: it has come before, and the call must not start. */
bool otlog__grpc_place_publish(otlog__grpc_places *places, otlog__grpc_place *place, grpc_call *call);

/* From here on it does not, and the call may be freed. Returns whether one has come. */
bool otlog__grpc_place_withdraw(otlog__grpc_places *places, otlog__grpc_place *place);

/* Ends the calls that run; no place is given out any more. */
void otlog__grpc_places_cancel(otlog__grpc_places *places);

#endif
