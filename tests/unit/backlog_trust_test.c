/* What is believed of a queue's file after the machine went down: checksums and seals, and nothing else. */
#include "tests/support/harness/cmocka.h"

#include "tests/support/harness/check.h"
#include "tests/support/queues/dead_image.h"
#include "tests/support/queues/dead_queue.h"
#include "tests/support/queues/queue_fixture.h"
#include "tests/support/records/queue_record.h"
#include "tests/support/sdk/diagnosed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define RECORDS 100u
#define DELIVERED 30u

static const char *const names[] = { "otlp_http" };

static dead_queue
a_queue(bool checksums, bool closed)
{
	return (dead_queue){ .directory = directory,
		             .pipelines = names,
		             .pipeline_count = 1,
		             .source = 4,
		             .records = RECORDS,
		             .delivered = DELIVERED,
		             .checksums = checksums,
		             .synced = true,
		             .closed = closed };
}

/* Makes it and starts the machine anew. */
static void
make(dead_image *image, bool checksums, bool closed)
{
	dead_queue queue = a_queue(checksums, closed);
	dead_queue_make(&queue);
	dead_image_load(image, directory);
	dead_image_reboot(image);
	dead_image_put(image, directory);
}

static otlog__backlog *
open_backlog(void)
{
	otlog__backlog *backlog = otlog__backlog_create(
	    &(otlog__backlog_options){ .directory = directory, .pipelines = names, .pipeline_count = 1 });
	CHECK(backlog);
	return backlog;
}

/* Delivers all that can be had. */
static void
deliver(dead_tally *tally, uint64_t *damaged)
{
	otlog__backlog *backlog = open_backlog();
	otlog__backlog_books books;
	diagnosed_begin();
	otlog__backlog_look(backlog);
	dead_drain(backlog, 0, UINT32_MAX, tally);
	otlog__backlog_take_books(backlog, 0, &books);
	CHECK(books.queued == 0);
	*damaged = books.dropped[OTLOG_DROP_DAMAGED];
	otlog__backlog_close(backlog);
	otlog__backlog_free(backlog);
}

static void
assert_delivered(uint32_t records, uint64_t lost)
{
	char path[512];
	uint64_t damaged;
	dead_tally *tally = dead_tally_make(4);
	deliver(tally, &damaged);
	assert_int_equal(tally->records, records);
	assert_int_equal(dead_tally_once(tally, RECORDS - records, RECORDS), records);
	assert_int_equal(tally->strange, 0);
	assert_int_equal(damaged, lost);
	assert_int_equal(queue_directory_find(directory, ".queue", path), 0);
	free(tally);
}

static void
checksums_are_believed(void **state)
{
	(void)state;
	dead_image image;
	make(&image, true, false);
	assert_delivered(RECORDS - DELIVERED, 0);
	dead_image_free(&image);
}

static void
nothing_else_is(void **state)
{
	(void)state;
	dead_image image;
	make(&image, false, false);
	assert_delivered(0, RECORDS - DELIVERED);
	assert_int_equal(diagnosed_times("70 records lost: the machine went down"), 1);
	dead_image_free(&image);
}

static void
but_for_the_seal_of_an_orderly_end(void **state)
{
	(void)state;
	dead_image image;
	make(&image, false, true);
	assert_delivered(RECORDS - DELIVERED, 0);
	dead_image_free(&image);
}

static void
a_seal_that_does_not_fit_is_none(void **state)
{
	(void)state;
	dead_image image;
	make(&image, false, true);
	const uint64_t at = dead_image_frame(&image, 0, 50) + 20;
	dead_image_data(&image, 0)[at] ^= 1; /* live */
	dead_image_put(&image, directory);
	assert_delivered(0, RECORDS - DELIVERED);

	dead_image_data(&image, 0)[at] ^= 1;
	dead_image_data(&image, 0)[dead_image_frame(&image, 0, 2) + 20] ^= 1; /* delivered long ago */
	dead_image_put(&image, directory);
	assert_delivered(RECORDS - DELIVERED, 0);

	image.queue[OTLOG__QUEUE_SEAL_OFFSET + 12] ^= 1;
	dead_image_put(&image, directory);
	assert_delivered(0, RECORDS - DELIVERED);
	dead_image_free(&image);
}

static int
deliver_one_batch_and_die(void)
{
	otlog__backlog *backlog = open_backlog();
	return otlog__backlog_look(backlog) && dead_drain(backlog, 0, 1, NULL) == 50 ? 0 : 1;
}

static void
an_adopter_does_not_break_what_the_next_must_believe(void **state)
{
	(void)state;
	for (int sealed = 0; sealed < 2; sealed++) {
		dead_image image;
		int status;
		make(&image, !sealed, sealed);
		fflush(NULL);
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0)
			_exit(deliver_one_batch_and_die());
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
		assert_delivered(RECORDS - DELIVERED - 50, 0);
		dead_image_free(&image);
	}
}

static int
look_and_die(void)
{
	return otlog__backlog_look(open_backlog()) ? 0 : 1;
}

static void
nor_do_two(void **state)
{
	(void)state;
	int (*const lives[])(void) = { deliver_one_batch_and_die, look_and_die };
	dead_image image;
	make(&image, false, true);
	for (size_t i = 0; i < sizeof lives / sizeof lives[0]; i++) {
		int status;
		fflush(NULL);
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0)
			_exit(lives[i]());
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
	}
	assert_delivered(RECORDS - DELIVERED - 50, 0);
	dead_image_free(&image);
}

static void
emit_more(otlog__queue *queue, void *user)
{
	CHECK(dead_queue_emit(queue, user, RECORDS, 1000) > 100);
}

