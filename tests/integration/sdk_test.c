/* The SDK from end to end, up to an exporter in this process: what arrives, what the books and verdicts say. */
#include "tests/support/capture.h"
#include "tests/support/cmocka.h"

#include <otlog/otlog.h>

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef struct fixture {
	capture *a, *b;
	otlog_provider *provider;
	otlog_logger *logger;
	char directory[64];
} fixture;

static void
silence(void *user, otlog_diagnostic_level level, const char *message)
{
	(void)user, (void)level;
	(void)message;
}

/* A provider with one or two captures as its pipelines. Zero in options: quick defaults for a test. */
static void
start(fixture *f, size_t pipelines, otlog_options options, otlog_pipeline_options pipeline)
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
	options.diagnostic = silence;
	if (!options.queue_bytes)
		options.queue_bytes = 1 << 20;
	f->provider = otlog_provider_create(&options);
	assert_non_null(f->provider);
	f->logger = otlog_provider_get_logger(f->provider, &(otlog_logger_options){ .name = "test", .version = "1" });
}

static int
setup(void **state)
{
	*state = calloc(1, sizeof(fixture));
	return *state == NULL;
}

static int
teardown(void **state)
{
	fixture *f = *state;
	if (f->a)
		capture_release(f->a);
	if (f->b)
		capture_release(f->b);
	otlog_provider_destroy(f->provider);
	capture_free(f->a);
	capture_free(f->b);
	if (f->directory[0]) {
		char command[128];
		snprintf(command, sizeof command, "rm -rf '%s'", f->directory);
		assert_int_equal(system(command), 0);
	}
	free(f);
	return 0;
}

static otlog_emit_result
emit_text(otlog_logger *logger, const char *text)
{
	return otlog_emit(logger, &(otlog_record){ .severity = OTLOG_SEVERITY_INFO, .body = otlog_string(text) });
}

/* Emits n records and returns how many were accepted. */
static uint64_t
emit_many(otlog_logger *logger, unsigned n)
{
	uint64_t accepted = 0;
	for (unsigned i = 0; i < n; i++)
		accepted += emit_text(logger, "some text of a record") == OTLOG_EMIT_ACCEPTED;
	return accepted;
}

static uint64_t
dropped_of(const otlog_pipeline_statistics *p)
{
	uint64_t sum = 0;
	for (int i = 0; i < OTLOG_DROP_REASON_COUNT; i++)
		sum += p->dropped[i];
	return sum;
}

static void
assert_books_balance(otlog_provider *provider)
{
	otlog_statistics_snapshot books;
	otlog_provider_statistics(provider, &books);
	for (size_t i = 0; i < books.pipeline_count; i++) {
		const otlog_pipeline_statistics *p = &books.pipelines[i];
		assert_int_equal(p->emitted + p->adopted, p->delivered + p->queued + p->filtered + dropped_of(p));
	}
}

static double
seconds_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
records_arrive_in_order_under_their_resource_and_scope(void **state)
{
	fixture *f = *state;
	start(f, 1,
	      (otlog_options){ .service_name = "shop",
	                       .resource_attributes = OTLOG_ATTRS(OTLOG_KV("zone", "b")),
	                       .resource_schema_url = "https://example.test/schema" },
	      (otlog_pipeline_options){ 0 });
	otlog_logger *other = otlog_provider_get_logger(f->provider, &(otlog_logger_options){ .name = "other" });
	for (int i = 0; i < 6; i++) {
		char text[16];
		snprintf(text, sizeof text, "%d", i);
		assert_int_equal(emit_text(i % 2 ? other : f->logger, text), OTLOG_EMIT_ACCEPTED);
	}
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DELIVERED);

	const capture_request *request = capture_request_at(f->a, 0);
	assert_non_null(request);
	assert_int_equal(request->n_resource_logs, 1);
	assert_memory_equal(request->resource_logs[0]->schema_url.data, "https://example.test/schema", 27);
	assert_int_equal(request->resource_logs[0]->n_scope_logs, 2);
	static const char *const expected[2][3] = { { "0", "2", "4" }, { "1", "3", "5" } };
	for (int s = 0; s < 2; s++) {
		const Opentelemetry__Proto__Logs__V1__ScopeLogs *scope = request->resource_logs[0]->scope_logs[s];
		assert_int_equal(scope->n_log_records, 3);
		assert_memory_equal(scope->scope->name.data, s ? "other" : "test", scope->scope->name.len);
		for (int i = 0; i < 3; i++)
			assert_memory_equal(scope->log_records[i]->body->string_value.data, expected[s][i], 1);
	}
	bool named = false;
	for (size_t i = 0; i < request->resource_logs[0]->resource->n_attributes; i++) {
		const Opentelemetry__Proto__Common__V1__KeyValue *kv =
		    request->resource_logs[0]->resource->attributes[i];
		if (kv->key.len == 12 && memcmp(kv->key.data, "service.name", 12) == 0)
			named =
			    kv->value->string_value.len == 4 && memcmp(kv->value->string_value.data, "shop", 4) == 0;
	}
	assert_true(named);
	assert_books_balance(f->provider);
}

