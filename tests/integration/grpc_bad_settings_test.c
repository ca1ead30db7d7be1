/* As bad_settings_test.c, by the rules of gRPC. */
#include "tests/support/harness/cmocka.h"
#include "tests/support/harness/own_network.h"
#include "tests/support/harness/sanitized.h"
#include "tests/support/sdk/diagnosed.h"
#include "tests/support/servers/grpc/grpc_server.h"

#include <otlog/otlog.h>

#include <stdio.h>
#include <stdlib.h>

#define FLUSH_MS 20000
#define DEFAULT_PORT 4317

LEAKS_OF_CARES_ARE_NOT_OURS

static bool alone; /* in a network of our own: the default port is free */

static void
check_default_holds(const char *variable, const char *value)
{
	grpc_receiver *server = alone ? grpc_receiver_start(&(grpc_receiver_options){ .port = DEFAULT_PORT }) : NULL;
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
		assert_int_equal(grpc_receiver_record_count(server), 1);
	}
	otlog_shutdown(alone ? FLUSH_MS : 0);
	unsetenv(variable);
	grpc_receiver_stop(server);
}

static void
a_bad_endpoint_is_named_and_the_default_holds(void **state)
{
	static const char *const bad[] = {
		"http://a%20b:4317", "http://[zz]:4317", "http://me:hush@h:4317",
		"ftp://h",           "ipv4:no-number",   "ipv4:127.0.0.1",
		"ipv6:[zz]:1",       "dns://h",          "unix:",
		"unix://a/b",        "unix:/a#b#c",      "h:0",
	};
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		check_default_holds("OTEL_EXPORTER_OTLP_ENDPOINT", bad[i]);
		check_default_holds("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", bad[i]);
	}
}

static void
bad_headers_are_named_and_left_out(void **state)
{
	static const char *const bad[] = { "x-a=hush\xc3\xa4", "x-a=hush%C3%A4", "x~a=hush", "x-a=hush%09" };
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		check_default_holds("OTEL_EXPORTER_OTLP_HEADERS", bad[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bad_endpoint_is_named_and_the_default_holds),
		cmocka_unit_test(bad_headers_are_named_and_left_out),
	};
	alone = own_network_enter();
	if (!alone)
		print_message("no network of our own here: not shown that the default destination gets the records\n");
	otlog_register_otlp_grpc(otlog_otlp_grpc_exporter_create_sized);
	setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
