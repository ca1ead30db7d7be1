#include "sdk/base/futex.h"

#include "sdk/base/clock.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

void
otlog__futex_wait(_Atomic uint32_t *word, uint32_t seen, uint64_t deadline_nano)
{
	struct timespec at = { .tv_sec = (time_t)(deadline_nano / OTLOG__NANOS_PER_S),
		               .tv_nsec = (long)(deadline_nano % OTLOG__NANOS_PER_S) };
	int saved = errno; /* an emit that waits for room gets here */
	/* WAIT_BITSET takes an absolute time on the monotonic clock, so an early return needs no arithmetic. */
	syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, seen, deadline_nano == UINT64_MAX ? NULL : &at,
	        NULL, FUTEX_BITSET_MATCH_ANY);
	errno = saved;
}

void
otlog__futex_wake_all(_Atomic uint32_t *word)
{
	int saved = errno; /* emit calls this, and a signal handler may emit */
	syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, INT_MAX);
	errno = saved;
}
