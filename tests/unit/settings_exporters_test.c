/* OTEL_LOGS_EXPORTER, and what the protocol makes of the endpoint. */
#include "tests/unit/settings_reading.h"

/* Exactly one warning, with both in it. */
static void
assert_warned(const char *first, const char *second)
{
	assert_int_equal(said.count, 1);
	assert_int_equal(said.level, OTLOG__WARN);
	if (!strstr(said.text[0], first) || !strstr(said.text[0], second) || !strstr(said.text[0], " instead") ||
	    !strstr(said.text[0], "Set it to "))
		fail_msg("not what it should say: %s", said.text[0]);
}

static void
a_list_names_all_destinations_at_once(void **state)
{
	(void)state;
	static const struct {
		const char *value;
		unsigned exporters;
	} cases[] = {
		{ "otlp", OTLOG__TO_OTLP },
		{ "console", OTLOG__TO_CONSOLE },
		{ "otlp/stdout", OTLOG__TO_OTLP_STDOUT },
		{ "otlp,console", OTLOG__TO_OTLP | OTLOG__TO_CONSOLE },
		{ " Console , OTLP/stdout,otlp,", OTLOG__TO_OTLP | OTLOG__TO_CONSOLE | OTLOG__TO_OTLP_STDOUT },
		{ "otlp,otlp", OTLOG__TO_OTLP },
		{ "none", 0 },
		{ " NONE ,", 0 },
		{ ",", OTLOG__TO_OTLP },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		otlog__settings s = READ({ "OTEL_LOGS_EXPORTER", cases[i].value });
		assert_said_nothing();
		assert_int_equal(s.exporters, cases[i].exporters);
		otlog__settings_free(&s);
	}
}

static void
unknown_names_are_reported_once_and_ignored(void **state)
{
	(void)state;
	otlog__settings s = READ({ "OTEL_LOGS_EXPORTER", "console,zipkin, logging ,otlp" });
	assert_warned("OTEL_LOGS_EXPORTER=\"console,zipkin, logging ,otlp\" names zipkin, logging",
	              "none of otlp, console, otlp/stdout, none");
	assert_int_equal(s.exporters, OTLOG__TO_OTLP | OTLOG__TO_CONSOLE);
	otlog__settings_free(&s);

	s = READ({ "OTEL_LOGS_EXPORTER", "zipkin" });
	assert_warned("names zipkin", "the default is used instead: otlp");
	assert_int_equal(s.exporters, OTLOG__TO_OTLP);
	otlog__settings_free(&s);
}

static void
none_beside_others_is_reported_once_and_ignored(void **state)
{
	(void)state;
	otlog__settings s = READ({ "OTEL_LOGS_EXPORTER", "none,console" });
	assert_warned("OTEL_LOGS_EXPORTER=\"none,console\"", "none beside other names");
	assert_int_equal(s.exporters, OTLOG__TO_CONSOLE);
	otlog__settings_free(&s);
}

static void
grpc_has_its_own_default_and_takes_targets_as_they_are(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{ "", "http://localhost:4317" },
		{ "http://collector:4317", "http://collector:4317" },
		{ "https://collector", "https://collector" },
		{ "unix:/run/collector.sock", "unix:/run/collector.sock" },
		{ " collector:4317 ", "collector:4317" },
		{ "dns:///collector:4317", "dns:///collector:4317" },
	};
	static const char *const variables[] = { "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT" };
	for (size_t v = 0; v < 2; v++) {
		for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
			otlog__settings s =
			    READ({ "OTEL_EXPORTER_OTLP_PROTOCOL", "grpc" }, { variables[v], cases[i][0] });
			assert_said_nothing();
			assert_int_equal(s.protocol, OTLOG__GRPC);
			assert_string_equal(s.endpoint, cases[i][1]);
			otlog__settings_free(&s);
		}
	}
}

