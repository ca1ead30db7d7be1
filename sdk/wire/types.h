/* The wire types of protobuf. */
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

#endif
