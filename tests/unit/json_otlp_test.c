#include "exporters/json/otlp_json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/record/encode.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/records/json_tree.h"
#include "tests/support/records/otlp_json_oracle.h"

/* ---- Bytes by hand ----------------------------------------------------------------------------------------------- */

/* Puts a tag and a length in front of what lies in the buffer from `begin` on. */
static void
wrap(otlog__buffer *bytes, size_t begin, uint8_t tag)
{
	size_t size = bytes->size - begin;
	uint8_t head[11] = { tag };
	size_t used = 1;
	for (; size >= 0x80; size >>= 7)
		head[used++] = (uint8_t)(size | 0x80);
	head[used++] = (uint8_t)size;
	assert_true(otlog__buffer_reserve(bytes, used));
	memmove(bytes->data + begin + used, bytes->data + begin, bytes->size - begin);
	memcpy(bytes->data + begin, head, used);
	bytes->size += used;
}

/* A request with one record of these bytes, without resource and scope. */
static otlog__buffer
request_of(const void *record, size_t size)
{
	otlog__buffer bytes = { 0 };
	assert_true(otlog__buffer_append(&bytes, record, size));
	wrap(&bytes, 0, 0x12);
	wrap(&bytes, 0, 0x12);
	wrap(&bytes, 0, 0x0a);
	return bytes;
}

#define AROUND_BEGIN "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":["
#define AROUND_END "]}]}]}"

static void
check_json(const void *request, size_t size, const char *expected)
{
	otlog__buffer out = { 0 };
	assert_true(otlog__otlp_json_append(request, size, &out) && otlog__buffer_append(&out, "", 1));
	assert_string_equal((char *)out.data, expected);
	assert_true(otlp_json_check_bytes(request, size));
	otlog__buffer_free(&out);
}

/* The JSON of a request with this record is `expected` with what belongs around it. */
static void
check_record_bytes(const void *record, size_t size, const char *expected)
{
	otlog__buffer around = { 0 };
	otlog__buffer request = request_of(record, size);
	assert_true(otlog__buffer_append(&around, AROUND_BEGIN, strlen(AROUND_BEGIN)) &&
	            otlog__buffer_append(&around, expected, strlen(expected)) &&
	            otlog__buffer_append(&around, AROUND_END, sizeof AROUND_END));
	check_json(request.data, request.size, (char *)around.data);
	otlog__buffer_free(&request);
	otlog__buffer_free(&around);
}

#define CHECK_RECORD(bytes, expected) check_record_bytes(bytes, sizeof bytes - 1, expected)

/* ---- Golden text ------------------------------------------------------------------------------------------------- */

static void
check_encoded(const otlog_record *record, const otlog_span_context *context, const char *expected)
{
	static const otlog__limits limits = OTLOG__DEFAULT_LIMITS;
	uint8_t bytes[2000];
	otlog__encode_notes notes = { 0 };
	size_t size = otlog__record_encode(record, context, 1, &limits, bytes, sizeof bytes, &notes);
	assert_true(size);
	check_record_bytes(bytes, size, expected);
}

