/* What a dead process has left in its spool: everything it said was appended is there, in order, and can be taken over. */
#include "tests/support/harness/cmocka.h"

#include "sdk/queue/crc32c.h"
/* What a segment file looks like: headers and done slots are changed in it. */
#include "sdk/queue/spool/spool_segment.h"
#include "tests/support/harness/check.h"
#include "tests/support/harness/process.h"
#include "tests/support/queues/spool_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (UINT64_C(1) << 20)
#define SIZE 30000u

/* A spool with `count` entries of two records, of which `done` are finished, then left as a killed process does. */
static void
leave(uint64_t first_mark, uint64_t count, uint64_t done)
{
	otlog__spool *spool = spool_folder_create(&folder, 16 * MIB, false);
	for (uint64_t i = 0; i < count; i++)
		assert_int_equal(spool_put(spool, first_mark + i, SIZE, 2), OTLOG__SPOOL_TAKEN);
	for (uint64_t i = 0; i < done; i++)
		assert_int_equal(spool_get(spool, first_mark + i, SIZE, true), 2);
	otlog__spool_free(spool);
}

static otlog__spool_files *
open_files(bool adopt)
{
	otlog__spool_files *files = otlog__spool_files_open(folder.directory, SPOOL_NAME, adopt);
	assert_non_null(files);
	return files;
}

static otlog__spool_files_books
books_of(otlog__spool_files *files, uint32_t index)
{
	otlog__spool_files_books books;
	otlog__spool_files_take_books(files, index, &books);
	assert_int_equal(books.found, books.waiting + books.in_flight + books.finished + books.damaged);
	return books;
}

/* Takes the entries first…end - 1, and finishes them. */
static void
expect(otlog__spool_files *files, uint64_t first, uint64_t end, bool finish)
{
	otlog__buffer out = { 0 };
	uint64_t number;
	for (uint64_t mark = first; mark < end; mark++) {
		assert_int_equal(otlog__spool_files_take(files, 0, &out, &number), 2);
		assert_int_equal(out.size, SIZE);
		assert_true(spool_request_is(out.data, out.size, mark));
		if (finish)
			otlog__spool_files_finish(files, 0, number);
	}
	otlog__buffer_free(&out);
}

static void
expect_nothing(otlog__spool_files *files, uint32_t index)
{
	otlog__buffer out = { 0 };
	uint64_t number;
	assert_int_equal(otlog__spool_files_take(files, index, &out, &number), 0);
	assert_int_equal(books_of(files, index).waiting, 0);
	otlog__buffer_free(&out);
}

static void
no_folder_is_told_apart(void **state)
{
	(void)state;
	errno = 0;
	assert_null(otlog__spool_files_open(folder.directory, SPOOL_NAME, true));
	assert_int_equal(errno, ENOENT);
	otlog__spool_files_close(NULL);
	otlog__spool_files_free(NULL);
}

static void
what_was_not_finished_is_taken_over_in_order(void **state)
{
	(void)state;
	leave(0, 300, 130);
	otlog__spool_files *files = open_files(true);
	otlog__spool_segments totals;
	otlog__spool_files_count_segments(files, &totals);
	assert_int_equal(totals.readable, spool_folder_files(&folder));
	assert_true(totals.bytes > 170 * SIZE);
	assert_int_equal(totals.foreign + totals.damaged, 0);
	assert_int_equal(otlog__spool_files_pipeline_count(files), 1);
	assert_string_equal(otlog__spool_files_pipeline_name(files, 0), SPOOL_PIPELINE_NAME);
	assert_int_equal(books_of(files, 0).found, 340);
	assert_int_equal(books_of(files, 0).lost_entries, 0);
	expect(files, 130, 300, true);
	expect_nothing(files, 0);
	assert_int_equal(spool_folder_files(&folder), 0);
	otlog__spool_files_close(files);
	assert_int_equal(faccessat(folder.directory, SPOOL_NAME ".spool", F_OK, 0), -1);
}

static void
who_takes_over_may_die_too(void **state)
{
	(void)state;
	uint64_t done = 10;
	leave(0, 300, done);
	while (done < 300) {
		otlog__spool_files *files = open_files(true);
		uint64_t now = done + 37 < 300 ? done + 37 : 300;
		expect(files, done, now, true);
		if (now + 5 < 300)
			expect(files, now, now + 5, false); /* in flight when it died */
		done = now;
		otlog__spool_files_free(files);
	}
	assert_int_equal(spool_folder_files(&folder), 0);
}

