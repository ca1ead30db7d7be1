#include "exporters/json/otlp_json.h"

#include "exporters/json/field.h"
#include "exporters/json/put.h"

#include <errno.h>

/*
 * Functions take where they may write and return where they ended, NULL if the bytes make no sense or memory is short.
 * SPARE bytes are free wherever one begins and wherever one ends: room for names and brackets between two values.
 *
 * Behind each value stands a comma. What closes a list or an object takes the last one away.
 */
#define SPARE 96

/* Texts up to here are written into room for the worst that can become of them. */
#define SHORT_TEXT ((size_t)1024)

/* ---- Room -------------------------------------------------------------------------------------------------------- */

static uint8_t *
no_memory(void)
{
	errno = ENOMEM;
	return NULL;
}

static inline uint8_t *
make_room(otlog__buffer *out, uint8_t *at, size_t size)
{
	if (size + SPARE <= (size_t)(out->data + out->capacity - at))
		return at;
	out->size = (size_t)(at - out->data);
	return otlog__buffer_reserve(out, size + SPARE) ? out->data + out->size : no_memory();
}

/* Where a function of writer.h that `appended` has ended. */
static uint8_t *
end_of(otlog__buffer *out, bool appended)
{
	return appended ? make_room(out, out->data + out->size, 0) : no_memory();
}

static inline uint8_t *
put_string(otlog__buffer *out, uint8_t *at, otlog__slice text)
{
	if (text.size > SHORT_TEXT) {
		out->size = (size_t)(at - out->data);
		return end_of(out, otlog__json_string(out, text.data, text.size, OTLOG__JSON_UTF8));
	}
	at = make_room(out, at, OTLOG__JSON_TEXT_ROOM(text.size));
	if (!at)
		return NULL;
	*at++ = '"';
	at = otlog__json_put_text(at, text.data, text.size, OTLOG__JSON_UTF8);
	*at++ = '"';
	return at;
}

static uint8_t *
put_base64(otlog__buffer *out, uint8_t *at, otlog__slice bytes)
{
	out->size = (size_t)(at - out->data);
	return end_of(out, otlog__json_base64(out, bytes.data, bytes.size));
}

static uint8_t *
put_hex(otlog__buffer *out, uint8_t *at, otlog__slice bytes)
{
	out->size = (size_t)(at - out->data);
	return end_of(out, otlog__json_hex(out, bytes.data, bytes.size));
}

static inline uint8_t *
close_with(uint8_t *at, uint8_t bracket)
{
	if (at[-1] == ',')
		at--;
	*at++ = bracket;
	*at++ = ',';
	return at;
}

/* ---- Values ------------------------------------------------------------------------------------------------------ */

/* Containers within containers. The encoder stops at 64, and protobuf libraries read 50 at most. */
#define MAX_DEPTH 200

enum {
	STRING_VALUE = OTLOG__FIELD(1, OTLOG__BYTES),
	BOOL_VALUE = OTLOG__FIELD(2, OTLOG__VARINT),
	INT_VALUE = OTLOG__FIELD(3, OTLOG__VARINT),
	DOUBLE_VALUE = OTLOG__FIELD(4, OTLOG__FIXED64),
	ARRAY_VALUE = OTLOG__FIELD(5, OTLOG__BYTES),
	KVLIST_VALUE = OTLOG__FIELD(6, OTLOG__BYTES),
	BYTES_VALUE = OTLOG__FIELD(7, OTLOG__BYTES),
};

/* An ArrayValue or KeyValueList that was begun, but not closed. */
typedef struct container {
	const uint8_t *at; /* the rest of its bytes; NULL: there is no container */
	const uint8_t *end;
	bool keyed;   /* holds KeyValues */
	bool in_pair; /* is the value of a KeyValue, which closes with it */
} container;

/* Reads an AnyValue. Of several kinds in one message the last one counts; `tag` 0 if there is none. */
static inline bool
read_value(otlog__slice bytes, otlog__field *value)
{
	const uint8_t *end = bytes.data + bytes.size;
	*value = (otlog__field){ .tag = 0 };
	for (const uint8_t *at = bytes.data; at < end;) {
		otlog__field field = { .tag = 0 };
		at = otlog__read_field(at, end, &field);
		if (!at)
			return false;
		switch (field.tag) {
		case STRING_VALUE:
		case BOOL_VALUE:
		case INT_VALUE:
		case DOUBLE_VALUE:
		case ARRAY_VALUE:
		case KVLIST_VALUE:
		case BYTES_VALUE:
			*value = field;
		}
	}
	return true;
}

