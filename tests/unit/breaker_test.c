/* Several calls at once, a destination that is away, and flushes meanwhile: who tries, when, and who does not notice. */
#include "tests/support/harness/check.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/sdk/diagnosed.h"
#include "tests/support/sdk/scripted_fixture.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define FLUSH_MS 20000
#define HOUR_MS 3600000

static void
retry(otlog_export_result *result, const char *error_type)
{
	result->verdict = OTLOG_VERDICT_RETRY;
	snprintf(result->message, sizeof result->message, "as the test says");
	snprintf(result->error_type, sizeof result->error_type, "%s", error_type);
}

static void
a_moment(long nanos)
{
	nanosleep(&(struct timespec){ .tv_nsec = nanos }, NULL);
}

/* ---- Several at once --------------------------------------------------------------------------------------------- */

static void
gate_for_the_first_record(void *user, const scripted_call *call, otlog_export_result *result)
{
	(void)user, (void)result;
	if (call->ids[0] == 0)
		scripted_pass_gate(call->self);
}

static void
batches_are_finished_in_the_order_in_which_they_were_read(void **state)
{
	scripted_fixture *f = *state;
	f->a = scripted_create("four", gate_for_the_first_record, NULL, 4);
	scripted_start(f, (otlog_options){ 0 },
	               (otlog_pipeline_options){ .max_batch_records = 10, .schedule_delay_ms = 60000 });
	scripted_set_gate(f->a, false);
	scripted_emit_all(f, 0, 40, 0);
	scripted_wait_at_gate(f->a, 1);
	scripted_wait_taken(f->a, 30); /* all but the first batch; none of them may be counted before it */
	otlog_pipeline_statistics s = scripted_statistics(f, 0);
	assert_int_equal(s.delivered, 0);
	assert_int_equal(s.queued, 40);
	assert_int_equal(s.in_flight, 40);
	scripted_set_gate(f->a, true);
	assert_int_equal(otlog_provider_flush(f->provider, FLUSH_MS), OTLOG_DELIVERED);
	assert_int_equal(scripted_statistics(f, 0).delivered, 40);
}

static void
a_stop_while_the_first_of_four_hangs_counts_what_arrived(void **state)
{
	scripted_fixture *f = *state;
	f->a = scripted_create("four", gate_for_the_first_record, NULL, 4);
	scripted_start(f, (otlog_options){ 0 },
	               (otlog_pipeline_options){ .max_batch_records = 10, .schedule_delay_ms = 60000 });
	scripted_set_gate(f->a, false);
	scripted_emit_all(f, 0, 40, 0);
	scripted_wait_at_gate(f->a, 1);
	scripted_wait_taken(f->a, 30);
	assert_int_equal(otlog_provider_shutdown(f->provider, 50), OTLOG_TIMEOUT);
	otlog_pipeline_statistics s = scripted_statistics(f, 0);
	assert_int_equal(s.delivered, 30);
	assert_int_equal(s.dropped[OTLOG_DROP_AFTER_SHUTDOWN], 10);
	assert_int_equal(s.queued + s.in_flight, 0);
}

static void
dice(void *user, const scripted_call *call, otlog_export_result *result)
{
	static const otlog_verdict others[] = { OTLOG_VERDICT_RETRY,   OTLOG_VERDICT_RETRY,     OTLOG_VERDICT_PARTIAL,
		                                OTLOG_VERDICT_INVALID, OTLOG_VERDICT_TOO_LARGE, OTLOG_VERDICT_DROP };
	(void)user;
	if (call->random % 8 == 0)
		a_moment((long)(call->random / 8 % 1000000));
	if (call->random / 64 % 10 < 4) {
		retry(result, "any");
		result->verdict = others[call->random / 1024 % 6];
		result->rejected = call->random / 8192 % (call->batch->records + 1);
	}
}

