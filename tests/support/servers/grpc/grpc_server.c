#include "tests/support/servers/grpc/grpc_server.h"

#include "proto/logs_service.pb-c.h"
#include "tests/support/harness/check.h"
#include "tests/support/harness/watched.h"
#include "tests/support/servers/gunzip.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <grpc/support/log.h>
#include <grpc/support/time.h>

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define CALLS_MAX 4096
#define SCRIPT_MAX 64

typedef Opentelemetry__Proto__Collector__Logs__V1__ExportLogsServiceRequest request_message;

/*
 * A call on its way:  ARRIVED  it is there, its message is asked for
 *                     READ     the message is there; answered, or left hanging
 *                     ENDED    the answer is out, or the client has gone
 */
typedef enum step { ARRIVED, READ, ENDED } step;

typedef struct session {
	step step;
	grpc_call *call;
	grpc_call_details details;
	grpc_metadata_array metadata;
	grpc_byte_buffer *message;
	grpc_receiver_reply reply;
	size_t records;
	int cancelled;
	struct session *next; /* of those that hang */
} session;

struct grpc_receiver {
	grpc_receiver_options options;
	grpc_server *server;
	grpc_completion_queue *queue;
	pthread_t thread;
	char url[160];
	unsigned port;

	watched w; /* guards the rest */
	bool released;
	session *hanging;
	grpc_receiver_reply script[SCRIPT_MAX];
	size_t script_size;
	grpc_receiver_call calls[CALLS_MAX];
	size_t call_count;
	size_t records;
};

/* ---- What came --------------------------------------------------------------------------------------------------- */

static char *
copy_slice(grpc_slice slice)
{
	return strndup((const char *)GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice));
}

static char *
copy_client_name(grpc_call *call)
{
	grpc_auth_context *context = grpc_call_auth_context(call);
	grpc_auth_property_iterator found =
	    grpc_auth_context_find_properties_by_name(context, GRPC_X509_CN_PROPERTY_NAME);
	const grpc_auth_property *name = context ? grpc_auth_property_iterator_next(&found) : NULL;
	char *copy = name ? strndup(name->value, name->value_length) : strdup("");
	grpc_auth_context_release(context);
	return copy;
}

static void
keep_headers(grpc_receiver_call *kept, const grpc_metadata_array *metadata)
{
	kept->headers = calloc(metadata->count + 1, sizeof *kept->headers);
	CHECK(kept->headers);
	for (size_t i = 0; i < metadata->count; i++)
		kept->headers[kept->header_count++] =
		    (otlog_header){ .name = copy_slice(metadata->metadata[i].key),
			            .value = copy_slice(metadata->metadata[i].value) };
}

static void
keep_body(grpc_receiver_call *kept, grpc_byte_buffer *message)
{
	grpc_byte_buffer_reader reader;
	CHECK(grpc_byte_buffer_reader_init(&reader, message));
	grpc_slice body = grpc_byte_buffer_reader_readall(&reader);
	grpc_byte_buffer_reader_destroy(&reader);
	kept->gzipped = message->data.raw.compression == GRPC_COMPRESS_GZIP;
	otlog__buffer bytes = { 0 };
	if (kept->gzipped)
		CHECK(gunzip(GRPC_SLICE_START_PTR(body), GRPC_SLICE_LENGTH(body), &bytes));
	else
		CHECK(otlog__buffer_append(&bytes, GRPC_SLICE_START_PTR(body), GRPC_SLICE_LENGTH(body)));
	kept->body = bytes.data;
	kept->body_size = bytes.size;
	grpc_slice_unref(body);
}

static size_t
count_records(const grpc_receiver_call *kept)
{
	request_message *request = opentelemetry__proto__collector__logs__v1__export_logs_service_request__unpack(
	    NULL, kept->body_size, kept->body);
	CHECK(request);
	size_t records = 0;
	for (size_t i = 0; i < request->n_resource_logs; i++)
		for (size_t j = 0; j < request->resource_logs[i]->n_scope_logs; j++)
			records += request->resource_logs[i]->scope_logs[j]->n_log_records;
	opentelemetry__proto__collector__logs__v1__export_logs_service_request__free_unpacked(request, NULL);
	return records;
}

