/*
 * The memory behind a queue: a file NAME.queue mapped shared, or anonymous memory of the same layout.
 *
 * NAME is <service>-<pid>-<random>. The file begins as NAME.new and becomes NAME.queue once all is in it, so nobody who
 * looks through the directory can take it for a dead owner's before it is locked. It is fully allocated and touched before
 * anything is put into it, so that neither a full disk nor a page fault can hit an emitter. It is locked with F_SETLK: such
 * a lock ends with the process, while flock and open-file locks would live on in a forked child. Any close of the file in
 * this process would give the lock up, so a process opens it exactly once.
 */
#ifndef OTLOG_QUEUE_MAPPING_H
#define OTLOG_QUEUE_MAPPING_H

#include "sdk/queue/directory.h"
#include "sdk/queue/layout.h"

#include <stdbool.h>

#define OTLOG__QUEUE_NAME_MAX 128

typedef struct otlog__mapping {
	uint8_t *base;       /* header page and control pages; NULL: nothing is mapped */
	size_t control_size; /* data begins here */
	size_t data_size;    /* 0 once the data is unmapped */
	int directory;       /* descriptors, -1 in memory */
	int file;
	char name[OTLOG__QUEUE_NAME_MAX]; /* without suffix */
} otlog__mapping;

#define OTLOG__NO_MAPPING                   \
	{                                   \
		.directory = -1, .file = -1 \
	}

/*
 * Creates, locks, allocates, maps and touches NAME.new, and claims the name. False: *trouble says why, and nothing is
 * left behind.
 */
bool otlog__mapping_create_file(otlog__mapping *mapping, const char *directory, const char *service_name,
                                uint32_t lanes, uint64_t lane_bytes, otlog__directory_trouble *trouble);

/* The same without a file. Where fork cannot be detected the child gets a copy instead of nothing. */
bool otlog__mapping_create_memory(otlog__mapping *mapping, uint32_t lanes, uint64_t lane_bytes, bool fork_detected);

/* Fills the header page. `flags` as in layout.h. */
void otlog__mapping_write_header(otlog__mapping *mapping, uint32_t lanes, uint64_t lane_bytes, uint32_t pipelines,
                                 uint64_t salt, uint32_t flags);

/* NAME.new becomes NAME.queue. False with errno set. */
bool otlog__mapping_publish(otlog__mapping *mapping);

/* Everything written so far, and the file's name, is on the disk afterwards. False with errno set if not. */
bool otlog__mapping_sync(otlog__mapping *mapping);

/* The same for a file whose name is there already. */
bool otlog__mapping_sync_bytes(otlog__mapping *mapping);

/* Says in the header page that all is as it was synced. Nobody may write to the lanes any more. To be synced again. */
void otlog__mapping_write_seal(otlog__mapping *mapping);

/* Whether NAME.spool is there and holds something. An empty one is removed. */
bool otlog__mapping_has_spool(otlog__mapping *mapping);

/* Removes NAME.new, NAME.queue and NAME.meta. */
void otlog__mapping_remove_files(otlog__mapping *mapping);

/* Gives back the lanes' data; the control pages stay. */
void otlog__mapping_drop_data(otlog__mapping *mapping);

/* Closes the descriptors, which ends the lock, and gives the name up. What is mapped stays mapped. */
void otlog__mapping_close_files(otlog__mapping *mapping);

/* Closes and unmaps everything. In a forked child pass in_child: the addresses may be somebody else's by now. */
void otlog__mapping_free(otlog__mapping *mapping, bool in_child);

/*
 * Whether a file of this process may be written up to `bytes`, be it that long already: past the limit the kernel sends
 * SIGXFSZ, which kills the host.
 */
bool otlog__file_may_grow_to(uint64_t bytes);

#endif
