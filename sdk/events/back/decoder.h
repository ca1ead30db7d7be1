/*
 * What both ways back share: a record's attributes go where a plan says, and the rest of the record into an
 * otlog_record. Everything is copied into the object (object.h), which tells whether something went wrong.
 */
#ifndef OTLOG_EVENTS_BACK_DECODER_H
#define OTLOG_EVENTS_BACK_DECODER_H

#include <otlog/exporter.h>

/* Where the value of one key goes, in the struct that is filled. */
typedef struct otlog__decode_field {
	const char *key;
	size_t key_size;
	/*
	 * STRING: a const char *, for text and for bytes that once were text, without a NUL inside.
	 * INT64, DOUBLE: an otlog_optional_int64 or otlog_optional_double. A whole number is taken as a double too.
	 */
	otlog_value_type type;
	size_t offset;
} otlog__decode_field;

/* Where the attributes go whose keys have the group's prefix or are the name of an alias: an otlog_attrs. */
typedef struct otlog__decode_group {
	otlog_attr_group keys; /* as the record was made with */
	size_t offset;
} otlog__decode_group;

typedef struct otlog__decode_plan {
	const otlog__decode_field *fields;
	size_t field_count;
	const otlog__decode_group *groups;
	size_t group_count; /* below 255 */
} otlog__decode_plan;

/* Fills *target, which comes zeroed. What has no place there goes into *others; orders are kept. */
void otlog__decode_attributes(void *object, const otlog_record_view *view, const otlog__decode_plan *plan, void *target,
                              otlog_attrs *others);

/* All of the record but its attributes, also its span context, which is all zero if it has none. NULL if broken. */
otlog_record *otlog__decode_record(void *object, const otlog_record_view *view);

/* The text of a string value, or of a bytes value that once was text; NULL for any other or with a NUL inside. */
const char *otlog__text_of_value(const otlog_value *value);

/* How many bytes to expect an object of a record of `record_size` bytes to need. */
size_t otlog__decode_expected(size_t record_size);

#endif
