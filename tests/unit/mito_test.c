/* Mito events become the records that otlog/mito.h says. */
#include "tests/support/records/emitted.h"
#include "tests/support/records/samples.h"
#include "tests/support/harness/cmocka.h"

#include <stdio.h>

static void
an_edit_becomes_the_record_that_is_documented(void **state)
{
	samples s;
	(void)state;
	samples_fill(&s);
	s.mito[2].extra = OTLOG_ATTRS(OTLOG_KV("sheet_name", "Sheet1"));
	assert_int_equal(mito_log(out.logger, &s.mito[2]), OTLOG_EMIT_ACCEPTED);
	const otlog_record_view view = emitted_view(&out);
	assert_slice(view.event_name, "mito.rename_column_edit");
	assert_true(view.time_unix_nano == UINT64_C(1772442853000000000));
	assert_int_equal(view.severity, 9);
	assert_int_equal(view.body.type, OTLOG_VALUE_EMPTY);
	assert_int_equal(emitted_attribute_count(&out), 8);
	emitted_assert_int64(&out, "mito.params.sheet_index", 0);
	emitted_assert_text(&out, "mito.params.column_id", "lakeforkpine");
	emitted_assert_text(&out, "mito.params.new_column_header", "stonebirdcup");
	emitted_assert_int64(&out, "mito.params.public_interface_version", 3);
	emitted_assert_text(&out, "mito.version.python", "3.11.9");
	emitted_assert_text(&out, "mito.version.pandas", "2.2.2");
	emitted_assert_text(&out, "mito.version.mito", "0.3.131");
	emitted_assert_text(&out, "mito.extra.sheet_name", "Sheet1");
}

static void
an_error_becomes_an_exception(void **state)
{
	samples s;
	(void)state;
	samples_fill(&s);
	mito_log(out.logger, &s.mito[4]);
	assert_slice(emitted_view(&out).event_name, "mito.error");
	assert_int_equal(emitted_view(&out).severity, OTLOG_SEVERITY_WARN2);
	emitted_assert_text(&out, "mito.error_severity_code", "10");
	emitted_assert_text(&out, "exception.type", "sheet.errors.SheetError");
	emitted_assert_text(&out, "exception.message",
	                    "(column_exists_error, Column Already Exists, a column of that name is there already)");
	emitted_assert_text(&out, "exception.stacktrace",
	                    "Traceback (most recent call last):\n  File \"backend.py\", line 210, in receive\n"
	                    "    self.handle(event)\n  File \"rename_column.py\", line 40, in execute\n"
	                    "    raise column_exists(new_header)\nsheet.errors.SheetError: (column_exists_error, "
	                    "Column Already Exists, "
	                    "a column of that name is there already)");
	emitted_assert_text(&out, "mito.error_traceback_last_line", NULL);
	emitted_assert_text(&out, "mito.params.failed_log_event", "rename_column_edit_failed");
}

static void
the_empty_event_is_a_record(void **state)
{
	(void)state;
	assert_int_equal(mito_log(out.logger, &(mito_event){ 0 }), OTLOG_EMIT_ACCEPTED);
	assert_slice(emitted_view(&out).event_name, "mito");
	assert_int_equal(emitted_view(&out).severity, 9);
	assert_int_equal(emitted_attribute_count(&out), 0);
	mito_log(out.logger, &(mito_event){ .event = "" });
	assert_slice(emitted_view(&out).event_name, "mito.");
}

