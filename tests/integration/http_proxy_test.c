/* Proxies, as users of curl expect them: by http_proxy, https_proxy, all_proxy and no_proxy. */
#include "tests/support/harness/cmocka.h"
#include "tests/support/sdk/diagnosed.h"
#include "tests/support/sdk/exporter_fixture.h"
#include "tests/support/servers/certificates.h"
#include "tests/support/servers/connect_proxy.h"
#include "tests/support/servers/raw_server.h"
#include "tests/support/servers/receiver.h"

#include <otlog/exporters.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONG_MS 30000

/* Known to no name server: only a proxy leads there. */
#define HOST "collector.invalid"

static const char *const variables[] = { "http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY",
	                                 "all_proxy",  "ALL_PROXY",  "no_proxy",    "NO_PROXY" };

static int
forget_environment(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
		unsetenv(variables[i]);
	diagnosed_begin();
	return 0;
}

/* Of the form http://user:secret@127.0.0.1:PORT. */
static void
set_proxy(const char *variable, unsigned port)
{
	char url[96];
	snprintf(url, sizeof url, "http://user:secret@127.0.0.1:%u", port);
	setenv(variable, url, 1);
}

static otlog_export_result
export_to(const char *url, const char *ca_file)
{
	const otlog_header token = { "Authorization", "Bearer secret" };
	otlog_exporter exporter = create_exporter(
	    otlog_otlp_http_exporter_create_sized,
	    &(otlog_otlp_options){ .endpoint = url, .headers = &token, .header_count = 1, .ca_file = ca_file });
	otlog_export_result result = export_and_close(exporter, LONG_MS);
	assert_null(strstr(result.message, "secret"));
	assert_false(diagnosed_says("secret"));
	return result;
}

static void
check_failure(const char *url, otlog_verdict verdict, const char *error_type, const char *cause, const char *remedy)
{
	otlog_export_result result = export_to(url, NULL);
	if (result.verdict != verdict || strcmp(result.error_type, error_type) != 0 || !strstr(result.message, cause) ||
	    !strstr(result.message, remedy))
		fail_msg("verdict %d, type %s: %s", (int)result.verdict, result.error_type, result.message);
}

/* ---- Through it -------------------------------------------------------------------------------------------------- */

static void
plain_requests_go_to_the_proxy_whole(void **state)
{
	receiver *server = receiver_start(NULL);
	connect_proxy *proxy = connect_proxy_start(receiver_port(server), 0);
	static const char *const by[] = { "http_proxy", "all_proxy", "ALL_PROXY" };
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		forget_environment(NULL);
		set_proxy(by[i], connect_proxy_port(proxy));
		otlog_export_result result = export_to("http://" HOST ":4318/v1/logs", NULL);
		if (result.verdict != OTLOG_VERDICT_OK)
			fail_msg("%s: %s", by[i], result.message);
		const char *head = connect_proxy_head(proxy);
		assert_true(strncmp(head, "POST http://" HOST ":4318/v1/logs HTTP/1.1\r\n", 50) == 0);
		assert_non_null(strstr(head, "Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n"));
	}
	assert_int_equal(connect_proxy_connections(proxy), 3);
	assert_int_equal(receiver_record_count(server), 9);
	connect_proxy_stop(proxy);
	receiver_stop(server);
}

static void
requests_over_tls_go_through_a_tunnel(void **state)
{
	certificate *ours = certificate_create("DNS:" HOST);
	receiver *server = receiver_start(&(receiver_options){ .certificate = ours->certificate, .key = ours->key });
	connect_proxy *proxy = connect_proxy_start(receiver_port(server), 0);
	static const char *const by[] = { "https_proxy", "HTTPS_PROXY", "all_proxy" };
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		forget_environment(NULL);
		set_proxy(by[i], connect_proxy_port(proxy));
		otlog_export_result result = export_to("https://" HOST "/v1/logs", ours->certificate_file);
		if (result.verdict != OTLOG_VERDICT_OK)
			fail_msg("%s: %s", by[i], result.message);
		const char *head = connect_proxy_head(proxy);
		assert_true(strncmp(head, "CONNECT " HOST ":443 HTTP/1.1\r\n", 39) == 0);
		assert_non_null(strstr(head, "Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n"));
		assert_null(strstr(head, "Bearer")); /* ours are the collector's alone */
		const receiver_request *request = receiver_request_at(server, i);
		assert_null(receiver_header(request, "Proxy-Authorization"));
		assert_string_equal(receiver_header(request, "Authorization"), "Bearer secret");
	}
	connect_proxy_stop(proxy);
	receiver_stop(server);
	certificate_free(ours);
}

/* 0.0.0.0 leads to this machine, but is no name of the loopback, which no proxy is asked for. */
static void
no_proxy_names_who_is_reached_without(void **state)
{
	static const struct {
		const char *no_proxy;
		unsigned proxied;
	} rows[] = { { "", 1 }, { "0.0.0.0", 0 }, { "example.org, 0.0.0.0", 0 }, { "*", 0 }, { "example.org", 1 } };
	receiver *server = receiver_start(NULL);
	char url[64];
	(void)state;
	snprintf(url, sizeof url, "http://0.0.0.0:%u/v1/logs", receiver_port(server));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		connect_proxy *proxy = connect_proxy_start(receiver_port(server), 0);
		set_proxy("http_proxy", connect_proxy_port(proxy));
		setenv("no_proxy", rows[i].no_proxy, 1);
		assert_int_equal(export_to(url, NULL).verdict, OTLOG_VERDICT_OK);
		assert_int_equal(connect_proxy_connections(proxy), rows[i].proxied);
		connect_proxy_stop(proxy);
	}
	receiver_stop(server);
}

