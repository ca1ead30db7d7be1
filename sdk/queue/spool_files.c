#include "sdk/queue/spool_files.h"

#include "sdk/queue/header.h"
#include "sdk/queue/mapping.h"
#include "sdk/queue/spool_flight.h"
#include "sdk/queue/spool_segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* A segment; its `end` is where reading stops. */
typedef struct part {
	otlog__spool_segment file;
	uint64_t started_unix_nano;
	uint64_t limit;     /* entries from this number on are not its own */
	uint64_t records;   /* not taken */
	uint32_t in_flight; /* entries */
	bool same_boot;
	bool removed;
	otlog__spool_place place;
} part;

typedef struct pipeline {
	char name[sizeof((otlog__spool_header *)0)->pipeline_name];
	part *parts; /* by chain, then by number */
	size_t count;
	size_t capacity;
	size_t at; /* parts before it are taken */
	otlog__spool_flight flight;
	otlog__spool_files_books books; /* waiting is computed when it is asked for */
} pipeline;

struct otlog__spool_files {
	int directory;
	int folder;
	bool adopt;
	char name[OTLOG__QUEUE_NAME_MAX + 8]; /* of the folder */
	char boot_id[40];
	otlog__spool_files_totals totals;
	pipeline *pipelines;
	uint32_t count;
};

/* ---- Finding the segments ---------------------------------------------------------------------------------------- */

/* The pipeline of that name, which is added if need be. NULL when memory is short. */
static pipeline *
pipeline_of(otlog__spool_files *files, const char *name)
{
	for (uint32_t i = 0; i < files->count; i++)
		if (strcmp(files->pipelines[i].name, name) == 0)
			return &files->pipelines[i];
	pipeline *grown = realloc(files->pipelines, (files->count + 1) * sizeof *grown);
	if (!grown)
		return NULL;
	files->pipelines = grown;
	pipeline *added = &grown[files->count++];
	memset(added, 0, sizeof *added);
	snprintf(added->name, sizeof added->name, "%s", name);
	return added;
}

static bool
add_part(pipeline *p, const part *added)
{
	if (p->count == p->capacity) {
		size_t capacity = p->capacity ? p->capacity * 2 : 8;
		part *grown = realloc(p->parts, capacity * sizeof *grown);
		if (!grown)
			return false;
		p->parts = grown;
		p->capacity = capacity;
	}
	p->parts[p->count++] = *added;
	return true;
}

static void
remove_file(const otlog__spool_files *files, otlog__spool_segment *file)
{
	char name[OTLOG__SPOOL_FILE_MAX];
	otlog__spool_segment_close(file);
	otlog__spool_file_name(name, file->pipeline, file->number);
	unlinkat(files->folder, name, 0);
}

/* Whether it is the name of a segment, or of one that was never finished. */
static bool
parse_name(const char *name, otlog__spool_segment *file, bool *fresh)
{
	char again[OTLOG__SPOOL_FILE_MAX];
	*file = (otlog__spool_segment){ .fd = -1 };
	if (sscanf(name, "%2" SCNu32 "-%10" SCNu32, &file->pipeline, &file->number) != 2)
		return false;
	otlog__spool_file_name(again, file->pipeline, file->number);
	size_t size = strlen(again);
	*fresh = strcmp(name + (strncmp(name, again, size) == 0 ? size : 0), ".new") == 0;
	return *fresh || strcmp(name, again) == 0;
}

/* A file that is open. False: memory is short. */
static bool
add_file(otlog__spool_files *files, part *found)
{
	otlog__spool_header header;
	struct stat info;
	if (fstat(found->file.fd, &info) != 0 || !S_ISREG(info.st_mode))
		return true;
	files->totals.bytes += (uint64_t)info.st_size;
	otlog__spool_header_state state =
	    otlog__spool_header_read(found->file.fd, &header, &found->place, &found->file.generation);
	otlog__spool_segment_close(&found->file);
	switch (state) {
	case OTLOG__SPOOL_HEADER_FOREIGN:
		files->totals.foreign++;
		return true;
	case OTLOG__SPOOL_HEADER_DAMAGED:
		files->totals.damaged++;
		if (files->adopt)
			remove_file(files, &found->file);
		return true;
	case OTLOG__SPOOL_HEADER_UNREADABLE:
		files->totals.damaged++;
		return true;
	case OTLOG__SPOOL_HEADER_OURS:
		break;
	}
	files->totals.segments++;
	found->file.salt = header.salt;
	found->file.first = header.first;
	found->file.end = (uint64_t)info.st_size;
	found->started_unix_nano = header.started_unix_nano;
	found->same_boot = files->boot_id[0] && memcmp(header.boot_id, files->boot_id, sizeof files->boot_id) == 0;
	pipeline *p = pipeline_of(files, header.pipeline_name);
	return p && add_part(p, found);
}