static void
a_full_batch_goes_out_before_the_schedule(void **state)
{
	fixture *f = *state;
	start(f, 1, (otlog_options){ 0 },
	      (otlog_pipeline_options){ .schedule_delay_ms = 3600000, .max_batch_records = 64 });
	assert_int_equal(emit_many(f->logger, 200), 200);
	capture_wait_records(f->a, 192);
	for (size_t i = 0; i < capture_attempts(f->a); i++)
		assert_true(capture_request_at(f->a, i)->resource_logs[0]->scope_logs[0]->n_log_records <= 64);
}

static void
a_batch_is_bounded_by_bytes_too(void **state)
{
	fixture *f = *state;
	start(f, 1, (otlog_options){ 0 }, (otlog_pipeline_options){ .max_batch_bytes = 1000 });
	assert_int_equal(emit_many(f->logger, 200), 200);
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DELIVERED);
	for (size_t i = 0; i < capture_attempts(f->a); i++) {
		size_t size;
		capture_bytes_at(f->a, i, &size);
		assert_in_range(size, 1, 1000 + 1000); /* the records, and the resource around them */
	}
	assert_int_equal(capture_records(f->a), 200);
}

static void
the_same_bytes_are_sent_again_until_they_are_taken(void **state)
{
	fixture *f = *state;
	start(f, 1, (otlog_options){ 0 }, (otlog_pipeline_options){ 0 });
	capture_answer(f->a, 3, OTLOG_VERDICT_RETRY, 0, 0);
	assert_int_equal(emit_many(f->logger, 10), 10);
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DELIVERED);
	assert_int_equal(capture_records(f->a), 10);
	size_t first_size, size;
	const uint8_t *first = capture_bytes_at(f->a, 0, &first_size);
	for (size_t i = 1; i < 4; i++) {
		const uint8_t *bytes = capture_bytes_at(f->a, i, &size);
		assert_int_equal(size, first_size);
		assert_memory_equal(bytes, first, size);
	}
	otlog_statistics_snapshot books;
	otlog_provider_statistics(f->provider, &books);
	assert_int_equal(books.pipelines[0].retries, 3);
	assert_books_balance(f->provider);
}

/* The batch with this record hangs until released; the others go through. */
#define HANGING "hang me"

typedef struct gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned attempts;
	bool open, cancelled;
} gate;

static void
export_through_gate(void *self, const otlog_batch *batch, uint64_t timeout_ms, otlog_export_result *result)
{
	gate *g = self;
	(void)timeout_ms;
	bool hangs = memmem(batch->request, batch->request_size, HANGING, strlen(HANGING)) != NULL;
	pthread_mutex_lock(&g->lock);
	g->attempts++;
	pthread_cond_broadcast(&g->changed);
	while (hangs && !g->open && !g->cancelled)
		pthread_cond_wait(&g->changed, &g->lock);
	result->verdict = hangs && g->cancelled ? OTLOG_VERDICT_RETRY : OTLOG_VERDICT_OK;
	pthread_mutex_unlock(&g->lock);
}

static void
cancel_gate(void *self)
{
	gate *g = self;
	pthread_mutex_lock(&g->lock);
	g->cancelled = true;
	pthread_cond_broadcast(&g->changed);
	pthread_mutex_unlock(&g->lock);
}

/* Four batches of one record, the first one emitted hangs at the gate. */
static void
start_four_at_gate(fixture *f, gate *g)
{
	static const otlog_exporter_functions functions = { .export_batch = export_through_gate,
		                                            .cancel = cancel_gate };
	otlog_pipeline_options pipeline = {
		.exporter = { .functions = &functions, .self = g, .name = "gate", .concurrency = 4 },
		.max_batch_records = 1,
		.schedule_delay_ms = 20
	};
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->changed, NULL);
	f->provider = otlog_provider_create(&(otlog_options){
	    .pipelines = &pipeline, .pipeline_count = 1, .queue_bytes = 1 << 20, .diagnostic = silence });
	assert_non_null(f->provider);
	f->logger = otlog_provider_get_logger(f->provider, &(otlog_logger_options){ .name = "test" });
	assert_int_equal(emit_text(f->logger, HANGING), OTLOG_EMIT_ACCEPTED);
	assert_int_equal(emit_many(f->logger, 3), 3);
	pthread_mutex_lock(&g->lock);
	while (g->attempts < 4)
		pthread_cond_wait(&g->changed, &g->lock);
	pthread_mutex_unlock(&g->lock);
}