/* Under the lock. */
static void
keep_call(grpc_receiver *receiver, session *session)
{
	if (receiver->options.count_only) {
		receiver->call_count++;
		return;
	}
	CHECK(receiver->call_count < CALLS_MAX);
	grpc_receiver_call *kept = &receiver->calls[receiver->call_count];
	kept->method = copy_slice(session->details.method);
	char *peer = grpc_call_get_peer(session->call);
	kept->peer = strdup(peer);
	gpr_free(peer);
	kept->client_name = copy_client_name(session->call);
	keep_headers(kept, &session->metadata);
	keep_body(kept, session->message);
	session->records = count_records(kept);
	receiver->call_count++;
}

/* ---- Answering --------------------------------------------------------------------------------------------------- */

static void
ask_for_call(grpc_receiver *receiver)
{
	session *session = calloc(1, sizeof *session);
	CHECK(session);
	grpc_call_details_init(&session->details);
	grpc_metadata_array_init(&session->metadata);
	grpc_call_error error = grpc_server_request_call(receiver->server, &session->call, &session->details,
	                                                 &session->metadata, receiver->queue, receiver->queue, session);
	CHECK(error == GRPC_CALL_OK);
}

static void
free_session(session *session)
{
	if (session->call)
		grpc_call_unref(session->call);
	grpc_byte_buffer_destroy(session->message);
	grpc_call_details_destroy(&session->details);
	grpc_metadata_array_destroy(&session->metadata);
	free(session);
}

static void
start(session *session, const grpc_op *ops, size_t count)
{
	CHECK(grpc_call_start_batch(session->call, ops, count, session, NULL) == GRPC_CALL_OK);
}

static void
read_message(session *session)
{
	grpc_op op = { .op = GRPC_OP_RECV_MESSAGE };
	op.data.recv_message.recv_message = &session->message;
	session->step = READ;
	start(session, &op, 1);
}

static void
answer(session *session)
{
	const grpc_receiver_reply *reply = &session->reply;
	grpc_slice body = grpc_slice_from_static_buffer(reply->body ? reply->body : "", reply->body_size);
	grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&body, 1);
	grpc_slice text = grpc_slice_from_static_string(reply->text ? reply->text : "");
	grpc_metadata details = { .key = grpc_slice_from_static_string("grpc-status-details-bin"),
		                  .value = grpc_slice_from_static_buffer(reply->details, reply->details_size) };
	grpc_op ops[4];
	size_t count = 0;
	memset(ops, 0, sizeof ops);
	ops[count++].op = GRPC_OP_SEND_INITIAL_METADATA;
	if (reply->status == 0 && !reply->no_body) {
		ops[count].op = GRPC_OP_SEND_MESSAGE;
		ops[count++].data.send_message.send_message = message;
	}
	ops[count].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
	ops[count].data.send_status_from_server.status = (grpc_status_code)reply->status;
	ops[count].data.send_status_from_server.status_details = &text;
	ops[count].data.send_status_from_server.trailing_metadata = &details;
	ops[count++].data.send_status_from_server.trailing_metadata_count = reply->details ? 1 : 0;
	ops[count].op = GRPC_OP_RECV_CLOSE_ON_SERVER;
	ops[count++].data.recv_close_on_server.cancelled = &session->cancelled;
	session->step = ENDED;
	start(session, ops, count);
	grpc_byte_buffer_destroy(message);
}

/* Under the lock. */
static grpc_receiver_reply
next_reply(grpc_receiver *receiver)
{
	grpc_receiver_reply *first = receiver->script;
	if (!receiver->script_size)
		return (grpc_receiver_reply){ 0 };
	grpc_receiver_reply reply = *first;
	if (first->times == GRPC_RECEIVER_FOREVER)
		return reply;
	if (first->times <= 1)
		memmove(first, first + 1, --receiver->script_size * sizeof *first);
	else
		first->times--;
	return reply;
}

/* The call that was kept last. Under the lock. */
static bool
is_poisoned(const grpc_receiver *receiver)
{
	const char *poison = receiver->options.poison;
	const grpc_receiver_call *kept = &receiver->calls[receiver->call_count - 1];
	return poison && memmem(kept->body, kept->body_size, poison, strlen(poison));
}

