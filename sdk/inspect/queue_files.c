/* Looking into a queue directory, for tools: but for the check no lock is taken, no file is changed. */
#include <otlog/queue_files.h>

#include "sdk/base/buffer.h"
#include "sdk/processor/request.h"
#include "sdk/queue/directory.h"
#include "sdk/queue/recovery/image.h"
#include "sdk/queue/recovery/litter.h"
#include "sdk/queue/meta.h"
#include "sdk/queue/file_names.h"
#include "sdk/queue/queue.h"
#include "sdk/queue/spool/spool_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH_RECORDS 512u
#define BATCH_BYTES ((size_t)1 << 20)

const char *
otlog_queue_file_state_text(otlog_queue_file_state state)
{
	switch (state) {
	case OTLOG_QUEUE_FILE_LIVE:
		return "live";
	case OTLOG_QUEUE_FILE_WAITING:
		return "waiting";
	case OTLOG_QUEUE_FILE_FOREIGN:
		return "foreign";
	case OTLOG_QUEUE_FILE_DAMAGED:
		break;
	}
	return "damaged";
}

/* ---- The directory ----------------------------------------------------------------------------------------------- */

bool
otlog_queue_directory_check(const char *directory)
{
	static const char *const pipelines[] = { "check" };
	const otlog__queue_options options = {
		.directory = directory,
		.service_name = "check",
		.bytes = 1, /* the least there is */
		.lanes = 1,
		.pipelines = pipelines,
		.pipeline_count = 1,
	};
	struct stat info;
	if (!directory || !*directory) {
		errno = EINVAL;
		return false;
	}
	bool was_there = stat(directory, &info) == 0;
	otlog__queue *queue = otlog__queue_open(&options);
	bool usable = queue && otlog__queue_in_file(queue);
	otlog__queue_free(queue);
	if (!was_there)
		rmdir(directory); /* to be made by who will own it */
	return usable;
}

/* ---- One queue --------------------------------------------------------------------------------------------------- */

typedef struct looked_at {
	int directory; /* borrowed */
	int file;
	int error; /* errno; the file cannot be read */
	otlog__header_kind kind;
	otlog__image image;
	otlog__image_lane *lanes;
	otlog__sealed_words words[OTLOG__QUEUE_MAX_LANES]; /* before the lanes were read */
	otlog__meta meta;
	otlog__spool_files *spool;
} looked_at;

/* A plain file, whoever's it is. -1 with errno set. */
static int
open_plain(int directory, const char *name, const char *suffix)
{
	char file[OTLOG__QUEUE_NAME_MAX + 8];
	struct stat info;
	snprintf(file, sizeof file, "%s%s", name, suffix);
	int fd = openat(directory, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode))
		return fd;
	if (fd >= 0) {
		close(fd);
		errno = EINVAL;
	}
	return -1;
}

static void
close_queue(looked_at *queue)
{
	for (uint32_t lane = 0; queue->lanes && lane < queue->image.header.lanes; lane++)
		otlog__image_lane_free(&queue->lanes[lane]);
	free(queue->lanes);
	otlog__meta_free(&queue->meta);
	otlog__spool_files_close(queue->spool);
	if (queue->file >= 0)
		close(queue->file);
}

static bool
read_queue(looked_at *queue, const char *name)
{
	int meta = open_plain(queue->directory, name, ".meta");
	bool done = otlog__meta_read(&queue->meta, meta, queue->image.header.salt);
	if (meta >= 0)
		close(meta);
	queue->lanes = calloc(queue->image.header.lanes, sizeof *queue->lanes);
	done = done && queue->lanes;
	for (uint32_t lane = 0; done && lane < queue->image.header.lanes; lane++) {
		queue->words[lane] = otlog__image_words(&queue->image, lane);
		done = otlog__image_load(&queue->image, lane, &queue->lanes[lane]);
	}
	return done;
}

