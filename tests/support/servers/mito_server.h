/*
 * A Mito log server in Python (mito_server.py), as a process of its own: starts it, and reads what it was sent. Its
 * paths choose its answers.
 */
#ifndef TESTS_SUPPORT_SERVERS_MITO_SERVER_H
#define TESTS_SUPPORT_SERVERS_MITO_SERVER_H

#include <stdbool.h>
#include <stddef.h>

typedef struct mito_server mito_server;

/* Ends the test program if there is no python3. */
#define mito_server_start() mito_server_run(OTLOG_SOURCE_DIR "/tests/support/servers/mito_server.py")
mito_server *mito_server_run(const char *script);
void mito_server_stop(mito_server *server);

/* "http://<host>:PORT<path>" in a buffer of the server's, good for the next 8 calls. */
const char *mito_server_url(mito_server *server, const char *host, const char *path);

/* One request; "-" for a header that was not sent. */
typedef struct mito_upload {
	char *path;
	char *content_type;
	char *authorization;
	char *token;
	char *fault; /* "ok" */
	char *body;
} mito_upload;

/* The next request, in the order in which they came. Ends the test program if none comes in 30 s. */
const mito_upload *mito_server_next(mito_server *server);

/* Whether there is one more by now. */
bool mito_server_has_more(mito_server *server);

/* How often the text stands in another. */
size_t mito_server_occurrences(const char *text, const char *part);

#endif
