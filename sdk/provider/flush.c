#include "sdk/provider/provider.h"

#include "sdk/base/clock.h"

static bool
all_passed(otlog_provider *provider, const otlog__queue_mark *mark)
{
	for (size_t i = 0; i < provider->pipeline_count; i++)
		if (provider->pipelines[i].processor && !otlog__queue_passed(provider->queue, (uint32_t)i, mark))
			return false;
	return true;
}

otlog_flush_result
otlog__provider_flush_until(otlog_provider *provider, uint64_t deadline_nano)
{
	otlog__queue_mark mark;
	otlog__queue_take_mark(provider->queue, &mark);
	for (size_t i = 0; i < provider->pipeline_count; i++)
		if (provider->pipelines[i].processor)
			otlog__batch_request_flush(provider->pipelines[i].processor);

	uint32_t seen = 0;
	bool done;
	while (!(done = all_passed(provider, &mark)) && otlog__monotonic_nano() < deadline_nano)
		seen = otlog__queue_wait_progress(provider->queue, seen, deadline_nano);
	if (!done && !otlog__queue_in_file(provider->queue))
		return OTLOG_TIMEOUT;

	pthread_mutex_lock(&provider->lock);
	uint64_t dropped = otlog__provider_dropped(provider);
	bool lost = dropped != provider->dropped_at_flush;
	provider->dropped_at_flush = dropped;
	pthread_mutex_unlock(&provider->lock);
	if (lost)
		return OTLOG_DROPPED;
	return done ? OTLOG_DELIVERED : OTLOG_DURABLE;
}

otlog_flush_result
otlog_provider_flush(otlog_provider *provider, uint64_t timeout_ms)
{
	if (!provider || otlog__queue_in_child(provider->queue))
		return OTLOG_DELIVERED;
	uint64_t deadline = otlog__deadline_nano(otlog__monotonic_nano(), timeout_ms);
	pthread_mutex_lock(&provider->lock);
	bool running = provider->state == OTLOG__RUNNING;
	otlog_flush_result last = provider->last_result;
	pthread_mutex_unlock(&provider->lock);
	return running ? otlog__provider_flush_until(provider, deadline) : last;
}

const char *
otlog_flush_result_text(otlog_flush_result result)
{
	static const char *const texts[] = { "DELIVERED", "DURABLE", "DROPPED", "TIMEOUT" };
	return (unsigned)result < sizeof texts / sizeof texts[0] ? texts[result] : "unknown result";
}
