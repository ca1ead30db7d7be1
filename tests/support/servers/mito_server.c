#include "tests/support/servers/mito_server.h"

#include "tests/support/harness/check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define URLS 8

extern char **environ;

struct mito_server {
	pid_t process;
	int input; /* its standard input, for the end */
	int output;
	unsigned port;
	pthread_t reader;
	pthread_mutex_t lock;
	pthread_cond_t said;
	char *text; /* guarded by lock: what it has said, beyond the last line that was taken */
	size_t size;
	size_t capacity;
	char *line;
	mito_upload upload;
	char urls[URLS][160];
	unsigned url_count;
};

/* Takes what it has said by now; false at its end. The lock is held. */
static bool
drain(mito_server *server)
{
	for (;;) {
		if (server->capacity - server->size < 65536) {
			server->capacity = 2 * server->capacity + 65536;
			server->text = realloc(server->text, server->capacity);
			CHECK(server->text);
		}
		ssize_t got = read(server->output, server->text + server->size, server->capacity - server->size);
		if (got <= 0)
			return got < 0 && errno == EAGAIN;
		server->size += (size_t)got;
	}
}

/* Reads all the time: a server whose output nobody reads would not answer either. */
static void *
read_output(void *self)
{
	mito_server *server = self;
	struct pollfd ready = { .fd = server->output, .events = POLLIN };
	bool more = true;
	while (more) {
		poll(&ready, 1, -1);
		pthread_mutex_lock(&server->lock);
		more = drain(server);
		pthread_cond_signal(&server->said);
		pthread_mutex_unlock(&server->lock);
	}
	return NULL;
}

static char *
end_of_line(const mito_server *server)
{
	return server->size ? memchr(server->text, '\n', server->size) : NULL;
}

/* The next line of its output, good until the one after it. */
static char *
next_line(mito_server *server)
{
	const struct timespec deadline = check_deadline();
	char *end;
	pthread_mutex_lock(&server->lock);
	while (!(end = end_of_line(server)))
		CHECK(pthread_cond_timedwait(&server->said, &server->lock, &deadline) == 0);
	size_t size = (size_t)(end - server->text);
	free(server->line);
	server->line = malloc(size + 1);
	CHECK(server->line);
	memcpy(server->line, server->text, size);
	server->line[size] = '\0';
	server->size -= size + 1;
	memmove(server->text, end + 1, server->size);
	pthread_mutex_unlock(&server->lock);
	return server->line;
}

mito_server *
mito_server_run(const char *script)
{
	char *const command[] = { "python3", (char *)script, NULL };
	mito_server *server = calloc(1, sizeof *server);
	int input[2], output[2];
	posix_spawn_file_actions_t actions;
	CHECK(server && pipe2(input, O_CLOEXEC) == 0 && pipe2(output, O_CLOEXEC) == 0);
	CHECK(posix_spawn_file_actions_init(&actions) == 0);
	CHECK(posix_spawn_file_actions_adddup2(&actions, input[0], 0) == 0);
	CHECK(posix_spawn_file_actions_adddup2(&actions, output[1], 1) == 0);
	CHECK(posix_spawnp(&server->process, command[0], &actions, NULL, command, environ) == 0);
	posix_spawn_file_actions_destroy(&actions);
	close(input[0]);
	close(output[1]);
	server->input = input[1];
	server->output = output[0];
	CHECK(fcntl(server->output, F_SETFL, O_NONBLOCK) == 0);
	pthread_mutex_init(&server->lock, NULL);
	pthread_cond_init(&server->said, NULL);
	CHECK(pthread_create(&server->reader, NULL, read_output, server) == 0);
	server->port = (unsigned)atoi(next_line(server));
	CHECK(server->port > 0);
	return server;
}

void
mito_server_stop(mito_server *server)
{
	close(server->input);
	waitpid(server->process, NULL, 0);
	pthread_join(server->reader, NULL);
	close(server->output);
	free(server->text);
	free(server->line);
	free(server);
}

const char *
mito_server_url(mito_server *server, const char *host, const char *path)
{
	char *url = server->urls[server->url_count++ % URLS];
	snprintf(url, sizeof server->urls[0], "http://%s:%u%s", host, server->port, path);
	return url;
}

const mito_upload *
mito_server_next(mito_server *server)
{
	char *rest = next_line(server);
	char **const columns[] = { &server->upload.path,  &server->upload.content_type, &server->upload.authorization,
		                   &server->upload.token, &server->upload.fault,        &server->upload.body };
	for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
		*columns[i] = strsep(&rest, "\t");
		CHECK(*columns[i]);
	}
	return &server->upload;
}

bool
mito_server_has_more(mito_server *server)
{
	pthread_mutex_lock(&server->lock);
	drain(server);
	bool has = end_of_line(server) != NULL;
	pthread_mutex_unlock(&server->lock);
	return has;
}

size_t
mito_server_occurrences(const char *text, const char *part)
{
	size_t count = 0;
	for (; (text = strstr(text, part)); text += strlen(part))
		count++;
	return count;
}
