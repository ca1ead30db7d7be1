#include "sdk/tool/queue/queue_command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct reading {
	otlog__tool_queues *queues;
	bool no_memory;
} reading;

static void
free_copy(otlog_queue_file *file)
{
	free((void *)file->name);
	free((void *)file->problem);
	for (size_t i = 0; i < file->pipeline_count; i++)
		free((void *)file->pipelines[i]);
}

static void
take(void *user, const otlog_queue_file *file)
{
	reading *reading = user;
	otlog__tool_queues *queues = reading->queues;
	otlog_queue_file *items = realloc(queues->items, (queues->count + 1) * sizeof *items);
	reading->no_memory |= !items;
	if (!items)
		return;
	queues->items = items;
	otlog_queue_file *copy = &items[queues->count++];
	*copy = *file;
	copy->name = strdup(file->name);
	copy->problem = strdup(file->problem ? file->problem : "");
	bool copied = copy->name && copy->problem;
	for (size_t i = 0; i < file->pipeline_count; i++) {
		copy->pipelines[i] = strdup(file->pipelines[i]);
		copied &= copy->pipelines[i] != NULL;
	}
	if (copied)
		return;
	reading->no_memory = true;
	free_copy(copy);
	queues->count--;
}

bool
otlog__tool_queues_read(const char *command, const char *directory, otlog__tool_queues *queues)
{
	reading reading = { .queues = queues };
	*queues = (otlog__tool_queues){ 0 };
	errno = 0;
	bool read = otlog_queue_files_visit(directory, take, &reading);
	if (reading.no_memory)
		errno = ENOMEM;
	if (read && !reading.no_memory)
		return true;
	fprintf(stderr, "otlog %s: %s cannot be read: %s. Give the directory of OTLOG_QUEUE_DIR, as its owner\n",
	        command, directory, strerror(errno));
	return false;
}

void
otlog__tool_queues_free(otlog__tool_queues *queues)
{
	for (size_t i = 0; i < queues->count; i++)
		free_copy(&queues->items[i]);
	free(queues->items);
	*queues = (otlog__tool_queues){ 0 };
}

uint64_t
otlog__tool_queues_waiting(const otlog__tool_queues *queues, const char *pipeline)
{
	uint64_t waiting = 0;
	for (size_t i = 0; i < queues->count; i++) {
		const otlog_queue_file *file = &queues->items[i];
		for (size_t p = 0; file->state == OTLOG_QUEUE_FILE_WAITING && p < file->pipeline_count; p++)
			if (!pipeline || strcmp(file->pipelines[p], pipeline) == 0)
				waiting += file->waiting[p];
	}
	return waiting;
}