static void
batches_in_flight_finish_in_the_order_of_reading(void **state)
{
	fixture *f = *state;
	gate g = { .attempts = 0 };
	start_four_at_gate(f, &g);
	otlog_statistics_snapshot books;
	assert_int_equal(otlog_provider_flush(f->provider, 50), OTLOG_TIMEOUT);
	otlog_provider_statistics(f->provider, &books);
	assert_int_equal(books.pipelines[0].delivered, 0); /* nothing leaves the queue before the first has */
	assert_int_equal(books.pipelines[0].queued, 4);
	pthread_mutex_lock(&g.lock);
	g.open = true;
	pthread_cond_broadcast(&g.changed);
	pthread_mutex_unlock(&g.lock);
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DELIVERED);
	otlog_provider_statistics(f->provider, &books);
	assert_int_equal(books.pipelines[0].delivered, 4);
	assert_int_equal(otlog_provider_shutdown(f->provider, 10000), OTLOG_DELIVERED);
}

static void
what_was_delivered_beside_a_hanging_batch_is_not_counted_as_lost(void **state)
{
	fixture *f = *state;
	gate g = { .attempts = 0 };
	start_four_at_gate(f, &g);
	assert_int_equal(otlog_provider_shutdown(f->provider, 50), OTLOG_TIMEOUT);
	otlog_statistics_snapshot books;
	otlog_provider_statistics(f->provider, &books);
	assert_int_equal(books.pipelines[0].delivered, 3);
	assert_int_equal(books.pipelines[0].dropped[OTLOG_DROP_AFTER_SHUTDOWN], 1);
	assert_int_equal(books.pipelines[0].queued, 0);
	assert_books_balance(f->provider);
}

static void
what_the_destination_rejects_is_counted_and_never_sent_again(void **state)
{
	fixture *f = *state;
	start(f, 1, (otlog_options){ 0 }, (otlog_pipeline_options){ 0 });
	capture_answer(f->a, 1, OTLOG_VERDICT_PARTIAL, 3, 0);
	assert_int_equal(emit_many(f->logger, 10), 10);
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DROPPED);
	capture_answer(f->a, 1, OTLOG_VERDICT_DROP, 0, 0);
	assert_int_equal(emit_many(f->logger, 5), 5);
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DROPPED);
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DELIVERED);
	assert_int_equal(capture_attempts(f->a), 2);

	otlog_statistics_snapshot books;
	otlog_provider_statistics(f->provider, &books);
	assert_int_equal(books.pipelines[0].delivered, 7);
	assert_int_equal(books.pipelines[0].dropped[OTLOG_DROP_REJECTED], 8);
	assert_int_equal(books.pipelines[0].queued, 0);
	assert_books_balance(f->provider);
}

static void
an_exporter_that_rejects_more_than_there_was_cannot_unbalance_the_books(void **state)
{
	fixture *f = *state;
	start(f, 1, (otlog_options){ 0 }, (otlog_pipeline_options){ 0 });
	capture_answer(f->a, 1, OTLOG_VERDICT_PARTIAL, 3000, 0);
	emit_many(f->logger, 10);
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DROPPED);
	otlog_statistics_snapshot books;
	otlog_provider_statistics(f->provider, &books);
	assert_int_equal(books.pipelines[0].dropped[OTLOG_DROP_REJECTED], 10);
	assert_books_balance(f->provider);
}

static void
a_pipeline_that_is_away_harms_no_other(void **state)
{
	fixture *f = *state;
	start(f, 2, (otlog_options){ .queue_full = OTLOG_QUEUE_FULL_BLOCK }, (otlog_pipeline_options){ 0 });
	capture_answer(f->b, UINT32_MAX, OTLOG_VERDICT_RETRY, 0, 0);
	/* Many times what the queue holds. */
	assert_int_equal(emit_many(f->logger, 100000), 100000);
	capture_wait_records(f->a, 100000);
	otlog_statistics_snapshot books;
	otlog_provider_statistics(f->provider, &books);
	assert_int_equal(dropped_of(&books.pipelines[0]), 0);
	assert_true(books.pipelines[1].dropped[OTLOG_DROP_QUEUE_FULL] > 0);
	assert_int_equal(books.pipelines[1].delivered, 0);
	assert_books_balance(f->provider);

	/* It comes back, and gets all that is still there. */
	capture_answer(f->b, 0, OTLOG_VERDICT_OK, 0, 0);
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DROPPED);
	otlog_provider_statistics(f->provider, &books);
	assert_int_equal(books.pipelines[1].delivered, capture_records(f->b));
	assert_int_equal(books.pipelines[1].delivered + dropped_of(&books.pipelines[1]), 100000);
}

static void
a_pipeline_that_hangs_in_a_request_harms_no_other(void **state)
{
	fixture *f = *state;
	start(f, 2, (otlog_options){ .queue_full = OTLOG_QUEUE_FULL_BLOCK }, (otlog_pipeline_options){ 0 });
	capture_hang(f->b, false);
	assert_int_equal(emit_many(f->logger, 60000), 60000);
	capture_wait_records(f->a, 60000);
	assert_books_balance(f->provider);
}

