#include "sdk/events/attributes.h"
#include "sdk/events/bonito_model.h"
#include "sdk/events/back/decoder.h"
#include "sdk/events/back/object.h"
#include "sdk/events/uuid.h"

/* The entry with what needs a second look. */
typedef struct bonito_fields {
	bonito_entry entry;
	const char *trace_text; /* attribute bonito.trace_id */
} bonito_fields;

#define FIELD(name, kind, member)                                                     \
	{                                                                             \
		OTLOG__KEY(name), OTLOG_VALUE_##kind, offsetof(bonito_fields, member) \
	}

/* clang-format off */
static const otlog__decode_field fields[] = {
	FIELD(BONITO__LOG_TYPE, STRING, entry.log_type),
	FIELD(BONITO__EVENT_TYPE, STRING, entry.event_type),
	FIELD(BONITO__ORG_ID, STRING, entry.org_id),
	FIELD(BONITO__TRACE_ID, STRING, trace_text),
	FIELD(BONITO__USER_ID, STRING, entry.user_id),
	FIELD(BONITO__RESOURCE_ID, STRING, entry.resource_id),
	FIELD(BONITO__RESOURCE_TYPE, STRING, entry.resource_type),
	FIELD(BONITO__ACTION, STRING, entry.action),
	FIELD(BONITO__DURATION_MS, INT64, entry.duration_ms),
	FIELD(BONITO__COST, DOUBLE, entry.cost),
};
/* clang-format on */

static const otlog_key_alias aliases[] = {
#define OTLOG__X(key, name) { OTLOG__KEY(key), OTLOG__KEY(name) },
	BONITO__ALIASES(OTLOG__X)
#undef OTLOG__X
};

/* Whether the record's log type is one whose metadata have names of their own; it decides how the keys are read. */
static bool
has_aliases(const otlog_record_view *view)
{
	otlog_value_view type;
	return otlog_find_item(otlog_attributes(view), BONITO__LOG_TYPE, &type) && type.type == OTLOG_VALUE_STRING &&
	       otlog__bonito_has_aliases((const char *)type.as.bytes.data, type.as.bytes.size);
}

static void
decode_attributes(bonito_decoded *decoded, const otlog_record_view *view, bonito_fields *out, otlog_attrs *others)
{
	const otlog__decode_group group = { .keys = { .prefix = BONITO__METADATA_PREFIX,
		                                      .prefix_size = sizeof BONITO__METADATA_PREFIX - 1,
		                                      .aliases = aliases,
		                                      .alias_count =
		                                          has_aliases(view) ? sizeof aliases / sizeof aliases[0] : 0 },
		                            .offset = offsetof(bonito_fields, entry.metadata) };
	const otlog__decode_plan plan = { fields, sizeof fields / sizeof fields[0], &group, 1 };
	otlog__decode_attributes(decoded, view, &plan, out, others);
}

static bonito_severity
severity_of(const otlog_record *record)
{
	/* The lowest number of each; what lies between belongs to the one below. */
	static const int lowest[] = { OTLOG_SEVERITY_UNSPECIFIED, OTLOG_SEVERITY_TRACE, OTLOG_SEVERITY_INFO,
		                      OTLOG_SEVERITY_WARN,        OTLOG_SEVERITY_ERROR, OTLOG_SEVERITY_FATAL };
	bonito_severity severity = bonito_severity_from_text(record->severity_text);
	if (severity != BONITO_SEVERITY_DEFAULT)
		return severity;
	for (severity = BONITO_SEVERITY_CRITICAL; severity > BONITO_SEVERITY_DEFAULT; severity--)
		if (record->severity >= lowest[severity])
			return severity;
	return BONITO_SEVERITY_INFO;
}

/*
 * The entry's trace id is the record's, unless the text that was given is no UUID. Returns false if the text has no
 * place: it is a UUID, but another one.
 */
static bool
decode_trace(bonito_decoded *decoded, const otlog_record_view *view, bonito_fields *fields)
{
	uint8_t given[16];
	char text[OTLOG__UUID_SIZE];
	if (view->trace_id.size == sizeof given) {
		otlog__uuid_format(view->trace_id.data, text);
		fields->entry.trace_id = otlog__object_text(decoded, text, sizeof text - 1);
	}
	if (!fields->trace_text)
		return true;
	if (otlog__uuid_parse(fields->trace_text, strlen(fields->trace_text), given) == OTLOG__UUID_NONE) {
		fields->entry.trace_id = fields->trace_text;
		return true;
	}
	if (view->trace_id.size != sizeof given || memcmp(given, view->trace_id.data, sizeof given) != 0)
		return false;
	if (strcmp(fields->trace_text, text) != 0)
		decoded->given_trace_id = fields->trace_text;
	return true;
}

static otlog_attrs
with_one_more(void *object, otlog_attrs attrs, otlog_attr more)
{
	otlog_attr *items = otlog__object_take(object, (attrs.count + 1) * sizeof *items);
	if (!items)
		return attrs;
	if (attrs.count > 0)
		memcpy(items, attrs.items, attrs.count * sizeof *items);
	items[attrs.count] = more;
	return (otlog_attrs){ items, attrs.count + 1 };
}

bonito_decoded *
bonito_entry_from_record(const void *record, size_t record_size)
{
	otlog_record_view view;
	if (!record || !otlog_record_view_open(record, record_size, &view) ||
	    view.event_name.size < sizeof BONITO__EVENT_PREFIX ||
	    memcmp(view.event_name.data, OTLOG__KEY(BONITO__EVENT_PREFIX)) != 0)
		return NULL;
	bonito_decoded *decoded = otlog__object_create(sizeof *decoded, otlog__decode_expected(record_size));
	if (!decoded)
		return NULL;
	bonito_fields *out = otlog__object_take(decoded, sizeof *out);
	otlog_record *rest = otlog__decode_record(decoded, &view);
	if (!out || !rest)
		goto broken;

	decode_attributes(decoded, &view, out, &rest->attributes);
	out->entry.severity = severity_of(rest);
	out->entry.timestamp_unix_nano = rest->time_unix_nano ? rest->time_unix_nano : rest->observed_time_unix_nano;
	out->entry.message = otlog__text_of_value(&rest->body);
	if (!decode_trace(decoded, &view, out))
		rest->attributes =
		    with_one_more(decoded, rest->attributes, OTLOG_KV(BONITO__TRACE_ID, out->trace_text));
	if (otlog__object_is_broken(decoded))
		goto broken;
	decoded->entry = &out->entry;
	decoded->record = rest;
	decoded->dropped_attributes_count = view.dropped_attributes_count;
	return decoded;
broken:
	otlog__object_free(decoded);
	return NULL;
}

void
bonito_decoded_free(bonito_decoded *decoded)
{
	otlog__object_free(decoded);
}
