#include "sdk/provider/provider.h"

#include "sdk/base/clock.h"
#include "sdk/base/exporter_table.h"
#include "sdk/base/process/diagnostics.h"
#include "sdk/base/futex.h"
#include "sdk/base/sized.h"
#include "sdk/base/strings.h"
#include "sdk/settings/given_options.h"

#include <inttypes.h>
#include <stdlib.h>

/* How long a shutdown waits beyond its time: for cancelled exporters to return, and for the disk. */
#define GRACE_NANO (1 * OTLOG__NANOS_PER_S)

static const otlog__limits default_limits = OTLOG__DEFAULT_LIMITS;

/* Opens the queue for the pipelines that are planned. */
static bool
open_queue(otlog_provider *provider)
{
	const otlog__config *config = provider->config;
	const char *names[OTLOG_MAX_PIPELINES];
	otlog__buffer resource = { 0 };
	for (size_t i = 0; i < provider->pipeline_count; i++)
		names[i] = provider->pipelines[i].exporter.name;
	if (!otlog__buffer_append(&resource, provider->resource.head.data, provider->resource.head.size) ||
	    !otlog__buffer_append(&resource, provider->resource.tail.data, provider->resource.tail.size))
		resource.size = 0;
	const otlog__queue_options queue = {
		.directory = config->queue_directory,
		.service_name = provider->resource.service_name,
		.bytes = config->queue_bytes,
		.max_records = config->max_queue_records,
		.pipelines = names,
		.pipeline_count = (uint32_t)provider->pipeline_count,
		.resource = resource.data,
		.resource_size = resource.size,
		.checksums = config->durability != OTLOG_DURABILITY_NONE,
	};
	provider->queue = otlog__queue_open(&queue);
	otlog__buffer_free(&resource);
	if (!provider->queue)
		return false;
	provider->emit.max_record = otlog__queue_max_record(provider->queue);
	return true;
}

/* Frees a provider that no emit can reach. */
static void
free_provider(otlog_provider *provider)
{
	if (!provider)
		return;
	otlog__provider_delist(provider);
	for (size_t i = 0; i < provider->pipeline_count; i++)
		otlog__batch_destroy(provider->pipelines[i].processor);
	otlog__backing_free(provider);
	otlog__queue_free(provider->queue);
	otlog__resource_free(&provider->resource);
	if (!provider->config_is_parents)
		otlog__config_free(provider->config);
	pthread_mutex_destroy(&provider->flushed.lock);
	free(provider);
}

static uint64_t
with_grace(uint64_t deadline_nano)
{
	uint64_t grace = otlog__monotonic_nano() + GRACE_NANO;
	return grace > deadline_nano ? grace : deadline_nano;
}

/* Stops every worker, all at the same time. `rests`: so does the keeper, so that what they leave can be given up. */
static void
stop_workers(otlog_provider *provider, uint64_t deadline_nano, bool rests)
{
	bool ended[OTLOG_MAX_PIPELINES] = { false };
	for (size_t i = 0; i < provider->pipeline_count; i++)
		if (provider->pipelines[i].processor)
			otlog__batch_begin_stop(provider->pipelines[i].processor);
	for (size_t i = 0; i < provider->pipeline_count; i++)
		if (provider->pipelines[i].processor &&
		    !(ended[i] = otlog__batch_await_stop(provider->pipelines[i].processor, deadline_nano)))
			otlog__batch_cancel(provider->pipelines[i].processor);
	uint64_t grace = otlog__monotonic_nano() + (rests ? GRACE_NANO : 0);
	for (size_t i = 0; i < provider->pipeline_count && rests; i++) {
		otlog__batch_processor *processor = provider->pipelines[i].processor;
		if (!processor)
			continue;
		if (ended[i] || otlog__batch_await_stop(processor, grace)) {
			otlog__batch_end_stop(processor);
			continue;
		}
		provider->stop.left_behind = true;
		otlog__diagnose_always(OTLOG__ERROR,
		                       "%s: the exporter does not return although it was cancelled; its thread is left "
		                       "behind. Report this to the exporter's authors",
		                       provider->pipelines[i].exporter.name);
	}
}

