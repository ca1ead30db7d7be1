/*
 * The files of a dead queue in memory, to be changed as a fault would and put back, and what a loss of power makes of
 * them.
 */
#ifndef TESTS_SUPPORT_QUEUES_DEAD_IMAGE_H
#define TESTS_SUPPORT_QUEUES_DEAD_IMAGE_H

/* What a queue's file looks like: tests change it byte by byte. */
#include "sdk/queue/layout.h"

#include <stdbool.h>

typedef struct dead_image {
	char name[160]; /* of its files, without suffix */
	uint8_t *queue;
	size_t queue_size;
	uint8_t *meta;
	size_t meta_size;
} dead_image;

/* Reads the only queue of the directory. The files stay. */
void dead_image_load(dead_image *image, const char *directory);

/* A copy of its own. */
void dead_image_copy(dead_image *out, const dead_image *image);

/* Writes the files as they are in memory, with the sizes that they have there. */
void dead_image_put(const dead_image *image, const char *directory);

void dead_image_free(dead_image *image);

/* The header, and the same bytes as a control page's struct. */
otlog__queue_header *dead_image_header(dead_image *image);
otlog__lane_page *dead_image_lane(dead_image *image, uint32_t lane);

/* Where the lane's data begin. */
uint8_t *dead_image_data(dead_image *image, uint32_t lane);

/* The header was changed: makes its checksum right again, and the copy the same. */
void dead_image_sign(dead_image *image);

/* As if the machine had been started anew since. */
void dead_image_reboot(dead_image *image);

/* Position of the frame of that number, from the lane's start on; CHECKs that it is there. Lanes that never wrapped. */
uint64_t dead_image_frame(dead_image *image, uint32_t lane, uint32_t seq);

/* What of the queue's file is on the disk when the power goes (disk.h): the rest is as it was synced. Both of one size. */
void dead_image_power_cut(dead_image *out, const dead_image *synced, const dead_image *now, uint64_t *random);

#endif
