/*
 * The list of what was taken over, and who may touch what of it.
 *
 *   pipeline's mutex   what belongs to that pipeline, in every file; held while its batch is read
 *   telling            its counts, for who asks; inside the pipeline's mutex, and never held while a file is used
 *   list's mutex       the links, and `open` of a file; inside a pipeline's mutex
 *
 * A file goes when its last pipeline is done with it: nobody else can then be inside.
 */
#include "sdk/queue/recovery/backlog.h"

#include "sdk/base/clock.h"
#include "sdk/base/process/diagnostics.h"
#include "sdk/queue/recovery/adopted.h"
#include "sdk/queue/directory.h"
#include "sdk/queue/recovery/litter.h"
#include "sdk/queue/file_names.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_FILES 16u /* open at once; the others wait for the next look */

typedef struct backlog_pipeline {
	_Alignas(64) pthread_mutex_t mutex;
	pthread_mutex_t telling;
	_Atomic uint64_t waiting;   /* writer: who holds `telling` */
	uint64_t in_flight;         /* records; this and the rest under `telling` */
	otlog__backlog_books books; /* all but adopted and queued */
} backlog_pipeline;

struct otlog__backlog {
	otlog__adopter adopter;
	char *path;
	char **names;
	backlog_pipeline *pipelines;
	pthread_mutex_t mutex;
	otlog__adopted *files; /* by age, the oldest first */
	uint32_t file_count;
	uint64_t *left_alone; /* hashes of names */
	size_t left_alone_count;
	bool closed; /* under every mutex */
};

otlog__backlog *
otlog__backlog_create(const otlog__backlog_options *options)
{
	otlog__backlog *backlog = calloc(1, sizeof *backlog);
	const uint32_t count = options->pipeline_count;
	if (!backlog)
		return NULL;
	pthread_mutex_init(&backlog->mutex, NULL); /* without attributes it cannot fail */
	backlog->path = strdup(options->directory);
	backlog->names = calloc(count ? count : 1, sizeof *backlog->names);
	backlog->pipelines = aligned_alloc(64, (count ? count : 1) * sizeof *backlog->pipelines);
	backlog->adopter = (otlog__adopter){ .directory = -1, .path = backlog->path };
	bool done = backlog->path && backlog->names && backlog->pipelines;
	for (uint32_t p = 0; p < count && done; p++) {
		memset(&backlog->pipelines[p], 0, sizeof backlog->pipelines[p]);
		pthread_mutex_init(&backlog->pipelines[p].mutex, NULL);
		pthread_mutex_init(&backlog->pipelines[p].telling, NULL);
		backlog->adopter.pipeline_count = p + 1;
		backlog->names[p] = strdup(options->pipelines[p] ? options->pipelines[p] : "");
		done = backlog->names[p] != NULL;
	}
	backlog->adopter.pipelines = (const char *const *)backlog->names;
	if (done)
		return backlog;
	otlog__backlog_free(backlog);
	return NULL;
}

/* ---- Looking ----------------------------------------------------------------------------------------------------- */

static uint64_t
hash_of(const char *name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
	return hash;
}

static bool
is_left_alone(otlog__backlog *backlog, const char *name)
{
	const uint64_t hash = hash_of(name);
	bool found = false;
	pthread_mutex_lock(&backlog->mutex);
	for (size_t i = 0; i < backlog->left_alone_count && !found; i++)
		found = backlog->left_alone[i] == hash;
	pthread_mutex_unlock(&backlog->mutex);
	return found;
}

static void
leave_alone(otlog__backlog *backlog, const char *name)
{
	pthread_mutex_lock(&backlog->mutex);
	size_t count = backlog->left_alone_count;
	uint64_t *more = realloc(backlog->left_alone, (count + 1) * sizeof *more);
	if (more) { /* else it is looked at again */
		more[count] = hash_of(name);
		backlog->left_alone = more;
		backlog->left_alone_count = count + 1;
	}
	pthread_mutex_unlock(&backlog->mutex);
}

