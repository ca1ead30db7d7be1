/* Verdicts: what becomes of batches that are refused as a whole, in parts, for their size, or for one record. */
#include "tests/support/harness/cmocka.h"
#include "tests/support/sdk/diagnosed.h"
#include "tests/support/sdk/scripted_fixture.h"

#include <string.h>
#include <time.h>

/* ---- Too large --------------------------------------------------------------------------------------------------- */

static void
over_a_size(void *user, const scripted_call *call, otlog_export_result *result)
{
	if (call->batch->request_size > *(const size_t *)user)
		scripted_answer(result, OTLOG_VERDICT_TOO_LARGE, "413");
}

static void
too_large_batches_arrive_in_halves_and_later_ones_are_smaller(void **state)
{
	scripted_fixture *f = *state;
	size_t most = 20000;
	f->a = scripted_create("small", over_a_size, &most, 1);
	scripted_start(f, (otlog_options){ 0 }, (otlog_pipeline_options){ .max_batch_records = 1000 });
	scripted_emit_all(f, 0, 5000, 100);
	assert_int_equal(otlog_provider_flush(f->provider, FLUSH_MS), OTLOG_DELIVERED);
	scripted_books first = scripted_take_books(f->a);
	assert_true(first.refused_calls > 0 && first.largest_bytes > most);
	assert_true(diagnosed_says("is too large for the destination; it is sent in halves"));
	scripted_forget_calls(f->a);
	scripted_emit_all(f, 5000, 20000, 100);
	assert_int_equal(otlog_provider_flush(f->provider, FLUSH_MS), OTLOG_DELIVERED);
	scripted_books second = scripted_take_books(f->a);
	assert_in_range(second.refused_calls, 0, 3);                 /* the limit is known, but for the framing */
	assert_in_range(second.largest_taken_bytes, most / 3, most); /* and not much too low */
	assert_int_equal(second.twice, 0);
	scripted_assert_taken_once(f->a, 25000, NULL, 0);
	assert_int_equal(scripted_statistics(f, 0).delivered, 25000);
}

static void
a_record_that_is_too_large_alone_is_dropped_and_named(void **state)
{
	scripted_fixture *f = *state;
	size_t most = 20000;
	f->a = scripted_create("small", over_a_size, &most, 1);
	scripted_start(f, (otlog_options){ 0 }, (otlog_pipeline_options){ .schedule_delay_ms = 100 });
	scripted_emit_all(f, 0, 40, 100);
	scripted_emit_all(f, 40, 1, 30000);
	scripted_emit_all(f, 41, 59, 100);
	assert_int_equal(otlog_provider_flush(f->provider, FLUSH_MS), OTLOG_DROPPED);
	otlog_pipeline_statistics p = scripted_statistics(f, 0);
	assert_int_equal(p.dropped[OTLOG_DROP_TOO_LARGE], 1);
	assert_int_equal(p.dropped[OTLOG_DROP_REJECTED], 0);
	assert_int_equal(p.delivered, 99);
	scripted_assert_taken_once(f->a, 100, (const uint32_t[]){ 40 }, 1);
	assert_true(diagnosed_says("small: one record dropped as too_large: 30"));
	assert_true(diagnosed_says("logger \"checkout\", event \"test\", severity 9"));
	assert_true(diagnosed_says("as the test says"));
}

static void
requests_over_64_mib_are_not_sent_but_their_halves_are(void **state)
{
	scripted_fixture *f = *state;
	f->a = scripted_create("big", scripted_hang, NULL, 1);
	scripted_start(f, (otlog_options){ .queue_bytes = 256 << 20 },
	               (otlog_pipeline_options){ .max_batch_records = 4096, .max_batch_bytes = 80 << 20 });
	scripted_set_gate(f->a, false);
	scripted_emit_all(f, 0, 1, 0);
	scripted_wait_at_gate(f->a, 1); /* so all of the others wait */
	scripted_emit_all(f, 1, 160, 1000000);
	scripted_set_gate(f->a, true);
	assert_int_equal(otlog_provider_flush(f->provider, FLUSH_MS), OTLOG_DELIVERED);
	scripted_books books = scripted_take_books(f->a);
	assert_true(books.largest_bytes <= 64 << 20);
	assert_true(diagnosed_says("bytes is over OTLP's limit of 64 MiB and was not sent"));
	assert_false(diagnosed_says("raise the receiver's limit"));
	scripted_assert_taken_once(f->a, 161, NULL, 0);
	assert_int_equal(scripted_statistics(f, 0).delivered, 161);
}

