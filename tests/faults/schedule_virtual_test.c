/*
 * Flushes and shutdowns with a deadline, against destinations that hang, fail, ask to be left alone or come back: the
 * worker's loop over the real schedule, on a clock that jumps from one event to the next. OTLOG_FAULTS_FACTOR=10 makes
 * ten times as many cases.
 */
#include "tests/support/harness/cmocka.h"
#include "tests/support/harness/factor.h"

#include "sdk/base/clock.h"
#include "sdk/processor/schedule.h"

#include <string.h>

#define MS OTLOG__NANOS_PER_MS
#define CASES 1000
#define MOST_WORKERS 4
#define NEVER UINT64_MAX

static uint64_t random_state;

static uint64_t
draw(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static uint64_t
below(uint64_t limit)
{
	return draw() % limit;
}

/* ---- The destination --------------------------------------------------------------------------------------------- */

typedef enum manner { REFUSES, HANGS, ASKS_FOR_TIME, SLOW, MANNERS } manner;

typedef struct destination {
	manner how;          /* until it is back */
	uint64_t back_nano;  /* NEVER: it stays away */
	uint64_t answer_ms;  /* how long an answer takes */
	uint64_t timeout_ms; /* of one attempt */
	uint64_t wish_ms;
} destination;

/* ---- The workers ------------------------------------------------------------------------------------------------- */

typedef struct worker {
	uint32_t ticket;
	bool trying, done;
	uint64_t until; /* when the attempt ends */
	uint32_t round;
} worker;

/* What the run has shown. */
typedef struct run {
	destination to;
	otlog__schedule schedule;
	uint64_t start, now, deadline;
	uint32_t workers;
	worker all[MOST_WORKERS];
	uint32_t turn;
	bool flush_untried;
	uint64_t wished_until; /* by the server, at the least */
	uint64_t attempts, hurried;
	uint64_t delivered_nano; /* when the last batch was taken; NEVER: not */
} run;

static uint32_t
trying(const run *r)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < r->workers; i++)
		count += r->all[i].trying;
	return count;
}

static uint64_t
next_of(const run *r, const worker *w)
{
	return otlog__schedule_next_nano(&r->schedule, w->ticket == r->turn, r->flush_untried);
}

static void
begin(run *r, worker *w)
{
	const destination *to = &r->to;
	bool is_back = r->now >= to->back_nano;
	uint64_t lasts_ms = !is_back && to->how == HANGS ? to->timeout_ms : to->answer_ms;
	assert_true(r->now >= r->wished_until);                                      /* the server is obeyed */
	assert_true(!otlog__schedule_is_open(&r->schedule) || w->ticket == r->turn); /* one probe */
	assert_true(r->now < r->deadline); /* nobody tries when all is decided */
	if (r->flush_untried && r->now < r->schedule.backed_off_nano)
		r->hurried++;
	r->flush_untried = false;
	r->attempts++;
	w->trying = true;
	w->round = r->schedule.failures;
	w->until = otlog__deadline_nano(r->now, lasts_ms < to->timeout_ms ? lasts_ms : to->timeout_ms);
}

static void
end(run *r, worker *w)
{
	const destination *to = &r->to;
	bool taken = (r->now >= to->back_nano || to->how == SLOW) && to->answer_ms < to->timeout_ms;
	bool opened;
	w->trying = false;
	if (taken) {
		otlog__schedule_reached(&r->schedule);
		w->done = true;
		while (r->turn < r->workers && r->all[r->turn].done)
			r->turn++;
		if (r->turn == r->workers)
			r->delivered_nano = r->now;
		return;
	}
	uint64_t wish_ms = to->how == ASKS_FOR_TIME ? to->wish_ms : 0;
	uint64_t wait = otlog__schedule_failed(&r->schedule, r->now, w->round, wish_ms, draw(), &opened);
	assert_true(wait >= wish_ms || r->schedule.throttled_nano == OTLOG__NOT_YET);
	if (wish_ms && otlog__deadline_nano(r->now, wish_ms) > r->wished_until)
		r->wished_until = otlog__deadline_nano(r->now, wish_ms);
}

/* The moment of the next event, but no later than the deadline. */
static uint64_t
next_event(const run *r)
{
	uint64_t next = r->deadline;
	for (uint32_t i = 0; i < r->workers; i++) {
		const worker *w = &r->all[i];
		uint64_t at = w->done ? NEVER : w->trying ? w->until : next_of(r, w);
		next = at < next ? at : next;
	}
	return next > r->now ? next : r->now;
}

