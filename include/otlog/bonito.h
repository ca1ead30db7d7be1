/*
 * Bonito entries: what an AI gateway and its platform log, as OpenTelemetry events.
 *
 *     bonito_emit(log, &(bonito_entry){
 *         .org_id = org, .log_type = BONITO_LOG_GATEWAY, .event_type = BONITO_EVENT_GATEWAY_REQUEST,
 *         .user_id = user, .duration_ms = OTLOG_OPT(2500), .cost = OTLOG_OPT(0.045),
 *         .message = "Completed chat completion request",
 *         .metadata = OTLOG_ATTRS(OTLOG_KV("model", "gpt-4o"), OTLOG_KV("input_tokens", 1200)) });
 *
 * In C++ the struct goes by reference: bonito_emit(log, { .org_id = org, … }), in C++20 with designators in the order
 * of the members. In every struct here zero means "not given", NULL and "" differ, and everything is borrowed until the
 * call returns.
 *
 * An entry becomes this log record:
 *
 *     log_type, event_type      event name `bonito.<log_type>.<event_type>`; also the attributes bonito.log_type and
 *                               bonito.event_type
 *     severity                  severity number 5, 9, 13, 17 or 21; severity text debug, info, warn, error or critical
 *     timestamp_unix_nano       time
 *     trace_id                  trace id (see bonito_entry)
 *     org_id                    bonito.org_id
 *     user_id                   user.id
 *     resource_id               bonito.resource_id
 *     resource_type             bonito.resource_type
 *     action                    bonito.action
 *     duration_ms, cost         bonito.duration_ms (int), bonito.cost (double)
 *     metadata                  bonito.metadata.<key>; but for the log types gateway and agent: model, provider,
 *                               input_tokens and output_tokens become gen_ai.request.model, gen_ai.provider.name,
 *                               gen_ai.usage.input_tokens and gen_ai.usage.output_tokens (OpenTelemetry semantic
 *                               conventions for generative AI)
 *     message                   body
 *
 * The event name holds 256 bytes; a longer one is cut at a character, and `unknown` stands in for a part that is not
 * given or empty: the attributes have the whole. Of metadata, as much is sent as the record's limit of 128 attributes
 * leaves room for; the rest is dropped and counted in the record.
 *
 * Thread safety: any function, any thread. Emitting is async-signal-safe and does not block under the conditions of
 * otlog/logs.h, and never allocates.
 */
#ifndef OTLOG_BONITO_H
#define OTLOG_BONITO_H

#include <otlog/logs.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Names ------------------------------------------------------------------------------------------------------- */

/* Log types and event types are data: any other text is passed on unchanged. */
#define BONITO_LOG_GATEWAY "gateway"
#define BONITO_LOG_AGENT "agent"
#define BONITO_LOG_AUTH "auth"
#define BONITO_LOG_ADMIN "admin"
#define BONITO_LOG_KB "kb"
#define BONITO_LOG_DEPLOYMENT "deployment"
#define BONITO_LOG_BILLING "billing"

#define BONITO_EVENT_GATEWAY_REQUEST "request"
#define BONITO_EVENT_GATEWAY_ERROR "error"
#define BONITO_EVENT_GATEWAY_RATE_LIMIT "rate_limit"
#define BONITO_EVENT_GATEWAY_PROVIDER_FAILOVER "provider_failover"

#define BONITO_EVENT_AGENT_EXECUTE "execute"
#define BONITO_EVENT_AGENT_TOOL_USE "tool_use"
#define BONITO_EVENT_AGENT_ERROR "error"

#define BONITO_EVENT_AUTH_LOGIN "login"
#define BONITO_EVENT_AUTH_LOGOUT "logout"
#define BONITO_EVENT_AUTH_TOKEN_REFRESH "token_refresh"
#define BONITO_EVENT_AUTH_SSO_AUTH "sso_auth"
#define BONITO_EVENT_AUTH_FAILED_AUTH "failed_auth"

#define BONITO_EVENT_ADMIN_USER_INVITE "user_invite"
#define BONITO_EVENT_ADMIN_ROLE_CHANGE "role_change"
#define BONITO_EVENT_ADMIN_CONFIG_CHANGE "config_change"
#define BONITO_EVENT_ADMIN_POLICY_UPDATE "policy_update"

#define BONITO_EVENT_KB_UPLOAD "upload"
#define BONITO_EVENT_KB_SEARCH "search"
#define BONITO_EVENT_KB_DELETE "delete"
#define BONITO_EVENT_KB_INGESTION "ingestion"

#define BONITO_EVENT_DEPLOYMENT_CREATE "create"
#define BONITO_EVENT_DEPLOYMENT_UPDATE "update"
#define BONITO_EVENT_DEPLOYMENT_DELETE "delete"
#define BONITO_EVENT_DEPLOYMENT_STATUS_CHANGE "status_change"