/* ---- Invalid ----------------------------------------------------------------------------------------------------- */

typedef struct poison {
	const uint32_t *ids;
	size_t count;
} poison;

static bool
is_poisoned(const poison *p, uint32_t id)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->ids[i] == id)
			return true;
	return false;
}

static void
with_poison(void *user, const scripted_call *call, otlog_export_result *result)
{
	for (size_t i = 0; i < call->batch->records; i++)
		if (is_poisoned(user, call->ids[i]))
			scripted_answer(result, OTLOG_VERDICT_INVALID, "400");
}

/* All in one batch, each but the poisoned ones delivered once. Returns the calls it took. */
static uint64_t
deliver_poisoned(scripted_fixture *f, uint32_t records, const poison *p)
{
	poison on_user = *p;
	f->a = scripted_create("strict", with_poison, &on_user, 1);
	/* So large a queue that neither records nor bytes are worth sending before the flush. */
	scripted_start(f, (otlog_options){ .queue_bytes = 64 << 20 },
	               (otlog_pipeline_options){
			   .max_batch_records = records + 1, .max_batch_bytes = 16 << 20, .schedule_delay_ms = 60000 });
	scripted_emit_all(f, 0, records, 0);
	assert_int_equal(otlog_provider_flush(f->provider, FLUSH_MS), OTLOG_DROPPED);
	otlog_pipeline_statistics s = scripted_statistics(f, 0);
	assert_int_equal(s.dropped[OTLOG_DROP_REJECTED], p->count);
	assert_int_equal(s.delivered, records - p->count);
	assert_int_equal(s.queued, 0);
	assert_int_equal(s.batches, 1);
	assert_int_equal(s.duration_counts[OTLOG_DURATION_BOUNDS], 1);
	scripted_books books = scripted_take_books(f->a);
	/* More in a row look like a destination that refuses everything: what is put off then comes later. */
	if (p->count <= 3)
		assert_int_equal(books.out_of_order, 0);
	scripted_assert_taken_once(f->a, records, p->ids, p->count);
	scripted_set_rule(f->a, NULL, NULL);
	return books.calls;
}

static void
one_poisoned_record_among_ten_thousand_is_found_and_named(void **state)
{
	scripted_fixture *f = *state;
	static const uint32_t ids[] = { 6789 };
	uint64_t calls = deliver_poisoned(f, 10000, &(poison){ ids, 1 });
	assert_in_range(calls, 14, 1 + 2 * 14);
	assert_int_equal(diagnosed_times("one record dropped as rejected"), 1);
	assert_true(diagnosed_says("strict: one record dropped as rejected"));
	assert_true(diagnosed_says("logger \"checkout\", event \"test\", severity 9"));
	assert_string_equal(scripted_statistics(f, 0).last_error, ""); /* what came after it was taken */
}

static void
poison_anywhere_costs_the_poisoned_records_alone(void **state)
{
	static const uint32_t sets[][4] = {
		{ 0 },       { 999 },        { 0, 1 },       { 998, 999 },           { 499, 500 }, { 0, 999 },
		{ 1, 2, 3 }, { 0, 1, 2, 3 }, { 7, 77, 777 }, { 250, 500, 750, 999 }, { 511, 512 }
	};
	static const size_t counts[] = { 1, 1, 2, 2, 2, 2, 3, 4, 3, 4, 2, 4 };
	(void)state;
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
		void *own;
		assert_int_equal(scripted_setup(&own), 0);
		uint64_t calls = deliver_poisoned(own, 1000, &(poison){ sets[i], counts[i] });
		assert_true(calls <= 1 + counts[i] * 2 * 10);
		scripted_teardown(&own);
	}
}

