#include "tests/support/harness/cmocka.h"

#include "sdk/api/backend.h"

#include <otlog/bonito.h>

#include <string.h>

/* A backend that remembers what it was asked. */
typedef struct recorder {
	int scopes;
	int emits;
	uint16_t last_scope;
	char last_name[32];
	const otlog_record *last_record;
	otlog_record copy;
	otlog_span_context context;
	size_t attributes; /* of the record and its groups */
	int asks;
	char asked_for[32]; /* the event of the last */
} recorder;

static uint16_t
add_scope(void *self, const otlog_logger_options *scope)
{
	recorder *r = self;
	strncpy(r->last_name, scope->name, sizeof r->last_name - 1);
	return (uint16_t)++r->scopes;
}

static otlog_emit_result
emit(const otlog__binding *binding, const otlog_record *record, const otlog_span_context *context)
{
	recorder *r = binding->self;
	r->emits++;
	r->last_scope = binding->scope;
	r->last_record = record;
	r->context = *context;
	if (!record)
		return OTLOG_EMIT_INVALID;
	r->copy = *record;
	r->attributes = record->attributes.count;
	for (size_t i = 0; i < record->group_count; i++)
		r->attributes += record->groups[i].attributes.count;
	return OTLOG_EMIT_ACCEPTED;
}

static bool
enabled(const otlog__binding *binding, int severity, const char *event_name)
{
	recorder *r = binding->self;
	r->asks++;
	strncpy(r->asked_for, event_name ? event_name : "any", sizeof r->asked_for - 1);
	return severity != OTLOG_SEVERITY_DEBUG;
}

static const otlog__backend backend = { OTLOG__SEAM, add_scope, emit, enabled };

static void
without_an_sdk_everything_is_a_no_op(void **state)
{
	(void)state;
	otlog_logger *logger = otlog_get_logger("early", "1");
	assert_non_null(logger);
	assert_int_equal(otlog_emit(logger, &(otlog_record){ .severity = 9 }), OTLOG_EMIT_DISABLED);
	assert_int_equal(otlog_emit(NULL, NULL), OTLOG_EMIT_DISABLED);
	assert_false(otlog_enabled(logger, OTLOG_SEVERITY_FATAL, NULL));
	assert_false(otlog_enabled(NULL, OTLOG_SEVERITY_FATAL, NULL));
	int evaluated = 0;
	OTLOG_FATAL(logger, "not evaluated", OTLOG_KV("n", ++evaluated));
	OTLOG_LOG(logger, 0, "not even without a severity", OTLOG_KV("n", ++evaluated));
	assert_int_equal(evaluated, 0);
}

static void
loggers_taken_before_come_alive_and_go_quiet_again(void **state)
{
	(void)state;
	recorder r = { 0 };
	otlog__registry *registry = otlog__registry_create();
	otlog_logger *early = otlog__registry_get_logger(registry, &(otlog_logger_options){ .name = "early" });
	assert_true(otlog__registry_bind(registry, &backend, &r, OTLOG_SEVERITY_INFO));
	assert_string_equal(r.last_name, "early");
	assert_int_equal(otlog_emit(early, &(otlog_record){ .severity = 9 }), OTLOG_EMIT_ACCEPTED);
	assert_int_equal(r.last_scope, 1);
	otlog_logger *late = otlog__registry_get_logger(registry, &(otlog_logger_options){ .name = "late" });
	assert_int_equal(otlog_emit(late, &(otlog_record){ .severity = 9 }), OTLOG_EMIT_ACCEPTED);
	assert_int_equal(r.last_scope, 2);

	int evaluated = 0;
	OTLOG_DEBUG(early, "below the minimum", OTLOG_KV("n", ++evaluated));
	assert_int_equal(evaluated, 0);
	OTLOG_LOG(early, 0, "unspecified passes", OTLOG_KV("n", ++evaluated));
	assert_int_equal(evaluated, 1);
	assert_false(otlog_enabled(early, OTLOG_SEVERITY_DEBUG, "x"));
	assert_true(otlog_enabled(early, OTLOG_SEVERITY_INFO, NULL));

	otlog__registry_bind(registry, NULL, NULL, 0);
	assert_int_equal(otlog_emit(early, &(otlog_record){ .severity = 9 }), OTLOG_EMIT_DISABLED);
	recorder second = { 0 };
	otlog__registry_bind(registry, &backend, &second, 0);
	assert_int_equal(otlog_emit(early, &(otlog_record){ .severity = 9 }), OTLOG_EMIT_ACCEPTED);
	assert_int_equal(second.emits, 1);
	otlog__registry_destroy(registry);
}

