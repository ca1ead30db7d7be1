/* A destination in a process of its own: answers every POST with 200 and counts the log records in it. */
#ifndef OTLOG_BENCH_SINK_H
#define OTLOG_BENCH_SINK_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct bench_sink {
	pid_t pid;
	uint16_t port;
	struct bench_sink_shared {
		_Atomic uint64_t records; /* writer: the sink */
		_Atomic uint64_t bytes;
	} * shared;
} bench_sink;

/* Forks: call it before any thread is started. Exits the program with a message if it cannot. */
bench_sink bench_sink_start(void);
void bench_sink_stop(bench_sink *sink);

#endif
