/*
 * Forked children. A child has neither the parent's threads nor its queue, so its first emit makes a provider of its own
 * in the parent's place, the heir: the same options, its own queue, resource and exporters.
 *
 * Making one allocates and starts threads, which no signal handler may do: an emit from there gets OTLOG_EMIT_BUSY until
 * there is an heir, and is counted. One thread at a time makes heirs and the others wait for it. `reviving` holds the
 * number of its process: a child that is forked at that moment has not got that thread, and must not wait for it.
 */
#include "sdk/base/clock.h"
#include "sdk/base/futex.h"
#include "sdk/base/exporter_table.h"
#include "sdk/provider/provider.h"
#include "sdk/crash/stack.h"

#include <errno.h>
#include <unistd.h>

/* Longer than any start takes. */
#define REVIVAL_NANO (5 * OTLOG__NANOS_PER_S)

/* The process in which a thread makes an heir, or 0. Futex; writer: that thread. */
static _Atomic uint32_t reviving;

/* The same number in the thread that does it; for signal handlers that interrupt it. */
static _Thread_local _Atomic uint32_t reviving_here __attribute__((tls_model("initial-exec")));

/* All running providers. */
static struct {
	pthread_mutex_t lock;
	otlog_provider *first;
} running = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- Where the kernel does not wipe the gate --------------------------------------------------------------------- */

static void
hold_lock(void)
{
	pthread_mutex_lock(&running.lock);
}

static void
release_lock(void)
{
	pthread_mutex_unlock(&running.lock);
}

static void
mark_queues(void)
{
	for (otlog_provider *provider = running.first; provider; provider = provider->fork.next)
		otlog__queue_mark_child(provider->queue);
	running.first = NULL;
	pthread_mutex_unlock(&running.lock);
}

static void
add_handlers(void)
{
	pthread_atfork(hold_lock, release_lock, mark_queues);
}

void
otlog__provider_enlist(otlog_provider *provider)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, add_handlers);
	otlog__stack_prime();
	pthread_mutex_lock(&running.lock);
	provider->fork.next = running.first;
	running.first = provider;
	pthread_mutex_unlock(&running.lock);
}

void
otlog__provider_delist(otlog_provider *provider)
{
	pthread_mutex_lock(&running.lock);
	otlog_provider **link = &running.first;
	while (*link && *link != provider)
		link = &(*link)->fork.next;
	if (*link)
		*link = provider->fork.next;
	pthread_mutex_unlock(&running.lock);
}

/* ---- Heirs ------------------------------------------------------------------------------------------------------- */

static otlog_provider *
heir_of(const otlog_provider *provider)
{
	/* Acquire: pairs with the release in otlog__provider_set_heir. */
	return atomic_load_explicit(&provider->fork.heir, memory_order_acquire);
}

otlog_provider *
otlog__provider_last_heir(otlog_provider *provider)
{
	otlog_provider *heir;
	while (provider && otlog__queue_in_child(provider->queue) && (heir = heir_of(provider)))
		provider = heir;
	return provider;
}

otlog_provider *
otlog__provider_of_this_process(otlog_provider *provider)
{
	otlog_provider *last = otlog__provider_last_heir(provider);
	return last && otlog__queue_in_child(last->queue) ? NULL : last;
}

bool
otlog__revival_begin(void)
{
	uint32_t here = (uint32_t)getpid();
	uint64_t deadline = otlog__monotonic_nano() + REVIVAL_NANO;
	/* Relaxed: the thread's own. */
	if (atomic_load_explicit(&reviving_here, memory_order_relaxed) == here || otlog__in_signal_handler())
		return false;
	for (;;) {
		uint32_t other = atomic_load_explicit(&reviving, memory_order_relaxed);
		/* Acquire: to see what the last one made. The number of another process is left over from before a fork. */
		if (other != here && atomic_compare_exchange_weak_explicit(
					 &reviving, &other, here, memory_order_acquire, memory_order_relaxed)) {
			atomic_store_explicit(&reviving_here, here, memory_order_relaxed);
			return true;
		}
		if (otlog__monotonic_nano() >= deadline)
			return false;
		if (other == here)
			otlog__futex_wait(&reviving, here, deadline);
	}
}

void
otlog__revival_end(void)
{
	atomic_store_explicit(&reviving_here, 0, memory_order_relaxed);
	/* Release: the next one sees what was made. */
	atomic_store_explicit(&reviving, 0, memory_order_release);
	otlog__futex_wake_all(&reviving);
}

void
otlog__provider_set_heir(otlog_provider *provider, otlog_provider *heir)
{
	if (!heir) {
		/* Relaxed: nothing goes with it. A child that cannot have an heir does not try again. */
		atomic_store_explicit(&provider->stop.state, OTLOG__STOPPED, memory_order_relaxed);
		return;
	}
	uint64_t missed = atomic_exchange_explicit(&provider->fork.missed, 0, memory_order_relaxed);
	for (uint64_t i = 0; i < missed; i++)
		otlog__queue_refuse(heir->queue, OTLOG_DROP_BUSY);
	/* Release: whoever reads the pointer sees the whole heir. */
	atomic_store_explicit(&provider->fork.heir, heir, memory_order_release);
}

static bool
may_revive(const otlog_provider *provider)
{
	/* Relaxed: it is from before the fork, or this process has stored it. */
	return atomic_load_explicit(&provider->stop.state, memory_order_relaxed) == OTLOG__RUNNING;
}

static otlog_emit_result
revive(otlog_provider *provider, otlog_provider **heir)
{
	if ((*heir = heir_of(provider)) || !may_revive(provider))
		return OTLOG_EMIT_DISABLED;
	int cancelable;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancelable); /* others wait for what this thread begins */
	bool mine = otlog__revival_begin();
	if (mine) {
		if (!heir_of(provider) && may_revive(provider))
			otlog__provider_set_heir(provider, otlog__provider_make_heir(provider));
		otlog__revival_end();
	} else {
		atomic_fetch_add_explicit(&provider->fork.missed, 1, memory_order_relaxed); /* a plain counter */
	}
	pthread_setcancelstate(cancelable, NULL);
	*heir = heir_of(provider);
	return mine ? OTLOG_EMIT_DISABLED : OTLOG_EMIT_BUSY;
}

otlog_emit_result
otlog__provider_revive(otlog_provider *provider, otlog_provider **heir)
{
	int saved = errno;
	otlog_emit_result result = revive(provider, heir);
	errno = saved;
	return result;
}

otlog_provider *
otlog__provider_settle_heir(otlog_provider *provider)
{
	otlog_provider *last = otlog__provider_last_heir(provider);
	if (!last || !otlog__queue_in_child(last->queue))
		return last;
	bool mine = otlog__revival_begin();
	otlog_provider *heir = heir_of(last);
	if (!heir)
		otlog__provider_set_heir(last, NULL);
	if (mine)
		otlog__revival_end();
	return heir;
}
