#include "sdk/provider/provider.h"

#include "sdk/base/clock.h"
#include "sdk/base/diagnostics.h"

#include <stdlib.h>

#define DEFAULT_QUEUE_BYTES (UINT64_C(16) << 20)
#define DEFAULT_BLOCK_TIMEOUT_MS 5000

static const otlog__limits default_limits = OTLOG__DEFAULT_LIMITS;

otlog_options
otlog__options_known(const otlog_options *options, size_t options_size)
{
	otlog_options known = { 0 };
	if (options)
		memcpy(&known, options, options_size < sizeof known ? options_size : sizeof known);
	return known;
}

/* Opens the queue for the pipelines that are planned. */
static bool
open_queue(otlog_provider *provider, const otlog__settings *settings, const otlog_options *options)
{
	const char *names[OTLOG_MAX_PIPELINES];
	otlog__buffer resource = { 0 };
	for (size_t i = 0; i < provider->pipeline_count; i++)
		names[i] = provider->pipelines[i].exporter.name;
	if (!otlog__buffer_append(&resource, provider->resource.head.data, provider->resource.head.size) ||
	    !otlog__buffer_append(&resource, provider->resource.tail.data, provider->resource.tail.size))
		resource.size = 0;
	uint64_t bytes = options->queue_bytes ? options->queue_bytes : settings->queue_bytes;
	const otlog__queue_options queue = {
		.directory = options->queue_directory,
		.service_name = provider->resource.service_name,
		.bytes = bytes ? bytes : DEFAULT_QUEUE_BYTES,
		.max_records = options->max_queue_records ? options->max_queue_records : settings->max_queue_records,
		.pipelines = names,
		.pipeline_count = (uint32_t)provider->pipeline_count,
		.resource = resource.data,
		.resource_size = resource.size,
	};
	provider->queue = otlog__queue_open(&queue);
	otlog__buffer_free(&resource);
	if (!provider->queue)
		return false;
	provider->max_record = otlog__queue_max_record(provider->queue);
	return true;
}

static void
apply(otlog_provider *provider, const otlog__settings *settings, const otlog_options *options)
{
	otlog_queue_full full = options->queue_full ? options->queue_full : settings->queue_full;
	uint64_t timeout_ms =
	    options->queue_block_timeout_ms ? options->queue_block_timeout_ms : settings->queue_block_timeout_ms;
	provider->limits = default_limits;
	provider->block = full == OTLOG_QUEUE_FULL_BLOCK;
	provider->block_timeout_ms = timeout_ms ? timeout_ms : DEFAULT_BLOCK_TIMEOUT_MS;
	provider->minimum_severity = options->minimum_severity;
}

/* Frees a provider that no emit can reach. */
static void
free_provider(otlog_provider *provider)
{
	if (!provider)
		return;
	for (size_t i = 0; i < provider->pipeline_count; i++)
		otlog__batch_destroy(provider->pipelines[i].processor);
	otlog__queue_free(provider->queue);
	otlog__resource_free(&provider->resource);
	pthread_cond_destroy(&provider->stopped);
	pthread_mutex_destroy(&provider->lock);
	free(provider);
}

/* A start that fails before the processors have taken the exporters. */
static void
destroy_exporters(const otlog_exporter *exporter)
{
	if (exporter->functions && exporter->functions->destroy)
		exporter->functions->destroy(exporter->self);
}

static otlog_provider *
make_with(const otlog__settings *settings, const otlog_options *options)
{
	otlog_provider *provider = aligned_alloc(_Alignof(otlog_provider), sizeof *provider);
	if (!provider)
		return NULL;
	memset(provider, 0, sizeof *provider);
	pthread_mutex_init(&provider->lock, NULL);
	pthread_cond_init(&provider->stopped, NULL);
	apply(provider, settings, options);

	bool planned = otlog__resource_make(&provider->resource, settings, options) &&
	               otlog__pipelines_plan(provider, settings, options);
	if (planned && open_queue(provider, settings, options)) {
		if (otlog__pipelines_start(provider) && otlog__keeper_start(provider))
			return provider;
		for (size_t i = 0; i < provider->pipeline_count; i++)
			if (provider->pipelines[i].processor)
				otlog__batch_stop(provider->pipelines[i].processor, 0);
		otlog__queue_close(provider->queue);
	} else {
		for (size_t i = 0; i < provider->pipeline_count; i++)
			destroy_exporters(&provider->pipelines[i].exporter);
	}
	otlog__diagnose_always(OTLOG__ERROR, "the SDK stays off: %s",
	                       planned ? "no memory or no threads. Raise the limits of the process, or lower "
	                                 "OTLOG_QUEUE_BYTES"
	                               : "there is no destination. See the message before this one, and "
	                                 "OTEL_EXPORTER_OTLP_ENDPOINT");
	free_provider(provider);
	return NULL;
}