static void
take_message(grpc_receiver *receiver, session *session)
{
	pthread_mutex_lock(&receiver->w.lock);
	keep_call(receiver, session);
	session->reply = next_reply(receiver);
	if (is_poisoned(receiver))
		session->reply = (grpc_receiver_reply){ .status = GRPC_STATUS_INVALID_ARGUMENT, .text = "poison" };
	bool hang = session->reply.hang && !receiver->released;
	if (!receiver->options.count_only)
		receiver->calls[receiver->call_count - 1].taken = !hang && session->reply.status == 0;
	if (hang) {
		session->next = receiver->hanging;
		receiver->hanging = session;
	} else if (session->reply.status == 0) {
		receiver->records += session->records;
	}
	pthread_cond_broadcast(&receiver->w.changed);
	pthread_mutex_unlock(&receiver->w.lock);
	if (!hang)
		answer(session);
}

static void
step_on(grpc_receiver *receiver, session *session, bool success)
{
	if (!success && session->step == ARRIVED) { /* the server is stopping */
		free_session(session);
		return;
	}
	switch (session->step) {
	case ARRIVED:
		ask_for_call(receiver);
		read_message(session);
		break;
	case READ:
		if (session->message)
			take_message(receiver, session);
		else
			free_session(session); /* the client gave up before it had sent all */
		break;
	case ENDED:
		free_session(session);
		break;
	}
}

