/* Bonito entries become the records that otlog/bonito.h says. */
#include "tests/support/records/emitted.h"
#include "tests/support/records/samples.h"
#include "tests/support/records/values.h"
#include "tests/support/harness/cmocka.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>

static void
assert_ids(const char *trace_id, const char *span_id)
{
	char hex[33];
	const otlog_record_view view = emitted_view(&out);
	assert_int_equal(view.trace_id.size, strlen(trace_id) / 2);
	for (size_t i = 0; i < view.trace_id.size; i++)
		snprintf(hex + 2 * i, 3, "%02x", view.trace_id.data[i]);
	assert_true(view.trace_id.size == 0 || strcmp(hex, trace_id) == 0);
	assert_int_equal(view.span_id.size, strlen(span_id) / 2);
	for (size_t i = 0; i < view.span_id.size; i++)
		snprintf(hex + 2 * i, 3, "%02x", view.span_id.data[i]);
	assert_true(view.span_id.size == 0 || strcmp(hex, span_id) == 0);
}

static void
an_entry_becomes_the_record_that_is_documented(void **state)
{
	(void)state;
	samples s;
	samples_fill(&s);
	assert_int_equal(bonito_emit(out.logger, &s.bonito[0]), OTLOG_EMIT_ACCEPTED);

	const otlog_record_view view = emitted_view(&out);
	otlog_value_view value;
	assert_slice(view.event_name, "bonito.gateway.request");
	assert_true(view.time_unix_nano == UINT64_C(1772442845000000000));
	assert_true(view.observed_time_unix_nano == EMITTED_NOW);
	assert_int_equal(view.severity, 9);
	assert_slice(view.severity_text, "info");
	assert_int_equal(view.body.type, OTLOG_VALUE_STRING);
	assert_slice(view.body.as.bytes, "Completed chat completion request");
	assert_ids("0af7651916cd43dd8448eb211c80319c", "");
	assert_int_equal(emitted_attribute_count(&out), 14);
	emitted_assert_text(&out, "bonito.log_type", "gateway");
	emitted_assert_text(&out, "bonito.event_type", "request");
	emitted_assert_text(&out, "bonito.org_id", "5f0f4c1e-7b1c-4f0a-9a55-0a4f0f6b8d21");
	emitted_assert_text(&out, "user.id", "c3a1b7de-2f5e-4d9b-8c3a-77b9e0f4a610");
	emitted_assert_text(&out, "bonito.resource_id", "9d4b3c1a-6e0f-4b7e-9f7d-2c8d51a0e7b3");
	emitted_assert_text(&out, "bonito.resource_type", "model");
	emitted_assert_text(&out, "bonito.action", "execute");
	emitted_assert_int64(&out, "bonito.duration_ms", 2500);
	assert_true(emitted_find(&out, "bonito.cost", &value));
	assert_int_equal(value.type, OTLOG_VALUE_DOUBLE);
	assert_true(value.as.float64 == 0.045);
	emitted_assert_text(&out, "gen_ai.request.model", "gpt-4o");
	emitted_assert_text(&out, "gen_ai.provider.name", "openai");
	emitted_assert_text(&out, "bonito.metadata.status", "success");
	emitted_assert_int64(&out, "gen_ai.usage.input_tokens", 1200);
	emitted_assert_int64(&out, "gen_ai.usage.output_tokens", 300);
	emitted_assert_text(&out, "bonito.trace_id", NULL);
}

static void
the_empty_entry_is_a_record(void **state)
{
	(void)state;
	assert_int_equal(bonito_emit(out.logger, &(bonito_entry){ 0 }), OTLOG_EMIT_ACCEPTED);
	const otlog_record_view view = emitted_view(&out);
	assert_slice(view.event_name, "bonito.unknown.unknown");
	assert_int_equal(view.severity, 9);
	assert_slice(view.severity_text, "info");
	assert_true(view.time_unix_nano == 0);
	assert_int_equal(view.body.type, OTLOG_VALUE_EMPTY);
	assert_int_equal(emitted_attribute_count(&out), 0);
	assert_ids("", "");
}

static void
empty_texts_are_sent_and_null_ones_are_not(void **state)
{
	(void)state;
	bonito_emit(out.logger, &(bonito_entry){ .org_id = "",
	                                         .log_type = "",
	                                         .event_type = "",
	                                         .trace_id = "",
	                                         .user_id = "",
	                                         .resource_id = "",
	                                         .resource_type = "",
	                                         .action = "",
	                                         .message = "" });
	const otlog_record_view view = emitted_view(&out);
	assert_int_equal(emitted_attribute_count(&out), 8);
	emitted_assert_text(&out, "bonito.trace_id", "");
	emitted_assert_text(&out, "user.id", "");
	assert_slice(view.event_name, "bonito.unknown.unknown");
	assert_int_equal(view.body.type, OTLOG_VALUE_STRING);
	assert_int_equal(view.body.as.bytes.size, 0);
}

