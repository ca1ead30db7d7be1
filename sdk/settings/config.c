#include "sdk/settings/config.h"

#include "sdk/api/rare/clone.h"
#include "sdk/base/exporter_table.h"
#include "sdk/base/process/diagnostics.h"
#include "sdk/settings/given_options.h"

#include <stdlib.h>
#include <string.h>

#define LEAST_SPOOL_BYTES (UINT64_C(1) << 20)

#define SERVICE_NAME "service.name"

static bool
choose_switch(otlog_switch option, bool setting)
{
	return option == OTLOG_SWITCH_DEFAULT ? setting : option == OTLOG_SWITCH_ON;
}

static bool
copy_text(const char *text, char **out)
{
	*out = text && *text ? strdup(text) : NULL;
	return *out || !text || !*text;
}

/* ---- The resource ------------------------------------------------------------------------------------------------ */

/* Environment before code, attributes before the name that has a setting of its own. False when memory is short. */
static bool
merge_resource(otlog__config *config, const otlog__settings *settings, const otlog_options *options)
{
	const otlog_attrs given = options->resource_attributes;
	const char *malformed = NULL;
	otlog__pairs pairs;
	/* The list has been checked on reading, so only memory can be short. */
	if (!otlog__pairs_parse(settings->resource_attributes, &pairs, &malformed) && !malformed)
		return false;
	size_t count = 0;
	otlog_attr *all = calloc(pairs.count + (given.items ? given.count : 0) + 2, sizeof *all);
	for (size_t i = 0; all && i < pairs.count; i++)
		all[count++] = OTLOG_KV(pairs.items[i].name, pairs.items[i].value);
	if (all && settings->service_name)
		all[count++] = OTLOG_KV(SERVICE_NAME, (const char *)settings->service_name);
	for (size_t i = 0; all && given.items && i < given.count; i++)
		all[count++] = given.items[i];
	if (all && options->service_name && *options->service_name)
		all[count++] = OTLOG_KV(SERVICE_NAME, options->service_name);
	bool merged =
	    all && otlog__attrs_clone((otlog_attrs){ .items = all, .count = count }, &config->resource_attributes);
	free(all);
	otlog__pairs_free(&pairs);
	return merged && copy_text(options->resource_schema_url, &config->resource_schema_url);
}

/* ---- What records survive ---------------------------------------------------------------------------------------- */

/* Durability and a spool need files. */
static void
stay_in_memory(otlog__config *config)
{
	bool durable = config->durability != OTLOG_DURABILITY_NONE;
	if (durable || config->spool_bytes)
		otlog__diagnose_always(OTLOG__WARN,
		                       "%s%s%s set, but there is no queue directory: the queue stays in memory, and "
		                       "records in it do not survive the process. Set OTLOG_QUEUE_DIR to a directory, "
		                       "or unset what is set",
		                       durable ? "OTLOG_DURABILITY" : "", durable && config->spool_bytes ? " and " : "",
		                       !config->spool_bytes ? " is"
		                       : durable            ? "OTLOG_SPOOL_BYTES are"
		                                            : "OTLOG_SPOOL_BYTES is");
	config->durability = OTLOG_DURABILITY_NONE;
	config->spool_bytes = 0;
}

/* What was set, but changes nothing: somebody thinks it does. */
static void
say_idle(const otlog__config *config, const otlog_options *options)
{
	bool interval = options->sync_interval_ms || config->sync_interval_ms != OTLOG__SYNC_INTERVAL_MS;
	bool policy = options->spool_full || config->spool_full != OTLOG_SPOOL_FULL_DROP_OLDEST;
	if (interval && config->durability != OTLOG_DURABILITY_INTERVAL)
		otlog__diagnose_always(OTLOG__WARN,
		                       "OTLOG_SYNC_INTERVAL is set, but OTLOG_DURABILITY is not interval: it has no "
		                       "effect. Set OTLOG_DURABILITY=interval, or unset OTLOG_SYNC_INTERVAL");
	if (policy && !config->spool_bytes)
		otlog__diagnose_always(OTLOG__WARN,
		                       "OTLOG_SPOOL_FULL is set, but OTLOG_SPOOL_BYTES is not: there is no spool. Set "
		                       "OTLOG_SPOOL_BYTES to its size, or unset OTLOG_SPOOL_FULL");
}