/* One bad caller among others: what it logged lies together, wherever in the batch. */
static void
much_poison_in_a_row_costs_its_neighbours_nothing(void **state)
{
	static const uint32_t firsts[] = { 0, 0, 0, 3, 490, 700, 300 }, counts[] = { 5, 17, 300, 64, 20, 300, 699 };
	(void)state;
	for (size_t i = 0; i < sizeof firsts / sizeof *firsts; i++) {
		void *own;
		uint32_t ids[1000];
		for (uint32_t k = 0; k < counts[i]; k++)
			ids[k] = firsts[i] + k;
		assert_int_equal(scripted_setup(&own), 0);
		uint64_t calls = deliver_poisoned(own, 1000, &(poison){ ids, counts[i] });
		assert_true(calls <= 2 * counts[i] + 60);
		scripted_teardown(&own);
	}
}

static void
refuse_all(void *user, const scripted_call *call, otlog_export_result *result)
{
	(void)call;
	scripted_answer(result, *(const otlog_verdict *)user, "refused");
}

/* A destination that refuses everything is asked a few times for the first batch, and once for each of the others. */
static void
a_destination_that_refuses_everything_is_not_asked_for_each_half(void **state)
{
	static const otlog_verdict verdicts[] = { OTLOG_VERDICT_INVALID, OTLOG_VERDICT_TOO_LARGE };
	static const otlog_drop_reason reasons[] = { OTLOG_DROP_REJECTED, OTLOG_DROP_TOO_LARGE };
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		void *own;
		assert_int_equal(scripted_setup(&own), 0);
		scripted_fixture *f = own;
		otlog_verdict verdict = verdicts[i];
		f->a = scripted_create("wall", refuse_all, &verdict, 1);
		scripted_start(f, (otlog_options){ 0 },
		               (otlog_pipeline_options){ .max_batch_records = 512, .schedule_delay_ms = 60000 });
		scripted_emit_all(f, 0, 512, 0);
		assert_int_equal(otlog_provider_flush(f->provider, FLUSH_MS), OTLOG_DROPPED);
		uint64_t first = scripted_take_books(f->a).calls;
		assert_in_range(first, 10, 30);
		scripted_emit_all(f, 512, 512 * 20, 0);
		assert_int_equal(otlog_provider_flush(f->provider, FLUSH_MS), OTLOG_DROPPED);
		otlog_pipeline_statistics s = scripted_statistics(f, 0);
		assert_int_equal(s.dropped[reasons[i]], 512 * 21);
		assert_int_equal(scripted_take_books(f->a).calls - first, s.batches - 1);

		/* It accepts again: all arrives, and one bad record costs that record alone. */
		static const uint32_t ids[] = { 15000 };
		poison one = { ids, 1 };
		scripted_set_rule(f->a, with_poison, &one);
		scripted_emit_all(f, 512 * 21, 512 * 10, 0);
		assert_int_equal(otlog_provider_flush(f->provider, FLUSH_MS), OTLOG_DROPPED);
		s = scripted_statistics(f, 0);
		assert_int_equal(s.delivered, 512 * 10 - 1);
		assert_int_equal(scripted_times(f->a, 15000), 0);
		scripted_set_rule(f->a, NULL, NULL);
		scripted_teardown(&own);
	}
}

/* ---- The other verdicts ------------------------------------------------------------------------------------------ */

static void
all_but_three(void *user, const scripted_call *call, otlog_export_result *result)
{
	(void)user;
	scripted_answer(result, OTLOG_VERDICT_PARTIAL, "");
	result->rejected = call->batch->records < 3 ? call->batch->records : 3;
}