static bool
leave_to_disk(otlog_provider *provider)
{
	provider->stop.left_behind = true;
	otlog__diagnose_always(
	    OTLOG__ERROR, "the disk of OTLOG_QUEUE_DIR does not answer: a thread that waits for it is left behind, "
			  "and what is not delivered may not survive a loss of power; look after the disk");
	return false;
}

/*
 * Stops keeper and workers and closes what lies behind them. Whoever has to wait for the disk gets the time that is left,
 * and the grace. Returns whether all could be closed as it should.
 */
static bool
stop_all(otlog_provider *provider, uint64_t deadline_nano)
{
	bool rests = otlog__keeper_rest(provider, with_grace(deadline_nano));
	stop_workers(provider, deadline_nano, rests);
	if (!rests || provider->stop.left_behind) {
		otlog__keeper_end(provider);
		return rests ? false : leave_to_disk(provider);
	}
	if (!otlog__keeper_close(provider, with_grace(deadline_nano)))
		return leave_to_disk(provider);
	return provider->keeper.closed_well;
}

/* The part of it that neither starts a thread nor opens a file. NULL when memory is short. */
static otlog_provider *
create(otlog__config *config, const otlog_provider *parent)
{
	otlog_provider *provider = aligned_alloc(_Alignof(otlog_provider), sizeof *provider);
	if (!provider)
		return NULL;
	memset(provider, 0, sizeof *provider);
	pthread_mutex_init(&provider->flushed.lock, NULL);
	provider->config = config;
	provider->config_is_parents = parent;
	provider->emit.limits = default_limits;
	provider->emit.block = config->queue_blocks;
	provider->emit.block_timeout_ms = config->queue_block_timeout_ms;
	return provider;
}

/* Queue, workers and keeper. NULL, or why they cannot be had; "" where each pipeline has said it. */
static const char *
open_and_start(otlog_provider *provider, const otlog_provider *parent)
{
	static const char scarce[] =
	    "no memory or no threads. Raise the limits of the process, or lower OTLOG_QUEUE_BYTES";
	if (!open_queue(provider)) {
		for (size_t i = 0; i < provider->pipeline_count; i++)
			otlog__exporter_destroy(&provider->pipelines[i].exporter);
		return scarce;
	}
	otlog__backing_open(provider);
	bool any = otlog__pipelines_start(provider);
	if (any && otlog__keeper_start(provider))
		return NULL;
	stop_all(provider, 0);
	return parent && !any ? "" : scarce;
}

/*
 * In a forked child `parent` is whose place the provider takes and whose configuration this is; else the configuration
 * belongs to the provider, with its exporters, also where none can be had: NULL, and why was said.
 */
static otlog_provider *
make_with(otlog__config *config, const otlog_provider *parent)
{
	const char *why = "memory is short. Give the process more memory";
	otlog_provider *provider = create(config, parent);
	if (provider && otlog__resource_make(&provider->resource, config)) {
		otlog__pipelines_plan(provider, parent);
		why = open_and_start(provider, parent);
	} else if (!parent) {
		otlog__config_give_up(config);
	}
	if (!why) {
		otlog__provider_enlist(provider);
		return provider;
	}
	if (*why)
		otlog__diagnose_always(OTLOG__ERROR, "the SDK stays off: %s", why);
	if (provider)
		free_provider(provider);
	else if (!parent)
		otlog__config_free(config);
	return NULL;
}

static otlog_provider *
bind(otlog_provider *provider, otlog__registry *registry)
{
	if (!provider)
		return NULL;
	provider->registry = registry;
	if (!otlog__registry_bind(registry, &otlog__provider_backend, provider, provider->config->minimum_severity))
		otlog__diagnose_always(
		    OTLOG__ERROR, "memory is short: some loggers that were taken before the start stay off. Give the "
				  "process more memory");
	return provider;
}

otlog_provider *
otlog__provider_make_heir(const otlog_provider *parent)
{
	return bind(make_with(parent->config, parent), parent->registry);
}

