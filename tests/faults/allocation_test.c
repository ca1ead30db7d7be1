/*
 * Memory that runs out, and threads that cannot be made: every allocation of ours fails in turn, once, and every one from
 * there on; so does every thread. Each time a whole life: start, in a directory where a dead process has left something,
 * emits, an outage that the spool has to take, flush, shutdown. No crash, no leak; and what emit accepted, and what the dead
 * one had left, is delivered, by this process or the next, or counted as dropped: to the last record.
 *
 * The SDK, libotlog-api included, is linked statically with wrapped calls; libraries keep theirs.
 */
#include "tests/support/harness/cmocka.h"

#include "sdk/base/clock.h"
#include "tests/support/harness/check.h"
#include "tests/support/harness/factor.h"
#include "tests/support/harness/process.h"
#include "tests/support/harness/scarce.h"
#include "tests/support/queues/queue_directory.h"
#include "tests/support/sdk/sdk_fixture.h"
#include "tests/support/sdk/sdk_books.h"
#include "tests/support/sdk/tally.h"
#include "tests/support/servers/receiver_process.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DESTINATIONS 2u
#define RECORDS 4000u /* more than the queue holds */
#define LEFT 200u     /* by the dead process */
#define LONG_MS 20000

enum { OURS, THEIRS, SOURCES };

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLOW 1
#endif
#endif
#if !defined(SLOW)
#define SLOW 0
#endif

/* What a life has come to; shared with the children. */
typedef struct outcome {
	uint32_t calls, failed;
	size_t live;
	bool started;
	uint64_t spooled;
	uint64_t dropped[DESTINATIONS]; /* behind emit, and filtered */
	uint64_t left[DESTINATIONS];
} outcome;

typedef struct totals {
	uint32_t lives, off;
	uint64_t accepted, dropped, twice;
} totals;

static char directory[64];
static tally *records;
static outcome *result;
static bool over_http; /* the far destination is behind a receiver; else in this process */
static receiver_process server;
static size_t live_at_best;

/* ---- One life ---------------------------------------------------------------------------------------------------- */

static otlog_provider *
start(bool with_http)
{
	const char *const names[DESTINATIONS] = { "near", "otlp_http" };
	otlog_pipeline_options pipelines[DESTINATIONS];
	for (uint32_t i = 0; i < DESTINATIONS; i++)
		pipelines[i] =
		    (otlog_pipeline_options){ .exporter = tally_exporter(&records->destinations[i], names[i]),
			                      .schedule_delay_ms = 5,
			                      .retry_initial_ms = 1,
			                      .retry_cap_ms = 5 };
	if (with_http &&
	    !otlog_otlp_http_exporter_create(&(otlog_otlp_options){ .endpoint = server.url }, &pipelines[1].exporter))
		return NULL;
	return otlog_provider_create(&(otlog_options){ .pipelines = pipelines,
	                                               .pipeline_count = DESTINATIONS,
	                                               .queue_bytes = 256 << 10,
	                                               .queue_directory = directory,
	                                               .spool_bytes = 4 << 20,
	                                               .durability = OTLOG_DURABILITY_INTERVAL,
	                                               .diagnostic = sdk_silence });
}

static sdk_books
books_of(otlog_provider *provider)
{
	sdk_books books;
	sdk_take_books(provider, &books);
	tally_check_books(&books);
	return books;
}

/* Until nothing is left of what was adopted, or nothing has moved for a while. */
static void
wait_for_backlog(otlog_provider *provider)
{
	uint64_t before = 0;
	for (uint32_t still_ms = 0; still_ms < 20 && process_count_files(directory) > 2; still_ms++) {
		sdk_books books = books_of(provider);
		uint64_t now = books.pipelines[0].delivered + books.pipelines[1].delivered;
		still_ms = now == before ? still_ms : 0;
		before = now;
		usleep(1000);
	}
}

/* The far destination is away, and the queue is short of room. Where memory is scarce it may never come to that. */
static void
wait_for_spool(otlog_provider *provider)
{
	const uint32_t most_ms = live_at_best == SIZE_MAX ? LONG_MS : 10;
	for (uint32_t ms = 0; provider && ms < most_ms && !result->spooled; ms++) {
		otlog_provider_flush(provider, 1);
		result->spooled = books_of(provider).pipelines[1].spooled;
	}
}

