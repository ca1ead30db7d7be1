/*
 * What people and machines are told when an HTTP exporter fails, failure by failure, with real peers: cause, remedy and
 * error type, and no secret in any of it.
 */
#include "tests/support/harness/check.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/sdk/diagnosed.h"
#include "tests/support/sdk/exporter_fixture.h"
#include "tests/support/servers/certificates.h"
#include "tests/support/servers/raw_server.h"
#include "tests/support/servers/receiver.h"

#include <otlog/exporters.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LONG_MS 30000

/* In the URL's user information and query, and in a header. */
#define SECRET_URL "http://user:hush-password@127.0.0.1:%u/v1/logs?key=hush-query"
static const otlog_header secret_header = { "Authorization", "Bearer hush-token" };

static otlog_export_result
export_as(const otlog_otlp_options *options, uint64_t timeout_ms)
{
	otlog_exporter exporter = create_exporter(otlog_otlp_http_exporter_create_sized, options);
	otlog_export_result result = export_and_close(exporter, timeout_ms);
	assert_null(strstr(result.message, "hush"));
	assert_false(diagnosed_says("hush"));
	return result;
}

/* To this port, with every kind of secret. */
static otlog_export_result
export_secretly(unsigned port, uint64_t timeout_ms)
{
	char url[128];
	snprintf(url, sizeof url, SECRET_URL, port);
	return export_as(&(otlog_otlp_options){ .endpoint = url, .headers = &secret_header, .header_count = 1 },
	                 timeout_ms);
}

static void
check_result(otlog_export_result result, const char *error_type, const char *cause, const char *remedy)
{
	if (strcmp(result.error_type, error_type) != 0 || !strstr(result.message, cause) ||
	    !strstr(result.message, remedy))
		fail_msg("type %s: %s", result.error_type, result.message);
}

static unsigned
port_of(const char *url)
{
	return (unsigned)strtoul(strrchr(url, ':') + 1, NULL, 10);
}

/* ---- Statuses ---------------------------------------------------------------------------------------------------- */

static void
refusals_quote_the_server_but_no_secret(void **state)
{
	static const struct {
		unsigned status;
		const char *phrase, *remedy;
	} rows[] = {
		{ 400, "400 Bad Request", "Check that a receiver of logs listens there: OTEL_EXPORTER_OTLP_ENDPOINT" },
		{ 401, "401 Unauthorized", "Set the credentials in OTEL_EXPORTER_OTLP_HEADERS" },
		{ 403, "403 Forbidden", "Check the credentials in OTEL_EXPORTER_OTLP_HEADERS" },
		{ 404, "404 Not Found", "Check the path in OTEL_EXPORTER_OTLP_ENDPOINT" },
		{ 413, "413 Content Too Large", "Lower OTEL_BLRP_MAX_EXPORT_BATCH_SIZE" },
		{ 429, "429 Too Many Requests", "Send less" },
		{ 503, "503 Service Unavailable", "overloaded or starting" },
		{ 500, "500", "See the server's log" },
	};
	static const char words[] = "Bearer hush-token, user:hush-password and key=hush-query will not do";
	static const otlog_header plain = { "Content-Type", "text/plain" };
	receiver *server = receiver_start(NULL);
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char number[16];
		snprintf(number, sizeof number, "%u", rows[i].status);
		receiver_script(server, &(receiver_reply){ .status = rows[i].status,
		                                           .headers = &plain,
		                                           .header_count = 1,
		                                           .body = words,
		                                           .body_size = sizeof words - 1 });
		otlog_export_result result = export_secretly(receiver_port(server), LONG_MS);
		check_result(result, number, rows[i].phrase, rows[i].remedy);
		assert_non_null(strstr(result.message, "***, user:*** and *** will not do"));
	}
	receiver_stop(server);
}

