/* One batch of R1 or of R2, for callgrind to count in: check.sh. usage: otlog_instructions r1|r2 */
#include "tests/bench/common/workload.h"

#include <otlog/exporters.h>

#include <semaphore.h>
#include <stdio.h>
#include <string.h>

#define RECORDS 512

/*
 * Its first batch, of one record, is held back until the batch that matters has been emitted: an emit that finds the
 * worker asleep does more, so that figures would differ from run to run.
 */
typedef struct sink {
	sem_t holds, go_on;
	size_t batches, records;
} sink;

static void
take(void *self, const otlog_batch *batch, uint64_t timeout_ms, otlog_export_result *result)
{
	sink *s = self;
	(void)timeout_ms;
	s->records += batch->records;
	if (s->batches++ == 0) {
		sem_post(&s->holds);
		sem_wait(&s->go_on);
	}
	result->verdict = OTLOG_VERDICT_OK;
}

static const otlog_exporter_functions take_functions = { .size = sizeof take_functions, .export_batch = take };

static otlog_provider *
start_provider(sink *s)
{
	const otlog_pipeline_options pipeline = {
		.exporter = { .functions = &take_functions, .self = s, .name = "take" },
		.max_batch_records = RECORDS,
		.schedule_delay_ms = 1
	};
	sem_init(&s->holds, 0, 0);
	sem_init(&s->go_on, 0, 0);
	return otlog_provider_create(&(otlog_options){
	    .service_name = "bench", .pipelines = &pipeline, .pipeline_count = 1, .queue_directory = "" });
}

int
main(int argc, char **argv)
{
	sink s = { 0 };
	uint32_t accepted = 0;
	otlog_provider *provider = start_provider(&s);
	if (argc != 2 || !provider)
		return 2;
	bool r2 = strcmp(argv[1], "r2") == 0;
	otlog_logger *logger = otlog_provider_get_logger(provider, &(otlog_logger_options){ .name = "bench" });
	otlog_span_context span = { .trace_flags = OTLOG_TRACE_FLAG_SAMPLED };
	memset(span.trace_id, 0xab, sizeof span.trace_id);
	memset(span.span_id, 0xcd, sizeof span.span_id);
	otlog_context_attach(&span);

	(r2 ? bench_emit_r1 : bench_emit_r2)(logger); /* what is not counted pays for what is done once */
	sem_wait(&s.holds);
	for (uint32_t i = 0; i < RECORDS; i++)
		accepted += (r2 ? bench_emit_r2 : bench_emit_r1)(logger) == OTLOG_EMIT_ACCEPTED;
	sem_post(&s.go_on);
	otlog_provider_flush(provider, 60000);
	otlog_provider_destroy(provider);
	if (accepted == RECORDS && s.batches == 2 && s.records == RECORDS + 1)
		return 0;
	fprintf(stderr, "%u records accepted, %zu exported in %zu batches, where %u and one in two were meant\n",
	        accepted, s.records, s.batches, RECORDS);
	return 1;
}
