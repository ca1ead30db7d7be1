#include "sdk/provider/provider.h"

#include "sdk/base/clock.h"
#include "sdk/base/futex.h"

/* What a flush waits for. */
typedef struct wish {
	otlog__queue_mark mark;
	uint32_t requests[OTLOG_MAX_PIPELINES];
	uint64_t spooled[OTLOG_MAX_PIPELINES]; /* records that the spool must be done with; 0: not known yet */
	bool failed;                           /* an exporter could not flush what it held back */
} wish;

static void
ask(otlog_provider *provider, wish *w)
{
	*w = (wish){ .failed = false };
	otlog__queue_take_mark(provider->queue, &w->mark);
	for (size_t i = 0; i < provider->pipeline_count; i++)
		if (provider->pipelines[i].processor)
			w->requests[i] = otlog__batch_request_flush(provider->pipelines[i].processor);
}

/* What was moved to the spool meanwhile is done with too. Asked once the queue's cursors have passed. */
static bool
spool_passed(const otlog__pipeline *pipeline, uint64_t *until)
{
	otlog__spool_books books;
	if (!pipeline->batch.spool)
		return true;
	otlog__spool_take_books(pipeline->batch.spool, &books);
	if (!*until)
		*until = books.spooled;
	return books.spooled - books.queued >= *until;
}

static bool
is_granted(otlog_provider *provider, wish *w)
{
	for (size_t i = 0; i < provider->pipeline_count; i++)
		if (provider->pipelines[i].processor &&
		    (!otlog__queue_passed(provider->queue, (uint32_t)i, &w->mark) ||
		     !spool_passed(&provider->pipelines[i], &w->spooled[i]) ||
		     !otlog__batch_flushed(provider->pipelines[i].processor, w->requests[i], &w->failed)))
			return false;
	return true;
}

/* Whether records are left for another process, whose exporter this one does not have. */
static bool
keeps_records(otlog_provider *provider, const wish *w)
{
	for (size_t i = 0; i < provider->pipeline_count; i++)
		if (provider->pipelines[i].kept && !otlog__queue_passed(provider->queue, (uint32_t)i, &w->mark))
			return true;
	return false;
}

enum otlog__provider_state
otlog__provider_state(otlog_provider *provider)
{
	/* Acquire: the result is stored before STOPPED. */
	return (enum otlog__provider_state)atomic_load_explicit(&provider->stop.state, memory_order_acquire);
}

otlog_flush_result
otlog__provider_flush_until(otlog_provider *provider, uint64_t deadline_nano)
{
	wish w;
	ask(provider, &w);
	uint32_t seen = 0;
	bool done;
	/* Once all is stopped nothing moves any more. */
	while (!(done = is_granted(provider, &w)) && otlog__monotonic_nano() < deadline_nano &&
	       otlog__provider_state(provider) != OTLOG__STOPPED)
		seen = otlog__queue_wait_progress(provider->queue, seen, deadline_nano);
	done = done && !w.failed && !keeps_records(provider, &w);
	if (!done && !otlog__queue_in_file(provider->queue))
		return OTLOG_TIMEOUT;

	pthread_mutex_lock(&provider->flushed.lock);
	uint64_t dropped = otlog__provider_dropped(provider);
	bool lost = dropped != provider->flushed.dropped;
	provider->flushed.dropped = dropped;
	pthread_mutex_unlock(&provider->flushed.lock);
	if (lost)
		return OTLOG_DROPPED;
	return done ? OTLOG_DELIVERED : OTLOG_DURABLE;
}

otlog_flush_result
otlog__provider_await_stopped(otlog_provider *provider, uint64_t deadline_nano)
{
	while (otlog__provider_state(provider) != OTLOG__STOPPED) {
		if (otlog__monotonic_nano() >= deadline_nano)
			return OTLOG_TIMEOUT;
		otlog__futex_wait(&provider->stop.state, OTLOG__STOPPING, deadline_nano);
	}
	return provider->stop.result;
}

otlog_flush_result
otlog_provider_flush(otlog_provider *provider, uint64_t timeout_ms)
{
	provider = otlog__provider_of_this_process(provider);
	if (!provider)
		return OTLOG_DELIVERED;
	uint64_t deadline = otlog__deadline_nano(otlog__monotonic_nano(), timeout_ms);
	if (otlog__provider_state(provider) == OTLOG__STOPPED)
		return provider->stop.result;
	int cancelable;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE,
	                       &cancelable); /* a thread that is cancelled in here would keep the lock */
	otlog_flush_result result = otlog__provider_flush_until(provider, deadline);
	if (otlog__provider_state(provider) != OTLOG__RUNNING) {
		/* What the shutdown gave up has left the queue too: only its own answer is the truth. */
		otlog_flush_result last = otlog__provider_await_stopped(provider, deadline);
		result = last > result ? last : result;
	}
	pthread_setcancelstate(cancelable, NULL);
	return result;
}

const char *
otlog_flush_result_text(otlog_flush_result result)
{
	static const char *const texts[] = { "DELIVERED", "DURABLE", "DROPPED", "TIMEOUT", "NOT_RUNNING" };
	return (unsigned)result < sizeof texts / sizeof texts[0] ? texts[result] : "unknown result";
}
