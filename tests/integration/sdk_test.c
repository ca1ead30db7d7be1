/* The SDK from end to end, up to an exporter in this process: what arrives, what the books and verdicts say. */
#include "tests/support/sdk/sdk_fixture.h"
#include "tests/support/sdk/sdk_books.h"

#include <pthread.h>
#include <stdio.h>
#include <stddef.h>
#include <string.h>

static void
records_arrive_in_order_under_their_resource_and_scope(void **state)
{
	sdk_fixture *f = *state;
	sdk_start(f, 1,
	          (otlog_options){ .service_name = "shop",
	                           .resource_attributes = OTLOG_ATTRS(OTLOG_KV("zone", "b")),
	                           .resource_schema_url = "https://example.test/schema" },
	          (otlog_pipeline_options){ 0 });
	otlog_logger *other = otlog_provider_get_logger(f->provider, &(otlog_logger_options){ .name = "other" });
	for (int i = 0; i < 6; i++) {
		char text[16];
		snprintf(text, sizeof text, "%d", i);
		assert_int_equal(sdk_emit_text(i % 2 ? other : f->logger, text), OTLOG_EMIT_ACCEPTED);
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
	sdk_assert_books_balance(f->provider);
}

static void
a_full_batch_goes_out_before_the_schedule(void **state)
{
	sdk_fixture *f = *state;
	sdk_start(f, 1, (otlog_options){ 0 },
	          (otlog_pipeline_options){ .schedule_delay_ms = 3600000, .max_batch_records = 64 });
	assert_int_equal(sdk_emit_many(f->logger, 200), 200);
	capture_wait_records(f->a, 192);
	for (size_t i = 0; i < capture_attempts(f->a); i++)
		assert_true(capture_request_at(f->a, i)->resource_logs[0]->scope_logs[0]->n_log_records <= 64);
}

static void
a_batch_is_bounded_by_bytes_too(void **state)
{
	sdk_fixture *f = *state;
	sdk_start(f, 1, (otlog_options){ 0 }, (otlog_pipeline_options){ .max_batch_bytes = 1000 });
	assert_int_equal(sdk_emit_many(f->logger, 200), 200);
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
	sdk_fixture *f = *state;
	sdk_start(f, 1, (otlog_options){ 0 }, (otlog_pipeline_options){ 0 });
	capture_answer(f->a, 3, OTLOG_VERDICT_RETRY, 0, 0);
	assert_int_equal(sdk_emit_many(f->logger, 10), 10);
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DELIVERED);
	assert_int_equal(capture_records(f->a), 10);
	size_t first_size, size;
	const uint8_t *first = capture_bytes_at(f->a, 0, &first_size);
	for (size_t i = 1; i < 4; i++) {
		const uint8_t *bytes = capture_bytes_at(f->a, i, &size);
		assert_int_equal(size, first_size);
		assert_memory_equal(bytes, first, size);
	}
	sdk_books books;
	sdk_take_books(f->provider, &books);
	assert_int_equal(books.pipelines[0].retries, 3);
	sdk_assert_books_balance(f->provider);
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
start_four_at_gate(sdk_fixture *f, gate *g)
{
	static const otlog_exporter_functions functions = { .size = sizeof functions,
		                                            .export_batch = export_through_gate,
		                                            .cancel = cancel_gate };
	otlog_pipeline_options pipeline = {
		.exporter = { .functions = &functions, .self = g, .name = "gate", .concurrency = 4 },
		.max_batch_records = 1,
		.schedule_delay_ms = 20
	};
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->changed, NULL);
	f->provider = otlog_provider_create(&(otlog_options){
	    .pipelines = &pipeline, .pipeline_count = 1, .queue_bytes = 1 << 20, .diagnostic = sdk_silence });
	assert_non_null(f->provider);
	f->logger = otlog_provider_get_logger(f->provider, &(otlog_logger_options){ .name = "test" });
	assert_int_equal(sdk_emit_text(f->logger, HANGING), OTLOG_EMIT_ACCEPTED);
	assert_int_equal(sdk_emit_many(f->logger, 3), 3);
	pthread_mutex_lock(&g->lock);
	while (g->attempts < 4)
		pthread_cond_wait(&g->changed, &g->lock);
	pthread_mutex_unlock(&g->lock);
}

