/* Several calls at once, a destination that is away, and flushes meanwhile: who tries, when, and who does not notice. */
#include "tests/support/harness/check.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/sdk/diagnosed.h"
#include "tests/support/sdk/scripted_fixture.h"

#include <string.h>
#include <time.h>

#define HOUR_MS 3600000

static void
retry(otlog_export_result *result, const char *error_type)
{
	scripted_answer(result, OTLOG_VERDICT_RETRY, error_type);
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

/* The other three batches have been taken; none of their records may be counted before those of the first. */
static void
start_with_the_first_of_four_hanging(scripted_fixture *f)
{
	f->a = scripted_create("four", gate_for_the_first_record, NULL, 4);
	scripted_start(f, (otlog_options){ 0 },
	               (otlog_pipeline_options){ .max_batch_records = 10, .schedule_delay_ms = 60000 });
	scripted_set_gate(f->a, false);
	scripted_emit_all(f, 0, 40, 0);
	scripted_wait_at_gate(f->a, 1);
	scripted_wait_taken(f->a, 30);
}

static void
batches_are_finished_in_the_order_in_which_they_were_read(void **state)
{
	scripted_fixture *f = *state;
	start_with_the_first_of_four_hanging(f);
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
	start_with_the_first_of_four_hanging(f);
	assert_int_equal(otlog_provider_shutdown(f->provider, 50), OTLOG_TIMEOUT);
	otlog_pipeline_statistics s = scripted_statistics(f, 0);
	assert_int_equal(s.delivered, 30);
	assert_int_equal(s.dropped[OTLOG_DROP_AFTER_SHUTDOWN], 10);
	assert_int_equal(s.queued + s.in_flight, 0);
}

static void
dice(void *user, const scripted_call *call, otlog_export_result *result)
{
	(void)user;
	if (call->random % 8 == 0)
		a_moment((long)(call->random / 8 % 1000000));
	if (call->random / 64 % 10 < 4) {
		scripted_answer(result, scripted_any_failure(call->random / 1024), "any");
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
	scripted_assert_exact_books(f, RECORDS);
	scripted_books books = scripted_take_books(f->a);
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
	scripted_answer(result, OTLOG_VERDICT_INVALID, "400");
}

/* Whatever the first pipeline does, the second gets all of many times what the queue holds. */
static void
other_pipelines_never_notice(void **state)
{
	static const scripted_rule rules[] = { away_a_while, refuses, scripted_hang };
	(void)state;
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		enum { RECORDS = 30000 };
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
		scripted_emit_at_the_pace_of_b(f, RECORDS);
		scripted_assert_taken_once(f->b, RECORDS, NULL, 0);
		assert_int_equal(scripted_statistics(f, 1).retries, 0);
		assert_string_equal(scripted_statistics(f, 1).last_error, "");
		scripted_set_rule(f->a, NULL, NULL);
		scripted_teardown(&own);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SCRIPTED(batches_are_finished_in_the_order_in_which_they_were_read),
		SCRIPTED(a_stop_while_the_first_of_four_hangs_counts_what_arrived),
		SCRIPTED(four_at_once_with_any_verdict_keep_exact_books),
		SCRIPTED(an_absent_destination_is_tried_with_one_batch_at_a_time),
		SCRIPTED(a_destination_that_comes_and_goes_gets_everything),
		SCRIPTED(a_flush_ends_a_back_off_of_ours_once),
		SCRIPTED(no_flush_ends_what_the_server_wished),
		SCRIPTED(a_short_wish_is_waited_for),
		SCRIPTED(an_exporter_is_flushed_when_it_has_all_that_came_before),
		SCRIPTED(a_flush_that_the_exporter_cannot_do_is_not_delivered),
		SCRIPTED(what_is_not_there_yet_is_not_flushed),
		cmocka_unit_test(other_pipelines_never_notice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
