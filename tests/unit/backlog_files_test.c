/* Queues of dead processes that are out of the ordinary: full, killed at work, large, short of room, with a spool. */
#include "tests/support/harness/cmocka.h"
#include "tests/support/harness/process.h"

#include "sdk/queue/spool/spool.h"
#include "tests/support/harness/check.h"
#include "tests/support/queues/backlog_fixture.h"
#include "tests/support/queues/dead_image.h"
#include "tests/support/queues/dead_queue.h"
#include "tests/support/queues/queue_directory.h"
#include "tests/support/sdk/diagnosed.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void
go_many_laps(otlog__queue *queue, void *user)
{
	static otlog__frame_ref refs[64];
	otlog__batch_span span;
	for (uint32_t number = 100; number < 20000; number += 40) {
		CHECK(dead_queue_emit(queue, user, number, 40) == 40);
		while (otlog__queue_waiting(queue, 0) > 150) {
			CHECK(otlog__queue_read_begin(queue, 0, 40, SIZE_MAX, refs, &span));
			otlog__queue_read_end(queue, 0);
			otlog__queue_finish(queue, 0, &span, &(otlog__batch_end){ 0 });
		}
	}
}

static void
a_queue_that_went_round_many_times_is_read_from_its_cursors(void **state)
{
	(void)state;
	for (int checksums = 0; checksums < 2; checksums++) {
		dead_queue queue = backlog_queue(3, 100);
		queue.then = go_many_laps;
		queue.user = &queue;
		queue.checksums = checksums;
		dead_queue_make(&queue);
		otlog__backlog *backlog = backlog_open(1);
		dead_tally *tally = dead_tally_make(3);
		assert_true(otlog__backlog_look(backlog));
		uint32_t waiting = (uint32_t)otlog__backlog_waiting(backlog, 0);
		assert_in_range(waiting, 100, 150);
		assert_int_equal(dead_drain(backlog, 0, UINT32_MAX, tally), waiting);
		assert_int_equal(dead_tally_once(tally, 20000 + 20 - waiting, 20020), waiting);
		assert_int_equal(tally->strange, 0);
		backlog_assert_books(backlog, 0, waiting, 0, 0);
		backlog_end(backlog);
		free(tally);
	}
}

/* What the child has done, as far as its calls have returned. */
typedef struct ledger {
	_Atomic uint32_t emitted;
	_Atomic uint32_t delivered;
} ledger;

static void
emit_until_killed(otlog__queue *queue, void *user)
{
	static otlog__frame_ref refs[16];
	ledger *books = user;
	dead_queue as = backlog_queue(8, 0);
	otlog__batch_span span;
	for (uint32_t number = 0; number < DEAD_MAX; number++) {
		if (dead_queue_emit(queue, &as, number, 1) != 1)
			_exit(3);
		atomic_store(&books->emitted, number + 1);
		if (number % 16 != 15 || number < 128)
			continue;
		uint32_t taken = otlog__queue_read_begin(queue, 0, 16, SIZE_MAX, refs, &span);
		otlog__queue_read_end(queue, 0);
		otlog__queue_finish(queue, 0, &span, &(otlog__batch_end){ 0 });
		atomic_fetch_add(&books->delivered, taken);
	}
	pause();
}

