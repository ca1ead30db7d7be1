/* Golden objects of Mito events and other records, and everything else against Python's json.dumps. */
#include "exporters/mito/mito_object.h"
#include "sdk/base/limits.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/records/emitted.h"
#include "tests/support/records/mito_golden.h"
#include "tests/support/records/random_record.h"
#include "tests/support/records/samples.h"
#include "tests/support/records/values.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const otlog__flat_extras no_extras = { NULL, 0 };

/* An output with an object that was written before, so that what is behind it shows. */
static otlog__flat
begin(void)
{
	otlog__flat flat = { .reserved = NULL };
	assert_true(otlog__buffer_append(&flat.out, "[", 1));
	return flat;
}

static bool
put(otlog__flat *flat, const otlog_record_view *view)
{
	otlog_record_view with_scope = *view;
	with_scope.scope.name = (otlog_slice){ (const uint8_t *)"test", 4 };
	return otlog__is_mito_event(view) ? otlog__flat_put_event(flat, view, no_extras)
	                                  : otlog__flat_put_record(flat, &with_scope, no_extras);
}

/* The object of the last record is this text. */
static void
assert_object(const emitted *e, const char *expected)
{
	otlog__flat flat = begin();
	const otlog_record_view view = emitted_view(e);
	assert_true(put(&flat, &view));
	assert_true(otlog__buffer_append(&flat.out, "", 1));
	assert_string_equal((const char *)flat.out.data + 1, expected);
	otlog__flat_free(&flat);
}

static int
open_logger(void **state)
{
	static emitted e;
	emitted_open(&e, 0);
	*state = &e;
	return 0;
}

static int
close_logger(void **state)
{
	emitted_close(*state);
	return 0;
}

/* ---- Mito events ------------------------------------------------------------------------------------------------- */

static void
a_session_comes_out_as_mito_s_uploader_writes_it(void **state)
{
	emitted *e = *state;
	samples samples;
	samples_fill(&samples);
	for (size_t i = 0; i < SAMPLE_MITO_COUNT; i++) {
		mito_log(e->logger, &samples.mito[i]);
		assert_object(e, mito_golden[i]);
	}
}

#define AT .timestamp_gmt = "2026-03-02T09:14:05Z"
#define END "\"timestamp_gmt\": \"2026-03-02T09:14:05Z\", \"event\": "

static void
values_come_out_as_python_has_them(void **state)
{
	emitted *e = *state;
	const otlog_value mixed[] = { otlog_int64(1),    otlog_double(1.0), otlog_bool(false),
		                      otlog_string("x"), otlog_empty(),     otlog_array(NULL, 0) };
	mito_log(e->logger,
	         &(mito_event){ .event = "edit",
	                        AT,
	                        .params = OTLOG_ATTRS(
				    OTLOG_KV("int", -7), OTLOG_KV("large", INT64_MIN), OTLOG_KV("whole", 1.0),
				    OTLOG_KV("tenth", 0.1), OTLOG_KV("big", 1e16), OTLOG_KV("small", 1e-5),
				    OTLOG_KV("minus zero", -0.0), OTLOG_KV("nan", (double)NAN),
				    OTLOG_KV("inf", (double)INFINITY), OTLOG_KV("neg", -(double)INFINITY),
				    OTLOG_KV("yes", otlog_bool(true)), OTLOG_KV("no", otlog_bool(false)),
				    OTLOG_KV("none", otlog_empty()), OTLOG_KV("list", otlog_array(mixed, 6)),
				    OTLOG_KV("map", otlog_map(OTLOG_ATTRS(OTLOG_KV("a.b", 1), OTLOG_KV("c", "d")))),
				    OTLOG_KV("empty", otlog_map((otlog_attrs){ NULL, 0 })),
				    OTLOG_KV("bytes", otlog_bytes("\x00\xff", 2))) });
	assert_object(e,
	              "{\"params_int\": -7, \"params_large\": -9223372036854775808, \"params_whole\": 1.0, "
	              "\"params_tenth\": 0.1, \"params_big\": 1e+16, \"params_small\": 1e-05, "
	              "\"params_minus zero\": -0.0, \"params_nan\": NaN, \"params_inf\": Infinity, "
	              "\"params_neg\": -Infinity, \"params_yes\": true, \"params_no\": false, \"params_none\": null, "
	              "\"params_list\": [1, 1.0, false, \"x\", null, []], "
	              "\"params_map\": {\"a.b\": 1, \"c\": \"d\"}, \"params_empty\": {}, "
	              "\"params_bytes\": \"AP8=\", " END "\"edit\"}");
}

