#include "tests/support/harness/files.h"
#include "tests/support/sdk/sdk_fixture.h"
#include "tests/support/sdk/sdk_books.h"

#include <time.h>

void
sdk_silence(void *user, otlog_diagnostic_level level, const char *message)
{
	(void)user, (void)level;
	(void)message;
}

void
sdk_start(sdk_fixture *f, size_t pipelines, otlog_options options, otlog_pipeline_options pipeline)
{
	otlog_pipeline_options all[2];
	f->a = capture_create("first");
	f->b = capture_create("second");
	if (!pipeline.schedule_delay_ms)
		pipeline.schedule_delay_ms = 20;
	if (!pipeline.retry_initial_ms)
		pipeline.retry_initial_ms = 1;
	if (!pipeline.retry_cap_ms)
		pipeline.retry_cap_ms = 5;
	all[0] = all[1] = pipeline;
	all[0].exporter = capture_exporter(f->a);
	all[1].exporter = capture_exporter(f->b);
	options.pipelines = all;
	options.pipeline_count = pipelines;
	options.diagnostic = sdk_silence;
	if (!options.queue_bytes)
		options.queue_bytes = 1 << 20;
	f->provider = otlog_provider_create(&options);
	assert_non_null(f->provider);
	f->logger = otlog_provider_get_logger(f->provider, &(otlog_logger_options){ .name = "test", .version = "1" });
}

int
sdk_setup(void **state)
{
	*state = calloc(1, sizeof(sdk_fixture));
	return *state == NULL;
}

int
sdk_teardown(void **state)
{
	sdk_fixture *f = *state;
	if (f->a)
		capture_release(f->a);
	if (f->b)
		capture_release(f->b);
	otlog_provider_destroy(f->provider);
	capture_free(f->a);
	capture_free(f->b);
	if (f->directory[0])
		file_remove_all(f->directory);
	free(f);
	return 0;
}

otlog_emit_result
sdk_emit_text(otlog_logger *logger, const char *text)
{
	return otlog_emit(logger, &(otlog_record){ .severity = OTLOG_SEVERITY_INFO, .body = otlog_string(text) });
}

uint64_t
sdk_emit_many(otlog_logger *logger, unsigned n)
{
	uint64_t accepted = 0;
	for (unsigned i = 0; i < n; i++)
		accepted += sdk_emit_text(logger, "some text of a record") == OTLOG_EMIT_ACCEPTED;
	return accepted;
}

uint64_t
sdk_dropped_of(const otlog_pipeline_statistics *p)
{
	uint64_t sum = 0;
	for (int i = 0; i < OTLOG_DROP_REASON_COUNT; i++)
		sum += p->dropped[i];
	return sum;
}

void
sdk_assert_books_balance(otlog_provider *provider)
{
	sdk_books books;
	sdk_take_books(provider, &books);
	for (size_t i = 0; i < books.pipeline_count; i++) {
		const otlog_pipeline_statistics *p = &books.pipelines[i];
		assert_int_equal(p->emitted + p->adopted, p->delivered + p->queued + p->filtered + sdk_dropped_of(p));
	}
}

double
sdk_seconds_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
