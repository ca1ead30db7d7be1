#include "sdk/provider/provider.h"

#include "sdk/base/diagnostics.h"

/*
 * The global provider. Emits may reach a provider that was shut down, and a later start makes a new one, so the old
 * ones are kept: without its data a queue is a few kilobytes.
 */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* never held while a provider is made */
static otlog_provider *current;                          /* the newest; its `older` are shut down */
static bool starting;

/* A child that is forked while another thread holds the lock must find it free. */
static void
hold_lock(void)
{
	pthread_mutex_lock(&lock);
}

static void
release_lock(void)
{
	pthread_mutex_unlock(&lock);
}

static void
release_lock_in_child(void)
{
	starting = false; /* whoever was starting is not here */
	pthread_mutex_unlock(&lock);
}

static void
watch_forks(void)
{
	pthread_atfork(hold_lock, release_lock, release_lock_in_child);
}

static otlog_provider *
take_current(void)
{
	pthread_mutex_lock(&lock);
	otlog_provider *provider = current;
	pthread_mutex_unlock(&lock);
	return provider;
}

/* True if this call is the one that starts the SDK. */
static bool
begin_start(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, watch_forks);
	pthread_mutex_lock(&lock);
	bool runs =
	    current && !otlog__queue_in_child(current->queue) && otlog__provider_state(current) != OTLOG__STOPPED;
	bool mine = !runs && !starting;
	starting |= mine;
	pthread_mutex_unlock(&lock);
	return mine;
}

static bool
start(const otlog_options *options)
{
	if (!begin_start()) {
		otlog__options_give_up(options);
		otlog__diagnose(OTLOG__WARN,
		                "otlog_start was called while the SDK runs; the call changes nothing. Start once, in "
		                "main(), and call otlog_shutdown before starting again");
		return false;
	}
	otlog_provider *started = otlog__provider_make(options, otlog__global_registry());
	pthread_mutex_lock(&lock);
	if (started) {
		started->older = current;
		current = started;
	}
	starting = false;
	pthread_mutex_unlock(&lock);
	return started != NULL;
}

bool
otlog_start_sized(const otlog_options *options, size_t options_size)
{
	otlog_options known = otlog__options_known(options, options_size);
	int cancelable;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancelable);
	bool started = start(&known);
	pthread_setcancelstate(cancelable, NULL);
	return started;
}

otlog_flush_result
otlog_flush(uint64_t timeout_ms)
{
	return otlog_provider_flush(take_current(), timeout_ms);
}

otlog_flush_result
otlog_shutdown(uint64_t timeout_ms)
{
	return otlog_provider_shutdown(take_current(), timeout_ms);
}

void
otlog_statistics_sized(otlog_statistics_snapshot *out, size_t out_size)
{
	otlog_provider_statistics_sized(take_current(), out, out_size);
}
