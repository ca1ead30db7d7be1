#include "sdk/processor/request.h"

#include "sdk/wire/otlp.h"
#include "sdk/wire/read.h"
#include "sdk/wire/write.h"

/* Size of a field whose content has this many bytes. */
static size_t
field_size(size_t content)
{
	return 1 + otlog__varint_size(content) + content;
}

static uint8_t *
put_header(uint8_t *out, uint8_t tag, size_t content)
{
	*out = tag;
	return otlog__put_varint(out + 1, content);
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
	out = put_header(out, OTLOG__RESOURCE_LOGS_SCOPE_LOGS, size);
	out = otlog__put_bytes(out, scope->head, scope->head_size);
	for (uint32_t i = first; i < count; i++) {
		if (refs[i].scope != refs[first].scope)
			continue;
		out = put_header(out, OTLOG__SCOPE_LOGS_LOG_RECORDS, refs[i].size);
		out = otlog__put_bytes(out, refs[i].bytes, refs[i].size);
	}
	return otlog__put_bytes(out, scope->tail, scope->tail_size);
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
	if (!otlog__buffer_reserve(out, size + 1 + OTLOG__MAX_VARINT))
		return false;
	uint8_t *end = put_header(out->data, OTLOG__REQUEST_RESOURCE_LOGS, size);
	end = otlog__put_bytes(end, frame->resource_head, frame->resource_head_size);
	for (uint32_t i = next_new_scope(refs, count, 0); i < count; i = next_new_scope(refs, count, i + 1)) {
		otlog__scope_bytes scope = otlog__scopes_get(scopes, refs[i].scope);
		size_t content = scope_logs_size(&scope, refs, count, i);
		end = put_scope_logs(end, &scope, content, refs, count, i);
	}
	end = otlog__put_bytes(end, frame->resource_tail, frame->resource_tail_size);
	out->size = (size_t)(end - out->data);
	return true;
}

/* ---- Slices ------------------------------------------------------------------------------------------------------ */

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
	uint8_t header[1 + OTLOG__MAX_VARINT];
	size_t size = (size_t)(put_header(header, tag, content->size) - header);
	return otlog__buffer_append(out, header, size) && otlog__buffer_append(out, content->data, content->size);
}

/* Appends the ScopeLogs with the wanted ones of its records, unless there are none. */
static bool
slice_scope_logs(slicing *s, otlog_slice from)
{
	const uint8_t *at = from.data, *end = at + from.size;
	bool any = false;
	s->scope_logs.size = 0;
	while (at < end) {
		const uint8_t *whole = at;
		otlog__field f = { .tag = 0 };
		at = otlog__read_field_cold(at, end, &f);
		if (!at)
			return false;
		bool record = f.tag == OTLOG__SCOPE_LOGS_LOG_RECORDS, wanted = !record;
		if (record) {
			wanted = s->passed >= s->first && s->passed < s->end;
			s->passed++;
			any |= wanted;
		}
		if (wanted && !otlog__buffer_append(&s->scope_logs, whole, (size_t)(at - whole)))
			return false;
	}
	return !any || append_message(&s->resource_logs, OTLOG__RESOURCE_LOGS_SCOPE_LOGS, &s->scope_logs);
}

static bool
slice_resource_logs(slicing *s, otlog_slice from, otlog__buffer *out)
{
	const uint8_t *at = from.data, *end = at + from.size;
	const uint32_t before = s->passed;
	s->resource_logs.size = 0;
	while (at < end) {
		const uint8_t *whole = at;
		otlog__field f = { .tag = 0 };
		at = otlog__read_field_cold(at, end, &f);
		if (!at)
			return false;
		if (f.tag == OTLOG__RESOURCE_LOGS_SCOPE_LOGS
		        ? !slice_scope_logs(s, f.bytes)
		        : !otlog__buffer_append(&s->resource_logs, whole, (size_t)(at - whole)))
			return false;
	}
	bool any = s->passed > s->first && before < s->end;
	return !any || append_message(out, OTLOG__REQUEST_RESOURCE_LOGS, &s->resource_logs);
}

bool
otlog__request_slice(const otlog__buffer *request, uint32_t first, uint32_t count, otlog__buffer *out)
{
	slicing s = { .first = first, .end = first + count };
	const uint8_t *at = request->data, *end = at ? at + request->size : at;
	bool done = true;
	out->size = 0;
	while (done && at < end) {
		otlog__field f = { .tag = 0 };
		at = otlog__read_field_cold(at, end, &f);
		done = at && f.tag == OTLOG__REQUEST_RESOURCE_LOGS && slice_resource_logs(&s, f.bytes, out);
	}
	otlog__buffer_free(&s.scope_logs);
	otlog__buffer_free(&s.resource_logs);
	return done && s.passed >= s.end;
}
