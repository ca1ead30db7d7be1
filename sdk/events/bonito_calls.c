/*
 * The convenience calls: each makes the bonito_entry of its event. The members that stand for metadata become a list of
 * their own, which goes before the caller's without being joined to it.
 *
 * They are many and not the hot path itself: what they share is not inlined, to keep libotlog-api small.
 */
#include "sdk/events/attributes.h"
#include "sdk/events/bonito_model.h"

#define SHARED static __attribute__((noinline))

/* The members that every event begins with. */
typedef struct event_head {
	const char *org_id;
	const char *event_type;
	bonito_severity severity;
	uint64_t timestamp_unix_nano;
	const char *trace_id;
	const char *user_id;
	const char *resource_id;
	const char *resource_type;
	const char *action;
} event_head;

#define CHECK_MEMBER(type, member)                                             \
	_Static_assert(offsetof(type, member) == offsetof(event_head, member), \
	               #type "." #member " is not where the other events have it")
#define CHECK_HEAD(type)                         \
	CHECK_MEMBER(type, org_id);              \
	CHECK_MEMBER(type, event_type);          \
	CHECK_MEMBER(type, severity);            \
	CHECK_MEMBER(type, timestamp_unix_nano); \
	CHECK_MEMBER(type, trace_id);            \
	CHECK_MEMBER(type, user_id);             \
	CHECK_MEMBER(type, resource_id);         \
	CHECK_MEMBER(type, resource_type);       \
	CHECK_MEMBER(type, action)
CHECK_HEAD(bonito_gateway_request);
CHECK_HEAD(bonito_auth_event);
CHECK_HEAD(bonito_admin_action);
CHECK_HEAD(bonito_kb_event);
CHECK_HEAD(bonito_agent_event);
CHECK_HEAD(bonito_deployment_event);
CHECK_HEAD(bonito_billing_event);

/* What stands in for members that were not given. */
typedef struct defaults {
	const char *event_type;
	bonito_severity severity;
	const char *resource_type;
	const char *action;
} defaults;

/* Starts the entry of an event: all that is in its head. */
SHARED void
fill_head(bonito_entry *entry, const void *event, const char *log_type, const defaults *instead)
{
	event_head head;
	memcpy(&head, event, sizeof head);
	*entry = (bonito_entry){ .org_id = head.org_id,
		                 .log_type = log_type,
		                 .event_type = head.event_type ? head.event_type : instead->event_type,
		                 .severity = head.severity ? head.severity : instead->severity,
		                 .timestamp_unix_nano = head.timestamp_unix_nano,
		                 .trace_id = head.trace_id,
		                 .user_id = head.user_id,
		                 .resource_id = head.resource_id,
		                 .resource_type = head.resource_type ? head.resource_type : instead->resource_type,
		                 .action = head.action ? head.action : instead->action };
}

SHARED otlog_emit_result
gate(const otlog_logger *logger, const bonito_entry *entry)
{
	return otlog__gate(logger, otlog__bonito_severity_number(entry->severity));
}

SHARED void
put_text(otlog__attr_list *list, const char *key, size_t key_size, const char *text)
{
	otlog__put_text(list, key, key_size, text);
}

SHARED void
put_int64(otlog__attr_list *list, const char *key, size_t key_size, otlog_optional_int64 number)
{
	otlog__put_int64(list, key, key_size, number);
}

SHARED void
put_value(otlog__attr_list *list, const char *key, size_t key_size, otlog_value value)
{
	otlog__put(list, key, key_size, value);
}

SHARED otlog_emit_result
emit(otlog_logger *logger, const bonito_entry *entry, const otlog__attr_list *list)
{
	return otlog__bonito_emit(logger, entry, (otlog_attrs){ list->items, list->count });
}

/* How each call begins: the caller's struct in the size we know, or the verdict that nothing was given. */
#define KNOWN(type)                                                    \
	type whole;                                                    \
	event = otlog__known(event, event_size, &whole, sizeof whole); \
	if (!event)                                                    \
	return otlog__emit_nothing(logger)

/* And goes on: the entry's head, or the verdict that its severity is off. */
#define BEGIN(log_type, ...)                                                    \
	bonito_entry entry;                                                     \
	fill_head(&entry, event, (log_type), &(const defaults){ __VA_ARGS__ }); \
	const otlog_emit_result refused = gate(logger, &entry);                 \
	if (refused != OTLOG_EMIT_ACCEPTED)                                     \
		return refused;                                                 \
	entry.message = event->message;                                         \
	entry.metadata = event->metadata

otlog_emit_result
bonito_log_gateway_request_sized(otlog_logger *logger, const bonito_gateway_request *event, size_t event_size)
{
	KNOWN(bonito_gateway_request);
	const bool failed = event->status && strcmp(event->status, "success") != 0;
	BEGIN(BONITO_LOG_GATEWAY, .event_type = BONITO_EVENT_GATEWAY_REQUEST,
	      .severity = failed ? BONITO_SEVERITY_ERROR : BONITO_SEVERITY_INFO, .resource_type = "model",
	      .action = "execute");
	entry.duration_ms = event->duration_ms;
	entry.cost = event->cost;
	otlog_attr items[5];
	otlog__attr_list list = { items, 0 };
	put_text(&list, OTLOG__KEY("model"), event->model);
	put_text(&list, OTLOG__KEY("provider"), event->provider);
	put_text(&list, OTLOG__KEY("status"), event->status);
	put_int64(&list, OTLOG__KEY("input_tokens"), event->input_tokens);
	put_int64(&list, OTLOG__KEY("output_tokens"), event->output_tokens);
	return emit(logger, &entry, &list);
}

otlog_emit_result
bonito_log_auth_event_sized(otlog_logger *logger, const bonito_auth_event *event, size_t event_size)
{
	KNOWN(bonito_auth_event);
	const bool failed = event->outcome == BONITO_OUTCOME_FAILURE;
	BEGIN(BONITO_LOG_AUTH, .severity = failed ? BONITO_SEVERITY_WARN : BONITO_SEVERITY_INFO, .action = "execute");
	otlog_attr items[3];
	otlog__attr_list list = { items, 0 };
	put_text(&list, OTLOG__KEY("ip_address"), event->ip_address);
	if (failed || event->outcome == BONITO_OUTCOME_SUCCESS)
		put_value(&list, OTLOG__KEY("success"), otlog_bool(!failed));
	put_text(&list, OTLOG__KEY("reason"), event->reason);
	return emit(logger, &entry, &list);
}

otlog_emit_result
bonito_log_admin_action_sized(otlog_logger *logger, const bonito_admin_action *event, size_t event_size)
{
	KNOWN(bonito_admin_action);
	BEGIN(BONITO_LOG_ADMIN, .event_type = NULL);
	return emit(logger, &entry, &(const otlog__attr_list){ NULL, 0 });
}

otlog_emit_result
bonito_log_kb_event_sized(otlog_logger *logger, const bonito_kb_event *event, size_t event_size)
{
	KNOWN(bonito_kb_event);
	BEGIN(BONITO_LOG_KB, .resource_type = "kb", .action = event->event_type);
	entry.duration_ms = event->duration_ms;
	otlog_attr items[2];
	otlog__attr_list list = { items, 0 };
	put_text(&list, OTLOG__KEY("query"), event->query);
	put_int64(&list, OTLOG__KEY("results_count"), event->results_count);
	return emit(logger, &entry, &list);
}

otlog_emit_result
bonito_log_agent_event_sized(otlog_logger *logger, const bonito_agent_event *event, size_t event_size)
{
	KNOWN(bonito_agent_event);
	BEGIN(BONITO_LOG_AGENT, .event_type = BONITO_EVENT_AGENT_EXECUTE, .resource_type = "agent",
	      .action = "execute");
	entry.duration_ms = event->duration_ms;
	entry.cost = event->cost;
	otlog_attr items[5];
	otlog__attr_list list = { items, 0 };
	put_text(&list, OTLOG__KEY("model"), event->model);
	put_text(&list, OTLOG__KEY("provider"), event->provider);
	put_int64(&list, OTLOG__KEY("input_tokens"), event->input_tokens);
	put_int64(&list, OTLOG__KEY("output_tokens"), event->output_tokens);
	if (event->tools_used.type != OTLOG_VALUE_EMPTY)
		put_value(&list, OTLOG__KEY("tools_used"), event->tools_used);
	return emit(logger, &entry, &list);
}

otlog_emit_result
bonito_log_deployment_event_sized(otlog_logger *logger, const bonito_deployment_event *event, size_t event_size)
{
	KNOWN(bonito_deployment_event);
	BEGIN(BONITO_LOG_DEPLOYMENT, .resource_type = "deployment", .action = event->event_type);
	entry.duration_ms = event->duration_ms;
	otlog_attr items[4];
	otlog__attr_list list = { items, 0 };
	put_text(&list, OTLOG__KEY("environment"), event->environment);
	put_text(&list, OTLOG__KEY("version"), event->version);
	put_text(&list, OTLOG__KEY("previous_status"), event->previous_status);
	put_text(&list, OTLOG__KEY("status"), event->status);
	return emit(logger, &entry, &list);
}

otlog_emit_result
bonito_log_billing_event_sized(otlog_logger *logger, const bonito_billing_event *event, size_t event_size)
{
	KNOWN(bonito_billing_event);
	const bool alert = event->event_type && strcmp(event->event_type, BONITO_EVENT_BILLING_COST_ALERT) == 0;
	BEGIN(BONITO_LOG_BILLING, .severity = alert ? BONITO_SEVERITY_WARN : BONITO_SEVERITY_INFO,
	      .action = event->event_type);
	entry.duration_ms = event->duration_ms;
	entry.cost = event->cost;
	otlog_attr items[2];
	otlog__attr_list list = { items, 0 };
	put_text(&list, OTLOG__KEY("period"), event->period);
	if (event->threshold.is_set)
		put_value(&list, OTLOG__KEY("threshold"), otlog_double(event->threshold.value));
	return emit(logger, &entry, &list);
}
