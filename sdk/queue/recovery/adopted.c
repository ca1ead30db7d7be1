#include "sdk/queue/recovery/adopted.h"

#include "sdk/base/process/diagnostics.h"
#include "sdk/base/strings.h"
#include "sdk/queue/directory.h"
#include "sdk/queue/file_names.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef char file_name[OTLOG__QUEUE_NAME_MAX + 8];

static const char *
name_of(file_name out, const char *name, const char *suffix)
{
	snprintf(out, sizeof(file_name), "%s%s", name, suffix);
	return out;
}

/* ---- Taking over ------------------------------------------------------------------------------------------------- */

/* Whether a file that could not be opened may be opened later, because only this process is short of something. */
static bool
is_for_now(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM;
}

/* Opens and locks NAME.queue, whose name is claimed. */
static otlog__adoption
lock_file(const otlog__adopter *by, const char *name, int *out)
{
	file_name queue;
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = otlog__directory_open_file(by->directory, name_of(queue, name, ".queue"), O_RDWR);
	if (fd < 0 && (errno == ENOENT || is_for_now(errno)))
		return OTLOG__NOT_ADOPTED;
	if (fd < 0) {
		otlog__diagnose_always(OTLOG__WARN,
		                       "%s/%s.queue is not delivered (%s): it must be a file of this user with one "
		                       "name, which nobody else may write to; remove it, or put it right",
		                       by->path, name, strerror(errno));
		return OTLOG__LEAVE_ALONE;
	}
	/* Whoever had the lock before us may have removed the file, or given it another name. */
	if (fcntl(fd, F_SETLK, &lock) == 0 && otlog__directory_still_has(by->directory, queue, fd)) {
		*out = fd;
		return OTLOG__ADOPTED;
	}
	close(fd);
	return OTLOG__NOT_ADOPTED;
}

/* False: it is left as it is, and there is no spool either. */
static bool
open_image(otlog__adopted *file)
{
	const char *path = file->by->path;
	switch (otlog__image_open(&file->image, file->file)) {
	case OTLOG__HEADER_SOUND:
		return true;
	case OTLOG__HEADER_FOREIGN:
		otlog__diagnose_always(OTLOG__WARN,
		                       "%s/%s.queue is of another version or architecture and is left as it is; "
		                       "deliver it with the otlog that wrote it, or remove it",
		                       path, file->name);
		file->keep = true;
		return false;
	case OTLOG__HEADER_EMPTY:
		if (file->image.file_bytes)
			otlog__diagnose_always(OTLOG__WARN,
			                       "%s/%s.queue is removed: nothing of it came to the disk before the "
			                       "machine went down. Set OTLOG_DURABILITY=interval or batch to lose less",
			                       path, file->name);
		break;
	default:
		otlog__diagnose_always(OTLOG__ERROR,
		                       "%s/%s.queue cannot be made out (%s) and is left as it is; look after the disk, "
		                       "and remove it",
		                       path, file->name, errno ? strerror(errno) : "damaged");
		file->keep = true;
	}
	file->image.header = (otlog__queue_header){ 0 };
	return true;
}

static bool
read_meta(otlog__adopted *file)
{
	file_name name;
	int fd = otlog__directory_open_file(file->by->directory, name_of(name, file->name, ".meta"), O_RDONLY);
	bool done = (fd >= 0 || !is_for_now(errno)) && otlog__meta_read(&file->meta, fd, file->image.header.salt);
	if (fd >= 0)
		close(fd);
	if (done && file->image.header.lanes && !(file->meta.whole && file->meta.has_resource))
		otlog__diagnose_always(OTLOG__WARN,
		                       "%s/%s.meta is damaged: some records of that queue go out without their "
		                       "resource or their logger's name; look after the disk",
		                       file->by->path, file->name);
	return done;
}

/*
 * Gives the room of empty lanes back to the file system, so that a program which crashes again and again while its
 * destination is away does not fill the disk with them.
 */
static bool
load_lanes(otlog__adopted *file)
{
	const uint32_t lanes = file->image.header.lanes;
	file->lanes = calloc(lanes ? lanes : 1, sizeof *file->lanes);
	for (uint32_t lane = 0; file->lanes && lane < lanes; lane++) {
		if (!otlog__image_load(&file->image, lane, &file->lanes[lane]))
			return false;
		otlog__image_trim(&file->image, lane, &file->lanes[lane]);
	}
	return file->lanes != NULL;
}

/* ---- Matching pipelines ------------------------------------------------------------------------------------------ */

