/* Unpacking gzip with zlib: another implementation than the one that packed it. */
#ifndef TESTS_SUPPORT_SERVERS_GUNZIP_H
#define TESTS_SUPPORT_SERVERS_GUNZIP_H

#include "sdk/base/buffer.h"

/* Appends what one gzip member holds. False if it is malformed or something follows it. */
bool gunzip(const void *packed, size_t packed_size, otlog__buffer *out);

#endif