static uint8_t *
put_double_value(uint8_t *at, uint64_t bits)
{
	double number;
	memcpy(&number, &bits, sizeof number);
	return otlog__json_put_double(OTLOG__JSON_PUT(at, "{\"doubleValue\":"), number);
}

static uint8_t *
open_container(uint8_t *at, const otlog__field *value, container *opened)
{
	bool keyed = value->tag == KVLIST_VALUE;
	const uint8_t *bytes = value->bytes.data;
	*opened = (container){ .at = bytes, .end = bytes + value->bytes.size, .keyed = keyed };
	return keyed ? OTLOG__JSON_PUT(at, "{\"kvlistValue\":{\"values\":[")
	             : OTLOG__JSON_PUT(at, "{\"arrayValue\":{\"values\":[");
}

/* An AnyValue and a comma; or, with *opened filled, the beginning of a container. */
static inline uint8_t *
put_value(otlog__buffer *out, uint8_t *at, otlog__slice bytes, container *opened)
{
	otlog__field value;
	if (!read_value(bytes, &value))
		return NULL;
	switch (value.tag) {
	case STRING_VALUE:
		at = put_string(out, OTLOG__JSON_PUT(at, "{\"stringValue\":"), value.bytes);
		break;
	case BOOL_VALUE:
		at = value.number ? OTLOG__JSON_PUT(at, "{\"boolValue\":true")
		                  : OTLOG__JSON_PUT(at, "{\"boolValue\":false");
		break;
	case INT_VALUE:
		at = otlog__json_put_int64(OTLOG__JSON_PUT(at, "{\"intValue\":\""), (int64_t)value.number);
		*at++ = '"';
		break;
	case DOUBLE_VALUE:
		at = put_double_value(at, value.number);
		break;
	case ARRAY_VALUE:
	case KVLIST_VALUE:
		return make_room(out, open_container(at, &value, opened), 0);
	case BYTES_VALUE:
		at = put_base64(out, OTLOG__JSON_PUT(at, "{\"bytesValue\":"), value.bytes);
		break;
	default:
		*at++ = '{';
	}
	return at ? make_room(out, OTLOG__JSON_PUT(at, "},"), 0) : NULL;
}

enum { PAIR_KEY = OTLOG__FIELD(1, OTLOG__BYTES), PAIR_VALUE = OTLOG__FIELD(2, OTLOG__BYTES) };

/* A KeyValue in the same way. */
static inline uint8_t *
put_pair(otlog__buffer *out, uint8_t *at, otlog__slice bytes, container *opened)
{
	otlog__slice key = { .data = NULL }, value = { .data = NULL };
	const uint8_t *end = bytes.data + bytes.size;
	for (const uint8_t *from = bytes.data; from < end;) {
		otlog__field field = { .tag = 0 };
		from = otlog__read_field(from, end, &field);
		if (!from)
			return NULL;
		if (field.tag == PAIR_KEY)
			key = field.bytes;
		else if (field.tag == PAIR_VALUE)
			value = field.bytes;
	}
	*at++ = '{';
	if (key.data) {
		at = put_string(out, OTLOG__JSON_PUT(at, "\"key\":"), key);
		if (!at)
			return NULL;
		*at++ = ',';
	}
	if (value.data) {
		at = put_value(out, OTLOG__JSON_PUT(at, "\"value\":"), value, opened);
		if (!at)
			return NULL;
		if (opened->at) {
			opened->in_pair = true;
			return at;
		}
	}
	return close_with(at, '}');
}

static uint8_t *
close_container(otlog__buffer *out, uint8_t *at, const container *closed)
{
	static const char values[] = "\"values\":[";
	if (at[-1] == '[') /* none came: such a field is left out */
		at -= sizeof values - 1;
	else
		at = close_with(at, ']') - 1;
	at = OTLOG__JSON_PUT(at, "}},");
	return make_room(out, closed->in_pair ? close_with(at, '}') : at, 0);
}

/* The next item of a container or attribute list with this tag; NULL data: there is none. */
static inline const uint8_t *
read_item(const uint8_t *at, const uint8_t *end, uint64_t tag, otlog__slice *item)
{
	*item = (otlog__slice){ .data = NULL };
	while (at < end) {
		otlog__field field = { .tag = 0 };
		at = otlog__read_field(at, end, &field);
		if (!at)
			return NULL;
		if (field.tag == tag) {
			*item = field.bytes;
			return at;
		}
	}
	return at;
}

