#include "sdk/provider/provider.h"

#include "sdk/base/process/diagnostics.h"
#include "sdk/base/version.h"
#include "sdk/crash/crash.h"
#include "sdk/settings/given_options.h"

#include <stdlib.h>

#define SHUTDOWN_AT_EXIT_MS 5000

/*
 * The global provider. Emits may reach a provider that was shut down, and a later start makes a new one, so the old
 * ones are kept: without its data a queue is a few kilobytes.
 */
static struct {
	pthread_mutex_t lock;    /* never held while a provider is made */
	otlog_provider *current; /* the newest; its `older` are shut down */
	bool starting;
	const otlog_provider *crash_owner; /* for which the crash handler is there */
} global = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* A child that is forked while another thread holds the lock must find it free. */
static void
hold_lock(void)
{
	pthread_mutex_lock(&global.lock);
}

static void
release_lock(void)
{
	pthread_mutex_unlock(&global.lock);
}

static void
release_lock_in_child(void)
{
	global.starting = false; /* whoever was starting is not here */
	pthread_mutex_unlock(&global.lock);
}

static void
watch_forks(void)
{
	pthread_atfork(hold_lock, release_lock, release_lock_in_child);
}

/* otlog_shutdown for programs that cannot call it. In a forked child that has emitted nothing it finds nothing to do. */
static void
shut_down_at_exit(void)
{
	otlog_shutdown(SHUTDOWN_AT_EXIT_MS);
}

static void
register_at_exit(void)
{
	atexit(shut_down_at_exit);
}

static otlog_provider *
take_current(void)
{
	pthread_mutex_lock(&global.lock);
	otlog_provider *provider = global.current;
	pthread_mutex_unlock(&global.lock);
	return provider;
}

/* True if this call is the one that starts the SDK. */
static bool
begin_start(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, watch_forks);
	pthread_mutex_lock(&global.lock);
	otlog_provider *here = otlog__provider_of_this_process(global.current);
	bool runs = here && otlog__provider_state(here) != OTLOG__STOPPED;
	bool mine = !runs && !global.starting;
	global.starting |= mine;
	pthread_mutex_unlock(&global.lock);
	return mine;
}

static void
end_start(otlog_provider *started)
{
	pthread_mutex_lock(&global.lock);
	if (started) {
		started->older = global.current;
		global.current = started;
	}
	global.starting = false;
	pthread_mutex_unlock(&global.lock);
}

static void
turn_switches(const otlog_provider *started)
{
	static pthread_once_t at_exit = PTHREAD_ONCE_INIT;
	const otlog__config *config = started->config;
	/* Only now: the libraries that exporters need have been there before, so their ends come after ours. */
	if (config->flush_at_exit)
		pthread_once(&at_exit, register_at_exit);
	if (!config->crash_handler)
		return;
	if (!config->queue_directory)
		otlog__diagnose(OTLOG__WARN,
		                "OTLOG_CRASH_HANDLER is set, but there is no queue directory: the record of a "
		                "crash is lost with the process. Set OTLOG_QUEUE_DIR to a directory, or unset "
		                "OTLOG_CRASH_HANDLER");
	otlog_logger *logger = otlog_get_logger("otlog", OTLOG__VERSION); /* under no other lock */
	pthread_mutex_lock(&global.lock);
	otlog__crash_install(logger);
	global.crash_owner = started;
	pthread_mutex_unlock(&global.lock);
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
	end_start(started);
	if (started)
		turn_switches(started);
	return started != NULL;
}

/* In a forked child the new provider comes in the place of the parent's, so that no emit makes another. */
static bool
start_in_child(otlog_provider *parent, const otlog_options *options)
{
	bool mine = otlog__revival_begin();
	bool started = start(options);
	if (mine && started)
		otlog__provider_set_heir(parent, take_current());
	else if (mine && !otlog__provider_of_this_process(parent))
		otlog__provider_set_heir(parent, NULL);
	if (mine)
		otlog__revival_end();
	return started;
}

bool
otlog_start_sized(const otlog_options *options, size_t options_size, size_t pipeline_size)
{
	otlog__given_options given;
	int cancelable;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancelable);
	otlog__given_options_take(&given, options, options_size, pipeline_size);
	otlog_provider *last = otlog__provider_last_heir(take_current());
	bool forked = last && otlog__queue_in_child(last->queue);
	bool started = forked ? start_in_child(last, &given.options) : start(&given.options);
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
	otlog_provider *provider = take_current();
	otlog_flush_result result = otlog_provider_shutdown(provider, timeout_ms);
	pthread_mutex_lock(&global.lock);
	if (global.crash_owner && global.crash_owner == provider) {
		otlog__crash_remove();
		global.crash_owner = NULL;
	}
	pthread_mutex_unlock(&global.lock);
	return result;
}

void
otlog_statistics_sized(otlog_statistics_snapshot *out, size_t out_size)
{
	otlog_provider_statistics_sized(take_current(), out, out_size);
}

bool
otlog_statistics_pipeline_sized(size_t pipeline, otlog_pipeline_statistics *out, size_t out_size)
{
	return otlog_provider_statistics_pipeline_sized(take_current(), pipeline, out, out_size);
}
