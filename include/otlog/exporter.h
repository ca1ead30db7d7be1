/*
 * Writing an exporter: the contract between the batch processor and a destination.
 *
 * An exporter tries once and answers with a verdict. It never waits between attempts, never retries and never keeps a
 * batch: the processor alone backs off, sends the same batch again, counts and gives up.
 */
#ifndef OTLOG_EXPORTER_H
#define OTLOG_EXPORTER_H

#include <otlog/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the processor hands out. Everything is borrowed until export_batch returns. */
typedef struct otlog_batch {
	const void *request; /* one serialised opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest */
	size_t request_size; /* bytes */
	size_t records;      /* log records in it, at least 1 */
} otlog_batch;

/* Source: OTLP specification, sections "Partial Success", "Failures", "OTLP/HTTP Response". */
typedef enum otlog_verdict {
	OTLOG_VERDICT_OK,      /* the destination has all of it */
	OTLOG_VERDICT_RETRY,   /* try the same batch again, not before retry_after_ms */
	OTLOG_VERDICT_PARTIAL, /* it has all but `rejected` records, which are never sent again */
	OTLOG_VERDICT_DROP     /* it will never take this batch: the records are counted as rejected */
} otlog_verdict;

typedef struct otlog_export_result {
	otlog_verdict verdict;
	uint64_t retry_after_ms; /* RETRY: what the server asked for; 0: nothing, the processor's own back-off holds */
	size_t rejected;         /* PARTIAL: how many records */
	char message[256];       /* cause and remedy for the diagnostic, NUL-terminated; may be empty if OK */
} otlog_export_result;

/*
 * The exporter's functions; the table is const and lives as long as any exporter that uses it. NULL stands for "nothing
 * to do" everywhere but in export_batch.
 */
typedef struct otlog_exporter_functions {
	/*
	 * Sends the batch once and fills *result, which comes zeroed. Returns within timeout_ms (0: no limit). Called
	 * by one thread of the SDK, never by two at a time, with all signals blocked.
	 */
	void (*export_batch)(void *self, const otlog_batch *batch, uint64_t timeout_ms, otlog_export_result *result);
	/*
	 * Makes an export_batch that is running in another thread return soon (verdict RETRY), and every later one at
	 * once. Called at shutdown when the time is up. Thread-safe, does not wait.
	 */
	void (*cancel)(void *self);
	/* Hands on what the exporter itself holds back. Called in the export thread. Returns false if not done in time.
	 */
	bool (*flush)(void *self, uint64_t timeout_ms);
	/* Frees everything. Called once, after the last export_batch has returned. */
	void (*destroy)(void *self);
} otlog_exporter_functions;

/* An exporter: functions and their first argument. Whoever takes one owns it and destroys it. */
typedef struct otlog_exporter {
	const otlog_exporter_functions *functions OTLOG__INIT;
	void *self OTLOG__INIT;
	const char *name OTLOG__INIT;     /* for diagnostics and statistics, e.g. "otlp_http"; a string that lives on */
	uint32_t concurrency OTLOG__INIT; /* export_batch calls that may run at once; 0 and 1: one */
} otlog_exporter;

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