static void
every_field_and_kind_of_value_has_its_form(void **state)
{
	(void)state;
	const otlog_attrs attributes = OTLOG_ATTRS(
	    OTLOG_KV("text", "a\"b\n\xc3\xa4"), OTLOG_KV("int", INT64_MIN), OTLOG_KV("bool", otlog_bool(true)),
	    OTLOG_KV("no", otlog_bool(false)), OTLOG_KV("cost", 0.045), OTLOG_KV("nan", (double)NAN),
	    OTLOG_KV("inf", -(double)INFINITY), OTLOG_KV("raw", otlog_bytes("\0\xff\x10\x80", 4)),
	    OTLOG_KV("list", OTLOG_ARRAY(OTLOG_VALUE("in"), OTLOG_VALUE(7), otlog_empty())),
	    OTLOG_KV("map", OTLOG_ATTRS(OTLOG_KV("x", 1.5), OTLOG_KV("y", "z"))), OTLOG_KV("none", otlog_empty()),
	    OTLOG_KV("nil", otlog_array(NULL, 0)));
	const otlog_record record = { .time_unix_nano = UINT64_C(1772442845123456789),
		                      .observed_time_unix_nano = UINT64_MAX,
		                      .severity = 9,
		                      .severity_text = "info",
		                      .event_name = "an.event",
		                      .body = OTLOG_VALUE("the body"),
		                      .attributes = attributes };
	otlog_span_context context = { .trace_flags = 1 };
	memcpy(context.trace_id, "\x0a\xf7\x65\x19\x16\xcd\x43\xdd\x84\x48\xeb\x21\x1c\x80\x31\x9c", 16);
	memcpy(context.span_id, "\xb7\xad\x6b\x71\x69\x20\x33\x31", 8);
	check_encoded(
	    &record, &context,
	    "{\"timeUnixNano\":\"1772442845123456789\",\"severityNumber\":9,\"severityText\":\"info\","
	    "\"body\":{\"stringValue\":\"the body\"},\"attributes\":["
	    "{\"key\":\"text\",\"value\":{\"stringValue\":\"a\\\"b\\n\xc3\xa4\"}},"
	    "{\"key\":\"int\",\"value\":{\"intValue\":\"-9223372036854775808\"}},"
	    "{\"key\":\"bool\",\"value\":{\"boolValue\":true}},"
	    "{\"key\":\"no\",\"value\":{\"boolValue\":false}},"
	    "{\"key\":\"cost\",\"value\":{\"doubleValue\":0.045}},"
	    "{\"key\":\"nan\",\"value\":{\"doubleValue\":\"NaN\"}},"
	    "{\"key\":\"inf\",\"value\":{\"doubleValue\":\"-Infinity\"}},"
	    "{\"key\":\"raw\",\"value\":{\"bytesValue\":\"AP8QgA==\"}},"
	    "{\"key\":\"list\",\"value\":{\"arrayValue\":{\"values\":[{\"stringValue\":\"in\"},{\"intValue\":\"7\"},{}]"
	    "}}},"
	    "{\"key\":\"map\",\"value\":{\"kvlistValue\":{\"values\":[{\"key\":\"x\",\"value\":{\"doubleValue\":1.5}},"
	    "{\"key\":\"y\",\"value\":{\"stringValue\":\"z\"}}]}}},"
	    "{\"key\":\"none\",\"value\":{}},"
	    "{\"key\":\"nil\",\"value\":{\"arrayValue\":{}}}],"
	    "\"flags\":1,\"traceId\":\"0af7651916cd43dd8448eb211c80319c\",\"spanId\":\"b7ad6b7169203331\","
	    "\"observedTimeUnixNano\":\"18446744073709551615\",\"eventName\":\"an.event\"}");
}

static void
a_request_has_resource_scope_and_schemas(void **state)
{
	(void)state;
	static const char request[] = "\x0a\x2d"
				      "\x0a\x0c\x0a\x08\x0a\x01r\x12\x03\x0a\x01v\x10\x02"
				      "\x12\x18"
				      "\x0a\x0f\x0a\x01n\x12\x01"
				      "1\x1a\x05\x0a\x01k\x12\x00 \x03"
				      "\x12\x00\x12\x00\x1a\x01s"
				      "\x1a\x03url"
				      "\x0a\x00";
	check_json(
	    request, sizeof request - 1,
	    "{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"r\",\"value\":{\"stringValue\":\"v\"}}],"
	    "\"droppedAttributesCount\":2},\"scopeLogs\":[{\"scope\":{\"name\":\"n\",\"version\":\"1\","
	    "\"attributes\":[{\"key\":\"k\",\"value\":{}}],\"droppedAttributesCount\":3},"
	    "\"logRecords\":[{},{}],\"schemaUrl\":\"s\"}],\"schemaUrl\":\"url\"},{}]}");
}

