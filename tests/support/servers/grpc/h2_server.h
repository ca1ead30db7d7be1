/*
 * A scripted OTLP/gRPC receiver on bare HTTP/2, for what gRPC's own server cannot be made to do: connections and streams
 * that end at any point, answers that are none. On a free loopback port; it takes everything unless told otherwise.
 *
 *   h2_server *s = h2_server_start();
 *   h2_server_script(s, &(h2_play){ .when = H2_AT_HEAD, .act = H2_RST_STREAM, .code = 7 });   the first request
 *   … export to h2_server_url(s) …
 *   h2_server_stop(s);
 *
 * Every function may be called from any thread.
 */
#ifndef TESTS_SUPPORT_SERVERS_GRPC_H2_SERVER_H
#define TESTS_SUPPORT_SERVERS_GRPC_H2_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct h2_server h2_server;

typedef enum h2_when {
	H2_AT_BODY,   /* the request has come to its end */
	H2_AT_HEAD,   /* its headers are here; nothing of its body counts */
	H2_AT_CONNECT /* before anything is read: of the next connection, not the next request */
} h2_when;

typedef enum h2_act {
	H2_ANSWER,
	H2_GOAWAY,     /* with `code`; neither this request nor later ones were taken; then an orderly end */
	H2_RST_STREAM, /* with `code` */
	H2_RESET,      /* RST of TCP */
	H2_CLOSE,      /* an orderly end */
	H2_SILENCE,    /* nothing is read or written any more */
	H2_GARBAGE     /* bytes that are no HTTP/2, then an orderly end */
} h2_act;

/* Strings and bytes are not copied: they must outlive the server. {0} is success. */
typedef struct h2_play {
	h2_when when;
	h2_act act;
	uint32_t code;
	bool goaway_first; /* ANSWER: a GOAWAY that still allows this request comes before the answer */
	bool goaway_after; /* ANSWER: it comes behind it */

	const char *http_status;  /* NULL: "200" */
	const char *content_type; /* NULL: "application/grpc"; "": none */
	const char *grpc_status;  /* NULL: "0"; "": no such trailer */
	const char *grpc_message; /* NULL: none */
	const char *details;      /* grpc-status-details-bin, in base64; NULL: none */
	bool echo_headers;        /* the request's `authorization` is the message */
	bool no_body;             /* the trailers alone */
	const void *body;         /* of the DATA frames, head of the gRPC message included; NULL: an empty message */
	size_t body_size;
	size_t padding;    /* zero bytes behind it */
	size_t cut_bytes;  /* the connection ends after so many bytes of the answer; 0: it does not */
	unsigned pause_ms; /* between any two bytes of the answer; 0: none */

	uint32_t times; /* how often; 0: once */
} h2_play;

/* Ends the test program if there is no port. */
h2_server *h2_server_start(void);
/* Ends all connections, and frees what the server has given out. NULL is allowed. */
void h2_server_stop(h2_server *server);

const char *h2_server_url(const h2_server *server); /* "http://127.0.0.1:PORT" */

/* Adds one play behind the script: at most 64. What comes beyond is answered with success. */
void h2_server_script(h2_server *server, const h2_play *play);

/* Ends all connections in an orderly way, so that the next request needs a new one. */
void h2_server_disconnect(h2_server *server);

/*
 * A request that came in whole and that a receiver would now have: it was answered with OK, or the answer was prevented by
 * something that says nothing about the request.
 */
typedef struct h2_request {
	char user_agent[128];
	char authorization[128];
	uint8_t *body; /* the protobuf message */
	size_t body_size;
	bool answered; /* as far as the server can tell */
} h2_request;

size_t h2_server_request_count(h2_server *server);

/* Number i of them; good until h2_server_stop or h2_server_forget. */
const h2_request *h2_server_request_at(h2_server *server, size_t i);

/* Forgets the requests. */
void h2_server_forget(h2_server *server);

/* How many plays of the script have not come up yet. */
size_t h2_server_plays_left(h2_server *server);

size_t h2_server_connection_count(h2_server *server);

#endif
