/*
 * Batches that a gRPC receiver refuses for their size, or for one record in them, through the whole SDK: all others arrive,
 * once each; what is refused is counted and named.
 */
#include "tests/support/harness/cmocka.h"
#include "tests/support/sdk/diagnosed.h"
#include "tests/support/servers/grpc/grpc_server.h"

#include <otlog/otlog.h>

#include <stdlib.h>
#include <string.h>

#define RECORDS 10000
#define POISONED 4321
#define LIMIT_BYTES ((size_t)64 * 1024)
#define FLUSH_MS 30000

static otlog_provider *
start(const grpc_receiver *server)
{
	/* Larger batches than usual: of several MiB. */
	otlog_pipeline_options pipeline = { .schedule_delay_ms = 5000,
		                            .max_batch_records = RECORDS,
		                            .max_batch_bytes = 8 * 1024 * 1024,
		                            .retry_initial_ms = 1,
		                            .retry_cap_ms = 5 };
	const otlog_otlp_options options = { .endpoint = grpc_receiver_url(server) };
	diagnosed_begin();
	assert_true(otlog_otlp_grpc_exporter_create(&options, NULL, &pipeline.exporter));
	otlog_provider *provider = otlog_provider_create(
	    &(otlog_options){ .pipelines = &pipeline, .pipeline_count = 1, .diagnostic = diagnosed_take });
	assert_non_null(provider);
	return provider;
}

/* Numbered records of that size and more; one is an event, and of a size of its own. */
static void
emit_all(otlog_provider *provider, size_t size, size_t poison_size)
{
	char text[1001] = "";
	char *large = calloc(1, poison_size + 1);
	otlog_logger *logger = otlog_provider_get_logger(provider, &(otlog_logger_options){ .name = "splitting" });
	assert_non_null(large);
	memset(large, 'p', poison_size);
	memset(text, 't', size);
	for (int64_t i = 0; i < RECORDS; i++) {
		bool poison = i == POISONED;
		const otlog_record record = { .severity = OTLOG_SEVERITY_INFO,
			                      .event_name = poison ? "poisoned" : NULL,
			                      .body = otlog_string(poison ? large : text),
			                      .attributes = OTLOG_ATTRS(OTLOG_KV("sequence", i)) };
		assert_int_equal(otlog_emit(logger, &record), OTLOG_EMIT_ACCEPTED);
	}
	free(large);
}

static void
count_call(const grpc_receiver_call *call, unsigned char *times)
{
	otlog_record_view record;
	otlog_value_view sequence;
	otlog_batch_reader reader =
	    otlog_batch_records(&(otlog_batch){ .request = call->body, .request_size = call->body_size });
	while (otlog_batch_next(&reader, &record)) {
		assert_true(otlog_find_item(otlog_attributes(&record), "sequence", &sequence));
		assert_in_range(sequence.as.int64, 0, RECORDS - 1);
		times[sequence.as.int64]++;
	}
	assert_false(reader.malformed);
}

/* All have come once, but for the one where it was refused. */
static void
check_arrived(grpc_receiver *server, bool without_the_one)
{
	unsigned char *times = calloc(1, RECORDS);
	assert_non_null(times);
	for (size_t i = 0; i < grpc_receiver_call_count(server); i++)
		if (grpc_receiver_call_at(server, i)->taken)
			count_call(grpc_receiver_call_at(server, i), times);
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

static void
check_named(const char *reason)
{
	assert_int_equal(diagnosed_times(reason), 1);
	assert_true(diagnosed_says("logger \"splitting\", event \"poisoned\""));
}

static void
batches_over_the_receivers_limit_arrive_in_parts(void **state)
{
	static const size_t limits[] = { LIMIT_BYTES, 0 }; /* 0: gRPC's own, 4 MiB */
	(void)state;
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
		grpc_receiver *server = grpc_receiver_start(&(grpc_receiver_options){ .max_message_bytes = limits[i] });
		otlog_provider *provider = start(server);
		emit_all(provider, limits[i] ? 300 : 1000, 10);
		assert_int_equal(otlog_provider_shutdown(provider, FLUSH_MS), OTLOG_DELIVERED);
		check_arrived(server, false);
		check_books(provider, OTLOG_DROP_TOO_LARGE, 0);
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
	emit_all(provider, 300, LIMIT_BYTES);
	assert_int_equal(otlog_provider_shutdown(provider, FLUSH_MS), OTLOG_DROPPED);
	check_arrived(server, true);
	check_books(provider, OTLOG_DROP_TOO_LARGE, 1);
	check_named("one record dropped as too_large");
	otlog_provider_destroy(provider);
	grpc_receiver_stop(server);
}

static void
one_poisoned_record_of_ten_thousand_is_rejected_and_named(void **state)
{
	grpc_receiver *server = grpc_receiver_start(&(grpc_receiver_options){ .poison = "poisoned" });
	otlog_provider *provider = start(server);
	(void)state;
	emit_all(provider, 300, 10);
	assert_int_equal(otlog_provider_shutdown(provider, FLUSH_MS), OTLOG_DROPPED);
	check_arrived(server, true);
	check_books(provider, OTLOG_DROP_REJECTED, 1);
	check_named("one record dropped as rejected");
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
	emit_all(provider, 300, 10);
	assert_int_equal(otlog_provider_shutdown(provider, FLUSH_MS), OTLOG_DROPPED);
	check_books(provider, OTLOG_DROP_REJECTED, RECORDS);
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
