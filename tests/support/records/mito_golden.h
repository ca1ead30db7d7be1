/* What Mito's own uploader writes of the sample session's events, byte for byte: see samples.h. */
#ifndef TESTS_SUPPORT_RECORDS_MITO_GOLDEN_H
#define TESTS_SUPPORT_RECORDS_MITO_GOLDEN_H

#include "tests/support/records/samples.h"

static const char *const mito_golden[SAMPLE_MITO_COUNT] = {
	"{\"params_user_agent\": \"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox"
	"/128.0\", \"version_python\": \"3.11.9\", \"version_pandas\": \"2.2.2\", \"version_mito\":"
	" \"0.3.131\", \"timestamp_gmt\": \"2026-03-02T09:14:05Z\", \"event\": \"mitosheet_rendered"
	"\"}",

	"{\"params_sheet_index\": 0, \"params_column_header\": \"lakeforkpine\", \"params_column_he"
	"ader_index\": 5, \"params_public_interface_version\": 3, \"version_python\": \"3.11.9\", \""
	"version_pandas\": \"2.2.2\", \"version_mito\": \"0.3.131\", \"timestamp_gmt\": \"2026-03-0"
	"2T09:14:09Z\", \"event\": \"add_column_edit\"}",

	"{\"params_sheet_index\": 0, \"params_column_id\": \"lakeforkpine\", \"params_new_column_he"
	"ader\": \"stonebirdcup\", \"params_public_interface_version\": 3, \"version_python\": \"3."
	"11.9\", \"version_pandas\": \"2.2.2\", \"version_mito\": \"0.3.131\", \"timestamp_gmt\": \""
	"2026-03-02T09:14:13Z\", \"event\": \"rename_column_edit\"}",

	"{\"params_sheet_index\": 0, \"params_column_id\": \"lakeforkpine\", \"params_formula_label"
	"\": \"rowseven\", \"params_new_formula\": \"=LEFT(roomhallcaseI[rowseven], 2)\", \"params_"
	"index_labels_formula_is_applied_to\": {\"type\": \"entire_column\"}, \"params_cell_editor_"
	"location\": \"cell\", \"params_public_interface_version\": 3, \"version_python\": \"3.11.9"
	"\", \"version_pandas\": \"2.2.2\", \"version_mito\": \"0.3.131\", \"timestamp_gmt\": \"202"
	"6-03-02T09:14:20Z\", \"event\": \"set_column_formula_edit\"}",

	"{\"params_failed_log_event\": \"rename_column_edit_failed\", \"params_sheet_index\": 0, \""
	"params_column_id\": \"treewindroad\", \"params_new_column_header\": \"stonebirdcup\", \"pa"
	"rams_public_interface_version\": 3, \"error_traceback\": [\"Traceback (most recent call la"
	"st):\", \"  File \\\"backend.py\\\", line 210, in receive\", \"    self.handle(event)\", \""
	"  File \\\"rename_column.py\\\", line 40, in execute\", \"    raise column_exists(new_head"
	"er)\", \"sheet.errors.SheetError: (column_exists_error, Column Already Exists, a column of"
	" that name is there already)\"], \"error_traceback_last_line\": \"sheet.errors.SheetError:"
	" (column_exists_error, Column Already Exists, a column of that name is there already)\", \""
	"version_python\": \"3.11.9\", \"version_pandas\": \"2.2.2\", \"version_mito\": \"0.3.131\""
	", \"timestamp_gmt\": \"2026-03-02T09:14:26Z\", \"event\": \"error\", \"error_severity_code"
	"\": \"10\"}"
};

#endif
