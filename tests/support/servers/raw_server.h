/*
 * A TCP server for what no HTTP library does: it takes connections on a free loopback port and plays one scripted part
 * to each of them, byte by byte as the test says.
 *
 * Plays are used in the order given; the last one is for all later connections. Every wait ends with raw_server_stop.
 */
#ifndef TESTS_SUPPORT_SERVERS_RAW_SERVER_H
#define TESTS_SUPPORT_SERVERS_RAW_SERVER_H

#include <stddef.h>
#include <stdint.h>

typedef enum raw_read {
	RAW_READ_NOTHING, /* at once */
	RAW_READ_HEAD,    /* up to the empty line; the body is left in the socket */
	RAW_READ_REQUEST  /* head and Content-Length bytes of body */
} raw_read;

typedef enum raw_end {
	RAW_END_CLOSE,  /* an orderly end */
	RAW_END_RESET,  /* RST */
	RAW_END_HOLD,   /* stays open, silent, until the client closes or the server stops */
	RAW_END_REPEAT, /* waits for the next request on the same connection: keep-alive */
	RAW_END_STALE   /* keeps the connection, but answers the next request on it with RST */
} raw_end;

typedef struct raw_play {
	raw_read read;
	const char *answer; /* sent then; NULL: nothing. Lives as long as the server */
	size_t answer_size; /* 0: strlen(answer) */
	size_t padding;     /* bytes of 'x' behind it */
	unsigned pause_ms;  /* between any two bytes of the answer; 0: in one piece */
	raw_end end;
} raw_play;

typedef struct raw_server raw_server;

/* Fails the test if there is no port. */
raw_server *raw_server_start(const raw_play *plays, size_t play_count);

/* "http://127.0.0.1:PORT/v1/logs" */
const char *raw_server_url(const raw_server *server);

/* Connections taken so far. */
unsigned raw_server_connections(raw_server *server);

/* Waits until `count` requests (RAW_READ_HEAD or more) have been read as far as asked; fails the test after 30 s. */
void raw_server_wait_requests(raw_server *server, unsigned count);

void raw_server_stop(raw_server *server);

/*
 * Writes the URL of a loopback port that refuses connections: it is taken, so nobody else can come to listen there until
 * the caller closes the descriptor that this returns.
 */
int raw_server_refuse(char *out, size_t out_size);

#endif
