/*
 * The SDK, for the application's main(): start, flush, shutdown, options, statistics.
 *
 * Libraries never include this header: only the application's entry point decides where records go. A program that is
 * configured by environment variables needs otlog_start(NULL) and otlog_shutdown(5000), nothing else.
 *
 * Unless said otherwise every function is thread-safe and not async-signal-safe.
 */
#ifndef OTLOG_SDK_H
#define OTLOG_SDK_H

#include <otlog/exporter.h>
#include <otlog/logs.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Diagnostics: what the SDK has to say about itself ----------------------------------------------------------- */

typedef enum otlog_diagnostic_level {
	OTLOG_DIAGNOSTIC_NONE,
	OTLOG_DIAGNOSTIC_ERROR,
	OTLOG_DIAGNOSTIC_WARN,
	OTLOG_DIAGNOSTIC_INFO,
	OTLOG_DIAGNOSTIC_DEBUG
} otlog_diagnostic_level;

/*
 * Takes one message, without a newline. It may be called from any thread of the SDK and from threads that call the SDK,
 * never under a lock of the SDK and never from within otlog_emit. It must not call otlog_start, otlog_flush or
 * otlog_shutdown: the thread it would wait for may be its own. There is one for the whole process, that of the provider
 * which was started last; it and its user must live on.
 */
typedef void (*otlog_diagnostic_function)(void *user, otlog_diagnostic_level level, const char *message);

/* ---- Options ----------------------------------------------------------------------------------------------------- */

/* {0} leaves it to the environment. */
typedef enum otlog_switch { OTLOG_SWITCH_DEFAULT, OTLOG_SWITCH_ON, OTLOG_SWITCH_OFF } otlog_switch;

typedef enum otlog_queue_full {
	OTLOG_QUEUE_FULL_DEFAULT, /* what OTLOG_QUEUE_FULL says, else drop */
	OTLOG_QUEUE_FULL_DROP,    /* emit returns OTLOG_EMIT_QUEUE_FULL at once */
	OTLOG_QUEUE_FULL_BLOCK    /* emit waits for room, at most OTLOG_QUEUE_BLOCK_TIMEOUT */
} otlog_queue_full;

/* What an accepted record in a queue directory survives. Without one it survives nothing. */
typedef enum otlog_durability {
	OTLOG_DURABILITY_DEFAULT, /* what OTLOG_DURABILITY says, else none */
	OTLOG_DURABILITY_NONE,    /* the end of the process, however it comes: the file is in the system's page cache */
	OTLOG_DURABILITY_INTERVAL, /* the machine's too, once sync_interval_ms has passed: fdatasync, and a CRC a record */
	OTLOG_DURABILITY_BATCH /* the same, once schedule_delay_ms has passed, and whenever a batch is taken for sending */
} otlog_durability;

/* What happens when a pipeline's spool has no more room. */
typedef enum otlog_spool_full {
	OTLOG_SPOOL_FULL_DEFAULT,     /* what OTLOG_SPOOL_FULL says, else drop_oldest */
	OTLOG_SPOOL_FULL_DROP_OLDEST, /* the oldest segment goes, its records counted as spool_full */
	OTLOG_SPOOL_FULL_DROP_NEWEST, /* what was to be spooled is dropped and counted as spool_full */
	OTLOG_SPOOL_FULL_BLOCK        /* nothing more is spooled: the queue fills, and queue_full says what emits do */
} otlog_spool_full;

