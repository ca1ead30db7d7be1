#include "sdk/provider/provider.h"

#include "sdk/base/clock.h"
#include "sdk/base/process/diagnostics.h"
#include "sdk/base/futex.h"
#include "sdk/base/strings.h"
#include "sdk/crash/crash.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>

/* How often drops are looked for, and workers watched, while nothing else happens. */
#define TICK_NANO (1 * OTLOG__NANOS_PER_S)

/* How often the directory is looked into for what dead processes have left. */
#define LOOK_NANO (5 * OTLOG__NANOS_PER_S)

#define LONG_ATTEMPT_NANO (1 * OTLOG__NANOS_PER_S)

/* A queue that stays full although nobody may be evicted is not looked at more often than this. */
#define PAUSE_NANO (5 * OTLOG__NANOS_PER_MS)

/* What was reported last. */
typedef struct reported {
	uint64_t refused[OTLOG_DROP_REASON_COUNT];
	uint64_t evicted[OTLOG_MAX_PIPELINES];
	uint64_t spool_full[OTLOG_MAX_PIPELINES];
	uint64_t damaged[OTLOG_MAX_PIPELINES];
	uint64_t truncated;
	uint64_t dropped_attributes;
} reported;

static uint64_t
rise(uint64_t now, uint64_t *before)
{
	uint64_t more = now - *before;
	*before = now;
	return more;
}

/* Records given up for one pipeline, the i-th, so that the others keep the room. */
static void
report_evicted(const otlog_pipeline_statistics *pipeline, size_t i, reported *before)
{
	uint64_t more = rise(pipeline->dropped[OTLOG_DROP_QUEUE_FULL] - pipeline->refused[OTLOG_DROP_QUEUE_FULL],
	                     &before->evicted[i]);
	if (more)
		otlog__diagnose(OTLOG__WARN,
		                "%s: %" PRIu64
		                " record%s dropped for this destination alone, which takes none, so that "
		                "the others keep the queue. See that it answers, or raise OTLOG_QUEUE_BYTES",
		                pipeline->name, more, otlog__s(more));
}

/* Records given up behind the queue: in the spool, and in files of dead processes. */
static void
report_files(const otlog_pipeline_statistics *pipeline, size_t i, reported *before)
{
	uint64_t more = rise(pipeline->dropped[OTLOG_DROP_SPOOL_FULL], &before->spool_full[i]);
	if (more)
		otlog__diagnose(OTLOG__ERROR,
		                "%s: the spool is full: %" PRIu64
		                " record%s dropped as spool_full. See that the destination answers, or raise "
		                "OTLOG_SPOOL_BYTES",
		                pipeline->name, more, otlog__s(more));
	if ((more = rise(pipeline->dropped[OTLOG_DROP_DAMAGED], &before->damaged[i])))
		otlog__diagnose(OTLOG__ERROR,
		                "%s: %" PRIu64
		                " record%s dropped as damaged: bytes in the files of OTLOG_QUEUE_DIR make no sense. "
		                "Look after the disk, and keep other programs from writing there",
		                pipeline->name, more, otlog__s(more));
}

static void
report_pipelines(otlog_provider *provider, reported *before)
{
	otlog_pipeline_statistics pipeline;
	for (size_t i = 0; otlog_provider_statistics_pipeline(provider, i, &pipeline); i++) {
		report_evicted(&pipeline, i, before);
		report_files(&pipeline, i, before);
	}
}

/* An emit may not write messages: it counts, and the keeper says so here. */
static void
report(otlog_provider *provider, reported *before)
{
	otlog_statistics_snapshot now;
	uint64_t more;
	otlog_provider_statistics(provider, &now);
	if ((more = rise(now.refused[OTLOG_DROP_QUEUE_FULL], &before->refused[OTLOG_DROP_QUEUE_FULL])))
		otlog__diagnose(
		    OTLOG__WARN,
		    "the queue is full: %" PRIu64 " record%s dropped. Records come faster than they are delivered: "
		    "see that the destination answers, raise OTLOG_QUEUE_BYTES (now %" PRIu64 "), or %s",
		    more, otlog__s(more), now.queue_bytes,
		    provider->emit.block ? "raise OTLOG_QUEUE_BLOCK_TIMEOUT" : "set OTLOG_QUEUE_FULL=block");
	if ((more = rise(now.refused[OTLOG_DROP_BUSY], &before->refused[OTLOG_DROP_BUSY])))
		otlog__diagnose(OTLOG__WARN,
		                "every lane of the queue was held by another thread: %" PRIu64
		                " record%s dropped. More threads "
		                "emit at once than the processors can run; emit from fewer threads",
		                more, otlog__s(more));
	if ((more = rise(now.refused[OTLOG_DROP_TOO_LARGE], &before->refused[OTLOG_DROP_TOO_LARGE])))
		otlog__diagnose(OTLOG__WARN,
		                "%" PRIu64
		                " record%s dropped: larger than %zu bytes even with the longest values cut. Log "
		                "less in one record, or raise OTLOG_QUEUE_BYTES",
		                more, otlog__s(more), provider->emit.max_record);
	if ((more = rise(now.refused[OTLOG_DROP_INVALID], &before->refused[OTLOG_DROP_INVALID])))
		otlog__diagnose(OTLOG__WARN,
		                "%" PRIu64
		                " emit%s dropped: the record was NULL. Look for the caller of otlog_emit that passes "
		                "none",
		                more, otlog__s(more));
	report_pipelines(provider, before);
	if ((more = rise(now.truncated, &before->truncated)))
		otlog__diagnose(OTLOG__WARN,
		                "%" PRIu64
		                " record%s had the longest values cut to fit %zu bytes. Log less in one record, or "
		                "raise OTLOG_QUEUE_BYTES",
		                more, otlog__s(more), provider->emit.max_record);
	if ((more = rise(now.dropped_attributes, &before->dropped_attributes)))
		otlog__diagnose(OTLOG__WARN,
		                "%" PRIu64 " attribute%s dropped: without a key, or over %u in one record. Give every "
		                "attribute a key and nest what belongs together",
		                more, otlog__s(more), provider->emit.limits.attribute_count);
}

