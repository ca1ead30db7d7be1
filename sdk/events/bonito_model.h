/* The names a Bonito entry has in a record, for both directions. */
#ifndef OTLOG_EVENTS_BONITO_MODEL_H
#define OTLOG_EVENTS_BONITO_MODEL_H

#include <otlog/bonito.h>

#define BONITO__EVENT_PREFIX "bonito."
#define BONITO__LOG_TYPE "bonito.log_type"
#define BONITO__EVENT_TYPE "bonito.event_type"
#define BONITO__ORG_ID "bonito.org_id"
#define BONITO__TRACE_ID "bonito.trace_id"
#define BONITO__USER_ID "user.id"
#define BONITO__RESOURCE_ID "bonito.resource_id"
#define BONITO__RESOURCE_TYPE "bonito.resource_type"
#define BONITO__ACTION "bonito.action"
#define BONITO__DURATION_MS "bonito.duration_ms"
#define BONITO__COST "bonito.cost"
#define BONITO__METADATA_PREFIX "bonito.metadata."

/*
 * Metadata keys that have a name of their own in the OpenTelemetry semantic conventions for generative AI
 * (semantic-conventions-genai, registry gen_ai): X(key in metadata, attribute).
 */
#define BONITO__ALIASES(X)                             \
	X("model", "gen_ai.request.model")             \
	X("provider", "gen_ai.provider.name")          \
	X("input_tokens", "gen_ai.usage.input_tokens") \
	X("output_tokens", "gen_ai.usage.output_tokens")

/* Whether the log type is one of those whose metadata have these names. `text` may be NULL if size is 0. */
static inline bool
otlog__bonito_has_aliases(const char *text, size_t size)
{
	return (size == 7 && memcmp(text, BONITO_LOG_GATEWAY, 7) == 0) ||
	       (size == 5 && memcmp(text, BONITO_LOG_AGENT, 5) == 0);
}

/* Emits an entry whose metadata are first_metadata and then entry->metadata. Neither pointer may be NULL. */
otlog_emit_result otlog__bonito_emit(otlog_logger *logger, const bonito_entry *entry, otlog_attrs first_metadata);

/* The severity number of a record. */
int otlog__bonito_severity_number(bonito_severity severity);

#endif
