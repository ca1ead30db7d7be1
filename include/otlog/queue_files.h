/*
 * Queue and spool files, for tools that look into a queue directory (otlog_options.queue_directory): check, list, verify,
 * read.
 *
 * Nothing here needs the SDK to be started, and only the check of a directory takes a lock or changes a file, of its own: a
 * directory may be looked at while live processes write to it, and what is seen of those is of one moment. To deliver what
 * dead processes have left, start the SDK with that directory.
 *
 * Every function is thread-safe, reads files and so may block for the disk, and is not async-signal-safe. Call none in a
 * process that has one of these queues open itself: it skips them.
 */
#ifndef OTLOG_QUEUE_FILES_H
#define OTLOG_QUEUE_FILES_H

#include <otlog/exporter.h>
#include <otlog/sdk.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Whether a queue could be kept there by this process: makes the least one, empty, and removes it again, with the
 * directory if that was not there before. False: what is wrong, and what to do, is said in one diagnostic; or, with errno
 * EINVAL and no diagnostic, the directory is NULL or "".
 */
OTLOG_API bool otlog_queue_directory_check(const char *directory);

typedef enum otlog_queue_file_state {
	OTLOG_QUEUE_FILE_LIVE,    /* a process has it open */
	OTLOG_QUEUE_FILE_WAITING, /* its owner is dead: the next start in this directory delivers it */
	OTLOG_QUEUE_FILE_FOREIGN, /* of another version or architecture: left alone */
	OTLOG_QUEUE_FILE_DAMAGED  /* what it is cannot be made out: left alone */
} otlog_queue_file_state;

/* "live", "waiting", "foreign", "damaged"; a static string. */
OTLOG_API const char *otlog_queue_file_state_text(otlog_queue_file_state state);

/* One queue with its spool. Strings live until the visit's function returns. */
typedef struct otlog_queue_file {
	const char *name; /* of its files, without suffix */
	otlog_queue_file_state state;
	uint64_t bytes;             /* of its files */
	uint64_t created_unix_nano; /* 0: not known */
	uint64_t owner_pid;
	bool trusted;        /* written since the machine started, or synced with checksums */
	uint64_t records;    /* intact ones that some pipeline waits for, in the queue */
	uint64_t spooled;    /* and in the spool */
	uint64_t damaged;    /* records that are lost, as far as their numbers tell */
	const char *problem; /* cause and remedy; "" if there is none */
	size_t pipeline_count;
	const char *pipelines[OTLOG_MAX_PIPELINES]; /* exporters' names */
	uint64_t waiting[OTLOG_MAX_PIPELINES];      /* records for each, queue and spool together */
} otlog_queue_file;

/*
 * Calls the function for every queue in the directory, by name. It reads every frame, so it is a check too. False with
 * errno set if the directory cannot be read.
 */
OTLOG_API bool otlog_queue_files_visit(const char *directory, void (*take)(void *user, const otlog_queue_file *file),
                                       void *user);

/*
 * Calls the function with the batches of one queue that wait for the pipeline, oldest first, spool before queue, until it
 * returns false; NULL for the pipeline: what waits for any. The batch is borrowed; read it with otlog_batch_records.
 * False with errno set if the files cannot be read.
 */
OTLOG_API bool otlog_queue_file_read(const char *directory, const char *name, const char *pipeline,
                                     bool (*take)(void *user, const otlog_batch *batch), void *user);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
