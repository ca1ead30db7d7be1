/* Taking over what dead processes have left, and delivering it record by record. */
#include "tests/support/cmocka.h"

#include "tests/support/check.h"
#include "tests/support/dead_queue.h"
#include "tests/support/diagnosed.h"
#include "tests/support/queue_image.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const names[] = { "otlp_http", "console" };
static char directory[64];

static int
make_directory(void **state)
{
	(void)state;
	queue_directory_make(directory);
	diagnosed_begin();
	return 0;
}

static int
remove_directory(void **state)
{
	(void)state;
	queue_directory_remove(directory);
	return 0;
}

static otlog__backlog *
open_backlog(uint32_t pipelines)
{
	otlog__backlog *backlog = otlog__backlog_create(
	    &(otlog__backlog_options){ .directory = directory, .pipelines = names, .pipeline_count = pipelines });
	assert_non_null(backlog);
	return backlog;
}

static void
end_backlog(otlog__backlog *backlog)
{
	otlog__backlog_close(backlog);
	otlog__backlog_free(backlog);
}

static int
files(const char *suffix)
{
	char found[512];
	return queue_directory_find(directory, suffix, found);
}

static dead_queue
a_queue(uint32_t source, uint32_t records)
{
	return (dead_queue){
		.directory = directory, .pipelines = names, .pipeline_count = 1, .source = source, .records = records
	};
}

static void
assert_books(otlog__backlog *backlog, uint32_t pipeline, uint64_t delivered, uint64_t queued, uint64_t damaged)
{
	otlog__backlog_books books;
	otlog__backlog_take_books(backlog, pipeline, &books);
	assert_int_equal(books.delivered, delivered);
	assert_int_equal(books.queued, queued);
	assert_int_equal(books.dropped[OTLOG_DROP_DAMAGED], damaged);
	uint64_t sum = books.delivered + books.queued;
	for (uint32_t reason = 0; reason < OTLOG_DROP_REASON_COUNT; reason++)
		sum += books.dropped[reason];
	assert_int_equal(books.adopted, sum);
}

static void
every_record_of_a_dead_process_is_delivered_once(void **state)
{
	(void)state;
	dead_queue queue = a_queue(7, 300);
	dead_queue_make(&queue);
	assert_int_equal(files(".queue"), 1);

	otlog__backlog *backlog = open_backlog(1);
	dead_tally *tally = dead_tally_make(7);
	assert_int_equal(otlog__backlog_waiting(backlog, 0), 0);
	assert_true(otlog__backlog_look(backlog));
	assert_int_equal(otlog__backlog_waiting(backlog, 0), 300);
	assert_books(backlog, 0, 0, 300, 0);
	assert_int_equal(dead_drain(backlog, 0, UINT32_MAX, tally), 300);
	assert_int_equal(dead_tally_once(tally, 0, 300), 300);
	assert_int_equal(tally->strange, 0);
	assert_true(tally->in_order);
	assert_books(backlog, 0, 300, 0, 0);
	assert_int_equal(files(".queue") + files(".meta"), 0);
	assert_false(otlog__backlog_look(backlog));
	end_backlog(backlog);
	free(tally);
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(every_record_of_a_dead_process_is_delivered_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
