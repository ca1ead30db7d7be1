/* The public view of a batch: what was emitted is read back, whatever the bytes are nothing is read beyond them. */
#include "exporters/json/json_writer.h"
#include "sdk/record/encode.h"
#include "tests/support/sdk/capture.h"
#include "tests/support/harness/check.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/records/random_record.h"
#include "tests/support/records/utf8_oracle.h"

#include <otlog/otlog.h>

#include <math.h>
#include <string.h>

/* ---- Walking ----------------------------------------------------------------------------------------------------- */

/* What was met on the way through a batch. */
typedef struct tally {
	size_t records, attributes, values, bytes;
	size_t deepest; /* how many containers were open at once */
	bool sound;
} tally;

static void
touch(otlog_slice slice, tally *t)
{
	for (size_t i = 0; i < slice.size; i++)
		(void)*(const volatile uint8_t *)&slice.data[i];
	t->bytes += slice.size;
}

#define MAX_OPEN 100

/*
 * How an exporter goes through a value of any depth without recursion: a list of the containers that are open, and a
 * limit to it, beyond which a container is passed over.
 */
static void
walk_value(otlog_value_view value, tally *t)
{
	otlog_items open[MAX_OPEN];
	size_t depth = 0;
	for (;;) {
		bool container = value.type == OTLOG_VALUE_ARRAY || value.type == OTLOG_VALUE_MAP;
		t->values++;
		if (value.type == OTLOG_VALUE_STRING || value.type == OTLOG_VALUE_BYTES)
			touch(value.as.bytes, t);
		if (container && depth < MAX_OPEN)
			open[depth++] = otlog_items_of(&value);
		if (depth > t->deepest)
			t->deepest = depth;
		otlog_slice key;
		while (depth && !otlog_next_item(&open[depth - 1], &key, &value))
			t->sound &= !open[--depth].malformed;
		if (!depth)
			return;
		touch(key, t);
	}
}

static void
walk_items(otlog_items items, tally *t)
{
	otlog_slice key;
	otlog_value_view value;
	while (otlog_next_item(&items, &key, &value)) {
		t->attributes++;
		touch(key, t);
		walk_value(value, t);
	}
	t->sound &= !items.malformed;
}

/* Reads all there is, in a block of exactly this size, so that the address sanitizer sees what is read beyond. */
static tally
walk_batch(const void *bytes, size_t size)
{
	tally t = { .sound = true };
	uint8_t *copy = malloc(size ? size : 1);
	CHECK(copy);
	memcpy(copy, bytes, size);
	const otlog_batch batch = { .request = copy, .request_size = size };
	otlog_batch_reader reader = otlog_batch_records(&batch);
	otlog_record_view record;
	while (otlog_batch_next(&reader, &record)) {
		CHECK(record.trace_id.size == 0 || record.trace_id.size == 16);
		CHECK(record.span_id.size == 0 || record.span_id.size == 8);
		t.records++;
		touch(record.severity_text, &t);
		touch(record.event_name, &t);
		touch(record.trace_id, &t);
		touch(record.span_id, &t);
		touch(record.encoded, &t);
		touch(record.resource.schema_url, &t);
		touch(record.scope.schema_url, &t);
		touch(record.scope.name, &t);
		touch(record.scope.version, &t);
		walk_value(record.body, &t);
		walk_items(otlog_attributes(&record), &t);
		walk_items(otlog_resource_attributes(&record), &t);
		walk_items(otlog_scope_attributes(&record), &t);
	}
	t.sound &= !reader.malformed;
	CHECK(!otlog_batch_next(&reader, &record)); /* the end stays the end */
	free(copy);
	return t;
}

/* ---- Samples ----------------------------------------------------------------------------------------------------- */

/* One LogRecord; valid until the next call. */
static otlog_record_view
view_of(const otlog_record *given)
{
	static uint8_t bytes[65536];
	static const otlog__limits limits = OTLOG__DEFAULT_LIMITS;
	otlog__encode_notes notes = { 0 };
	otlog_record_view record;
	size_t size = otlog__record_encode(given, NULL, 1, &limits, bytes, sizeof bytes, &notes);
	assert_true(size > 0);
	assert_true(otlog_record_view_open(bytes, size, &record));
	return record;
}

static otlog_value_view
value_view_of(otlog_value value)
{
	return view_of(&(otlog_record){ .body = value }).body;
}

static void
assert_is(otlog_slice slice, const char *text)
{
	assert_int_equal(slice.size, strlen(text));
	assert_true(otlog_slice_is(slice, text));
}

