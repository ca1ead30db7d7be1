/*
 * What both models make their records with: a short list of attributes, the event name, the caller's struct in the size
 * we know. Stack only, async-signal-safe.
 */
#ifndef OTLOG_EVENTS_ATTRIBUTES_H
#define OTLOG_EVENTS_ATTRIBUTES_H

#include <otlog/logs.h>

/* A literal key and its length, as two arguments. */
#define OTLOG__KEY(literal) (literal), sizeof(literal) - 1

/* A list under construction; whoever declares it gives `items` enough room. */
typedef struct otlog__attr_list {
	otlog_attr *items;
	size_t count;
} otlog__attr_list;

static inline void
otlog__put(otlog__attr_list *list, const char *key, size_t key_size, otlog_value value)
{
	otlog_attr *attr = &list->items[list->count++];
	attr->key = key;
	attr->key_size = key_size;
	attr->value = value;
}

/* Nothing for NULL. */
static inline void
otlog__put_text(otlog__attr_list *list, const char *key, size_t key_size, const char *text)
{
	if (text)
		otlog__put(list, key, key_size, otlog_string_n(text, strlen(text)));
}

static inline void
otlog__put_int64(otlog__attr_list *list, const char *key, size_t key_size, otlog_optional_int64 number)
{
	if (number.is_set)
		otlog__put(list, key, key_size, otlog_int64(number.value));
}

static inline void
otlog__put_double(otlog__attr_list *list, const char *key, size_t key_size, otlog_optional_double number)
{
	if (number.is_set)
		otlog__put(list, key, key_size, otlog_double(number.value));
}

/* An event name of at most 256 bytes. */
#define OTLOG__EVENT_NAME_SIZE 257

typedef struct otlog__piece {
	const char *text;
	size_t size;
} otlog__piece;

/*
 * Joins the pieces and a NUL. Returns false if they are too long: the name then ends behind the last character that
 * fits.
 */
bool otlog__event_name_join(const otlog__piece *pieces, size_t count, char out[OTLOG__EVENT_NAME_SIZE]);

/* Whether a logger takes the severity: OTLOG_EMIT_ACCEPTED, or the verdict to return. */
static inline otlog_emit_result
otlog__gate(const otlog_logger *logger, int severity)
{
	if (otlog__enabled_at(logger, severity))
		return OTLOG_EMIT_ACCEPTED;
	return otlog__enabled_at(logger, OTLOG_SEVERITY_UNSPECIFIED) ? OTLOG_EMIT_FILTERED : OTLOG_EMIT_DISABLED;
}

/* The verdict on a NULL event, counted where an SDK runs. */
otlog_emit_result otlog__emit_nothing(otlog_logger *logger);

/* Copies the shorter struct into the whole one and zeroes the rest; returns `whole`. */
const void *otlog__widen(const void *given, size_t given_size, void *whole, size_t whole_size);

/*
 * The caller's struct as this library knows it: itself if it is as large or larger (a newer header), else a copy in
 * *whole with the rest zeroed. NULL stays NULL.
 */
static inline const void *
otlog__known(const void *given, size_t given_size, void *whole, size_t whole_size)
{
	return !given || given_size >= whole_size ? given : otlog__widen(given, given_size, whole, whole_size);
}

#endif
