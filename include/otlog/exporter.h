/*
 * Writing an exporter: the contract between the batch processor and a destination, and the view through which an
 * exporter reads the records of a batch.
 *
 * An exporter tries once and answers with a verdict. It never waits between attempts, never retries and never keeps a
 * batch: the processor alone backs off, sends the same batch again, counts and gives up.
 *
 * A whole one, which a pipeline (otlog/sdk.h) takes as `.exporter = { .functions = &functions, .name = "lines" }`:
 *
 *   static void
 *   print_batch(void *self, const otlog_batch *batch, uint64_t timeout_ms, otlog_export_result *result)
 *   {
 *           otlog_batch_reader reader = otlog_batch_records(batch);
 *           otlog_record_view record;
 *           while (otlog_batch_next(&reader, &record)) {
 *                   char body[512];
 *                   otlog_value_text(&record.body, body, sizeof body);
 *                   printf("%.*s: %s\n", OTLOG_SLICE(record.scope.name), body);
 *           }
 *           result->verdict = reader.malformed ? OTLOG_VERDICT_DROP : OTLOG_VERDICT_OK;
 *   }
 *   static const otlog_exporter_functions functions = { .size = sizeof functions, .export_batch = print_batch };
 */
#ifndef OTLOG_EXPORTER_H
#define OTLOG_EXPORTER_H

#include <otlog/logs.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the processor hands out. Everything is borrowed until export_batch returns. */
typedef struct otlog_batch {
	const void *request; /* one serialised opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest */
	size_t request_size; /* bytes */
	size_t records;      /* log records in it, at least 1 */
	uint64_t reserved[4] OTLOG__INIT; /* zero */
} otlog_batch;

/* Source: OTLP specification, sections "Partial Success", "Failures", "OTLP/HTTP Response". */
typedef enum otlog_verdict {
	OTLOG_VERDICT_OK,      /* the destination has all of it */
	OTLOG_VERDICT_RETRY,   /* try the same batch again, not before retry_after_ms */
	OTLOG_VERDICT_PARTIAL, /* it has all but `rejected` records, which are never sent again */
	OTLOG_VERDICT_DROP,    /* it will never take this batch: the records are counted as rejected */
	/*
	 * These two: not this batch, but perhaps parts of it. The processor sends it in halves; a record that is refused
	 * alone is dropped, and named in a diagnostic.
	 */
	OTLOG_VERDICT_TOO_LARGE, /* it is larger than the destination takes; such a record counts as too_large */
	OTLOG_VERDICT_INVALID    /* some record in it is not acceptable; such a record counts as rejected */
} otlog_verdict;

typedef struct otlog_export_result {
	otlog_verdict verdict;
	uint64_t retry_after_ms; /* RETRY: what the server asked for; 0: nothing, the processor's own back-off holds */
	size_t rejected;         /* PARTIAL: how many records */
	char message[256];       /* cause and remedy for the diagnostic, NUL-terminated; may be empty if OK */
	/*
	 * What went wrong, in one short word of a small set, for machines: "connection_refused", "404", "UNAVAILABLE".
	 * NUL-terminated; "" if nothing did, or nothing is known. Source: semantic conventions, error.type.
	 */
	char error_type[32];
	uint64_t reserved[6]; /* leave it alone: room for members to come */
} otlog_export_result;

struct otlog_exporter;

/*
 * The exporter's functions; the table is const and lives as long as any exporter that uses it. NULL stands for "nothing
 * to do" everywhere but in export_batch.
 *
 * `size` says which functions the table has, so that a program may be older than the library, whose later functions it
 * then does not have, or newer: functions that the library does not know are never called, which is said once. A
 * pipeline whose table does not begin with a size is left out, with one diagnostic.
 */