/* One destination. It has its own place in the queue and its own thread; no pipeline slows or starves another. */
typedef struct otlog_pipeline_options {
	otlog_exporter exporter OTLOG__INIT; /* the provider owns it from here on, also if starting fails */
	/*
	 * What statistics and diagnostics call the pipeline, to tell two with the same exporter apart; at most 255 bytes.
	 * What it leaves in a queue directory is taken over by a pipeline of the same name. NULL or "": the exporter's name.
	 */
	const char *name OTLOG__INIT;
	uint32_t max_batch_records OTLOG__INIT; /* 0: OTEL_BLRP_MAX_EXPORT_BATCH_SIZE, else 512 */
	uint32_t max_batch_bytes OTLOG__INIT;   /* 0: 1 MiB; of records, before compression */
	uint64_t schedule_delay_ms OTLOG__INIT; /* 0: OTEL_BLRP_SCHEDULE_DELAY, else 1000 */
	uint64_t export_timeout_ms OTLOG__INIT; /* one attempt; 0: the smaller of the OTEL_ time-outs, else 10000 */
	uint64_t retry_initial_ms OTLOG__INIT;  /* upper bound of the first back-off; 0: 1000 */
	uint64_t retry_cap_ms OTLOG__INIT;      /* upper bound of every back-off; 0: 30000 */
	int minimum_severity OTLOG__INIT;       /* of records that this pipeline takes; 0: all */
} otlog_pipeline_options;

/*
 * Everything is copied, but for the exporters, which the provider takes over. {0} is valid: zero means "as the
 * environment says, else the default". What is set here wins over the environment.
 */
typedef struct otlog_options {
	const char *service_name OTLOG__INIT;        /* else OTEL_SERVICE_NAME */
	otlog_attrs resource_attributes OTLOG__INIT; /* win over OTEL_RESOURCE_ATTRIBUTES */
	const char *resource_schema_url OTLOG__INIT;
	const otlog_pipeline_options *pipelines OTLOG__INIT; /* NULL: as the environment says */
	size_t pipeline_count OTLOG__INIT;                   /* 16 at most */
	uint64_t queue_bytes OTLOG__INIT;                    /* else OTLOG_QUEUE_BYTES, else 16 MiB */
	uint64_t max_queue_records OTLOG__INIT; /* else OTEL_BLRP_MAX_QUEUE_SIZE, else bounded by bytes only */
	otlog_queue_full queue_full OTLOG__INIT;
	uint64_t queue_block_timeout_ms OTLOG__INIT; /* else OTLOG_QUEUE_BLOCK_TIMEOUT, else 5000 */
	/*
	 * The queue is a file in this directory, which survives the process; what dead processes have left there is
	 * delivered too. It is created, for this user alone, if no more than its last part is missing. NULL:
	 * OTLOG_QUEUE_DIR, else the queue is in memory. "": in memory, whatever the variable says.
	 */
	const char *queue_directory OTLOG__INIT;
	otlog_durability durability OTLOG__INIT;
	uint64_t sync_interval_ms OTLOG__INIT; /* else OTLOG_SYNC_INTERVAL, else 1000 */
	uint64_t spool_bytes OTLOG__INIT;      /* of each pipeline; else OTLOG_SPOOL_BYTES, else 0: no spool */
	otlog_spool_full spool_full OTLOG__INIT;
	otlog_switch flush_at_exit
	    OTLOG__INIT; /* otlog_shutdown(5000) when the program ends; else OTLOG_FLUSH_AT_EXIT */
	otlog_switch crash_handler OTLOG__INIT; /* see "Crash records" below; else OTLOG_CRASH_HANDLER, else off */
	int minimum_severity OTLOG__INIT;       /* of every logger; 0: all */
	otlog_diagnostic_function diagnostic OTLOG__INIT; /* NULL: lines on stderr */
	void *diagnostic_user OTLOG__INIT;
	otlog_diagnostic_level diagnostic_level OTLOG__INIT; /* 0: OTEL_LOG_LEVEL, else warn */
} otlog_options;

/* ---- The global provider ----------------------------------------------------------------------------------------- */