/* Flushes with a deadline; returns when it was decided, and whether by delivery. */
static uint64_t
flush(run *r, bool *delivered)
{
	while (r->delivered_nano == NEVER && r->now < r->deadline) {
		for (uint32_t i = 0; i < r->workers; i++) {
			worker *w = &r->all[i];
			if (w->trying && r->now >= w->until)
				end(r, w);
		}
		for (uint32_t i = 0; i < r->workers; i++) {
			worker *w = &r->all[i];
			if (!w->done && !w->trying && r->now >= next_of(r, w))
				begin(r, w);
		}
		if (otlog__schedule_is_open(&r->schedule))
			assert_true(trying(r) <= r->workers);
		if (r->delivered_nano == NEVER)
			r->now = next_event(r);
	}
	*delivered = r->delivered_nano != NEVER;
	return r->now;
}

static run
make_run(void)
{
	run r = { .start = OTLOG__NANOS_PER_S * (1 + below(1u << 30)), .delivered_nano = NEVER };
	r.now = r.start;
	r.deadline = otlog__deadline_nano(r.start, below(5001));
	r.workers = (uint32_t)(1 + below(MOST_WORKERS));
	for (uint32_t i = 0; i < r.workers; i++)
		r.all[i].ticket = i;
	r.to = (destination){ .how = (manner)below(MANNERS),
		              .back_nano = below(3) ? NEVER : otlog__deadline_nano(r.start, below(5000)),
		              .answer_ms = 1 + below(300),
		              .timeout_ms = below(3) ? 1 + below(2000) : 10000,
		              .wish_ms = below(4) ? 1 + below(3000) : UINT64_MAX };
	r.schedule = (otlog__schedule){ .initial_ms = 1 + below(1000), .cap_ms = 1 + below(30000) };
	/* It may have been away for long already. */
	bool opened;
	for (uint64_t failures = below(3) ? 0 : below(20); failures; failures--)
		otlog__schedule_failed(&r.schedule, r.start, r.schedule.failures, 0, draw(), &opened);
	r.flush_untried = true;
	return r;
}

/* ---- Tests ------------------------------------------------------------------------------------------------------- */

static void
a_flush_is_decided_at_its_deadline_and_never_says_what_is_not_so(void **state)
{
	(void)state;
	unsigned by_delivery = 0, by_deadline = 0, hurried = 0;
	for (uint64_t seed = 1; seed <= faults_count(CASES); seed++) {
		random_state = seed * UINT64_C(0x9e3779b97f4a7c15);
		run r = make_run();
		bool delivered;
		uint64_t at = flush(&r, &delivered);
		for (uint32_t i = 0; i < r.workers && delivered; i++)
			assert_true(r.all[i].done);
		assert_true(at <= r.deadline);
		if (!delivered)
			assert_int_equal(at, r.deadline);
		if (delivered && r.to.how != SLOW)
			assert_true(r.to.back_nano != NEVER && at >= r.to.back_nano);
		if (r.to.back_nano == NEVER && r.to.how != SLOW)
			assert_false(delivered);
		assert_true(r.hurried <= 1); /* a flush ends a back-off once */
		by_delivery += delivered;
		by_deadline += !delivered;
		hurried += r.hurried > 0;
	}
	assert_true(by_delivery > CASES / 10 && by_deadline > CASES / 10 && hurried > CASES / 20);
}

static void
a_destination_that_is_away_for_a_day_is_asked_seldom_and_found_soon(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 50; seed++) {
		random_state = seed * UINT64_C(0x9e3779b97f4a7c15);
		const uint64_t day_ms = UINT64_C(24) * 3600 * 1000;
		run r = make_run();
		bool delivered;
		r.schedule = (otlog__schedule){ .initial_ms = 1000, .cap_ms = 30000 };
		r.to = (destination){ .how = REFUSES, .answer_ms = 2, .timeout_ms = 10000 };
		r.to.back_nano = otlog__deadline_nano(r.start, day_ms);
		r.deadline = NEVER;
		uint64_t at = flush(&r, &delivered);
		assert_true(delivered);
		assert_true(at - r.to.back_nano <=
		            (30000 + 100) * MS); /* no later than the cap, and the other batches */
		assert_in_range(r.attempts, day_ms / 30000,
		                3 * day_ms / 30000); /* every 15 s on average, one at a time */
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flush_is_decided_at_its_deadline_and_never_says_what_is_not_so),
		cmocka_unit_test(a_destination_that_is_away_for_a_day_is_asked_seldom_and_found_soon),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
