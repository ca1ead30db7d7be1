#include "exporters/json/otlp_json.h"

#include "sdk/wire/otlp.h"
#include "sdk/wire/read.h"
#include "exporters/json/otlp_value.h"
#include "exporters/json/room.h"

typedef enum kind {
	TEXT,
	HEX,
	DECIMAL, /* fixed64: text, because JSON's numbers may have 53 bits only */
	SIGNED,  /* int32 and enums */
	UNSIGNED,
	VALUE,
	LIST, /* repeated; each message has one at most */
	MESSAGE
} kind;

typedef struct field_form {
	uint8_t tag; /* 0: no field has this number */
	uint8_t kind;
	uint8_t name_size;
	char name[29]; /* with quotes and colon; copied as a whole */
} field_form;

#define FIELD_COUNT (OTLOG__TAG_NUMBER(OTLOG__LOG_RECORD_EVENT_NAME) + 1)
#define FORM(tag, kind, name) [OTLOG__TAG_NUMBER(tag)] = { tag, kind, sizeof "\"" name "\":" - 1, "\"" name "\":" }

/* Each by the numbers of its fields. */
static const field_form request_form[FIELD_COUNT] = { FORM(OTLOG__REQUEST_RESOURCE_LOGS, LIST, "resourceLogs") };

static const field_form resource_logs_form[FIELD_COUNT] = {
	FORM(OTLOG__RESOURCE_LOGS_RESOURCE, MESSAGE, "resource"),
	FORM(OTLOG__RESOURCE_LOGS_SCOPE_LOGS, LIST, "scopeLogs"),
	FORM(OTLOG__RESOURCE_LOGS_SCHEMA_URL, TEXT, "schemaUrl"),
};

static const field_form resource_form[FIELD_COUNT] = {
	FORM(OTLOG__RESOURCE_ATTRIBUTES, LIST, "attributes"),
	FORM(OTLOG__RESOURCE_DROPPED_ATTRIBUTES_COUNT, UNSIGNED, "droppedAttributesCount"),
};

static const field_form scope_logs_form[FIELD_COUNT] = {
	FORM(OTLOG__SCOPE_LOGS_SCOPE, MESSAGE, "scope"),
	FORM(OTLOG__SCOPE_LOGS_LOG_RECORDS, LIST, "logRecords"),
	FORM(OTLOG__SCOPE_LOGS_SCHEMA_URL, TEXT, "schemaUrl"),
};

static const field_form scope_form[FIELD_COUNT] = {
	FORM(OTLOG__SCOPE_NAME, TEXT, "name"),
	FORM(OTLOG__SCOPE_VERSION, TEXT, "version"),
	FORM(OTLOG__SCOPE_ATTRIBUTES, LIST, "attributes"),
	FORM(OTLOG__SCOPE_DROPPED_ATTRIBUTES_COUNT, UNSIGNED, "droppedAttributesCount"),
};

static const field_form record_form[FIELD_COUNT] = {
	FORM(OTLOG__LOG_RECORD_TIME_UNIX_NANO, DECIMAL, "timeUnixNano"),
	FORM(OTLOG__LOG_RECORD_SEVERITY_NUMBER, SIGNED, "severityNumber"),
	FORM(OTLOG__LOG_RECORD_SEVERITY_TEXT, TEXT, "severityText"),
	FORM(OTLOG__LOG_RECORD_BODY, VALUE, "body"),
	FORM(OTLOG__LOG_RECORD_ATTRIBUTES, LIST, "attributes"),
	FORM(OTLOG__LOG_RECORD_DROPPED_ATTRIBUTES_COUNT, UNSIGNED, "droppedAttributesCount"),
	FORM(OTLOG__LOG_RECORD_FLAGS, UNSIGNED, "flags"),
	FORM(OTLOG__LOG_RECORD_TRACE_ID, HEX, "traceId"),
	FORM(OTLOG__LOG_RECORD_SPAN_ID, HEX, "spanId"),
	FORM(OTLOG__LOG_RECORD_OBSERVED_TIME_UNIX_NANO, DECIMAL, "observedTimeUnixNano"),
	FORM(OTLOG__LOG_RECORD_EVENT_NAME, TEXT, "eventName"),
};

/* What ResourceLogs and ScopeLogs have in common: who, whose records, and the schema of both. */
enum {
	GROUP_WHO = OTLOG__TAG_NUMBER(OTLOG__RESOURCE_LOGS_RESOURCE),
	GROUP_LIST = OTLOG__TAG_NUMBER(OTLOG__RESOURCE_LOGS_SCOPE_LOGS),
	GROUP_SCHEMA_URL = OTLOG__TAG_NUMBER(OTLOG__RESOURCE_LOGS_SCHEMA_URL)
};

