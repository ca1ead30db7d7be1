#include "sdk/provider/provider.h"

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
	otlog__batch_counts counts;
	if (!processor)
		return;
	otlog__batch_take_counts(processor, &counts);
	out->batches = counts.batches;
	out->retries = counts.retries;
	out->bytes = counts.bytes;
	/* Counted a moment later than what is queued, and so perhaps finished or new since. */
	out->in_flight = counts.in_flight < out->queued ? counts.in_flight : out->queued;
	out->duration_sum_s = counts.duration_sum_s;
	memcpy(out->last_error, counts.last_error, sizeof out->last_error);
	memcpy(out->duration_counts, counts.duration_counts, sizeof out->duration_counts);
}

static void
take_pipeline(otlog_provider *provider, size_t i, const otlog_statistics_snapshot *all, otlog_pipeline_statistics *out)
{
	const otlog__pipeline *pipeline = &provider->pipelines[i];
	otlog__pipeline_books books;
	otlog__pipeline_take_books(provider->queue, (uint32_t)i, &books);

	out->name = pipeline->exporter.name;
	out->exporter = provider->config->pipelines[i].exporter.name;
	out->emitted = books.accepted + all->filtered;
	out->delivered = books.delivered;
	out->queued = books.queued;
	out->filtered = books.filtered + all->filtered;
	for (int reason = 0; reason < OTLOG_DROP_REASON_COUNT; reason++) {
		out->dropped[reason] = books.dropped[reason] + all->refused[reason];
		out->emitted += all->refused[reason];
	}
	add_backing(provider, i, &books, out);
	add_counts(pipeline->processor, out);
}

static void
take_all(otlog_provider *provider, otlog_statistics_snapshot *out)
{
	otlog__queue_books books;
	otlog__queue_take_books(provider->queue, &books);
	/* Relaxed: plain counters. */
	out->filtered = atomic_load_explicit(&provider->counted.filtered, memory_order_relaxed);
	out->truncated = atomic_load_explicit(&provider->counted.truncated, memory_order_relaxed);
	out->dropped_attributes = atomic_load_explicit(&provider->counted.dropped_attributes, memory_order_relaxed);
	out->accepted = books.accepted;
	out->emitted = books.accepted + out->filtered;
	for (int reason = 0; reason < OTLOG_DROP_REASON_COUNT; reason++) {
		out->refused[reason] = books.refused[reason];
		out->emitted += books.refused[reason];
	}
	out->queue_bytes = books.bytes;
	out->queue_bytes_used = books.bytes_used;
	out->queue_records = books.max_records;
	out->pipeline_count = provider->pipeline_count;
	for (size_t i = 0; i < provider->pipeline_count; i++)
		take_pipeline(provider, i, out, &out->pipelines[i]);
}

void
otlog_provider_statistics_sized(otlog_provider *provider, otlog_statistics_snapshot *out, size_t out_size)
{
	otlog_statistics_snapshot all = { 0 };
	if (!out)
		return;
	provider = otlog__provider_of_this_process(provider);
	if (provider)
		take_all(provider, &all);
	memset(out, 0, out_size);
	memcpy(out, &all, out_size < sizeof all ? out_size : sizeof all);
}

/* Of all pipelines together, those refused at the door once. */
static uint64_t
dropped_as(const otlog_statistics_snapshot *all, otlog_drop_reason reason)
{
	uint64_t dropped = all->refused[reason];
	for (size_t i = 0; i < all->pipeline_count; i++)
		dropped += all->pipelines[i].dropped[reason] - all->refused[reason];
	return dropped;
}

uint64_t
otlog__provider_dropped(otlog_provider *provider)
{
	otlog_statistics_snapshot all = { 0 };
	uint64_t dropped = 0;
	take_all(provider, &all);
	for (int reason = 0; reason < OTLOG_DROP_REASON_COUNT; reason++)
		dropped += dropped_as(&all, (otlog_drop_reason)reason);
	return dropped;
}

uint64_t
otlog__provider_given_up(otlog_provider *provider)
{
	otlog_statistics_snapshot all = { 0 };
	take_all(provider, &all);
	return dropped_as(&all, OTLOG_DROP_AFTER_SHUTDOWN) - all.refused[OTLOG_DROP_AFTER_SHUTDOWN];
}