#define FOR_EACH_EVENT(X)                                           \
	X(MITOSHEET_RENDERED, "mitosheet_rendered")                 \
	X(EXCEL_IMPORT_EDIT, "excel_import_edit")                   \
	X(EXCEL_RANGE_IMPORT_EDIT, "excel_range_import_edit")       \
	X(SIMPLE_IMPORT_EDIT, "simple_import_edit")                 \
	X(DATAFRAME_IMPORT_EDIT, "dataframe_import_edit")           \
	X(EXPORT_TO_FILE_EDIT, "export_to_file_edit")               \
	X(PIVOT_EDIT, "pivot_edit")                                 \
	X(FILTER_COLUMN_EDIT, "filter_column_edit")                 \
	X(SORT_EDIT, "sort_edit")                                   \
	X(CHANGE_COLUMN_DTYPE_EDIT, "change_column_dtype_edit")     \
	X(MERGE_EDIT, "merge_edit")                                 \
	X(CONCAT_EDIT, "concat_edit")                               \
	X(DELETE_COLUMN_EDIT, "delete_column_edit")                 \
	X(RENAME_COLUMN_EDIT, "rename_column_edit")                 \
	X(ADD_COLUMN_EDIT, "add_column_edit")                       \
	X(SET_COLUMN_FORMULA_EDIT, "set_column_formula_edit")       \
	X(REORDER_COLUMN_EDIT, "reorder_column_edit")               \
	X(FILL_NA_EDIT, "fill_na_edit")                             \
	X(DELETE_ROW_EDIT, "delete_row_edit")                       \
	X(DROP_DUPLICATES_EDIT, "drop_duplicates_edit")             \
	X(SPLIT_TEXT_TO_COLUMNS_EDIT, "split_text_to_columns_edit") \
	X(PROMOTE_ROW_TO_HEADER_EDIT, "promote_row_to_header_edit") \
	X(MELT_EDIT, "melt_edit")                                   \
	X(RESET_INDEX_EDIT, "reset_index_edit")                     \
	X(TRANSPOSE_EDIT, "transpose_edit")                         \
	X(DATAFRAME_DELETE_EDIT, "dataframe_delete_edit")           \
	X(DATAFRAME_DUPLICATE_EDIT, "dataframe_duplicate_edit")     \
	X(DATAFRAME_RENAME_EDIT, "dataframe_rename_edit")           \
	X(CHANGE_COLUMN_FORMAT_EDIT, "change_column_format_edit")   \
	X(SET_DATAFRAME_FORMAT_EDIT, "set_dataframe_format_edit")   \
	X(GRAPH_EDIT, "graph_edit")                                 \
	X(GRAPH_DELETE_EDIT, "graph_delete_edit")                   \
	X(GRAPH_RENAME_EDIT, "graph_rename_edit")

static void
every_edit_has_its_name_and_is_info(void **state)
{
	static const char *const events[][2] = {
#define OTLOG__X(name, text) { MITO_EVENT_##name, "mito." text },
		FOR_EACH_EVENT(OTLOG__X)
#undef OTLOG__X
		    { "coffee_edit", "mito.coffee_edit" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
		mito_log(out.logger, &(mito_event){ .event = events[i][0] });
		assert_slice(emitted_view(&out).event_name, events[i][1]);
		assert_int_equal(emitted_view(&out).severity, 9);
		assert_int_equal(emitted_attribute_count(&out), 0);
	}
}

static const struct {
	const char *code;
	int severity;
	const char *failed[12]; /* the events of the code */
} table[] = {
	{ "0", OTLOG_SEVERITY_WARN, { "merge_edit_failed" } },
	{ "10",
	  OTLOG_SEVERITY_WARN2,
	  { "ai_transformation_edit_failed", "change_column_dtype_edit_failed", "filter_column_edit_failed",
	    "graph_edit_failed", "mitosheet_sheet_call_location_failed", "rename_column_edit_failed",
	    "replace_edit_failed", "set_column_formula_edit_failed" } },
	{ "11",
	  OTLOG_SEVERITY_WARN2,
	  { "append_user_field_update_failed", "dataframe_delete_edit_failed", "dataframe_rename_edit_failed",
	    "delete_column_edit_failed", "delete_row_edit_failed", "get_column_summary_graph_failed",
	    "graph_rename_edit_failed", "melt_edit_failed", "one_hot_encoding_edit_failed",
	    "render_count_update_failed" } },
	{ "20",
	  OTLOG_SEVERITY_ERROR,
	  { "args_update_failed", "args_update_remains_failed", "get_unique_value_counts_failed", "pivot_edit_failed",
	    "plotly_define_failed", "sort_edit_failed", "write_analysis_to_replay_to_mitosheet_call_failed" } },
	{ "21",
	  OTLOG_SEVERITY_ERROR2,
	  { "dataframe_import_edit_failed", "excel_import_edit_failed", "get_dataframe_as_excel_failed",
	    "get_defined_df_names_failed", "get_excel_file_metadata_failed", "simple_import_edit_failed" } },
	{ "22",
	  OTLOG_SEVERITY_ERROR2,
	  { "overwrite_analysis_to_replay_to_mitosheet_call_failed", "replay_analysis_update_failed",
	    "replayed_nonexistant_analysis_failed" } },
	{ "50", OTLOG_SEVERITY_FATAL, { "frontend_render_failed", "mitosheet_sheet_call_failed" } },
	{ "-1",
	  OTLOG_SEVERITY_ERROR,
	  { "", "merge_edit", "merge_edit_failed ", "Merge_edit_failed", "sort_edit_faile", "\xff",
	    "something_failed" } },
};

static void
the_failed_event_gives_code_and_severity(void **state)
{
	size_t known = 0;
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		for (const char *const *failed = table[i].failed; *failed; failed++) {
			assert_int_equal(mito_severity_code(*failed), atoi(table[i].code));
			mito_log(out.logger,
			         &(mito_event){
				     .event = MITO_EVENT_ERROR,
				     .params = OTLOG_ATTRS(OTLOG_KV("x", 1), OTLOG_KV("failed_log_event", *failed)) });
			emitted_assert_text(&out, "mito.error_severity_code", table[i].code);
			assert_int_equal(emitted_view(&out).severity, table[i].severity);
			known += strcmp(table[i].code, "-1") != 0;
		}
	}
	assert_int_equal(known, 37);
	assert_int_equal(mito_severity_code(NULL), -1);
}

