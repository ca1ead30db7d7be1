#include "sdk/events/attributes.h"
#include "sdk/events/bonito_model.h"
#include "sdk/events/uuid.h"

static const struct {
	int number;
	const char *text;
} severities[] = {
	[BONITO_SEVERITY_DEFAULT] = { OTLOG_SEVERITY_INFO, "info" },
	[BONITO_SEVERITY_DEBUG] = { OTLOG_SEVERITY_DEBUG, "debug" },
	[BONITO_SEVERITY_INFO] = { OTLOG_SEVERITY_INFO, "info" },
	[BONITO_SEVERITY_WARN] = { OTLOG_SEVERITY_WARN, "warn" },
	[BONITO_SEVERITY_ERROR] = { OTLOG_SEVERITY_ERROR, "error" },
	[BONITO_SEVERITY_CRITICAL] = { OTLOG_SEVERITY_FATAL, "critical" },
};

static inline size_t
severity_row(bonito_severity severity)
{
	return (unsigned)severity <= BONITO_SEVERITY_CRITICAL ? (size_t)severity : BONITO_SEVERITY_DEFAULT;
}

const char *
bonito_severity_text(bonito_severity severity)
{
	return severities[severity_row(severity)].text;
}

bonito_severity
bonito_severity_from_text(const char *text)
{
	for (int i = BONITO_SEVERITY_DEBUG; text && i <= BONITO_SEVERITY_CRITICAL; i++)
		if (strcmp(severities[i].text, text) == 0)
			return (bonito_severity)i;
	return BONITO_SEVERITY_DEFAULT;
}

int
otlog__bonito_severity_number(bonito_severity severity)
{
	return severities[severity_row(severity)].number;
}

static const otlog_key_alias aliases[] = {
#define OTLOG__X(key, name) { OTLOG__KEY(key), OTLOG__KEY(name) },
	BONITO__ALIASES(OTLOG__X)
#undef OTLOG__X
};
#define ALIAS_COUNT (sizeof aliases / sizeof aliases[0])

/*
 * What an entry's trace id says of the record's trace fields. Returns *own filled for a UUID, or NULL: the record takes
 * the current context. A text that the record's trace id does not tell goes into the list.
 */
static const otlog_span_context *
resolve_trace(const char *text, otlog__attr_list *list, otlog_span_context *own)
{
	if (!text)
		return NULL;
	const size_t size = strlen(text);
	const otlog__uuid_form form = otlog__uuid_parse(text, size, own->trace_id);
	if (form != OTLOG__UUID_CANONICAL)
		otlog__put(list, OTLOG__KEY(BONITO__TRACE_ID), otlog_string_n(text, size));
	if (form == OTLOG__UUID_NONE)
		return NULL;
	const otlog_span_context current = otlog_context_current();
	if (memcmp(current.trace_id, own->trace_id, sizeof own->trace_id) == 0) {
		*own = current;
	} else {
		memset(own->span_id, 0, sizeof own->span_id);
		own->trace_flags = 0;
	}
	return own;
}

static inline otlog__piece
piece_of(otlog_value text)
{
	return text.as.bytes.size > 0 ? (otlog__piece){ (const char *)text.as.bytes.data, text.as.bytes.size }
	                              : (otlog__piece){ OTLOG__KEY("unknown") };
}

/* bonito.<log_type>.<event_type>, and the two attributes. */
static void
put_kind(otlog__attr_list *list, char name[OTLOG__EVENT_NAME_SIZE], otlog_value log_type, otlog_value event_type)
{
	const otlog__piece pieces[] = {
		{ OTLOG__KEY(BONITO__EVENT_PREFIX) }, piece_of(log_type), { OTLOG__KEY(".") }, piece_of(event_type)
	};
	otlog__event_name_join(pieces, sizeof pieces / sizeof pieces[0], name);
	if (log_type.type != OTLOG_VALUE_EMPTY)
		otlog__put(list, OTLOG__KEY(BONITO__LOG_TYPE), log_type);
	if (event_type.type != OTLOG_VALUE_EMPTY)
		otlog__put(list, OTLOG__KEY(BONITO__EVENT_TYPE), event_type);
}

otlog_emit_result
otlog__bonito_emit(otlog_logger *logger, const bonito_entry *entry, otlog_attrs first_metadata)
{
	const size_t row = severity_row(entry->severity);
	const otlog_emit_result gate = otlog__gate(logger, severities[row].number);
	if (gate != OTLOG_EMIT_ACCEPTED)
		return gate;

	otlog_attr items[10];
	otlog__attr_list list = { items, 0 };
	char name[OTLOG__EVENT_NAME_SIZE];
	const otlog_value log_type = otlog_string(entry->log_type);
	put_kind(&list, name, log_type, otlog_string(entry->event_type));
	otlog__put_text(&list, OTLOG__KEY(BONITO__ORG_ID), entry->org_id);
	otlog__put_text(&list, OTLOG__KEY(BONITO__USER_ID), entry->user_id);
	otlog__put_text(&list, OTLOG__KEY(BONITO__RESOURCE_ID), entry->resource_id);
	otlog__put_text(&list, OTLOG__KEY(BONITO__RESOURCE_TYPE), entry->resource_type);
	otlog__put_text(&list, OTLOG__KEY(BONITO__ACTION), entry->action);
	otlog__put_int64(&list, OTLOG__KEY(BONITO__DURATION_MS), entry->duration_ms);
	otlog__put_double(&list, OTLOG__KEY(BONITO__COST), entry->cost);
	otlog_span_context own;
	const otlog_span_context *context = resolve_trace(entry->trace_id, &list, &own);

	const bool renamed = otlog__bonito_has_aliases((const char *)log_type.as.bytes.data, log_type.as.bytes.size);
	otlog_attr_group groups[2] = { { .prefix = BONITO__METADATA_PREFIX,
		                         .prefix_size = sizeof BONITO__METADATA_PREFIX - 1,
		                         .aliases = aliases,
		                         .alias_count = renamed ? ALIAS_COUNT : 0,
		                         .attributes = first_metadata } };
	groups[1] = groups[0];
	groups[1].attributes = entry->metadata;
	const size_t skipped = first_metadata.count == 0;
	return otlog_emit(logger, &(otlog_record){ .time_unix_nano = entry->timestamp_unix_nano,
	                                           .severity = severities[row].number,
	                                           .severity_text = severities[row].text,
	                                           .body = otlog_string(entry->message),
	                                           .attributes = { items, list.count },
	                                           .groups = groups + skipped,
	                                           .group_count = 2 - skipped,
	                                           .event_name = name,
	                                           .span_context = context });
}

otlog_emit_result
bonito_emit_sized(otlog_logger *logger, const bonito_entry *entry, size_t entry_size)
{
	bonito_entry whole;
	const bonito_entry *known = otlog__known(entry, entry_size, &whole, sizeof whole);
	if (!known)
		return otlog__emit_nothing(logger);
	return otlog__bonito_emit(logger, known, (otlog_attrs){ NULL, 0 });
}