static void
four_at_once_with_any_verdict_keep_exact_books(void **state)
{
	scripted_fixture *f = *state;
	enum { RECORDS = 40000 };
	f->a = scripted_create("dice", dice, NULL, 4);
	f->b = scripted_create("there", NULL, NULL, 1);
	scripted_start(f, (otlog_options){ .queue_full = OTLOG_QUEUE_FULL_BLOCK, .queue_block_timeout_ms = 30000 },
	               (otlog_pipeline_options){ .max_batch_records = 100, .retry_cap_ms = 1 });
	scripted_emit_all(f, 0, RECORDS, 20);
	assert_int_equal(otlog_provider_flush(f->provider, FLUSH_MS), OTLOG_DROPPED);
	otlog_pipeline_statistics s = scripted_statistics(f, 0);
	scripted_books books = scripted_take_books(f->a);
	assert_int_equal(books.twice, 0);
	assert_int_equal(s.delivered, books.taken);
	assert_int_equal(s.queued, 0);
	assert_int_equal(s.dropped[OTLOG_DROP_REJECTED] + s.dropped[OTLOG_DROP_TOO_LARGE], RECORDS - books.taken);
	assert_true(books.most_running > 1 && books.most_running <= 4);
	scripted_assert_taken_once(f->b, RECORDS, NULL, 0);
}

/* ---- Away -------------------------------------------------------------------------------------------------------- */

static void
away_a_while(void *user, const scripted_call *call, otlog_export_result *result)
{
	(void)user, (void)call;
	a_moment(1000000); /* so that calls at the same time would be seen */
	retry(result, "connection_refused");
}

static void
an_absent_destination_is_tried_with_one_batch_at_a_time(void **state)
{
	scripted_fixture *f = *state;
	f->a = scripted_create("absent", away_a_while, NULL, 4);
	scripted_start(f, (otlog_options){ 0 }, (otlog_pipeline_options){ .max_batch_records = 10 });
	scripted_emit_all(f, 0, 200, 0);
	while (!diagnosed_says("absent: away for"))
		a_moment(1000000);
	uint64_t opened = scripted_take_books(f->a).calls;
	scripted_wait_calls(f->a, opened + 12); /* those that were under way have ended */
	scripted_forget_calls(f->a);
	scripted_wait_calls(f->a, 30);
	scripted_books books = scripted_take_books(f->a);
	assert_in_range(books.most_running, 0, 1);
	otlog_pipeline_statistics s = scripted_statistics(f, 0);
	assert_int_equal(s.in_flight, 40);
	assert_int_equal(s.delivered, 0);
	assert_string_equal(s.last_error, "connection_refused");
	assert_int_equal(diagnosed_times("absent: away for"), 1);
	assert_true(diagnosed_says("until it is taken; records waiting: "));

	scripted_set_rule(f->a, NULL, NULL);
	assert_int_equal(otlog_provider_flush(f->provider, FLUSH_MS), OTLOG_DELIVERED);
	scripted_assert_taken_once(f->a, 200, NULL, 0);
	assert_int_equal(diagnosed_times("absent: back after"), 1);
	assert_int_equal(scripted_statistics(f, 0).delivered, 200);
}

/* Refuses the connection until it has been tried ten times, and takes a batch then; again and again. */
static void
comes_and_goes(void *user, const scripted_call *call, otlog_export_result *result)
{
	(void)user;
	if (call->number % 10 != 9)
		retry(result, "reset");
}

static void
a_destination_that_comes_and_goes_gets_everything(void **state)
{
	scripted_fixture *f = *state;
	f->a = scripted_create("wanders", comes_and_goes, NULL, 3);
	scripted_start(f, (otlog_options){ 0 },
	               (otlog_pipeline_options){ .max_batch_records = 100, .retry_cap_ms = 2 });
	scripted_emit_all(f, 0, 5000, 0);
	assert_int_equal(otlog_provider_flush(f->provider, FLUSH_MS), OTLOG_DELIVERED);
	scripted_assert_taken_once(f->a, 5000, NULL, 0);
	assert_true(scripted_statistics(f, 0).retries >= 50 * 9 / 2);
}

/* ---- Flushes, and what the server wishes ------------------------------------------------------------------------- */

typedef struct answer {
	uint64_t failures; /* calls that fail */
	uint64_t retry_after_ms;
} answer;

static void
fails_at_first(void *user, const scripted_call *call, otlog_export_result *result)
{
	const answer *a = user;
	if (call->number < a->failures) {
		retry(result, "503");
		result->retry_after_ms = a->retry_after_ms;
	}
}

/* Waits until the failed attempt has been judged: the exporter has it counted before. */
static void
wait_for_retries(scripted_fixture *f, uint64_t retries)
{
	for (unsigned i = 0; i < 10000 && scripted_statistics(f, 0).retries < retries; i++)
		a_moment(1000000);
	assert_int_equal(scripted_statistics(f, 0).retries, retries);
}