static void
what_is_partly_rejected_is_counted_and_not_sent_again(void **state)
{
	scripted_fixture *f = *state;
	f->a = scripted_create("partial", all_but_three, NULL, 1);
	scripted_start(f, (otlog_options){ 0 }, (otlog_pipeline_options){ .max_batch_records = 100 });
	scripted_emit_all(f, 0, 1000, 0);
	assert_int_equal(otlog_provider_flush(f->provider, FLUSH_MS), OTLOG_DROPPED);
	otlog_pipeline_statistics s = scripted_statistics(f, 0);
	scripted_books books = scripted_take_books(f->a);
	assert_int_equal(books.calls, s.batches);
	assert_int_equal(s.delivered, books.taken);
	assert_int_equal(s.dropped[OTLOG_DROP_REJECTED], 1000 - books.taken);
	assert_int_equal(books.twice, 0);
	assert_true(diagnosed_says("records: as the test says"));
	assert_string_equal(s.last_error, "");
}

static void
more_rejected_than_were_sent(void *user, const scripted_call *call, otlog_export_result *result)
{
	(void)user, (void)call;
	result->verdict = OTLOG_VERDICT_PARTIAL;
	result->rejected = SIZE_MAX;
}

static void
more_cannot_be_rejected_than_were_sent(void **state)
{
	scripted_fixture *f = *state;
	f->a = scripted_create("confused", more_rejected_than_were_sent, NULL, 1);
	scripted_start(f, (otlog_options){ 0 }, (otlog_pipeline_options){ 0 });
	scripted_emit_all(f, 0, 10, 0);
	assert_int_equal(otlog_provider_flush(f->provider, FLUSH_MS), OTLOG_DROPPED);
	assert_int_equal(scripted_statistics(f, 0).dropped[OTLOG_DROP_REJECTED], 10);
}

static void
a_batch_that_is_refused_for_good_is_asked_for_once(void **state)
{
	scripted_fixture *f = *state;
	otlog_verdict verdict = OTLOG_VERDICT_DROP;
	f->a = scripted_create("gone", refuse_all, &verdict, 1);
	scripted_start(f, (otlog_options){ 0 }, (otlog_pipeline_options){ .schedule_delay_ms = 60000 });
	scripted_emit_all(f, 0, 100, 0);
	assert_int_equal(otlog_provider_flush(f->provider, FLUSH_MS), OTLOG_DROPPED);
	assert_int_equal(scripted_take_books(f->a).calls, 1);
	otlog_pipeline_statistics s = scripted_statistics(f, 0);
	assert_int_equal(s.dropped[OTLOG_DROP_REJECTED], 100);
	assert_string_equal(s.last_error, "refused");
	assert_int_equal(s.bytes, 0);
}

/* ---- Statistics -------------------------------------------------------------------------------------------------- */

static void
what_is_in_flight_is_told_apart_from_what_waits(void **state)
{
	scripted_fixture *f = *state;
	f->a = scripted_create("slow", scripted_hang, NULL, 1);
	scripted_start(f, (otlog_options){ 0 },
	               (otlog_pipeline_options){ .max_batch_records = 10, .schedule_delay_ms = 60000 });
	scripted_set_gate(f->a, false);
	scripted_emit_all(f, 0, 10, 0);
	scripted_wait_at_gate(f->a, 1);
	scripted_emit_all(f, 10, 5, 0);
	otlog_pipeline_statistics s = scripted_statistics(f, 0);
	assert_int_equal(s.in_flight, 10);
	assert_int_equal(s.queued, 15);
	assert_int_equal(s.batches, 0);
	scripted_set_gate(f->a, true);
	assert_int_equal(otlog_provider_flush(f->provider, FLUSH_MS), OTLOG_DELIVERED);
	s = scripted_statistics(f, 0);
	assert_int_equal(s.in_flight, 0);
	assert_int_equal(s.queued, 0);
	assert_int_equal(s.batches, 2);
	assert_int_equal(s.retries, 0);
}

static void
away_for_three(void *user, const scripted_call *call, otlog_export_result *result)
{
	(void)user;
	if (call->number < 3)
		scripted_answer(result, OTLOG_VERDICT_RETRY, "connection_refused");
	if (call->number == 3)
		scripted_pass_gate(call->self);
}