/*
 * Starts the SDK: reads the environment, sets up the queue and its threads, and brings every logger to life. NULL is
 * {0}. Never fails the host: what cannot be had is reported as a diagnostic and done without.
 *
 * Returns true if records will be taken; false if the SDK is off (OTEL_SDK_DISABLED=true, no memory or threads, already
 * started): every logger then stays a no-op, or as it was. Does not touch the network. May take some milliseconds: it
 * touches every page of the queue, so that no emit has to.
 *
 * A program may start again after otlog_shutdown. A forked child need not start: see "Forked children" below.
 */
OTLOG_API bool otlog_start_sized(const otlog_options *options, size_t options_size, size_t pipeline_size);

static inline bool
otlog_start(const otlog_options *options)
{
	return otlog_start_sized(options, sizeof *options, sizeof *options->pipelines);
}

/*
 * Forked children
 *
 * A child forked while the SDK runs logs at once, through the loggers it knows, and sends nothing of its parent's: its
 * first emit makes a provider of its own, with the same options, its own queue, threads and resource (process.pid, and
 * service.instance.id where that was otlog's choice). It takes what a start takes. Until then the child has no thread of
 * otlog's, flush and shutdown have nothing to do there, statistics are zero; a shutdown before the first emit keeps it
 * off, and otlog_start gives it other options. All of this goes for providers of one's own too; what the parent had is
 * neither used nor freed.
 *
 *   exporters       are opened again by otlog_exporter_functions.reopen. Records for one that cannot be stay in the
 *                   queue directory for another process, or, without one, are not taken: OTLOG_EMIT_DISABLED if there
 *                   is no other. gRPC is such a one once the parent has it: start the SDK in the children then.
 *   signal handlers make no provider: their emits are OTLOG_EMIT_BUSY, and counted, until some other emit has made it.
 *                   The stack is what tells: stacks that were made inside a signal handler look like one.
 *   exec, _exit     nothing is inherited through exec. Records that _exit leaves behind are lost, or in the directory.
 *   vfork           the child is its parent still: what it emits is its parent's. posix_spawn emits nothing.
 *   clone           without CLONE_VM it is as fork, as far as the C library works there. It needs Linux 4.14, where the
 *                   kernel tells a child from its parent; on older ones only fork is noticed, by pthread_atfork.
 */

/*
 * How a flush or a shutdown ended, best first, so that `<= OTLOG_DURABLE` means "nothing lost".
 *   DELIVERED  every destination has every record
 *   DURABLE    what is not delivered lies in the queue's file, which survives the process; after shutdown it is on the disk
 *   DROPPED    records were dropped since the last flush; otlog_statistics says how many and why
 *   TIMEOUT    the time is up and records are still waiting in memory; after a shutdown they are dropped
 *   NOT_RUNNING reserved: no SDK runs, although one was wanted. This version says DELIVERED then
 */
typedef enum otlog_flush_result {
	OTLOG_DELIVERED,
	OTLOG_DURABLE,
	OTLOG_DROPPED,
	OTLOG_TIMEOUT,
	OTLOG_NOT_RUNNING
} otlog_flush_result;

/* "DELIVERED", "DURABLE", "DROPPED", "TIMEOUT", "NOT_RUNNING"; a static string. */
OTLOG_API const char *otlog_flush_result_text(otlog_flush_result result);

/*
 * Delivers all that was emitted before the call. Blocks for timeout_ms at most, whatever the peer does. DELIVERED if
 * the SDK was never started.
 */
OTLOG_API otlog_flush_result otlog_flush(uint64_t timeout_ms);

/*
 * Flushes, stops the SDK's threads and frees the queue. Loggers stay valid: they drop and count. Blocks for timeout_ms,
 * and at most a second more while exporters come back that had to be cancelled, and a second for a disk that is slow to
 * take what is left; TIMEOUT if it has not by then. Called again, or by a second thread at
 * the same time, it returns the first result, or TIMEOUT where that is not there in time.
 */
OTLOG_API otlog_flush_result otlog_shutdown(uint64_t timeout_ms);

/* ---- Statistics -------------------------------------------------------------------------------------------------- */