static void
a_flush_ends_a_back_off_of_ours_once(void **state)
{
	scripted_fixture *f = *state;
	answer twice = { .failures = 2 };
	f->a = scripted_create("away", fails_at_first, &twice, 1);
	scripted_start(f, (otlog_options){ 0 },
	               (otlog_pipeline_options){ .retry_initial_ms = HOUR_MS, .retry_cap_ms = HOUR_MS });
	scripted_emit_all(f, 0, 10, 0);
	wait_for_retries(f, 1);
	assert_int_equal(otlog_provider_flush(f->provider, 200), OTLOG_TIMEOUT); /* tries once, and fails */
	assert_int_equal(scripted_take_books(f->a).calls, 2);
	wait_for_retries(f, 2);
	assert_int_equal(otlog_provider_flush(f->provider, FLUSH_MS), OTLOG_DELIVERED);
	assert_int_equal(scripted_take_books(f->a).calls, 3);
}

static void
no_flush_ends_what_the_server_wished(void **state)
{
	scripted_fixture *f = *state;
	answer wish = { .failures = 1, .retry_after_ms = HOUR_MS };
	f->a = scripted_create("busy", fails_at_first, &wish, 4);
	scripted_start(f, (otlog_options){ 0 }, (otlog_pipeline_options){ .max_batch_records = 10 });
	scripted_emit_all(f, 0, 10, 0);
	wait_for_retries(f, 1);
	scripted_emit_all(f, 10, 50, 0); /* other batches obey it too */
	assert_int_equal(otlog_provider_flush(f->provider, 200), OTLOG_TIMEOUT);
	assert_int_equal(otlog_provider_flush(f->provider, 50), OTLOG_TIMEOUT);
	assert_int_equal(scripted_take_books(f->a).calls, 1);
	assert_int_equal(otlog_provider_shutdown(f->provider, 50), OTLOG_TIMEOUT);
	assert_int_equal(scripted_statistics(f, 0).dropped[OTLOG_DROP_AFTER_SHUTDOWN], 60);
}

static void
a_short_wish_is_waited_for(void **state)
{
	scripted_fixture *f = *state;
	answer wish = { .failures = 1, .retry_after_ms = 150 };
	f->a = scripted_create("busy", fails_at_first, &wish, 1);
	scripted_start(f, (otlog_options){ 0 }, (otlog_pipeline_options){ 0 });
	scripted_emit_all(f, 0, 10, 0);
	struct timespec before, after;
	clock_gettime(CLOCK_MONOTONIC, &before);
	assert_int_equal(otlog_provider_flush(f->provider, FLUSH_MS), OTLOG_DELIVERED);
	clock_gettime(CLOCK_MONOTONIC, &after);
	int64_t ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
	assert_true(ms >= 140); /* the flush began a moment after the attempt, or before it */
	assert_int_equal(scripted_take_books(f->a).calls, 2);
}

/* ---- Exporters that hold back ------------------------------------------------------------------------------------ */

static void
at_different_speeds(void *user, const scripted_call *call, otlog_export_result *result)
{
	(void)user;
	a_moment((long)(call->random % 3000000));
	if (call->random / 3000000 % 4 == 0)
		retry(result, "any");
}

static void
an_exporter_is_flushed_when_it_has_all_that_came_before(void **state)
{
	scripted_fixture *f = *state;
	f->a = scripted_create("holds", at_different_speeds, NULL, 4);
	scripted_set_flush(f->a, true);
	scripted_start(f, (otlog_options){ 0 }, (otlog_pipeline_options){ .max_batch_records = 20, .retry_cap_ms = 1 });
	for (uint32_t round = 1; round <= 10; round++) {
		scripted_emit_all(f, (round - 1) * 300, 300, 0);
		assert_int_equal(otlog_provider_flush(f->provider, FLUSH_MS), OTLOG_DELIVERED);
		scripted_books books = scripted_take_books(f->a);
		assert_int_equal(books.flushes, round);
		assert_int_equal(books.taken_at_flush, round * 300);
	}
	assert_int_equal(otlog_provider_flush(f->provider, FLUSH_MS), OTLOG_DELIVERED); /* with nothing new as well */
	assert_int_equal(scripted_take_books(f->a).flushes, 11);
}

