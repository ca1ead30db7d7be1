/*
 * Batches that an HTTP receiver refuses for their size, or for one record in them, through the whole SDK: all others
 * arrive, once each; what is refused is counted and named.
 */
#include "tests/support/harness/cmocka.h"
#include "tests/support/sdk/diagnosed.h"
#include "tests/support/servers/nginx.h"
#include "tests/support/servers/receiver.h"

#include <otlog/otlog.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS 10000
#define POISONED 4321
#define FLUSH_MS 30000

typedef Opentelemetry__Proto__Logs__V1__LogRecord log_record;

static bool
is_poisoned(const log_record *record)
{
	return record->event_name.len == 8 && memcmp(record->event_name.data, "poisoned", 8) == 0;
}

/* ---- Receivers that refuse --------------------------------------------------------------------------------------- */

/* 413 to bodies over *user bytes. */
static unsigned
refuse_large(void *user, const receiver_request *request)
{
	return request->body_size > *(const size_t *)user ? 413 : 0;
}

/* *user to a request that has the record. */
static unsigned
refuse_poison(void *user, const receiver_request *request)
{
	const Opentelemetry__Proto__Logs__V1__ScopeLogs *scope = request->message->resource_logs[0]->scope_logs[0];
	for (size_t i = 0; i < scope->n_log_records; i++)
		if (is_poisoned(scope->log_records[i]))
			return *(const unsigned *)user;
	return 0;
}

static unsigned
refuse_all(void *user, const receiver_request *request)
{
	(void)request;
	return *(const unsigned *)user;
}

/* ---- A run ------------------------------------------------------------------------------------------------------- */

static otlog_provider *
start(const char *url)
{
	otlog_pipeline_options pipeline = { .schedule_delay_ms = 10, .retry_initial_ms = 1, .retry_cap_ms = 5 };
	diagnosed_begin();
	assert_true(otlog_otlp_http_exporter_create(&(otlog_otlp_options){ .endpoint = url }, &pipeline.exporter));
	otlog_provider *provider = otlog_provider_create(
	    &(otlog_options){ .pipelines = &pipeline, .pipeline_count = 1, .diagnostic = diagnosed_take });
	assert_non_null(provider);
	return provider;
}

/* Numbered records; the one is an event, and of that size. */
static void
emit_all(otlog_provider *provider, size_t poison_size)
{
	char *large = calloc(1, poison_size + 1);
	otlog_logger *logger = otlog_provider_get_logger(provider, &(otlog_logger_options){ .name = "splitting" });
	assert_non_null(large);
	memset(large, 'p', poison_size);
	for (int64_t i = 0; i < RECORDS; i++) {
		bool poison = i == POISONED;
		const otlog_record record = { .severity = OTLOG_SEVERITY_INFO,
			                      .event_name = poison ? "poisoned" : NULL,
			                      .body = otlog_string(poison ? large : "some text of a record"),
			                      .attributes = OTLOG_ATTRS(OTLOG_KV("sequence", i)) };
		assert_int_equal(otlog_emit(logger, &record), OTLOG_EMIT_ACCEPTED);
	}
	free(large);
}

/* All have come once, but for the one where it was refused. */
static void
check_arrived(receiver *server, bool without_the_one)
{
	unsigned char *times = calloc(1, RECORDS);
	assert_non_null(times);
	for (size_t i = 0; i < receiver_record_count(server); i++) {
		int64_t sequence = receiver_record_at(server, i).record->attributes[0]->value->int_value;
		assert_in_range(sequence, 0, RECORDS - 1);
		times[sequence]++;
	}
	for (size_t i = 0; i < RECORDS; i++)
		if (times[i] != !(without_the_one && i == POISONED))
			fail_msg("record %zu came %u times", i, times[i]);
	free(times);
}

static void
check_books(otlog_provider *provider, otlog_drop_reason reason, uint64_t dropped)
{
	otlog_statistics_snapshot books;
	otlog_provider_statistics(provider, &books);
	const otlog_pipeline_statistics *p = &books.pipelines[0];
	assert_int_equal(p->emitted, RECORDS);
	assert_int_equal(p->delivered, RECORDS - dropped);
	assert_int_equal(p->queued, 0);
	for (int i = 0; i < OTLOG_DROP_REASON_COUNT; i++)
		assert_int_equal(p->dropped[i], i == (int)reason ? dropped : 0);
}