static void
assert_next_text(otlog_items *items, const char *key, const char *text)
{
	otlog_slice got;
	otlog_value_view value;
	assert_true(otlog_next_item(items, &got, &value));
	assert_is(got, key);
	assert_int_equal(value.type, OTLOG_VALUE_STRING);
	assert_is(value.as.bytes, text);
}

static void
assert_text_at(otlog_items items, const char *key, const char *text)
{
	otlog_value_view value;
	char got[256];
	assert_true(otlog_find_item(items, key, &value));
	assert_true(otlog_value_text(&value, got, sizeof got) < sizeof got);
	assert_string_equal(got, text);
}

static const otlog_span_context span = { { 0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd, 0x84, 0x48, 0xeb, 0x21, 0x1c,
	                                   0x80, 0x31, 0x9c },
	                                 { 0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31 },
	                                 OTLOG_TRACE_FLAG_SAMPLED };

static void
silence(void *user, otlog_diagnostic_level level, const char *message)
{
	(void)user, (void)level, (void)message;
}

/* Two records of one scope, one of another, one of a third without a name. */
static void
emit_samples(otlog_provider *provider)
{
	otlog_logger *checkout = otlog_provider_get_logger(
	    provider, &(otlog_logger_options){ .name = "checkout",
	                                       .version = "1.4.0",
	                                       .schema_url = "https://example.org/scope",
	                                       .attributes = OTLOG_ATTRS(OTLOG_KV("team", "shop")) });
	otlog_logger *payment = otlog_provider_get_logger(provider, &(otlog_logger_options){ .name = "payment" });
	otlog_logger *unnamed = otlog_provider_get_logger(provider, &(otlog_logger_options){ .version = NULL });
	const otlog_record full = {
		.time_unix_nano = 1700000000123456789u,
		.observed_time_unix_nano = 1700000000999999999u,
		.severity = OTLOG_SEVERITY_WARN2,
		.severity_text = "Warnung",
		.event_name = "order.placed",
		.span_context = &span,
		.body = otlog_map(OTLOG_ATTRS(
		    OTLOG_KV("list", OTLOG_ARRAY(OTLOG_VALUE(1), OTLOG_VALUE("two"), OTLOG_ARRAY(OTLOG_VALUE(3.5)))))),
		.attributes =
		    OTLOG_ATTRS(OTLOG_KV("text", "grün"), OTLOG_KV("yes", otlog_bool(true)), OTLOG_KV("int", INT64_MIN),
		                OTLOG_KV("double", -0.25), OTLOG_KV("bytes", otlog_bytes("\0\1\2", 3)),
		                OTLOG_KV("none", otlog_empty()), OTLOG_KV("large", UINT64_MAX)),
	};
	assert_int_equal(otlog_emit(checkout, &full), OTLOG_EMIT_ACCEPTED);
	assert_int_equal(otlog_emit(checkout, &(otlog_record){ .body = otlog_string("second") }), OTLOG_EMIT_ACCEPTED);
	assert_int_equal(otlog_emit(payment, &(otlog_record){ .body = otlog_string("third") }), OTLOG_EMIT_ACCEPTED);
	assert_int_equal(otlog_emit(unnamed, &(otlog_record){ .body = otlog_string("fourth") }), OTLOG_EMIT_ACCEPTED);
}

/* The request that the SDK makes of the samples; free it. */
static uint8_t *
sample_request(size_t *size)
{
	capture *taken = capture_create("taken");
	const otlog_pipeline_options pipeline = { .exporter = capture_exporter(taken), .schedule_delay_ms = 60000 };
	const otlog_options options = { .service_name = "shop",
		                        .resource_attributes = OTLOG_ATTRS(OTLOG_KV("host.name", "till-3")),
		                        .resource_schema_url = "https://example.org/resource",
		                        .pipelines = &pipeline,
		                        .pipeline_count = 1,
		                        .queue_bytes = 1 << 20,
		                        .diagnostic = silence };
	otlog_provider *provider = otlog_provider_create(&options);
	assert_non_null(provider);
	emit_samples(provider);
	assert_int_equal(otlog_provider_shutdown(provider, 10000), OTLOG_DELIVERED);
	assert_int_equal(capture_attempts(taken), 1);
	const uint8_t *bytes = capture_bytes_at(taken, 0, size);
	uint8_t *copy = malloc(*size);
	assert_non_null(copy);
	memcpy(copy, bytes, *size);
	otlog_provider_destroy(provider);
	capture_free(taken);
	return copy;
}

