#include "sdk/record/encode.h"

#include "sdk/record/value.h"

/* A KeyValue whose length is a byte, with tag and length: the most that the short way writes at once. */
enum { SHORT_ATTRIBUTE = 2 + 127 };

/* ---- The short way: keys and values of a few dozen ASCII bytes, as nearly all are -------------------------------- */

/* Four bytes at once: a tag, its length, and what begins there. */
static inline uint8_t *
put_head(uint8_t *at, uint8_t tag, size_t size, uint8_t inner_tag, size_t inner_size)
{
	return otlog__put_fixed32(at,
	                          tag | (uint32_t)size << 8 | (uint32_t)inner_tag << 16 | (uint32_t)inner_size << 24);
}

static inline bool
is_short_text(const otlog_value *value, const otlog__limits *limits)
{
	return value->type == OTLOG_VALUE_STRING && value->as.bytes.size <= OTLOG__SHORT_COPY && value->as.bytes.data &&
	       value->as.bytes.size <= limits->value_size;
}

/* A field `tag` that is an AnyValue with a text of at most OTLOG__SHORT_COPY bytes. */
OTLOG__ALWAYS_INLINE uint8_t *
put_short_text(uint8_t *at, uint8_t tag, const otlog_value *value, otlog__ascii *seen)
{
	size_t size = value->as.bytes.size;
	at = put_head(at, tag, 2 + size, OTLOG__ANY_VALUE_STRING, size);
	otlog__copy_short(at, value->as.bytes.data, size, seen);
	return at + size;
}

static inline uint8_t *
put_short_number(uint8_t *at, uint8_t tag, uint8_t value_tag, uint64_t number)
{
	uint8_t *end = otlog__put_varint(at + 3, number);
	at[0] = tag;
	at[1] = (uint8_t)(end - at - 2);
	at[2] = value_tag;
	return end;
}

/* The value's field of a KeyValue. NULL: the value is not short. At least 4 + OTLOG__SHORT_COPY bytes are free. */
OTLOG__ALWAYS_INLINE uint8_t *
put_short_value(uint8_t *at, const otlog_value *value, const otlog__limits *limits, otlog__ascii *seen)
{
	const uint8_t tag = OTLOG__KEY_VALUE_VALUE;
	uint64_t bits;
	if (is_short_text(value, limits))
		return put_short_text(at, tag, value, seen);
	switch (value->type) {
	case OTLOG_VALUE_DOUBLE:
		memcpy(&bits, &value->as.float64, sizeof bits);
		at[0] = tag;
		at[1] = 9;
		at[2] = OTLOG__ANY_VALUE_DOUBLE;
		return otlog__put_fixed64(at + 3, bits);
	case OTLOG_VALUE_BOOL:
		return put_short_number(at, tag, OTLOG__ANY_VALUE_BOOL, value->as.boolean);
	case OTLOG_VALUE_UINT64:
		if (value->as.uint64 > INT64_MAX)
			return NULL;
		/* fall through */
	case OTLOG_VALUE_INT64:
		return put_short_number(at, tag, OTLOG__ANY_VALUE_INT, value->as.uint64);
	default:
		return NULL;
	}
}

/* NULL: the attribute is not short, or not ASCII. At least SHORT_ATTRIBUTE bytes are free. */
OTLOG__ALWAYS_INLINE uint8_t *
put_short_attribute(uint8_t *at, const otlog__key *key, const otlog_value *value, const otlog__limits *limits)
{
	size_t key_size = key->prefix_size + key->name_size;
	size_t text_size = value->type == OTLOG_VALUE_STRING ? value->as.bytes.size : 0;
	if (key->prefix_size > OTLOG__SHORT_COPY || key->name_size > OTLOG__SHORT_COPY ||
	    text_size > OTLOG__SHORT_COPY || key_size + text_size > SHORT_ATTRIBUTE - 24)
		return NULL;
	otlog__ascii seen = { 0 };
	uint8_t *end = put_head(at, OTLOG__LOG_RECORD_ATTRIBUTES, 0, OTLOG__KEY_VALUE_KEY, key_size);
	if (key->prefix_size)
		otlog__copy_short(end, key->prefix, key->prefix_size, &seen);
	otlog__copy_short(end + key->prefix_size, key->name, key->name_size, &seen);
	end = put_short_value(end + key_size, value, limits, &seen);
	if (!end || !otlog__is_ascii(&seen))
		return NULL;
	at[1] = (uint8_t)(end - at - 2);
	return end;
}

