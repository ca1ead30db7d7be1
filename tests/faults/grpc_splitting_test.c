/*
 * Batches that a gRPC receiver refuses for their size, or for one record in them, through the whole SDK: all others arrive,
 * once each; what is refused is counted and named.
 */
#include "tests/support/harness/cmocka.h"
#include "tests/support/sdk/diagnosed.h"
#include "tests/support/sdk/splitting_fixture.h"
#include "tests/support/servers/grpc/grpc_exporter.h"
#include "tests/support/servers/grpc/grpc_server.h"
#include "tests/support/sdk/sdk_books.h"

#include <otlog/otlog.h>

#define LIMIT_BYTES ((size_t)64 * 1024)

static otlog_provider *
start(const grpc_receiver *server)
{
	const otlog_otlp_options options = { .endpoint = grpc_receiver_url(server) };
	/* Larger batches than usual: of several MiB. */
	return splitting_start((otlog_pipeline_options){ .exporter = create_grpc_exporter(&options, NULL),
	                                                 .schedule_delay_ms = 5000,
	                                                 .max_batch_records = SPLITTING_RECORDS,
	                                                 .max_batch_bytes = 8 * 1024 * 1024 });
}

static void
check_arrived(grpc_receiver *server, bool without_the_odd_one)
{
	splitting_arrivals arrivals = { 0 };
	for (size_t i = 0; i < grpc_receiver_call_count(server); i++) {
		const grpc_receiver_call *call = grpc_receiver_call_at(server, i);
		if (call->taken)
			splitting_enter(&arrivals, call->body, call->body_size);
	}
	splitting_check_arrived(&arrivals, without_the_odd_one);
}

static void
batches_over_the_receivers_limit_arrive_in_parts(void **state)
{
	static const size_t limits[] = { LIMIT_BYTES, 0 }; /* 0: gRPC's own, 4 MiB */
	(void)state;
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
		grpc_receiver *server = grpc_receiver_start(&(grpc_receiver_options){ .max_message_bytes = limits[i] });
		otlog_provider *provider = start(server);
		splitting_emit(provider, limits[i] ? 300 : 1000, 10);
		assert_int_equal(otlog_provider_shutdown(provider, SPLITTING_FLUSH_MS), OTLOG_DELIVERED);
		check_arrived(server, false);
		splitting_check_books(provider, OTLOG_DROP_TOO_LARGE, 0);
		assert_true(diagnosed_says("too large for the destination"));
		otlog_provider_destroy(provider);
		grpc_receiver_stop(server);
	}
}

static void
one_record_over_the_receivers_limit_is_dropped_and_named(void **state)
{
	grpc_receiver *server = grpc_receiver_start(&(grpc_receiver_options){ .max_message_bytes = LIMIT_BYTES });
	otlog_provider *provider = start(server);
	(void)state;
	splitting_emit(provider, 300, LIMIT_BYTES);
	assert_int_equal(otlog_provider_shutdown(provider, SPLITTING_FLUSH_MS), OTLOG_DROPPED);
	check_arrived(server, true);
	splitting_check_books(provider, OTLOG_DROP_TOO_LARGE, 1);
	splitting_check_named("one record dropped as too_large");
	otlog_provider_destroy(provider);
	grpc_receiver_stop(server);
}

static void
one_poisoned_record_of_ten_thousand_is_rejected_and_named(void **state)
{
	grpc_receiver *server = grpc_receiver_start(&(grpc_receiver_options){ .poison = "poisoned" });
	otlog_provider *provider = start(server);
	(void)state;
	splitting_emit(provider, 300, 10);
	assert_int_equal(otlog_provider_shutdown(provider, SPLITTING_FLUSH_MS), OTLOG_DROPPED);
	check_arrived(server, true);
	splitting_check_books(provider, OTLOG_DROP_REJECTED, 1);
	splitting_check_named("one record dropped as rejected");
	otlog_provider_destroy(provider);
	grpc_receiver_stop(server);
}

/* It is not asked for each record. */
static void
who_refuses_everything_is_left_in_peace(void **state)
{
	grpc_receiver *server = grpc_receiver_start(NULL);
	otlog_provider *provider = start(server);
	(void)state;
	grpc_receiver_script(server, &(grpc_receiver_reply){ .status = 3, .times = GRPC_RECEIVER_FOREVER });
	splitting_emit(provider, 300, 10);
	assert_int_equal(otlog_provider_shutdown(provider, SPLITTING_FLUSH_MS), OTLOG_DROPPED);
	splitting_check_books(provider, OTLOG_DROP_REJECTED, SPLITTING_RECORDS);
	assert_int_equal(grpc_receiver_record_count(server), 0);
	assert_in_range(grpc_receiver_call_count(server), 1, 200);
	otlog_provider_destroy(provider);
	grpc_receiver_stop(server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batches_over_the_receivers_limit_arrive_in_parts),
		cmocka_unit_test(one_record_over_the_receivers_limit_is_dropped_and_named),
		cmocka_unit_test(one_poisoned_record_of_ten_thousand_is_rejected_and_named),
		cmocka_unit_test(who_refuses_everything_is_left_in_peace),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
