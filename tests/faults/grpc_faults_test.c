/*
 * A bad network between the whole SDK and a gRPC receiver: after each fault the receiver has every record that emit
 * accepted, and has one twice only where it had taken the request before its answer was lost. OTLOG_FAULTS_FACTOR times
 * as many repetitions: 1 unless set.
 */
#include "tests/support/harness/check.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/sdk/emitters.h"
#include "tests/support/harness/factor.h"
#include "tests/support/servers/grpc/h2_server.h"
#include "tests/support/sdk/sdk_fixture.h"

#include <otlog/otlog.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPETITIONS 20
#define THREADS 2
#define RECORDS 25 /* of a thread, for each fault */
#define FLUSH_MS 20000

/* Requests that wait for an answer in vain end after this. */
#define IMPATIENT_MS 250
#define PATIENT_MS 20000

typedef struct scenario {
	const char *name;
	h2_play play;
	bool impatient;
	uint32_t in_flight; /* requests; 0: one */
} scenario;

typedef struct run {
	const scenario *scenario;
	h2_server *server;
	otlog_provider *provider;
	emitter emitters[THREADS];
} run;

/* ---- Comparing --------------------------------------------------------------------------------------------------- */

static int64_t
number_of(const otlog_record_view *record, const char *key)
{
	otlog_value_view value;
	CHECK(otlog_find_item(otlog_attributes(record), key, &value) && value.type == OTLOG_VALUE_INT64);
	return value.as.int64;
}

typedef struct arrivals {
	unsigned *times[THREADS];
	size_t arrived;
	size_t unanswered; /* of them, in requests that got no answer */
} arrivals;

static void
count_request(const run *r, const h2_request *request, arrivals *a)
{
	otlog_record_view record;
	otlog_batch_reader reader =
	    otlog_batch_records(&(otlog_batch){ .request = request->body, .request_size = request->body_size });
	while (otlog_batch_next(&reader, &record)) {
		int64_t thread = number_of(&record, "thread"), sequence = number_of(&record, "sequence");
		CHECK(thread >= 0 && thread < THREADS);
		CHECK(sequence >= 0 && sequence < r->emitters[thread].next);
		a->times[thread][sequence]++;
		a->arrived++;
		a->unanswered += !request->answered;
	}
	CHECK(!reader.malformed);
}

/*
 * Every accepted record has come, none that was not. With one request at a time and time to answer it, exactly those of the
 * requests that got no answer have come twice.
 */
static void
compare_records(const run *r, unsigned faults)
{
	arrivals a = { .arrived = 0 };
	size_t accepted = 0, missing = 0;
	for (int i = 0; i < THREADS; i++) {
		a.times[i] = calloc((size_t)r->emitters[i].next + 1, sizeof *a.times[i]);
		CHECK(a.times[i]);
		accepted += (size_t)r->emitters[i].next;
	}
	for (size_t i = 0; i < h2_server_request_count(r->server); i++)
		count_request(r, h2_server_request_at(r->server, i), &a);
	for (int i = 0; i < THREADS; i++) {
		for (int64_t j = 0; j < r->emitters[i].next; j++)
			missing += a.times[i][j] == 0;
		free(a.times[i]);
	}
	size_t twice = a.arrived + missing - accepted;
	printf("%s: %u faults, %zu records accepted, %zu missing, %zu twice, %zu without an answer\n",
	       r->scenario->name, faults, accepted, missing, twice, a.unanswered);
	CHECK(missing == 0);
	if (r->scenario->impatient || r->scenario->in_flight > 1)
		CHECK(twice >= a.unanswered || r->scenario->in_flight > 1);
	else
		CHECK(twice == a.unanswered);
}

static void
compare_books(const run *r, unsigned faults)
{
	otlog_statistics_snapshot books;
	uint64_t accepted = 0, refused = 0;
	for (int i = 0; i < THREADS; i++) {
		accepted += (uint64_t)r->emitters[i].next;
		refused += r->emitters[i].refused;
	}
	otlog_provider_statistics(r->provider, &books);
	const otlog_pipeline_statistics *p = &books.pipelines[0];
	CHECK(books.accepted == accepted && books.emitted == accepted + refused);
	CHECK(p->delivered == accepted && p->queued == 0 && p->filtered == 0);
	CHECK(refused == 0);
	bool answered = r->scenario->play.goaway_first || r->scenario->play.goaway_after;
	CHECK(answered || p->retries >= faults);
	for (int i = 0; i < OTLOG_DROP_REASON_COUNT; i++)
		CHECK(p->dropped[i] == 0);
}

/* ---- A scenario -------------------------------------------------------------------------------------------------- */

static void
start(run *r)
{
	otlog_pipeline_options pipeline = { .schedule_delay_ms = 10,
		                            .max_batch_records = 10,
		                            .export_timeout_ms = r->scenario->impatient ? IMPATIENT_MS : PATIENT_MS,
		                            .retry_initial_ms = 1,
		                            .retry_cap_ms = 5 };
	r->server = h2_server_start();
	const otlog_otlp_options options = { .endpoint = h2_server_url(r->server) };
	const otlog_grpc_options grpc = { .requests_in_flight = r->scenario->in_flight ? r->scenario->in_flight : 1 };
	CHECK(otlog_otlp_grpc_exporter_create(&options, &grpc, &pipeline.exporter));
	r->provider = otlog_provider_create(&(otlog_options){
	    .pipelines = &pipeline, .pipeline_count = 1, .queue_bytes = 1 << 20, .diagnostic = sdk_silence });
	CHECK(r->provider);
	for (int i = 0; i < THREADS; i++)
		r->emitters[i] = (emitter){ .logger = otlog_provider_get_logger(
						r->provider, &(otlog_logger_options){ .name = "faults" }),
			                    .thread = i,
			                    .records = RECORDS };
}