/* ---- Attributes -------------------------------------------------------------------------------------------------- */

/* The attributes of a record, while it looks as if no key were there twice. */
typedef struct list {
	const otlog__keys *keys;
	size_t index; /* of the next attribute */
	otlog__key_filter filter;
} list;

/* NULL if it does not fit, or a plan is needed: a key is there twice, or is not UTF-8. */
OTLOG__ALWAYS_INLINE uint8_t *
put_next(otlog__writer *writer, uint8_t *at, list *l, const otlog_attr_group *group, const otlog_attr *attr)
{
	size_t index = l->index++;
	otlog__key key = otlog__key_of(group, attr);
	if (!key.name_size) {
		writer->notes->dropped_attributes++;
		return at;
	}
	if (otlog__key_filter_add(&l->filter, otlog__key_hash(&key)) && otlog__keys_have(l->keys, index, &key))
		return NULL;
	if (otlog__room(writer, at) >= SHORT_ATTRIBUTE) {
		uint8_t *end = put_short_attribute(at, &key, &attr->value, writer->limits);
		if (end)
			return end;
	}
	if (!otlog__key_is_utf8(&key))
		return NULL;
	return otlog__put_value(writer, at, OTLOG__LOG_RECORD_ATTRIBUTES, &key, &attr->value);
}

static uint8_t *
put_list(otlog__writer *writer, uint8_t *at, list *l, const otlog_attr_group *group, const otlog_attrs *attributes)
{
	for (size_t i = 0; at && attributes->items && i < attributes->count; i++)
		at = put_next(writer, at, l, group, &attributes->items[i]);
	return at;
}

static uint8_t *
put_few(otlog__writer *writer, uint8_t *at, const otlog__keys *keys)
{
	list l = { .keys = keys };
	at = put_list(writer, at, &l, NULL, &keys->attributes);
	for (size_t i = 0; at && i < keys->group_count; i++)
		at = put_list(writer, at, &l, &keys->groups[i], &keys->groups[i].attributes);
	return at;
}

static uint8_t *
put_attributes(otlog__writer *writer, uint8_t *at, const otlog_record *record)
{
	otlog__keys keys = { .attributes = record->attributes,
		             .groups = record->groups,
		             .group_count = record->groups ? record->group_count : 0 };
	size_t limit = writer->limits->attribute_count;
	size_t count = otlog__keys_count(&keys);
	if (count <= OTLOG__FEW_KEYS && count <= limit) {
		otlog__encode_notes before = *writer->notes;
		uint8_t *end = put_few(writer, at, &keys);
		if (end)
			return end;
		/* Or there was no room for a value that a later one of the same key replaces. */
		*writer->notes = before;
	}
	return otlog__put_attributes(writer, at, OTLOG__LOG_RECORD_ATTRIBUTES, &keys, limit);
}

/* ---- The record -------------------------------------------------------------------------------------------------- */

static uint8_t *
put_body(otlog__writer *writer, uint8_t *at, const otlog_value *body)
{
	if (is_short_text(body, writer->limits) && otlog__room(writer, at) >= 4 + body->as.bytes.size) {
		otlog__ascii seen = { 0 };
		uint8_t *end = put_short_text(at, OTLOG__LOG_RECORD_BODY, body, &seen);
		if (otlog__is_ascii(&seen))
			return end;
	}
	if (otlog__value_kind(body) == OTLOG_VALUE_EMPTY)
		return at;
	return otlog__put_value(writer, at, OTLOG__LOG_RECORD_BODY, NULL, body);
}

/* A text field of the record itself; nothing for NULL or "". */
static inline uint8_t *
put_text(const otlog__writer *writer, uint8_t *at, uint8_t tag, const char *text)
{
	if (!text || !*text)
		return at;
	size_t size = strlen(text);
	if (size <= OTLOG__SHORT_COPY && otlog__room(writer, at) >= 2 + size) {
		otlog__ascii seen = { 0 };
		at[0] = tag;
		at[1] = (uint8_t)size;
		otlog__copy_short(at + 2, (const uint8_t *)text, size, &seen);
		if (otlog__is_ascii(&seen))
			return at + 2 + size;
	}
	return otlog__put_name(writer, at, tag, text, size);
}

