/* Runs a program as a user would, and keeps what it wrote. */
#ifndef TESTS_SUPPORT_HARNESS_TOOL_H
#define TESTS_SUPPORT_HARNESS_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct tool_run {
	int status; /* as exit gives it; -1: ended by a signal */
	char *out;
	char *err;
} tool_run;

/*
 * Starts the program and waits for its end. `environment` ("NAME=value", then NULL) is added to the test's own, of which
 * OTEL_*, OTLOG_*, MITO_*, proxies and TRACEPARENT are left out. `arguments` begins behind the program's name and ends
 * with NULL. `input` is its standard input; NULL: none. Free with tool_free.
 */
tool_run tool_start(const char *program, const char *const *environment, const char *const *arguments,
                    const char *input);
void tool_free(tool_run *run);

/* The same without waiting; *in_flight is to be handed to tool_end. */
typedef struct tool_process {
	pid_t pid;
	int out;
	int err;
} tool_process;

tool_process tool_spawn(const char *program, const char *const *environment, const char *const *arguments,
                        const char *input);
tool_run tool_end(tool_process process);

#define TOOL_LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })

#endif