static void
every_kind_of_event_has_its_name(void **state)
{
	static const char *const kinds[][3] = {
		{ BONITO_LOG_GATEWAY, BONITO_EVENT_GATEWAY_REQUEST, "bonito.gateway.request" },
		{ BONITO_LOG_GATEWAY, BONITO_EVENT_GATEWAY_ERROR, "bonito.gateway.error" },
		{ BONITO_LOG_GATEWAY, BONITO_EVENT_GATEWAY_RATE_LIMIT, "bonito.gateway.rate_limit" },
		{ BONITO_LOG_GATEWAY, BONITO_EVENT_GATEWAY_PROVIDER_FAILOVER, "bonito.gateway.provider_failover" },
		{ BONITO_LOG_AUTH, BONITO_EVENT_AUTH_LOGIN, "bonito.auth.login" },
		{ BONITO_LOG_AUTH, BONITO_EVENT_AUTH_LOGOUT, "bonito.auth.logout" },
		{ BONITO_LOG_AUTH, BONITO_EVENT_AUTH_TOKEN_REFRESH, "bonito.auth.token_refresh" },
		{ BONITO_LOG_AUTH, BONITO_EVENT_AUTH_SSO_AUTH, "bonito.auth.sso_auth" },
		{ BONITO_LOG_AUTH, BONITO_EVENT_AUTH_FAILED_AUTH, "bonito.auth.failed_auth" },
		{ BONITO_LOG_ADMIN, BONITO_EVENT_ADMIN_USER_INVITE, "bonito.admin.user_invite" },
		{ BONITO_LOG_ADMIN, BONITO_EVENT_ADMIN_ROLE_CHANGE, "bonito.admin.role_change" },
		{ BONITO_LOG_ADMIN, BONITO_EVENT_ADMIN_CONFIG_CHANGE, "bonito.admin.config_change" },
		{ BONITO_LOG_ADMIN, BONITO_EVENT_ADMIN_POLICY_UPDATE, "bonito.admin.policy_update" },
		{ BONITO_LOG_KB, BONITO_EVENT_KB_UPLOAD, "bonito.kb.upload" },
		{ BONITO_LOG_KB, BONITO_EVENT_KB_SEARCH, "bonito.kb.search" },
		{ BONITO_LOG_KB, BONITO_EVENT_KB_DELETE, "bonito.kb.delete" },
		{ BONITO_LOG_KB, BONITO_EVENT_KB_INGESTION, "bonito.kb.ingestion" },
		{ BONITO_LOG_AGENT, BONITO_EVENT_AGENT_EXECUTE, "bonito.agent.execute" },
		{ BONITO_LOG_AGENT, BONITO_EVENT_AGENT_TOOL_USE, "bonito.agent.tool_use" },
		{ BONITO_LOG_AGENT, BONITO_EVENT_AGENT_ERROR, "bonito.agent.error" },
		{ BONITO_LOG_DEPLOYMENT, BONITO_EVENT_DEPLOYMENT_CREATE, "bonito.deployment.create" },
		{ BONITO_LOG_DEPLOYMENT, BONITO_EVENT_DEPLOYMENT_UPDATE, "bonito.deployment.update" },
		{ BONITO_LOG_DEPLOYMENT, BONITO_EVENT_DEPLOYMENT_DELETE, "bonito.deployment.delete" },
		{ BONITO_LOG_DEPLOYMENT, BONITO_EVENT_DEPLOYMENT_STATUS_CHANGE, "bonito.deployment.status_change" },
		{ BONITO_LOG_BILLING, BONITO_EVENT_BILLING_USAGE_CALCULATION, "bonito.billing.usage_calculation" },
		{ BONITO_LOG_BILLING, BONITO_EVENT_BILLING_INVOICE_GENERATION, "bonito.billing.invoice_generation" },
		{ BONITO_LOG_BILLING, BONITO_EVENT_BILLING_COST_ALERT, "bonito.billing.cost_alert" },
		{ "weather", "rain", "bonito.weather.rain" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		bonito_emit(out.logger, &(bonito_entry){ .log_type = kinds[i][0], .event_type = kinds[i][1] });
		assert_slice(emitted_view(&out).event_name, kinds[i][2]);
		emitted_assert_text(&out, "bonito.log_type", kinds[i][0]);
		emitted_assert_text(&out, "bonito.event_type", kinds[i][1]);
	}
}

static void
severities_have_their_number_and_text(void **state)
{
	static const struct {
		int severity, number;
		const char *text;
	} rows[] = { { BONITO_SEVERITY_DEFAULT, 9, "info" },
		     { BONITO_SEVERITY_DEBUG, 5, "debug" },
		     { BONITO_SEVERITY_INFO, 9, "info" },
		     { BONITO_SEVERITY_WARN, 13, "warn" },
		     { BONITO_SEVERITY_ERROR, 17, "error" },
		     { BONITO_SEVERITY_CRITICAL, 21, "critical" },
		     { 6, 9, "info" },
		     { INT_MAX, 9, "info" } };
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		bonito_emit(out.logger, &(bonito_entry){ .severity = (bonito_severity)rows[i].severity });
		assert_int_equal(emitted_view(&out).severity, rows[i].number);
		assert_slice(emitted_view(&out).severity_text, rows[i].text);
		assert_string_equal(bonito_severity_text((bonito_severity)rows[i].severity), rows[i].text);
		if (rows[i].severity >= BONITO_SEVERITY_DEBUG && rows[i].severity <= BONITO_SEVERITY_CRITICAL)
			assert_int_equal(bonito_severity_from_text(rows[i].text), rows[i].severity);
	}
	assert_int_equal(bonito_severity_from_text(NULL), BONITO_SEVERITY_DEFAULT);
	assert_int_equal(bonito_severity_from_text("INFO"), BONITO_SEVERITY_DEFAULT);
	assert_int_equal(bonito_severity_from_text(""), BONITO_SEVERITY_DEFAULT);
}

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define OTHER_TRACE "11111111111111111111111111111111"
#define SPAN "b7ad6b7169203331"

