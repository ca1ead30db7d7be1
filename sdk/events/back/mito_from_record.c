#include "sdk/events/attributes.h"
#include "sdk/events/back/decoder.h"
#include "sdk/events/mito_model.h"
#include "sdk/events/back/object.h"

/* The event with what needs a second look. */
typedef struct mito_fields {
	mito_event event;
	const char *exception_type;
	const char *exception_message;
} mito_fields;

#define FIELD(name, kind, member)                                                   \
	{                                                                           \
		OTLOG__KEY(name), OTLOG_VALUE_##kind, offsetof(mito_fields, member) \
	}
#define GROUP(name, member)                                                    \
	{                                                                      \
		.keys = { .prefix = (name), .prefix_size = sizeof(name) - 1 }, \
		.offset = offsetof(mito_fields, member),                       \
	}

/* clang-format off */
static const otlog__decode_field fields[] = {
	FIELD(MITO__EVENT, STRING, event.event),
	FIELD(MITO__TIMESTAMP_GMT, STRING, event.timestamp_gmt),
	FIELD(MITO__SEVERITY_CODE, STRING, event.error_severity_code),
	FIELD(MITO__LAST_LINE, STRING, event.error_traceback_last_line),
	FIELD(MITO__EXCEPTION_TYPE, STRING, exception_type),
	FIELD(MITO__EXCEPTION_MESSAGE, STRING, exception_message),
	FIELD(MITO__STACKTRACE, STRING, event.error_traceback_text),
};
/* clang-format on */

static const otlog__decode_group groups[] = {
	GROUP(MITO__PARAMS_PREFIX, event.params),
	GROUP(MITO__VERSION_PREFIX, event.versions),
	GROUP(MITO__EXTRA_PREFIX, event.extra),
};

static const otlog__decode_plan plan = { fields, sizeof fields / sizeof fields[0], groups,
	                                 sizeof groups / sizeof groups[0] };

/* Whether the record is a Mito event. A name with a NUL inside is not: an event is a C string. */
static bool
is_ours(otlog_slice name)
{
	const size_t size = sizeof MITO__EVENT_NAME - 1;
	return name.size >= size && memcmp(name.data, MITO__EVENT_NAME, size) == 0 &&
	       (name.size == size || name.data[size] == '.') && !memchr(name.data, 0, name.size);
}

/* The lines of the text, each ending in a NUL. */
static void
split_traceback(void *object, mito_event *event)
{
	if (!event->error_traceback_text)
		return;
	size_t count = 1;
	for (const char *at = event->error_traceback_text; (at = strchr(at, '\n')); at++)
		count++;
	const char **lines = otlog__object_take(object, count * sizeof *lines);
	char *text = otlog__object_text(object, event->error_traceback_text, strlen(event->error_traceback_text));
	if (!lines || !text)
		return;
	for (size_t i = 0; i < count; i++) {
		lines[i] = text;
		text = strchr(text, '\n');
		if (text)
			*text++ = '\0';
	}
	event->error_traceback = lines;
	event->error_traceback_count = count;
}

/* Puts the last line of a traceback together again. Returns false if type and message have no place there. */
static bool
join_last_line(void *object, mito_fields *found)
{
	const char *type = found->exception_type, *message = found->exception_message;
	if (!type && !message)
		return true;
	if (!type || !message || found->event.error_traceback_last_line)
		return false;
	const size_t type_size = strlen(type), message_size = strlen(message);
	const size_t between = sizeof MITO__LAST_LINE_SEPARATOR - 1;
	char *line = otlog__object_take(object, type_size + between + message_size + 1);
	if (!line)
		return true;
	memcpy(line, type, type_size);
	memcpy(line + type_size, MITO__LAST_LINE_SEPARATOR, between);
	memcpy(line + type_size + between, message, message_size);
	found->event.error_traceback_last_line = line;
	return true;
}

/* Appends what was read as the parts of a last line, but is none. */
static void
give_back_exception(void *object, const mito_fields *found, otlog_attrs *others)
{
	otlog_attr *items = otlog__object_take(object, (others->count + 2) * sizeof *items);
	if (!items)
		return;
	if (others->count > 0)
		memcpy(items, others->items, others->count * sizeof *items);
	otlog__attr_list list = { items, others->count };
	otlog__put_text(&list, OTLOG__KEY(MITO__EXCEPTION_TYPE), found->exception_type);
	otlog__put_text(&list, OTLOG__KEY(MITO__EXCEPTION_MESSAGE), found->exception_message);
	*others = (otlog_attrs){ items, list.count };
}

/* Number and text of the time, each from what the record has. */
static void
decode_time(void *object, const otlog_record *record, mito_event *event)
{
	char text[MITO_TIMESTAMP_SIZE];
	event->timestamp_unix_nano = record->time_unix_nano;
	if (event->timestamp_gmt)
		return;
	if (event->timestamp_unix_nano == 0)
		event->timestamp_unix_nano = record->observed_time_unix_nano;
	mito_format_timestamp(event->timestamp_unix_nano, text);
	event->timestamp_gmt = otlog__object_text(object, text, sizeof text - 1);
}

mito_decoded *
mito_event_from_record(const void *record, size_t record_size)
{
	otlog_record_view view;
	if (!record || !otlog_record_view_open(record, record_size, &view) || !is_ours(view.event_name))
		return NULL;
	mito_decoded *decoded = otlog__object_create(sizeof *decoded, otlog__decode_expected(record_size));
	if (!decoded)
		return NULL;
	mito_fields *found = otlog__object_take(decoded, sizeof *found);
	otlog_record *rest = otlog__decode_record(decoded, &view);
	if (!found || !rest)
		goto broken;

	otlog__decode_attributes(decoded, &view, &plan, found, &rest->attributes);
	if (!found->event.event && view.event_name.size >= sizeof MITO__EVENT_NAME)
		found->event.event = rest->event_name + sizeof MITO__EVENT_NAME;
	decode_time(decoded, rest, &found->event);
	split_traceback(decoded, &found->event);
	if (!join_last_line(decoded, found))
		give_back_exception(decoded, found, &rest->attributes);
	if (otlog__object_is_broken(decoded))
		goto broken;
	decoded->event = &found->event;
	decoded->record = rest;
	decoded->dropped_attributes_count = view.dropped_attributes_count;
	return decoded;
broken:
	otlog__object_free(decoded);
	return NULL;
}

void
mito_decoded_free(mito_decoded *decoded)
{
	otlog__object_free(decoded);
}