static void
partial_success_and_warnings_have_no_secret_either(void **state)
{
	/* ExportLogsServiceResponse{ partial_success{ rejected_log_records, error_message } } */
	char answers[2][64];
	receiver *server = receiver_start(NULL);
	(void)state;
	/* The first rejects none, the second two. */
	for (int i = 0; i < 2; i++) {
		static const char text[] = "see hush-token";
		memcpy(answers[i], "\x0a\x12\x08\x00\x12\x0e", 6);
		answers[i][3] = (char)(2 * i);
		memcpy(answers[i] + 6, text, sizeof text - 1);
		receiver_script(server, &(receiver_reply){ .body = answers[i], .body_size = 6 + sizeof text - 1 });
	}
	assert_int_equal(export_secretly(receiver_port(server), LONG_MS).verdict, OTLOG_VERDICT_OK);
	assert_true(diagnosed_says("\"see ***\""));
	otlog_export_result result = export_secretly(receiver_port(server), LONG_MS);
	assert_int_equal(result.verdict, OTLOG_VERDICT_PARTIAL);
	check_result(result, "partial_success", "refused 2 of 3 records: \"see ***\"", "Correct what it names");
	receiver_stop(server);
}

/* ---- Connections ------------------------------------------------------------------------------------------------- */

static otlog_export_result
export_to_raw(raw_play play, uint64_t timeout_ms)
{
	raw_server *server = raw_server_start(&play, 1);
	otlog_export_result result = export_secretly(port_of(raw_server_url(server)), timeout_ms);
	raw_server_stop(server);
	assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
	return result;
}

static void
failures_without_tls_are_told_apart(void **state)
{
	/* The first word of a gRPC server, an alert of TLS, what Go says on a port of TLS. */
	static const char settings[] = "\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x05\x00\x00\x40\x00";
	static const char alert[] = "\x15\x03\x01\x00\x02\x02\x46";
	static const char go[] = "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
	char url[64];
	int taken = raw_server_refuse(url, sizeof url);
	(void)state;
	check_result(export_secretly(port_of(url), LONG_MS), "connection_refused",
	             "nobody listens at http://127.0.0.1:", "Start the collector or set OTEL_EXPORTER_OTLP_ENDPOINT");
	close(taken);
	check_result(export_as(&(otlog_otlp_options){ .endpoint = "http://no-such-host.invalid/v1/logs" }, 5000),
	             "name_not_found", "unknown host", "Check the name server and OTEL_EXPORTER_OTLP_ENDPOINT");
	check_result(export_to_raw((raw_play){ .read = RAW_READ_NOTHING, .end = RAW_END_HOLD }, 100), "timeout",
	             "no answer in time", "raise OTEL_EXPORTER_OTLP_TIMEOUT");
	check_result(export_to_raw((raw_play){ .read = RAW_READ_REQUEST, .end = RAW_END_RESET }, LONG_MS),
	             "connection_broken", "the connection broke", "See why the server closes it");
	check_result(export_to_raw((raw_play){ .read = RAW_READ_REQUEST, .end = RAW_END_CLOSE }, LONG_MS), "no_answer",
	             "closed without an answer", "See why the server closes it");
	check_result(export_to_raw((raw_play){ .read = RAW_READ_REQUEST,
	                                       .answer = settings,
	                                       .answer_size = sizeof settings - 1,
	                                       .end = RAW_END_HOLD },
	                           LONG_MS),
	             "wrong_protocol", "as gRPC does", "OTLP/HTTP is usually on port 4318, gRPC on 4317");
	check_result(export_to_raw((raw_play){ .read = RAW_READ_REQUEST,
	                                       .answer = alert,
	                                       .answer_size = sizeof alert - 1,
	                                       .end = RAW_END_HOLD },
	                           LONG_MS),
	             "wrong_protocol", "it wants TLS", "Write https:// in OTEL_EXPORTER_OTLP_ENDPOINT");
	check_result(export_to_raw((raw_play){ .read = RAW_READ_REQUEST, .answer = go }, LONG_MS), "wrong_protocol",
	             "an HTTP request to an HTTPS server", "Write https:// in OTEL_EXPORTER_OTLP_ENDPOINT");
	check_result(
	    export_to_raw((raw_play){ .read = RAW_READ_REQUEST, .answer = "NICK x\r\n", .end = RAW_END_HOLD }, LONG_MS),
	    "wrong_protocol", "not HTTP/1.1", "check OTEL_EXPORTER_OTLP_ENDPOINT");
}

static void
plain_http_to_a_real_server_of_tls_is_named(void **state)
{
	certificate *ours = certificate_create("IP:127.0.0.1");
	receiver *server = receiver_start(&(receiver_options){ .certificate = ours->certificate, .key = ours->key });
	(void)state;
	otlog_export_result result = export_secretly(receiver_port(server), LONG_MS);
	assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
	check_result(result, "no_answer", "closed without an answer", /* GnuTLS closes without a word */
	             "or write https:// in OTEL_EXPORTER_OTLP_ENDPOINT if it wants TLS");
	receiver_stop(server);
	certificate_free(ours);
}