/* Puts it behind those that are older. Under the list's mutex. */
static void
insert(otlog__backlog *backlog, otlog__adopted *file)
{
	otlog__adopted **at = &backlog->files;
	while (*at && (*at)->image.header.created_unix_nano <= file->image.header.created_unix_nano)
		at = &(*at)->next;
	file->next = *at;
	*at = file;
	backlog->file_count++;
}

/* Takes it out of the list. Under the list's mutex. */
static void
take_out(otlog__backlog *backlog, otlog__adopted *file)
{
	otlog__adopted **at = &backlog->files;
	while (*at != file)
		at = &(*at)->next;
	*at = file->next;
	backlog->file_count--;
}

/* Whether the pipeline has nothing more to do with the file. Under its mutex, or before others know the file. */
static bool
is_done(const otlog__adopted *file, uint32_t pipeline)
{
	const otlog__adopted_pipeline *own = &file->pipelines[pipeline];
	return own->waiting == 0 && own->in_flight == 0;
}

static void
note_damaged(backlog_pipeline *pipeline, uint64_t records)
{
	pthread_mutex_lock(&pipeline->telling);
	pipeline->books.dropped[OTLOG_DROP_DAMAGED] += records;
	pthread_mutex_unlock(&pipeline->telling);
}

/* Enters a file that was just taken over. Returns whether there is something to deliver. */
static bool
enter(otlog__backlog *backlog, otlog__adopted *file)
{
	const uint32_t count = backlog->adopter.pipeline_count;
	for (uint32_t p = 0; p < count; p++) {
		backlog_pipeline *pipeline = &backlog->pipelines[p];
		uint64_t damaged = 0;
		otlog__adopted_settle(file, p, &damaged); /* nobody knows the file yet */
		note_damaged(pipeline, damaged);
		file->pipelines[p].done = is_done(file, p);
		file->open += !file->pipelines[p].done;
	}
	if (file->open == 0) {
		if (otlog__adopted_give_back(file, true))
			leave_alone(backlog, file->name);
		otlog__adopted_free(file);
		return false;
	}
	for (uint32_t p = 0; p < count; p++) {
		pthread_mutex_lock(&backlog->pipelines[p].telling);
		/* Relaxed: a count; the file is found under the list's mutex. */
		atomic_fetch_add_explicit(&backlog->pipelines[p].waiting, file->pipelines[p].waiting,
		                          memory_order_relaxed);
		pthread_mutex_unlock(&backlog->pipelines[p].telling);
	}
	pthread_mutex_lock(&backlog->mutex);
	insert(backlog, file);
	pthread_mutex_unlock(&backlog->mutex);
	return true;
}

static uint32_t
count_files(otlog__backlog *backlog)
{
	pthread_mutex_lock(&backlog->mutex);
	uint32_t count = backlog->file_count;
	pthread_mutex_unlock(&backlog->mutex);
	return count;
}

typedef struct look {
	otlog__backlog *backlog;
	bool found;
} look;

static void
look_at(void *user, const char *file)
{
	look *self = user;
	otlog__backlog *backlog = self->backlog;
	char name[OTLOG__QUEUE_NAME_MAX];
	otlog__adopted *adopted = NULL;
	otlog__litter_remove(backlog->adopter.directory, file);
	if (!otlog__queue_name_of(file, ".queue", name) || otlog__names_has(name) || is_left_alone(backlog, name) ||
	    count_files(backlog) >= MOST_FILES)
		return;
	switch (otlog__adopt(&backlog->adopter, name, &adopted)) {
	case OTLOG__ADOPTED:
		self->found |= enter(backlog, adopted);
		break;
	case OTLOG__LEAVE_ALONE:
		leave_alone(backlog, name);
		break;
	case OTLOG__NOT_ADOPTED:
		break;
	}
}

