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

/* An event name in 256 bytes. Start with size = 0, was_cut = false. */
typedef struct otlog__event_name {
	size_t size;
	bool was_cut;
	char text[257];
} otlog__event_name;

/* Appends text; what does not fit is cut at a character, and all that follows is left out. */
static inline void
otlog__event_name_append(otlog__event_name *name, const char *text, size_t size)
{
	size_t room = sizeof name->text - 1 - name->size;
	if (name->was_cut)
		return;
	if (size > room) {
		name->was_cut = true;
		size = room;
		/* A UTF-8 character has at most three continuation bytes, 10xxxxxx. */
		for (int i = 0; i < 3 && size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80; i++)
			size--;
	}
	memcpy(name->text + name->size, text, size);
	name->size += size;
	name->text[name->size] = '\0';
}

/* Whether a logger takes the severity: OTLOG_EMIT_ACCEPTED, or the verdict to return. */
static inline otlog_emit_result
otlog__gate(const otlog_logger *logger, int severity)
{
	if (otlog__enabled_at(logger, severity))
		return OTLOG_EMIT_ACCEPTED;
	return otlog__enabled_at(logger, OTLOG_SEVERITY_UNSPECIFIED) ? OTLOG_EMIT_FILTERED : OTLOG_EMIT_DISABLED;
}

/* The verdict on a NULL event, counted where an SDK runs. */
static inline otlog_emit_result
otlog__emit_nothing(otlog_logger *logger)
{
	return otlog_emit_sized(logger, NULL, sizeof(otlog_record));
}

/*
 * The caller's struct as this library knows it: itself if it is as large or larger (a newer header), else a copy in
 * *whole with the rest zeroed. NULL stays NULL.
 */
static inline const void *
otlog__known(const void *given, size_t given_size, void *whole, size_t whole_size)
{
	if (!given || given_size >= whole_size)
		return given;
	memset(whole, 0, whole_size);
	memcpy(whole, given, given_size);
	return whole;
}

#endif
