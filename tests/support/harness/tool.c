#include "tests/support/harness/tool.h"

#include "tests/support/harness/check.h"

#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static bool
is_left_out(const char *variable)
{
	static const char *const left_out[] = { "OTEL_",        "OTLOG_",       "MITO_",       "http_proxy=",
		                                "https_proxy=", "HTTPS_PROXY=", "all_proxy=",  "ALL_PROXY=",
		                                "no_proxy=",    "NO_PROXY=",    "grpc_proxy=", "TRACEPARENT=" };
	for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++)
		if (strncmp(variable, left_out[i], strlen(left_out[i])) == 0)
			return true;
	return false;
}

static char **
merge(const char *const *added)
{
	size_t count = 0, used = 0;
	while (environ[count])
		count++;
	for (size_t i = 0; added && added[i]; i++)
		count++;
	char **merged = calloc(count + 1, sizeof *merged);
	CHECK(merged);
	for (size_t i = 0; environ[i]; i++)
		if (!is_left_out(environ[i]))
			merged[used++] = environ[i];
	for (size_t i = 0; added && added[i]; i++)
		merged[used++] = (char *)added[i];
	return merged;
}

static int
make_file(const char *text)
{
	int fd = memfd_create("tool", MFD_CLOEXEC);
	CHECK(fd >= 0);
	size_t size = text ? strlen(text) : 0;
	CHECK(write(fd, text ? text : "", size) == (ssize_t)size);
	CHECK(lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

static char *
read_file(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *text = calloc(1, (size_t)size + 1);
	CHECK(size >= 0 && text && pread(fd, text, (size_t)size, 0) == size);
	close(fd);
	return text;
}

tool_process
tool_spawn(const char *program, const char *const *environment, const char *const *arguments, const char *input)
{
	char *argv[32] = { (char *)program };
	for (size_t i = 0; arguments && arguments[i]; i++) {
		CHECK(i + 2 < sizeof argv / sizeof *argv);
		argv[i + 1] = (char *)arguments[i];
	}
	char **merged = merge(environment);
	int in = make_file(input);
	tool_process process = { .out = make_file(NULL), .err = make_file(NULL) };
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, process.out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, process.err, STDERR_FILENO);
	CHECK(posix_spawn(&process.pid, program, &actions, NULL, argv, merged) == 0);
	posix_spawn_file_actions_destroy(&actions);
	close(in);
	free(merged);
	return process;
}

tool_run
tool_end(tool_process process)
{
	int status = 0;
	CHECK(waitpid(process.pid, &status, 0) == process.pid);
	return (tool_run){ .status = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
		           .out = read_file(process.out),
		           .err = read_file(process.err) };
}

tool_run
tool_start(const char *program, const char *const *environment, const char *const *arguments, const char *input)
{
	return tool_end(tool_spawn(program, environment, arguments, input));
}

void
tool_free(tool_run *run)
{
	free(run->out);
	free(run->err);
	*run = (tool_run){ 0 };
}
