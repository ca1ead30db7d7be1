/* What lies behind the queue where that is a file: the pipelines' spools, and what dead processes have left. */
#include "sdk/provider/provider.h"

#include "sdk/base/process/diagnostics.h"

static void
open_spools(otlog_provider *provider)
{
	const otlog__config *config = provider->config;
	for (size_t i = 0; config->spool_bytes && i < provider->pipeline_count; i++) {
		otlog__pipeline *pipeline = &provider->pipelines[i];
		const otlog__spool_options options = {
			.directory = otlog__queue_directory(provider->queue),
			.name = otlog__queue_name(provider->queue),
			.pipeline = (uint32_t)i,
			.pipeline_name = pipeline->exporter.name,
			.max_bytes = config->spool_bytes,
			.drop_oldest = config->spool_full == OTLOG_SPOOL_FULL_DROP_OLDEST,
			.sync = config->durability != OTLOG_DURABILITY_NONE,
		};
		pipeline->batch.spool = otlog__spool_create(&options);
		pipeline->batch.spool_full = config->spool_full;
		if (pipeline->batch.spool)
			otlog__queue_set_spools(provider->queue, (uint32_t)i, true);
		else
			otlog__diagnose_always(OTLOG__ERROR,
			                       "%s: memory is short, so this pipeline has no spool. Give the process "
			                       "more memory",
			                       pipeline->exporter.name);
	}
}

static void
open_backlog(otlog_provider *provider)
{
	const char *names[OTLOG_MAX_PIPELINES];
	for (size_t i = 0; i < provider->pipeline_count; i++)
		/* In a forked child a pipeline may have no exporter: "" matches no backlog. */
		names[i] = provider->pipelines[i].exporter.functions ? provider->pipelines[i].exporter.name : "";
	const otlog__backlog_options options = { .directory = provider->config->queue_directory,
		                                 .pipelines = names,
		                                 .pipeline_count = (uint32_t)provider->pipeline_count };
	provider->backlog = otlog__backlog_create(&options);
	if (!provider->backlog)
		otlog__diagnose_always(OTLOG__ERROR, "memory is short: what dead processes have left in the queue "
		                                     "directory waits for another start. Give the process more memory");
	for (size_t i = 0; i < provider->pipeline_count; i++)
		provider->pipelines[i].batch.backlog = provider->backlog;
}

void
otlog__backing_open(otlog_provider *provider)
{
	/* Also where the queue had to stay in memory, as on a full disk: what lies in the directory can be delivered. */
	if (provider->config->queue_directory)
		open_backlog(provider);
	if (!otlog__queue_in_file(provider->queue))
		return;
	open_spools(provider);
	for (size_t i = 0; i < provider->pipeline_count; i++)
		provider->pipelines[i].batch.tells_keeper = provider->config->durability == OTLOG_DURABILITY_BATCH;
}

bool
otlog__backing_close(otlog_provider *provider)
{
	bool synced = true;
	for (size_t i = 0; i < provider->pipeline_count; i++) {
		otlog__spool *spool = provider->pipelines[i].batch.spool;
		otlog__spool_books books;
		if (!spool)
			continue;
		if (!otlog__spool_sync(spool)) {
			synced = false;
			otlog__diagnose(
			    OTLOG__ERROR,
			    "%s: the spool cannot be brought to the disk: its records survive this process, "
			    "but not a loss of power; look after the disk",
			    provider->pipelines[i].exporter.name);
		}
		otlog__spool_close(spool);
		otlog__spool_take_books(spool, &books);
		if (books.queued)
			otlog__queue_keep_file(provider->queue); /* the spool needs its lock and its .meta */
	}
	if (provider->backlog)
		otlog__backlog_close(provider->backlog);
	return synced;
}

void
otlog__backing_free(otlog_provider *provider)
{
	for (size_t i = 0; i < provider->pipeline_count; i++)
		otlog__spool_free(provider->pipelines[i].batch.spool);
	otlog__backlog_free(provider->backlog);
}

bool
otlog__backing_spool(const otlog_provider *provider, uint64_t now_nano)
{
	bool made_room = false;
	for (size_t i = 0; i < provider->pipeline_count; i++)
		if (provider->pipelines[i].processor)
			made_room |= otlog__batch_spool(provider->pipelines[i].processor, now_nano);
	return made_room;
}

void
otlog__backing_adopt(otlog_provider *provider)
{
	if (!provider->backlog || !otlog__backlog_look(provider->backlog))
		return;
	for (size_t i = 0; i < provider->pipeline_count; i++)
		otlog__queue_wake(provider->queue, (uint32_t)i);
}
