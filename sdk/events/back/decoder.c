#include "sdk/events/back/decoder.h"
#include "sdk/base/limits.h"
#include "sdk/events/back/object.h"

#include <stdlib.h>

static bool copy_container(void *object, const otlog_value_view *view, size_t depth, otlog_value *out);

/* `depth` containers are around the value. */
static bool
copy_value(void *object, const otlog_value_view *view, size_t depth, otlog_value *out)
{
	*out = otlog_empty();
	switch (view->type) {
	case OTLOG_VALUE_BOOL:
		*out = otlog_bool(view->as.boolean);
		return true;
	case OTLOG_VALUE_INT64:
		*out = otlog_int64(view->as.int64);
		return true;
	case OTLOG_VALUE_DOUBLE:
		*out = otlog_double(view->as.float64);
		return true;
	case OTLOG_VALUE_STRING:
	case OTLOG_VALUE_BYTES:
		*out = otlog_bytes(otlog__object_text(object, view->as.bytes.data, view->as.bytes.size),
		                   view->as.bytes.size);
		out->type = view->type;
		return out->as.bytes.data != NULL;
	case OTLOG_VALUE_ARRAY:
	case OTLOG_VALUE_MAP:
		return copy_container(object, view, depth, out);
	case OTLOG_VALUE_EMPTY:
	case OTLOG_VALUE_UINT64:
		break;
	}
	return true;
}

/* How many items there are; false if the bytes make no sense. */
static bool
count_items(otlog_items items, size_t *count)
{
	otlog_slice key;
	otlog_value_view value;
	*count = 0;
	while (otlog_next_item(&items, &key, &value))
		(*count)++;
	return !items.malformed;
}

static bool
copy_attr(void *object, otlog_slice key, const otlog_value_view *value, size_t depth, otlog_attr *out)
{
	out->key = otlog__object_text(object, key.data, key.size);
	out->key_size = key.size;
	return out->key && copy_value(object, value, depth, &out->value);
}

static bool
copy_container(void *object, const otlog_value_view *view, size_t depth, otlog_value *out)
{
	const bool is_map = view->type == OTLOG_VALUE_MAP;
	otlog_attr *attrs = NULL;
	otlog_value *values = NULL;
	size_t count = 0;
	if (depth < OTLOG__DEPTH_MAX && !count_items(otlog_items_of(view), &count))
		return false;
	if (count > 0 && is_map && !(attrs = otlog__object_take(object, count * sizeof *attrs)))
		return false;
	if (count > 0 && !is_map && !(values = otlog__object_take(object, count * sizeof *values)))
		return false;

	otlog_items items = otlog_items_of(view);
	otlog_slice key;
	otlog_value_view item;
	for (size_t i = 0; i < count && otlog_next_item(&items, &key, &item); i++) {
		if (is_map ? !copy_attr(object, key, &item, depth + 1, &attrs[i])
		           : !copy_value(object, &item, depth + 1, &values[i]))
			return false;
	}
	*out = is_map ? otlog_map((otlog_attrs){ attrs, count }) : otlog_array(values, count);
	return true;
}

const char *
otlog__text_of_value(const otlog_value *value)
{
	const bool is_text = value->type == OTLOG_VALUE_STRING || value->type == OTLOG_VALUE_BYTES;
	if (!is_text || !value->as.bytes.data || memchr(value->as.bytes.data, 0, value->as.bytes.size))
		return NULL;
	return value->as.bytes.data;
}

/* Puts a value into its field; false if it is not the field's, or the field has one already. */
static bool
fill_field(const otlog__decode_field *field, void *target, const otlog_value *value)
{
	void *at = (char *)target + field->offset;
	if (field->type == OTLOG_VALUE_STRING) {
		const char **text = at;
		if (*text)
			return false;
		*text = otlog__text_of_value(value);
		return *text != NULL;
	}
	if (field->type == OTLOG_VALUE_INT64) {
		otlog_optional_int64 *number = at;
		if (number->is_set || value->type != OTLOG_VALUE_INT64)
			return false;
		*number = (otlog_optional_int64){ true, value->as.int64 };
		return true;
	}
	otlog_optional_double *number = at;
	const bool is_whole = value->type == OTLOG_VALUE_INT64 && value->as.int64 >= -(INT64_C(1) << 53) &&
	                      value->as.int64 <= INT64_C(1) << 53;
	if (number->is_set || (value->type != OTLOG_VALUE_DOUBLE && !is_whole))
		return false;
	*number = (otlog_optional_double){ true, is_whole ? (double)value->as.int64 : value->as.float64 };
	return true;
}

