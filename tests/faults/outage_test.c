/*
 * A destination that is gone for 30 s while records come at 5,000 a second: its port is closed, nothing listens. The queue
 * is too small for that, the spool is not. None may be lost, the process may not grow, and once the destination is back all
 * that waited is delivered many times faster than new records come. OTLOG_FAULTS_FACTOR times 30 s.
 */
#include "tests/support/harness/cmocka.h"

#include "sdk/base/clock.h"
#include "tests/support/harness/check.h"
#include "tests/support/harness/factor.h"
#include "tests/support/harness/process.h"
#include "tests/support/queues/queue_directory.h"
#include "tests/support/sdk/load.h"
#include "tests/support/sdk/sdk_fixture.h"
#include "tests/support/sdk/sdk_books.h"
#include "tests/support/sdk/tally.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define THREADS 2u
#define PER_SECOND 5000u /* of all threads */
#define LONG_MS 60000
#define MIB (UINT64_C(1) << 20)
#define LOOK_FIRST_S 5u

typedef struct run {
	tally *tally;
	char directory[64];
	receiver *receiver;
	unsigned port;
	int reserved; /* the port, while nothing listens there */
	otlog_provider *provider;
	otlog_logger *logger;
	uint32_t seconds;
} run;

/* Nobody listens at the port, and nobody else gets it: connections to it are refused. */
static void
go_away(run *r)
{
	const int yes = 1;
	struct sockaddr_in address = { .sin_family = AF_INET,
		                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		                       .sin_port = htons((uint16_t)r->port) };
	receiver_stop(r->receiver);
	r->receiver = NULL;
	r->reserved = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(setsockopt(r->reserved, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0);
	CHECK(bind(r->reserved, (struct sockaddr *)&address, sizeof address) == 0);
}

static void
be_there(run *r)
{
	if (r->reserved >= 0)
		close(r->reserved);
	r->reserved = -1;
	r->receiver = receiver_start(&(receiver_options){
	    .port = r->port, .judge = tally_judge, .user = &r->tally->destinations[0], .forgets = true });
	r->port = receiver_port(r->receiver);
}

static void
start(run *r)
{
	otlog_pipeline_options pipeline = { .schedule_delay_ms = 100, .retry_initial_ms = 50, .retry_cap_ms = 500 };
	be_there(r);
	CHECK(otlog_otlp_http_exporter_create(&(otlog_otlp_options){ .endpoint = receiver_url(r->receiver) },
	                                      &pipeline.exporter));
	r->provider = otlog_provider_create(&(otlog_options){ .pipelines = &pipeline,
	                                                      .pipeline_count = 1,
	                                                      .queue_bytes = 16 * MIB,
	                                                      .queue_directory = r->directory,
	                                                      .spool_bytes = 2048 * MIB,
	                                                      .diagnostic = sdk_silence });
	CHECK(r->provider);
	r->logger = otlog_provider_get_logger(r->provider, &(otlog_logger_options){ .name = "outage" });
}

static sdk_books
books(const run *r)
{
	sdk_books now;
	sdk_take_books(r->provider, &now);
	tally_check_books(&now);
	return now;
}

/* Delivers what waits, while new records go on coming. Returns the records of a second. */
static double
drain(run *r)
{
	uint64_t from = otlog__monotonic_nano(), before = books(r).pipelines[0].delivered;
	be_there(r);
	while (books(r).pipelines[0].queued > PER_SECOND / 2) {
		CHECK(otlog__monotonic_nano() - from < LONG_MS * OTLOG__NANOS_PER_MS);
		usleep(2000);
	}
	uint64_t delivered = books(r).pipelines[0].delivered - before;
	/* From its first request: until then the back-off goes on. */
	return (double)delivered * (double)OTLOG__NANOS_PER_S / (double)(otlog__monotonic_nano() - from);
}

static void
compare(run *r, double rate, uint64_t early, uint64_t late)
{
	sdk_books now = books(r);
	tally_sum sum = tally_count(&r->tally->destinations[0], 0, THREADS);
	tally_check_statistics(&sum, &now);
	print_message(
	    "outage of %u s at %u records/s: %lu emitted, %lu lost, %lu twice; %lu MiB resident after %u s, %lu "
	    "after %u s; drained at %.0f records/s, %.0f times the rate of new ones\n",
	    r->seconds, PER_SECOND, (unsigned long)sum.returned, (unsigned long)(sum.refused + sum.missing),
	    (unsigned long)sum.twice, (unsigned long)(early / MIB), LOOK_FIRST_S, (unsigned long)(late / MIB),
	    r->seconds, rate, rate / PER_SECOND);
	assert_int_equal(sum.refused + sum.missing, 0);
	assert_int_equal(atomic_load(&r->tally->strange), 0);
	assert_in_range(sum.twice, 0, atomic_load(&r->tally->largest)); /* one request was in flight when it went */
	assert_true(late < early + 8 * MIB);
	assert_true(rate >= 5.0 * PER_SECOND);
}

static void
an_outage_loses_nothing_and_costs_no_memory(void **state)
{
	run r = { .seconds = faults_count(30), .reserved = -1 };
	(void)state;
	r.tally = tally_make(THREADS, (r.seconds + LONG_MS / 1000 + 10) * PER_SECOND / THREADS);
	queue_directory_make(r.directory);
	start(&r);
	load *load = load_start(r.tally, r.logger, PER_SECOND);
	sleep(1);
	CHECK(books(&r).pipelines[0].delivered > 0);
	go_away(&r);
	sleep(LOOK_FIRST_S);
	uint64_t early = process_resident_bytes();
	sleep(r.seconds - LOOK_FIRST_S);
	uint64_t late = process_resident_bytes();
	CHECK(books(&r).pipelines[0].spooled > 0);
	double rate = drain(&r);
	load_stop(load);
	assert_int_equal(otlog_provider_shutdown(r.provider, LONG_MS), OTLOG_DELIVERED);
	compare(&r, rate, early, late);
	otlog_provider_destroy(r.provider);
	assert_int_equal(process_count_files(r.directory), 0);
	receiver_stop(r.receiver);
	queue_directory_remove(r.directory);
	tally_free(r.tally);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(an_outage_loses_nothing_and_costs_no_memory) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