static void
what_is_absent_is_absent_and_what_is_there_is_there(void **state)
{
	(void)state;
	check_json(NULL, 0, "{}");
	check_json("\x0a\x00", 2, "{\"resourceLogs\":[{}]}");
	CHECK_RECORD("", "{}");
	CHECK_RECORD("\x32\x00", "{\"attributes\":[{}]}");
	CHECK_RECORD("\x32\x02\x0a\x00", "{\"attributes\":[{\"key\":\"\"}]}");
	CHECK_RECORD("\x32\x02\x12\x00", "{\"attributes\":[{\"value\":{}}]}");
	CHECK_RECORD("\x2a\x00", "{\"body\":{}}");
	CHECK_RECORD("\x2a\x02\x2a\x00", "{\"body\":{\"arrayValue\":{}}}");
	CHECK_RECORD("\x2a\x02\x32\x00", "{\"body\":{\"kvlistValue\":{}}}");
	CHECK_RECORD("\x2a\x04\x32\x02\x0a\x00", "{\"body\":{\"kvlistValue\":{\"values\":[{}]}}}");
	CHECK_RECORD("\x2a\x02\x3a\x00", "{\"body\":{\"bytesValue\":\"\"}}");
	CHECK_RECORD("\x10\x00\x1a\x00\x38\x00\x4a\x00", "{\"severityNumber\":0,\"severityText\":\"\","
	                                                 "\"droppedAttributesCount\":0,\"traceId\":\"\"}");
	CHECK_RECORD("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "{\"severityNumber\":-1}");
	CHECK_RECORD("\x45\xff\xff\xff\xff", "{\"flags\":4294967295}");
}

static void
fields_that_nobody_knows_are_left_out(void **state)
{
	(void)state;
	CHECK_RECORD("\x22\x01x\xa2\x06\x03xyz\x10\x09\x68\x01", "{\"severityNumber\":9}");
	CHECK_RECORD("\x0b\x10\x01\x13\x0b\x0c\x14\x0c\x10\x09", "{\"severityNumber\":9}"); /* groups in groups */
	CHECK_RECORD("\x15\x01\x02\x03\x04\x10\x09", "{\"severityNumber\":9}"); /* a known number, another type */
	CHECK_RECORD("\x2a\x07\x42\x01q\x18\x05\x48\x01", "{\"body\":{\"intValue\":\"5\"}}");
}

static void
fields_may_come_in_any_order_and_the_last_one_counts(void **state)
{
	(void)state;
	CHECK_RECORD("\x32\x03\x0a\x01z\x10\x01\x32\x03\x0a\x01y\x10\x02",
	             "{\"severityNumber\":2,\"attributes\":[{\"key\":\"z\"},{\"key\":\"y\"}]}");
	CHECK_RECORD("\x2a\x02\x18\x01\x2a\x05\x18\x02\x0a\x01w", "{\"body\":{\"stringValue\":\"w\"}}");
	CHECK_RECORD("\x2a\x0a\x2a\x08\x0a\x02\x18\x03\x18\x01\x0a\x00",
	             "{\"body\":{\"arrayValue\":{\"values\":[{\"intValue\":\"3\"},{}]}}}");
}

static void
of_a_value_given_twice_the_last_kind_counts_and_an_empty_one_takes_nothing(void **state)
{
	(void)state;
	CHECK_RECORD("\x2a\x03\x0a\x01t\x2a\x00", "{\"body\":{\"stringValue\":\"t\"}}");
	CHECK_RECORD("\x2a\x00\x2a\x03\x0a\x01t\x2a\x00", "{\"body\":{\"stringValue\":\"t\"}}");
	CHECK_RECORD("\x2a\x02\x0a\x00\x2a\x00", "{\"body\":{\"stringValue\":\"\"}}");
	CHECK_RECORD("\x2a\x03\x0a\x01t\x2a\x02\x18\x05", "{\"body\":{\"intValue\":\"5\"}}");
	CHECK_RECORD("\x2a\x00\x2a\x00", "{\"body\":{}}");
	CHECK_RECORD("\x2a\x03\x0a\x01t\x2a\x02\x40\x01", "{\"body\":{\"stringValue\":\"t\"}}"); /* a field not known */
	CHECK_RECORD("\x32\x0a\x0a\x01k\x12\x03\x0a\x01t\x12\x00",
	             "{\"attributes\":[{\"key\":\"k\",\"value\":{\"stringValue\":\"t\"}}]}");
	/* The value of a pair in a map in an array. */
	CHECK_RECORD("\x2a\x11\x2a\x0f\x0a\x0d\x32\x0b\x0a\x09\x12\x03\x0a\x01t\x12\x00\x0a\x00",
	             "{\"body\":{\"arrayValue\":{\"values\":[{\"kvlistValue\":{\"values\":[{\"key\":\"\",\"value\":{"
	             "\"stringValue\":\"t\"}}]}}]}}}");
}

static void
of_an_array_given_twice_the_last_one_counts(void **state)
{
	(void)state;
	static const char two[] = "{\"body\":{\"arrayValue\":{\"values\":[{\"intValue\":\"2\"}]}}}";
	CHECK_RECORD("\x2a\x0c\x2a\x04\x0a\x02\x18\x01\x2a\x04\x0a\x02\x18\x02", two);
	CHECK_RECORD("\x2a\x06\x2a\x04\x0a\x02\x18\x01\x2a\x06\x2a\x04\x0a\x02\x18\x02", two);
	CHECK_RECORD("\x2a\x06\x2a\x04\x0a\x02\x18\x02\x2a\x00", two);
	CHECK_RECORD("\x2a\x04\x2a\x02\x0a\x7f\x2a\x06\x2a\x04\x0a\x02\x18\x02", two); /* not looked into */
}

static void
a_resource_or_scope_in_parts_is_one(void **state)
{
	(void)state;
	/* A resource with an attribute and 2 dropped; a scope in three parts; then the rest of the resource. */
	static const char request[] = "\x0a\x3d"
				      "\x0a\x0c\x0a\x08\x0a\x01r\x12\x03\x0a\x01v\x10\x02"
				      "\x12\x22"
				      "\x0a\x0f\x0a\x01n\x12\x01"
				      "1\x1a\x05\x0a\x01k\x12\x00 \x03"
				      "\x12\x00"
				      "\x0a\x05\x12\x00\x0a\x01m"
				      "\x0a\x06\x1a\x02\x0a\x00 \x07"
				      "\x0a\x09\x0a\x05\x0a\x01q\x12\x00\x18\x01";
	check_json(
	    request, sizeof request - 1,
	    "{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"r\",\"value\":{\"stringValue\":\"v\"}},"
	    "{\"key\":\"q\",\"value\":{}}],\"droppedAttributesCount\":2},\"scopeLogs\":[{\"scope\":{\"name\":\"m\","
	    "\"version\":\"\",\"attributes\":[{\"key\":\"k\",\"value\":{}},{\"key\":\"\"}],"
	    "\"droppedAttributesCount\":7},\"logRecords\":[{}]}]}]}");
	check_json("\x0a\x04\x0a\x00\x0a\x00", 6, "{\"resourceLogs\":[{\"resource\":{}}]}");
	assert_false(otlp_json_check_bytes((const uint8_t *)"\x0a\x06\x0a\x02\x0a\x7f\x0a\x00", 8));
	/* A field that is cut off does not go on in the next part. */
	assert_false(otlp_json_check_bytes((const uint8_t *)"\x0a\x08\x0a\x02\x0a\x02\x0a\x02\x10\x01", 10));
}

/* ---- Depth ------------------------------------------------------------------------------------------------------- */

/* A request whose body is `depth` containers, one within the other. */
static otlog__buffer
nested(size_t depth, bool keyed)
{
	otlog__buffer body = { 0 };
	for (size_t i = 0; i < depth; i++) {
		if (i && keyed)
			wrap(&body, 0, 0x12); /* the value of a KeyValue */
		if (i)
			wrap(&body, 0, 0x0a); /* an item */
		wrap(&body, 0, keyed ? 0x32 : 0x2a);
	}
	wrap(&body, 0, 0x2a);
	otlog__buffer request = request_of(body.data, body.size);
	otlog__buffer_free(&body);
	return request;
}

static void
containers_are_written_two_hundred_deep_and_no_deeper(void **state)
{
	(void)state;
	static const size_t depths[] = { 1, 2, 64, 199, 200 };
	for (size_t i = 0; i < 2 * sizeof depths / sizeof *depths; i++) {
		otlog__buffer request = nested(depths[i / 2], i % 2);
		assert_true(otlp_json_check_bytes(request.data, request.size));
		otlp_json_check_request(request.data, request.size);
		otlog__buffer_free(&request);
	}
	static const size_t too_deep[] = { 201, 202, 3000 };
	for (size_t i = 0; i < 2 * sizeof too_deep / sizeof *too_deep; i++) {
		otlog__buffer request = nested(too_deep[i / 2], i % 2);
		assert_false(otlp_json_check_bytes(request.data, request.size));
		otlog__buffer_free(&request);
	}
}

/* ---- Random records, and damage ---------------------------------------------------------------------------------- */

static void
random_records_say_the_same_in_json(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 3000; seed++) {
		random_record *record = random_record_from_seed(seed);
		otlog__buffer request = { 0 };
		otlp_json_request_of(record, &request);
		if (seed % 3 == 0)
			otlp_json_request_of(record, &request);
		otlp_json_check_request(request.data, request.size);
		otlog__buffer_free(&request);
		random_record_free(record);
	}
}

