/* One unary call after the other in one slot; as many slots as calls may be out at once. */
#ifndef OTLOG_EXPORTERS_OTLP_GRPC_CALL_H
#define OTLOG_EXPORTERS_OTLP_GRPC_CALL_H

#include "exporters/otlp_grpc/grpc_verdict.h"

#include <grpc/grpc.h>

/* What came back; filled by otlog__grpc_call_run, emptied by otlog__grpc_reply_free. */
typedef struct otlog__grpc_reply {
	otlog__grpc_outcome outcome; /* borrows from the rest */
	grpc_slice body;             /* of the response */
	bool has_body;
	grpc_slice text;
	grpc_slice details;
} otlog__grpc_reply;

/* What to send. Borrowed. */
typedef struct otlog__grpc_request {
	grpc_channel *channel;
	grpc_metadata *metadata; /* gRPC writes into it: one array for each call that runs */
	size_t metadata_count;
	const void *body;
	size_t body_size;
	uint64_t timeout_ms; /* 0: no limit */
} otlog__grpc_request;

/*
 * Creates the call. NULL when memory is short. It may be cancelled from any thread with grpc_call_cancel until it is
 * freed with grpc_call_unref.
 */
grpc_call *otlog__grpc_call_create(const otlog__grpc_request *request, grpc_completion_queue *queue);

/* Sends the request, waits for the end of the call, which the deadline and a cancellation bring about, and fills *reply. */
void otlog__grpc_call_run(grpc_call *call, const otlog__grpc_request *request, grpc_completion_queue *queue,
                          otlog__grpc_reply *reply);

void otlog__grpc_reply_free(otlog__grpc_reply *reply);

/* Shuts the queue of finished calls down and frees it. NULL is allowed. */
void otlog__grpc_queue_destroy(grpc_completion_queue *queue);

#endif