static void
whenever_it_was_killed_nothing_that_was_accepted_is_missing(void **state)
{
	(void)state;
	ledger *books = process_share(sizeof *books);
	for (uint32_t kills = 0; kills < 20; kills++) {
		memset(books, 0, sizeof *books);
		fflush(NULL);
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			dead_queue queue = backlog_queue(8, 0);
			queue.checksums = kills % 2;
			queue.then = emit_until_killed;
			queue.user = books;
			dead_queue_live(&queue);
			_exit(4);
		}
		while (atomic_load(&books->emitted) < 150 + kills * 500)
			sched_yield();
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, NULL, 0), child);

		otlog__backlog *backlog = backlog_open(1);
		dead_tally *tally = dead_tally_make(8);
		uint32_t emitted = atomic_load(&books->emitted), delivered = atomic_load(&books->delivered);
		assert_true(otlog__backlog_look(backlog));
		uint32_t records = dead_drain(backlog, 0, UINT32_MAX, tally);
		assert_in_range(records, emitted - delivered - 16, emitted - delivered + 1);
		assert_int_equal(dead_tally_once(tally, delivered + 16, emitted), emitted - delivered - 16);
		assert_int_equal(tally->strange, 0);
		assert_true(tally->in_order);
		backlog_assert_books(backlog, 0, records, 0, 0);
		backlog_end(backlog);
		free(tally);
	}
	process_unshare(books, sizeof *books);
}

static int
deliver_under_a_limit(void *unused)
{
	(void)unused;
	struct rlimit limit = { .rlim_cur = 4096, .rlim_max = 4096 };
	signal(SIGXFSZ, SIG_DFL);
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 9;
	otlog__backlog *backlog = backlog_open(1);
	if (!otlog__backlog_look(backlog) || dead_drain(backlog, 0, UINT32_MAX, NULL) != 120)
		return 1;
	backlog_end(backlog);
	return backlog_files(".queue") + backlog_files(".meta") == 0 &&
	               diagnosed_times("cannot be written (File too large)") == 1
	           ? 0
	           : 2;
}

static void
a_limit_of_file_sizes_brings_no_signal(void **state)
{
	(void)state;
	dead_queue queue = backlog_queue(5, 120);
	dead_queue_make(&queue);
	assert_int_equal(process_run(deliver_under_a_limit, NULL), 0);
}

static uint64_t
disk_bytes(void)
{
	char path[512];
	struct stat info;
	CHECK(queue_directory_find(directory, ".queue", path) == 1 && stat(path, &info) == 0);
	return (uint64_t)info.st_blocks * 512;
}

static void
what_is_kept_takes_up_no_more_than_its_records(void **state)
{
	(void)state;
	for (int turn = 0; turn < 4; turn++) {
		bool round = turn % 2, closed = turn / 2;
		dead_queue queue = backlog_queue(3, 100);
		dead_tally *tally = dead_tally_make(3);
		queue.bytes = round ? 65536 : 8 << 20;
		queue.lanes = round ? 1 : 4;
		queue.then = round ? go_many_laps : NULL;
		queue.user = &queue;
		queue.closed = closed;
		dead_queue_make(&queue);
		uint64_t before = disk_bytes();
		for (int i = 0; i < 2; i++) { /* nobody delivers, and nothing changes for those who come after */
			otlog__backlog *backlog = backlog_open(1);
			assert_true(otlog__backlog_look(backlog));
			backlog_end(backlog);
			assert_true(disk_bytes() < (round ? before : 300000));
		}
		dead_image image;
		dead_image_load(&image, directory);
		if (closed)
			dead_image_reboot(&image); /* the seal holds, too */
		dead_image_put(&image, directory);
		otlog__backlog *backlog = backlog_open(1);
		assert_true(otlog__backlog_look(backlog));
		uint32_t waiting = (uint32_t)otlog__backlog_waiting(backlog, 0);
		assert_in_range(waiting, 100, 150);
		assert_int_equal(dead_drain(backlog, 0, UINT32_MAX, tally), waiting);
		assert_int_equal(tally->strange, 0);
		backlog_assert_books(backlog, 0, waiting, 0, 0);
		backlog_end(backlog);
		dead_image_free(&image);
		free(tally);
	}
}

#define LARGE 700000u

