/* A record made from a Bonito entry turns back into an equal entry, and any other bytes into what they honestly say. */
#include "sdk/record/encode.h"
#include "tests/support/records/emitted.h"
#include "tests/support/records/samples.h"
#include "tests/support/records/values.h"
#include "tests/support/harness/cmocka.h"

#include <math.h>
#include <stdio.h>

/* Emits and reads back. */
static bonito_decoded *
there_and_back(const bonito_entry *entry)
{
	assert_int_equal(bonito_emit(out.logger, entry), OTLOG_EMIT_ACCEPTED);
	bonito_decoded *decoded = bonito_entry_from_record(out.bytes, out.size);
	assert_non_null(decoded);
	return decoded;
}

/* `got` is the canonical form of `given`, as emitted within the trace of that id (NULL: none). */
static void
assert_equal_entries(const bonito_entry *given, const bonito_entry *got, const char *current_trace)
{
	assert_true(text_is(got->org_id, given->org_id));
	assert_true(text_is(got->log_type, given->log_type));
	assert_true(text_is(got->event_type, given->event_type));
	assert_int_equal(got->severity, given->severity ? given->severity : BONITO_SEVERITY_INFO);
	assert_true(got->timestamp_unix_nano ==
	            (given->timestamp_unix_nano ? given->timestamp_unix_nano : EMITTED_NOW));
	assert_true(text_is(got->trace_id, given->trace_id ? given->trace_id : current_trace));
	assert_true(text_is(got->user_id, given->user_id));
	assert_true(text_is(got->resource_id, given->resource_id));
	assert_true(text_is(got->resource_type, given->resource_type));
	assert_true(text_is(got->action, given->action));
	assert_int_equal(got->duration_ms.is_set, given->duration_ms.is_set);
	assert_true(got->duration_ms.value == given->duration_ms.value);
	assert_int_equal(got->cost.is_set, given->cost.is_set);
	assert_memory_equal(&got->cost.value, &given->cost.value, sizeof given->cost.value);
	assert_true(text_is(got->message, given->message));
	assert_true(attrs_came_back(given->metadata, got->metadata));
}

static void
the_samples_come_back(void **state)
{
	samples s;
	(void)state;
	samples_fill(&s);
	for (size_t i = 0; i < SAMPLE_BONITO_COUNT; i++) {
		bonito_decoded *decoded = there_and_back(&s.bonito[i]);
		assert_equal_entries(&s.bonito[i], decoded->entry, NULL);
		assert_null(decoded->given_trace_id);
		assert_int_equal(decoded->record->attributes.count, 0);
		assert_int_equal(decoded->dropped_attributes_count, 0);
		bonito_decoded_free(decoded);
	}
}

static void
an_entry_read_back_makes_the_same_record_again(void **state)
{
	emitted again;
	samples s;
	(void)state;
	samples_fill(&s);
	emitted_open(&again, 0);
	for (size_t i = 0; i < SAMPLE_BONITO_COUNT; i++) {
		bonito_decoded *decoded = there_and_back(&s.bonito[i]);
		bonito_emit(again.logger, decoded->entry);
		emitted_assert_same(&again, &out);
		bonito_decoded_free(decoded);
	}
	emitted_close(&again);
}

static void
what_was_not_given_is_filled_in(void **state)
{
	(void)state;
	const bonito_entry empty = { 0 };
	const otlog_context_token token =
	    otlog_context_attach_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
	bonito_decoded *decoded = there_and_back(&empty);
	otlog_context_detach(token);
	assert_equal_entries(&empty, decoded->entry, SAMPLE_TRACE_ID);
	assert_null(decoded->given_trace_id);
	assert_int_equal(decoded->record->span_context->span_id[7], 0x31);
	assert_int_equal(decoded->record->span_context->trace_flags, 1);
	assert_true(decoded->record->time_unix_nano == 0);
	assert_true(decoded->record->observed_time_unix_nano == EMITTED_NOW);
	assert_string_equal(decoded->record->event_name, "bonito.unknown.unknown");
	bonito_decoded_free(decoded);
}

static void
a_trace_id_comes_back_as_a_uuid_and_as_it_was_written(void **state)
{
	static const char *const others[] = { "0AF76519-16CD-43DD-8448-EB211C80319C",
		                              "0af7651916cd43dd8448eb211c80319c" };
	static const char *const no_uuids[] = { "", "{" SAMPLE_TRACE_ID "}", "00000000-0000-0000-0000-000000000000",
		                                "\xff\xfe" };
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		bonito_decoded *decoded = there_and_back(&(bonito_entry){ .trace_id = others[i] });
		assert_string_equal(decoded->entry->trace_id, SAMPLE_TRACE_ID);
		assert_string_equal(decoded->given_trace_id, others[i]);
		assert_int_equal(decoded->record->attributes.count, 0);
		bonito_decoded_free(decoded);
	}
	for (size_t i = 0; i < sizeof no_uuids / sizeof no_uuids[0]; i++) {
		bonito_decoded *decoded = there_and_back(&(bonito_entry){ .trace_id = no_uuids[i] });
		assert_string_equal(decoded->entry->trace_id, no_uuids[i]);
		assert_null(decoded->given_trace_id);
		bonito_decoded_free(decoded);
	}
}

