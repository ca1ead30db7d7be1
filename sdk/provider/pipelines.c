#include "sdk/provider/provider.h"

#include "sdk/base/exporter_table.h"
#include "sdk/base/process/diagnostics.h"

/* A new exporter to the destination of the parent's; without functions if there can be none. */
static otlog_exporter
reopen(const otlog__pipeline *parent)
{
	otlog_exporter exporter = { .functions = NULL };
	const otlog_exporter *from = &parent->exporter;
	/* Where the parent has no processor, its exporter was destroyed. */
	if (!parent->processor || !otlog__exporter_function(from, reopen) ||
	    !from->functions->reopen(from->self, &exporter) || !otlog__exporter_has_size(&exporter))
		exporter = (otlog_exporter){ .functions = NULL };
	return exporter;
}

void
otlog__pipelines_plan(otlog_provider *provider, const otlog_provider *parent)
{
	const otlog__config *config = provider->config;
	const otlog__resource *resource = &provider->resource;
	for (size_t i = 0; i < config->pipeline_count; i++) {
		const otlog_pipeline_options *options = &config->pipelines[i];
		provider->pipelines[i].exporter = parent ? reopen(&parent->pipelines[i]) : options->exporter;
		/* By this name other processes find its records in the queue's file. */
		provider->pipelines[i].exporter.name = options->name;
		provider->pipelines[i].batch = (otlog__batch_options){
			.max_batch_records = options->max_batch_records,
			.max_batch_bytes = options->max_batch_bytes,
			.schedule_delay_ms = options->schedule_delay_ms,
			.export_timeout_ms = options->export_timeout_ms,
			.retry_initial_ms = options->retry_initial_ms,
			.retry_cap_ms = options->retry_cap_ms,
			.frame = { resource->head.data, resource->head.size, resource->tail.data, resource->tail.size },
		};
	}
	provider->pipeline_count = config->pipeline_count;
}

/* Which pipelines take a record of each severity; severity 0 passes every minimum. */
static void
plan_takers(otlog_provider *provider)
{
	for (int severity = 0; severity < OTLOG__SEVERITIES; severity++) {
		provider->emit.takers[severity] = 0;
		for (size_t i = 0; i < provider->pipeline_count; i++) {
			bool wanted = severity == 0 || (severity >= provider->config->minimum_severity &&
			                                severity >= provider->config->pipelines[i].minimum_severity);
			if (wanted && (provider->pipelines[i].processor || provider->pipelines[i].kept))
				provider->emit.takers[severity] |= (uint16_t)(1u << i);
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
	/* No worker moves its cursor. As it counts as away, the keeper does where room is short. */
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