bool
otlog__backlog_look(otlog__backlog *backlog)
{
	otlog__directory_trouble trouble;
	look self = { .backlog = backlog };
	if (backlog->closed || backlog->adopter.pipeline_count == 0)
		return false;
	if (backlog->adopter.directory < 0)
		backlog->adopter.directory = otlog__directory_open(backlog->path, false, &trouble);
	if (backlog->adopter.directory < 0)
		return false; /* the queue says why, when it is opened */
	if (!otlog__directory_visit(backlog->adopter.directory, look_at, &self))
		otlog__diagnose(OTLOG__WARN,
		                "queue directory %s cannot be read (%s): what dead processes have left there is not "
		                "delivered; make it readable for this user",
		                backlog->path, strerror(errno));
	return self.found;
}

/* ---- Delivering -------------------------------------------------------------------------------------------------- */

/* The oldest file with something for the pipeline, whose mutex is held. */
static otlog__adopted *
find_waiting(otlog__backlog *backlog, uint32_t pipeline)
{
	pthread_mutex_lock(&backlog->mutex);
	otlog__adopted *file = backlog->files;
	while (file && file->pipelines[pipeline].waiting == 0)
		file = file->next;
	pthread_mutex_unlock(&backlog->mutex);
	return file;
}

/* Something of the pipeline has ended in the file. The pipeline's mutex is held. */
static void
end_if_done(otlog__backlog *backlog, otlog__adopted *file, uint32_t pipeline)
{
	otlog__adopted_pipeline *own = &file->pipelines[pipeline];
	if (own->done || !is_done(file, pipeline))
		return;
	own->done = true;
	pthread_mutex_lock(&backlog->mutex);
	bool last = --file->open == 0;
	if (last)
		take_out(backlog, file);
	pthread_mutex_unlock(&backlog->mutex);
	if (!last)
		return;
	if (otlog__adopted_give_back(file, true))
		leave_alone(backlog, file->name);
	otlog__adopted_free(file);
}

/* What a look for a batch has changed in the file's own counts, all at once. */
static void
take_over_counts(backlog_pipeline *self, otlog__adopted_pipeline *own, uint64_t waiting_before, uint32_t taken,
                 uint64_t damaged)
{
	pthread_mutex_lock(&self->telling);
	self->books.dropped[OTLOG_DROP_DAMAGED] += own->damaged_in_spool + damaged;
	self->in_flight += taken;
	atomic_fetch_sub_explicit(&self->waiting, waiting_before - own->waiting, memory_order_relaxed); /* a count */
	pthread_mutex_unlock(&self->telling);
	own->damaged_in_spool = 0;
}

uint32_t
otlog__backlog_take(otlog__backlog *backlog, uint32_t pipeline, uint32_t max_records, size_t max_bytes,
                    otlog__backlog_batch *batch)
{
	if (pipeline >= backlog->adopter.pipeline_count || max_records == 0)
		return 0;
	backlog_pipeline *self = &backlog->pipelines[pipeline];
	otlog__adopted *file;
	batch->records = 0;
	pthread_mutex_lock(&self->mutex);
	while (batch->records == 0 && !backlog->closed && (file = find_waiting(backlog, pipeline))) {
		otlog__adopted_pipeline *own = &file->pipelines[pipeline];
		uint64_t before = own->waiting, damaged = 0;
		otlog__adopted_take(file, pipeline, max_records, max_bytes, batch);
		bool short_of_memory = batch->records == 0 && own->waiting == before;
		if (batch->records == 0 && !short_of_memory)
			otlog__adopted_settle(file, pipeline, &damaged);
		take_over_counts(self, own, before, batch->records, damaged);
		if (short_of_memory)
			break;
		if (batch->records == 0)
			end_if_done(backlog, file, pipeline);
	}
	pthread_mutex_unlock(&self->mutex);
	return batch->records;
}

