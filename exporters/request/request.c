#include "exporters/request/request.h"

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_GROUP = 3, WIRE_GROUP_END = 4, WIRE_FIXED32 = 5 };

/* Only fields of this kind matter here: messages and strings. */
#define BYTES_FIELD(number) ((uint64_t)(number) << 3 | WIRE_BYTES)

static bool
take_varint(otlog__slice *rest, uint64_t *value)
{
	*value = 0;
	for (unsigned i = 0; i < 10 && i < rest->size; i++) {
		uint8_t byte = rest->data[i];
		*value |= (uint64_t)(byte & 0x7f) << 7 * i;
		if (byte & 0x80)
			continue;
		rest->data += i + 1;
		rest->size -= i + 1;
		return true;
	}
	return false;
}

static bool
take_bytes(otlog__slice *rest, uint64_t size, otlog__slice *bytes)
{
	if (size > rest->size)
		return false;
	*bytes = (otlog__slice){ rest->data, (size_t)size };
	rest->data += size;
	rest->size -= (size_t)size;
	return true;
}

/* Past what follows a tag; *content is it if that is of the kind that has bytes. Groups are counted, not entered. */
static bool
take_content(otlog__slice *rest, uint64_t tag, otlog__slice *content, uint64_t *depth)
{
	uint64_t number;
	switch (tag & 7) {
	case WIRE_VARINT:
		return take_varint(rest, &number);
	case WIRE_FIXED64:
		return take_bytes(rest, 8, content);
	case WIRE_FIXED32:
		return take_bytes(rest, 4, content);
	case WIRE_BYTES:
		return take_varint(rest, &number) && take_bytes(rest, number, content);
	case WIRE_GROUP:
		++*depth;
		return true;
	case WIRE_GROUP_END:
		return (*depth)-- != 0;
	default:
		return false;
	}
}

/* The next field of a message, with a whole group read as one. False if there is none that is sound. */
static bool
take_field(otlog__slice *rest, uint64_t *tag, otlog__slice *content)
{
	uint64_t depth = 0, inner;
	if (!take_varint(rest, tag) || *tag >> 3 == 0 || *tag > UINT32_MAX ||
	    !take_content(rest, *tag, content, &depth))
		return false;
	while (depth) {
		if (!take_varint(rest, &inner) || inner >> 3 == 0 || inner > UINT32_MAX ||
		    !take_content(rest, inner, content, &depth))
			return false;
	}
	return true;
}

/*
 * Looks through a message for two of its fields, which may come after what they are wanted for. Sets them to empty if
 * they are not there; false if the message is not sound.
 */
static bool
find_fields(otlog__slice message, unsigned first, otlog__slice *first_content, unsigned second,
            otlog__slice *second_content)
{
	*first_content = *second_content = (otlog__slice){ .data = NULL };
	while (message.size) {
		uint64_t tag;
		otlog__slice content;
		if (!take_field(&message, &tag, &content))
			return false;
		if (tag == BYTES_FIELD(first))
			*first_content = content;
		else if (tag == BYTES_FIELD(second))
			*second_content = content;
	}
	return true;
}

/* The next field of that number: 1 found, 0 at the end, -1 if the message is not sound; *content is only set by 1. */
static int
next_field(otlog__slice *rest, unsigned number, otlog__slice *content)
{
	while (rest->size) {
		uint64_t tag;
		otlog__slice any;
		if (!take_field(rest, &tag, &any))
			return -1;
		if (tag == BYTES_FIELD(number)) {
			*content = any;
			return 1;
		}
	}
	return 0;
}

otlog__request_reader
otlog__request_open(const void *request, size_t request_size)
{
	return otlog_batch_records(&(otlog_batch){ .request = request, .request_size = request_size });
}

/* Enters the next ScopeLogs, through the next ResourceLogs if need be; as next_field. */
static int
enter_scope_logs(otlog__request_reader *r)
{
	for (;;) {
		int found = next_field(&r->resource_logs, 2, &r->scope_logs);
		if (found > 0) {
			r->new_scope = true;
			return find_fields(r->scope_logs, 1, &r->scope.encoded, 3, &r->scope.schema_url) ? 1 : -1;
		}
		if (found == 0)
			found = next_field(&r->request, 1, &r->resource_logs);
		if (found <= 0)
			return found;
		r->new_resource = true;
		if (!find_fields(r->resource_logs, 1, &r->resource.encoded, 3, &r->resource.schema_url))
			return -1;
	}
}

bool
otlog__request_next(otlog__request_reader *r, otlog__request_record *record)
{
	int found;
	otlog__slice bytes;
	if (r->malformed)
		return false;
	while ((found = next_field(&r->scope_logs, 2, &bytes)) == 0)
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

otlog__items
otlog__resource_attributes(otlog__slice resource)
{
	return (otlog__items){ .rest = resource, .field = 1, .keyed = true };
}

otlog__items
otlog__scope_attributes(otlog__slice scope)
{
	return (otlog__items){ .rest = scope, .field = 3, .keyed = true };
}

bool
otlog__scope_view_open(otlog__slice scope, otlog__scope_view *view)
{
	view->attributes = otlog__scope_attributes(scope);
	return find_fields(scope, 1, &view->name, 2, &view->version);
}