static void
a_logger_that_asks_has_the_backend_decide_before_arguments_are_evaluated(void **state)
{
	(void)state;
	recorder r = { 0 };
	int evaluated = 0;
	otlog__registry *registry = otlog__registry_create();
	otlog_logger *logger = otlog__registry_get_logger(registry, &(otlog_logger_options){ .name = "asks" });
	assert_true(otlog__registry_bind(registry, &backend, &r, OTLOG__ASK));
	/* Lower than what is refused, and higher: no minimum could say it. */
	OTLOG_TRACE(logger, "taken", OTLOG_KV("n", ++evaluated));
	OTLOG_DEBUG(logger, "refused", OTLOG_KV("n", ++evaluated));
	OTLOG_INFO(logger, "taken", OTLOG_KV("n", ++evaluated));
	OTLOG_LOG(logger, 0, "taken", OTLOG_KV("n", ++evaluated));
	OTLOG_LOG(logger, INT_MIN, "taken", OTLOG_KV("n", ++evaluated));
	assert_int_equal(evaluated, 4);
	assert_int_equal(r.emits, 4);
	assert_int_equal(r.asks, 5);
	assert_string_equal(r.asked_for, "any");
	assert_false(otlog_enabled(logger, OTLOG_SEVERITY_DEBUG, "cache.miss"));
	assert_string_equal(r.asked_for, "cache.miss");

	/* Event models ask before they build anything, too. */
	assert_int_equal(bonito_emit(logger, &(bonito_entry){ .severity = BONITO_SEVERITY_DEBUG }),
	                 OTLOG_EMIT_FILTERED);
	assert_int_equal(r.emits, 4);
	assert_int_equal(bonito_emit(logger, &(bonito_entry){ .severity = BONITO_SEVERITY_INFO }), OTLOG_EMIT_ACCEPTED);
	assert_int_equal(r.emits, 5);

	/* One with a minimum is not asked by the macros. */
	r.asks = 0;
	assert_true(otlog__registry_bind(registry, &backend, &r, OTLOG_SEVERITY_DEBUG));
	OTLOG_DEBUG(logger, "taken", OTLOG_KV("n", ++evaluated));
	OTLOG_TRACE(logger, "too low", OTLOG_KV("n", ++evaluated));
	assert_int_equal(evaluated, 5);
	assert_int_equal(r.asks, 0);

	otlog__registry_bind(registry, NULL, NULL, 0);
	OTLOG_FATAL(logger, "off", OTLOG_KV("n", ++evaluated));
	assert_int_equal(evaluated, 5);
	otlog__registry_destroy(registry);
}

static void
values_are_made_without_flags_and_flags_change_nothing(void **state)
{
	(void)state;
	const otlog_value made[] = { otlog_bool(true), otlog_int64(1),       otlog_uint64(1),
		                     otlog_double(1),  otlog_string("x"),    otlog_bytes("x", 1),
		                     otlog_empty(),    otlog_array(NULL, 0), otlog_map(OTLOG__NO_ATTRS) };
	for (size_t i = 0; i < sizeof made / sizeof *made; i++)
		assert_int_equal(made[i].flags, 0);
	otlog_logger_options plain = { .name = "flags", .attributes = OTLOG_ATTRS(OTLOG_KV("k", "v")) };
	otlog_attr marked = OTLOG_KV("k", "v");
	marked.value.flags = OTLOG_VALUE_KEY_IS_CONSTANT | 0x80000000u;
	otlog_logger_options flagged = { .name = "flags", .attributes = { &marked, 1 } };
	assert_ptr_equal(otlog_get_logger_with(&plain), otlog_get_logger_with(&flagged));
}

static void
the_same_scope_gives_the_same_logger(void **state)
{
	(void)state;
	otlog_logger_options a = { .name = "a", .version = "1", .schema_url = "https://example.test/1" };
	otlog_logger *logger = otlog_get_logger_with(&a);
	char copy[] = "a";
	a.name = copy;
	assert_ptr_equal(logger, otlog_get_logger_with(&a));
	a.attributes = OTLOG_ATTRS(OTLOG_KV("k", OTLOG_ARRAY(OTLOG_VALUE(1), OTLOG_VALUE("x"))));
	otlog_logger *with_attributes = otlog_get_logger_with(&a);
	assert_ptr_not_equal(logger, with_attributes);
	assert_ptr_equal(with_attributes, otlog_get_logger_with(&a));
	a.attributes = OTLOG_ATTRS(OTLOG_KV("k", OTLOG_ARRAY(OTLOG_VALUE(1), OTLOG_VALUE("y"))));
	assert_ptr_not_equal(with_attributes, otlog_get_logger_with(&a));
	a.version = "2";
	assert_ptr_not_equal(logger, otlog_get_logger_with(&a));
	assert_ptr_equal(otlog_get_logger("p", NULL), otlog_get_logger("p", ""));
	assert_ptr_equal(otlog_get_logger(NULL, NULL), otlog_get_logger_with_sized(NULL, 0));
}