static void
reading_changes_nothing(void **state)
{
	(void)state;
	leave(0, 100, 20);
	uint32_t count = spool_folder_files(&folder);
	for (int i = 0; i < 2; i++) {
		otlog__spool_files *files = open_files(false);
		expect(files, 20, 100, false);
		expect_nothing(files, 0);
		assert_int_equal(books_of(files, 0).finished, 160);
		otlog__spool_files_close(files);
		assert_int_equal(spool_folder_files(&folder), count);
	}
}

static void
a_live_spool_can_be_looked_at(void **state)
{
	(void)state;
	otlog__spool *spool = spool_folder_create(&folder, 16 * MIB, false);
	for (uint64_t i = 0; i < 200; i++)
		assert_int_equal(spool_put(spool, i, SIZE, 2), OTLOG__SPOOL_TAKEN);
	otlog__spool_files *files = open_files(false);
	expect(files, 0, 10, false);
	for (uint64_t i = 0; i < 200; i++)
		assert_int_equal(spool_get(spool, i, SIZE, true), 2);
	otlog__buffer out = { 0 };
	uint64_t number;
	while (otlog__spool_files_take(files, 0, &out, &number)) {
	}
	assert_int_equal(books_of(files, 0).damaged, 0); /* what has gone was delivered */
	assert_int_equal(books_of(files, 0).waiting, 0);
	otlog__buffer_free(&out);
	otlog__spool_files_close(files);
	otlog__spool_close(spool);
	otlog__spool_free(spool);
}

static void
pipelines_and_processes_are_kept_apart(void **state)
{
	(void)state;
	leave(0, 3, 0);
	otlog__spool *far = otlog__spool_create(&(otlog__spool_options){
	    .directory = folder.directory, .name = SPOOL_NAME, .pipeline_name = "far", .max_bytes = MIB });
	assert_int_equal(spool_put(far, 50, SIZE, 2), OTLOG__SPOOL_TAKEN);
	otlog__spool_close(far);
	otlog__spool_free(far);
	leave(3, 4, 0); /* another chain, with the same numbers */
	otlog__spool_files *files = open_files(true);
	assert_int_equal(otlog__spool_files_pipeline_count(files), 2);
	uint32_t near_is = strcmp(otlog__spool_files_pipeline_name(files, 0), "far") == 0;
	assert_string_equal(otlog__spool_files_pipeline_name(files, near_is), SPOOL_PIPELINE_NAME);
	assert_int_equal(books_of(files, near_is).found, 14);
	assert_int_equal(books_of(files, near_is).lost_entries, 0);
	otlog__buffer out = { 0 };
	uint64_t number;
	for (uint64_t mark = 0; mark < 7; mark++) {
		assert_int_equal(otlog__spool_files_take(files, near_is, &out, &number), 2);
		assert_true(spool_request_is(out.data, out.size, mark));
		otlog__spool_files_finish(files, near_is, number);
	}
	expect_nothing(files, near_is);
	assert_int_equal(otlog__spool_files_take(files, !near_is, &out, &number), 2);
	assert_true(spool_request_is(out.data, out.size, 50));
	otlog__spool_files_close(files);
	assert_int_equal(spool_folder_files(&folder), 1); /* that one was not finished */
	otlog__buffer_free(&out);
}

static void
exchanged_segments_are_read_in_their_order(void **state)
{
	(void)state;
	leave(0, 300, 0);
	spool_bytes second = spool_bytes_load(&folder, 2), third = spool_bytes_load(&folder, 3);
	spool_bytes_store(&folder, 2, third.data, third.size);
	spool_bytes_store(&folder, 3, second.data, second.size);
	spool_bytes_store(&folder, 90, second.data, second.size); /* a copy is no second delivery */
	otlog__spool_files *files = open_files(true);
	assert_int_equal(books_of(files, 0).found, 600);
	assert_int_equal(books_of(files, 0).lost_entries, 0);
	expect(files, 0, 300, true);
	expect_nothing(files, 0);
	otlog__spool_files_close(files);
	assert_int_equal(spool_folder_files(&folder), 0);
	spool_bytes_free(&second);
	spool_bytes_free(&third);
}

