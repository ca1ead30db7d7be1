/*
 * A disk that does not answer when it is asked to bring something to it, for seconds or for ever, and one that answers that
 * it could not. Flush, shutdown and statistics come back in time, and say no more than is true. Each trial is a process of
 * its own, for it may end with a thread that the disk holds.
 *
 * The calls below stand in place of libc's in this program.
 */
#include "tests/support/harness/cmocka.h"

#include "sdk/base/clock.h"
#include "sdk/base/futex.h"
#include "sdk/queue/recovery/backlog.h"
#include "tests/support/harness/check.h"
#include "tests/support/queues/dead_queue.h"
#include "tests/support/queues/queue_directory.h"
#include "tests/support/sdk/scripted.h"
#include "tests/support/sdk/sdk_fixture.h"
#include "tests/support/sdk/sdk_books.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (UINT64_C(1) << 20)
#define WAIT_MS 200
#define NOISE_MS 2000 /* and the second that what hangs gets */
#define PATIENCE_S 15

/* Files whose path has this in it; NULL: none. */
static const char *slow;
static const char *slow_to_read;
static const char *broken;
static _Atomic uint32_t hanging; /* calls that do not come back. Futex */

static bool
is_one(int fd, const char *what)
{
	char link[32], path[512];
	if (!what)
		return false;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t size = readlink(link, path, sizeof path - 1);
	if (size < 0)
		return false;
	path[size] = '\0';
	return strstr(path, what) != NULL;
}

static void
hang(void)
{
	hanging++;
	otlog__futex_wake_all(&hanging);
	for (;;)
		pause();
}

ssize_t
pread(int fd, void *out, size_t size, off_t position)
{
	if (is_one(fd, slow_to_read))
		hang();
	return syscall(SYS_pread64, fd, out, size, position);
}

int
fdatasync(int fd)
{
	if (is_one(fd, broken)) {
		errno = EIO;
		return -1;
	}
	if (is_one(fd, slow))
		hang();
	return (int)syscall(SYS_fdatasync, fd);
}

static void
wait_until_it_hangs(void)
{
	uint64_t deadline = otlog__deadline_nano(otlog__monotonic_nano(), 10000);
	while (hanging == 0) {
		CHECK(otlog__monotonic_nano() < deadline);
		otlog__futex_wait(&hanging, 0, deadline);
	}
}

static char directory[64];
static scripted *there;
static otlog_provider *provider;
static otlog_logger *logger;

static void
away(void *user, const scripted_call *call, otlog_export_result *result)
{
	(void)user, (void)call;
	result->verdict = OTLOG_VERDICT_RETRY;
}

static void
start(scripted_rule rule, otlog_durability durability)
{
	there = scripted_create("there", rule, NULL, 1);
	const otlog_pipeline_options pipeline = {
		.exporter = scripted_exporter(there), .schedule_delay_ms = 5, .retry_initial_ms = 1, .retry_cap_ms = 5
	};
	provider = otlog_provider_create(&(otlog_options){ .pipelines = &pipeline,
	                                                   .pipeline_count = 1,
	                                                   .queue_bytes = MIB / 2,
	                                                   .queue_directory = directory,
	                                                   .spool_bytes = 4 * MIB,
	                                                   .durability = durability,
	                                                   .sync_interval_ms = 5,
	                                                   .diagnostic = sdk_silence });
	CHECK(provider);
	logger = otlog_provider_get_logger(provider, &(otlog_logger_options){ .name = "checkout" });
}

static otlog_pipeline_statistics
statistics(void)
{
	sdk_books all;
	sdk_take_books(provider, &all);
	return all.pipelines[0];
}

/* Emits until some of it is in the spool, or is held up on the way. */
static void
emit_into_spool(void)
{
	for (uint32_t id = 0; id < 20000 && hanging == 0 && statistics().spooled == 0; id++)
		scripted_emit(logger, id % 1000, 200);
}

static bool
in_time(uint64_t began_nano)
{
	uint64_t took_ms = (otlog__monotonic_nano() - began_nano) / OTLOG__NANOS_PER_MS;
	if (took_ms > WAIT_MS + NOISE_MS)
		fprintf(stderr, "took %lu ms\n", (unsigned long)took_ms);
	return took_ms <= WAIT_MS + NOISE_MS;
}

/* Whatever hangs: all come back, and shutdown does not say that what is left is on the disk. */
static void
all_come_back(void)
{
	uint64_t began = otlog__monotonic_nano();
	otlog_flush_result result = otlog_provider_flush(provider, WAIT_MS);
	CHECK(in_time(began));
	began = otlog__monotonic_nano();
	otlog_pipeline_statistics left = statistics();
	CHECK(in_time(began));
	CHECK(result != OTLOG_DELIVERED || left.queued == 0);
	began = otlog__monotonic_nano();
	result = otlog_provider_shutdown(provider, WAIT_MS);
	CHECK(in_time(began));
	CHECK(result == OTLOG_TIMEOUT || (result == OTLOG_DELIVERED && left.queued == 0));
	began = otlog__monotonic_nano();
	statistics();
	otlog_provider_destroy(provider);
	CHECK(in_time(began));
}