/* Looks at one name of the folder. False with errno set if that shall not be passed over. */
static bool
look_at(otlog__spool_files *files, const char *name)
{
	part found = { 0 };
	bool fresh;
	if (!parse_name(name, &found.file, &fresh))
		return true;
	if (fresh) {
		if (files->adopt)
			unlinkat(files->folder, name, 0);
		return true;
	}
	if (!otlog__spool_segment_open(&found.file, files->folder, files->adopt)) {
		bool serious = errno == EMFILE || errno == ENFILE || errno == ENOMEM;
		files->totals.damaged += !serious && errno != ENOENT; /* a live owner may have removed it */
		return !serious;
	}
	bool added = add_file(files, &found);
	otlog__spool_segment_close(&found.file);
	if (!added)
		errno = ENOMEM;
	return added;
}

static bool
look_at_all(otlog__spool_files *files)
{
	int copy = openat(files->folder, ".", FOLDER_FLAGS);
	DIR *folder = copy < 0 ? NULL : fdopendir(copy);
	if (!folder) {
		int error = errno;
		if (copy >= 0)
			close(copy);
		errno = error;
		return false;
	}
	bool done = true;
	struct dirent *entry;
	errno = 0;
	while (done && (entry = readdir(folder))) {
		done = look_at(files, entry->d_name);
		if (done)
			errno = 0;
	}
	int error = errno;
	closedir(folder);
	errno = error;
	return error == 0;
}

/* ---- What is undone ---------------------------------------------------------------------------------------------- */