/* What a message holds. Fields may come in any order on the wire; otlp_json.h has what becomes of one given twice. */
typedef struct message {
	const field_form *form;
	otlog_slice bytes;
	uint32_t seen;           /* a bit per field number */
	bool in_parts;           /* its MESSAGE is given more than once */
	const uint8_t *at, *end; /* around all items of the list */
	uint64_t item_tag;
	otlog__field fields[FIELD_COUNT];
} message;

static inline bool
has(const message *message, unsigned number)
{
	return message->seen >> number & 1;
}

static inline bool
read_message(otlog_slice bytes, const field_form *form, message *read)
{
	const uint8_t *end = bytes.size ? bytes.data + bytes.size : bytes.data;
	read->form = form;
	read->bytes = bytes;
	read->seen = 0;
	read->in_parts = false;
	read->at = read->end = NULL;
	read->item_tag = 0;
	for (const uint8_t *at = bytes.data; at < end;) {
		const uint8_t *begin = at;
		otlog__field field = { .tag = 0 };
		at = otlog__read_field(at, end, &field);
		if (!at)
			return false;
		uint64_t number = OTLOG__TAG_NUMBER(field.tag);
		if (number >= FIELD_COUNT || field.tag != form[number].tag)
			continue;
		const bool again = has(read, (unsigned)number);
		read->seen |= 1u << number;
		if (form[number].kind == LIST) {
			if (!read->at)
				read->at = begin;
			read->end = at;
			read->item_tag = field.tag;
		} else if (form[number].kind == VALUE) {
			if (!again)
				read->fields[number].tag = 0;
			if (!otlog__otlp_read_value(field.bytes, &read->fields[number]))
				return false;
		} else {
			read->in_parts |= again && form[number].kind == MESSAGE;
			read->fields[number] = field;
		}
	}
	return true;
}

/* The next item of the message's list; false at its end. */
static inline bool
next_item(message *message, otlog_slice *item)
{
	message->at = otlog__read_item(message->at, message->end, message->item_tag, item);
	return item->data != NULL;
}

static inline uint8_t *
put_name(uint8_t *at, const field_form *form)
{
	memcpy(at, form->name, sizeof form->name);
	return at + form->name_size;
}

static uint8_t *
put_hex(otlog__buffer *out, uint8_t *at, otlog_slice bytes)
{
	out->size = (size_t)(at - out->data);
	return otlog__json_end_of(out, otlog__json_hex(out, bytes.data, bytes.size));
}

static uint8_t *
put_attributes(otlog__buffer *out, uint8_t *at, message *message)
{
	otlog_slice item;
	*at++ = '[';
	while (at && next_item(message, &item))
		at = otlog__otlp_put_attribute(out, at, item);
	return at ? otlog__json_close(at, ']') : NULL;
}

static uint8_t *
put_field(otlog__buffer *out, uint8_t *at, message *message, unsigned number)
{
	const otlog__field *field = &message->fields[number];
	at = put_name(at, &message->form[number]);
	switch (message->form[number].kind) {
	case TEXT:
		at = otlog__json_put_string(out, at, field->bytes);
		break;
	case HEX:
		at = put_hex(out, at, field->bytes);
		break;
	case DECIMAL:
		*at++ = '"';
		at = otlog__json_put_uint64(at, field->number);
		*at++ = '"';
		break;
	case SIGNED:
		at = otlog__json_put_int64(at, (int32_t)(uint32_t)field->number);
		break;
	case UNSIGNED:
		at = otlog__json_put_uint64(at, (uint32_t)field->number);
		break;
	case VALUE:
		return otlog__otlp_put_value(out, at, field);
	case LIST:
		return put_attributes(out, at, message);
	}
	if (!at)
		return NULL;
	*at++ = ',';
	return otlog__json_make_room(out, at, 0);
}

/* A message that holds no other but attributes and values. */
static uint8_t *
put_flat(otlog__buffer *out, uint8_t *at, otlog_slice bytes, const field_form *form)
{
	message message;
	if (!read_message(bytes, form, &message))
		return NULL;
	*at++ = '{';
	for (unsigned number = 1; at && number < FIELD_COUNT; number++)
		if (has(&message, number))
			at = put_field(out, at, &message, number);
	return at ? otlog__json_make_room(out, otlog__json_close(at, '}'), 0) : NULL;
}

