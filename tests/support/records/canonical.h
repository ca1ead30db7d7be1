/*
 * What any bytes mean as a protobuf message, for protobuf-c to read: rewritten so that nothing is left of what it reads
 * otherwise than protobuf has it. This is a reader of its own, which goes by protobuf-c's description of the message; it
 * recurses and allocates as it likes.
 *
 * Source: protobuf's documentation, "Encoding".
 */
#ifndef TESTS_SUPPORT_RECORDS_CANONICAL_H
#define TESTS_SUPPORT_RECORDS_CANONICAL_H

#include "sdk/base/buffer.h"

#include <protobuf-c/protobuf-c.h>

/* What was found that protobuf-c reads otherwise, or not at all. */
enum {
	/*
	 * A message comes in parts where there is one. protobuf-c 1.4 merges them, but: a number in an earlier part is
	 * lost, a text that a later part makes empty stays, an empty text before an empty value is lost, and where two
	 * AnyValues are empty it reads outside of its tables.
	 */
	CANONICAL_PARTS = 1,
	/* A known field comes with another wire type. protobuf-c refuses the message, but takes any type for a bool. */
	CANONICAL_OTHER_TYPE = 2,
	/* protobuf-c refuses groups. */
	CANONICAL_GROUP = 4,
	/* A tag or length takes more than five bytes, which protobuf-c refuses, or bits that it cuts off. */
	CANONICAL_LONG = 8,
	/*
	 * An array or map counts for nothing, because another value comes after it. Then its inside is nobody's
	 * business; protobuf-c refuses the message if that is malformed.
	 */
	CANONICAL_REPLACED = 16,
	/* A field has number 0, or one of more than 29 bits: malformed, which protobuf-c does not see. */
	CANONICAL_NUMBER = 32
};

typedef struct canonical {
	otlog__buffer bytes; /* to be freed */
	bool sound;          /* the bytes are such a message; else `bytes` is of no use */
	unsigned found;
	size_t depth; /* of arrays and maps, one within the other */
} canonical;

canonical canonical_of(const ProtobufCMessageDescriptor *message, const uint8_t *bytes, size_t size);

#endif
