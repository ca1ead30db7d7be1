/* OTLP/JSON from the bytes of requests, nothing else. */
#include "exporters/json/otlp_json.h"
#include "tests/bench/bench.h"
#include "tests/bench/common/workload.h"

#include <otlog/exporters.h>

#include <stdlib.h>
#include <string.h>

#define RECORDS 512
#define REQUESTS 200 /* a round */

typedef struct json_case {
	const bench_options *options;
	uint8_t *request;
	size_t size;
	otlog__buffer out;
} json_case;

/* One request of R1, as the batch processor makes it. */
static void *
start(const bench_options *options, const bench_sink *sink, const char *name)
{
	(void)sink, (void)name;
	json_case *c = calloc(1, sizeof *c);
	otlog_pipeline_options pipeline = { .max_batch_records = RECORDS, .schedule_delay_ms = 3600000 };
	otlog_memory *memory = c ? otlog_memory_exporter_create(NULL, &pipeline.exporter) : NULL;
	otlog_provider *provider =
	    memory ? otlog_provider_create(&(otlog_options){ .pipelines = &pipeline, .pipeline_count = 1 }) : NULL;
	if (!provider)
		bench_fail("the provider cannot be started");
	otlog_logger *logger = otlog_provider_get_logger(provider, &(otlog_logger_options){ .name = "bench" });
	otlog_span_context span = { .trace_flags = OTLOG_TRACE_FLAG_SAMPLED };
	memset(span.trace_id, 0xab, sizeof span.trace_id);
	memset(span.span_id, 0xcd, sizeof span.span_id);
	otlog_context_token token = otlog_context_attach(&span);
	for (int i = 0; i < RECORDS; i++)
		bench_emit_r1(logger);
	otlog_context_detach(token);
	otlog_provider_shutdown(provider, 10000);
	otlog_provider_destroy(provider);
	if (otlog_memory_count(memory) != RECORDS)
		bench_fail("the request has not all records");
	c->options = options;
	const void *request = otlog_memory_request(memory, 0, &c->size);
	c->request = malloc(c->size);
	if (!c->request)
		bench_fail("out of memory");
	memcpy(c->request, request, c->size);
	otlog_memory_free(memory);
	return c;
}

static void
round_json(void *self, bench_result *result)
{
	json_case *c = self;
	for (unsigned i = 0; i < (c->options->quick ? 5 : REQUESTS); i++) {
		c->out.size = 0;
		uint64_t before = bench_now_ns();
		if (!otlog__otlp_json_append(c->request, c->size, &c->out))
			bench_fail("a request cannot be written as JSON");
		double ns = (double)(bench_now_ns() - before);
		bench_add(&result->ns_per_op, ns / RECORDS);
		bench_add(&result->records_per_s, RECORDS * 1e9 / ns);
	}
}

static void
end(void *self, bench_result *result)
{
	json_case *c = self;
	(void)result;
	otlog__buffer_free(&c->out);
	free(c->request);
	free(c);
}

const bench_case bench_json_cases[] = {
	{ "json_r1", start, round_json, end, "R1 from protobuf to OTLP/JSON, one thread, no delivery" }, { 0 }
};