static void
severities_come_back(void **state)
{
	(void)state;
	for (int severity = BONITO_SEVERITY_DEFAULT; severity <= BONITO_SEVERITY_CRITICAL; severity++) {
		const bonito_entry entry = { .severity = (bonito_severity)severity };
		bonito_decoded *decoded = there_and_back(&entry);
		assert_equal_entries(&entry, decoded->entry, NULL);
		bonito_decoded_free(decoded);
	}
}

static void
text_that_is_not_utf8_comes_back_byte_by_byte(void **state)
{
	(void)state;
#define SOILED "a\xff\xc3(\xed\xa0\x80z"
	const bonito_entry entry = { .org_id = SOILED,
		                     .log_type = SOILED,
		                     .event_type = SOILED,
		                     .trace_id = SOILED,
		                     .user_id = SOILED,
		                     .resource_id = SOILED,
		                     .resource_type = SOILED,
		                     .action = SOILED,
		                     .message = SOILED,
		                     .metadata = OTLOG_ATTRS(OTLOG_KV("k", SOILED)) };
	bonito_decoded *decoded = there_and_back(&entry);
	assert_equal_entries(&entry, decoded->entry, NULL);
	assert_int_equal(decoded->entry->metadata.items[0].value.type, OTLOG_VALUE_BYTES);
	assert_int_equal(decoded->record->attributes.count, 0);
	bonito_decoded_free(decoded);

	/* Keys get U+FFFD. */
	decoded = there_and_back(&(bonito_entry){ .metadata = OTLOG_ATTRS(OTLOG_KV("\xff", 1)) });
	assert_string_equal(decoded->entry->metadata.items[0].key, "\xef\xbf\xbd");
	bonito_decoded_free(decoded);
}

static void
metadata_of_every_kind_come_back_in_their_order(void **state)
{
	(void)state;
	const bonito_entry entry = {
		.log_type = BONITO_LOG_AGENT,
		.metadata = OTLOG_ATTRS(
		    OTLOG_KV("z", "text"), OTLOG_KV("output_tokens", 7), OTLOG_KV("empty", otlog_empty()),
		    OTLOG_KV("bool", otlog_bool(false)), OTLOG_KV("int", INT64_MIN), OTLOG_KV("uint", UINT64_MAX),
		    OTLOG_KV("double", -0.0), OTLOG_KV("nan", (double)NAN), OTLOG_KV("bytes", otlog_bytes("\0\1", 2)),
		    OTLOG_KV("nul", otlog_string_n("a\0b", 3)), OTLOG_KV("model", otlog_array(NULL, 0)),
		    OTLOG_KV("array", OTLOG_ARRAY(OTLOG_VALUE(1), OTLOG_VALUE("x"), OTLOG_ARRAY(OTLOG_VALUE(2.5)))),
		    OTLOG_KV("map", OTLOG_ATTRS(OTLOG_KV("b", 1), OTLOG_KV("a", OTLOG_ATTRS(OTLOG_KV("c", ""))))),
		    OTLOG_KV("gen_ai.request.model", "own"), OTLOG_KV("metadata.x", 1), OTLOG_KV("provider", "p"))
	};
	bonito_decoded *decoded = there_and_back(&entry);
	assert_equal_entries(&entry, decoded->entry, NULL);
	assert_int_equal(decoded->record->attributes.count, 0);
	bonito_decoded_free(decoded);
}

static void
a_key_given_twice_comes_back_once(void **state)
{
	(void)state;
	bonito_decoded *decoded = there_and_back(&(bonito_entry){
	    .log_type = BONITO_LOG_GATEWAY,
	    .metadata = OTLOG_ATTRS(OTLOG_KV("model", "a"), OTLOG_KV("b", 1), OTLOG_KV("model", "c")) });
	assert_true(attrs_came_back(OTLOG_ATTRS(OTLOG_KV("model", "c"), OTLOG_KV("b", 1)), decoded->entry->metadata));
	bonito_decoded_free(decoded);
}