typedef struct otlog_exporter_functions {
	size_t size OTLOG__INIT; /* sizeof(otlog_exporter_functions) */
	/*
	 * Sends the batch once and fills *result, which comes zeroed. Returns within timeout_ms (0: no limit). Called
	 * by threads of the SDK, at most otlog_exporter.concurrency at a time, with all signals blocked.
	 */
	void (*export_batch)(void *self, const otlog_batch *batch, uint64_t timeout_ms,
	                     otlog_export_result *result) OTLOG__INIT;
	/*
	 * Makes an export_batch that is running in another thread return soon (verdict RETRY), and every later one at
	 * once. Called at shutdown when the time is up. Thread-safe, does not wait.
	 */
	void (*cancel)(void *self) OTLOG__INIT;
	/* Hands on what the exporter itself holds back. Called in the export thread. Returns false if not done in time.
	 */
	bool (*flush)(void *self, uint64_t timeout_ms) OTLOG__INIT;
	/* Frees everything. Called once, after the last export_batch has returned. */
	void (*destroy)(void *self) OTLOG__INIT;
	/*
	 * Makes *out an exporter to the same destination, in a child that fork has made: `self` is the parent's, whose
	 * threads are not here and whose locks may be held for ever. Nothing of it may be used but what has not changed
	 * since it was created; it is neither freed nor closed. Returns false if that cannot be; then, and where this
	 * is NULL, the child's records wait in the queue directory, and without one none are taken, which is said.
	 */
	bool (*reopen)(const void *self, struct otlog_exporter *out) OTLOG__INIT;
} otlog_exporter_functions;

/*
 * An exporter: functions and their first argument. Whoever takes one owns it and destroys it. This struct stays as it
 * is: what exporters learn to do is a function more.
 */
typedef struct otlog_exporter {
	const otlog_exporter_functions *functions OTLOG__INIT;
	void *self OTLOG__INIT;
	const char *name OTLOG__INIT;     /* for diagnostics and statistics, e.g. "otlp_http"; a string that lives on */
	uint32_t concurrency OTLOG__INIT; /* export_batch calls that may run at once; 0 and 1: one */
	uint32_t reserved OTLOG__INIT;    /* 0 */
} otlog_exporter;

/* ---- The view: reading a batch ----------------------------------------------------------------------------------- */

/*
 * Everything below reads bytes where they lie: it copies, allocates and frees nothing, takes no lock, never blocks, and
 * uses no recursion, however deep the values are nested. What it hands out points into the batch and lives as long as
 * that: in an exporter until export_batch returns.
 *
 * It takes any bytes. Malformed ones end the reading, never beyond the bytes given, and are told in a member named
 * `malformed`. Fields that otlog does not know are skipped. Of a field given twice the last one counts; a message given
 * twice is one message with the fields of both, so a resource or a scope in two parts has the attributes of both, and an
 * empty value takes nothing from one before it. Only of arrays and maps given twice the last one counts, as with other
 * values. Source: protobuf's documentation, "Encoding", section "Last One Wins"; arrays and maps as protobuf-c reads them.
 *
 * Thread safety: any number of threads may read the same batch, each with a reader of its own.
 * Signal safety: every function is async-signal-safe, but for otlog_value_text.
 *
 * The messages are those of opentelemetry-proto, logs/v1/logs.proto and common/v1/common.proto.
 */

/* Bytes of somebody else's, not NUL-terminated. {0} is empty. Text is UTF-8 where otlog wrote it; it may hold NULs. */
typedef struct otlog_slice {
	const uint8_t *data; /* may be NULL if size is 0 */
	size_t size;         /* bytes */
} otlog_slice;

/* Whether the slice holds exactly the text of a C string. NULL counts as "". */
static inline bool
otlog_slice_is(otlog_slice slice, const char *text)
{
	size_t size = text ? strlen(text) : 0;
	return slice.size == size && (size == 0 || memcmp(slice.data, text, size) == 0);
}

/* What OTLOG_SLICE is made of. */
static inline int
otlog_slice_width(otlog_slice slice)
{
	return slice.size < INT_MAX ? (int)slice.size : INT_MAX;
}

static inline const char *
otlog_slice_chars(otlog_slice slice)
{
	return slice.data ? (const char *)slice.data : "";
}