static void
a_missing_segment_is_a_gap_of_known_size(void **state)
{
	(void)state;
	leave(0, 300, 0);
	otlog__spool_header second, third;
	spool_bytes bytes = spool_bytes_load(&folder, 2);
	memcpy(&second, bytes.data, sizeof second);
	spool_bytes_free(&bytes);
	bytes = spool_bytes_load(&folder, 3);
	memcpy(&third, bytes.data, sizeof third);
	spool_bytes_free(&bytes);
	assert_int_equal(unlinkat(folder.directory, SPOOL_NAME ".spool/02-00000002", 0), 0);
	otlog__spool_files *files = open_files(true);
	assert_int_equal(books_of(files, 0).lost_entries, third.first - second.first);
	expect(files, 0, second.first - 1, true);
	expect(files, third.first - 1, 300, true);
	expect_nothing(files, 0);
	otlog__spool_files_close(files);
	assert_int_equal(spool_folder_files(&folder), 0);
}

static void
a_segment_that_has_come_back_is_not_delivered_again(void **state)
{
	(void)state;
	otlog__spool *spool = spool_folder_create(&folder, 16 * MIB, false);
	for (uint64_t i = 0; i < 300; i++)
		assert_int_equal(spool_put(spool, i, SIZE, 2), OTLOG__SPOOL_TAKEN);
	spool_bytes first = spool_bytes_load(&folder, 1);
	for (uint64_t i = 0; i < 150; i++)
		assert_int_equal(spool_get(spool, i, SIZE, true), 2);
	otlog__spool_free(spool);
	spool_bytes_store(&folder, 1, first.data, first.size); /* its removal was not on the disk */
	spool_bytes_free(&first);
	otlog__spool_files *files = open_files(true);
	assert_int_equal(books_of(files, 0).lost_entries, 0);
	expect(files, 150, 300, true);
	expect_nothing(files, 0);
	otlog__spool_files_close(files);
	assert_int_equal(spool_folder_files(&folder), 0);
}

static void
a_done_slot_that_is_damaged_or_strange_is_not_trusted(void **state)
{
	(void)state;
	leave(0, 8, 5);
	spool_bytes bytes = spool_bytes_load(&folder, 1);
	otlog__spool_done slots[2];
	memcpy(&slots[0], bytes.data + OTLOG__SPOOL_DONE, sizeof slots[0]);
	memcpy(&slots[1], bytes.data + OTLOG__SPOOL_SECOND_DONE, sizeof slots[1]);
	assert_int_equal(slots[0].generation, 5);
	assert_int_equal(slots[1].generation, 4);

	bytes.data[OTLOG__SPOOL_DONE] ^= 1; /* the older one holds then */
	spool_bytes_store(&folder, 1, bytes.data, bytes.size);
	otlog__spool_files *files = open_files(false);
	expect(files, 4, 8, false);
	expect_nothing(files, 0);
	otlog__spool_files_close(files);

	bytes.data[OTLOG__SPOOL_SECOND_DONE + 20] ^= 4; /* and then none */
	spool_bytes_store(&folder, 1, bytes.data, bytes.size);
	files = open_files(false);
	expect(files, 0, 8, false);
	expect_nothing(files, 0);
	otlog__spool_files_close(files);
	spool_bytes_free(&bytes);
}

/* The segment with another header, both copies; the CRC is made right. */
static void
store_with_header(const spool_bytes *bytes, const otlog__spool_header *header)
{
	otlog__spool_header changed = *header;
	changed.crc = otlog__crc32c(0, &changed, offsetof(otlog__spool_header, crc));
	memcpy(bytes->data, &changed, sizeof changed);
	memcpy(bytes->data + OTLOG__SPOOL_SECOND_HEADER, &changed, sizeof changed);
	spool_bytes_store(&folder, 1, bytes->data, bytes->size);
}

static void
segments_of_another_version_or_architecture_are_left_alone(void **state)
{
	(void)state;
	leave(0, 3, 0);
	otlog__spool_header header;
	spool_bytes bytes = spool_bytes_load(&folder, 1);
	memcpy(&header, bytes.data, sizeof header);
	for (int i = 0; i < 2; i++) {
		otlog__spool_header other = header;
		*(i ? &other.version : &other.byte_order) = UINT32_C(0x04030201);
		store_with_header(&bytes, &other);
		otlog__spool_files *files = open_files(true);
		otlog__spool_segments totals;
		otlog__spool_files_count_segments(files, &totals);
		assert_int_equal(totals.foreign, 1);
		assert_int_equal(totals.readable + totals.damaged, 0);
		assert_int_equal(otlog__spool_files_pipeline_count(files), 0);
		otlog__spool_files_close(files);
		assert_int_equal(spool_folder_files(&folder), 1);
	}
	store_with_header(&bytes, &header);
	otlog__spool_files *files = open_files(true);
	expect(files, 0, 3, true);
	otlog__spool_files_close(files);
	spool_bytes_free(&bytes);
}

