#include "sdk/events/attributes.h"
#include "sdk/events/mito_model.h"
#include "sdk/events/rare/traceback.h"

static bool
is_error(const char *event)
{
	return event && (strcmp(event, MITO_EVENT_ERROR) == 0 || strcmp(event, MITO_EVENT_FRONTEND_RENDER_FAILED) == 0);
}

/* The code that an error without one gets. The last param failed_log_event counts, as it is the one that is sent. */
static const otlog__mito_code *
derive_code(const mito_event *event, otlog_attrs first_params)
{
	const otlog_attrs lists[] = { event->params, first_params };
	for (size_t l = 0; l < 2; l++) {
		for (size_t i = lists[l].items ? lists[l].count : 0; i-- > 0;) {
			const otlog_attr *attr = &lists[l].items[i];
			if (attr->key_size != 16 || !attr->key || memcmp(attr->key, "failed_log_event", 16) != 0)
				continue;
			if (attr->value.type == OTLOG_VALUE_STRING && attr->value.as.bytes.data)
				return otlog__mito_code_of_failure((const char *)attr->value.as.bytes.data,
				                                   attr->value.as.bytes.size);
			break;
		}
	}
	return otlog__mito_code_of_failure(event->event, strlen(event->event));
}

/* What the event's fields, as far as they are no lists, come to in the record. */
typedef struct event_parts {
	int severity;
	const char *code; /* NULL: none */
	otlog_value stacktrace;
} event_parts;

static void
put_last_line(otlog__attr_list *list, const char *line)
{
	if (!line)
		return;
	const size_t size = strlen(line);
	const size_t type_size = otlog__mito_exception_type_size(line, size);
	if (type_size == 0) {
		otlog__put(list, OTLOG__KEY(MITO__LAST_LINE), otlog_string_n(line, size));
		return;
	}
	const size_t before = type_size + sizeof MITO__LAST_LINE_SEPARATOR - 1;
	otlog__put(list, OTLOG__KEY(MITO__EXCEPTION_TYPE), otlog_string_n(line, type_size));
	otlog__put(list, OTLOG__KEY(MITO__EXCEPTION_MESSAGE), otlog_string_n(line + before, size - before));
}

/* mito.<event>; the event is also an attribute where the name may not say all of it. */
static void
put_event(otlog__attr_list *list, char name[OTLOG__EVENT_NAME_SIZE], const char *event)
{
	unsigned char any = 0;
	size_t size = 0;
	for (; event && event[size]; size++)
		any |= (unsigned char)event[size];
	const otlog__piece pieces[] = { { OTLOG__KEY(MITO__EVENT_NAME) }, { OTLOG__KEY(".") }, { event, size } };
	const bool fits = otlog__event_name_join(pieces, event ? 3 : 1, name);
	if (!fits || any >= 0x80)
		otlog__put(list, OTLOG__KEY(MITO__EVENT), otlog_string_n(event, size));
}

/* The record's time; a text that it cannot say becomes an attribute. */
static uint64_t
put_time(otlog__attr_list *list, const mito_event *event)
{
	uint64_t time = event->timestamp_unix_nano;
	if (time == 0 && event->timestamp_gmt && (!mito_parse_timestamp(event->timestamp_gmt, &time) || time == 0))
		otlog__put_text(list, OTLOG__KEY(MITO__TIMESTAMP_GMT), event->timestamp_gmt);
	return time;
}

static inline void
put_group(otlog_attr_group *groups, size_t *count, const char *prefix, size_t prefix_size, otlog_attrs attributes)
{
	if (attributes.count > 0)
		groups[(*count)++] =
		    (otlog_attr_group){ .prefix = prefix, .prefix_size = prefix_size, .attributes = attributes };
}

static otlog_emit_result
emit_parts(otlog_logger *logger, const mito_event *event, otlog_attrs first_params, const event_parts *parts)
{
	otlog_attr items[6];
	otlog__attr_list list = { items, 0 };
	char name[OTLOG__EVENT_NAME_SIZE];
	put_event(&list, name, event->event);
	otlog__put_text(&list, OTLOG__KEY(MITO__SEVERITY_CODE), parts->code);
	put_last_line(&list, event->error_traceback_last_line);
	if (parts->stacktrace.type != OTLOG_VALUE_EMPTY)
		otlog__put(&list, OTLOG__KEY(MITO__STACKTRACE), parts->stacktrace);
	const uint64_t time = put_time(&list, event);

	otlog_attr_group groups[4];
	size_t group_count = 0;
	put_group(groups, &group_count, OTLOG__KEY(MITO__PARAMS_PREFIX), first_params);
	put_group(groups, &group_count, OTLOG__KEY(MITO__PARAMS_PREFIX), event->params);
	put_group(groups, &group_count, OTLOG__KEY(MITO__VERSION_PREFIX), event->versions);
	put_group(groups, &group_count, OTLOG__KEY(MITO__EXTRA_PREFIX), event->extra);
	return otlog_emit(logger, &(otlog_record){ .time_unix_nano = time,
	                                           .severity = parts->severity,
	                                           .attributes = { items, list.count },
	                                           .groups = groups,
	                                           .group_count = group_count,
	                                           .event_name = name });
}

/* Apart, so that only events with a traceback in lines pay for the buffer on the stack. */
static __attribute__((noinline)) otlog_emit_result
emit_joined(otlog_logger *logger, const mito_event *event, otlog_attrs first_params, event_parts *parts)
{
	char text[OTLOG__TRACEBACK_SIZE];
	const size_t size = otlog__traceback_join(event->error_traceback, event->error_traceback_count, text);
	parts->stacktrace = otlog_string_n(text, size);
	return emit_parts(logger, event, first_params, parts);
}

otlog_emit_result
otlog__mito_emit(otlog_logger *logger, const mito_event *event, otlog_attrs first_params)
{
	event_parts parts = { .severity = OTLOG_SEVERITY_INFO, .code = event->error_severity_code };
	if (parts.code) {
		parts.severity = otlog__mito_code_of_text(parts.code)->severity;
	} else if (is_error(event->event)) {
		const otlog__mito_code *code = derive_code(event, first_params);
		parts.code = code->text;
		parts.severity = code->severity;
	}
	const otlog_emit_result gate = otlog__gate(logger, parts.severity);
	if (gate != OTLOG_EMIT_ACCEPTED)
		return gate;

	if (event->error_traceback_text) {
		parts.stacktrace = otlog_string(event->error_traceback_text);
	} else if (event->error_traceback && event->error_traceback_count == 1) {
		const char *line = event->error_traceback[0];
		parts.stacktrace = otlog_string(line ? line : "");
	} else if (event->error_traceback && event->error_traceback_count > 1) {
		return emit_joined(logger, event, first_params, &parts);
	}
	return emit_parts(logger, event, first_params, &parts);
}

otlog_emit_result
mito_log_sized(otlog_logger *logger, const mito_event *event, size_t event_size)
{
	mito_event whole;
	event = otlog__known(event, event_size, &whole, sizeof whole);
	if (!event)
		return otlog__emit_nothing(logger);
	return otlog__mito_emit(logger, event, (otlog_attrs){ NULL, 0 });
}