static void
batches_in_flight_finish_in_the_order_of_reading(void **state)
{
	sdk_fixture *f = *state;
	gate g = { .attempts = 0 };
	start_four_at_gate(f, &g);
	sdk_books books;
	assert_int_equal(otlog_provider_flush(f->provider, 50), OTLOG_TIMEOUT);
	sdk_take_books(f->provider, &books);
	assert_int_equal(books.pipelines[0].delivered, 0); /* nothing leaves the queue before the first has */
	assert_int_equal(books.pipelines[0].queued, 4);
	pthread_mutex_lock(&g.lock);
	g.open = true;
	pthread_cond_broadcast(&g.changed);
	pthread_mutex_unlock(&g.lock);
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DELIVERED);
	sdk_take_books(f->provider, &books);
	assert_int_equal(books.pipelines[0].delivered, 4);
	assert_int_equal(otlog_provider_shutdown(f->provider, 10000), OTLOG_DELIVERED);
}

static void
what_was_delivered_beside_a_hanging_batch_is_not_counted_as_lost(void **state)
{
	sdk_fixture *f = *state;
	gate g = { .attempts = 0 };
	start_four_at_gate(f, &g);
	assert_int_equal(otlog_provider_shutdown(f->provider, 50), OTLOG_TIMEOUT);
	sdk_books books;
	sdk_take_books(f->provider, &books);
	assert_int_equal(books.pipelines[0].delivered, 3);
	assert_int_equal(books.pipelines[0].dropped[OTLOG_DROP_AFTER_SHUTDOWN], 1);
	assert_int_equal(books.pipelines[0].queued, 0);
	sdk_assert_books_balance(f->provider);
}

static void
what_the_destination_rejects_is_counted_and_never_sent_again(void **state)
{
	sdk_fixture *f = *state;
	sdk_start(f, 1, (otlog_options){ 0 }, (otlog_pipeline_options){ 0 });
	capture_answer(f->a, 1, OTLOG_VERDICT_PARTIAL, 3, 0);
	assert_int_equal(sdk_emit_many(f->logger, 10), 10);
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DROPPED);
	capture_answer(f->a, 1, OTLOG_VERDICT_DROP, 0, 0);
	assert_int_equal(sdk_emit_many(f->logger, 5), 5);
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DROPPED);
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DELIVERED);
	assert_int_equal(capture_attempts(f->a), 2);

	sdk_books books;
	sdk_take_books(f->provider, &books);
	assert_int_equal(books.pipelines[0].delivered, 7);
	assert_int_equal(books.pipelines[0].dropped[OTLOG_DROP_REJECTED], 8);
	assert_int_equal(books.pipelines[0].queued, 0);
	sdk_assert_books_balance(f->provider);
}

static void
an_exporter_that_rejects_more_than_there_was_cannot_unbalance_the_books(void **state)
{
	sdk_fixture *f = *state;
	sdk_start(f, 1, (otlog_options){ 0 }, (otlog_pipeline_options){ 0 });
	capture_answer(f->a, 1, OTLOG_VERDICT_PARTIAL, 3000, 0);
	sdk_emit_many(f->logger, 10);
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DROPPED);
	sdk_books books;
	sdk_take_books(f->provider, &books);
	assert_int_equal(books.pipelines[0].dropped[OTLOG_DROP_REJECTED], 10);
	sdk_assert_books_balance(f->provider);
}

