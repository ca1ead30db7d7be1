/* A record made from a Mito event turns back into an equal event, and any other bytes into what they honestly say. */
#include "tests/support/records/emitted.h"
#include "tests/support/records/samples.h"
#include "tests/support/records/values.h"
#include "tests/support/harness/cmocka.h"

static mito_decoded *
there_and_back(const mito_event *event)
{
	assert_int_equal(mito_log(out.logger, event), OTLOG_EMIT_ACCEPTED);
	mito_decoded *decoded = mito_event_from_record(out.bytes, out.size);
	assert_non_null(decoded);
	return decoded;
}

static void
assert_equal_tracebacks(const mito_event *given, const mito_event *got)
{
	if (given->error_traceback_text) {
		assert_string_equal(got->error_traceback_text, given->error_traceback_text);
	} else if (given->error_traceback && given->error_traceback_count > 0) {
		assert_int_equal(got->error_traceback_count, given->error_traceback_count);
		for (size_t i = 0; i < given->error_traceback_count; i++)
			assert_string_equal(got->error_traceback[i], given->error_traceback[i]);
	} else {
		assert_null(got->error_traceback);
		assert_null(got->error_traceback_text);
		assert_int_equal(got->error_traceback_count, 0);
	}
	/* The lines are the text between the newlines. */
	const char *at = got->error_traceback_text;
	for (size_t i = 0; i < got->error_traceback_count; i++) {
		const size_t size = strlen(got->error_traceback[i]);
		assert_memory_equal(at, got->error_traceback[i], size);
		assert_int_equal(at[size], i + 1 < got->error_traceback_count ? '\n' : '\0');
		at += size + 1;
	}
}

/* `got` is the canonical form of `given`. */
static void
assert_equal_events(const mito_event *given, const mito_event *got)
{
	uint64_t time = given->timestamp_unix_nano;
	char text[MITO_TIMESTAMP_SIZE];
	assert_true(text_is(got->event, given->event));
	if (time == 0 && given->timestamp_gmt && (!mito_parse_timestamp(given->timestamp_gmt, &time) || time == 0)) {
		assert_true(got->timestamp_unix_nano == 0);
		assert_string_equal(got->timestamp_gmt, given->timestamp_gmt);
	} else {
		time = time ? time : EMITTED_NOW;
		mito_format_timestamp(time, text);
		assert_true(got->timestamp_unix_nano == time);
		assert_string_equal(got->timestamp_gmt, text);
	}
	assert_true(attrs_came_back(given->params, got->params));
	assert_true(attrs_came_back(given->versions, got->versions));
	assert_true(attrs_came_back(given->extra, got->extra));
	assert_equal_tracebacks(given, got);
	assert_true(text_is(got->error_traceback_last_line, given->error_traceback_last_line));
	assert_true(text_is(got->error_severity_code, given->error_severity_code));
}

static void
the_samples_come_back(void **state)
{
	samples s;
	(void)state;
	samples_fill(&s);
	for (size_t i = 0; i < SAMPLE_MITO_COUNT; i++) {
		mito_decoded *decoded = there_and_back(&s.mito[i]);
		assert_equal_events(&s.mito[i], decoded->event);
		assert_string_equal(decoded->event->timestamp_gmt, s.mito[i].timestamp_gmt);
		assert_int_equal(decoded->record->attributes.count, 0);
		assert_int_equal(decoded->dropped_attributes_count, 0);
		mito_decoded_free(decoded);
	}
}

static void
an_event_read_back_makes_the_same_record_again(void **state)
{
	emitted again;
	samples s;
	(void)state;
	samples_fill(&s);
	s.mito[0].timestamp_gmt = "2600-01-01T00:00:00Z";
	s.mito[1].event = "caf\xc3\xa9_edit";
	s.mito[3].event = NULL;
	emitted_open(&again, 0);
	for (size_t i = 0; i < SAMPLE_MITO_COUNT; i++) {
		mito_decoded *decoded = there_and_back(&s.mito[i]);
		mito_log(again.logger, decoded->event);
		emitted_assert_same(&again, &out);
		mito_decoded_free(decoded);
	}
	emitted_close(&again);
}