#define BONITO_EVENT_BILLING_USAGE_CALCULATION "usage_calculation"
#define BONITO_EVENT_BILLING_INVOICE_GENERATION "invoice_generation"
#define BONITO_EVENT_BILLING_COST_ALERT "cost_alert"

typedef enum bonito_severity {
	BONITO_SEVERITY_DEFAULT, /* not given: info, or what a convenience call says; any unknown number too */
	BONITO_SEVERITY_DEBUG,
	BONITO_SEVERITY_INFO,
	BONITO_SEVERITY_WARN,
	BONITO_SEVERITY_ERROR,
	BONITO_SEVERITY_CRITICAL
} bonito_severity;

/* "debug" … "critical"; "info" for everything else. A static string. */
OTLOG_API const char *bonito_severity_text(bonito_severity severity);

/* The severity that is written so; BONITO_SEVERITY_DEFAULT for NULL and any other text. */
OTLOG_API bonito_severity bonito_severity_from_text(const char *text);

/* ---- Entries ----------------------------------------------------------------------------------------------------- */

typedef struct bonito_entry {
	const char *org_id OTLOG__INIT;
	const char *log_type OTLOG__INIT;   /* BONITO_LOG_… */
	const char *event_type OTLOG__INIT; /* BONITO_EVENT_… */
	bonito_severity severity OTLOG__INIT;
	uint64_t timestamp_unix_nano OTLOG__INIT; /* 0: the receiver takes the observed time, which is now */
	/*
	 * A UUID: 32 hex digits, written 8-4-4-4-12 or without hyphens. Its bytes become the record's trace id; the
	 * span id is the current one if that belongs to the same trace, else none. NULL: the current trace and span.
	 * A text that is no UUID, or all zeros, goes into the attribute bonito.trace_id and leaves the record with the
	 * current trace and span. A UUID in capitals or without hyphens is kept there as well, as it was written.
	 */
	const char *trace_id OTLOG__INIT;
	const char *user_id OTLOG__INIT;
	const char *resource_id OTLOG__INIT;
	const char *resource_type OTLOG__INIT;
	const char *action OTLOG__INIT;
	otlog_optional_int64 duration_ms OTLOG__INIT; /* OTLOG_OPT(0) is not the same as not given */
	otlog_optional_double cost OTLOG__INIT;       /* USD */
	const char *message OTLOG__INIT;
	otlog_attrs metadata OTLOG__INIT; /* values of any type, nested as you like */
} bonito_entry;

/*
 * Emits one entry. Returns what became of it; OTLOG_EMIT_INVALID for a NULL entry. A severity below the logger's
 * minimum costs a few instructions.
 */
OTLOG_API otlog_emit_result bonito_emit_sized(otlog_logger *logger, const bonito_entry *entry, size_t entry_size);
OTLOG__EMIT_CALL(bonito_emit, bonito_entry)

/* ---- Convenience calls ------------------------------------------------------------------------------------------- */

/*
 * One struct for each kind of event: what such an event should tell has a member of its own. The call makes the
 * bonito_entry with the log type set, the defaults named below, and the members marked "metadata" put before the rest
 * of `metadata` under their own names; then it does what bonito_emit does. Members not marked mean what they mean in
 * bonito_entry.
 */

/* Severity, unless given: error if `status` is given and is not "success", else info. */
typedef struct bonito_gateway_request {
	const char *org_id OTLOG__INIT;
	const char *event_type OTLOG__INIT; /* NULL: "request" */
	bonito_severity severity OTLOG__INIT;
	uint64_t timestamp_unix_nano OTLOG__INIT;
	const char *trace_id OTLOG__INIT;
	const char *user_id OTLOG__INIT;
	const char *resource_id OTLOG__INIT;
	const char *resource_type OTLOG__INIT;          /* NULL: "model" */
	const char *action OTLOG__INIT;                 /* NULL: "execute" */
	const char *model OTLOG__INIT;                  /* metadata: as requested, e.g. "gpt-4o" */
	const char *provider OTLOG__INIT;               /* metadata: e.g. "openai" */
	const char *status OTLOG__INIT;                 /* metadata: "success", or what went wrong */
	otlog_optional_int64 input_tokens OTLOG__INIT;  /* metadata */
	otlog_optional_int64 output_tokens OTLOG__INIT; /* metadata */
	otlog_optional_int64 duration_ms OTLOG__INIT;
	otlog_optional_double cost OTLOG__INIT; /* USD */
	const char *message OTLOG__INIT;
	otlog_attrs metadata OTLOG__INIT;
} bonito_gateway_request;

/* How an attempt ended. */
typedef enum bonito_outcome {
	BONITO_OUTCOME_UNKNOWN, /* not given: nothing is sent */
	BONITO_OUTCOME_SUCCESS,
	BONITO_OUTCOME_FAILURE
} bonito_outcome;

