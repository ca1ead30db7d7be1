/* Threads that emit, take loggers, flush and read the books while the SDK starts and stops under them. */
#include "tests/support/sdk/capture.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/sdk/sdk_books.h"

#include <otlog/otlog.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#define EMITTERS 6
#define ROUNDS 20

static _Atomic bool stop;
static _Atomic uint64_t accepted, late;

static void *
emit_until_stopped(void *self)
{
	char name[16];
	snprintf(name, sizeof name, "lib%d", (int)(intptr_t)self);
	while (!atomic_load(&stop)) {
		otlog_logger *logger = otlog_get_logger(name, "1"); /* contends for the registry too */
		for (int i = 0; i < 50; i++) {
			otlog_emit_result result =
			    otlog_log(logger, OTLOG_SEVERITY_INFO, NULL, "x", OTLOG_ATTRS(OTLOG_KV("i", i)));
			if (result == OTLOG_EMIT_ACCEPTED)
				atomic_fetch_add(&accepted, 1);
			else if (result == OTLOG_EMIT_AFTER_SHUTDOWN)
				atomic_fetch_add(&late, 1);
		}
	}
	return NULL;
}

static void *
look_until_stopped(void *self)
{
	(void)self;
	while (!atomic_load(&stop)) {
		sdk_books books;
		sdk_take_global_books(&books);
		for (size_t i = 0; i < books.pipeline_count; i++) {
			const otlog_pipeline_statistics *p = &books.pipelines[i];
			uint64_t dropped = 0;
			for (int reason = 0; reason < OTLOG_DROP_REASON_COUNT; reason++)
				dropped += p->dropped[reason];
			if (p->emitted != p->delivered + p->queued + p->filtered + dropped)
				fail_msg("the books do not balance");
		}
		otlog_flush(1);
	}
	return NULL;
}

static void
what_was_accepted_before_shutdown_is_delivered(void **state)
{
	(void)state;
	pthread_t emitters[EMITTERS], looker;
	capture *captures[ROUNDS];
	uint64_t delivered = 0;
	for (intptr_t i = 0; i < EMITTERS; i++)
		assert_int_equal(pthread_create(&emitters[i], NULL, emit_until_stopped, (void *)i), 0);
	assert_int_equal(pthread_create(&looker, NULL, look_until_stopped, NULL), 0);

	for (int round = 0; round < ROUNDS; round++) {
		captures[round] = capture_create("round");
		otlog_pipeline_options pipeline = { .exporter = capture_exporter(captures[round]),
			                            .schedule_delay_ms = 5 };
		assert_true(otlog_start(&(otlog_options){ .pipelines = &pipeline,
		                                          .pipeline_count = 1,
		                                          .queue_bytes = 1 << 20,
		                                          .diagnostic_level = OTLOG_DIAGNOSTIC_ERROR }));
		capture_wait_records(captures[round], 20000);
		assert_int_not_equal(otlog_shutdown(20000), OTLOG_TIMEOUT);
		delivered += capture_records(captures[round]);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < EMITTERS; i++)
		pthread_join(emitters[i], NULL);
	pthread_join(looker, NULL);
	assert_int_equal(delivered, atomic_load(&accepted));
	for (int round = 0; round < ROUNDS; round++)
		capture_free(captures[round]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_was_accepted_before_shutdown_is_delivered) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