/* ---- What was emitted -------------------------------------------------------------------------------------------- */

static void
check_full_record(const otlog_record_view *record)
{
	char hex[33];
	assert_true(record->time_unix_nano == 1700000000123456789u);
	assert_true(record->observed_time_unix_nano == 1700000000999999999u);
	assert_int_equal(record->severity, OTLOG_SEVERITY_WARN2);
	assert_is(record->severity_text, "Warnung");
	assert_is(record->event_name, "order.placed");
	assert_int_equal(record->flags, OTLOG_TRACE_FLAG_SAMPLED);
	assert_int_equal(record->dropped_attributes_count, 0);
	assert_int_equal(otlog_hex(record->trace_id, hex, sizeof hex), 32);
	assert_string_equal(hex, "0af7651916cd43dd8448eb211c80319c");
	assert_int_equal(otlog_hex(record->span_id, hex, sizeof hex), 16);
	assert_string_equal(hex, "b7ad6b7169203331");

	otlog_items items = otlog_attributes(record);
	otlog_slice key;
	otlog_value_view value;
	assert_next_text(&items, "text", "grün");
	assert_true(otlog_next_item(&items, &key, &value) && value.type == OTLOG_VALUE_BOOL && value.as.boolean);
	assert_true(otlog_next_item(&items, &key, &value) && value.type == OTLOG_VALUE_INT64);
	assert_true(value.as.int64 == INT64_MIN);
	assert_true(otlog_next_item(&items, &key, &value) && value.type == OTLOG_VALUE_DOUBLE);
	assert_true(value.as.float64 == -0.25);
	assert_true(otlog_next_item(&items, &key, &value) && value.type == OTLOG_VALUE_BYTES);
	assert_int_equal(value.as.bytes.size, 3);
	assert_memory_equal(value.as.bytes.data, "\0\1\2", 3);
	assert_true(otlog_next_item(&items, &key, &value) && value.type == OTLOG_VALUE_EMPTY);
	assert_is(key, "none");
	assert_next_text(&items, "large", "18446744073709551615");
	assert_false(otlog_next_item(&items, &key, &value));
	assert_false(items.malformed);
	assert_int_equal(key.size, 0);

	assert_int_equal(record->body.type, OTLOG_VALUE_MAP);
	assert_text_at(otlog_items_of(&record->body), "list", "[1,\"two\",[3.5]]");
}

static void
each_record_comes_back_with_its_resource_and_scope(void **state)
{
	(void)state;
	static const char *const scopes[] = { "checkout", "checkout", "payment", "" };
	static const char *const bodies[] = { NULL, "second", "third", "fourth" };
	size_t size, count = 0;
	uint8_t *bytes = sample_request(&size);
	const otlog_batch batch = { .request = bytes, .request_size = size, .reserved = { 1, 2, 3, 4 } };
	otlog_batch_reader reader = otlog_batch_records(&batch);
	otlog_record_view record;
	for (; otlog_batch_next(&reader, &record); count++) {
		bool of_checkout = count < 2;
		assert_true(count < 4);
		assert_int_equal(record.new_resource, count == 0);
		assert_int_equal(record.new_scope, count != 1);
		assert_is(record.resource.schema_url, "https://example.org/resource");
		assert_text_at(otlog_resource_attributes(&record), "service.name", "shop");
		assert_text_at(otlog_resource_attributes(&record), "host.name", "till-3");
		assert_is(record.scope.name, scopes[count]);
		assert_is(record.scope.version, of_checkout ? "1.4.0" : "");
		assert_is(record.scope.schema_url, of_checkout ? "https://example.org/scope" : "");
		otlog_items attributes = otlog_scope_attributes(&record);
		if (of_checkout)
			assert_next_text(&attributes, "team", "shop");
		assert_false(otlog_next_item(&attributes, NULL, NULL));
		if (count == 0)
			check_full_record(&record);
		else
			assert_is(record.body.as.bytes, bodies[count]);
	}
	assert_int_equal(count, 4);
	assert_false(reader.malformed);
	/* No record has an id yet; where one will come from is handed on to the reader. */
	static const uint8_t none[sizeof record.id];
	reader = otlog_batch_records(&batch);
	assert_memory_equal(reader.reserved, batch.reserved, sizeof batch.reserved);
	assert_true(otlog_batch_next(&reader, &record));
	assert_memory_equal(record.id, none, sizeof none);
	free(bytes);
}

