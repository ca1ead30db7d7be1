/*
 * What the commands of the otlog tool share. The tool is a client of the public headers, as any program is.
 *
 *   tool_options.c  the table of a command's options: reading them, --help, and how mistakes are told
 *   arguments.c     numbers, severities and attributes of a command line
 *   notes.c         what the library says while a command runs
 *   tool_text.c     JSON strings, and what may be shown on a terminal
 *
 * main.c finds the command, and answers `otlog --help` and `otlog --version`. Each command has a folder.
 */
#ifndef OTLOG_TOOL_COMMON_TOOL_H
#define OTLOG_TOOL_COMMON_TOOL_H

#include "sdk/tool/common/tool_options.h"

#include <otlog/otlog.h>

#include <pthread.h>
#include <stdio.h>

extern const otlog__tool_command otlog__tool_doctor, otlog__tool_emit, otlog__tool_queue, otlog__tool_drain;

/* ---- arguments.c ------------------------------------------------------------------------------------------------- */

/* Seconds, with a fraction if need be, more than 0 and at most a day, as milliseconds. False: it is none of these. */
bool otlog__tool_seconds(const char *text, uint64_t *ms);

/* "warn", "WARN2", "warning", "13" … as a number. False: it is none of these. */
bool otlog__tool_severity(const char *text, int *severity);

/*
 * key=value, or key:=value for an integer, a double, true, false or null. *attr borrows from the text, which is written
 * to. Returns NULL, or what is wrong with it: a static string.
 */
const char *otlog__tool_attribute(char *text, otlog_attr *attr);

/* ---- notes.c ----------------------------------------------------------------------------------------------------- */

typedef struct otlog__tool_note {
	otlog_diagnostic_level level;
	char *message;
} otlog__tool_note;

/* Each message once. {.lock = PTHREAD_MUTEX_INITIALIZER}; it lives as long as the process, as diagnostics ask for. */
typedef struct otlog__tool_notes {
	pthread_mutex_t lock; /* guards the rest */
	otlog__tool_note *items;
	size_t count;
} otlog__tool_notes;

/* An otlog_diagnostic_function; `user` is the notes. */
void otlog__tool_notes_take(void *user, otlog_diagnostic_level level, const char *message);

/*
 * Takes the first that holds the text out of the notes, for a command that says it in its words. NULL: none; else free
 * it.
 */
char *otlog__tool_notes_cut(otlog__tool_notes *notes, const char *text);

/* Writes those up to the level as "otlog: warning: …", but for what a shutdown says: a command says that in its words. */
void otlog__tool_notes_write(otlog__tool_notes *notes, otlog_diagnostic_level most, FILE *out);

/* "error", "warning", "info", "debug" */
const char *otlog__tool_level_text(otlog_diagnostic_level level);

/* ---- tool_text.c ------------------------------------------------------------------------------------------------- */

/* A JSON string with its quotes; NULL is null. What is not UTF-8 becomes U+FFFD. */
void otlog__tool_json_string(FILE *out, const char *text);

/* The text without control characters, which a terminal might obey: each is `?`. */
void otlog__tool_put(FILE *out, const char *text);

/* Whether what is written there should be coloured: on a terminal, unless NO_COLOR is set or TERM is dumb. */
bool otlog__tool_colours(FILE *out);

/* Monotonic, in milliseconds with a fraction. */
double otlog__tool_now_ms(void);

#endif
