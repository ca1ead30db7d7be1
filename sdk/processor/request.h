/*
 * Framing: a request is a concatenation of bytes that exist already.
 *
 *   ExportLogsServiceRequest
 *     ResourceLogs
 *       resource_head            its Resource, encoded once at start
 *       ScopeLogs, one a scope
 *         scope.head             its InstrumentationScope, encoded once per logger
 *         LogRecord …            the frames' bytes as they lie
 *         scope.tail             its schema URL
 *       resource_tail            its schema URL
 */
#ifndef OTLOG_PROCESSOR_REQUEST_H
#define OTLOG_PROCESSOR_REQUEST_H

#include "sdk/base/buffer.h"
#include "sdk/queue/queue.h"
#include "sdk/queue/scopes.h"

typedef struct otlog__request_frame {
	const uint8_t *resource_head;
	size_t resource_head_size;
	const uint8_t *resource_tail;
	size_t resource_tail_size;
} otlog__request_frame;

/*
 * Writes the request for the frames into *out, from its beginning. The order of a scope's records is kept; scopes come
 * in the order of their first record. False when memory is short.
 */
bool otlog__request_write(const otlog__scopes *scopes, const otlog__request_frame *frame, const otlog__frame_ref *refs,
                          uint32_t count, otlog__buffer *out);

/*
 * Writes a request with the records first … first + count - 1 of another one into *out, from its beginning, each with its
 * resource and scope. False when memory is short or the other is none of ours.
 */
bool otlog__request_slice(const otlog__buffer *request, uint32_t first, uint32_t count, otlog__buffer *out);

#endif
