#include "sdk/provider/provider.h"

#include "sdk/base/sized.h"

#include <string.h>

/* What the spool and the backlog of the pipeline hold, and what became of it. */
static void
add_backing(otlog_provider *provider, size_t i, const otlog__pipeline_books *queue, otlog_pipeline_statistics *out)
{
	otlog__spool_books spool = { 0 };
	otlog__backlog_books backlog = { 0 };
	if (provider->pipelines[i].batch.spool)
		otlog__spool_take_books(provider->pipelines[i].batch.spool, &spool);
	if (provider->backlog)
		otlog__backlog_take_books(provider->backlog, (uint32_t)i, &backlog);
	out->adopted = backlog.adopted;
	out->delivered += spool.delivered + backlog.delivered;
	/* Records are put into the spool first and taken from the queue then: those in between are in both. */
	out->queued += spool.queued + backlog.queued - (spool.spooled - queue->spooled);
	out->spooled = spool.queued;
	out->spool_bytes = spool.bytes;
	for (int reason = 0; reason < OTLOG_DROP_REASON_COUNT; reason++)
		out->dropped[reason] += spool.dropped[reason] + backlog.dropped[reason];
}

static void
add_counts(otlog__batch_processor *processor, otlog_pipeline_statistics *out)
{
	otlog__batch_books counts;
	if (!processor)
		return;
	otlog__batch_take_books(processor, &counts);
	out->batches = counts.batches;
	out->retries = counts.retries;
	out->bytes = counts.bytes;
	/* Counted a moment later than what is queued, and so perhaps finished or new since. */
	out->in_flight = counts.in_flight < out->queued ? counts.in_flight : out->queued;
	out->duration_sum_s = counts.duration_sum_s;
	memcpy(out->last_error, counts.last_error, sizeof out->last_error);
	memcpy(out->duration_counts, counts.duration_counts, sizeof out->duration_counts);
}

/* What a pipeline shares with all others is told to it: what never came as far as the queue counts for each. */
static void
take_pipeline(otlog_provider *provider, size_t i, const otlog_statistics_snapshot *totals,
              otlog_pipeline_statistics *out)
{
	const otlog__pipeline *pipeline = &provider->pipelines[i];
	otlog__pipeline_books books;
	otlog__pipeline_take_books(provider->queue, (uint32_t)i, &books);

	*out = (otlog_pipeline_statistics){ .name = pipeline->exporter.name,
		                            .exporter = provider->config->pipelines[i].exporter.name,
		                            .emitted = books.accepted + totals->filtered,
		                            .delivered = books.delivered,
		                            .queued = books.queued,
		                            .filtered = books.filtered + totals->filtered };
	for (int reason = 0; reason < OTLOG_DROP_REASON_COUNT; reason++) {
		out->dropped[reason] = books.dropped[reason] + totals->refused[reason];
		out->refused[reason] = totals->refused[reason];
		out->emitted += totals->refused[reason];
	}
	add_backing(provider, i, &books, out);
	add_counts(pipeline->processor, out);
}

static void
take_totals(otlog_provider *provider, otlog_statistics_snapshot *out)
{
	otlog__queue_books books;
	otlog__queue_take_books(provider->queue, &books);
	*out = (otlog_statistics_snapshot){
		/* Relaxed: plain counters. */
		.filtered = atomic_load_explicit(&provider->counted.filtered, memory_order_relaxed),
		.truncated = atomic_load_explicit(&provider->counted.truncated, memory_order_relaxed),
		.dropped_attributes = atomic_load_explicit(&provider->counted.dropped_attributes, memory_order_relaxed),
		.accepted = books.accepted,
		.queue_bytes = books.bytes,
		.queue_bytes_used = books.bytes_used,
		.queue_records = books.max_records,
		.pipeline_count = provider->pipeline_count,
	};
	out->emitted = books.accepted + out->filtered;
	for (int reason = 0; reason < OTLOG_DROP_REASON_COUNT; reason++) {
		out->refused[reason] = books.refused[reason];
		out->emitted += books.refused[reason];
	}
}

void
otlog_provider_statistics_sized(otlog_provider *provider, otlog_statistics_snapshot *out, size_t out_size)
{
	otlog_statistics_snapshot totals = { 0 };
	if (!out)
		return;
	provider = otlog__provider_of_this_process(provider);
	if (provider)
		take_totals(provider, &totals);
	otlog__sized_copy(out, out_size, &totals, sizeof totals);
}

bool
otlog_provider_statistics_pipeline_sized(otlog_provider *provider, size_t pipeline, otlog_pipeline_statistics *out,
                                         size_t out_size)
{
	otlog_statistics_snapshot totals;
	otlog_pipeline_statistics one = { 0 };
	provider = otlog__provider_of_this_process(provider);
	bool found = provider && pipeline < provider->pipeline_count;
	if (!out)
		return found;
	if (found) {
		take_totals(provider, &totals);
		take_pipeline(provider, pipeline, &totals, &one);
	}
	otlog__sized_copy(out, out_size, &one, sizeof one);
	return found;
}

/* Of all pipelines together, for reasons from `first` on and before `end`; those refused at the door not counted. */
static uint64_t
dropped_behind(otlog_provider *provider, const otlog_statistics_snapshot *totals, int first, int end)
{
	uint64_t dropped = 0;
	for (size_t i = 0; i < provider->pipeline_count; i++) {
		otlog_pipeline_statistics pipeline;
		take_pipeline(provider, i, totals, &pipeline);
		for (int reason = first; reason < end; reason++)
			dropped += pipeline.dropped[reason] - pipeline.refused[reason];
	}
	return dropped;
}

uint64_t
otlog__provider_dropped(otlog_provider *provider)
{
	otlog_statistics_snapshot totals;
	take_totals(provider, &totals);
	uint64_t dropped = dropped_behind(provider, &totals, 0, OTLOG_DROP_REASON_COUNT);
	for (int reason = 0; reason < OTLOG_DROP_REASON_COUNT; reason++)
		dropped += totals.refused[reason];
	return dropped;
}

uint64_t
otlog__provider_given_up(otlog_provider *provider)
{
	otlog_statistics_snapshot totals;
	take_totals(provider, &totals);
	return dropped_behind(provider, &totals, OTLOG_DROP_AFTER_SHUTDOWN, OTLOG_DROP_AFTER_SHUTDOWN + 1);
}
