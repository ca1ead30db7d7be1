/*
 * The exporters that come with otlog. A program that is configured by environment variables needs none of this.
 *
 * Each function fills *out with an exporter that the caller owns until a pipeline takes it (otlog_pipeline_options in
 * otlog/sdk.h). Thread-safe; they do not touch the network, but may read certificate files.
 */
#ifndef OTLOG_EXPORTERS_H
#define OTLOG_EXPORTERS_H

#include <otlog/exporter.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum otlog_compression { OTLOG_COMPRESSION_NONE, OTLOG_COMPRESSION_GZIP } otlog_compression;

/* A header of every request. Content-Type and others that the exporter sets itself are left out, with a warning. */
typedef struct otlog_header {
	const char *name OTLOG__INIT;
	const char *value OTLOG__INIT;
} otlog_header;

/* Options of the OTLP exporters. Everything is copied; {0} is valid. Source: specification protocol/exporter.md. */
typedef struct otlog_otlp_options {
	const char *endpoint OTLOG__INIT; /* the full URL; NULL: http://localhost:4318/v1/logs */
	const otlog_header *headers OTLOG__INIT;
	size_t header_count OTLOG__INIT;
	otlog_compression compression OTLOG__INIT;
	const char *ca_file OTLOG__INIT;                 /* PEM; trusted instead of the system's roots. NULL: those */
	const char *client_certificate_file OTLOG__INIT; /* PEM; NULL: none */
	const char *client_key_file OTLOG__INIT;         /* PEM; NULL: none */
} otlog_otlp_options;

/*
 * OTLP/HTTP with binary protobuf bodies, over libcurl. Returns false, with one diagnostic, if the endpoint is no http
 * or https URL, a header is malformed, or memory is short; *out is then untouched.
 */
OTLOG_API bool otlog_otlp_http_exporter_create_sized(const otlog_otlp_options *options, size_t options_size,
                                                     otlog_exporter *out);

static inline bool
otlog_otlp_http_exporter_create(const otlog_otlp_options *options, otlog_exporter *out)
{
	return otlog_otlp_http_exporter_create_sized(options, sizeof *options, out);
}

/* ---- Console ----------------------------------------------------------------------------------------------------- */

typedef enum otlog_console_format {
	OTLOG_CONSOLE_TEXT, /* lines for people; their form may change: nothing should parse them */
	OTLOG_CONSOLE_JSON  /* OTLP JSON lines, one a batch, as the file exporter writes them */
} otlog_console_format;

typedef enum otlog_console_colour {
	OTLOG_CONSOLE_COLOUR_AUTO, /* on a terminal, unless NO_COLOR is set or TERM is "dumb" */
	OTLOG_CONSOLE_COLOUR_NEVER,
	OTLOG_CONSOLE_COLOUR_ALWAYS
} otlog_console_colour;

/* {0} is valid: text on standard output. */
typedef struct otlog_console_options {
	int fd OTLOG__INIT; /* where to; stays the caller's, and open. 0: standard output. Of a FILE: its fileno() */
	otlog_console_format format OTLOG__INIT;
	otlog_console_colour colour OTLOG__INIT;
} otlog_console_options;

/*
 * Lines on standard output or another descriptor, a write a batch; control characters in what was logged come out
 * harmless. It writes past stdio: what a program leaves in the buffer of its FILE comes later. The descriptor may block,
 * nobody may read it, it may be closed: the host feels none of it. What nobody reads any more is dropped and counted, a
 * slow reader and a full disk are waited for in the queue.
 *
 * For development. Returns false, with one diagnostic and *out untouched, if memory is short.
 */
OTLOG_API bool otlog_console_exporter_create_sized(const otlog_console_options *options, size_t options_size,
                                                   otlog_exporter *out);

static inline bool
otlog_console_exporter_create(const otlog_console_options *options, otlog_exporter *out)
{
	return otlog_console_exporter_create_sized(options, sizeof *options, out);
}

/* ---- File -------------------------------------------------------------------------------------------------------- */

/* Everything is copied; {0} is valid: OTLP JSON lines on standard output. */
typedef struct otlog_otlp_file_options {
	const char *path OTLOG__INIT;        /* customarily ends in .jsonl; NULL or "-": standard output */
	uint64_t max_file_bytes OTLOG__INIT; /* a line that would make the file larger begins a new one; 0: no limit */
	uint64_t max_age_s OTLOG__INIT;      /* a line for an older file begins a new one; 0: no limit */
	uint32_t max_files OTLOG__INIT;      /* full files kept beside the current one; 0: 10; 9999 at most */
	bool sync OTLOG__INIT;               /* a flush waits until the disk has it (fdatasync) */
} otlog_otlp_file_options;

