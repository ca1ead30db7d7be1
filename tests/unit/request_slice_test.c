/* Parts of a request: against what protobuf-c reads, and of requests that break off anywhere. */
#include "proto/logs_service.pb-c.h"
#include "sdk/base/buffer.h"
#include "sdk/processor/request.h"
#include "tests/support/harness/check.h"
#include "tests/support/harness/cmocka.h"

#include <stdio.h>
#include <string.h>

#define MOST_RECORDS 48
#define MOST_SCOPES 6

typedef Opentelemetry__Proto__Collector__Logs__V1__ExportLogsServiceRequest request_message;
typedef Opentelemetry__Proto__Logs__V1__ResourceLogs resource_logs;
typedef Opentelemetry__Proto__Logs__V1__ScopeLogs scope_logs;
typedef Opentelemetry__Proto__Logs__V1__LogRecord log_record;

static uint64_t random_state = 88172645463325252u;

static uint32_t
below(uint32_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 33) % limit;
}

/* ---- Making requests --------------------------------------------------------------------------------------------- */

static void
append_field(otlog__buffer *out, unsigned number, const void *content, size_t size)
{
	uint8_t head[11] = { (uint8_t)(number << 3 | 2) };
	size_t used = 1;
	for (size_t rest = size; rest || used == 1; rest >>= 7)
		head[used++] = (uint8_t)((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
	CHECK(otlog__buffer_append(out, head, used) && otlog__buffer_append(out, content, size));
}

/* A field that holds a message with one text in its first field, as Resource and InstrumentationScope may be. */
static void
append_named(otlog__buffer *out, unsigned number, unsigned inner, const char *text)
{
	otlog__buffer message = { 0 };
	append_field(&message, inner, text, strlen(text));
	append_field(out, number, message.data, message.size);
	otlog__buffer_free(&message);
}

/* A record whose severity text is its number, in as many bytes as comes. */
static void
make_record(uint32_t number, otlog__buffer *out)
{
	char text[400];
	int size = snprintf(text, sizeof text, "%u:", number);
	size_t fill = below(4) ? below(20) : below(300); /* lengths of one byte and of two */
	memset(text + size, 'x', fill);
	append_field(out, 3, text, (size_t)size + fill);
}

/* The request of so many records in a few scopes, as the processor writes it. */
static otlog__buffer
make_request(uint32_t records, uint32_t scope_count)
{
	otlog__scopes *scopes = otlog__scopes_create(-1);
	otlog__buffer resource = { 0 }, url = { 0 }, request = { 0 }, bytes[MOST_RECORDS] = { { 0 } };
	otlog__frame_ref refs[MOST_RECORDS];
	uint16_t ids[MOST_SCOPES];
	CHECK(scopes && records <= MOST_RECORDS && scope_count <= MOST_SCOPES);
	for (uint32_t i = 0; i < scope_count; i++) {
		char name[8];
		otlog__buffer head = { 0 }, tail = { 0 };
		snprintf(name, sizeof name, "s%u", i);
		append_named(&head, 1, 1, name);
		if (i % 2)
			append_field(&tail, 3, name, 2);
		ids[i] = otlog__scopes_add(scopes, head.data, head.size, tail.data, tail.size);
		otlog__buffer_free(&head);
		otlog__buffer_free(&tail);
	}
	if (below(8)) /* a request may have neither */
		append_named(&resource, 1, 1, "\x0a\x01k");
	if (below(2))
		append_field(&url, 3, "url", 3);
	for (uint32_t i = 0; i < records; i++) {
		make_record(i, &bytes[i]);
		refs[i] = (otlog__frame_ref){ bytes[i].data, (uint32_t)bytes[i].size, ids[below(scope_count)] };
	}
	const otlog__request_frame frame = { resource.data, resource.size, url.data, url.size };
	CHECK(otlog__request_write(scopes, &frame, refs, records, &request));
	for (uint32_t i = 0; i < records; i++)
		otlog__buffer_free(&bytes[i]);
	otlog__buffer_free(&resource);
	otlog__buffer_free(&url);
	otlog__scopes_free(scopes);
	return request;
}

/* ---- The oracle -------------------------------------------------------------------------------------------------- */

/* What protobuf-c says of a request: a line a record, with its resource and scope. */
typedef struct reading {
	uint32_t count;
	char *lines[MOST_RECORDS];
} reading;

#define TEXT(bytes) (int)(bytes).len, (bytes).data ? (const char *)(bytes).data : ""

static char *
line_of(const resource_logs *resource, const scope_logs *scope, const log_record *record)
{
	static const ProtobufCBinaryData none;
	char line[512];
	snprintf(line, sizeof line, "%zu %.*s|%.*s|%.*s|%.*s",
	         resource->resource ? resource->resource->n_attributes : 99, TEXT(resource->schema_url),
	         TEXT(scope->scope ? scope->scope->name : none), TEXT(scope->schema_url), TEXT(record->severity_text));
	char *copy = strdup(line);
	CHECK(copy);
	return copy;
}

static void
read_request(const uint8_t *bytes, size_t size, reading *out)
{
	request_message *m =
	    opentelemetry__proto__collector__logs__v1__export_logs_service_request__unpack(NULL, size, bytes);
	out->count = 0;
	CHECK(m);
	for (size_t r = 0; r < m->n_resource_logs; r++) {
		const resource_logs *resource = m->resource_logs[r];
		for (size_t s = 0; s < resource->n_scope_logs; s++) {
			const scope_logs *scope = resource->scope_logs[s];
			CHECK(scope->n_log_records > 0); /* nobody is sent empty ones */
			for (size_t i = 0; i < scope->n_log_records; i++) {
				CHECK(out->count < MOST_RECORDS);
				out->lines[out->count++] = line_of(resource, scope, scope->log_records[i]);
			}
		}
	}
	opentelemetry__proto__collector__logs__v1__export_logs_service_request__free_unpacked(m, NULL);
}

static void
forget(reading *r)
{
	for (uint32_t i = 0; i < r->count; i++)
		free(r->lines[i]);
}

static void
assert_is_part(const reading *whole, uint32_t first, uint32_t count, const otlog__buffer *slice)
{
	reading part;
	read_request(slice->data, slice->size, &part);
	assert_int_equal(part.count, count);
	for (uint32_t i = 0; i < count; i++)
		assert_string_equal(part.lines[i], whole->lines[first + i]);
	forget(&part);
}

/* ---- Tests ------------------------------------------------------------------------------------------------------- */

static void
every_part_of_a_request_holds_its_records_with_their_resource_and_scope(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < 60; round++) {
		const uint32_t records = 1 + below(MOST_RECORDS);
		otlog__buffer request = make_request(records, 1 + below(MOST_SCOPES)), slice = { 0 };
		reading whole;
		read_request(request.data, request.size, &whole);
		assert_int_equal(whole.count, records);
		for (uint32_t first = 0; first < records; first++)
			for (uint32_t count = 1; first + count <= records; count++) {
				assert_true(otlog__request_slice(&request, first, count, &slice));
				assert_is_part(&whole, first, count, &slice);
			}
		/* All of it is the request, byte for byte. */
		assert_true(otlog__request_slice(&request, 0, records, &slice));
		assert_int_equal(slice.size, request.size);
		assert_memory_equal(slice.data, request.data, request.size);
		forget(&whole);
		otlog__buffer_free(&slice);
		otlog__buffer_free(&request);
	}
}

static void
the_parts_of_a_partition_are_the_records_in_order(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < 500; round++) {
		const uint32_t records = 1 + below(MOST_RECORDS);
		otlog__buffer request = make_request(records, 1 + below(MOST_SCOPES)), slice = { 0 };
		reading whole;
		read_request(request.data, request.size, &whole);
		uint32_t next = 0;
		while (next < records) {
			uint32_t count = 1 + below(records - next);
			assert_true(otlog__request_slice(&request, next, count, &slice));
			assert_is_part(&whole, next, count, &slice);
			next += count;
		}
		forget(&whole);
		otlog__buffer_free(&slice);
		otlog__buffer_free(&request);
	}
}

