/* The slots where calls run: as many as there may be at once. And how a cancel reaches those that do. */
#ifndef OTLOG_EXPORTERS_OTLP_GRPC_CALL_SLOT_H
#define OTLOG_EXPORTERS_OTLP_GRPC_CALL_SLOT_H

#include <grpc/grpc.h>

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#define OTLOG__GRPC_SLOTS_MAX 64u

typedef struct otlog__grpc_slot {
	grpc_completion_queue *queue;
	grpc_metadata *metadata; /* of each call: an array of its own, because gRPC writes into it */
	grpc_call *running;      /* what a cancel ends; NULL: nothing */
	bool taken;
} otlog__grpc_slot;

typedef struct otlog__grpc_slots {
	pthread_mutex_t lock; /* guards `cancelled`, `running` and `taken`; held for moments only */
	bool cancelled;       /* it never goes back */
	size_t count;
	size_t metadata_count;
	otlog__grpc_slot items[OTLOG__GRPC_SLOTS_MAX];
} otlog__grpc_slots;

/* Fills slots that are {0}, with copies of the metadata. False when memory is short; destroy them then too. */
bool otlog__grpc_slots_create(otlog__grpc_slots *slots, size_t count, const grpc_metadata *metadata,
                              size_t metadata_count);

/* No call runs any more. */
void otlog__grpc_slots_destroy(otlog__grpc_slots *slots);

/* A free slot for the caller alone, or NULL: *cancelled tells whether that is why. */
otlog__grpc_slot *otlog__grpc_slot_take(otlog__grpc_slots *slots, bool *cancelled);
void otlog__grpc_slot_give(otlog__grpc_slots *slots, otlog__grpc_slot *slot);

/* From here on a cancel reaches the call. False: it has come before, and the call must not start. */
bool otlog__grpc_slot_publish(otlog__grpc_slots *slots, otlog__grpc_slot *slot, grpc_call *call);

/* From here on it does not, and the call may be freed. Returns whether one has come. */
bool otlog__grpc_slot_withdraw(otlog__grpc_slots *slots, otlog__grpc_slot *slot);

/* Ends the calls that run; no slot is given out any more. */
void otlog__grpc_slots_cancel(otlog__grpc_slots *slots);

#endif