static void
a_kept_record_can_be_opened_alone(void **state)
{
	(void)state;
	size_t size;
	uint8_t *bytes = sample_request(&size);
	otlog_batch_reader reader = otlog_batch_records(&(otlog_batch){ .request = bytes, .request_size = size });
	otlog_record_view record, alone;
	assert_true(otlog_batch_next(&reader, &record));
	assert_true(otlog_record_view_open(record.encoded.data, record.encoded.size, &alone));
	check_full_record(&alone);
	assert_int_equal(alone.scope.name.size + alone.resource.encoded.size, 0);
	otlog_items none = otlog_resource_attributes(&alone);
	assert_false(otlog_next_item(&none, NULL, NULL));
	assert_false(otlog_record_view_open(record.encoded.data, record.encoded.size - 1, &alone));
	assert_int_equal(alone.time_unix_nano, 0);
	free(bytes);
}

/* An exporter of a user's own, as an application has it: it reads within export_batch and counts by severity. */
static void
count_by_severity(void *self, const otlog_batch *batch, uint64_t timeout_ms, otlog_export_result *result)
{
	size_t *counts = self, read = 0;
	otlog_batch_reader reader = otlog_batch_records(batch);
	otlog_record_view record;
	(void)timeout_ms;
	for (; otlog_batch_next(&reader, &record); read++)
		counts[record.severity]++;
	result->verdict = read == batch->records ? OTLOG_VERDICT_OK : OTLOG_VERDICT_PARTIAL;
	result->rejected = batch->records - read;
}

static void
two_exporters_read_the_same_records(void **state)
{
	(void)state;
	static const otlog_exporter_functions counting = { .size = sizeof counting, .export_batch = count_by_severity };
	size_t all[25] = { 0 }, severe[25] = { 0 };
	const otlog_pipeline_options pipelines[] = {
		{ .exporter = { .functions = &counting, .self = all, .name = "all" } },
		{ .exporter = { .functions = &counting, .self = severe, .name = "severe" },
		  .minimum_severity = OTLOG_SEVERITY_WARN },
	};
	otlog_provider *provider = otlog_provider_create(&(otlog_options){
	    .pipelines = pipelines, .pipeline_count = 2, .queue_bytes = 1 << 20, .diagnostic = silence });
	assert_non_null(provider);
	otlog_logger *log = otlog_provider_get_logger(provider, &(otlog_logger_options){ .name = "count" });
	for (int i = 0; i < 2000; i++)
		OTLOG_LOG(log, i % 2 ? OTLOG_SEVERITY_INFO : OTLOG_SEVERITY_ERROR, "counted", OTLOG_KV("i", i));
	assert_int_equal(otlog_provider_shutdown(provider, 10000), OTLOG_DELIVERED);
	otlog_provider_destroy(provider);
	assert_int_equal(all[OTLOG_SEVERITY_INFO], 1000);
	assert_int_equal(all[OTLOG_SEVERITY_ERROR], 1000);
	assert_int_equal(severe[OTLOG_SEVERITY_INFO], 0);
	assert_int_equal(severe[OTLOG_SEVERITY_ERROR], 1000);
}

/* ---- Bytes that make no sense ------------------------------------------------------------------------------------ */

static size_t
count_records(const capture_request *request)
{
	size_t records = 0;
	for (size_t r = 0; r < request->n_resource_logs; r++)
		for (size_t s = 0; s < request->resource_logs[r]->n_scope_logs; s++)
			records += request->resource_logs[r]->scope_logs[s]->n_log_records;
	return records;
}

static capture_request *
unpack(const uint8_t *bytes, size_t size)
{
	return opentelemetry__proto__collector__logs__v1__export_logs_service_request__unpack(NULL, size, bytes);
}

/* Whether both take it, or neither does. Where both do, they see the same records. */
static bool
agrees_with_protobuf_c(const uint8_t *bytes, size_t size)
{
	tally t = walk_batch(bytes, size);
	capture_request *request = unpack(bytes, size);
	bool agree = t.sound == (request != NULL);
	if (request && t.sound)
		assert_int_equal(t.records, count_records(request));
	if (request)
		opentelemetry__proto__collector__logs__v1__export_logs_service_request__free_unpacked(request, NULL);
	return agree;
}

