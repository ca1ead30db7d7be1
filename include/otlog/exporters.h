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

/*
 * Options of the OTLP exporters. Everything is copied; {0} is valid, and means the defaults: the environment is read by
 * otlog_environment_pipelines (otlog/sdk.h) alone. Source: specification protocol/exporter.md.
 *
 * The certificate files are read again when they change (checked once a second while there are requests), and what was read
 * before stays in use where the new ones are bad or gone: that is said once. Where they were never good, the records wait.
 * The key must not want a password; with no file of its own it is read from the certificate's.
 */
typedef struct otlog_otlp_options {
	const char *endpoint OTLOG__INIT; /* HTTP: the full URL; NULL: http://localhost:4318/v1/logs. gRPC: see there */
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

/*
 * The same with JSON bodies (OTLP specification, "JSON Protobuf Encoding"): about twice the bytes, for receivers and
 * middleboxes that want to read them. Integers of 64 bits are decimal strings, bytes values base64, trace and span ids
 * hex; text that is not UTF-8 gets U+FFFD.
 */
OTLOG_API bool otlog_otlp_http_json_exporter_create_sized(const otlog_otlp_options *options, size_t options_size,
                                                          otlog_exporter *out);

static inline bool
otlog_otlp_http_json_exporter_create(const otlog_otlp_options *options, otlog_exporter *out)
{
	return otlog_otlp_http_json_exporter_create_sized(options, sizeof *options, out);
}

/* Options of the Mito exporter. Everything is copied. */
typedef struct otlog_mito_options {
	const char *url OTLOG__INIT;             /* of the log server, whole; may hold user and password */
	const otlog_header *headers OTLOG__INIT; /* for example with a token; the server may want none */
	size_t header_count OTLOG__INIT;
	otlog_compression compression OTLOG__INIT; /* leave it off for servers that were made for Mito's own uploader */
	const char *ca_file OTLOG__INIT;           /* these three as in otlog_otlp_options */
	const char *client_certificate_file OTLOG__INIT;
	const char *client_key_file OTLOG__INIT;
	/* Names of resource attributes that go into every object, such as "user.name" or "os.type". */
	const char *const *resource_attributes OTLOG__INIT;
	size_t resource_attribute_count OTLOG__INIT;
} otlog_mito_options;

/*
 * Posts to a Mito log server as Mito's own uploader does: one JSON array of flat objects a request, Content-Type
 * application/json, written as Python's json.dumps does (", " and ": ", \uXXXX for all but ASCII, doubles as repr has
 * them, NaN and Infinity by these names, which is Python's JSON only). Bytes values are base64.
 *
 * A Mito event (otlog/mito.h) gets back the keys it was made of, in the caller's order: `params_<x>`, what tells of an
 * error (`error_traceback`, an array of lines, and `error_traceback_last_line`), `version_<x>`, extra keys; then
 * `timestamp_gmt`, `event`, and `error_severity_code` if it has one. Trace and span ids have no place in it.
 *
 * Any other record, a Bonito entry (otlog/bonito.h) too, has:
 *
 *     its attributes               under their names with `_` for each `.`: bonito.org_id is `bonito_org_id`
 *     timestamp_gmt                its time to the second; if it has none, when it was observed
 *     time_unix_nano               its time to the nanosecond, as text; if it has one
 *     event                        the event name: "bonito.gateway.request"; "log" if it has none
 *     message                      the body; if it has one
 *     severity, severity_number    the text as given, else the name of the number, and the number; if given
 *     logger                       the name of the logger; if it has one
 *     trace_id, span_id            in hex, and trace_flags, a number; if given
 *     dropped_attributes_count     if it is not 0
 *
 * Attributes of the resource come before `timestamp_gmt` in either, under names with underscores. A key that is one of
 * those above, or was given to an attribute before, gets `_2` behind it, or `_3` …: no two keys of an object are equal.
 *
 * Success is any 2xx. 307 and 308 are followed, with headers and credentials only to the same scheme, host and port;
 * other redirects are refusals. Returns false, with one diagnostic, if the URL is none of http or https, a header is
 * malformed, or memory is short; *out is then untouched.
 */
OTLOG_API bool otlog_mito_exporter_create_sized(const otlog_mito_options *options, size_t options_size,
                                                otlog_exporter *out);

static inline bool
otlog_mito_exporter_create(const otlog_mito_options *options, otlog_exporter *out)
{
	return otlog_mito_exporter_create_sized(options, sizeof *options, out);
}

/*
 * What only gRPC has. Everything is copied; {0} is valid. A keep-alive time below what the server allows (five minutes
 * for most) makes it close the connection.
 */
typedef struct otlog_grpc_options {
	bool insecure OTLOG__INIT;                 /* no TLS for an endpoint whose scheme does not decide */
	uint32_t requests_in_flight OTLOG__INIT;   /* 0: 4; 64 at most. Over 1, records of a lane may overtake others */
	uint32_t keepalive_time_ms OTLOG__INIT;    /* between pings while requests are out; 0: none are sent */
	uint32_t keepalive_timeout_ms OTLOG__INIT; /* a ping unanswered for so long ends the connection; 0: 20000 */
	/*
	 * Larger requests are not sent, but their records in smaller ones. 0: 64 MiB, which is OTLP's limit. It need not be
	 * that of the receiver, which is found out: what that refuses for its size is split too.
	 */
	uint32_t max_message_bytes OTLOG__INIT;
} otlog_grpc_options;

/*
 * OTLP/gRPC over gRPC's C core. In the library otlog-grpc: link it (pkg-config otlog-grpc) to call this. Programs that
 * choose gRPC by OTEL_EXPORTER_OTLP_PROTOCOL need not: otlog opens the library then.
 *
 * The endpoint is http://host:port or https://host:port, whose scheme decides about TLS and whose path is ignored;
 * unix:path or unix-abstract:name, without TLS; host:port or one of gRPC's dns:, ipv4: and ipv6:, with TLS unless
 * `insecure`. NULL: http://localhost:4317. Header names are sent in lower case; gRPC sends values of those in -bin as
 * base64.
 *
 * `grpc` may be NULL. Returns false, with one diagnostic, if the endpoint or a header is malformed, or memory is short;
 * *out is then untouched.
 *
 * gRPC is initialised once, here, and stays: it starts four to eight threads, with all signals blocked. It logs on
 * stderr by itself; that is switched off for the whole process unless GRPC_VERBOSITY or GRPC_TRACE is set or something
 * else in the process has initialised gRPC before: what matters is in our diagnostics. gRPC ends the process when memory
 * runs out. It does not work in a child of fork: there, the exporter is not opened again, which is said once. With a queue
 * in a file (OTLOG_QUEUE_DIR) the child's records wait there for another process; without, none are taken. Use OTLP over
 * HTTP in programs that fork.
 */
OTLOG_API bool otlog_otlp_grpc_exporter_create_sized(const otlog_otlp_options *options, size_t options_size,
                                                     const otlog_grpc_options *grpc, size_t grpc_size,
                                                     otlog_exporter *out);

static inline bool
otlog_otlp_grpc_exporter_create(const otlog_otlp_options *options, const otlog_grpc_options *grpc, otlog_exporter *out)
{
	return otlog_otlp_grpc_exporter_create_sized(options, sizeof *options, grpc, sizeof *grpc, out);
}

typedef bool (*otlog_otlp_grpc_create_function)(const otlog_otlp_options *options, size_t options_size,
                                                const otlog_grpc_options *grpc, size_t grpc_size, otlog_exporter *out);

/*
 * Has otlog call `create` where gRPC is chosen, instead of opening the library otlog-grpc: for programs that link it
 * statically. Call it before otlog_start:
 *
 *   otlog_register_otlp_grpc(otlog_otlp_grpc_exporter_create_sized);
 *
 * NULL undoes it.
 */
OTLOG_API void otlog_register_otlp_grpc(otlog_otlp_grpc_create_function create);

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
 * slow reader and a full disk are waited for in the queue. Redirect the descriptor before this call: later, another file
 * under its number is taken for one of the program's own, and nothing is written to it.
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
 *   assert(entry && strcmp(entry->entry->event_type, "request") == 0);
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
