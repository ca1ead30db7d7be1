/*
 * What the two HTTP servers among the examples share: whole requests on 127.0.0.1, until SIGTERM or SIGINT.
 */
#ifndef EXAMPLES_SERVE_H
#define EXAMPLES_SERVE_H

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVE_MAX_BODY_BYTES (64u << 20) /* the OTLP specification's limit of a request */

typedef struct serve_body {
	uint8_t *data; /* a NUL follows; NULL if there is no body */
	size_t size;
	size_t capacity;
	bool too_large; /* or no memory; what did not fit is missing */
} serve_body;

typedef struct serve_request {
	struct MHD_Connection *connection;
	const char *url;
	const char *method;
	serve_body body;
} serve_request;

typedef struct serve_options {
	const char *program;   /* for messages */
	uint16_t port;         /* 0: a free one */
	const char *port_file; /* NULL, or where to write the port once it is open */
	unsigned threads;      /* that call the handler */
	enum MHD_Result (*handler)(void *user, const serve_request *request); /* queues the answer */
	void *user;
} serve_options;

/* Reads the value of --port. False, with a message, if it is no port. */
static inline bool
serve_set_port(serve_options *options, const char *text)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || port > 65535) {
		fprintf(stderr, "%s: %s is no port; give a number from 0 to 65535\n", options->program, text);
		return false;
	}
	options->port = (uint16_t)port;
	return true;
}

static inline bool
serve_append(serve_body *body, const void *data, size_t size)
{
	if (size > SERVE_MAX_BODY_BYTES - body->size)
		return false;
	if (body->size + size >= body->capacity) {
		size_t capacity = 2 * (body->size + size) + 1;
		uint8_t *grown = realloc(body->data, capacity);
		if (!grown)
			return false;
		body->data = grown;
		body->capacity = capacity;
	}
	memcpy(body->data + body->size, data, size);
	body->size += size;
	body->data[body->size] = '\0';
	return true;
}

static inline const char *
serve_header(const serve_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

static inline enum MHD_Result
serve_answer(const serve_request *request, unsigned status, const char *type, const char *text)
{
	struct MHD_Response *response =
	    MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result = MHD_NO;

	if (response) {
		MHD_add_response_header(response, "Content-Type", type);
		result = MHD_queue_response(request->connection, status, response);
		MHD_destroy_response(response);
	}
	return result;
}

/* libmicrohttpd calls it for the headers, for each piece of the body, and once more when all is there. */
static inline enum MHD_Result
serve__on_request(void *user, struct MHD_Connection *connection, const char *url, const char *method,
                  const char *version, const char *data, size_t *size, void **state)
{
	const serve_options *options = user;
	serve_body *body = *state;

	(void)version;
	if (!body)
		return (*state = calloc(1, sizeof *body)) ? MHD_YES : MHD_NO;
	if (*size) {
		body->too_large |= !serve_append(body, data, *size);
		*size = 0;
		return MHD_YES;
	}
	serve_request request = { .connection = connection, .url = url, .method = method, .body = *body };
	return options->handler(options->user, &request);
}

static inline void
serve__on_completed(void *user, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code)
{
	serve_body *body = *state;

	(void)user, (void)connection, (void)code;
	if (body)
		free(body->data);
	free(body);
}

static inline bool
serve__write_port(const serve_options *options, unsigned port)
{
	FILE *out = fopen(options->port_file, "w");
	bool written = out && fprintf(out, "%u\n", port) > 0;

	if (out && fclose(out))
		written = false;
	if (!written)
		fprintf(stderr, "%s: cannot write %s: %s\n", options->program, options->port_file, strerror(errno));
	return written;
}

/*
 * Call it before any other thread is started: SIGTERM and SIGINT are blocked here, every thread inherits that, and
 * serve() alone waits for them.
 */
static inline sigset_t
serve_block_signals(void)
{
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);
	return ends;
}

/* Serves until one of the signals comes; no handler is running any more when it returns. False if it could not start.
 */
static inline bool
serve(const serve_options *options, const sigset_t *ends)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		                       .sin_port = htons(options->port),
		                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct MHD_Daemon *server =
	    MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO, 0, NULL, NULL, serve__on_request,
	                     (void *)(uintptr_t)options, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_NOTIFY_COMPLETED,
	                     serve__on_completed, NULL, MHD_OPTION_THREAD_POOL_SIZE, options->threads, MHD_OPTION_END);
	int signal_number;

	if (!server) {
		fprintf(stderr, "%s: cannot listen on 127.0.0.1:%u: %s; if it is in use, --port 0 takes a free one\n",
		        options->program, options->port, strerror(errno));
		return false;
	}
	unsigned port = MHD_get_daemon_info(server, MHD_DAEMON_INFO_BIND_PORT)->port;
	printf("%s listens on http://127.0.0.1:%u\n", options->program, port);
	fflush(stdout);
	bool served = !options->port_file || serve__write_port(options, port);
	if (served)
		sigwait(ends, &signal_number);
	MHD_stop_daemon(server);
	return served;
}

#endif
