/*
 * A receiver in a process of its own, for tests that fork: a process with threads does not fork well under sanitizers. What
 * its judge notes must lie in shared memory.
 */
#ifndef TESTS_SUPPORT_SERVERS_RECEIVER_PROCESS_H
#define TESTS_SUPPORT_SERVERS_RECEIVER_PROCESS_H

#include "tests/support/servers/receiver.h"

#include <sys/types.h>

typedef struct receiver_process {
	pid_t pid;
	char url[64];
} receiver_process;

/* Ends the test program if it cannot be had. It ends with the process that started it. */
void receiver_process_start(receiver_process *process, const receiver_options *options);
void receiver_process_stop(receiver_process *process);

#endif
