/*
 * otlog queue: what lies in a queue directory.
 *
 *   queue.c       the command, ls and check
 *   queue_list.c  copies of what a visit of the directory tells
 *   queue_json.c  a queue as a JSON object
 *   queue_cat.c   the records themselves, through the exporters that write lines
 */
#ifndef OTLOG_CLI_QUEUE_H
#define OTLOG_CLI_QUEUE_H

#include "sdk/cli/cli.h"

#include <otlog/queue_files.h>

/* Copies, which stay. */
typedef struct otlog__cli_queues {
	otlog_queue_file *items;
	size_t count;
} otlog__cli_queues;

/* Visits the directory. False, with a message on standard error, if it cannot be read. Free it in every case. */
bool otlog__cli_queues_read(const char *command, const char *directory, otlog__cli_queues *queues);
void otlog__cli_queues_free(otlog__cli_queues *queues);

/* Records that wait in queues without a living owner: for the pipeline of that name, or, with NULL, each for those it has. */
uint64_t otlog__cli_queues_waiting(const otlog__cli_queues *queues, const char *pipeline);

#define OTLOG__CLI_QUEUE_TIME 32

/* The time in UTC, "-" for 0; returns out. */
const char *otlog__cli_queue_time(uint64_t unix_nano, char out[OTLOG__CLI_QUEUE_TIME]);

/* Whether nothing is lost or left alone. */
bool otlog__cli_queue_is_sound(const otlog_queue_file *file);

/* One object, one line. */
void otlog__cli_queue_json(const otlog_queue_file *file, FILE *out);

typedef struct otlog__cli_cat {
	const char *directory;
	const char *name;     /* NULL: every queue */
	const char *pipeline; /* NULL: what waits for any */
	bool json;
} otlog__cli_cat;

/* Returns an exit status. */
int otlog__cli_cat_records(const otlog__cli_cat *cat);

#endif