/* Severity, unless given: warn if the outcome is a failure, else info. */
typedef struct bonito_auth_event {
	const char *org_id OTLOG__INIT;
	const char *event_type OTLOG__INIT; /* BONITO_EVENT_AUTH_… */
	bonito_severity severity OTLOG__INIT;
	uint64_t timestamp_unix_nano OTLOG__INIT;
	const char *trace_id OTLOG__INIT;
	const char *user_id OTLOG__INIT;
	const char *resource_id OTLOG__INIT;
	const char *resource_type OTLOG__INIT;
	const char *action OTLOG__INIT;     /* NULL: "execute" */
	const char *ip_address OTLOG__INIT; /* metadata: of the client */
	bonito_outcome outcome OTLOG__INIT; /* metadata, as `success`: true or false */
	const char *reason OTLOG__INIT;     /* metadata: why it failed */
	const char *message OTLOG__INIT;
	otlog_attrs metadata OTLOG__INIT;
} bonito_auth_event;

typedef struct bonito_admin_action {
	const char *org_id OTLOG__INIT;
	const char *event_type OTLOG__INIT; /* BONITO_EVENT_ADMIN_… */
	bonito_severity severity OTLOG__INIT;
	uint64_t timestamp_unix_nano OTLOG__INIT;
	const char *trace_id OTLOG__INIT;
	const char *user_id OTLOG__INIT;       /* who did it */
	const char *resource_id OTLOG__INIT;   /* to what or whom */
	const char *resource_type OTLOG__INIT; /* e.g. "user", "role", "policy" */
	const char *action OTLOG__INIT;        /* e.g. "create", "update", "delete" */
	const char *message OTLOG__INIT;
	otlog_attrs metadata OTLOG__INIT; /* e.g. what changed, from what to what */
} bonito_admin_action;

typedef struct bonito_kb_event {
	const char *org_id OTLOG__INIT;
	const char *event_type OTLOG__INIT; /* BONITO_EVENT_KB_… */
	bonito_severity severity OTLOG__INIT;
	uint64_t timestamp_unix_nano OTLOG__INIT;
	const char *trace_id OTLOG__INIT;
	const char *user_id OTLOG__INIT;
	const char *resource_id OTLOG__INIT;            /* the knowledge base or document */
	const char *resource_type OTLOG__INIT;          /* NULL: "kb" */
	const char *action OTLOG__INIT;                 /* NULL: the event type */
	const char *query OTLOG__INIT;                  /* metadata: of a search */
	otlog_optional_int64 results_count OTLOG__INIT; /* metadata: of a search */
	otlog_optional_int64 duration_ms OTLOG__INIT;
	const char *message OTLOG__INIT;
	otlog_attrs metadata OTLOG__INIT;
} bonito_kb_event;

typedef struct bonito_agent_event {
	const char *org_id OTLOG__INIT;
	const char *event_type OTLOG__INIT; /* NULL: "execute" */
	bonito_severity severity OTLOG__INIT;
	uint64_t timestamp_unix_nano OTLOG__INIT;
	const char *trace_id OTLOG__INIT;
	const char *user_id OTLOG__INIT;
	const char *resource_id OTLOG__INIT;            /* the agent */
	const char *resource_type OTLOG__INIT;          /* NULL: "agent" */
	const char *action OTLOG__INIT;                 /* NULL: "execute" */
	const char *model OTLOG__INIT;                  /* metadata */
	const char *provider OTLOG__INIT;               /* metadata */
	otlog_optional_int64 input_tokens OTLOG__INIT;  /* metadata */
	otlog_optional_int64 output_tokens OTLOG__INIT; /* metadata */
	otlog_value tools_used OTLOG__INIT; /* metadata: OTLOG_ARRAY(OTLOG_VALUE("search"), …); empty: not sent */
	otlog_optional_int64 duration_ms OTLOG__INIT;
	otlog_optional_double cost OTLOG__INIT; /* USD */
	const char *message OTLOG__INIT;
	otlog_attrs metadata OTLOG__INIT;
} bonito_agent_event;

typedef struct bonito_deployment_event {
	const char *org_id OTLOG__INIT;
	const char *event_type OTLOG__INIT; /* BONITO_EVENT_DEPLOYMENT_… */
	bonito_severity severity OTLOG__INIT;
	uint64_t timestamp_unix_nano OTLOG__INIT;
	const char *trace_id OTLOG__INIT;
	const char *user_id OTLOG__INIT;
	const char *resource_id OTLOG__INIT;     /* the deployment */
	const char *resource_type OTLOG__INIT;   /* NULL: "deployment" */
	const char *action OTLOG__INIT;          /* NULL: the event type */
	const char *environment OTLOG__INIT;     /* metadata: e.g. "production" */
	const char *version OTLOG__INIT;         /* metadata: of what is deployed */
	const char *previous_status OTLOG__INIT; /* metadata: of a status change */
	const char *status OTLOG__INIT;          /* metadata */
	otlog_optional_int64 duration_ms OTLOG__INIT;
	const char *message OTLOG__INIT;
	otlog_attrs metadata OTLOG__INIT;
} bonito_deployment_event;

