/* The names a Mito event has in a record, for both directions. */
#ifndef OTLOG_EVENTS_MITO_MODEL_H
#define OTLOG_EVENTS_MITO_MODEL_H

#include <otlog/mito.h>

#define MITO__EVENT_NAME "mito" /* alone: no event was given; else followed by a dot and the event */
#define MITO__EVENT "mito.event"
#define MITO__TIMESTAMP_GMT "mito.timestamp_gmt"
#define MITO__SEVERITY_CODE "mito.error_severity_code"
#define MITO__LAST_LINE "mito.error_traceback_last_line"
/* OpenTelemetry semantic conventions, registry "exception" (stable). */
#define MITO__EXCEPTION_TYPE "exception.type"
#define MITO__EXCEPTION_MESSAGE "exception.message"
#define MITO__STACKTRACE "exception.stacktrace"
#define MITO__PARAMS_PREFIX "mito.params."
#define MITO__VERSION_PREFIX "mito.version."
#define MITO__EXTRA_PREFIX "mito.extra."

/* What stands between an exception's type and its message in the last line of a traceback. */
#define MITO__LAST_LINE_SEPARATOR ": "

/*
 * The length of the type if the line has the form `Type: message`, with a dotted identifier as the type; else 0.
 * Async-signal-safe.
 */
static inline size_t
otlog__mito_exception_type_size(const char *line, size_t size)
{
	bool starts_word = true;
	for (size_t i = 0; i < size; i++) {
		const char c = line[i];
		const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
		if (c == ':' && !starts_word)
			return size - i >= 2 && line[i + 1] == ' ' ? i : 0;
		if (c == '.' && !starts_word)
			starts_word = true;
		else if (letter || (c >= '0' && c <= '9' && !starts_word))
			starts_word = false;
		else
			return 0;
	}
	return 0;
}

/* Emits an event whose params are first_params and then event->params. `event` may not be NULL. */
otlog_emit_result otlog__mito_emit(otlog_logger *logger, const mito_event *event, otlog_attrs first_params);

/* A severity code: how the wire writes it, and what it is worth. */
typedef struct otlog__mito_code {
	int8_t number;
	uint8_t severity;
	char text[6];
} otlog__mito_code;

/* The code of an error by the event that failed; the code -1 for any other name. Never NULL. */
const otlog__mito_code *otlog__mito_code_of_failure(const char *name, size_t size);

/* The code that is written so; the code -1, whose severity any other text has, for the rest. Never NULL. */
const otlog__mito_code *otlog__mito_code_of_text(const char *text);

#endif
