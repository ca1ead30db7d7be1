/*
 * Whatever the environment says, the SDK runs: a bad value is named once, and the default holds, which is where the
 * records go. Over gRPC: grpc_bad_settings_test.c.
 */
#include "tests/support/harness/cmocka.h"
#include "tests/support/harness/own_network.h"
#include "tests/support/sdk/diagnosed.h"
#include "tests/support/servers/receiver.h"

#include <otlog/otlog.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLUSH_MS 20000
#define DEFAULT_PORT 4318

static bool alone; /* in a network of our own: the default port is free */

/* Starts the SDK by the environment alone, and brings one record to the default destination. */
static void
check_default_holds(const char *variable, const char *value)
{
	receiver *server = alone ? receiver_start(&(receiver_options){ .port = DEFAULT_PORT }) : NULL;
	setenv(variable, value, 1);
	diagnosed_begin();
	if (!otlog_start(&(otlog_options){ .diagnostic = diagnosed_take }))
		fail_msg("%s=%s keeps the SDK off", variable, value);
	assert_int_equal(diagnosed_count(), 1);
	assert_true(diagnosed_says(variable) && diagnosed_says("used instead") && !diagnosed_says("hush"));
	otlog_logger *logger = otlog_get_logger("bad settings", NULL);
	assert_int_equal(otlog_emit(logger, &(otlog_record){ .body = otlog_string("arrives") }), OTLOG_EMIT_ACCEPTED);
	if (alone) {
		assert_int_equal(otlog_flush(FLUSH_MS), OTLOG_DELIVERED);
		assert_int_equal(receiver_record_count(server), 1);
		assert_string_equal(receiver_request_at(server, 0)->path, "/v1/logs");
	}
	otlog_shutdown(alone ? FLUSH_MS : 0);
	unsetenv(variable);
	receiver_stop(server);
}

static void
a_bad_endpoint_is_named_and_the_default_holds(void **state)
{
	static const char *const bad[] = {
		"http://a%20b:4318", "http://[zz]:4318",        "http://a:hush@b@h:4318", "http://[::1%25]:4318",
		"http://h%41st",     "http://u:%zzhush@h:4318", "http://u:hush%0a@h",     "localhost:4318",
		"http://h:0",        "http://::1:4318",         "http://256.0.0.1",
	};
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		check_default_holds("OTEL_EXPORTER_OTLP_ENDPOINT", bad[i]);
		check_default_holds("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", bad[i]);
	}
}

static void
a_url_that_is_too_long_with_its_path_is_one(void **state)
{
	char url[8192 + 1];
	(void)state;
	memset(url, 'a', sizeof url);
	memcpy(url, "http://localhost:4318/", strlen("http://localhost:4318/"));
	url[sizeof url - 1] = '\0';
	check_default_holds("OTEL_EXPORTER_OTLP_ENDPOINT", url);
}

static void
bad_headers_are_named_and_left_out(void **state)
{
	static const char *const bad[] = { "a b=hush", "x-a=hush%0a", "hush", "x-a=hush%zz", "x-\xc3\xa4=hush" };
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		check_default_holds("OTEL_EXPORTER_OTLP_HEADERS", bad[i]);
}

static void
a_bad_log_server_leaves_the_others_as_they_are(void **state)
{
	static const char *const bad[] = { "https://a:hu@sh@mito.example/in", "http://[zz]/", "http://a%20b/" };
	(void)state;
	setenv("MITO_CONFIG_VERSION", "2", 1);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		check_default_holds("MITO_CONFIG_LOG_SERVER_URL", bad[i]);
	unsetenv("MITO_CONFIG_VERSION");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bad_endpoint_is_named_and_the_default_holds),
		cmocka_unit_test(a_url_that_is_too_long_with_its_path_is_one),
		cmocka_unit_test(bad_headers_are_named_and_left_out),
		cmocka_unit_test(a_bad_log_server_leaves_the_others_as_they_are),
	};
	alone = own_network_enter();
	if (!alone)
		print_message("no network of our own here: not shown that the default destination gets the records\n");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
