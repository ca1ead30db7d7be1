#include "tests/support/servers/receiver.h"

#include "sdk/base/buffer.h"
#include "tests/support/harness/check.h"
#include "tests/support/harness/watched.h"
#include "tests/support/servers/gunzip.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SCRIPT_MAX 64

struct receiver {
	struct MHD_Daemon *daemon;
	receiver_options options;
	unsigned port;
	char url[64];

	watched w; /* guards everything below */
	bool stopping;
	bool released;
	receiver_reply script[SCRIPT_MAX];
	size_t script_size;
	size_t script_at;
	size_t connections;
	receiver_request **requests;
	size_t request_count;
	receiver_record *records;
	size_t record_count;
};

/* One request while it comes in. */
typedef struct exchange {
	receiver_reply reply;
	receiver_request *request;
	bool kept; /* the request is on the receiver's list */
	otlog__buffer body;
} exchange;

static char *
copy(const char *text)
{
	char *copied = strdup(text ? text : "");
	CHECK(copied);
	return copied;
}

/* The array with room for one more item; it doubles, so that a million records do not cost a million moves. */
static void *
grow(void *items, size_t count, size_t item_size)
{
	if (count & (count - 1))
		return items;
	items = realloc(items, (count ? count * 2 : 1) * item_size);
	CHECK(items);
	return items;
}

/* ---- Taking a request -------------------------------------------------------------------------------------------- */

static receiver_reply
next_reply(receiver *receiver)
{
	receiver_reply reply = { 0 };
	if (receiver->script_at < receiver->script_size) {
		receiver_reply *next = &receiver->script[receiver->script_at];
		reply = *next;
		if (next->times != RECEIVER_FOREVER && --next->times == 0)
			receiver->script_at++;
	}
	if (!reply.status)
		reply.status = 200;
	return reply;
}

static enum MHD_Result
keep_header(void *request_, enum MHD_ValueKind kind, const char *name, const char *value)
{
	receiver_request *request = request_;
	(void)kind;
	request->headers = grow(request->headers, request->header_count, sizeof *request->headers);
	request->headers[request->header_count++] = (otlog_header){ .name = copy(name), .value = copy(value) };
	return MHD_YES;
}

static exchange *
begin(receiver *receiver, struct MHD_Connection *connection, const char *method, const char *path)
{
	exchange *exchange = calloc(1, sizeof *exchange);
	receiver_request *request = calloc(1, sizeof *request);
	CHECK(exchange && request);
	request->method = copy(method);
	request->path = copy(path);
	MHD_get_connection_values(connection, MHD_HEADER_KIND, keep_header, request);
	exchange->request = request;
	pthread_mutex_lock(&receiver->w.lock);
	exchange->reply = next_reply(receiver);
	pthread_mutex_unlock(&receiver->w.lock);
	return exchange;
}

static bool
has_type(const receiver_request *request, const char *type)
{
	const char *given = receiver_header(request, "Content-Type");
	return given && strcmp(given, type) == 0;
}

static bool
is_json(const receiver_request *request)
{
	return has_type(request, "application/json");
}

static void
decode(receiver_request *request)
{
	const char *encoding = receiver_header(request, "Content-Encoding");
	bool json = is_json(request);
	if (!json && !has_type(request, "application/x-protobuf"))
		return;
	otlog__buffer plain = { 0 };
	if (!encoding)
		CHECK(otlog__buffer_append(&plain, request->body, request->body_size));
	else if (strcmp(encoding, "gzip") != 0 || !gunzip(request->body, request->body_size, &plain))
		goto done;
	if (json)
		request->json = json_parse(plain.data, plain.size);
	else
		request->message = opentelemetry__proto__collector__logs__v1__export_logs_service_request__unpack(
		    NULL, plain.size, plain.data);
done:
	otlog__buffer_free(&plain);
}

/* Puts the request on the list, with what came of its body. */
static void
keep_request(receiver *receiver, exchange *exchange)
{
	receiver_request *request = exchange->request;
	request->body = exchange->body.data;
	request->body_size = exchange->body.size;
	exchange->body = (otlog__buffer){ 0 };
	decode(request);
	if (receiver->options.forgets)
		return;
	exchange->kept = true;
	pthread_mutex_lock(&receiver->w.lock);
	receiver->requests = grow(receiver->requests, receiver->request_count, sizeof *receiver->requests);
	receiver->requests[receiver->request_count++] = request;
	pthread_cond_broadcast(&receiver->w.changed);
	pthread_mutex_unlock(&receiver->w.lock);
}