/* ---- Size -------------------------------------------------------------------------------------------------------- */

static void
batches_over_the_receivers_limit_arrive_in_parts(void **state)
{
	size_t limit = 20000;
	receiver *server = receiver_start(&(receiver_options){ .judge = refuse_large, .user = &limit });
	otlog_provider *provider = start(receiver_url(server));
	(void)state;
	emit_all(provider, 10);
	assert_int_equal(otlog_provider_shutdown(provider, FLUSH_MS), OTLOG_DELIVERED);
	check_arrived(server, false);
	check_books(provider, OTLOG_DROP_TOO_LARGE, 0);
	assert_true(diagnosed_says("too large for the destination"));
	otlog_provider_destroy(provider);
	receiver_stop(server);
}

static void
one_record_over_the_receivers_limit_is_dropped_and_named(void **state)
{
	size_t limit = 20000;
	receiver *server = receiver_start(&(receiver_options){ .judge = refuse_large, .user = &limit });
	otlog_provider *provider = start(receiver_url(server));
	(void)state;
	emit_all(provider, 30000);
	assert_int_equal(otlog_provider_shutdown(provider, FLUSH_MS), OTLOG_DROPPED);
	check_arrived(server, true);
	check_books(provider, OTLOG_DROP_TOO_LARGE, 1);
	assert_int_equal(diagnosed_times("one record dropped as too_large"), 1);
	assert_true(diagnosed_says("logger \"splitting\", event \"poisoned\""));
	otlog_provider_destroy(provider);
	receiver_stop(server);
}

static void
nginx_in_front_of_the_receiver_has_the_same_say(void **state)
{
	receiver *server = receiver_start(NULL);
	const nginx_options options = { .upstream_port = receiver_port(server), .body_limit = "20k" };
	nginx *nginx = nginx_start(&options);
	otlog_provider *provider = start(nginx_url(nginx));
	(void)state;
	emit_all(provider, 30000);
	assert_int_equal(otlog_provider_shutdown(provider, FLUSH_MS), OTLOG_DROPPED);
	check_arrived(server, true);
	check_books(provider, OTLOG_DROP_TOO_LARGE, 1);
	assert_true(diagnosed_says("logger \"splitting\", event \"poisoned\""));
	otlog_provider_destroy(provider);
	nginx_stop(nginx);
	receiver_stop(server);
}

/* ---- Poison ------------------------------------------------------------------------------------------------------ */

static void
check_poison(unsigned status)
{
	receiver *server = receiver_start(&(receiver_options){ .judge = refuse_poison, .user = &status });
	otlog_provider *provider = start(receiver_url(server));
	emit_all(provider, 10);
	assert_int_equal(otlog_provider_shutdown(provider, FLUSH_MS), OTLOG_DROPPED);
	check_arrived(server, true);
	check_books(provider, OTLOG_DROP_REJECTED, 1);
	assert_int_equal(diagnosed_times("one record dropped as rejected"), 1);
	assert_true(diagnosed_says("logger \"splitting\", event \"poisoned\""));
	otlog_provider_destroy(provider);
	receiver_stop(server);
}

static void
one_poisoned_record_of_ten_thousand_is_rejected_and_named(void **state)
{
	(void)state;
	check_poison(400);
	check_poison(422);
}

/* It is not asked for each record. */
static void
who_refuses_everything_is_left_in_peace(void **state)
{
	unsigned status = 400;
	receiver *server = receiver_start(&(receiver_options){ .judge = refuse_all, .user = &status });
	otlog_provider *provider = start(receiver_url(server));
	(void)state;
	emit_all(provider, 10);
	assert_int_equal(otlog_provider_shutdown(provider, FLUSH_MS), OTLOG_DROPPED);
	check_books(provider, OTLOG_DROP_REJECTED, RECORDS);
	assert_int_equal(receiver_record_count(server), 0);
	assert_in_range(receiver_request_count(server), RECORDS / 512, 100);
	otlog_provider_destroy(provider);
	receiver_stop(server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batches_over_the_receivers_limit_arrive_in_parts),
		cmocka_unit_test(one_record_over_the_receivers_limit_is_dropped_and_named),
		cmocka_unit_test(nginx_in_front_of_the_receiver_has_the_same_say),
		cmocka_unit_test(one_poisoned_record_of_ten_thousand_is_rejected_and_named),
		cmocka_unit_test(who_refuses_everything_is_left_in_peace),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
