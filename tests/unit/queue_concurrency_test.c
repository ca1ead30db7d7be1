/* Everybody at once: each record that emit accepted is finished exactly once by each pipeline that takes it, or counted. */
#include "tests/support/harness/cmocka.h"

#include "sdk/base/clock.h"
#include "sdk/queue/queue.h"
#include "tests/support/queues/queue_crew.h"
#include "tests/support/queues/queue_directory.h"
#include "tests/support/queues/queue_image.h"

#include <stdio.h>
#include <string.h>

static const char *const two_pipelines[] = { "near", "far" };

typedef struct tally {
	uint64_t accepted, refused, from_handlers;
	uint64_t taken[2], finished[2], filtered[2];
} tally;

static tally
count(const crew_ledger *ledger)
{
	tally t = { 0 };
	for (uint32_t source = 0; source < CREW_SOURCES; source++) {
		uint32_t returned = atomic_load(&ledger->returned[source]);
		t.from_handlers += source >= CREW_PRODUCERS ? returned : 0;
		for (uint32_t number = 0; number < CREW_NUMBERS; number++) {
			uint8_t entry = atomic_load_explicit(&ledger->entry[source][number], memory_order_relaxed);
			if (number >= returned || !(entry & CREW_ACCEPTED)) {
				/* What was never accepted has never arrived. */
				assert_int_equal(entry, number < returned ? CREW_REFUSED : 0);
				t.refused += number < returned;
				continue;
			}
			t.accepted++;
			for (uint32_t p = 0; p < 2; p++) {
				bool taken = crew_mask(number) >> p & 1;
				bool finished = entry & (p ? CREW_FINISHED_1 : CREW_FINISHED_0);
				t.taken[p] += taken;
				t.filtered[p] += !taken;
				t.finished[p] += finished;
				assert_true(taken || !finished);
			}
		}
	}
	return t;
}

static void
check_books(otlog__queue *queue, const tally *t)
{
	otlog__pipeline_books near, far;
	otlog__queue_books books;
	otlog__queue_take_books(queue, &books);
	otlog__pipeline_take_books(queue, 0, &near);
	otlog__pipeline_take_books(queue, 1, &far);
	assert_int_equal(books.accepted, t->accepted);
	assert_int_equal(near.accepted, t->accepted);
	assert_int_equal(near.delivered, t->finished[0]);
	assert_int_equal(near.filtered, t->filtered[0]);
	assert_int_equal(near.queued, 0);
	/* The pipeline that is never away loses nothing. */
	assert_int_equal(t->finished[0], t->taken[0]);
	/* The other one's losses are the evicted ones, each counted once. */
	assert_int_equal(far.delivered, t->finished[1]);
	assert_int_equal(far.filtered, t->filtered[1]);
	assert_int_equal(far.queued, 0);
	assert_int_equal(far.dropped[OTLOG_DROP_QUEUE_FULL], t->taken[1] - t->finished[1]);
	assert_true(far.dropped[OTLOG_DROP_QUEUE_FULL] > 0);
	assert_true(t->finished[1] > 0);
}

static void
run(const char *directory, uint32_t lanes, uint64_t max_records, bool block, uint32_t numbers)
{
	otlog__queue *queue = otlog__queue_open(&(otlog__queue_options){ .directory = directory,
	                                                                 .bytes = lanes * 65536,
	                                                                 .lanes = lanes,
	                                                                 .max_records = max_records,
	                                                                 .pipelines = two_pipelines,
	                                                                 .pipeline_count = 2 });
	assert_non_null(queue);
	crew_ledger *ledger = crew_ledger_make();
	crew crew = { .queue = queue, .ledger = ledger, .numbers = numbers, .block = block };
	otlog__queue_mark mark;
	crew_start(&crew);
	crew_join_producers(&crew);
	otlog__queue_take_mark(queue, &mark);
	crew_join_rest(&crew);
	assert_true(otlog__queue_passed(queue, 0, &mark));
	assert_true(otlog__queue_passed(queue, 1, &mark));

	tally t = count(ledger);
	assert_int_equal(atomic_load(&ledger->faults), 0);
	print_message("accepted %lu, from handlers %lu, refused %lu, finished by the far pipeline %lu of %lu\n",
	              (unsigned long)t.accepted, (unsigned long)t.from_handlers, (unsigned long)t.refused,
	              (unsigned long)t.finished[1], (unsigned long)t.taken[1]);
	check_books(queue, &t);
	assert_true(t.from_handlers > 0);
	for (uint32_t lane = 0; lane < lanes; lane++) {
		queue_image image;
		assert_true(queue_image_of(&image, queue));
		assert_true(atomic_load(&queue_image_lane(&image, lane)->producer.tail) > 2 * 65536);
	}
	otlog__queue_close(queue);
	otlog__queue_free(queue);
	crew_ledger_free(ledger);
}

static void
in_memory_no_record_is_lost_or_counted_twice(void **state)
{
	(void)state;
	run(NULL, 4, 0, false, 20000);
}

static void
with_one_lane_for_all(void **state)
{
	(void)state;
	run(NULL, 1, 0, false, 20000);
}

static void
with_emitters_that_wait_for_room(void **state)
{
	(void)state;
	run(NULL, 2, 0, true, 8000);
}

static void
bounded_by_records(void **state)
{
	(void)state;
	run(NULL, 4, 400, true, 8000);
}

static void
in_a_file(void **state)
{
	char directory[64];
	(void)state;
	queue_directory_make(directory);
	run(directory, 8, 0, false, 20000);
	char found[512];
	assert_int_equal(queue_directory_find(directory, "", found), 2); /* "." and ".." */
	queue_directory_remove(directory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_memory_no_record_is_lost_or_counted_twice),
		cmocka_unit_test(with_one_lane_for_all),
		cmocka_unit_test(with_emitters_that_wait_for_room),
		cmocka_unit_test(bounded_by_records),
		cmocka_unit_test(in_a_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
