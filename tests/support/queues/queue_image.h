/*
 * Reads a queue from its bytes alone, as somebody would who finds the file of a dead process: written from layout.h and
 * meta.h, sharing no code with the readers of sdk/queue.
 */
#ifndef TESTS_SUPPORT_QUEUES_QUEUE_IMAGE_H
#define TESTS_SUPPORT_QUEUES_QUEUE_IMAGE_H

/* What a queue's file looks like: this is its second reader. */
#include "sdk/queue/layout.h"
#include "sdk/queue/queue.h"

#include <stdbool.h>

typedef struct queue_image {
	uint8_t *bytes;
	size_t size; /* 0: not ours to unmap */
	otlog__queue_header header;
} queue_image;

/* Maps the file read-only and checks its header page. */
bool queue_image_open(queue_image *image, const char *path);

/* The same over a queue that lives in this process. */
bool queue_image_of(queue_image *image, otlog__queue *queue);

void queue_image_close(queue_image *image);

otlog__lane_page *queue_image_lane(const queue_image *image, uint32_t lane);

/* One frame, not a skip frame. */
typedef void (*queue_image_visit)(void *user, uint32_t lane, uint64_t position, const otlog__frame *frame,
                                  const uint8_t *record);

/* Visits the frames of a lane from `position` to its tail. Returns how many, or -1 if one of them is no frame. */
int64_t queue_image_walk(const queue_image *image, uint32_t lane, uint64_t position, queue_image_visit visit,
                         void *user);

/* Counts those that have the pipeline's bit, and those that have not. False if one is no frame. */
bool queue_image_count(const queue_image *image, uint32_t lane, uint64_t position, uint32_t pipeline, uint64_t *taken,
                       uint64_t *others);

/* Entries of a .meta file up to the first that does not fit; -1 if even its header does not. */
typedef void (*queue_meta_visit)(void *user, uint16_t kind, uint16_t number, const uint8_t *payload, size_t size);
int queue_meta_walk(const char *path, queue_meta_visit visit, void *user);

#endif