static void
pipelines_take_what_their_severity_says(void **state)
{
	fixture *f = *state;
	start(f, 1, (otlog_options){ .minimum_severity = OTLOG_SEVERITY_INFO },
	      (otlog_pipeline_options){ .minimum_severity = OTLOG_SEVERITY_ERROR });
	assert_int_equal(otlog_emit(f->logger, &(otlog_record){ .severity = OTLOG_SEVERITY_DEBUG }),
	                 OTLOG_EMIT_FILTERED);
	assert_int_equal(otlog_emit(f->logger, &(otlog_record){ .severity = OTLOG_SEVERITY_WARN }),
	                 OTLOG_EMIT_FILTERED);
	assert_int_equal(otlog_emit(f->logger, &(otlog_record){ .severity = OTLOG_SEVERITY_ERROR }),
	                 OTLOG_EMIT_ACCEPTED);
	assert_int_equal(otlog_emit(f->logger, &(otlog_record){ .severity = 0 }), OTLOG_EMIT_ACCEPTED);
	assert_int_equal(otlog_emit(f->logger, &(otlog_record){ .severity = 99 }), OTLOG_EMIT_ACCEPTED);
	assert_false(otlog_enabled(f->logger, OTLOG_SEVERITY_WARN, NULL));
	assert_true(otlog_enabled(f->logger, OTLOG_SEVERITY_FATAL, NULL));
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DELIVERED);
	assert_int_equal(capture_records(f->a), 3);
	assert_books_balance(f->provider);
}

static void
flush_tells_that_the_time_is_up_and_keeps_to_it(void **state)
{
	fixture *f = *state;
	start(f, 1, (otlog_options){ 0 }, (otlog_pipeline_options){ 0 });
	capture_hang(f->a, false);
	emit_many(f->logger, 10);
	double before = seconds_now();
	assert_int_equal(otlog_provider_flush(f->provider, 200), OTLOG_TIMEOUT);
	assert_true(seconds_now() - before < 2.2);
	assert_int_equal(otlog_provider_flush(f->provider, 0), OTLOG_TIMEOUT);
	capture_release(f->a);
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DELIVERED);
}

static void
shutdown_cancels_an_attempt_when_the_time_is_up(void **state)
{
	fixture *f = *state;
	start(f, 1, (otlog_options){ 0 }, (otlog_pipeline_options){ 0 });
	capture_hang(f->a, false);
	emit_many(f->logger, 10);
	capture_wait_hanging(f->a);
	double before = seconds_now();
	assert_int_equal(otlog_provider_shutdown(f->provider, 200), OTLOG_TIMEOUT);
	assert_true(seconds_now() - before < 2.2);
	assert_true(capture_cancelled(f->a));
	assert_true(capture_destroyed(f->a));
	otlog_statistics_snapshot books;
	otlog_provider_statistics(f->provider, &books);
	assert_int_equal(books.pipelines[0].dropped[OTLOG_DROP_AFTER_SHUTDOWN], 10);
	assert_int_equal(books.pipelines[0].queued, 0);
	assert_books_balance(f->provider);
}

static void
shutdown_delivers_counts_late_emits_and_repeats_its_answer(void **state)
{
	fixture *f = *state;
	start(f, 1, (otlog_options){ 0 }, (otlog_pipeline_options){ .schedule_delay_ms = 3600000 });
	emit_many(f->logger, 10);
	assert_int_equal(otlog_provider_shutdown(f->provider, 10000), OTLOG_DELIVERED);
	assert_int_equal(capture_records(f->a), 10);
	assert_true(capture_destroyed(f->a));
	assert_int_equal(emit_text(f->logger, "late"), OTLOG_EMIT_AFTER_SHUTDOWN);
	assert_int_equal(otlog_provider_shutdown(f->provider, 10000), OTLOG_DELIVERED);
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DELIVERED);
	otlog_statistics_snapshot books;
	otlog_provider_statistics(f->provider, &books);
	assert_int_equal(books.emitted, 11);
	assert_int_equal(books.pipelines[0].delivered, 10);
	assert_int_equal(books.refused[OTLOG_DROP_AFTER_SHUTDOWN], 1);
	assert_books_balance(f->provider);
}

static void
a_full_queue_drops_and_counts(void **state)
{
	fixture *f = *state;
	start(f, 1, (otlog_options){ 0 }, (otlog_pipeline_options){ 0 });
	capture_hang(f->a, false);
	uint64_t accepted = emit_many(f->logger, 100000);
	assert_true(accepted > 1000 && accepted < 100000);
	otlog_statistics_snapshot books;
	otlog_provider_statistics(f->provider, &books);
	assert_int_equal(books.accepted, accepted);
	assert_int_equal(books.refused[OTLOG_DROP_QUEUE_FULL] + books.refused[OTLOG_DROP_BUSY], 100000 - accepted);
	capture_release(f->a);
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DROPPED);
	assert_int_equal(capture_records(f->a), accepted);
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DELIVERED);
	assert_books_balance(f->provider);
}

static void
policy_block_waits_for_room_and_loses_nothing(void **state)
{
	fixture *f = *state;
	start(f, 1, (otlog_options){ .queue_full = OTLOG_QUEUE_FULL_BLOCK }, (otlog_pipeline_options){ 0 });
	assert_int_equal(emit_many(f->logger, 200000), 200000);
	assert_int_equal(otlog_provider_shutdown(f->provider, 10000), OTLOG_DELIVERED);
	assert_int_equal(capture_records(f->a), 200000);
}