/*
 * The two arguments for "%.*s" of printf, which ends at a NUL: printf("%.*s", OTLOG_SLICE(record.event_name)).
 * `slice` is evaluated twice.
 */
#define OTLOG_SLICE(slice) otlog_slice_width(slice), otlog_slice_chars(slice)

/* An AnyValue. Arrays and maps stay encoded: go through them with otlog_items_of. */
typedef struct otlog_value_view {
	otlog_value_type type; /* never OTLOG_VALUE_UINT64 */
	union {
		bool boolean;
		int64_t int64;
		double float64;
		otlog_slice bytes;     /* of a STRING too */
		otlog_slice container; /* ARRAY, MAP: encoded */
	} as;
} otlog_value_view;

/* Where a record comes from. Its attributes: otlog_resource_attributes. */
typedef struct otlog_resource_view {
	otlog_slice
	    encoded; /* the Resource message; empty if there is none; the first part of one that comes in parts */
	otlog_slice schema_url;
	otlog_slice more; /* private: where its other parts are */
} otlog_resource_view;

/* The logger that a record was emitted with. Its attributes: otlog_scope_attributes. */
typedef struct otlog_scope_view {
	otlog_slice encoded; /* the InstrumentationScope message, as with the resource */
	otlog_slice name;
	otlog_slice version;
	otlog_slice schema_url;
	otlog_slice more; /* private */
} otlog_scope_view;

/* A LogRecord. What it does not have is 0, or empty. Its attributes: otlog_attributes. */
typedef struct otlog_record_view {
	uint64_t time_unix_nano;          /* when it happened; 0: not known */
	uint64_t observed_time_unix_nano; /* when otlog took it */
	int32_t severity;                 /* enum otlog_severity, or any other number */
	uint32_t dropped_attributes_count;
	uint32_t flags; /* the lowest eight bits are the trace flags */
	otlog_slice severity_text;
	otlog_slice event_name; /* non-empty: an event */
	otlog_slice trace_id;   /* 16 bytes, or empty: ids of other sizes are none */
	otlog_slice span_id;    /* 8 bytes, or empty */
	otlog_value_view body;
	otlog_slice attributes; /* encoded */
	otlog_slice encoded;    /* the LogRecord message: all of the above */
	bool new_resource;      /* the resource is not the one of the record before, so what was made of it is stale */
	bool new_scope;         /* the same of the scope; always if new_resource */
	otlog_resource_view resource;
	otlog_scope_view scope;
	/*
	 * What the record is known by wherever it is sent, and however often: after a retry, after it has lain in a file,
	 * from another process. All zero: it has none, which is so of every record today.
	 */
	uint8_t id[16];
} otlog_record_view;

/* Where reading stands in a batch. */
typedef struct otlog_batch_reader {
	bool malformed; /* set when reading has stopped at bytes that make no sense */
	bool can_skip;  /* they are those of one record, or of its scope: clear `malformed` to go on with the next */
	/* Private from here on. */
	bool new_resource;
	bool new_scope;
	otlog_slice request; /* what is left of the request, and of the messages inside that it stands in */
	otlog_slice resource_logs;
	otlog_slice scope_logs;
	otlog_resource_view resource;
	otlog_scope_view scope;
	uint64_t reserved[6]; /* begins with what the batch has in its own */
} otlog_batch_reader;

/*
 * Begins to read a batch; NULL is an empty one. A request that was kept elsewhere, such as one of otlog_memory_request,
 * is read in the same way: `request` and `request_size` suffice, all else may be zero.
 */
static inline otlog_batch_reader
otlog_batch_records(const otlog_batch *batch)
{
	otlog_batch_reader reader;
	memset(&reader, 0, sizeof reader);
	if (batch && batch->request) {
		reader.request.data = (const uint8_t *)batch->request;
		reader.request.size = batch->request_size;
		memcpy(reader.reserved, batch->reserved, sizeof batch->reserved);
	}
	return reader;
}

