#include "exporters/json/otlp_value.h"

#include "sdk/wire/otlp.h"
#include "sdk/wire/read.h"
#include "exporters/json/room.h"

/* Containers within containers. The encoder stops at 64. */
#define MAX_DEPTH 200

/* An ArrayValue or KeyValueList that was begun, but not closed. */
typedef struct container {
	const uint8_t *at; /* the rest of its bytes; NULL: there is no container */
	const uint8_t *end;
	bool keyed;   /* holds KeyValues */
	bool in_pair; /* is the value of a KeyValue, which closes with it */
} container;

static inline bool
read_value(otlog_slice bytes, otlog__field *value)
{
	const uint8_t *end = bytes.data + bytes.size;
	for (const uint8_t *at = bytes.data; at < end;) {
		otlog__field field = { .tag = 0 };
		at = otlog__read_field(at, end, &field);
		if (!at)
			return false;
		switch (field.tag) {
		case OTLOG__ANY_VALUE_STRING:
		case OTLOG__ANY_VALUE_BOOL:
		case OTLOG__ANY_VALUE_INT:
		case OTLOG__ANY_VALUE_DOUBLE:
		case OTLOG__ANY_VALUE_ARRAY:
		case OTLOG__ANY_VALUE_KVLIST:
		case OTLOG__ANY_VALUE_BYTES:
			*value = field;
		}
	}
	return true;
}

static uint8_t *
put_base64(otlog__buffer *out, uint8_t *at, otlog_slice bytes)
{
	out->size = (size_t)(at - out->data);
	return otlog__json_end_of(out, otlog__json_base64(out, bytes.data, bytes.size));
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
	bool keyed = value->tag == OTLOG__ANY_VALUE_KVLIST;
	const uint8_t *bytes = value->bytes.data;
	*opened = (container){ .at = bytes, .end = bytes + value->bytes.size, .keyed = keyed };
	return keyed ? OTLOG__JSON_PUT(at, "{\"kvlistValue\":{\"values\":[")
	             : OTLOG__JSON_PUT(at, "{\"arrayValue\":{\"values\":[");
}

/* An AnyValue and a comma; or, with *opened filled, the beginning of a container. */
static inline uint8_t *
put_value(otlog__buffer *out, uint8_t *at, const otlog__field *value, container *opened)
{
	switch (value->tag) {
	case OTLOG__ANY_VALUE_STRING:
		at = otlog__json_put_string(out, OTLOG__JSON_PUT(at, "{\"stringValue\":"), value->bytes);
		break;
	case OTLOG__ANY_VALUE_BOOL:
		at = value->number ? OTLOG__JSON_PUT(at, "{\"boolValue\":true")
		                   : OTLOG__JSON_PUT(at, "{\"boolValue\":false");
		break;
	case OTLOG__ANY_VALUE_INT:
		at = otlog__json_put_int64(OTLOG__JSON_PUT(at, "{\"intValue\":\""), (int64_t)value->number);
		*at++ = '"';
		break;
	case OTLOG__ANY_VALUE_DOUBLE:
		at = put_double_value(at, value->number);
		break;
	case OTLOG__ANY_VALUE_ARRAY:
	case OTLOG__ANY_VALUE_KVLIST:
		return otlog__json_make_room(out, open_container(at, value, opened), 0);
	case OTLOG__ANY_VALUE_BYTES:
		at = put_base64(out, OTLOG__JSON_PUT(at, "{\"bytesValue\":"), value->bytes);
		break;
	default:
		*at++ = '{';
	}
	return at ? otlog__json_make_room(out, OTLOG__JSON_PUT(at, "},"), 0) : NULL;
}

/* A KeyValue in the same way. */
static inline uint8_t *
put_pair(otlog__buffer *out, uint8_t *at, otlog_slice bytes, container *opened)
{
	otlog_slice key = { .data = NULL };
	otlog__field value = { .tag = 0 };
	bool has_value = false;
	const uint8_t *end = bytes.data + bytes.size;
	for (const uint8_t *from = bytes.data; from < end;) {
		otlog__field field = { .tag = 0 };
		from = otlog__read_field(from, end, &field);
		if (!from)
			return NULL;
		if (field.tag == OTLOG__KEY_VALUE_KEY)
			key = field.bytes;
		else if (field.tag == OTLOG__KEY_VALUE_VALUE) {
			has_value = true;
			if (!read_value(field.bytes, &value))
				return NULL;
		}
	}
	*at++ = '{';
	if (key.data) {
		at = otlog__json_put_string(out, OTLOG__JSON_PUT(at, "\"key\":"), key);
		if (!at)
			return NULL;
		*at++ = ',';
	}
	if (has_value) {
		at = put_value(out, OTLOG__JSON_PUT(at, "\"value\":"), &value, opened);
		if (!at)
			return NULL;
		if (opened->at) {
			opened->in_pair = true;
			return at;
		}
	}
	return otlog__json_close(at, '}');
}

static uint8_t *
close_container(otlog__buffer *out, uint8_t *at, const container *closed)
{
	static const char values[] = "\"values\":[";
	if (at[-1] == '[') /* none came: such a field is left out */
		at -= sizeof values - 1;
	else
		at = otlog__json_close(at, ']') - 1;
	at = OTLOG__JSON_PUT(at, "}},");
	return otlog__json_make_room(out, closed->in_pair ? otlog__json_close(at, '}') : at, 0);
}

/* An item of an array. */
static inline uint8_t *
put_element(otlog__buffer *out, uint8_t *at, otlog_slice bytes, container *opened)
{
	otlog__field value = { .tag = 0 };
	return read_value(bytes, &value) ? put_value(out, at, &value, opened) : NULL;
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
		otlog_slice item;
		uint64_t tag = top->keyed ? OTLOG__KEY_VALUE_LIST_VALUES : OTLOG__ARRAY_VALUE_VALUES;
		top->at = otlog__read_item(top->at, top->end, tag, &item);
		if (!top->at)
			return NULL;
		if (!item.data) {
			at = close_container(out, at, top);
			depth--;
			continue;
		}
		at = top->keyed ? put_pair(out, at, item, &opened) : put_element(out, at, item, &opened);
		if (!opened.at)
			continue;
		if (depth == MAX_DEPTH)
			return NULL;
		stack[depth++] = opened;
	}
	return at;
}

bool
otlog__otlp_read_value(otlog_slice bytes, otlog__field *value)
{
	return read_value(bytes, value);
}

uint8_t *
otlog__otlp_put_value(otlog__buffer *out, uint8_t *at, const otlog__field *value)
{
	container opened = { .at = NULL };
	at = put_value(out, at, value, &opened);
	return at && opened.at ? put_container(out, at, &opened) : at;
}

uint8_t *
otlog__otlp_put_attribute(otlog__buffer *out, uint8_t *at, otlog_slice bytes)
{
	container opened = { .at = NULL };
	at = put_pair(out, at, bytes, &opened);
	return at && opened.at ? put_container(out, at, &opened) : at;
}
