/*
 * A clock that is moved by a day, to and fro, while records flow over HTTP and the receiver is away now and then: nothing
 * may wait for it, be dropped or come twice for it. And a server's Retry-After with a date, which then lies days ahead: that
 * is waited for an hour at most, and meanwhile nothing is lost either.
 *
 * The calls below stand in place of libc's in this program, its libraries included. OTLOG_FAULTS_FACTOR times 6 s.
 */
#include "tests/support/harness/cmocka.h"

#include "sdk/base/clock.h"
#include "sdk/base/random.h"
#include "tests/support/harness/check.h"
#include "tests/support/harness/factor.h"
#include "tests/support/harness/process.h"
#include "tests/support/queues/queue_directory.h"
#include "tests/support/sdk/diagnosed.h"
#include "tests/support/sdk/load.h"
#include "tests/support/sdk/tally.h"
#include "tests/support/sdk/sdk_books.h"

#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#define PER_SECOND 2000u
#define THREADS 2u
#define LONG_MS 30000
#define DAY_S 86400
#define STEP_MS 100u
#define HOUR_MS 3600000u
#define CAP_MS 20u

#define EXPORT __attribute__((visibility("default")))

/* ---- The clock --------------------------------------------------------------------------------------------------- */

static _Atomic int64_t ahead_s;

EXPORT int
clock_gettime(clockid_t clock, struct timespec *now)
{
	int result = (int)syscall(SYS_clock_gettime, clock, now);
	if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
		now->tv_sec += atomic_load(&ahead_s);
	return result;
}

EXPORT time_t
time(time_t *out)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	if (out)
		*out = now.tv_sec;
	return now.tv_sec;
}

EXPORT int
gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec now;
	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	*out = (struct timeval){ .tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000 };
	return 0;
}

/* ---- A run ------------------------------------------------------------------------------------------------------- */

typedef struct run {
	char directory[64];
	tally *tally;
	receiver *receiver;
	otlog_provider *provider;
	otlog_logger *logger;
} run;

/* Away: as the script says. */
static unsigned
judge(void *user, const receiver_request *request)
{
	unsigned status = tally_judge(user, request);
	return status == 200 ? status : 0;
}

/* The first ones: there is no end of them. */
static void
take_some(void *user, otlog_diagnostic_level level, const char *message)
{
	if (diagnosed_count() < 40)
		diagnosed_take(user, level, message);
}

static void
start(run *r)
{
	otlog_pipeline_options pipeline = { .schedule_delay_ms = 10, .retry_initial_ms = 1, .retry_cap_ms = CAP_MS };
	CHECK(otlog_otlp_http_exporter_create(&(otlog_otlp_options){ .endpoint = receiver_url(r->receiver) },
	                                      &pipeline.exporter));
	r->provider = otlog_provider_create(&(otlog_options){ .pipelines = &pipeline,
	                                                      .pipeline_count = 1,
	                                                      .queue_bytes = 1 << 20,
	                                                      .queue_directory = r->directory,
	                                                      .spool_bytes = 64 << 20,
	                                                      .durability = OTLOG_DURABILITY_INTERVAL,
	                                                      .sync_interval_ms = 50,
	                                                      .diagnostic = take_some });
	CHECK(r->provider);
	r->logger = otlog_provider_get_logger(r->provider, &(otlog_logger_options){ .name = "clock" });
}

static sdk_books
books_of(const run *r)
{
	sdk_books books;
	sdk_take_books(r->provider, &books);
	tally_check_books(&books);
	return books;
}

static int
make_run(void **state)
{
	run *r = calloc(1, sizeof *r);
	queue_directory_make(r->directory);
	r->tally = tally_make(THREADS, (faults_count(6) + 10) * PER_SECOND);
	r->receiver =
	    receiver_start(&(receiver_options){ .judge = judge, .user = &r->tally->destinations[0], .forgets = true });
	diagnosed_begin();
	start(r);
	*state = r;
	return 0;
}

static int
end_run(void **state)
{
	run *r = *state;
	atomic_store(&ahead_s, 0);
	otlog_provider_destroy(r->provider);
	receiver_stop(r->receiver);
	queue_directory_remove(r->directory);
	tally_free(r->tally);
	free(r);
	return 0;
}

/* ---- Tests ------------------------------------------------------------------------------------------------------- */

/* The destination is away for a moment, at every other step; so something is delivered in every four steps. */
static void
move_the_clock(run *r)
{
	static const int64_t aheads_s[] = { -DAY_S, 0, DAY_S };
	uint64_t before[4] = { 0 };
	unsigned descriptors = 0, threads = 0;
	const uint32_t steps = faults_count(6) * 1000 / STEP_MS;
	for (uint32_t i = 0; i < steps; i++) {
		atomic_store(&ahead_s, aheads_s[otlog__random_u64() % 3]);
		atomic_store(&r->tally->destinations[0].away, i % 4 == 1);
		usleep(STEP_MS * 1000);
		uint64_t delivered = books_of(r).pipelines[0].delivered;
		if (i >= 20 && i % 4 == 3)
			assert_true(delivered > before[i % 4]); /* timers go on */
		before[i % 4] = delivered;
		if (i == 10) {
			descriptors = process_descriptors();
			threads = process_threads();
		}
	}
	atomic_store(&r->tally->destinations[0].away, 0);
	assert_in_range(process_descriptors(), 0, descriptors + 4); /* a segment or two of the spool, a connection */
	assert_in_range(process_threads(), 0, threads + 2);
}

