/* Headers that the user configures, as gRPC can send them. Pure. */
#ifndef OTLOG_EXPORTERS_OTLP_GRPC_METADATA_H
#define OTLOG_EXPORTERS_OTLP_GRPC_METADATA_H

#include <otlog/exporters.h>

typedef enum otlog__grpc_header {
	OTLOG__GRPC_HEADER_GOOD,
	OTLOG__GRPC_HEADER_BAD_NAME,  /* not of letters, digits, `-`, `_` and `.` */
	OTLOG__GRPC_HEADER_BAD_VALUE, /* not printable ASCII; the value of a name in -bin may hold anything */
	OTLOG__GRPC_HEADER_OURS       /* gRPC sets it itself, or keeps the name for later */
} otlog__grpc_header;

/* Source: gRPC over HTTP2, "Custom-Metadata". */
otlog__grpc_header otlog__grpc_header_check(const otlog_header *header);

/* Lower case in place: HTTP/2 has no other names. */
void otlog__grpc_header_lower(char *name, size_t size);

/*
 * Writes `*` over a header's value, and over the last word of it, wherever the text quotes it: peers do, and values may be
 * secrets. Those of fewer than six characters are none.
 */
void otlog__grpc_header_mask(const void *value, size_t value_size, char *text);

#endif