static void
an_attempt_that_was_cancelled_says_so(void **state)
{
	receiver *server = receiver_start(NULL);
	attempt running;
	otlog_exporter exporter = create_exporter(otlog_otlp_http_exporter_create_sized,
	                                          &(otlog_otlp_options){ .endpoint = receiver_url(server) });
	(void)state;
	receiver_script(server, &(receiver_reply){ .part = RECEIVER_HANG });
	start_attempts(&running, 1, exporter, 0);
	receiver_wait_requests(server, 1);
	exporter.functions->cancel(exporter.self);
	join_attempts(&running, 1, OTLOG_VERDICT_RETRY);
	check_result(running.result, "cancelled", "cut short", "shutting down");
	close_exporter(exporter);
	receiver_stop(server);
}

/* ---- Endpoints --------------------------------------------------------------------------------------------------- */

static void
the_path_is_sent_as_it_is_written(void **state)
{
	static const struct {
		const char *form, *path;
	} rows[] = {
		{ "http://127.0.0.1:%u", "/" },
		{ "http://127.0.0.1:%u/", "/" },
		{ "HTTP://127.0.0.1:%u/v1/logs/", "/v1/logs/" },
		{ "http://127.0.0.1:%u//a//b/v1/logs", "//a//b/v1/logs" },
		{ "http://localhost:%u/prefix/v1/logs", "/prefix/v1/logs" },
		{ "http://user:hush@127.0.0.1:%u/in", "/in" },
		{ "http://127.0.0.1:0%u/in", "/in" },
	};
	receiver *server = receiver_start(NULL);
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char url[128];
		snprintf(url, sizeof url, rows[i].form, receiver_port(server));
		otlog_export_result result = export_as(&(otlog_otlp_options){ .endpoint = url }, LONG_MS);
		if (result.verdict != OTLOG_VERDICT_OK)
			fail_msg("%s: %s", url, result.message);
		assert_string_equal(receiver_request_at(server, i)->path, rows[i].path);
	}
	receiver_stop(server);
}

/* A listener on [::1] that answers one request; -1 if this machine has no IPv6. */
static int
listen_on_ipv6(unsigned *port)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
	socklen_t size = sizeof address;
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 1) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
		close(fd);
		return -1;
	}
	*port = ntohs(address.sin6_port);
	return fd;
}

static void *
answer_one(void *listener)
{
	static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
	int fd = accept(*(int *)listener, NULL, NULL);
	char request[4096];
	CHECK(fd >= 0 && recv(fd, request, sizeof request, 0) > 0);
	CHECK(send(fd, ok, sizeof ok - 1, MSG_NOSIGNAL) == sizeof ok - 1);
	while (recv(fd, request, sizeof request, 0) > 0)
		;
	close(fd);
	return NULL;
}

static void
an_ipv6_address_in_brackets_is_reached(void **state)
{
	unsigned port = 0;
	char url[64];
	pthread_t thread;
	int listener = listen_on_ipv6(&port);
	(void)state;
	if (listener < 0) {
		print_message("no IPv6 here\n");
		skip();
	}
	snprintf(url, sizeof url, "http://[::1]:%u/v1/logs", port);
	assert_int_equal(pthread_create(&thread, NULL, answer_one, &listener), 0);
	assert_int_equal(export_as(&(otlog_otlp_options){ .endpoint = url }, LONG_MS).verdict, OTLOG_VERDICT_OK);
	pthread_join(thread, NULL);
	close(listener);
	check_result(export_as(&(otlog_otlp_options){ .endpoint = url }, LONG_MS), "connection_refused", url, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals_quote_the_server_but_no_secret),
		cmocka_unit_test(partial_success_and_warnings_have_no_secret_either),
		cmocka_unit_test(failures_without_tls_are_told_apart),
		cmocka_unit_test(plain_http_to_a_real_server_of_tls_is_named),
		cmocka_unit_test(an_attempt_that_was_cancelled_says_so),
		cmocka_unit_test(the_path_is_sent_as_it_is_written),
		cmocka_unit_test(an_ipv6_address_in_brackets_is_reached),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