static void
lists_come_back_as_deep_as_they_are_sent(void **state)
{
	enum { DEEP = 70, SENT = 64 };
	otlog_value levels[DEEP];
	(void)state;
	levels[DEEP - 1] = otlog_array(NULL, 0);
	for (size_t i = DEEP - 1; i-- > 0;)
		levels[i] = otlog_array(&levels[i + 1], 1);
	bonito_decoded *decoded = there_and_back(&(bonito_entry){
	    .metadata = OTLOG_ATTRS(OTLOG_KV("deep", levels[0]), OTLOG_KV("fits", levels[DEEP - SENT])) });
	for (size_t i = 0; i < 2; i++) {
		const otlog_value *at = &decoded->entry->metadata.items[i].value;
		for (size_t depth = 1; depth < SENT; depth++) {
			assert_int_equal(at->as.array.count, 1);
			at = at->as.array.items;
		}
		/* The last one: empty by itself, or with what lay within it empty. */
		assert_int_equal(at->type, OTLOG_VALUE_ARRAY);
		assert_int_equal(at->as.array.count, i == 0 ? 1 : 0);
		if (i == 0) {
			assert_int_equal(at->as.array.items[0].type, OTLOG_VALUE_ARRAY);
			assert_int_equal(at->as.array.items[0].as.array.count, 0);
		}
	}
	bonito_decoded_free(decoded);
}

static void
random_entries_come_back(void **state)
{
	static const char *const types[] = { BONITO_LOG_GATEWAY, BONITO_LOG_AGENT, BONITO_LOG_AUTH, "" };
	static const char *const renamed[] = { "model", "provider", "input_tokens", "output_tokens" };
	(void)state;
	for (uint64_t seed = 0; seed < 3000; seed++) {
		random_values random = random_values_of(seed);
		const uint64_t type = random_number(&random, 5);
		bonito_entry entry = { .org_id = random_text(&random),
			               .log_type = type < 4 ? types[type] : random_text(&random),
			               .event_type = random_text(&random),
			               .severity = (bonito_severity)random_number(&random, 6),
			               .timestamp_unix_nano = random_number(&random, 2) * random_number(&random, 0),
			               .trace_id = random_number(&random, 2) ? SAMPLE_TRACE_ID : NULL,
			               .user_id = random_text(&random),
			               .resource_id = random_text(&random),
			               .resource_type = random_text(&random),
			               .action = random_text(&random),
			               .message = random_text(&random),
			               .metadata = random_attrs(&random, 40, 4) };
		if (random_number(&random, 2))
			entry.duration_ms = (otlog_optional_int64)OTLOG_OPT((int64_t)random_number(&random, 0));
		if (random_number(&random, 2))
			entry.cost = (otlog_optional_double)OTLOG_OPT((double)random_number(&random, 0) / 1e6);
		otlog_attr *items = (otlog_attr *)entry.metadata.items;
		for (size_t i = 0; i < 4 && i < entry.metadata.count; i++)
			if (random_number(&random, 2))
				items[i] = otlog_attr_of(renamed[i], items[i].value);
		bonito_decoded *decoded = there_and_back(&entry);
		assert_equal_entries(&entry, decoded->entry, NULL);
		assert_int_equal(decoded->record->attributes.count, 0);
		bonito_decoded_free(decoded);
		random_values_free(&random);
	}
}

/* Encodes a record of anybody's. */
static bonito_decoded *
decode_foreign(const otlog_record *record)
{
	assert_int_equal(otlog_emit(out.logger, record), OTLOG_EMIT_ACCEPTED);
	return bonito_entry_from_record(out.bytes, out.size);
}

static void
what_an_entry_has_no_place_for_is_kept_beside_it(void **state)
{
	(void)state;
	const otlog_attrs others =
	    OTLOG_ATTRS(OTLOG_KV("host.name", "h"), OTLOG_KV("bonito.org_id", 5),
	                OTLOG_KV("user.id", otlog_string_n("a\0b", 3)), OTLOG_KV("bonito.duration_ms", "long"),
	                OTLOG_KV("bonito.metadata.model", "m"), OTLOG_KV("bonito.metadata.", 1));
	otlog_attr all[9];
	memcpy(all, others.items, others.count * sizeof *all);
	all[6] = OTLOG_KV("bonito.log_type", "gateway");
	all[7] = OTLOG_KV("bonito.metadata.x", 1);
	all[8] = OTLOG_KV("bonito.cost", 3);
	bonito_decoded *decoded = decode_foreign(&(otlog_record){ .severity = OTLOG_SEVERITY_WARN3,
	                                                          .severity_text = "Notice",
	                                                          .body = otlog_int64(7),
	                                                          .attributes = { all, 9 },
	                                                          .event_name = "bonito.x" });
	assert_non_null(decoded);
	assert_true(attrs_came_back(others, decoded->record->attributes));
	assert_null(decoded->entry->org_id);
	assert_null(decoded->entry->user_id);
	assert_null(decoded->entry->message);
	assert_false(decoded->entry->duration_ms.is_set);
	assert_true(decoded->entry->cost.is_set && decoded->entry->cost.value == 3);
	assert_true(attrs_came_back(OTLOG_ATTRS(OTLOG_KV("x", 1)), decoded->entry->metadata));
	assert_int_equal(decoded->entry->severity, BONITO_SEVERITY_WARN);
	assert_string_equal(decoded->record->severity_text, "Notice");
	assert_int_equal(decoded->record->severity, OTLOG_SEVERITY_WARN3);
	assert_int_equal(decoded->record->body.as.int64, 7);
	bonito_decoded_free(decoded);
}

