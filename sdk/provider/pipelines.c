#include "sdk/provider/provider.h"

#include "exporters/builtin.h"
#include "sdk/base/diagnostics.h"

#include <otlog/exporters.h>

#include <stdlib.h>
#include <string.h>

#define DEFAULT_BATCH_BYTES (1u << 20)
#define MAX_BATCH_RECORDS 65536u
#define DEFAULT_RETRY_INITIAL_MS 1000
#define DEFAULT_RETRY_CAP_MS 30000

/* Servers in front of a log server often take no more than 1 MiB, and JSON is longer than the records. */
#define MITO_BATCH_BYTES (512u * 1024)
#define MITO_RETRY_LEAST_MS 1000
#define MITO_RETRY_CAP_MS (5u * 60 * 1000)

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

static otlog__pipeline *
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
	return pipeline;
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

/* Takes an exporter of the table, where it can be had. */
static void
plan_builtin(otlog_provider *provider, const otlog__settings *settings, const char *name,
             const otlog_otlp_options *otlp)
{
	const otlog__builtin *builtin = otlog__builtin_find(name);
	otlog_pipeline_options options = { 0 };
	if (!builtin)
		otlog__diagnose_always(OTLOG__ERROR,
		                       "the exporter %s is not built into this library: nothing goes there. Choose "
		                       "another one by OTEL_LOGS_EXPORTER or OTEL_EXPORTER_OTLP_PROTOCOL",
		                       name);
	else if (builtin->create(otlp, &options.exporter))
		plan(provider, settings, &options);
}

static void
plan_otlp(otlog_provider *provider, const otlog__settings *settings)
{
	static const char *const builtins[] = {
		[OTLOG__HTTP_PROTOBUF] = "otlp_http",
		[OTLOG__HTTP_JSON] = "otlp_http_json",
		[OTLOG__GRPC] = "otlp_grpc",
	};
	otlog__pairs headers = { 0 };
	const char *error = NULL;
	if (settings->headers && !otlog__pairs_parse(settings->headers, &headers, &error))
		otlog__diagnose_always(OTLOG__WARN,
		                       "OTEL_EXPORTER_OTLP_HEADERS is ignored: %s. Write name=value,name=value with "
		                       "percent-encoded values",
		                       error);
	const otlog_otlp_options otlp = { .endpoint = settings->endpoint,
		                          .headers = headers.items,
		                          .header_count = headers.count,
		                          .compression = settings->compression,
		                          .ca_file = settings->ca_file,
		                          .client_certificate_file = settings->client_certificate_file,
		                          .client_key_file = settings->client_key_file };
	const bool insecure = settings->protocol == OTLOG__GRPC && settings->insecure;
	plan_builtin(provider, settings, insecure ? "otlp_grpc_insecure" : builtins[settings->protocol], &otlp);
	otlog__pairs_free(&headers);
}

/* The names of a list with commas, cut apart in place; *names is to be freed. Returns how many. */
static size_t
split_names(char *list, const char ***names)
{
	size_t most = 1, count = 0;
	for (const char *at = list; *at; at++)
		most += *at == ',';
	*names = calloc(most, sizeof **names);
	char *rest = NULL;
	for (char *name = strtok_r(list, ", \t", &rest); *names && name; name = strtok_r(NULL, ", \t", &rest))
		(*names)[count++] = name;
	return count;
}

static bool
create_mito(const otlog__settings *settings, otlog_exporter *out)
{
	char *list = settings->mito_resource_attributes ? strdup(settings->mito_resource_attributes) : NULL;
	const char **names = NULL;
	const size_t count = list ? split_names(list, &names) : 0;
	const otlog_mito_options mito = { .url = settings->mito_url,
		                          .ca_file = settings->mito_ca_file,
		                          .client_certificate_file = settings->mito_client_certificate_file,
		                          .client_key_file = settings->mito_client_key_file,
		                          .resource_attributes = names,
		                          .resource_attribute_count = count };
	bool created = otlog_mito_exporter_create(&mito, out);
	free(names);
	free(list);
	return created;
}

/*
 * The Mito log server gets what there is at each interval. Only where so much waits that it might fill half of the queue,
 * counting 512 bytes a record, does a batch go earlier.
 */
static void
plan_mito(otlog_provider *provider, const otlog__settings *settings, uint64_t queue_bytes, uint64_t queue_records)
{
	otlog_pipeline_options options = { .max_batch_bytes = MITO_BATCH_BYTES,
		                           .schedule_delay_ms = settings->mito_interval_ms };
	uint64_t records = queue_bytes / 1024;
	if (queue_records && queue_records / 2 < records)
		records = queue_records / 2;
	options.max_batch_records = (uint32_t)(records < 1                   ? 1
	                                       : records < MAX_BATCH_RECORDS ? records
	                                                                     : MAX_BATCH_RECORDS);
	options.retry_initial_ms =
	    settings->mito_interval_ms < MITO_RETRY_LEAST_MS ? MITO_RETRY_LEAST_MS : settings->mito_interval_ms;
	options.retry_cap_ms =
	    settings->mito_interval_ms > MITO_RETRY_CAP_MS ? settings->mito_interval_ms : MITO_RETRY_CAP_MS;
	if (create_mito(settings, &options.exporter))
		plan(provider, settings, &options)->batch.export_timeout_ms = settings->export_timeout_ms;
}

static void
plan_from_environment(otlog_provider *provider, const otlog__settings *settings, const otlog_options *options)
{
	if (settings->exporters & OTLOG__TO_OTLP)
		plan_otlp(provider, settings);
	if (settings->exporters & OTLOG__TO_CONSOLE)
		plan_builtin(provider, settings, "console", NULL);
	if (settings->exporters & OTLOG__TO_OTLP_STDOUT)
		plan_builtin(provider, settings, "otlp_file", NULL);
	if (settings->mito_url)
		plan_mito(provider, settings, or_default(options->queue_bytes, settings->queue_bytes),
		          or_default(options->max_queue_records, settings->max_queue_records));
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
			if (wanted && provider->pipelines[i].processor)
				provider->takers[severity] |= (uint16_t)(1u << i);
		}
	}
}

bool
otlog__pipelines_start(otlog_provider *provider)
{
	bool any = false;
	for (size_t i = 0; i < provider->pipeline_count; i++) {
		otlog__pipeline *pipeline = &provider->pipelines[i];
		pipeline->processor =
		    otlog__batch_create(provider->queue, (uint32_t)i, pipeline->exporter, &pipeline->batch);
		if (!pipeline->processor) {
			/* Nobody will move its cursor: the keeper passes over what is not for it. */
			otlog__queue_set_away(provider->queue, (uint32_t)i, true);
			otlog__diagnose_always(OTLOG__ERROR,
			                       "%s: no memory or no thread for this pipeline; it stays off. Raise the "
			                       "limits of the process (ulimit -u, memory)",
			                       pipeline->exporter.name);
		}
		any |= pipeline->processor != NULL;
	}
	plan_takers(provider);
	return any;
}
