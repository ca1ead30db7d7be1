#include "sdk/view/record_view.h"

#include "sdk/wire/otlp.h"
#include "sdk/wire/read.h"

/* ---- Values ------------------------------------------------------------------------------------------------------ */

/* Reads an AnyValue over what *value holds: of several kinds in one message the last one counts. */
static bool
read_value(otlog_slice bytes, otlog_value_view *value)
{
	const uint8_t *end = bytes.data + bytes.size;
	for (const uint8_t *at = bytes.data; at < end;) {
		otlog__field f = { .number = 0 };
		at = otlog__read_field(at, end, &f);
		if (!at)
			return false;
		switch (f.tag) {
		case OTLOG__ANY_VALUE_STRING:
			*value = (otlog_value_view){ .type = OTLOG_VALUE_STRING, .as.bytes = f.bytes };
			break;
		case OTLOG__ANY_VALUE_BOOL:
			*value = (otlog_value_view){ .type = OTLOG_VALUE_BOOL, .as.boolean = f.number != 0 };
			break;
		case OTLOG__ANY_VALUE_INT:
			*value = (otlog_value_view){ .type = OTLOG_VALUE_INT64, .as.int64 = (int64_t)f.number };
			break;
		case OTLOG__ANY_VALUE_DOUBLE:
			value->type = OTLOG_VALUE_DOUBLE;
			memcpy(&value->as.float64, &f.number, sizeof f.number);
			break;
		case OTLOG__ANY_VALUE_ARRAY:
			*value = (otlog_value_view){ .type = OTLOG_VALUE_ARRAY, .as.container = f.bytes };
			break;
		case OTLOG__ANY_VALUE_KVLIST:
			*value = (otlog_value_view){ .type = OTLOG_VALUE_MAP, .as.container = f.bytes };
			break;
		case OTLOG__ANY_VALUE_BYTES:
			*value = (otlog_value_view){ .type = OTLOG_VALUE_BYTES, .as.bytes = f.bytes };
			break;
		}
	}
	return true;
}

static bool
read_key_value(otlog_slice bytes, otlog_slice *key, otlog_value_view *value)
{
	const uint8_t *end = bytes.data + bytes.size;
	for (const uint8_t *at = bytes.data; at < end;) {
		otlog__field f = { .number = 0 };
		at = otlog__read_field(at, end, &f);
		if (!at)
			return false;
		if (f.tag == OTLOG__KEY_VALUE_KEY)
			*key = f.bytes;
		else if (f.tag == OTLOG__KEY_VALUE_VALUE && !read_value(f.bytes, value))
			return false;
	}
	return true;
}

/* ---- Records ----------------------------------------------------------------------------------------------------- */

static bool
take_field(otlog__record_view *view, const otlog__field *f)
{
	switch (f->tag) {
	case OTLOG__LOG_RECORD_TIME_UNIX_NANO:
		view->time_unix_nano = f->number;
		break;
	case OTLOG__LOG_RECORD_SEVERITY_NUMBER:
		view->severity = (int32_t)(uint32_t)f->number;
		break;
	case OTLOG__LOG_RECORD_SEVERITY_TEXT:
		view->severity_text = f->bytes;
		break;
	case OTLOG__LOG_RECORD_BODY:
		return read_value(f->bytes, &view->body);
	case OTLOG__LOG_RECORD_DROPPED_ATTRIBUTES_COUNT:
		view->dropped_attributes_count = (uint32_t)f->number;
		break;
	case OTLOG__LOG_RECORD_FLAGS:
		view->flags = (uint32_t)f->number;
		break;
	case OTLOG__LOG_RECORD_TRACE_ID:
		view->trace_id = f->bytes;
		break;
	case OTLOG__LOG_RECORD_SPAN_ID:
		view->span_id = f->bytes;
		break;
	case OTLOG__LOG_RECORD_OBSERVED_TIME_UNIX_NANO:
		view->observed_time_unix_nano = f->number;
		break;
	case OTLOG__LOG_RECORD_EVENT_NAME:
		view->event_name = f->bytes;
		break;
	}
	return true;
}

bool
otlog__record_view_open(const void *bytes, size_t size, otlog__record_view *view)
{
	*view = (otlog__record_view){ .body = { .type = OTLOG_VALUE_EMPTY } };
	if (!size)
		return true;
	const uint8_t *at = bytes;
	const uint8_t *end = at + size;
	while (at < end) {
		otlog__field f = { .number = 0 };
		const uint8_t *start = at;
		at = otlog__read_field(at, end, &f);
		if (!at || !take_field(view, &f))
			return false;
		if (f.tag != OTLOG__LOG_RECORD_ATTRIBUTES)
			continue;
		if (!view->attributes.data)
			view->attributes.data = start;
		view->attributes.size = (size_t)(at - view->attributes.data);
	}
	return true;
}

otlog_items
otlog__attributes_of(const otlog__record_view *view)
{
	return (otlog_items){ .rest = view->attributes, .tag = OTLOG__LOG_RECORD_ATTRIBUTES, .keyed = true };
}

otlog_items
otlog__items_of(const otlog_value_view *container)
{
	if (container->type == OTLOG_VALUE_MAP)
		return (
		    otlog_items){ .rest = container->as.container, .tag = OTLOG__KEY_VALUE_LIST_VALUES, .keyed = true };
	if (container->type == OTLOG_VALUE_ARRAY)
		return (otlog_items){ .rest = container->as.container, .tag = OTLOG__ARRAY_VALUE_VALUES };
	return (otlog_items){ .keyed = false };
}

bool
otlog__next_item(otlog_items *items, otlog_slice *key, otlog_value_view *value)
{
	*key = (otlog_slice){ .data = NULL };
	*value = (otlog_value_view){ .type = OTLOG_VALUE_EMPTY };
	while (items->rest.size) {
		otlog__field f = { .number = 0 };
		const uint8_t *end = items->rest.data + items->rest.size;
		const uint8_t *at = otlog__read_field(items->rest.data, end, &f);
		bool sound = at != NULL;
		if (sound)
			items->rest = (otlog_slice){ at, (size_t)(end - at) };
		if (sound && f.tag != items->tag)
			continue;
		if (sound)
			sound = items->keyed ? read_key_value(f.bytes, key, value) : read_value(f.bytes, value);
		if (sound)
			return true;
		items->malformed = true;
		items->rest.size = 0;
	}
	return false;
}