static void
a_part_of_a_part_is_a_part(void **state)
{
	(void)state;
	otlog__buffer request = make_request(MOST_RECORDS, MOST_SCOPES), half = { 0 }, quarter = { 0 }, direct = { 0 };
	assert_true(otlog__request_slice(&request, 10, 30, &half));
	assert_true(otlog__request_slice(&half, 5, 7, &quarter));
	assert_true(otlog__request_slice(&request, 15, 7, &direct));
	assert_int_equal(quarter.size, direct.size);
	assert_memory_equal(quarter.data, direct.data, direct.size);
	otlog__buffer_free(&request);
	otlog__buffer_free(&half);
	otlog__buffer_free(&quarter);
	otlog__buffer_free(&direct);
}

static void
records_that_are_not_there_are_no_part(void **state)
{
	(void)state;
	otlog__buffer request = make_request(8, 2), slice = { 0 }, nothing = { 0 };
	assert_false(otlog__request_slice(&request, 0, 9, &slice));
	assert_false(otlog__request_slice(&request, 8, 1, &slice));
	assert_false(otlog__request_slice(&request, 7, 2, &slice));
	assert_false(otlog__request_slice(&request, UINT32_MAX - 1, 1, &slice));
	assert_false(otlog__request_slice(&nothing, 0, 1, &slice));
	otlog__buffer_free(&request);
	otlog__buffer_free(&slice);
}

