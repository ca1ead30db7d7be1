#include "tests/support/harness/check.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/records/otlp_request.h"

#include <otlog/otlog.h>

#include <pthread.h>
#include <string.h>

static otlog_verdict
give(const otlog_exporter *e, const otlog_batch *batch, char message[256])
{
	otlog_export_result result = { 0 };
	e->functions->export_batch(e->self, batch, 0, &result);
	if (message)
		memcpy(message, result.message, sizeof result.message);
	return result.verdict;
}

static void
give_records(const otlog_exporter *e, size_t records)
{
	otlog_batch batch = otlp_request_create(records, 10);
	CHECK(give(e, &batch, NULL) == OTLOG_VERDICT_OK);
	otlp_request_free(&batch);
}

static void
what_came_is_kept_in_its_order(void **state)
{
	(void)state;
	otlog_exporter e;
	otlog_memory *m = otlog_memory_exporter_create(NULL, &e);
	assert_non_null(m);
	assert_string_equal(e.name, "memory");
	assert_int_equal(otlog_memory_count(m), 0);
	otlog_batch batch = otlp_request_create(3, 10);
	assert_int_equal(give(&e, &batch, NULL), OTLOG_VERDICT_OK);
	give_records(&e, 2);
	assert_int_equal(otlog_memory_count(m), 5);

	size_t size;
	const char *request = otlog_memory_request(m, 0, &size);
	assert_int_equal(size, batch.request_size);
	assert_memory_equal(request, batch.request, size);
	assert_non_null(otlog_memory_request(m, 1, &size));
	assert_null(otlog_memory_request(m, 2, &size));
	static const char *const begins[] = { "0 bbb", "1 bbb", "2 bbb", "0 bbb", "1 bbb" };
	for (size_t i = 0; i < 5; i++) {
		const char *record = otlog_memory_record(m, i, &size);
		assert_non_null(record);
		assert_non_null(memmem(record, size, begins[i], 5));
	}
	assert_null(otlog_memory_record(m, 5, &size));
	assert_int_equal(size, 0);
	otlp_request_free(&batch);
	e.functions->destroy(e.self);
	assert_int_equal(otlog_memory_count(m), 5); /* the exporter's end is not the memory's */
	otlog_memory_free(m);
}

static void
a_record_stays_where_it_is_when_others_come(void **state)
{
	(void)state;
	otlog_exporter e;
	otlog_memory *m = otlog_memory_exporter_create(NULL, &e);
	size_t size, size_later;
	give_records(&e, 1);
	const void *first = otlog_memory_record(m, 0, &size);
	for (unsigned i = 0; i < 100; i++)
		give_records(&e, 7);
	assert_ptr_equal(otlog_memory_record(m, 0, &size_later), first);
	assert_int_equal(size, size_later);
	otlog_memory_free(m);
	give_records(&e, 1); /* the caller's end is not the exporter's */
	e.functions->destroy(e.self);
}

static void
what_is_over_the_limit_is_dropped_with_the_remedy(void **state)
{
	(void)state;
	otlog_exporter e;
	char message[256];
	otlog_batch batch = otlp_request_create(4, 100);
	otlog_memory *m =
	    otlog_memory_exporter_create(&(otlog_memory_options){ .max_bytes = batch.request_size * 2 + 1 }, &e);
	assert_int_equal(give(&e, &batch, NULL), OTLOG_VERDICT_OK);
	assert_int_equal(give(&e, &batch, NULL), OTLOG_VERDICT_OK);
	assert_int_equal(give(&e, &batch, message), OTLOG_VERDICT_DROP);
	assert_non_null(strstr(message, "otlog_memory_reset"));
	assert_int_equal(otlog_memory_count(m), 8);
	otlog_memory_reset(m);
	assert_int_equal(otlog_memory_count(m), 0);
	assert_null(otlog_memory_record(m, 0, NULL));
	assert_int_equal(give(&e, &batch, NULL), OTLOG_VERDICT_OK);
	assert_int_equal(otlog_memory_count(m), 4);
	otlp_request_free(&batch);
	otlog_memory_free(m);
	e.functions->destroy(e.self);
}

