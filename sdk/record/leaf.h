/* Writing what needs no stack: fields, names, and the AnyValues that are no containers. */
#ifndef OTLOG_RECORD_LEAF_H
#define OTLOG_RECORD_LEAF_H

#include "sdk/record/encode.h"
#include "sdk/record/keys.h"
#include "sdk/wire/otlp.h"

/* Where bytes may go, and under which rules. */
typedef struct otlog__writer {
	uint8_t *end; /* nothing is written from here on; lies lower while a plan has its table behind it */
	const otlog__limits *limits;
	otlog__encode_notes *notes;
	bool tables;     /* plans may have tables at the end of the room */
	bool table_used; /* one had: what did not fit may fit without */
} otlog__writer;

static inline size_t
otlog__room(const otlog__writer *writer, const uint8_t *at)
{
	return (size_t)(writer->end - at);
}

/* An AnyValue: the bytes of `head` and then those of `data`. */
typedef struct otlog__leaf {
	uint8_t head[24];
	size_t head_size;
	const void *data;
	size_t data_size;
} otlog__leaf;

/* What a value comes down to where data is missing or its type is none. */
otlog_value_type otlog__value_kind(const otlog_value *value);

/* The limits applied. Containers come out empty. What is larger than `room` is not looked at: it will not fit. */
otlog__leaf otlog__leaf_of(const otlog__writer *writer, size_t room, const otlog_value *value);

/*
 * The functions that write take where they may begin and return where they ended, NULL if it does not fit.
 */

/* A field `tag` with these bytes. */
uint8_t *otlog__put_field(const otlog__writer *writer, uint8_t *at, uint8_t tag, const void *data, size_t size);

/* The same for a name: U+FFFD takes the place of what is not UTF-8. */
uint8_t *otlog__put_name(const otlog__writer *writer, uint8_t *at, uint8_t tag, const char *name, size_t size);

/* A field `tag` that is an AnyValue; or a KeyValue, unless `key` is NULL. */
uint8_t *otlog__put_leaf(const otlog__writer *writer, uint8_t *at, uint8_t tag, const otlog__key *key,
                         const otlog__leaf *value);

/* ---- Pieces of a KeyValue ---------------------------------------------------------------------------------------- */

/* The bytes of a key on the wire; SIZE_MAX if they are more than `room`. *clean: it is UTF-8. */
size_t otlog__key_size_in(const otlog__writer *writer, const otlog__key *key, size_t room, bool *clean);

/* Writes, unchecked, what comes before the value's length: the key, and the value's tag. */
uint8_t *otlog__put_key(uint8_t *at, const otlog__key *key, size_t key_size, bool clean);

#endif
