/* Bounds that more than one part must agree about. */
#ifndef OTLOG_BASE_LIMITS_H
#define OTLOG_BASE_LIMITS_H

#include <stddef.h>
#include <stdint.h>

/* Containers within containers. The encoder writes no more, so nobody reads or copies more; it bounds stacks, too. */
#define OTLOG__DEPTH_MAX 64

/* Larger requests are not sent; before compression. Source: OTLP specification, "Request size limit". */
#define OTLOG__REQUEST_BYTES_MAX ((size_t)64 * 1024 * 1024)

/* Larger answers are not read; after decompression. Source: OTLP specification, "Response size limit". */
#define OTLOG__ANSWER_BYTES_MAX ((size_t)4 * 1024 * 1024)

/* A server that asks for more is asked again after this time: a typing error there must not silence us for days. */
#define OTLOG__RETRY_AFTER_CAP_MS (UINT64_C(60) * 60 * 1000)

#endif
