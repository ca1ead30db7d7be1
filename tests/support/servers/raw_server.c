#include "tests/support/servers/raw_server.h"

#include "tests/support/harness/check.h"
#include "tests/support/harness/watched.h"
#include "tests/support/servers/loopback.h"

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

struct raw_server {
	int listener;
	int stop; /* an eventfd; readable once the server stops */
	char url[64];
	const raw_play *plays;
	size_t play_count;
	pthread_t thread;
	watched w; /* guards the two counts */
	size_t connections;
	size_t requests;
};

/* Reads one request as far as the play says. False if there is none. */
static bool
read_request(raw_server *server, int fd, raw_read how)
{
	char head[16 * 1024];
	size_t used = 0;
	char *end = NULL;
	while (!end) {
		if (used + 1 == sizeof head || !loopback_wait(server->stop, fd, POLLIN, -1))
			return false;
		/* Byte by byte, so that the body stays in the socket. */
		if (recv(fd, head + used, 1, 0) != 1)
			return false;
		head[++used] = '\0';
		end = used >= 4 && memcmp(head + used - 4, "\r\n\r\n", 4) == 0 ? head + used : NULL;
	}
	const char *length = strcasestr(head, "\r\nContent-Length:");
	size_t left = how == RAW_READ_REQUEST && length ? strtoul(length + 17, NULL, 10) : 0;
	while (left) {
		char body[64 * 1024];
		if (!loopback_wait(server->stop, fd, POLLIN, -1))
			return false;
		ssize_t got = recv(fd, body, left < sizeof body ? left : sizeof body, 0);
		if (got <= 0)
			return false;
		left -= (size_t)got;
	}
	watched_add(&server->w, &server->requests);
	return true;
}

static bool
send_all(raw_server *server, int fd, const char *data, size_t size, unsigned pause_ms)
{
	if (!pause_ms)
		return loopback_send(server->stop, fd, data, size);
	for (size_t i = 0; i < size; i++)
		if (loopback_wait(server->stop, fd, 0, (int)pause_ms) || !loopback_send(server->stop, fd, data + i, 1))
			return false; /* the client has gone */
	return true;
}

static bool
send_answer(raw_server *server, int fd, const raw_play *play)
{
	size_t size = play->answer && !play->answer_size ? strlen(play->answer) : play->answer_size;
	if (play->answer && !send_all(server, fd, play->answer, size, play->pause_ms))
		return false;
	char padding[4096];
	memset(padding, 'x', sizeof padding);
	for (size_t left = play->padding; left;) {
		size_t piece = left < sizeof padding ? left : sizeof padding;
		if (!send_all(server, fd, padding, piece, play->pause_ms))
			return false;
		left -= piece;
	}
	return true;
}

static void
play_part(raw_server *server, int fd, const raw_play *play)
{
	do {
		if (play->read != RAW_READ_NOTHING && !read_request(server, fd, play->read))
			break;
		if (!send_answer(server, fd, play))
			break;
	} while (play->end == RAW_END_REPEAT);

	if (play->end == RAW_END_HOLD)
		loopback_wait(server->stop, fd, POLLRDHUP, -1);
	if (play->end == RAW_END_STALE)
		loopback_wait(server->stop, fd, POLLIN, -1);
	if (play->end == RAW_END_RESET || play->end == RAW_END_STALE) {
		loopback_reset(fd);
	} else if (play->end == RAW_END_CLOSE) {
		shutdown(fd, SHUT_WR);
	}
	close(fd);
}

static void *
serve(void *self)
{
	raw_server *server = self;
	while (loopback_wait(server->stop, server->listener, POLLIN, -1)) {
		int fd = accept(server->listener, NULL, NULL);
		if (fd < 0)
			continue;
		size_t turn = watched_add(&server->w, &server->connections);
		play_part(server, fd, &server->plays[turn < server->play_count ? turn : server->play_count - 1]);
	}
	return NULL;
}

raw_server *
raw_server_start(const raw_play *plays, size_t play_count)
{
	raw_server *server = calloc(1, sizeof *server);
	CHECK(server && play_count);
	server->plays = plays;
	server->play_count = play_count;
	unsigned port;
	server->listener = loopback_listen(&port);
	snprintf(server->url, sizeof server->url, "http://127.0.0.1:%u/v1/logs", port);
	server->stop = loopback_bell_make();
	watched_init(&server->w);
	CHECK(pthread_create(&server->thread, NULL, serve, server) == 0);
	return server;
}

const char *
raw_server_url(const raw_server *server)
{
	return server->url;
}

unsigned
raw_server_connections(raw_server *server)
{
	return (unsigned)watched_read(&server->w, &server->connections);
}

void
raw_server_wait_requests(raw_server *server, unsigned count)
{
	watched_wait(&server->w, &server->requests, count, "requests");
}

void
raw_server_stop(raw_server *server)
{
	if (!server)
		return;
	loopback_bell_ring(server->stop);
	pthread_join(server->thread, NULL);
	close(server->listener);
	close(server->stop);
	watched_destroy(&server->w);
	free(server);
}

int
raw_server_refuse(char *out, size_t out_size)
{
	unsigned port;
	int fd = loopback_bind(&port);
	snprintf(out, out_size, "http://127.0.0.1:%u/v1/logs", port);
	return fd;
}
