/*
 * The convenience calls: each makes the bonito_entry of its event. The members that stand for metadata become a list of
 * their own, which goes before the caller's without being joined to it.
 */
#include "sdk/events/attributes.h"
#include "sdk/events/bonito_model.h"

/* What every event has, in one go: the structs share these members. */
#define COMMON(event)                                                                                                  \
	.org_id = (event)->org_id, .timestamp_unix_nano = (event)->timestamp_unix_nano, .trace_id = (event)->trace_id, \
	.user_id = (event)->user_id, .resource_id = (event)->resource_id, .message = (event)->message,                 \
	.metadata = (event)->metadata

static inline const char *
given_or(const char *text, const char *instead)
{
	return text ? text : instead;
}

static inline bonito_severity
severity_or(bonito_severity severity, bonito_severity instead)
{
	return severity == BONITO_SEVERITY_DEFAULT ? instead : severity;
}

static inline otlog_emit_result
gate(const otlog_logger *logger, const bonito_entry *entry)
{
	return otlog__gate(logger, otlog__bonito_severity_number(entry->severity));
}

otlog_emit_result
bonito_log_gateway_request_sized(otlog_logger *logger, const bonito_gateway_request *event, size_t event_size)
{
	bonito_gateway_request whole;
	event = otlog__known(event, event_size, &whole, sizeof whole);
	if (!event)
		return otlog__emit_nothing(logger);
	const bool failed = event->status && strcmp(event->status, "success") != 0;
	const bonito_entry entry = { COMMON(event),
		                     .log_type = BONITO_LOG_GATEWAY,
		                     .event_type = given_or(event->event_type, BONITO_EVENT_GATEWAY_REQUEST),
		                     .severity = severity_or(event->severity,
		                                             failed ? BONITO_SEVERITY_ERROR : BONITO_SEVERITY_INFO),
		                     .resource_type = given_or(event->resource_type, "model"),
		                     .action = given_or(event->action, "execute"),
		                     .duration_ms = event->duration_ms,
		                     .cost = event->cost };
	const otlog_emit_result refused = gate(logger, &entry);
	if (refused != OTLOG_EMIT_ACCEPTED)
		return refused;
	otlog_attr items[5];
	otlog__attr_list list = { items, 0 };
	otlog__put_text(&list, OTLOG__KEY("model"), event->model);
	otlog__put_text(&list, OTLOG__KEY("provider"), event->provider);
	otlog__put_text(&list, OTLOG__KEY("status"), event->status);
	otlog__put_int64(&list, OTLOG__KEY("input_tokens"), event->input_tokens);
	otlog__put_int64(&list, OTLOG__KEY("output_tokens"), event->output_tokens);
	return otlog__bonito_emit(logger, &entry, (otlog_attrs){ items, list.count });
}

otlog_emit_result
bonito_log_auth_event_sized(otlog_logger *logger, const bonito_auth_event *event, size_t event_size)
{
	bonito_auth_event whole;
	event = otlog__known(event, event_size, &whole, sizeof whole);
	if (!event)
		return otlog__emit_nothing(logger);
	const bool failed = event->outcome == BONITO_OUTCOME_FAILURE;
	const bonito_entry entry = { COMMON(event),
		                     .log_type = BONITO_LOG_AUTH,
		                     .event_type = event->event_type,
		                     .severity = severity_or(event->severity,
		                                             failed ? BONITO_SEVERITY_WARN : BONITO_SEVERITY_INFO),
		                     .resource_type = event->resource_type,
		                     .action = given_or(event->action, "execute") };
	const otlog_emit_result refused = gate(logger, &entry);
	if (refused != OTLOG_EMIT_ACCEPTED)
		return refused;
	otlog_attr items[3];
	otlog__attr_list list = { items, 0 };
	otlog__put_text(&list, OTLOG__KEY("ip_address"), event->ip_address);
	if (failed || event->outcome == BONITO_OUTCOME_SUCCESS)
		otlog__put(&list, OTLOG__KEY("success"), otlog_bool(!failed));
	otlog__put_text(&list, OTLOG__KEY("reason"), event->reason);
	return otlog__bonito_emit(logger, &entry, (otlog_attrs){ items, list.count });
}

otlog_emit_result
bonito_log_admin_action_sized(otlog_logger *logger, const bonito_admin_action *event, size_t event_size)
{
	bonito_admin_action whole;
	event = otlog__known(event, event_size, &whole, sizeof whole);
	if (!event)
		return otlog__emit_nothing(logger);
	const bonito_entry entry = { COMMON(event),
		                     .log_type = BONITO_LOG_ADMIN,
		                     .event_type = event->event_type,
		                     .severity = event->severity,
		                     .resource_type = event->resource_type,
		                     .action = event->action };
	return otlog__bonito_emit(logger, &entry, (otlog_attrs){ NULL, 0 });
}

