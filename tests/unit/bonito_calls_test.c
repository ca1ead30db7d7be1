/* Each convenience call makes what bonito_emit makes of the equal entry, byte for byte. */
#include "tests/support/records/emitted.h"
#include "tests/support/records/samples.h"
#include "tests/support/harness/cmocka.h"

static emitted by_call, by_entry;
static samples given;

static int
open_both(void **state)
{
	(void)state;
	emitted_open(&by_call, 0);
	emitted_open(&by_entry, 0);
	return 0;
}

static int
close_both(void **state)
{
	(void)state;
	emitted_close(&by_call);
	emitted_close(&by_entry);
	return 0;
}

/* What the call before emitted is what this entry makes. */
static void
assert_made(const bonito_entry *entry)
{
	assert_int_equal(bonito_emit(by_entry.logger, entry), OTLOG_EMIT_ACCEPTED);
	emitted_assert_same(&by_call, &by_entry);
}

static void
gateway_requests(void **state)
{
	(void)state;
	const bonito_entry *e = &given.bonito[0];
	bonito_log_gateway_request(by_call.logger,
	                           &(bonito_gateway_request){ .org_id = e->org_id,
	                                                      .timestamp_unix_nano = e->timestamp_unix_nano,
	                                                      .trace_id = e->trace_id,
	                                                      .user_id = e->user_id,
	                                                      .resource_id = e->resource_id,
	                                                      .model = "gpt-4o",
	                                                      .provider = "openai",
	                                                      .status = "success",
	                                                      .input_tokens = OTLOG_OPT(1200),
	                                                      .output_tokens = OTLOG_OPT(300),
	                                                      .duration_ms = OTLOG_OPT(2500),
	                                                      .cost = OTLOG_OPT(0.045),
	                                                      .message = "Completed chat completion request" });
	assert_made(e);

	e = &given.bonito[5];
	bonito_log_gateway_request(by_call.logger,
	                           &(bonito_gateway_request){ .org_id = e->org_id,
	                                                      .event_type = BONITO_EVENT_GATEWAY_PROVIDER_FAILOVER,
	                                                      .severity = BONITO_SEVERITY_ERROR,
	                                                      .timestamp_unix_nano = e->timestamp_unix_nano,
	                                                      .trace_id = e->trace_id,
	                                                      .model = "gpt-4o",
	                                                      .provider = "azure",
	                                                      .duration_ms = OTLOG_OPT(30000),
	                                                      .cost = OTLOG_OPT(0),
	                                                      .message = "Failed over to another provider",
	                                                      .metadata = OTLOG_ATTRS(OTLOG_KV("reason", "timeout")) });
	assert_made(e);
}

static void
a_gateway_request_that_fails_is_an_error(void **state)
{
	(void)state;
	bonito_log_gateway_request(
	    by_call.logger,
	    &(bonito_gateway_request){ .status = "timeout", .metadata = OTLOG_ATTRS(OTLOG_KV("status", 504)) });
	/* The caller's own key of that name wins, as a key given twice does. */
	assert_made(&(bonito_entry){ .log_type = "gateway",
	                             .event_type = "request",
	                             .severity = BONITO_SEVERITY_ERROR,
	                             .resource_type = "model",
	                             .action = "execute",
	                             .metadata = OTLOG_ATTRS(OTLOG_KV("status", 504)) });
	bonito_log_gateway_request(by_call.logger, &(bonito_gateway_request){ .status = "cached",
	                                                                      .severity = BONITO_SEVERITY_DEBUG,
	                                                                      .resource_type = "cache",
	                                                                      .action = "read" });
	assert_made(&(bonito_entry){ .log_type = "gateway",
	                             .event_type = "request",
	                             .severity = BONITO_SEVERITY_DEBUG,
	                             .resource_type = "cache",
	                             .action = "read",
	                             .metadata = OTLOG_ATTRS(OTLOG_KV("status", "cached")) });
}

static void
auth_events(void **state)
{
	(void)state;
	const bonito_entry *e = &given.bonito[1];
	bonito_log_auth_event(by_call.logger, &(bonito_auth_event){ .org_id = e->org_id,
	                                                            .event_type = BONITO_EVENT_AUTH_LOGIN,
	                                                            .timestamp_unix_nano = e->timestamp_unix_nano,
	                                                            .user_id = e->user_id,
	                                                            .ip_address = "192.0.2.44",
	                                                            .outcome = BONITO_OUTCOME_SUCCESS,
	                                                            .message = "User logged in" });
	assert_made(e);
	bonito_log_auth_event(by_call.logger, &(bonito_auth_event){ .event_type = BONITO_EVENT_AUTH_FAILED_AUTH,
	                                                            .resource_id = "r",
	                                                            .resource_type = "session",
	                                                            .action = "open",
	                                                            .outcome = BONITO_OUTCOME_FAILURE,
	                                                            .reason = "bad password",
	                                                            .metadata = OTLOG_ATTRS(OTLOG_KV("try", 3)) });
	assert_made(&(bonito_entry){ .log_type = "auth",
	                             .event_type = "failed_auth",
	                             .severity = BONITO_SEVERITY_WARN,
	                             .resource_id = "r",
	                             .resource_type = "session",
	                             .action = "open",
	                             .metadata = OTLOG_ATTRS(OTLOG_KV("success", otlog_bool(false)),
	                                                     OTLOG_KV("reason", "bad password"), OTLOG_KV("try", 3)) });
}