/* The first bytes of a request, in a block of exactly their size, so that a sanitizer sees reads beyond it. */
static otlog__buffer
copy_of(const uint8_t *bytes, size_t size)
{
	otlog__buffer copy = { malloc(size ? size : 1), size, size };
	CHECK(copy.data);
	memcpy(copy.data, bytes, size);
	return copy;
}

static void
a_request_that_breaks_off_anywhere_has_no_parts(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < 10; round++) {
		const uint32_t records = 2 + below(10);
		otlog__buffer request = make_request(records, 1 + below(3)), slice = { 0 };
		for (size_t size = 0; size < request.size; size++) {
			otlog__buffer cut = copy_of(request.data, size);
			assert_false(otlog__request_slice(&cut, 0, 1, &slice));
			assert_false(otlog__request_slice(&cut, records / 2, 1, &slice));
			assert_false(otlog__request_slice(&cut, 0, records, &slice));
			otlog__buffer_free(&cut);
		}
		otlog__buffer_free(&request);
		otlog__buffer_free(&slice);
	}
}

/* What breaks off inside, with lengths that still fit, is either refused or no less than was asked for. */
static void
requests_with_any_byte_changed_do_no_harm(void **state)
{
	(void)state;
	uint32_t refused = 0, taken = 0;
	for (uint32_t round = 0; round < 20000; round++) {
		otlog__buffer request = make_request(4, 2), slice = { 0 };
		otlog__buffer changed = copy_of(request.data, request.size - (round % 3 ? 0 : below(8)));
		for (uint32_t flips = 1 + round % 4; flips; flips--)
			changed.data[below((uint32_t)changed.size)] = (uint8_t)below(256);
		bool done = otlog__request_slice(&changed, below(4), 1, &slice);
		refused += !done;
		taken += done;
		if (done)
			assert_true(slice.size > 0 && slice.size <= changed.size + 32); /* headers may grow */
		otlog__buffer_free(&changed);
		otlog__buffer_free(&request);
		otlog__buffer_free(&slice);
	}
	assert_true(refused > 100 && taken > 100);
}

static void
lengths_that_make_no_sense_are_refused(void **state)
{
	(void)state;
	static const char *const all[] = {
		"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", /* the largest varint of ten bytes */
		"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f",     /* and of nine */
		"\x0a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
		"\x0a\x80", /* breaks off */
		"\x0a",
		"\x0a\x01", /* a byte that is not there */
		"\x08\x01", /* a number where messages are */
		"\x0b\x0c", /* a group */
		"\x8a\x01\x00",
		"\x12\x00", /* a field that requests do not have */
		"\x0a\x02\x12\x05",
		"\x0a\x04\x12\x02\x12\x05",
	};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		otlog__buffer bad = copy_of((const uint8_t *)all[i], strlen(all[i])), slice = { 0 };
		assert_false(otlog__request_slice(&bad, 0, 1, &slice));
		otlog__buffer_free(&bad);
		otlog__buffer_free(&slice);
	}
}

static void
several_resources_keep_theirs(void **state)
{
	(void)state;
	otlog__buffer a = make_request(5, 2), b = make_request(6, 3), both = { 0 }, slice = { 0 };
	reading whole;
	CHECK(otlog__buffer_append(&both, a.data, a.size) && otlog__buffer_append(&both, b.data, b.size));
	read_request(both.data, both.size, &whole);
	assert_int_equal(whole.count, 11);
	for (uint32_t first = 0; first < 11; first++)
		for (uint32_t count = 1; first + count <= 11; count++) {
			assert_true(otlog__request_slice(&both, first, count, &slice));
			assert_is_part(&whole, first, count, &slice);
		}
	forget(&whole);
	otlog__buffer_free(&a);
	otlog__buffer_free(&b);
	otlog__buffer_free(&both);
	otlog__buffer_free(&slice);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_part_of_a_request_holds_its_records_with_their_resource_and_scope),
		cmocka_unit_test(the_parts_of_a_partition_are_the_records_in_order),
		cmocka_unit_test(a_part_of_a_part_is_a_part),
		cmocka_unit_test(records_that_are_not_there_are_no_part),
		cmocka_unit_test(a_request_that_breaks_off_anywhere_has_no_parts),
		cmocka_unit_test(requests_with_any_byte_changed_do_no_harm),
		cmocka_unit_test(lengths_that_make_no_sense_are_refused),
		cmocka_unit_test(several_resources_keep_theirs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
