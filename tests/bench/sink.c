#include "tests/bench/sink.h"

#include "tests/bench/common/count.h"

#include <arpa/inet.h>
#include <err.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define HEADERS_MAX 8192

static struct bench_sink_shared *shared;

/* A field of the head, which ends with a NUL; "" if it is not there. */
static const char *
header(const char *head, const char *name)
{
	const char *found = strcasestr(head, name);
	return found ? found + strlen(name) : "";
}

static bool
is_json(const char *head)
{
	return strncmp(header(head, "\r\ncontent-type: "), "application/json", 16) == 0;
}

static uint64_t
count_request(const char *head, const uint8_t *body, size_t size)
{
	if (strncmp(head, "POST /mito", 10) == 0)
		return bench_count(body, size, "\"event\": ");
	return is_json(head) ? bench_count_json(body, size) : bench_count_protobuf(body, size);
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
	static const char protobuf[] =
	    "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n";
	static const char json[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
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
	size_t size = strtoul(header((char *)c->data, "\r\ncontent-length:"), NULL, 10);
	if (!fill(c, head + size) || atomic_load(&shared->away))
		return false;
	const char *ok = is_json((char *)c->data) ? json : protobuf;
	atomic_fetch_add(&shared->records, count_request((char *)c->data, c->data + head, size));
	atomic_fetch_add(&shared->bytes, size);
	c->used -= head + size;
	memmove(c->data, c->data + head + size, c->used);
	return send(c->fd, ok, strlen(ok), MSG_NOSIGNAL) == (ssize_t)strlen(ok);
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
		if (fd >= 0 && atomic_load(&shared->away))
			close(fd);
		else if (fd >= 0 && pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) == 0)
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

/* Where the programs of the build lie: this one, and the gRPC sink. */
static void
program_beside(const char *name, char *out, size_t size)
{
	ssize_t length = readlink("/proc/self/exe", out, size - 1);
	if (length <= 0)
		err(1, "/proc/self/exe");
	out[length] = '\0';
	char *slash = strrchr(out, '/');
	snprintf(slash + 1, size - (size_t)(slash + 1 - out), "%s", name);
}

bench_grpc_sink
bench_grpc_sink_start(void)
{
	char program[4096], fd_text[16];
	int out[2], memory = memfd_create("otlog-bench-sink", 0);
	program_beside("otlog_bench_grpc_sink", program, sizeof program);
	snprintf(fd_text, sizeof fd_text, "%d", memory);
	if (memory < 0 || ftruncate(memory, sizeof(struct bench_sink_shared)) || pipe(out))
		err(1, "gRPC sink");
	bench_grpc_sink sink = { 0 };
	sink.shared = mmap(NULL, sizeof *sink.shared, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	sink.pid = fork();
	if (sink.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(out[1], STDOUT_FILENO);
		execl(program, program, fd_text, (char *)NULL);
		err(1, "%s cannot be started; build it with -DOTLOG_GRPC=ON", program);
	}
	close(out[1]);
	FILE *line = fdopen(out[0], "r");
	unsigned port;
	if (sink.shared == MAP_FAILED || sink.pid < 0 || !line || fscanf(line, "%u", &port) != 1)
		errx(1, "the gRPC sink does not start");
	fclose(line);
	close(memory);
	sink.port = (uint16_t)port;
	return sink;
}

void
bench_grpc_sink_stop(bench_grpc_sink *sink)
{
	bench_sink_stop(sink);
	munmap(sink->shared, sizeof *sink->shared);
}

void
bench_sink_stop(bench_sink *sink)
{
	kill(sink->pid, SIGKILL);
	waitpid(sink->pid, NULL, 0);
}