static void
a_trace_text_of_another_trace_is_kept_beside_the_entry(void **state)
{
	(void)state;
	const otlog_span_context context = { .trace_id = { 1 }, .span_id = { 2 } };
	bonito_decoded *decoded = decode_foreign(
	    &(otlog_record){ .attributes = OTLOG_ATTRS(OTLOG_KV("a", 1), OTLOG_KV("bonito.trace_id", SAMPLE_TRACE_ID)),
	                     .event_name = "bonito.x",
	                     .span_context = &context });
	assert_non_null(decoded);
	assert_string_equal(decoded->entry->trace_id, "01000000-0000-0000-0000-000000000000");
	assert_true(attrs_came_back(OTLOG_ATTRS(OTLOG_KV("a", 1), OTLOG_KV("bonito.trace_id", SAMPLE_TRACE_ID)),
	                            decoded->record->attributes));
	bonito_decoded_free(decoded);
}

static void
severities_of_others_become_the_nearest_below(void **state)
{
	static const int lowest[] = { 1, 9, 13, 17, 21 };
	(void)state;
	for (int severity = 0; severity <= 24; severity++) {
		int expected = BONITO_SEVERITY_INFO;
		for (int i = 0; severity > 0 && i < 5; i++)
			if (severity >= lowest[i])
				expected = BONITO_SEVERITY_DEBUG + i;
		bonito_decoded *decoded =
		    decode_foreign(&(otlog_record){ .severity = severity, .event_name = "bonito.x" });
		assert_int_equal(decoded->entry->severity, expected);
		bonito_decoded_free(decoded);
	}
}

static void
other_records_and_other_bytes_are_refused(void **state)
{
	static const char *const names[] = { NULL, "", "bonito", "bonito.", "Bonito.x", "mito.bonito.x", "bonitos.x" };
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		assert_null(decode_foreign(&(otlog_record){ .event_name = names[i], .body = otlog_string("x") }));
	assert_null(bonito_entry_from_record(NULL, 0));
	assert_null(bonito_entry_from_record(NULL, 10));
	assert_null(bonito_entry_from_record("", 0));
	assert_null(bonito_entry_from_record("\xff\xff\xff", 3));
	bonito_decoded_free(NULL);
}

/* Whatever the bytes are: an entry or none, and no byte read beyond them. */
static void
damaged_records_do_no_harm(void **state)
{
	samples s;
	(void)state;
	samples_fill(&s);
	s.bonito[4].org_id = "\xff";
	bonito_emit(out.logger, &s.bonito[4]);
	random_values random = random_values_of(1);
	unsigned decoded_count = 0;
	for (size_t round = 0; round < 20000; round++) {
		size_t size;
		uint8_t *bytes = emitted_damaged(&out, &random, round, &size);
		bonito_decoded *decoded = bonito_entry_from_record(bytes, size);
		decoded_count += decoded != NULL;
		bonito_decoded_free(decoded);
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
		TEST(an_entry_read_back_makes_the_same_record_again),
		TEST(what_was_not_given_is_filled_in),
		TEST(a_trace_id_comes_back_as_a_uuid_and_as_it_was_written),
		TEST(severities_come_back),
		TEST(text_that_is_not_utf8_comes_back_byte_by_byte),
		TEST(metadata_of_every_kind_come_back_in_their_order),
		TEST(a_key_given_twice_comes_back_once),
		TEST(lists_come_back_as_deep_as_they_are_sent),
		TEST(random_entries_come_back),
		TEST(what_an_entry_has_no_place_for_is_kept_beside_it),
		TEST(a_trace_text_of_another_trace_is_kept_beside_the_entry),
		TEST(severities_of_others_become_the_nearest_below),
		TEST(other_records_and_other_bytes_are_refused),
		TEST(damaged_records_do_no_harm),
	};
	return cmocka_run_group_tests_name("bonito_from_record", tests, NULL, NULL);
}
