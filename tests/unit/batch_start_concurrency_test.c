/* Workers that find work while others are still being started: what lay in the queue before there was a processor. */
#include "tests/support/harness/cmocka.h"

#include "sdk/base/clock.h"
#include "sdk/processor/batch_processor.h"

#include <sched.h>
#include <string.h>

#define WORKERS 16
#define RECORDS 2000u
#define STOP_MS 20000

/* Every batch is one record, so that many workers finish many batches while the last ones are started. */
static const otlog__batch_options one_by_one = {
	.max_batch_records = 1,
	.max_batch_bytes = 1 << 16,
	.schedule_delay_ms = 1,
	.retry_initial_ms = 1,
	.retry_cap_ms = 1,
};

static void
take_batch(void *self, const otlog_batch *batch, uint64_t timeout_ms, otlog_export_result *result)
{
	_Atomic uint64_t *taken = self;
	(void)timeout_ms, (void)result;
	*taken += batch->records;
}

static const otlog_exporter_functions functions = { .size = sizeof functions, .export_batch = take_batch };

static void
fill(otlog__queue *queue)
{
	for (uint32_t i = 0; i < RECORDS; i++) {
		otlog__slot slot;
		assert_int_equal(otlog__queue_begin(queue, 16, &slot), OTLOG_EMIT_ACCEPTED);
		memset(slot.bytes, 0, 16);
		otlog__queue_commit(queue, &slot, 16, 0, 1);
	}
}

static void
every_batch_is_finished_though_workers_are_still_started(void **state)
{
	static const char *const names[] = { "all" };
	_Atomic uint64_t taken = 0;
	(void)state;
	otlog__queue *queue = otlog__queue_open(
	    &(otlog__queue_options){ .bytes = 1 << 20, .lanes = 1, .pipelines = names, .pipeline_count = 1 });
	assert_non_null(queue);
	fill(queue);
	otlog__batch_processor *processor = otlog__batch_create(
	    queue, 0,
	    (otlog_exporter){ .functions = &functions, .self = &taken, .name = "all", .concurrency = WORKERS },
	    &one_by_one);
	assert_non_null(processor);
	uint64_t deadline = otlog__deadline_nano(otlog__monotonic_nano(), STOP_MS);
	otlog__pipeline_books books;
	otlog__pipeline_take_books(queue, 0, &books);
	while (books.delivered < RECORDS && otlog__monotonic_nano() < deadline) {
		sched_yield();
		otlog__pipeline_take_books(queue, 0, &books);
	}
	assert_int_equal(books.delivered, RECORDS);
	assert_int_equal(taken, RECORDS);
	otlog__batch_begin_stop(processor);
	assert_true(otlog__batch_await_stop(processor, deadline));
	otlog__batch_end_stop(processor);
	otlog__batch_destroy(processor);
	assert_true(otlog__queue_close(queue));
	otlog__queue_free(queue);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_batch_is_finished_though_workers_are_still_started),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
