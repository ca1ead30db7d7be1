/*
 * When a destination is tried: one for all workers of a pipeline. Pure: it knows no clock but the `now` it is given.
 *
 *   closed ──▶ attempts fail; the back-off between them grows ──▶ open: the back-off is at its cap, and only the batch
 *      ▲                                                            that is first in line is tried: one probe at a time
 *      └────────────────────── an attempt succeeds ◀───────────────────┘
 *
 * That is the circuit breaker: whether it is open follows from the count of failures alone.
 */
#ifndef OTLOG_PROCESSOR_SCHEDULE_H
#define OTLOG_PROCESSOR_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#define OTLOG__NOT_YET UINT64_MAX

/* {0} with the two options filled in. */
typedef struct otlog__schedule {
	uint64_t initial_ms; /* upper bound of the first back-off */
	uint64_t cap_ms;     /* upper bound of every one */
	uint32_t failures;   /* rounds of attempts that failed, in a row */
	uint64_t away_since_nano;
	uint64_t backed_off_nano; /* no attempt before this: our own back-off, */
	uint64_t throttled_nano;  /* nor before this, which the server asked for */
} otlog__schedule;

bool otlog__schedule_is_open(const otlog__schedule *schedule);

/*
 * When the next attempt may begin; in the past: at once. OTLOG__NOT_YET: not before another one has ended. `probe`: the
 * batch is first in line. `hurried`: a flush has asked for a try, which ends a back-off of ours but no wish of the server.
 */
uint64_t otlog__schedule_next_nano(const otlog__schedule *schedule, bool probe, bool hurried);

/*
 * An attempt has ended with RETRY; `round` is what `failures` was when it began, so that attempts which ran at the same
 * time count once. retry_after_ms: what the server asked for, 0: nothing. `random`: 64 random bits. Returns the
 * milliseconds until the next attempt; *opened is set if that opens the breaker.
 */
uint64_t otlog__schedule_failed(otlog__schedule *schedule, uint64_t now_nano, uint32_t round, uint64_t retry_after_ms,
                                uint64_t random, bool *opened);

/* An attempt has reached the destination. Returns whether the breaker was open. */
bool otlog__schedule_reached(otlog__schedule *schedule);

#endif