static void
keep_records(receiver *receiver, const receiver_message *message)
{
	for (size_t i = 0; i < message->n_resource_logs; i++) {
		const Opentelemetry__Proto__Logs__V1__ResourceLogs *resource = message->resource_logs[i];
		for (size_t j = 0; j < resource->n_scope_logs; j++) {
			const Opentelemetry__Proto__Logs__V1__ScopeLogs *scope = resource->scope_logs[j];
			for (size_t k = 0; k < scope->n_log_records; k++) {
				receiver->records =
				    grow(receiver->records, receiver->record_count, sizeof *receiver->records);
				receiver->records[receiver->record_count++] =
				    (receiver_record){ scope->log_records[k], scope, resource };
			}
		}
	}
}

/* Decides the status and keeps the records of a success, before the client can know. False: no answer at all. */
static bool
settle(receiver *receiver, exchange *exchange)
{
	receiver_request *request = exchange->request;
	const receiver_reply *reply = &exchange->reply;
	bool answer = reply->part != RECEIVER_CLOSE_EARLY && reply->part != RECEIVER_CLOSE_LATE;
	bool judges = receiver->options.judge && (request->message || request->json);
	unsigned judged = judges ? receiver->options.judge(receiver->options.user, request) : 0;
	pthread_mutex_lock(&receiver->w.lock);
	while (reply->part == RECEIVER_HANG && !receiver->released && !receiver->stopping)
		pthread_cond_wait(&receiver->w.changed, &receiver->w.lock);
	if (receiver->stopping && reply->part == RECEIVER_HANG && !receiver->released)
		answer = false;
	if (answer) {
		request->status = request->message || request->json ? reply->status : 400;
		if (judged)
			request->status = judged;
		if (request->status / 100 == 2 && request->message && exchange->kept)
			keep_records(receiver, request->message);
	}
	pthread_cond_broadcast(&receiver->w.changed);
	pthread_mutex_unlock(&receiver->w.lock);
	return answer;
}

static enum MHD_Result
send_reply(struct MHD_Connection *connection, const exchange *exchange)
{
	const receiver_reply *reply = &exchange->reply;
	bool json = is_json(exchange->request);
	const void *body = !reply->body && json ? "{}" : reply->body;
	size_t body_size = !reply->body && json ? 2 : reply->body_size;
	bool typed = false;
	/* A copy: the client may have all of it, and the test free it, before the thread that sent it is done with it. */
	struct MHD_Response *response = MHD_create_response_from_buffer(body_size, (void *)body, MHD_RESPMEM_MUST_COPY);
	CHECK(response);
	for (size_t i = 0; i < reply->header_count; i++) {
		typed = typed || strcasecmp(reply->headers[i].name, "Content-Type") == 0;
		CHECK(MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value) == MHD_YES);
	}
	if (!typed)
		MHD_add_response_header(response, "Content-Type", json ? "application/json" : "application/x-protobuf");
	enum MHD_Result queued = MHD_queue_response(connection, exchange->request->status, response);
	MHD_destroy_response(response);
	return queued;
}

/* Called by libmicrohttpd when the head has come, for each piece of the body, and at the end of it. */
static enum MHD_Result
handle(void *self, struct MHD_Connection *connection, const char *path, const char *method, const char *version,
       const char *data, size_t *data_size, void **state)
{
	receiver *receiver = self;
	exchange *exchange = *state;
	(void)version;
	if (!exchange) {
		*state = exchange = begin(receiver, connection, method, path);
		if (exchange->reply.part != RECEIVER_CLOSE_EARLY)
			return MHD_YES;
		keep_request(receiver, exchange);
		return MHD_NO;
	}
	if (*data_size) {
		CHECK(otlog__buffer_append(&exchange->body, data, *data_size));
		*data_size = 0;
		return MHD_YES;
	}
	keep_request(receiver, exchange);
	return settle(receiver, exchange) ? send_reply(connection, exchange) : MHD_NO;
}

static void
free_request(receiver_request *request)
{
	for (size_t i = 0; i < request->header_count; i++) {
		free((char *)request->headers[i].name);
		free((char *)request->headers[i].value);
	}
	free(request->headers);
	free(request->method);
	free(request->path);
	free(request->body);
	opentelemetry__proto__collector__logs__v1__export_logs_service_request__free_unpacked(request->message, NULL);
	json_free(request->json);
	free(request);
}

static void
finish(void *self, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code)
{
	exchange *exchange = *state;
	(void)self;
	(void)connection;
	(void)code;
	if (!exchange)
		return;
	if (!exchange->kept) /* broken off before its end */
		free_request(exchange->request);
	otlog__buffer_free(&exchange->body);
	free(exchange);
	*state = NULL;
}

static void
count_connection(void *self, struct MHD_Connection *connection, void **state, enum MHD_ConnectionNotificationCode code)
{
	receiver *receiver = self;
	(void)connection;
	(void)state;
	if (code != MHD_CONNECTION_NOTIFY_STARTED)
		return;
	watched_add(&receiver->w, &receiver->connections);
}

