/*
 * Mito events: what a Mito spreadsheet session logs, as OpenTelemetry events.
 *
 *     mito_log(log, &(mito_event){
 *         .event = MITO_EVENT_RENAME_COLUMN_EDIT,
 *         .params = OTLOG_ATTRS(OTLOG_KV("sheet_index", 0), OTLOG_KV("new_column_header", header)),
 *         .versions = OTLOG_ATTRS(OTLOG_KV("python", "3.11.9"), OTLOG_KV("mito", "0.3.131")) });
 *
 * In C++ the struct goes by reference: mito_log(log, { .event = MITO_EVENT_SORT_EDIT, … }), in C++20 with designators
 * in the order of the members. In every struct here zero means "not given", NULL and "" differ, and everything is
 * borrowed until the call returns.
 *
 * An event, whose wire form at the Mito log server is one flat JSON object, becomes this log record:
 *
 *     event                        event name `mito.<event>`; `mito` if not given
 *     timestamp_gmt                time
 *     params_<x>                   mito.params.<x>
 *     version_<x>                  mito.version.<x>
 *     error_traceback              exception.stacktrace, the lines joined by newlines
 *     error_traceback_last_line    exception.type and exception.message where it has the form `Type: message`, with a
 *                                  type such as `KeyError` or `sheet.errors.SheetError`; else
 *                                  mito.error_traceback_last_line
 *     error_severity_code          mito.error_severity_code (string), and severity: 0 WARN; 10, 11 WARN2; 20, -1 and
 *                                  any other text ERROR; 21, 22 ERROR2; 50 FATAL; events without a code are INFO
 *     any other key <x>            mito.extra.<x>
 *
 * Where that form is not the whole truth, the text as it was given stands beside it: mito.timestamp_gmt (a time that
 * nanoseconds since 1970 in 64 bits cannot say), mito.event (a name that is not plain ASCII, or so long that the event
 * name, which holds 256 bytes, had to be cut at a character). At most 128 attributes are sent, what tells of the error
 * first, then params, versions and the rest in the caller's order; what is over is dropped and counted in the record.
 *
 * Thread safety: any function, any thread. Emitting is async-signal-safe and does not block under the conditions of
 * otlog/logs.h, and never allocates; with error_traceback it takes 16 KiB of stack.
 */
#ifndef OTLOG_MITO_H
#define OTLOG_MITO_H

#include <otlog/logs.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Names ------------------------------------------------------------------------------------------------------- */

/* Events are data: any other name is passed on unchanged. */
#define MITO_EVENT_MITOSHEET_RENDERED "mitosheet_rendered"

#define MITO_EVENT_EXCEL_IMPORT_EDIT "excel_import_edit"
#define MITO_EVENT_EXCEL_RANGE_IMPORT_EDIT "excel_range_import_edit"
#define MITO_EVENT_SIMPLE_IMPORT_EDIT "simple_import_edit"
#define MITO_EVENT_DATAFRAME_IMPORT_EDIT "dataframe_import_edit"
#define MITO_EVENT_EXPORT_TO_FILE_EDIT "export_to_file_edit"

#define MITO_EVENT_PIVOT_EDIT "pivot_edit"
#define MITO_EVENT_FILTER_COLUMN_EDIT "filter_column_edit"
#define MITO_EVENT_SORT_EDIT "sort_edit"
#define MITO_EVENT_CHANGE_COLUMN_DTYPE_EDIT "change_column_dtype_edit"
#define MITO_EVENT_MERGE_EDIT "merge_edit"
#define MITO_EVENT_CONCAT_EDIT "concat_edit"
#define MITO_EVENT_DELETE_COLUMN_EDIT "delete_column_edit"
#define MITO_EVENT_RENAME_COLUMN_EDIT "rename_column_edit"
#define MITO_EVENT_ADD_COLUMN_EDIT "add_column_edit"
#define MITO_EVENT_SET_COLUMN_FORMULA_EDIT "set_column_formula_edit"
#define MITO_EVENT_REORDER_COLUMN_EDIT "reorder_column_edit"
#define MITO_EVENT_FILL_NA_EDIT "fill_na_edit"
#define MITO_EVENT_DELETE_ROW_EDIT "delete_row_edit"
#define MITO_EVENT_DROP_DUPLICATES_EDIT "drop_duplicates_edit"
#define MITO_EVENT_SPLIT_TEXT_TO_COLUMNS_EDIT "split_text_to_columns_edit"
#define MITO_EVENT_PROMOTE_ROW_TO_HEADER_EDIT "promote_row_to_header_edit"
#define MITO_EVENT_MELT_EDIT "melt_edit"
#define MITO_EVENT_RESET_INDEX_EDIT "reset_index_edit"
#define MITO_EVENT_TRANSPOSE_EDIT "transpose_edit"
#define MITO_EVENT_DATAFRAME_DELETE_EDIT "dataframe_delete_edit"
#define MITO_EVENT_DATAFRAME_DUPLICATE_EDIT "dataframe_duplicate_edit"
#define MITO_EVENT_DATAFRAME_RENAME_EDIT "dataframe_rename_edit"

