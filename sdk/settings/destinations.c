#include "sdk/settings/config.h"

#include "sdk/base/exporter_table.h"
#include "sdk/base/process/diagnostics.h"
#include "sdk/settings/environment.h"
#include "sdk/settings/given_options.h"

#include <string.h>

#define DEFAULT_BATCH_BYTES (1u << 20)
#define MAX_BATCH_RECORDS 65536u
#define DEFAULT_RETRY_INITIAL_MS 1000
#define DEFAULT_RETRY_CAP_MS 30000
#define NAME_MOST 255 /* bytes; what a spool file keeps of it */

/* One attempt lasts the smaller of the two time-outs; 0 is none. */
static uint64_t
attempt_timeout_ms(const otlog__settings *settings)
{
	uint64_t a = settings->export_timeout_ms, b = settings->otlp_timeout_ms;
	if (a == 0 || b == 0)
		return a ? a : b;
	return a < b ? a : b;
}

/* Puts the value in force in the place of each that was not given. */
static void
add(otlog__config *config, const otlog__settings *settings, const otlog_pipeline_options *given)
{
	char **name = &config->pipeline_names[config->pipeline_count];
	otlog_pipeline_options *own = &config->pipelines[config->pipeline_count++];
	uint64_t records = otlog__config_choose(given->max_batch_records, settings->max_batch_records);
	*own = *given;
	if (!own->exporter.name)
		own->exporter.name = "exporter";
	/* Out of memory, it goes by the exporter's. */
	*name = given->name && *given->name ? strndup(given->name, NAME_MOST) : NULL;
	own->name = *name ? *name : own->exporter.name;
	own->max_batch_records = (uint32_t)(records < MAX_BATCH_RECORDS ? records : MAX_BATCH_RECORDS);
	own->max_batch_bytes = (uint32_t)otlog__config_choose(given->max_batch_bytes, DEFAULT_BATCH_BYTES);
	own->schedule_delay_ms = otlog__config_choose(given->schedule_delay_ms, settings->schedule_delay_ms);
	own->export_timeout_ms = otlog__config_choose(given->export_timeout_ms, attempt_timeout_ms(settings));
	own->retry_initial_ms = otlog__config_choose(given->retry_initial_ms, DEFAULT_RETRY_INITIAL_MS);
	own->retry_cap_ms = otlog__config_choose(given->retry_cap_ms, DEFAULT_RETRY_CAP_MS);
}

static const char *
name_of(const otlog_pipeline_options *given)
{
	if (given->name && *given->name)
		return given->name;
	return given->exporter.name ? given->exporter.name : "exporter";
}

/* Whether the pipeline can be had; if not, says why, and destroys the exporter. */
static bool
is_usable(const otlog_pipeline_options *given, size_t i)
{
	const otlog_exporter *exporter = &given->exporter;
	if (exporter->functions && !otlog__exporter_has_size(exporter)) {
		otlog__diagnose_always(
		    OTLOG__ERROR,
		    "pipeline %zu (%s) is left out: the table of its exporter's functions does not begin "
		    "with its size. Set otlog_exporter_functions.size to the size of the table, and "
		    "compile the exporter with the headers of this otlog",
		    i, name_of(given));
		return false;
	}
	if (exporter->functions && exporter->functions->export_batch)
		return true;
	otlog__diagnose_always(
	    OTLOG__ERROR,
	    "pipeline %zu has no exporter and is left out. Fill otlog_pipeline_options.exporter, for "
	    "example with otlog_otlp_http_exporter_create",
	    i);
	otlog__exporter_destroy(exporter);
	return false;
}

static void
add_given(otlog__config *config, const otlog__settings *settings, const otlog_options *options)
{
	const size_t count = otlog__given_pipelines(options);
	if (count < options->pipeline_count)
		otlog__diagnose_always(
		    OTLOG__ERROR,
		    "the pipelines from number %zu on are left out: a provider has %d at most. Use a "
		    "second provider",
		    count, OTLOG_MAX_PIPELINES);
	for (size_t i = 0; i < count; i++) {
		const otlog_pipeline_options *given = &options->pipelines[i];
		if (!is_usable(given, i))
			continue;
		add(config, settings, given);
		if (otlog__exporter_is_newer(&given->exporter))
			otlog__diagnose_always(
			    OTLOG__WARN,
			    "pipeline %zu (%s): its exporter has functions that this libotlog does not "
			    "know and never calls. Install the otlog whose headers it was compiled with",
			    i, name_of(given));
	}
}

bool
otlog__config_add_destinations(otlog__config *config, const otlog__settings *settings, const otlog_options *options)
{
	otlog_pipeline_options described[OTLOG_MAX_PIPELINES];
	size_t count = 0;
	if (options->pipelines)
		add_given(config, settings, options);
	else
		count = otlog__environment_pipelines(settings, config->queue_bytes, config->max_queue_records,
		                                     described, OTLOG_MAX_PIPELINES);
	for (size_t i = 0; i < count; i++)
		add(config, settings, &described[i]);
	return config->pipeline_count > 0;
}
