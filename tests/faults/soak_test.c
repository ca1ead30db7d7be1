/*
 * Days of steady work in short: 5,000 records a second over HTTP into a receiver that is away now and then, for longer than
 * the queue lasts, with a spool and durability. Window by window no record is lost, and from the first window to the
 * last the process takes no more memory, descriptors and threads.
 *
 * Runs where OTLOG_FAULTS_FACTOR is 10 at least: for 20 s, or for the seconds that OTLOG_SOAK_SECONDS says, 86400 for a day.
 */
#include "tests/support/harness/cmocka.h"

#include "sdk/base/clock.h"
#include "sdk/base/random.h"
#include "tests/support/harness/check.h"
#include "tests/support/harness/factor.h"
#include "tests/support/harness/process.h"
#include "tests/support/queues/queue_directory.h"
#include "tests/support/sdk/load.h"
#include "tests/support/sdk/sdk_fixture.h"
#include "tests/support/sdk/sdk_books.h"
#include "tests/support/sdk/tally.h"

#include <unistd.h>

#define PER_SECOND 5000u
#define THREADS 4u
#define WINDOW_S 4u
#define SHORT_S 20u
#define LONG_MS 60000
#define MIB (UINT64_C(1) << 20)

typedef struct run {
	char directory[64];
	tally *tally;
	receiver *receiver;
	otlog_provider *provider;
	otlog_logger *logger;
	tally_sum sum; /* of all windows */
} run;

/* What the process takes, at rest. */
typedef struct taken {
	uint64_t bytes;
	unsigned descriptors, threads;
} taken;

static void
start(run *r)
{
	otlog_pipeline_options pipeline = { .schedule_delay_ms = 50, .retry_initial_ms = 5, .retry_cap_ms = 50 };
	CHECK(otlog_otlp_http_exporter_create(&(otlog_otlp_options){ .endpoint = receiver_url(r->receiver) },
	                                      &pipeline.exporter));
	r->provider = otlog_provider_create(&(otlog_options){ .pipelines = &pipeline,
	                                                      .pipeline_count = 1,
	                                                      .queue_bytes = MIB,
	                                                      .queue_directory = r->directory,
	                                                      .spool_bytes = 64 * MIB,
	                                                      .durability = OTLOG_DURABILITY_INTERVAL,
	                                                      .queue_full = OTLOG_QUEUE_FULL_BLOCK,
	                                                      .queue_block_timeout_ms = LONG_MS,
	                                                      .diagnostic = sdk_silence });
	CHECK(r->provider);
	r->logger = otlog_provider_get_logger(r->provider, &(otlog_logger_options){ .name = "soak" });
}

/* Some seconds of load, one or two of them with nobody to take it; then all is delivered, and counted. */
static void
one_window(run *r)
{
	load *load = load_start(r->tally, r->logger, PER_SECOND);
	usleep(1000000);
	atomic_store(&r->tally->destinations[0].away, 1);
	usleep((useconds_t)(1000000 + otlog__random_u64() % 1000000));
	atomic_store(&r->tally->destinations[0].away, 0);
	usleep(1000000);
	load_stop(load);
	assert_int_equal(otlog_provider_flush(r->provider, LONG_MS), OTLOG_DELIVERED);
	tally_sum sum = tally_count(&r->tally->destinations[0], 0, THREADS);
	assert_int_equal(sum.missing + sum.refused + sum.twice + sum.wrong + atomic_load(&r->tally->strange), 0);
	r->sum.returned += sum.returned;
	r->sum.accepted += sum.accepted;
	r->sum.seen += sum.seen;
	tally_clear(r->tally);
}

static taken
take_stock(void)
{
	return (taken){ .bytes = process_private_bytes(),
		        .descriptors = process_descriptors(),
		        .threads = process_threads() };
}

static uint32_t
seconds(void)
{
	const char *text = getenv("OTLOG_SOAK_SECONDS");
	unsigned long given = text ? strtoul(text, NULL, 10) : 0;
	return given ? (uint32_t)given : SHORT_S;
}

static void
nothing_grows(void **state)
{
	run r = { .tally = NULL };
	sdk_books books;
	(void)state;
	if (faults_count(1) < 10) {
		print_message("soak: only where OTLOG_FAULTS_FACTOR is 10 at least: skipped\n");
		skip();
	}
	queue_directory_make(r.directory);
	r.tally = tally_make(THREADS, WINDOW_S * 2 * PER_SECOND / THREADS);
	r.receiver = receiver_start(
	    &(receiver_options){ .judge = tally_judge, .user = &r.tally->destinations[0], .forgets = true });
	start(&r);
	uint64_t end = otlog__monotonic_nano() + seconds() * OTLOG__NANOS_PER_S;
	one_window(&r);
	taken first = take_stock(), last = first;
	while (otlog__monotonic_nano() < end) {
		one_window(&r);
		last = take_stock();
		assert_true(last.bytes <= first.bytes + 2 * MIB);
		assert_in_range(last.descriptors, 0, first.descriptors + 2);
		assert_in_range(last.threads, 0, first.threads + 1);
	}
	assert_int_equal(otlog_provider_shutdown(r.provider, LONG_MS), OTLOG_DELIVERED);
	sdk_take_books(r.provider, &books);
	tally_check_statistics(&r.sum, &books);
	print_message("soak of %u s: %lu emitted, 0 lost, 0 twice; at first and at last %lu and %lu KiB, %u and %u "
	              "descriptors, %u and %u threads\n",
	              seconds(), (unsigned long)r.sum.returned, (unsigned long)(first.bytes / 1024),
	              (unsigned long)(last.bytes / 1024), first.descriptors, last.descriptors, first.threads,
	              last.threads);
	otlog_provider_destroy(r.provider);
	assert_int_equal(process_count_files(r.directory), 0);
	receiver_stop(r.receiver);
	queue_directory_remove(r.directory);
	tally_free(r.tally);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(nothing_grows) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
