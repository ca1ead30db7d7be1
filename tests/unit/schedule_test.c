/* When a destination is tried: on a clock that only the test moves. */
#include "tests/support/harness/cmocka.h"

#include "sdk/base/clock.h"
#include "sdk/processor/backoff.h"
#include "sdk/processor/schedule.h"

#define MS OTLOG__NANOS_PER_MS
#define START (UINT64_C(1000) * OTLOG__NANOS_PER_S)

/* Random bits that make the jitter the whole bound. */
#define WHOLE(bound) ((uint64_t)(bound))

static otlog__schedule
make(uint64_t initial_ms, uint64_t cap_ms)
{
	return (otlog__schedule){ .initial_ms = initial_ms, .cap_ms = cap_ms };
}

/* A round of one attempt that fails. */
static uint64_t
fail_once(otlog__schedule *s, uint64_t now, uint64_t retry_after_ms, uint64_t random, bool *opened)
{
	return otlog__schedule_failed(s, now, s->failures, retry_after_ms, random, opened);
}

/* Fails until it is open, without jitter; returns how many failures that took. */
static unsigned
open_up(otlog__schedule *s, uint64_t now)
{
	bool opened = false;
	unsigned failures = 0;
	while (!opened && failures < 100) {
		fail_once(s, now, 0, 0, &opened);
		failures++;
	}
	assert_true(opened);
	return failures;
}

/* ---- Back-off ---------------------------------------------------------------------------------------------------- */

static void
the_first_attempt_waits_for_nothing(void **state)
{
	(void)state;
	otlog__schedule s = make(1000, 30000);
	assert_int_equal(otlog__schedule_next_nano(&s, true, false), 0);
	assert_int_equal(otlog__schedule_next_nano(&s, false, false), 0);
	assert_false(otlog__schedule_is_open(&s));
	assert_false(otlog__schedule_reached(&s)); /* nothing was open */
}

static void
the_wait_doubles_with_each_round_up_to_the_cap(void **state)
{
	(void)state;
	static const uint64_t bounds[] = { 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000 };
	otlog__schedule s = make(1000, 30000);
	uint64_t now = START;
	bool opened;
	for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
		assert_int_equal(fail_once(&s, now, 0, WHOLE(bounds[i]), &opened), bounds[i]);
		assert_int_equal(s.failures, i + 1);
		uint64_t next = otlog__schedule_next_nano(&s, true, false);
		assert_int_equal(next, now + bounds[i] * MS);
		now = next;
	}
}

static void
jitter_is_anything_from_nothing_to_the_bound_and_all_of_it_alike(void **state)
{
	(void)state;
	enum { DRAWS = 20000, BINS = 8 };
	unsigned bins[BINS] = { 0 };
	uint64_t random = 88172645463325252u;
	for (unsigned i = 0; i < DRAWS; i++) {
		otlog__schedule s = make(1000, 30000);
		bool opened;
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		s.failures = 3;
		uint64_t wait = fail_once(&s, START, 0, random, &opened);
		assert_true(wait <= 8000);
		assert_int_equal(s.backed_off_nano, START + wait * MS);
		bins[wait * BINS / 8001]++;
	}
	for (unsigned i = 0; i < BINS; i++)
		assert_in_range(bins[i], DRAWS / BINS * 9 / 10, DRAWS / BINS * 11 / 10);
}

static void
attempts_that_ran_at_the_same_time_count_once(void **state)
{
	(void)state;
	otlog__schedule s = make(1000, 30000);
	bool opened;
	const uint32_t round = s.failures;
	assert_int_equal(otlog__schedule_failed(&s, START, round, 0, WHOLE(1000), &opened), 1000);
	for (unsigned i = 1; i <= 3; i++) /* they end a little later, and wait for the same moment */
		assert_int_equal(otlog__schedule_failed(&s, START + i * 100 * MS, round, 0, 0, &opened),
		                 1000 - i * 100);
	assert_int_equal(s.failures, 1);
	assert_int_equal(s.away_since_nano, START);
	assert_int_equal(otlog__schedule_next_nano(&s, true, false), START + 1000 * MS);
}

static void
one_that_began_before_the_destination_was_back_does_not_send_it_away_again(void **state)
{
	(void)state;
	otlog__schedule s = make(1000, 30000);
	bool opened;
	fail_once(&s, START, 0, 0, &opened);
	const uint32_t round = s.failures;
	otlog__schedule_reached(&s);
	assert_int_equal(otlog__schedule_failed(&s, START + MS, round, 0, WHOLE(1000), &opened), 0);
	assert_int_equal(s.failures, 0);
	assert_int_equal(otlog__schedule_next_nano(&s, false, false), 0);
}

