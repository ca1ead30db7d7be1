#include "tests/support/servers/net_faults.h"

#include "sdk/base/buffer.h"
#include "sdk/base/clock.h"
#include "tests/support/harness/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* A client that waits for 300 ms may be gone after this. */
#define LATE_NANO (150 * OTLOG__NANOS_PER_MS)

struct net_faults {
	int listener;
	int stop; /* an eventfd; readable once the relay stops */
	int cut;  /* an eventfd; readable while an opaque connection is to be cut */
	unsigned port;
	unsigned upstream_port;
	bool opaque;
	pthread_t thread;
	pthread_mutex_t lock; /* guards the rest */
	net_fault armed;
	unsigned played;
	unsigned lost;
};

/* ---- Sockets ----------------------------------------------------------------------------------------------------- */

/* Until the descriptor is ready; false if the relay stops first, or after `timeout_ms` (-1: never). */
static bool
wait_for(net_faults *net, int fd, short events, int timeout_ms)
{
	struct pollfd fds[] = { { .fd = net->stop, .events = POLLIN }, { .fd = fd, .events = events } };
	int ready;
	do
		ready = poll(fds, 2, timeout_ms);
	while (ready < 0 && errno == EINTR);
	return ready > 0 && !fds[0].revents;
}

static bool
send_all(net_faults *net, int fd, const void *data, size_t size)
{
	const char *bytes = data;
	while (size) {
		if (!wait_for(net, fd, POLLOUT, -1))
			return false;
		ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno != EAGAIN)
			return false;
		bytes += sent > 0 ? sent : 0;
		size -= sent > 0 ? (size_t)sent : 0;
	}
	return true;
}

/* Reads `size` bytes more. */
static bool
receive(net_faults *net, int fd, size_t size, otlog__buffer *to)
{
	while (size) {
		char piece[64 * 1024];
		if (!wait_for(net, fd, POLLIN, -1))
			return false;
		ssize_t got = recv(fd, piece, size < sizeof piece ? size : sizeof piece, 0);
		if (got <= 0 || !otlog__buffer_append(to, piece, (size_t)got))
			return false;
		size -= (size_t)got;
	}
	return true;
}

/* Reads up to the empty line, and not beyond. */
static bool
receive_head(net_faults *net, int fd, otlog__buffer *to)
{
	do
		if (!receive(net, fd, 1, to))
			return false;
	while (to->size < 4 || memcmp(to->data + to->size - 4, "\r\n\r\n", 4) != 0);
	return true;
}

static size_t
content_length(const otlog__buffer *head)
{
	static const char name[] = "\r\nContent-Length:";
	for (size_t i = 0; i + sizeof name - 1 < head->size; i++)
		if (strncasecmp((const char *)head->data + i, name, sizeof name - 1) == 0)
			return strtoul((const char *)head->data + i + sizeof name - 1, NULL, 10);
	return 0;
}

static int
call_upstream(const net_faults *net)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		                       .sin_port = htons((uint16_t)net->upstream_port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
	return fd;
}

static void
reset(int fd)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

/* ---- Requests ---------------------------------------------------------------------------------------------------- */

static net_fault
take_fault(net_faults *net)
{
	pthread_mutex_lock(&net->lock);
	net_fault fault = net->armed;
	net->armed = NET_PASS;
	net->played += fault != NET_PASS;
	pthread_mutex_unlock(&net->lock);
	return fault;
}

static void
count_lost(net_faults *net)
{
	pthread_mutex_lock(&net->lock);
	net->lost++;
	pthread_mutex_unlock(&net->lock);
}

/* The upstream's answer to the request. */
static bool
ask_upstream(net_faults *net, const otlog__buffer *request, otlog__buffer *answer)
{
	int fd = call_upstream(net);
	bool whole = send_all(net, fd, request->data, request->size) && receive_head(net, fd, answer) &&
	             receive(net, fd, content_length(answer), answer);
	close(fd);
	return whole;
}

/* Answers, or not. False: the connection ends. */
static bool
answer_client(net_faults *net, int fd, net_fault fault, const otlog__buffer *answer, uint64_t began_nano)
{
	if (fault == NET_PASS) {
		bool sent = send_all(net, fd, answer->data, answer->size);
		if (!sent || otlog__monotonic_nano() - began_nano > LATE_NANO)
			count_lost(net);
		return sent;
	}
	count_lost(net);
	if (fault == NET_SLOW_ANSWER)
		for (size_t i = 0; i < answer->size && send_all(net, fd, answer->data + i, 1); i++)
			if (wait_for(net, fd, POLLRDHUP, 1000))
				break;
	if (fault == NET_HALF_ANSWER)
		send_all(net, fd, answer->data, answer->size / 2);
	if (fault == NET_SILENCE_AFTER_BODY)
		wait_for(net, fd, POLLRDHUP, -1);
	if (fault != NET_CLOSE_AFTER_BODY)
		reset(fd);
	return false;
}