static void
a_code_that_is_given_wins(void **state)
{
	static const char *const events[] = { MITO_EVENT_ERROR, MITO_EVENT_FRONTEND_RENDER_FAILED, "sort_edit", NULL };
	(void)state;
	for (size_t e = 0; e < 4; e++) {
		for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
			mito_log(out.logger, &(mito_event){ .event = events[e],
			                                    .error_severity_code = table[i].code,
			                                    .params = OTLOG_ATTRS(OTLOG_KV(
								"failed_log_event", "mitosheet_sheet_call_failed")) });
			emitted_assert_text(&out, "mito.error_severity_code", table[i].code);
			assert_int_equal(emitted_view(&out).severity, table[i].severity);
		}
	}
	static const char *const unknown[] = { "", "7", "010", " 10", "ten", "−1" };
	for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
		mito_log(out.logger, &(mito_event){ .event = "error", .error_severity_code = unknown[i] });
		emitted_assert_text(&out, "mito.error_severity_code", unknown[i]);
		assert_int_equal(emitted_view(&out).severity, OTLOG_SEVERITY_ERROR);
	}
}

static void
errors_without_a_failed_event_have_a_code_too(void **state)
{
	(void)state;
	mito_log(out.logger, &(mito_event){ .event = MITO_EVENT_ERROR });
	emitted_assert_text(&out, "mito.error_severity_code", "-1");
	assert_int_equal(emitted_view(&out).severity, OTLOG_SEVERITY_ERROR);
	mito_log(out.logger, &(mito_event){ .event = MITO_EVENT_FRONTEND_RENDER_FAILED });
	emitted_assert_text(&out, "mito.error_severity_code", "50");
	assert_int_equal(emitted_view(&out).severity, OTLOG_SEVERITY_FATAL);
	/* No text. */
	mito_log(out.logger,
	         &(mito_event){ .event = MITO_EVENT_ERROR, .params = OTLOG_ATTRS(OTLOG_KV("failed_log_event", 10)) });
	emitted_assert_text(&out, "mito.error_severity_code", "-1");
	/* Of two, the last one is sent, so it counts. */
	mito_log(out.logger, &(mito_event){ .event = MITO_EVENT_ERROR,
	                                    .params = OTLOG_ATTRS(OTLOG_KV("failed_log_event", "sort_edit_failed"),
	                                                          OTLOG_KV("failed_log_event", "melt_edit_failed")) });
	emitted_assert_text(&out, "mito.error_severity_code", "11");
	mito_log(out.logger, &(mito_event){ .event = MITO_EVENT_ERROR, .params = { NULL, 5 } });
	emitted_assert_text(&out, "mito.error_severity_code", "-1");
}

static void
only_a_line_with_a_type_is_split(void **state)
{
	static const char *const split[][3] = {
		{ "KeyError: 'a'", "KeyError", "'a'" },
		{ "a.b_c.D2: x: y", "a.b_c.D2", "x: y" },
		{ "_E: ", "_E", "" },
		{ "E:  two\nlines", "E", " two\nlines" },
	};
	static const char *const whole[] = {
		"",         "KeyboardInterrupt", "KeyError:", "KeyError:x", "Key Error: x", ": x",
		".E: x",    "a..E: x",           "a.: x",     "2E: x",      "a.2: x",       "É: x",
		"E\xff: x", "pkg::E: x",         " E: x"
	};
	(void)state;
	for (size_t i = 0; i < sizeof split / sizeof split[0]; i++) {
		mito_log(out.logger, &(mito_event){ .error_traceback_last_line = split[i][0] });
		emitted_assert_text(&out, "exception.type", split[i][1]);
		emitted_assert_text(&out, "exception.message", split[i][2]);
		emitted_assert_text(&out, "mito.error_traceback_last_line", NULL);
	}
	for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
		otlog_value_view value;
		mito_log(out.logger, &(mito_event){ .error_traceback_last_line = whole[i] });
		assert_int_equal(emitted_attribute_count(&out), 1);
		assert_true(emitted_find(&out, "mito.error_traceback_last_line", &value));
		assert_slice(value.as.bytes, whole[i]);
	}
}

