/* What an emit costs the calling thread, beside the floor that nobody can go under: memcpy and a clock read. */
#include "tests/bench/bench.h"
#include "tests/bench/common/workload.h"

#include <otlog/exporters.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BLOCK 200               /* emits between two clock reads */
#define BLOCKS 2000             /* a round */
#define PACE_NS 10000           /* 100,000 records a second */
#define PACED 50000             /* a round */
#define HOLE_PACED 10000        /* a round; what the queue holds of a black hole's */
#define FLOOR_BUFFER (2u << 20) /* like a lane: the copy leaves the nearest caches */
#define FLOOR_RECORD 704        /* R1 on the wire and its frame, see bytes_per_record in the smoke run */

typedef struct emit_case {
	const char *name;
	const bench_options *options;
	otlog_provider *provider;
	otlog_logger *logger;
	otlog_emit_result (*emit)(otlog_logger *logger);
	uint8_t *floor;
	size_t floor_at;
	uint64_t refused;
	int hole; /* a socket that nobody reads from */
} emit_case;

static void
discard(void *self, const otlog_batch *batch, uint64_t timeout_ms, otlog_export_result *result)
{
	(void)self, (void)batch, (void)timeout_ms;
	result->verdict = OTLOG_VERDICT_OK;
}

static const otlog_exporter_functions discard_functions = { .size = sizeof discard_functions, .export_batch = discard };

static otlog_provider *
start_provider(const char *queue_dir)
{
	const otlog_pipeline_options pipeline = { .exporter = { .functions = &discard_functions, .name = "discard" },
		                                  .schedule_delay_ms = 100 };
	const otlog_options options = {
		.service_name = "bench", .pipelines = &pipeline, .pipeline_count = 1, .queue_directory = queue_dir
	};
	otlog_provider *provider = otlog_provider_create(&options);
	if (!provider)
		bench_fail("the provider cannot be started");
	return provider;
}

static void *
start(const bench_options *options, const bench_sink *sink, const char *name)
{
	(void)sink;
	emit_case *c = calloc(1, sizeof *c);
	if (!c || !(c->floor = malloc(FLOOR_BUFFER)))
		bench_fail("out of memory");
	c->name = name;
	c->options = options;
	memset(c->floor, 1, FLOOR_BUFFER);
	bool memory = strcmp(name, "emit_r1_memory") == 0;
	c->emit = strcmp(name, "emit_r2") == 0 ? bench_emit_r2 : bench_emit_r1;
	c->provider = start_provider(memory ? NULL : options->queue_dir);
	c->logger = otlog_provider_get_logger(c->provider, &(otlog_logger_options){ .name = "bench" });
	otlog_span_context span = { .trace_flags = OTLOG_TRACE_FLAG_SAMPLED };
	memset(span.trace_id, 0xab, sizeof span.trace_id);
	memset(span.span_id, 0xcd, sizeof span.span_id);
	otlog_context_attach(&span);
	return c;
}

/* Keeps the ring far from full, outside the measured time, so that no emit meets a full lane. */
static void
make_room(emit_case *c)
{
	otlog_statistics_snapshot books;
	otlog_provider_statistics(c->provider, &books);
	if (books.queue_bytes_used > books.queue_bytes / 16)
		otlog_provider_flush(c->provider, 10000);
}

static void
emit_block(emit_case *c, bench_result *result)
{
	uint64_t before = bench_now_ns();
	for (unsigned i = 0; i < BLOCK; i++)
		c->refused += c->emit(c->logger) != OTLOG_EMIT_ACCEPTED;
	bench_add(&result->ns_per_op, (double)(bench_now_ns() - before) / BLOCK);
}

static void
emit_paced(emit_case *c, bench_result *result, unsigned records)
{
	uint64_t next = bench_now_ns();
	for (unsigned i = 0; i < records; i++) {
		while (bench_now_ns() < next) {
		}
		next += PACE_NS;
		uint64_t before = bench_now_ns();
		c->refused += c->emit(c->logger) != OTLOG_EMIT_ACCEPTED;
		bench_add(&result->latency_ns, (double)(bench_now_ns() - before));
	}
}

static void
round_emit(void *self, bench_result *result)
{
	emit_case *c = self;
	for (unsigned block = 0; block < (c->options->quick ? 20 : BLOCKS); block++) {
		make_room(c);
		emit_block(c, result);
	}
	make_room(c);
	emit_paced(c, result, c->options->quick ? 1000 : PACED);
}

static void
round_floor(void *self, bench_result *result)
{
	emit_case *c = self;
	static uint8_t record[FLOOR_RECORD];
	for (unsigned block = 0; block < (c->options->quick ? 20 : BLOCKS); block++) {
		uint64_t before = bench_now_ns();
		for (unsigned i = 0; i < BLOCK; i++) {
			struct timespec now;
			clock_gettime(CLOCK_REALTIME, &now);
			memcpy(record, &now, sizeof now);
			if (c->floor_at + sizeof record > FLOOR_BUFFER)
				c->floor_at = 0;
			memcpy(c->floor + c->floor_at, record, sizeof record);
			__asm__ volatile("" ::"r"(c->floor) : "memory"); /* the copy must happen */
			c->floor_at += sizeof record;
		}
		bench_add(&result->ns_per_op, (double)(bench_now_ns() - before) / BLOCK);
	}
}