static bool
is_stopping(otlog_provider *provider)
{
	/* Acquire: pairs with the release in ask. */
	return atomic_load_explicit(&provider->keeper.asked, memory_order_acquire) != OTLOG__KEEPER_KEEPS;
}

/*
 * After how long in one attempt a destination counts as away. Where emits wait for room, it is half of their time: a slow
 * destination then loses nothing, and the room is there before the emits give up.
 */
static uint64_t
long_attempt_nano(const otlog_provider *provider)
{
	return provider->emit.block ? provider->emit.block_timeout_ms * OTLOG__NANOS_PER_MS / 2 : LONG_ATTEMPT_NANO;
}

/* When the queue's file goes to the disk, and when the directory is looked into again. The keeper's own. */
typedef struct chores {
	uint64_t sync_nano; /* next */
	uint64_t synced;    /* frames accepted when it was done last */
	uint64_t look_nano; /* next */
	reported reported;
	uint64_t report_nano; /* next */
} chores;

static uint64_t
accepted(otlog_provider *provider)
{
	otlog__queue_books books;
	otlog__queue_take_books(provider->queue, &books);
	return books.accepted;
}

/* Brings what was accepted to the disk, as the durability asked for says. */
static void
sync_queue(otlog_provider *provider, chores *todo, uint64_t now_nano)
{
	otlog_durability durability = provider->config->durability;
	if (durability == OTLOG_DURABILITY_NONE || !otlog__queue_in_file(provider->queue) ||
	    (durability == OTLOG_DURABILITY_INTERVAL && now_nano < todo->sync_nano))
		return;
	uint64_t until = accepted(provider);
	todo->sync_nano = otlog__deadline_nano(now_nano, provider->config->sync_interval_ms);
	if (until == todo->synced)
		return;
	if (otlog__queue_sync(provider->queue))
		todo->synced = until;
	else
		otlog__diagnose(
		    OTLOG__ERROR,
		    "the queue's file cannot be brought to the disk (%s): records survive this process, but "
		    "not a loss of power; look after the disk of OTLOG_QUEUE_DIR",
		    strerror(errno));
}

/* What is to be done now and again. */
static void
do_chores(otlog_provider *provider, chores *todo)
{
	uint64_t now = otlog__monotonic_nano();
	sync_queue(provider, todo, now);
	if (now >= todo->look_nano) {
		otlog__backing_adopt(provider);
		todo->look_nano = now + LOOK_NANO;
	}
	if (now >= todo->report_nano) {
		report(provider, &todo->reported);
		otlog__crash_refresh();
		todo->report_nano = now + TICK_NANO;
	}
}

/* How long the keeper may sleep at most. */
static uint64_t
tick_nano(const otlog_provider *provider)
{
	uint64_t ms = TICK_NANO / OTLOG__NANOS_PER_MS;
	if (provider->config->durability == OTLOG_DURABILITY_INTERVAL && provider->config->sync_interval_ms < ms)
		ms = provider->config->sync_interval_ms;
	for (size_t i = 0; provider->config->durability == OTLOG_DURABILITY_BATCH && i < provider->pipeline_count; i++)
		if (provider->pipelines[i].batch.schedule_delay_ms < ms)
			ms = provider->pipelines[i].batch.schedule_delay_ms;
	return (ms ? ms : 1) * OTLOG__NANOS_PER_MS;
}

/* Gives room back that an absent pipeline holds, as soon as the queue is three quarters full. */
static void
keep_room(otlog_provider *provider, uint64_t until)
{
	otlog__queue_wait_filled(provider->queue, until);
	uint64_t now = otlog__monotonic_nano();
	for (size_t i = 0; i < provider->pipeline_count; i++)
		if (provider->pipelines[i].processor)
			otlog__batch_watch(provider->pipelines[i].processor, now, long_attempt_nano(provider));
	bool spooled = otlog__backing_spool(provider, now);
	if (otlog__queue_evict(provider->queue) == 0 && !spooled && !is_stopping(provider)) {
		uint64_t pause = otlog__monotonic_nano() + PAUSE_NANO;
		uint32_t seen = atomic_load_explicit(&provider->keeper.bell, memory_order_acquire);
		if (!is_stopping(provider))
			otlog__futex_wait(&provider->keeper.bell, seen, pause < until ? pause : until);
	}
}