#define MITO_EVENT_CHANGE_COLUMN_FORMAT_EDIT "change_column_format_edit"
#define MITO_EVENT_SET_DATAFRAME_FORMAT_EDIT "set_dataframe_format_edit"

#define MITO_EVENT_GRAPH_EDIT "graph_edit"
#define MITO_EVENT_GRAPH_DELETE_EDIT "graph_delete_edit"
#define MITO_EVENT_GRAPH_RENAME_EDIT "graph_rename_edit"

#define MITO_EVENT_ERROR "error"
#define MITO_EVENT_FRONTEND_RENDER_FAILED "frontend_render_failed"

/* ---- Events ------------------------------------------------------------------------------------------------------ */

typedef struct mito_event {
	const char *event OTLOG__INIT;            /* MITO_EVENT_… */
	uint64_t timestamp_unix_nano OTLOG__INIT; /* 0: timestamp_gmt */
	/*
	 * The time as the wire has it, `YYYY-MM-DDTHH:MM:SSZ`; read if timestamp_unix_nano is 0. With neither, the
	 * receiver takes the observed time, which is now. A text that mito_parse_timestamp cannot read, or the very
	 * first second of 1970, leaves the record's time unset and goes into the attribute mito.timestamp_gmt.
	 */
	const char *timestamp_gmt OTLOG__INIT;
	otlog_attrs params OTLOG__INIT;   /* keys without `params_`; values of any type, nested as you like */
	otlog_attrs versions OTLOG__INIT; /* keys without `version_` */
	/*
	 * The traceback as lines without newlines; a NULL line counts as empty. Joined, they fill 16 KiB at most: of
	 * more, the first lines and the last are kept, with `... N lines left out ...` between them (a last line of
	 * over 8 KiB is cut). A single line is of any length.
	 */
	const char *const *error_traceback OTLOG__INIT;
	size_t error_traceback_count OTLOG__INIT;
	const char *error_traceback_text OTLOG__INIT; /* already joined, of any length, not copied; wins over lines */
	const char *error_traceback_last_line OTLOG__INIT;
	/*
	 * As the wire has it: "10". NULL: for the events `error` and `frontend_render_failed` it is what
	 * mito_severity_code says of params `failed_log_event` (where that is not given, of the event itself); other
	 * events have none.
	 */
	const char *error_severity_code OTLOG__INIT;
	otlog_attrs extra OTLOG__INIT; /* further keys of the flat wire form, which begin with none of its prefixes */
} mito_event;

/* Emits one event. Returns what became of it; OTLOG_EMIT_INVALID for a NULL event. */
OTLOG_API otlog_emit_result mito_log_sized(otlog_logger *logger, const mito_event *event, size_t event_size);
OTLOG__EMIT_CALL(mito_log, mito_event)

/* ---- Convenience calls ------------------------------------------------------------------------------------------- */

/*
 * One struct for each kind of event that Mito's own uploader takes from its host. The call makes the mito_event, with
 * the members marked "param" put before the rest of `params` under their own names; then it does what mito_log does.
 * Members not marked mean what they mean in mito_event.
 */

/* The host's log event `edit_event`. */
typedef struct mito_edit_event {
	const char *log_event OTLOG__INIT; /* MITO_EVENT_…_EDIT: becomes the event. NULL: the event is `edit_event` */
	uint64_t timestamp_unix_nano OTLOG__INIT;
	const char *timestamp_gmt OTLOG__INIT;
	otlog_attrs params OTLOG__INIT;
	otlog_attrs versions OTLOG__INIT;
	otlog_attrs extra OTLOG__INIT;
} mito_edit_event;

/* Event `error`: an edit or a call failed. */
typedef struct mito_error_event {
	const char *failed_log_event OTLOG__INIT; /* param: e.g. "rename_column_edit_failed"; gives the severity code */
	uint64_t timestamp_unix_nano OTLOG__INIT;
	const char *timestamp_gmt OTLOG__INIT;
	otlog_attrs params OTLOG__INIT; /* those of the edit that failed */
	otlog_attrs versions OTLOG__INIT;
	const char *const *error_traceback OTLOG__INIT;
	size_t error_traceback_count OTLOG__INIT;
	const char *error_traceback_text OTLOG__INIT;
	const char *error_traceback_last_line OTLOG__INIT;
	const char *error_severity_code OTLOG__INIT;
	otlog_attrs extra OTLOG__INIT;
} mito_error_event;

