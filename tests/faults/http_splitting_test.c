/*
 * Batches that an HTTP receiver refuses for their size, or for one record in them, through the whole SDK: all others
 * arrive, once each; what is refused is counted and named.
 */
#include "tests/support/harness/cmocka.h"
#include "tests/support/sdk/diagnosed.h"
#include "tests/support/sdk/exporter_fixture.h"
#include "tests/support/sdk/splitting_fixture.h"
#include "tests/support/servers/nginx.h"
#include "tests/support/servers/receiver.h"
#include "tests/support/sdk/sdk_books.h"

#include <otlog/otlog.h>

#include <stdio.h>
#include <string.h>

#define RECORD_BYTES 21u

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
	const otlog_otlp_options options = { .endpoint = url };
	return splitting_start((otlog_pipeline_options){
	    .exporter = create_exporter(otlog_otlp_http_exporter_create_sized, &options), .schedule_delay_ms = 10 });
}

static void
check_arrived(receiver *server, bool without_the_odd_one)
{
	splitting_arrivals arrivals = { 0 };
	for (size_t i = 0; i < receiver_request_count(server); i++) {
		const receiver_request *request = receiver_request_at(server, i);
		if (request->status == 200)
			splitting_enter(&arrivals, request->body, request->body_size);
	}
	splitting_check_arrived(&arrivals, without_the_odd_one);
}

/* ---- Size -------------------------------------------------------------------------------------------------------- */

static void
batches_over_the_receivers_limit_arrive_in_parts(void **state)
{
	size_t limit = 20000;
	receiver *server = receiver_start(&(receiver_options){ .judge = refuse_large, .user = &limit });
	otlog_provider *provider = start(receiver_url(server));
	(void)state;
	splitting_emit(provider, RECORD_BYTES, 10);
	assert_int_equal(otlog_provider_shutdown(provider, SPLITTING_FLUSH_MS), OTLOG_DELIVERED);
	check_arrived(server, false);
	splitting_check_books(provider, OTLOG_DROP_TOO_LARGE, 0);
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
	splitting_emit(provider, RECORD_BYTES, 30000);
	assert_int_equal(otlog_provider_shutdown(provider, SPLITTING_FLUSH_MS), OTLOG_DROPPED);
	check_arrived(server, true);
	splitting_check_books(provider, OTLOG_DROP_TOO_LARGE, 1);
	splitting_check_named("one record dropped as too_large");
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
	splitting_emit(provider, RECORD_BYTES, 30000);
	assert_int_equal(otlog_provider_shutdown(provider, SPLITTING_FLUSH_MS), OTLOG_DROPPED);
	check_arrived(server, true);
	splitting_check_books(provider, OTLOG_DROP_TOO_LARGE, 1);
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
	splitting_emit(provider, RECORD_BYTES, 10);
	assert_int_equal(otlog_provider_shutdown(provider, SPLITTING_FLUSH_MS), OTLOG_DROPPED);
	check_arrived(server, true);
	splitting_check_books(provider, OTLOG_DROP_REJECTED, 1);
	splitting_check_named("one record dropped as rejected");
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
	splitting_emit(provider, RECORD_BYTES, 10);
	assert_int_equal(otlog_provider_shutdown(provider, SPLITTING_FLUSH_MS), OTLOG_DROPPED);
	splitting_check_books(provider, OTLOG_DROP_REJECTED, SPLITTING_RECORDS);
	assert_int_equal(receiver_record_count(server), 0);
	assert_in_range(receiver_request_count(server), SPLITTING_RECORDS / 512, 100);
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
