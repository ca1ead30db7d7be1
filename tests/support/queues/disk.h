/*
 * What a disk holds of a queue directory, in memory, and what a loss of power makes of it: of what was written since the
 * last sync any pages of 4 KiB are there, some only in part, by sectors of 512 bytes; files that have come or gone since
 * may be there or not, and may be shorter.
 */
#ifndef TESTS_SUPPORT_QUEUES_DISK_H
#define TESTS_SUPPORT_QUEUES_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DISK_NAME "image" /* what a queue is called here: who made it has its own name open still */

typedef struct disk_file {
	char path[192]; /* DISK_NAME.queue, DISK_NAME.spool/00-00000001 … */
	uint8_t *bytes;
	size_t size;
	bool named; /* its name is on the disk for certain, its folder's included */
} disk_file;

/* {0} is empty. */
typedef struct disk {
	disk_file *files;
	size_t count;
	bool spool_named; /* the folder of the spool */
} disk;

/* All files of the queue in the directory, as they would be after the machine has been started anew. */
void disk_load(disk *disk, const char *directory, const char *name);

/* Writes them there. */
void disk_put(const disk *disk, const char *directory);

void disk_free(disk *disk);

/*
 * The system was asked to bring a file to the disk, or the names in a folder: that of the queue, or that of its spool. Does
 * the same to *synced, from `now`. `path` is the file's, or "" for the directory, or DISK_NAME ".spool".
 */
void disk_sync(disk *synced, const disk *now, const char *path);

/* The disk when the power goes: `before`, and of what has changed until `after` what *random decides. */
void disk_cut(disk *out, const disk *before, const disk *after, uint64_t *random);

/*
 * The same for the bytes of one file: puts into `out` what of `after` has come to the disk. Half of the pages of 4 KiB have
 * not, a quarter is torn.
 */
void disk_cut_bytes(uint8_t *out, size_t size, const uint8_t *after, size_t after_size, uint64_t *random);

#endif