/* What each destination has got is what the books say it has. */
static void
compare(const sdk_books *books)
{
	for (uint32_t i = 0; i < DESTINATIONS; i++) {
		const otlog_pipeline_statistics *p = &books->pipelines[i];
		const tally_destination *destination = &records->destinations[i];
		tally_sum ours = tally_count(destination, OURS, 1), theirs = tally_count(destination, THEIRS, 1);
		uint64_t behind = p->filtered;
		for (int reason = 0; reason < OTLOG_DROP_REASON_COUNT; reason++)
			behind += p->dropped[reason] - p->refused[reason];
		CHECK(ours.wrong + theirs.wrong + ours.twice + theirs.twice == 0);
		CHECK(p->delivered == ours.seen + theirs.seen);
		CHECK(p->adopted <= LEFT && p->adopted >= theirs.seen);
		CHECK(ours.missing + theirs.missing == p->queued + behind + (LEFT - p->adopted));
		result->dropped[i] = behind;
		result->left[i] = p->queued + (LEFT - p->adopted);
	}
}

static void
emit_some(otlog_logger *logger)
{
	for (uint32_t i = 0; i < RECORDS; i++) {
		tally_emit(records, logger, OURS);
		if (i % 200 == 199)
			usleep(1000); /* for the keeper, which makes room */
	}
}

static void
live(void)
{
	static char page[65536];
	sdk_books books;
	otlog_provider *provider = start(over_http);
	result->started = provider;
	otlog_logger *logger = otlog_provider_get_logger(provider, &(otlog_logger_options){ .name = "scarce" });
	atomic_store(&records->destinations[1].away, 1);
	emit_some(logger);
	wait_for_spool(provider);
	atomic_store(&records->destinations[1].away, 0);
	if (provider) {
		otlog_flush_result flushed = otlog_provider_flush(provider, LONG_MS);
		wait_for_backlog(provider);
		books = books_of(provider);
		otlog_statistics_prometheus(&books.totals, books.pipelines, books.pipeline_count, page, sizeof page);
		otlog_flush_result ended = otlog_provider_shutdown(provider, LONG_MS);
		books = books_of(provider);
		CHECK(flushed <= OTLOG_DROPPED && ended <= OTLOG_DROPPED);
		compare(&books);
	} else {
		CHECK(tally_count(&records->destinations[0], OURS, 1).accepted == 0);
		result->left[0] = result->left[1] = LEFT;
	}
	otlog_provider_destroy(provider);
}

/* The next process, which has what it needs, delivers what is left. */
static void
deliver_rest(void)
{
	otlog_provider *provider = start(over_http);
	CHECK(provider);
	uint64_t give_up = otlog__monotonic_nano() + LONG_MS * OTLOG__NANOS_PER_MS;
	sdk_books books;
	do {
		usleep(1000);
		books = books_of(provider);
	} while ((books.pipelines[0].delivered < result->left[0] || books.pipelines[1].delivered < result->left[1]) &&
	         otlog__monotonic_nano() < give_up);
	CHECK(otlog_provider_shutdown(provider, LONG_MS) == OTLOG_DELIVERED);
	books = books_of(provider);
	for (uint32_t i = 0; i < DESTINATIONS; i++)
		CHECK(books.pipelines[i].adopted == result->left[i]);
	otlog_provider_destroy(provider);
	CHECK(process_count_files(directory) == 0);
}

/* ---- Processes --------------------------------------------------------------------------------------------------- */

static void
die_with_something_left(void)
{
	atomic_store(&records->destinations[0].away, 1);
	atomic_store(&records->destinations[1].away, 1);
	otlog_provider *provider = start(false); /* or a request of it could arrive after its end */
	otlog_logger *logger = otlog_provider_get_logger(provider, &(otlog_logger_options){ .name = "dead" });
	for (uint32_t i = 0; i < LEFT; i++)
		CHECK(tally_emit(records, logger, THEIRS) == OTLOG_EMIT_ACCEPTED);
	_exit(0);
}

typedef struct scarcity {
	scarce_kind kind;
	uint32_t at, times;
} scarcity;

static void
live_with(const scarcity *what)
{
	scarce_arm(what->kind, what->at, what->times);
	live();
	result->calls = scarce_calls();
	result->failed = scarce_failed();
	result->live = scarce_live();
	scarce_disarm();
}

