/*
 * otlog_bench_grpc_sink FD: takes every OTLP/gRPC call on a free loopback port, which it prints, and counts the log
 * records into the shared memory of the descriptor. Ends when it is killed.
 */
#include "tests/bench/common/count.h"
#include "tests/bench/sink.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>

#include <err.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CALLS 16 /* that can be open at once */

/* One call after another; each step is a tag on the completion queue. */
typedef struct slot {
	enum { WAITING, READING, ANSWERING } step;
	grpc_call *call;
	grpc_call_details details;
	grpc_metadata_array head;
	grpc_byte_buffer *request, *answer;
	int cancelled;
} slot;

static grpc_server *server;
static grpc_completion_queue *queue;
static struct bench_sink_shared *shared;

static void
must(grpc_call_error error)
{
	if (error != GRPC_CALL_OK)
		errx(1, "gRPC call error %d", (int)error);
}

static void
wait_for_call(slot *s)
{
	s->step = WAITING;
	grpc_call_details_init(&s->details);
	grpc_metadata_array_init(&s->head);
	must(grpc_server_request_call(server, &s->call, &s->details, &s->head, queue, queue, s));
}

static void
read_request(slot *s)
{
	grpc_op op = { .op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &s->request };
	s->step = READING;
	must(grpc_call_start_batch(s->call, &op, 1, s, NULL));
}

/* Counts in a buffer that stays, as the HTTP sink has one. */
static void
count(grpc_byte_buffer *request)
{
	static uint8_t *all;
	static size_t capacity;
	size_t size = 0;
	grpc_byte_buffer_reader reader;
	grpc_slice piece;
	if (!request || !grpc_byte_buffer_reader_init(&reader, request))
		return;
	if (capacity < grpc_byte_buffer_length(request)) {
		capacity = 2 * grpc_byte_buffer_length(request);
		all = realloc(all, capacity);
		if (!all)
			errx(1, "out of memory");
	}
	while (grpc_byte_buffer_reader_next(&reader, &piece)) {
		memcpy(all + size, GRPC_SLICE_START_PTR(piece), GRPC_SLICE_LENGTH(piece));
		size += GRPC_SLICE_LENGTH(piece);
		grpc_slice_unref(piece);
	}
	atomic_fetch_add(&shared->records, bench_count_protobuf(all, size));
	atomic_fetch_add(&shared->bytes, size);
	grpc_byte_buffer_reader_destroy(&reader);
}

/* Success, with an empty message. */
static void
answer(slot *s)
{
	grpc_slice empty = grpc_empty_slice();
	s->answer = grpc_raw_byte_buffer_create(&empty, 1);
	grpc_op ops[] = {
		{ .op = GRPC_OP_SEND_INITIAL_METADATA },
		{ .op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = s->answer },
		{ .op = GRPC_OP_SEND_STATUS_FROM_SERVER, .data.send_status_from_server.status = GRPC_STATUS_OK },
		{ .op = GRPC_OP_RECV_CLOSE_ON_SERVER, .data.recv_close_on_server.cancelled = &s->cancelled }
	};
	s->step = ANSWERING;
	must(grpc_call_start_batch(s->call, ops, sizeof ops / sizeof *ops, s, NULL));
}

static void
end_call(slot *s)
{
	grpc_byte_buffer_destroy(s->answer);
	if (s->request)
		grpc_byte_buffer_destroy(s->request);
	s->request = NULL;
	grpc_metadata_array_destroy(&s->head);
	grpc_call_details_destroy(&s->details);
	grpc_call_unref(s->call);
	wait_for_call(s);
}

int
main(int argc, char **argv)
{
	static slot slots[CALLS];
	if (argc != 2)
		errx(2, "otlog_bench starts this");
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, atoi(argv[1]), 0);
	if (shared == MAP_FAILED)
		err(1, "mmap");
	/* Or gRPC maps and unmaps pages for every message it receives, and the sender waits for that. */
	mallopt(M_MMAP_THRESHOLD, 8 << 20);
	mallopt(M_TRIM_THRESHOLD, 64 << 20);
	grpc_init();
	queue = grpc_completion_queue_create_for_next(NULL);
	server = grpc_server_create(NULL, NULL);
	grpc_server_register_completion_queue(server, queue, NULL);
	grpc_server_credentials *credentials = grpc_insecure_server_credentials_create();
	int port = grpc_server_add_http2_port(server, "127.0.0.1:0", credentials);
	if (port <= 0)
		errx(1, "gRPC cannot listen on the loopback address");
	grpc_server_start(server);
	for (unsigned i = 0; i < CALLS; i++)
		wait_for_call(&slots[i]);
	printf("%d\n", port);
	fflush(stdout);

	for (;;) {
		grpc_event event = grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
		slot *s = event.tag;
		if (event.type != GRPC_OP_COMPLETE || !event.success)
			errx(1, "the gRPC server has ended");
		if (s->step == WAITING) {
			read_request(s);
		} else if (s->step == READING) {
			count(s->request);
			answer(s);
		} else {
			end_call(s);
		}
	}
}