static void
emit_large(otlog__queue *queue, void *user)
{
	(void)user;
	for (uint32_t i = 0; i < 4; i++) { /* two fill the lane */
		otlog__slot slot;
		otlog_emit_result result = otlog__queue_begin(queue, LARGE + i, &slot);
		CHECK(result == (i < 2 ? OTLOG_EMIT_ACCEPTED : OTLOG_EMIT_QUEUE_FULL));
		if (result != OTLOG_EMIT_ACCEPTED)
			continue;
		for (uint32_t at = 0; at < LARGE + i; at++)
			slot.bytes[at] = (uint8_t)(at * 7 + i);
		otlog__queue_commit(queue, &slot, LARGE + i, 0, 1);
	}
}

static void
records_larger_than_what_is_read_at_once_are_whole(void **state)
{
	(void)state;
	for (int checksums = 0; checksums < 2; checksums++) {
		otlog__backlog_batch batch = { 0 };
		dead_queue queue = backlog_queue(5, 0);
		queue.bytes = 2 << 20;
		queue.checksums = checksums;
		queue.then = emit_large;
		dead_queue_make(&queue);
		otlog__backlog *backlog = backlog_open(1);
		assert_true(otlog__backlog_look(backlog));
		for (uint32_t i = 0; i < 2; i++) {
			assert_int_equal(otlog__backlog_take(backlog, 0, 100, 1000, &batch), 1);
			assert_int_equal(batch.refs[0].size, LARGE + i);
			for (uint32_t at = 0; at < LARGE + i; at++)
				if (batch.refs[0].bytes[at] != (uint8_t)(at * 7 + i))
					fail_msg("byte %u of record %u is wrong", at, i);
			otlog__backlog_finish(backlog, 0, &batch, &(otlog__batch_end){ 0 });
		}
		backlog_assert_books(backlog, 0, 2, 0, 0);
		backlog_end(backlog);
		otlog__backlog_batch_free(&batch);
	}
}

/* Three requests of 10, 11 and 12 records, and 20 records that are still in the queue. */
static void
spool_some(otlog__queue *queue, void *user)
{
	dead_queue *as = user;
	uint64_t number;
	otlog__spool *spool = otlog__spool_create(&(otlog__spool_options){ .directory = otlog__queue_directory(queue),
	                                                                   .name = otlog__queue_name(queue),
	                                                                   .pipeline = 0,
	                                                                   .pipeline_name = backlog_pipelines[0],
	                                                                   .max_bytes = 1 << 20 });
	CHECK(spool);
	for (uint32_t i = 0; i < 3; i++)
		CHECK(otlog__spool_append(spool, "request 0", 8 + i % 2, 10 + i, false, &number) == OTLOG__SPOOL_TAKEN);
	if (as->closed) {
		otlog__queue_keep_file(queue);
		otlog__spool_close(spool);
	}
}

static void
a_spool_is_delivered_before_its_queue_and_removed(void **state)
{
	(void)state;
	for (int closed = 0; closed < 2; closed++) {
		otlog__backlog_batch batch = { 0 };
		dead_queue queue = backlog_queue(5, 20);
		queue.then = spool_some;
		queue.user = &queue;
		queue.closed = closed;
		dead_queue_make(&queue);
		otlog__backlog *backlog = backlog_open(1);
		assert_true(otlog__backlog_look(backlog));
		assert_int_equal(otlog__backlog_waiting(backlog, 0), 53);
		for (uint32_t i = 0; i < 3; i++) {
			assert_int_equal(otlog__backlog_take(backlog, 0, 5, 1 << 20, &batch), 10 + i);
			assert_null(batch.refs);
			assert_int_equal(batch.bytes.size, 8 + i % 2);
			assert_memory_equal(batch.bytes.data, "request 0", batch.bytes.size);
			otlog__backlog_finish(backlog, 0, &batch, &(otlog__batch_end){ 0 });
			backlog_assert_books(backlog, 0, (uint64_t[]){ 10, 21, 33 }[i],
			                     53 - (uint64_t[]){ 10, 21, 33 }[i], 0);
		}
		assert_int_equal(dead_drain(backlog, 0, UINT32_MAX, NULL), 20);
		assert_int_equal(backlog_files(".queue") + backlog_files(".meta") + backlog_files(".spool"), 0);
		assert_int_equal(diagnosed_times("spool"), 0);
		backlog_end(backlog);
		otlog__backlog_batch_free(&batch);
	}
}

