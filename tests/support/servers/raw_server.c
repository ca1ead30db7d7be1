#include "tests/support/servers/raw_server.h"

#include "tests/support/harness/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct raw_server {
	int listener;
	int stop; /* an eventfd; readable once the server stops */
	char url[64];
	const raw_play *plays;
	size_t play_count;
	pthread_t thread;
	pthread_mutex_t lock; /* guards the two counts */
	pthread_cond_t changed;
	unsigned connections;
	unsigned requests;
};

/* True once the descriptor is ready; false if the server stops first, or after `timeout_ms` (-1: never). */
static bool
wait_for(raw_server *server, int fd, short events, int timeout_ms)
{
	struct pollfd fds[] = { { .fd = server->stop, .events = POLLIN }, { .fd = fd, .events = events } };
	int ready;
	do
		ready = poll(fds, 2, timeout_ms);
	while (ready < 0 && errno == EINTR);
	return ready > 0 && !fds[0].revents;
}

/* Reads one request as far as the play says. False if there is none. */
static bool
read_request(raw_server *server, int fd, raw_read how)
{
	char head[16 * 1024];
	size_t used = 0;
	char *end = NULL;
	while (!end) {
		if (used + 1 == sizeof head || !wait_for(server, fd, POLLIN, -1))
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
		if (!wait_for(server, fd, POLLIN, -1))
			return false;
		ssize_t got = recv(fd, body, left < sizeof body ? left : sizeof body, 0);
		if (got <= 0)
			return false;
		left -= (size_t)got;
	}
	pthread_mutex_lock(&server->lock);
	server->requests++;
	pthread_cond_broadcast(&server->changed);
	pthread_mutex_unlock(&server->lock);
	return true;
}

static bool
send_all(raw_server *server, int fd, const char *data, size_t size, unsigned pause_ms)
{
	while (size) {
		if (pause_ms && wait_for(server, fd, 0, (int)pause_ms))
			return false; /* the client has gone */
		if (!wait_for(server, fd, POLLOUT, -1))
			return false;
		ssize_t sent = send(fd, data, pause_ms ? 1 : size, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno != EAGAIN)
			return false;
		data += sent > 0 ? sent : 0;
		size -= sent > 0 ? (size_t)sent : 0;
	}
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
		wait_for(server, fd, POLLRDHUP, -1);
	if (play->end == RAW_END_STALE)
		wait_for(server, fd, POLLIN, -1);
	if (play->end == RAW_END_RESET || play->end == RAW_END_STALE) {
		const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	} else if (play->end == RAW_END_CLOSE) {
		shutdown(fd, SHUT_WR);
	}
	close(fd);
}

static void *
serve(void *self)
{
	raw_server *server = self;
	while (wait_for(server, server->listener, POLLIN, -1)) {
		int fd = accept(server->listener, NULL, NULL);
		if (fd < 0)
			continue;
		pthread_mutex_lock(&server->lock);
		size_t turn = server->connections++;
		pthread_cond_broadcast(&server->changed);
		pthread_mutex_unlock(&server->lock);
		play_part(server, fd, &server->plays[turn < server->play_count ? turn : server->play_count - 1]);
	}
	return NULL;
}

/* A socket bound to a free loopback port, which goes to *port. */
static int
bind_free_port(unsigned *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(fd >= 0);
	CHECK(bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
	*port = ntohs(address.sin_port);
	return fd;
}

raw_server *
raw_server_start(const raw_play *plays, size_t play_count)
{
	raw_server *server = calloc(1, sizeof *server);
	CHECK(server && play_count);
	server->plays = plays;
	server->play_count = play_count;
	unsigned port;
	server->listener = bind_free_port(&port);
	CHECK(listen(server->listener, 16) == 0);
	snprintf(server->url, sizeof server->url, "http://127.0.0.1:%u/v1/logs", port);
	server->stop = eventfd(0, EFD_CLOEXEC);
	CHECK(server->stop >= 0);
	pthread_mutex_init(&server->lock, NULL);
	pthread_cond_init(&server->changed, NULL);
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
	pthread_mutex_lock(&server->lock);
	unsigned connections = server->connections;
	pthread_mutex_unlock(&server->lock);
	return connections;
}

void
raw_server_wait_requests(raw_server *server, unsigned count)
{
	struct timespec deadline = check_deadline();
	pthread_mutex_lock(&server->lock);
	while (server->requests < count)
		CHECK(pthread_cond_timedwait(&server->changed, &server->lock, &deadline) == 0);
	pthread_mutex_unlock(&server->lock);
}

void
raw_server_stop(raw_server *server)
{
	if (!server)
		return;
	const uint64_t one = 1;
	CHECK(write(server->stop, &one, sizeof one) == sizeof one);
	pthread_join(server->thread, NULL);
	close(server->listener);
	close(server->stop);
	pthread_cond_destroy(&server->changed);
	pthread_mutex_destroy(&server->lock);
	free(server);
}

int
raw_server_refuse(char *out, size_t out_size)
{
	unsigned port;
	int fd = bind_free_port(&port);
	snprintf(out, out_size, "http://127.0.0.1:%u/v1/logs", port);
	return fd;
}