static void
records_are_found_although_the_control_page_is_of_before(void **state)
{
	(void)state;
	dead_image image;
	make(&image, true, false);
	/* The page as it was before anything: nothing but the lanes' bytes has come to the disk. */
	memset(dead_image_lane(&image, 0), 0, 4096);
	dead_image_put(&image, directory);
	uint64_t damaged;
	dead_tally *tally = dead_tally_make(4);
	deliver(tally, &damaged);
	assert_int_equal(dead_tally_once(tally, 0, RECORDS), RECORDS); /* those delivered already too: at least once */
	assert_int_equal(damaged, 0);
	dead_image_free(&image);
	free(tally);
}

static void
what_lies_in_the_lane_of_before_is_not_lost_nor_delivered(void **state)
{
	(void)state;
	/* Round the lane many times, and a control page that is as old as can be. */
	dead_image image;
	dead_queue queue = a_queue(true, false);
	queue.delivered = RECORDS;
	queue.then = emit_more;
	queue.user = &queue;
	dead_queue_make(&queue);
	dead_image_load(&image, directory);
	dead_image_reboot(&image);
	memset(dead_image_lane(&image, 0), 0, 4096);
	dead_image_put(&image, directory);
	uint64_t damaged;
	dead_tally *tally = dead_tally_make(4);
	deliver(tally, &damaged);
	assert_int_equal(damaged, 0);
	assert_int_equal(tally->strange, 0);
	assert_true(tally->in_order);
	dead_image_free(&image);
	free(tally);
}

/* ---- Loss of power ----------------------------------------------------------------------------------------------- */

typedef struct synced_then_more {
	dead_queue queue;
	dead_image synced;
	uint32_t at_sync; /* records emitted */
	uint32_t at_end;
	uint32_t delivered_at_end;
} synced_then_more;

static void
deliver_some(otlog__queue *queue, uint32_t records)
{
	otlog__frame_ref refs[16];
	otlog__batch_span span;
	while (records) {
		uint32_t taken = otlog__queue_read_begin(queue, 0, records < 16 ? records : 16, SIZE_MAX, refs, &span);
		otlog__queue_read_end(queue, 0);
		otlog__queue_finish(queue, 0, &span, &(otlog__batch_end){ 0 });
		CHECK(taken);
		records -= taken;
	}
}

/* Syncs, keeps what is on the disk then beside, and goes on: a lap and a half, with records waiting all the while. */
static void
sync_and_go_on(otlog__queue *queue, void *user)
{
	synced_then_more *self = user;
	char path[512], kept[600];
	CHECK(otlog__queue_sync(queue));
	dead_image_load(&self->synced, directory);
	snprintf(kept, sizeof kept, "%s/kept", directory);
	FILE *file = fopen(kept, "w");
	CHECK(file && fwrite(self->synced.queue, 1, self->synced.queue_size, file) == self->synced.queue_size);
	CHECK(fclose(file) == 0 && queue_directory_find(directory, ".queue", path) == 1);
	for (uint32_t number = self->at_sync; number < self->at_end; number += 10) {
		deliver_some(queue, 10);
		CHECK(dead_queue_emit(queue, &self->queue, number, 10) == 10);
	}
}

static void
no_synced_record_is_lost_when_the_power_goes(void **state)
{
	(void)state;
	synced_then_more self = { .at_sync = 200, .at_end = 200 };
	uint64_t random = 7;
	static const uint32_t more[] = { 0, 80, 160, 800 };
	for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
		dead_image now, synced;
		char path[600];
		self.at_end = 200 + more[i]; /* 200 frames take up more than half of the lane */
		self.queue = a_queue(true, false);
		self.queue.records = 200;
		self.queue.delivered = DELIVERED;
		self.queue.then = sync_and_go_on;
		self.queue.user = &self;
		self.queue.synced = false;
		dead_queue_make(&self.queue);
		dead_image_load(&now, directory);
		dead_image_copy(&synced, &now);
		snprintf(path, sizeof path, "%s/kept", directory);
		FILE *file = fopen(path, "r");
		CHECK(file && fread(synced.queue, 1, synced.queue_size, file) == synced.queue_size);
		fclose(file);
		unlink(path);
		/* What was delivered after the sync was overwritten by then, or may come again. */
		uint32_t delivered = DELIVERED + self.at_end - 200;
		for (int trial = 0; trial < 100; trial++) {
			dead_image cut;
			uint64_t damaged;
			dead_tally *tally = dead_tally_make(4);
			dead_image_power_cut(&cut, &synced, &now, &random);
			dead_image_reboot(&cut);
			dead_image_put(&cut, directory);
			deliver(tally, &damaged);
			assert_int_equal(tally->strange, 0);
			for (uint32_t number = delivered; number < 200; number++)
				assert_int_equal(tally->seen[number], 1);
			for (uint32_t number = 0; number < DEAD_MAX; number++)
				assert_true(tally->seen[number] <= (number < self.at_end));
			free(tally);
			dead_image_free(&cut);
		}
		dead_image_free(&now);
		dead_image_free(&synced);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(checksums_are_believed),
		IN_DIRECTORY(nothing_else_is),
		IN_DIRECTORY(but_for_the_seal_of_an_orderly_end),
		IN_DIRECTORY(a_seal_that_does_not_fit_is_none),
		IN_DIRECTORY(an_adopter_does_not_break_what_the_next_must_believe),
		IN_DIRECTORY(nor_do_two),
		IN_DIRECTORY(records_are_found_although_the_control_page_is_of_before),
		IN_DIRECTORY(what_lies_in_the_lane_of_before_is_not_lost_nor_delivered),
		IN_DIRECTORY(no_synced_record_is_lost_when_the_power_goes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