/* Why a pipeline, or the queue before it, gave a record up. */
#define OTLOG__DROP_REASONS(X)                                                                                    \
	X(OTLOG_DROP_QUEUE_FULL, "queue_full") /* no room, at emit or evicted for another pipeline */             \
	X(OTLOG_DROP_BUSY, "busy")             /* every lane was held by other threads */                         \
	X(OTLOG_DROP_TOO_LARGE, "too_large")   /* larger than half a lane, or than its destination takes */       \
	X(OTLOG_DROP_INVALID, "invalid")       /* no record */                                                    \
	X(OTLOG_DROP_AFTER_SHUTDOWN,                                                                              \
	  "after_shutdown")                    /* emitted after shutdown, or still queued when its time was up */ \
	X(OTLOG_DROP_REJECTED, "rejected")     /* the destination refused it for good */                          \
	X(OTLOG_DROP_SPOOL_FULL, "spool_full") /* no room in the spool, or the disk did not take it */            \
	X(OTLOG_DROP_DAMAGED, "damaged")       /* its bytes in a queue or spool file make no sense */

typedef enum otlog_drop_reason {
#define OTLOG__X(name, text) name,
	OTLOG__DROP_REASONS(OTLOG__X)
#undef OTLOG__X
	    OTLOG_DROP_REASON_COUNT
} otlog_drop_reason;

/* Reasons that the statistics have room for, so that a new one does not change their layout. */
#define OTLOG_MAX_DROP_REASONS 16

/* "queue_full" …; a static string. */
OTLOG_API const char *otlog_drop_reason_text(otlog_drop_reason reason);

#define OTLOG_MAX_PIPELINES 16

/* Upper bounds of the buckets of durations: 5, 10, 25, 50, 75, 100, 250, 500, 750 ms, 1, 2.5, 5, 7.5, 10 s. */
#define OTLOG_DURATION_BOUNDS 14

/*
 * The books of one pipeline, in records. At every moment emitted + adopted = delivered + queued + dropped + filtered,
 * where dropped is the sum over the reasons, those of the queue before it included.
 */
typedef struct otlog_pipeline_statistics {
	const char *name;     /* the pipeline's, else its exporter's; lives as long as the provider */
	const char *exporter; /* its exporter's name */
	uint64_t emitted;
	uint64_t adopted; /* taken over from the queue file of a dead process */
	uint64_t delivered;
	uint64_t queued; /* waiting or in flight, in the queue, the spool or adopted files */
	uint64_t filtered;
	uint64_t dropped[OTLOG_MAX_DROP_REASONS];
	uint64_t
	    refused[OTLOG_MAX_DROP_REASONS]; /* of those dropped, before the queue: the same ones for every pipeline */
	uint64_t spooled;                    /* of those queued, in the spool */
	uint64_t in_flight; /* of those queued, in batches that are being delivered, waits between attempts included */
	uint64_t batches;   /* acknowledged or given up */
	uint64_t retries;   /* attempts that ended in RETRY */
	uint64_t bytes;     /* of requests acknowledged, before compression */
	uint64_t spool_bytes; /* files of the spool */
	char last_error[32];  /* error_type of the last attempt that failed; "" once one has succeeded */
	/* How long batches took from the first attempt to the verdict: counts up to each bound, the last of them all. */
	uint64_t duration_counts[OTLOG_DURATION_BOUNDS + 1];
	double duration_sum_s;
} otlog_pipeline_statistics;

typedef struct otlog_statistics_snapshot {
	uint64_t emitted;                         /* calls that reached the SDK */
	uint64_t accepted;                        /* of them, put into the queue */
	uint64_t filtered;                        /* of them, below the minimum severity */
	uint64_t refused[OTLOG_MAX_DROP_REASONS]; /* of them, dropped before the queue */
	uint64_t queue_bytes;                     /* capacity */
	uint64_t queue_bytes_used;
	uint64_t queue_records;      /* capacity; 0: bounded by bytes alone */
	uint64_t truncated;          /* records whose longest values were cut to fit */
	uint64_t dropped_attributes; /* over the limit of 128, or with an empty key */
	size_t pipeline_count;       /* at most OTLOG_MAX_PIPELINES; see otlog_statistics_pipeline */
} otlog_statistics_snapshot;