static int
three_way(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int
compare_parts(const void *one, const void *other)
{
	const part *a = one, *b = other;
	int order = three_way(a->started_unix_nano, b->started_unix_nano);
	order = order ? order : three_way(a->file.salt, b->file.salt);
	order = order ? order : three_way(a->file.first, b->file.first);
	return order ? order : three_way(a->file.number, b->file.number);
}

static otlog__spool_range
range_of(const part *of)
{
	return (otlog__spool_range){ .fd = of->file.fd,
		                     .salt = of->file.salt,
		                     .first = of->file.first,
		                     .limit = of->limit,
		                     .end = of->file.end };
}

/* Reads the headers of one part from its place on. `last`: of its chain. Returns the number expected behind it. */
static uint64_t
count_part(pipeline *p, part *at, bool last)
{
	otlog__spool_range range = range_of(at);
	otlog__spool_place place = at->place;
	otlog__spool_entry entry;
	while (otlog__spool_find_entry(&range, &place, &entry)) {
		uint64_t bytes = otlog__spool_entry_bytes(entry.size);
		/* Cut off while it was appended, so that its append never returned. */
		if (last && at->same_boot && place.position + sizeof entry + entry.size > at->file.end) {
			at->file.end = place.position;
			break;
		}
		p->books.lost_entries += entry.number - place.number;
		at->records += entry.records;
		place = (otlog__spool_place){ .position = place.position + bytes, .number = entry.number + 1 };
	}
	/* There is something behind the last one that can be read; no number tells how many it is. */
	if (last && place.position < at->file.end && at->file.end - place.position >= sizeof entry)
		p->books.lost_entries++;
	p->books.found += at->records;
	return place.number;
}

/* The parts first…end - 1 have the same salt. False with errno set: descriptors are short. */
static bool
count_chain(otlog__spool_files *files, pipeline *p, size_t first, size_t end)
{
	/* Entries are finished in their order: what lies before the last done slot is done, also in an older file. */
	uint64_t expected = 0;
	for (size_t i = first; i < end; i++)
		if (p->parts[i].file.generation && p->parts[i].place.number > expected)
			expected = p->parts[i].place.number;
	for (size_t i = first; i < end; i++) {
		part *at = &p->parts[i];
		at->limit = i + 1 < end ? p->parts[i + 1].file.first : UINT64_MAX;
		if (expected == 0)
			expected = at->place.number;
		if (at->file.first > expected && i > first)
			p->books.lost_entries += at->file.first - expected;
		if (at->place.number < expected)
			at->place.number = expected;
		if (!otlog__spool_segment_open(&at->file, files->folder, files->adopt)) {
			if (errno != ENOENT)
				return false;
			continue;
		}
		uint64_t behind = count_part(p, at, i + 1 == end);
		expected = behind > expected ? behind : expected;
		otlog__spool_segment_close(&at->file);
	}
	return true;
}

/* Removes the file of a part that nobody needs any more. */
static void
tidy(otlog__spool_files *files, part *at)
{
	if (at->records || at->in_flight || at->removed)
		return;
	if (files->adopt)
		remove_file(files, &at->file);
	otlog__spool_segment_close(&at->file);
	at->removed = true;
}

static bool
count_all(otlog__spool_files *files)
{
	for (uint32_t i = 0; i < files->count; i++) {
		pipeline *p = &files->pipelines[i];
		qsort(p->parts, p->count, sizeof *p->parts, compare_parts);
		for (size_t first = 0, end; first < p->count; first = end) {
			end = first + 1;
			while (end < p->count && p->parts[end].file.salt == p->parts[first].file.salt)
				end++;
			if (!count_chain(files, p, first, end))
				return false;
		}
		for (size_t part = 0; part < p->count; part++)
			tidy(files, &p->parts[part]);
	}
	return true;
}

otlog__spool_files *
otlog__spool_files_open(int directory, const char *name, bool adopt)
{
	otlog__spool_files *files = calloc(1, sizeof *files);
	if (!files) {
		errno = ENOMEM;
		return NULL;
	}
	otlog__boot_id(files->boot_id);
	files->directory = directory;
	files->adopt = adopt;
	snprintf(files->name, sizeof files->name, "%s.spool", name);
	files->folder = openat(directory, files->name, FOLDER_FLAGS);
	if (files->folder >= 0 && look_at_all(files) && count_all(files))
		return files;
	int error = errno;
	otlog__spool_files_free(files);
	errno = error;
	return NULL;
}

/* ---- Handing out ------------------------------------------------------------------------------------------------- */

void
otlog__spool_files_take_totals(const otlog__spool_files *files, otlog__spool_files_totals *totals)
{
	*totals = files->totals;
}

uint32_t
otlog__spool_files_pipeline_count(const otlog__spool_files *files)
{
	return files->count;
}

const char *
otlog__spool_files_pipeline_name(const otlog__spool_files *files, uint32_t index)
{
	return files->pipelines[index].name;
}

void
otlog__spool_files_take_books(const otlog__spool_files *files, uint32_t index, otlog__spool_files_books *books)
{
	*books = files->pipelines[index].books;
	books->waiting = books->found - books->in_flight - books->finished - books->damaged;
}

/* What a part was thought to have and has not. */
static void
give_up(const otlog__spool_files *files, pipeline *p, part *at, uint64_t records, bool gone)
{
	records = records < at->records ? records : at->records;
	at->records -= records;
	/* What vanishes under a mere reader was delivered by its owner. */
	if (gone && !files->adopt)
		p->books.finished += records;
	else
		p->books.damaged += records;
}

/* Takes the next entry of a part. */
static otlog__spool_step
take_from(otlog__spool_files *files, pipeline *p, part *at, otlog__buffer *out, otlog__spool_entry *entry)
{
	if (!otlog__spool_segment_open(&at->file, files->folder, files->adopt)) {
		if (errno != ENOENT)
			return OTLOG__SPOOL_LATER;
		give_up(files, p, at, at->records, true);
		return OTLOG__SPOOL_END;
	}
	otlog__spool_range range = range_of(at);
	uint64_t damaged = 0;
	otlog__spool_step step = otlog__spool_next_entry(&range, &at->place, out, entry, &damaged);
	give_up(files, p, at, damaged, false);
	if (step == OTLOG__SPOOL_ENTRY && entry->records > at->records)
		step = OTLOG__SPOOL_END; /* it was not there when the file was opened */
	if (step == OTLOG__SPOOL_END)
		give_up(files, p, at, at->records, false);
	return step;
}

uint32_t
otlog__spool_files_take(otlog__spool_files *files, uint32_t index, otlog__buffer *out, uint64_t *number)
{
	pipeline *p = &files->pipelines[index];
	otlog__spool_entry entry;
	for (; p->at < p->count; p->at++) {
		part *at = &p->parts[p->at];
		if (at->records) {
			if (!otlog__spool_flight_reserve(&p->flight))
				return 0;
			otlog__spool_step step = take_from(files, p, at, out, &entry);
			if (step == OTLOG__SPOOL_LATER)
				return 0;
			if (step == OTLOG__SPOOL_ENTRY)
				break;
		}
		tidy(files, at);
	}
	if (p->at == p->count)
		return 0;
	part *at = &p->parts[p->at];
	at->records -= entry.records;
	*number = entry.number;
	if (!files->adopt) {
		p->books.finished += entry.records;
		tidy(files, at);
		return entry.records;
	}
	at->in_flight++;
	p->books.in_flight += entry.records;
	otlog__spool_flight_push(
	    &p->flight, &(otlog__spool_taken){
			    .segment = at, .number = entry.number, .records = entry.records, .behind = at->place });
	return entry.records;
}

void
otlog__spool_files_finish(otlog__spool_files *files, uint32_t index, uint64_t number)
{
	pipeline *p = &files->pipelines[index];
	otlog__spool_taken taken;
	if (!otlog__spool_flight_pop(&p->flight, number, &taken))
		return;
	part *at = taken.segment;
	at->in_flight--;
	p->books.in_flight -= taken.records;
	p->books.finished += taken.records;
	if (at->records || at->in_flight)
		otlog__spool_segment_set_done(&at->file, &taken.behind);
	else
		tidy(files, at);
}

void
otlog__spool_files_close(otlog__spool_files *files)
{
	if (files && files->adopt)
		unlinkat(files->directory, files->name, AT_REMOVEDIR); /* refused while anything is in it */
	otlog__spool_files_free(files);
}

void
otlog__spool_files_free(otlog__spool_files *files)
{
	if (!files)
		return;
	for (uint32_t i = 0; i < files->count; i++) {
		pipeline *p = &files->pipelines[i];
		for (size_t k = 0; k < p->count; k++)
			otlog__spool_segment_close(&p->parts[k].file);
		otlog__spool_flight_free(&p->flight);
		free(p->parts);
	}
	free(files->pipelines);
	if (files->folder >= 0)
		close(files->folder);
	free(files);
}