static void
large_texts_and_bytes_come_whole(void **state)
{
	(void)state;
	static const size_t sizes[] = { 1023, 1024, 1025, 4095, 4096, 4097, 100000, 1000000 };
	char *text = malloc(1000000);
	assert_non_null(text);
	for (size_t i = 0; i < 1000000; i++)
		text[i] = "ab\xc3\xa9\xe2\x82\xac\n\""[i % 9];
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		const otlog_attr attr = { .key = text,
			                  .key_size = sizes[i],
			                  .value =
			                      i % 2 ? otlog_bytes(text, sizes[i]) : otlog_string_n(text, sizes[i]) };
		random_record given = { .record = { .attributes = { &attr, 1 } },
			                .limits = OTLOG__DEFAULT_LIMITS,
			                .now_unix_nano = 1 };
		otlog__buffer request = { 0 };
		otlp_json_request_of(&given, &request);
		otlp_json_check_request(request.data, request.size);
		otlog__buffer_free(&request);
	}
	free(text);
}

static otlog__buffer
small_request(uint64_t seed)
{
	for (;; seed++) {
		random_record *record = random_record_from_seed(seed);
		otlog__buffer request = { 0 };
		otlp_json_request_of(record, &request);
		random_record_free(record);
		if (request.size > 100 && request.size < 3000)
			return request;
		otlog__buffer_free(&request);
	}
}

