/* What the spools of a dead process are while they are read, private to sdk/queue/spool/spool_files*.c. */
#ifndef OTLOG_QUEUE_SPOOL_FILES_STATE_H
#define OTLOG_QUEUE_SPOOL_FILES_STATE_H

#include "sdk/queue/mapping.h"
#include "sdk/queue/spool/spool_files.h"
#include "sdk/queue/spool/spool_flight.h"
#include "sdk/queue/spool/spool_segment.h"

/* A segment; its file's end is where reading stops. */
typedef struct otlog__spool_part {
	otlog__spool_segment file;
	uint64_t started_unix_nano;
	uint64_t limit;     /* entries from this number on are not its own */
	uint64_t records;   /* not taken */
	uint32_t in_flight; /* entries */
	bool same_boot;
	bool removed;
	otlog__spool_cursor cursor;
} otlog__spool_part;

/* Segments, in no order at first. */
typedef struct otlog__spool_parts {
	otlog__spool_part *items;
	size_t count;
	size_t capacity;
} otlog__spool_parts;

typedef struct otlog__spool_left {
	char name[sizeof((otlog__spool_header *)0)->pipeline_name];
	otlog__spool_parts parts; /* by chain, then by number */
	size_t at;                /* parts before it are taken */
	otlog__spool_flight flight;
	otlog__spool_files_books books; /* waiting is computed when it is asked for */
} otlog__spool_left;

struct otlog__spool_files {
	int directory;
	int folder;
	bool adopt;
	char name[OTLOG__QUEUE_NAME_MAX + 8]; /* of the folder */
	char boot_id[40];
	otlog__spool_segments segments;
	otlog__spool_left *pipelines;
	uint32_t count;
	otlog__spool_parts strays; /* segments whose header makes no sense, until it is known what they are */
};

/* Finds the segments of the folder, and counts what is undone in them. False with errno set. */
bool otlog__spool_files_find(otlog__spool_files *files);

/* Removes the file of a part that nobody needs any more. */
void otlog__spool_files_tidy(const otlog__spool_files *files, otlog__spool_part *part);

/* The part's file as it is read. */
otlog__spool_range otlog__spool_part_range(const otlog__spool_part *part);

#endif
