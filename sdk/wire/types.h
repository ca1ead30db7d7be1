/* The wire types of protobuf, and the tags that are made of them. */
#ifndef OTLOG_WIRE_TYPES_H
#define OTLOG_WIRE_TYPES_H

enum {
	OTLOG__WIRE_VARINT = 0,
	OTLOG__WIRE_FIXED64 = 1,
	OTLOG__WIRE_BYTES = 2,
	OTLOG__WIRE_GROUP = 3,
	OTLOG__WIRE_GROUP_END = 4,
	OTLOG__WIRE_FIXED32 = 5
};

/* For what is hot: left to itself gcc -O2 makes calls of it, and what is handed on goes through memory. */
#define OTLOG__ALWAYS_INLINE static inline __attribute__((always_inline))

/* A tag is a field's number and its wire type. */
#define OTLOG__TAG(number, type) ((number) << 3 | OTLOG__WIRE_##type)
#define OTLOG__TAG_NUMBER(tag) ((tag) >> 3)
#define OTLOG__TAG_TYPE(tag) ((tag)&7)

#endif