static void
admin_actions(void **state)
{
	(void)state;
	const bonito_entry *e = &given.bonito[2];
	bonito_log_admin_action(
	    by_call.logger,
	    &(bonito_admin_action){ .org_id = e->org_id,
	                            .event_type = BONITO_EVENT_ADMIN_USER_INVITE,
	                            .timestamp_unix_nano = e->timestamp_unix_nano,
	                            .user_id = e->user_id,
	                            .resource_id = e->resource_id,
	                            .resource_type = "user",
	                            .action = "create",
	                            .message = "Invited a user",
	                            .metadata = OTLOG_ATTRS(OTLOG_KV("email", "new.user@example.com")) });
	assert_made(e);
}

static void
kb_events(void **state)
{
	(void)state;
	const bonito_entry *e = &given.bonito[3];
	bonito_log_kb_event(by_call.logger, &(bonito_kb_event){ .org_id = e->org_id,
	                                                        .event_type = BONITO_EVENT_KB_SEARCH,
	                                                        .severity = BONITO_SEVERITY_DEBUG,
	                                                        .timestamp_unix_nano = e->timestamp_unix_nano,
	                                                        .trace_id = e->trace_id,
	                                                        .user_id = e->user_id,
	                                                        .resource_id = e->resource_id,
	                                                        .query = "refund policy",
	                                                        .results_count = OTLOG_OPT(5),
	                                                        .duration_ms = OTLOG_OPT(150) });
	assert_made(e);
}

static void
agent_events(void **state)
{
	(void)state;
	const bonito_entry *e = &given.bonito[4];
	bonito_log_agent_event(
	    by_call.logger,
	    &(bonito_agent_event){ .org_id = e->org_id,
	                           .severity = BONITO_SEVERITY_WARN,
	                           .timestamp_unix_nano = e->timestamp_unix_nano,
	                           .trace_id = e->trace_id,
	                           .user_id = e->user_id,
	                           .resource_id = e->resource_id,
	                           .tools_used = OTLOG_ARRAY(OTLOG_VALUE("search"), OTLOG_VALUE("calculator")),
	                           .duration_ms = OTLOG_OPT(5000),
	                           .cost = OTLOG_OPT(0.12) });
	assert_made(e);
	bonito_log_agent_event(by_call.logger, &(bonito_agent_event){ .event_type = BONITO_EVENT_AGENT_ERROR,
	                                                              .model = "m",
	                                                              .provider = "p",
	                                                              .input_tokens = OTLOG_OPT(1),
	                                                              .output_tokens = OTLOG_OPT(2) });
	assert_made(
	    &(bonito_entry){ .log_type = "agent",
	                     .event_type = "error",
	                     .resource_type = "agent",
	                     .action = "execute",
	                     .metadata = OTLOG_ATTRS(OTLOG_KV("model", "m"), OTLOG_KV("provider", "p"),
	                                             OTLOG_KV("input_tokens", 1), OTLOG_KV("output_tokens", 2)) });
	emitted_assert_text(&by_call, "gen_ai.request.model", "m");
}

static void
deployment_events(void **state)
{
	(void)state;
	bonito_log_deployment_event(by_call.logger,
	                            &(bonito_deployment_event){ .org_id = "o",
	                                                        .event_type = BONITO_EVENT_DEPLOYMENT_STATUS_CHANGE,
	                                                        .resource_id = "d",
	                                                        .environment = "production",
	                                                        .version = "1.4.0",
	                                                        .previous_status = "rolling",
	                                                        .status = "live",
	                                                        .duration_ms = OTLOG_OPT(90000),
	                                                        .metadata = OTLOG_ATTRS(OTLOG_KV("region", "eu")) });
	assert_made(&(bonito_entry){ .org_id = "o",
	                             .log_type = "deployment",
	                             .event_type = "status_change",
	                             .resource_id = "d",
	                             .resource_type = "deployment",
	                             .action = "status_change",
	                             .duration_ms = OTLOG_OPT(90000),
	                             .metadata = OTLOG_ATTRS(OTLOG_KV("environment", "production"),
	                                                     OTLOG_KV("version", "1.4.0"),
	                                                     OTLOG_KV("previous_status", "rolling"),
	                                                     OTLOG_KV("status", "live"), OTLOG_KV("region", "eu")) });
}