static void
every_truncation_is_told(void **state)
{
	(void)state;
	size_t size;
	uint8_t *bytes = sample_request(&size);
	tally whole = walk_batch(bytes, size);
	assert_true(whole.sound);
	assert_int_equal(whole.records, 4);
	for (size_t part = 0; part < size; part++) {
		assert_true(agrees_with_protobuf_c(bytes, part));
		assert_int_equal(walk_batch(bytes, part).sound, part == 0);
	}
	free(bytes);
}

static void
flipped_bits_are_survived(void **state)
{
	(void)state;
	size_t size, agreed = 0, told = 0;
	uint64_t random = 20261120;
	uint8_t *bytes = sample_request(&size), *damaged = malloc(size);
	assert_non_null(damaged);
	enum { ROUNDS = 20000 };
	for (size_t round = 0; round < 8 * size + ROUNDS; round++) {
		memcpy(damaged, bytes, size);
		if (round < 8 * size) /* each bit alone, then several at once */
			damaged[round / 8] ^= (uint8_t)(1u << round % 8);
		for (size_t flips = round < 8 * size ? 0 : 2 + round % 6; flips; flips--)
			damaged[(random_next(&random) >> 20) % size] ^=
			    (uint8_t)(1u << (random_next(&random) >> 40) % 8);
		agreed += agrees_with_protobuf_c(damaged, size);
		told += !walk_batch(damaged, size).sound;
	}
	/* They may differ where a field's wire type is not what it should be, which is rare. */
	assert_true(agreed > (8 * size + ROUNDS) * 9 / 10);
	assert_true(told > ROUNDS / 10);
	free(damaged);
	free(bytes);
}

static void
malformed_bytes_end_the_batch_and_are_told(void **state)
{
	(void)state;
	static const uint8_t second_record[] = "\x0a\x09\x12\x07\x12\x02\x10\x09\x12\x01\x10";
	static const uint8_t scope[] = "\x0a\x0a\x12\x08\x0a\x02\x0a\x05\x12\x02\x10\x09";
	const otlog_batch batch = { .request = second_record, .request_size = sizeof second_record - 1 };
	otlog_batch_reader reader = otlog_batch_records(&batch);
	otlog_record_view record;
	assert_true(otlog_batch_next(&reader, &record));
	assert_int_equal(record.severity, OTLOG_SEVERITY_INFO);
	assert_false(reader.malformed);
	for (int i = 0; i < 2; i++) {
		assert_false(otlog_batch_next(&reader, &record));
		assert_true(reader.malformed);
		assert_int_equal(record.severity, 0);
		assert_null(record.encoded.data);
	}
	reader = otlog_batch_records(&(otlog_batch){ .request = scope, .request_size = sizeof scope - 1 });
	assert_false(otlog_batch_next(&reader, &record));
	assert_true(reader.malformed);
}

static void
a_malformed_attribute_ends_only_its_list(void **state)
{
	(void)state;
	/* Two records, of which the first has attributes a and one that is cut off. */
	static const uint8_t bytes[] = "\x0a\x1b\x12\x19\x12\x13\x32\x07\x0a\x01"
				       "a\x12\x02\x10\x01\x32\x08\x0a\x01"
				       "b\x12\x09\x0a\x01"
				       "c\x12\x02\x10\x09";
	otlog_batch_reader reader = otlog_batch_records(&(otlog_batch){ .request = bytes, .request_size = 29 });
	otlog_record_view record;
	otlog_value_view value;
	assert_true(otlog_batch_next(&reader, &record));
	otlog_items items = otlog_attributes(&record);
	assert_true(otlog_next_item(&items, NULL, &value));
	assert_int_equal(value.type, OTLOG_VALUE_BOOL);
	otlog_slice key;
	assert_false(otlog_next_item(&items, &key, &value));
	assert_true(items.malformed);
	assert_int_equal(key.size, 0);
	assert_int_equal(value.type, OTLOG_VALUE_EMPTY);
	assert_true(otlog_find_item(otlog_attributes(&record), "a", &value));
	assert_false(otlog_find_item(otlog_attributes(&record), "b", &value));
	assert_int_equal(value.type, OTLOG_VALUE_EMPTY);
	assert_true(otlog_batch_next(&reader, &record));
	assert_int_equal(record.severity, OTLOG_SEVERITY_INFO);
	assert_false(otlog_batch_next(&reader, &record));
	assert_false(reader.malformed);
}

static void
an_id_of_another_size_is_none(void **state)
{
	(void)state;
	otlog_record_view record;
	assert_true(otlog_record_view_open("\x4a\x03"
	                                   "abc\x52\x09"
	                                   "123456789",
	                                   16, &record));
	assert_int_equal(record.trace_id.size + record.span_id.size, 0);
}

