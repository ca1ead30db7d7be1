/*
 * What the spool of this process is, private to sdk/queue/spool/spool*.c.
 *
 * Locks, in the order of taking
 *   appending   one append or sync at a time; held while files are written
 *   reading     one take or finish at a time; held while files are read and done slots written
 *   mutex       everything below that names it; never held while a file is read, written, synced or removed
 *
 * Life of a segment
 *   created by an append → listed → grown by appends while it is the last → read → every entry done with, or dropped as
 *   the oldest: unlisted, its file removed → freed when nobody holds it: a call that uses its file, an entry in flight
 */
#ifndef OTLOG_QUEUE_SPOOL_STATE_H
#define OTLOG_QUEUE_SPOOL_STATE_H

#include "sdk/queue/spool/spool.h"
#include "sdk/queue/spool/spool_flight.h"
#include "sdk/queue/spool/spool_segment.h"

#include <pthread.h>

/* Under the spool's mutex, but for `file`, whose descriptor stays while the segment is held. */
typedef struct otlog__spooled {
	struct otlog__spooled *next;
	otlog__spool_segment file; /* its end: the appender's; its generation: the finisher's */
	uint32_t holders;          /* the list, calls, entries in flight */
	bool listed;
	bool writing;         /* an append is under way */
	bool fresh;           /* its name may not be on the disk. The appender's */
	uint64_t end;         /* position behind what readers may see */
	uint64_t next_number; /* of the entry to come there */
	uint64_t bytes;       /* of the file, what was reserved included */
	uint64_t synced_end;  /* what is on the disk */
	uint64_t records;     /* not taken */
	uint32_t in_flight;   /* entries */
	otlog__spool_cursor cursor;
} otlog__spooled;

struct otlog__spool {
	otlog__spool_options options;
	char *name;
	char *pipeline_name;
	uint64_t segment_bytes;
	pthread_mutex_t appending;
	pthread_mutex_t reading;
	pthread_mutex_t mutex;
	/* The appender's. */
	otlog__spool_header header; /* of the next segment */
	uint64_t next_number;
	bool folder_fresh; /* its name may not be on the disk */
	/* Under the mutex. */
	int folder; /* descriptor; -1: there is none. Not changed while there are segments */
	bool closed;
	otlog__spooled *first; /* oldest */
	otlog__spooled *last;
	otlog__spool_flight flight;
	uint64_t in_flight_records;
	otlog__spool_books books; /* queued and waiting are computed when they are asked for */
};

/* Under the mutex. Whether nothing in the segment is of use any more. */
bool otlog__spooled_is_over(const otlog__spooled *segment);

/* Under the mutex. Takes the segment out of the list and puts it before *garbage, for otlog__spool_bury. */
void otlog__spool_unlist(otlog__spool *spool, otlog__spooled *segment, otlog__spooled **garbage);

/* Without the mutex. Removes the files. */
void otlog__spool_bury(otlog__spool *spool, otlog__spooled *garbage);

/* Without the mutex. Gives back a hold. */
void otlog__spool_release(otlog__spool *spool, otlog__spooled *segment);

/* Under the mutex. Records that no take has handed out. */
uint64_t otlog__spool_waiting(const otlog__spool *spool);

#endif
