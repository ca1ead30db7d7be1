#include "sdk/settings/environment.h"

#include "sdk/base/process/diagnostics.h"
#include "sdk/base/sized.h"
#include "sdk/settings/grpc_loader.h"

#include <otlog/exporters.h>

#include <stdlib.h>
#include <string.h>

/* Servers in front of a log server often take no more than 1 MiB, and JSON is longer than the records. */
#define MITO_BATCH_BYTES (512u * 1024)
#define MITO_BATCH_RECORDS_MOST 65536u
#define MITO_RETRY_LEAST_MS 1000
#define MITO_RETRY_CAP_MS (5u * 60 * 1000)

/* Stands for "none" where 0 would be the default: weeks. */
#define NO_TIMEOUT_MS INT32_MAX

/* The pipelines so far, and where the next one goes. */
typedef struct plan {
	const otlog__settings *settings;
	otlog_pipeline_options *pipelines;
	size_t count;
	size_t most;
} plan;

/* The next pipeline, whose exporter is to be filled in; it counts once that is. NULL: there is no more room. */
static otlog_pipeline_options *
next_pipeline(plan *plan)
{
	if (plan->count == plan->most)
		return NULL;
	plan->pipelines[plan->count] = (otlog_pipeline_options){ 0 };
	return &plan->pipelines[plan->count];
}

static bool
create_otlp(const otlog__settings *settings, const otlog_otlp_options *otlp, otlog_exporter *out)
{
	switch (settings->protocol) {
	case OTLOG__HTTP_JSON:
		return otlog_otlp_http_json_exporter_create(otlp, out);
	case OTLOG__GRPC:
		return otlog__grpc_load_and_create(otlp, &(otlog_grpc_options){ .insecure = settings->insecure }, out);
	case OTLOG__HTTP_PROTOBUF:
		break;
	}
	return otlog_otlp_http_exporter_create(otlp, out);
}

static void
add_otlp(plan *plan)
{
	const otlog__settings *settings = plan->settings;
	otlog_pipeline_options *pipeline = next_pipeline(plan);
	otlog__pairs headers = { 0 };
	const char *error = NULL;
	/* The list has been checked on reading, so only memory can be short. */
	if (!pipeline || (settings->headers && !otlog__pairs_parse(settings->headers, &headers, &error))) {
		if (pipeline)
			otlog__diagnose_always(OTLOG__ERROR, "memory is short: nothing goes out over OTLP. Give the "
			                                     "process more memory");
		return;
	}
	const otlog_otlp_options otlp = { .endpoint = settings->endpoint,
		                          .headers = headers.items,
		                          .header_count = headers.count,
		                          .compression = settings->compression,
		                          .ca_file = settings->ca_file,
		                          .client_certificate_file = settings->client_certificate_file,
		                          .client_key_file = settings->client_key_file };
	plan->count += create_otlp(settings, &otlp, &pipeline->exporter);
	otlog__pairs_free(&headers);
}

/* Text on standard output. */
static void
add_console(plan *plan)
{
	otlog_pipeline_options *pipeline = next_pipeline(plan);
	plan->count += pipeline && otlog_console_exporter_create(NULL, &pipeline->exporter);
}

/* JSON lines on standard output. */
static void
add_otlp_stdout(plan *plan)
{
	otlog_pipeline_options *pipeline = next_pipeline(plan);
	plan->count += pipeline && otlog_otlp_file_exporter_create(NULL, &pipeline->exporter);
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
 * counting 512 bytes a record, does a batch go earlier. The time-out of OTLP does not concern it.
 */
static void
add_mito(plan *plan, uint64_t queue_bytes, uint64_t queue_records)
{
	const otlog__settings *settings = plan->settings;
	const uint64_t interval_ms = settings->mito_interval_ms;
	uint64_t records = queue_bytes / 1024;
	if (queue_records && queue_records / 2 < records)
		records = queue_records / 2;
	if (records > MITO_BATCH_RECORDS_MOST)
		records = MITO_BATCH_RECORDS_MOST;
	otlog_pipeline_options *pipeline = next_pipeline(plan);
	if (!pipeline)
		return;
	*pipeline = (otlog_pipeline_options){
		.max_batch_records = records ? (uint32_t)records : 1,
		.max_batch_bytes = MITO_BATCH_BYTES,
		.schedule_delay_ms = interval_ms,
		.export_timeout_ms = settings->export_timeout_ms ? settings->export_timeout_ms : NO_TIMEOUT_MS,
		.retry_initial_ms = interval_ms < MITO_RETRY_LEAST_MS ? MITO_RETRY_LEAST_MS : interval_ms,
		.retry_cap_ms = interval_ms > MITO_RETRY_CAP_MS ? interval_ms : MITO_RETRY_CAP_MS,
	};
	plan->count += create_mito(settings, &pipeline->exporter);
}

size_t
otlog__environment_pipelines(const otlog__settings *settings, uint64_t queue_bytes, uint64_t queue_records,
                             otlog_pipeline_options *pipelines, size_t count)
{
	plan plan = { .settings = settings, .pipelines = pipelines, .most = count };
	if (settings->exporters & OTLOG__TO_OTLP)
		add_otlp(&plan);
	if (settings->exporters & OTLOG__TO_CONSOLE)
		add_console(&plan);
	if (settings->exporters & OTLOG__TO_OTLP_STDOUT)
		add_otlp_stdout(&plan);
	if (settings->mito_url)
		add_mito(&plan, queue_bytes, queue_records);
	return plan.count;
}

size_t
otlog_environment_pipelines_sized(otlog_pipeline_options *pipelines, size_t count, size_t pipeline_size)
{
	otlog__settings settings;
	otlog_pipeline_options known[OTLOG_MAX_PIPELINES];
	size_t filled = 0;
	if (!otlog__settings_read(&settings, NULL, NULL))
		otlog__diagnose_always(OTLOG__ERROR,
		                       "the environment cannot be read: memory is short. Give the process "
		                       "more memory");
	else if (!settings.sdk_disabled)
		filled = otlog__environment_pipelines(&settings, settings.queue_bytes, settings.max_queue_records,
		                                      known, count < OTLOG_MAX_PIPELINES ? count : OTLOG_MAX_PIPELINES);
	for (size_t i = 0; i < filled; i++)
		otlog__sized_copy((char *)pipelines + i * pipeline_size, pipeline_size, &known[i], sizeof known[i]);
	otlog__settings_free(&settings);
	return filled;
}