static void
billing_events(void **state)
{
	(void)state;
	bonito_log_billing_event(by_call.logger, &(bonito_billing_event){ .org_id = "o",
	                                                                  .event_type = BONITO_EVENT_BILLING_COST_ALERT,
	                                                                  .period = "2026-03",
	                                                                  .threshold = OTLOG_OPT(100),
	                                                                  .cost = OTLOG_OPT(104.5) });
	assert_made(
	    &(bonito_entry){ .org_id = "o",
	                     .log_type = "billing",
	                     .event_type = "cost_alert",
	                     .severity = BONITO_SEVERITY_WARN,
	                     .action = "cost_alert",
	                     .cost = OTLOG_OPT(104.5),
	                     .metadata = OTLOG_ATTRS(OTLOG_KV("period", "2026-03"), OTLOG_KV("threshold", 100.0)) });
	bonito_log_billing_event(by_call.logger,
	                         &(bonito_billing_event){ .event_type = BONITO_EVENT_BILLING_USAGE_CALCULATION,
	                                                  .resource_type = "account",
	                                                  .duration_ms = OTLOG_OPT(7) });
	assert_made(&(bonito_entry){ .log_type = "billing",
	                             .event_type = "usage_calculation",
	                             .severity = BONITO_SEVERITY_INFO,
	                             .resource_type = "account",
	                             .action = "usage_calculation",
	                             .duration_ms = OTLOG_OPT(7) });
}

static void
zeroed_structs_are_events_too(void **state)
{
	(void)state;
	bonito_log_gateway_request(by_call.logger, &(bonito_gateway_request){ 0 });
	assert_made(&(bonito_entry){
	    .log_type = "gateway", .event_type = "request", .resource_type = "model", .action = "execute" });
	bonito_log_auth_event(by_call.logger, &(bonito_auth_event){ 0 });
	assert_made(&(bonito_entry){ .log_type = "auth", .action = "execute" });
	bonito_log_admin_action(by_call.logger, &(bonito_admin_action){ 0 });
	assert_made(&(bonito_entry){ .log_type = "admin" });
	bonito_log_kb_event(by_call.logger, &(bonito_kb_event){ 0 });
	assert_made(&(bonito_entry){ .log_type = "kb", .resource_type = "kb" });
	bonito_log_agent_event(by_call.logger, &(bonito_agent_event){ 0 });
	assert_made(&(bonito_entry){
	    .log_type = "agent", .event_type = "execute", .resource_type = "agent", .action = "execute" });
	bonito_log_deployment_event(by_call.logger, &(bonito_deployment_event){ 0 });
	assert_made(&(bonito_entry){ .log_type = "deployment", .resource_type = "deployment" });
	bonito_log_billing_event(by_call.logger, &(bonito_billing_event){ 0 });
	assert_made(&(bonito_entry){ .log_type = "billing" });
}

/* Each call with nothing, without a logger, and below the minimum. */
#define ASSERT_REFUSALS(call, type, quiet)                                                           \
	do {                                                                                         \
		const type event = { 0 };                                                            \
		assert_int_equal(call(by_call.logger, NULL), OTLOG_EMIT_INVALID);                    \
		assert_int_equal(call(NULL, &event), OTLOG_EMIT_DISABLED);                           \
		assert_int_equal(call((quiet)->logger, &event), OTLOG_EMIT_FILTERED);                \
		assert_int_equal(call##_sized(by_call.logger, &event, 0), OTLOG_EMIT_ACCEPTED);      \
		assert_int_equal(call##_sized(by_call.logger, &event, 100000), OTLOG_EMIT_ACCEPTED); \
	} while (0)

static void
every_call_refuses_what_bonito_emit_refuses(void **state)
{
	emitted quiet;
	(void)state;
	emitted_open(&quiet, OTLOG_SEVERITY_FATAL);
	ASSERT_REFUSALS(bonito_log_gateway_request, bonito_gateway_request, &quiet);
	ASSERT_REFUSALS(bonito_log_auth_event, bonito_auth_event, &quiet);
	ASSERT_REFUSALS(bonito_log_admin_action, bonito_admin_action, &quiet);
	ASSERT_REFUSALS(bonito_log_kb_event, bonito_kb_event, &quiet);
	ASSERT_REFUSALS(bonito_log_agent_event, bonito_agent_event, &quiet);
	ASSERT_REFUSALS(bonito_log_deployment_event, bonito_deployment_event, &quiet);
	ASSERT_REFUSALS(bonito_log_billing_event, bonito_billing_event, &quiet);
	assert_int_equal(quiet.count, 0);
	emitted_close(&quiet);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_both, close_both)
	const struct CMUnitTest tests[] = {
		TEST(gateway_requests),
		TEST(a_gateway_request_that_fails_is_an_error),
		TEST(auth_events),
		TEST(admin_actions),
		TEST(kb_events),
		TEST(agent_events),
		TEST(deployment_events),
		TEST(billing_events),
		TEST(zeroed_structs_are_events_too),
		TEST(every_call_refuses_what_bonito_emit_refuses),
	};
	samples_fill(&given);
	return cmocka_run_group_tests_name("bonito_calls", tests, NULL, NULL);
}
