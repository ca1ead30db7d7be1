/* What the cases share: options, samples, and one line of JSON a case. */
#ifndef OTLOG_BENCH_BENCH_H
#define OTLOG_BENCH_BENCH_H

#include "tests/bench/sink.h"

#include <otlog/otlog.h>

typedef struct bench_options {
	const char *queue_dir; /* NULL: in memory */
	unsigned threads;
	uint64_t records; /* of a delivery case, all threads together */
	bool quick;       /* a few rounds only: shows that it runs, measures nothing */
	unsigned seconds; /* of an outage */
	uint64_t rate;    /* records a second during it */
} bench_options;

typedef struct bench_samples {
	double *values;
	size_t count, capacity;
} bench_samples;

void bench_add(bench_samples *samples, double value);
/* The value that `share` of the samples do not exceed; sorts them. NAN without samples. */
double bench_quantile(bench_samples *samples, double share);

/* What a case has found; NAN and SIZE_MAX: does not apply. */
typedef struct bench_result {
	const char *name;
	bench_samples ns_per_op;  /* a sample a block */
	bench_samples latency_ns; /* a sample an operation, at a steady pace */
	bench_samples records_per_s, cpu_s_per_million;
	uint64_t dropped;
	bool drops_apply;
	/* What other cases do not have. */
	struct bench_figure {
		const char *name;
		double value;
	} figures[16];
	size_t figure_count;
} bench_result;

/* One case: rounds of several cases alternate, so that the machine's noise hits all alike. */
typedef struct bench_case {
	const char *name;
	void *(*start)(const bench_options *options, const bench_sink *sink, const char *name);
	void (*round)(void *self, bench_result *result);
	void (*end)(void *self, bench_result *result);
	const char *what;
} bench_case;

extern const bench_case bench_emit_cases[];     /* emit.c; ends with a NULL name */
extern const bench_case bench_json_cases[];     /* json.c */
extern const bench_case bench_delivery_cases[]; /* delivery.c */
extern const bench_case bench_outage_cases[];   /* outage.c */
extern const bench_case bench_recovery_cases[]; /* recovery.c */

/* Adds a figure of the case's own; `name` is a literal. */
void bench_add_figure(bench_result *result, const char *name, double value);

/* A diagnostics sink: figures alone are printed. */
void bench_say_nothing(void *user, otlog_diagnostic_level level, const char *message);

uint64_t bench_now_ns(void);
__attribute__((noreturn)) void bench_fail(const char *why);

#endif