static void
text_comes_out_in_ascii(void **state)
{
	emitted *e = *state;
	mito_log(e->logger,
	         &(mito_event){ .event = "h\xc3\xa9",
	                        AT,
	                        .params = OTLOG_ATTRS(OTLOG_KV("caf\xc3\xa9", "\xe2\x82\xac \xf0\x9f\x98\x80"),
	                                              OTLOG_KV("controls", "\b\t\n\f\r\x01\x1f\x7f \"\\/"),
	                                              OTLOG_KV("nul", otlog_string_n("a\0b", 3)),
	                                              OTLOG_KV("quoted\"key", 1)) });
	assert_object(e, "{\"params_caf\\u00e9\": \"\\u20ac \\ud83d\\ude00\", "
	                 "\"params_controls\": \"\\b\\t\\n\\f\\r\\u0001\\u001f\\u007f \\\"\\\\/\", "
	                 "\"params_nul\": \"a\\u0000b\", \"params_quoted\\\"key\": 1, " END "\"h\\u00e9\"}");
}

static void
errors_have_what_went_wrong_between_params_and_versions(void **state)
{
	emitted *e = *state;
	static const char *const lines[] = { "Traceback:", "", "no form" };
	mito_log_error(e->logger, &(mito_error_event){ .failed_log_event = "sort_edit_failed",
	                                               AT,
	                                               .versions = OTLOG_ATTRS(OTLOG_KV("mito", "0.1")),
	                                               .error_traceback = lines,
	                                               .error_traceback_count = 3,
	                                               .error_traceback_last_line = "no form",
	                                               .extra = OTLOG_ATTRS(OTLOG_KV("location", "docker")) });
	assert_object(e, "{\"params_failed_log_event\": \"sort_edit_failed\", "
	                 "\"error_traceback\": [\"Traceback:\", \"\", \"no form\"], "
	                 "\"error_traceback_last_line\": \"no form\", \"version_mito\": \"0.1\", "
	                 "\"location\": \"docker\", " END "\"error\", \"error_severity_code\": \"20\"}");

	mito_log_frontend_render_failed(
	    e->logger,
	    &(mito_frontend_failure){ AT, .params = OTLOG_ATTRS(OTLOG_KV("x", 1)), .error_traceback_text = "" });
	assert_object(e, "{\"params_x\": 1, \"error_traceback\": [\"\"], " END
	                 "\"frontend_render_failed\", \"error_severity_code\": \"50\"}");
}

static void
half_a_last_line_is_an_attribute(void **state)
{
	emitted *e = *state;
	otlog_emit(e->logger, &(otlog_record){ .event_name = "mito.error",
	                                       .time_unix_nano = 1,
	                                       .attributes = OTLOG_ATTRS(OTLOG_KV("exception.type", "KeyError"),
	                                                                 OTLOG_KV("mito.params.x", 1)) });
	assert_object(e, "{\"params_x\": 1, \"exception_type\": \"KeyError\", "
	                 "\"timestamp_gmt\": \"1970-01-01T00:00:00Z\", \"event\": \"error\"}");
}