otlog_emit_result
bonito_log_kb_event_sized(otlog_logger *logger, const bonito_kb_event *event, size_t event_size)
{
	bonito_kb_event whole;
	event = otlog__known(event, event_size, &whole, sizeof whole);
	if (!event)
		return otlog__emit_nothing(logger);
	const bonito_entry entry = { COMMON(event),
		                     .log_type = BONITO_LOG_KB,
		                     .event_type = event->event_type,
		                     .severity = event->severity,
		                     .resource_type = given_or(event->resource_type, "kb"),
		                     .action = given_or(event->action, event->event_type),
		                     .duration_ms = event->duration_ms };
	const otlog_emit_result refused = gate(logger, &entry);
	if (refused != OTLOG_EMIT_ACCEPTED)
		return refused;
	otlog_attr items[2];
	otlog__attr_list list = { items, 0 };
	otlog__put_text(&list, OTLOG__KEY("query"), event->query);
	otlog__put_int64(&list, OTLOG__KEY("results_count"), event->results_count);
	return otlog__bonito_emit(logger, &entry, (otlog_attrs){ items, list.count });
}

otlog_emit_result
bonito_log_agent_event_sized(otlog_logger *logger, const bonito_agent_event *event, size_t event_size)
{
	bonito_agent_event whole;
	event = otlog__known(event, event_size, &whole, sizeof whole);
	if (!event)
		return otlog__emit_nothing(logger);
	const bonito_entry entry = { COMMON(event),
		                     .log_type = BONITO_LOG_AGENT,
		                     .event_type = given_or(event->event_type, BONITO_EVENT_AGENT_EXECUTE),
		                     .severity = event->severity,
		                     .resource_type = given_or(event->resource_type, "agent"),
		                     .action = given_or(event->action, "execute"),
		                     .duration_ms = event->duration_ms,
		                     .cost = event->cost };
	const otlog_emit_result refused = gate(logger, &entry);
	if (refused != OTLOG_EMIT_ACCEPTED)
		return refused;
	otlog_attr items[5];
	otlog__attr_list list = { items, 0 };
	otlog__put_text(&list, OTLOG__KEY("model"), event->model);
	otlog__put_text(&list, OTLOG__KEY("provider"), event->provider);
	otlog__put_int64(&list, OTLOG__KEY("input_tokens"), event->input_tokens);
	otlog__put_int64(&list, OTLOG__KEY("output_tokens"), event->output_tokens);
	if (event->tools_used.type != OTLOG_VALUE_EMPTY)
		otlog__put(&list, OTLOG__KEY("tools_used"), event->tools_used);
	return otlog__bonito_emit(logger, &entry, (otlog_attrs){ items, list.count });
}

otlog_emit_result
bonito_log_deployment_event_sized(otlog_logger *logger, const bonito_deployment_event *event, size_t event_size)
{
	bonito_deployment_event whole;
	event = otlog__known(event, event_size, &whole, sizeof whole);
	if (!event)
		return otlog__emit_nothing(logger);
	const bonito_entry entry = { COMMON(event),
		                     .log_type = BONITO_LOG_DEPLOYMENT,
		                     .event_type = event->event_type,
		                     .severity = event->severity,
		                     .resource_type = given_or(event->resource_type, "deployment"),
		                     .action = given_or(event->action, event->event_type),
		                     .duration_ms = event->duration_ms };
	const otlog_emit_result refused = gate(logger, &entry);
	if (refused != OTLOG_EMIT_ACCEPTED)
		return refused;
	otlog_attr items[4];
	otlog__attr_list list = { items, 0 };
	otlog__put_text(&list, OTLOG__KEY("environment"), event->environment);
	otlog__put_text(&list, OTLOG__KEY("version"), event->version);
	otlog__put_text(&list, OTLOG__KEY("previous_status"), event->previous_status);
	otlog__put_text(&list, OTLOG__KEY("status"), event->status);
	return otlog__bonito_emit(logger, &entry, (otlog_attrs){ items, list.count });
}

otlog_emit_result
bonito_log_billing_event_sized(otlog_logger *logger, const bonito_billing_event *event, size_t event_size)
{
	bonito_billing_event whole;
	event = otlog__known(event, event_size, &whole, sizeof whole);
	if (!event)
		return otlog__emit_nothing(logger);
	const bool alert = event->event_type && strcmp(event->event_type, BONITO_EVENT_BILLING_COST_ALERT) == 0;
	const bonito_entry entry = { COMMON(event),
		                     .log_type = BONITO_LOG_BILLING,
		                     .event_type = event->event_type,
		                     .severity = severity_or(event->severity,
		                                             alert ? BONITO_SEVERITY_WARN : BONITO_SEVERITY_INFO),
		                     .resource_type = event->resource_type,
		                     .action = given_or(event->action, event->event_type),
		                     .duration_ms = event->duration_ms,
		                     .cost = event->cost };
	const otlog_emit_result refused = gate(logger, &entry);
	if (refused != OTLOG_EMIT_ACCEPTED)
		return refused;
	otlog_attr items[2];
	otlog__attr_list list = { items, 0 };
	otlog__put_text(&list, OTLOG__KEY("period"), event->period);
	otlog__put_double(&list, OTLOG__KEY("threshold"), event->threshold);
	return otlog__bonito_emit(logger, &entry, (otlog_attrs){ items, list.count });
}