otlog_provider *
otlog__provider_make(const otlog_options *options, otlog__registry *registry)
{
	otlog__settings settings;
	otlog_provider *provider = NULL;
	otlog_diagnostic_level level =
	    options->diagnostic_level ? options->diagnostic_level : otlog__settings_log_level(NULL, NULL);
	otlog__diagnostics_set(options->diagnostic, options->diagnostic_user, level);
	bool known = otlog__settings_read(&settings, NULL, NULL);
	if (!known)
		otlog__diagnose_always(OTLOG__ERROR, "the SDK stays off: out of memory. Give the process more memory");
	else if (settings.sdk_disabled)
		otlog__diagnose_always(OTLOG__INFO,
		                       "the SDK stays off: OTEL_SDK_DISABLED is true. Unset it to send logs");
	else if (!options->pipelines && !settings.exporters && !settings.mito_url)
		otlog__diagnose_always(OTLOG__INFO,
		                       "the SDK stays off: OTEL_LOGS_EXPORTER is none. Unset it to send logs");
	else
		provider = make_with(&settings, options);

	if (!provider) {
		for (size_t i = 0;
		     options->pipelines && i < options->pipeline_count && (!known || settings.sdk_disabled); i++)
			destroy_exporters(&options->pipelines[i].exporter);
	} else {
		provider->registry = registry;
		otlog__registry_bind(registry, &otlog__provider_backend, provider, provider->minimum_severity);
	}
	otlog__settings_free(&settings);
	return provider;
}

/* What is left to do once the records are flushed or the time is up. */
static void
stop_all(otlog_provider *provider, uint64_t deadline_nano)
{
	otlog__keeper_stop(provider);
	for (size_t i = 0; i < provider->pipeline_count; i++)
		if (provider->pipelines[i].processor &&
		    !otlog__batch_stop(provider->pipelines[i].processor, deadline_nano))
			provider->thread_left_behind = true;
	if (!provider->thread_left_behind)
		otlog__queue_close(provider->queue);
}

otlog_flush_result
otlog_provider_shutdown(otlog_provider *provider, uint64_t timeout_ms)
{
	/* In a forked child the parent's threads and records are not there: nothing to stop, to send or to give back. */
	if (!provider || otlog__queue_in_child(provider->queue))
		return OTLOG_DELIVERED;
	uint64_t deadline = otlog__deadline_nano(otlog__monotonic_nano(), timeout_ms);
	pthread_mutex_lock(&provider->lock);
	if (provider->state != OTLOG__RUNNING) {
		while (provider->state != OTLOG__STOPPED)
			pthread_cond_wait(&provider->stopped, &provider->lock);
		otlog_flush_result result = provider->last_result;
		pthread_mutex_unlock(&provider->lock);
		return result;
	}
	provider->state = OTLOG__STOPPING;
	pthread_mutex_unlock(&provider->lock);

	otlog__queue_seal(provider->queue);
	otlog_flush_result result = otlog__provider_flush_until(provider, deadline);
	stop_all(provider, deadline);
	if (result == OTLOG_TIMEOUT)
		otlog__diagnose_always(OTLOG__WARN,
		                       "shutdown: the time is up and records are still waiting; they are dropped. "
		                       "Give otlog_shutdown more time, or see that the destination answers");

	pthread_mutex_lock(&provider->lock);
	provider->last_result = result;
	provider->state = OTLOG__STOPPED;
	pthread_cond_broadcast(&provider->stopped);
	pthread_mutex_unlock(&provider->lock);
	return result;
}

otlog_provider *
otlog_provider_create_sized(const otlog_options *options, size_t options_size)
{
	otlog_options known = otlog__options_known(options, options_size);
	otlog__registry *registry = otlog__registry_create();
	otlog_provider *provider = registry ? otlog__provider_make(&known, registry) : NULL;
	if (!provider)
		otlog__registry_destroy(registry);
	return provider;
}

otlog_logger *
otlog_provider_get_logger_sized(otlog_provider *provider, const otlog_logger_options *options, size_t options_size)
{
	static otlog_logger no_op = { INT_MAX };
	otlog_logger_options known = { 0 };
	if (!provider)
		return &no_op;
	if (options)
		memcpy(&known, options, options_size < sizeof known ? options_size : sizeof known);
	return otlog__registry_get_logger(provider->registry, &known);
}

void
otlog_provider_destroy(otlog_provider *provider)
{
	if (!provider || otlog__queue_in_child(provider->queue))
		return;
	otlog_provider_shutdown(provider, 0);
	otlog__registry_destroy(provider->registry);
	if (!provider->thread_left_behind)
		free_provider(provider);
}