static bool
is_whole(otlog_slice bytes)
{
	const uint8_t *at = bytes.data, *end = at + bytes.size;
	otlog__field field;
	while (at && at < end)
		at = otlog__read_field_cold(at, end, &field);
	return at != NULL;
}

/*
 * Puts the parts of the group's resource or scope one behind the other, which is how protobuf merges them. Each must make
 * sense alone: a field that is cut off must not go on in the next one.
 */
static bool
join_parts(const message *group, otlog__buffer *joined)
{
	const uint8_t *at = group->bytes.data, *end = at + group->bytes.size;
	otlog_slice part;
	while ((at = otlog__read_item(at, end, group->form[GROUP_WHO].tag, &part)) && part.data) {
		if (!is_whole(part))
			return false;
		if (!otlog__buffer_append(joined, part.data, part.size))
			return otlog__json_no_memory();
	}
	return true;
}

static uint8_t *
put_who(otlog__buffer *out, uint8_t *at, const message *group, const field_form *form)
{
	if (!group->in_parts)
		return put_flat(out, at, group->fields[GROUP_WHO].bytes, form);
	otlog__buffer joined = { 0 };
	at = join_parts(group, &joined) ? put_flat(out, at, (otlog_slice){ joined.data, joined.size }, form) : NULL;
	otlog__buffer_free(&joined);
	return at;
}

/* ResourceLogs and ScopeLogs begin and end alike: who, then whose records, then the schema of both. */
static uint8_t *
open_group(otlog__buffer *out, uint8_t *at, otlog_slice bytes, const field_form *form, const field_form *who,
           message *group)
{
	if (!read_message(bytes, form, group))
		return NULL;
	*at++ = '{';
	if (has(group, GROUP_WHO))
		at = put_who(out, put_name(at, &form[GROUP_WHO]), group, who);
	if (at && has(group, GROUP_LIST)) {
		at = put_name(at, &form[GROUP_LIST]);
		*at++ = '[';
	}
	return at;
}

static uint8_t *
close_group(otlog__buffer *out, uint8_t *at, message *group)
{
	if (at && has(group, GROUP_LIST))
		at = otlog__json_close(at, ']');
	if (at && has(group, GROUP_SCHEMA_URL))
		at = put_field(out, at, group, GROUP_SCHEMA_URL);
	return at ? otlog__json_make_room(out, otlog__json_close(at, '}'), 0) : NULL;
}

static uint8_t *
put_scope_logs(otlog__buffer *out, uint8_t *at, otlog_slice bytes)
{
	message group;
	otlog_slice record;
	at = open_group(out, at, bytes, scope_logs_form, scope_form, &group);
	while (at && next_item(&group, &record))
		at = put_flat(out, at, record, record_form);
	return close_group(out, at, &group);
}

static uint8_t *
put_resource_logs(otlog__buffer *out, uint8_t *at, otlog_slice bytes)
{
	message group;
	otlog_slice scope_logs;
	at = open_group(out, at, bytes, resource_logs_form, resource_form, &group);
	while (at && next_item(&group, &scope_logs))
		at = put_scope_logs(out, at, scope_logs);
	return close_group(out, at, &group);
}

static uint8_t *
put_request(otlog__buffer *out, uint8_t *at, otlog_slice bytes)
{
	message request;
	otlog_slice resource_logs;
	if (!read_message(bytes, request_form, &request))
		return NULL;
	*at++ = '{';
	if (request.at) {
		at = put_name(at, &request_form[OTLOG__TAG_NUMBER(OTLOG__REQUEST_RESOURCE_LOGS)]);
		*at++ = '[';
		while (at && next_item(&request, &resource_logs))
			at = put_resource_logs(out, at, resource_logs);
		at = at ? otlog__json_close(at, ']') : NULL;
	}
	return at ? otlog__json_close(at, '}') - 1 : NULL;
}

bool
otlog__otlp_json_append(const void *request, size_t request_size, otlog__buffer *out)
{
	size_t begin = out->size;
	const otlog_slice bytes = { request_size ? request : "", request_size };
	errno = 0;
	uint8_t *end = otlog__buffer_reserve(out, OTLOG__JSON_SPARE) ? put_request(out, out->data + begin, bytes)
	                                                             : otlog__json_no_memory();
	out->size = end ? (size_t)(end - out->data) : begin;
	if (!end && errno != ENOMEM)
		errno = EBADMSG;
	return end != NULL;
}
