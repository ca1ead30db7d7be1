/* The queue in a file: what lies there, who may touch it, and what happens where no file can be had. */
#include "tests/support/harness/cmocka.h"
#include "tests/support/harness/process.h"

#include "sdk/base/clock.h"
#include "sdk/queue/crc32c.h"
/* The kinds of entries in a .meta file, which is read here without the product's reader. */
#include "sdk/queue/meta.h"
#include "sdk/queue/queue.h"
#include "sdk/queue/scopes.h"
/* The inside of a queue: its descriptors are taken away, so that syncing fails as on a broken disk. */
#include "sdk/queue/state.h"
#include "tests/support/queues/queue_fixture.h"
#include "tests/support/queues/queue_image.h"
#include "tests/support/sdk/diagnosed.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const names[] = { "otlp_http", "console" };

static otlog__queue *
open_in(const char *where, const char *service)
{
	otlog__queue *queue = otlog__queue_open(&(otlog__queue_options){ .directory = where,
	                                                                 .service_name = service,
	                                                                 .bytes = 2 * QUEUE_LANE_BYTES,
	                                                                 .lanes = 2,
	                                                                 .pipelines = names,
	                                                                 .pipeline_count = 2,
	                                                                 .resource = "resource bytes",
	                                                                 .resource_size = 14 });
	assert_non_null(queue);
	return queue;
}

static void
put(otlog__queue *queue, const char *text, uint16_t mask)
{
	otlog__slot slot;
	assert_int_equal(otlog__queue_begin(queue, strlen(text), &slot), OTLOG_EMIT_ACCEPTED);
	memcpy(slot.bytes, text, strlen(text));
	otlog__queue_commit(queue, &slot, strlen(text), 0, mask);
}

