/* The uploader's table of severity codes. */
#include "sdk/events/mito_model.h"

static const otlog__mito_code codes[] = {
	{ -1, OTLOG_SEVERITY_ERROR, "-1" },  { 0, OTLOG_SEVERITY_WARN, "0" },    { 10, OTLOG_SEVERITY_WARN2, "10" },
	{ 11, OTLOG_SEVERITY_WARN2, "11" },  { 20, OTLOG_SEVERITY_ERROR, "20" }, { 21, OTLOG_SEVERITY_ERROR2, "21" },
	{ 22, OTLOG_SEVERITY_ERROR2, "22" }, { 50, OTLOG_SEVERITY_FATAL, "50" },
};
#define CODES (sizeof codes / sizeof codes[0])

/* The events of each code, each with a space behind it. One text needs no relocations, unlike a table of pointers. */
static const char failures[] =
    /* -1 */
    "\n"
    /* 0 */ "merge_edit_failed \n"
    /* 10 */
    "ai_transformation_edit_failed change_column_dtype_edit_failed filter_column_edit_failed graph_edit_failed "
    "mitosheet_sheet_call_location_failed rename_column_edit_failed replace_edit_failed "
    "set_column_formula_edit_failed \n"
    /* 11 */
    "append_user_field_update_failed dataframe_delete_edit_failed dataframe_rename_edit_failed "
    "delete_column_edit_failed delete_row_edit_failed get_column_summary_graph_failed graph_rename_edit_failed "
    "melt_edit_failed one_hot_encoding_edit_failed render_count_update_failed \n"
    /* 20 */
    "args_update_failed args_update_remains_failed get_unique_value_counts_failed pivot_edit_failed "
    "plotly_define_failed sort_edit_failed write_analysis_to_replay_to_mitosheet_call_failed \n"
    /* 21 */
    "dataframe_import_edit_failed excel_import_edit_failed get_dataframe_as_excel_failed "
    "get_defined_df_names_failed get_excel_file_metadata_failed simple_import_edit_failed \n"
    /* 22 */
    "overwrite_analysis_to_replay_to_mitosheet_call_failed replay_analysis_update_failed "
    "replayed_nonexistant_analysis_failed \n"
    /* 50 */
    "frontend_render_failed mitosheet_sheet_call_failed \n";

const otlog__mito_code *
otlog__mito_code_of_failure(const char *name, size_t size)
{
	size_t code = 0;
	for (const char *at = failures; *at; at++) {
		const char *word = at;
		while (*at != ' ' && *at != '\n')
			at++;
		if (*at == '\n')
			code++;
		else if ((size_t)(at - word) == size && memcmp(word, name, size) == 0)
			return &codes[code];
	}
	return &codes[0];
}

const otlog__mito_code *
otlog__mito_code_of_text(const char *text)
{
	for (size_t i = 0; i < CODES; i++)
		if (strcmp(codes[i].text, text) == 0)
			return &codes[i];
	return &codes[0];
}

int
mito_severity_code(const char *failed_log_event)
{
	return failed_log_event ? otlog__mito_code_of_failure(failed_log_event, strlen(failed_log_event))->number : -1;
}
