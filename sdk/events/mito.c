#include "sdk/events/attributes.h"
#include "sdk/events/mito_model.h"
#include "sdk/events/traceback.h"

/* A severity code, how the wire writes it, and what it is worth. */
typedef struct severity_row {
	int code;
	const char *text;
	int severity;
} severity_row;

static const severity_row severities[] = {
	{ -1, "-1", OTLOG_SEVERITY_ERROR },  { 0, "0", OTLOG_SEVERITY_WARN },    { 10, "10", OTLOG_SEVERITY_WARN2 },
	{ 11, "11", OTLOG_SEVERITY_WARN2 },  { 20, "20", OTLOG_SEVERITY_ERROR }, { 21, "21", OTLOG_SEVERITY_ERROR2 },
	{ 22, "22", OTLOG_SEVERITY_ERROR2 }, { 50, "50", OTLOG_SEVERITY_FATAL },
};
#define ROWS (sizeof severities / sizeof severities[0])

static bool
is_error(const char *event)
{
	return event && (strcmp(event, MITO_EVENT_ERROR) == 0 || strcmp(event, MITO_EVENT_FRONTEND_RENDER_FAILED) == 0);
}

/* The text of the last param of that name, as the last one counts; NULL if there is none or it is no text. */
static const otlog_value *
find_failed_log_event(otlog_attrs params)
{
	for (size_t i = params.items ? params.count : 0; i-- > 0;) {
		const otlog_attr *attr = &params.items[i];
		if (attr->key_size == 16 && attr->key && memcmp(attr->key, "failed_log_event", 16) == 0)
			return attr->value.type == OTLOG_VALUE_STRING && attr->value.as.bytes.data ? &attr->value
			                                                                           : NULL;
	}
	return NULL;
}

/* The code an event without one gets: its text, and what it is worth. */
static const severity_row *
derive_code(const mito_event *event, otlog_attrs first_params)
{
	const otlog_value *name = find_failed_log_event(event->params);
	if (!name)
		name = find_failed_log_event(first_params);
	const int code = name ? otlog__mito_severity_code((const char *)name->as.bytes.data, name->as.bytes.size)
	                      : mito_severity_code(event->event);
	for (size_t i = 1; i < ROWS; i++)
		if (severities[i].code == code)
			return &severities[i];
	return &severities[0];
}

static int
severity_of_code(const char *text)
{
	for (size_t i = 0; i < ROWS; i++)
		if (strcmp(severities[i].text, text) == 0)
			return severities[i].severity;
	return OTLOG_SEVERITY_ERROR;
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
put_event(otlog__attr_list *list, otlog__event_name *name, const char *event)
{
	otlog__event_name_append(name, OTLOG__KEY(MITO__EVENT_NAME));
	if (!event)
		return;
	const size_t size = strlen(event);
	unsigned char any = 0;
	for (size_t i = 0; i < size; i++)
		any |= (unsigned char)event[i];
	otlog__event_name_append(name, OTLOG__KEY("."));
	otlog__event_name_append(name, event, size);
	if (name->was_cut || any >= 0x80)
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

static otlog_emit_result
emit_parts(otlog_logger *logger, const mito_event *event, otlog_attrs first_params, const event_parts *parts)
{
	otlog_attr items[6];
	otlog__attr_list list = { items, 0 };
	otlog__event_name name;
	name.size = 0;
	name.was_cut = false;
	put_event(&list, &name, event->event);
	otlog__put_text(&list, OTLOG__KEY(MITO__SEVERITY_CODE), parts->code);
	put_last_line(&list, event->error_traceback_last_line);
	if (parts->stacktrace.type != OTLOG_VALUE_EMPTY)
		otlog__put(&list, OTLOG__KEY(MITO__STACKTRACE), parts->stacktrace);
	const uint64_t time = put_time(&list, event);

	const otlog_attr_group groups[] = {
		{ .prefix = MITO__PARAMS_PREFIX,
		  .prefix_size = sizeof MITO__PARAMS_PREFIX - 1,
		  .attributes = first_params },
		{ .prefix = MITO__PARAMS_PREFIX,
		  .prefix_size = sizeof MITO__PARAMS_PREFIX - 1,
		  .attributes = event->params },
		{ .prefix = MITO__VERSION_PREFIX,
		  .prefix_size = sizeof MITO__VERSION_PREFIX - 1,
		  .attributes = event->versions },
		{ .prefix = MITO__EXTRA_PREFIX,
		  .prefix_size = sizeof MITO__EXTRA_PREFIX - 1,
		  .attributes = event->extra },
	};
	return otlog_emit(logger, &(otlog_record){ .time_unix_nano = time,
	                                           .severity = parts->severity,
	                                           .attributes = { items, list.count },
	                                           .groups = groups,
	                                           .group_count = sizeof groups / sizeof groups[0],
	                                           .event_name = name.text });
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
		parts.severity = severity_of_code(parts.code);
	} else if (is_error(event->event)) {
		const severity_row *row = derive_code(event, first_params);
		parts.code = row->text;
		parts.severity = row->severity;
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
