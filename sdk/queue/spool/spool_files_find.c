/* Finding the segments of a folder, and what is undone in them. */
#include "sdk/queue/spool/spool_files_state.h"

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

/* ---- Segments ---------------------------------------------------------------------------------------------------- */

/* The pipeline of that name, which is added if need be. NULL when memory is short. */
static otlog__spool_left *
pipeline_of(otlog__spool_files *files, const char *name)
{
	for (uint32_t i = 0; i < files->count; i++)
		if (strcmp(files->pipelines[i].name, name) == 0)
			return &files->pipelines[i];
	otlog__spool_left *grown = realloc(files->pipelines, (files->count + 1) * sizeof *grown);
	if (!grown)
		return NULL;
	files->pipelines = grown;
	otlog__spool_left *added = &grown[files->count++];
	memset(added, 0, sizeof *added);
	snprintf(added->name, sizeof added->name, "%s", name);
	return added;
}

static bool
add_part(otlog__spool_parts *parts, const otlog__spool_part *added)
{
	if (parts->count == parts->capacity) {
		size_t capacity = parts->capacity ? parts->capacity * 2 : 8;
		otlog__spool_part *grown = realloc(parts->items, capacity * sizeof *grown);
		if (!grown)
			return false;
		parts->items = grown;
		parts->capacity = capacity;
	}
	parts->items[parts->count++] = *added;
	return true;
}

/* Closes and removes it. */
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
add_file(otlog__spool_files *files, otlog__spool_part *found)
{
	uint8_t page[OTLOG__SPOOL_PAGE];
	otlog__spool_header header;
	struct stat info;
	if (fstat(found->file.fd, &info) != 0 || !S_ISREG(info.st_mode))
		return true;
	files->segments.bytes += (uint64_t)info.st_size;
	bool readable = otlog__spool_page_read(found->file.fd, page);
	otlog__spool_segment_close(&found->file);
	found->file.end = (uint64_t)info.st_size;
	otlog__spool_header_state state = otlog__spool_page_header(page, &header);
	if (!readable) {
		files->segments.damaged++;
		return true;
	}
	if (state == OTLOG__SPOOL_HEADER_FOREIGN) {
		files->segments.foreign++;
		return true;
	}
	if (state == OTLOG__SPOOL_HEADER_DAMAGED)
		return add_part(&files->strays, found);
	files->segments.readable++;
	found->file.salt = header.salt;
	found->file.first = header.first;
	found->started_unix_nano = header.started_unix_nano;
	found->same_boot = files->boot_id[0] && memcmp(header.boot_id, files->boot_id, sizeof files->boot_id) == 0;
	otlog__spool_page_done(page, header.salt, header.first, &found->cursor, &found->file.generation);
	otlog__spool_left *p = pipeline_of(files, header.pipeline_name);
	return p && add_part(&p->parts, found);
}

/* Whether the stray, which is open, belongs to the chain of that segment. Then what its header said is in *stray. */
static bool
is_of_chain(otlog__spool_part *stray, const otlog__spool_part *of)
{
	otlog__spool_entry first;
	uint8_t page[OTLOG__SPOOL_PAGE];
	if (stray->file.pipeline != of->file.pipeline ||
	    !otlog__spool_first_entry(stray->file.fd, of->file.salt, &first) ||
	    !otlog__spool_page_read(stray->file.fd, page))
		return false;
	stray->file.salt = of->file.salt;
	stray->file.first = first.number;
	stray->started_unix_nano = of->started_unix_nano;
	stray->same_boot = of->same_boot;
	otlog__spool_page_done(page, of->file.salt, first.number, &stray->cursor, &stray->file.generation);
	return true;
}

/* The pipeline whose segment the stray is, by the salt of the others. NULL: that cannot be told. */
static otlog__spool_left *
place_stray(otlog__spool_files *files, otlog__spool_part *stray)
{
	for (uint32_t i = 0; i < files->count; i++) {
		otlog__spool_left *p = &files->pipelines[i];
		for (size_t k = 0; k < p->parts.count; k++) {
			const otlog__spool_part *of = &p->parts.items[k];
			bool same = k > 0 && of->file.salt == p->parts.items[k - 1].file.salt;
			if (!same && is_of_chain(stray, of))
				return p;
		}
	}
	return NULL;
}