static void
a_pipeline_that_is_away_harms_no_other(void **state)
{
	sdk_fixture *f = *state;
	sdk_start(f, 2, (otlog_options){ .queue_full = OTLOG_QUEUE_FULL_BLOCK }, (otlog_pipeline_options){ 0 });
	capture_answer(f->b, UINT32_MAX, OTLOG_VERDICT_RETRY, 0, 0);
	/* Many times what the queue holds. */
	assert_int_equal(sdk_emit_many(f->logger, 100000), 100000);
	capture_wait_records(f->a, 100000);
	sdk_books books;
	sdk_take_books(f->provider, &books);
	assert_int_equal(sdk_dropped_of(&books.pipelines[0]), 0);
	assert_true(books.pipelines[1].dropped[OTLOG_DROP_QUEUE_FULL] > 0);
	assert_int_equal(books.pipelines[1].delivered, 0);
	sdk_assert_books_balance(f->provider);

	/* It comes back, and gets all that is still there. */
	capture_answer(f->b, 0, OTLOG_VERDICT_OK, 0, 0);
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DROPPED);
	sdk_take_books(f->provider, &books);
	assert_int_equal(books.pipelines[1].delivered, capture_records(f->b));
	assert_int_equal(books.pipelines[1].delivered + sdk_dropped_of(&books.pipelines[1]), 100000);
}

static void
a_pipeline_that_hangs_in_a_request_harms_no_other(void **state)
{
	sdk_fixture *f = *state;
	sdk_start(f, 2, (otlog_options){ .queue_full = OTLOG_QUEUE_FULL_BLOCK }, (otlog_pipeline_options){ 0 });
	capture_hang(f->b, false);
	assert_int_equal(sdk_emit_many(f->logger, 60000), 60000);
	capture_wait_records(f->a, 60000);
	sdk_assert_books_balance(f->provider);
}

static void
pipelines_take_what_their_severity_says(void **state)
{
	sdk_fixture *f = *state;
	sdk_start(f, 1, (otlog_options){ .minimum_severity = OTLOG_SEVERITY_INFO },
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
	sdk_assert_books_balance(f->provider);
}

static void
a_full_queue_drops_and_counts(void **state)
{
	sdk_fixture *f = *state;
	sdk_start(f, 1, (otlog_options){ 0 }, (otlog_pipeline_options){ 0 });
	capture_hang(f->a, false);
	uint64_t accepted = sdk_emit_many(f->logger, 100000);
	assert_true(accepted > 1000 && accepted < 100000);
	sdk_books books;
	sdk_take_books(f->provider, &books);
	assert_int_equal(books.totals.accepted, accepted);
	assert_int_equal(books.totals.refused[OTLOG_DROP_QUEUE_FULL] + books.totals.refused[OTLOG_DROP_BUSY],
	                 100000 - accepted);
	capture_release(f->a);
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DROPPED);
	assert_int_equal(capture_records(f->a), accepted);
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DELIVERED);
	sdk_assert_books_balance(f->provider);
}

static void
policy_block_waits_for_room_and_loses_nothing(void **state)
{
	sdk_fixture *f = *state;
	sdk_start(f, 1, (otlog_options){ .queue_full = OTLOG_QUEUE_FULL_BLOCK }, (otlog_pipeline_options){ 0 });
	assert_int_equal(sdk_emit_many(f->logger, 200000), 200000);
	assert_int_equal(otlog_provider_shutdown(f->provider, 10000), OTLOG_DELIVERED);
	assert_int_equal(capture_records(f->a), 200000);
}

static void
policy_block_gives_up_after_its_bound(void **state)
{
	sdk_fixture *f = *state;
	sdk_start(f, 1, (otlog_options){ .queue_full = OTLOG_QUEUE_FULL_BLOCK, .queue_block_timeout_ms = 50 },
	          (otlog_pipeline_options){ 0 });
	capture_hang(f->a, false);
	otlog_emit_result result;
	unsigned n = 0;
	while ((result = sdk_emit_text(f->logger, "some text of a record")) == OTLOG_EMIT_ACCEPTED && n < 1000000)
		n++;
	assert_int_equal(result, OTLOG_EMIT_QUEUE_FULL);
	sdk_assert_books_balance(f->provider);
}

static void
a_queue_bounded_by_records_is_emptied_before_it_is_full(void **state)
{
	sdk_fixture *f = *state;
	sdk_start(f, 1, (otlog_options){ .max_queue_records = 64, .queue_full = OTLOG_QUEUE_FULL_BLOCK },
	          (otlog_pipeline_options){ .schedule_delay_ms = 3600000 });
	assert_int_equal(sdk_emit_many(f->logger, 5000), 5000);
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DELIVERED);
	assert_int_equal(capture_records(f->a), 5000);
}

