/*
 * A disk that fails under the whole SDK: ENOSPC, EDQUOT and EIO at every kind of call, once or for good; a directory that
 * cannot be written; limits of file sizes; a file system that is too small. The destination is away while records come, so
 * they go through the queue's file and the spool, under each policy for a full one.
 *
 * The host lives, no signal comes, and to the last record: what emit accepted was delivered, or is counted as dropped, or
 * is delivered by the next process.
 */
#include "tests/support/harness/cmocka.h"

#include "sdk/base/clock.h"
#include "tests/support/harness/check.h"
#include "tests/support/harness/disk_faults.h"
#include "tests/support/harness/factor.h"
#include "tests/support/harness/process.h"
#include "tests/support/harness/small_disk.h"
#include "tests/support/queues/queue_directory.h"
#include "tests/support/sdk/sdk_fixture.h"
#include "tests/support/sdk/sdk_books.h"
#include "tests/support/sdk/tally.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 2u
#define RECORDS 6000u /* of each: more than queue and spool hold together */
#define LONG_MS 20000
#define MIB (UINT64_C(1) << 20)
#define REFUSED 77 /* exit code: this machine does not let us */

/* One life of a process. */
typedef struct trial {
	const char *directory;
	bool faults; /* these are armed */
	disk_call call;
	uint32_t at;
	uint32_t times;
	int error;
	otlog_spool_full full;
	otlog_durability durability;
	bool leaves;           /* it ends with the destination away: the next process delivers what it left */
	bool (*prepare)(void); /* in the child, before the start. False: this machine does not let us */
	void (*later)(void);   /* the same, after the start */
} trial;

/* What became of it; shared with the children. */
typedef struct outcome {
	tally_sum sum;
	uint64_t dropped;
	uint64_t left;
	uint32_t failed; /* calls */
	bool in_memory;
} outcome;

static tally *records;
static outcome *result;
static char directory[64];

static const otlog_spool_full policies[] = { OTLOG_SPOOL_FULL_DROP_OLDEST, OTLOG_SPOOL_FULL_DROP_NEWEST,
	                                     OTLOG_SPOOL_FULL_BLOCK };

/* ---- One life ---------------------------------------------------------------------------------------------------- */

static otlog_provider *
start(const trial *t)
{
	const otlog_pipeline_options pipeline = { .exporter = tally_exporter(&records->destinations[0], "far"),
		                                  .schedule_delay_ms = 5,
		                                  .retry_initial_ms = 1,
		                                  .retry_cap_ms = 5 };
	otlog_provider *provider = otlog_provider_create(&(otlog_options){ .pipelines = &pipeline,
	                                                                   .pipeline_count = 1,
	                                                                   .queue_bytes = MIB / 2,
	                                                                   .queue_directory = t->directory,
	                                                                   .spool_bytes = MIB,
	                                                                   .spool_full = t->full,
	                                                                   .durability = t->durability,
	                                                                   .sync_interval_ms = 5,
	                                                                   .queue_full = OTLOG_QUEUE_FULL_BLOCK,
	                                                                   .queue_block_timeout_ms = LONG_MS,
	                                                                   .diagnostic = sdk_silence });
	CHECK(provider);
	return provider;
}

typedef struct emitter {
	pthread_t thread;
	otlog_logger *logger;
	uint32_t source;
} emitter;

static void *
emit(void *self)
{
	const emitter *e = self;
	for (uint32_t i = 0; i < RECORDS; i++)
		tally_emit(records, e->logger, e->source);
	return NULL;
}

static uint32_t
emitted(void)
{
	return atomic_load(&records->returned[0]) + atomic_load(&records->returned[1]);
}

/* The destination stays away until all is emitted, or emits wait for room and nobody makes any. */
static void
stay_away(void)
{
	uint32_t before = 0, still_ms = 0;
	while (emitted() < THREADS * RECORDS && still_ms < 30) {
		still_ms = emitted() == before ? still_ms + 1 : 0;
		before = emitted();
		usleep(1000);
	}
}

static void
emit_all(otlog_provider *provider, bool comes_back)
{
	emitter emitters[THREADS];
	atomic_store(&records->destinations[0].away, 1);
	for (uint32_t i = 0; i < THREADS; i++) {
		emitters[i] =
		    (emitter){ .logger = otlog_provider_get_logger(provider, &(otlog_logger_options){ .name = "disk" }),
			       .source = i };
		CHECK(pthread_create(&emitters[i].thread, NULL, emit, &emitters[i]) == 0);
	}
	stay_away();
	bool all = emitted() == THREADS * RECORDS;
	if (comes_back || !all)
		atomic_store(&records->destinations[0].away, 0);
	for (uint32_t i = 0; i < THREADS; i++)
		pthread_join(emitters[i].thread, NULL);
}