static void
a_trace_id_takes_the_span_only_of_its_own_trace(void **state)
{
	(void)state;
	const bonito_entry with = { .trace_id = SAMPLE_TRACE_ID }, without = { 0 };
	bonito_emit(out.logger, &with);
	assert_ids(TRACE, "");
	assert_int_equal(emitted_view(&out).flags, 0);

	otlog_context_token token = otlog_context_attach_traceparent("00-" TRACE "-" SPAN "-01");
	bonito_emit(out.logger, &with);
	assert_ids(TRACE, SPAN);
	assert_int_equal(emitted_view(&out).flags, 1);
	bonito_emit(out.logger, &without);
	assert_ids(TRACE, SPAN);
	otlog_context_detach(token);

	token = otlog_context_attach_traceparent("00-" OTHER_TRACE "-" SPAN "-01");
	bonito_emit(out.logger, &with);
	assert_ids(TRACE, "");
	assert_int_equal(emitted_view(&out).flags, 0);
	bonito_emit(out.logger, &without);
	assert_ids(OTHER_TRACE, SPAN);
	otlog_context_detach(token);
}

static void
a_trace_id_that_is_written_otherwise_is_kept_as_text_too(void **state)
{
	static const char *const others[] = { "0AF76519-16CD-43DD-8448-EB211C80319C",
		                              "0af76519-16cd-43dd-8448-eb211c80319C", TRACE,
		                              "0AF7651916CD43DD8448EB211C80319C" };
	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		bonito_emit(out.logger, &(bonito_entry){ .trace_id = others[i] });
		assert_ids(TRACE, "");
		emitted_assert_text(&out, "bonito.trace_id", others[i]);
	}
	bonito_emit(out.logger, &(bonito_entry){ .trace_id = SAMPLE_TRACE_ID });
	emitted_assert_text(&out, "bonito.trace_id", NULL);
}

static void
what_is_no_uuid_is_kept_as_text_beside_the_current_trace(void **state)
{
	static const char *const texts[] = {
		"",
		"x",
		"00000000-0000-0000-0000-000000000000",
		"00000000000000000000000000000000",
		"{0af76519-16cd-43dd-8448-eb211c80319c}",
		"0af76519-16cd-43dd-8448-eb211c80319",
		"0af76519-16cd-43dd-8448-eb211c80319c0",
		"0af7651916cd-43dd-8448-eb211c80319c--",
		"0af7651-916cd-43dd-8448-eb211c80319c",
		"0af76519-16cd-43dd-8448-eb211c80319g",
		"0af76519 16cd 43dd 8448 eb211c80319c",
		"urn:uuid:0af76519-16cd-43dd-8448-eb211c80319c",
		"-----------------------------------",
		"0af7651916cd43dd8448eb211c80319/",
		"0af7651916cd43dd8448eb211c80319`",
	};
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		const otlog_context_token token = otlog_context_attach_traceparent("00-" OTHER_TRACE "-" SPAN "-01");
		bonito_emit(out.logger, &(bonito_entry){ .trace_id = texts[i] });
		otlog_context_detach(token);
		assert_ids(OTHER_TRACE, SPAN);
		emitted_assert_text(&out, "bonito.trace_id", texts[i]);
	}
}