static void
litter_is_removed_and_what_is_not_ours_is_left(void **state)
{
	(void)state;
	leave(0, 3, 0);
	spool_bytes_store(&folder, 2, "nothing", 7);
	spool_bytes_store(&folder, 3, "", 0);
	static const char *const others[] = { "02-00000009.new", "02-0000010", "x", "02-00000001.bak", "123-00000001" };
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		char name[96];
		snprintf(name, sizeof name, SPOOL_NAME ".spool/%s", others[i]);
		close(openat(folder.directory, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	}
	assert_int_equal(mkfifoat(folder.directory, SPOOL_NAME ".spool/02-00000007", 0600), 0);
	assert_int_equal(symlinkat("02-00000001", folder.directory, SPOOL_NAME ".spool/02-00000008"), 0);
	assert_int_equal(spool_folder_files(&folder), 10);
	otlog__spool_files *files = open_files(true);
	expect(files, 0, 3, true);
	otlog__spool_files_close(files);
	assert_int_equal(spool_folder_files(&folder), 6); /* the last four of the names, the pipe, the link */
}

typedef struct shared_words {
	_Atomic uint64_t appended;
	_Atomic uint64_t finished;
} shared_words;

static void
be_killed(shared_words *words)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	otlog__spool *spool = spool_folder_create(&folder, 64 * MIB, false);
	otlog__buffer out = { 0 };
	uint64_t number;
	for (uint64_t mark = 0;; mark++) {
		CHECK(spool_put(spool, mark, SIZE, 2) == OTLOG__SPOOL_TAKEN);
		atomic_store(&words->appended, mark + 1);
		if (mark % 4)
			continue;
		CHECK(otlog__spool_take(spool, &out, &number));
		otlog__spool_finish(spool, number, &(otlog__batch_end){ 0 });
		atomic_store(&words->finished, mark / 4 + 1);
	}
}

static void
every_append_that_returned_is_there_after_a_kill(void **state)
{
	(void)state;
	shared_words *words = process_share(sizeof *words);
	for (uint64_t trial = 0; trial < 12; trial++) {
		atomic_store(&words->appended, 0);
		atomic_store(&words->finished, 0);
		pid_t victim = fork();
		assert_true(victim >= 0);
		if (victim == 0)
			be_killed(words);
		while (atomic_load(&words->appended) < 20 + trial * 41 && waitpid(victim, NULL, WNOHANG) == 0)
			usleep(100);
		kill(victim, SIGKILL);
		waitpid(victim, NULL, 0);

		uint64_t appended = atomic_load(&words->appended), finished = atomic_load(&words->finished);
		otlog__spool_files *files = open_files(true);
		uint64_t found = books_of(files, 0).found / 2;
		assert_int_equal(books_of(files, 0).lost_entries, 0);
		/* One append, and one finish, may have been done and not have been told. */
		assert_in_range(found, appended - finished - 1, appended - finished + 1);
		otlog__buffer out = { 0 };
		uint64_t number, mark = 0;
		assert_int_equal(otlog__spool_files_take(files, 0, &out, &number), 2);
		memcpy(&mark, out.data, sizeof mark);
		assert_in_range(mark, finished, finished + 1);
		assert_true(spool_request_is(out.data, out.size, mark));
		expect(files, mark + 1, mark + found, true);
		assert_true(mark + found >= appended);
		expect_nothing(files, 0);
		assert_int_equal(books_of(files, 0).damaged, 0);
		otlog__spool_files_finish(files, 0, number);
		otlog__buffer_free(&out);
		otlog__spool_files_free(files);
		spool_folder_remove(&folder);
		spool_folder_make(&folder);
	}
	process_unshare(words, sizeof *words);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(no_folder_is_told_apart),
		IN_FOLDER(what_was_not_finished_is_taken_over_in_order),
		IN_FOLDER(who_takes_over_may_die_too),
		IN_FOLDER(reading_changes_nothing),
		IN_FOLDER(a_live_spool_can_be_looked_at),
		IN_FOLDER(pipelines_and_processes_are_kept_apart),
		IN_FOLDER(exchanged_segments_are_read_in_their_order),
		IN_FOLDER(a_missing_segment_is_a_gap_of_known_size),
		IN_FOLDER(a_segment_that_has_come_back_is_not_delivered_again),
		IN_FOLDER(a_done_slot_that_is_damaged_or_strange_is_not_trusted),
		IN_FOLDER(segments_of_another_version_or_architecture_are_left_alone),
		IN_FOLDER(litter_is_removed_and_what_is_not_ours_is_left),
		IN_FOLDER(every_append_that_returned_is_there_after_a_kill),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
