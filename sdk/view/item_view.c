/* Values, and the items of attributes, arrays and maps. */
#include "sdk/view/view.h"
#include "sdk/wire/otlp.h"
#include "sdk/wire/read.h"

/* ---- Values ------------------------------------------------------------------------------------------------------ */

/* Takes a field of an AnyValue for the value; others are passed over. */
static void
take_value(const otlog__field *field, otlog_value_view *value)
{
	switch (field->tag) {
	case OTLOG__ANY_VALUE_STRING:
		*value = (otlog_value_view){ .type = OTLOG_VALUE_STRING, .as.bytes = field->bytes };
		break;
	case OTLOG__ANY_VALUE_BOOL:
		*value = (otlog_value_view){ .type = OTLOG_VALUE_BOOL, .as.boolean = field->number != 0 };
		break;
	case OTLOG__ANY_VALUE_INT:
		*value = (otlog_value_view){ .type = OTLOG_VALUE_INT64, .as.int64 = (int64_t)field->number };
		break;
	case OTLOG__ANY_VALUE_DOUBLE:
		value->type = OTLOG_VALUE_DOUBLE;
		memcpy(&value->as.float64, &field->number, sizeof field->number);
		break;
	case OTLOG__ANY_VALUE_ARRAY:
		*value = (otlog_value_view){ .type = OTLOG_VALUE_ARRAY, .as.container = field->bytes };
		break;
	case OTLOG__ANY_VALUE_KVLIST:
		*value = (otlog_value_view){ .type = OTLOG_VALUE_MAP, .as.container = field->bytes };
		break;
	case OTLOG__ANY_VALUE_BYTES:
		*value = (otlog_value_view){ .type = OTLOG_VALUE_BYTES, .as.bytes = field->bytes };
		break;
	}
}

bool
otlog__view_value(otlog_slice bytes, otlog_value_view *value)
{
	const uint8_t *end = bytes.data + bytes.size;
	for (const uint8_t *at = bytes.data; at < end;) {
		otlog__field field = { .tag = 0 };
		at = otlog__read_field(at, end, &field);
		if (!at)
			return false;
		take_value(&field, value);
	}
	return true;
}

static bool
read_key_value(otlog_slice bytes, otlog_slice *key, otlog_value_view *value)
{
	const uint8_t *end = bytes.data + bytes.size;
	for (const uint8_t *at = bytes.data; at < end;) {
		otlog__field field = { .tag = 0 };
		at = otlog__read_field(at, end, &field);
		if (!at)
			return false;
		if (field.tag == OTLOG__KEY_VALUE_KEY)
			*key = field.bytes;
		else if (field.tag == OTLOG__KEY_VALUE_VALUE && !otlog__view_value(field.bytes, value))
			return false;
	}
	return true;
}

/* ---- Parts ------------------------------------------------------------------------------------------------------- */

bool
otlog__view_next_part(otlog_slice *more, otlog_slice *part)
{
	*part = (otlog_slice){ .data = NULL };
	if (!more->size)
		return false;
	/* The batch reader has been through these bytes: they make sense. */
	const uint8_t *end = more->data + more->size;
	const uint8_t *at = otlog__read_item(more->data, end, OTLOG__RESOURCE_LOGS_RESOURCE, part);
	*more = (otlog_slice){ at, at ? (size_t)(end - at) : 0 };
	return part->data != NULL;
}

/* ---- Items ------------------------------------------------------------------------------------------------------- */

otlog_items
otlog_attributes(const otlog_record_view *record)
{
	otlog_items items = { .tag = OTLOG__LOG_RECORD_ATTRIBUTES, .keyed = true };
	if (record)
		items.rest = record->attributes;
	return items;
}

otlog_items
otlog_resource_attributes(const otlog_record_view *record)
{
	otlog_items items = { .tag = OTLOG__RESOURCE_ATTRIBUTES, .keyed = true };
	if (record) {
		items.rest = record->resource.encoded;
		items.more = record->resource.more;
	}
	return items;
}

otlog_items
otlog_scope_attributes(const otlog_record_view *record)
{
	otlog_items items = { .tag = OTLOG__SCOPE_ATTRIBUTES, .keyed = true };
	if (record) {
		items.rest = record->scope.encoded;
		items.more = record->scope.more;
	}
	return items;
}

otlog_items
otlog_items_of(const otlog_value_view *container)
{
	otlog_items items = { .tag = OTLOG__ARRAY_VALUE_VALUES };
	if (container && container->type == OTLOG_VALUE_MAP) {
		items.tag = OTLOG__KEY_VALUE_LIST_VALUES;
		items.keyed = true;
	}
	if (container && (items.keyed || container->type == OTLOG_VALUE_ARRAY))
		items.rest = container->as.container;
	return items;
}

static inline bool
next_item(otlog_items *items, otlog_slice *key, otlog_value_view *value)
{
	const uint8_t *at = items->rest.data, *end = items->rest.size ? at + items->rest.size : at;
	*key = (otlog_slice){ .data = NULL };
	*value = (otlog_value_view){ .type = OTLOG_VALUE_EMPTY };
	while (at < end) {
		otlog__field field = { .tag = 0 };
		at = otlog__read_field(at, end, &field);
		if (at && field.tag != items->tag)
			continue;
		if (!at ||
		    !(items->keyed ? read_key_value(field.bytes, key, value) : otlog__view_value(field.bytes, value))) {
			items->malformed = true;
			items->more.size = 0;
			break;
		}
		items->rest = (otlog_slice){ at, (size_t)(end - at) };
		return true;
	}
	items->rest.size = 0;
	return false;
}

bool
otlog_next_item(otlog_items *items, otlog_slice *key, otlog_value_view *value)
{
	otlog_slice unwanted_key;
	otlog_value_view unwanted_value;
	if (!key)
		key = &unwanted_key;
	if (!value)
		value = &unwanted_value;
	do {
		if (items && next_item(items, key, value))
			return true;
	} while (items && otlog__view_next_part(&items->more, &items->rest));
	*key = (otlog_slice){ .data = NULL };
	*value = (otlog_value_view){ .type = OTLOG_VALUE_EMPTY };
	return false;
}

bool
otlog_find_item(otlog_items items, const char *key, otlog_value_view *value)
{
	otlog_slice found;
	while (otlog_next_item(&items, &found, value))
		if (items.keyed && otlog_slice_is(found, key))
			return true;
	return false;
}
