#include "tests/support/servers/connect_proxy.h"

#include "tests/support/harness/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct connect_proxy {
	int listener;
	int stop; /* an eventfd; readable once the proxy stops */
	unsigned port;
	unsigned upstream_port;
	unsigned refusal;
	pthread_t thread;
	pthread_mutex_t lock; /* guards the count, and orders the head with it */
	unsigned connections;
	char head[8192];
};

static bool
wait_for(connect_proxy *proxy, int fd)
{
	struct pollfd fds[] = { { .fd = proxy->stop, .events = POLLIN }, { .fd = fd, .events = POLLIN } };
	int ready;
	do
		ready = poll(fds, 2, -1);
	while (ready < 0 && errno == EINTR);
	return ready > 0 && !fds[0].revents;
}

static bool
read_head(connect_proxy *proxy, int fd)
{
	size_t used = 0;
	proxy->head[0] = '\0';
	do {
		if (used + 1 == sizeof proxy->head || !wait_for(proxy, fd) || recv(fd, proxy->head + used, 1, 0) != 1)
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
	struct sockaddr_in address = { .sin_family = AF_INET,
		                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		                       .sin_port = htons((uint16_t)proxy->upstream_port) };
	int upstream = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(upstream >= 0 && connect(upstream, (struct sockaddr *)&address, sizeof address) == 0);
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
	while (wait_for(proxy, fd) && recv(fd, rest, sizeof rest, 0) > 0)
		;
}

static void *
serve(void *self)
{
	connect_proxy *proxy = self;
	while (wait_for(proxy, proxy->listener)) {
		int fd = accept(proxy->listener, NULL, NULL);
		if (fd < 0)
			continue;
		bool read = read_head(proxy, fd);
		pthread_mutex_lock(&proxy->lock);
		proxy->connections++;
		pthread_mutex_unlock(&proxy->lock);
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
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof address;
	connect_proxy *proxy = calloc(1, sizeof *proxy);
	CHECK(proxy);
	proxy->upstream_port = upstream_port;
	proxy->refusal = refusal;
	proxy->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(proxy->listener >= 0 && bind(proxy->listener, (struct sockaddr *)&address, size) == 0);
	CHECK(listen(proxy->listener, 16) == 0);
	CHECK(getsockname(proxy->listener, (struct sockaddr *)&address, &size) == 0);
	proxy->port = ntohs(address.sin_port);
	proxy->stop = eventfd(0, EFD_CLOEXEC);
	CHECK(proxy->stop >= 0);
	pthread_mutex_init(&proxy->lock, NULL);
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
	pthread_mutex_lock(&proxy->lock);
	unsigned connections = proxy->connections;
	pthread_mutex_unlock(&proxy->lock);
	return connections;
}

const char *
connect_proxy_head(connect_proxy *proxy)
{
	return connect_proxy_connections(proxy) ? proxy->head : "";
}

void
connect_proxy_stop(connect_proxy *proxy)
{
	const uint64_t one = 1;
	CHECK(write(proxy->stop, &one, sizeof one) == sizeof one);
	pthread_join(proxy->thread, NULL);
	close(proxy->listener);
	close(proxy->stop);
	pthread_mutex_destroy(&proxy->lock);
	free(proxy);
}
