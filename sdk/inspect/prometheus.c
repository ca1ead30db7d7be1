/*
 * The statistics as Prometheus text, a metric after the other: HELP, TYPE, then its samples.
 *
 * Names: semantic conventions, "SDK metrics" (otel.sdk.*), as OpenTelemetry's rules for Prometheus translate them: `_` for
 * `.`, `_total` behind a counter, the unit behind what has one. Format: Prometheus, "Exposition formats", text 0.0.4.
 */
#include "sdk/base/sized.h"
#include "sdk/base/strings.h"
#include "sdk/base/utf8.h"

#include <otlog/sdk.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PROCESSOR_TYPE "batching_log_processor"
#define NANOS_PER_S 1000000000

static const char *const bounds[] = {
	"0.005", "0.01", "0.025", "0.05", "0.075", "0.1", "0.25", "0.5", "0.75", "1", "2.5", "5", "7.5", "10",
};

_Static_assert(sizeof bounds / sizeof *bounds == OTLOG_DURATION_BOUNDS, "a name for each bound");

typedef struct writer {
	char *out;
	size_t size;
	size_t used; /* of the whole text, also where it does not fit */
} writer;

/* What is written, in the structs of this version. */
typedef struct given {
	otlog_statistics_snapshot totals;
	size_t pipeline_count;
	otlog_pipeline_statistics pipelines[OTLOG_MAX_PIPELINES];
} given;

/* ---- Text -------------------------------------------------------------------------------------------------------- */

static void __attribute__((format(printf, 2, 3))) put(writer *w, const char *format, ...)
{
	bool fits = w->used < w->size;
	va_list arguments;
	va_start(arguments, format);
	int size = vsnprintf(fits ? w->out + w->used : NULL, fits ? w->size - w->used : 0, format, arguments);
	va_end(arguments);
	w->used += size > 0 ? (size_t)size : 0;
}

/* As a label's value, without the quotes: the exporter's name and its errors may be of somebody else's making. */
static void
put_escaped(writer *w, otlog__text text)
{
	const uint8_t *end = (const uint8_t *)text.data + text.size;
	for (const uint8_t *at = (const uint8_t *)text.data; at < end;) {
		bool valid;
		size_t size = otlog__utf8_step(at, end, &valid);
		if (!valid)
			put(w, OTLOG__UTF8_REPLACEMENT);
		else if (*at == '\n')
			put(w, "\\n");
		else if (*at == '"' || *at == '\\')
			put(w, "\\%c", *at);
		else
			put(w, "%.*s", (int)size, (const char *)at);
		at += size;
	}
}

