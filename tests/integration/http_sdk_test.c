/* What an HTTP receiver says, and what the whole SDK makes of it: partial success, throttling, refusals; no secret told. */
#include "tests/support/harness/cmocka.h"
#include "tests/support/sdk/diagnosed.h"
#include "tests/support/servers/receiver.h"
#include "tests/support/sdk/sdk_books.h"

#include "sdk/base/clock.h"

#include <otlog/otlog.h>

#include <stdio.h>
#include <string.h>

#define FLUSH_MS 20000

static otlog_provider *
start(const char *url)
{
	static const otlog_header token = { "x-api-key", "hush-token" };
	otlog_pipeline_options pipeline = { .schedule_delay_ms = 10, .retry_initial_ms = 1, .retry_cap_ms = 5 };
	diagnosed_begin();
	assert_true(otlog_otlp_http_exporter_create(
	    &(otlog_otlp_options){ .endpoint = url, .headers = &token, .header_count = 1 }, &pipeline.exporter));
	otlog_provider *provider = otlog_provider_create(
	    &(otlog_options){ .pipelines = &pipeline, .pipeline_count = 1, .diagnostic = diagnosed_take });
	assert_non_null(provider);
	return provider;
}

static void
emit(otlog_provider *provider, int count)
{
	otlog_logger *logger = otlog_provider_get_logger(provider, &(otlog_logger_options){ .name = "http" });
	for (int i = 0; i < count; i++)
		assert_int_equal(otlog_emit(logger, &(otlog_record){ .severity = OTLOG_SEVERITY_INFO,
		                                                     .body = otlog_string("some text") }),
		                 OTLOG_EMIT_ACCEPTED);
}

static otlog_pipeline_statistics
finish(otlog_provider *provider)
{
	sdk_books books;
	otlog_provider_shutdown(provider, FLUSH_MS);
	sdk_take_books(provider, &books);
	otlog_provider_destroy(provider);
	assert_false(diagnosed_says("hush"));
	return books.pipelines[0];
}

static void
what_is_partly_refused_is_counted_quoted_and_not_sent_again(void **state)
{
	/* ExportLogsServiceResponse{ partial_success{ rejected_log_records = 2, error_message = "too old" } } */
	static const char two[] = "\x0a\x0b\x08\x02\x12\x07too old";
	receiver *server = receiver_start(NULL);
	otlog_provider *provider = start(receiver_url(server));
	(void)state;
	receiver_script(server, &(receiver_reply){ .body = two, .body_size = sizeof two - 1 });
	emit(provider, 5);
	assert_int_equal(otlog_provider_flush(provider, FLUSH_MS), OTLOG_DROPPED);
	assert_int_equal(otlog_provider_flush(provider, FLUSH_MS), OTLOG_DELIVERED); /* nothing since */
	otlog_pipeline_statistics p = finish(provider);
	assert_int_equal(receiver_record_count(server), 5);
	assert_int_equal(p.delivered, 3);
	assert_int_equal(p.dropped[OTLOG_DROP_REJECTED], 2);
	assert_int_equal(p.retries, 0);
	assert_true(diagnosed_says("refused 2 of 5 records: \"too old\""));
	receiver_stop(server);
}

/* A flush does not shorten what the server asks for. */
static void
a_server_that_throttles_is_left_alone_for_as_long_as_it_asks(void **state)
{
	static const unsigned statuses[] = { 429, 503 };
	static const otlog_header later = { "Retry-After", "1" };
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		receiver *server = receiver_start(NULL);
		otlog_provider *provider = start(receiver_url(server));
		receiver_script(server,
		                &(receiver_reply){ .status = statuses[i], .headers = &later, .header_count = 1 });
		emit(provider, 3);
		receiver_wait_requests(server, 1);
		uint64_t start_nano = otlog__monotonic_nano();
		assert_int_equal(otlog_provider_flush(provider, FLUSH_MS), OTLOG_DELIVERED);
		assert_true(otlog__monotonic_nano() - start_nano > 900 * OTLOG__NANOS_PER_MS);
		assert_int_equal(receiver_request_count(server), 2);
		otlog_pipeline_statistics p = finish(provider);
		assert_int_equal(p.delivered, 3);
		assert_int_equal(p.retries, 1);
		assert_string_equal(p.last_error, "");
		assert_true(diagnosed_says("asks to wait 1 s"));
		receiver_stop(server);
	}
}

static void
the_last_error_is_named_for_machines(void **state)
{
	static const otlog_header plain = { "Content-Type", "text/plain" };
	receiver *server = receiver_start(NULL);
	otlog_provider *provider = start(receiver_url(server));
	(void)state;
	receiver_script(server, &(receiver_reply){ .status = 401,
	                                           .headers = &plain,
	                                           .header_count = 1,
	                                           .body = "hush-token is no token",
	                                           .body_size = 22 });
	emit(provider, 4);
	assert_int_equal(otlog_provider_flush(provider, FLUSH_MS), OTLOG_DROPPED);
	otlog_pipeline_statistics p = finish(provider);
	assert_int_equal(p.dropped[OTLOG_DROP_REJECTED], 4);
	assert_string_equal(p.last_error, "401");
	assert_true(diagnosed_says("\"*** is no token\". Set the credentials in OTEL_EXPORTER_OTLP_HEADERS"));
	receiver_stop(server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_partly_refused_is_counted_quoted_and_not_sent_again),
		cmocka_unit_test(a_server_that_throttles_is_left_alone_for_as_long_as_it_asks),
		cmocka_unit_test(the_last_error_is_named_for_machines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