static void
in_child(void (*run)(void), const scarcity *what)
{
	int status;
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (what)
			live_with(what);
		else
			run();
		exit(0); /* where a sanitizer looks for leaks */
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (status != 0)
		fail_msg("%s number %u, %u times: status %#x",
		         what && what->kind == SCARCE_THREADS ? "thread" : "block", what ? what->at : 0,
		         what ? what->times : 0, (unsigned)status);
}

static void
one_life(const scarcity *what, totals *all)
{
	memset(result, 0, sizeof *result);
	records = tally_make(SOURCES, RECORDS);
	if (over_http)
		receiver_process_start(
		    &server,
		    &(receiver_options){ .judge = tally_judge, .user = &records->destinations[1], .forgets = true });
	in_child(die_with_something_left, NULL);
	atomic_store(&records->destinations[0].away, 0);
	atomic_store(&records->destinations[1].away, 0);
	in_child(NULL, what);
	if (result->left[0] || result->left[1])
		in_child(deliver_rest, NULL);
	if (over_http)
		receiver_process_stop(&server);
	assert_int_equal(process_count_files(directory), 0);
	for (uint32_t i = 0; i < DESTINATIONS; i++) {
		tally_sum sum = tally_count(&records->destinations[i], 0, SOURCES);
		assert_int_equal(sum.missing, result->dropped[i]);
		assert_int_equal(sum.wrong, 0);
		all->accepted += i == 0 ? sum.accepted : 0;
		all->dropped += sum.missing;
		all->twice += sum.twice;
	}
	assert_int_equal(atomic_load(&records->strange), 0);
	tally_free(records);
	all->lives++;
	all->off += !result->started;
	if (result->live > live_at_best)
		fail_msg("block or thread %u, %u times: %zu blocks left behind", what->at, what->times, result->live);
}

static void
try_each(scarce_kind kind, uint32_t times, uint32_t stride, const char *about)
{
	totals all = { 0 };
	uint32_t at = 0;
	do {
		one_life(&(scarcity){ .kind = kind, .at = at, .times = times }, &all);
		at += stride;
	} while (result->failed);
	print_message(
	    "%s: %u lives, %u with the SDK off; %lu records accepted, 0 lost, %lu dropped and counted, %lu twice; "
	    "no leak\n",
	    about, all.lives, all.off, (unsigned long)all.accepted, (unsigned long)all.dropped,
	    (unsigned long)all.twice);
}

static void
learn_what_is_left_at_best(void)
{
	totals all = { 0 };
	live_at_best = SIZE_MAX;
	one_life(&(scarcity){ .at = UINT32_MAX, .times = 1 }, &all);
	live_at_best = result->live;
	print_message("a life allocates %u times; %zu blocks stay to the end of the process\n", result->calls,
	              result->live);
	assert_int_equal(result->dropped[0] + result->dropped[1], 0);
	assert_true(result->spooled > 0);
}

static void
every_allocation_fails_once(void **state)
{
	(void)state;
	learn_what_is_left_at_best();
	try_each(SCARCE_MEMORY, 1, SLOW ? 7 : 1, "an allocation fails");
}

static void
every_allocation_from_there_on_fails(void **state)
{
	(void)state;
	learn_what_is_left_at_best();
	try_each(SCARCE_MEMORY, SCARCE_FOR_GOOD, SLOW ? 11 : 2, "every allocation from one on fails");
}

static void
every_allocation_fails_once_over_http(void **state)
{
	(void)state;
	over_http = true;
	learn_what_is_left_at_best();
	try_each(SCARCE_MEMORY, 1, SLOW ? 7 : 1, "an allocation fails, over HTTP");
	try_each(SCARCE_MEMORY, SCARCE_FOR_GOOD, SLOW ? 11 : 3, "every allocation from one on fails, over HTTP");
	over_http = false;
}

static void
threads_cannot_be_made(void **state)
{
	(void)state;
	learn_what_is_left_at_best();
	try_each(SCARCE_THREADS, 1, 1, "a thread cannot be made");
	try_each(SCARCE_THREADS, SCARCE_FOR_GOOD, 1, "no thread from one on can be made");
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

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(every_allocation_fails_once),
		IN_DIRECTORY(every_allocation_from_there_on_fails),
		IN_DIRECTORY(every_allocation_fails_once_over_http),
		IN_DIRECTORY(threads_cannot_be_made),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
