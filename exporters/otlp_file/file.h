/*
 * A file of lines that several threads and processes may write, and that others may rename or remove.
 *
 * Who writes holds the file's flock, then looks whether the path still leads to that file: if not, somebody has rotated
 * it, and the path is opened anew. A lock of fcntl would not do: it belongs to the process, so two exporters of one
 * process would not exclude each other.
 */
#ifndef OTLOG_EXPORTERS_OTLP_FILE_FILE_H
#define OTLOG_EXPORTERS_OTLP_FILE_FILE_H

#include "exporters/otlp_file/rotation.h"
#include "exporters/stream/stream.h"

#include <sys/types.h>

typedef struct otlog__file {
	char *path;
	otlog__rotation rotation;
	bool sync; /* put to disk what is left behind by a rotation */

	otlog__stream stream; /* its fd is -1 while nothing is open */
	bool regular;         /* else a FIFO or a device */
	dev_t device;
	ino_t inode;
	uint64_t born_s; /* when the file began, by the wall clock */
	uint64_t end;    /* where our last line ended */
	bool dirty;      /* written to since the last sync */
	bool lockless;   /* its file system has no locks, which has been said */
} otlog__file;

/* The path is copied; false if memory is short. Opens nothing. */
bool otlog__file_init(otlog__file *file, const char *path, const otlog__rotation *rotation, bool sync);

/*
 * Appends a line, all of it or nothing, opening and rotating as needed. `text` has a newline, then the line with its own
 * newline behind it; the first is only written to end what another writer has left unfinished. Anything in the way makes
 * the verdict RETRY.
 */
void otlog__file_append(otlog__file *file, const uint8_t *text, size_t size, uint64_t deadline_nano,
                        otlog_export_result *result);

/* Waits until the disk has it. False if it has not. */
bool otlog__file_sync(otlog__file *file);

void otlog__file_close(otlog__file *file);

/* Closes and frees; one whose otlog__file_init has failed too. */
void otlog__file_free(otlog__file *file);

#endif
