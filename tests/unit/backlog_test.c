/* Taking over what dead processes have left, and delivering it record by record. */
#include "tests/support/harness/cmocka.h"
#include "tests/support/harness/process.h"

#include "tests/support/harness/check.h"
#include "tests/support/queues/backlog_fixture.h"
#include "tests/support/queues/dead_image.h"
#include "tests/support/queues/dead_queue.h"
#include "tests/support/queues/queue_directory.h"
#include "tests/support/sdk/diagnosed.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void
every_record_of_a_dead_process_is_delivered_once(void **state)
{
	(void)state;
	dead_queue queue = backlog_queue(7, 300);
	dead_queue_make(&queue);
	assert_int_equal(backlog_files(".queue"), 1);

	otlog__backlog *backlog = backlog_open(1);
	dead_tally *tally = dead_tally_make(7);
	assert_int_equal(otlog__backlog_waiting(backlog, 0), 0);
	assert_true(otlog__backlog_look(backlog));
	assert_int_equal(otlog__backlog_waiting(backlog, 0), 300);
	backlog_assert_books(backlog, 0, 0, 300, 0);
	assert_int_equal(dead_drain(backlog, 0, UINT32_MAX, tally), 300);
	assert_int_equal(dead_tally_once(tally, 0, 300), 300);
	assert_int_equal(tally->strange, 0);
	assert_true(tally->in_order);
	backlog_assert_books(backlog, 0, 300, 0, 0);
	assert_int_equal(backlog_files(".queue") + backlog_files(".meta"), 0);
	assert_false(otlog__backlog_look(backlog));
	backlog_end(backlog);
	free(tally);
}

static uint16_t
first_second_or_both(uint32_t number)
{
	return (uint16_t)(number % 3 + 1);
}

static void
each_pipeline_gets_its_own_and_what_it_had_not(void **state)
{
	(void)state;
	dead_queue queue = backlog_queue(1, 900);
	queue.pipeline_count = 2;
	queue.lanes = 4;
	queue.mask = first_second_or_both;
	queue.delivered = 128;
	dead_queue_make(&queue);

	otlog__backlog *backlog = backlog_open(2);
	dead_tally *tallies[2] = { dead_tally_make(1), dead_tally_make(1) };
	assert_true(otlog__backlog_look(backlog));
	assert_int_equal(dead_drain(backlog, 0, UINT32_MAX, tallies[0]), 600 - 128);
	assert_int_equal(backlog_files(".queue"), 1); /* the other one is not done */
	assert_int_equal(dead_drain(backlog, 1, UINT32_MAX, tallies[1]), 600);
	assert_int_equal(backlog_files(".queue") + backlog_files(".meta"), 0);
	for (uint32_t number = 0; number < 900; number++)
		for (uint32_t p = 0; p < 2; p++)
			assert_true(tallies[p]->seen[number] <= (first_second_or_both(number) >> p & 1u));
	assert_int_equal(tallies[0]->strange + tallies[1]->strange, 0);
	backlog_assert_books(backlog, 0, 600 - 128, 0, 0);
	backlog_assert_books(backlog, 1, 600, 0, 0);
	backlog_end(backlog);
	free(tallies[0]);
	free(tallies[1]);
}

/* Delivers two batches, takes a third and dies. */
static int
deliver_some_and_die(void *unused)
{
	(void)unused;
	otlog__backlog_batch batch = { 0 };
	otlog__backlog *backlog = backlog_open(1);
	if (!otlog__backlog_look(backlog) || dead_drain(backlog, 0, 2, NULL) != 100)
		return 1;
	return otlog__backlog_take(backlog, 0, 50, 1 << 20, &batch) == 50 ? 0 : 2;
}

static void
an_adopter_that_dies_leaves_the_rest_to_the_next(void **state)
{
	(void)state;
	dead_queue queue = backlog_queue(5, 260);
	dead_queue_make(&queue);
	assert_int_equal(process_run(deliver_some_and_die, NULL), 0);

	otlog__backlog *backlog = backlog_open(1);
	dead_tally *tally = dead_tally_make(5);
	assert_true(otlog__backlog_look(backlog));
	assert_int_equal(dead_drain(backlog, 0, UINT32_MAX, tally), 160);
	assert_int_equal(dead_tally_once(tally, 100, 260), 160);
	assert_int_equal(backlog_files(".queue") + backlog_files(".meta"), 0);
	backlog_end(backlog);
	free(tally);
}

