/*
 * One queue of a dead process that this one has taken over: its file with the lock, what its meta says, its spool.
 *
 * Nothing here takes a lock of ours: the backlog lets one thread at a time at what belongs to one pipeline.
 */
#ifndef OTLOG_QUEUE_ADOPTED_H
#define OTLOG_QUEUE_ADOPTED_H

#include "sdk/queue/recovery/backlog.h"
#include "sdk/queue/recovery/image.h"
#include "sdk/queue/meta.h"
#include "sdk/queue/spool/spool_files.h"

/* How far one of our pipelines is in one lane: beyond what is done with, which stands in the lane's reader. */
typedef struct otlog__adopted_lane {
	otlog__image_at at;
	uint64_t lost_counted;
	uint32_t in_flight; /* batches */
} otlog__adopted_lane;

#define OTLOG__NOT_THERE UINT32_MAX

/* One of our pipelines in the file. */
typedef struct otlog__adopted_pipeline {
	uint32_t bit;   /* in the file, or OTLOG__NOT_THERE */
	uint32_t spool; /* index in the spool's files, the same */
	uint32_t next_lane;
	uint32_t in_flight; /* batches */
	uint64_t waiting;   /* records of queue and spool */
	uint64_t damaged_in_spool;
	bool done;
	otlog__adopted_lane *lanes;
} otlog__adopted_pipeline;

/* Who adopts: as otlog__backlog_options. */
typedef struct otlog__adopter {
	int directory;
	const char *path; /* for diagnostics */
	const char *const *pipelines;
	uint32_t pipeline_count;
} otlog__adopter;

typedef struct otlog__adopted {
	struct otlog__adopted *next; /* the backlog's */
	uint32_t open;               /* the backlog's: pipelines that are not done */
	char name[OTLOG__QUEUE_NAME_MAX];
	const otlog__adopter *by;
	int file;  /* -1: given back */
	bool keep; /* something stays that we cannot deliver */
	bool write_failed;
	otlog__image image;
	otlog__image_lane *lanes;
	otlog__meta meta;
	otlog__spool_files *spool;
	otlog__adopted_pipeline *pipelines; /* of the adopter */
} otlog__adopted;

typedef enum otlog__adoption {
	OTLOG__ADOPTED,
	OTLOG__NOT_ADOPTED, /* live, gone, or somebody else was faster: look again some time */
	OTLOG__LEAVE_ALONE  /* nothing of it is for us, which has been said if need be: do not look again */
} otlog__adoption;

/* Tries to take over NAME. */
otlog__adoption otlog__adopt(const otlog__adopter *by, const char *name, otlog__adopted **out);

/* The next batch of the pipeline. 0: none; `waiting` may have become less, by what turned out to be damaged. */
uint32_t otlog__adopted_take(otlog__adopted *file, uint32_t pipeline, uint32_t max_records, size_t max_bytes,
                             otlog__backlog_batch *batch);

/* Enters what became of the batch. `damaged` grows by records that were passed over. */
void otlog__adopted_finish(otlog__adopted *file, uint32_t pipeline, const otlog__backlog_batch *batch,
                           const otlog__batch_end *end, uint64_t *damaged);

/* Nothing waits or is in flight: moves the cursors to the end, and counts what is missing there. */
void otlog__adopted_settle(otlog__adopted *file, uint32_t pipeline, uint64_t *damaged);

/*
 * Removes what is done with, if `done`, and gives the lock back. True: something of it stays, and is not for us.
 */
bool otlog__adopted_give_back(otlog__adopted *file, bool done);

/* Frees the memory only. NULL is allowed. */
void otlog__adopted_free(otlog__adopted *file);

#endif
