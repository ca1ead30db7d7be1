/* `otlog doctor` against destinations over gRPC that do not work, and ports that are mistaken for each other. */
#include "tests/faults/doctor_expect.h"
#include "tests/support/servers/certificates_fixture.h"
#include "tests/support/servers/grpc/grpc_server.h"
#include "tests/support/servers/raw_server.h"
#include "tests/support/servers/receiver.h"
#include "tests/support/servers/rpc_status.h"

#include <unistd.h>

#define ENDPOINT "OTEL_EXPORTER_OTLP_ENDPOINT"
#define GRPC "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"

static const char *
url_of(const char *scheme, unsigned port)
{
	static char url[64];
	snprintf(url, sizeof url, "%s://127.0.0.1:%u", scheme, port);
	return url;
}

static void
a_destination_that_works_gets_one_event(void **state)
{
	grpc_receiver *server = grpc_receiver_start(NULL);
	(void)state;
	EXPECT(TOOL_LIST(GRPC, setting(ENDPOINT, grpc_receiver_url(server))), NULL, NULL, "");
	assert_int_equal(grpc_receiver_record_count(server), 2); /* the doctor came twice */
	grpc_receiver_stop(server);
}

static void
nobody_listens(void **state)
{
	char url[64];
	int taken = raw_server_refuse(url, sizeof url);
	(void)state;
	EXPECT(TOOL_LIST(GRPC, setting(ENDPOINT, url)), "connection_refused", ENDPOINT, "Nobody listens on 127.0.0.1");
	close(taken);
	EXPECT(TOOL_LIST(GRPC, "OTEL_EXPORTER_OTLP_ENDPOINT=unix:/nonexistent/otlp.sock"), "connection_refused",
	       ENDPOINT, "the socket /nonexistent/otlp.sock");
	EXPECT(TOOL_LIST(GRPC, "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector.invalid:4317"), "name_not_found", ENDPOINT,
	       "No name server knows the host collector.invalid");
}

static void
the_ports_of_the_two_protocols_are_mixed_up(void **state)
{
	grpc_receiver *grpc = grpc_receiver_start(NULL);
	receiver *http = receiver_start(NULL);
	(void)state;
	EXPECT(TOOL_LIST(setting(ENDPOINT, url_of("http", grpc_receiver_port(grpc)))), "grpc_port",
	       "OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "This port speaks gRPC");
	EXPECT(TOOL_LIST(GRPC, setting(ENDPOINT, url_of("http", receiver_port(http)))), "http_port",
	       "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", "This port speaks HTTP/1.1");
	receiver_stop(http);
	grpc_receiver_stop(grpc);
}

static void
tls_where_there_is_none_and_the_other_way_round(void **state)
{
	grpc_receiver *plain = grpc_receiver_start(NULL);
	grpc_receiver *tls =
	    grpc_receiver_start(&(grpc_receiver_options){ .certificate = ours->certificate, .key = ours->key });
	(void)state;
	EXPECT(TOOL_LIST(GRPC, setting(ENDPOINT, url_of("https", grpc_receiver_port(plain)))), "plain_port",
	       "Write http:// in " ENDPOINT, "does not speak TLS");
	EXPECT(TOOL_LIST(GRPC, setting(ENDPOINT, url_of("http", grpc_receiver_port(tls)))), "tls_port",
	       "Write https:// in " ENDPOINT, "This port speaks TLS");
	grpc_receiver_stop(tls);
	grpc_receiver_stop(plain);
}

static void
certificates_that_do_not_hold(void **state)
{
	(void)state;
	for (size_t i = 0; i < BAD_CERTIFICATES; i++) {
		const shown_certificate c = bad_certificate(i, ENDPOINT);
		grpc_receiver *server = grpc_receiver_start(
		    &(grpc_receiver_options){ .certificate = c.shown->certificate, .key = c.shown->key });
		expect_bad_certificate(&c, ENDPOINT, url_of("https", grpc_receiver_port(server)), GRPC);
		grpc_receiver_stop(server);
	}
}

static void
answers_that_refuse(void **state)
{
	static rpc_status busy;
	(void)state;
	busy = rpc_status_with_delay(7, 0);
	const struct {
		grpc_receiver_reply reply;
		expectation expected;
	} cases[] = {
		{ { .status = 16 }, { "unauthorized", { "wants credentials" }, "OTEL_EXPORTER_OTLP_HEADERS", NULL } },
		{ { .status = 7 }, { "forbidden", { "credentials" }, "OTEL_EXPORTER_OTLP_HEADERS", NULL } },
		{ { .status = 12 }, { "not_found", { "receives no logs" }, ENDPOINT, NULL } },
		{ { .status = 8, .details = busy.bytes, .details_size = busy.size },
		  { "throttled", { "takes nothing now", "wait 7.0 s" }, "overloaded", NULL } },
		{ { .status = 14 }, { "unavailable", { "UNAVAILABLE" }, "", NULL } },
		{ { .hang = true }, { "timeout", { "in time" }, "OTEL_EXPORTER_OTLP_TIMEOUT", "0.3" } },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		grpc_receiver *server = grpc_receiver_start(NULL);
		grpc_receiver_reply reply = cases[i].reply;
		reply.times = GRPC_RECEIVER_FOREVER;
		grpc_receiver_script(server, &reply);
		const char *const environment[] = { GRPC, setting(ENDPOINT, grpc_receiver_url(server)), NULL };
		expect_text(environment, &cases[i].expected);
		expect_json(environment, &cases[i].expected);
		grpc_receiver_stop(server);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_destination_that_works_gets_one_event),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(the_ports_of_the_two_protocols_are_mixed_up),
		cmocka_unit_test(tls_where_there_is_none_and_the_other_way_round),
		cmocka_unit_test(certificates_that_do_not_hold),
		cmocka_unit_test(answers_that_refuse),
	};
	return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
