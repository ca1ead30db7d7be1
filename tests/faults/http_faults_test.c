/*
 * A bad network between the whole SDK and an HTTP receiver: after each fault the receiver has every record that emit
 * accepted, and has one twice only where it had taken the request before its answer was lost. OTLOG_FAULTS_FACTOR times
 * as many repetitions: 1 unless set.
 */
#include "tests/support/harness/check.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/harness/factor.h"
#include "tests/support/harness/threads.h"
#include "tests/support/sdk/emitters.h"
#include "tests/support/sdk/sdk_fixture.h"
#include "tests/support/servers/certificates.h"
#include "tests/support/servers/net_faults.h"
#include "tests/support/servers/receiver.h"
#include "tests/support/sdk/sdk_books.h"
#include "tests/support/sdk/sdk_fixture.h"

#include <otlog/otlog.h>

#include <stdio.h>
#include <stdlib.h>

#define REPETITIONS 20
#define THREADS 2
#define RECORDS 25 /* of a thread, for each fault */
#define FLUSH_MS 20000

/* Requests that wait for an answer in vain end after this. */
#define IMPATIENT_MS 300
#define PATIENT_MS 20000

typedef struct scenario {
	net_fault fault;
	const char *name;
	uint64_t timeout_ms;
	bool server_has_it; /* when the fault comes */
	bool tls;
} scenario;

typedef struct run {
	const scenario *scenario;
	unsigned repetitions;
	receiver *receiver;
	net_faults *net;
	otlog_provider *provider;
	emitter emitters[THREADS];
} run;

/* ---- Comparing --------------------------------------------------------------------------------------------------- */

/* Every accepted record has come, none that was not, and as many twice as lost answers explain. */
static void
compare_records(run *r)
{
	arrivals a = arrivals_open(r->emitters, THREADS);
	for (size_t i = 0; i < receiver_request_count(r->receiver); i++) {
		const receiver_request *request = receiver_request_at(r->receiver, i);
		if (request->status == 200)
			arrivals_enter(&a, request->body, request->body_size);
	}
	arrivals_close(&a);
	CHECK(a.arrived == receiver_record_count(r->receiver));
	unsigned lost = net_faults_lost_answers(r->net);
	printf("%s: %u faults, %zu records accepted, %zu missing, %zu twice, %u answers lost\n", r->scenario->name,
	       net_faults_played(r->net), a.accepted, a.missing, a.twice, lost);
	CHECK(a.missing == 0);
	CHECK(a.twice <= (size_t)lost * THREADS * RECORDS);
	CHECK(!r->scenario->server_has_it || a.twice >= r->repetitions);
}

/* ---- A scenario -------------------------------------------------------------------------------------------------- */

static void
start(run *r, const certificate *certificate)
{
	char url[64];
	const receiver_options tls = { .certificate = certificate ? certificate->certificate : NULL,
		                       .key = certificate ? certificate->key : NULL };
	otlog_pipeline_options pipeline = { .schedule_delay_ms = 10,
		                            .export_timeout_ms = r->scenario->timeout_ms,
		                            .retry_initial_ms = 1,
		                            .retry_cap_ms = 5 };
	r->receiver = receiver_start(&tls);
	r->net = net_faults_start(receiver_port(r->receiver), r->scenario->tls);
	snprintf(url, sizeof url, "http%s://127.0.0.1:%u/v1/logs", r->scenario->tls ? "s" : "",
	         net_faults_port(r->net));
	const otlog_otlp_options options = { .endpoint = url,
		                             .ca_file = certificate ? certificate->certificate_file : NULL };
	CHECK(otlog_otlp_http_exporter_create(&options, &pipeline.exporter));
	r->provider = otlog_provider_create(&(otlog_options){
	    .pipelines = &pipeline, .pipeline_count = 1, .queue_bytes = 1 << 20, .diagnostic = sdk_silence });
	CHECK(r->provider);
	emitters_of(r->emitters, THREADS, r->provider, RECORDS);
}

static void *
play(void *scenario_)
{
	const scenario *scenario = scenario_;
	run r = { .scenario = scenario, .repetitions = faults_count(REPETITIONS) };
	certificate *certificate = scenario->tls ? certificate_create("IP:127.0.0.1") : NULL;
	start(&r, certificate);
	emitters_run(r.emitters, THREADS); /* a connection stands before the first fault */
	CHECK(otlog_provider_flush(r.provider, FLUSH_MS) == OTLOG_DELIVERED);
	for (unsigned i = 0; i < r.repetitions; i++) {
		net_faults_arm(r.net, scenario->fault);
		emitters_run(r.emitters, THREADS);
		CHECK(otlog_provider_flush(r.provider, FLUSH_MS) == OTLOG_DELIVERED);
		CHECK(net_faults_played(r.net) == i + 1);
	}
	CHECK(otlog_provider_shutdown(r.provider, FLUSH_MS) == OTLOG_DELIVERED);
	compare_records(&r);
	emitters_check_books(r.emitters, THREADS, r.provider);
	otlog_provider_destroy(r.provider);
	net_faults_stop(r.net);
	receiver_stop(r.receiver);
	certificate_free(certificate);
	return NULL;
}

static const scenario broken[] = {
	{ NET_RESET_AT_ONCE, "reset at once", PATIENT_MS, .server_has_it = false },
	{ NET_RESET_BEFORE_BODY, "reset before the body", PATIENT_MS, .server_has_it = false },
	{ NET_RESET_IN_BODY, "reset within the body", PATIENT_MS, .server_has_it = false },
	{ NET_GARBAGE, "garbage", PATIENT_MS, .server_has_it = false },
	{ NET_RESET_AFTER_BODY, "reset after the body", PATIENT_MS, .server_has_it = true },
	{ NET_CLOSE_AFTER_BODY, "closed after the body", PATIENT_MS, .server_has_it = true },
	{ NET_HALF_ANSWER, "half an answer", PATIENT_MS, .server_has_it = true },
};

static const scenario silent[] = {
	{ NET_BLACK_HOLE, "black hole", IMPATIENT_MS, .server_has_it = false },
	{ NET_SILENCE_AFTER_BODY, "silence after the body", IMPATIENT_MS, .server_has_it = true },
	{ NET_SLOW_ANSWER, "a byte a second", IMPATIENT_MS, .server_has_it = true },
	{ NET_STALL, "a handshake of TLS that stalls", IMPATIENT_MS, .server_has_it = false, .tls = true },
};

static void
connections_that_break_lose_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
		play((void *)&broken[i]);
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
		cmocka_unit_test(peers_that_say_nothing_lose_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
