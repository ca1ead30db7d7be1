#include "sdk/view/request_view.h"

#include "sdk/wire/otlp.h"
#include "sdk/wire/read.h"

/* The next field of a message. False if there is none that is sound. */
static bool
take_field(otlog_slice *rest, otlog__field *field)
{
	const uint8_t *end = rest->data + rest->size;
	const uint8_t *at = otlog__read_field(rest->data, end, field);
	if (at)
		*rest = (otlog_slice){ at, (size_t)(end - at) };
	return at;
}

/*
 * Looks through a message for two of its fields, which may come after what they are wanted for. Sets them to empty if
 * they are not there; false if the message is not sound.
 */
static bool
find_fields(otlog_slice message, uint64_t first, otlog_slice *first_content, uint64_t second,
            otlog_slice *second_content)
{
	*first_content = *second_content = (otlog_slice){ .data = NULL };
	while (message.size) {
		otlog__field field = { .tag = 0 };
		if (!take_field(&message, &field))
			return false;
		if (field.tag == first)
			*first_content = field.bytes;
		else if (field.tag == second)
			*second_content = field.bytes;
	}
	return true;
}

/* The next field with that tag: 1 found, 0 at the end, -1 if the message is not sound; *content is only set by 1. */
static int
next_field(otlog_slice *rest, uint64_t tag, otlog_slice *content)
{
	while (rest->size) {
		otlog__field field = { .tag = 0 };
		if (!take_field(rest, &field))
			return -1;
		if (field.tag == tag) {
			*content = field.bytes;
			return 1;
		}
	}
	return 0;
}

otlog_batch_reader
otlog__request_open(const void *request, size_t request_size)
{
	return otlog_batch_records(&(otlog_batch){ .request = request, .request_size = request_size });
}

/* Enters the next ScopeLogs, through the next ResourceLogs if need be; as next_field. */
static int
enter_scope_logs(otlog_batch_reader *r)
{
	for (;;) {
		int found = next_field(&r->resource_logs, OTLOG__RESOURCE_LOGS_SCOPE_LOGS, &r->scope_logs);
		if (found > 0) {
			r->new_scope = true;
			return find_fields(r->scope_logs, OTLOG__SCOPE_LOGS_SCOPE, &r->scope.encoded,
			                   OTLOG__SCOPE_LOGS_SCHEMA_URL, &r->scope.schema_url)
			           ? 1
			           : -1;
		}
		if (found == 0)
			found = next_field(&r->request, OTLOG__REQUEST_RESOURCE_LOGS, &r->resource_logs);
		if (found <= 0)
			return found;
		r->new_resource = true;
		if (!find_fields(r->resource_logs, OTLOG__RESOURCE_LOGS_RESOURCE, &r->resource.encoded,
		                 OTLOG__RESOURCE_LOGS_SCHEMA_URL, &r->resource.schema_url))
			return -1;
	}
}

bool
otlog__request_next(otlog_batch_reader *r, otlog__request_record *record)
{
	int found;
	otlog_slice bytes;
	if (r->malformed)
		return false;
	while ((found = next_field(&r->scope_logs, OTLOG__SCOPE_LOGS_LOG_RECORDS, &bytes)) == 0)
		if ((found = enter_scope_logs(r)) <= 0)
			break;
	r->malformed = found < 0;
	if (found <= 0)
		return false;
	*record = (otlog__request_record){ .record = bytes,
		                           .resource = r->resource.encoded,
		                           .resource_schema_url = r->resource.schema_url,
		                           .scope = r->scope.encoded,
		                           .scope_schema_url = r->scope.schema_url,
		                           .new_resource = r->new_resource,
		                           .new_scope = r->new_scope };
	r->new_resource = r->new_scope = false;
	return true;
}

otlog_items
otlog__resource_attributes(otlog_slice resource)
{
	return (otlog_items){ .rest = resource, .tag = OTLOG__RESOURCE_ATTRIBUTES, .keyed = true };
}

otlog_items
otlog__scope_attributes(otlog_slice scope)
{
	return (otlog_items){ .rest = scope, .tag = OTLOG__SCOPE_ATTRIBUTES, .keyed = true };
}

bool
otlog__scope_view_open(otlog_slice scope, otlog__scope_view *view)
{
	view->attributes = otlog__scope_attributes(scope);
	return find_fields(scope, OTLOG__SCOPE_NAME, &view->name, OTLOG__SCOPE_VERSION, &view->version);
}
