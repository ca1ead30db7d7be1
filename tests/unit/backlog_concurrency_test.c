/* Workers of several pipelines deliver while the keeper takes over more and somebody reads the books. */
#include "tests/support/harness/cmocka.h"

#include "sdk/base/clock.h"
#include "tests/support/harness/check.h"
#include "tests/support/queues/dead_queue.h"
#include "tests/support/queues/queue_directory.h"
#include "tests/support/sdk/diagnosed.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

#define PIPELINES 3u
#define QUEUES 24u
#define RECORDS 120u

static const char *const names[PIPELINES] = { "otlp_http", "console", "mito" };

typedef struct crew {
	otlog__backlog *backlog;
	_Atomic uint32_t all_found;
	_Atomic uint32_t next; /* pipelines, handed out to the workers */
	_Atomic uint64_t delivered[PIPELINES];
} crew;

static void *
work(void *argument)
{
	crew *c = argument;
	uint32_t pipeline = atomic_fetch_add(&c->next, 1);
	otlog__backlog_batch batches[2] = { 0 };
	for (;;) {
		bool last = atomic_load(&c->all_found);
		/* Two in flight, finished in the order of taking. */
		uint32_t first = otlog__backlog_take(c->backlog, pipeline, 30, 1 << 20, &batches[0]);
		uint32_t second = otlog__backlog_take(c->backlog, pipeline, 30, 1 << 20, &batches[1]);
		if (first)
			otlog__backlog_finish(c->backlog, pipeline, &batches[0], &(otlog__batch_end){ 0 });
		if (second)
			otlog__backlog_finish(c->backlog, pipeline, &batches[1], &(otlog__batch_end){ 0 });
		atomic_fetch_add(&c->delivered[pipeline], first + second);
		if (first + second == 0 && last)
			break;
		if (first + second == 0)
			sched_yield();
	}
	otlog__backlog_batch_free(&batches[0]);
	otlog__backlog_batch_free(&batches[1]);
	return NULL;
}

static void *
read_books(void *argument)
{
	crew *c = argument;
	while (!atomic_load(&c->all_found))
		for (uint32_t p = 0; p < PIPELINES; p++) {
			otlog__backlog_books books;
			otlog__backlog_take_books(c->backlog, p, &books);
			CHECK(books.adopted == books.delivered + books.queued);
			otlog__backlog_waiting(c->backlog, p);
		}
	return NULL;
}

static void
workers_keeper_and_reader_get_on(void **state)
{
	(void)state;
	char directory[64], found[512];
	pthread_t threads[PIPELINES + 1];
	queue_directory_make(directory);
	diagnosed_begin();
	for (uint32_t source = 0; source < QUEUES; source++)
		dead_queue_make(&(dead_queue){ .directory = directory,
		                               .pipelines = names,
		                               .pipeline_count = PIPELINES,
		                               .source = source,
		                               .records = RECORDS,
		                               .lanes = 2 });
	crew c = { .backlog = otlog__backlog_create(&(otlog__backlog_options){
		       .directory = directory, .pipelines = names, .pipeline_count = PIPELINES }) };
	for (uint32_t i = 0; i < PIPELINES; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work, &c), 0);
	assert_int_equal(pthread_create(&threads[PIPELINES], NULL, read_books, &c), 0);
	uint64_t deadline = otlog__monotonic_nano() + 30 * OTLOG__NANOS_PER_S;
	while (queue_directory_find(directory, ".queue", found) && otlog__monotonic_nano() < deadline) {
		otlog__backlog_look(c.backlog);
		sched_yield();
	}
	atomic_store(&c.all_found, 1);
	for (uint32_t i = 0; i < PIPELINES + 1; i++)
		pthread_join(threads[i], NULL);
	for (uint32_t p = 0; p < PIPELINES; p++) {
		otlog__backlog_books books;
		otlog__backlog_take_books(c.backlog, p, &books);
		assert_int_equal(atomic_load(&c.delivered[p]), QUEUES * RECORDS);
		assert_int_equal(books.delivered, QUEUES * RECORDS);
		assert_int_equal(books.queued, 0);
	}
	otlog__backlog_close(c.backlog);
	otlog__backlog_free(c.backlog);
	queue_directory_remove(directory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(workers_keeper_and_reader_get_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
