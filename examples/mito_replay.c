/*
 * Replays a Mito spreadsheet session as if it had just ended: the sheet is rendered, a column added and renamed, a
 * formula set, and a second rename fails with its traceback.
 *
 *   mito_replay [FILE]   notes each accepted event in FILE as `<event name> <time>`
 *
 * Exit status 0 only if every event was delivered.
 */
#include <errno.h>
#include <inttypes.h>
#include <otlog/otlog.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SECOND UINT64_C(1000000000)
#define VERSIONS OTLOG_ATTRS(OTLOG_KV("python", "3.11.9"), OTLOG_KV("pandas", "2.2.2"), OTLOG_KV("mito", "0.3.131"))
#define COMMON OTLOG_KV("sheet_index", 0), OTLOG_KV("public_interface_version", 3)

static FILE *emitted; /* NULL: not noted */
static unsigned accepted;
static unsigned refused;

static void
note(const char *event, uint64_t time, otlog_emit_result result)
{
	if (result != OTLOG_EMIT_ACCEPTED) {
		fprintf(stderr, "mito_replay: %s: %s\n", event, otlog_emit_result_text(result));
		refused++;
		return;
	}
	accepted++;
	if (emitted)
		fprintf(emitted, "mito.%s %" PRIu64 "\n", event, time);
}

static void
edit(otlog_logger *log, const char *event, uint64_t time, otlog_attrs params)
{
	mito_edit_event what = {
		.log_event = event, .timestamp_unix_nano = time, .params = params, .versions = VERSIONS
	};
	note(event, time, mito_log_edit_event(log, &what));
}

static void
replay(otlog_logger *log, uint64_t start)
{
	static const char *const traceback[] = {
		"Traceback (most recent call last):",
		"  File \"backend.py\", line 210, in receive",
		"    self.handle(event)",
		"  File \"rename_column.py\", line 40, in execute",
		"    raise column_exists(new_header)",
		"sheet.errors.SheetError: a column of that name is there already",
	};
	const size_t lines = sizeof traceback / sizeof *traceback;

	mito_rendered_event rendered = { .user_agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0",
		                         .timestamp_unix_nano = start,
		                         .versions = VERSIONS };
	note(MITO_EVENT_MITOSHEET_RENDERED, start, mito_log_mitosheet_rendered(log, &rendered));

	edit(log, MITO_EVENT_ADD_COLUMN_EDIT, start + 4 * SECOND,
	     OTLOG_ATTRS(COMMON, OTLOG_KV("column_header", "margin"), OTLOG_KV("column_header_index", 5)));
	edit(log, MITO_EVENT_RENAME_COLUMN_EDIT, start + 8 * SECOND,
	     OTLOG_ATTRS(COMMON, OTLOG_KV("column_id", "margin"), OTLOG_KV("new_column_header", "profit")));
	edit(log, MITO_EVENT_SET_COLUMN_FORMULA_EDIT, start + 15 * SECOND,
	     OTLOG_ATTRS(
		 COMMON, OTLOG_KV("column_id", "margin"), OTLOG_KV("new_formula", "=price - cost"),
		 OTLOG_KV("index_labels_formula_is_applied_to", OTLOG_ATTRS(OTLOG_KV("type", "entire_column")))));

	mito_error_event failed = {
		.failed_log_event = "rename_column_edit_failed",
		.timestamp_unix_nano = start + 21 * SECOND,
		.params = OTLOG_ATTRS(COMMON, OTLOG_KV("column_id", "cost"), OTLOG_KV("new_column_header", "profit")),
		.versions = VERSIONS,
		.error_traceback = traceback,
		.error_traceback_count = lines,
		.error_traceback_last_line = traceback[lines - 1],
	};
	note(MITO_EVENT_ERROR, failed.timestamp_unix_nano, mito_log_error(log, &failed));
}

int
main(int argc, char **argv)
{
	if (argc > 1 && !(emitted = fopen(argv[1], "w"))) {
		fprintf(stderr, "mito_replay: cannot write %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	otlog_start(&(otlog_options){ .service_name = getenv("OTEL_SERVICE_NAME") ? NULL : "mito" });
	replay(otlog_get_logger("mitosheet", "0.3.131"), ((uint64_t)time(NULL) - 21) * SECOND);

	otlog_flush_result result = otlog_shutdown(5000);
	printf("mito_replay: %u events: %s\n", accepted, otlog_flush_result_text(result));
	if (emitted && fclose(emitted))
		return 1;
	return !refused && result == OTLOG_DELIVERED ? 0 : 1;
}