static void
what_grpc_cannot_send_to_gives_its_default_and_one_warning(void **state)
{
	(void)state;
	static const char *const bad[] = { "http://h:x",     "http://a%20b", "http://[zz]:4317", "ftp://h",
		                           "ipv4:no-number", "ipv6:::1",     "dns://h",          "unix:",
		                           "unix://a/b",     "h:4317:4318",  "h\xc3\xb6st:4317", "xds:///service" };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		otlog__settings s =
		    READ({ "OTEL_EXPORTER_OTLP_PROTOCOL", "grpc" }, { "OTEL_EXPORTER_OTLP_ENDPOINT", bad[i] });
		char setting[128];
		snprintf(setting, sizeof setting, "OTEL_EXPORTER_OTLP_ENDPOINT=\"%s\" is nothing that gRPC can send to",
		         bad[i]);
		assert_warned(setting, "http://localhost:4317");
		assert_string_equal(s.endpoint, "http://localhost:4317");
		otlog__settings_free(&s);
	}
}

static void
a_user_of_grpc_is_sent_to_the_headers_and_not_shown(void **state)
{
	(void)state;
	otlog__settings s = READ({ "OTEL_EXPORTER_OTLP_PROTOCOL", "grpc" },
	                         { "OTEL_EXPORTER_OTLP_ENDPOINT", "http://ann:hush@h:4317/?hush#hush" });
	assert_warned("OTEL_EXPORTER_OTLP_ENDPOINT=\"http://***@h:4317/?***\"", "OTEL_EXPORTER_OTLP_HEADERS");
	assert_null(strstr(said.text[0], "hush"));
	otlog__settings_free(&s);
}

static void
headers_are_checked_by_the_rule_of_the_protocol(void **state)
{
	(void)state;
	static const struct {
		const char *headers, *reason; /* with gRPC */
	} cases[] = {
		{ "x-a=\xc3\xa4", "printable ASCII" },
		{ "a=1,x-a=%C3%A4", "printable ASCII" },
		{ "x~a=b", "name" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		otlog__settings s = READ({ "OTEL_EXPORTER_OTLP_HEADERS", cases[i].headers });
		assert_said_nothing();
		assert_string_equal(s.headers, cases[i].headers);
		otlog__settings_free(&s);
		s = READ({ "OTEL_EXPORTER_OTLP_PROTOCOL", "grpc" }, { "OTEL_EXPORTER_OTLP_HEADERS", cases[i].headers });
		assert_int_equal(said.count, 1);
		assert_non_null(strstr(said.text[0], "OTEL_EXPORTER_OTLP_HEADERS"));
		assert_non_null(strstr(said.text[0], cases[i].reason));
		assert_null(s.headers);
		otlog__settings_free(&s);
	}
	otlog__settings s =
	    READ({ "OTEL_EXPORTER_OTLP_PROTOCOL", "grpc" }, { "OTEL_EXPORTER_OTLP_HEADERS", "X-A-Bin=%C3%A4" });
	assert_said_nothing();
	assert_string_equal(s.headers, "X-A-Bin=%C3%A4");
	otlog__settings_free(&s);
}

static void
insecure_is_off_unless_it_is_asked_for(void **state)
{
	(void)state;
	otlog__settings s = READ({ "OTEL_EXPORTER_OTLP_PROTOCOL", "grpc" });
	assert_false(s.insecure);
	otlog__settings_free(&s);
	s = READ({ "OTEL_EXPORTER_OTLP_INSECURE", "true" });
	assert_true(s.insecure);
	assert_said_nothing();
	otlog__settings_free(&s);
	s = READ({ "OTEL_EXPORTER_OTLP_INSECURE", "true" }, { "OTEL_EXPORTER_OTLP_LOGS_INSECURE", "false" });
	assert_false(s.insecure);
	otlog__settings_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_names_all_destinations_at_once),
		cmocka_unit_test(unknown_names_are_reported_once_and_ignored),
		cmocka_unit_test(none_beside_others_is_reported_once_and_ignored),
		cmocka_unit_test(grpc_has_its_own_default_and_takes_targets_as_they_are),
		cmocka_unit_test(what_grpc_cannot_send_to_gives_its_default_and_one_warning),
		cmocka_unit_test(a_user_of_grpc_is_sent_to_the_headers_and_not_shown),
		cmocka_unit_test(headers_are_checked_by_the_rule_of_the_protocol),
		cmocka_unit_test(insecure_is_off_unless_it_is_asked_for),
	};
	return cmocka_run_group_tests(tests, start_listening, NULL);
}
