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
otlog__request_write(const otlog__queue *queue, const otlog__request_frame *frame, const otlog__frame_ref *refs,
                     uint32_t count, otlog__buffer *out)
{
	size_t size = frame->resource_head_size + frame->resource_tail_size;
	for (uint32_t i = next_new_scope(refs, count, 0); i < count; i = next_new_scope(refs, count, i + 1)) {
		otlog__scope_bytes scope = otlog__queue_scope(queue, refs[i].scope);
		size += field_size(scope_logs_size(&scope, refs, count, i));
	}

	out->size = 0;
	if (!otlog__buffer_reserve(out, size + 1 + MAX_VARINT))
		return false;
	uint8_t *end = put_header(out->data, TAG(1), size);
	end = put_bytes(end, frame->resource_head, frame->resource_head_size);
	for (uint32_t i = next_new_scope(refs, count, 0); i < count; i = next_new_scope(refs, count, i + 1)) {
		otlog__scope_bytes scope = otlog__queue_scope(queue, refs[i].scope);
		size_t content = scope_logs_size(&scope, refs, count, i);
		end = put_scope_logs(end, &scope, content, refs, count, i);
	}
	end = put_bytes(end, frame->resource_tail, frame->resource_tail_size);
	out->size = (size_t)(end - out->data);
	return true;
}