/* Everything in a container that was opened, to its end. */
static uint8_t *
put_container(otlog__buffer *out, uint8_t *at, const container *outermost)
{
	container stack[MAX_DEPTH];
	size_t depth = 0;
	stack[depth++] = *outermost;
	while (depth && at) {
		container *top = &stack[depth - 1];
		container opened = { .at = NULL };
		otlog__slice item;
		top->at = read_item(top->at, top->end, OTLOG__FIELD(1, OTLOG__BYTES), &item);
		if (!top->at)
			return NULL;
		if (!item.data) {
			at = close_container(out, at, top);
			depth--;
			continue;
		}
		at = top->keyed ? put_pair(out, at, item, &opened) : put_value(out, at, item, &opened);
		if (!opened.at)
			continue;
		if (depth == MAX_DEPTH)
			return NULL;
		stack[depth++] = opened;
	}
	return at;
}

static uint8_t *
put_whole_value(otlog__buffer *out, uint8_t *at, otlog__slice bytes)
{
	container opened = { .at = NULL };
	at = put_value(out, at, bytes, &opened);
	return at && opened.at ? put_container(out, at, &opened) : at;
}

/* ---- Messages ---------------------------------------------------------------------------------------------------- */

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

#define FIELD_COUNT 13
#define FORM(number, type, kind, name) \
	[number] = { OTLOG__FIELD(number, type), kind, sizeof "\"" name "\":" - 1, "\"" name "\":" }

/* By field number. Source: opentelemetry-proto, files logs.proto, resource.proto, common.proto, logs_service.proto. */
static const field_form request_form[FIELD_COUNT] = { FORM(1, OTLOG__BYTES, LIST, "resourceLogs") };

static const field_form resource_logs_form[FIELD_COUNT] = {
	FORM(1, OTLOG__BYTES, MESSAGE, "resource"),
	FORM(2, OTLOG__BYTES, LIST, "scopeLogs"),
	FORM(3, OTLOG__BYTES, TEXT, "schemaUrl"),
};

static const field_form resource_form[FIELD_COUNT] = {
	FORM(1, OTLOG__BYTES, LIST, "attributes"),
	FORM(2, OTLOG__VARINT, UNSIGNED, "droppedAttributesCount"),
};

static const field_form scope_logs_form[FIELD_COUNT] = {
	FORM(1, OTLOG__BYTES, MESSAGE, "scope"),
	FORM(2, OTLOG__BYTES, LIST, "logRecords"),
	FORM(3, OTLOG__BYTES, TEXT, "schemaUrl"),
};

static const field_form scope_form[FIELD_COUNT] = {
	FORM(1, OTLOG__BYTES, TEXT, "name"),
	FORM(2, OTLOG__BYTES, TEXT, "version"),
	FORM(3, OTLOG__BYTES, LIST, "attributes"),
	FORM(4, OTLOG__VARINT, UNSIGNED, "droppedAttributesCount"),
};

static const field_form record_form[FIELD_COUNT] = {
	FORM(1, OTLOG__FIXED64, DECIMAL, "timeUnixNano"),
	FORM(2, OTLOG__VARINT, SIGNED, "severityNumber"),
	FORM(3, OTLOG__BYTES, TEXT, "severityText"),
	FORM(5, OTLOG__BYTES, VALUE, "body"),
	FORM(6, OTLOG__BYTES, LIST, "attributes"),
	FORM(7, OTLOG__VARINT, UNSIGNED, "droppedAttributesCount"),
	FORM(8, OTLOG__FIXED32, UNSIGNED, "flags"),
	FORM(9, OTLOG__BYTES, HEX, "traceId"),
	FORM(10, OTLOG__BYTES, HEX, "spanId"),
	FORM(11, OTLOG__FIXED64, DECIMAL, "observedTimeUnixNano"),
	FORM(12, OTLOG__BYTES, TEXT, "eventName"),
};

/* What a message holds. Fields may come in any order on the wire, and of one given twice the last one counts. */
typedef struct message {
	const field_form *form;
	uint32_t seen;           /* a bit per field number */
	const uint8_t *at, *end; /* around all items of the list */
	uint64_t item_tag;
	otlog__field fields[FIELD_COUNT];
} message;

static inline bool
read_message(otlog__slice bytes, const field_form *form, message *read)
{
	const uint8_t *end = bytes.data + bytes.size;
	read->form = form;
	read->seen = 0;
	read->at = read->end = NULL;
	read->item_tag = 0;
	for (const uint8_t *at = bytes.data; at < end;) {
		const uint8_t *begin = at;
		otlog__field field = { .tag = 0 };
		at = otlog__read_field(at, end, &field);
		if (!at)
			return false;
		uint64_t number = field.tag >> 3;
		if (number >= FIELD_COUNT || field.tag != form[number].tag)
			continue;
		read->seen |= 1u << number;
		if (form[number].kind != LIST) {
			read->fields[number] = field;
			continue;
		}
		if (!read->at)
			read->at = begin;
		read->end = at;
		read->item_tag = field.tag;
	}
	return true;
}