static void
null_is_nothing(void **state)
{
	(void)state;
	otlog_batch_reader reader = otlog_batch_records(NULL);
	otlog_record_view record;
	otlog_value_view value;
	assert_false(otlog_batch_next(&reader, &record));
	assert_false(otlog_batch_next(&reader, NULL));
	assert_false(otlog_batch_next(NULL, &record));
	assert_false(reader.malformed);
	assert_false(otlog_record_view_open(NULL, 5, &record));
	assert_true(otlog_record_view_open(NULL, 0, &record));
	assert_false(otlog_next_item(NULL, NULL, &value));
	assert_false(otlog_find_item(otlog_attributes(NULL), "a", &value));
	assert_false(otlog_find_item(otlog_resource_attributes(NULL), "a", NULL));
	assert_false(otlog_find_item(otlog_scope_attributes(NULL), NULL, NULL));
	assert_false(otlog_find_item(otlog_items_of(NULL), NULL, NULL));
	assert_int_equal(otlog_value_text(NULL, NULL, 0), 0);
	assert_int_equal(otlog_hex((otlog_slice){ .data = NULL }, NULL, 0), 0);
	assert_true(otlog_slice_is((otlog_slice){ .data = NULL }, NULL));
}

/* ---- Depth ------------------------------------------------------------------------------------------------------- */

/* Arrays in arrays as a body, built from the inside out: each level puts a tag and a length before the one inside. */
static size_t
build_nested(uint8_t *end, size_t depth)
{
	uint8_t *at = end;
	for (size_t i = 0; i < 2 * depth; i++) {
		uint8_t head[12] = { i % 2 ? 0x0a : 0x2a }; /* ArrayValue.values, AnyValue.array_value */
		uint64_t size = (uint64_t)(end - at);
		size_t length = 1;
		for (; size >= 0x80; size >>= 7)
			head[length++] = (uint8_t)(size | 0x80);
		head[length++] = (uint8_t)size;
		at -= length;
		memcpy(at, head, length);
	}
	at[0] = 0x2a; /* the outermost item is the body */
	return (size_t)(end - at);
}

static void
any_depth_is_read_without_recursion(void **state)
{
	(void)state;
	enum { DEPTH = 200000, ROOM = DEPTH * 10 };
	uint8_t *room = malloc(ROOM);
	assert_non_null(room);
	size_t size = build_nested(room + ROOM, DEPTH);
	otlog_record_view record;
	assert_true(otlog_record_view_open(room + ROOM - size, size, &record));

	tally t = { .sound = true };
	walk_value(record.body, &t);
	assert_true(t.sound);
	assert_int_equal(t.deepest, MAX_OPEN);

	char text[256], expected[256];
	memset(expected, '[', 64);
	strcpy(expected + 64, "\"…\"");
	memset(expected + 64 + strlen("\"…\""), ']', 64);
	expected[128 + strlen("\"…\"")] = '\0';
	assert_int_equal(otlog_value_text(&record.body, text, sizeof text), strlen(expected));
	assert_string_equal(text, expected);

	otlog_value_view value = record.body;
	otlog_items items = otlog_items_of(&value);
	size_t depth = 0;
	for (; otlog_next_item(&items, NULL, &value); depth++)
		items = otlog_items_of(&value);
	assert_false(items.malformed);
	assert_int_equal(depth, DEPTH - 1);
	free(room);
}

/* ---- Text -------------------------------------------------------------------------------------------------------- */

static void
assert_text(otlog_value value, const char *expected)
{
	char text[512];
	otlog_value_view view = value_view_of(value);
	assert_int_equal(otlog_value_text(&view, text, sizeof text), strlen(expected));
	assert_string_equal(text, expected);
}