/* In a CGI program that variable is a header of the request: curl does not read it, and neither do we. */
static void
http_proxy_in_capitals_is_not_read(void **state)
{
	receiver *server = receiver_start(NULL);
	connect_proxy *proxy = connect_proxy_start(receiver_port(server), 0);
	char url[64];
	(void)state;
	snprintf(url, sizeof url, "http://0.0.0.0:%u/v1/logs", receiver_port(server));
	set_proxy("HTTP_PROXY", connect_proxy_port(proxy));
	assert_int_equal(export_to(url, NULL).verdict, OTLOG_VERDICT_OK);
	assert_int_equal(connect_proxy_connections(proxy), 0);
	connect_proxy_stop(proxy);
	receiver_stop(server);
}

/* ---- Not through it ---------------------------------------------------------------------------------------------- */

static void
check_refusals(unsigned status, const char *tunnel_type, const char *plain_type, const char *remedy)
{
	connect_proxy *proxy = connect_proxy_start(0, status);
	set_proxy("http_proxy", connect_proxy_port(proxy));
	set_proxy("https_proxy", connect_proxy_port(proxy));
	check_failure("https://" HOST "/v1/logs", OTLOG_VERDICT_RETRY, tunnel_type, "the proxy", remedy);
	check_failure("http://" HOST "/v1/logs", status == 503 ? OTLOG_VERDICT_RETRY : OTLOG_VERDICT_DROP, plain_type,
	              "answered", "");
	connect_proxy_stop(proxy);
}

static void
a_proxy_that_refuses_is_named_as_such(void **state)
{
	(void)state;
	check_refusals(407, "proxy_authentication", "407", "Set the credentials in https_proxy");
	check_refusals(403, "proxy_denied", "403", "Have the proxy allow it");
	check_refusals(503, "proxy_denied", "503", "Have the proxy allow it");
}

static void
a_proxy_where_nobody_listens_is_not_the_collector(void **state)
{
	char url[64];
	int taken = raw_server_refuse(url, sizeof url);
	(void)state;
	setenv("http_proxy", url, 1);
	setenv("https_proxy", url, 1);
	check_failure("http://" HOST "/v1/logs", OTLOG_VERDICT_RETRY, "proxy_refused", "no connection to the proxy",
	              "Start the proxy, or check http_proxy");
	check_failure("https://" HOST "/v1/logs", OTLOG_VERDICT_RETRY, "proxy_refused", "no connection to the proxy",
	              "Start the proxy, or check http_proxy");

	/* And the collector, where it is not proxied, is not the proxy. */
	char direct[64];
	snprintf(direct, sizeof direct, "http://0.0.0.0%s", strrchr(url, ':'));
	setenv("no_proxy", "0.0.0.0", 1);
	check_failure(direct, OTLOG_VERDICT_RETRY, "connection_refused", "nobody listens at http://0.0.0.0:", "");
	close(taken);
}

static void
a_proxy_that_cannot_be_is_named_without_its_password(void **state)
{
	static const struct {
		const char *proxy, *error_type;
	} rows[] = {
		{ "http://user:secret@proxy.invalid:3128", "proxy_not_found" },
		{ "http://user:secret@127.0.0.1:99999", "proxy_not_found" },
		{ "http://user:secret@:x", "proxy_not_found" },
		{ "bogus://user:secret@127.0.0.1:1", "proxy_refused" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		setenv("http_proxy", rows[i].proxy, 1);
		check_failure("http://" HOST "/v1/logs", OTLOG_VERDICT_RETRY, rows[i].error_type, "proxy",
		              "http_proxy");
	}
}

static void
what_is_no_proxy_is_said_to_be_none(void **state)
{
	const raw_play play = { .read = RAW_READ_NOTHING, .answer = "\x7fgarbage\r\n\r\n", .end = RAW_END_CLOSE };
	raw_server *server = raw_server_start(&play, 1);
	char proxy[96];
	(void)state;
	snprintf(proxy, sizeof proxy, "socks5%.*s", (int)strcspn(raw_server_url(server) + 4, "v") - 1,
	         raw_server_url(server) + 4);
	setenv("http_proxy", proxy, 1);
	check_failure("http://" HOST "/v1/logs", OTLOG_VERDICT_RETRY, "proxy_failed", "the proxy cannot be used",
	              "Check http_proxy");
	raw_server_stop(server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(plain_requests_go_to_the_proxy_whole, forget_environment),
		cmocka_unit_test_setup(requests_over_tls_go_through_a_tunnel, forget_environment),
		cmocka_unit_test_setup(no_proxy_names_who_is_reached_without, forget_environment),
		cmocka_unit_test_setup(http_proxy_in_capitals_is_not_read, forget_environment),
		cmocka_unit_test_setup(a_proxy_that_refuses_is_named_as_such, forget_environment),
		cmocka_unit_test_setup(a_proxy_where_nobody_listens_is_not_the_collector, forget_environment),
		cmocka_unit_test_setup(a_proxy_that_cannot_be_is_named_without_its_password, forget_environment),
		cmocka_unit_test_setup(what_is_no_proxy_is_said_to_be_none, forget_environment),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