/* The header of the second entry, and a segment that is none of ours. */
static void
damage_spool(void)
{
	static const char garbage[8192] = "garbage";
	char folder[512], path[600];
	CHECK(queue_directory_find(directory, ".spool", folder) == 1);
	snprintf(path, sizeof path, "%s/00-00000001", folder);
	int fd = open(path, O_RDWR);
	CHECK(fd >= 0 && pwrite(fd, "garbage", 8, 4096 + 40) == 8 && close(fd) == 0);
	snprintf(path, sizeof path, "%s/00-00000009", folder);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	CHECK(fd >= 0 && write(fd, garbage, sizeof garbage) == sizeof garbage && close(fd) == 0);
}

static void
what_is_lost_in_a_spool_is_told(void **state)
{
	(void)state;
	dead_queue queue = backlog_queue(5, 20);
	queue.then = spool_some;
	queue.user = &queue;
	dead_queue_make(&queue);
	damage_spool();
	otlog__backlog *backlog = backlog_open(1);
	assert_true(otlog__backlog_look(backlog));
	assert_int_equal(diagnosed_times("1 of its files and 1 of its requests cannot be read"), 1);
	assert_int_equal(otlog__backlog_waiting(backlog, 0), 10 + 12 + 20);
	backlog_end(backlog);
}

static void
an_empty_queue_stays_for_its_spool(void **state)
{
	(void)state;
	dead_queue queue = backlog_queue(5, 20);
	queue.delivered = 20;
	queue.then = spool_some;
	queue.user = &queue;
	queue.closed = true;
	dead_queue_make(&queue);
	assert_int_equal(backlog_files(".queue"), 1);
	otlog__backlog *backlog = backlog_open(1);
	assert_true(otlog__backlog_look(backlog));
	assert_int_equal(dead_drain(backlog, 0, UINT32_MAX, NULL), 33);
	assert_int_equal(backlog_files(".queue") + backlog_files(".meta") + backlog_files(".spool"), 0);
	backlog_end(backlog);
}

static void
a_spool_whose_queue_is_gone_is_delivered(void **state)
{
	(void)state;
	char path[512];
	dead_queue queue = backlog_queue(5, 20);
	struct timespec long_ago[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	queue.then = spool_some;
	queue.user = &queue;
	dead_queue_make(&queue);
	assert_int_equal(queue_directory_find(directory, ".queue", path), 1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(queue_directory_find(directory, ".spool", path), 1);
	assert_int_equal(utimensat(AT_FDCWD, path, long_ago, 0), 0);
	otlog__backlog *backlog = backlog_open(1);
	otlog__backlog_look(backlog); /* makes something that can be locked */
	assert_true(otlog__backlog_look(backlog));
	assert_int_equal(dead_drain(backlog, 0, UINT32_MAX, NULL), 33);
	assert_int_equal(backlog_files(".queue") + backlog_files(".spool"), 0);
	backlog_end(backlog);
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, queue_fixture_setup, queue_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(a_queue_that_went_round_many_times_is_read_from_its_cursors),
		IN_DIRECTORY(whenever_it_was_killed_nothing_that_was_accepted_is_missing),
		IN_DIRECTORY(a_limit_of_file_sizes_brings_no_signal),
		IN_DIRECTORY(what_is_kept_takes_up_no_more_than_its_records),
		IN_DIRECTORY(records_larger_than_what_is_read_at_once_are_whole),
		IN_DIRECTORY(a_spool_is_delivered_before_its_queue_and_removed),
		IN_DIRECTORY(what_is_lost_in_a_spool_is_told),
		IN_DIRECTORY(an_empty_queue_stays_for_its_spool),
		IN_DIRECTORY(a_spool_whose_queue_is_gone_is_delivered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