static uint8_t *
put_start(const otlog__writer *writer, uint8_t *at, const otlog_record *record)
{
	bool has_time = record->time_unix_nano != 0;
	bool has_severity = record->severity >= OTLOG_SEVERITY_TRACE && record->severity <= OTLOG_SEVERITY_FATAL4;
	if (otlog__room(writer, at) < (has_time ? 9u : 0u) + (has_severity ? 2u : 0u))
		return NULL;
	if (has_time) {
		*at++ = OTLOG__LOG_RECORD_TIME_UNIX_NANO;
		at = otlog__put_fixed64(at, record->time_unix_nano);
	}
	if (has_severity) {
		*at++ = OTLOG__LOG_RECORD_SEVERITY_NUMBER;
		*at++ = (uint8_t)record->severity;
	}
	return put_text(writer, at, OTLOG__LOG_RECORD_SEVERITY_TEXT, record->severity_text);
}

/* The ids stand for themselves: a record may know its trace and no span of it, but no span without a trace. */
static inline bool
has_trace(const otlog_span_context *context)
{
	return context && (otlog__load64(context->trace_id) | otlog__load64(context->trace_id + 8));
}

static uint8_t *
put_trace(const otlog__writer *writer, uint8_t *at, const otlog_span_context *context)
{
	bool has_span = otlog__load64(context->span_id) != 0;
	if (otlog__room(writer, at) < (context->trace_flags ? 5u : 0u) + 18u + (has_span ? 10u : 0u))
		return NULL;
	if (context->trace_flags) {
		*at++ = OTLOG__LOG_RECORD_FLAGS;
		at = otlog__put_fixed32(at, context->trace_flags);
	}
	*at++ = OTLOG__LOG_RECORD_TRACE_ID;
	*at++ = sizeof context->trace_id;
	at = otlog__put_bytes(at, context->trace_id, sizeof context->trace_id);
	if (!has_span)
		return at;
	*at++ = OTLOG__LOG_RECORD_SPAN_ID;
	*at++ = sizeof context->span_id;
	return otlog__put_bytes(at, context->span_id, sizeof context->span_id);
}

static uint8_t *
put_end(otlog__writer *writer, uint8_t *at, const otlog_record *record, const otlog_span_context *context,
        uint64_t now_unix_nano)
{
	uint32_t dropped = writer->notes->dropped_attributes;
	if (dropped) {
		if (otlog__room(writer, at) < 1 + otlog__varint_size(dropped))
			return NULL;
		*at++ = OTLOG__LOG_RECORD_DROPPED_ATTRIBUTES_COUNT;
		at = otlog__put_varint(at, dropped);
	}
	if (has_trace(context) && !(at = put_trace(writer, at, context)))
		return NULL;
	uint64_t observed = record->observed_time_unix_nano ? record->observed_time_unix_nano : now_unix_nano;
	if (otlog__room(writer, at) < 9)
		return NULL;
	*at++ = OTLOG__LOG_RECORD_OBSERVED_TIME_UNIX_NANO;
	/* A clock that says 0 must not make a record of 0 bytes. */
	at = otlog__put_fixed64(at, observed ? observed : 1);
	return put_text(writer, at, OTLOG__LOG_RECORD_EVENT_NAME, record->event_name);
}

static size_t
encode(otlog__writer *writer, const otlog_record *record, const otlog_span_context *context, uint64_t now_unix_nano,
       uint8_t *out)
{
	uint8_t *at = put_start(writer, out, record);
	if (at)
		at = put_body(writer, at, &record->body);
	if (at)
		at = put_attributes(writer, at, record);
	if (at)
		at = put_end(writer, at, record, context, now_unix_nano);
	return at ? (size_t)(at - out) : 0;
}

size_t
otlog__record_encode(const otlog_record *record, const otlog_span_context *context, uint64_t now_unix_nano,
                     const otlog__limits *limits, uint8_t *out, size_t capacity, otlog__encode_notes *notes)
{
	otlog__writer writer = { .end = out + capacity, .limits = limits, .notes = notes, .tables = true };
	size_t size = encode(&writer, record, context, now_unix_nano, out);
	if (size || !writer.table_used)
		return size;
	*notes = (otlog__encode_notes){ 0 };
	writer = (otlog__writer){ .end = out + capacity, .limits = limits, .notes = notes };
	return encode(&writer, record, context, now_unix_nano, out);
}
