/*
 * Lists `key=value,key=value`, as resource attributes and headers are given in the environment.
 * Source: specification resource/sdk.md and protocol/exporter.md, both after W3C Baggage.
 */
#ifndef OTLOG_SETTINGS_PAIRS_H
#define OTLOG_SETTINGS_PAIRS_H

#include <otlog/exporters.h>

/* Percent-decoded, keys and values trimmed. Free with otlog__pairs_free. */
typedef struct otlog__pairs {
	otlog_header *items; /* name, value; one allocation each */
	size_t count;
} otlog__pairs;

/*
 * The first '=' of a member divides it. A key given twice is kept once, in the place of the first with the value of the
 * last. Empty members are passed over, so that a trailing comma does no harm. Everything else is malformed: a member
 * without '=' or without a key, or bad percent-encoding.
 * False, with *pairs empty, if any of it is malformed (`*error` then points at a static reason) or memory is short
 * (`*error` is then NULL).
 */
bool otlog__pairs_parse(const char *text, otlog__pairs *pairs, const char **error);
void otlog__pairs_free(otlog__pairs *pairs);

/* Why the pairs cannot be headers over HTTP, or over gRPC: a static reason; NULL if they can. */
const char *otlog__pairs_header_problem(const otlog__pairs *pairs, bool is_grpc);

#endif