static bool
place_strays(otlog__spool_files *files)
{
	for (size_t i = 0; i < files->strays.count; i++) {
		otlog__spool_part *stray = &files->strays.items[i];
		otlog__spool_left *p = NULL;
		if (otlog__spool_segment_open(&stray->file, files->folder, files->adopt))
			p = place_stray(files, stray);
		otlog__spool_segment_close(&stray->file);
		files->segments.readable += p != NULL;
		files->segments.damaged += p == NULL;
		if (p && !add_part(&p->parts, stray))
			return false;
		if (!p && files->adopt)
			remove_file(files, &stray->file);
	}
	return true;
}

/* Looks at one name of the folder. False with errno set if that shall not be passed over. */
static bool
look_at(otlog__spool_files *files, const char *name)
{
	otlog__spool_part found = { 0 };
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
		files->segments.damaged += !serious && errno != ENOENT; /* a live owner may have removed it */
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
	const otlog__spool_part *a = one, *b = other;
	int order = three_way(a->started_unix_nano, b->started_unix_nano);
	order = order ? order : three_way(a->file.salt, b->file.salt);
	order = order ? order : three_way(a->file.first, b->file.first);
	return order ? order : three_way(a->file.number, b->file.number);
}

otlog__spool_range
otlog__spool_part_range(const otlog__spool_part *of)
{
	return (otlog__spool_range){ .fd = of->file.fd,
		                     .salt = of->file.salt,
		                     .first = of->file.first,
		                     .limit = of->limit,
		                     .end = of->file.end };
}

/* Reads the headers of one part from its cursor on. `last`: of its chain. Returns the number expected behind it. */
static uint64_t
count_part(otlog__spool_left *p, otlog__spool_part *at, bool last)
{
	otlog__spool_range range = otlog__spool_part_range(at);
	otlog__spool_cursor cursor = at->cursor;
	otlog__spool_entry entry;
	while (otlog__spool_find_entry(&range, &cursor, &entry)) {
		uint64_t bytes = otlog__spool_entry_bytes(entry.size);
		/* Cut off while it was appended, so that its append never returned. */
		if (last && at->same_boot && cursor.position + sizeof entry + entry.size > at->file.end) {
			at->file.end = cursor.position;
			break;
		}
		p->books.lost_entries += entry.number - cursor.number;
		at->records += entry.records;
		cursor = (otlog__spool_cursor){ .position = cursor.position + bytes, .number = entry.number + 1 };
	}
	/* There is something behind the last one that can be read; no number tells how many it is. */
	if (last && cursor.position < at->file.end && at->file.end - cursor.position >= sizeof entry)
		p->books.lost_entries++;
	p->books.found += at->records;
	return cursor.number;
}

/* The parts first…end - 1 have the same salt. False with errno set: descriptors are short. */
static bool
count_chain(otlog__spool_files *files, otlog__spool_left *p, size_t first, size_t end)
{
	/* Entries are finished in their order: what lies before the last done slot is done, also in an older file. */
	uint64_t expected = 0;
	for (size_t i = first; i < end; i++)
		if (p->parts.items[i].file.generation && p->parts.items[i].cursor.number > expected)
			expected = p->parts.items[i].cursor.number;
	for (size_t i = first; i < end; i++) {
		otlog__spool_part *at = &p->parts.items[i];
		at->limit = i + 1 < end ? p->parts.items[i + 1].file.first : UINT64_MAX;
		if (expected == 0)
			expected = at->cursor.number;
		if (at->file.first > expected && i > first)
			p->books.lost_entries += at->file.first - expected;
		if (at->cursor.number < expected)
			at->cursor.number = expected;
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

void
otlog__spool_files_tidy(const otlog__spool_files *files, otlog__spool_part *at)
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
		otlog__spool_left *p = &files->pipelines[i];
		qsort(p->parts.items, p->parts.count, sizeof *p->parts.items, compare_parts);
		for (size_t first = 0, end; first < p->parts.count; first = end) {
			end = first + 1;
			while (end < p->parts.count && p->parts.items[end].file.salt == p->parts.items[first].file.salt)
				end++;
			if (!count_chain(files, p, first, end))
				return false;
		}
		for (size_t part = 0; part < p->parts.count; part++)
			otlog__spool_files_tidy(files, &p->parts.items[part]);
	}
	return true;
}

bool
otlog__spool_files_find(otlog__spool_files *files)
{
	if (!look_at_all(files))
		return false;
	if (!place_strays(files)) {
		errno = ENOMEM;
		return false;
	}
	return count_all(files);
}
