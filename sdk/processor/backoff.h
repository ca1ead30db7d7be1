/* How long to wait before the next attempt. Pure: no clock, no randomness of its own. */
#ifndef OTLOG_PROCESSOR_BACKOFF_H
#define OTLOG_PROCESSOR_BACKOFF_H

#include <stdint.h>

/*
 * Exponential with full jitter: a number from 0 to min(cap, initial * 2^(failures - 1)), `failures` ≥ 1 being how many
 * attempts in a row have failed and `random` 64 random bits. What the server asked for (retry_after_ms, 0: nothing) is
 * the least that is waited: the jitter is added to it, so that the server's clients do not return all at once.
 */
uint64_t otlog__backoff_ms(uint32_t failures, uint64_t initial_ms, uint64_t cap_ms, uint64_t retry_after_ms,
                           uint64_t random);

/* The upper bound of the jitter alone: min(cap, initial * 2^(failures - 1)). */
uint64_t otlog__backoff_bound_ms(uint32_t failures, uint64_t initial_ms, uint64_t cap_ms);

#endif