/* How many of the names before this one are the same. */
static uint32_t
ordinal(const char *const *names, uint32_t index)
{
	uint32_t same = 0;
	for (uint32_t i = 0; i < index; i++)
		same += names[i] && strcmp(names[i], names[index]) == 0;
	return same;
}

/* Which of theirs is ours: the same name, and as many of that name before it. One without a name takes nothing over. */
static uint32_t
match(const char *const *ours, uint32_t index, const char *const *theirs, uint32_t count)
{
	for (uint32_t i = 0; i < count && ours[index][0]; i++)
		if (theirs[i] && strcmp(theirs[i], ours[index]) == 0 && ordinal(theirs, i) == ordinal(ours, index))
			return i;
	return OTLOG__NOT_THERE;
}

static uint64_t
waiting_in_lanes(const otlog__adopted *file, uint32_t bit)
{
	uint64_t sum = 0;
	for (uint32_t lane = 0; lane < file->image.header.lanes; lane++)
		sum += file->lanes[lane].readers[bit].waiting;
	return sum;
}

static uint64_t
lost_in_lanes(const otlog__adopted *file, uint32_t bit)
{
	uint64_t sum = 0;
	for (uint32_t lane = 0; lane < file->image.header.lanes; lane++)
		sum += file->lanes[lane].readers[bit].lost;
	return sum;
}

static uint64_t
waiting_in_spool(const otlog__adopted *file, uint32_t index)
{
	otlog__spool_files_books books;
	otlog__spool_files_take_books(file->spool, index, &books);
	return books.waiting;
}

static bool
begin_pipeline(otlog__adopted *file, uint32_t pipeline, const char *const *spools, uint32_t spool_count)
{
	const otlog__queue_header *h = &file->image.header;
	otlog__adopted_pipeline *own = &file->pipelines[pipeline];
	const char *const *names = (const char *const *)file->meta.pipelines;
	bool unnamed = true;
	for (uint32_t p = 0; p < h->pipelines; p++)
		unnamed &= !names[p];
	own->bit = match(file->by->pipelines, pipeline, names, h->pipelines);
	/* A queue whose names are gone is taken for one like ours, if it has as many. */
	if (unnamed && h->pipelines == file->by->pipeline_count && file->by->pipelines[pipeline][0])
		own->bit = pipeline;
	own->spool = match(file->by->pipelines, pipeline, spools, spool_count);
	if (own->spool != OTLOG__NOT_THERE)
		own->waiting += waiting_in_spool(file, own->spool);
	if (own->bit == OTLOG__NOT_THERE)
		return true;
	own->waiting += waiting_in_lanes(file, own->bit);
	own->lanes = calloc(h->lanes, sizeof *own->lanes);
	for (uint32_t lane = 0; own->lanes && lane < h->lanes; lane++)
		own->lanes[lane].at.seq = file->lanes[lane].readers[own->bit].consumed;
	return own->lanes != NULL;
}

static void
say_unknown(otlog__adopted *file, const char *pipeline, uint64_t records)
{
	file->keep = true;
	otlog__diagnose_always(OTLOG__WARN,
	                       "%s/%s: %" PRIu64 " record%s kept for a pipeline \"%s\", which this process does not "
	                       "have. Start one that exports there with this queue directory, or remove the files",
	                       file->by->path, file->name, records, otlog__s(records), pipeline);
}

/* Says what waits for others than us. */
static void
find_unknown(otlog__adopted *file, const char *const *spools, uint32_t spool_count)
{
	uint32_t known = 0, known_spools = 0;
	for (uint32_t p = 0; p < file->by->pipeline_count; p++) {
		const otlog__adopted_pipeline *own = &file->pipelines[p];
		known |= own->bit == OTLOG__NOT_THERE ? 0 : UINT32_C(1) << own->bit;
		known_spools |= own->spool == OTLOG__NOT_THERE ? 0 : UINT32_C(1) << own->spool;
	}
	for (uint32_t bit = 0; bit < file->image.header.pipelines; bit++)
		if (!(known >> bit & 1) && waiting_in_lanes(file, bit))
			say_unknown(file, file->meta.pipelines[bit] ? file->meta.pipelines[bit] : "?",
			            waiting_in_lanes(file, bit));
	for (uint32_t i = 0; i < spool_count; i++)
		if (!(known_spools >> i & 1) && waiting_in_spool(file, i))
			say_unknown(file, spools[i], waiting_in_spool(file, i));
}