/* ---- Starting and stopping --------------------------------------------------------------------------------------- */

receiver *
receiver_start(const receiver_options *options)
{
	const receiver_options plain = { 0 };
	if (!options)
		options = &plain;
	receiver *receiver = calloc(1, sizeof *receiver);
	CHECK(receiver);
	receiver->options = *options;
	watched_init(&receiver->w);

	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	address.sin_port = htons((uint16_t)options->port);
	struct MHD_OptionItem tls[] = {
		{ options->certificate ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END, 0, (void *)options->certificate },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)options->key },
		{ MHD_OPTION_END, 0, NULL },
	};
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL;
	if (options->certificate)
		flags |= MHD_USE_TLS;
	receiver->daemon = MHD_start_daemon(flags, 0, NULL, NULL, handle, receiver, MHD_OPTION_SOCK_ADDR, &address,
	                                    MHD_OPTION_NOTIFY_COMPLETED, finish, receiver, MHD_OPTION_NOTIFY_CONNECTION,
	                                    count_connection, receiver, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	                                    (size_t)512 * 1024, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
	CHECK(receiver->daemon);
	receiver->port = MHD_get_daemon_info(receiver->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
	snprintf(receiver->url, sizeof receiver->url, "%s://127.0.0.1:%u/v1/logs",
	         options->certificate ? "https" : "http", receiver->port);
	return receiver;
}

void
receiver_stop(receiver *receiver)
{
	if (!receiver)
		return;
	pthread_mutex_lock(&receiver->w.lock);
	receiver->stopping = true;
	pthread_cond_broadcast(&receiver->w.changed);
	pthread_mutex_unlock(&receiver->w.lock);
	MHD_stop_daemon(receiver->daemon);
	for (size_t i = 0; i < receiver->request_count; i++)
		free_request(receiver->requests[i]);
	free(receiver->requests);
	free(receiver->records);
	watched_destroy(&receiver->w);
	free(receiver);
}

const char *
receiver_url(const receiver *receiver)
{
	return receiver->url;
}

unsigned
receiver_port(const receiver *receiver)
{
	return receiver->port;
}

void
receiver_script(receiver *receiver, const receiver_reply *reply)
{
	pthread_mutex_lock(&receiver->w.lock);
	receiver->script_size -= receiver->script_at;
	memmove(receiver->script, receiver->script + receiver->script_at,
	        receiver->script_size * sizeof *receiver->script);
	receiver->script_at = 0;
	CHECK(receiver->script_size < SCRIPT_MAX);
	receiver_reply *added = &receiver->script[receiver->script_size++];
	*added = *reply;
	if (!added->times)
		added->times = 1;
	pthread_mutex_unlock(&receiver->w.lock);
}

void
receiver_release(receiver *receiver)
{
	pthread_mutex_lock(&receiver->w.lock);
	receiver->released = true;
	pthread_cond_broadcast(&receiver->w.changed);
	pthread_mutex_unlock(&receiver->w.lock);
}

/* ---- Looking at what came ---------------------------------------------------------------------------------------- */

size_t
receiver_request_count(receiver *receiver)
{
	return watched_read(&receiver->w, &receiver->request_count);
}

size_t
receiver_record_count(receiver *receiver)
{
	return watched_read(&receiver->w, &receiver->record_count);
}

unsigned
receiver_connection_count(receiver *receiver)
{
	return (unsigned)watched_read(&receiver->w, &receiver->connections);
}

void
receiver_wait_requests(receiver *receiver, size_t count)
{
	watched_wait(&receiver->w, &receiver->request_count, count, "requests");
}

void
receiver_wait_records(receiver *receiver, size_t count)
{
	watched_wait(&receiver->w, &receiver->record_count, count, "records");
}

const receiver_request *
receiver_request_at(receiver *receiver, size_t i)
{
	pthread_mutex_lock(&receiver->w.lock);
	CHECK(i < receiver->request_count);
	const receiver_request *request = receiver->requests[i];
	pthread_mutex_unlock(&receiver->w.lock);
	return request;
}

receiver_record
receiver_record_at(receiver *receiver, size_t i)
{
	pthread_mutex_lock(&receiver->w.lock);
	CHECK(i < receiver->record_count);
	receiver_record record = receiver->records[i];
	pthread_mutex_unlock(&receiver->w.lock);
	return record;
}

const char *
receiver_header(const receiver_request *request, const char *name)
{
	for (size_t i = 0; i < request->header_count; i++)
		if (strcasecmp(request->headers[i].name, name) == 0)
			return request->headers[i].value;
	return NULL;
}
