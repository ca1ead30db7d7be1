#include "tests/support/records/samples.h"

#include "tests/support/harness/check.h"

#define ORG "5f0f4c1e-7b1c-4f0a-9a55-0a4f0f6b8d21"
#define USER "c3a1b7de-2f5e-4d9b-8c3a-77b9e0f4a610"

static uint64_t
at(const char *time)
{
	uint64_t unix_nano;
	CHECK(mito_parse_timestamp(time, &unix_nano));
	return unix_nano;
}

/* Copies the items into the samples' own store. */
static otlog_attrs
keep(samples *out, otlog_attrs attrs)
{
	otlog_attr *items = out->attrs + out->attr_count;
	CHECK(out->attr_count + attrs.count <= sizeof out->attrs / sizeof out->attrs[0]);
	memcpy(items, attrs.items, attrs.count * sizeof *items);
	out->attr_count += attrs.count;
	return (otlog_attrs){ items, attrs.count };
}

static void
fill_bonito(samples *out)
{
	bonito_entry *e = out->bonito;
	e[0] = (bonito_entry){ ORG,
		               BONITO_LOG_GATEWAY,
		               BONITO_EVENT_GATEWAY_REQUEST,
		               BONITO_SEVERITY_INFO,
		               at("2026-03-02T09:14:05Z"),
		               SAMPLE_TRACE_ID,
		               USER,
		               "9d4b3c1a-6e0f-4b7e-9f7d-2c8d51a0e7b3",
		               "model",
		               "execute",
		               OTLOG_OPT(2500),
		               OTLOG_OPT(0.045),
		               "Completed chat completion request",
		               keep(out, OTLOG_ATTRS(OTLOG_KV("model", "gpt-4o"), OTLOG_KV("provider", "openai"),
		                                     OTLOG_KV("status", "success"), OTLOG_KV("input_tokens", 1200),
		                                     OTLOG_KV("output_tokens", 300))) };
	e[1] = (bonito_entry){ .org_id = ORG,
		               .log_type = BONITO_LOG_AUTH,
		               .event_type = BONITO_EVENT_AUTH_LOGIN,
		               .severity = BONITO_SEVERITY_INFO,
		               .timestamp_unix_nano = at("2026-03-02T09:14:01Z"),
		               .user_id = USER,
		               .action = "execute",
		               .message = "User logged in",
		               .metadata = keep(out, OTLOG_ATTRS(OTLOG_KV("ip_address", "192.0.2.44"),
		                                                 OTLOG_KV("success", otlog_bool(true)))) };
	e[2] = (bonito_entry){ .org_id = ORG,
		               .log_type = BONITO_LOG_ADMIN,
		               .event_type = BONITO_EVENT_ADMIN_USER_INVITE,
		               .severity = BONITO_SEVERITY_INFO,
		               .timestamp_unix_nano = at("2026-03-02T09:15:00Z"),
		               .user_id = USER,
		               .resource_id = "41c7d7a2-58f9-4f0e-a0a5-f2b8f9f8c0d1",
		               .resource_type = "user",
		               .action = "create",
		               .message = "Invited a user",
		               .metadata = keep(out, OTLOG_ATTRS(OTLOG_KV("email", "new.user@example.com"))) };
}

static void
fill_bonito_rest(samples *out)
{
	bonito_entry *e = out->bonito;
	out->tools[0] = otlog_string("search");
	out->tools[1] = otlog_string("calculator");
	e[3] = (bonito_entry){ .org_id = ORG,
		               .log_type = BONITO_LOG_KB,
		               .event_type = BONITO_EVENT_KB_SEARCH,
		               .severity = BONITO_SEVERITY_DEBUG,
		               .timestamp_unix_nano = at("2026-03-02T09:15:10Z"),
		               .trace_id = SAMPLE_TRACE_ID,
		               .user_id = USER,
		               .resource_id = "e2a0a1de-30bb-4f38-8a1e-9a6b3f0c2f77",
		               .resource_type = "kb",
		               .action = "search",
		               .duration_ms = OTLOG_OPT(150),
		               .metadata = keep(out, OTLOG_ATTRS(OTLOG_KV("query", "refund policy"),
		                                                 OTLOG_KV("results_count", 5))) };
	e[4] = (bonito_entry){ .org_id = ORG,
		               .log_type = BONITO_LOG_AGENT,
		               .event_type = BONITO_EVENT_AGENT_EXECUTE,
		               .severity = BONITO_SEVERITY_WARN,
		               .timestamp_unix_nano = at("2026-03-02T09:15:20Z"),
		               .trace_id = SAMPLE_TRACE_ID,
		               .user_id = USER,
		               .resource_id = "7d1f9a11-1f7e-4a38-b0b4-7e0a9d4f3c55",
		               .resource_type = "agent",
		               .action = "execute",
		               .duration_ms = OTLOG_OPT(5000),
		               .cost = OTLOG_OPT(0.12),
		               .metadata = keep(out, OTLOG_ATTRS(OTLOG_KV("tools_used", otlog_array(out->tools, 2)))) };
	e[5] = (bonito_entry){ .org_id = ORG,
		               .log_type = BONITO_LOG_GATEWAY,
		               .event_type = BONITO_EVENT_GATEWAY_PROVIDER_FAILOVER,
		               .severity = BONITO_SEVERITY_ERROR,
		               .timestamp_unix_nano = at("2026-03-02T09:15:31Z"),
		               .trace_id = SAMPLE_TRACE_ID,
		               .resource_type = "model",
		               .action = "execute",
		               .duration_ms = OTLOG_OPT(30000),
		               .cost = OTLOG_OPT(0.0),
		               .message = "Failed over to another provider",
		               .metadata =
		                   keep(out, OTLOG_ATTRS(OTLOG_KV("model", "gpt-4o"), OTLOG_KV("provider", "azure"),
		                                         OTLOG_KV("reason", "timeout"))) };
}

