/* The spool of a live process: order, bounds, both policies, what is in flight, and what stays behind. */
#include "tests/support/harness/cmocka.h"

/* What a segment file looks like: its page and heads bound the largest request. */
#include "sdk/queue/spool/spool_segment.h"
#include "tests/support/queues/spool_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB (UINT64_C(1) << 20)
#define KIB UINT64_C(1024)

static void
destroy(otlog__spool *spool)
{
	otlog__spool_close(spool);
	otlog__spool_free(spool);
}

static void
first_in_is_first_out_over_many_segments(void **state)
{
	(void)state;
	otlog__spool *spool = spool_folder_create(&folder, 8 * MIB, false);
	assert_int_equal(spool_get(spool, 0, 0, true), 0);
	assert_int_equal(spool_folder_files(&folder), 0);
	for (uint64_t i = 0; i < 500; i++)
		assert_int_equal(spool_put(spool, i, 8 + (size_t)(i * 7919 % 9000), 1 + (uint32_t)i % 5),
		                 OTLOG__SPOOL_TAKEN);
	assert_true(spool_folder_files(&folder) > 2);
	for (uint64_t i = 0; i < 500; i++)
		assert_int_equal(spool_get(spool, i, 8 + (size_t)(i * 7919 % 9000), true), 1 + i % 5);
	assert_int_equal(spool_get(spool, 0, 0, true), 0);
	otlog__spool_books books = spool_books_of(spool);
	assert_int_equal(books.delivered, 1500);
	assert_int_equal(books.spooled, 1500);
	assert_int_equal(books.bytes, 0);
	assert_int_equal(spool_folder_files(&folder), 0);
	destroy(spool);
	assert_int_equal(faccessat(folder.directory, SPOOL_NAME ".spool", F_OK, 0), -1);
}