static void
success_begins_from_the_smallest_wait_again(void **state)
{
	(void)state;
	otlog__schedule s = make(1000, 30000);
	bool opened;
	for (unsigned i = 0; i < 4; i++)
		fail_once(&s, START, 0, WHOLE(8000), &opened);
	assert_false(otlog__schedule_reached(&s)); /* it had not opened */
	assert_int_equal(otlog__schedule_next_nano(&s, true, false), 0);
	assert_int_equal(fail_once(&s, START + 60000 * MS, 0, WHOLE(1000), &opened), 1000);
	assert_int_equal(s.away_since_nano, START + 60000 * MS);
}

/* ---- Open -------------------------------------------------------------------------------------------------------- */

static void
it_opens_once_when_the_wait_has_reached_its_cap(void **state)
{
	(void)state;
	otlog__schedule s = make(1000, 30000);
	assert_int_equal(open_up(&s, START), 6);
	for (unsigned i = 0; i < 1000; i++) {
		bool opened = true;
		fail_once(&s, START + i * MS, 0, 0, &opened);
		assert_false(opened);
		assert_true(otlog__schedule_is_open(&s));
	}
	assert_int_equal(s.away_since_nano, START);
}

static void
a_small_cap_does_not_open_it_sooner_than_five_failures(void **state)
{
	(void)state;
	otlog__schedule equal = make(1000, 1000), tiny = make(1000, 1), none = make(1000, 0);
	assert_int_equal(open_up(&equal, START), 5);
	assert_int_equal(open_up(&tiny, START), 5);
	assert_int_equal(open_up(&none, START), 5);
}

static void
open_lets_only_the_first_in_line_try(void **state)
{
	(void)state;
	otlog__schedule s = make(1000, 30000);
	bool opened;
	open_up(&s, START);
	fail_once(&s, START, 0, WHOLE(30000), &opened);
	assert_int_equal(otlog__schedule_next_nano(&s, false, false), OTLOG__NOT_YET);
	assert_int_equal(otlog__schedule_next_nano(&s, false, true), OTLOG__NOT_YET); /* not for a flush either */
	assert_int_equal(otlog__schedule_next_nano(&s, true, false), START + 30000 * MS);
}

static void
it_closes_by_itself_when_the_destination_is_reached(void **state)
{
	(void)state;
	otlog__schedule s = make(1000, 30000);
	open_up(&s, START);
	assert_true(otlog__schedule_reached(&s));
	assert_false(otlog__schedule_is_open(&s));
	assert_int_equal(otlog__schedule_next_nano(&s, false, false), 0);
	assert_false(otlog__schedule_reached(&s)); /* said once */
	assert_int_equal(open_up(&s, START), 6);   /* and it opens again as late */
}

/* ---- The server's wish, and flushes ------------------------------------------------------------------------------ */

static void
the_servers_wish_is_the_least_that_everybody_waits(void **state)
{
	(void)state;
	otlog__schedule s = make(1000, 30000);
	bool opened;
	const uint32_t round = s.failures;
	assert_int_equal(otlog__schedule_failed(&s, START, round, 5000, 0, &opened), 5000);
	assert_int_equal(otlog__schedule_next_nano(&s, true, false), START + 5000 * MS);
	assert_int_equal(otlog__schedule_next_nano(&s, false, false), START + 5000 * MS);
	/* The jitter comes on top, and of two wishes the later one counts, whichever comes first. */
	assert_int_equal(otlog__schedule_failed(&s, START, round, 5000, WHOLE(1000), &opened), 6000);
	assert_int_equal(otlog__schedule_failed(&s, START, round, 20, 0, &opened), 6000);
	assert_int_equal(s.failures, 1);
}

static void
a_wish_is_heard_from_an_attempt_that_does_not_count(void **state)
{
	(void)state;
	otlog__schedule s = make(1000, 30000);
	bool opened;
	const uint32_t round = s.failures;
	otlog__schedule_failed(&s, START, round, 0, 0, &opened);
	otlog__schedule_reached(&s);
	otlog__schedule_failed(&s, START, round + 1, 7000, 0, &opened); /* it began while the destination was away */
	assert_int_equal(s.failures, 0);
	assert_int_equal(otlog__schedule_next_nano(&s, true, false), START + 7000 * MS);
}

static void
a_flush_ends_our_own_wait_and_no_wish_of_the_server(void **state)
{
	(void)state;
	otlog__schedule s = make(1000, 30000);
	bool opened;
	fail_once(&s, START, 0, WHOLE(1000), &opened);
	assert_int_equal(otlog__schedule_next_nano(&s, true, false), START + 1000 * MS);
	assert_int_equal(otlog__schedule_next_nano(&s, true, true), 0);
	fail_once(&s, START, 300, 0, &opened);
	assert_int_equal(otlog__schedule_next_nano(&s, true, true), START + 300 * MS);
	assert_int_equal(otlog__schedule_next_nano(&s, true, false), START + 300 * MS);
}