/* From a block of exactly the size, so that the sanitizer sees what goes beyond. */
static bool
check_copy(const uint8_t *bytes, size_t size)
{
	uint8_t *exact = malloc(size ? size : 1);
	assert_non_null(exact);
	memcpy(exact, bytes, size);
	bool came = otlp_json_check_bytes(exact, size);
	free(exact);
	return came;
}

static void
a_request_cut_short_gives_nothing(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 20000; seed += 1000) {
		otlog__buffer request = small_request(seed);
		for (size_t size = 1; size < request.size; size++)
			assert_false(check_copy(request.data, size));
		assert_true(check_copy(request.data, request.size));
		otlog__buffer_free(&request);
	}
}

static void
damaged_requests_give_strict_json_or_nothing(void **state)
{
	(void)state;
	uint64_t random = 13;
	size_t came = 0;
	for (uint64_t seed = 1; seed < 60000; seed += 1000) {
		otlog__buffer request = small_request(seed);
		uint8_t *damaged = malloc(request.size);
		assert_non_null(damaged);
		for (int round = 0; round < 300; round++) {
			memcpy(damaged, request.data, request.size);
			for (int flips = 0; flips <= round % 4; flips++)
				damaged[random_next(&random) % request.size] ^=
				    (uint8_t)(1u << random_next(&random) % 8);
			came += check_copy(damaged, request.size);
		}
		free(damaged);
		otlog__buffer_free(&request);
	}
	assert_in_range(came, 1000, 17000); /* neither way is left untried */
}

static void
no_memory_gives_nothing(void **state)
{
	(void)state;
	/* A buffer that cannot grow, because its size is all that a pointer can reach. */
	otlog__buffer full = { .data = (uint8_t *)"", .size = SIZE_MAX / 2, .capacity = SIZE_MAX / 2 };
	errno = 0;
	assert_false(otlog__otlp_json_append("\x0a\x00", 2, &full));
	assert_int_equal(errno, ENOMEM);
	assert_int_equal(full.size, SIZE_MAX / 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_and_kind_of_value_has_its_form),
		cmocka_unit_test(a_request_has_resource_scope_and_schemas),
		cmocka_unit_test(what_is_absent_is_absent_and_what_is_there_is_there),
		cmocka_unit_test(fields_that_nobody_knows_are_left_out),
		cmocka_unit_test(fields_may_come_in_any_order_and_the_last_one_counts),
		cmocka_unit_test(of_a_value_given_twice_the_last_kind_counts_and_an_empty_one_takes_nothing),
		cmocka_unit_test(of_an_array_given_twice_the_last_one_counts),
		cmocka_unit_test(a_resource_or_scope_in_parts_is_one),
		cmocka_unit_test(containers_are_written_two_hundred_deep_and_no_deeper),
		cmocka_unit_test(random_records_say_the_same_in_json),
		cmocka_unit_test(large_texts_and_bytes_come_whole),
		cmocka_unit_test(a_request_cut_short_gives_nothing),
		cmocka_unit_test(damaged_requests_give_strict_json_or_nothing),
		cmocka_unit_test(no_memory_gives_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
