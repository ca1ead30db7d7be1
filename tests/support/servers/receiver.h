/*
 * A scripted OTLP/HTTP receiver on a free loopback port. It takes everything unless told otherwise, keeps what it took,
 * and lets a test wait for it.
 *
 *   receiver *r = receiver_start(NULL);
 *   receiver_script(r, &(receiver_reply){ .status = 503, .times = 2 });       the first two requests; then success
 *   … export to receiver_url(r) …
 *   receiver_wait_records(r, 10);
 *   receiver_record first = receiver_record_at(r, 0);
 *   receiver_stop(r);
 *
 * Requests are all that came; records are only those of requests that were answered with 2xx. A body that is no
 * ExportLogsServiceRequest is answered 400, whatever the script says. The same goes for JSON bodies, whose records are
 * left in their tree. Every function may be called from any thread. What HTTP libraries cannot do (reset, garbage, a byte
 * a second) is in raw_server.h.
 */
#ifndef TESTS_SUPPORT_SERVERS_RECEIVER_H
#define TESTS_SUPPORT_SERVERS_RECEIVER_H

#include "proto/logs_service.pb-c.h"
#include "tests/support/records/json_tree.h"

#include <otlog/exporters.h>

typedef Opentelemetry__Proto__Collector__Logs__V1__ExportLogsServiceRequest receiver_message;
typedef Opentelemetry__Proto__Collector__Logs__V1__ExportLogsServiceResponse receiver_response;

typedef struct receiver receiver;

typedef struct receiver_request receiver_request;

/* {0} is a plain receiver on a port of its own choice. */
typedef struct receiver_options {
	unsigned port;           /* 0: any; else that of a receiver which was stopped */
	const char *certificate; /* PEM text, not a file's name. Given: TLS, and the URL begins with https:// */
	const char *key;
	/*
	 * Gives the status of a decoded request by what it holds; 0: as the script says. Called in the receiver's
	 * threads.
	 */
	unsigned (*judge)(void *user, const receiver_request *request);
	void *user;
	bool forgets; /* keeps nothing of what came: for runs of many requests, whose judge looks at each */
} receiver_options;

/* NULL is {0}. Ends the test program if there is no port. */
receiver *receiver_start(const receiver_options *options);
/* Ends connections, hanging ones too, and frees everything that the receiver has given out. NULL is allowed. */
void receiver_stop(receiver *receiver);

const char *receiver_url(const receiver *receiver); /* "http://127.0.0.1:PORT/v1/logs" */
unsigned receiver_port(const receiver *receiver);

/* ---- Script ------------------------------------------------------------------------------------------------------ */

typedef enum receiver_part {
	RECEIVER_ANSWER,
	RECEIVER_HANG,        /* reads all of the request, answers when receiver_release is called */
	RECEIVER_CLOSE_EARLY, /* closes with the body unread */
	RECEIVER_CLOSE_LATE   /* reads all of the request, closes without an answer */
} receiver_part;

#define RECEIVER_FOREVER UINT32_MAX

/*
 * What some requests get. Headers and body are read when a request comes that gets them: they must live until it has its
 * answer, or until receiver_stop if it never gets one.
 */
typedef struct receiver_reply {
	receiver_part part;
	unsigned status;             /* 0: 200 */
	const otlog_header *headers; /* beside, or instead of, the Content-Type, which is that of the request */
	size_t header_count;
	const void *body; /* NULL: an empty ExportLogsServiceResponse */
	size_t body_size;
	uint32_t times; /* how many requests; 0: one */
} receiver_reply;

/* Adds one reply behind the script. Requests beyond the script are answered with success. At most 64 at a time. */
void receiver_script(receiver *receiver, const receiver_reply *reply);

/* Lets the requests that hang go on, and those that were to hang later. */
void receiver_release(receiver *receiver);

/* ---- What came --------------------------------------------------------------------------------------------------- */

struct receiver_request {
	char *method;
	char *path;
	otlog_header *headers;
	size_t header_count;
	uint8_t *body; /* as it came */
	size_t body_size;
	receiver_message *message; /* NULL: not decoded, or JSON */
	json_tree *json;           /* NULL: not decoded, or protobuf */
	unsigned status;           /* how it was answered; 0: not at all, or not yet */
};

typedef struct receiver_record {
	const Opentelemetry__Proto__Logs__V1__LogRecord *record;
	const Opentelemetry__Proto__Logs__V1__ScopeLogs *scope;
	const Opentelemetry__Proto__Logs__V1__ResourceLogs *resource;
} receiver_record;

size_t receiver_request_count(receiver *receiver);
size_t receiver_record_count(receiver *receiver);
unsigned receiver_connection_count(receiver *receiver); /* ever taken */

/* Waits until so many have come; ends the test program after 30 s. */
void receiver_wait_requests(receiver *receiver, size_t count);
void receiver_wait_records(receiver *receiver, size_t count);

/* Number i of those that have come, 0 the first; good until receiver_stop. */
const receiver_request *receiver_request_at(receiver *receiver, size_t i);
receiver_record receiver_record_at(receiver *receiver, size_t i);

/* A header's value, the name in any case; NULL if there is none. */
const char *receiver_header(const receiver_request *request, const char *name);

#endif