/* Event `mitosheet_rendered`. */
typedef struct mito_rendered_event {
	const char *user_agent OTLOG__INIT; /* param: of the browser */
	uint64_t timestamp_unix_nano OTLOG__INIT;
	const char *timestamp_gmt OTLOG__INIT;
	otlog_attrs params OTLOG__INIT;
	otlog_attrs versions OTLOG__INIT;
	otlog_attrs extra OTLOG__INIT;
} mito_rendered_event;

/* Event `frontend_render_failed`: severity code 50, FATAL. */
typedef struct mito_frontend_failure {
	uint64_t timestamp_unix_nano OTLOG__INIT;
	const char *timestamp_gmt OTLOG__INIT;
	otlog_attrs params OTLOG__INIT;
	otlog_attrs versions OTLOG__INIT;
	const char *const *error_traceback OTLOG__INIT;
	size_t error_traceback_count OTLOG__INIT;
	const char *error_traceback_text OTLOG__INIT;
	const char *error_traceback_last_line OTLOG__INIT;
	const char *error_severity_code OTLOG__INIT;
	otlog_attrs extra OTLOG__INIT;
} mito_frontend_failure;

/* As mito_log. */
OTLOG_API otlog_emit_result mito_log_edit_event_sized(otlog_logger *logger, const mito_edit_event *event,
                                                      size_t event_size);
OTLOG__EMIT_CALL(mito_log_edit_event, mito_edit_event)
OTLOG_API otlog_emit_result mito_log_error_sized(otlog_logger *logger, const mito_error_event *event,
                                                 size_t event_size);
OTLOG__EMIT_CALL(mito_log_error, mito_error_event)
OTLOG_API otlog_emit_result mito_log_mitosheet_rendered_sized(otlog_logger *logger, const mito_rendered_event *event,
                                                              size_t event_size);
OTLOG__EMIT_CALL(mito_log_mitosheet_rendered, mito_rendered_event)
OTLOG_API otlog_emit_result mito_log_frontend_render_failed_sized(otlog_logger *logger,
                                                                  const mito_frontend_failure *event,
                                                                  size_t event_size);
OTLOG__EMIT_CALL(mito_log_frontend_render_failed, mito_frontend_failure)

/* ---- Severity codes and times ------------------------------------------------------------------------------------ */

/*
 * The severity code of an error, by the value of its param `failed_log_event`: 0, 10, 11, 20, 21, 22 or 50; -1 for NULL
 * and any other name. Async-signal-safe.
 */
OTLOG_API int mito_severity_code(const char *failed_log_event);

/* Bytes that mito_format_timestamp writes, the final NUL included. */
#define MITO_TIMESTAMP_SIZE 21

/*
 * Reads `YYYY-MM-DDTHH:MM:SSZ` as nanoseconds since 1970. Returns false, with *unix_nano untouched, for NULL, any other
 * form, a date or time that does not exist, and what the number cannot say: before 1970, or after
 * 2554-07-21T23:34:33Z. Async-signal-safe.
 */
OTLOG_API bool mito_parse_timestamp(const char *text, uint64_t *unix_nano);

/* Writes the time in that form, cut to the second, and a NUL. Async-signal-safe. */
OTLOG_API void mito_format_timestamp(uint64_t unix_nano, char out[MITO_TIMESTAMP_SIZE]);

/* ---- The way back ------------------------------------------------------------------------------------------------ */

/* An event read from a log record, and what the record has beside it. Everything belongs to this object. */
typedef struct mito_decoded {
	/*
	 * Equal to the event that made the record, in canonical form: the time both as number and as text (filled in
	 * with the observed time if none was given; the number is 0 where only the text can say it), the traceback both
	 * as lines and as text, split at every newline, and the severity code of an error filled in. All texts end with
	 * a NUL, those in params, versions and extra too (it is not counted in their size).
	 */
	const mito_event *event;
	/*
	 * The record itself; its attributes are those that have no place in the event: unknown keys, a
	 * known key with a value of another type or given a second time, and texts with a NUL byte inside.
	 */
	const otlog_record *record;
	uint32_t dropped_attributes_count; /* lost already when the record was made */
} mito_decoded;

/*
 * Reads the bytes of one serialised opentelemetry.proto.logs.v1.LogRecord. Returns NULL if they are no such message, if
 * the event name is not `mito` and does not begin with `mito.`, or if memory is short. The bytes are not needed
 * afterwards; free the result with mito_decoded_free. Containers nested deeper than 64 come back empty. Thread-safe,
 * allocates, not async-signal-safe. In libotlog, not in libotlog-api.
 */
OTLOG_API mito_decoded *mito_event_from_record(const void *record, size_t record_size);

/* NULL is allowed. */
OTLOG_API void mito_decoded_free(mito_decoded *decoded);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
