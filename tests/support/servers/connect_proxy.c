#include "tests/support/servers/connect_proxy.h"

#include "tests/support/harness/check.h"
#include "tests/support/harness/watched.h"
#include "tests/support/servers/loopback.h"

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct connect_proxy {
	int listener;
	int stop; /* an eventfd; readable once the proxy stops */
	unsigned port;
	unsigned upstream_port;
	unsigned refusal;
	pthread_t thread;
	watched w; /* guards the count, and orders the head with it */
	size_t connections;
	char head[8192];
};

static bool
read_head(connect_proxy *proxy, int fd)
{
	size_t used = 0;
	proxy->head[0] = '\0';
	do {
		if (used + 1 == sizeof proxy->head || !loopback_wait(proxy->stop, fd, POLLIN, -1) ||
		    recv(fd, proxy->head + used, 1, 0) != 1)
			return false;
		proxy->head[++used] = '\0';
	} while (used < 4 || strcmp(proxy->head + used - 4, "\r\n\r\n") != 0);
	return true;
}

static bool
send_text(int fd, const char *text)
{
	size_t size = strlen(text);
	return send(fd, text, size, MSG_NOSIGNAL) == (ssize_t)size;
}

static bool
hand_on(int from, int to)
{
	char piece[64 * 1024];
	ssize_t got = recv(from, piece, sizeof piece, 0);
	return got > 0 && send(to, piece, (size_t)got, MSG_NOSIGNAL) == got;
}

static void
relay(connect_proxy *proxy, int fd)
{
	int upstream = loopback_connect(proxy->upstream_port);
	bool tunnel = strncmp(proxy->head, "CONNECT ", 8) == 0;
	bool goes_on =
	    tunnel ? send_text(fd, "HTTP/1.1 200 Connection established\r\n\r\n") : send_text(upstream, proxy->head);
	struct pollfd fds[] = { { .fd = proxy->stop, .events = POLLIN },
		                { .fd = fd, .events = POLLIN },
		                { .fd = upstream, .events = POLLIN } };
	while (goes_on && poll(fds, 3, -1) > 0 && !fds[0].revents)
		goes_on = (!fds[1].revents || hand_on(fd, upstream)) && (!fds[2].revents || hand_on(upstream, fd));
	close(upstream);
}

static void
refuse(connect_proxy *proxy, int fd)
{
	char answer[256];
	snprintf(answer, sizeof answer,
	         "HTTP/1.1 %u No\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\nConnection: "
	         "close\r\n\r\n",
	         proxy->refusal);
	send_text(fd, answer);
	shutdown(fd, SHUT_WR);
	char rest[4096]; /* closing with unread bytes would be a reset */
	while (loopback_wait(proxy->stop, fd, POLLIN, -1) && recv(fd, rest, sizeof rest, 0) > 0)
		;
}

static void *
serve(void *self)
{
	connect_proxy *proxy = self;
	while (loopback_wait(proxy->stop, proxy->listener, POLLIN, -1)) {
		int fd = accept(proxy->listener, NULL, NULL);
		if (fd < 0)
			continue;
		bool read = read_head(proxy, fd);
		watched_add(&proxy->w, &proxy->connections);
		if (read && proxy->refusal)
			refuse(proxy, fd);
		else if (read)
			relay(proxy, fd);
		close(fd);
	}
	return NULL;
}

connect_proxy *
connect_proxy_start(unsigned upstream_port, unsigned refusal)
{
	connect_proxy *proxy = calloc(1, sizeof *proxy);
	CHECK(proxy);
	proxy->upstream_port = upstream_port;
	proxy->refusal = refusal;
	proxy->listener = loopback_listen(&proxy->port);
	proxy->stop = loopback_bell_make();
	watched_init(&proxy->w);
	CHECK(pthread_create(&proxy->thread, NULL, serve, proxy) == 0);
	return proxy;
}

unsigned
connect_proxy_port(const connect_proxy *proxy)
{
	return proxy->port;
}

unsigned
connect_proxy_connections(connect_proxy *proxy)
{
	return (unsigned)watched_read(&proxy->w, &proxy->connections);
}

const char *
connect_proxy_head(connect_proxy *proxy)
{
	return connect_proxy_connections(proxy) ? proxy->head : "";
}

void
connect_proxy_stop(connect_proxy *proxy)
{
	loopback_bell_ring(proxy->stop);
	pthread_join(proxy->thread, NULL);
	close(proxy->listener);
	close(proxy->stop);
	watched_destroy(&proxy->w);
	free(proxy);
}