static void
a_flush_that_the_exporter_cannot_do_is_not_delivered(void **state)
{
	scripted_fixture *f = *state;
	f->a = scripted_create("holds", NULL, NULL, 1);
	scripted_set_flush(f->a, false);
	scripted_start(f, (otlog_options){ 0 }, (otlog_pipeline_options){ 0 });
	scripted_emit_all(f, 0, 10, 0);
	assert_int_equal(otlog_provider_flush(f->provider, FLUSH_MS), OTLOG_TIMEOUT);
	scripted_set_flush(f->a, true);
	assert_int_equal(otlog_provider_flush(f->provider, FLUSH_MS), OTLOG_DELIVERED);
}

static void
what_is_not_there_yet_is_not_flushed(void **state)
{
	scripted_fixture *f = *state;
	f->a = scripted_create("holds", gate_for_the_first_record, NULL, 2);
	scripted_set_flush(f->a, true);
	scripted_start(f, (otlog_options){ 0 }, (otlog_pipeline_options){ .max_batch_records = 10 });
	scripted_set_gate(f->a, false);
	scripted_emit_all(f, 0, 20, 0);
	scripted_wait_at_gate(f->a, 1);
	scripted_wait_taken(f->a, 10);
	assert_int_equal(otlog_provider_flush(f->provider, 100), OTLOG_TIMEOUT);
	assert_int_equal(scripted_take_books(f->a).flushes, 0);
	scripted_set_gate(f->a, true);
	assert_int_equal(otlog_provider_flush(f->provider, FLUSH_MS), OTLOG_DELIVERED);
	assert_int_equal(scripted_take_books(f->a).taken_at_flush, 20);
}

/* ---- The others -------------------------------------------------------------------------------------------------- */

static void
refuses(void *user, const scripted_call *call, otlog_export_result *result)
{
	(void)user, (void)call;
	a_moment(200000);
	retry(result, "400");
	result->verdict = OTLOG_VERDICT_INVALID;
}

static void
hangs(void *user, const scripted_call *call, otlog_export_result *result)
{
	(void)user, (void)result;
	scripted_pass_gate(call->self);
}

/* Whatever the first pipeline does, the second gets all of many times what the queue holds. */
static void
other_pipelines_never_notice(void **state)
{
	static const scripted_rule rules[] = { away_a_while, refuses, hangs };
	(void)state;
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		enum { RECORDS = 30000, STEP = 250 };
		void *own;
		assert_int_equal(scripted_setup(&own), 0);
		scripted_fixture *f = own;
		f->a = scripted_create("bad", rules[i], NULL, 2);
		f->b = scripted_create("there", NULL, NULL, 1);
		scripted_start(f,
		               (otlog_options){ .queue_bytes = 1 << 20,
		                                .queue_full = OTLOG_QUEUE_FULL_BLOCK,
		                                .queue_block_timeout_ms = 2000 },
		               (otlog_pipeline_options){ 0 });
		scripted_set_gate(f->a, false);
		for (uint32_t at = 0; at < RECORDS; at += STEP) {
			scripted_emit_all(f, at, STEP, 100);
			scripted_wait_taken(f->b, at + STEP);
		}
		scripted_assert_taken_once(f->b, RECORDS, NULL, 0);
		assert_int_equal(scripted_statistics(f, 1).retries, 0);
		assert_string_equal(scripted_statistics(f, 1).last_error, "");
		scripted_set_rule(f->a, NULL, NULL);
		scripted_teardown(&own);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scripted_setup, scripted_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(batches_are_finished_in_the_order_in_which_they_were_read),
		TEST(a_stop_while_the_first_of_four_hangs_counts_what_arrived),
		TEST(four_at_once_with_any_verdict_keep_exact_books),
		TEST(an_absent_destination_is_tried_with_one_batch_at_a_time),
		TEST(a_destination_that_comes_and_goes_gets_everything),
		TEST(a_flush_ends_a_back_off_of_ours_once),
		TEST(no_flush_ends_what_the_server_wished),
		TEST(a_short_wish_is_waited_for),
		TEST(an_exporter_is_flushed_when_it_has_all_that_came_before),
		TEST(a_flush_that_the_exporter_cannot_do_is_not_delivered),
		TEST(what_is_not_there_yet_is_not_flushed),
		cmocka_unit_test(other_pipelines_never_notice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