/*
 * OTLP JSON lines in a file: one LogsData a line, a line a batch. Source: specification protocol/file-exporter.md.
 *
 * A full file is renamed to `<path>.1`, what had that name to `<path>.2`, and so on; beyond max_files the oldest is
 * removed. Any number of exporters in any number of processes may write the same path: they take turns by flock, and
 * notice when one of them, or logrotate, has renamed or removed the file. Where a file system has no locks, that is said
 * once and lines are appended without. Symbolic links are followed, and the file they lead to is rotated where it lies.
 * A new file has mode 0640, less the umask. A FIFO or a device is written to, and never rotated.
 *
 * The file is opened by the first batch, not here. What is in the way (no such folder, no permission, a full disk) is
 * reported, and the records wait in the queue until it is gone. A line half-written when the disk became full is taken
 * back; one half-written by a process that was killed is ended, so that the next one is whole.
 *
 * Returns false, with one diagnostic and *out untouched, if memory is short.
 */
OTLOG_API bool otlog_otlp_file_exporter_create_sized(const otlog_otlp_file_options *options, size_t options_size,
                                                     otlog_exporter *out);

static inline bool
otlog_otlp_file_exporter_create(const otlog_otlp_file_options *options, otlog_exporter *out)
{
	return otlog_otlp_file_exporter_create_sized(options, sizeof *options, out);
}

/* ---- In memory --------------------------------------------------------------------------------------------------- */

/*
 * What an in-memory exporter has taken, for a program's own tests:
 *
 *   otlog_pipeline_options pipeline = { 0 };
 *   otlog_memory *memory = otlog_memory_exporter_create(NULL, &pipeline.exporter);
 *   otlog_start(&(otlog_options){ .pipelines = &pipeline, .pipeline_count = 1 });
 *   place_order();
 *   otlog_flush(1000);
 *   size_t size;
 *   const void *record = otlog_memory_record(memory, 0, &size);
 *   bonito_decoded *entry = bonito_entry_from_record(record, size);
 *   assert(entry && strcmp(entry->entry.event_type, "request") == 0);
 *   bonito_decoded_free(entry);
 *   otlog_shutdown(1000);
 *   otlog_memory_free(memory);
 *
 * All functions are thread-safe, but for otlog_memory_free; only otlog_memory_wait blocks.
 */
typedef struct otlog_memory otlog_memory;

typedef struct otlog_memory_options {
	size_t max_bytes OTLOG__INIT; /* of requests; what comes beyond is dropped and counted as rejected. 0: 64 MiB */
} otlog_memory_options;

/*
 * Fills *out with the exporter and returns what it keeps, which the caller frees with otlog_memory_free, before or after
 * the exporter's end. NULL, with one diagnostic and *out untouched, if memory is short.
 */
OTLOG_API otlog_memory *otlog_memory_exporter_create_sized(const otlog_memory_options *options, size_t options_size,
                                                           otlog_exporter *out);

static inline otlog_memory *
otlog_memory_exporter_create(const otlog_memory_options *options, otlog_exporter *out)
{
	return otlog_memory_exporter_create_sized(options, sizeof *options, out);
}

/* How many records there are. */
OTLOG_API size_t otlog_memory_count(otlog_memory *memory);

/* Waits until there are that many records. False if there are not within timeout_ms. */
OTLOG_API bool otlog_memory_wait(otlog_memory *memory, size_t records, uint64_t timeout_ms);

/*
 * The i-th record, counted from 0 in the order in which they came: one serialised
 * opentelemetry.proto.logs.v1.LogRecord of *size bytes. NULL, with *size 0, if there are not so many. Valid until
 * otlog_memory_reset or otlog_memory_free.
 */
OTLOG_API const void *otlog_memory_record(otlog_memory *memory, size_t i, size_t *size);

/* The i-th request: one serialised ExportLogsServiceRequest, with resource and scopes. The rest as for a record. */
OTLOG_API const void *otlog_memory_request(otlog_memory *memory, size_t i, size_t *size);

/* Forgets all of it and counts from 0 again. */
OTLOG_API void otlog_memory_reset(otlog_memory *memory);

/* NULL is allowed. */
OTLOG_API void otlog_memory_free(otlog_memory *memory);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