static void
policy_block_gives_up_after_its_bound(void **state)
{
	fixture *f = *state;
	start(f, 1, (otlog_options){ .queue_full = OTLOG_QUEUE_FULL_BLOCK, .queue_block_timeout_ms = 50 },
	      (otlog_pipeline_options){ 0 });
	capture_hang(f->a, false);
	otlog_emit_result result;
	unsigned n = 0;
	while ((result = emit_text(f->logger, "some text of a record")) == OTLOG_EMIT_ACCEPTED && n < 1000000)
		n++;
	assert_int_equal(result, OTLOG_EMIT_QUEUE_FULL);
	assert_books_balance(f->provider);
}

static void
a_queue_bounded_by_records_is_emptied_before_it_is_full(void **state)
{
	fixture *f = *state;
	start(f, 1, (otlog_options){ .max_queue_records = 64, .queue_full = OTLOG_QUEUE_FULL_BLOCK },
	      (otlog_pipeline_options){ .schedule_delay_ms = 3600000 });
	assert_int_equal(emit_many(f->logger, 5000), 5000);
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DELIVERED);
	assert_int_equal(capture_records(f->a), 5000);
}

static void
the_longest_value_of_a_record_that_is_too_large_is_cut(void **state)
{
	fixture *f = *state;
	start(f, 1, (otlog_options){ .queue_bytes = 16 << 20 }, (otlog_pipeline_options){ 0 });
	size_t size = 10 << 20;
	char *text = malloc(size);
	assert_non_null(text);
	memset(text, 'x', size);
	assert_int_equal(otlog_emit(f->logger, &(otlog_record){ .body = otlog_string_n(text, size),
	                                                        .attributes = OTLOG_ATTRS(OTLOG_KV("kept", "whole")) }),
	                 OTLOG_EMIT_ACCEPTED);
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DELIVERED);
	const Opentelemetry__Proto__Logs__V1__LogRecord *record =
	    capture_request_at(f->a, 0)->resource_logs[0]->scope_logs[0]->log_records[0];
	assert_in_range(record->body->string_value.len, 500000, 1 << 20);
	assert_memory_equal(record->attributes[0]->value->string_value.data, "whole", 5);
	otlog_statistics_snapshot books;
	otlog_provider_statistics(f->provider, &books);
	assert_int_equal(books.truncated, 1);
	free(text);
}

static void
a_record_that_no_cut_makes_small_enough_is_dropped_and_counted(void **state)
{
	fixture *f = *state;
	start(f, 1, (otlog_options){ .queue_bytes = 512 << 10 }, (otlog_pipeline_options){ 0 });
	size_t count = 100000; /* many short items: there is no long value to cut */
	otlog_value *items = calloc(count, sizeof *items);
	assert_non_null(items);
	for (size_t i = 0; i < count; i++)
		items[i] = otlog_int64(INT64_MIN);
	assert_int_equal(otlog_emit(f->logger, &(otlog_record){ .body = otlog_array(items, count) }),
	                 OTLOG_EMIT_TOO_LARGE);
	assert_int_equal(otlog_emit(f->logger, NULL), OTLOG_EMIT_INVALID);
	otlog_statistics_snapshot books;
	otlog_provider_statistics(f->provider, &books);
	assert_int_equal(books.refused[OTLOG_DROP_TOO_LARGE], 1);
	assert_int_equal(books.refused[OTLOG_DROP_INVALID], 1);
	assert_books_balance(f->provider);
	free(items);
}

static void
keys_that_grow_when_they_are_made_utf8_still_fit(void **state)
{
	fixture *f = *state;
	start(f, 1, (otlog_options){ 0 }, (otlog_pipeline_options){ 0 });
	char key[1001];
	memset(key, 0xff, 1000);
	key[1000] = '\0';
	assert_int_equal(otlog_emit(f->logger, &(otlog_record){ .attributes = OTLOG_ATTRS(OTLOG_KV(key, 1)) }),
	                 OTLOG_EMIT_ACCEPTED);
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DELIVERED);
	const Opentelemetry__Proto__Logs__V1__LogRecord *record =
	    capture_request_at(f->a, 0)->resource_logs[0]->scope_logs[0]->log_records[0];
	assert_int_equal(record->attributes[0]->key.len, 3000);
}

static size_t
files_in(const char *directory)
{
	size_t count = 0;
	DIR *d = opendir(directory);
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));)
		count += e->d_name[0] != '.';
	closedir(d);
	return count;
}

