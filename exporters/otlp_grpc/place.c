#include "exporters/otlp_grpc/place.h"

#include "exporters/otlp_grpc/call.h"

#include <grpc/slice.h>

#include <stdlib.h>

bool
otlog__grpc_places_create(otlog__grpc_places *places, size_t count, const grpc_metadata *metadata,
                          size_t metadata_count)
{
	pthread_mutex_init(&places->lock, NULL);
	places->count = count;
	places->metadata_count = metadata_count;
	for (size_t i = 0; i < count; i++) {
		otlog__grpc_place *place = &places->items[i];
		place->queue = grpc_completion_queue_create_for_pluck(NULL);
		place->metadata = calloc(metadata_count + 1, sizeof *place->metadata);
		if (!place->metadata)
			return false;
		for (size_t j = 0; j < metadata_count; j++)
			place->metadata[j] = (grpc_metadata){ .key = grpc_slice_ref(metadata[j].key),
				                              .value = grpc_slice_ref(metadata[j].value) };
	}
	return true;
}

void
otlog__grpc_places_destroy(otlog__grpc_places *places)
{
	for (size_t i = 0; i < places->count; i++) {
		otlog__grpc_place *place = &places->items[i];
		otlog__grpc_queue_destroy(place->queue);
		for (size_t j = 0; place->metadata && j < places->metadata_count; j++) {
			grpc_slice_unref(place->metadata[j].key);
			grpc_slice_unref(place->metadata[j].value);
		}
		free(place->metadata);
	}
	if (places->count)
		pthread_mutex_destroy(&places->lock);
	places->count = 0;
}

otlog__grpc_place *
otlog__grpc_place_take(otlog__grpc_places *places, bool *cancelled)
{
	otlog__grpc_place *place = NULL;
	pthread_mutex_lock(&places->lock);
	*cancelled = places->cancelled;
	for (size_t i = 0; i < places->count && !*cancelled && !place; i++)
		if (!places->items[i].taken)
			place = &places->items[i];
	if (place)
		place->taken = true;
	pthread_mutex_unlock(&places->lock);
	return place;
}

void
otlog__grpc_place_give(otlog__grpc_places *places, otlog__grpc_place *place)
{
	pthread_mutex_lock(&places->lock);
	place->taken = false;
	pthread_mutex_unlock(&places->lock);
}

bool
otlog__grpc_place_publish(otlog__grpc_places *places, otlog__grpc_place *place, grpc_call *call)
{
	pthread_mutex_lock(&places->lock);
	bool go = !places->cancelled;
	if (go)
		place->running = call;
	pthread_mutex_unlock(&places->lock);
	return go;
}

bool
otlog__grpc_place_withdraw(otlog__grpc_places *places, otlog__grpc_place *place)
{
	pthread_mutex_lock(&places->lock);
	place->running = NULL;
	bool cancelled = places->cancelled;
	pthread_mutex_unlock(&places->lock);
	return cancelled;
}

void
otlog__grpc_places_cancel(otlog__grpc_places *places)
{
	pthread_mutex_lock(&places->lock);
	places->cancelled = true;
	/* Under the lock, so that no call is freed meanwhile. gRPC calls nobody back from here. */
	for (size_t i = 0; i < places->count; i++)
		if (places->items[i].running)
			grpc_call_cancel(places->items[i].running, NULL);
	pthread_mutex_unlock(&places->lock);
}
