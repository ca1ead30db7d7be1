/* The view that otlog/exporter.h declares: the readers of requests and records, under their public names. */
#include "sdk/view/request_view.h"

#include <otlog/exporter.h>

/* What one program's record has of another's: the smaller part is copied, the rest is zero. */
static void
hand_out(const otlog_record_view *from, otlog_record_view *to, size_t to_size)
{
	size_t common = to_size < sizeof *from ? to_size : sizeof *from;
	memcpy(to, from, common);
	memset((char *)to + common, 0, to_size - common);
}

/* Who copies an id relies on its size. */
static otlog_slice
id_of(otlog_slice bytes, size_t size)
{
	return bytes.size == size ? bytes : (otlog_slice){ .data = NULL };
}

/* Reads one LogRecord; resource and scope are left empty. */
static bool
read_record(otlog_slice bytes, otlog_record_view *record)
{
	otlog__record_view view;
	if (!otlog__record_view_open(bytes.data, bytes.size, &view))
		return false;
	*record = (otlog_record_view){ .time_unix_nano = view.time_unix_nano,
		                       .observed_time_unix_nano = view.observed_time_unix_nano,
		                       .severity = view.severity,
		                       .dropped_attributes_count = view.dropped_attributes_count,
		                       .flags = view.flags,
		                       .severity_text = view.severity_text,
		                       .event_name = view.event_name,
		                       .trace_id = id_of(view.trace_id, 16),
		                       .span_id = id_of(view.span_id, 8),
		                       .body = view.body,
		                       .attributes = view.attributes,
		                       .encoded = bytes };
	return true;
}

/* Reads the record that the reader stands at. */
static bool
read_next(otlog_batch_reader *reader, const otlog__request_record *next, otlog_record_view *record)
{
	otlog__scope_view scope;
	if (next->new_scope) {
		if (!otlog__scope_view_open(next->scope, &scope))
			return false;
		reader->scope.name = scope.name;
		reader->scope.version = scope.version;
	}
	if (!read_record(next->record, record))
		return false;
	record->new_resource = next->new_resource;
	record->new_scope = next->new_scope;
	record->resource = reader->resource;
	record->scope = reader->scope;
	return true;
}

bool
otlog_batch_next_sized(otlog_batch_reader *reader, otlog_record_view *record, size_t record_size)
{
	otlog__request_record next;
	otlog_record_view read;
	if (!record)
		return false;
	bool found = reader && otlog__request_next(reader, &next);
	if (found && !read_next(reader, &next, &read)) {
		reader->malformed = true;
		found = false;
	}
	if (found)
		hand_out(&read, record, record_size);
	else
		memset(record, 0, record_size);
	return found;
}

bool
otlog_record_view_open_sized(const void *bytes, size_t size, otlog_record_view *record, size_t record_size)
{
	otlog_record_view read;
	if (!record)
		return false;
	if ((!bytes && size) || !read_record((otlog_slice){ bytes, size }, &read)) {
		memset(record, 0, record_size);
		return false;
	}
	hand_out(&read, record, record_size);
	return true;
}

/* ---- Attributes and items ---------------------------------------------------------------------------------------- */

otlog_items
otlog_attributes(const otlog_record_view *record)
{
	otlog__record_view view = { .attributes = record ? record->attributes : (otlog_slice){ .data = NULL } };
	return otlog__attributes_of(&view);
}

otlog_items
otlog_resource_attributes(const otlog_record_view *record)
{
	return otlog__resource_attributes(record ? record->resource.encoded : (otlog_slice){ .data = NULL });
}

otlog_items
otlog_scope_attributes(const otlog_record_view *record)
{
	return otlog__scope_attributes(record ? record->scope.encoded : (otlog_slice){ .data = NULL });
}

otlog_items
otlog_items_of(const otlog_value_view *container)
{
	static const otlog_value_view none = { .type = OTLOG_VALUE_EMPTY };
	return otlog__items_of(container ? container : &none);
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
	if (items && otlog__next_item(items, key, value))
		return true;
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
