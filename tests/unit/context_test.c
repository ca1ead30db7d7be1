#include "tests/support/harness/cmocka.h"

#include <otlog/context.h>

#include <string.h>

#define TRACEPARENT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static void
a_traceparent_is_read_and_written_back(void **state)
{
	(void)state;
	otlog_span_context context;
	char text[OTLOG_TRACEPARENT_SIZE];
	assert_true(otlog_traceparent_parse(TRACEPARENT, &context));
	assert_int_equal(context.trace_id[0], 0x0a);
	assert_int_equal(context.span_id[7], 0x31);
	assert_int_equal(context.trace_flags, OTLOG_TRACE_FLAG_SAMPLED);
	otlog_traceparent_format(&context, text);
	assert_string_equal(text, TRACEPARENT);
	otlog_traceparent_format(NULL, text);
	assert_string_equal(text, "00-00000000000000000000000000000000-0000000000000000-00");
}

static void
blanks_around_and_fields_of_later_versions_are_allowed(void **state)
{
	(void)state;
	otlog_span_context context;
	assert_true(otlog_traceparent_parse(" \t" TRACEPARENT " \t", &context));
	assert_true(
	    otlog_traceparent_parse("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-ever", &context));
	assert_true(otlog_traceparent_parse("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03", &context));
	assert_int_equal(context.trace_flags, 3);
}

static void
a_malformed_traceparent_is_refused_and_changes_nothing(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"0",
		"00-",
		"garbage",
		"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
		"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		"00-00000000000000000000000000000000-b7ad6b7169203331-01",
		"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-extra",
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-012",
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
		"01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.x",
		"00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01",
		"00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
	};
	otlog_span_context context, before;
	memset(&context, 0x55, sizeof context);
	before = context;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_false(otlog_traceparent_parse(bad[i], &context));
		assert_memory_equal(&context, &before, sizeof context);
	}
	assert_false(otlog_traceparent_parse(NULL, &context));
	assert_false(otlog_traceparent_parse(TRACEPARENT, NULL));
}

/* Every text that ends too early, in a buffer that ends there too: the address sanitizer sees any byte read beyond. */
static void
no_byte_is_read_beyond_the_end(void **state)
{
	(void)state;
	otlog_span_context context;
	for (size_t size = 0; size < strlen(TRACEPARENT); size++) {
		char *text = strndup(TRACEPARENT, size);
		assert_non_null(text);
		assert_false(otlog_traceparent_parse(text, &context));
		free(text);
	}
}

static void
attach_nests_and_detach_brings_the_outer_context_back(void **state)
{
	(void)state;
	otlog_span_context a = { .trace_id = { 1 }, .span_id = { 1 } }, b = { .trace_id = { 2 }, .span_id = { 2 } };
	otlog_span_context now = otlog_context_current();
	assert_false(otlog_span_context_is_valid(&now));

	otlog_context_token outer = otlog_context_attach(&a);
	otlog_context_token inner = otlog_context_attach(&b);
	now = otlog_context_current();
	assert_int_equal(now.trace_id[0], 2);
	otlog_context_attach(NULL);
	now = otlog_context_current();
	assert_false(otlog_span_context_is_valid(&now));

	otlog_context_detach(inner); /* one level was never detached: the outer one comes back all the same */
	now = otlog_context_current();
	assert_int_equal(now.trace_id[0], 1);
	otlog_context_detach(outer);
	now = otlog_context_current();
	assert_false(otlog_span_context_is_valid(&now));
}

static void
a_bad_or_missing_header_keeps_the_current_context(void **state)
{
	(void)state;
	otlog_context_token outer = otlog_context_attach_traceparent(TRACEPARENT);
	otlog_context_token missing = otlog_context_attach_traceparent(NULL);
	otlog_context_token bad = otlog_context_attach_traceparent("00-nonsense");
	otlog_span_context now = otlog_context_current();
	assert_int_equal(now.trace_id[0], 0x0a);
	otlog_context_detach(bad);
	otlog_context_detach(missing);
	otlog_context_detach(outer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_traceparent_is_read_and_written_back),
		cmocka_unit_test(blanks_around_and_fields_of_later_versions_are_allowed),
		cmocka_unit_test(a_malformed_traceparent_is_refused_and_changes_nothing),
		cmocka_unit_test(no_byte_is_read_beyond_the_end),
		cmocka_unit_test(attach_nests_and_detach_brings_the_outer_context_back),
		cmocka_unit_test(a_bad_or_missing_header_keeps_the_current_context),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