static void
only_gateway_and_agent_metadata_have_names_of_their_own(void **state)
{
	static const char *const types[] = {
		"auth", "admin", "kb", "deployment", "billing", "Gateway", "agents", NULL
	};
	(void)state;
	bonito_entry entry = { .metadata = OTLOG_ATTRS(OTLOG_KV("model", "m"), OTLOG_KV("provider", "p"),
		                                       OTLOG_KV("input_tokens", 1), OTLOG_KV("output_tokens", 2),
		                                       OTLOG_KV("models", 3)) };
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		entry.log_type = types[i];
		bonito_emit(out.logger, &entry);
		emitted_assert_text(&out, "bonito.metadata.model", "m");
		emitted_assert_text(&out, "bonito.metadata.provider", "p");
		emitted_assert_int64(&out, "bonito.metadata.input_tokens", 1);
		emitted_assert_int64(&out, "bonito.metadata.output_tokens", 2);
		emitted_assert_text(&out, "gen_ai.request.model", NULL);
	}
	for (size_t i = 0; i < 2; i++) {
		entry.log_type = i ? "agent" : "gateway";
		bonito_emit(out.logger, &entry);
		emitted_assert_text(&out, "gen_ai.request.model", "m");
		emitted_assert_text(&out, "gen_ai.provider.name", "p");
		emitted_assert_int64(&out, "gen_ai.usage.input_tokens", 1);
		emitted_assert_int64(&out, "gen_ai.usage.output_tokens", 2);
		emitted_assert_int64(&out, "bonito.metadata.models", 3);
		emitted_assert_text(&out, "bonito.metadata.model", NULL);
	}
}

static void
a_long_event_name_is_cut_at_a_character(void **state)
{
	char type[300];
	(void)state;
	/* "bonito." and 248 bytes are 255: the two bytes of é do not fit. */
	memset(type, 'x', sizeof type);
	memcpy(type + 248, "é", sizeof "é");
	bonito_emit(out.logger, &(bonito_entry){ .log_type = type, .event_type = "y" });
	assert_int_equal(emitted_view(&out).event_name.size, 255);
	emitted_assert_text(&out, "bonito.log_type", type);
	emitted_assert_text(&out, "bonito.event_type", "y");

	memset(type, 'x', sizeof type);
	type[sizeof type - 1] = '\0';
	bonito_emit(out.logger, &(bonito_entry){ .log_type = "a", .event_type = type });
	assert_int_equal(emitted_view(&out).event_name.size, 256);
	emitted_assert_text(&out, "bonito.event_type", type);

	/* Exactly 256 bytes are not cut. */
	type[247] = '\0';
	bonito_emit(out.logger, &(bonito_entry){ .log_type = type, .event_type = "z" });
	assert_int_equal(emitted_view(&out).event_name.size, 256);
	assert_int_equal(emitted_view(&out).event_name.data[255], 'z');
}

static void
odd_numbers_are_sent_as_they_are(void **state)
{
	(void)state;
	otlog_value_view value;
	bonito_emit(
	    out.logger,
	    &(bonito_entry){ .timestamp_unix_nano = UINT64_MAX, .duration_ms = OTLOG_OPT(-5), .cost = OTLOG_OPT(NAN) });
	assert_true(emitted_view(&out).time_unix_nano == UINT64_MAX);
	emitted_assert_int64(&out, "bonito.duration_ms", -5);
	assert_true(emitted_find(&out, "bonito.cost", &value) && isnan(value.as.float64));
	bonito_emit(out.logger, &(bonito_entry){ .duration_ms = OTLOG_OPT(0), .cost = OTLOG_OPT(0) });
	emitted_assert_int64(&out, "bonito.duration_ms", 0);
	assert_true(emitted_find(&out, "bonito.cost", &value) && value.as.float64 == 0);
}

static void
ten_thousand_metadata_leave_what_the_limit_has_room_for(void **state)
{
	enum { MANY = 10000 };
	static char keys[MANY][8];
	static otlog_attr items[MANY];
	(void)state;
	for (int i = 0; i < MANY; i++) {
		snprintf(keys[i], sizeof keys[i], "k%d", i);
		items[i] = OTLOG_KV(keys[i], i);
	}
	const bonito_entry entry = { .org_id = "o", .log_type = "kb", .metadata = { items, MANY } };
	assert_int_equal(bonito_emit(out.logger, &entry), OTLOG_EMIT_ACCEPTED);
	assert_int_equal(emitted_attribute_count(&out), 128);
	assert_int_equal(emitted_view(&out).dropped_attributes_count, MANY + 2 - 128);
	emitted_assert_text(&out, "bonito.org_id", "o");
	emitted_assert_int64(&out, "bonito.metadata.k125", 125);
}

