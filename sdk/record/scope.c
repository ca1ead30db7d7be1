/* The messages around the records: scope, resource, schema URL. Encoded once, so on the heap and without hurry. */
#include "sdk/base/buffer.h"
#include "sdk/base/limits.h"
#include "sdk/record/bound.h"
#include "sdk/record/value.h"

/* Attributes of a scope or a resource are not limited in number or length (common/README.md, "Exempt Entities"). */
static const otlog__limits no_limits = { UINT32_MAX, OTLOG__DEPTH_MAX, SIZE_MAX };

/* A byte that is not UTF-8 becomes the three of U+FFFD. */
static size_t
name_bound(const char *name)
{
	return name ? otlog__field_bound(3 * strlen(name)) : 0;
}

static uint8_t *
put_text(const otlog__writer *writer, uint8_t *at, uint8_t tag, const char *text)
{
	return at && text && *text ? otlog__put_name(writer, at, tag, text, strlen(text)) : at;
}

static uint8_t *
put_dropped(const otlog__writer *writer, uint8_t *at, uint8_t tag)
{
	uint32_t dropped = writer->notes->dropped_attributes;
	if (!at || !dropped)
		return at;
	if (otlog__room(writer, at) < 1 + otlog__varint_size(dropped))
		return NULL;
	*at++ = tag;
	return otlog__put_varint(at, dropped);
}

/* Three times the bound has room for U+FFFD in every key. */
static size_t
attributes_bound(const otlog__keys *keys)
{
	size_t bound = otlog__attributes_bound(keys, UINT32_MAX, &no_limits);
	return bound > SIZE_MAX / 8 ? SIZE_MAX : 3 * bound;
}

/* Puts tag and length before the message that was written at `message`, in the buffer with room for both. */
static void
close_message(otlog__buffer *out, uint8_t tag, uint8_t *message, size_t size)
{
	uint8_t *head = out->data + out->size;
	size_t length = otlog__varint_size(size);
	memmove(head + 1 + length, message, size);
	*head = tag;
	otlog__put_varint(head + 1, size);
	out->size += 1 + length + size;
}

/* Room for a message of `bound` bytes, and where it may begin. */
static uint8_t *
open_message(otlog__buffer *out, size_t bound)
{
	if (bound > SIZE_MAX / 8 || !otlog__buffer_reserve(out, bound + 1 + OTLOG__MAX_VARINT))
		return NULL;
	return out->data + out->size + 1 + OTLOG__MAX_VARINT;
}

bool
otlog__scope_encode(const otlog_logger_options *scope, otlog__buffer *out)
{
	otlog__keys keys = { .attributes = scope->attributes };
	size_t attributes = attributes_bound(&keys);
	size_t bound = name_bound(scope->name) + name_bound(scope->version) + 1 + OTLOG__MAX_VARINT;
	uint8_t *message = attributes == SIZE_MAX ? NULL : open_message(out, bound + attributes);
	if (!message)
		return false;
	otlog__encode_notes notes = { 0 };
	otlog__writer writer = {
		.end = out->data + out->capacity, .limits = &no_limits, .notes = &notes, .tables = true
	};
	uint8_t *at = put_text(&writer, message, OTLOG__SCOPE_NAME, scope->name);
	at = put_text(&writer, at, OTLOG__SCOPE_VERSION, scope->version);
	at = at ? otlog__put_attributes(&writer, at, OTLOG__SCOPE_ATTRIBUTES, &keys, UINT32_MAX) : NULL;
	at = put_dropped(&writer, at, OTLOG__SCOPE_DROPPED_ATTRIBUTES_COUNT);
	if (!at)
		return false;
	close_message(out, OTLOG__SCOPE_LOGS_SCOPE, message, (size_t)(at - message));
	return true;
}

bool
otlog__resource_encode(otlog_attrs attributes, otlog__buffer *out)
{
	otlog__keys keys = { .attributes = attributes };
	size_t bound = attributes_bound(&keys);
	uint8_t *message = bound == SIZE_MAX ? NULL : open_message(out, bound + 1 + OTLOG__MAX_VARINT);
	if (!message)
		return false;
	otlog__encode_notes notes = { 0 };
	otlog__writer writer = {
		.end = out->data + out->capacity, .limits = &no_limits, .notes = &notes, .tables = true
	};
	uint8_t *at = otlog__put_attributes(&writer, message, OTLOG__RESOURCE_ATTRIBUTES, &keys, UINT32_MAX);
	at = put_dropped(&writer, at, OTLOG__RESOURCE_DROPPED_ATTRIBUTES_COUNT);
	if (!at)
		return false;
	close_message(out, OTLOG__RESOURCE_LOGS_RESOURCE, message, (size_t)(at - message));
	return true;
}

bool
otlog__schema_url_encode(const char *schema_url, otlog__buffer *out)
{
	if (!schema_url || !*schema_url)
		return true;
	if (!otlog__buffer_reserve(out, name_bound(schema_url)))
		return false;
	otlog__encode_notes notes = { 0 };
	otlog__writer writer = { .end = out->data + out->capacity, .limits = &no_limits, .notes = &notes };
	uint8_t *at = put_text(&writer, out->data + out->size, OTLOG__RESOURCE_LOGS_SCHEMA_URL, schema_url);
	out->size = (size_t)(at - out->data);
	return true;
}