static void
round_disabled(void *self, bench_result *result)
{
	emit_case *c = self;
	otlog_logger *logger = c->logger;
	for (unsigned block = 0; block < (c->options->quick ? 20 : BLOCKS); block++) {
		uint64_t before = bench_now_ns();
		for (unsigned i = 0; i < BLOCK * 10; i++) {
			OTLOG_DEBUG(logger, "never", OTLOG_KV("i", i));
			__asm__ volatile("" ::: "memory"); /* the logger is looked at each time */
		}
		bench_add(&result->ns_per_op, (double)(bench_now_ns() - before) / (BLOCK * 10));
	}
}

static void *
start_disabled(const bench_options *options, const bench_sink *sink, const char *name)
{
	emit_case *c = start(options, sink, name);
	c->logger->minimum_severity = OTLOG_SEVERITY_INFO; /* what a provider with this minimum shows */
	return c;
}

/* ---- A black hole ------------------------------------------------------------------------------------------------ */

/* A provider whose destination takes connections, for the kernel does, and never reads or answers. */
static void
fall_into_hole(emit_case *c)
{
	char endpoint[64];
	struct sockaddr_in address;
	socklen_t size = sizeof address;
	otlog_pipeline_options pipeline = { .schedule_delay_ms = 100 };
	if (getsockname(c->hole, (struct sockaddr *)&address, &size))
		bench_fail("the black hole has no port");
	snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%u/v1/logs", ntohs(address.sin_port));
	if (!otlog_otlp_http_exporter_create(&(otlog_otlp_options){ .endpoint = endpoint }, &pipeline.exporter))
		bench_fail("the exporter cannot be made");
	/* In memory: what is given up here would be taken over by the next. */
	c->provider = otlog_provider_create(&(otlog_options){ .service_name = "bench",
	                                                      .pipelines = &pipeline,
	                                                      .pipeline_count = 1,
	                                                      .queue_directory = "",
	                                                      .diagnostic = bench_say_nothing });
	if (!c->provider)
		bench_fail("the provider cannot be started");
	c->logger = otlog_provider_get_logger(c->provider, &(otlog_logger_options){ .name = "bench" });
}

/* Gives up what the queue holds when that is half of it: emits are measured that are accepted. */
static void
renew_hole(emit_case *c)
{
	otlog_statistics_snapshot books;
	otlog_provider_statistics(c->provider, &books);
	if (books.queue_bytes_used < books.queue_bytes / 2)
		return;
	otlog_provider_destroy(c->provider);
	fall_into_hole(c);
}

static void *
start_hole(const bench_options *options, const bench_sink *sink, const char *name)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	emit_case *c = start(options, sink, name);
	otlog_provider_destroy(c->provider);
	c->hole = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->hole < 0 || bind(c->hole, (struct sockaddr *)&address, sizeof address) || listen(c->hole, 4096))
		bench_fail("cannot listen on the loopback address");
	fall_into_hole(c);
	return c;
}

static void
round_hole(void *self, bench_result *result)
{
	emit_case *c = self;
	for (unsigned block = 0; block < (c->options->quick ? 20 : BLOCKS); block++) {
		renew_hole(c);
		emit_block(c, result);
	}
	renew_hole(c);
	emit_paced(c, result, c->options->quick ? 1000 : HOLE_PACED);
}

static void
end_hole(void *self, bench_result *result)
{
	emit_case *c = self;
	result->dropped = c->refused;
	result->drops_apply = true;
	otlog_provider_destroy(c->provider);
	close(c->hole);
	free(c->floor);
	free(c);
}

static void
end(void *self, bench_result *result)
{
	emit_case *c = self;
	otlog_statistics_snapshot books;
	if (otlog_provider_shutdown(c->provider, 10000) != OTLOG_DELIVERED && c->refused == 0)
		bench_fail("records that were accepted did not reach the exporter");
	otlog_provider_statistics(c->provider, &books);
	result->dropped = c->refused;
	result->drops_apply = c->emit && books.emitted;
	otlog_provider_destroy(c->provider);
	free(c->floor);
	free(c);
}

const bench_case bench_emit_cases[] = {
	{ "emit_r1", start, round_emit, end, "a Bonito entry, 13 attributes; in a file with --queue-dir" },
	{ "emit_r1_memory", start, round_emit, end, "the same, always in memory: the pair of emit_r1 --queue-dir" },
	{ "emit_r1_black_hole", start_hole, round_hole, end_hole, "emit_r1_memory, but the destination never answers" },
	{ "emit_r2", start, round_emit, end, "a Mito event, 8 attributes" },
	{ "floor_r1", start, round_floor, end, "memcpy of the bytes of R1 and a clock read" },
	{ "disabled", start_disabled, round_disabled, end, "a macro whose severity is off" },
	{ 0 }
};