static void
in_a_file_what_is_not_delivered_is_durable(void **state)
{
	fixture *f = *state;
	strcpy(f->directory, "/tmp/otlog-sdk-test-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	start(f, 1, (otlog_options){ .queue_directory = f->directory }, (otlog_pipeline_options){ 0 });
	capture_hang(f->a, false);
	emit_many(f->logger, 10);
	assert_int_equal(otlog_provider_flush(f->provider, 20), OTLOG_DURABLE);
	assert_int_equal(otlog_provider_shutdown(f->provider, 20), OTLOG_DURABLE);
	assert_int_equal(files_in(f->directory), 2); /* the queue and its meta file */
	assert_books_balance(f->provider);
}

static void
a_file_that_is_empty_at_the_end_is_removed(void **state)
{
	fixture *f = *state;
	strcpy(f->directory, "/tmp/otlog-sdk-test-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	start(f, 1, (otlog_options){ .queue_directory = f->directory }, (otlog_pipeline_options){ 0 });
	assert_int_equal(emit_many(f->logger, 10), 10);
	assert_int_equal(files_in(f->directory), 2);
	assert_int_equal(otlog_provider_shutdown(f->provider, 10000), OTLOG_DELIVERED);
	assert_int_equal(capture_records(f->a), 10);
	assert_int_equal(files_in(f->directory), 0);
}

static void
the_global_sdk_can_be_started_again_after_shutdown(void **state)
{
	fixture *f = *state;
	otlog_logger *logger = otlog_get_logger("restart", "1");
	for (int round = 0; round < 2; round++) {
		capture *c = capture_create("global");
		otlog_pipeline_options pipeline = { .exporter = capture_exporter(c) };
		otlog_options options = {
			.pipelines = &pipeline, .pipeline_count = 1, .queue_bytes = 1 << 20, .diagnostic = silence
		};
		assert_true(otlog_start(&options));
		assert_int_equal(emit_many(logger, 5), 5);
		capture *unused = capture_create("unused");
		pipeline.exporter = capture_exporter(unused);
		assert_false(otlog_start(&options)); /* it runs already; what was handed over is destroyed */
		assert_true(capture_destroyed(unused));
		assert_int_equal(otlog_flush(10000), OTLOG_DELIVERED);
		assert_int_equal(capture_records(c), 5);
		assert_int_equal(otlog_shutdown(10000), OTLOG_DELIVERED);
		assert_int_equal(emit_text(logger, "late"), OTLOG_EMIT_AFTER_SHUTDOWN);
		capture_free(c);
		capture_free(unused);
	}
	(void)f;
}

/* What the child found is its exit status: 0, or the step that failed. */
static int
in_child(fixture *f)
{
	otlog_statistics_snapshot books;
	alarm(20); /* a child that hangs dies, and the test fails */
	if (emit_text(f->logger, "child") != OTLOG_EMIT_DISABLED)
		return 1;
	otlog_provider_statistics(f->provider, &books);
	if (otlog_provider_flush(f->provider, 5000) != OTLOG_DELIVERED)
		return 2;
	if (otlog_provider_shutdown(f->provider, 5000) != OTLOG_DELIVERED)
		return 3;
	capture *own = capture_create("child");
	otlog_pipeline_options pipeline = { .exporter = capture_exporter(own) };
	if (!otlog_start(&(otlog_options){ .pipelines = &pipeline, .pipeline_count = 1, .queue_bytes = 1 << 20 }))
		return 4;
	if (emit_text(otlog_get_logger("child", NULL), "mine") != OTLOG_EMIT_ACCEPTED)
		return 5;
	if (otlog_shutdown(5000) != OTLOG_DELIVERED || capture_records(own) != 1)
		return 6;
	capture_free(own);
	otlog_provider_destroy(f->provider);
	return 0;
}

static void
a_forked_child_touches_nothing_of_its_parents_and_may_start_anew(void **state)
{
	fixture *f = *state;
	strcpy(f->directory, "/tmp/otlog-sdk-test-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	start(f, 1, (otlog_options){ .queue_directory = f->directory },
	      (otlog_pipeline_options){ .schedule_delay_ms = 3600000 });
	assert_int_equal(emit_many(f->logger, 10), 10);
	pid_t pid = fork();
	if (pid == 0)
		_exit(in_child(f));
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(capture_records(f->a), 0);
	assert_int_equal(emit_many(f->logger, 10), 10);
	assert_int_equal(otlog_provider_shutdown(f->provider, 10000), OTLOG_DELIVERED);
	assert_int_equal(capture_records(f->a), 20);
}

/* An exporter that holds back until it is flushed. */
typedef struct holder {
	_Atomic unsigned flushes;
	bool refuses;
} holder;

static void
export_nothing(void *self, const otlog_batch *batch, uint64_t timeout_ms, otlog_export_result *result)
{
	(void)self, (void)batch, (void)timeout_ms;
	result->verdict = OTLOG_VERDICT_OK;
}

static bool
flush_holder(void *self, uint64_t timeout_ms)
{
	holder *h = self;
	(void)timeout_ms;
	atomic_fetch_add(&h->flushes, 1);
	return !h->refuses;
}

static void
a_flush_reaches_the_exporter_and_hears_its_answer(void **state)
{
	static const otlog_exporter_functions functions = { .export_batch = export_nothing, .flush = flush_holder };
	fixture *f = *state;
	holder h = { 0 };
	otlog_pipeline_options pipeline = { .exporter = { .functions = &functions, .self = &h, .name = "holder" } };
	f->provider = otlog_provider_create(&(otlog_options){
	    .pipelines = &pipeline, .pipeline_count = 1, .queue_bytes = 1 << 20, .diagnostic = silence });
	assert_non_null(f->provider);
	f->logger = otlog_provider_get_logger(f->provider, &(otlog_logger_options){ .name = "test" });
	emit_many(f->logger, 1);
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DELIVERED);
	assert_int_equal(atomic_load(&h.flushes), 1);
	/* With nothing to send too: what it holds back came earlier. */
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DELIVERED);
	assert_int_equal(atomic_load(&h.flushes), 2);
	h.refuses = true;
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_TIMEOUT);
	h.refuses = false;
	assert_int_equal(otlog_provider_shutdown(f->provider, 10000), OTLOG_DELIVERED);
	assert_int_equal(atomic_load(&h.flushes), 4);
}

