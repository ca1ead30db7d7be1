/*
 * Reading the small JSON objects that servers answer with: their members, one by one, as the text they are. Takes any
 * bytes, allocates nothing, does not recurse. Pure.
 *
 * What a value holds is looked at only as far as it takes to find its end; text is not checked to be UTF-8.
 */
#ifndef OTLOG_EXPORTERS_JSON_JSON_READER_H
#define OTLOG_EXPORTERS_JSON_JSON_READER_H

#include <otlog/exporter.h>

/* Where reading stands in an object. */
typedef struct otlog__json_object {
	otlog_slice rest;
	bool begun;
	bool malformed; /* set when reading stopped at what is no JSON */
} otlog__json_object;

/* Begins to read a text that should be one object, with nothing but white space around it. */
otlog__json_object otlog__json_object_of(const void *text, size_t size);

/*
 * The next member; false at the end, or at what is no JSON. `name` is without its quotes and not unescaped; `value` is
 * the JSON of the value, without space around it.
 */
bool otlog__json_next_member(otlog__json_object *object, otlog_slice *name, otlog_slice *value);

/* An integer, as a number or as a string, as proto3 JSON has both. False, with *out untouched, if it is none. */
bool otlog__json_read_int64(otlog_slice value, int64_t *out);

/*
 * A string, unescaped, as far as it fits, and a NUL. Escapes of what is not ASCII become `?`: it is for messages.
 * False, with *out "", if the value is no string.
 */
bool otlog__json_read_string(otlog_slice value, char *out, size_t out_size);

#endif