static void
what_tells_of_an_error_may_come_late(void **state)
{
	emitted *e = *state;
	otlog_emit(e->logger,
	           &(otlog_record){ .event_name = "mito.error",
	                            .time_unix_nano = 1,
	                            .attributes = OTLOG_ATTRS(
					OTLOG_KV("mito.version.mito", "1"), OTLOG_KV("exception.message", "m\n"),
					OTLOG_KV("exception.type", "T"), OTLOG_KV("exception.stacktrace", "a\nb"),
					OTLOG_KV("mito.error_severity_code", 7), OTLOG_KV("host.name", "h")) });
	assert_object(e, "{\"version_mito\": \"1\", \"error_traceback\": [\"a\", \"b\"], "
	                 "\"error_traceback_last_line\": \"T: m\\n\", \"mito_error_severity_code\": 7, "
	                 "\"host_name\": \"h\", \"timestamp_gmt\": \"1970-01-01T00:00:00Z\", \"event\": \"error\"}");
}

static void
an_event_without_name_or_time_has_null_and_now(void **state)
{
	emitted *e = *state;
	char now[MITO_TIMESTAMP_SIZE];
	char expected[128];
	mito_format_timestamp(EMITTED_NOW, now);
	snprintf(expected, sizeof expected, "{\"timestamp_gmt\": \"%s\", \"event\": null}", now);
	mito_log(e->logger, &(mito_event){ 0 });
	assert_object(e, expected);
	mito_log(e->logger, &(mito_event){ .event = "", .timestamp_gmt = "yesterday" });
	assert_object(e, "{\"timestamp_gmt\": \"yesterday\", \"event\": \"\"}");
}

static void
no_key_is_written_twice(void **state)
{
	emitted *e = *state;
	mito_log(e->logger, &(mito_event){ .event = "edit",
	                                   AT,
	                                   .params = OTLOG_ATTRS(OTLOG_KV("a", 1)),
	                                   .versions = OTLOG_ATTRS(OTLOG_KV("a", 2)),
	                                   .extra = OTLOG_ATTRS(OTLOG_KV("params_a", 3), OTLOG_KV("event", 4),
	                                                        OTLOG_KV("x.y", 5), OTLOG_KV("x_y", 6),
	                                                        OTLOG_KV("x_y_2", 7), OTLOG_KV("timestamp_gmt", 8)) });
	assert_object(e, "{\"params_a\": 1, \"version_a\": 2, \"params_a_2\": 3, \"event_2\": 4, \"x_y\": 5, "
	                 "\"x_y_2\": 6, \"x_y_2_2\": 7, \"timestamp_gmt_2\": 8, " END "\"edit\"}");
}

static void
events_of_others_are_no_mito_events(void **state)
{
	emitted *e = *state;
	otlog_emit(e->logger, &(otlog_record){ .event_name = "mitosis", .time_unix_nano = 1 });
	assert_object(e, "{\"timestamp_gmt\": \"1970-01-01T00:00:00Z\", \"time_unix_nano\": \"1\", "
	                 "\"event\": \"mitosis\", \"logger\": \"test\"}");
}

/* ---- Other records ----------------------------------------------------------------------------------------------- */

static void
a_bonito_entry_is_flat(void **state)
{
	emitted *e = *state;
	samples samples;
	samples_fill(&samples);
	bonito_emit(e->logger, &samples.bonito[0]);
	assert_object(
	    e, "{\"bonito_log_type\": \"gateway\", \"bonito_event_type\": \"request\", "
	       "\"bonito_org_id\": \"5f0f4c1e-7b1c-4f0a-9a55-0a4f0f6b8d21\", "
	       "\"user_id\": \"c3a1b7de-2f5e-4d9b-8c3a-77b9e0f4a610\", "
	       "\"bonito_resource_id\": \"9d4b3c1a-6e0f-4b7e-9f7d-2c8d51a0e7b3\", \"bonito_resource_type\": \"model\", "
	       "\"bonito_action\": \"execute\", \"bonito_duration_ms\": 2500, \"bonito_cost\": 0.045, "
	       "\"gen_ai_request_model\": \"gpt-4o\", \"gen_ai_provider_name\": \"openai\", "
	       "\"bonito_metadata_status\": \"success\", \"gen_ai_usage_input_tokens\": 1200, "
	       "\"gen_ai_usage_output_tokens\": 300, \"timestamp_gmt\": \"2026-03-02T09:14:05Z\", "
	       "\"time_unix_nano\": \"1772442845000000000\", \"event\": \"bonito.gateway.request\", "
	       "\"message\": \"Completed chat completion request\", \"severity\": \"info\", \"severity_number\": 9, "
	       "\"logger\": \"test\", \"trace_id\": \"0af7651916cd43dd8448eb211c80319c\"}");
}

