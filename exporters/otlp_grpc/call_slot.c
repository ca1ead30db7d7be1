#include "exporters/otlp_grpc/call_slot.h"

#include "exporters/otlp_grpc/call.h"

#include <grpc/slice.h>

#include <stdlib.h>

bool
otlog__grpc_slots_create(otlog__grpc_slots *slots, size_t count, const grpc_metadata *metadata, size_t metadata_count)
{
	pthread_mutex_init(&slots->lock, NULL);
	slots->count = count;
	slots->metadata_count = metadata_count;
	for (size_t i = 0; i < count; i++) {
		otlog__grpc_slot *slot = &slots->items[i];
		slot->queue = grpc_completion_queue_create_for_pluck(NULL);
		slot->metadata = calloc(metadata_count + 1, sizeof *slot->metadata);
		if (!slot->metadata)
			return false;
		for (size_t j = 0; j < metadata_count; j++)
			slot->metadata[j] = (grpc_metadata){ .key = grpc_slice_ref(metadata[j].key),
				                             .value = grpc_slice_ref(metadata[j].value) };
	}
	return true;
}

void
otlog__grpc_slots_destroy(otlog__grpc_slots *slots)
{
	for (size_t i = 0; i < slots->count; i++) {
		otlog__grpc_slot *slot = &slots->items[i];
		otlog__grpc_queue_destroy(slot->queue);
		for (size_t j = 0; slot->metadata && j < slots->metadata_count; j++) {
			grpc_slice_unref(slot->metadata[j].key);
			grpc_slice_unref(slot->metadata[j].value);
		}
		free(slot->metadata);
	}
	if (slots->count)
		pthread_mutex_destroy(&slots->lock);
	slots->count = 0;
}

otlog__grpc_slot *
otlog__grpc_slot_take(otlog__grpc_slots *slots, bool *cancelled)
{
	otlog__grpc_slot *slot = NULL;
	pthread_mutex_lock(&slots->lock);
	*cancelled = slots->cancelled;
	for (size_t i = 0; i < slots->count && !*cancelled && !slot; i++)
		if (!slots->items[i].taken)
			slot = &slots->items[i];
	if (slot)
		slot->taken = true;
	pthread_mutex_unlock(&slots->lock);
	return slot;
}

void
otlog__grpc_slot_give(otlog__grpc_slots *slots, otlog__grpc_slot *slot)
{
	pthread_mutex_lock(&slots->lock);
	slot->taken = false;
	pthread_mutex_unlock(&slots->lock);
}

bool
otlog__grpc_slot_publish(otlog__grpc_slots *slots, otlog__grpc_slot *slot, grpc_call *call)
{
	pthread_mutex_lock(&slots->lock);
	bool go = !slots->cancelled;
	if (go)
		slot->running = call;
	pthread_mutex_unlock(&slots->lock);
	return go;
}

bool
otlog__grpc_slot_withdraw(otlog__grpc_slots *slots, otlog__grpc_slot *slot)
{
	pthread_mutex_lock(&slots->lock);
	slot->running = NULL;
	bool cancelled = slots->cancelled;
	pthread_mutex_unlock(&slots->lock);
	return cancelled;
}

void
otlog__grpc_slots_cancel(otlog__grpc_slots *slots)
{
	pthread_mutex_lock(&slots->lock);
	slots->cancelled = true;
	/* Under the lock, so that no call is freed meanwhile. gRPC calls nobody back from here. */
	for (size_t i = 0; i < slots->count; i++)
		if (slots->items[i].running)
			grpc_call_cancel(slots->items[i].running, NULL);
	pthread_mutex_unlock(&slots->lock);
}