static void
fill_mito_edits(samples *out, otlog_attrs versions)
{
	out->applied_to = OTLOG_KV("type", "entire_column");
	out->mito[1] = (mito_event){ .event = MITO_EVENT_ADD_COLUMN_EDIT,
		                     .timestamp_gmt = "2026-03-02T09:14:09Z",
		                     .params = keep(out, OTLOG_ATTRS(OTLOG_KV("sheet_index", 0),
		                                                     OTLOG_KV("column_header", "lakeforkpine"),
		                                                     OTLOG_KV("column_header_index", 5),
		                                                     OTLOG_KV("public_interface_version", 3))),
		                     .versions = versions };
	out->mito[2] = (mito_event){ .event = MITO_EVENT_RENAME_COLUMN_EDIT,
		                     .timestamp_gmt = "2026-03-02T09:14:13Z",
		                     .params = keep(out, OTLOG_ATTRS(OTLOG_KV("sheet_index", 0),
		                                                     OTLOG_KV("column_id", "lakeforkpine"),
		                                                     OTLOG_KV("new_column_header", "stonebirdcup"),
		                                                     OTLOG_KV("public_interface_version", 3))),
		                     .versions = versions };
	out->mito[3] =
	    (mito_event){ .event = MITO_EVENT_SET_COLUMN_FORMULA_EDIT,
		          .timestamp_gmt = "2026-03-02T09:14:20Z",
		          .params =
		              keep(out, OTLOG_ATTRS(OTLOG_KV("sheet_index", 0), OTLOG_KV("column_id", "lakeforkpine"),
		                                    OTLOG_KV("formula_label", "rowseven"),
		                                    OTLOG_KV("new_formula", "=LEFT(roomhallcaseI[rowseven], 2)"),
		                                    OTLOG_KV("index_labels_formula_is_applied_to",
		                                             otlog_map((otlog_attrs){ &out->applied_to, 1 })),
		                                    OTLOG_KV("cell_editor_location", "cell"),
		                                    OTLOG_KV("public_interface_version", 3))),
		          .versions = versions };
}

static void
fill_mito(samples *out)
{
	static const char last_line[] = "sheet.errors.SheetError: (column_exists_error, Column Already Exists, "
					"a column of that name is there already)";
	static const char *const traceback[] = {
		"Traceback (most recent call last):",
		"  File \"backend.py\", line 210, in receive",
		"    self.handle(event)",
		"  File \"rename_column.py\", line 40, in execute",
		"    raise column_exists(new_header)",
		last_line,
	};
	const otlog_attrs versions = keep(
	    out, OTLOG_ATTRS(OTLOG_KV("python", "3.11.9"), OTLOG_KV("pandas", "2.2.2"), OTLOG_KV("mito", "0.3.131")));
	out->mito[0] =
	    (mito_event){ .event = MITO_EVENT_MITOSHEET_RENDERED,
		          .timestamp_gmt = "2026-03-02T09:14:05Z",
		          .params =
		              keep(out, OTLOG_ATTRS(OTLOG_KV("user_agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) "
		                                                           "Gecko/20100101 Firefox/128.0"))),
		          .versions = versions };
	fill_mito_edits(out, versions);
	out->mito[4] =
	    (mito_event){ .event = MITO_EVENT_ERROR,
		          .timestamp_gmt = "2026-03-02T09:14:26Z",
		          .params =
		              keep(out, OTLOG_ATTRS(OTLOG_KV("failed_log_event", "rename_column_edit_failed"),
		                                    OTLOG_KV("sheet_index", 0), OTLOG_KV("column_id", "treewindroad"),
		                                    OTLOG_KV("new_column_header", "stonebirdcup"),
		                                    OTLOG_KV("public_interface_version", 3))),
		          .versions = versions,
		          .error_traceback = traceback,
		          .error_traceback_count = 6,
		          .error_traceback_last_line = last_line,
		          .error_severity_code = "10" };
}

void
samples_fill(samples *out)
{
	memset(out, 0, sizeof *out);
	fill_bonito(out);
	fill_bonito_rest(out);
	fill_mito(out);
}