static void
a_plain_record_is_flat(void **state)
{
	emitted *e = *state;
	const otlog_span_context context = { .trace_id = { 1, 0xab }, .span_id = { 2 }, .trace_flags = 1 };
	const otlog_context_token token = otlog_context_attach(&context);
	otlog_emit(e->logger, &(otlog_record){ .severity = OTLOG_SEVERITY_WARN2,
	                                       .time_unix_nano = UINT64_C(1500000000),
	                                       .body = otlog_int64(7),
	                                       .attributes = OTLOG_ATTRS(OTLOG_KV("order.id", "o\xc3\xa9"),
	                                                                 OTLOG_KV("event", 1), OTLOG_KV("", 2)) });
	otlog_context_detach(token);
	assert_object(e, "{\"order_id\": \"o\\u00e9\", \"event_2\": 1, \"timestamp_gmt\": \"1970-01-01T00:00:01Z\", "
	                 "\"time_unix_nano\": \"1500000000\", \"event\": \"log\", \"message\": 7, "
	                 "\"severity\": \"WARN2\", \"severity_number\": 14, \"logger\": \"test\", "
	                 "\"trace_id\": \"01ab0000000000000000000000000000\", \"span_id\": \"0200000000000000\", "
	                 "\"trace_flags\": 1, \"dropped_attributes_count\": 1}");
}

static void
severities_have_their_names(void **state)
{
	emitted *e = *state;
	static const char *const names[] = { "TRACE",  "TRACE2", "TRACE3", "TRACE4", "DEBUG",  "DEBUG2",
		                             "DEBUG3", "DEBUG4", "INFO",   "INFO2",  "INFO3",  "INFO4",
		                             "WARN",   "WARN2",  "WARN3",  "WARN4",  "ERROR",  "ERROR2",
		                             "ERROR3", "ERROR4", "FATAL",  "FATAL2", "FATAL3", "FATAL4" };
	for (int i = 1; i <= 24; i++) {
		char expected[160];
		snprintf(expected, sizeof expected,
		         "{\"timestamp_gmt\": \"1970-01-01T00:00:00Z\", \"time_unix_nano\": \"1\", \"event\": \"log\", "
		         "\"severity\": \"%s\", \"severity_number\": %d, \"logger\": \"test\"}",
		         names[i - 1], i);
		otlog_emit(e->logger, &(otlog_record){ .severity = i, .time_unix_nano = 1 });
		assert_object(e, expected);
	}
}

static void
resource_attributes_stand_before_the_time_in_both(void **state)
{
	emitted *e = *state;
	const otlog__flat_extra items[] = {
		{ "user.name", { .type = OTLOG_VALUE_STRING, .as.bytes = { (const uint8_t *)"ann", 3 } } },
		{ "x", { .type = OTLOG_VALUE_EMPTY } },
		{ "x", { .type = OTLOG_VALUE_INT64, .as.int64 = 5 } },
	};
	const otlog__flat_extras extras = { items, 3 };
	otlog__flat flat = begin();
	mito_log(e->logger, &(mito_event){ .event = "edit", AT, .extra = OTLOG_ATTRS(OTLOG_KV("x", 1)) });
	otlog_record_view view = emitted_view(e);
	assert_true(otlog__flat_put_event(&flat, &view, extras));
	otlog_emit(e->logger, &(otlog_record){ .time_unix_nano = 1 });
	view = emitted_view(e);
	assert_true(otlog__flat_put_record(&flat, &view, extras));
	assert_true(otlog__buffer_append(&flat.out, "", 1));
	assert_string_equal((const char *)flat.out.data,
	                    "[{\"x\": 1, \"user_name\": \"ann\", \"x_2\": 5, " END "\"edit\"}, "
	                    "{\"user_name\": \"ann\", \"x\": 5, \"timestamp_gmt\": \"1970-01-01T00:00:00Z\", "
	                    "\"time_unix_nano\": \"1\", \"event\": \"log\"}");
	otlog__flat_free(&flat);
}

