#include "sdk/tool/doctor/doctor.h"

#include <otlog/queue_files.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static void
count(void *user, const otlog_queue_file *file)
{
	otlog__doctor_directory *directory = user;
	directory->queues++;
	directory->live_queues += file->state == OTLOG_QUEUE_FILE_LIVE;
	if (file->state == OTLOG_QUEUE_FILE_WAITING)
		directory->records_waiting += file->records + file->spooled;
}

/* The message is "cause. To change that, remedy". */
static void
explain(const char *message, otlog__doctor_directory *directory)
{
	static const char between[] = ". To change that, ";
	const char *end = strstr(message, between);
	const char *remedy = end ? end + sizeof between - 1 : "see what the library says";
	snprintf(directory->what, sizeof directory->what, "%.*s.", (int)(end ? end - message : (long)strlen(message)),
	         message);
	snprintf(directory->remedy, sizeof directory->remedy, "%c%s.", toupper((unsigned char)*remedy), remedy + 1);
}

void
otlog__doctor_directory_try(const char *path, otlog__tool_notes *notes, otlog__doctor_directory *directory)
{
	*directory = (otlog__doctor_directory){ .path = path, .usable = otlog_queue_directory_check(path) };
	if (!directory->usable) {
		char *message = otlog__tool_notes_cut(notes, "the queue stays in memory");
		explain(message ? message : "No queue can be made there", directory);
		free(message);
	}
	otlog_queue_files_visit(path, count, directory);
}