static void
the_last_error_is_told_until_one_attempt_succeeds(void **state)
{
	scripted_fixture *f = *state;
	f->a = scripted_create("away", away_for_three, NULL, 1);
	scripted_start(f, (otlog_options){ 0 }, (otlog_pipeline_options){ 0 });
	scripted_set_gate(f->a, false);
	scripted_emit_all(f, 0, 10, 0);
	scripted_wait_at_gate(f->a, 1);
	otlog_pipeline_statistics s = scripted_statistics(f, 0);
	assert_string_equal(s.last_error, "connection_refused");
	assert_int_equal(s.retries, 3);
	assert_int_equal(s.duration_counts[OTLOG_DURATION_BOUNDS], 0);
	scripted_set_gate(f->a, true);
	assert_int_equal(otlog_provider_flush(f->provider, FLUSH_MS), OTLOG_DELIVERED);
	assert_string_equal(scripted_statistics(f, 0).last_error, "");
}

static void
after_a_while(void *user, const scripted_call *call, otlog_export_result *result)
{
	(void)user, (void)call, (void)result;
	nanosleep(&(struct timespec){ .tv_nsec = 30 * 1000 * 1000 }, NULL);
}

static void
durations_are_counted_up_to_each_bound(void **state)
{
	scripted_fixture *f = *state;
	f->a = scripted_create("slow", after_a_while, NULL, 1);
	scripted_start(f, (otlog_options){ 0 }, (otlog_pipeline_options){ .max_batch_records = 10 });
	scripted_emit_all(f, 0, 50, 0);
	assert_int_equal(otlog_provider_flush(f->provider, FLUSH_MS), OTLOG_DELIVERED);
	otlog_pipeline_statistics s = scripted_statistics(f, 0);
	assert_int_equal(s.duration_counts[OTLOG_DURATION_BOUNDS], s.batches);
	for (size_t i = 1; i <= OTLOG_DURATION_BOUNDS; i++)
		assert_true(s.duration_counts[i] >= s.duration_counts[i - 1]);
	assert_int_equal(s.duration_counts[2], 0); /* up to 25 ms */
	assert_true(s.duration_sum_s >= 0.03 * (double)s.batches);
	assert_true(s.bytes > 0);
}

/* ---- All together ------------------------------------------------------------------------------------------------ */

static void
anything(void *user, const scripted_call *call, otlog_export_result *result)
{
	(void)user;
	if (call->random % 10 < 4)
		scripted_answer(result, scripted_any_failure(call->random / 10), "any");
	result->rejected = call->random / 100 % (call->batch->records + 1);
}

static void
whatever_the_verdicts_the_books_say_what_the_destination_has(void **state)
{
	scripted_fixture *f = *state;
	enum { RECORDS = 60000 };
	f->a = scripted_create("dice", anything, NULL, 1);
	scripted_start(f, (otlog_options){ .queue_full = OTLOG_QUEUE_FULL_BLOCK, .queue_block_timeout_ms = 30000 },
	               (otlog_pipeline_options){ .max_batch_records = 100, .retry_cap_ms = 1 });
	uint64_t taken = scripted_assert_exact_books(f, RECORDS);
	assert_true(taken > RECORDS / 4 && scripted_statistics(f, 0).dropped[OTLOG_DROP_TOO_LARGE] > 0);
}

/* Refuses what holds record 700 and hangs with the call that comes then and does not. */
static void
hangs_in_the_middle(void *user, const scripted_call *call, otlog_export_result *result)
{
	(void)user;
	for (size_t i = 0; i < call->batch->records; i++)
		if (call->ids[i] == 700)
			scripted_answer(result, OTLOG_VERDICT_INVALID, "400");
	if (result->verdict == OTLOG_VERDICT_OK && call->number > 3)
		scripted_pass_gate(call->self);
}