static void *
shut_down_in_3_s(void *self)
{
	otlog_provider_shutdown(self, 3000);
	return NULL;
}

static void
a_flush_and_a_second_shutdown_do_not_claim_what_the_first_has_not_done(void **state)
{
	fixture *f = *state;
	pthread_t thread;
	start(f, 1, (otlog_options){ 0 }, (otlog_pipeline_options){ 0 });
	capture_hang(f->a, false);
	emit_many(f->logger, 10);
	capture_wait_hanging(f->a);
	assert_int_equal(pthread_create(&thread, NULL, shut_down_in_3_s, f->provider), 0);
	while (emit_text(f->logger, "until it is sealed") != OTLOG_EMIT_AFTER_SHUTDOWN)
		sched_yield();
	double before = seconds_now();
	assert_int_equal(otlog_provider_flush(f->provider, 50), OTLOG_TIMEOUT);
	assert_int_equal(otlog_provider_shutdown(f->provider, 50), OTLOG_TIMEOUT);
	assert_true(seconds_now() - before < 2);
	capture_release(f->a);
	pthread_join(thread, NULL);
	assert_int_equal(otlog_provider_shutdown(f->provider, 50), OTLOG_DROPPED); /* the late emits, or delivered */
}

static void
several_exporters_that_hang_are_cancelled_at_the_same_time(void **state)
{
	fixture *f = *state;
	start(f, 2, (otlog_options){ 0 }, (otlog_pipeline_options){ 0 });
	capture_hang(f->a, true); /* deaf: they do not even hear the cancel */
	capture_hang(f->b, true);
	emit_many(f->logger, 10);
	capture_wait_hanging(f->a);
	capture_wait_hanging(f->b);
	double before = seconds_now();
	assert_int_equal(otlog_provider_shutdown(f->provider, 50), OTLOG_TIMEOUT);
	assert_true(seconds_now() - before < 1.9);
	/* Their threads still use them: they are left behind, and so is the provider. Static: that is no leak. */
	static fixture left_behind;
	left_behind = *f;
	f->provider = NULL;
	f->a = f->b = NULL;
	capture_release(left_behind.a);
	capture_release(left_behind.b);
}

static void
call_back(void *user, otlog_diagnostic_level level, const char *message)
{
	otlog_statistics_snapshot books;
	unsigned *calls = user;
	(void)level, (void)message;
	otlog_statistics(&books);
	otlog_get_logger("from the sink", NULL);
	++*calls;
}

static void
a_sink_may_ask_the_sdk_while_it_starts(void **state)
{
	(void)state;
	unsigned calls = 0;
	capture *c = capture_create("sink");
	otlog_pipeline_options pipeline = { .exporter = capture_exporter(c) };
	setenv("OTEL_BLRP_SCHEDULE_DELAY", "abc", 1);
	assert_true(otlog_start(&(otlog_options){
	    .pipelines = &pipeline, .pipeline_count = 1, .diagnostic = call_back, .diagnostic_user = &calls }));
	unsetenv("OTEL_BLRP_SCHEDULE_DELAY");
	assert_true(calls > 0);
	assert_int_equal(otlog_shutdown(10000), OTLOG_DELIVERED);
	assert_false(otlog_enabled(otlog_get_logger("after", NULL), OTLOG_SEVERITY_FATAL, NULL));
	capture_free(c);
	assert_true(
	    otlog_start(&(otlog_options){ .diagnostic = silence, .queue_bytes = 1 << 20 })); /* not &calls any more */
	otlog_shutdown(0);
}