/* Fills *out; all zero if the SDK was never started; what it was at its end after shutdown. Does not block. */
OTLOG_API void otlog_statistics_sized(otlog_statistics_snapshot *out, size_t out_size);

static inline void
otlog_statistics(otlog_statistics_snapshot *out)
{
	otlog_statistics_sized(out, sizeof *out);
}

/*
 * Fills *out for one pipeline, counted from 0 in the order in which the options gave them. False, with *out all zero, if
 * there are not so many. The pipeline's books are taken under its lock, so they balance, but those of two pipelines, and
 * the totals, are each of their own moment. Blocks for as long as a worker copies a batch (mostly microseconds).
 */
OTLOG_API bool otlog_statistics_pipeline_sized(size_t pipeline, otlog_pipeline_statistics *out, size_t out_size);

static inline bool
otlog_statistics_pipeline(size_t pipeline, otlog_pipeline_statistics *out)
{
	return otlog_statistics_pipeline_sized(pipeline, out, sizeof *out);
}

/*
 * Writes the statistics in the text format of Prometheus, version 0.0.4: the `otel.sdk.*` log metrics of the semantic
 * conventions (in development there, so names may change), and what otlog counts beyond them as `otlog_*`. The list is
 * in docs/metrics.md. NULL statistics are all zero; `pipelines` are `pipeline_count` of them, of which the first
 * OTLOG_MAX_PIPELINES count, and may be NULL if there are none.
 *
 * As with snprintf, at most out_size bytes are written, the last of them a NUL, and the size of the whole text without
 * it is returned. `out` may be NULL if out_size is 0. Pure: allocates nothing, never blocks.
 */
OTLOG_API size_t otlog_statistics_prometheus_sized(const otlog_statistics_snapshot *statistics, size_t statistics_size,
                                                   const otlog_pipeline_statistics *pipelines, size_t pipeline_size,
                                                   size_t pipeline_count, char *out, size_t out_size);

static inline size_t
otlog_statistics_prometheus(const otlog_statistics_snapshot *statistics, const otlog_pipeline_statistics *pipelines,
                            size_t pipeline_count, char *out, size_t out_size)
{
	return otlog_statistics_prometheus_sized(statistics, sizeof *statistics, pipelines, sizeof *pipelines,
	                                         pipeline_count, out, out_size);
}

/* ---- What the environment says ----------------------------------------------------------------------------------- */

/* A setting in force. Strings live until the visit's function returns. */
typedef struct otlog_setting_view {
	const char *variable; /* its name: what to set */
	const char
	    *value; /* in force, as one would write it; "" if there is none; "********" for what may be a secret */
	const char *source; /* the variable that it was taken from, or NULL: it is the default */
	const char *about;  /* one line */
} otlog_setting_view;

/*
 * Calls the function for every setting of docs/settings.md, in its order, as otlog_start(NULL) would find it now. Bad
 * values are reported as diagnostics. False if memory is short.
 */
OTLOG_API bool otlog_settings_visit(void (*take)(void *user, const otlog_setting_view *setting), void *user);

/*
 * Creates the exporters that the environment asks for and fills at most `count` pipelines with them and their settings,
 * as otlog_start(NULL) would: a program that adds a destination of its own to them passes all of them as
 * otlog_options.pipelines. Who calls owns the exporters until a provider takes them. Returns how many there are.
 */
OTLOG_API size_t otlog_environment_pipelines_sized(otlog_pipeline_options *pipelines, size_t count,
                                                   size_t pipeline_size);