static void
nothing_is_no_entry(void **state)
{
	(void)state;
	const bonito_entry entry = { .metadata = { NULL, 3 } };
	assert_int_equal(bonito_emit(out.logger, NULL), OTLOG_EMIT_INVALID);
	assert_int_equal(out.null_count, 1);
	assert_int_equal(out.count, 0);
	assert_int_equal(bonito_emit(NULL, &entry), OTLOG_EMIT_DISABLED);
	assert_int_equal(bonito_emit(NULL, NULL), OTLOG_EMIT_DISABLED);
	/* A list without its items is an empty one. */
	assert_int_equal(bonito_emit(out.logger, &entry), OTLOG_EMIT_ACCEPTED);
	assert_int_equal(emitted_attribute_count(&out), 0);
}

static void
the_minimum_severity_decides_first(void **state)
{
	emitted warn;
	(void)state;
	emitted_open(&warn, OTLOG_SEVERITY_WARN);
	assert_int_equal(bonito_emit(warn.logger, &(bonito_entry){ 0 }), OTLOG_EMIT_FILTERED);
	assert_int_equal(warn.count, 0);
	assert_int_equal(bonito_emit(warn.logger, &(bonito_entry){ .severity = BONITO_SEVERITY_WARN }),
	                 OTLOG_EMIT_ACCEPTED);
	assert_true(otlog__registry_bind(warn.registry, NULL, NULL, 0));
	assert_int_equal(bonito_emit(warn.logger, &(bonito_entry){ .severity = BONITO_SEVERITY_CRITICAL }),
	                 OTLOG_EMIT_DISABLED);
	emitted_close(&warn);
}

static void
callers_of_other_versions_pass_shorter_and_longer_entries(void **state)
{
	(void)state;
	struct {
		bonito_entry entry;
		uint64_t more[4];
	} longer = { .entry = { .org_id = "o", .message = "m" }, .more = { 1, 2, 3, 4 } };
	assert_int_equal(bonito_emit_sized(out.logger, &longer.entry, sizeof longer), OTLOG_EMIT_ACCEPTED);
	emitted_assert_text(&out, "bonito.org_id", "o");
	assert_slice(emitted_view(&out).body.as.bytes, "m");

	/* A block of just that size: the sanitizer sees any byte read behind it. */
	const size_t size = offsetof(bonito_entry, trace_id);
	bonito_entry *shorter = malloc(size);
	assert_non_null(shorter);
	memcpy(shorter, &(bonito_entry){ .org_id = "p", .severity = BONITO_SEVERITY_ERROR }, size);
	assert_int_equal(bonito_emit_sized(out.logger, shorter, size), OTLOG_EMIT_ACCEPTED);
	emitted_assert_text(&out, "bonito.org_id", "p");
	assert_int_equal(emitted_view(&out).severity, 17);
	assert_int_equal(emitted_attribute_count(&out), 1);
	assert_int_equal(bonito_emit_sized(out.logger, shorter, 0), OTLOG_EMIT_ACCEPTED);
	assert_int_equal(emitted_attribute_count(&out), 0);
	free(shorter);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, emitted_setup, emitted_teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_entry_becomes_the_record_that_is_documented),
		TEST(the_empty_entry_is_a_record),
		TEST(empty_texts_are_sent_and_null_ones_are_not),
		TEST(every_kind_of_event_has_its_name),
		TEST(severities_have_their_number_and_text),
		TEST(a_trace_id_takes_the_span_only_of_its_own_trace),
		TEST(a_trace_id_that_is_written_otherwise_is_kept_as_text_too),
		TEST(what_is_no_uuid_is_kept_as_text_beside_the_current_trace),
		TEST(only_gateway_and_agent_metadata_have_names_of_their_own),
		TEST(a_long_event_name_is_cut_at_a_character),
		TEST(odd_numbers_are_sent_as_they_are),
		TEST(ten_thousand_metadata_leave_what_the_limit_has_room_for),
		TEST(nothing_is_no_entry),
		TEST(the_minimum_severity_decides_first),
		TEST(callers_of_other_versions_pass_shorter_and_longer_entries),
	};
	return cmocka_run_group_tests_name("bonito", tests, NULL, NULL);
}
