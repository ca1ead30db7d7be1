#include "sdk/tool/common/tool.h"

#include <stdlib.h>
#include <string.h>

const char *
otlog__tool_level_text(otlog_diagnostic_level level)
{
	static const char *const texts[] = { "", "error", "warning", "info", "debug" };
	return (size_t)level < sizeof texts / sizeof *texts ? texts[level] : "";
}

void
otlog__tool_notes_take(void *user, otlog_diagnostic_level level, const char *message)
{
	otlog__tool_notes *notes = user;
	pthread_mutex_lock(&notes->lock);
	bool known = false;
	for (size_t i = 0; i < notes->count && !known; i++)
		known = strcmp(notes->items[i].message, message) == 0;
	char *copy = known ? NULL : strdup(message);
	otlog__tool_note *items = copy ? realloc(notes->items, (notes->count + 1) * sizeof *items) : NULL;
	if (items) {
		items[notes->count++] = (otlog__tool_note){ level, copy };
		notes->items = items;
	} else {
		free(copy);
	}
	pthread_mutex_unlock(&notes->lock);
}

char *
otlog__tool_notes_cut(otlog__tool_notes *notes, const char *text)
{
	char *message = NULL;
	pthread_mutex_lock(&notes->lock);
	for (size_t i = 0; i < notes->count && !message; i++) {
		if (!strstr(notes->items[i].message, text))
			continue;
		message = notes->items[i].message;
		memmove(&notes->items[i], &notes->items[i + 1], (--notes->count - i) * sizeof *notes->items);
	}
	pthread_mutex_unlock(&notes->lock);
	return message;
}

void
otlog__tool_notes_write(otlog__tool_notes *notes, otlog_diagnostic_level most, FILE *out)
{
	static const char shutdown[] = "shutdown: ";
	pthread_mutex_lock(&notes->lock);
	for (size_t i = 0; i < notes->count; i++)
		if (notes->items[i].level <= most &&
		    strncmp(notes->items[i].message, shutdown, sizeof shutdown - 1) != 0)
			fprintf(out, "otlog: %s: %s\n", otlog__tool_level_text(notes->items[i].level),
			        notes->items[i].message);
	pthread_mutex_unlock(&notes->lock);
}