/* False with errno set. Close it in either case. */
static bool
open_queue(looked_at *queue, int directory, const char *name)
{
	*queue = (looked_at){ .directory = directory, .file = open_plain(directory, name, ".queue") };
	if (queue->file < 0)
		return false;
	queue->kind = otlog__image_open(&queue->image, queue->file);
	queue->error = queue->kind == OTLOG__HEADER_DAMAGED ? errno : 0;
	if (queue->kind != OTLOG__HEADER_SOUND)
		queue->image.header = (otlog__queue_header){ 0 };
	if (queue->kind == OTLOG__HEADER_SOUND && !read_queue(queue, name)) {
		errno = ENOMEM;
		return false;
	}
	if (queue->kind != OTLOG__HEADER_FOREIGN)
		queue->spool = otlog__spool_files_open(directory, name, false);
	return true;
}

/* ---- Visiting ---------------------------------------------------------------------------------------------------- */

typedef struct visiting {
	int directory;
	void (*take)(void *user, const otlog_queue_file *file);
	void *user;
} visiting;

/* Whether some process holds the lock. */
static bool
is_locked(int file)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	return fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static size_t
find_pipeline(otlog_queue_file *out, const char *name)
{
	for (size_t i = 0; i < out->pipeline_count; i++)
		if (strcmp(out->pipelines[i], name) == 0)
			return i;
	if (out->pipeline_count == OTLOG_MAX_PIPELINES)
		return OTLOG_MAX_PIPELINES;
	out->pipelines[out->pipeline_count] = name;
	return out->pipeline_count++;
}

static void
describe_lane(const looked_at *queue, uint32_t lane, otlog_queue_file *out)
{
	const otlog__image_lane *loaded = &queue->lanes[lane];
	otlog__sealed_words now = otlog__image_words(&queue->image, lane);
	/* What its owner has overwritten while we read is not lost. */
	bool stood_still = memcmp(&now, &queue->words[lane], sizeof now) == 0;
	uint64_t lost = 0;
	for (uint32_t p = 0; p < queue->image.header.pipelines; p++) {
		lost = loaded->readers[p].lost > lost ? loaded->readers[p].lost : lost;
		out->waiting[p] += loaded->readers[p].waiting;
	}
	out->records += loaded->waiting;
	out->damaged += stood_still ? lost : 0;
}

static void
describe_queue(const looked_at *queue, otlog_queue_file *out)
{
	const otlog__queue_header *h = &queue->image.header;
	out->created_unix_nano = h->created_unix_nano;
	out->owner_pid = h->pid;
	out->trusted = otlog__image_is_trusted(&queue->image) || queue->image.trailer;
	out->pipeline_count = h->pipelines;
	for (uint32_t p = 0; p < h->pipelines; p++)
		out->pipelines[p] = queue->meta.pipelines[p] ? queue->meta.pipelines[p] : "";
	for (uint32_t lane = 0; lane < h->lanes; lane++)
		describe_lane(queue, lane, out);
}

/* Reads every entry of the spool, so that damaged ones are found. */
static bool
describe_spool(const looked_at *queue, otlog_queue_file *out)
{
	otlog__spool_segments segments;
	otlog__buffer request = { 0 };
	bool lost = false;
	otlog__spool_files_count_segments(queue->spool, &segments);
	out->bytes += segments.bytes;
	for (uint32_t i = 0; i < otlog__spool_files_pipeline_count(queue->spool); i++) {
		otlog__spool_files_books books;
		size_t pipeline = find_pipeline(out, otlog__spool_files_pipeline_name(queue->spool, i));
		uint64_t records = 0, number;
		uint32_t taken;
		while ((taken = otlog__spool_files_take(queue->spool, i, &request, &number)))
			records += taken;
		otlog__spool_files_take_books(queue->spool, i, &books);
		out->spooled += records;
		out->damaged += books.damaged;
		lost |= books.lost_entries != 0;
		if (pipeline < OTLOG_MAX_PIPELINES)
			out->waiting[pipeline] += records;
	}
	otlog__buffer_free(&request);
	return !lost && segments.foreign == 0 && segments.damaged == 0;
}

