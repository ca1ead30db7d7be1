#include "exporters/peer/fork_guard.h"

#include "sdk/base/clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define LONGEST_WAIT_MS 500

/* Threads inside read, a fork writes: it must not wait for ever because one after the other enters. */
#define FRESH PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP
static pthread_rwlock_t guard = FRESH;

static _Thread_local bool held; /* by the fork of this thread; others may fork at the same time */
static _Atomic bool broken;     /* writer: a child's handler, before it has another thread */

static void
hold(void)
{
	uint64_t until = otlog__deadline_nano(otlog__monotonic_nano(), LONGEST_WAIT_MS);
	const struct timespec deadline = { .tv_sec = (time_t)(until / OTLOG__NANOS_PER_S),
		                           .tv_nsec = (long)(until % OTLOG__NANOS_PER_S) };
	held = pthread_rwlock_clockwrlock(&guard, CLOCK_MONOTONIC, &deadline) == 0;
}

static void
release(void)
{
	if (held)
		pthread_rwlock_unlock(&guard);
}

/* Who waited for the lock in the parent is not here. */
static void
release_in_child(void)
{
	if (!held)
		atomic_store_explicit(&broken, true, memory_order_relaxed); /* there is no other thread to see it */
	guard = (pthread_rwlock_t)FRESH;
}

static void
set_handlers(void)
{
	pthread_atfork(hold, release, release_in_child);
}

void
otlog__fork_guard_enter(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, set_handlers);
	pthread_rwlock_rdlock(&guard);
}

void
otlog__fork_guard_leave(void)
{
	pthread_rwlock_unlock(&guard);
}

bool
otlog__fork_guard_is_sound(void)
{
	return !atomic_load_explicit(&broken, memory_order_relaxed); /* see above */
}