/* The attribute's key in the group it belongs to; false if it is not the group's, that is, would not be made so. */
static bool
strip_prefix(const otlog_attr_group *group, otlog_attr *attr)
{
	for (size_t i = 0; i < group->alias_count; i++) {
		const otlog_key_alias *alias = &group->aliases[i];
		if (alias->name_size == attr->key_size && memcmp(alias->name, attr->key, attr->key_size) == 0) {
			attr->key = alias->key;
			attr->key_size = alias->key_size;
			return true;
		}
	}
	if (attr->key_size <= group->prefix_size || memcmp(attr->key, group->prefix, group->prefix_size) != 0)
		return false;
	const char *key = attr->key + group->prefix_size;
	const size_t size = attr->key_size - group->prefix_size;
	for (size_t i = 0; i < group->alias_count; i++)
		if (group->aliases[i].key_size == size && memcmp(group->aliases[i].key, key, size) == 0)
			return false;
	attr->key = key;
	attr->key_size = size;
	return true;
}

#define FIELD UINT8_MAX

/* Which list an attribute belongs to: a group's number, group_count for the others, FIELD if it is in its field now. */
static uint8_t
sort(const otlog__decode_plan *plan, void *target, otlog_attr *attr)
{
	for (size_t i = 0; i < plan->field_count; i++) {
		const otlog__decode_field *field = &plan->fields[i];
		if (field->key_size == attr->key_size && memcmp(field->key, attr->key, attr->key_size) == 0)
			return fill_field(field, target, &attr->value) ? FIELD : (uint8_t)plan->group_count;
	}
	for (size_t i = 0; i < plan->group_count; i++)
		if (strip_prefix(&plan->groups[i].keys, attr))
			return (uint8_t)i;
	return (uint8_t)plan->group_count;
}

/* Those of the attributes that were sorted into the list, in a list of their own. */
static otlog_attrs
pick(void *object, const otlog_attr *attrs, const uint8_t *lists, size_t count, size_t wanted)
{
	size_t size = 0;
	for (size_t i = 0; i < count; i++)
		size += lists[i] == wanted;
	otlog_attr *items = size > 0 ? otlog__object_take(object, size * sizeof *items) : NULL;
	if (!items)
		return (otlog_attrs){ NULL, 0 };
	size_t at = 0;
	for (size_t i = 0; i < count; i++)
		if (lists[i] == wanted)
			items[at++] = attrs[i];
	return (otlog_attrs){ items, size };
}

void
otlog__decode_attributes(void *object, const otlog_record_view *view, const otlog__decode_plan *plan, void *target,
                         otlog_attrs *others)
{
	size_t count, done = 0;
	if (!count_items(otlog_attributes(view), &count)) {
		otlog__object_break(object);
		return;
	}
	if (count == 0)
		return;
	otlog_attr *attrs = calloc(count, sizeof *attrs + 1);
	if (!attrs) {
		otlog__object_break(object);
		return;
	}
	uint8_t *lists = (uint8_t *)(attrs + count);
	otlog_items items = otlog_attributes(view);
	otlog_slice key;
	otlog_value_view value;
	while (done < count && otlog_next_item(&items, &key, &value)) {
		if (!copy_attr(object, key, &value, 0, &attrs[done])) {
			otlog__object_break(object);
			goto done;
		}
		lists[done] = sort(plan, target, &attrs[done]);
		done++;
	}
	for (size_t i = 0; i < plan->group_count; i++) {
		otlog_attrs *list = (otlog_attrs *)(void *)((char *)target + plan->groups[i].offset);
		*list = pick(object, attrs, lists, count, i);
	}
	*others = pick(object, attrs, lists, count, plan->group_count);
done:
	free(attrs);
}

otlog_record *
otlog__decode_record(void *object, const otlog_record_view *view)
{
	otlog_record *record = otlog__object_take(object, sizeof *record);
	otlog_span_context *context = otlog__object_take(object, sizeof *context);
	if (!record || !context)
		return NULL;
	if (view->trace_id.size == sizeof context->trace_id)
		memcpy(context->trace_id, view->trace_id.data, sizeof context->trace_id);
	if (view->span_id.size == sizeof context->span_id)
		memcpy(context->span_id, view->span_id.data, sizeof context->span_id);
	context->trace_flags = (uint8_t)view->flags;
	*record = (otlog_record){ .time_unix_nano = view->time_unix_nano,
		                  .observed_time_unix_nano = view->observed_time_unix_nano,
		                  .severity = view->severity,
		                  .span_context = context };
	if (view->severity_text.size > 0)
		record->severity_text = otlog__object_text(object, view->severity_text.data, view->severity_text.size);
	if (view->event_name.size > 0)
		record->event_name = otlog__object_text(object, view->event_name.data, view->event_name.size);
	if (!copy_value(object, &view->body, 0, &record->body))
		otlog__object_break(object);
	return otlog__object_is_broken(object) ? NULL : record;
}

size_t
otlog__decode_expected(size_t record_size)
{
	const size_t most = 65536;
	return record_size + (record_size < most ? record_size : most) * 2 + 1024;
}
