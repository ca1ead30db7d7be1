/* What records survive, as code and environment say together: the queue's directory, syncing, the spool. */
#ifndef OTLOG_PROVIDER_STORAGE_H
#define OTLOG_PROVIDER_STORAGE_H

#include "sdk/settings/settings.h"

typedef struct otlog__storage {
	char *directory;             /* NULL: the queue is in memory; durability is NONE then, and there is no spool */
	otlog_durability durability; /* never DEFAULT */
	uint64_t sync_interval_ms;   /* at least 1 */
	uint64_t spool_bytes;        /* of each pipeline; 0: no spool; else at least 1 MiB */
	otlog_spool_full spool_full; /* never DEFAULT */
} otlog__storage;

/*
 * Says what was asked for and cannot be had without a directory, or without something else. False when memory is short; free it in
 * every case.
 */
bool otlog__storage_choose(otlog__storage *storage, const otlog__settings *settings, const otlog_options *options);
/* The same as another. */
bool otlog__storage_copy(otlog__storage *storage, const otlog__storage *from);
void otlog__storage_free(otlog__storage *storage);

#endif