static void
containers_deeper_than_any_record_s_come_out_empty(void **state)
{
	(void)state;
	/* An array in an array, 200 times: AnyValue field 5, ArrayValue field 1. */
	uint8_t bytes[2000];
	size_t size = 0;
	uint8_t *at = bytes + sizeof bytes;
	for (int i = 0; i < 200; i++) {
		const uint8_t fields[] = { 0x0a, 0x2a }; /* within the ArrayValue; within the AnyValue */
		for (int f = 1; f >= 0; f--) {
			if (size >= 0x80)
				*--at = (uint8_t)(size >> 7);
			*--at = (uint8_t)(size >= 0x80 ? size | 0x80 : size);
			*--at = fields[f];
			size = (size_t)(bytes + sizeof bytes - at);
		}
	}
	const otlog_value_view value = { .type = OTLOG_VALUE_ARRAY, .as.container = { at, size } };
	otlog__buffer out = { 0 };
	assert_true(otlog__python_value(&out, &value));
	assert_int_equal(out.size, 2 * (OTLOG__DEPTH_MAX + 1));
	for (size_t i = 0; i < out.size; i++)
		assert_int_equal(out.data[i], i < out.size / 2 ? '[' : ']');
	otlog__buffer_free(&out);
}

/* ---- Against Python ---------------------------------------------------------------------------------------------- */

static FILE *
open_python(void)
{
	FILE *python = popen("exec python3 " OTLOG_SOURCE_DIR "/tests/support/records/json_dumps.py", "w");
	assert_non_null(python);
	return python;
}

static void
close_python(FILE *python)
{
	assert_int_equal(pclose(python), 0);
}

static void
write_line(FILE *python, const otlog__buffer *json)
{
	fwrite(json->data, 1, json->size, python);
	fputc('\n', python);
}

static void
doubles_are_those_of_python(void **state)
{
	(void)state;
	static const double special[] = { 0.0,
		                          -0.0,
		                          1.0,
		                          0.1,
		                          1e15,
		                          1e16,
		                          123456789012345678.0,
		                          1e-4,
		                          1e-5,
		                          5e-324,
		                          1.5e300,
		                          2.2250738585072014e-308,
		                          0.0001,
		                          9999999999999998.0,
		                          0x1p-44,
		                          0x1p53,
		                          (double)NAN,
		                          (double)INFINITY,
		                          -(double)INFINITY };
	const size_t specials = sizeof special / sizeof special[0];
	FILE *python = open_python();
	otlog__buffer out = { 0 };
	uint64_t random = 7;
	for (size_t i = 0; i < 20000 + specials; i++) {
		uint64_t bits = random_next(&random);
		double number;
		if (i < specials)
			number = special[i];
		else if (i % 4 == 0) /* numbers that people write */
			number = (double)(int64_t)(bits % 2000000 - 1000000) / (double)(i % 3 ? 1000 : 1);
		else if (i % 4 == 1) /* powers of two, where the shortest digits are hardest */
			number = ldexp(1.0, (int)(bits % 2098) - 1074);
		else
			memcpy(&number, &bits, sizeof number);
		memcpy(&bits, &number, sizeof bits);
		out.size = 0;
		assert_true(otlog__python_double(&out, number));
		fprintf(python, "d\t%016" PRIx64 "\t", bits);
		write_line(python, &out);
	}
	close_python(python);
	otlog__buffer_free(&out);
}