static void
values_are_written_as_the_specification_has_them(void **state)
{
	(void)state;
	assert_text(otlog_empty(), "");
	assert_text(otlog_string("as \"it\" is\n\xc3\xbc"), "as \"it\" is\n\xc3\xbc");
	assert_text(otlog_bool(true), "true");
	assert_text(otlog_bool(false), "false");
	assert_text(otlog_int64(INT64_MIN), "-9223372036854775808");
	assert_text(otlog_double(0.1), "0.1");
	assert_text(otlog_double(NAN), "NaN");
	assert_text(otlog_double(-INFINITY), "-Infinity");
	assert_text(otlog_bytes("", 0), "");
	assert_text(otlog_bytes("f", 1), "Zg==");
	assert_text(otlog_bytes("fo", 2), "Zm8=");
	assert_text(otlog_bytes("foo", 3), "Zm9v");
	assert_text(otlog_bytes("\xff\xfe\xfd\xfc", 4), "//79/A==");
	assert_text(otlog_array(NULL, 0), "[]");
	assert_text(otlog_map((otlog_attrs){ NULL, 0 }), "{}");
	assert_text(OTLOG_ARRAY(otlog_empty(), OTLOG_ARRAY(otlog_bool(true), otlog_array(NULL, 0)),
	                        otlog_string("a\"\n"), otlog_bytes("foo", 3), otlog_double(NAN), otlog_double(INFINITY),
	                        otlog_int64(-7)),
	            "[null,[true,[]],\"a\\\"\\n\",\"Zm9v\",\"NaN\",\"Infinity\",-7]");
	assert_text(
	    otlog_map(OTLOG_ATTRS(OTLOG_KV("a\\b", otlog_map(OTLOG_ATTRS(OTLOG_KV("c", 1), OTLOG_KV("d", "e")))),
	                          OTLOG_KV("f", 2.5))),
	    "{\"a\\\\b\":{\"c\":1,\"d\":\"e\"},\"f\":2.5}");
}

/* Strings of any size and content, in an array: as the JSON writer has them in one piece. */
static void
long_strings_are_escaped_as_in_one_piece(void **state)
{
	(void)state;
	static const char *const characters[] = { "a", "\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x8d\xb5", "\"", "\x01" };
	uint64_t random = 7;
	char given[700], text[4096];
	for (int round = 0; round < 2000; round++) {
		size_t size = 0, most = (size_t)(random_next(&random) >> 32) % 600;
		while (size < most) {
			const char *one = characters[(random_next(&random) >> 32) % 6];
			memcpy(given + size, one, strlen(one));
			size += strlen(one);
		}
		otlog_value item = otlog_string_n(given, size);
		otlog_value_view view = value_view_of(otlog_array(&item, 1));
		otlog__buffer expected = { 0 };
		assert_true(otlog__json_string(&expected, given, size, OTLOG__JSON_UTF8));
		assert_int_equal(otlog_value_text(&view, text, sizeof text), expected.size + 2);
		assert_memory_equal(text + 1, expected.data, expected.size);
		otlog__buffer_free(&expected);
	}
}

static void
text_that_does_not_fit_is_cut_between_characters(void **state)
{
	(void)state;
	const otlog_value both[] = { otlog_string("a\xc3\xbc\xe2\x82\xac\xf0\x9f\x8d\xb5z"),
		                     OTLOG_ARRAY(OTLOG_VALUE("\xf0\x9f\x8d\xb5\xc3\xbc"), OTLOG_VALUE(17)) };
	for (size_t v = 0; v < 2; v++) {
		otlog_value_view view = value_view_of(both[v]);
		char whole[64];
		size_t size = otlog_value_text(&view, whole, sizeof whole);
		assert_int_equal(otlog_value_text(&view, NULL, 0), size);
		for (size_t room = 1; room <= size + 2; room++) {
			char *out = malloc(room);
			assert_non_null(out);
			assert_int_equal(otlog_value_text(&view, out, room), size);
			size_t got = strlen(out);
			assert_true(got + 4 >= (room - 1 < size ? room - 1 : size));
			assert_memory_equal(out, whole, got);
			assert_true(utf8_oracle_is_valid((const uint8_t *)out, got));
			assert_true(room <= size || got == size);
			free(out);
		}
	}
}

static void
text_of_a_malformed_container_is_told(void **state)
{
	(void)state;
	char text[16];
	otlog_record_view record;
	/* body: an array of true and of a string that is cut off */
	assert_true(otlog_record_view_open("\x2a\x0a\x2a\x08\x0a\x02\x10\x01\x0a\x02\x0a\x05", 12, &record));
	assert_true(otlog_value_text(&record.body, text, sizeof text) == SIZE_MAX);
	assert_string_equal(text, "[true");
}

static void
hex_never_ends_in_half_a_byte(void **state)
{
	(void)state;
	const otlog_slice id = { (const uint8_t *)"\x00\xab\xff", 3 };
	char out[8];
	assert_int_equal(otlog_hex(id, out, 7), 6);
	assert_string_equal(out, "00abff");
	assert_int_equal(otlog_hex(id, out, 6), 6);
	assert_string_equal(out, "00ab");
	assert_int_equal(otlog_hex(id, out, 1), 6);
	assert_string_equal(out, "");
}

