/* The uploader's table of severity codes. */
#include "sdk/events/mito_model.h"

#define NAME(text)                       \
	{                                \
		(text), sizeof(text) - 1 \
	}

/* clang-format off */
static const struct {
	struct { const char *text; size_t size; } name;
	int code;
} codes[] = {
	{ NAME("merge_edit_failed"), 0 },
	{ NAME("ai_transformation_edit_failed"), 10 },
	{ NAME("change_column_dtype_edit_failed"), 10 },
	{ NAME("filter_column_edit_failed"), 10 },
	{ NAME("graph_edit_failed"), 10 },
	{ NAME("mitosheet_sheet_call_location_failed"), 10 },
	{ NAME("rename_column_edit_failed"), 10 },
	{ NAME("replace_edit_failed"), 10 },
	{ NAME("set_column_formula_edit_failed"), 10 },
	{ NAME("append_user_field_update_failed"), 11 },
	{ NAME("dataframe_delete_edit_failed"), 11 },
	{ NAME("dataframe_rename_edit_failed"), 11 },
	{ NAME("delete_column_edit_failed"), 11 },
	{ NAME("delete_row_edit_failed"), 11 },
	{ NAME("get_column_summary_graph_failed"), 11 },
	{ NAME("graph_rename_edit_failed"), 11 },
	{ NAME("melt_edit_failed"), 11 },
	{ NAME("one_hot_encoding_edit_failed"), 11 },
	{ NAME("render_count_update_failed"), 11 },
	{ NAME("args_update_failed"), 20 },
	{ NAME("args_update_remains_failed"), 20 },
	{ NAME("get_unique_value_counts_failed"), 20 },
	{ NAME("pivot_edit_failed"), 20 },
	{ NAME("plotly_define_failed"), 20 },
	{ NAME("sort_edit_failed"), 20 },
	{ NAME("write_analysis_to_replay_to_mitosheet_call_failed"), 20 },
	{ NAME("dataframe_import_edit_failed"), 21 },
	{ NAME("excel_import_edit_failed"), 21 },
	{ NAME("get_dataframe_as_excel_failed"), 21 },
	{ NAME("get_defined_df_names_failed"), 21 },
	{ NAME("get_excel_file_metadata_failed"), 21 },
	{ NAME("simple_import_edit_failed"), 21 },
	{ NAME("overwrite_analysis_to_replay_to_mitosheet_call_failed"), 22 },
	{ NAME("replay_analysis_update_failed"), 22 },
	{ NAME("replayed_nonexistant_analysis_failed"), 22 },
	{ NAME("frontend_render_failed"), 50 },
	{ NAME("mitosheet_sheet_call_failed"), 50 },
};
/* clang-format on */

int
otlog__mito_severity_code(const char *name, size_t size)
{
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
		if (codes[i].name.size == size && memcmp(codes[i].name.text, name, size) == 0)
			return codes[i].code;
	return -1;
}

int
mito_severity_code(const char *failed_log_event)
{
	return failed_log_event ? otlog__mito_severity_code(failed_log_event, strlen(failed_log_event)) : -1;
}
