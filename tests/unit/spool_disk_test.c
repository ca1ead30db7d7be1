/*
 * Disks that do not take what they are given: every error at every call, real file systems that are full, limits of file
 * sizes. What append said it took is there, what it did not take is not, and the host lives.
 *
 * The calls below stand in place of libc's in this program.
 */
#include "tests/support/harness/cmocka.h"

#include "tests/support/harness/process.h"
#include "tests/support/harness/small_disk.h"
#include "tests/support/queues/spool_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define MIB (UINT64_C(1) << 20)
#define SIZE 60000u

typedef struct disk {
	bool armed;
	uint32_t calls; /* of writing and syncing, since it was armed */
	uint32_t fail_at;
	uint32_t failures; /* calls in a row that fail */
	int error;
	size_t written; /* bytes of the failing write that are written all the same */
	bool cut_fails;
} disk;

static disk now;

static bool
fails(void)
{
	if (!now.armed)
		return false;
	uint32_t call = now.calls++;
	return call >= now.fail_at && call < now.fail_at + now.failures;
}

ssize_t
pwritev(int fd, const struct iovec *parts, int count, off_t position)
{
	if (!fails())
		return syscall(SYS_pwritev, fd, parts, count, position, 0);
	if (now.written) { /* a short write, and the next call fails */
		struct iovec part = *parts;
		part.iov_len = part.iov_len < now.written ? part.iov_len : now.written;
		now.written = 0;
		now.failures++;
		return syscall(SYS_pwritev, fd, &part, 1, position, 0);
	}
	errno = now.error;
	return -1;
}

int
fdatasync(int fd)
{
	if (!fails())
		return (int)syscall(SYS_fdatasync, fd);
	errno = now.error;
	return -1;
}

int
ftruncate(int fd, off_t size)
{
	if (!now.armed || !now.cut_fails)
		return (int)syscall(SYS_ftruncate, fd, size);
	errno = EIO;
	return -1;
}

static int
make_folder(void **state)
{
	now = (disk){ 0 };
	return spool_folder_setup(state);
}

static int
remove_folder(void **state)
{
	now = (disk){ 0 };
	return spool_folder_teardown(state);
}

/* Appends `count` entries; those that were not taken are tried again at once. Returns how many failed. */
static uint32_t
append_all(otlog__spool *spool, uint64_t count, int error)
{
	uint32_t failed = 0;
	for (uint64_t mark = 0; mark < count;) {
		errno = 0;
		otlog__spool_result result = spool_put(spool, mark, SIZE, 2);
		assert_int_not_equal(result, OTLOG__SPOOL_FULL);
		mark += result == OTLOG__SPOOL_TAKEN;
		if (result == OTLOG__SPOOL_FAILED) {
			assert_int_equal(errno, error);
			failed++;
		}
		otlog__spool_books books = spool_books_of(spool);
		assert_int_equal(books.spooled, 2 * mark);
		assert_int_equal(books.queued, 2 * mark);
	}
	return failed;
}

static void
read_back(otlog__spool *spool, uint64_t count)
{
	for (uint64_t mark = 0; mark < count; mark++)
		assert_int_equal(spool_get(spool, mark, SIZE, true), 2);
	assert_int_equal(spool_get(spool, 0, 0, true), 0);
	assert_int_equal(spool_books_of(spool).bytes, 0);
}

static void
read_back_by_another(uint64_t count)
{
	otlog__buffer out = { 0 };
	uint64_t number;
	otlog__spool_files_books books;
	otlog__spool_files *files = otlog__spool_files_open(folder.directory, SPOOL_NAME, true);
	assert_non_null(files);
	for (uint64_t mark = 0; mark < count; mark++) {
		assert_int_equal(otlog__spool_files_take(files, 0, &out, &number), 2);
		assert_true(out.size == SIZE && spool_request_is(out.data, SIZE, mark));
		otlog__spool_files_finish(files, 0, number);
	}
	assert_int_equal(otlog__spool_files_take(files, 0, &out, &number), 0);
	otlog__spool_files_take_books(files, 0, &books);
	assert_int_equal(books.lost_entries + books.damaged, 0);
	otlog__spool_files_close(files);
	otlog__buffer_free(&out);
	assert_int_equal(spool_folder_files(&folder), 0);
}

static otlog__spool *
create(bool sync)
{
	return otlog__spool_create(&(otlog__spool_options){ .directory = folder.directory,
	                                                    .name = SPOOL_NAME,
	                                                    .pipeline = SPOOL_PIPELINE,
	                                                    .pipeline_name = SPOOL_PIPELINE_NAME,
	                                                    .max_bytes = 8 * MIB,
	                                                    .sync = sync });
}

static void
one_failure(int error, uint32_t at, uint32_t kind, bool sync, bool dies)
{
	static const size_t written[] = { 0, 1, 23, 24, 30, 5000, SIZE - 1 };
	otlog__spool *spool = create(sync);
	now = (disk){ .armed = true,
		      .fail_at = at,
		      .failures = 1,
		      .error = error,
		      .written = written[at % (sizeof written / sizeof written[0])],
		      .cut_fails = kind };
	uint32_t failed = append_all(spool, 20, error);
	assert_int_equal(failed, now.calls > at);
	now.armed = false;
	if (dies) {
		otlog__spool_free(spool);
		read_back_by_another(20);
		return;
	}
	read_back(spool, 20);
	otlog__spool_close(spool);
	otlog__spool_free(spool);
}