static sdk_books
end(otlog_provider *provider, bool comes_back)
{
	sdk_books books;
	otlog_flush_result ended = otlog_provider_shutdown(provider, comes_back ? LONG_MS : 20);
	sdk_take_books(provider, &books);
	otlog_provider_destroy(provider);
	uint64_t dropped = tally_check_books(&books);
	CHECK(ended != OTLOG_DELIVERED || books.pipelines[0].queued == 0);
	CHECK(ended != OTLOG_DURABLE || dropped == 0);
	CHECK(!comes_back || ended == (dropped ? OTLOG_DROPPED : OTLOG_DELIVERED));
	return books;
}

static void
live(const trial *t)
{
	if (t->prepare && !t->prepare())
		_exit(REFUSED);
	if (t->faults)
		disk_faults_arm(t->call, t->at, t->times, t->error, t->directory);
	otlog_provider *provider = start(t);
	if (t->later)
		t->later();
	result->in_memory = process_count_files(t->directory) == 0;
	emit_all(provider, !t->leaves);
	sdk_books books = end(provider, !t->leaves);
	result->sum = tally_count(&records->destinations[0], 0, THREADS);
	tally_check_statistics(&result->sum, &books);
	result->dropped = tally_check_books(&books);
	result->left = books.pipelines[0].queued;
	if (t->faults) {
		result->failed = disk_faults_failed();
		disk_faults_disarm();
	}
	CHECK(result->left || process_count_files(t->directory) == 0);
}

/* The next process has a disk that works, and delivers what is there. */
static void
deliver_rest(const trial *t)
{
	sdk_books books;
	uint64_t give_up = otlog__monotonic_nano() + LONG_MS * OTLOG__NANOS_PER_MS;
	atomic_store(&records->destinations[0].away, 0);
	otlog_provider *provider = start(&(trial){ .directory = t->directory, .full = t->full });
	do {
		usleep(1000);
		sdk_take_books(provider, &books);
	} while (books.pipelines[0].delivered + tally_check_books(&books) < result->left &&
	         otlog__monotonic_nano() < give_up);
	books = end(provider, true);
	CHECK(books.pipelines[0].adopted == result->left);
	result->dropped += tally_check_books(&books);
	result->left -= books.pipelines[0].adopted;
	result->sum = tally_count(&records->destinations[0], 0, THREADS);
	CHECK(result->sum.missing == result->dropped);
	CHECK(process_count_files(t->directory) == 0);
}

/* Runs it in a child. Returns its exit code; one that a signal has ended fails the test. */
static int
in_child(const trial *t, void (*run)(const trial *))
{
	int status;
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		signal(SIGXFSZ, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		run(t);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (!WIFEXITED(status))
		fail_msg("%s at call %u, %u times, errno %d, policy %d, durability %d, leaves %d: signal %d",
		         t->faults ? disk_call_name(t->call) : "no call", t->at, t->times, t->error, t->full,
		         t->durability, t->leaves, WTERMSIG(status));
	return WEXITSTATUS(status);
}

typedef struct totals {
	uint32_t lives, calls_failed, in_memory;
	uint64_t accepted, refused, dropped, twice;
} totals;

/* A life, and the one after it. False: this machine does not let us. */
static bool
try_one(const trial *t, totals *all)
{
	memset(result, 0, sizeof *result);
	records = tally_make(THREADS, RECORDS);
	int code = in_child(t, live);
	assert_true(code == 0 || code == REFUSED);
	if (code == 0 && result->left)
		assert_int_equal(in_child(t, deliver_rest), 0);
	all->lives += code == 0;
	all->calls_failed += result->failed;
	all->in_memory += result->in_memory;
	all->accepted += result->sum.accepted;
	all->refused += result->sum.refused;
	all->dropped += result->dropped;
	all->twice += result->sum.twice;
	assert_int_equal(result->sum.missing, result->dropped);
	assert_int_equal(atomic_load(&records->strange), 0);
	tally_free(records);
	return code == 0;
}

static void
print_totals(const char *about, const totals *all)
{
	print_message(
	    "%s: %u processes, %u calls failed, %u ran in memory; %lu records accepted, 0 lost, %lu dropped and "
	    "counted, %lu refused, %lu twice\n",
	    about, all->lives, all->calls_failed, all->in_memory, (unsigned long)all->accepted,
	    (unsigned long)all->dropped, (unsigned long)all->refused, (unsigned long)all->twice);
}

/* ---- Calls that fail --------------------------------------------------------------------------------------------- */

/* The places are tried until there are no more calls. */
static void
one_call(disk_call call, otlog_spool_full full, uint32_t times, totals *all)
{
	static const int errors[] = { ENOSPC, EDQUOT, EIO };
	static const otlog_durability durabilities[] = { OTLOG_DURABILITY_NONE, OTLOG_DURABILITY_BATCH,
		                                         OTLOG_DURABILITY_INTERVAL };
	for (uint32_t i = 0; i < faults_count(5); i++) {
		trial t = { .directory = directory,
			    .faults = true,
			    .call = call,
			    .at = i * (i + 1) / 2,
			    .times = times,
			    .error = errors[all->lives % 3],
			    .full = full,
			    .durability = durabilities[all->lives / 3 % 3],
			    .leaves = all->lives / 2 % 2 };
		if (call == DISK_SYNC && t.durability == OTLOG_DURABILITY_NONE)
			t.durability = OTLOG_DURABILITY_BATCH;
		assert_true(try_one(&t, all));
		if (result->failed == 0)
			break;
	}
}

static void
calls_that_fail(void **state)
{
	(void)state;
	for (uint32_t call = 0; call < DISK_CALLS; call++) {
		totals all = { 0 };
		char about[64];
		for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
			one_call(call, policies[i], 1, &all);
			one_call(call, policies[i], DISK_FOR_GOOD, &all);
		}
		snprintf(about, sizeof about, "%s fails", disk_call_name(call));
		print_totals(about, &all);
	}
}

