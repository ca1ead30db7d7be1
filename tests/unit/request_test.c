#include <otlog/exporter.h>

#include "proto/logs_service.pb-c.h"
#include "sdk/base/buffer.h"
#include "tests/support/harness/check.h"
#include "tests/support/harness/cmocka.h"

#include <stdio.h>
#include <string.h>

typedef Opentelemetry__Proto__Collector__Logs__V1__ExportLogsServiceRequest request_message;
typedef Opentelemetry__Proto__Logs__V1__ResourceLogs resource_logs;
typedef Opentelemetry__Proto__Logs__V1__ScopeLogs scope_logs;
typedef Opentelemetry__Proto__Logs__V1__LogRecord log_record;

/* ---- Building ---------------------------------------------------------------------------------------------------- */

static void
append_field(otlog__buffer *out, unsigned number, const void *content, size_t size)
{
	uint8_t head[11] = { (uint8_t)(number << 3 | 2) };
	size_t used = 1;
	for (size_t rest = size; rest || used == 1; rest >>= 7)
		head[used++] = (uint8_t)((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
	CHECK(otlog__buffer_append(out, head, used) && otlog__buffer_append(out, content, size));
}

static void
append_buffer(otlog__buffer *out, unsigned number, otlog__buffer *content)
{
	append_field(out, number, content->data, content->size);
	otlog__buffer_free(content);
}

/* A KeyValue with a string. */
static void
append_attribute(otlog__buffer *out, unsigned number, const char *key, const char *text)
{
	otlog__buffer value = { 0 }, pair = { 0 };
	append_field(&value, 1, text, strlen(text));
	append_field(&pair, 1, key, strlen(key));
	append_buffer(&pair, 2, &value);
	append_buffer(out, number, &pair);
}

/* A record whose event name is this. */
static void
append_record(otlog__buffer *out, const char *event_name)
{
	otlog__buffer record = { 0 };
	append_field(&record, 12, event_name, strlen(event_name));
	append_buffer(out, 2, &record);
}

/* Two resources; of the first, two scopes with two and one records; of the second, an empty one and one with one. */
static otlog__buffer
make_request(bool schema_first)
{
	otlog__buffer request = { 0 };
	const char *const names[2][2][2] = { { { "r0", "r1" }, { "r2", NULL } }, { { NULL, NULL }, { "r3", NULL } } };
	for (unsigned r = 0; r < 2; r++) {
		otlog__buffer logs = { 0 }, resource = { 0 };
		char url[8] = "url?";
		url[3] = (char)('0' + r);
		if (schema_first)
			append_field(&logs, 3, url, 4);
		append_attribute(&resource, 1, "service.name", r ? "two" : "one");
		append_buffer(&logs, 1, &resource);
		for (unsigned s = 0; s < 2; s++) {
			otlog__buffer of_scope = { 0 }, scope = { 0 };
			append_field(&scope, 1, s ? "b" : "a", 1);
			append_field(&scope, 2, "1.4", 3);
			append_attribute(&scope, 3, "k", "v");
			append_buffer(&of_scope, 1, &scope);
			for (unsigned i = 0; i < 2 && names[r][s][i]; i++)
				append_record(&of_scope, names[r][s][i]);
			append_field(&of_scope, 3, s ? "sb" : "sa", 2);
			append_buffer(&logs, 2, &of_scope);
		}
		if (!schema_first)
			append_field(&logs, 3, url, 4);
		append_buffer(&request, 1, &logs);
	}
	return request;
}

static void
assert_is(otlog_slice slice, const char *text)
{
	assert_int_equal(slice.size, strlen(text));
	assert_memory_equal(slice.data, text, slice.size);
}

static otlog_batch_reader
open_request(const void *bytes, size_t size)
{
	return otlog_batch_records(&(otlog_batch){ .request = bytes, .request_size = size });
}

/* Reads it all; returns how many records there were. */
static size_t
read_all(const void *bytes, size_t size, bool *malformed)
{
	/* A block of exactly this size: the sanitizer sees reads beyond it. */
	uint8_t *copy = malloc(size ? size : 1);
	CHECK(copy);
	memcpy(copy, bytes, size);
	otlog_batch_reader reader = open_request(copy, size);
	otlog_record_view record;
	size_t count = 0;
	while (otlog_batch_next(&reader, &record)) {
		const otlog_slice bytes = record.encoded;
		CHECK(bytes.size == 0 || (bytes.data >= copy && bytes.data < copy + size));
		count++;
	}
	CHECK(!otlog_batch_next(&reader, &record)); /* the end stays the end */
	*malformed = reader.malformed;
	free(copy);
	return count;
}

/* ---- Tests ------------------------------------------------------------------------------------------------------- */

static void
each_record_comes_with_its_resource_and_scope(void **state)
{
	(void)state;
	static const char *const records[] = { "r0", "r1", "r2", "r3" };
	static const char *const resources[] = { "one", "one", "one", "two" };
	static const char *const urls[] = { "url0", "url0", "url0", "url1" };
	static const char *const scopes[] = { "a", "a", "b", "b" };
	static const char *const scope_urls[] = { "sa", "sa", "sb", "sb" };
	static const bool new_resource[] = { true, false, false, true }, new_scope[] = { true, false, true, true };
	for (int schema_first = 0; schema_first < 2; schema_first++) {
		otlog__buffer request = make_request(schema_first);
		otlog_batch_reader reader = open_request(request.data, request.size);
		otlog_record_view record;
		for (size_t i = 0; i < 4; i++) {
			otlog_slice key;
			otlog_value_view value;
			assert_true(otlog_batch_next(&reader, &record));
			assert_is(record.event_name, records[i]);
			assert_is(record.resource.schema_url, urls[i]);
			assert_is(record.scope.schema_url, scope_urls[i]);
			assert_int_equal(record.new_resource, new_resource[i]);
			assert_int_equal(record.new_scope, new_scope[i]);

			otlog_items attributes = otlog_resource_attributes(&record);
			assert_true(otlog_next_item(&attributes, &key, &value));
			assert_is(key, "service.name");
			assert_is(value.as.bytes, resources[i]);
			assert_false(otlog_next_item(&attributes, &key, &value));

			assert_is(record.scope.name, scopes[i]);
			assert_is(record.scope.version, "1.4");
			attributes = otlog_scope_attributes(&record);
			assert_true(otlog_next_item(&attributes, &key, &value));
			assert_is(key, "k");
			assert_is(value.as.bytes, "v");
			assert_false(otlog_next_item(&attributes, &key, &value));
		}
		assert_false(otlog_batch_next(&reader, &record));
		assert_false(reader.malformed);
		otlog__buffer_free(&request);
	}
}

static void
a_request_of_protobuf_c_reads_the_same(void **state)
{
	(void)state;
	request_message request = OPENTELEMETRY__PROTO__COLLECTOR__LOGS__V1__EXPORT_LOGS_SERVICE_REQUEST__INIT;
	resource_logs of_resource = OPENTELEMETRY__PROTO__LOGS__V1__RESOURCE_LOGS__INIT;
	scope_logs of_scope = OPENTELEMETRY__PROTO__LOGS__V1__SCOPE_LOGS__INIT;
	log_record record = OPENTELEMETRY__PROTO__LOGS__V1__LOG_RECORD__INIT;
	resource_logs *resources[] = { &of_resource };
	scope_logs *scopes[] = { &of_scope };
	log_record *records[300];
	uint8_t bytes[4096];
	bool malformed;
	record.severity_number = 9;
	for (size_t i = 0; i < 300; i++)
		records[i] = &record;
	request.resource_logs = resources;
	request.n_resource_logs = 1;
	of_resource.scope_logs = scopes;
	of_resource.n_scope_logs = 1;
	of_scope.log_records = records;
	of_scope.n_log_records = 300;
	size_t size = opentelemetry__proto__collector__logs__v1__export_logs_service_request__pack(&request, bytes);
	assert_int_equal(read_all(bytes, size, &malformed), 300);
	assert_false(malformed);
}

static void
a_resource_or_scope_that_is_not_there_is_empty(void **state)
{
	(void)state;
	static const uint8_t bytes[] = { 0x0a, 0x07, 0x12, 0x05, 0x12, 0x03, 0x62, 0x01, 'r' };
	otlog_batch_reader reader = open_request(bytes, sizeof bytes);
	otlog_record_view record;
	assert_true(otlog_batch_next(&reader, &record));
	assert_is(record.event_name, "r");
	assert_int_equal(record.resource.encoded.size + record.scope.encoded.size, 0);
	assert_int_equal(record.resource.schema_url.size + record.scope.schema_url.size, 0);
	assert_int_equal(record.scope.name.size + record.scope.version.size, 0);
}

static void
nothing_is_a_request_without_records(void **state)
{
	(void)state;
	otlog_batch_reader reader = open_request(NULL, 0);
	otlog_record_view record;
	assert_false(otlog_batch_next(&reader, &record));
	assert_false(reader.malformed);
}

static void
a_request_cut_anywhere_is_malformed_unless_cut_between_resources(void **state)
{
	(void)state;
	otlog__buffer request = make_request(false);
	size_t sound = 0;
	for (size_t size = 0; size <= request.size; size++) {
		bool malformed;
		size_t count = read_all(request.data, size, &malformed);
		sound += !malformed;
		if (!malformed)
			assert_true(count == 0 || count == 3 || count == 4);
	}
	assert_int_equal(sound, 3); /* none, one and both of them */
	otlog__buffer_free(&request);
}

static void
any_bytes_end_without_harm(void **state)
{
	(void)state;
	otlog__buffer request = make_request(true);
	uint64_t random = 88172645463325252u;
	for (unsigned round = 0; round < 20000; round++) {
		uint8_t bytes[512];
		bool malformed;
		size_t size = request.size < sizeof bytes ? request.size : sizeof bytes;
		memcpy(bytes, request.data, size);
		for (unsigned flips = 1 + round % 4; flips; flips--) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			bytes[random % size] = (uint8_t)(random >> 32);
		}
		read_all(bytes, size, &malformed);
	}
	otlog__buffer_free(&request);
}

static void
groups_of_any_depth_are_skipped_and_take_no_stack(void **state)
{
	(void)state;
	enum { DEPTH = 1000000 };
	uint8_t *bytes = malloc(2 * DEPTH + 2);
	bool malformed;
	assert_non_null(bytes);
	memset(bytes, 0x7b, DEPTH);         /* field 15, a group begins */
	memset(bytes + DEPTH, 0x7c, DEPTH); /* and ends */
	bytes[2 * DEPTH] = 0x0a;
	bytes[2 * DEPTH + 1] = 0;
	assert_int_equal(read_all(bytes, 2 * DEPTH + 2, &malformed), 0);
	assert_false(malformed);
	read_all(bytes, 2 * DEPTH - 1, &malformed);
	assert_true(malformed);
	free(bytes);
}

/* Appends a ScopeLogs with that scope and one record of that event name. */
static void
append_scope_logs(otlog__buffer *out, const void *scope, size_t scope_size, const char *event_name)
{
	otlog__buffer logs = { 0 };
	append_field(&logs, 1, scope, scope_size);
	append_record(&logs, event_name);
	append_buffer(out, 2, &logs);
}

static void
a_scope_that_makes_no_sense_is_said(void **state)
{
	(void)state;
	otlog__buffer logs = { 0 }, request = { 0 };
	otlog_record_view record;
	append_scope_logs(&logs, "\x0a\x7f", 2, "lost");
	append_scope_logs(&logs, "\x0a\x01s", 3, "found");
	append_buffer(&request, 1, &logs);
	otlog_batch_reader reader = open_request(request.data, request.size);
	assert_false(otlog_batch_next(&reader, &record));
	assert_true(reader.malformed && reader.can_skip);
	assert_false(otlog_batch_next(&reader, &record));
	reader.malformed = false;
	assert_true(otlog_batch_next(&reader, &record));
	assert_is(record.event_name, "found");
	assert_is(record.scope.name, "s");
	assert_true(record.new_resource && record.new_scope);
	assert_false(otlog_batch_next(&reader, &record));
	assert_false(reader.malformed || reader.can_skip);
	otlog__buffer_free(&request);
}

static void
what_cannot_be_read_can_be_gone_behind_if_it_is_one_record(void **state)
{
	(void)state;
	/* Records "a", one that is cut off, "b", and a ScopeLogs that is cut off. */
	static const uint8_t bytes[] = "\x0a\x17\x12\x0f\x12\x03\x62\x01"
				       "a\x12\x02\x0a\x7f\x12\x04\x62\x02"
				       "bb\x12\x04\x12\x03\x12\x7f";
	static const char *const names[] = { "a", NULL, "bb", NULL };
	otlog_batch_reader reader = open_request(bytes, sizeof bytes - 1);
	for (size_t i = 0; i < 4; i++) {
		otlog_record_view record;
		assert_int_equal(otlog_batch_next(&reader, &record), names[i] != NULL);
		assert_is(record.event_name, names[i] ? names[i] : "");
		assert_int_equal(reader.malformed, names[i] == NULL);
		assert_int_equal(reader.can_skip, i == 1);
		assert_int_equal(record.new_scope, i == 0); /* the scope is the one of the record before */
		reader.malformed = false;
	}
}

static void
a_resource_and_a_scope_in_parts_are_one(void **state)
{
	(void)state;
	otlog__buffer parts[4] = { { 0 } }, logs = { 0 }, of_scope = { 0 }, request = { 0 };
	otlog_record_view record;
	append_attribute(&parts[0], 1, "r1", "a");
	append_attribute(&parts[1], 1, "r2", "b");
	append_field(&parts[2], 1, "name", 4);
	append_attribute(&parts[2], 3, "s1", "c");
	append_field(&parts[3], 2, "1.4", 3);
	append_attribute(&parts[3], 3, "s2", "d");
	append_buffer(&of_scope, 1, &parts[2]);
	append_record(&of_scope, "e");
	append_buffer(&of_scope, 1, &parts[3]);
	append_field(&of_scope, 1, "", 0);
	append_buffer(&logs, 1, &parts[0]);
	append_field(&logs, 1, "", 0);
	append_buffer(&logs, 2, &of_scope);
	append_buffer(&logs, 1, &parts[1]);
	append_buffer(&request, 1, &logs);

	otlog_batch_reader reader = open_request(request.data, request.size);
	assert_true(otlog_batch_next(&reader, &record));
	assert_is(record.scope.name, "name");
	assert_is(record.scope.version, "1.4");
	static const char *const keys[] = { "r1", "r2", "s1", "s2" };
	for (size_t i = 0; i < 4; i++) {
		otlog_value_view value;
		otlog_slice key;
		otlog_items items = i < 2 ? otlog_resource_attributes(&record) : otlog_scope_attributes(&record);
		for (size_t skip = i % 2; skip; skip--)
			assert_true(otlog_next_item(&items, NULL, NULL));
		assert_true(otlog_next_item(&items, &key, &value));
		assert_is(key, keys[i]);
		assert_int_equal(otlog_next_item(&items, NULL, NULL), i % 2 == 0);
		assert_false(items.malformed);
	}
	assert_false(otlog_batch_next(&reader, &record));
	assert_false(reader.malformed);
	otlog__buffer_free(&request);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_record_comes_with_its_resource_and_scope),
		cmocka_unit_test(a_request_of_protobuf_c_reads_the_same),
		cmocka_unit_test(a_resource_or_scope_that_is_not_there_is_empty),
		cmocka_unit_test(nothing_is_a_request_without_records),
		cmocka_unit_test(a_request_cut_anywhere_is_malformed_unless_cut_between_resources),
		cmocka_unit_test(any_bytes_end_without_harm),
		cmocka_unit_test(groups_of_any_depth_are_skipped_and_take_no_stack),
		cmocka_unit_test(a_scope_that_makes_no_sense_is_said),
		cmocka_unit_test(a_resource_and_a_scope_in_parts_are_one),
		cmocka_unit_test(what_cannot_be_read_can_be_gone_behind_if_it_is_one_record),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
