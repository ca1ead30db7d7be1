/* Records from threads to a destination, under the policy "block", counted where they arrive. */
#include "sdk/settings/grpc_loader.h"
#include "tests/bench/bench.h"
#include "tests/bench/common/count.h"
#include "tests/bench/common/workload.h"

#include <otlog/exporters.h>

#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define FILE_SHARE 10 /* a case that fills a disk moves a tenth of the records */

typedef struct delivery {
	const struct route *route;
	const bench_options *options;
	const bench_sink *sink;
	bench_grpc_sink grpc;
	otlog_provider *provider;
	otlog_logger *logger;
	char directory[64], path[96];
	int null;
} delivery;

/* Where a case sends to: how its exporter is made, what it sends, and how arrivals are counted. */
typedef struct route {
	const char *name;
	void (*open)(delivery *d, otlog_exporter *out);
	uint64_t (*arrived)(delivery *d); /* in all, or since the last look where the look takes them away */
	bool takes_away;
	otlog_emit_result (*emit)(otlog_logger *logger);
	unsigned share; /* of the records; 0: all */
} route;

static void
must(bool made)
{
	if (!made)
		bench_fail("the exporter cannot be made");
}

static const char *
endpoint_of(const bench_sink *sink, const char *path)
{
	static char endpoint[64];
	snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%u%s", sink->port, path);
	return endpoint;
}

static void
open_http(delivery *d, otlog_exporter *out)
{
	must(otlog_otlp_http_exporter_create(&(otlog_otlp_options){ .endpoint = endpoint_of(d->sink, "/v1/logs") },
	                                     out));
}

static void
open_http_json(delivery *d, otlog_exporter *out)
{
	must(otlog_otlp_http_json_exporter_create(&(otlog_otlp_options){ .endpoint = endpoint_of(d->sink, "/v1/logs") },
	                                          out));
}

static void
open_mito(delivery *d, otlog_exporter *out)
{
	must(otlog_mito_exporter_create(&(otlog_mito_options){ .url = endpoint_of(d->sink, "/mito") }, out));
}

static uint64_t
arrived_http(delivery *d)
{
	return atomic_load(&d->sink->shared->records);
}

static void
open_grpc(delivery *d, otlog_exporter *out)
{
	char endpoint[64];
	d->grpc = bench_grpc_sink_start();
	snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%u", d->grpc.port);
	must(otlog__grpc_load_and_create(&(otlog_otlp_options){ .endpoint = endpoint }, NULL, out));
}

static uint64_t
arrived_grpc(delivery *d)
{
	return atomic_load(&d->grpc.shared->records);
}

static void
open_file(delivery *d, otlog_exporter *out)
{
	strcpy(d->directory, "/tmp/otlog-bench-XXXXXX");
	if (!mkdtemp(d->directory))
		err(1, "mkdtemp");
	snprintf(d->path, sizeof d->path, "%s/records.jsonl", d->directory);
	must(otlog_otlp_file_exporter_create(&(otlog_otlp_file_options){ .path = d->path }, out));
}

/* Counts the records in the file and empties it. */
static uint64_t
arrived_file(delivery *d)
{
	int fd = open(d->path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return 0;
	off_t size = lseek(fd, 0, SEEK_END);
	char *data = size > 0 ? mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
	uint64_t records = data != MAP_FAILED ? bench_count_json((const uint8_t *)data, (size_t)size) : 0;
	if (data != MAP_FAILED)
		munmap(data, (size_t)size);
	if (ftruncate(fd, 0))
		err(1, "ftruncate");
	close(fd);
	return records;
}

static void
open_console(delivery *d, otlog_exporter *out)
{
	d->null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	must(d->null > 0 && otlog_console_exporter_create(&(otlog_console_options){ .fd = d->null }, out));
}

/* Nobody can count what went there: the books must do. */
static uint64_t
arrived_console(delivery *d)
{
	otlog_pipeline_statistics books;
	otlog_provider_statistics_pipeline(d->provider, 0, &books);
	return books.delivered;
}

static const route routes[] = {
	{ "http_r1", open_http, arrived_http, false, bench_emit_r1, 0 },
	{ "http_json_r1", open_http_json, arrived_http, false, bench_emit_r1, 0 },
	{ "grpc_r1", open_grpc, arrived_grpc, false, bench_emit_r1, 0 },
	{ "mito_r2", open_mito, arrived_http, false, bench_emit_r2, 0 },
	{ "file_r1", open_file, arrived_file, true, bench_emit_r1, FILE_SHARE },
	{ "console_r1", open_console, arrived_console, false, bench_emit_r1, 0 },
};

static void *
start(const bench_options *options, const bench_sink *sink, const char *name)
{
	delivery *d = calloc(1, sizeof *d);
	if (!d)
		bench_fail("out of memory");
	d->options = options;
	d->sink = sink;
	d->route = routes;
	while (strcmp(d->route->name, name) != 0)
		d->route++;
	otlog_pipeline_options pipeline = { .schedule_delay_ms = 100 };
	d->route->open(d, &pipeline.exporter);
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
	otlog_emit_result (*emit)(otlog_logger *logger);
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
		e->refused += e->emit(e->logger) != OTLOG_EMIT_ACCEPTED;
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
	uint64_t records = d->route->share ? d->options->records / d->route->share : d->options->records;
	uint64_t each = records / threads, refused = 0;
	uint64_t at_start = d->route->takes_away ? 0 : d->route->arrived(d), before = bench_now_ns();
	double cpu = cpu_s();
	for (unsigned i = 0; i < threads; i++) {
		emitters[i].logger = d->logger;
		emitters[i].emit = d->route->emit;
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
	double seconds = (double)(bench_now_ns() - before) / 1e9, used = cpu_s() - cpu;
	uint64_t arrived = d->route->arrived(d) - at_start;
	if (arrived + refused != each * threads)
		bench_fail("what arrived and the emitters' verdicts differ");
	result->dropped += refused;
	result->drops_apply = true;
	bench_add(&result->records_per_s, (double)arrived / seconds);
	bench_add(&result->cpu_s_per_million, used * 1e6 / (double)arrived);
}

static void
end(void *self, bench_result *result)
{
	delivery *d = self;
	(void)result;
	otlog_provider_shutdown(d->provider, 10000);
	otlog_provider_destroy(d->provider);
	if (d->grpc.pid)
		bench_grpc_sink_stop(&d->grpc);
	if (d->path[0]) {
		unlink(d->path);
		rmdir(d->directory);
	}
	if (d->null > 0)
		close(d->null);
	free(d);
}

const bench_case bench_delivery_cases[] = {
	{ "http_r1", start, round_delivery, end, "R1 over OTLP/HTTP, protobuf, to a process of its own" },
	{ "http_json_r1", start, round_delivery, end, "R1 over OTLP/HTTP, JSON, to a process of its own" },
	{ "grpc_r1", start, round_delivery, end, "R1 over OTLP/gRPC to a process of its own" },
	{ "mito_r2", start, round_delivery, end, "R2 posted as to a Mito log server, in a process of its own" },
	{ "file_r1", start, round_delivery, end, "R1 as OTLP JSON lines in a file" },
	{ "console_r1", start, round_delivery, end, "R1 as lines for people, to /dev/null" },
	{ 0 }
};