static void
files_are_the_owners_alone(void **state)
{
	(void)state;
	struct stat info;
	mode_t before = umask(0);
	otlog__spool *spool = spool_folder_create(&folder, MIB, false);
	assert_int_equal(spool_put(spool, 1, 100, 1), OTLOG__SPOOL_TAKEN);
	umask(before);
	assert_int_equal(fstatat(folder.directory, SPOOL_NAME ".spool", &info, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(info.st_mode & 07777, 0700);
	assert_int_equal(fstatat(folder.directory, SPOOL_NAME ".spool/02-00000001", &info, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(info.st_mode & 07777, 0600);
	destroy(spool);
}

static void
a_link_in_place_of_the_folder_is_not_followed(void **state)
{
	(void)state;
	assert_int_equal(symlinkat("/tmp", folder.directory, SPOOL_NAME ".spool"), 0);
	otlog__spool *spool = spool_folder_create(&folder, MIB, false);
	assert_int_equal(spool_put(spool, 1, 100, 1), OTLOG__SPOOL_FAILED);
	assert_true(errno == ENOTDIR || errno == ELOOP);
	assert_int_equal(spool_books_of(spool).bytes, 0);
	destroy(spool);
	assert_int_equal(unlinkat(folder.directory, SPOOL_NAME ".spool", 0), 0);
}

static void
an_older_segment_is_never_written_over(void **state)
{
	(void)state;
	otlog__spool *before = spool_folder_create(&folder, MIB, false);
	assert_int_equal(spool_put(before, 1, 100, 1), OTLOG__SPOOL_TAKEN);
	destroy(before);
	otlog__spool *spool = spool_folder_create(&folder, MIB, false);
	assert_int_equal(spool_put(spool, 2, 100, 1), OTLOG__SPOOL_TAKEN);
	assert_int_equal(spool_folder_files(&folder), 2);
	assert_int_equal(spool_get(spool, 2, 100, true), 1);
	assert_int_equal(spool_folder_files(&folder), 1);
	destroy(spool);
}

static void
segments_are_an_eighth_of_the_bound_within_limits(void **state)
{
	(void)state;
	static const struct {
		uint64_t max_bytes, segment;
	} cases[] = { { MIB, 256 * KIB }, { 2 * MIB, 256 * KIB }, { 16 * MIB, 2 * MIB }, { 400 * MIB, 16 * MIB } };
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		otlog__spool *spool = spool_folder_create(&folder, cases[i].max_bytes, false);
		uint64_t mark = 0;
		while (spool_folder_files(&folder) < 2)
			assert_int_equal(spool_put(spool, mark++, 60 * KIB, 1), OTLOG__SPOOL_TAKEN);
		spool_bytes bytes = spool_bytes_load(&folder, 1);
		assert_in_range(bytes.size, cases[i].segment - 61 * KIB, cases[i].segment);
		spool_bytes_free(&bytes);
		while (mark)
			mark -= spool_get(spool, spool_books_of(spool).delivered, 60 * KIB, true);
		destroy(spool);
	}
}

static void
a_request_larger_than_a_segment_has_one_of_its_own(void **state)
{
	(void)state;
	size_t largest = MIB - OTLOG__SPOOL_PAGE - sizeof(otlog__spool_entry);
	otlog__spool *spool = spool_folder_create(&folder, MIB, false);
	assert_int_equal(spool_put(spool, 1, largest + 1, 9), OTLOG__SPOOL_FULL);
	assert_int_equal(spool_put(spool, 2, largest, 9), OTLOG__SPOOL_TAKEN);
	assert_int_equal(spool_books_of(spool).bytes, MIB);
	assert_int_equal(spool_put(spool, 3, 8, 1), OTLOG__SPOOL_FULL);
	assert_int_equal(spool_get(spool, 2, largest, true), 9);
	assert_int_equal(spool_put(spool, 4, 8, 1), OTLOG__SPOOL_TAKEN);
	assert_int_equal(spool_get(spool, 4, 8, true), 1);
	destroy(spool);
}

/* The bytes of the files are those that the books say, and within the bound. */
static void
check_bytes(otlog__spool *spool, uint64_t max_bytes)
{
	struct stat info;
	uint64_t sum = 0;
	for (uint32_t number = 1; number < 400; number++) {
		char name[64];
		snprintf(name, sizeof name, SPOOL_NAME ".spool/02-%08u", number);
		if (fstatat(folder.directory, name, &info, AT_SYMLINK_NOFOLLOW) == 0)
			sum += (uint64_t)info.st_size;
	}
	assert_int_equal(sum, spool_books_of(spool).bytes);
	assert_true(sum <= max_bytes);
}

static void
a_full_spool_says_so_and_keeps_what_it_has(void **state)
{
	(void)state;
	otlog__spool *spool = spool_folder_create(&folder, MIB, false);
	uint64_t count = 0;
	while (spool_put(spool, count, 10000, 2) == OTLOG__SPOOL_TAKEN)
		count++;
	assert_int_equal(spool_put(spool, count, 10000, 2), OTLOG__SPOOL_FULL);
	assert_in_range(count, MIB / 10032 - 4, MIB / 10024);
	check_bytes(spool, MIB);
	for (uint64_t i = 0; i < count; i++)
		assert_int_equal(spool_get(spool, i, 10000, true), 2);
	assert_int_equal(spool_books_of(spool).spooled, 2 * count);
	destroy(spool);
}

static void
the_oldest_segment_gives_way(void **state)
{
	(void)state;
	otlog__spool *spool = spool_folder_create(&folder, MIB, true);
	uint64_t count = 0;
	for (; count < 300; count++) {
		assert_int_equal(spool_put(spool, count, 10000, 2), OTLOG__SPOOL_TAKEN);
		check_bytes(spool, MIB);
	}
	otlog__spool_books books = spool_books_of(spool);
	assert_true(books.dropped[OTLOG_DROP_SPOOL_FULL] > 0);
	assert_true(books.queued >= 2 * 75); /* three of four segments at least */
	for (uint64_t i = books.dropped[OTLOG_DROP_SPOOL_FULL] / 2; i < count; i++)
		assert_int_equal(spool_get(spool, i, 10000, true), 2);
	assert_int_equal(spool_get(spool, 0, 0, true), 0);
	destroy(spool);
}

static void
an_entry_in_flight_that_gives_way_is_counted_by_its_end(void **state)
{
	(void)state;
	otlog__spool *spool = spool_folder_create(&folder, MIB, true);
	otlog__buffer out = { 0 };
	uint64_t number[3], count = 0;
	assert_int_equal(spool_put(spool, count++, 100000, 7), OTLOG__SPOOL_TAKEN);
	assert_int_equal(spool_put(spool, count++, 100000, 7), OTLOG__SPOOL_TAKEN);
	for (int i = 0; i < 2; i++)
		assert_int_equal(otlog__spool_take(spool, &out, &number[i]), 7);
	while (spool_books_of(spool).dropped[OTLOG_DROP_SPOOL_FULL] == 0 && count < 50)
		assert_int_equal(spool_put(spool, count++, 100000, 7), OTLOG__SPOOL_TAKEN);
	otlog__spool_books books = spool_books_of(spool);
	assert_int_equal(books.dropped[OTLOG_DROP_SPOOL_FULL] + books.queued, 7 * count);
	otlog__spool_finish(spool, number[0], &(otlog__batch_end){ 0 });
	otlog__spool_finish(spool, number[1], &(otlog__batch_end){ .dropped[OTLOG_DROP_REJECTED] = 3 });
	books = spool_books_of(spool);
	assert_int_equal(books.delivered, 11);
	assert_int_equal(books.dropped[OTLOG_DROP_REJECTED], 3);
	assert_int_equal(books.queued, books.waiting);
	otlog__buffer_free(&out);
	destroy(spool);
}

static void
one_that_gave_way_and_has_no_end_is_dropped_when_all_is_closed(void **state)
{
	(void)state;
	otlog__spool *spool = spool_folder_create(&folder, MIB, true);
	uint64_t count = 0;
	assert_int_equal(spool_put(spool, count++, 100000, 7), OTLOG__SPOOL_TAKEN);
	assert_int_equal(spool_get(spool, 0, 100000, false), 7);
	while (spool_books_of(spool).dropped[OTLOG_DROP_SPOOL_FULL] == 0)
		assert_int_equal(spool_put(spool, count++, 100000, 2), OTLOG__SPOOL_TAKEN);
	otlog__spool_books before = spool_books_of(spool);
	otlog__spool_close(spool);
	otlog__spool_books after = spool_books_of(spool);
	assert_int_equal(after.dropped[OTLOG_DROP_SPOOL_FULL], before.dropped[OTLOG_DROP_SPOOL_FULL] + 7);
	assert_int_equal(after.queued, before.queued - 7);
	otlog__spool_free(spool);
}

static void
what_is_being_delivered_already_is_not_handed_out(void **state)
{
	(void)state;
	uint8_t request[64];
	uint64_t numbers[2];
	otlog__spool *spool = spool_folder_create(&folder, MIB, false);
	spool_request_fill(request, sizeof request, 1);
	for (int i = 0; i < 2; i++)
		assert_int_equal(otlog__spool_append(spool, request, sizeof request, 3, true, &numbers[i]),
		                 OTLOG__SPOOL_TAKEN);
	assert_int_equal(spool_books_of(spool).queued, 6);
	assert_int_equal(spool_books_of(spool).waiting, 0);
	assert_int_equal(spool_get(spool, 0, 0, true), 0);
	assert_int_equal(spool_put(spool, 2, 64, 5), OTLOG__SPOOL_TAKEN);
	assert_int_equal(otlog__spool_append(spool, request, sizeof request, 3, true, numbers), OTLOG__SPOOL_FAILED);
	assert_int_equal(errno, EINVAL); /* something is waiting before it */
	otlog__spool_finish(spool, numbers[0], &(otlog__batch_end){ 0 });
	assert_int_equal(spool_get(spool, 2, 64, false), 5);
	otlog__spool_finish(spool, numbers[1], &(otlog__batch_end){ .dropped[OTLOG_DROP_TOO_LARGE] = 3 });
	otlog__spool_finish(spool, numbers[1] + 1, &(otlog__batch_end){ 0 });
	otlog__spool_books books = spool_books_of(spool);
	assert_int_equal(books.delivered, 8);
	assert_int_equal(books.dropped[OTLOG_DROP_TOO_LARGE], 3);
	assert_int_equal(books.bytes, 0);
	destroy(spool);
}

static void
what_makes_no_sense_is_refused(void **state)
{
	(void)state;
	uint64_t number;
	otlog__spool *spool = spool_folder_create(&folder, MIB, false);
	assert_int_equal(otlog__spool_append(spool, "x", 0, 1, false, &number), OTLOG__SPOOL_FAILED);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(otlog__spool_append(spool, "x", 1, 0, false, &number), OTLOG__SPOOL_FAILED);
	assert_int_equal(errno, EINVAL);
	otlog__spool_finish(spool, 77, &(otlog__batch_end){ 0 });
	otlog__spool_close(spool);
	assert_int_equal(spool_put(spool, 1, 100, 1), OTLOG__SPOOL_FAILED);
	assert_int_equal(spool_get(spool, 0, 0, true), 0);
	otlog__spool_free(spool);
	otlog__spool_free(NULL);
}

static void
one_pipeline_that_closes_does_not_take_the_folder_from_another(void **state)
{
	(void)state;
	otlog__spool *near = spool_folder_create(&folder, MIB, false);
	otlog__spool *far = otlog__spool_create(&(otlog__spool_options){ .directory = folder.directory,
	                                                                 .name = SPOOL_NAME,
	                                                                 .pipeline = 5,
	                                                                 .pipeline_name = "far",
	                                                                 .max_bytes = MIB });
	assert_int_equal(spool_put(far, 1, 100, 1), OTLOG__SPOOL_TAKEN);
	assert_int_equal(spool_put(near, 1, 100, 1), OTLOG__SPOOL_TAKEN);
	assert_int_equal(spool_get(near, 1, 100, true), 1);
	assert_int_equal(spool_get(far, 1, 100, true), 1);
	destroy(near); /* the folder was empty and is gone now */
	assert_int_equal(spool_put(far, 2, 100, 1), OTLOG__SPOOL_TAKEN);
	assert_int_equal(spool_folder_files(&folder), 1);
	assert_int_equal(spool_get(far, 2, 100, true), 1);
	destroy(far);
	assert_int_equal(faccessat(folder.directory, SPOOL_NAME ".spool", F_OK, 0), -1);
}

static void
everything_can_be_synced(void **state)
{
	(void)state;
	otlog__spool *spool = otlog__spool_create(&(otlog__spool_options){ .directory = folder.directory,
	                                                                   .name = SPOOL_NAME,
	                                                                   .pipeline = SPOOL_PIPELINE,
	                                                                   .pipeline_name = SPOOL_PIPELINE_NAME,
	                                                                   .max_bytes = MIB,
	                                                                   .sync = true });
	assert_true(otlog__spool_sync(spool));
	for (uint64_t i = 0; i < 5; i++)
		assert_int_equal(spool_put(spool, i, 100000, 1), OTLOG__SPOOL_TAKEN);
	assert_true(otlog__spool_sync(spool));
	for (uint64_t i = 0; i < 5; i++)
		assert_int_equal(spool_get(spool, i, 100000, true), 1);
	destroy(spool);
	spool = spool_folder_create(&folder, MIB, false);
	for (uint64_t i = 0; i < 5; i++)
		assert_int_equal(spool_put(spool, i, 100000, 1), OTLOG__SPOOL_TAKEN);
	assert_true(otlog__spool_sync(spool));
	assert_true(otlog__spool_sync(spool));
	destroy(spool);
}

static void
a_segment_that_somebody_removes_is_counted(void **state)
{
	(void)state;
	otlog__spool *spool = spool_folder_create(&folder, MIB, false);
	uint64_t count = 0;
	while (spool_folder_files(&folder) < 3)
		assert_int_equal(spool_put(spool, count++, 50000, 4), OTLOG__SPOOL_TAKEN);
	assert_int_equal(unlinkat(folder.directory, SPOOL_NAME ".spool/02-00000002", 0), 0);
	for (uint64_t i = 0; i < 5; i++)
		assert_int_equal(spool_get(spool, i, 50000, true), 4);
	assert_int_equal(spool_get(spool, count - 1, 50000, true), 4);
	otlog__spool_books books = spool_books_of(spool);
	assert_int_equal(books.dropped[OTLOG_DROP_DAMAGED], 4 * (count - 6));
	assert_int_equal(books.queued, 0);
	assert_int_equal(books.bytes, 0);
	destroy(spool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(first_in_is_first_out_over_many_segments),
		IN_FOLDER(files_are_the_owners_alone),
		IN_FOLDER(a_link_in_place_of_the_folder_is_not_followed),
		IN_FOLDER(an_older_segment_is_never_written_over),
		IN_FOLDER(segments_are_an_eighth_of_the_bound_within_limits),
		IN_FOLDER(a_request_larger_than_a_segment_has_one_of_its_own),
		IN_FOLDER(a_full_spool_says_so_and_keeps_what_it_has),
		IN_FOLDER(the_oldest_segment_gives_way),
		IN_FOLDER(an_entry_in_flight_that_gives_way_is_counted_by_its_end),
		IN_FOLDER(one_that_gave_way_and_has_no_end_is_dropped_when_all_is_closed),
		IN_FOLDER(what_is_being_delivered_already_is_not_handed_out),
		IN_FOLDER(what_makes_no_sense_is_refused),
		IN_FOLDER(one_pipeline_that_closes_does_not_take_the_folder_from_another),
		IN_FOLDER(everything_can_be_synced),
		IN_FOLDER(a_segment_that_somebody_removes_is_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