static void
a_stop_between_two_halves_keeps_the_books_right(void **state)
{
	scripted_fixture *f = *state;
	f->a = scripted_create("stopped", hangs_in_the_middle, NULL, 1);
	scripted_start(f, (otlog_options){ 0 },
	               (otlog_pipeline_options){ .max_batch_records = 1000, .schedule_delay_ms = 60000 });
	scripted_set_gate(f->a, false);
	scripted_emit_all(f, 0, 1000, 0);
	scripted_wait_at_gate(f->a, 1);
	assert_true(scripted_take_books(f->a).taken > 0);
	assert_int_equal(otlog_provider_shutdown(f->provider, 50), OTLOG_TIMEOUT);
	otlog_pipeline_statistics s = scripted_statistics(f, 0);
	scripted_books books = scripted_take_books(f->a);
	assert_int_equal(books.twice, 0);
	assert_true(s.delivered <= books.taken); /* nothing is said to be there that is not */
	assert_int_equal(s.queued, 0);
	assert_int_equal(s.in_flight, 0);
	assert_int_equal(s.delivered + s.dropped[OTLOG_DROP_REJECTED] + s.dropped[OTLOG_DROP_AFTER_SHUTDOWN], 1000);
}

/* With a queue in a file the next process sends the whole batch again, and finds the bad record again. */
static void
a_stop_between_two_halves_loses_nothing_in_a_file(void **state)
{
	scripted_fixture *f = *state;
	void *other;
	f->a = scripted_create("stopped", hangs_in_the_middle, NULL, 1);
	scripted_start(f, (otlog_options){ .queue_directory = scripted_directory(f) },
	               (otlog_pipeline_options){ .max_batch_records = 1000, .schedule_delay_ms = 60000 });
	scripted_set_gate(f->a, false);
	scripted_emit_all(f, 0, 1000, 0);
	scripted_wait_at_gate(f->a, 1);
	assert_int_equal(otlog_provider_shutdown(f->provider, 50), OTLOG_DURABLE);
	assert_int_equal(scripted_statistics(f, 0).queued, 1000);

	assert_int_equal(scripted_setup(&other), 0);
	scripted_fixture *next = other;
	static const uint32_t ids[] = { 700 };
	poison same = { ids, 1 };
	next->a = scripted_create("stopped", with_poison, &same, 1);
	scripted_start(next, (otlog_options){ .queue_directory = f->directory }, (otlog_pipeline_options){ 0 });
	scripted_wait_taken(next->a, 999);
	scripted_assert_taken_once(next->a, 1000, ids, 1);
	assert_int_equal(otlog_provider_shutdown(next->provider, FLUSH_MS), OTLOG_DROPPED);
	otlog_pipeline_statistics s = scripted_statistics(next, 0);
	assert_int_equal(s.adopted, 1000);
	assert_int_equal(s.delivered, 999);
	assert_int_equal(s.dropped[OTLOG_DROP_REJECTED], 1);
	scripted_teardown(&other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SCRIPTED(too_large_batches_arrive_in_halves_and_later_ones_are_smaller),
		SCRIPTED(a_record_that_is_too_large_alone_is_dropped_and_named),
		SCRIPTED(requests_over_64_mib_are_not_sent_but_their_halves_are),
		SCRIPTED(one_poisoned_record_among_ten_thousand_is_found_and_named),
		cmocka_unit_test(poison_anywhere_costs_the_poisoned_records_alone),
		cmocka_unit_test(much_poison_in_a_row_costs_its_neighbours_nothing),
		cmocka_unit_test(a_destination_that_refuses_everything_is_not_asked_for_each_half),
		SCRIPTED(what_is_partly_rejected_is_counted_and_not_sent_again),
		SCRIPTED(more_cannot_be_rejected_than_were_sent),
		SCRIPTED(a_batch_that_is_refused_for_good_is_asked_for_once),
		SCRIPTED(what_is_in_flight_is_told_apart_from_what_waits),
		SCRIPTED(the_last_error_is_told_until_one_attempt_succeeds),
		SCRIPTED(durations_are_counted_up_to_each_bound),
		SCRIPTED(whatever_the_verdicts_the_books_say_what_the_destination_has),
		SCRIPTED(a_stop_between_two_halves_keeps_the_books_right),
		SCRIPTED(a_stop_between_two_halves_loses_nothing_in_a_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