/* 200 levels of arrays in one another. */
static void
a_scope_that_nests_too_deep_is_kept_once(void **state)
{
	(void)state;
	otlog_value levels[200];
	levels[0] = otlog_array(NULL, 0);
	for (int i = 1; i < 200; i++)
		levels[i] = otlog_array(&levels[i - 1], 1);
	otlog_attr attr = otlog_attr_of("deep", levels[199]);
	otlog_logger_options options = { .name = "deep", .attributes = { &attr, 1 } };
	assert_ptr_equal(otlog_get_logger_with(&options), otlog_get_logger_with(&options));
}

static void
a_record_takes_the_threads_context_unless_it_names_one(void **state)
{
	(void)state;
	recorder r = { 0 };
	otlog__registry *registry = otlog__registry_create();
	otlog__registry_bind(registry, &backend, &r, 0);
	otlog_logger *logger = otlog__registry_get_logger(registry, &(otlog_logger_options){ .name = "x" });
	otlog_span_context current = { .trace_id = { 1 }, .span_id = { 1 } },
			   own = { .trace_id = { 2 }, .span_id = { 2 } };
	otlog_context_token token = otlog_context_attach(&current);
	otlog_emit(logger, &(otlog_record){ 0 });
	assert_int_equal(r.context.trace_id[0], 1);
	otlog_emit(logger, &(otlog_record){ .span_context = &own });
	assert_int_equal(r.context.trace_id[0], 2);
	otlog_context_detach(token);
	otlog_emit(logger, &(otlog_record){ 0 });
	assert_int_equal(r.context.trace_id[0], 0);
	otlog__registry_destroy(registry);
}

static void
a_record_of_an_older_header_is_completed_with_zeros(void **state)
{
	(void)state;
	recorder r = { 0 };
	otlog__registry *registry = otlog__registry_create();
	otlog__registry_bind(registry, &backend, &r, 0);
	otlog_logger *logger = otlog__registry_get_logger(registry, &(otlog_logger_options){ .name = "x" });
	otlog_record record;
	memset(&record, 0xff, sizeof record);
	record.time_unix_nano = 7;
	assert_int_equal(otlog_emit_sized(logger, &record, sizeof record.time_unix_nano), OTLOG_EMIT_ACCEPTED);
	assert_int_equal(r.copy.time_unix_nano, 7);
	assert_null(r.copy.event_name);
	assert_int_equal(r.copy.group_count, 0);
	assert_int_equal(otlog_emit(logger, NULL), OTLOG_EMIT_INVALID);
	otlog__registry_destroy(registry);
}

static void
the_callers_attribute_wins_over_the_call_sites(void **state)
{
	(void)state;
	recorder r = { 0 };
	otlog__registry *registry = otlog__registry_create();
	otlog__registry_bind(registry, &backend, &r, 0);
	otlog_logger *logger = otlog__registry_get_logger(registry, &(otlog_logger_options){ .name = "x" });
	otlog_site site = { "file.c", "function", 7 };
	otlog_log(logger, 9, &site, "m", OTLOG_ATTRS(OTLOG_KV("code.line.number", 1), OTLOG_KV("a", 2)));
	assert_int_equal(r.attributes, 4);
	otlog_log(logger, 9, NULL, NULL, (otlog_attrs){ NULL, 0 });
	assert_int_equal(r.attributes, 0);
	assert_int_equal(r.copy.body.type, OTLOG_VALUE_EMPTY);
	otlog__registry_destroy(registry);
}

static void
names_and_verdicts_have_texts(void **state)
{
	(void)state;
	assert_string_equal(otlog_severity_name(OTLOG_SEVERITY_TRACE), "TRACE");
	assert_string_equal(otlog_severity_name(OTLOG_SEVERITY_INFO), "INFO");
	assert_string_equal(otlog_severity_name(OTLOG_SEVERITY_FATAL4), "FATAL4");
	assert_string_equal(otlog_severity_name(25), "UNSPECIFIED");
	assert_string_equal(otlog_severity_name(-1), "UNSPECIFIED");
	assert_string_equal(otlog_emit_result_text(OTLOG_EMIT_ACCEPTED), "accepted");
	assert_string_equal(otlog_emit_result_text((otlog_emit_result)99), "unknown verdict");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_an_sdk_everything_is_a_no_op),
		cmocka_unit_test(loggers_taken_before_come_alive_and_go_quiet_again),
		cmocka_unit_test(a_logger_that_asks_has_the_backend_decide_before_arguments_are_evaluated),
		cmocka_unit_test(values_are_made_without_flags_and_flags_change_nothing),
		cmocka_unit_test(the_same_scope_gives_the_same_logger),
		cmocka_unit_test(a_scope_that_nests_too_deep_is_kept_once),
		cmocka_unit_test(a_record_takes_the_threads_context_unless_it_names_one),
		cmocka_unit_test(a_record_of_an_older_header_is_completed_with_zeros),
		cmocka_unit_test(the_callers_attribute_wins_over_the_call_sites),
		cmocka_unit_test(names_and_verdicts_have_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