static void
both_files_are_the_owners_alone_and_say_whose_they_are(void **state)
{
	(void)state;
	char queue_path[512], meta_path[512], prefix[128];
	struct stat info;
	queue_image image;
	mode_t before = umask(0);
	otlog__queue *queue = open_in(directory, "../check out/ü.x");
	umask(before);
	assert_true(otlog__queue_in_file(queue));
	assert_int_equal(queue_directory_find(directory, ".queue", queue_path), 1);
	assert_int_equal(queue_directory_find(directory, ".meta", meta_path), 1);
	snprintf(prefix, sizeof prefix, "%s/_._check_out___.x-%ld-", directory, (long)getpid());
	assert_memory_equal(queue_path, prefix, strlen(prefix));
	assert_memory_equal(queue_path, meta_path, strlen(queue_path) - strlen(".queue"));
	assert_int_equal(stat(queue_path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	assert_true((uint64_t)info.st_blocks * 512 >=
	            2 * QUEUE_LANE_BYTES); /* not sparse: a full disk cannot hurt later */
	assert_int_equal(stat(meta_path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);

	assert_true(queue_image_open(&image, queue_path));
	assert_int_equal(image.header.lanes, 2);
	assert_int_equal(image.header.pipelines, 2);
	assert_int_equal(image.header.lane_bytes, QUEUE_LANE_BYTES);
	assert_int_equal(image.header.pid, getpid());
	assert_int_equal(strlen(image.header.boot_id), 36);
	assert_int_equal(diagnosed_count(), 0);
	queue_image_close(&image);
	otlog__queue_free(queue);
}

struct meta_seen {
	int resources, pipelines, scopes;
	bool right;
};

static void
see_entry(void *user, uint16_t kind, uint16_t number, const uint8_t *payload, size_t size)
{
	struct meta_seen *seen = user;
	switch (kind) {
	case OTLOG__META_RESOURCE:
		seen->resources++;
		seen->right &= size == 14 && memcmp(payload, "resource bytes", 14) == 0;
		break;
	case OTLOG__META_PIPELINE:
		seen->pipelines++;
		seen->right &= number < 2 && size == strlen(names[number]) && memcmp(payload, names[number], size) == 0;
		break;
	case OTLOG__META_SCOPE: {
		uint32_t head = 5;
		seen->right &= number == seen->scopes && size == 4 + 5 + 3 && memcmp(payload, &head, 4) == 0 &&
		               memcmp(payload + 4, "scopeurl", 8) == 0;
		seen->scopes++;
		break;
	}
	default:
		seen->right = false;
	}
}

static void
the_meta_file_has_each_entry_before_its_number_is_known(void **state)
{
	(void)state;
	char path[512];
	otlog__queue *queue = open_in(directory, "s");
	assert_int_equal(queue_directory_find(directory, ".meta", path), 1);
	for (int i = 0; i < 20; i++) {
		struct meta_seen seen = { .right = true };
		assert_int_equal(queue_meta_walk(path, see_entry, &seen), 3 + i);
		assert_true(seen.right);
		assert_int_equal(seen.resources, 1);
		assert_int_equal(seen.pipelines, 2);
		assert_int_equal(seen.scopes, i);
		assert_int_equal(otlog__queue_add_scope(queue, "scope", 5, "url", 3), i);
	}
	otlog__queue_free(queue);
}

static void
what_is_left_at_close_stays_in_the_file(void **state)
{
	(void)state;
	char path[512];
	queue_image image;
	otlog__queue *queue = open_in(directory, "s");
	for (int i = 0; i < 8; i++)
		put(queue, "for both", 3);
	assert_int_equal(queue_drain(queue, 0), 8);
	put(queue, "for the second", 2);
	otlog__queue_close(queue);

	otlog__pipeline_books books;
	otlog__pipeline_take_books(queue, 0, &books);
	assert_int_equal(books.queued, 0);
	assert_int_equal(books.filtered, 1);
	otlog__pipeline_take_books(queue, 1, &books);
	assert_int_equal(books.queued, 9);
	assert_int_equal(books.dropped[OTLOG_DROP_AFTER_SHUTDOWN], 0);
	otlog__queue_free(queue);

	assert_int_equal(queue_directory_find(directory, ".queue", path), 1);
	assert_true(queue_image_open(&image, path));
	uint64_t left[2] = { 0 };
	for (uint32_t lane = 0; lane < 2; lane++)
		for (uint32_t p = 0; p < 2; p++) {
			uint64_t ours, others;
			uint64_t cursor = atomic_load(&queue_image_lane(&image, lane)->pipeline[p].cursor);
			assert_true(queue_image_count(&image, lane, cursor, p, &ours, &others));
			left[p] += ours;
		}
	assert_int_equal(left[0], 0);
	assert_int_equal(left[1], 9);
	queue_image_close(&image);
	assert_int_equal(queue_directory_find(directory, ".meta", path), 1);
}

static void
a_file_with_nothing_left_is_removed(void **state)
{
	(void)state;
	char path[512];
	otlog__queue *queue = open_in(directory, "s");
	put(queue, "for both", 3);
	put(queue, "for the first", 1);
	assert_int_equal(queue_drain(queue, 0), 2);
	assert_int_equal(queue_drain(queue, 1), 1);
	put(queue, "for nobody", 4);
	otlog__queue_free(queue);
	assert_int_equal(queue_directory_find(directory, ".queue", path), 0);
	assert_int_equal(queue_directory_find(directory, ".meta", path), 0);
	assert_int_equal(diagnosed_count(), 0);
}

static void
a_batch_whose_verdict_never_came_stays_in_the_file(void **state)
{
	(void)state;
	char path[512];
	queue_image image;
	otlog__frame_ref ref;
	otlog__batch_span span;
	otlog__queue *queue = open_in(directory, "s");
	put(queue, "in flight", 1);
	assert_int_equal(otlog__queue_read_begin(queue, 0, 1, 100, &ref, &span), 1);
	otlog__queue_read_end(queue, 0);
	otlog__queue_free(queue);
	assert_int_equal(queue_directory_find(directory, ".queue", path), 1);
	assert_true(queue_image_open(&image, path));
	uint64_t ours = 0, others, here;
	for (uint32_t lane = 0; lane < 2; lane++) {
		assert_true(queue_image_count(
		    &image, lane, atomic_load(&queue_image_lane(&image, lane)->pipeline[0].cursor), 0, &here, &others));
		ours += here;
	}
	assert_int_equal(ours, 1);
	queue_image_close(&image);
}

static int
is_locked(void *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	if (fd < 0 || fcntl(fd, F_GETLK, &lock) != 0)
		return 2;
	return lock.l_type == F_WRLCK && lock.l_pid == getppid();
}

static void
the_file_is_locked_while_its_queue_is_open(void **state)
{
	(void)state;
	char path[512];
	otlog__queue *queue = open_in(directory, "s");
	assert_int_equal(queue_directory_find(directory, ".queue", path), 1);
	assert_int_equal(process_run(is_locked, path), 1);
	put(queue, "left", 1);
	otlog__queue_close(queue);
	assert_int_equal(process_run(is_locked, path), 0);
	otlog__queue_free(queue);
}

/* Tries the directory: must end in memory, with one diagnostic that holds the texts, and work all the same. */
static int
falls_back(const char *where, const char *cause, const char *remedy)
{
	char found[512];
	diagnosed_begin();
	otlog__queue *queue = open_in(where, "s");
	if (otlog__queue_in_file(queue))
		return 1;
	if (diagnosed_count() != 1 || !diagnosed_says(cause) || !diagnosed_says(remedy) || !diagnosed_says(where))
		return 2;
	put(queue, "works", 1);
	if (queue_drain(queue, 0) != 1)
		return 3;
	otlog__queue_free(queue);
	return queue_directory_find(where, ".queue", found) || queue_directory_find(where, ".meta", found) ? 4 : 0;
}

static int
falls_back_as_somebody_else(void *where)
{
	if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
		return 9;
	return falls_back(where, "Permission denied", "writable");
}

static void
a_directory_that_is_read_only_gives_memory(void **state)
{
	(void)state;
	assert_int_equal(chmod(directory, 0555), 0);
	assert_int_equal(process_run(falls_back_as_somebody_else, directory), 0);
	assert_int_equal(chmod(directory, 0700), 0);
}

static void
a_directory_that_is_none_gives_memory(void **state)
{
	(void)state;
	char path[128], loose[128];
	snprintf(path, sizeof path, "%s/missing/deeper", directory);
	assert_int_equal(falls_back(path, "No such file", "create it"), 0);
	snprintf(path, sizeof path, "%s/file", directory);
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(falls_back(path, "Not a directory", "create it"), 0);
	snprintf(loose, sizeof loose, "%s/loose", directory);
	assert_int_equal(symlink("nowhere", loose), 0);
	assert_int_equal(falls_back(loose, "No such file", "create it"), 0);
	assert_int_equal(falls_back("", "No such file", "create it"), 0);
}

static void
a_file_system_without_promises_gives_memory(void **state)
{
	(void)state;
	assert_int_equal(falls_back("/proc/self", "file system", "ext4"), 0);
}

static void
a_link_to_a_directory_is_followed(void **state)
{
	(void)state;
	char other[64], path[128];
	queue_directory_make(other);
	diagnosed_begin();
	snprintf(path, sizeof path, "%s/link", directory);
	assert_int_equal(symlink(other, path), 0);
	otlog__queue *queue = open_in(path, "s");
	assert_true(otlog__queue_in_file(queue));
	otlog__queue_free(queue);
	queue_directory_remove(other);
}

static int
falls_back_under_a_limit(void *where)
{
	struct rlimit limit = { .rlim_cur = 100000, .rlim_max = 100000 };
	signal(SIGXFSZ, SIG_DFL);
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 9;
	return falls_back(where, "limit of file sizes", "ulimit -f");
}

static void
a_limit_of_file_sizes_gives_memory_and_no_signal(void **state)
{
	(void)state;
	assert_int_equal(process_run(falls_back_under_a_limit, directory), 0);
}

static void
closing_tells_that_what_was_left_is_not_on_the_disk(void **state)
{
	(void)state;
	otlog__queue *queue = open_in(directory, "s");
	put(queue, "left", 1);
	int taken_away = queue->mapping.directory;
	queue->mapping.directory = -1; /* so that fsync fails */
	diagnosed_begin();
	assert_false(otlog__queue_close(queue));
	assert_false(otlog__queue_close(queue));
	assert_int_equal(diagnosed_times("cannot be brought to the disk"), 1);
	close(taken_away);
	otlog__queue_free(queue);
}

static int
scopes_under_a_limit(void *where)
{
	/* The queue's file fits to the byte, its meta file soon does not. */
	otlog__queue *queue = open_in(where, "s");
	char path[512], big[40000];
	struct rlimit limit = { .rlim_cur = 100000, .rlim_max = 100000 };
	if (queue_directory_find(where, ".meta", path) != 1)
		return 1;
	int before = queue_meta_walk(path, NULL, NULL);
	signal(SIGXFSZ, SIG_DFL);
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 9;
	memset(big, 'b', sizeof big);
	diagnosed_begin();
	for (uint16_t i = 0; i < 4; i++)
		if (otlog__queue_add_scope(queue, big, sizeof big, NULL, 0) != i ||
		    otlog__scopes_get(otlog__queue_scopes(queue), i).head_size != sizeof big)
			return 2;
	if (queue_meta_walk(path, NULL, NULL) != before + 2)
		return 3;
	if (otlog__queue_add_scope(queue, "small", 5, NULL, 0) != 4 || queue_meta_walk(path, NULL, NULL) != before + 3)
		return 4; /* nothing torn lies before it */
	if (diagnosed_count() != 0)
		return 6; /* whoever adds a scope may hold locks */
	otlog__queue_evict(queue);
	if (diagnosed_count() != 1 || !diagnosed_says("File too large"))
		return 5;
	otlog__queue_free(queue);
	return 0;
}

static void
a_scope_that_cannot_be_written_is_kept_in_memory(void **state)
{
	(void)state;
	assert_int_equal(process_run(scopes_under_a_limit, directory), 0);
}

static int
without_address_space(void *where)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_AS, &limit) != 0)
		return 9;
	limit.rlim_cur = UINT64_C(1) << 30;
	if (setrlimit(RLIMIT_AS, &limit) != 0)
		return 9;
	otlog__queue *queue = otlog__queue_open(&(otlog__queue_options){
	    .directory = where, .bytes = UINT64_C(1) << 30, .lanes = 1, .pipelines = names, .pipeline_count = 1 });
	if (queue)
		return 1;
	char found[512];
	return diagnosed_count() == 1 && !queue_directory_find(where, ".queue", found) ? 0 : 2;
}

