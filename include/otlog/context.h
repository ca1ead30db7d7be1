/*
 * Trace context: which trace and span the calling thread works for.
 *
 * Records take the thread's current span context when they name none of their own. A server attaches the context it
 * finds in the request's `traceparent` header before it handles the request, and detaches it afterwards.
 *
 * Every function here is thread-safe, never blocks and never allocates. All are async-signal-safe but
 * otlog_context_attach_traceparent, which may report a malformed header.
 */
#ifndef OTLOG_CONTEXT_H
#define OTLOG_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OTLOG_API __attribute__((visibility("default")))

#ifdef __cplusplus
/* Without an initialiser g++ -Wextra warns of every member that a designated initialiser leaves out. */
#define OTLOG__INIT \
	{           \
	}
extern "C" {
#else
#define OTLOG__INIT
#endif

/* Bits of otlog_span_context.trace_flags (W3C Trace Context, section "trace-flags"). */
#define OTLOG_TRACE_FLAG_SAMPLED 0x01
#define OTLOG_TRACE_FLAG_RANDOM 0x02

/*
 * Identifies a span. All zero is "no span". Ids are raw bytes in the order they are written in hex.
 * Source: W3C Trace Context Level 2; opentelemetry-specification trace/api.md.
 */
typedef struct otlog_span_context {
	uint8_t trace_id[16];
	uint8_t span_id[8];
	uint8_t trace_flags;
} otlog_span_context;

/* What attach gives back and detach takes. Treat it as opaque; copy it freely. */
typedef struct otlog_context_token {
	otlog_span_context previous;
	uint32_t attached;
} otlog_context_token;

/* Bytes that otlog_traceparent_format writes, the final NUL included. */
#define OTLOG_TRACEPARENT_SIZE 56

/* True if both ids are non-zero. NULL is not valid. */
OTLOG_API bool otlog_span_context_is_valid(const otlog_span_context *context);

/*
 * Reads a W3C `traceparent` header value. Spaces and tabs around it are allowed, as HTTP allows them.
 * Returns true and fills *out for a valid value; false, with *out untouched, for NULL or anything else: wrong lengths,
 * capitals, version ff, an all-zero id, or more fields than version 00 has. A higher version is read by the rules of
 * version 00 (W3C Trace Context, section "Versioning of traceparent").
 */
OTLOG_API bool otlog_traceparent_parse(const char *traceparent, otlog_span_context *out);

/* Writes `00-<trace id>-<span id>-<flags>` and a NUL. A NULL context is written as all zeros. */
OTLOG_API void otlog_traceparent_format(const otlog_span_context *context, char out[OTLOG_TRACEPARENT_SIZE]);

/*
 * Makes *context (copied; NULL: no span) the calling thread's current one, until the matching detach.
 * Attach and detach nest; detach on the thread that attached, in reverse order.
 */
OTLOG_API otlog_context_token otlog_context_attach(const otlog_span_context *context);

/*
 * Attaches the span context of a W3C `traceparent` header value. NULL (no header) and a malformed value leave the
 * current context as it is; a malformed one is reported as a diagnostic. The token must be detached in every case.
 */
OTLOG_API otlog_context_token otlog_context_attach_traceparent(const char *traceparent);

/* Brings back what was current before the attach that gave this token, also if inner attaches were not detached. */
OTLOG_API void otlog_context_detach(otlog_context_token token);

/* The calling thread's current span context; all zero if none is attached. */
OTLOG_API otlog_span_context otlog_context_current(void);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