/*
 * Fills *record with the next record, in the order in which the batch has them, together with its resource and scope.
 * False, with *record all zero, at the end or at malformed bytes, which set reader->malformed; it stays false as long as
 * that is set. The attributes and containers of a record are only looked at when they are gone through.
 *
 * Going on behind a record that cannot be read:
 *
 *   while (otlog_batch_next(&reader, &record) || reader.can_skip) {
 *           if (reader.malformed) {
 *                   reader.malformed = false;
 *                   continue;
 *           }
 *           …
 */
OTLOG_API bool otlog_batch_next_sized(otlog_batch_reader *reader, otlog_record_view *record, size_t record_size);

static inline bool
otlog_batch_next(otlog_batch_reader *reader, otlog_record_view *record)
{
	return otlog_batch_next_sized(reader, record, sizeof *record);
}

/*
 * Fills *record from one serialised LogRecord of `size` bytes, such as one of otlog_memory_record; resource and scope
 * are empty. False, with *record all zero, if the bytes are no LogRecord.
 */
OTLOG_API bool otlog_record_view_open_sized(const void *bytes, size_t size, otlog_record_view *record,
                                            size_t record_size);

static inline bool
otlog_record_view_open(const void *bytes, size_t size, otlog_record_view *record)
{
	return otlog_record_view_open_sized(bytes, size, record, sizeof *record);
}

/* Goes through attributes, or the items of an array or map, in their order. A copy goes on from where it was made. */
typedef struct otlog_items {
	otlog_slice rest; /* private */
	otlog_slice more; /* private */
	uint32_t tag;     /* private */
	bool keyed;       /* items have keys: attributes, or a map's */
	bool malformed;   /* set when reading has stopped at bytes that make no sense */
} otlog_items;

/* The attributes of a record, of its resource, of its scope. NULL has none. */
OTLOG_API otlog_items otlog_attributes(const otlog_record_view *record);
OTLOG_API otlog_items otlog_resource_attributes(const otlog_record_view *record);
OTLOG_API otlog_items otlog_scope_attributes(const otlog_record_view *record);

/* The items of an array or map. Other values, and NULL, have none. */
OTLOG_API otlog_items otlog_items_of(const otlog_value_view *container);

/*
 * The next item: its key, which is empty in an array, and its value. Either may be NULL where it is not wanted. False,
 * with both empty, at the end or at malformed bytes, which set items->malformed; it stays false.
 *
 *   otlog_items items = otlog_attributes(&record);
 *   while (otlog_next_item(&items, &key, &value))
 *           …
 */
OTLOG_API bool otlog_next_item(otlog_items *items, otlog_slice *key, otlog_value_view *value);

/*
 * Fills *value with the first item of that key and returns true; false, with *value empty, if there is none before the
 * end or malformed bytes. `items` stays where it was:
 *
 *   if (otlog_find_item(otlog_resource_attributes(&record), "service.name", &value))
 *           …
 */
OTLOG_API bool otlog_find_item(otlog_items items, const char *key, otlog_value_view *value);

/*
 * Writes a value as text: strings as they are, bytes as base64, the empty value as "", arrays and maps as JSON, numbers
 * without regard to the locale. Source: specification common/README.md, "AnyValue representation for non-OTLP
 * Protocols". In JSON, containers more than 64 deep are "…", and what is not UTF-8 is U+FFFD.
 *
 * As with snprintf, at most out_size bytes are written, the last of them a NUL, and the size of the whole text without
 * it is returned: out_size or more means that the rest is missing, from the end of a character on. `out` may be NULL if
 * out_size is 0. SIZE_MAX if a container holds malformed bytes: what stands before them has been written.
 */
OTLOG_API size_t otlog_value_text(const otlog_value_view *value, char *out, size_t out_size);

/*
 * Writes bytes, such as a trace id, as lower-case hex digits. Returns as otlog_value_text does; a byte that does not
 * fit with both its digits is left out.
 */
OTLOG_API size_t otlog_hex(otlog_slice bytes, char *out, size_t out_size);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