otlog_provider *
otlog__provider_make(const otlog_options *options, otlog__registry *registry)
{
	if (!otlog__seam_fits(&otlog__provider_backend.seam)) {
		otlog__options_give_up(options);
		return NULL;
	}
	otlog__config *config = otlog__config_read(options);
	return config ? bind(make_with(config, NULL), registry) : NULL;
}

/* The first caller shuts down, all others wait for its result. */
static otlog_flush_result
shut_down(otlog_provider *provider, uint64_t deadline_nano)
{
	uint32_t running = OTLOG__RUNNING;
	/* Relaxed: only one gets through; what it does is ordered by the locks it takes. */
	if (!atomic_compare_exchange_strong_explicit(&provider->stop.state, &running, OTLOG__STOPPING,
	                                             memory_order_relaxed, memory_order_relaxed))
		return otlog__provider_await_stopped(provider, deadline_nano);

	bool sealed = otlog__queue_seal(provider->queue, deadline_nano);
	otlog_flush_result result = otlog__provider_flush_until(provider, deadline_nano);
	uint64_t before = otlog__provider_dropped(provider);
	bool closed = stop_all(provider, deadline_nano);
	bool lost = otlog__provider_dropped(provider) != before;
	uint64_t given_up = otlog__provider_given_up(provider);
	provider->stop.left_behind |= !sealed;
	/* Not sealed: an emit that is still running may be accepted yet. Not closed: the file may not be on the disk. */
	if (!sealed || (!closed && result == OTLOG_DURABLE))
		result = OTLOG_TIMEOUT;
	if (lost && result < OTLOG_DROPPED)
		result = OTLOG_DROPPED;
	if (given_up)
		otlog__diagnose_always(OTLOG__WARN,
		                       "shutdown: the time is up: %" PRIu64
		                       " record%s dropped, still waiting. Give otlog_shutdown more "
		                       "time, or see that the destination answers%s",
		                       given_up, otlog__s(given_up),
		                       provider->config->queue_directory
		                           ? ""
		                           : ", or set OTLOG_QUEUE_DIR to have them kept for the next start");
	provider->stop.result = result;
	/* Release: whoever reads the state sees the result. */
	atomic_store_explicit(&provider->stop.state, OTLOG__STOPPED, memory_order_release);
	otlog__futex_wake_all(&provider->stop.state);
	otlog__queue_tell_progress(provider->queue);
	return result;
}

otlog_flush_result
otlog_provider_shutdown(otlog_provider *provider, uint64_t timeout_ms)
{
	int cancelable;
	/* In a forked child the parent's threads and records are not there: nothing to stop, to send or to give back. */
	provider = provider ? otlog__provider_settle_heir(provider) : NULL;
	if (!provider)
		return OTLOG_DELIVERED;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancelable); /* the others wait for what this thread began */
	otlog_flush_result result = shut_down(provider, otlog__deadline_nano(otlog__monotonic_nano(), timeout_ms));
	pthread_setcancelstate(cancelable, NULL);
	return result;
}

otlog_provider *
otlog_provider_create_sized(const otlog_options *options, size_t options_size, size_t pipeline_size)
{
	otlog__given_options given;
	otlog__given_options_take(&given, options, options_size, pipeline_size);
	otlog__registry *registry = otlog__registry_create();
	otlog_provider *provider = registry ? otlog__provider_make(&given.options, registry) : NULL;
	if (!registry)
		otlog__options_give_up(&given.options);
	if (!provider)
		otlog__registry_destroy(registry);
	return provider;
}

otlog_logger *
otlog_provider_get_logger_sized(otlog_provider *provider, const otlog_logger_options *options, size_t options_size)
{
	otlog_logger_options known;
	otlog__sized_copy(&known, sizeof known, options, options_size);
	return otlog__registry_get_logger(provider ? provider->registry : NULL, &known);
}

void
otlog_provider_destroy(otlog_provider *provider)
{
	provider = provider ? otlog__provider_settle_heir(provider) : NULL;
	if (!provider)
		return;
	otlog_provider_shutdown(provider, 0);
	otlog__registry_destroy(provider->registry);
	if (!provider->stop.left_behind)
		free_provider(provider);
}