static void
note_end(backlog_pipeline *self, uint32_t records, const otlog__batch_end *end, uint64_t damaged)
{
	uint64_t delivered = records;
	pthread_mutex_lock(&self->telling);
	for (uint32_t reason = 0; reason < OTLOG_DROP_REASON_COUNT; reason++) {
		self->books.dropped[reason] += end->dropped[reason];
		delivered -= end->dropped[reason] < delivered ? end->dropped[reason] : delivered;
	}
	self->books.dropped[OTLOG_DROP_DAMAGED] += damaged;
	self->books.delivered += delivered;
	self->in_flight -= records;
	pthread_mutex_unlock(&self->telling);
}

void
otlog__backlog_finish(otlog__backlog *backlog, uint32_t pipeline, const otlog__backlog_batch *batch,
                      const otlog__batch_end *end)
{
	if (pipeline >= backlog->adopter.pipeline_count || batch->records == 0)
		return;
	backlog_pipeline *self = &backlog->pipelines[pipeline];
	pthread_mutex_lock(&self->mutex);
	if (!backlog->closed) {
		uint64_t damaged = 0;
		otlog__adopted_finish(batch->from, pipeline, batch, end, &damaged);
		note_end(self, batch->records, end, damaged);
		end_if_done(backlog, batch->from, pipeline);
	}
	pthread_mutex_unlock(&self->mutex);
}

void
otlog__backlog_batch_free(otlog__backlog_batch *batch)
{
	otlog__buffer_free(&batch->bytes);
	free(batch->memory.refs);
	*batch = (otlog__backlog_batch){ 0 };
}

uint64_t
otlog__backlog_waiting(otlog__backlog *backlog, uint32_t pipeline)
{
	if (pipeline >= backlog->adopter.pipeline_count)
		return 0;
	return atomic_load_explicit(&backlog->pipelines[pipeline].waiting, memory_order_relaxed); /* a count */
}

void
otlog__backlog_take_books(otlog__backlog *backlog, uint32_t pipeline, otlog__backlog_books *books)
{
	memset(books, 0, sizeof *books);
	if (pipeline >= backlog->adopter.pipeline_count)
		return;
	backlog_pipeline *self = &backlog->pipelines[pipeline];
	pthread_mutex_lock(&self->telling);
	*books = self->books;
	books->queued = self->in_flight + otlog__backlog_waiting(backlog, pipeline);
	pthread_mutex_unlock(&self->telling);
	books->adopted = books->queued + books->delivered;
	for (uint32_t reason = 0; reason < OTLOG_DROP_REASON_COUNT; reason++)
		books->adopted += books->dropped[reason];
}

/* ---- The end ----------------------------------------------------------------------------------------------------- */

void
otlog__backlog_close(otlog__backlog *backlog)
{
	const uint32_t count = backlog->adopter.pipeline_count;
	for (uint32_t p = 0; p < count; p++)
		pthread_mutex_lock(&backlog->pipelines[p].mutex);
	pthread_mutex_lock(&backlog->mutex);
	backlog->closed = true;
	for (otlog__adopted *file = backlog->files; file; file = file->next)
		otlog__adopted_give_back(file, false);
	if (backlog->adopter.directory >= 0)
		close(backlog->adopter.directory);
	backlog->adopter.directory = -1;
	pthread_mutex_unlock(&backlog->mutex);
	for (uint32_t p = count; p-- > 0;)
		pthread_mutex_unlock(&backlog->pipelines[p].mutex);
}

void
otlog__backlog_free(otlog__backlog *backlog)
{
	if (!backlog)
		return;
	while (backlog->files) {
		otlog__adopted *file = backlog->files;
		backlog->files = file->next;
		otlog__adopted_free(file);
	}
	if (backlog->adopter.directory >= 0)
		close(backlog->adopter.directory);
	for (uint32_t p = 0; backlog->names && p < backlog->adopter.pipeline_count; p++)
		free(backlog->names[p]);
	free(backlog->names);
	free(backlog->pipelines); /* mutexes are not destroyed: they own no memory, and a child may have them locked */
	free(backlog->left_alone);
	free(backlog->path);
	free(backlog);
}