static void
an_error_at_every_call_loses_nothing(void **state)
{
	(void)state;
	static const int errors[] = { ENOSPC, EDQUOT, EIO };
	for (uint32_t at = 0; at < 26; at++)
		for (uint32_t kind = 0; kind < 4; kind++)
			one_failure(errors[(at + kind) % 3], at, kind & 1, false, kind & 2);
}

static void
an_error_at_every_call_of_a_spool_that_syncs(void **state)
{
	(void)state;
	for (uint32_t at = 0; at < 48; at += 7)
		for (uint32_t kind = 0; kind < 4; kind++)
			one_failure(EIO, at, kind & 1, true, kind & 2);
}

static void
a_folder_that_cannot_be_made(void **state)
{
	(void)state;
	int file = openat(folder.directory, SPOOL_NAME ".spool", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(file);
	otlog__spool *spool = create(false);
	assert_int_equal(spool_put(spool, 1, SIZE, 1), OTLOG__SPOOL_FAILED);
	assert_int_equal(errno, ENOTDIR);
	assert_int_equal(unlinkat(folder.directory, SPOOL_NAME ".spool", 0), 0);
	assert_int_equal(append_all(spool, 3, 0), 0);
	read_back(spool, 3);
	otlog__spool_close(spool);
	otlog__spool_free(spool);
}

static int
under_a_limit_of_file_sizes(void *unused)
{
	(void)unused;
	signal(SIGXFSZ, SIG_DFL);
	otlog__spool *spool = create(false);
	uint64_t mark = 0;
	for (; mark < 3; mark++)
		if (spool_put(spool, mark, SIZE, 2) != OTLOG__SPOOL_TAKEN)
			return 1;
	struct rlimit limit = { .rlim_cur = 150000, .rlim_max = RLIM_INFINITY };
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 2;
	for (; mark < 9; mark++) /* two to a file */
		if (spool_put(spool, mark, SIZE, 2) != OTLOG__SPOOL_TAKEN)
			return 3;
	if (spool_folder_files(&folder) != 4)
		return 4;
	if (spool_put(spool, 99, 150000, 2) != OTLOG__SPOOL_FAILED || errno != EFBIG)
		return 5;
	limit.rlim_cur = 100;
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 2;
	if (spool_put(spool, 99, 8, 2) != OTLOG__SPOOL_FAILED || errno != EFBIG)
		return 6;
	if (spool_folder_files(&folder) != 4 || spool_books_of(spool).spooled != 18)
		return 7;
	for (mark = 0; mark < 9; mark++)
		if (spool_get(spool, mark, SIZE, true) != 2)
			return 8;
	otlog__spool_close(spool);
	otlog__spool_free(spool);
	return 0;
}

static void
a_limit_of_file_sizes_is_an_error_and_no_signal(void **state)
{
	(void)state;
	assert_int_equal(process_run(under_a_limit_of_file_sizes, NULL), 0);
}

#define REFUSED 77

static int
on_a_tiny_disk(void *unused)
{
	(void)unused;
	if (!small_disk_mount(folder.path, "size=512k", 0))
		return REFUSED;
	close(folder.directory);
	folder.directory = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	otlog__spool *spool = create(false);
	uint64_t count = 0, first = 0;
	for (int lap = 0; lap < 5; lap++) {
		otlog__spool_result result;
		while ((result = spool_put(spool, count, 50001, 2)) == OTLOG__SPOOL_TAKEN)
			count++;
		if (result != OTLOG__SPOOL_FAILED || errno != ENOSPC)
			return 1;
		if (spool_books_of(spool).queued != 2 * (count - first) || count - first < 6)
			return 2;
		for (int i = 0; i < 4 || lap % 2; i++, first++)
			if (spool_get(spool, first, 50001, true) != 2)
				break;
		if (lap % 2 && first != count)
			return 3;
	}
	for (; first < count; first++)
		if (spool_get(spool, first, 50001, true) != 2)
			return 4;
	otlog__spool_close(spool);
	otlog__spool_free(spool);
	return spool_folder_files(&folder) == 0 ? 0 : 5;
}

static void
a_disk_that_is_full_and_has_room_again(void **state)
{
	(void)state;
	int result = process_run(on_a_tiny_disk, NULL);
	if (result == REFUSED) {
		print_message("a file system cannot be mounted here (unshare, mount): skipped\n");
		skip();
	}
	assert_int_equal(result, 0);
}

static void
a_sync_that_fails_says_so(void **state)
{
	(void)state;
	otlog__spool *spool = create(false);
	assert_int_equal(append_all(spool, 3, 0), 0);
	now = (disk){ .armed = true, .failures = 1, .error = EIO };
	assert_false(otlog__spool_sync(spool));
	assert_int_equal(errno, EIO);
	assert_true(otlog__spool_sync(spool));
	now.armed = false;
	read_back(spool, 3);
	otlog__spool_close(spool);
	otlog__spool_free(spool);
}

#define IN_FOLDER_ON_DISK(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER_ON_DISK(an_error_at_every_call_loses_nothing),
		IN_FOLDER_ON_DISK(an_error_at_every_call_of_a_spool_that_syncs),
		IN_FOLDER_ON_DISK(a_folder_that_cannot_be_made),
		IN_FOLDER_ON_DISK(a_limit_of_file_sizes_is_an_error_and_no_signal),
		IN_FOLDER_ON_DISK(a_disk_that_is_full_and_has_room_again),
		IN_FOLDER_ON_DISK(a_sync_that_fails_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