static void
no_memory_at_all_gives_no_queue_and_leaves_no_file(void **state)
{
	(void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip();
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
	skip(); /* the sanitizer has taken terabytes of address space already */
#endif
#endif
	assert_int_equal(process_run(without_address_space, directory), 0);
}

static void
two_queues_of_a_process_have_files_of_their_own(void **state)
{
	(void)state;
	char path[512];
	otlog__queue *one = open_in(directory, "s");
	otlog__queue *two = open_in(directory, "s");
	assert_int_equal(queue_directory_find(directory, ".queue", path), 2);
	assert_true(otlog__queue_in_file(one) && otlog__queue_in_file(two));
	put(one, "one", 1);
	assert_int_equal(queue_drain(two, 0), 0);
	assert_int_equal(queue_drain(one, 0), 1);
	otlog__queue_free(one);
	otlog__queue_free(two);
	assert_int_equal(queue_directory_find(directory, ".queue", path), 0);
}

static void
checksums_lie_behind_the_records_and_are_not_read(void **state)
{
	(void)state;
	char path[512];
	otlog__frame_ref refs[4];
	otlog__batch_span span;
	otlog__slot slot;
	queue_image image;
	otlog__queue *queue = otlog__queue_open(&(otlog__queue_options){ .directory = directory,
	                                                                 .bytes = QUEUE_LANE_BYTES,
	                                                                 .lanes = 1,
	                                                                 .pipelines = names,
	                                                                 .pipeline_count = 1,
	                                                                 .checksums = true });
	const size_t most = otlog__queue_max_record(queue);
	assert_int_equal(most, QUEUE_LANE_BYTES / 2 - 16 - 4);
	put(queue, "one", 1);
	put(queue, "", 1);
	assert_int_equal(otlog__queue_begin(queue, most, &slot), OTLOG_EMIT_ACCEPTED);
	assert_true(slot.capacity >= most);
	memset(slot.bytes, 'm', slot.capacity); /* all of it is the caller's */
	otlog__queue_commit(queue, &slot, most, 0, 1);
	assert_int_equal(otlog__queue_begin(queue, most + 1, &slot), OTLOG_EMIT_TOO_LARGE);

	assert_int_equal(queue_directory_find(directory, ".queue", path), 1);
	assert_true(queue_image_open(&image, path));
	assert_int_equal(image.header.flags, OTLOG__QUEUE_PAYLOAD_CRC);
	const uint8_t *data = image.bytes + image.header.data_offset;
	otlog__frame frame;
	uint32_t crc;
	memcpy(&frame, data, sizeof frame);
	memcpy(&crc, data + 16 + 3, sizeof crc);
	assert_int_equal(frame.size, 3 + 4);
	assert_int_equal(crc, otlog__crc32c(frame.check, "one", 3));
	queue_image_close(&image);

	assert_int_equal(otlog__queue_read_begin(queue, 0, 4, 3, refs, &span), 2); /* 3 bytes and none */
	assert_int_equal(refs[0].size, 3);
	assert_memory_equal(refs[0].bytes, "one", 3);
	assert_int_equal(refs[1].size, 0);
	otlog__queue_read_end(queue, 0);
	otlog__queue_finish(queue, 0, &span, &(otlog__batch_end){ 0 });
	assert_int_equal(queue_drain(queue, 0), 1);
	otlog__queue_free(queue);
}

static void
in_memory_there_are_no_checksums(void **state)
{
	(void)state;
	otlog__queue *queue = otlog__queue_open(&(otlog__queue_options){
	    .bytes = QUEUE_LANE_BYTES, .lanes = 1, .pipelines = names, .pipeline_count = 1, .checksums = true });
	assert_int_equal(otlog__queue_max_record(queue), QUEUE_LANE_BYTES / 2 - 16);
	assert_true(otlog__queue_sync(queue));
	otlog__queue_free(queue);
}

static void
syncing_tells_whether_it_could(void **state)
{
	(void)state;
	otlog__queue *queue = open_in(directory, "s");
	put(queue, "one", 1);
	assert_true(otlog__queue_sync(queue));
	assert_true(otlog__queue_sync(queue));
	int taken_away = queue->mapping.file;
	queue->mapping.file = -1; /* so that fdatasync fails */
	assert_false(otlog__queue_sync(queue));
	assert_int_equal(errno, EBADF);
	queue->mapping.file = taken_away;
	assert_int_equal(queue_drain(queue, 0), 1);
	otlog__queue_close(queue);
	assert_true(otlog__queue_sync(queue)); /* there is nothing more to sync */
	otlog__queue_free(queue);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(both_files_are_the_owners_alone_and_say_whose_they_are),
		IN_DIRECTORY(the_meta_file_has_each_entry_before_its_number_is_known),
		IN_DIRECTORY(what_is_left_at_close_stays_in_the_file),
		IN_DIRECTORY(a_file_with_nothing_left_is_removed),
		IN_DIRECTORY(a_batch_whose_verdict_never_came_stays_in_the_file),
		IN_DIRECTORY(the_file_is_locked_while_its_queue_is_open),
		IN_DIRECTORY(a_directory_that_is_read_only_gives_memory),
		IN_DIRECTORY(a_directory_that_is_none_gives_memory),
		IN_DIRECTORY(a_file_system_without_promises_gives_memory),
		IN_DIRECTORY(a_link_to_a_directory_is_followed),
		IN_DIRECTORY(a_limit_of_file_sizes_gives_memory_and_no_signal),
		IN_DIRECTORY(closing_tells_that_what_was_left_is_not_on_the_disk),
		IN_DIRECTORY(a_scope_that_cannot_be_written_is_kept_in_memory),
		IN_DIRECTORY(no_memory_at_all_gives_no_queue_and_leaves_no_file),
		IN_DIRECTORY(two_queues_of_a_process_have_files_of_their_own),
		IN_DIRECTORY(checksums_lie_behind_the_records_and_are_not_read),
		cmocka_unit_test(in_memory_there_are_no_checksums),
		IN_DIRECTORY(syncing_tells_whether_it_could),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
