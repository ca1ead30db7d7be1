/* The OTLP/gRPC exporter against what is no gRPC server. SIGPIPE keeps its default action. */
#include "tests/support/harness/cmocka.h"
#include "tests/support/records/otlp_request.h"
#include "tests/support/servers/grpc/grpc_exporter.h"
#include "tests/support/servers/raw_server.h"
#include "tests/support/servers/receiver.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LONG_MS 30000

/*
 * Sends twice, so that also the second attempt tells of its own failure; the batch must be kept both times. NULL: any
 * type.
 */
static void
check_kept(const char *url, uint64_t timeout_ms, const char *error_type, const char *says)
{
	otlog_exporter exporter = create_grpc_exporter(&(otlog_otlp_options){ .endpoint = url }, NULL);
	otlog_batch batch = otlp_request_create(300, 1000);
	for (int i = 0; i < 2; i++) {
		otlog_export_result result = export_batch(exporter, &batch, timeout_ms);
		assert_kept(result, error_type, says, "OTEL_EXPORTER_OTLP_");
		assert_non_null(strstr(result.message, url));
	}
	otlp_request_free(&batch);
	close_exporter(exporter);
}

/* The raw server's URL has a path, which messages leave out. */
static void
check_raw(const raw_play *play, const char *scheme, uint64_t timeout_ms, const char *error_type, const char *says)
{
	char url[64];
	raw_server *server = raw_server_start(play, 1);
	snprintf(url, sizeof url, "%s%s", scheme, strstr(raw_server_url(server), "://"));
	*strstr(url, "/v1/logs") = '\0';
	check_kept(url, timeout_ms, error_type, says);
	raw_server_stop(server);
}

static void
nobody_listening_is_said_at_once(void **state)
{
	char url[64];
	int taken = raw_server_refuse(url, sizeof url);
	char *path = strstr(url, "/v1");
	(void)state;
	if (path)
		*path = '\0';
	check_kept(url, LONG_MS, "connection_refused", "nobody listens");
	close(taken);
}

static void
an_unknown_host_is_said(void **state)
{
	(void)state;
	check_kept("http://no-such-host.invalid:4317", LONG_MS, "name_not_found", "unknown host");
}

static void
an_http_1_server_is_recognised(void **state)
{
	char url[64];
	receiver *server = receiver_start(NULL);
	(void)state;
	snprintf(url, sizeof url, "http://127.0.0.1:%u", receiver_port(server));
	check_kept(url, LONG_MS, "wrong_protocol", "4318");
	receiver_stop(server);
}

static void
garbage_and_closed_connections_keep_the_batch(void **state)
{
	/* A SETTINGS frame, then one of a type and length that make no sense. */
	static const char frames[] = "\0\0\0\4\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff";
	raw_play play = { .answer = "\x01\xff garbage that is longer than a frame's head\r\n", .end = RAW_END_CLOSE };
	(void)state;
	check_raw(&play, "http", LONG_MS, "wrong_protocol", "not HTTP/2");
	check_raw(&play, "https", LONG_MS, "wrong_protocol", "TLS");
	play.answer = frames;
	play.answer_size = sizeof frames - 1;
	check_raw(&play, "http", LONG_MS, NULL, "");
	play.answer = NULL;
	check_raw(&play, "http", LONG_MS, "connection_broken", "closed");
	check_raw(&play, "https", LONG_MS, NULL, "");
	play.end = RAW_END_RESET;
	check_raw(&play, "http", LONG_MS, "connection_broken", "closed");
	check_raw(&play, "https", LONG_MS, NULL, "");
}

static void
silence_costs_the_time_out(void **state)
{
	/* An empty SETTINGS frame: a server that shakes hands and says no more, nor reads. */
	static const char settings[] = "\0\0\0\4\0\0\0\0\0";
	raw_play play = { .end = RAW_END_HOLD };
	(void)state;
	check_raw(&play, "http", 50, "timeout", "OTEL_EXPORTER_OTLP_TIMEOUT");
	check_raw(&play, "https", 50, "timeout", "OTEL_EXPORTER_OTLP_TIMEOUT");
	play.answer = settings;
	play.answer_size = sizeof settings - 1;
	check_raw(&play, "http", 50, "timeout", "OTEL_EXPORTER_OTLP_TIMEOUT");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_listening_is_said_at_once),
		cmocka_unit_test(an_unknown_host_is_said),
		cmocka_unit_test(an_http_1_server_is_recognised),
		cmocka_unit_test(garbage_and_closed_connections_keep_the_batch),
		cmocka_unit_test(silence_costs_the_time_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