static void
the_longest_value_of_a_record_that_is_too_large_is_cut(void **state)
{
	sdk_fixture *f = *state;
	sdk_start(f, 1, (otlog_options){ .queue_bytes = 16 << 20 }, (otlog_pipeline_options){ 0 });
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
	sdk_books books;
	sdk_take_books(f->provider, &books);
	assert_int_equal(books.totals.truncated, 1);
	free(text);
}

static void
a_record_that_no_cut_makes_small_enough_is_dropped_and_counted(void **state)
{
	sdk_fixture *f = *state;
	sdk_start(f, 1, (otlog_options){ .queue_bytes = 512 << 10 }, (otlog_pipeline_options){ 0 });
	size_t count = 100000; /* many short items: there is no long value to cut */
	otlog_value *items = calloc(count, sizeof *items);
	assert_non_null(items);
	for (size_t i = 0; i < count; i++)
		items[i] = otlog_int64(INT64_MIN);
	assert_int_equal(otlog_emit(f->logger, &(otlog_record){ .body = otlog_array(items, count) }),
	                 OTLOG_EMIT_TOO_LARGE);
	assert_int_equal(otlog_emit(f->logger, NULL), OTLOG_EMIT_INVALID);
	sdk_books books;
	sdk_take_books(f->provider, &books);
	assert_int_equal(books.totals.refused[OTLOG_DROP_TOO_LARGE], 1);
	assert_int_equal(books.totals.refused[OTLOG_DROP_INVALID], 1);
	sdk_assert_books_balance(f->provider);
	free(items);
}

static void
keys_that_grow_when_they_are_made_utf8_still_fit(void **state)
{
	sdk_fixture *f = *state;
	sdk_start(f, 1, (otlog_options){ 0 }, (otlog_pipeline_options){ 0 });
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

static void
statistics_of_a_pipeline_are_asked_for_by_its_number(void **state)
{
	sdk_fixture *f = *state;
	otlog_pipeline_statistics p, zero = { .name = NULL };
	sdk_start(f, 2, (otlog_options){ 0 }, (otlog_pipeline_options){ 0 });
	assert_int_equal(sdk_emit_many(f->logger, 3), 3);
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DELIVERED);
	for (size_t i = 0; i < 2; i++) {
		assert_true(otlog_provider_statistics_pipeline(f->provider, i, &p));
		assert_int_equal(p.delivered, 3);
		assert_true(otlog_provider_statistics_pipeline(f->provider, i, NULL));
	}
	memset(&zero, 0, sizeof zero);
	assert_false(otlog_provider_statistics_pipeline(f->provider, 2, &p));
	assert_memory_equal(&p, &zero, sizeof p);
	assert_false(otlog_provider_statistics_pipeline(f->provider, SIZE_MAX, NULL));
	assert_false(otlog_provider_statistics_pipeline(NULL, 0, &p));
	assert_false(otlog_statistics_pipeline(0, &p)); /* the global SDK does not run */

	/* An older program's struct is not written beyond. */
	memset(&p, 'x', sizeof p);
	assert_true(
	    otlog_provider_statistics_pipeline_sized(f->provider, 1, &p, offsetof(otlog_pipeline_statistics, adopted)));
	assert_int_equal(p.emitted, 3);
	assert_int_equal(p.adopted, UINT64_C(0x7878787878787878));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sdk_setup, sdk_teardown)
	const struct CMUnitTest tests[] = {
		TEST(statistics_of_a_pipeline_are_asked_for_by_its_number),
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
		TEST(a_full_queue_drops_and_counts),
		TEST(policy_block_waits_for_room_and_loses_nothing),
		TEST(policy_block_gives_up_after_its_bound),
		TEST(a_queue_bounded_by_records_is_emptied_before_it_is_full),
		TEST(the_longest_value_of_a_record_that_is_too_large_is_cut),
		TEST(a_record_that_no_cut_makes_small_enough_is_dropped_and_counted),
		TEST(keys_that_grow_when_they_are_made_utf8_still_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
