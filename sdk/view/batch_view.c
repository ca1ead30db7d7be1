/* A batch: its records, one after the other, each with its resource and scope. */
#include "sdk/view/view.h"
#include "sdk/wire/otlp.h"
#include "sdk/wire/read.h"

/*
 * The next field with that tag of what is left of a message: 1 if there is one, 0 at the end, -1 if the bytes make no
 * sense. *content is only set by 1.
 */
static int
next_field(otlog_slice *rest, uint64_t tag, otlog_slice *content)
{
	otlog_slice found;
	if (!rest->size)
		return 0;
	const uint8_t *end = rest->data + rest->size;
	const uint8_t *at = otlog__read_item(rest->data, end, tag, &found);
	if (!at)
		return -1;
	*rest = (otlog_slice){ at, (size_t)(end - at) };
	if (!found.data)
		return 0;
	*content = found;
	return 1;
}

/*
 * Looks through a ResourceLogs for its resource and schema URL, or through a ScopeLogs for its scope and schema URL, which
 * may come after what they are wanted for. *more is set to where further parts of the resource or scope are. False if
 * the bytes make no sense.
 */
static bool
find_origin(otlog_slice logs, otlog_slice *origin, otlog_slice *more, otlog_slice *schema_url)
{
	*origin = *more = *schema_url = (otlog_slice){ .data = NULL };
	const uint8_t *end = logs.data + logs.size;
	for (const uint8_t *at = logs.data; at < end;) {
		const uint8_t *begin = at;
		otlog__field field = { .tag = 0 };
		at = otlog__read_field_cold(at, end, &field);
		if (!at)
			return false;
		if (field.tag == OTLOG__RESOURCE_LOGS_SCHEMA_URL)
			*schema_url = field.bytes;
		else if (field.tag == OTLOG__RESOURCE_LOGS_RESOURCE && !origin->data)
			*origin = field.bytes;
		else if (field.tag == OTLOG__RESOURCE_LOGS_RESOURCE && !more->data)
			*more = (otlog_slice){ begin, (size_t)(end - begin) };
	}
	return true;
}

/* Reads name and version. False if the bytes make no sense. */
static bool
read_scope(otlog_scope_view *scope)
{
	otlog_slice part = scope->encoded, more = scope->more;
	scope->name = scope->version = (otlog_slice){ .data = NULL };
	do {
		const uint8_t *at = part.data, *end = part.size ? at + part.size : at;
		while (at < end) {
			otlog__field field = { .tag = 0 };
			at = otlog__read_field_cold(at, end, &field);
			if (!at)
				return false;
			if (field.tag == OTLOG__SCOPE_NAME)
				scope->name = field.bytes;
			else if (field.tag == OTLOG__SCOPE_VERSION)
				scope->version = field.bytes;
		}
	} while (otlog__view_next_part(&more, &part));
	return true;
}

/* Enters the next ScopeLogs, through the next ResourceLogs if need be; returns as next_field does. */
static int
enter_scope_logs(otlog_batch_reader *reader)
{
	for (;;) {
		int found = next_field(&reader->resource_logs, OTLOG__RESOURCE_LOGS_SCOPE_LOGS, &reader->scope_logs);
		if (found > 0) {
			reader->new_scope = true;
			return find_origin(reader->scope_logs, &reader->scope.encoded, &reader->scope.more,
			                   &reader->scope.schema_url)
			           ? 1
			           : -1;
		}
		if (found == 0)
			found = next_field(&reader->request, OTLOG__REQUEST_RESOURCE_LOGS, &reader->resource_logs);
		if (found <= 0)
			return found;
		reader->new_resource = true;
		if (!find_origin(reader->resource_logs, &reader->resource.encoded, &reader->resource.more,
		                 &reader->resource.schema_url))
			return -1;
	}
}

/* Reads the record whose bytes the reader has come to. False if they make no sense, or those of its scope. */
static bool
read_record(otlog_batch_reader *reader, otlog_slice bytes, otlog_record_view *record)
{
	if (reader->new_scope && !read_scope(&reader->scope))
		return false;
	if (!otlog__view_record(bytes, record))
		return false;
	record->new_resource = reader->new_resource;
	record->new_scope = reader->new_scope;
	record->resource = reader->resource;
	record->scope = reader->scope;
	reader->new_resource = reader->new_scope = false;
	return true;
}

static bool
read_next(otlog_batch_reader *reader, otlog_record_view *record)
{
	otlog_slice bytes;
	int found;
	if (reader->malformed)
		return false;
	while ((found = next_field(&reader->scope_logs, OTLOG__SCOPE_LOGS_LOG_RECORDS, &bytes)) == 0)
		if ((found = enter_scope_logs(reader)) <= 0)
			break;
	reader->can_skip = found > 0 && !read_record(reader, bytes, record);
	reader->malformed = found < 0 || reader->can_skip;
	return found > 0 && !reader->malformed;
}

bool
otlog_batch_next_sized(otlog_batch_reader *reader, otlog_record_view *record, size_t record_size)
{
	otlog_record_view read;
	if (!record)
		return false;
	/* A program of this version has it read in place, as the exporters of this library do. */
	otlog_record_view *into = record_size == sizeof read ? record : &read;
	if (!reader || !read_next(reader, into)) {
		memset(record, 0, record_size);
		return false;
	}
	if (into == &read)
		otlog__view_hand_out(&read, record, record_size);
	return true;
}