static void
a_clock_that_is_moved_by_a_day_changes_nothing(void **state)
{
	run *r = *state;
	static const receiver_reply away = { .status = 503, .times = RECEIVER_FOREVER };
	receiver_script(r->receiver, &away);
	load *load = load_start(r->tally, r->logger, PER_SECOND);
	move_the_clock(r);
	load_stop(load);
	uint64_t from = otlog__monotonic_nano();
	assert_int_equal(otlog_provider_flush(r->provider, LONG_MS), OTLOG_DELIVERED);
	assert_int_equal(otlog_provider_shutdown(r->provider, LONG_MS), OTLOG_DELIVERED);
	uint64_t took_ms = (otlog__monotonic_nano() - from) / OTLOG__NANOS_PER_MS;
	tally_sum sum = tally_count(&r->tally->destinations[0], 0, THREADS);
	sdk_books books = books_of(r);
	tally_check_statistics(&sum, &books);
	print_message(
	    "clock moved by a day, %u times: %lu emitted, %lu lost, %lu twice; flushed and shut down in %lu ms\n",
	    faults_count(6) * 1000 / STEP_MS, (unsigned long)sum.returned, (unsigned long)(sum.missing + sum.refused),
	    (unsigned long)sum.twice, (unsigned long)took_ms);
	assert_int_equal(sum.missing + sum.refused + sum.twice, 0);
	assert_true(took_ms < LONG_MS / 2);
}

/* What the SDK says it waits for: "… the next attempt comes in N ms)". */
static void
check_longest_wait(void)
{
	const char *text = "the next attempt comes in ";
	char longer[64];
	assert_true(diagnosed_says(text));
	/* All of seven digits that begin with 36: an hour and the jitter; nothing of eight digits or more. */
	snprintf(longer, sizeof longer, "%s3600", text);
	assert_true(diagnosed_says(longer));
	for (int digit = 1; digit <= 9; digit++) {
		snprintf(longer, sizeof longer, "%s%d", text, digit);
		assert_true(digit == 3 || !diagnosed_says(longer));
	}
}

static void
a_date_that_lies_days_ahead_is_waited_for_an_hour(void **state)
{
	run *r = *state;
	char date[64];
	time_t then = time(NULL) + 2; /* by the server's clock */
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime(&then));
	const otlog_header header = { .name = "Retry-After", .value = date };
	const receiver_reply away = { .status = 503, .headers = &header, .header_count = 1, .times = RECEIVER_FOREVER };
	receiver_script(r->receiver, &away);
	atomic_store(&ahead_s, -DAY_S);
	atomic_store(&r->tally->destinations[0].away, 1);
	for (uint32_t i = 0; i < PER_SECOND; i++)
		assert_int_equal(tally_emit(r->tally, r->logger, 0), OTLOG_EMIT_ACCEPTED);
	while (!diagnosed_says("the next attempt comes in "))
		usleep(1000);
	check_longest_wait();
	assert_int_equal(otlog_provider_shutdown(r->provider, 100), OTLOG_DURABLE);
	assert_int_equal(books_of(r).pipelines[0].queued, PER_SECOND);
	otlog_provider_destroy(r->provider);

	atomic_store(&ahead_s, DAY_S); /* the next process is two days later */
	atomic_store(&r->tally->destinations[0].away, 0);
	start(r);
	uint64_t give_up = otlog__monotonic_nano() + LONG_MS * OTLOG__NANOS_PER_MS;
	while (books_of(r).pipelines[0].delivered < PER_SECOND && otlog__monotonic_nano() < give_up)
		usleep(1000);
	assert_int_equal(otlog_provider_shutdown(r->provider, LONG_MS), OTLOG_DELIVERED);
	tally_sum sum = tally_count(&r->tally->destinations[0], 0, 1);
	print_message("Retry-After with a date, a day off: %lu emitted, %lu lost, %lu twice\n",
	              (unsigned long)sum.returned, (unsigned long)sum.missing, (unsigned long)sum.twice);
	assert_int_equal(sum.missing + sum.twice + sum.wrong, 0);
	assert_int_equal(process_count_files(r->directory), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_clock_that_is_moved_by_a_day_changes_nothing, make_run, end_run),
		cmocka_unit_test_setup_teardown(a_date_that_lies_days_ahead_is_waited_for_an_hour, make_run, end_run),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
