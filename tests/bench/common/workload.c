#include "tests/bench/common/workload.h"

otlog_emit_result
bench_emit_r1(otlog_logger *logger)
{
	return bonito_emit(
	    logger,
	    &(bonito_entry){ .org_id = "5f0f4c1e-7b1c-4f0a-9a55-0a4f0f6b8d21",
	                     .log_type = BONITO_LOG_GATEWAY,
	                     .event_type = "request",
	                     .severity = BONITO_SEVERITY_INFO,
	                     .user_id = "c3a1b7de-2f5e-4d9b-8c3a-77b9e0f4a610",
	                     .resource_id = "9d4b3c1a-6e0f-4b7e-9f7d-2c8d51a0e7b3",
	                     .resource_type = "model",
	                     .action = "execute",
	                     .duration_ms = OTLOG_OPT(2500),
	                     .cost = OTLOG_OPT(0.045),
	                     .message = "Completed chat completion request",
	                     .metadata = OTLOG_ATTRS(OTLOG_KV("model", "gpt-4o"), OTLOG_KV("provider", "openai"),
	                                             OTLOG_KV("input_tokens", 1200), OTLOG_KV("output_tokens", 300)) });
}

otlog_emit_result
bench_emit_r2(otlog_logger *logger)
{
	return mito_log(
	    logger,
	    &(mito_event){ .event = MITO_EVENT_RENAME_COLUMN_EDIT,
	                   .params = OTLOG_ATTRS(OTLOG_KV("sheet_index", 0), OTLOG_KV("column_id", "lakeforkpine"),
	                                         OTLOG_KV("new_column_header", "stonebirdcup"),
	                                         OTLOG_KV("public_interface_version", 3)),
	                   .versions = OTLOG_ATTRS(OTLOG_KV("python", "3.11.9"), OTLOG_KV("pandas", "2.2.2"),
	                                           OTLOG_KV("mito", "0.3.131")),
	                   .extra = OTLOG_ATTRS(OTLOG_KV("sheet_name", "Sheet1")) });
}