static void
bytes_that_are_no_request_are_dropped_whole(void **state)
{
	(void)state;
	otlog_exporter e;
	char message[256];
	otlog_memory *m = otlog_memory_exporter_create(NULL, &e);
	otlog_batch batch = otlp_request_create(4, 100);
	batch.request_size--;
	assert_int_equal(give(&e, &batch, message), OTLOG_VERDICT_DROP);
	assert_non_null(strstr(message, "no OTLP logs request"));
	assert_int_equal(otlog_memory_count(m), 0);
	otlp_request_free(&batch);
	otlog_memory_free(m);
	e.functions->destroy(e.self);
}

static void *
give_two(void *exporter)
{
	give_records(exporter, 1);
	give_records(exporter, 1);
	return NULL;
}

static void
waiting_ends_when_the_records_are_there_or_the_time_is_up(void **state)
{
	(void)state;
	otlog_exporter e;
	pthread_t thread;
	otlog_memory *m = otlog_memory_exporter_create(NULL, &e);
	assert_true(otlog_memory_wait(m, 0, 0));
	assert_false(otlog_memory_wait(m, 1, 0));
	assert_false(otlog_memory_wait(m, 1, 20));
	assert_int_equal(pthread_create(&thread, NULL, give_two, &e), 0);
	assert_true(otlog_memory_wait(m, 2, UINT64_MAX));
	assert_true(otlog_memory_wait(m, 1, 0));
	pthread_join(thread, NULL);
	otlog_memory_free(m);
	e.functions->destroy(e.self);
}

static void
a_test_reads_its_events_back(void **state)
{
	(void)state;
	otlog_pipeline_options pipeline = { .schedule_delay_ms = 1 };
	otlog_memory *m = otlog_memory_exporter_create(NULL, &pipeline.exporter);
	otlog_provider *provider =
	    otlog_provider_create(&(otlog_options){ .pipelines = &pipeline, .pipeline_count = 1 });
	assert_non_null(provider);
	otlog_logger *log = otlog_provider_get_logger(provider, &(otlog_logger_options){ .name = "test" });
	bonito_entry entry = {
		.org_id = "org-1", .log_type = BONITO_LOG_GATEWAY, .event_type = "request", .message = "hello"
	};
	assert_int_equal(bonito_emit(log, &entry), OTLOG_EMIT_ACCEPTED);
	assert_true(otlog_memory_wait(m, 1, 10000));
	otlog_provider_shutdown(provider, 1000);
	otlog_provider_destroy(provider);

	size_t size;
	const void *record = otlog_memory_record(m, 0, &size);
	bonito_decoded *decoded = bonito_entry_from_record(record, size);
	assert_non_null(decoded);
	assert_string_equal(decoded->entry->org_id, "org-1");
	assert_string_equal(decoded->entry->event_type, "request");
	assert_string_equal(decoded->entry->message, "hello");
	bonito_decoded_free(decoded);
	otlog_memory_free(m);
}

static void
null_is_nothing(void **state)
{
	(void)state;
	size_t size = 7;
	assert_null(otlog_memory_exporter_create(NULL, NULL));
	assert_int_equal(otlog_memory_count(NULL), 0);
	assert_false(otlog_memory_wait(NULL, 0, 0));
	assert_null(otlog_memory_record(NULL, 0, &size));
	assert_int_equal(size, 0);
	assert_null(otlog_memory_request(NULL, 0, NULL));
	otlog_memory_reset(NULL);
	otlog_memory_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_came_is_kept_in_its_order),
		cmocka_unit_test(a_record_stays_where_it_is_when_others_come),
		cmocka_unit_test(what_is_over_the_limit_is_dropped_with_the_remedy),
		cmocka_unit_test(bytes_that_are_no_request_are_dropped_whole),
		cmocka_unit_test(waiting_ends_when_the_records_are_there_or_the_time_is_up),
		cmocka_unit_test(a_test_reads_its_events_back),
		cmocka_unit_test(null_is_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
