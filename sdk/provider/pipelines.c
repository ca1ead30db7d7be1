#include "sdk/provider/provider.h"

#include "sdk/base/process/diagnostics.h"
#include "sdk/settings/environment.h"

#define DEFAULT_BATCH_BYTES (1u << 20)
#define MAX_BATCH_RECORDS 65536u
#define DEFAULT_RETRY_INITIAL_MS 1000
#define DEFAULT_RETRY_CAP_MS 30000

static uint64_t
or_default(uint64_t given, uint64_t otherwise)
{
	return given ? given : otherwise;
}

/* One attempt lasts the smaller of the two time-outs; 0 is none. */
static uint64_t
attempt_timeout_ms(const otlog__settings *settings)
{
	uint64_t a = settings->export_timeout_ms, b = settings->otlp_timeout_ms;
	if (a == 0 || b == 0)
		return a ? a : b;
	return a < b ? a : b;
}

static void
plan(otlog_provider *provider, const otlog__settings *settings, const otlog_pipeline_options *options)
{
	otlog__pipeline *pipeline = &provider->pipelines[provider->pipeline_count++];
	uint64_t records = or_default(options->max_batch_records, settings->max_batch_records);
	pipeline->exporter = options->exporter;
	if (!pipeline->exporter.name)
		pipeline->exporter.name = "exporter";
	pipeline->minimum_severity = options->minimum_severity;
	pipeline->batch = (otlog__batch_options){
		.max_batch_records = (uint32_t)(records < MAX_BATCH_RECORDS ? records : MAX_BATCH_RECORDS),
		.max_batch_bytes = (uint32_t)or_default(options->max_batch_bytes, DEFAULT_BATCH_BYTES),
		.schedule_delay_ms = or_default(options->schedule_delay_ms, settings->schedule_delay_ms),
		.export_timeout_ms = or_default(options->export_timeout_ms, attempt_timeout_ms(settings)),
		.retry_initial_ms = or_default(options->retry_initial_ms, DEFAULT_RETRY_INITIAL_MS),
		.retry_cap_ms = or_default(options->retry_cap_ms, DEFAULT_RETRY_CAP_MS),
		.frame = { provider->resource.head.data, provider->resource.head.size, provider->resource.tail.data,
		           provider->resource.tail.size },
	};
}

static void
destroy_exporter(const otlog_exporter *exporter)
{
	if (exporter->functions && exporter->functions->destroy)
		exporter->functions->destroy(exporter->self);
}

static void
plan_given(otlog_provider *provider, const otlog__settings *settings, const otlog_options *options)
{
	for (size_t i = 0; i < options->pipeline_count; i++) {
		const otlog_pipeline_options *given = &options->pipelines[i];
		if (!given->exporter.functions || !given->exporter.functions->export_batch) {
			otlog__diagnose_always(OTLOG__ERROR,
			                       "pipeline %zu has no exporter and is left out. Fill "
			                       "otlog_pipeline_options.exporter, for example with "
			                       "otlog_otlp_http_exporter_create",
			                       i);
			destroy_exporter(&given->exporter);
		} else if (provider->pipeline_count == OTLOG_MAX_PIPELINES) {
			otlog__diagnose_always(OTLOG__ERROR,
			                       "pipeline %zu (%s) is left out: a provider has %d at most. "
			                       "Use a second provider",
			                       i, given->exporter.name ? given->exporter.name : "exporter",
			                       OTLOG_MAX_PIPELINES);
			destroy_exporter(&given->exporter);
		} else {
			plan(provider, settings, given);
		}
	}
}

static void
plan_from_environment(otlog_provider *provider, const otlog__settings *settings, const otlog_options *options)
{
	otlog_pipeline_options pipelines[OTLOG_MAX_PIPELINES];
	size_t count = otlog__environment_pipelines(settings, or_default(options->queue_bytes, settings->queue_bytes),
	                                            or_default(options->max_queue_records, settings->max_queue_records),
	                                            pipelines, OTLOG_MAX_PIPELINES);
	for (size_t i = 0; i < count; i++)
		plan(provider, settings, &pipelines[i]);
}

bool
otlog__pipelines_plan(otlog_provider *provider, const otlog__settings *settings, const otlog_options *options)
{
	if (options->pipelines)
		plan_given(provider, settings, options);
	else
		plan_from_environment(provider, settings, options);
	return provider->pipeline_count > 0;
}

/* Which pipelines take a record of each severity; severity 0 passes every minimum. */
static void
plan_takers(otlog_provider *provider)
{
	for (int severity = 0; severity < OTLOG__SEVERITIES; severity++) {
		provider->takers[severity] = 0;
		for (size_t i = 0; i < provider->pipeline_count; i++) {
			bool wanted = severity == 0 || (severity >= provider->minimum_severity &&
			                                severity >= provider->pipelines[i].minimum_severity);
			if (wanted && (provider->pipelines[i].processor || provider->pipelines[i].kept))
				provider->takers[severity] |= (uint16_t)(1u << i);
		}
	}
}

/* A pipeline without an exporter, in a forked child: it takes records only if another process can have them. */
static void
keep(otlog_provider *provider, uint32_t i)
{
	otlog__pipeline *pipeline = &provider->pipelines[i];
	pipeline->kept = otlog__queue_in_file(provider->queue);
	otlog__queue_set_spools(provider->queue, i, false); /* nobody moves them there */
	if (pipeline->kept)
		otlog__diagnose(OTLOG__WARN,
		                "%s: a forked child cannot use it: its records stay in the queue directory until "
		                "another process delivers them. Start the SDK after the fork, or export over HTTP, to "
		                "have them delivered at once",
		                pipeline->exporter.name);
	else
		otlog__diagnose(OTLOG__WARN,
		                "%s: a forked child cannot use it, and its emits are refused for this destination. "
		                "Start the SDK after the fork, export over HTTP, or set OTLOG_QUEUE_DIR to have "
		                "records kept for another process",
		                pipeline->exporter.name);
}

static void
start_one(otlog_provider *provider, uint32_t i)
{
	otlog__pipeline *pipeline = &provider->pipelines[i];
	if (pipeline->exporter.functions)
		pipeline->processor = otlog__batch_create(provider->queue, i, pipeline->exporter, &pipeline->batch);
	else
		keep(provider, i);
	if (pipeline->processor)
		return;
	/* Nobody will move its cursor: the keeper passes over what is not for it. */
	otlog__queue_set_away(provider->queue, i, true);
	if (pipeline->exporter.functions)
		otlog__diagnose_always(OTLOG__ERROR,
		                       "%s: no memory or no thread for this pipeline; it stays off. Raise the "
		                       "limits of the process (ulimit -u, memory)",
		                       pipeline->exporter.name);
}

bool
otlog__pipelines_start(otlog_provider *provider)
{
	bool any = false;
	for (size_t i = 0; i < provider->pipeline_count; i++) {
		start_one(provider, (uint32_t)i);
		any |= provider->pipelines[i].processor || provider->pipelines[i].kept;
	}
	plan_takers(provider);
	return any;
}