static void
a_wish_outlives_a_success_of_another_attempt(void **state)
{
	(void)state;
	otlog__schedule s = make(1000, 30000);
	bool opened;
	fail_once(&s, START, 9000, 0, &opened);
	otlog__schedule_reached(&s);
	assert_int_equal(otlog__schedule_next_nano(&s, true, true), START + 9000 * MS);
}

/* ---- Extremes ---------------------------------------------------------------------------------------------------- */

static void
huge_values_never_wrap_around(void **state)
{
	(void)state;
	static const uint64_t hows[] = { 0, 1, 1000, UINT64_MAX / MS, UINT64_MAX - 1, UINT64_MAX };
	enum { HOWS = sizeof hows / sizeof *hows };
	for (size_t i = 0; i < HOWS * HOWS * HOWS * HOWS; i++) {
		uint64_t initial = hows[i % HOWS], cap = hows[i / HOWS % HOWS];
		uint64_t after = hows[i / HOWS / HOWS % HOWS], random = hows[i / HOWS / HOWS / HOWS];
		otlog__schedule s = make(initial, cap);
		bool opened;
		for (unsigned round = 0; round < 70; round++) {
			uint64_t wait = fail_once(&s, START, after, random, &opened);
			uint64_t next = otlog__schedule_next_nano(&s, true, false);
			assert_true(next >= START);
			assert_true(wait <= (UINT64_MAX - START) / MS);
			assert_true(next - START >= wait * MS);
			if (after)
				assert_true(next == OTLOG__NOT_YET || (next - START) / MS >= after);
		}
	}
}

static void
the_end_of_the_clock_is_never(void **state)
{
	(void)state;
	for (uint64_t left = 0; left < 3000 * MS; left += 500 * MS) {
		otlog__schedule s = make(1000, 30000);
		bool opened;
		const uint64_t now = UINT64_MAX - left;
		uint64_t wait = fail_once(&s, now, 1500, WHOLE(1000), &opened);
		uint64_t next = otlog__schedule_next_nano(&s, true, false);
		assert_true(next >= now);
		assert_true(wait <= left / MS);
		assert_true(left > 2500 * MS ? next == now + 2500 * MS : next == OTLOG__NOT_YET);
	}
}

static void
failures_are_counted_to_the_end_and_not_beyond(void **state)
{
	(void)state;
	otlog__schedule s = make(1000, 30000);
	bool opened;
	s.failures = UINT32_MAX - 1;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(fail_once(&s, START, 0, WHOLE(30000), &opened), 30000);
	assert_int_equal(s.failures, UINT32_MAX);
	assert_true(otlog__schedule_is_open(&s));
	assert_true(otlog__schedule_reached(&s));
}

static void
no_wait_at_all_is_no_wait_however_often_it_fails(void **state)
{
	(void)state;
	/* And it is found out at once: doubling nothing four thousand million times would take seconds. */
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(otlog__backoff_bound_ms(UINT32_MAX - i, 0, 30000), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_attempt_waits_for_nothing),
		cmocka_unit_test(the_wait_doubles_with_each_round_up_to_the_cap),
		cmocka_unit_test(jitter_is_anything_from_nothing_to_the_bound_and_all_of_it_alike),
		cmocka_unit_test(attempts_that_ran_at_the_same_time_count_once),
		cmocka_unit_test(one_that_began_before_the_destination_was_back_does_not_send_it_away_again),
		cmocka_unit_test(success_begins_from_the_smallest_wait_again),
		cmocka_unit_test(it_opens_once_when_the_wait_has_reached_its_cap),
		cmocka_unit_test(a_small_cap_does_not_open_it_sooner_than_five_failures),
		cmocka_unit_test(open_lets_only_the_first_in_line_try),
		cmocka_unit_test(it_closes_by_itself_when_the_destination_is_reached),
		cmocka_unit_test(the_servers_wish_is_the_least_that_everybody_waits),
		cmocka_unit_test(a_wish_is_heard_from_an_attempt_that_does_not_count),
		cmocka_unit_test(a_flush_ends_our_own_wait_and_no_wish_of_the_server),
		cmocka_unit_test(a_wish_outlives_a_success_of_another_attempt),
		cmocka_unit_test(huge_values_never_wrap_around),
		cmocka_unit_test(the_end_of_the_clock_is_never),
		cmocka_unit_test(failures_are_counted_to_the_end_and_not_beyond),
		cmocka_unit_test(no_wait_at_all_is_no_wait_however_often_it_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
