/*
 * Destinations in processes of their own, which count the log records that arrive: one takes every POST (OTLP in either
 * form, Mito arrays at /mito), one is a gRPC server.
 */
#ifndef OTLOG_BENCH_SINK_H
#define OTLOG_BENCH_SINK_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct bench_sink {
	pid_t pid;
	uint16_t port;
	struct bench_sink_shared {
		_Atomic uint64_t records; /* writer: the sink */
		_Atomic uint64_t bytes;
		_Atomic uint32_t away; /* writer: the benchmark. The sink then closes every connection at once */
	} * shared;
} bench_sink;

/* Forks: call it before any thread is started. Exits the program with a message if it cannot. */
bench_sink bench_sink_start(void);
void bench_sink_stop(bench_sink *sink);

/* The gRPC server is a program beside this one, so that this one maps libgrpc only where it exports over gRPC. */
typedef struct bench_sink bench_grpc_sink;
bench_grpc_sink bench_grpc_sink_start(void);
void bench_grpc_sink_stop(bench_grpc_sink *sink);

#endif