static void
begin(writer *w, const char *name, const char *type, const char *help)
{
	put(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Seconds with a point, whatever the locale has. */
static void
put_seconds(writer *w, double seconds)
{
	const double most = 1e9; /* its nanoseconds still fit */
	uint64_t nano = 0;
	if (seconds > 0) /* which NaN is not */
		nano = (uint64_t)((seconds < most ? seconds : most) * NANOS_PER_S + 0.5);
	put(w, "%" PRIu64 ".%09" PRIu64, nano / NANOS_PER_S, nano % NANOS_PER_S);
}

/* ---- Labels ------------------------------------------------------------------------------------------------------ */

static const char *
name_of(const otlog_pipeline_statistics *pipeline)
{
	return pipeline->name ? pipeline->name : "exporter";
}

static const char *
exporter_of(const otlog_pipeline_statistics *pipeline)
{
	return pipeline->exporter ? pipeline->exporter : name_of(pipeline);
}

/* How many pipelines before this one have the same name and kind of exporter. */
static size_t
number_of(const given *all, size_t pipeline)
{
	const otlog_pipeline_statistics *wanted = &all->pipelines[pipeline];
	size_t number = 0;
	for (size_t i = 0; i < pipeline; i++)
		number += strcmp(name_of(&all->pipelines[i]), name_of(wanted)) == 0 &&
		          strcmp(exporter_of(&all->pipelines[i]), exporter_of(wanted)) == 0;
	return number;
}

static void
label_processor(writer *w, const given *all, size_t pipeline)
{
	(void)all;
	put(w, "otel_component_name=\"" PROCESSOR_TYPE "/%zu\",otel_component_type=\"" PROCESSOR_TYPE "\"", pipeline);
}

static void
label_exporter(writer *w, const given *all, size_t pipeline)
{
	const char *name = name_of(&all->pipelines[pipeline]);
	const char *exporter = exporter_of(&all->pipelines[pipeline]);
	const size_t number = number_of(all, pipeline);
	put(w, "otel_component_name=\"");
	put_escaped(w, otlog__text_of(name));
	if (strcmp(name, exporter) == 0)
		put(w, "_log_exporter/%zu", number);
	else if (number)
		put(w, "/%zu", number);
	put(w, "\",otel_component_type=\"");
	put_escaped(w, otlog__text_of(exporter));
	put(w, "_log_exporter\"");
}

/* ---- Numbers that the snapshot holds as they are ----------------------------------------------------------------- */

typedef struct family {
	const char *name;
	const char *type;
	const char *help;
	size_t offset; /* of an uint64_t in the statistics */
} family;

static uint64_t
value_at(const void *statistics, size_t offset)
{
	uint64_t value;
	memcpy(&value, (const char *)statistics + offset, sizeof value);
	return value;
}

static void
put_numbers(writer *w, const given *all)
{
	static const family families[] = {
		{ "otlog_emitted_records_total", "counter", "Records whose emit reached the SDK.",
		  offsetof(otlog_statistics_snapshot, emitted) },
		{ "otlog_accepted_records_total", "counter", "Of those emitted, the records put into the queue.",
		  offsetof(otlog_statistics_snapshot, accepted) },
		{ "otlog_filtered_records_total", "counter",
		  "Of those emitted, the records below the minimum severity of every pipeline.",
		  offsetof(otlog_statistics_snapshot, filtered) },
		{ "otlog_truncated_records_total", "counter", "Records whose longest values were cut to fit.",
		  offsetof(otlog_statistics_snapshot, truncated) },
		{ "otlog_dropped_attributes_total", "counter",
		  "Attributes dropped from records: over the limit of their number, or without a key.",
		  offsetof(otlog_statistics_snapshot, dropped_attributes) },
		{ "otlog_queue_bytes", "gauge", "Capacity of the queue that all pipelines share.",
		  offsetof(otlog_statistics_snapshot, queue_bytes) },
		{ "otlog_queue_used_bytes", "gauge", "Of the queue's capacity, what records take up.",
		  offsetof(otlog_statistics_snapshot, queue_bytes_used) },
	};
	for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
		begin(w, families[i].name, families[i].type, families[i].help);
		put(w, "%s %" PRIu64 "\n", families[i].name, value_at(&all->totals, families[i].offset));
	}
}

static void
put_pipeline_numbers(writer *w, const given *all)
{
	static const family families[] = {
		{ "otlog_pipeline_emitted_records_total", "counter", "Records emitted, whatever became of them.",
		  offsetof(otlog_pipeline_statistics, emitted) },
		{ "otlog_pipeline_adopted_records_total", "counter",
		  "Records taken over from the queue files of dead processes.",
		  offsetof(otlog_pipeline_statistics, adopted) },
		{ "otlog_pipeline_delivered_records_total", "counter", "Records that the destination has taken.",
		  offsetof(otlog_pipeline_statistics, delivered) },
		{ "otlog_pipeline_filtered_records_total", "counter", "Records below the pipeline's minimum severity.",
		  offsetof(otlog_pipeline_statistics, filtered) },
		{ "otlog_pipeline_queued_records", "gauge",
		  "Records waiting or in flight, in the queue, the spool or adopted files.",
		  offsetof(otlog_pipeline_statistics, queued) },
		{ "otlog_pipeline_spooled_records", "gauge", "Of those queued, the records in the spool.",
		  offsetof(otlog_pipeline_statistics, spooled) },
		{ "otlog_pipeline_spool_bytes", "gauge", "Size of the spool's files.",
		  offsetof(otlog_pipeline_statistics, spool_bytes) },
		{ "otlog_pipeline_batches_total", "counter", "Batches acknowledged or given up.",
		  offsetof(otlog_pipeline_statistics, batches) },
		{ "otlog_pipeline_retries_total", "counter", "Attempts that failed and are made again.",
		  offsetof(otlog_pipeline_statistics, retries) },
		{ "otlog_pipeline_delivered_bytes_total", "counter",
		  "Size of the requests acknowledged, before compression.",
		  offsetof(otlog_pipeline_statistics, bytes) },
	};
	for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
		begin(w, families[i].name, families[i].type, families[i].help);
		for (size_t p = 0; p < all->pipeline_count; p++) {
			put(w, "%s{", families[i].name);
			label_exporter(w, all, p);
			put(w, "} %" PRIu64 "\n", value_at(&all->pipelines[p], families[i].offset));
		}
	}
}

