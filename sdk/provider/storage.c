#include "sdk/provider/storage.h"

#include "sdk/base/process/diagnostics.h"

#include <stdlib.h>
#include <string.h>

#define LEAST_SPOOL_BYTES (UINT64_C(1) << 20)

/* Durability and a spool need files. */
static void
stay_in_memory(otlog__storage *storage)
{
	bool durable = storage->durability != OTLOG_DURABILITY_NONE;
	if (durable || storage->spool_bytes)
		otlog__diagnose_always(OTLOG__WARN,
		                       "%s%s%s set, but there is no queue directory: the queue stays in memory, and "
		                       "records in it do not survive the process. Set OTLOG_QUEUE_DIR to a directory, "
		                       "or unset what is set",
		                       durable ? "OTLOG_DURABILITY" : "",
		                       durable && storage->spool_bytes ? " and " : "",
		                       !storage->spool_bytes ? " is"
		                       : durable             ? "OTLOG_SPOOL_BYTES are"
		                                             : "OTLOG_SPOOL_BYTES is");
	storage->durability = OTLOG_DURABILITY_NONE;
	storage->spool_bytes = 0;
}

/* What changes something that is not there: somebody thinks it is. */
static void
find_idle(const otlog__storage *storage, const otlog__settings *settings, const otlog_options *options)
{
	bool interval = options->sync_interval_ms || settings->sync_interval_ms != OTLOG__SYNC_INTERVAL_MS;
	bool policy = options->spool_full || settings->spool_full != OTLOG_SPOOL_FULL_DROP_OLDEST;
	if (interval && storage->durability != OTLOG_DURABILITY_INTERVAL)
		otlog__diagnose_always(OTLOG__WARN,
		                       "OTLOG_SYNC_INTERVAL is set, but OTLOG_DURABILITY is not interval: it has no "
		                       "effect. Set OTLOG_DURABILITY=interval, or unset OTLOG_SYNC_INTERVAL");
	if (policy && !storage->spool_bytes)
		otlog__diagnose_always(OTLOG__WARN,
		                       "OTLOG_SPOOL_FULL is set, but OTLOG_SPOOL_BYTES is not: there is no spool. Set "
		                       "OTLOG_SPOOL_BYTES to its size, or unset OTLOG_SPOOL_FULL");
}

bool
otlog__storage_choose(otlog__storage *storage, const otlog__settings *settings, const otlog_options *options)
{
	const char *directory = options->queue_directory ? options->queue_directory : settings->queue_directory;
	*storage = (otlog__storage){
		.durability = options->durability ? options->durability : settings->durability,
		.sync_interval_ms = options->sync_interval_ms ? options->sync_interval_ms : settings->sync_interval_ms,
		.spool_bytes = options->spool_bytes ? options->spool_bytes : settings->spool_bytes,
		.spool_full = options->spool_full ? options->spool_full : settings->spool_full,
	};
	if (storage->spool_bytes && storage->spool_bytes < LEAST_SPOOL_BYTES)
		storage->spool_bytes = LEAST_SPOOL_BYTES;
	find_idle(storage, settings, options);
	if (directory && *directory)
		return (storage->directory = strdup(directory)) != NULL;
	stay_in_memory(storage);
	return true;
}

bool
otlog__storage_copy(otlog__storage *storage, const otlog__storage *from)
{
	*storage = *from;
	storage->directory = from->directory ? strdup(from->directory) : NULL;
	return storage->directory || !from->directory;
}

void
otlog__storage_free(otlog__storage *storage)
{
	free(storage->directory);
	*storage = (otlog__storage){ 0 };
}