static void
keeper_hangs(void)
{
	slow = ".queue";
	start(away, OTLOG_DURABILITY_INTERVAL);
	scripted_emit(logger, 0, 0);
	wait_until_it_hangs();
	all_come_back();
}

static void
keeper_hangs_with_all_delivered(void)
{
	slow = ".queue";
	start(NULL, OTLOG_DURABILITY_INTERVAL);
	scripted_emit(logger, 0, 0);
	wait_until_it_hangs();
	CHECK(otlog_provider_flush(provider, 10000) == OTLOG_DELIVERED);
	all_come_back();
}

static void
spool_hangs(void)
{
	slow = ".spool/";
	start(away, OTLOG_DURABILITY_INTERVAL);
	emit_into_spool();
	wait_until_it_hangs();
	all_come_back();
}

static void
end_hangs(void)
{
	slow = ".queue";
	start(away, OTLOG_DURABILITY_NONE);
	scripted_emit(logger, 0, 0);
	all_come_back();
	CHECK(hanging);
}

static void
end_of_spool_hangs(void)
{
	slow = ".spool/";
	start(away, OTLOG_DURABILITY_NONE);
	emit_into_spool();
	CHECK(statistics().spooled);
	all_come_back();
	CHECK(hanging);
}

/* Loggers are had, and children, while the names of loggers are on their way to the disk. */
static void
names_hang(void)
{
	slow = ".meta";
	start(away, OTLOG_DURABILITY_INTERVAL);
	scripted_emit(logger, 0, 0);
	wait_until_it_hangs();
	uint64_t began = otlog__monotonic_nano();
	CHECK(otlog_provider_get_logger(provider, &(otlog_logger_options){ .name = "another" }) != logger);
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0)
		_exit(0);
	CHECK(waitpid(child, NULL, 0) == child);
	CHECK(in_time(began));
	all_come_back();
}

static void *
take_from_backlog(void *backlog)
{
	static otlog__backlog_batch batch;
	otlog__backlog_take(backlog, 0, 10, MIB, &batch);
	return NULL;
}

/* Statistics, and so flush and shutdown, do not wait for what a worker reads of a dead process's file. */
static void
reading_hangs(void)
{
	static const char *const names[] = { "there" };
	pthread_t worker;
	dead_queue_make(
	    &(dead_queue){ .directory = directory, .pipelines = names, .pipeline_count = 1, .records = 20 });
	otlog__backlog *backlog = otlog__backlog_create(
	    &(otlog__backlog_options){ .directory = directory, .pipelines = names, .pipeline_count = 1 });
	otlog__backlog_books books;
	CHECK(otlog__backlog_look(backlog));
	slow_to_read = ".queue";
	CHECK(pthread_create(&worker, NULL, take_from_backlog, backlog) == 0);
	wait_until_it_hangs();
	uint64_t began = otlog__monotonic_nano();
	otlog__backlog_take_books(backlog, 0, &books);
	CHECK(in_time(began));
	CHECK(books.queued == 20 && books.adopted == 20);
}

/* What is in the spool survives the process, but nobody can say that it survives the machine. */
static void
spool_is_broken(void)
{
	start(away, OTLOG_DURABILITY_NONE);
	emit_into_spool();
	CHECK(statistics().spooled);
	broken = ".spool/";
	otlog_provider_flush(provider, 0); /* tells of what was refused */
	CHECK(otlog_provider_flush(provider, 0) == OTLOG_DURABLE);
	CHECK(otlog_provider_shutdown(provider, 0) == OTLOG_TIMEOUT);
	otlog_provider_destroy(provider);
}

static void
live(void (*trial)(void))
{
	int status;
	queue_directory_make(directory);
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		alarm(PATIENCE_S);
		trial();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	queue_directory_remove(directory);
	assert_int_equal(status, 0);
}

#define TRIAL(what)                           \
	static void what##_test(void **state) \
	{                                     \
		(void)state;                  \
		live(what);                   \
	}

TRIAL(keeper_hangs)
TRIAL(keeper_hangs_with_all_delivered)
TRIAL(spool_hangs)
TRIAL(end_hangs)
TRIAL(end_of_spool_hangs)
TRIAL(names_hang)
TRIAL(reading_hangs)
TRIAL(spool_is_broken)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeper_hangs_test),       cmocka_unit_test(keeper_hangs_with_all_delivered_test),
		cmocka_unit_test(spool_hangs_test),        cmocka_unit_test(end_hangs_test),
		cmocka_unit_test(end_of_spool_hangs_test), cmocka_unit_test(names_hang_test),
		cmocka_unit_test(reading_hangs_test),      cmocka_unit_test(spool_is_broken_test),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
