/* Gzip for request bodies. The compressor and its output are kept from one batch to the next. */
#ifndef OTLOG_EXPORTERS_HTTP_GZIP_H
#define OTLOG_EXPORTERS_HTTP_GZIP_H

#include "sdk/base/buffer.h"

struct libdeflate_compressor;

/* {0} is a valid one. */
typedef struct otlog__gzip {
	struct libdeflate_compressor *compressor;
	otlog__buffer out; /* the last member; out.size bytes of it */
} otlog__gzip;

/* Compresses the body into gzip->out, which is good until the next call. False when memory is short. */
bool otlog__gzip_compress(otlog__gzip *gzip, const void *body, size_t body_size);
void otlog__gzip_free(otlog__gzip *gzip);

#endif