static const char *
problem_of(const looked_at *queue, const otlog_queue_file *out, bool spool_is_whole)
{
	if (queue->error)
		return "the file cannot be read: look after the disk, and after who may read it";
	if (out->state == OTLOG_QUEUE_FILE_FOREIGN)
		return "it is of another version or architecture: deliver it with the otlog that wrote it, or remove "
		       "it";
	if (out->state == OTLOG_QUEUE_FILE_DAMAGED)
		return "its first page makes no sense: nothing in it can be read; look after the disk, and remove it";
	if (queue->kind == OTLOG__HEADER_EMPTY)
		return "nothing of it came to the disk before the machine went down: the next start removes it; set "
		       "OTLOG_DURABILITY=interval or batch to lose less";
	if (!out->trusted && out->damaged)
		return "the machine went down before its records came to the disk: set OTLOG_DURABILITY=interval or "
		       "batch";
	if (out->damaged)
		return "records in it are damaged: keep other programs from writing to it, and look after the disk";
	if (!queue->meta.whole || !queue->meta.has_resource)
		return "its .meta file is damaged: records go out without resource or logger's name; look after the "
		       "disk";
	if (!spool_is_whole)
		return "a part of its spool is missing or of another version: look after the disk";
	return "";
}

static void
describe(const looked_at *queue, const char *name, otlog_queue_file *out)
{
	bool spool_is_whole = true;
	*out = (otlog_queue_file){ .name = name, .bytes = queue->image.file_bytes + queue->meta.bytes };
	out->state = OTLOG_QUEUE_FILE_WAITING;
	if (queue->kind == OTLOG__HEADER_FOREIGN)
		out->state = OTLOG_QUEUE_FILE_FOREIGN;
	else if (queue->kind == OTLOG__HEADER_DAMAGED)
		out->state = OTLOG_QUEUE_FILE_DAMAGED;
	else if (is_locked(queue->file))
		out->state = OTLOG_QUEUE_FILE_LIVE;
	if (queue->kind == OTLOG__HEADER_SOUND)
		describe_queue(queue, out);
	if (queue->spool)
		spool_is_whole = describe_spool(queue, out);
	out->problem = problem_of(queue, out, spool_is_whole);
}

static void
visit_file(void *user, const char *file)
{
	const visiting *self = user;
	char name[OTLOG__QUEUE_NAME_MAX];
	otlog_queue_file out;
	looked_at queue;
	if (!otlog__queue_name_of(file, ".queue", name) || !otlog__names_look(name))
		return;
	if (open_queue(&queue, self->directory, name)) {
		describe(&queue, name, &out);
		self->take(self->user, &out);
	} else if (errno != ENOENT) { /* else it was delivered at this moment */
		out = (otlog_queue_file){ .name = name,
			                  .state = OTLOG_QUEUE_FILE_DAMAGED,
			                  .problem = "the file cannot be read: look after who may read it, and whether "
			                             "it is a file at all" };
		self->take(self->user, &out);
	}
	close_queue(&queue);
	otlog__names_looked(name);
}