/* ---- The thread -------------------------------------------------------------------------------------------------- */

static void
tell(otlog_provider *provider, enum otlog__keeper_task done)
{
	atomic_store_explicit(&provider->keeper.did, done,
	                      memory_order_release); /* release: whoever reads it sees what was done */
	otlog__futex_wake_all(&provider->keeper.did);
}

static void
close_all(otlog_provider *provider)
{
	bool synced = otlog__backing_close(provider);
	provider->keeper.closed_well = otlog__queue_close(provider->queue) && synced;
}

static void
keep(otlog_provider *provider)
{
	const bool keeps_room = provider->pipeline_count > 1 || provider->config->queue_directory;
	const uint64_t tick = tick_nano(provider);
	chores todo = { 0 };
	todo.report_nano = otlog__monotonic_nano() + TICK_NANO;
	while (!is_stopping(provider)) {
		do_chores(provider, &todo);
		uint64_t until = otlog__monotonic_nano() + tick;
		if (keeps_room) {
			keep_room(provider, until);
			continue;
		}
		uint32_t seen = atomic_load_explicit(&provider->keeper.bell, memory_order_acquire);
		if (!is_stopping(provider))
			otlog__futex_wait(&provider->keeper.bell, seen, until);
	}
	report(provider, &todo.reported);
}

static void *
run(void *self)
{
	otlog_provider *provider = self;
	uint32_t asked;
	pthread_setname_np(pthread_self(), "otlog-keeper");
	keep(provider);
	tell(provider, OTLOG__KEEPER_RESTS);
	while ((asked = atomic_load_explicit(&provider->keeper.asked, memory_order_acquire)) == OTLOG__KEEPER_RESTS)
		otlog__futex_wait(&provider->keeper.asked, OTLOG__KEEPER_RESTS, UINT64_MAX);
	if (asked == OTLOG__KEEPER_CLOSES) {
		close_all(provider);
		tell(provider, OTLOG__KEEPER_CLOSES);
	}
	return NULL;
}

bool
otlog__keeper_start(otlog_provider *provider)
{
	sigset_t all, before;
	sigfillset(&all); /* signals are the host's: its handlers shall not run on our stack */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	provider->keeper.runs = pthread_create(&provider->keeper.thread, NULL, run, provider) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return provider->keeper.runs;
}

/* ---- Shutdown ---------------------------------------------------------------------------------------------------- */

static void
ask(otlog_provider *provider, enum otlog__keeper_task task)
{
	/* Release: pairs with is_stopping; the bell moves after it, so the keeper cannot miss both. */
	atomic_store_explicit(&provider->keeper.asked, task, memory_order_release);
	otlog__futex_wake_all(&provider->keeper.asked);
	atomic_fetch_add_explicit(&provider->keeper.bell, 1, memory_order_release);
	otlog__futex_wake_all(&provider->keeper.bell);
}

static bool
await(otlog_provider *provider, enum otlog__keeper_task task, uint64_t deadline_nano)
{
	uint32_t did;
	/* Acquire: what the keeper did. */
	while ((did = atomic_load_explicit(&provider->keeper.did, memory_order_acquire)) < (uint32_t)task) {
		if (otlog__monotonic_nano() >= deadline_nano)
			return false;
		otlog__futex_wait(&provider->keeper.did, did, deadline_nano);
	}
	return true;
}

bool
otlog__keeper_rest(otlog_provider *provider, uint64_t deadline_nano)
{
	if (!provider->keeper.runs)
		return true;
	ask(provider, OTLOG__KEEPER_RESTS);
	otlog__queue_wake_keeper(provider->queue);
	return await(provider, OTLOG__KEEPER_RESTS, deadline_nano);
}

bool
otlog__keeper_close(otlog_provider *provider, uint64_t deadline_nano)
{
	if (!provider->keeper.runs) { /* it could not be started */
		close_all(provider);
		return true;
	}
	ask(provider, OTLOG__KEEPER_CLOSES);
	if (!await(provider, OTLOG__KEEPER_CLOSES, deadline_nano))
		return false;
	pthread_join(provider->keeper.thread, NULL);
	provider->keeper.runs = false;
	return true;
}

void
otlog__keeper_end(otlog_provider *provider)
{
	if (!provider->keeper.runs)
		return;
	bool rests = await(provider, OTLOG__KEEPER_RESTS, 0);
	ask(provider, OTLOG__KEEPER_ENDS);
	if (!rests)
		return;
	pthread_join(provider->keeper.thread, NULL);
	provider->keeper.runs = false;
}