/* ---- Numbers by reason ------------------------------------------------------------------------------------------- */

static void
put_refused(writer *w, const given *all)
{
	static const char name[] = "otlog_refused_records_total";
	begin(w, name, "counter", "Of those emitted, the records dropped before the queue.");
	for (int reason = 0; reason < OTLOG_DROP_REASON_COUNT; reason++)
		put(w, "%s{reason=\"%s\"} %" PRIu64 "\n", name, otlog_drop_reason_text((otlog_drop_reason)reason),
		    all->totals.refused[reason]);
}

static void
put_dropped(writer *w, const given *all)
{
	static const char name[] = "otlog_pipeline_dropped_records_total";
	begin(w, name, "counter", "Records dropped, those refused before the queue included.");
	for (size_t p = 0; p < all->pipeline_count; p++)
		for (int reason = 0; reason < OTLOG_DROP_REASON_COUNT; reason++) {
			put(w, "%s{", name);
			label_exporter(w, all, p);
			put(w, ",reason=\"%s\"} %" PRIu64 "\n", otlog_drop_reason_text((otlog_drop_reason)reason),
			    all->pipelines[p].dropped[reason]);
		}
}

/*
 * What the destination itself has refused. Nothing is rejected before the queue, and what is too large for the queue
 * has never come to a destination.
 */
static uint64_t
refused_by_destination(const given *all, size_t pipeline, int reason)
{
	if (reason != OTLOG_DROP_REJECTED && reason != OTLOG_DROP_TOO_LARGE)
		return 0;
	uint64_t dropped = all->pipelines[pipeline].dropped[reason];
	uint64_t refused = all->pipelines[pipeline].refused[reason];
	return dropped > refused ? dropped - refused : 0;
}

/* The word of the semantic conventions, where they have one. */
static const char *
error_type_of(int reason)
{
	return reason == OTLOG_DROP_AFTER_SHUTDOWN ? "already_shutdown"
	                                           : otlog_drop_reason_text((otlog_drop_reason)reason);
}

static void
put_processed(writer *w, const given *all)
{
	static const char name[] = "otel_sdk_processor_log_processed_total";
	begin(w, name, "counter",
	      "Log records that are done with: without error_type those that the exporter has dealt with, its "
	      "failures included.");
	for (size_t p = 0; p < all->pipeline_count; p++) {
		uint64_t handed = all->pipelines[p].delivered;
		for (int reason = 0; reason < OTLOG_DROP_REASON_COUNT; reason++)
			handed += refused_by_destination(all, p, reason);
		put(w, "%s{", name);
		label_processor(w, all, p);
		put(w, "} %" PRIu64 "\n", handed);
		for (int reason = 0; reason < OTLOG_DROP_REASON_COUNT; reason++) {
			if (reason == OTLOG_DROP_REJECTED)
				continue;
			put(w, "%s{", name);
			label_processor(w, all, p);
			put(w, ",error_type=\"%s\"} %" PRIu64 "\n", error_type_of(reason),
			    all->pipelines[p].dropped[reason] - refused_by_destination(all, p, reason));
		}
	}
}

static void
put_exported(writer *w, const given *all)
{
	static const char name[] = "otel_sdk_exporter_log_exported_total";
	static const int reasons[] = { OTLOG_DROP_REJECTED, OTLOG_DROP_TOO_LARGE };
	begin(w, name, "counter",
	      "Log records that the exporter is done with, each once: without error_type those delivered.");
	for (size_t p = 0; p < all->pipeline_count; p++) {
		put(w, "%s{", name);
		label_exporter(w, all, p);
		put(w, "} %" PRIu64 "\n", all->pipelines[p].delivered);
		for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
			put(w, "%s{", name);
			label_exporter(w, all, p);
			put(w, ",error_type=\"%s\"} %" PRIu64 "\n", error_type_of(reasons[i]),
			    refused_by_destination(all, p, reasons[i]));
		}
	}
}

/* ---- The rest of the semantic conventions ------------------------------------------------------------------------ */

static void
put_created(writer *w, const given *all)
{
	static const char name[] = "otel_sdk_log_created_total";
	begin(w, name, "counter", "Log records given to the SDK that some pipeline's minimum severity lets pass.");
	put(w, "%s %" PRIu64 "\n", name,
	    all->totals.emitted > all->totals.filtered ? all->totals.emitted - all->totals.filtered : 0);
}