static bool
match_pipelines(otlog__adopted *file)
{
	const char *spools[OTLOG_MAX_PIPELINES] = { 0 };
	uint32_t spool_count = file->spool ? otlog__spool_files_pipeline_count(file->spool) : 0;
	if (spool_count > OTLOG_MAX_PIPELINES)
		spool_count = OTLOG_MAX_PIPELINES;
	for (uint32_t i = 0; i < spool_count; i++)
		spools[i] = otlog__spool_files_pipeline_name(file->spool, i);
	file->pipelines = calloc(file->by->pipeline_count, sizeof *file->pipelines);
	if (!file->pipelines)
		return false;
	for (uint32_t p = 0; p < file->by->pipeline_count; p++)
		if (!begin_pipeline(file, p, spools, spool_count))
			return false;
	find_unknown(file, spools, spool_count);
	return true;
}

static void
say_adopted(const otlog__adopted *file)
{
	uint64_t waiting = 0, lost = 0;
	for (uint32_t p = 0; p < file->by->pipeline_count; p++) {
		const otlog__adopted_pipeline *own = &file->pipelines[p];
		uint64_t lost_here = own->bit == OTLOG__NOT_THERE ? 0 : lost_in_lanes(file, own->bit);
		waiting += own->waiting;
		lost = lost_here > lost ? lost_here : lost; /* mostly the same records */
	}
	if (waiting)
		otlog__diagnose_always(OTLOG__INFO,
		                       "%s/%s: %" PRIu64 " record%s of a process that has ended, delivered from now on",
		                       file->by->path, file->name, waiting, otlog__s(waiting));
	if (lost)
		otlog__diagnose_always(
		    OTLOG__WARN, "%s/%s: %" PRIu64 " record%s lost: %s", file->by->path, file->name, lost,
		    otlog__s(lost),
		    otlog__image_is_trusted(&file->image)
			? "the file was damaged. Keep other programs from writing to it, and look after the disk"
			: "the machine went down before they came to the disk. Set OTLOG_DURABILITY=interval or batch");
}

/* Segments that nobody here can read stay, and the queue's files with them. */
static void
keep_foreign(otlog__adopted *file)
{
	otlog__spool_segments segments;
	otlog__spool_files_count_segments(file->spool, &segments);
	if (!segments.foreign)
		return;
	file->keep = true;
	otlog__diagnose_always(OTLOG__WARN,
	                       "%s/%s.spool has files of another version or architecture, which are left as they are; "
	                       "deliver them with the otlog that wrote them, or remove them",
	                       file->by->path, file->name);
}

/* What the numbers of entries tell of and nobody can read. How many records that was is known to nobody either. */
static void
say_lost_in_spool(const otlog__adopted *file)
{
	otlog__spool_segments segments;
	otlog__spool_files_books books;
	uint64_t requests = 0;
	otlog__spool_files_count_segments(file->spool, &segments);
	for (uint32_t i = 0; i < otlog__spool_files_pipeline_count(file->spool); i++) {
		otlog__spool_files_take_books(file->spool, i, &books);
		requests += books.lost_entries;
	}
	if (segments.damaged || requests)
		otlog__diagnose_always(OTLOG__ERROR,
		                       "%s/%s.spool: %" PRIu32 " of its files and %" PRIu64
		                       " of its requests cannot be read, and all records in them are lost; look after "
		                       "the disk, and keep other programs from writing there",
		                       file->by->path, file->name, segments.damaged, requests);
}

/* Reads all about the file that is open and locked. */
static bool
read_all(otlog__adopted *file, bool *leave)
{
	if (!open_image(file)) {
		*leave = true;
		return true;
	}
	file->spool = otlog__spool_files_open(file->by->directory, file->name, true);
	if (!file->spool && is_for_now(errno))
		return false;
	if (!file->spool && errno != ENOENT) {
		otlog__diagnose_always(OTLOG__WARN,
		                       "%s/%s.spool cannot be read (%s) and is left as it is; look after it",
		                       file->by->path, file->name, strerror(errno));
		file->keep = true;
	}
	if (!read_meta(file) || !load_lanes(file) || !match_pipelines(file))
		return false;
	if (file->spool) {
		keep_foreign(file);
		say_lost_in_spool(file);
	}
	return true;
}

otlog__adoption
otlog__adopt(const otlog__adopter *by, const char *name, otlog__adopted **out)
{
	bool leave = false;
	otlog__adopted *file = calloc(1, sizeof *file);
	if (!file || !otlog__names_claim(name)) {
		free(file);
		return OTLOG__NOT_ADOPTED;
	}
	file->by = by;
	file->file = -1;
	snprintf(file->name, sizeof file->name, "%s", name);
	otlog__adoption result = lock_file(by, name, &file->file);
	if (result != OTLOG__ADOPTED) {
		otlog__names_give_up(name);
		free(file);
		return result;
	}
	if (!read_all(file, &leave) || leave) {
		otlog__adopted_give_back(file, false);
		otlog__adopted_free(file);
		return leave ? OTLOG__LEAVE_ALONE : OTLOG__NOT_ADOPTED;
	}
	say_adopted(file);
	*out = file;
	return OTLOG__ADOPTED;
}

