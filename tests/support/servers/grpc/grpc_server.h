/*
 * A scripted OTLP/gRPC receiver on gRPC's own server, on a free loopback port or a Unix socket. It takes everything
 * unless told otherwise and keeps what it took.
 *
 *   grpc_receiver *r = grpc_receiver_start(NULL);
 *   grpc_receiver_script(r, &(grpc_receiver_reply){ .status = 14, .times = 2 });   the first two calls; then success
 *   … export to grpc_receiver_url(r) …
 *   grpc_receiver_stop(r);
 *
 * Calls are all that came; records are only those of calls that were answered with OK. Every function may be called from
 * any thread.
 */
#ifndef TESTS_SUPPORT_SERVERS_GRPC_GRPC_SERVER_H
#define TESTS_SUPPORT_SERVERS_GRPC_GRPC_SERVER_H

#include <otlog/exporters.h>

typedef struct grpc_receiver grpc_receiver;

/* {0} is a plain receiver on a port of its own choice. */
typedef struct grpc_receiver_options {
	unsigned port;           /* 0: any; else that of a receiver which was stopped */
	const char *socket;      /* a path: listens there instead */
	const char *certificate; /* PEM text, not a file's name. Given: TLS */
	const char *key;
	const char *client_authority; /* PEM text: clients need a certificate that it signed */
	size_t max_message_bytes;     /* larger ones are refused, as gRPC does that; 0: over 4 MiB */
	const char *poison;           /* calls whose message holds these bytes are refused with INVALID_ARGUMENT */
	bool count_only;              /* for speed: bodies are neither decoded nor kept, records are not counted */
} grpc_receiver_options;

/* NULL is {0}. Ends the test program if there is no port. */
grpc_receiver *grpc_receiver_start(const grpc_receiver_options *options);
/* Ends connections, hanging calls too, and frees everything that the receiver has given out. NULL is allowed. */
void grpc_receiver_stop(grpc_receiver *receiver);

const char *grpc_receiver_url(const grpc_receiver *receiver); /* "http://127.0.0.1:PORT", "unix:PATH" */
unsigned grpc_receiver_port(const grpc_receiver *receiver);

#define GRPC_RECEIVER_FOREVER UINT32_MAX

/* What some calls get. Strings and bytes are not copied: they must outlive the receiver. */
typedef struct grpc_receiver_reply {
	bool hang;           /* answer only when grpc_receiver_release is called */
	int status;          /* a grpc_status_code */
	const char *text;    /* with the status; NULL: "" */
	const void *details; /* the trailer grpc-status-details-bin; NULL: none */
	size_t details_size;
	const void *body; /* with OK; NULL: an empty ExportLogsServiceResponse */
	size_t body_size;
	bool no_body;   /* OK without any message */
	uint32_t times; /* how many calls; 0: one */
} grpc_receiver_reply;

/* Adds one reply behind the script. Calls beyond the script are answered with success. At most 64. */
void grpc_receiver_script(grpc_receiver *receiver, const grpc_receiver_reply *reply);

/* Lets the calls that hang go on, and those that were to hang later. */
void grpc_receiver_release(grpc_receiver *receiver);

typedef struct grpc_receiver_call {
	char *method;
	char *peer;            /* who called, with the port */
	char *client_name;     /* the common name in the client's certificate; "" if it showed none */
	otlog_header *headers; /* those that gRPC shows; values of -bin decoded */
	size_t header_count;
	bool gzipped;
	bool taken;    /* it was answered with OK, at once */
	uint8_t *body; /* after decompression */
	size_t body_size;
} grpc_receiver_call;

size_t grpc_receiver_call_count(grpc_receiver *receiver);
size_t grpc_receiver_record_count(grpc_receiver *receiver);
size_t grpc_receiver_connection_count(grpc_receiver *receiver); /* that ever made a call */

/* Waits until so many calls have come; ends the test program after 30 s. */
void grpc_receiver_wait_calls(grpc_receiver *receiver, size_t count);

/* Number i of those that have come, 0 the first; good until grpc_receiver_stop. */
const grpc_receiver_call *grpc_receiver_call_at(grpc_receiver *receiver, size_t i);

/* A header's value; NULL if there is none. */
const char *grpc_receiver_header(const grpc_receiver_call *call, const char *name);

#endif