/* The directory, or what is used inside it where others may write to it. -1 with errno set. */
static int
open_directory(const char *path)
{
	char inside[32];
	struct stat info;
	int outer = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (outer < 0 || fstat(outer, &info) != 0 || otlog__directory_is_ours(&info))
		return outer;
	snprintf(inside, sizeof inside, "otlog-%lu", (unsigned long)geteuid());
	int inner = openat(outer, inside, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (inner < 0)
		return outer;
	close(outer);
	return inner;
}

bool
otlog_queue_files_visit(const char *directory, void (*take)(void *user, const otlog_queue_file *file), void *user)
{
	if (!directory || !take) {
		errno = EINVAL;
		return false;
	}
	visiting self = { .directory = open_directory(directory), .take = take, .user = user };
	bool done = self.directory >= 0 && otlog__directory_visit(self.directory, visit_file, &self);
	int error = errno;
	if (self.directory >= 0)
		close(self.directory);
	errno = error;
	return done;
}

/* ---- Reading ----------------------------------------------------------------------------------------------------- */

typedef struct batches {
	bool (*take)(void *user, const otlog_batch *batch);
	void *user;
	bool stopped;
	bool no_memory;
} batches;

static void
hand_out(batches *self, const otlog__buffer *request, uint32_t records)
{
	const otlog_batch batch = { .request = request->data, .request_size = request->size, .records = records };
	self->stopped = !self->take(self->user, &batch);
}

static void
read_spool(batches *self, const looked_at *queue, const char *pipeline)
{
	otlog__buffer request = { 0 };
	uint32_t records;
	uint64_t number;
	for (uint32_t i = 0; i < otlog__spool_files_pipeline_count(queue->spool) && !self->stopped; i++) {
		if (pipeline && strcmp(pipeline, otlog__spool_files_pipeline_name(queue->spool, i)) != 0)
			continue;
		while (!self->stopped && (records = otlog__spool_files_take(queue->spool, i, &request, &number)))
			hand_out(self, &request, records);
	}
	otlog__buffer_free(&request);
}

static void
read_lane(batches *self, const looked_at *queue, uint32_t lane, uint32_t mask)
{
	const otlog__image_lane *loaded = &queue->lanes[lane];
	const otlog__request_frame frame = { .resource_head = queue->meta.resource.data,
		                             .resource_head_size = queue->meta.resource.size };
	otlog__buffer bytes = { 0 }, request = { 0 };
	otlog__image_refs refs = { 0 };
	otlog__image_at at = { .seq = UINT64_MAX };
	uint32_t records;
	for (uint32_t p = 0; p < queue->image.header.pipelines; p++)
		if ((mask >> p & 1) && loaded->readers[p].consumed < at.seq)
			at.seq = loaded->readers[p].consumed;
	while (!self->stopped && !self->no_memory &&
	       (records = otlog__image_read(&queue->image, lane, loaded, mask, &at, BATCH_RECORDS, BATCH_BYTES, &bytes,
	                                    &refs))) {
		self->no_memory = !otlog__request_write(queue->meta.scopes, &frame, refs.refs, records, &request);
		if (!self->no_memory)
			hand_out(self, &request, records);
	}
	otlog__buffer_free(&bytes);
	otlog__buffer_free(&request);
	free(refs.refs);
}

static void
read_lanes(batches *self, const looked_at *queue, const char *pipeline)
{
	uint32_t mask = 0;
	for (uint32_t p = 0; p < queue->image.header.pipelines; p++)
		if (!pipeline || (queue->meta.pipelines[p] && strcmp(queue->meta.pipelines[p], pipeline) == 0))
			mask |= UINT32_C(1) << p;
	for (uint32_t lane = 0; lane < queue->image.header.lanes && mask && !self->stopped; lane++)
		read_lane(self, queue, lane, mask);
}

bool
otlog_queue_file_read(const char *directory, const char *name, const char *pipeline,
                      bool (*take)(void *user, const otlog_batch *batch), void *user)
{
	batches self = { .take = take, .user = user };
	looked_at queue = { .file = -1 };
	int folder = -1, error = EINVAL;
	bool looks = false;
	if (!directory || !name || !take || strchr(name, '/') || strlen(name) >= OTLOG__QUEUE_NAME_MAX)
		goto done;
	error = EBUSY; /* this process has it open itself */
	looks = otlog__names_look(name);
	if (!looks)
		goto done;
	folder = open_directory(directory);
	if (folder < 0 || !open_queue(&queue, folder, name)) {
		error = errno;
		goto done;
	}
	error = queue.error;
	if (queue.kind == OTLOG__HEADER_FOREIGN || queue.kind == OTLOG__HEADER_DAMAGED)
		error = error ? error : EINVAL;
	if (queue.spool)
		read_spool(&self, &queue, pipeline);
	read_lanes(&self, &queue, pipeline);
	error = self.no_memory ? ENOMEM : error;
done:
	close_queue(&queue);
	if (looks)
		otlog__names_looked(name);
	if (folder >= 0)
		close(folder);
	errno = error;
	return error == 0;
}
