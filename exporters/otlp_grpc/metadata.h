/* Headers that the user configures, in the form that gRPC sends, and hidden where a peer quotes them. Pure. */
#ifndef OTLOG_EXPORTERS_OTLP_GRPC_METADATA_H
#define OTLOG_EXPORTERS_OTLP_GRPC_METADATA_H

#include <stddef.h>

/* Lower case in place: HTTP/2 has no other names. */
void otlog__grpc_header_lower(char *name, size_t size);

/*
 * Writes `*` over a header's value, and over the last word of it, wherever the text quotes it: peers do, and values may be
 * secrets. Those of fewer than six characters are none.
 */
void otlog__grpc_header_mask(const void *value, size_t value_size, char *text);

#endif