static void *
serve(void *self)
{
	grpc_receiver *receiver = self;
	bool stopping = false;
	for (;;) {
		grpc_event event =
		    grpc_completion_queue_next(receiver->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
		if (event.type == GRPC_QUEUE_SHUTDOWN)
			return NULL;
		if (event.tag == receiver) {
			stopping = true;
			grpc_completion_queue_shutdown(receiver->queue);
		} else if (stopping) { /* a queue that is shut down aborts when it is given more */
			free_session(event.tag);
		} else {
			step_on(receiver, event.tag, event.success);
		}
	}
}

/* ---- Starting and stopping --------------------------------------------------------------------------------------- */

static grpc_server_credentials *
create_credentials(const grpc_receiver_options *options)
{
	if (!options->certificate)
		return grpc_insecure_server_credentials_create();
	grpc_ssl_pem_key_cert_pair pair = { .private_key = options->key, .cert_chain = options->certificate };
	return grpc_ssl_server_credentials_create_ex(options->client_authority, &pair, 1,
	                                             options->client_authority
	                                                 ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
	                                                 : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
	                                             NULL);
}

static void
listen_on(grpc_receiver *receiver)
{
	const grpc_receiver_options *options = &receiver->options;
	char address[128];
	if (options->socket)
		snprintf(address, sizeof address, "unix:%s", options->socket);
	else
		snprintf(address, sizeof address, "127.0.0.1:%u", options->port);
	grpc_server_credentials *credentials = create_credentials(options);
	int port = grpc_server_add_http2_port(receiver->server, address, credentials);
	CHECK(port > 0);
	grpc_server_credentials_release(credentials);
	receiver->port = (unsigned)port;
	if (options->socket)
		snprintf(receiver->url, sizeof receiver->url, "%s", address);
	else
		snprintf(receiver->url, sizeof receiver->url, "%s://127.0.0.1:%u",
		         options->certificate ? "https" : "http", receiver->port);
}

grpc_receiver *
grpc_receiver_start(const grpc_receiver_options *options)
{
	grpc_receiver *receiver = calloc(1, sizeof *receiver);
	CHECK(receiver);
	if (options)
		receiver->options = *options;
	watched_init(&receiver->w);
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	grpc_init();
	gpr_set_log_verbosity((gpr_log_severity)(GPR_LOG_SEVERITY_ERROR + 1));

	/* Compressed messages are to arrive as they are, so that tests see that they were; and ports are not shared. */
	grpc_arg given[] = {
		{ GRPC_ARG_INTEGER, (char *)GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, { .integer = 0 } },
		{ GRPC_ARG_INTEGER, (char *)GRPC_ARG_ALLOW_REUSEPORT, { .integer = 0 } },
		{ GRPC_ARG_INTEGER,
		  (char *)GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH,
		  { .integer = (int)receiver->options.max_message_bytes } },
	};
	const grpc_channel_args args = { .num_args = receiver->options.max_message_bytes ? 3 : 2, .args = given };
	receiver->queue = grpc_completion_queue_create_for_next(NULL);
	receiver->server = grpc_server_create(&args, NULL);
	grpc_server_register_completion_queue(receiver->server, receiver->queue, NULL);
	listen_on(receiver);
	grpc_server_start(receiver->server);
	for (int i = 0; i < 8; i++)
		ask_for_call(receiver);
	CHECK(pthread_create(&receiver->thread, NULL, serve, receiver) == 0);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return receiver;
}

static void
free_call(grpc_receiver_call *call)
{
	free(call->method);
	free(call->peer);
	free(call->client_name);
	for (size_t i = 0; i < call->header_count; i++) {
		free((char *)call->headers[i].name);
		free((char *)call->headers[i].value);
	}
	free(call->headers);
	free(call->body);
}

void
grpc_receiver_stop(grpc_receiver *receiver)
{
	if (!receiver)
		return;
	grpc_receiver_release(receiver);
	grpc_server_shutdown_and_notify(receiver->server, receiver->queue, receiver);
	grpc_server_cancel_all_calls(receiver->server);
	pthread_join(receiver->thread, NULL);
	grpc_server_destroy(receiver->server);
	grpc_completion_queue_destroy(receiver->queue);
	for (size_t i = 0; i < CALLS_MAX; i++)
		free_call(&receiver->calls[i]);
	watched_destroy(&receiver->w);
	free(receiver);
}

const char *
grpc_receiver_url(const grpc_receiver *receiver)
{
	return receiver->url;
}

unsigned
grpc_receiver_port(const grpc_receiver *receiver)
{
	return receiver->port;
}

void
grpc_receiver_script(grpc_receiver *receiver, const grpc_receiver_reply *reply)
{
	pthread_mutex_lock(&receiver->w.lock);
	CHECK(receiver->script_size < SCRIPT_MAX);
	receiver->script[receiver->script_size++] = *reply;
	pthread_mutex_unlock(&receiver->w.lock);
}

void
grpc_receiver_release(grpc_receiver *receiver)
{
	pthread_mutex_lock(&receiver->w.lock);
	receiver->released = true;
	session *first = receiver->hanging;
	receiver->hanging = NULL;
	for (session *one = first; one; one = one->next)
		if (one->reply.status == 0)
			receiver->records += one->records;
	pthread_mutex_unlock(&receiver->w.lock);
	while (first) {
		session *next = first->next; /* answered, it may be freed at once */
		answer(first);
		first = next;
	}
}

size_t
grpc_receiver_call_count(grpc_receiver *receiver)
{
	return watched_read(&receiver->w, &receiver->call_count);
}

size_t
grpc_receiver_record_count(grpc_receiver *receiver)
{
	return watched_read(&receiver->w, &receiver->records);
}

size_t
grpc_receiver_connection_count(grpc_receiver *receiver)
{
	size_t count = 0;
	pthread_mutex_lock(&receiver->w.lock);
	for (size_t i = 0; i < receiver->call_count; i++) {
		bool seen = false;
		for (size_t j = 0; j < i; j++)
			seen = seen || strcmp(receiver->calls[i].peer, receiver->calls[j].peer) == 0;
		count += !seen;
	}
	pthread_mutex_unlock(&receiver->w.lock);
	return count;
}

void
grpc_receiver_wait_calls(grpc_receiver *receiver, size_t count)
{
	watched_wait(&receiver->w, &receiver->call_count, count, "calls");
}

const grpc_receiver_call *
grpc_receiver_call_at(grpc_receiver *receiver, size_t i)
{
	CHECK(i < grpc_receiver_call_count(receiver));
	return &receiver->calls[i];
}

const char *
grpc_receiver_header(const grpc_receiver_call *call, const char *name)
{
	for (size_t i = 0; i < call->header_count; i++)
		if (strcmp(call->headers[i].name, name) == 0)
			return call->headers[i].value;
	return NULL;
}