static void
what_is_not_done_at_the_close_waits_for_the_next(void **state)
{
	(void)state;
	otlog__backlog_batch batch = { 0 };
	dead_queue queue = backlog_queue(5, 260);
	dead_queue_make(&queue);
	otlog__backlog *first = backlog_open(1);
	dead_tally *tally = dead_tally_make(5);
	assert_true(otlog__backlog_look(first));
	assert_int_equal(dead_drain(first, 0, 2, tally), 100);
	assert_int_equal(otlog__backlog_take(first, 0, 10, 1 << 20, &batch), 10);
	otlog__backlog_close(first);
	otlog__backlog_finish(first, 0, &batch, &(otlog__batch_end){ 0 }); /* too late, and does no harm */
	backlog_assert_books(first, 0, 100, 160, 0);
	assert_int_equal(otlog__backlog_take(first, 0, 10, 1 << 20, &batch), 0);

	otlog__backlog *second = backlog_open(1);
	assert_true(otlog__backlog_look(second));
	assert_int_equal(dead_drain(second, 0, UINT32_MAX, tally), 160);
	assert_int_equal(dead_tally_once(tally, 0, 260), 260);
	backlog_end(second);
	otlog__backlog_free(first);
	otlog__backlog_batch_free(&batch);
	free(tally);
}

static void
what_the_destination_refuses_is_dropped_and_counted(void **state)
{
	(void)state;
	otlog__backlog_batch batch = { 0 };
	otlog__batch_end end = { 0 };
	otlog__backlog_books books;
	dead_queue queue = backlog_queue(5, 20);
	dead_queue_make(&queue);
	otlog__backlog *backlog = backlog_open(1);
	assert_true(otlog__backlog_look(backlog));
	assert_int_equal(otlog__backlog_take(backlog, 0, 20, 1 << 20, &batch), 20);
	end.dropped[OTLOG_DROP_REJECTED] = 3;
	otlog__backlog_finish(backlog, 0, &batch, &end);
	otlog__backlog_take_books(backlog, 0, &books);
	assert_int_equal(books.adopted, 20);
	assert_int_equal(books.delivered, 17);
	assert_int_equal(books.dropped[OTLOG_DROP_REJECTED], 3);
	backlog_end(backlog);
	otlog__backlog_batch_free(&batch);
}

static void
batches_hold_as_much_as_was_asked_for_and_at_least_one(void **state)
{
	(void)state;
	otlog__backlog_batch batch = { 0 };
	uint32_t total = 0;
	dead_queue queue = backlog_queue(5, 100);
	dead_queue_make(&queue);
	otlog__backlog *backlog = backlog_open(1);
	assert_true(otlog__backlog_look(backlog));
	assert_int_equal(otlog__backlog_take(backlog, 0, 7, SIZE_MAX, &batch), 7);
	otlog__backlog_finish(backlog, 0, &batch, &(otlog__batch_end){ 0 });
	total += 7;
	while (total < 100) {
		size_t bytes = 0;
		uint32_t records = otlog__backlog_take(backlog, 0, 100, 500, &batch);
		for (uint32_t i = 0; i < records; i++)
			bytes += batch.refs[i].size;
		assert_true(records == 1 || (records > 1 && bytes <= 500));
		otlog__backlog_finish(backlog, 0, &batch, &(otlog__batch_end){ 0 });
		total += records;
	}
	assert_int_equal(total, 100);
	assert_int_equal(otlog__backlog_take(backlog, 0, 1, 0, &batch), 0);
	backlog_end(backlog);
	otlog__backlog_batch_free(&batch);
}

static int
finds_nothing(void *unused)
{
	(void)unused;
	otlog__backlog *backlog = backlog_open(1);
	bool nothing = !otlog__backlog_look(backlog) && otlog__backlog_waiting(backlog, 0) == 0;
	backlog_end(backlog);
	return !nothing;
}

static void
what_one_has_taken_over_another_does_not(void **state)
{
	(void)state;
	dead_queue queue = backlog_queue(5, 100);
	dead_queue_make(&queue);
	otlog__backlog *backlog = backlog_open(1);
	otlog__backlog *beside = backlog_open(1); /* in the same process, whose locks do not stand in its way */
	assert_true(otlog__backlog_look(backlog));
	assert_int_equal(process_run(finds_nothing, NULL), 0);
	assert_false(otlog__backlog_look(beside));
	assert_int_equal(process_run(finds_nothing, NULL), 0); /* the lock is still there */
	assert_int_equal(dead_drain(backlog, 0, UINT32_MAX, NULL), 100);
	backlog_end(backlog);
	backlog_end(beside);
}