/* ---- Limits and small file systems ------------------------------------------------------------------------------- */

static void
limit_files(rlim_t bytes)
{
	struct rlimit limit = { .rlim_cur = bytes, .rlim_max = RLIM_INFINITY };
	CHECK(getrlimit(RLIMIT_FSIZE, &(struct rlimit){ 0 }) == 0 && setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

static bool
limit_to_a_page(void)
{
	limit_files(4096);
	return true;
}

static bool
limit_to_the_queue(void)
{
	limit_files(700 << 10);
	return true;
}

static void
limit_while_it_runs(void)
{
	limit_files(5000);
}

static bool
mount_too_small(void)
{
	return small_disk_mount(directory, "size=400k,mode=700", 0);
}

static bool
mount_small(void)
{
	return small_disk_mount(directory, "size=1000k,mode=700", 0);
}

static bool
mount_read_only(void)
{
	return small_disk_mount(directory, "size=8m,mode=700", MS_RDONLY);
}

/* Under each policy, and each durability. */
static bool
try_all(trial t, const char *about)
{
	totals all = { 0 };
	t.directory = directory;
	for (uint32_t i = 0; i < faults_count(9); i++) {
		t.full = policies[i % 3];
		t.durability = OTLOG_DURABILITY_NONE + i / 3 % 3;
		if (!try_one(&t, &all)) {
			print_message("%s: a file system cannot be mounted here (unshare, mount): skipped\n", about);
			return false;
		}
	}
	print_totals(about, &all);
	return true;
}

static void
limits_of_file_sizes(void **state)
{
	(void)state;
	try_all((trial){ .prepare = limit_to_a_page }, "file sizes limited to 4 KiB");
	try_all((trial){ .prepare = limit_to_the_queue, .leaves = true }, "file sizes limited to 700 KiB");
	try_all((trial){ .later = limit_while_it_runs }, "file sizes limited while it runs");
	try_all((trial){ .later = limit_while_it_runs, .leaves = true }, "the same, and the destination stays away");
}

static void
file_systems_without_room(void **state)
{
	(void)state;
	if (!try_all((trial){ .prepare = mount_too_small }, "a tmpfs that is smaller than the queue"))
		skip();
	try_all((trial){ .prepare = mount_small }, "a tmpfs with little room for the spool");
	try_all((trial){ .prepare = mount_read_only }, "a directory that cannot be written");
}

static int
make_directory(void **state)
{
	(void)state;
	result = process_share(sizeof *result);
	queue_directory_make(directory);
	return 0;
}

static int
remove_directory(void **state)
{
	(void)state;
	queue_directory_remove(directory);
	process_unshare(result, sizeof *result);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *library = NULL;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(limits_of_file_sizes, make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(file_systems_without_room, make_directory, remove_directory),
	};
	const struct CMUnitTest more[] = { cmocka_unit_test_setup_teardown(calls_that_fail, make_directory,
		                                                           remove_directory) };
	(void)argc;
#ifdef OTLOG_DISK_FAULTS
	library = OTLOG_DISK_FAULTS;
#endif
	bool preloaded = disk_faults_preload(library, argv);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	if (preloaded)
		failed += cmocka_run_group_tests(more, NULL, NULL);
	else
		printf("calls_that_fail: a sanitizer stands in the place of the preloaded library: skipped\n");
	return failed;
}