/* What befalls a request before the server has it. False: the connection ends. */
static bool
take_request(net_faults *net, int fd, net_fault fault, otlog__buffer *request)
{
	static const char garbage[] = "\x7f garbage \xff\r\n\r\n and more of it";
	if (fault == NET_BLACK_HOLE)
		wait_for(net, fd, POLLRDHUP, -1);
	if (fault == NET_RESET_AT_ONCE || fault == NET_BLACK_HOLE || !receive_head(net, fd, request) ||
	    fault == NET_RESET_BEFORE_BODY) {
		reset(fd);
		return false;
	}
	size_t size = content_length(request);
	if (!receive(net, fd, fault == NET_RESET_IN_BODY ? size / 2 : size, request) || fault == NET_RESET_IN_BODY) {
		reset(fd);
		return false;
	}
	if (fault == NET_GARBAGE)
		send_all(net, fd, garbage, sizeof garbage - 1);
	return fault != NET_GARBAGE;
}

static void
relay_requests(net_faults *net, int fd)
{
	bool goes_on = true;
	while (goes_on && wait_for(net, fd, POLLIN | POLLRDHUP, -1)) {
		char first;
		otlog__buffer request = { 0 }, answer = { 0 };
		if (recv(fd, &first, 1, MSG_PEEK) != 1)
			break;
		uint64_t began = otlog__monotonic_nano();
		net_fault fault = take_fault(net);
		goes_on = take_request(net, fd, fault, &request) && ask_upstream(net, &request, &answer) &&
		          answer_client(net, fd, fault, &answer, began);
		otlog__buffer_free(&request);
		otlog__buffer_free(&answer);
	}
}

/* ---- Opaque connections ------------------------------------------------------------------------------------------ */

/* Hands on what there is; false at its end. */
static bool
hand_on(net_faults *net, int from, int to)
{
	char piece[64 * 1024];
	ssize_t got = recv(from, piece, sizeof piece, MSG_DONTWAIT);
	return got > 0 ? send_all(net, to, piece, (size_t)got) : got < 0 && errno == EAGAIN;
}

static void
relay_connection(net_faults *net, int fd)
{
	if (take_fault(net) == NET_STALL) {
		wait_for(net, fd, POLLRDHUP, -1);
		return;
	}
	int upstream = call_upstream(net);
	struct pollfd fds[] = { { .fd = net->stop, .events = POLLIN },
		                { .fd = net->cut, .events = POLLIN },
		                { .fd = fd, .events = POLLIN },
		                { .fd = upstream, .events = POLLIN } };
	while (poll(fds, 4, -1) > 0 && !fds[0].revents && !fds[1].revents) {
		if ((fds[2].revents && !hand_on(net, fd, upstream)) || (fds[3].revents && !hand_on(net, upstream, fd)))
			break;
	}
	reset(fd);
	close(upstream);
}

/* ---- The relay --------------------------------------------------------------------------------------------------- */

static void *
serve(void *self)
{
	net_faults *net = self;
	uint64_t cuts;
	while (wait_for(net, net->listener, POLLIN, -1)) {
		int fd = accept(net->listener, NULL, NULL);
		if (fd < 0)
			continue;
		ssize_t cut = read(net->cut, &cuts, sizeof cuts); /* there is none left to be cut */
		(void)cut;
		if (net->opaque)
			relay_connection(net, fd);
		else
			relay_requests(net, fd);
		close(fd);
	}
	return NULL;
}

net_faults *
net_faults_start(unsigned upstream_port, bool opaque)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof address;
	net_faults *net = calloc(1, sizeof *net);
	CHECK(net);
	net->upstream_port = upstream_port;
	net->opaque = opaque;
	net->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(net->listener >= 0 && bind(net->listener, (struct sockaddr *)&address, size) == 0);
	CHECK(listen(net->listener, 16) == 0);
	CHECK(getsockname(net->listener, (struct sockaddr *)&address, &size) == 0);
	net->port = ntohs(address.sin_port);
	net->stop = eventfd(0, EFD_CLOEXEC);
	net->cut = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	CHECK(net->stop >= 0 && net->cut >= 0);
	pthread_mutex_init(&net->lock, NULL);
	CHECK(pthread_create(&net->thread, NULL, serve, net) == 0);
	return net;
}

unsigned
net_faults_port(const net_faults *net)
{
	return net->port;
}

void
net_faults_arm(net_faults *net, net_fault fault)
{
	const uint64_t one = 1;
	pthread_mutex_lock(&net->lock);
	CHECK(net->armed == NET_PASS);
	net->armed = fault;
	pthread_mutex_unlock(&net->lock);
	if (net->opaque)
		CHECK(write(net->cut, &one, sizeof one) == sizeof one);
}

static unsigned
read_count(net_faults *net, const unsigned *count)
{
	pthread_mutex_lock(&net->lock);
	unsigned now = *count;
	pthread_mutex_unlock(&net->lock);
	return now;
}

unsigned
net_faults_played(net_faults *net)
{
	return read_count(net, &net->played);
}

unsigned
net_faults_lost_answers(net_faults *net)
{
	return read_count(net, &net->lost);
}

void
net_faults_stop(net_faults *net)
{
	const uint64_t one = 1;
	CHECK(write(net->stop, &one, sizeof one) == sizeof one);
	pthread_join(net->thread, NULL);
	close(net->listener);
	close(net->stop);
	close(net->cut);
	pthread_mutex_destroy(&net->lock);
	free(net);
}
