#include "exporters/otlp_grpc/call.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>

#include <limits.h>
#include <string.h>

#define METHOD "/opentelemetry.proto.collector.logs.v1.LogsService/Export"

static gpr_timespec
deadline_in(uint64_t timeout_ms)
{
	if (!timeout_ms || timeout_ms > INT_MAX)
		return gpr_inf_future(GPR_CLOCK_MONOTONIC);
	return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis((int64_t)timeout_ms, GPR_TIMESPAN));
}

grpc_call *
otlog__grpc_call_create(const otlog__grpc_request *request, grpc_completion_queue *queue)
{
	return grpc_channel_create_call(request->channel, NULL, GRPC_PROPAGATE_DEFAULTS, queue,
	                                grpc_slice_from_static_string(METHOD), NULL, deadline_in(request->timeout_ms),
	                                NULL);
}

/* Where gRPC puts what it receives. */
typedef struct received {
	grpc_metadata_array initial;
	grpc_metadata_array trailing;
	grpc_byte_buffer *message; /* NULL: none came */
	grpc_status_code status;
	grpc_slice text;
} received;

static grpc_call_error
start(grpc_call *call, const otlog__grpc_request *request, grpc_byte_buffer *body, received *into, void *tag)
{
	grpc_op ops[6];
	memset(ops, 0, sizeof ops);
	ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
	ops[0].data.send_initial_metadata.metadata = request->metadata;
	ops[0].data.send_initial_metadata.count = request->metadata_count;
	ops[1].op = GRPC_OP_SEND_MESSAGE;
	ops[1].data.send_message.send_message = body;
	ops[2].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
	ops[3].op = GRPC_OP_RECV_INITIAL_METADATA;
	ops[3].data.recv_initial_metadata.recv_initial_metadata = &into->initial;
	ops[4].op = GRPC_OP_RECV_MESSAGE;
	ops[4].data.recv_message.recv_message = &into->message;
	ops[5].op = GRPC_OP_RECV_STATUS_ON_CLIENT;
	ops[5].data.recv_status_on_client.trailing_metadata = &into->trailing;
	ops[5].data.recv_status_on_client.status = &into->status;
	ops[5].data.recv_status_on_client.status_details = &into->text;
	return grpc_call_start_batch(call, ops, sizeof ops / sizeof *ops, tag, NULL);
}

static bool
read_message(grpc_byte_buffer *message, grpc_slice *out)
{
	grpc_byte_buffer_reader reader;
	if (!message || !grpc_byte_buffer_reader_init(&reader, message))
		return false;
	*out = grpc_byte_buffer_reader_readall(&reader);
	grpc_byte_buffer_reader_destroy(&reader);
	return true;
}

/* The values in the array belong to the call, which the reply outlives. */
static grpc_slice
find_details(const grpc_metadata_array *trailing)
{
	for (size_t i = 0; i < trailing->count; i++)
		if (grpc_slice_str_cmp(trailing->metadata[i].key, "grpc-status-details-bin") == 0)
			return grpc_slice_ref(trailing->metadata[i].value);
	return grpc_empty_slice();
}

static void
fill(const received *from, otlog__grpc_reply *reply)
{
	reply->has_body = read_message(from->message, &reply->body);
	reply->text = grpc_slice_ref(from->text);
	reply->details = find_details(&from->trailing);
	reply->outcome.status = (int)from->status;
	reply->outcome.text = (const char *)GRPC_SLICE_START_PTR(reply->text);
	reply->outcome.text_size = GRPC_SLICE_LENGTH(reply->text);
	if (GRPC_SLICE_LENGTH(reply->details)) {
		reply->outcome.details = GRPC_SLICE_START_PTR(reply->details);
		reply->outcome.details_size = GRPC_SLICE_LENGTH(reply->details);
	}
}

void
otlog__grpc_call_run(grpc_call *call, const otlog__grpc_request *request, grpc_completion_queue *queue,
                     otlog__grpc_reply *reply)
{
	received from = { .status = GRPC_STATUS_UNKNOWN, .text = grpc_empty_slice() };
	grpc_metadata_array_init(&from.initial);
	grpc_metadata_array_init(&from.trailing);
	*reply = (otlog__grpc_reply){ .body = grpc_empty_slice() };

	/* A copy: gRPC may hold on to what it has not written after the call has ended, but the batch goes back then. */
	grpc_slice slice = grpc_slice_from_copied_buffer(request->body, request->body_size);
	grpc_byte_buffer *body = grpc_raw_byte_buffer_create(&slice, 1);
	grpc_slice_unref(slice);

	grpc_call_error error = start(call, request, body, &from, reply);
	if (error == GRPC_CALL_OK) {
		grpc_completion_queue_pluck(queue, reply, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
	} else {
		from.status = GRPC_STATUS_UNAVAILABLE;
		from.text = grpc_slice_from_static_string(grpc_call_error_to_string(error));
	}
	fill(&from, reply);

	grpc_byte_buffer_destroy(body);
	grpc_byte_buffer_destroy(from.message);
	grpc_metadata_array_destroy(&from.initial);
	grpc_metadata_array_destroy(&from.trailing);
	grpc_slice_unref(from.text);
}

void
otlog__grpc_reply_free(otlog__grpc_reply *reply)
{
	grpc_slice_unref(reply->body);
	grpc_slice_unref(reply->text);
	grpc_slice_unref(reply->details);
}

void
otlog__grpc_queue_destroy(grpc_completion_queue *queue)
{
	if (!queue)
		return;
	grpc_completion_queue_shutdown(queue);
	/* All calls have ended, so nothing but the end is left in it. */
	grpc_completion_queue_pluck(queue, NULL, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
	grpc_completion_queue_destroy(queue);
}