static inline bool
has(const message *message, unsigned number)
{
	return message->seen >> number & 1;
}

/* The next item of the message's list; false at its end. */
static inline bool
next_item(message *message, otlog__slice *item)
{
	message->at = read_item(message->at, message->end, message->item_tag, item);
	return item->data != NULL;
}

static inline uint8_t *
put_name(uint8_t *at, const field_form *form)
{
	memcpy(at, form->name, sizeof form->name);
	return at + form->name_size;
}

static uint8_t *
put_attributes(otlog__buffer *out, uint8_t *at, message *message)
{
	otlog__slice item;
	*at++ = '[';
	while (at && next_item(message, &item)) {
		container opened = { .at = NULL };
		at = put_pair(out, at, item, &opened);
		if (at && opened.at)
			at = put_container(out, at, &opened);
	}
	return at ? close_with(at, ']') : NULL;
}

static uint8_t *
put_field(otlog__buffer *out, uint8_t *at, message *message, unsigned number)
{
	const otlog__field *field = &message->fields[number];
	at = put_name(at, &message->form[number]);
	switch (message->form[number].kind) {
	case TEXT:
		at = put_string(out, at, field->bytes);
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
		return put_whole_value(out, at, field->bytes);
	case LIST:
		return put_attributes(out, at, message);
	}
	if (!at)
		return NULL;
	*at++ = ',';
	return make_room(out, at, 0);
}

/* A message that holds no other but attributes and values. */
static uint8_t *
put_flat(otlog__buffer *out, uint8_t *at, otlog__slice bytes, const field_form *form)
{
	message message;
	if (!read_message(bytes, form, &message))
		return NULL;
	*at++ = '{';
	for (unsigned number = 1; at && number < FIELD_COUNT; number++)
		if (has(&message, number))
			at = put_field(out, at, &message, number);
	return at ? make_room(out, close_with(at, '}'), 0) : NULL;
}

/* ResourceLogs and ScopeLogs begin and end alike: who, then whose records, then the schema of both. */
static uint8_t *
open_group(otlog__buffer *out, uint8_t *at, otlog__slice bytes, const field_form *form, const field_form *who,
           message *group)
{
	if (!read_message(bytes, form, group))
		return NULL;
	*at++ = '{';
	if (has(group, 1))
		at = put_flat(out, put_name(at, &form[1]), group->fields[1].bytes, who);
	if (at && has(group, 2)) {
		at = put_name(at, &form[2]);
		*at++ = '[';
	}
	return at;
}

static uint8_t *
close_group(otlog__buffer *out, uint8_t *at, message *group)
{
	if (at && has(group, 2))
		at = close_with(at, ']');
	if (at && has(group, 3))
		at = put_field(out, at, group, 3);
	return at ? make_room(out, close_with(at, '}'), 0) : NULL;
}

static uint8_t *
put_scope_logs(otlog__buffer *out, uint8_t *at, otlog__slice bytes)
{
	message group;
	otlog__slice record;
	at = open_group(out, at, bytes, scope_logs_form, scope_form, &group);
	while (at && next_item(&group, &record))
		at = put_flat(out, at, record, record_form);
	return close_group(out, at, &group);
}

static uint8_t *
put_resource_logs(otlog__buffer *out, uint8_t *at, otlog__slice bytes)
{
	message group;
	otlog__slice scope_logs;
	at = open_group(out, at, bytes, resource_logs_form, resource_form, &group);
	while (at && next_item(&group, &scope_logs))
		at = put_scope_logs(out, at, scope_logs);
	return close_group(out, at, &group);
}

static uint8_t *
put_request(otlog__buffer *out, uint8_t *at, otlog__slice bytes)
{
	message request;
	otlog__slice resource_logs;
	if (!read_message(bytes, request_form, &request))
		return NULL;
	*at++ = '{';
	if (has(&request, 1)) {
		at = put_name(at, &request_form[1]);
		*at++ = '[';
		while (at && next_item(&request, &resource_logs))
			at = put_resource_logs(out, at, resource_logs);
		at = at ? close_with(at, ']') : NULL;
	}
	return at ? close_with(at, '}') - 1 : NULL;
}

bool
otlog__otlp_json_append(const void *request, size_t request_size, otlog__buffer *out)
{
	size_t begin = out->size;
	const otlog__slice bytes = { request_size ? request : "", request_size };
	errno = 0;
	uint8_t *end = otlog__buffer_reserve(out, SPARE) ? put_request(out, out->data + begin, bytes) : no_memory();
	out->size = end ? (size_t)(end - out->data) : begin;
	if (!end && errno != ENOMEM)
		errno = EBADMSG;
	return end != NULL;
}