static void
a_flush_asked_during_an_attempt_ends_the_back_off_behind_it(void **state)
{
	fixture *f = *state;
	start(f, 1, (otlog_options){ 0 },
	      (otlog_pipeline_options){ .retry_initial_ms = 3600000, .retry_cap_ms = 3600000 });
	capture_answer(f->a, 1, OTLOG_VERDICT_RETRY, 0, 0);
	capture_hang(f->a, false);
	emit_many(f->logger, 10);
	capture_wait_hanging(f->a);
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, shut_down_in_3_s, f->provider), 0);
	while (emit_text(f->logger, "until it is sealed") != OTLOG_EMIT_AFTER_SHUTDOWN)
		sched_yield();
	capture_release(f->a);
	pthread_join(thread, NULL);
	otlog_statistics_snapshot books;
	otlog_provider_statistics(f->provider, &books);
	assert_int_equal(books.pipelines[0].dropped[OTLOG_DROP_AFTER_SHUTDOWN],
	                 books.refused[OTLOG_DROP_AFTER_SHUTDOWN]);
	assert_int_equal(books.pipelines[0].delivered, books.accepted);
}

static void
emitters_that_wait_for_room_do_not_hurry_a_back_off(void **state)
{
	fixture *f = *state;
	start(f, 1, (otlog_options){ .queue_full = OTLOG_QUEUE_FULL_BLOCK, .queue_block_timeout_ms = 5 },
	      (otlog_pipeline_options){ .retry_initial_ms = 3600000, .retry_cap_ms = 3600000 });
	capture_answer(f->a, UINT32_MAX, OTLOG_VERDICT_RETRY, 0, 0);
	unsigned refused = 0;
	while (refused < 50)
		refused += emit_text(f->logger, "some text of a record") == OTLOG_EMIT_QUEUE_FULL;
	assert_int_equal(capture_attempts(f->a), 1);
}

static void
no_provider_gives_a_logger_that_does_nothing(void **state)
{
	(void)state;
	otlog_logger *logger = otlog_provider_get_logger(NULL, &(otlog_logger_options){ .name = "none" });
	assert_int_equal(emit_text(logger, "nowhere"), OTLOG_EMIT_DISABLED);
	assert_int_equal(otlog_provider_flush(NULL, 1), OTLOG_DELIVERED);
	assert_int_equal(otlog_provider_shutdown(NULL, 1), OTLOG_DELIVERED);
	otlog_provider_destroy(NULL);
}

static void
a_disabled_sdk_takes_nothing(void **state)
{
	(void)state;
	capture *c = capture_create("off");
	otlog_pipeline_options pipeline = { .exporter = capture_exporter(c) };
	setenv("OTEL_SDK_DISABLED", "TRUE", 1);
	assert_false(
	    otlog_start(&(otlog_options){ .pipelines = &pipeline, .pipeline_count = 1, .diagnostic = silence }));
	unsetenv("OTEL_SDK_DISABLED");
	assert_true(capture_destroyed(c));
	capture_free(c);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(records_arrive_in_order_under_their_resource_and_scope),
		TEST(a_full_batch_goes_out_before_the_schedule),
		TEST(a_batch_is_bounded_by_bytes_too),
		TEST(the_same_bytes_are_sent_again_until_they_are_taken),
		TEST(batches_in_flight_finish_in_the_order_of_reading),
		TEST(what_was_delivered_beside_a_hanging_batch_is_not_counted_as_lost),
		TEST(what_the_destination_rejects_is_counted_and_never_sent_again),
		TEST(an_exporter_that_rejects_more_than_there_was_cannot_unbalance_the_books),
		TEST(a_pipeline_that_is_away_harms_no_other),
		TEST(a_pipeline_that_hangs_in_a_request_harms_no_other),
		TEST(pipelines_take_what_their_severity_says),
		TEST(flush_tells_that_the_time_is_up_and_keeps_to_it),
		TEST(shutdown_cancels_an_attempt_when_the_time_is_up),
		TEST(shutdown_delivers_counts_late_emits_and_repeats_its_answer),
		TEST(a_full_queue_drops_and_counts),
		TEST(policy_block_waits_for_room_and_loses_nothing),
		TEST(policy_block_gives_up_after_its_bound),
		TEST(a_queue_bounded_by_records_is_emptied_before_it_is_full),
		TEST(the_longest_value_of_a_record_that_is_too_large_is_cut),
		TEST(a_record_that_no_cut_makes_small_enough_is_dropped_and_counted),
		TEST(keys_that_grow_when_they_are_made_utf8_still_fit),
		TEST(in_a_file_what_is_not_delivered_is_durable),
		TEST(a_file_that_is_empty_at_the_end_is_removed),
		TEST(the_global_sdk_can_be_started_again_after_shutdown),
		TEST(a_forked_child_touches_nothing_of_its_parents_and_may_start_anew),
		TEST(a_flush_reaches_the_exporter_and_hears_its_answer),
		TEST(a_flush_and_a_second_shutdown_do_not_claim_what_the_first_has_not_done),
		TEST(several_exporters_that_hang_are_cancelled_at_the_same_time),
		TEST(a_sink_may_ask_the_sdk_while_it_starts),
		TEST(a_flush_asked_during_an_attempt_ends_the_back_off_behind_it),
		TEST(emitters_that_wait_for_room_do_not_hurry_a_back_off),
		TEST(no_provider_gives_a_logger_that_does_nothing),
		TEST(a_disabled_sdk_takes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
