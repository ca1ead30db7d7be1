#include "sdk/provider/provider.h"

#include "sdk/base/diagnostics.h"

/*
 * The global provider. Emits may reach a provider that was shut down, and a later start makes a new one, so the old
 * ones are kept: without its data a queue is a few kilobytes.
 */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static otlog_provider *current; /* the newest; its `older` are shut down */

static otlog_provider *
take_current(void)
{
	pthread_mutex_lock(&lock);
	otlog_provider *provider = current;
	pthread_mutex_unlock(&lock);
	return provider;
}

static bool
is_running(otlog_provider *provider)
{
	if (!provider || otlog__queue_in_child(provider->queue))
		return false;
	pthread_mutex_lock(&provider->lock);
	bool running = provider->state != OTLOG__STOPPED;
	pthread_mutex_unlock(&provider->lock);
	return running;
}

bool
otlog_start_sized(const otlog_options *options, size_t options_size)
{
	otlog_options known = otlog__options_known(options, options_size);
	pthread_mutex_lock(&lock);
	bool running = is_running(current);
	otlog_provider *started = running ? NULL : otlog__provider_make(&known, otlog__global_registry());
	if (started) {
		started->older = current;
		current = started;
	}
	pthread_mutex_unlock(&lock);
	if (running) {
		for (size_t i = 0; known.pipelines && i < known.pipeline_count; i++)
			if (known.pipelines[i].exporter.functions && known.pipelines[i].exporter.functions->destroy)
				known.pipelines[i].exporter.functions->destroy(known.pipelines[i].exporter.self);
		otlog__diagnose(OTLOG__WARN,
		                "otlog_start was called while the SDK runs; the call changes nothing. Start once, in "
		                "main(), and call otlog_shutdown before starting again");
	}
	return started != NULL;
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
