#include "sdk/processor/request.h"

#include <string.h>

/* Tag of a length-delimited field (protobuf encoding, wire type 2). */
#define TAG(field) ((uint8_t)((field) << 3 | 2))

#define MAX_VARINT 10

static size_t
varint_size(uint64_t value)
{
	size_t size = 1;
	while (value >= 0x80) {
		value >>= 7;
		size++;
	}
	return size;
}

/* Size of a field whose content has this many bytes. */
static size_t
field_size(size_t content)
{
	return 1 + varint_size(content) + content;
}

static uint8_t *
put_header(uint8_t *out, uint8_t tag, size_t content)
{
	*out++ = tag;
	while (content >= 0x80) {
		*out++ = (uint8_t)(content | 0x80);
		content >>= 7;
	}
	*out++ = (uint8_t)content;
	return out;
}

static uint8_t *
put_bytes(uint8_t *out, const uint8_t *bytes, size_t size)
{
	if (size)
		memcpy(out, bytes, size);
	return out + size;
}

/* The first frame at or after `from` whose scope has no frame before it; `count` if there is none. */
static uint32_t
next_new_scope(const otlog__frame_ref *refs, uint32_t count, uint32_t from)
{
	for (uint32_t i = from; i < count; i++) {
		uint32_t earlier = 0;
		if (i && refs[i].scope == refs[i - 1].scope)
			continue;
		while (earlier < i && refs[earlier].scope != refs[i].scope)
			earlier++;
		if (earlier == i)
			return i;
	}
	return count;
}

/* Bytes of the ScopeLogs that begins with frame `first`. */
static size_t
scope_logs_size(const otlog__scope_bytes *scope, const otlog__frame_ref *refs, uint32_t count, uint32_t first)
{
	size_t size = scope->head_size + scope->tail_size;
	for (uint32_t i = first; i < count; i++)
		if (refs[i].scope == refs[first].scope)
			size += field_size(refs[i].size);
	return size;
}

static uint8_t *
put_scope_logs(uint8_t *out, const otlog__scope_bytes *scope, size_t size, const otlog__frame_ref *refs, uint32_t count,
               uint32_t first)
{
	out = put_header(out, TAG(2), size);
	out = put_bytes(out, scope->head, scope->head_size);
	for (uint32_t i = first; i < count; i++) {
		if (refs[i].scope != refs[first].scope)
			continue;
		out = put_header(out, TAG(2), refs[i].size);
		out = put_bytes(out, refs[i].bytes, refs[i].size);
	}
	return put_bytes(out, scope->tail, scope->tail_size);
}

bool
otlog__request_write(const otlog__scopes *scopes, const otlog__request_frame *frame, const otlog__frame_ref *refs,
                     uint32_t count, otlog__buffer *out)
{
	size_t size = frame->resource_head_size + frame->resource_tail_size;
	for (uint32_t i = next_new_scope(refs, count, 0); i < count; i = next_new_scope(refs, count, i + 1)) {
		otlog__scope_bytes scope = otlog__scopes_get(scopes, refs[i].scope);
		size += field_size(scope_logs_size(&scope, refs, count, i));
	}

	out->size = 0;
	if (!otlog__buffer_reserve(out, size + 1 + MAX_VARINT))
		return false;
	uint8_t *end = put_header(out->data, TAG(1), size);
	end = put_bytes(end, frame->resource_head, frame->resource_head_size);
	for (uint32_t i = next_new_scope(refs, count, 0); i < count; i = next_new_scope(refs, count, i + 1)) {
		otlog__scope_bytes scope = otlog__scopes_get(scopes, refs[i].scope);
		size_t content = scope_logs_size(&scope, refs, count, i);
		end = put_scope_logs(end, &scope, content, refs, count, i);
	}
	end = put_bytes(end, frame->resource_tail, frame->resource_tail_size);
	out->size = (size_t)(end - out->data);
	return true;
}

/* ---- Slices ------------------------------------------------------------------------------------------------------ */

/* A field with its header, and its content. */
typedef struct field {
	uint8_t tag;
	const uint8_t *whole;
	size_t whole_size;
	const uint8_t *content;
	size_t content_size;
} field;

/* The field at *at, which is moved behind it. False if there is no length-delimited one. */
static bool
next_field(const uint8_t **at, const uint8_t *end, field *out)
{
	const uint8_t *next = *at;
	uint64_t size = 0;
	unsigned shift = 0;
	if (next == end || (*next & 0x87) != 2) /* one byte, wire type 2 */
		return false;
	out->whole = next;
	out->tag = *next++;
	do {
		if (next == end || shift > 56)
			return false;
		size |= (uint64_t)(*next & 0x7f) << shift;
		shift += 7;
	} while (*next++ & 0x80);
	if (size > (size_t)(end - next))
		return false;
	out->content = next;
	out->content_size = (size_t)size;
	*at = next + size;
	out->whole_size = (size_t)(*at - out->whole);
	return true;
}

/* Which records are wanted, and how many have gone by. */
typedef struct slicing {
	uint32_t first;
	uint32_t end;
	uint32_t passed;
	otlog__buffer scope_logs;
	otlog__buffer resource_logs;
} slicing;

static bool
append_message(otlog__buffer *out, uint8_t tag, const otlog__buffer *content)
{
	uint8_t header[1 + MAX_VARINT];
	size_t size = (size_t)(put_header(header, tag, content->size) - header);
	return otlog__buffer_append(out, header, size) && otlog__buffer_append(out, content->data, content->size);
}

/* Appends the ScopeLogs with the wanted ones of its records, unless there are none. */
static bool
slice_scope_logs(slicing *s, const field *from)
{
	const uint8_t *at = from->content, *end = at + from->content_size;
	bool any = false;
	field f;
	s->scope_logs.size = 0;
	while (at < end) {
		if (!next_field(&at, end, &f))
			return false;
		bool record = f.tag == TAG(2), wanted = !record;
		if (record) {
			wanted = s->passed >= s->first && s->passed < s->end;
			s->passed++;
			any |= wanted;
		}
		if (wanted && !otlog__buffer_append(&s->scope_logs, f.whole, f.whole_size))
			return false;
	}
	return !any || append_message(&s->resource_logs, TAG(2), &s->scope_logs);
}

static bool
slice_resource_logs(slicing *s, const field *from, otlog__buffer *out)
{
	const uint8_t *at = from->content, *end = at + from->content_size;
	const uint32_t before = s->passed;
	field f;
	s->resource_logs.size = 0;
	while (at < end) {
		if (!next_field(&at, end, &f))
			return false;
		if (f.tag == TAG(2) ? !slice_scope_logs(s, &f)
		                    : !otlog__buffer_append(&s->resource_logs, f.whole, f.whole_size))
			return false;
	}
	bool any = s->passed > s->first && before < s->end;
	return !any || append_message(out, TAG(1), &s->resource_logs);
}

bool
otlog__request_slice(const otlog__buffer *request, uint32_t first, uint32_t count, otlog__buffer *out)
{
	slicing s = { .first = first, .end = first + count };
	const uint8_t *at = request->data, *end = at ? at + request->size : at;
	bool done = true;
	field f;
	out->size = 0;
	while (done && at < end)
		done = next_field(&at, end, &f) && f.tag == TAG(1) && slice_resource_logs(&s, &f, out);
	otlog__buffer_free(&s.scope_logs);
	otlog__buffer_free(&s.resource_logs);
	return done && s.passed >= s.end;
}
