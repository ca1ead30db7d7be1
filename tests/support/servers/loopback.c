#include "tests/support/servers/loopback.h"

#include "tests/support/harness/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in
address_of(unsigned port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
		                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		                     .sin_port = htons((uint16_t)port) };
}

int
loopback_bind(unsigned *port)
{
	struct sockaddr_in address = address_of(0);
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(fd >= 0);
	CHECK(bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
	*port = ntohs(address.sin_port);
	return fd;
}

int
loopback_listen(unsigned *port)
{
	int fd = loopback_bind(port);
	CHECK(listen(fd, 64) == 0);
	return fd;
}

int
loopback_connect(unsigned port)
{
	const struct sockaddr_in address = address_of(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(fd >= 0);
	CHECK(connect(fd, (const struct sockaddr *)&address, sizeof address) == 0);
	return fd;
}

int
loopback_bell_make(void)
{
	int stop = eventfd(0, EFD_CLOEXEC);
	CHECK(stop >= 0);
	return stop;
}

void
loopback_bell_ring(int stop)
{
	const uint64_t one = 1;
	CHECK(write(stop, &one, sizeof one) == sizeof one);
}

bool
loopback_wait(int stop, int fd, short events, int timeout_ms)
{
	struct pollfd fds[] = { { .fd = stop, .events = POLLIN }, { .fd = fd, .events = events } };
	int ready;
	do
		ready = poll(fds, 2, timeout_ms);
	while (ready < 0 && errno == EINTR);
	return ready > 0 && !fds[0].revents;
}

bool
loopback_send(int stop, int fd, const void *data, size_t size)
{
	const char *bytes = data;
	while (size) {
		if (!loopback_wait(stop, fd, POLLOUT, -1))
			return false;
		ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno != EAGAIN)
			return false;
		bytes += sent > 0 ? sent : 0;
		size -= sent > 0 ? (size_t)sent : 0;
	}
	return true;
}

void
loopback_reset(int fd)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}
