#include "sdk/processor/backoff.h"

uint64_t
otlog__backoff_bound_ms(uint32_t failures, uint64_t initial_ms, uint64_t cap_ms)
{
	uint64_t bound = initial_ms < cap_ms ? initial_ms : cap_ms;
	for (uint32_t i = 1; i < failures && bound && bound < cap_ms; i++)
		bound = bound > cap_ms / 2 ? cap_ms : bound * 2;
	return bound;
}

uint64_t
otlog__backoff_ms(uint32_t failures, uint64_t initial_ms, uint64_t cap_ms, uint64_t retry_after_ms, uint64_t random)
{
	uint64_t bound = otlog__backoff_bound_ms(failures, initial_ms, cap_ms);
	uint64_t wait = bound == UINT64_MAX ? random : random % (bound + 1);
	return retry_after_ms > UINT64_MAX - wait ? UINT64_MAX : retry_after_ms + wait;
}
