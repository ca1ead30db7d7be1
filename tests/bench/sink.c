#include "tests/bench/sink.h"

#include <arpa/inet.h>
#include <err.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define HEADERS_MAX 8192

static struct bench_sink_shared *shared;

/* Reads the tag and length of a length-delimited field; returns its content, or NULL at the end. */
static const uint8_t *
next_field(const uint8_t *at, const uint8_t *end, uint8_t *tag, size_t *size)
{
	if (at >= end)
		return NULL;
	*tag = *at++;
	*size = 0;
	for (int shift = 0; at < end && shift < 63; shift += 7) {
		*size |= (size_t)(*at & 0x7f) << shift;
		if (!(*at++ & 0x80))
			return *size <= (size_t)(end - at) ? at : NULL;
	}
	return NULL;
}

/* Log records in a request: field 1 ResourceLogs, field 2 ScopeLogs, field 2 LogRecord. */
static uint64_t
count_records(const uint8_t *body, size_t size, int depth)
{
	static const uint8_t wanted[] = { 1 << 3 | 2, 2 << 3 | 2, 2 << 3 | 2 };
	const uint8_t *end = body + size, *content;
	uint64_t records = 0;
	uint8_t tag;
	for (const uint8_t *at = body; (content = next_field(at, end, &tag, &size)); at = content + size)
		if (tag == wanted[depth])
			records += depth == 2 ? 1 : count_records(content, size, depth + 1);
	return records;
}

static size_t
content_length(const char *headers)
{
	const char *found = strcasestr(headers, "\r\ncontent-length:");
	return found ? strtoul(found + 17, NULL, 10) : 0;
}

typedef struct connection {
	int fd;
	uint8_t *data;
	size_t used, capacity;
} connection;

static bool
fill(connection *c, size_t wanted)
{
	if (c->capacity < wanted + 1) {
		c->capacity = wanted * 2 + HEADERS_MAX;
		c->data = realloc(c->data, c->capacity);
		if (!c->data)
			err(1, "sink");
	}
	while (c->used < wanted) {
		ssize_t got = recv(c->fd, c->data + c->used, c->capacity - 1 - c->used, 0);
		if (got <= 0)
			return false;
		c->used += (size_t)got;
	}
	return true;
}

/* Answers one request; false when the peer has gone. */
static bool
answer(connection *c)
{
	static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n";
	char *end = NULL;
	do {
		if (!fill(c, c->used + 1))
			return false;
		c->data[c->used] = '\0';
		end = strstr((char *)c->data, "\r\n\r\n");
	} while (!end && c->used < HEADERS_MAX);
	if (!end)
		return false;
	size_t head = (size_t)(end - (char *)c->data) + 4;
	*end = '\0';
	size_t size = content_length((char *)c->data);
	if (!fill(c, head + size))
		return false;
	atomic_fetch_add(&shared->records, count_records(c->data + head, size, 0));
	atomic_fetch_add(&shared->bytes, size);
	c->used -= head + size;
	memmove(c->data, c->data + head + size, c->used);
	return send(c->fd, ok, sizeof ok - 1, MSG_NOSIGNAL) == (ssize_t)(sizeof ok - 1);
}

static void *
serve(void *fd)
{
	connection c = { .fd = (int)(intptr_t)fd };
	while (answer(&c)) {
	}
	close(c.fd);
	free(c.data);
	return NULL;
}

static void
run(int listener)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* it must not outlive a benchmark that was interrupted */
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		pthread_t thread;
		if (fd >= 0 && pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) == 0)
			pthread_detach(thread);
	}
}

bench_sink
bench_sink_start(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) || listen(listener, 16) ||
	    getsockname(listener, (struct sockaddr *)&address, &size))
		err(1, "cannot listen on the loopback address");
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		err(1, "mmap");
	pid_t pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (pid == 0)
		run(listener);
	close(listener);
	return (bench_sink){ pid, ntohs(address.sin_port), shared };
}

void
bench_sink_stop(bench_sink *sink)
{
	kill(sink->pid, SIGKILL);
	waitpid(sink->pid, NULL, 0);
}