static void
the_code_of_an_error_is_filled_in(void **state)
{
	(void)state;
	mito_decoded *decoded = there_and_back(&(mito_event){
	    .event = MITO_EVENT_ERROR, .params = OTLOG_ATTRS(OTLOG_KV("failed_log_event", "sort_edit_failed")) });
	assert_string_equal(decoded->event->error_severity_code, "20");
	assert_int_equal(decoded->record->severity, OTLOG_SEVERITY_ERROR);
	mito_decoded_free(decoded);
}

static void
times_that_no_number_says_come_back_as_text(void **state)
{
	static const char *const texts[] = { "2600-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "now", "", "\xff" };
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		const mito_event event = { .event = "sort_edit", .timestamp_gmt = texts[i] };
		mito_decoded *decoded = there_and_back(&event);
		assert_equal_events(&event, decoded->event);
		mito_decoded_free(decoded);
	}
}

static void
names_of_every_sort_come_back(void **state)
{
	char name[400];
	const char *const names[] = { NULL, "", "event", ".", "a.b", "\xc3\xa9", "\xff\xfe", name };
	(void)state;
	memset(name, 'n', sizeof name);
	name[sizeof name - 1] = '\0';
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const mito_event event = { .event = names[i] };
		mito_decoded *decoded = there_and_back(&event);
		assert_equal_events(&event, decoded->event);
		mito_decoded_free(decoded);
	}
}

static void
keys_of_the_four_lists_are_not_mixed_up(void **state)
{
	(void)state;
	const mito_event event = { .params = OTLOG_ATTRS(OTLOG_KV("params.x", 1), OTLOG_KV("version.x", 2)),
		                   .versions = OTLOG_ATTRS(OTLOG_KV("x", 3), OTLOG_KV("extra.x", 4)),
		                   .extra = OTLOG_ATTRS(OTLOG_KV("params.x", 5), OTLOG_KV("event", 6),
		                                        OTLOG_KV("params_x", 7), OTLOG_KV("timestamp_gmt", 8)) };
	mito_decoded *decoded = there_and_back(&event);
	assert_equal_events(&event, decoded->event);
	assert_int_equal(decoded->record->attributes.count, 0);
	mito_decoded_free(decoded);
}

/* A line of a traceback: never NULL, no newline. */
static const char *
random_line(random_values *random)
{
	const char *text = random_text(random);
	if (!text)
		return "";
	for (char *at = (char *)text; (at = strchr(at, '\n')); at++)
		*at = ' ';
	return text;
}

static void
random_events_come_back(void **state)
{
	static const char *const last_lines[] = { "KeyError: 'a'", "a.B: ", "KeyboardInterrupt" };
	(void)state;
	for (uint64_t seed = 0; seed < 3000; seed++) {
		random_values random = random_values_of(seed);
		const char *lines[9];
		for (size_t i = 0; i < 9; i++)
			lines[i] = random_line(&random);
		const uint64_t last = random_number(&random, 4);
		mito_event event = { .event = random_text(&random),
			             .timestamp_unix_nano = random_number(&random, 2) * random_number(&random, 0),
			             .timestamp_gmt = random_text(&random),
			             .params = random_attrs(&random, 20, 4),
			             .versions = random_attrs(&random, 5, 1),
			             .error_traceback = lines,
			             .error_traceback_count = random_number(&random, 10),
			             .error_traceback_text = random_number(&random, 2) ? random_text(&random) : NULL,
			             .error_traceback_last_line = last < 3 ? last_lines[last] : random_text(&random),
			             .error_severity_code = random_text(&random),
			             .extra = random_attrs(&random, 5, 2) };
		mito_decoded *decoded = there_and_back(&event);
		assert_equal_events(&event, decoded->event);
		assert_int_equal(decoded->record->attributes.count, 0);
		mito_decoded_free(decoded);
		random_values_free(&random);
	}
}

