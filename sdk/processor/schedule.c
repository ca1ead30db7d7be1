#include "sdk/processor/schedule.h"

#include "sdk/base/clock.h"
#include "sdk/processor/backoff.h"

/* Fewer failures than this do not open the breaker, however soon the back-off has reached its cap. */
#define OPEN_FROM 5

static uint64_t
later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

bool
otlog__schedule_is_open(const otlog__schedule *s)
{
	return s->failures >= OPEN_FROM && otlog__backoff_bound_ms(s->failures, s->initial_ms, s->cap_ms) >= s->cap_ms;
}

uint64_t
otlog__schedule_next_nano(const otlog__schedule *s, bool probe, bool hurried)
{
	if (otlog__schedule_is_open(s) && !probe)
		return OTLOG__NOT_YET;
	return hurried ? s->throttled_nano : later(s->throttled_nano, s->backed_off_nano);
}

uint64_t
otlog__schedule_failed(otlog__schedule *s, uint64_t now_nano, uint32_t round, uint64_t retry_after_ms, uint64_t random,
                       bool *opened)
{
	*opened = false;
	if (round == s->failures) {
		bool was_open = otlog__schedule_is_open(s);
		if (s->failures == 0)
			s->away_since_nano = now_nano;
		if (s->failures < UINT32_MAX)
			s->failures++;
		*opened = !was_open && otlog__schedule_is_open(s);
		uint64_t wait_ms = otlog__backoff_ms(s->failures, s->initial_ms, s->cap_ms, 0, random);
		s->backed_off_nano = otlog__deadline_nano(now_nano, wait_ms);
	}
	if (retry_after_ms) {
		uint64_t wait_ms = otlog__backoff_ms(s->failures, s->initial_ms, s->cap_ms, retry_after_ms, random);
		s->throttled_nano = later(s->throttled_nano, otlog__deadline_nano(now_nano, wait_ms));
	}
	uint64_t next = later(s->throttled_nano, s->backed_off_nano);
	return next > now_nano ? (next - now_nano) / OTLOG__NANOS_PER_MS : 0;
}

bool
otlog__schedule_reached(otlog__schedule *s)
{
	bool was_open = otlog__schedule_is_open(s);
	s->failures = 0;
	s->backed_off_nano = 0;
	return was_open;
}