static void
a_time_that_the_record_cannot_say_is_kept_as_text(void **state)
{
	static const char *const texts[] = { "2600-01-01T00:00:00Z",
		                             "1970-01-01T00:00:00Z",
		                             "1969-12-31T23:59:59Z",
		                             "2554-07-21T23:34:34Z",
		                             "yesterday",
		                             "" };
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		mito_log(out.logger, &(mito_event){ .timestamp_gmt = texts[i] });
		assert_true(emitted_view(&out).time_unix_nano == 0);
		emitted_assert_text(&out, "mito.timestamp_gmt", texts[i]);
		mito_log(out.logger, &(mito_event){ .timestamp_unix_nano = 5, .timestamp_gmt = texts[i] });
		assert_true(emitted_view(&out).time_unix_nano == 5);
		assert_int_equal(emitted_attribute_count(&out), 0);
	}
	mito_log(out.logger, &(mito_event){ .timestamp_gmt = "1970-01-01T00:00:01Z" });
	assert_true(emitted_view(&out).time_unix_nano == 1000000000);
	assert_int_equal(emitted_attribute_count(&out), 0);
}

static void
a_name_that_the_record_cannot_say_is_kept_as_text(void **state)
{
	char name[400];
	otlog_value_view value;
	(void)state;
	memset(name, 'n', sizeof name);
	name[sizeof name - 1] = '\0';
	mito_log(out.logger, &(mito_event){ .event = name });
	assert_int_equal(emitted_view(&out).event_name.size, 256);
	emitted_assert_text(&out, "mito.event", name);
	name[251] = '\0';
	mito_log(out.logger, &(mito_event){ .event = name });
	assert_int_equal(emitted_view(&out).event_name.size, 256);
	emitted_assert_text(&out, "mito.event", NULL);
	mito_log(out.logger, &(mito_event){ .event = "\xff" });
	assert_slice(emitted_view(&out).event_name, "mito.\xef\xbf\xbd");
	assert_true(emitted_find(&out, "mito.event", &value));
	assert_int_equal(value.type, OTLOG_VALUE_BYTES);
	assert_slice(value.as.bytes, "\xff");
}

static void
nothing_is_no_event(void **state)
{
	emitted quiet;
	const mito_event event = { .params = { NULL, 3 },
		                   .versions = { NULL, 3 },
		                   .extra = { NULL, 3 },
		                   .error_traceback = NULL,
		                   .error_traceback_count = 3 };
	(void)state;
	assert_int_equal(mito_log(out.logger, NULL), OTLOG_EMIT_INVALID);
	assert_int_equal(out.null_count, 1);
	assert_int_equal(mito_log(NULL, &event), OTLOG_EMIT_DISABLED);
	assert_int_equal(mito_log(out.logger, &event), OTLOG_EMIT_ACCEPTED);
	assert_int_equal(emitted_attribute_count(&out), 0);
	assert_int_equal(mito_log_sized(out.logger, &event, 0), OTLOG_EMIT_ACCEPTED);
	emitted_open(&quiet, OTLOG_SEVERITY_ERROR);
	assert_int_equal(mito_log(quiet.logger, &event), OTLOG_EMIT_FILTERED);
	assert_int_equal(mito_log(quiet.logger, &(mito_event){ .event = "error", .error_severity_code = "10" }),
	                 OTLOG_EMIT_FILTERED);
	assert_int_equal(mito_log(quiet.logger, &(mito_event){ .event = "error" }), OTLOG_EMIT_ACCEPTED);
	emitted_close(&quiet);
}

static void
callers_of_other_versions_pass_shorter_and_longer_events(void **state)
{
	(void)state;
	struct {
		mito_event event;
		uint64_t more[4];
	} longer = { .event = { .event = "sort_edit" }, .more = { 1, 2, 3, 4 } };
	mito_log_sized(out.logger, &longer.event, sizeof longer);
	assert_slice(emitted_view(&out).event_name, "mito.sort_edit");
	const size_t size = offsetof(mito_event, params);
	mito_event *shorter = malloc(size);
	assert_non_null(shorter);
	memcpy(shorter, &(mito_event){ .event = "melt_edit", .timestamp_unix_nano = 9 }, size);
	mito_log_sized(out.logger, shorter, size);
	assert_slice(emitted_view(&out).event_name, "mito.melt_edit");
	assert_true(emitted_view(&out).time_unix_nano == 9);
	free(shorter);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, emitted_setup, emitted_teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_edit_becomes_the_record_that_is_documented),
		TEST(an_error_becomes_an_exception),
		TEST(the_empty_event_is_a_record),
		TEST(every_edit_has_its_name_and_is_info),
		TEST(the_failed_event_gives_code_and_severity),
		TEST(a_code_that_is_given_wins),
		TEST(errors_without_a_failed_event_have_a_code_too),
		TEST(only_a_line_with_a_type_is_split),
		TEST(a_time_that_the_record_cannot_say_is_kept_as_text),
		TEST(a_name_that_the_record_cannot_say_is_kept_as_text),
		TEST(nothing_is_no_event),
		TEST(callers_of_other_versions_pass_shorter_and_longer_events),
	};
	return cmocka_run_group_tests_name("mito", tests, NULL, NULL);
}
