/*
 * The convenience calls: each makes the mito_event of its kind. The members that stand for params become a list of their
 * own, which goes before the caller's without being joined to it.
 */
#include "sdk/events/attributes.h"
#include "sdk/events/mito_model.h"

/* What every event has, and what the errors have beside it: the structs share these members. */
#define COMMON(given)                                                                                 \
	.timestamp_unix_nano = (given)->timestamp_unix_nano, .timestamp_gmt = (given)->timestamp_gmt, \
	.params = (given)->params, .versions = (given)->versions, .extra = (given)->extra
#define TRACEBACK(given)                                                                                      \
	.error_traceback = (given)->error_traceback, .error_traceback_count = (given)->error_traceback_count, \
	.error_traceback_text = (given)->error_traceback_text,                                                \
	.error_traceback_last_line = (given)->error_traceback_last_line,                                      \
	.error_severity_code = (given)->error_severity_code

/* Emits with one param of text before the others, or none if it is NULL. */
static otlog_emit_result
emit_with_param(otlog_logger *logger, const mito_event *event, const char *key, size_t key_size, const char *text)
{
	otlog_attr item;
	otlog__attr_list list = { &item, 0 };
	otlog__put_text(&list, key, key_size, text);
	return otlog__mito_emit(logger, event, (otlog_attrs){ &item, list.count });
}

otlog_emit_result
mito_log_edit_event_sized(otlog_logger *logger, const mito_edit_event *event, size_t event_size)
{
	mito_edit_event whole;
	event = otlog__known(event, event_size, &whole, sizeof whole);
	if (!event)
		return otlog__emit_nothing(logger);
	const mito_event edit = { COMMON(event), .event = event->log_event ? event->log_event : "edit_event" };
	return otlog__mito_emit(logger, &edit, (otlog_attrs){ NULL, 0 });
}

otlog_emit_result
mito_log_error_sized(otlog_logger *logger, const mito_error_event *event, size_t event_size)
{
	mito_error_event whole;
	event = otlog__known(event, event_size, &whole, sizeof whole);
	if (!event)
		return otlog__emit_nothing(logger);
	const mito_event error = { COMMON(event), TRACEBACK(event), .event = MITO_EVENT_ERROR };
	return emit_with_param(logger, &error, OTLOG__KEY("failed_log_event"), event->failed_log_event);
}

otlog_emit_result
mito_log_mitosheet_rendered_sized(otlog_logger *logger, const mito_rendered_event *event, size_t event_size)
{
	mito_rendered_event whole;
	event = otlog__known(event, event_size, &whole, sizeof whole);
	if (!event)
		return otlog__emit_nothing(logger);
	const mito_event rendered = { COMMON(event), .event = MITO_EVENT_MITOSHEET_RENDERED };
	return emit_with_param(logger, &rendered, OTLOG__KEY("user_agent"), event->user_agent);
}

otlog_emit_result
mito_log_frontend_render_failed_sized(otlog_logger *logger, const mito_frontend_failure *event, size_t event_size)
{
	mito_frontend_failure whole;
	event = otlog__known(event, event_size, &whole, sizeof whole);
	if (!event)
		return otlog__emit_nothing(logger);
	const mito_event failure = { COMMON(event), TRACEBACK(event), .event = MITO_EVENT_FRONTEND_RENDER_FAILED };
	return otlog__mito_emit(logger, &failure, (otlog_attrs){ NULL, 0 });
}
