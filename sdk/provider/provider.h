/*
 * The logger provider: it alone wires api → record → queue → processor → exporter, as the configuration says.
 *
 *   provider.c       create, shut down, destroy
 *   provider_emit.c  a caller's record into the queue
 *   pipelines.c      workers for the destinations, and which records each takes
 *   flush.c          waiting for the cursors, and the verdict
 *   statistics.c     the books of the whole
 *   backing.c        spools, and what dead processes have left
 *   keeper.c         the thread that evicts, watches and reports, and never touches the network
 *   child.c          providers of forked children
 *   start.c          the global provider
 */
#ifndef OTLOG_PROVIDER_PROVIDER_H
#define OTLOG_PROVIDER_PROVIDER_H

#include "sdk/api/backend.h"
#include "sdk/processor/batch_processor.h"
#include "sdk/resource/resource.h"
#include "sdk/queue/queue.h"
#include "sdk/record/encode.h"
#include "sdk/settings/config.h"

#include <pthread.h>
#include <stdatomic.h>

#define OTLOG__SEVERITIES 25 /* 0 … 24 */

enum otlog__provider_state { OTLOG__RUNNING, OTLOG__STOPPING, OTLOG__STOPPED };

typedef struct otlog__pipeline {
	otlog_exporter exporter; /* until the processor takes it; its name is the pipeline's */
	otlog__batch_options batch;
	otlog__batch_processor *processor; /* NULL: none could be had */
	bool kept; /* it has no exporter here; its records stay in the queue's file for a process that has one */
} otlog__pipeline;

/*
 * The members lie in groups, each with what guards it as part of its name. What stands outside of a group is fixed before
 * the first emit.
 */
struct otlog_provider {
	/* These two are read by every emit. */
	otlog__queue *queue;
	struct {
		otlog__limits limits;
		size_t max_record;
		bool block;
		uint64_t block_timeout_ms;
		uint16_t takers[OTLOG__SEVERITIES]; /* by severity: the pipelines that take a record; 0: filtered */
	} emit;

	/* Plain counters. Writers: emits, on their rare paths only. */
	struct {
		_Alignas(64) _Atomic uint64_t filtered;
		_Atomic uint64_t truncated;
		_Atomic uint64_t dropped_attributes;
	} counted;

	otlog__registry *registry;
	otlog__resource resource;
	/*
	 * What was asked for; whether the queue could be put into a file, otlog__queue_in_file says. Owned, but in a
	 * forked child, where it is the parent's.
	 */
	otlog__config *config;
	bool config_is_parents;
	size_t pipeline_count;
	otlog__pipeline pipelines[OTLOG_MAX_PIPELINES];
	otlog__backlog *backlog; /* NULL: there is no queue directory, or memory was short */

	struct {
		pthread_mutex_t lock; /* never held while waiting for a destination */
		uint64_t dropped;     /* all drops up to the last flush that reported them */
	} flushed;

	/* Writer: the first shutdown. The others wait for `state` and then read the rest. */
	struct {
		_Atomic uint32_t state; /* enum otlog__provider_state. Futex */
		otlog_flush_result result;
		bool
		    left_behind; /* a thread did not come back from an exporter or an emit: what it may touch is not freed */
	} stop;

	struct {
		pthread_t thread;
		bool runs;              /* writer: start and shutdown */
		_Atomic uint32_t bell;  /* futex; writer: who wants the keeper to look */
		_Atomic uint32_t asked; /* enum otlog__keeper_task. Futex; writer: shutdown */
		_Atomic uint32_t did;   /* the last task that it is done with. Futex; writer: the keeper */
		bool closed_well;       /* seen with `did`. Writer: who closes */
	} keeper;

	struct otlog_provider *older; /* the global provider before this one: under the lock of start.c */

	/* Forked children, see child.c. */
	struct {
		struct otlog_provider *next;           /* of all that run: under the lock of child.c */
		_Atomic(struct otlog_provider *) heir; /* in a child: what took its place. Writer: who makes it */
		_Atomic uint64_t missed;               /* in a child: emits from signal handlers before that */
	} fork;
};

/* provider_emit.c */
extern const otlog__backend otlog__provider_backend;