/* Where the queue is bounded by bytes alone it has no capacity in records: none is shown. */
static void
put_queue(writer *w, const given *all)
{
	static const char size[] = "otel_sdk_processor_log_queue_size";
	static const char capacity[] = "otel_sdk_processor_log_queue_capacity";
	begin(w, size, "gauge", "Log records that wait for the exporter or are in its hands.");
	for (size_t p = 0; p < all->pipeline_count; p++) {
		put(w, "%s{", size);
		label_processor(w, all, p);
		put(w, "} %" PRIu64 "\n", all->pipelines[p].queued);
	}
	if (all->totals.queue_records == 0)
		return;
	begin(w, capacity, "gauge", "Log records that the queue can hold; all pipelines share it.");
	for (size_t p = 0; p < all->pipeline_count; p++) {
		put(w, "%s{", capacity);
		label_processor(w, all, p);
		put(w, "} %" PRIu64 "\n", all->totals.queue_records);
	}
}

static void
put_in_flight(writer *w, const given *all)
{
	static const char name[] = "otel_sdk_exporter_log_inflight";
	begin(w, name, "gauge", "Log records in batches being delivered, waits between attempts included.");
	for (size_t p = 0; p < all->pipeline_count; p++) {
		put(w, "%s{", name);
		label_exporter(w, all, p);
		put(w, "} %" PRIu64 "\n", all->pipelines[p].in_flight);
	}
}

static void
put_durations(writer *w, const given *all)
{
	static const char name[] = "otel_sdk_exporter_operation_duration_seconds";
	begin(w, name, "histogram", "Time from the first attempt to deliver a batch to its verdict.");
	for (size_t p = 0; p < all->pipeline_count; p++) {
		const otlog_pipeline_statistics *pipeline = &all->pipelines[p];
		for (size_t i = 0; i <= OTLOG_DURATION_BOUNDS; i++) {
			put(w, "%s_bucket{", name);
			label_exporter(w, all, p);
			put(w, ",le=\"%s\"} %" PRIu64 "\n", i < OTLOG_DURATION_BOUNDS ? bounds[i] : "+Inf",
			    pipeline->duration_counts[i]);
		}
		put(w, "%s_sum{", name);
		label_exporter(w, all, p);
		put(w, "} ");
		put_seconds(w, pipeline->duration_sum_s);
		put(w, "\n%s_count{", name);
		label_exporter(w, all, p);
		put(w, "} %" PRIu64 "\n", pipeline->duration_counts[OTLOG_DURATION_BOUNDS]);
	}
}

static void
put_failing(writer *w, const given *all)
{
	static const char name[] = "otlog_pipeline_failing";
	begin(w, name, "gauge", "1, with the error, if the last attempt failed; 0 if it succeeded.");
	for (size_t p = 0; p < all->pipeline_count; p++) {
		const char *error = all->pipelines[p].last_error;
		size_t size = strnlen(error, sizeof all->pipelines[p].last_error);
		put(w, "%s{", name);
		label_exporter(w, all, p);
		if (size) {
			put(w, ",error_type=\"");
			put_escaped(w, (otlog__text){ error, size });
			put(w, "\"");
		}
		put(w, "} %d\n", size != 0);
	}
}

static void
put_pipelines(writer *w, const given *all)
{
	put_queue(w, all);
	put_processed(w, all);
	put_in_flight(w, all);
	put_exported(w, all);
	put_durations(w, all);
	put_pipeline_numbers(w, all);
	put_dropped(w, all);
	put_failing(w, all);
}

size_t
otlog_statistics_prometheus_sized(const otlog_statistics_snapshot *statistics, size_t statistics_size,
                                  const otlog_pipeline_statistics *pipelines, size_t pipeline_size,
                                  size_t pipeline_count, char *out, size_t out_size)
{
	given all = { .pipeline_count = pipelines ? pipeline_count : 0 };
	writer w = { .out = out, .size = out ? out_size : 0 };
	if (all.pipeline_count > OTLOG_MAX_PIPELINES)
		all.pipeline_count = OTLOG_MAX_PIPELINES;
	otlog__sized_copy(&all.totals, sizeof all.totals, statistics, statistics_size);
	for (size_t i = 0; i < all.pipeline_count; i++)
		otlog__sized_copy(&all.pipelines[i], sizeof all.pipelines[i],
		                  (const char *)pipelines + i * pipeline_size, pipeline_size);
	if (w.size)
		*w.out = '\0';
	put_created(&w, &all);
	put_numbers(&w, &all);
	put_refused(&w, &all);
	if (all.pipeline_count)
		put_pipelines(&w, &all);
	return w.used;
}