static void
a_slice_is_printed_and_compared(void **state)
{
	(void)state;
	char out[16];
	const otlog_slice slice = { (const uint8_t *)"order.id and more", 8 };
	snprintf(out, sizeof out, "<%.*s>", OTLOG_SLICE(slice));
	assert_string_equal(out, "<order.id>");
	snprintf(out, sizeof out, "<%.*s>", OTLOG_SLICE(((otlog_slice){ .data = NULL })));
	assert_string_equal(out, "<>");
	assert_true(otlog_slice_is(slice, "order.id"));
	assert_false(otlog_slice_is(slice, "order.i"));
	assert_false(otlog_slice_is(slice, "order.id "));
	assert_false(otlog_slice_is(slice, NULL));
	assert_false(otlog_slice_is((otlog_slice){ (const uint8_t *)"a\0b", 3 }, "a"));
	assert_int_equal(otlog_slice_width((otlog_slice){ slice.data, SIZE_MAX }), INT_MAX);
}

static void
find_gives_the_first_of_its_key(void **state)
{
	(void)state;
	otlog_value_view value;
	otlog_record_view record = view_of(
	    &(otlog_record){ .attributes = OTLOG_ATTRS(OTLOG_KV("a", 1), OTLOG_KV("ab", 2), OTLOG_KV("b", 3)) });
	assert_true(otlog_find_item(otlog_attributes(&record), "ab", &value));
	assert_int_equal(value.as.int64, 2);
	assert_true(otlog_find_item(otlog_attributes(&record), "b", NULL));
	assert_false(otlog_find_item(otlog_attributes(&record), "c", &value));
	assert_int_equal(value.type, OTLOG_VALUE_EMPTY);
	/* Items of arrays have no keys, not empty ones. */
	value = value_view_of(OTLOG_ARRAY(OTLOG_VALUE(1)));
	assert_false(otlog_find_item(otlog_items_of(&value), "", &value));
}

/* ---- Programs of other versions ---------------------------------------------------------------------------------- */

static void
a_record_of_another_size_is_filled_as_far_as_it_goes(void **state)
{
	(void)state;
	size_t size;
	uint8_t *bytes = sample_request(&size);
	const otlog_batch batch = { .request = bytes, .request_size = size };
	union {
		otlog_record_view record;
		uint8_t bytes[sizeof(otlog_record_view) + 64];
	} room;
	const size_t older = offsetof(otlog_record_view, event_name);
	otlog_batch_reader reader = otlog_batch_records(&batch);
	memset(&room, 0xaa, sizeof room);
	assert_true(otlog_batch_next_sized(&reader, &room.record, older));
	assert_int_equal(room.record.severity, OTLOG_SEVERITY_WARN2);
	for (size_t i = older; i < sizeof room; i++)
		assert_int_equal(room.bytes[i], 0xaa);
	assert_true(otlog_batch_next_sized(&reader, &room.record, sizeof room));
	assert_is(room.record.scope.name, "checkout");
	for (size_t i = sizeof room.record; i < sizeof room; i++)
		assert_int_equal(room.bytes[i], 0);
	free(bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_record_comes_back_with_its_resource_and_scope),
		cmocka_unit_test(a_kept_record_can_be_opened_alone),
		cmocka_unit_test(two_exporters_read_the_same_records),
		cmocka_unit_test(every_truncation_is_told),
		cmocka_unit_test(flipped_bits_are_survived),
		cmocka_unit_test(malformed_bytes_end_the_batch_and_are_told),
		cmocka_unit_test(a_malformed_attribute_ends_only_its_list),
		cmocka_unit_test(an_id_of_another_size_is_none),
		cmocka_unit_test(null_is_nothing),
		cmocka_unit_test(any_depth_is_read_without_recursion),
		cmocka_unit_test(values_are_written_as_the_specification_has_them),
		cmocka_unit_test(long_strings_are_escaped_as_in_one_piece),
		cmocka_unit_test(text_that_does_not_fit_is_cut_between_characters),
		cmocka_unit_test(text_of_a_malformed_container_is_told),
		cmocka_unit_test(hex_never_ends_in_half_a_byte),
		cmocka_unit_test(a_slice_is_printed_and_compared),
		cmocka_unit_test(find_gives_the_first_of_its_key),
		cmocka_unit_test(a_record_of_another_size_is_filled_as_far_as_it_goes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
