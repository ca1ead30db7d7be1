/* An outage that is longer than the queue is large: what the spool takes over, and that it comes back. */
#include "tests/support/harness/cmocka.h"

#include "sdk/base/clock.h"
#include "tests/support/queues/queue_directory.h"
#include "tests/support/sdk/sdk_fixture.h"
#include "tests/support/sdk/sdk_books.h"

#include <otlog/otlog.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 200000u
#define LONG_MS 30000

/* A destination that can go away, and what it has got: records are numbers. */
typedef struct place {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool away;
	unsigned asked; /* attempts */
	unsigned got;
	uint8_t times[MOST];
} place;

static void
take_batch(void *self, const otlog_batch *batch, uint64_t timeout_ms, otlog_export_result *result)
{
	place *p = self;
	otlog_batch_reader reader = otlog_batch_records(batch);
	otlog_record_view record;
	(void)timeout_ms;
	pthread_mutex_lock(&p->lock);
	p->asked++;
	result->verdict = p->away ? OTLOG_VERDICT_RETRY : OTLOG_VERDICT_OK;
	while (!p->away && otlog_batch_next(&reader, &record)) {
		int64_t number = record.body.as.int64;
		if (number >= 0 && number < MOST)
			p->times[number]++;
		p->got++;
	}
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

static const otlog_exporter_functions functions = { .size = sizeof functions, .export_batch = take_batch };

typedef struct fixture {
	char directory[64];
	place places[2];
	otlog_provider *provider;
	otlog_logger *logger;
	unsigned emitted;
} fixture;

static int
set_up(void **state)
{
	fixture *f = calloc(1, sizeof *f);
	for (int i = 0; i < 2; i++) {
		pthread_mutex_init(&f->places[i].lock, NULL);
		pthread_cond_init(&f->places[i].changed, NULL);
	}
	queue_directory_make(f->directory);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	fixture *f = *state;
	otlog_provider_destroy(f->provider);
	queue_directory_remove(f->directory);
	free(f);
	return 0;
}

static void
start(fixture *f, size_t pipelines, uint64_t spool_bytes, otlog_spool_full full)
{
	static const char *const names[] = { "near", "far" };
	otlog_pipeline_options options[2] = { { .exporter = { .functions = NULL } } };
	for (size_t i = 0; i < pipelines; i++)
		options[i] = (otlog_pipeline_options){
			.exporter = { .functions = &functions, .self = &f->places[i], .name = names[i] },
			.schedule_delay_ms = 5,
			.retry_initial_ms = 1,
			.retry_cap_ms = 20,
		};
	f->provider = otlog_provider_create(&(otlog_options){ .pipelines = options,
	                                                      .pipeline_count = pipelines,
	                                                      .queue_bytes = 512 * 1024,
	                                                      .queue_directory = f->directory,
	                                                      .spool_bytes = spool_bytes,
	                                                      .spool_full = full,
	                                                      .queue_full = OTLOG_QUEUE_FULL_BLOCK,
	                                                      .queue_block_timeout_ms = 2000,
	                                                      .diagnostic = sdk_silence });
	assert_non_null(f->provider);
	f->logger = otlog_provider_get_logger(f->provider, &(otlog_logger_options){ .name = "spooling" });
}

/* Emits the next n numbers from one thread, which uses one lane until that is full. Returns how many were accepted. */
static unsigned
emit(fixture *f, unsigned n)
{
	unsigned accepted = 0;
	for (unsigned i = 0; i < n; i++)
		accepted +=
		    otlog_emit(f->logger, &(otlog_record){ .body = otlog_int64(f->emitted++) }) == OTLOG_EMIT_ACCEPTED;
	return accepted;
}

static void
set_away(place *p, bool away)
{
	pthread_mutex_lock(&p->lock);
	p->away = away;
	pthread_mutex_unlock(&p->lock);
}

static otlog_pipeline_statistics
books_of(fixture *f, size_t pipeline)
{
	sdk_books all;
	sdk_take_books(f->provider, &all);
	otlog_pipeline_statistics *p = &all.pipelines[pipeline];
	uint64_t sum = p->delivered + p->queued + p->filtered;
	for (int reason = 0; reason < OTLOG_DROP_REASON_COUNT; reason++)
		sum += p->dropped[reason];
	assert_int_equal(p->emitted + p->adopted, sum);
	return *p;
}

static void
assert_each_once(const place *p, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(p->times[i], 1);
	assert_int_equal(p->got, n);
}

static void
an_outage_of_many_queues_loses_nothing(void **state)
{
	fixture *f = *state;
	start(f, 1, 64 << 20, OTLOG_SPOOL_FULL_DROP_OLDEST);
	assert_int_equal(emit(f, 1000), 1000);
	assert_int_equal(otlog_provider_flush(f->provider, LONG_MS), OTLOG_DELIVERED);
	set_away(&f->places[0], true);
	assert_int_equal(emit(f, 100000), 100000);
	assert_true(books_of(f, 0).spooled > 50000);
	assert_true(books_of(f, 0).spool_bytes > 1 << 20);
	assert_int_equal(otlog_provider_flush(f->provider, 50), OTLOG_DURABLE);
	set_away(&f->places[0], false);
	assert_int_equal(emit(f, 1000), 1000);
	assert_int_equal(otlog_provider_flush(f->provider, LONG_MS), OTLOG_DELIVERED);
	assert_each_once(&f->places[0], 102000);
	assert_int_equal(books_of(f, 0).delivered, 102000);
	assert_int_equal(books_of(f, 0).spooled, 0);
	assert_int_equal(otlog_provider_shutdown(f->provider, LONG_MS), OTLOG_DELIVERED);
}

static void
only_the_pipeline_that_is_away_spools(void **state)
{
	fixture *f = *state;
	start(f, 2, 64 << 20, OTLOG_SPOOL_FULL_DROP_OLDEST);
	set_away(&f->places[1], true);
	for (int i = 0; i < 50; i++) {
		assert_int_equal(emit(f, 1000), 1000);
		pthread_mutex_lock(&f->places[0].lock); /* not more at once than what the near one takes */
		while (f->places[0].got < f->emitted)
			pthread_cond_wait(&f->places[0].changed, &f->places[0].lock);
		pthread_mutex_unlock(&f->places[0].lock);
		assert_int_equal(books_of(f, 0).spooled, 0);
	}
	assert_true(books_of(f, 1).spooled > 10000);
	set_away(&f->places[1], false);
	assert_int_equal(otlog_provider_flush(f->provider, LONG_MS), OTLOG_DELIVERED);
	assert_each_once(&f->places[0], 50000);
	assert_each_once(&f->places[1], 50000);
}

/* Emits MOST records while the place is away, which then gets what its spool has kept. */
static void
overfill_a_spool(fixture *f, otlog_spool_full full)
{
	start(f, 1, 2 << 20, full);
	set_away(&f->places[0], true);
	assert_int_equal(emit(f, MOST), MOST);
	set_away(&f->places[0], false);
	assert_int_equal(otlog_provider_flush(f->provider, LONG_MS), OTLOG_DROPPED);
	otlog_pipeline_statistics books = books_of(f, 0);
	assert_true(books.dropped[OTLOG_DROP_SPOOL_FULL] > 0);
	assert_int_equal(books.delivered + books.dropped[OTLOG_DROP_SPOOL_FULL], MOST);
	assert_int_equal(f->places[0].got, books.delivered);
}

static void
drop_oldest_keeps_the_newest(void **state)
{
	fixture *f = *state;
	overfill_a_spool(f, OTLOG_SPOOL_FULL_DROP_OLDEST);
	assert_int_equal(f->places[0].times[MOST - 1], 1);
}

static void
drop_newest_keeps_the_oldest(void **state)
{
	fixture *f = *state;
	overfill_a_spool(f, OTLOG_SPOOL_FULL_DROP_NEWEST);
	for (unsigned i = 0; i < 10000; i++)
		assert_int_equal(f->places[0].times[i], 1);
}

static void *
come_back(void *self)
{
	place *p = self;
	pthread_mutex_lock(&p->lock);
	unsigned asked = p->asked + 20;
	while (p->asked < asked)
		pthread_cond_wait(&p->changed, &p->lock);
	p->away = false;
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static void
block_makes_emits_wait_and_drops_nothing(void **state)
{
	fixture *f = *state;
	pthread_t thread;
	start(f, 1, 2 << 20, OTLOG_SPOOL_FULL_BLOCK);
	set_away(&f->places[0], true);
	assert_int_equal(emit(f, 30000), 30000);
	pthread_create(&thread, NULL, come_back, &f->places[0]);
	assert_int_equal(emit(f, 100000), 100000);
	pthread_join(thread, NULL);
	assert_int_equal(otlog_provider_flush(f->provider, LONG_MS), OTLOG_DELIVERED);
	assert_each_once(&f->places[0], 130000);
}

static void
what_is_spooled_at_the_end_is_durable_and_stays(void **state)
{
	fixture *f = *state;
	char path[512];
	start(f, 1, 64 << 20, OTLOG_SPOOL_FULL_DROP_OLDEST);
	set_away(&f->places[0], true);
	assert_int_equal(emit(f, 50000), 50000);
	assert_int_equal(otlog_provider_shutdown(f->provider, 50), OTLOG_DURABLE);
	assert_int_equal(books_of(f, 0).queued, 50000);
	assert_int_equal(queue_directory_find(f->directory, ".spool", path), 1);
	assert_int_equal(queue_directory_find(f->directory, ".queue", path), 1);
}

/* Waits until the pipeline has nothing left, whoever emitted it. */
static void
wait_until_empty(fixture *f, size_t pipeline)
{
	place *p = &f->places[pipeline];
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += LONG_MS / 1000;
	pthread_mutex_lock(&p->lock);
	while (p->got < f->emitted && pthread_cond_timedwait(&p->changed, &p->lock, &until) == 0) {
	}
	pthread_mutex_unlock(&p->lock);
}

static void
the_next_start_delivers_queue_and_spool(void **state)
{
	fixture *f = *state;
	char path[512];
	start(f, 2, 64 << 20, OTLOG_SPOOL_FULL_DROP_OLDEST);
	set_away(&f->places[1], true);
	assert_int_equal(emit(f, 50000), 50000);
	assert_int_equal(otlog_provider_shutdown(f->provider, LONG_MS / 10), OTLOG_DURABLE);
	assert_each_once(&f->places[0], 50000);
	otlog_provider_destroy(f->provider);

	set_away(&f->places[1], false);
	start(f, 2, 64 << 20, OTLOG_SPOOL_FULL_DROP_OLDEST);
	assert_int_equal(emit(f, 1000), 1000);
	wait_until_empty(f, 1);
	assert_int_equal(otlog_provider_shutdown(f->provider, LONG_MS), OTLOG_DELIVERED);
	assert_int_equal(books_of(f, 0).adopted, 0);
	assert_int_equal(books_of(f, 0).delivered, 1000);
	assert_int_equal(books_of(f, 1).adopted, 50000);
	assert_int_equal(books_of(f, 1).delivered, 51000);
	assert_each_once(&f->places[1], 51000);
	assert_int_equal(queue_directory_find(f->directory, "", path), 2); /* . and .. */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_outage_of_many_queues_loses_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_the_pipeline_that_is_away_spools, set_up, tear_down),
		cmocka_unit_test_setup_teardown(drop_oldest_keeps_the_newest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(drop_newest_keeps_the_oldest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(block_makes_emits_wait_and_drops_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_spooled_at_the_end_is_durable_and_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_next_start_delivers_queue_and_spool, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