static otlog__queue *
open_queue(void)
{
	otlog__queue *queue = otlog__queue_open(&(otlog__queue_options){ .directory = directory,
	                                                                 .service_name = "live",
	                                                                 .bytes = 65536,
	                                                                 .lanes = 1,
	                                                                 .pipelines = backlog_pipelines,
	                                                                 .pipeline_count = 1 });
	assert_true(queue && otlog__queue_in_file(queue));
	return queue;
}

static void
a_live_queue_is_never_taken(void **state)
{
	(void)state;
	dead_queue as = backlog_queue(5, 0);
	otlog__queue *queue = open_queue();
	assert_int_equal(dead_queue_emit(queue, &as, 0, 10), 10);
	assert_int_equal(process_run(finds_nothing, NULL), 0); /* a neighbour */
	assert_int_equal(finds_nothing(NULL), 0);              /* its own process */
	assert_int_equal(process_run(finds_nothing, NULL), 0); /* which has not lost the lock by looking */
	assert_int_equal(backlog_files(".queue"), 1);
	otlog__queue_free(queue);
	assert_int_equal(process_run(finds_nothing, NULL), 1); /* ten are left */
}

static void
whose_number_the_owner_had_does_not_matter(void **state)
{
	(void)state;
	char path[512];
	dead_image image;
	dead_queue queue = backlog_queue(5, 30);
	dead_queue_make(&queue);
	dead_image_load(&image, directory);
	assert_int_equal(queue_directory_find(directory, ".queue", path), 1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(queue_directory_find(directory, ".meta", path), 1);
	assert_int_equal(unlink(path), 0);
	snprintf(image.name, sizeof image.name, "dead-%ld-0123456789abcdef", (long)getpid());
	dead_image_header(&image)->pid = (uint64_t)getpid();
	dead_image_sign(&image);
	dead_image_put(&image, directory);
	otlog__backlog *backlog = backlog_open(1);
	assert_true(otlog__backlog_look(backlog));
	assert_int_equal(dead_drain(backlog, 0, UINT32_MAX, NULL), 30);
	backlog_end(backlog);
	dead_image_free(&image);
}

static void
the_oldest_queue_goes_first(void **state)
{
	(void)state;
	otlog__backlog_batch batch = { 0 };
	for (uint32_t source = 0; source < 5; source++) {
		dead_queue queue = backlog_queue(source, 10 + source);
		dead_queue_make(&queue);
	}
	otlog__backlog *backlog = backlog_open(1);
	assert_true(otlog__backlog_look(backlog));
	assert_int_equal(otlog__backlog_waiting(backlog, 0), 60);
	for (uint32_t source = 0; source < 5; source++) {
		assert_int_equal(otlog__backlog_take(backlog, 0, 100, 1 << 20, &batch), 10 + source);
		assert_memory_equal(batch.refs[0].bytes, &source, 4);
		otlog__backlog_finish(backlog, 0, &batch, &(otlog__batch_end){ 0 });
	}
	assert_int_equal(backlog_files(".queue") + backlog_files(".meta"), 0);
	backlog_end(backlog);
	otlog__backlog_batch_free(&batch);
}

static void
more_queues_than_can_be_open_are_all_delivered(void **state)
{
	(void)state;
	uint32_t total = 0;
	for (uint32_t source = 0; source < 40; source++) {
		dead_queue queue = backlog_queue(source, 10);
		dead_queue_make(&queue);
	}
	otlog__backlog *backlog = backlog_open(1);
	while (otlog__backlog_look(backlog))
		total += dead_drain(backlog, 0, UINT32_MAX, NULL);
	assert_int_equal(total, 400);
	assert_int_equal(backlog_files(".queue") + backlog_files(".meta"), 0);
	backlog_end(backlog);
}

static void
what_nobody_takes_is_kept_and_said_once(void **state)
{
	(void)state;
	char path[512];
	dead_queue queue = backlog_queue(5, 40);
	queue.pipeline_count = 2;
	dead_queue_make(&queue);
	otlog__backlog *one = backlog_open(1); /* has no "console" */
	assert_true(otlog__backlog_look(one));
	assert_int_equal(dead_drain(one, 0, UINT32_MAX, NULL), 40);
	assert_false(otlog__backlog_look(one));
	assert_false(otlog__backlog_look(one));
	assert_int_equal(diagnosed_times("40 records kept for a pipeline \"console\""), 1);
	assert_int_equal(queue_directory_find(directory, ".queue", path), 1);
	assert_int_equal(queue_directory_find(directory, ".meta", path), 1);

	otlog__backlog *both = backlog_open(2); /* the lock was given back, in the same process too */
	assert_true(otlog__backlog_look(both));
	assert_int_equal(otlog__backlog_waiting(both, 0), 0);
	assert_int_equal(dead_drain(both, 1, UINT32_MAX, NULL), 40);
	assert_int_equal(backlog_files(".queue") + backlog_files(".meta"), 0);
	backlog_end(both);
	backlog_end(one);
}

static void
pipelines_are_told_apart_by_name_not_by_place(void **state)
{
	(void)state;
	static const char *const turned[] = { "console", "otlp_http", "otlp_http" };
	dead_queue queue = backlog_queue(1, 90);
	queue.pipeline_count = 2;
	queue.mask = first_second_or_both;
	dead_queue_make(&queue);
	otlog__backlog *backlog = otlog__backlog_create(
	    &(otlog__backlog_options){ .directory = directory, .pipelines = turned, .pipeline_count = 3 });
	dead_tally *tally = dead_tally_make(1);
	assert_true(otlog__backlog_look(backlog));
	assert_int_equal(dead_drain(backlog, 2, UINT32_MAX, NULL), 0);
	assert_int_equal(dead_drain(backlog, 1, UINT32_MAX, tally), 60);
	assert_int_equal(tally->seen[0] + tally->seen[2], 2); /* masks 1 and 3 */
	assert_int_equal(tally->seen[1], 0);
	assert_int_equal(dead_drain(backlog, 0, UINT32_MAX, NULL), 60);
	backlog_end(backlog);
	free(tally);
}

static void
an_orderly_end_leaves_what_was_not_delivered(void **state)
{
	(void)state;
	for (int checksums = 0; checksums < 2; checksums++) {
		dead_queue queue = backlog_queue(5, 100);
		queue.delivered = 40;
		queue.closed = true;
		queue.checksums = checksums;
		dead_queue_make(&queue);
		otlog__backlog *backlog = backlog_open(1);
		dead_tally *tally = dead_tally_make(5);
		assert_true(otlog__backlog_look(backlog));
		assert_int_equal(dead_drain(backlog, 0, UINT32_MAX, tally), 60);
		assert_int_equal(dead_tally_once(tally, 40, 100), 60);
		backlog_end(backlog);
		free(tally);
	}
}

static void
the_memory_of_an_adopter_can_be_freed_in_a_child(void **state)
{
	(void)state;
	dead_queue queue = backlog_queue(5, 100);
	dead_queue_make(&queue);
	otlog__backlog *backlog = backlog_open(1);
	assert_true(otlog__backlog_look(backlog));
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		otlog__backlog_free(backlog);
		_exit(finds_nothing(NULL)); /* the parent has it */
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(dead_drain(backlog, 0, UINT32_MAX, NULL), 100);
	backlog_end(backlog);
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, queue_fixture_setup, queue_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(every_record_of_a_dead_process_is_delivered_once),
		IN_DIRECTORY(each_pipeline_gets_its_own_and_what_it_had_not),
		IN_DIRECTORY(an_adopter_that_dies_leaves_the_rest_to_the_next),
		IN_DIRECTORY(what_is_not_done_at_the_close_waits_for_the_next),
		IN_DIRECTORY(what_the_destination_refuses_is_dropped_and_counted),
		IN_DIRECTORY(batches_hold_as_much_as_was_asked_for_and_at_least_one),
		IN_DIRECTORY(what_one_has_taken_over_another_does_not),
		IN_DIRECTORY(a_live_queue_is_never_taken),
		IN_DIRECTORY(whose_number_the_owner_had_does_not_matter),
		IN_DIRECTORY(the_oldest_queue_goes_first),
		IN_DIRECTORY(more_queues_than_can_be_open_are_all_delivered),
		IN_DIRECTORY(what_nobody_takes_is_kept_and_said_once),
		IN_DIRECTORY(pipelines_are_told_apart_by_name_not_by_place),
		IN_DIRECTORY(an_orderly_end_leaves_what_was_not_delivered),
		IN_DIRECTORY(the_memory_of_an_adopter_can_be_freed_in_a_child),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
