/*
 * What an otlog of another time or machine has left in the queue directory: queues of version 1, written here from its
 * layout, of a version to come, of the other byte order and word size; spools of another version; queues that were never
 * finished. They are left as they are, to the byte, and each is told of once; only what no process can have any use for is
 * removed. Meanwhile a queue of ours is delivered, whole.
 */
#include "tests/support/harness/cmocka.h"

#include "sdk/base/clock.h"
#include "sdk/queue/crc32c.h"
/* What a segment file looks like: one of another version is written here. */
#include "sdk/queue/spool/spool_segment.h"
#include "tests/support/harness/check.h"
#include "tests/support/harness/process.h"
#include "tests/support/queues/queue_directory.h"
#include "tests/support/sdk/diagnosed.h"
#include "tests/support/sdk/sdk_fixture.h"
#include "tests/support/sdk/sdk_books.h"
#include "tests/support/sdk/tally.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define RECORDS 500u
#define LONG_MS 30000
#define LANE_BYTES (UINT64_C(1) << 16)

static char directory[64];
static tally *records;

/* ---- Files by hand ----------------------------------------------------------------------------------------------- */

static void
path_of(char out[640], const char *name)
{
	snprintf(out, 640, "%s/%s", directory, name);
}

static void
put(const char *name, const void *bytes, size_t size)
{
	char path[640];
	path_of(path, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	close(fd);
}

static bool
is_there(const char *name)
{
	char path[640];
	path_of(path, name);
	return access(path, F_OK) == 0;
}

static uint32_t
crc_of_file(const char *name)
{
	static uint8_t bytes[2 << 20];
	char path[640];
	path_of(path, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	ssize_t size = read(fd, bytes, sizeof bytes);
	close(fd);
	CHECK(size > 0 && size < (ssize_t)sizeof bytes);
	return otlog__crc32c((uint32_t)size, bytes, (size_t)size);
}

/* As if it had been there for an hour. */
static void
make_old(const char *name)
{
	char path[640];
	struct timespec times[2] = { { .tv_sec = time(NULL) - 3600 }, { .tv_sec = time(NULL) - 3600 } };
	path_of(path, name);
	CHECK(utimensat(AT_FDCWD, path, times, 0) == 0);
}

/* The header of version 1: the same fields, no copy, no seal. */
static otlog__queue_header
header_of_version(uint32_t version)
{
	otlog__queue_header header = { .magic = "otlogQ\r\n",
		                       .byte_order = 0x01020304,
		                       .version = version,
		                       .word_bytes = 8,
		                       .lanes = 1,
		                       .pipelines = 1,
		                       .lane_bytes = LANE_BYTES,
		                       .data_offset = LANE_BYTES,
		                       .salt = 42,
		                       .created_unix_nano = 1,
		                       .pid = 1,
		                       .boot_id = "00000000-0000-0000-0000-000000000000" };
	header.crc = otlog__crc32c(0, &header, offsetof(otlog__queue_header, crc));
	return header;
}

/* As if written by a machine of the other byte order. */
static void
turn_round(otlog__queue_header *h)
{
	h->byte_order = __builtin_bswap32(h->byte_order);
	h->version = __builtin_bswap32(h->version);
	h->word_bytes = __builtin_bswap32(h->word_bytes);
	h->flags = __builtin_bswap32(h->flags);
	h->lanes = __builtin_bswap32(h->lanes);
	h->pipelines = __builtin_bswap32(h->pipelines);
	h->lane_bytes = __builtin_bswap64(h->lane_bytes);
	h->data_offset = __builtin_bswap64(h->data_offset);
	h->salt = __builtin_bswap64(h->salt);
	h->created_unix_nano = __builtin_bswap64(h->created_unix_nano);
	h->pid = __builtin_bswap64(h->pid);
	h->crc = __builtin_bswap32(otlog__crc32c(0, h, offsetof(otlog__queue_header, crc)));
}

/* A queue with that header and two frames in it. */
static void
put_queue(const char *name, const otlog__queue_header *header)
{
	static uint8_t file[2 * LANE_BYTES];
	char full[128];
	memset(file, 0, sizeof file);
	memcpy(file, header, sizeof *header);
	const uint64_t tail = 80, accepted = 2;
	memcpy(file + 4096 + 8, &tail, sizeof tail);
	memcpy(file + 4096 + 16, &accepted, sizeof accepted);
	for (uint32_t seq = 0; seq < 2; seq++) {
		otlog__frame frame = { .size = 24, .pipelines = 1, .seq = seq };
		frame.check = otlog__frame_check(&frame, 0, 42);
		memcpy(file + LANE_BYTES + (size_t)seq * 40, &frame, sizeof frame);
	}
	snprintf(full, sizeof full, "%s.queue", name);
	put(full, file, sizeof file);
	snprintf(full, sizeof full, "%s.meta", name);
	put(full, "what an old one keeps", 21);
}

static void
put_spool(const char *name, uint32_t version)
{
	char path[640];
	uint8_t page[OTLOG__SPOOL_PAGE] = { 0 };
	otlog__spool_header header = {
		.magic = OTLOG__SPOOL_MAGIC, .byte_order = OTLOG__BYTE_ORDER, .version = version, .salt = 7, .first = 1
	};
	header.crc = otlog__crc32c(0, &header, offsetof(otlog__spool_header, crc));
	memcpy(page, &header, sizeof header);
	memcpy(page + OTLOG__SPOOL_SECOND_HEADER, &header, sizeof header);
	snprintf(path, sizeof path, "%s/%s.spool", directory, name);
	CHECK(mkdir(path, 0700) == 0);
	snprintf(path, sizeof path, "%s.spool/00-00000001", name);
	put(path, page, sizeof page);
}

/* ---- Processes --------------------------------------------------------------------------------------------------- */

static otlog_provider *
start(otlog_diagnostic_function diagnostic)
{
	const otlog_pipeline_options pipeline = { .exporter = tally_exporter(&records->destinations[0], "far"),
		                                  .schedule_delay_ms = 5 };
	otlog_provider *provider = otlog_provider_create(&(otlog_options){ .pipelines = &pipeline,
	                                                                   .pipeline_count = 1,
	                                                                   .queue_bytes = 1 << 19,
	                                                                   .queue_directory = directory,
	                                                                   .diagnostic = diagnostic });
	CHECK(provider);
	return provider;
}

/* A process emits and is gone. */
static void
leave_a_queue(uint32_t source)
{
	int status;
	fflush(NULL);
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		atomic_store(&records->destinations[0].away, 1);
		otlog_provider *provider = start(sdk_silence);
		otlog_logger *logger =
		    otlog_provider_get_logger(provider, &(otlog_logger_options){ .name = "old files" });
		for (uint32_t i = 0; i < RECORDS; i++)
			CHECK(tally_emit(records, logger, source) == OTLOG_EMIT_ACCEPTED);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	atomic_store(&records->destinations[0].away, 0);
}

static void
wait_for(otlog_provider *provider, uint64_t delivered)
{
	sdk_books books;
	uint64_t give_up = otlog__monotonic_nano() + LONG_MS * OTLOG__NANOS_PER_MS;
	do {
		usleep(2000);
		sdk_take_books(provider, &books);
		CHECK(otlog__monotonic_nano() < give_up);
	} while (books.pipelines[0].delivered < delivered);
}

static void
check_delivered(uint32_t sources)
{
	tally_sum sum = tally_count(&records->destinations[0], 0, sources);
	assert_int_equal(sum.accepted, sources * RECORDS);
	assert_int_equal(sum.missing + sum.twice + sum.wrong + atomic_load(&records->strange), 0);
}

/* ---- Tests ------------------------------------------------------------------------------------------------------- */

static void
queues_of_other_times_and_machines_are_left_and_told_of_once(void **state)
{
	static const char *const names[] = { "one", "future", "swapped", "narrow" };
	otlog__queue_header headers[] = { header_of_version(1), header_of_version(3), header_of_version(2),
		                          header_of_version(2) };
	uint32_t queues[4], metas[4], spool;
	char name[64];
	(void)state;
	turn_round(&headers[2]);
	headers[3].word_bytes = 4;
	headers[3].crc = otlog__crc32c(0, &headers[3], offsetof(otlog__queue_header, crc));
	leave_a_queue(0);
	for (size_t i = 0; i < 4; i++) {
		put_queue(names[i], &headers[i]);
		snprintf(name, sizeof name, "%s.queue", names[i]);
		make_old(name);
		queues[i] = crc_of_file(name);
		snprintf(name, sizeof name, "%s.meta", names[i]);
		make_old(name);
		metas[i] = crc_of_file(name);
	}
	put_spool("one", 1);
	spool = crc_of_file("one.spool/00-00000001");
	diagnosed_begin();
	otlog_provider *provider = start(diagnosed_take);
	wait_for(provider, RECORDS);
	leave_a_queue(1); /* that it is delivered shows that the directory was looked into again */
	wait_for(provider, 2 * RECORDS);
	assert_int_equal(otlog_provider_shutdown(provider, LONG_MS), OTLOG_DELIVERED);
	otlog_provider_destroy(provider);
	check_delivered(2);
	for (size_t i = 0; i < 4; i++) {
		snprintf(name, sizeof name, "%s.queue", names[i]);
		assert_int_equal(crc_of_file(name), queues[i]);
		assert_int_equal(diagnosed_times(name), 1);
		snprintf(name, sizeof name, "%s.meta", names[i]);
		assert_int_equal(crc_of_file(name), metas[i]);
	}
	assert_int_equal(diagnosed_times("is of another version or architecture and is left as it is"), 4);
	assert_int_equal(crc_of_file("one.spool/00-00000001"), spool);
	assert_int_equal(process_count_files(directory), 9);
	print_message("4 queues of other versions and machines: left, told of once each; %u records of 2 others "
	              "delivered, 0 lost, 0 twice\n",
	              2 * RECORDS);
}

static void
a_spool_of_another_version_beside_a_queue_of_ours_is_left_and_told_of(void **state)
{
	char path[512], name[160];
	(void)state;
	leave_a_queue(0);
	assert_int_equal(queue_directory_find(directory, ".queue", path), 1);
	const char *file = strrchr(path, '/') + 1;
	snprintf(name, sizeof name, "%.*s", (int)(strlen(file) - strlen(".queue")), file);
	put_spool(name, 99);
	snprintf(path, sizeof path, "%s.spool/00-00000001", name);
	uint32_t before = crc_of_file(path);
	diagnosed_begin();
	otlog_provider *provider = start(diagnosed_take);
	wait_for(provider, RECORDS);
	assert_int_equal(otlog_provider_shutdown(provider, LONG_MS), OTLOG_DELIVERED);
	otlog_provider_destroy(provider);
	check_delivered(1);
	assert_int_equal(crc_of_file(path), before);
	assert_true(is_there(path));
	assert_int_equal(diagnosed_times("of another version"), 1);
	print_message(
	    "a spool of another version: left, told of once; %u records of its queue delivered, 0 lost, 0 twice\n",
	    RECORDS);
}

/* Holds the lock of the file until it is killed. */
static pid_t
hold(const char *name)
{
	char path[640], byte;
	int ready[2];
	path_of(path, name);
	CHECK(pipe(ready) == 0);
	fflush(NULL);
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
		int fd = open(path, O_RDWR | O_CLOEXEC);
		CHECK(fd >= 0 && fcntl(fd, F_SETLK, &lock) == 0 && write(ready[1], "x", 1) == 1);
		for (;;)
			pause();
	}
	CHECK(read(ready[0], &byte, 1) == 1);
	close(ready[0]);
	close(ready[1]);
	return child;
}

static void
queues_that_were_never_finished_are_removed_once_they_are_old(void **state)
{
	(void)state;
	put("old.new", "half", 4);
	put("old.meta", "half", 4);
	put("held.new", "half", 4);
	put("held.meta", "half", 4);
	put("orphan.meta", "half", 4);
	make_old("old.new");
	make_old("old.meta");
	make_old("held.new");
	make_old("held.meta");
	make_old("orphan.meta");
	put("young.new", "half", 4);
	put("young.meta", "half", 4);
	pid_t holder = hold("held.new");
	leave_a_queue(0);
	otlog_provider *provider = start(diagnosed_take);
	wait_for(provider, RECORDS);
	assert_int_equal(otlog_provider_shutdown(provider, LONG_MS), OTLOG_DELIVERED);
	otlog_provider_destroy(provider);
	kill(holder, SIGKILL);
	waitpid(holder, NULL, 0);
	check_delivered(1);
	assert_false(is_there("old.new") || is_there("old.meta") || is_there("orphan.meta"));
	assert_true(is_there("held.new") && is_there("held.meta"));
	assert_true(is_there("young.new") && is_there("young.meta"));
	assert_int_equal(process_count_files(directory), 4);
	print_message("unfinished queues: the old one removed, one of a live process and a new one left; %u records of "
	              "another delivered, 0 lost, 0 twice\n",
	              RECORDS);
}

static int
make_directory(void **state)
{
	(void)state;
	queue_directory_make(directory);
	records = tally_make(2, RECORDS);
	diagnosed_begin();
	return 0;
}

static int
remove_directory(void **state)
{
	(void)state;
	queue_directory_remove(directory);
	tally_free(records);
	return 0;
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(queues_of_other_times_and_machines_are_left_and_told_of_once),
		IN_DIRECTORY(a_spool_of_another_version_beside_a_queue_of_ours_is_left_and_told_of),
		IN_DIRECTORY(queues_that_were_never_finished_are_removed_once_they_are_old),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
