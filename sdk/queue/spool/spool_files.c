#include "sdk/queue/spool/spool_files_state.h"

#include "sdk/queue/file_header.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

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
	if (files->folder >= 0 && otlog__spool_files_find(files))
		return files;
	int error = errno;
	otlog__spool_files_free(files);
	errno = error;
	return NULL;
}

void
otlog__spool_files_count_segments(const otlog__spool_files *files, otlog__spool_segments *segments)
{
	*segments = files->segments;
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

/* Counts records that the part had when it was opened and that cannot be read. `gone`: its file is. */
static void
give_up(const otlog__spool_files *files, otlog__spool_left *p, otlog__spool_part *at, uint64_t records, bool gone)
{
	records = records < at->records ? records : at->records;
	at->records -= records;
	/* A file that vanishes while we only look at it was removed by its owner, who had delivered what is in it. */
	if (gone && !files->adopt)
		p->books.finished += records;
	else
		p->books.damaged += records;
}

/* Takes the next entry of a part. */
static otlog__spool_step
take_from(otlog__spool_files *files, otlog__spool_left *p, otlog__spool_part *at, otlog__buffer *out,
          otlog__spool_entry *entry)
{
	if (!otlog__spool_segment_open(&at->file, files->folder, files->adopt)) {
		if (errno != ENOENT)
			return OTLOG__SPOOL_LATER;
		give_up(files, p, at, at->records, true);
		return OTLOG__SPOOL_END;
	}
	otlog__spool_range range = otlog__spool_part_range(at);
	uint64_t damaged = 0;
	otlog__spool_step step = otlog__spool_next_entry(&range, &at->cursor, out, entry, &damaged);
	give_up(files, p, at, damaged, false);
	if (step == OTLOG__SPOOL_ENTRY && entry->records > at->records)
		step = OTLOG__SPOOL_END; /* it was not counted when the file was opened */
	if (step == OTLOG__SPOOL_END)
		give_up(files, p, at, at->records, false);
	return step;
}

uint32_t
otlog__spool_files_take(otlog__spool_files *files, uint32_t index, otlog__buffer *out, uint64_t *number)
{
	otlog__spool_left *p = &files->pipelines[index];
	otlog__spool_entry entry;
	for (; p->at < p->parts.count; p->at++) {
		otlog__spool_part *at = &p->parts.items[p->at];
		if (at->records) {
			if (!otlog__spool_flight_reserve(&p->flight))
				return 0;
			otlog__spool_step step = take_from(files, p, at, out, &entry);
			if (step == OTLOG__SPOOL_LATER)
				return 0;
			if (step == OTLOG__SPOOL_ENTRY)
				break;
		}
		otlog__spool_files_tidy(files, at);
	}
	if (p->at == p->parts.count)
		return 0;
	otlog__spool_part *at = &p->parts.items[p->at];
	at->records -= entry.records;
	*number = entry.number;
	if (!files->adopt) {
		p->books.finished += entry.records;
		otlog__spool_files_tidy(files, at);
		return entry.records;
	}
	at->in_flight++;
	p->books.in_flight += entry.records;
	otlog__spool_flight_push(
	    &p->flight, &(otlog__spool_taken){
			    .segment = at, .number = entry.number, .records = entry.records, .behind = at->cursor });
	return entry.records;
}

void
otlog__spool_files_finish(otlog__spool_files *files, uint32_t index, uint64_t number)
{
	otlog__spool_left *p = &files->pipelines[index];
	otlog__spool_taken taken;
	if (!otlog__spool_flight_pop(&p->flight, number, &taken))
		return;
	otlog__spool_part *at = taken.segment;
	at->in_flight--;
	p->books.in_flight -= taken.records;
	p->books.finished += taken.records;
	if (at->records || at->in_flight)
		otlog__spool_segment_set_done(&at->file, &taken.behind);
	else
		otlog__spool_files_tidy(files, at);
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
		otlog__spool_left *p = &files->pipelines[i];
		for (size_t k = 0; k < p->parts.count; k++)
			otlog__spool_segment_close(&p->parts.items[k].file);
		otlog__spool_flight_free(&p->flight);
		free(p->parts.items);
	}
	free(files->strays.items);
	free(files->pipelines);
	if (files->folder >= 0)
		close(files->folder);
	free(files);
}