static mito_decoded *
decode_foreign(const otlog_record *record)
{
	assert_int_equal(otlog_emit(out.logger, record), OTLOG_EMIT_ACCEPTED);
	return mito_event_from_record(out.bytes, out.size);
}

static void
what_an_event_has_no_place_for_is_kept_beside_it(void **state)
{
	(void)state;
	const otlog_attrs attributes = OTLOG_ATTRS(
	    OTLOG_KV("host.name", "h"), OTLOG_KV("mito.error_severity_code", 10), OTLOG_KV("mito.params.", 1),
	    OTLOG_KV("mito.event", otlog_string_n("a\0b", 3)), OTLOG_KV("mito.x", 1), OTLOG_KV("exception.type", "E"));
	mito_decoded *decoded =
	    decode_foreign(&(otlog_record){ .attributes = attributes, .event_name = "mito.sort_edit" });
	assert_non_null(decoded);
	assert_string_equal(decoded->event->event, "sort_edit");
	assert_null(decoded->event->error_severity_code);
	assert_null(decoded->event->error_traceback_last_line);
	assert_true(attrs_came_back(attributes, decoded->record->attributes));
	mito_decoded_free(decoded);
}

static void
a_last_line_that_is_given_whole_leaves_the_exception_alone(void **state)
{
	(void)state;
	mito_decoded *decoded = decode_foreign(&(otlog_record){
	    .attributes = OTLOG_ATTRS(OTLOG_KV("exception.message", "m"), OTLOG_KV("exception.type", "E"),
	                              OTLOG_KV("mito.error_traceback_last_line", "line")),
	    .event_name = "mito.error" });
	assert_non_null(decoded);
	assert_string_equal(decoded->event->error_traceback_last_line, "line");
	assert_true(attrs_came_back(OTLOG_ATTRS(OTLOG_KV("exception.type", "E"), OTLOG_KV("exception.message", "m")),
	                            decoded->record->attributes));
	mito_decoded_free(decoded);
}

static void
other_records_and_other_bytes_are_refused(void **state)
{
	static const char *const names[] = { NULL, "", "mit", "mitosheet", "Mito.x", "bonito.mito.x" };
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		assert_null(decode_foreign(&(otlog_record){ .event_name = names[i], .body = otlog_string("x") }));
	assert_null(mito_event_from_record(NULL, 0));
	assert_null(mito_event_from_record(NULL, 10));
	assert_null(mito_event_from_record("", 0));
	assert_null(mito_event_from_record("\xff\xff\xff", 3));
	mito_decoded_free(NULL);
}

static void
damaged_records_do_no_harm(void **state)
{
	samples s;
	(void)state;
	samples_fill(&s);
	s.mito[4].params.count--;
	s.mito[4].extra = OTLOG_ATTRS(OTLOG_KV("m", otlog_map(s.mito[3].params)));
	mito_log(out.logger, &s.mito[4]);
	random_values random = random_values_of(1);
	unsigned decoded_count = 0;
	for (size_t round = 0; round < 20000; round++) {
		size_t size;
		uint8_t *bytes = emitted_damaged(&out, &random, round, &size);
		mito_decoded *decoded = mito_event_from_record(bytes, size);
		decoded_count += decoded != NULL;
		mito_decoded_free(decoded);
		free(bytes);
	}
	assert_true(decoded_count > 1000);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, emitted_setup, emitted_teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_samples_come_back),
		TEST(an_event_read_back_makes_the_same_record_again),
		TEST(the_code_of_an_error_is_filled_in),
		TEST(times_that_no_number_says_come_back_as_text),
		TEST(names_of_every_sort_come_back),
		TEST(keys_of_the_four_lists_are_not_mixed_up),
		TEST(random_events_come_back),
		TEST(what_an_event_has_no_place_for_is_kept_beside_it),
		TEST(a_last_line_that_is_given_whole_leaves_the_exception_alone),
		TEST(other_records_and_other_bytes_are_refused),
		TEST(damaged_records_do_no_harm),
	};
	return cmocka_run_group_tests_name("mito_from_record", tests, NULL, NULL);
}
