/* Records from threads to a destination in another process, under the policy "block", counted at both ends. */
#include "tests/bench/bench.h"
#include "tests/bench/workload.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

typedef struct delivery {
	const bench_options *options;
	const bench_sink *sink;
	otlog_provider *provider;
	otlog_logger *logger;
} delivery;

static void *
start_http(const bench_options *options, const bench_sink *sink, const char *name)
{
	(void)name;
	delivery *d = calloc(1, sizeof *d);
	char endpoint[64];
	if (!d)
		bench_fail("out of memory");
	d->options = options;
	d->sink = sink;
	snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%u/v1/logs", sink->port);
	otlog_pipeline_options pipeline = { .schedule_delay_ms = 100 };
	if (!otlog_otlp_http_exporter_create(&(otlog_otlp_options){ .endpoint = endpoint }, &pipeline.exporter))
		bench_fail("the exporter cannot be made");
	d->provider = otlog_provider_create(&(otlog_options){ .service_name = "bench",
	                                                      .pipelines = &pipeline,
	                                                      .pipeline_count = 1,
	                                                      .queue_full = OTLOG_QUEUE_FULL_BLOCK,
	                                                      .queue_block_timeout_ms = 60000,
	                                                      .queue_directory = options->queue_dir });
	if (!d->provider)
		bench_fail("the provider cannot be started");
	d->logger = otlog_provider_get_logger(d->provider, &(otlog_logger_options){ .name = "bench" });
	return d;
}

typedef struct emitter {
	pthread_t thread;
	otlog_logger *logger;
	uint64_t records, refused;
} emitter;

static void *
emit_all(void *self)
{
	emitter *e = self;
	otlog_span_context span = { .trace_flags = OTLOG_TRACE_FLAG_SAMPLED };
	memset(span.trace_id, 0xab, sizeof span.trace_id);
	memset(span.span_id, 0xcd, sizeof span.span_id);
	otlog_context_attach(&span);
	for (uint64_t i = 0; i < e->records; i++)
		e->refused += bench_emit_r1(e->logger) != OTLOG_EMIT_ACCEPTED;
	return NULL;
}

static double
cpu_s(void)
{
	struct rusage used;
	getrusage(RUSAGE_SELF, &used);
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void
round_delivery(void *self, bench_result *result)
{
	delivery *d = self;
	emitter emitters[64] = { 0 };
	unsigned threads = d->options->threads < 64 ? d->options->threads : 64;
	uint64_t each = d->options->records / threads, refused = 0;
	uint64_t at_sink = atomic_load(&d->sink->shared->records), before = bench_now_ns();
	double cpu = cpu_s();
	for (unsigned i = 0; i < threads; i++) {
		emitters[i].logger = d->logger;
		emitters[i].records = each;
		if (pthread_create(&emitters[i].thread, NULL, emit_all, &emitters[i]))
			bench_fail("no thread");
	}
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(emitters[i].thread, NULL);
		refused += emitters[i].refused;
	}
	if (otlog_provider_flush(d->provider, 60000) == OTLOG_TIMEOUT)
		bench_fail("not delivered within a minute");
	double seconds = (double)(bench_now_ns() - before) / 1e9;
	uint64_t arrived = atomic_load(&d->sink->shared->records) - at_sink;
	if (arrived + refused != each * threads)
		bench_fail("the sink's count and the emitters' verdicts differ");
	result->dropped += refused;
	result->drops_apply = true;
	bench_add(&result->records_per_s, (double)arrived / seconds);
	bench_add(&result->cpu_s_per_million, (cpu_s() - cpu) * 1e6 / (double)arrived);
}

static void
end(void *self, bench_result *result)
{
	delivery *d = self;
	(void)result;
	otlog_provider_destroy(d->provider);
	free(d);
}

const bench_case bench_delivery_cases[] = {
	{ "http_r1", start_http, round_delivery, end, "R1 delivered over HTTP to a process of its own" }, { 0 }
};