/* ---- Taking and finishing ---------------------------------------------------------------------------------------- */

static void
write_reader(otlog__adopted *file, uint32_t lane, uint32_t bit)
{
	if (otlog__image_write_reader(&file->image, lane, bit, &file->lanes[lane].readers[bit]) || file->write_failed)
		return;
	file->write_failed = true;
	otlog__diagnose_always(OTLOG__WARN,
	                       "%s/%s.queue cannot be written (%s): if this process ends early its records are sent "
	                       "again; look after the disk",
	                       file->by->path, file->name, strerror(errno));
}

/* Moves the reader to there; what lies between was delivered, lost, or another's. */
static void
advance(otlog__adopted *file, uint32_t pipeline, uint32_t lane, uint64_t seq, uint64_t position, uint64_t lost,
        uint32_t records)
{
	otlog__adopted_pipeline *own = &file->pipelines[pipeline];
	otlog__image_reader *reader = &file->lanes[lane].readers[own->bit];
	if (seq < reader->consumed || (seq == reader->consumed && reader->cursor == position))
		return;
	uint64_t span = seq - reader->consumed;
	uint64_t newly_lost = lost - own->lanes[lane].lost_counted;
	own->lanes[lane].lost_counted = lost;
	reader->counts[OTLOG__COUNT_DROPPED + OTLOG_DROP_DAMAGED] += newly_lost;
	reader->counts[OTLOG__COUNT_FILTERED] += span > records + newly_lost ? span - records - newly_lost : 0;
	reader->consumed = seq;
	reader->cursor = position;
	write_reader(file, lane, own->bit);
}

/* The lane has nothing more for the pipeline. */
static void
settle_lane(otlog__adopted *file, uint32_t pipeline, uint32_t lane, uint64_t *damaged)
{
	otlog__adopted_pipeline *own = &file->pipelines[pipeline];
	otlog__adopted_lane *progress = &own->lanes[lane];
	const otlog__image_lane *loaded = &file->lanes[lane];
	if (progress->in_flight || loaded->readers[own->bit].waiting)
		return;
	uint64_t lost = progress->at.lost + otlog__image_lost_from(loaded, progress->at.seq);
	*damaged += lost - progress->lost_counted;
	advance(file, pipeline, lane, loaded->end_seq, loaded->end_position, lost, 0);
	progress->lost_counted = lost;
	progress->at.lost = lost;
	progress->at.seq = loaded->end_seq;
	progress->at.run = loaded->run_count;
}

void
otlog__adopted_settle(otlog__adopted *file, uint32_t pipeline, uint64_t *damaged)
{
	if (file->pipelines[pipeline].bit == OTLOG__NOT_THERE)
		return;
	for (uint32_t lane = 0; lane < file->image.header.lanes; lane++)
		settle_lane(file, pipeline, lane, damaged);
}

static uint32_t
take_from_lane(otlog__adopted *file, uint32_t pipeline, uint32_t lane, uint32_t max_records, size_t max_bytes,
               otlog__backlog_batch *batch)
{
	otlog__adopted_pipeline *own = &file->pipelines[pipeline];
	otlog__adopted_lane *progress = &own->lanes[lane];
	otlog__image_reader *reader = &file->lanes[lane].readers[own->bit];
	if (reader->waiting == 0)
		return 0;
	uint32_t records = otlog__image_read(&file->image, lane, &file->lanes[lane], UINT32_C(1) << own->bit,
	                                     &progress->at, max_records, max_bytes, &batch->bytes, &batch->memory);
	if (records == 0 && errno == ENOMEM)
		return 0;
	/* At the end with less than was counted: the rest has gone since, and is counted as lost. */
	uint64_t less = records && records < reader->waiting ? records : reader->waiting;
	reader->waiting -= less;
	own->waiting -= less;
	if (records == 0)
		return 0;
	progress->in_flight++;
	batch->refs = batch->memory.refs;
	batch->resource = file->meta.resource.data;
	batch->resource_size = file->meta.resource.size;
	batch->scopes = file->meta.scopes;
	batch->lane = lane;
	batch->end_seq = progress->at.seq;
	batch->end_position = progress->at.position;
	batch->end_lost = progress->at.lost;
	return records;
}