/* Severity, unless given: warn for the event type "cost_alert", else info. */
typedef struct bonito_billing_event {
	const char *org_id OTLOG__INIT;
	const char *event_type OTLOG__INIT; /* BONITO_EVENT_BILLING_… */
	bonito_severity severity OTLOG__INIT;
	uint64_t timestamp_unix_nano OTLOG__INIT;
	const char *trace_id OTLOG__INIT;
	const char *user_id OTLOG__INIT;
	const char *resource_id OTLOG__INIT; /* the invoice or account */
	const char *resource_type OTLOG__INIT;
	const char *action OTLOG__INIT;              /* NULL: the event type */
	const char *period OTLOG__INIT;              /* metadata: what it covers, e.g. "2026-03" */
	otlog_optional_double threshold OTLOG__INIT; /* metadata: USD, what a cost alert watches */
	otlog_optional_int64 duration_ms OTLOG__INIT;
	otlog_optional_double cost OTLOG__INIT; /* USD: the amount */
	const char *message OTLOG__INIT;
	otlog_attrs metadata OTLOG__INIT;
} bonito_billing_event;

/* As bonito_emit. */
OTLOG_API otlog_emit_result bonito_log_gateway_request_sized(otlog_logger *logger, const bonito_gateway_request *event,
                                                             size_t event_size);
OTLOG__EMIT_CALL(bonito_log_gateway_request, bonito_gateway_request)
OTLOG_API otlog_emit_result bonito_log_auth_event_sized(otlog_logger *logger, const bonito_auth_event *event,
                                                        size_t event_size);
OTLOG__EMIT_CALL(bonito_log_auth_event, bonito_auth_event)
OTLOG_API otlog_emit_result bonito_log_admin_action_sized(otlog_logger *logger, const bonito_admin_action *event,
                                                          size_t event_size);
OTLOG__EMIT_CALL(bonito_log_admin_action, bonito_admin_action)
OTLOG_API otlog_emit_result bonito_log_kb_event_sized(otlog_logger *logger, const bonito_kb_event *event,
                                                      size_t event_size);
OTLOG__EMIT_CALL(bonito_log_kb_event, bonito_kb_event)
OTLOG_API otlog_emit_result bonito_log_agent_event_sized(otlog_logger *logger, const bonito_agent_event *event,
                                                         size_t event_size);
OTLOG__EMIT_CALL(bonito_log_agent_event, bonito_agent_event)
OTLOG_API otlog_emit_result bonito_log_deployment_event_sized(otlog_logger *logger,
                                                              const bonito_deployment_event *event, size_t event_size);
OTLOG__EMIT_CALL(bonito_log_deployment_event, bonito_deployment_event)
OTLOG_API otlog_emit_result bonito_log_billing_event_sized(otlog_logger *logger, const bonito_billing_event *event,
                                                           size_t event_size);
OTLOG__EMIT_CALL(bonito_log_billing_event, bonito_billing_event)

/* ---- The way back ------------------------------------------------------------------------------------------------ */

/* An entry read from a log record, and what the record has beside it. Everything belongs to this object. */
typedef struct bonito_decoded {
	/*
	 * Equal to the entry that made the record, in canonical form: a UUID in small letters with hyphens; a severity,
	 * time or trace id that was not given filled in (info, the observed time, the trace the record was made in).
	 * All texts end with a NUL, those in metadata too (it is not counted in their size).
	 */
	const bonito_entry *entry;
	const char *given_trace_id; /* the trace id as it was written, where that differs; else NULL */
	/*
	 * The record itself; its attributes are those that have no place in the entry: unknown keys, a
	 * known key with a value of another type or given a second time, and texts with a NUL byte inside.
	 */
	const otlog_record *record;
	uint32_t dropped_attributes_count; /* lost already when the record was made */
} bonito_decoded;

/*
 * Reads the bytes of one serialised opentelemetry.proto.logs.v1.LogRecord. Returns NULL if they are no such message, if
 * the event name does not begin with `bonito.`, or if memory is short. The bytes are not needed afterwards; free the
 * result with bonito_decoded_free. Containers nested deeper than 64 come back empty. Thread-safe, allocates, not
 * async-signal-safe. In libotlog, not in libotlog-api.
 */
OTLOG_API bonito_decoded *bonito_entry_from_record(const void *record, size_t record_size);

/* NULL is allowed. */
OTLOG_API void bonito_decoded_free(bonito_decoded *decoded);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
