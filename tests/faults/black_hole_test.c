/*
 * A destination that takes connections and never answers: flush and shutdown over HTTP keep to their time, whatever it is,
 * twenty of them at once, and nothing is said to be delivered.
 */
#include "tests/support/harness/check.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/harness/files.h"
#include "tests/support/sdk/sdk_fixture.h"
#include "tests/support/sdk/sdk_books.h"
#include "tests/support/servers/raw_server.h"

#include <otlog/exporters.h>

#include <pthread.h>
#include <string.h>
#include <time.h>

#define CALLERS 20
#define STEP_MS 100 /* the first has no time at all, the last nearly two seconds */
#define NOISE_S 2.0
#define RECORDS 25

typedef struct caller {
	pthread_t thread;
	raw_server *hole;
	unsigned number;
	char directory[64]; /* "": in memory */
	uint64_t timeout_ms;
	/* What came of it. */
	double took_s, shutdown_took_s;
	otlog_flush_result flushed, shut_down;
	sdk_books books;
} caller;

static void
a_moment(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

/* Every other caller flushes first, and half of either keep their queue in a file. */
static bool
flushes(const caller *c)
{
	return c->number % 2 == 1;
}

static bool
in_file(const caller *c)
{
	return c->number % 4 >= 2;
}

static void *
run(void *self)
{
	caller *c = self;
	otlog_pipeline_options pipeline = { .schedule_delay_ms = 5, .retry_initial_ms = 10 };
	CHECK(otlog_otlp_http_exporter_create(&(otlog_otlp_options){ .endpoint = raw_server_url(c->hole) },
	                                      &pipeline.exporter));
	otlog_provider *provider =
	    otlog_provider_create(&(otlog_options){ .pipelines = &pipeline,
	                                            .pipeline_count = 1,
	                                            .queue_bytes = 1 << 20,
	                                            .queue_directory = in_file(c) ? c->directory : "",
	                                            .diagnostic = sdk_silence });
	CHECK(provider);
	otlog_logger *logger = otlog_provider_get_logger(provider, &(otlog_logger_options){ .name = "hole" });
	CHECK(sdk_emit_many(logger, RECORDS) == RECORDS);
	do { /* some call while the attempt hangs, some before it */
		sdk_take_books(provider, &c->books);
		a_moment();
	} while (c->number % 3 && c->books.pipelines[0].in_flight == 0);
	double before = sdk_seconds_now();
	if (flushes(c)) {
		c->flushed = otlog_provider_flush(provider, c->timeout_ms);
		c->took_s = sdk_seconds_now() - before;
		before = sdk_seconds_now();
		c->shut_down = otlog_provider_shutdown(provider, 0);
		c->shutdown_took_s = sdk_seconds_now() - before;
	} else {
		c->shut_down = otlog_provider_shutdown(provider, c->timeout_ms);
		c->took_s = sdk_seconds_now() - before;
	}
	sdk_take_books(provider, &c->books);
	otlog_provider_destroy(provider);
	return NULL;
}

static void
assert_told_the_truth(const caller *c)
{
	const otlog_pipeline_statistics *p = &c->books.pipelines[0];
	const otlog_flush_result expected = in_file(c) ? OTLOG_DURABLE : OTLOG_TIMEOUT;
	double timeout_s = (double)c->timeout_ms / 1000;
	if (c->took_s < timeout_s - 0.001 || c->took_s > timeout_s + NOISE_S || c->shutdown_took_s > NOISE_S)
		fail_msg("caller %u: %.3f s for %.3f s, and %.3f s for none", c->number, c->took_s, timeout_s,
		         c->shutdown_took_s);
	assert_int_equal(c->shut_down, expected);
	if (flushes(c))
		assert_int_equal(c->flushed, expected);
	assert_int_equal(p->emitted, RECORDS);
	assert_int_equal(p->delivered, 0);
	assert_int_equal(p->batches, 0);
	assert_int_equal(p->in_flight, 0);
	assert_int_equal(p->queued, in_file(c) ? RECORDS : 0);
	assert_int_equal(p->dropped[OTLOG_DROP_AFTER_SHUTDOWN], in_file(c) ? 0 : RECORDS);
}

static void
flush_and_shutdown_are_back_in_time(void **state)
{
	(void)state;
	raw_server *hole = raw_server_start(&(raw_play){ .read = RAW_READ_NOTHING, .end = RAW_END_HOLD }, 1);
	static caller callers[CALLERS];
	for (unsigned i = 0; i < CALLERS; i++) {
		callers[i] = (caller){ .hole = hole, .number = i, .timeout_ms = i * STEP_MS };
		strcpy(callers[i].directory, "/tmp/otlog-hole-test-XXXXXX");
		assert_non_null(mkdtemp(callers[i].directory)); /* one each: nobody adopts what another has left */
		assert_int_equal(pthread_create(&callers[i].thread, NULL, run, &callers[i]), 0);
	}
	for (unsigned i = 0; i < CALLERS; i++)
		pthread_join(callers[i].thread, NULL);
	for (unsigned i = 0; i < CALLERS; i++)
		file_remove_all(callers[i].directory);
	raw_server_stop(hole);
	for (unsigned i = 0; i < CALLERS; i++)
		assert_told_the_truth(&callers[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flush_and_shutdown_are_back_in_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
