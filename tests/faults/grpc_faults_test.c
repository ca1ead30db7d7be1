/*
 * A bad network between the whole SDK and a gRPC receiver: after each fault the receiver has every record that emit
 * accepted, and has one twice only where it had taken the request before its answer was lost. OTLOG_FAULTS_FACTOR times
 * as many repetitions: 1 unless set.
 */
#include "tests/support/harness/check.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/harness/factor.h"
#include "tests/support/harness/threads.h"
#include "tests/support/sdk/emitters.h"
#include "tests/support/sdk/sdk_fixture.h"
#include "tests/support/sdk/sdk_books.h"
#include "tests/support/servers/grpc/h2_server.h"

#include <otlog/otlog.h>

#include <stdio.h>
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

/*
 * Every accepted record has come, none that was not. With one request at a time and time to answer it, exactly those of the
 * requests that got no answer have come twice.
 */
static void
compare_records(const run *r, unsigned faults)
{
	arrivals a = arrivals_open(r->emitters, THREADS);
	size_t unanswered = 0; /* of what arrived, in requests that got no answer */
	for (size_t i = 0; i < h2_server_request_count(r->server); i++) {
		const h2_request *request = h2_server_request_at(r->server, i);
		size_t records = arrivals_enter(&a, request->body, request->body_size);
		unanswered += request->answered ? 0 : records;
	}
	arrivals_close(&a);
	printf("%s: %u faults, %zu records accepted, %zu missing, %zu twice, %zu without an answer\n",
	       r->scenario->name, faults, a.accepted, a.missing, a.twice, unanswered);
	CHECK(a.missing == 0);
	if (r->scenario->impatient || r->scenario->in_flight > 1)
		CHECK(a.twice >= unanswered || r->scenario->in_flight > 1);
	else
		CHECK(a.twice == unanswered);
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
	emitters_of(r->emitters, THREADS, r->provider, RECORDS);
}

static void *
play(void *scenario_)
{
	const scenario *scenario = scenario_;
	run r = { .scenario = scenario };
	sdk_books books;
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
	emitters_check_books(r.emitters, THREADS, r.provider);
	sdk_take_books(r.provider, &books);
	bool answered = scenario->play.goaway_first || scenario->play.goaway_after;
	CHECK(answered || books.pipelines[0].retries >= faults);
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
	(void)state;
	threads_run(play, (void *)silent, sizeof silent / sizeof *silent, sizeof *silent);
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