/* A byte of a kind that matters to texts. */
static uint8_t
random_byte(uint64_t *random)
{
	static const uint8_t edges[] = {
		0, 0x1f, ' ', '"', '\\', 0x7f, 0x80, 0xbf, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4
	};
	uint64_t number = random_next(random);
	return number % 3 == 0 ? edges[(number >> 8) % sizeof edges] : (uint8_t)(number >> 16);
}

static void
texts_are_those_of_python(void **state)
{
	(void)state;
	FILE *python = open_python();
	otlog__buffer out = { 0 };
	uint64_t random = 11;
	for (size_t i = 0; i < 5000; i++) {
		uint8_t text[40];
		size_t size = random_next(&random) % (sizeof text + 1);
		for (size_t j = 0; j < size; j++)
			text[j] = i % 2 ? random_byte(&random) : (uint8_t)(' ' + random_next(&random) % 95);
		if (i % 8 == 0 && size >= 5)
			memcpy(text, "\xf0\x9f\x98\x80", 4);
		out.size = 0;
		assert_true(otlog__python_string(&out, (otlog_slice){ text, size }));
		fputs("s\t", python);
		for (size_t j = 0; j < size; j++)
			fprintf(python, "%02x", text[j]);
		fputc('\t', python);
		write_line(python, &out);
	}
	close_python(python);
	otlog__buffer_free(&out);
}

static void
random_events_and_records_read_back_the_same(void **state)
{
	emitted *e = *state;
	FILE *python = open_python();
	for (uint64_t seed = 1; seed <= 1500; seed++) {
		random_values values = random_values_of(seed);
		otlog__flat flat = begin();
		if (seed % 2)
			mito_log(e->logger, &(mito_event){ .event = random_text(&values),
			                                   .params = random_attrs(&values, 12, 4),
			                                   .versions = random_attrs(&values, 4, 1),
			                                   .error_traceback_text = random_text(&values),
			                                   .error_traceback_last_line = random_text(&values),
			                                   .extra = random_attrs(&values, 4, 4) });
		else
			otlog_emit(e->logger, &(otlog_record){ .severity = (int)(seed % 30),
			                                       .body = otlog_string(random_text(&values)),
			                                       .attributes = random_attrs(&values, 20, 5),
			                                       .event_name = random_text(&values) });
		const otlog_record_view view = emitted_view(e);
		assert_true(put(&flat, &view));
		flat.out.data++; /* the bracket */
		flat.out.size--;
		fputs("o\t", python);
		write_line(python, &flat.out);
		flat.out.data--;
		otlog__flat_free(&flat);
		random_values_free(&values);
	}
	close_python(python);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_comes_out_as_mito_s_uploader_writes_it),
		cmocka_unit_test(values_come_out_as_python_has_them),
		cmocka_unit_test(text_comes_out_in_ascii),
		cmocka_unit_test(errors_have_what_went_wrong_between_params_and_versions),
		cmocka_unit_test(half_a_last_line_is_an_attribute),
		cmocka_unit_test(what_tells_of_an_error_may_come_late),
		cmocka_unit_test(an_event_without_name_or_time_has_null_and_now),
		cmocka_unit_test(no_key_is_written_twice),
		cmocka_unit_test(events_of_others_are_no_mito_events),
		cmocka_unit_test(a_bonito_entry_is_flat),
		cmocka_unit_test(a_plain_record_is_flat),
		cmocka_unit_test(severities_have_their_names),
		cmocka_unit_test(resource_attributes_stand_before_the_time_in_both),
		cmocka_unit_test(containers_deeper_than_any_record_s_come_out_empty),
		cmocka_unit_test(doubles_are_those_of_python),
		cmocka_unit_test(texts_are_those_of_python),
		cmocka_unit_test(random_events_and_records_read_back_the_same),
	};
	return cmocka_run_group_tests(tests, open_logger, close_logger);
}
