/* Time. The only place that reads a clock; everything above takes `now`. Signal-safe. */
#ifndef OTLOG_BASE_CLOCK_H
#define OTLOG_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define OTLOG__NANOS_PER_MS UINT64_C(1000000)
#define OTLOG__NANOS_PER_S UINT64_C(1000000000)

/* Nanoseconds since the Unix epoch. */
static inline uint64_t
otlog__unix_nano(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * OTLOG__NANOS_PER_S + (uint64_t)t.tv_nsec;
}

/* Nanoseconds on a clock that never jumps. */
static inline uint64_t
otlog__monotonic_nano(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * OTLOG__NANOS_PER_S + (uint64_t)t.tv_nsec;
}

/* now + ms, without overflow: a huge time-out means "never". */
static inline uint64_t
otlog__deadline_nano(uint64_t now_nano, uint64_t ms)
{
	return ms >= (UINT64_MAX - now_nano) / OTLOG__NANOS_PER_MS ? UINT64_MAX : now_nano + ms * OTLOG__NANOS_PER_MS;
}

#endif
