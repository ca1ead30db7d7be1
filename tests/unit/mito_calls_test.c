/* Each convenience call makes what mito_log makes of the equal event, byte for byte. */
#include "tests/support/records/emitted.h"
#include "tests/support/records/samples.h"
#include "tests/support/harness/cmocka.h"

static emitted by_call, by_event;
static samples given;

static int
open_both(void **state)
{
	(void)state;
	emitted_open(&by_call, 0);
	emitted_open(&by_event, 0);
	return 0;
}

static int
close_both(void **state)
{
	(void)state;
	emitted_close(&by_call);
	emitted_close(&by_event);
	return 0;
}

/* What the call before emitted is what this event makes. */
static void
assert_made(const mito_event *event)
{
	assert_int_equal(mito_log(by_event.logger, event), OTLOG_EMIT_ACCEPTED);
	emitted_assert_same(&by_call, &by_event);
}

static void
rendered_sheets(void **state)
{
	(void)state;
	const mito_event *e = &given.mito[0];
	mito_log_mitosheet_rendered(
	    by_call.logger, &(mito_rendered_event){
				.user_agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
				.timestamp_gmt = e->timestamp_gmt,
				.versions = e->versions });
	assert_made(e);
}

static void
edits(void **state)
{
	(void)state;
	for (size_t i = 1; i <= 3; i++) {
		const mito_event *e = &given.mito[i];
		mito_log_edit_event(by_call.logger, &(mito_edit_event){ .log_event = e->event,
		                                                        .timestamp_gmt = e->timestamp_gmt,
		                                                        .params = e->params,
		                                                        .versions = e->versions });
		assert_made(e);
	}
	mito_log_edit_event(by_call.logger,
	                    &(mito_edit_event){ .timestamp_unix_nano = 5, .extra = OTLOG_ATTRS(OTLOG_KV("x", 1)) });
	assert_made(
	    &(mito_event){ .event = "edit_event", .timestamp_unix_nano = 5, .extra = OTLOG_ATTRS(OTLOG_KV("x", 1)) });
}

static void
errors(void **state)
{
	(void)state;
	const mito_event *e = &given.mito[4];
	/* The code follows from the failed event. */
	mito_log_error(by_call.logger,
	               &(mito_error_event){ .failed_log_event = "rename_column_edit_failed",
	                                    .timestamp_gmt = e->timestamp_gmt,
	                                    .params = { e->params.items + 1, e->params.count - 1 },
	                                    .versions = e->versions,
	                                    .error_traceback = e->error_traceback,
	                                    .error_traceback_count = e->error_traceback_count,
	                                    .error_traceback_last_line = e->error_traceback_last_line });
	assert_made(e);
	mito_log_error(by_call.logger, &(mito_error_event){ .failed_log_event = "merge_edit_failed",
	                                                    .error_severity_code = "50",
	                                                    .error_traceback_text = "a\nb",
	                                                    .extra = OTLOG_ATTRS(OTLOG_KV("x", 1)) });
	assert_made(&(mito_event){ .event = "error",
	                           .params = OTLOG_ATTRS(OTLOG_KV("failed_log_event", "merge_edit_failed")),
	                           .error_severity_code = "50",
	                           .error_traceback_text = "a\nb",
	                           .extra = OTLOG_ATTRS(OTLOG_KV("x", 1)) });
}

static void
frontend_failures(void **state)
{
	(void)state;
	mito_log_frontend_render_failed(by_call.logger,
	                                &(mito_frontend_failure){ .timestamp_unix_nano = 5,
	                                                          .params = OTLOG_ATTRS(OTLOG_KV("component", "grid")),
	                                                          .versions = given.mito[0].versions,
	                                                          .error_traceback_last_line = "TypeError: x" });
	assert_made(&(mito_event){ .event = MITO_EVENT_FRONTEND_RENDER_FAILED,
	                           .timestamp_unix_nano = 5,
	                           .params = OTLOG_ATTRS(OTLOG_KV("component", "grid")),
	                           .versions = given.mito[0].versions,
	                           .error_traceback_last_line = "TypeError: x",
	                           .error_severity_code = "50" });
	assert_int_equal(emitted_view(&by_call).severity, OTLOG_SEVERITY_FATAL);
}

/* Each call with nothing, without a logger, below the minimum, and of other versions. */
#define ASSERT_REFUSALS(call, type)                                                                  \
	do {                                                                                         \
		const type event = { 0 };                                                            \
		assert_int_equal(call(by_call.logger, NULL), OTLOG_EMIT_INVALID);                    \
		assert_int_equal(call(NULL, &event), OTLOG_EMIT_DISABLED);                           \
		assert_int_equal(call(quiet.logger, &event), OTLOG_EMIT_FILTERED);                   \
		assert_int_equal(call##_sized(by_call.logger, &event, 0), OTLOG_EMIT_ACCEPTED);      \
		assert_int_equal(call##_sized(by_call.logger, &event, 100000), OTLOG_EMIT_ACCEPTED); \
	} while (0)

static void
every_call_refuses_what_mito_log_refuses(void **state)
{
	emitted quiet;
	(void)state;
	emitted_open(&quiet, OTLOG_SEVERITY_FATAL4);
	ASSERT_REFUSALS(mito_log_edit_event, mito_edit_event);
	ASSERT_REFUSALS(mito_log_error, mito_error_event);
	ASSERT_REFUSALS(mito_log_mitosheet_rendered, mito_rendered_event);
	ASSERT_REFUSALS(mito_log_frontend_render_failed, mito_frontend_failure);
	assert_int_equal(quiet.count, 0);
	emitted_close(&quiet);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_both, close_both)
	const struct CMUnitTest tests[] = {
		TEST(rendered_sheets),
		TEST(edits),
		TEST(errors),
		TEST(frontend_failures),
		TEST(every_call_refuses_what_mito_log_refuses),
	};
	samples_fill(&given);
	return cmocka_run_group_tests_name("mito_calls", tests, NULL, NULL);
}