/* pipelines.c: fills provider->pipelines from the configuration, and from a parent's in a forked child. */
void otlog__pipelines_plan(otlog_provider *provider, const otlog_provider *parent);
/* Starts the workers; the queue is open. A pipeline whose worker cannot be had is reported and left out. */
bool otlog__pipelines_start(otlog_provider *provider);

/* backing.c: the spools of a queue in a file, and the backlog of its directory. Opened before the pipelines start. */
void otlog__backing_open(otlog_provider *provider);
/*
 * Call it after the workers have ended and before the queue is closed. The books stay readable until otlog__backing_free.
 * Returns false if what is left could not be brought to the disk.
 */
bool otlog__backing_close(otlog_provider *provider);
void otlog__backing_free(otlog_provider *provider);
/* For the keeper: moves to the spools what the queue has no room for. True if that made room. */
bool otlog__backing_spool(const otlog_provider *provider, uint64_t now_nano);
/* For the keeper: takes over what dead processes have left since the last time, and wakes the workers for it. */
void otlog__backing_adopt(otlog_provider *provider);

/* keeper.c: the one thread that waits for the disk, so that shutdown need not. */
enum otlog__keeper_task { OTLOG__KEEPER_KEEPS, OTLOG__KEEPER_RESTS, OTLOG__KEEPER_CLOSES, OTLOG__KEEPER_ENDS };
bool otlog__keeper_start(otlog_provider *provider);
/* Makes the keeper stop its work and wait. False: it is still busy with the disk; then only otlog__keeper_end is left. */
bool otlog__keeper_rest(otlog_provider *provider, uint64_t deadline_nano);
/* After the workers have ended: the keeper closes queue, spools and backlog, and ends. False: it has not by the deadline. */
bool otlog__keeper_close(otlog_provider *provider, uint64_t deadline_nano);
/* Tells the keeper to end without closing anything. */
void otlog__keeper_end(otlog_provider *provider);

/* flush.c: asks every pipeline to flush, waits, and says how that ended. */
otlog_flush_result otlog__provider_flush_until(otlog_provider *provider, uint64_t deadline_nano);
/* Waits for a shutdown that another thread has begun, and returns its result; TIMEOUT if there is none by the deadline. */
otlog_flush_result otlog__provider_await_stopped(otlog_provider *provider, uint64_t deadline_nano);
enum otlog__provider_state otlog__provider_state(otlog_provider *provider);

/* statistics.c: records dropped since the start, all pipelines together. */
uint64_t otlog__provider_dropped(otlog_provider *provider);
/* Those of them that were still waiting when the time of a shutdown was up. */
uint64_t otlog__provider_given_up(otlog_provider *provider);

/* child.c: watches for forks while the provider lives. */
void otlog__provider_enlist(otlog_provider *provider);
void otlog__provider_delist(otlog_provider *provider);
/* The provider itself; in a forked child its heir, or NULL as long as there is none. */
otlog_provider *otlog__provider_of_this_process(otlog_provider *provider);
/* The heir of the heir and so on; the last may belong to a parent, if this process has none yet. */
otlog_provider *otlog__provider_last_heir(otlog_provider *provider);
/*
 * For an emit that finds that the queue is a parent's: makes the heir if need be. *heir takes the record, or is NULL, and
 * the result says why. Async-signal-safe: in a signal handler it makes none.
 */
otlog_emit_result otlog__provider_revive(otlog_provider *provider, otlog_provider **heir);
/* As otlog__provider_of_this_process; a child that has no heir by now gets none any more. */
otlog_provider *otlog__provider_settle_heir(otlog_provider *provider);
/*
 * Only one thread at a time may make heirs. False in a signal handler, in that thread itself, or if another takes too
 * long.
 */
bool otlog__revival_begin(void);
void otlog__revival_end(void);
/* Sets the heir, between otlog__revival_begin and _end. NULL: there will be none. */
void otlog__provider_set_heir(otlog_provider *provider, otlog_provider *heir);

/* provider.c. `registry`: whose loggers come to life. NULL: the SDK stays off, and why was said. */
otlog_provider *otlog__provider_make(const otlog_options *options, otlog__registry *registry);
/* In a forked child, with the parent's configuration. NULL: it has failed, and that was said. */
otlog_provider *otlog__provider_make_heir(const otlog_provider *parent);

#endif
