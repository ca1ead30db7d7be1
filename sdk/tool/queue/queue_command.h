/*
 * otlog queue: what lies in a queue directory. otlog drain: delivering it.
 *
 *   queue_command.c  the command, ls and check
 *   queue_list.c     copies of what a visit of the directory tells
 *   queue_json.c     a queue as a JSON object
 *   queue_cat.c      the records themselves, through the exporters that write lines
 *   drain_command.c  otlog drain
 */
#ifndef OTLOG_TOOL_QUEUE_QUEUE_COMMAND_H
#define OTLOG_TOOL_QUEUE_QUEUE_COMMAND_H

#include "sdk/tool/common/tool.h"

#include <otlog/queue_files.h>

/* Copies of what a visit shows, which stay when it is over. */
typedef struct otlog__tool_queues {
	otlog_queue_file *items;
	size_t count;
} otlog__tool_queues;

/* Visits the directory. False, with a message on standard error, if it cannot be read. Free it in every case. */
bool otlog__tool_queues_read(const char *command, const char *directory, otlog__tool_queues *queues);
void otlog__tool_queues_free(otlog__tool_queues *queues);

/*
 * Records that wait in queues without a living owner: for the pipeline of that name, or, with NULL, each for those it
 * has.
 */
uint64_t otlog__tool_queues_waiting(const otlog__tool_queues *queues, const char *pipeline);

#define OTLOG__TOOL_QUEUE_TIME 32

/* The time in UTC, "-" for 0; returns out. */
const char *otlog__tool_queue_time(uint64_t unix_nano, char out[OTLOG__TOOL_QUEUE_TIME]);

/* Whether nothing is lost or left alone. */
bool otlog__tool_queue_is_sound(const otlog_queue_file *file);

/* One object, one line. */
void otlog__tool_queue_json(const otlog_queue_file *file, FILE *out);

typedef struct otlog__tool_cat {
	const char *directory;
	const char *name;     /* NULL: every queue */
	const char *pipeline; /* NULL: what waits for any */
	bool json;
} otlog__tool_cat;

/* Returns an exit status. */
int otlog__tool_cat_records(const otlog__tool_cat *cat);

#endif