static inline size_t
otlog_environment_pipelines(otlog_pipeline_options *pipelines, size_t count)
{
	return otlog_environment_pipelines_sized(pipelines, count, sizeof *pipelines);
}

/* ---- Crash records ----------------------------------------------------------------------------------------------- */

/*
 * With otlog_options.crash_handler or OTLOG_CRASH_HANDLER=1 the global provider handles SIGSEGV, SIGABRT, SIGBUS, SIGFPE
 * and SIGILL: it writes one FATAL record, event `otlog.crash`, with the thread's current trace, and hands on to the
 * handler that was there before, or lets the signal take its course. With a queue directory the next start, or `otlog
 * drain`, delivers the record. It runs on an alternate stack in the thread that started the SDK and in those that have
 * one, so that an overflow of the stack is seen there too. It tries to deliver nothing: a record in memory is lost.
 *
 * Core dump and exit status are those without it. Signals that the program ignores stay ignored. A handler that was there
 * before and recovers is called each time, but gets 16 records at most. Handlers set later keep their place, and may hand
 * on to this one. otlog_shutdown takes it away. A forked child has the handler; records of it are taken once it has
 * logged something.
 *
 * Attributes: otlog.crash.signal (name), otlog.crash.signal_number, otlog.crash.code, otlog.crash.address (hex),
 * otlog.crash.thread_id, otlog.crash.thread_name, code.stacktrace (raw addresses with the modules they lie in).
 *
 * Call in threads whose own stack may overflow: gives the thread an alternate signal stack of ours, if it has none, until
 * it ends. Without a crash handler it does nothing. False if memory is short.
 */
OTLOG_API bool otlog_crash_prepare_thread(void);

/* ---- Providers of one's own -------------------------------------------------------------------------------------- */

/* A logger provider beside the global one: its own resource, queue and pipelines. Reads the same environment. */
typedef struct otlog_provider otlog_provider;

/* Returns NULL where otlog_start returns false. */
OTLOG_API otlog_provider *otlog_provider_create_sized(const otlog_options *options, size_t options_size,
                                                      size_t pipeline_size);

static inline otlog_provider *
otlog_provider_create(const otlog_options *options)
{
	return otlog_provider_create_sized(options, sizeof *options, sizeof *options->pipelines);
}

/* As otlog_get_logger_with. The logger dies with the provider. A NULL provider gives a logger that does nothing. */
OTLOG_API otlog_logger *otlog_provider_get_logger_sized(otlog_provider *provider, const otlog_logger_options *options,
                                                        size_t options_size);

static inline otlog_logger *
otlog_provider_get_logger(otlog_provider *provider, const otlog_logger_options *options)
{
	return otlog_provider_get_logger_sized(provider, options, sizeof *options);
}

OTLOG_API otlog_flush_result otlog_provider_flush(otlog_provider *provider, uint64_t timeout_ms);

OTLOG_API otlog_flush_result otlog_provider_shutdown(otlog_provider *provider, uint64_t timeout_ms);

OTLOG_API void otlog_provider_statistics_sized(otlog_provider *provider, otlog_statistics_snapshot *out,
                                               size_t out_size);

static inline void
otlog_provider_statistics(otlog_provider *provider, otlog_statistics_snapshot *out)
{
	otlog_provider_statistics_sized(provider, out, sizeof *out);
}

OTLOG_API bool otlog_provider_statistics_pipeline_sized(otlog_provider *provider, size_t pipeline,
                                                        otlog_pipeline_statistics *out, size_t out_size);

static inline bool
otlog_provider_statistics_pipeline(otlog_provider *provider, size_t pipeline, otlog_pipeline_statistics *out)
{
	return otlog_provider_statistics_pipeline_sized(provider, pipeline, out, sizeof *out);
}

/*
 * Shuts the provider down without waiting if that has not been done, and frees it with its loggers. No other thread may
 * use either any more. NULL is allowed.
 */
OTLOG_API void otlog_provider_destroy(otlog_provider *provider);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