static void *
play(void *scenario_)
{
	const scenario *scenario = scenario_;
	run r = { .scenario = scenario };
	unsigned faults = faults_count(REPETITIONS);
	start(&r);
	emitters_run(r.emitters, THREADS); /* a connection stands before the first fault */
	CHECK(otlog_provider_flush(r.provider, FLUSH_MS) == OTLOG_DELIVERED);
	for (unsigned i = 0; i < faults; i++) {
		if (scenario->play.when == H2_AT_CONNECT)
			h2_server_disconnect(r.server);
		h2_server_script(r.server, &scenario->play);
		emitters_run(r.emitters, THREADS);
		CHECK(otlog_provider_flush(r.provider, FLUSH_MS) == OTLOG_DELIVERED);
		CHECK(h2_server_plays_left(r.server) == 0);
	}
	CHECK(otlog_provider_shutdown(r.provider, FLUSH_MS) == OTLOG_DELIVERED);
	compare_records(&r, faults);
	compare_books(&r, faults);
	otlog_provider_destroy(r.provider);
	h2_server_stop(r.server);
	return NULL;
}

static const scenario broken[] = {
	{ .name = "reset at once", .play = { .when = H2_AT_CONNECT, .act = H2_RESET } },
	{ .name = "reset before the body", .play = { .when = H2_AT_HEAD, .act = H2_RESET } },
	{ .name = "reset after the body", .play = { .act = H2_RESET } },
	{ .name = "closed at once", .play = { .when = H2_AT_CONNECT, .act = H2_CLOSE } },
	{ .name = "closed before the body", .play = { .when = H2_AT_HEAD, .act = H2_CLOSE } },
	{ .name = "closed after the body", .play = { .act = H2_CLOSE } },
	{ .name = "garbage at once", .play = { .when = H2_AT_CONNECT, .act = H2_GARBAGE } },
	{ .name = "garbage before the body", .play = { .when = H2_AT_HEAD, .act = H2_GARBAGE } },
	{ .name = "garbage after the body", .play = { .act = H2_GARBAGE } },
	{ .name = "half an answer", .play = { .cut_bytes = 30 } },
	{ .name = "GOAWAY at once", .play = { .when = H2_AT_CONNECT, .act = H2_GOAWAY } },
	{ .name = "GOAWAY before the body", .play = { .when = H2_AT_HEAD, .act = H2_GOAWAY } },
	{ .name = "GOAWAY after the body", .play = { .act = H2_GOAWAY } },
	{ .name = "GOAWAY with ENHANCE_YOUR_CALM", .play = { .act = H2_GOAWAY, .code = 11 } },
	{ .name = "GOAWAY before the answer", .play = { .goaway_first = true } },
	{ .name = "GOAWAY after the answer", .play = { .goaway_after = true } },
	{ .name = "no status in the answer", .play = { .grpc_status = "" } },
	{ .name = "HTTP status 503", .play = { .http_status = "503", .grpc_status = "", .no_body = true } },
	{ .name = "UNAVAILABLE", .play = { .grpc_status = "14" } },
	{ .name = "four in flight, reset after the body", .play = { .act = H2_RESET }, .in_flight = 4 },
	{ .name = "four in flight, reset before the body",
	  .play = { .when = H2_AT_HEAD, .act = H2_RESET },
	  .in_flight = 4 },
	{ .name = "four in flight, GOAWAY", .play = { .when = H2_AT_HEAD, .act = H2_GOAWAY }, .in_flight = 4 },
};

static const scenario silent[] = {
	{ .name = "black hole", .play = { .when = H2_AT_CONNECT, .act = H2_SILENCE }, .impatient = true },
	{ .name = "silence before the body", .play = { .when = H2_AT_HEAD, .act = H2_SILENCE }, .impatient = true },
	{ .name = "silence after the body", .play = { .act = H2_SILENCE }, .impatient = true },
	{ .name = "a byte a second", .play = { .pause_ms = 1000 }, .impatient = true },
};

static void
connections_that_break_lose_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
		play((void *)&broken[i]);
}

static void
streams_that_are_reset_with_any_code_lose_nothing(void **state)
{
	(void)state;
	for (uint32_t code = 0; code <= 14; code++)
		for (int when = H2_AT_BODY; when <= H2_AT_HEAD; when++) {
			char name[64];
			snprintf(name, sizeof name, "RST_STREAM with code %u %s the body", code,
			         when == H2_AT_HEAD ? "before" : "after");
			scenario reset = { .name = name,
				           .play = { .when = (h2_when)when, .act = H2_RST_STREAM, .code = code } };
			play(&reset);
		}
}

/* They mostly wait: all at the same time. */
static void
peers_that_say_nothing_lose_nothing(void **state)
{
	pthread_t threads[sizeof silent / sizeof *silent];
	(void)state;
	for (size_t i = 0; i < sizeof silent / sizeof *silent; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, play, (void *)&silent[i]), 0);
	for (size_t i = 0; i < sizeof silent / sizeof *silent; i++)
		pthread_join(threads[i], NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connections_that_break_lose_nothing),
		cmocka_unit_test(streams_that_are_reset_with_any_code_lose_nothing),
		cmocka_unit_test(peers_that_say_nothing_lose_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