static uint32_t
take_from_spool(otlog__adopted *file, uint32_t pipeline, otlog__backlog_batch *batch)
{
	otlog__adopted_pipeline *own = &file->pipelines[pipeline];
	otlog__spool_files_books before, after;
	if (own->spool == OTLOG__NOT_THERE || waiting_in_spool(file, own->spool) == 0)
		return 0;
	otlog__spool_files_take_books(file->spool, own->spool, &before);
	uint32_t records = otlog__spool_files_take(file->spool, own->spool, &batch->bytes, &batch->number);
	otlog__spool_files_take_books(file->spool, own->spool, &after);
	uint64_t less = before.waiting - after.waiting;
	own->waiting -= less < own->waiting ? less : own->waiting;
	own->damaged_in_spool += after.damaged - before.damaged;
	batch->lane = OTLOG__NOT_THERE;
	return records;
}

uint32_t
otlog__adopted_take(otlog__adopted *file, uint32_t pipeline, uint32_t max_records, size_t max_bytes,
                    otlog__backlog_batch *batch)
{
	otlog__adopted_pipeline *own = &file->pipelines[pipeline];
	const uint32_t lanes = own->bit == OTLOG__NOT_THERE ? 0 : file->image.header.lanes;
	batch->refs = NULL;
	batch->from = file;
	uint32_t records = take_from_spool(file, pipeline, batch);
	for (uint32_t i = 0; i < lanes && records == 0; i++) {
		records = take_from_lane(file, pipeline, own->next_lane, max_records, max_bytes, batch);
		own->next_lane = (own->next_lane + 1) % lanes;
	}
	own->in_flight += records != 0;
	batch->records = records;
	return records;
}

void
otlog__adopted_finish(otlog__adopted *file, uint32_t pipeline, const otlog__backlog_batch *batch,
                      const otlog__batch_end *end, uint64_t *damaged)
{
	otlog__adopted_pipeline *own = &file->pipelines[pipeline];
	own->in_flight--;
	if (batch->lane == OTLOG__NOT_THERE) {
		otlog__spool_files_finish(file->spool, own->spool, batch->number);
		return;
	}
	otlog__adopted_lane *progress = &own->lanes[batch->lane];
	otlog__image_reader *reader = &file->lanes[batch->lane].readers[own->bit];
	uint32_t delivered = batch->records;
	for (uint32_t reason = 0; reason < OTLOG_DROP_REASON_COUNT; reason++) {
		reader->counts[OTLOG__COUNT_DROPPED + reason] += end->dropped[reason];
		delivered -= end->dropped[reason] < delivered ? end->dropped[reason] : delivered;
	}
	reader->counts[OTLOG__COUNT_DELIVERED] += delivered;
	progress->in_flight--;
	*damaged += batch->end_lost - progress->lost_counted;
	advance(file, pipeline, batch->lane, batch->end_seq, batch->end_position, batch->end_lost, batch->records);
	settle_lane(file, pipeline, batch->lane, damaged);
}

/* ---- Giving back ------------------------------------------------------------------------------------------------- */

static void
remove_files(otlog__adopted *file)
{
	file_name name;
	int directory = file->by->directory;
	if (unlinkat(directory, name_of(name, file->name, ".spool"), AT_REMOVEDIR) != 0 && errno != ENOENT) {
		file->keep = true; /* something in it that we may not touch */
		return;
	}
	/* In this order: a .queue alone would be records without their resource. */
	unlinkat(directory, name_of(name, file->name, ".queue"), 0);
	unlinkat(directory, name_of(name, file->name, ".meta"), 0);
}

bool
otlog__adopted_give_back(otlog__adopted *file, bool done)
{
	if (file->file < 0)
		return file->keep;
	otlog__spool_files_close(file->spool);
	file->spool = NULL;
	if (done && !file->keep)
		remove_files(file);
	close(file->file);
	file->file = -1;
	otlog__names_give_up(file->name);
	return file->keep;
}

void
otlog__adopted_free(otlog__adopted *file)
{
	if (!file)
		return;
	otlog__spool_files_free(file->spool);
	if (file->file >= 0)
		close(file->file); /* in a forked child, which has no lock to lose */
	for (uint32_t lane = 0; file->lanes && lane < file->image.header.lanes; lane++)
		otlog__image_lane_free(&file->lanes[lane]);
	for (uint32_t p = 0; file->pipelines && p < file->by->pipeline_count; p++)
		free(file->pipelines[p].lanes);
	free(file->pipelines);
	free(file->lanes);
	otlog__meta_free(&file->meta);
	free(file);
}
