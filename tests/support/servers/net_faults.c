#include "tests/support/servers/net_faults.h"

#include "sdk/base/buffer.h"
#include "sdk/base/clock.h"
#include "tests/support/harness/check.h"
#include "tests/support/harness/watched.h"
#include "tests/support/servers/loopback.h"

#include <errno.h>
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
	watched w; /* guards the rest */
	net_fault armed;
	size_t played;
	size_t lost;
};

/* ---- Sockets ----------------------------------------------------------------------------------------------------- */

/* Reads `size` bytes more. */
static bool
receive(net_faults *net, int fd, size_t size, otlog__buffer *to)
{
	while (size) {
		char piece[64 * 1024];
		if (!loopback_wait(net->stop, fd, POLLIN, -1))
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

/* ---- Requests ---------------------------------------------------------------------------------------------------- */

static net_fault
take_fault(net_faults *net)
{
	pthread_mutex_lock(&net->w.lock);
	net_fault fault = net->armed;
	net->armed = NET_PASS;
	net->played += fault != NET_PASS;
	pthread_mutex_unlock(&net->w.lock);
	return fault;
}

/* The upstream's answer to the request. */
static bool
ask_upstream(net_faults *net, const otlog__buffer *request, otlog__buffer *answer)
{
	int fd = loopback_connect(net->upstream_port);
	bool whole = loopback_send(net->stop, fd, request->data, request->size) && receive_head(net, fd, answer) &&
	             receive(net, fd, content_length(answer), answer);
	close(fd);
	return whole;
}

/* Answers, or not. False: the connection ends. */
static bool
answer_client(net_faults *net, int fd, net_fault fault, const otlog__buffer *answer, uint64_t began_nano)
{
	if (fault == NET_PASS) {
		bool sent = loopback_send(net->stop, fd, answer->data, answer->size);
		if (!sent || otlog__monotonic_nano() - began_nano > LATE_NANO)
			watched_add(&net->w, &net->lost);
		return sent;
	}
	watched_add(&net->w, &net->lost);
	if (fault == NET_SLOW_ANSWER)
		for (size_t i = 0; i < answer->size && loopback_send(net->stop, fd, answer->data + i, 1); i++)
			if (loopback_wait(net->stop, fd, POLLRDHUP, 1000))
				break;
	if (fault == NET_HALF_ANSWER)
		loopback_send(net->stop, fd, answer->data, answer->size / 2);
	if (fault == NET_SILENCE_AFTER_BODY)
		loopback_wait(net->stop, fd, POLLRDHUP, -1);
	if (fault != NET_CLOSE_AFTER_BODY)
		loopback_reset(fd);
	return false;
}

/* What befalls a request before the server has it. False: the connection ends. */
static bool
take_request(net_faults *net, int fd, net_fault fault, otlog__buffer *request)
{
	static const char garbage[] = "\x7f garbage \xff\r\n\r\n and more of it";
	if (fault == NET_BLACK_HOLE)
		loopback_wait(net->stop, fd, POLLRDHUP, -1);
	if (fault == NET_RESET_AT_ONCE || fault == NET_BLACK_HOLE || !receive_head(net, fd, request) ||
	    fault == NET_RESET_BEFORE_BODY) {
		loopback_reset(fd);
		return false;
	}
	size_t size = content_length(request);
	if (!receive(net, fd, fault == NET_RESET_IN_BODY ? size / 2 : size, request) || fault == NET_RESET_IN_BODY) {
		loopback_reset(fd);
		return false;
	}
	if (fault == NET_GARBAGE)
		loopback_send(net->stop, fd, garbage, sizeof garbage - 1);
	return fault != NET_GARBAGE;
}

static void
relay_requests(net_faults *net, int fd)
{
	bool goes_on = true;
	while (goes_on && loopback_wait(net->stop, fd, POLLIN | POLLRDHUP, -1)) {
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
	return got > 0 ? loopback_send(net->stop, to, piece, (size_t)got) : got < 0 && errno == EAGAIN;
}

static void
relay_connection(net_faults *net, int fd)
{
	if (take_fault(net) == NET_STALL) {
		loopback_wait(net->stop, fd, POLLRDHUP, -1);
		return;
	}
	int upstream = loopback_connect(net->upstream_port);
	struct pollfd fds[] = { { .fd = net->stop, .events = POLLIN },
		                { .fd = net->cut, .events = POLLIN },
		                { .fd = fd, .events = POLLIN },
		                { .fd = upstream, .events = POLLIN } };
	while (poll(fds, 4, -1) > 0 && !fds[0].revents && !fds[1].revents) {
		if ((fds[2].revents && !hand_on(net, fd, upstream)) || (fds[3].revents && !hand_on(net, upstream, fd)))
			break;
	}
	loopback_reset(fd);
	close(upstream);
}

/* ---- The relay --------------------------------------------------------------------------------------------------- */

static void *
serve(void *self)
{
	net_faults *net = self;
	uint64_t cuts;
	while (loopback_wait(net->stop, net->listener, POLLIN, -1)) {
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
	net_faults *net = calloc(1, sizeof *net);
	CHECK(net);
	net->upstream_port = upstream_port;
	net->opaque = opaque;
	net->listener = loopback_listen(&net->port);
	net->stop = loopback_bell_make();
	net->cut = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	CHECK(net->cut >= 0);
	watched_init(&net->w);
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
	pthread_mutex_lock(&net->w.lock);
	CHECK(net->armed == NET_PASS);
	net->armed = fault;
	pthread_mutex_unlock(&net->w.lock);
	if (net->opaque)
		CHECK(write(net->cut, &one, sizeof one) == sizeof one);
}

unsigned
net_faults_played(net_faults *net)
{
	return (unsigned)watched_read(&net->w, &net->played);
}

unsigned
net_faults_lost_answers(net_faults *net)
{
	return (unsigned)watched_read(&net->w, &net->lost);
}

void
net_faults_stop(net_faults *net)
{
	loopback_bell_ring(net->stop);
	pthread_join(net->thread, NULL);
	close(net->listener);
	close(net->stop);
	close(net->cut);
	watched_destroy(&net->w);
	free(net);
}