static bool
merge_storage(otlog__config *config, const otlog__settings *settings, const otlog_options *options)
{
	const char *directory = options->queue_directory ? options->queue_directory : settings->queue_directory;
	config->durability = options->durability ? options->durability : settings->durability;
	config->sync_interval_ms = otlog__config_choose(options->sync_interval_ms, settings->sync_interval_ms);
	config->spool_bytes = otlog__config_choose(options->spool_bytes, settings->spool_bytes);
	config->spool_full = options->spool_full ? options->spool_full : settings->spool_full;
	if (config->spool_bytes && config->spool_bytes < LEAST_SPOOL_BYTES)
		config->spool_bytes = LEAST_SPOOL_BYTES;
	say_idle(config, options);
	if (!copy_text(directory, &config->queue_directory))
		return false;
	if (!config->queue_directory)
		stay_in_memory(config);
	return true;
}

/* ---- All of it --------------------------------------------------------------------------------------------------- */

otlog__config *
otlog__config_merge(const otlog__settings *settings, const otlog_options *options)
{
	otlog__config *config = calloc(1, sizeof *config);
	if (!config)
		return NULL;
	otlog_queue_full full = options->queue_full ? options->queue_full : settings->queue_full;
	config->queue_bytes = otlog__config_choose(options->queue_bytes, settings->queue_bytes);
	config->max_queue_records = otlog__config_choose(options->max_queue_records, settings->max_queue_records);
	config->queue_blocks = full == OTLOG_QUEUE_FULL_BLOCK;
	config->queue_block_timeout_ms =
	    otlog__config_choose(options->queue_block_timeout_ms, settings->queue_block_timeout_ms);
	config->minimum_severity = options->minimum_severity;
	config->flush_at_exit = choose_switch(options->flush_at_exit, settings->flush_at_exit);
	config->crash_handler = choose_switch(options->crash_handler, settings->crash_handler);
	if (merge_resource(config, settings, options) && merge_storage(config, settings, options))
		return config;
	otlog__config_free(config);
	return NULL;
}

/* NULL, or why there is no configuration. *taken: the exporters of the options are the configuration's, or gone. */
static const char *
merge_all(const otlog__settings *settings, const otlog_options *options, otlog__config **config, bool *taken)
{
	*config = otlog__config_merge(settings, options);
	if (!*config)
		return "memory is short. Give the process more memory";
	*taken = true;
	if (otlog__config_add_destinations(*config, settings, options))
		return NULL;
	otlog__config_free(*config);
	*config = NULL;
	return "there is no destination. See the message before this one, and OTEL_EXPORTER_OTLP_ENDPOINT";
}

/* Whether it was switched off on purpose, which is said. */
static bool
is_off(const otlog__settings *settings, const otlog_options *options)
{
	bool none = !options->pipelines && !settings->exporters && !settings->mito_url;
	if (settings->sdk_disabled)
		otlog__diagnose_always(OTLOG__INFO,
		                       "the SDK stays off: OTEL_SDK_DISABLED is true. Unset it to send logs");
	else if (none)
		otlog__diagnose_always(OTLOG__INFO,
		                       "the SDK stays off: OTEL_LOGS_EXPORTER is none. Unset it to send logs");
	return settings->sdk_disabled || none;
}

otlog__config *
otlog__config_read(const otlog_options *options)
{
	otlog__settings settings;
	otlog__config *config = NULL;
	const char *why = NULL;
	bool taken = false;
	otlog_diagnostic_level level =
	    options->diagnostic_level ? options->diagnostic_level : otlog__settings_log_level(NULL, NULL);
	otlog__diagnostics_set(options->diagnostic, options->diagnostic_user, level);
	if (!otlog__settings_read(&settings, NULL, NULL))
		why = "memory is short. Give the process more memory";
	else if (!is_off(&settings, options))
		why = merge_all(&settings, options, &config, &taken);
	if (why)
		otlog__diagnose_always(OTLOG__ERROR, "the SDK stays off: %s", why);
	otlog__settings_free(&settings);
	if (!taken)
		otlog__options_give_up(options);
	return config;
}

void
otlog__config_give_up(otlog__config *config)
{
	for (size_t i = 0; i < config->pipeline_count; i++)
		otlog__exporter_destroy(&config->pipelines[i].exporter);
	config->pipeline_count = 0;
}

void
otlog__config_free(otlog__config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < OTLOG_MAX_PIPELINES; i++)
		free(config->pipeline_names[i]);
	free((void *)config->resource_attributes.items);
	free(config->resource_schema_url);
	free(config->queue_directory);
	free(config);
}
