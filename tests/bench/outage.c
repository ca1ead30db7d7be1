/*
 * A destination that is away for a while: what is kept meanwhile, in how much memory, and how fast it goes out afterwards
 * beside the new records. Records come at a steady rate all the time. With --queue-dir there is a spool too.
 */
#include "tests/bench/bench.h"
#include "tests/bench/common/workload.h"

#include <otlog/exporters.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SPOOL_BYTES (UINT64_C(4) << 30)
#define PERIOD_NS 1000000u       /* so often records are emitted */
#define WARM_S 2.0               /* before the outage */
#define LONGEST_DRAINING_S 120.0 /* then it is given up */

typedef struct outage {
	const bench_options *options;
	const bench_sink *sink;
	otlog_provider *provider;
	otlog_logger *logger;
	pthread_t emitter;
	_Atomic bool stop;
	uint64_t emitted; /* the emitter's, until it has ended */
	bool done;
} outage;

static void *
start(const bench_options *options, const bench_sink *sink, const char *name)
{
	(void)name;
	outage *o = calloc(1, sizeof *o);
	char endpoint[64];
	/* A small cap, for how soon the destination is found again is not what is measured. */
	otlog_pipeline_options pipeline = { .schedule_delay_ms = 100, .retry_initial_ms = 100, .retry_cap_ms = 500 };
	snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%u/v1/logs", sink->port);
	if (!o || !otlog_otlp_http_exporter_create(&(otlog_otlp_options){ .endpoint = endpoint }, &pipeline.exporter))
		bench_fail("the exporter cannot be made");
	o->options = options;
	o->sink = sink;
	o->provider =
	    otlog_provider_create(&(otlog_options){ .service_name = "bench",
	                                            .pipelines = &pipeline,
	                                            .pipeline_count = 1,
	                                            .queue_directory = options->queue_dir ? options->queue_dir : "",
	                                            .spool_bytes = options->queue_dir ? SPOOL_BYTES : 0,
	                                            .diagnostic_level = OTLOG_DIAGNOSTIC_ERROR });
	if (!o->provider)
		bench_fail("the provider cannot be started");
	o->logger = otlog_provider_get_logger(o->provider, &(otlog_logger_options){ .name = "bench" });
	return o;
}

static void
sleep_until(uint64_t ns)
{
	struct timespec at = { .tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u) };
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

static void *
emit_steadily(void *self)
{
	outage *o = self;
	const uint64_t began = bench_now_ns();
	for (uint64_t next = began; !o->stop; next += PERIOD_NS) {
		sleep_until(next);
		uint64_t due = (uint64_t)((double)(bench_now_ns() - began) / 1e9 * (double)o->options->rate);
		while (o->emitted < due) {
			bench_emit_r1(o->logger);
			o->emitted++;
		}
	}
	return NULL;
}

static double
rss_mib(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	if (!f || fscanf(f, "%*u %lu", &pages) != 1)
		bench_fail("/proc/self/statm");
	fclose(f);
	return (double)pages * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
}

static void
pause_s(double seconds)
{
	sleep_until(bench_now_ns() + (uint64_t)(seconds * 1e9));
}

static otlog_pipeline_statistics
look(outage *o)
{
	otlog_pipeline_statistics now;
	otlog_provider_statistics_pipeline(o->provider, 0, &now);
	return now;
}

static uint64_t
dropped_of(const otlog_pipeline_statistics *p)
{
	uint64_t dropped = 0;
	for (size_t i = 0; i < OTLOG_MAX_DROP_REASONS; i++)
		dropped += p->dropped[i];
	return dropped;
}

/* From the first delivery on until what waits is no more than what comes in a tenth of a second. */
static void
measure_draining(outage *o, bench_result *result)
{
	const uint64_t back = bench_now_ns();
	otlog_pipeline_statistics before = look(o), now = before;
	while ((now = look(o)).delivered == before.delivered && bench_now_ns() - back < LONGEST_DRAINING_S * 1e9)
		pause_s(0.001);
	const uint64_t found = bench_now_ns();
	const uint64_t first = now.delivered;
	double most_rss = 0;
	while ((now = look(o)).queued > o->options->rate / 10 + 1 &&
	       bench_now_ns() - found < LONGEST_DRAINING_S * 1e9) {
		double rss = rss_mib();
		most_rss = rss > most_rss ? rss : most_rss;
		pause_s(0.002);
	}
	double seconds = (double)(bench_now_ns() - found) / 1e9;
	double per_s = (double)(now.delivered - first) / seconds;
	bench_add_figure(result, "found_s", (double)(found - back) / 1e9);
	bench_add_figure(result, "drained_s", seconds);
	bench_add_figure(result, "drained_per_s", per_s);
	bench_add_figure(result, "times_the_rate", per_s / (double)o->options->rate);
	bench_add_figure(result, "rss_draining_mib", most_rss);
}

static void
round_outage(void *self, bench_result *result)
{
	outage *o = self;
	double half_s = (double)o->options->seconds / 2;
	if (o->done)
		return;
	o->done = true;
	uint64_t arrived = atomic_load(&o->sink->shared->records);
	if (pthread_create(&o->emitter, NULL, emit_steadily, o))
		bench_fail("no thread");
	pause_s(o->options->quick ? 0.1 : WARM_S);

	atomic_store(&o->sink->shared->away, 1);
	bench_add_figure(result, "rss_start_mib", rss_mib());
	pause_s(half_s);
	bench_add_figure(result, "rss_middle_mib", rss_mib());
	pause_s(half_s);
	otlog_pipeline_statistics worst = look(o);
	bench_add_figure(result, "rss_end_mib", rss_mib());
	bench_add_figure(result, "backlog", (double)worst.queued);
	bench_add_figure(result, "spooled", (double)worst.spooled);
	bench_add_figure(result, "spool_mib", (double)worst.spool_bytes / (1 << 20));

	atomic_store(&o->sink->shared->away, 0);
	measure_draining(o, result);
	o->stop = true;
	pthread_join(o->emitter, NULL);
	otlog_provider_flush(o->provider, 60000);
	otlog_pipeline_statistics last = look(o);
	result->dropped = dropped_of(&last);
	result->drops_apply = true;
	if (atomic_load(&o->sink->shared->records) - arrived + result->dropped < o->emitted)
		bench_fail("records were lost that nobody has counted");
}

static void
end(void *self, bench_result *result)
{
	outage *o = self;
	(void)result;
	otlog_provider_shutdown(o->provider, 10000);
	otlog_provider_destroy(o->provider);
	free(o);
}

const bench_case bench_outage_cases[] = { { "outage", start, round_outage, end,
	                                    "R1 at --rate a second; the destination is away for --seconds, then back" },
	                                  { 0 } };
