/* What of MITO_* switches a Mito log server on, and what is said where it does not. */
#include "tests/unit/settings_reading.h"

#define VERSION "MITO_CONFIG_VERSION"
#define URL "MITO_CONFIG_LOG_SERVER_URL"
#define INTERVAL "MITO_CONFIG_LOG_SERVER_BATCH_INTERVAL"

/* Exactly one warning, with all of these in it. */
static void
assert_warned(const char *variable, const char *cause, const char *remedy)
{
	assert_int_equal(said.count, 1);
	assert_int_equal(said.level, OTLOG__WARN);
	if (!strstr(said.text[0], variable) || !strstr(said.text[0], cause) || !strstr(said.text[0], remedy))
		fail_msg("not what it should say: %s", said.text[0]);
}

static void
version_and_url_switch_the_log_server_on_alone(void **state)
{
	(void)state;
	otlog__settings s = READ({ VERSION, "2" }, { URL, "https://logs.example.com/mito" });
	assert_said_nothing();
	assert_string_equal(s.mito_url, "https://logs.example.com/mito");
	assert_int_equal(s.mito_interval_ms, 10000);
	assert_int_equal(s.exporters, 0);
	otlog__settings_free(&s);
}

static void
who_asks_for_otlp_gets_both(void **state)
{
	(void)state;
	static const variable askers[] = { { "OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318" },
		                           { "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://collector/logs" },
		                           { "OTEL_LOGS_EXPORTER", "otlp" } };
	for (size_t i = 0; i < sizeof askers / sizeof askers[0]; i++) {
		otlog__settings s = READ({ VERSION, "2" }, { URL, "http://mito" }, askers[i]);
		assert_said_nothing();
		assert_string_equal(s.mito_url, "http://mito/");
		assert_int_equal(s.exporters, OTLOG__TO_OTLP);
		otlog__settings_free(&s);
	}
}

static void
none_turns_otlp_off_and_leaves_the_log_server(void **state)
{
	(void)state;
	otlog__settings s = READ({ VERSION, "2" }, { URL, "http://mito" }, { "OTEL_LOGS_EXPORTER", "none" },
	                         { "OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318" });
	assert_said_nothing();
	assert_non_null(s.mito_url);
	assert_int_equal(s.exporters, 0);
	otlog__settings_free(&s);
}

static void
other_settings_of_otlp_do_not_ask_for_it(void **state)
{
	(void)state;
	otlog__settings s = READ({ VERSION, "2" }, { URL, "http://mito" }, { "OTEL_EXPORTER_OTLP_ENDPOINT", "" },
	                         { "OTEL_EXPORTER_OTLP_TIMEOUT", "1000" }, { "OTEL_LOGS_EXPORTER", "" });
	assert_int_equal(s.exporters, 0);
	otlog__settings_free(&s);
}

static void
the_interval_is_in_seconds_and_never_nothing(void **state)
{
	(void)state;
	static const struct {
		const char *value;
		uint64_t ms;
	} cases[] = { { "1", 1000 }, { " 60 ", 60000 }, { "0", 1 }, { "3600", 3600000 } };
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		otlog__settings s = READ({ VERSION, "2" }, { URL, "http://mito" }, { INTERVAL, cases[i].value });
		assert_said_nothing();
		assert_int_equal(s.mito_interval_ms, cases[i].ms);
		otlog__settings_free(&s);
	}
}

static void
a_bad_interval_is_reported_and_ten_seconds_hold(void **state)
{
	(void)state;
	static const char *const bad[] = { "-1", "ten", "1.5", "10s", "2147484", " " };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		otlog__settings s = READ({ VERSION, "2" }, { URL, "http://mito" }, { INTERVAL, bad[i] });
		assert_warned(INTERVAL "=\"", "not a whole number of seconds",
		              "used instead: 10 s. Set it to such a number");
		assert_int_equal(s.mito_interval_ms, 10000);
		assert_non_null(s.mito_url);
		otlog__settings_free(&s);
	}
}

static void
version_one_has_no_log_server(void **state)
{
	(void)state;
	otlog__settings s = READ({ VERSION, "1" }, { URL, "http://mito" }, { INTERVAL, "x" });
	assert_warned(VERSION "=\"1\"", "the version of Mito's configuration that has no log server", "Set it to 2");
	assert_null(s.mito_url);
	assert_int_equal(s.exporters, OTLOG__TO_OTLP);
	otlog__settings_free(&s);
}

static void
an_unknown_version_is_reported_alone(void **state)
{
	(void)state;
	static const char *const bad[] = { "3", "2.0", "two", " ", "12" };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		otlog__settings s = READ({ VERSION, bad[i] }, { URL, "no url" }, { INTERVAL, "x" });
		assert_warned(VERSION "=\"", "is not 2", "Set it to 2");
		assert_null(s.mito_url);
		otlog__settings_free(&s);
	}
}

static void
a_url_without_a_version_is_reported(void **state)
{
	(void)state;
	otlog__settings s = READ({ URL, "http://user:hush@mito/?key=hush" });
	assert_warned(URL "=\"http://***@mito/", VERSION " is not", "Set " VERSION " to 2");
	assert_null(strstr(said.text[0], "hush"));
	assert_null(s.mito_url);
	assert_int_equal(s.exporters, OTLOG__TO_OTLP);
	otlog__settings_free(&s);
}

static void
a_version_without_a_url_is_reported(void **state)
{
	(void)state;
	otlog__settings s = READ({ VERSION, "2" }, { INTERVAL, "x" });
	assert_warned(VERSION "=\"2\"", URL " is not", "Set " URL " to a URL");
	assert_null(s.mito_url);
	assert_int_equal(s.exporters, OTLOG__TO_OTLP);
	otlog__settings_free(&s);
}

static void
a_bad_url_is_reported_alone_and_without_its_secrets(void **state)
{
	(void)state;
	static const char *const bad[] = { "logs.example.com", "ftp://hush@h/", "http://", "http://u:hush@h:0/", " " };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		otlog__settings s = READ({ VERSION, "2" }, { URL, bad[i] }, { INTERVAL, "x" });
		assert_warned(URL "=\"", "no http or https URL", "Set it to a URL such as https://");
		assert_null(strstr(said.text[0], "hush"));
		assert_null(s.mito_url);
		assert_int_equal(s.exporters, OTLOG__TO_OTLP);
		otlog__settings_free(&s);
	}
}

static void
the_rest_is_not_looked_at_without_a_log_server(void **state)
{
	(void)state;
	otlog__settings s = READ({ INTERVAL, "x" }, { "OTLOG_MITO_RESOURCE_ATTRIBUTES", "user.name" });
	assert_said_nothing();
	assert_null(s.mito_resource_attributes);
	otlog__settings_free(&s);
}

static void
names_and_files_are_kept_as_they_are(void **state)
{
	(void)state;
	otlog__settings s =
	    READ({ VERSION, "2" }, { URL, "http://mito" }, { "OTLOG_MITO_RESOURCE_ATTRIBUTES", "user.name, os.type" },
	         { "OTLOG_MITO_CERTIFICATE", "/ca" }, { "OTLOG_MITO_CLIENT_CERTIFICATE", "/cert" },
	         { "OTLOG_MITO_CLIENT_KEY", "/key" });
	assert_said_nothing();
	assert_string_equal(s.mito_resource_attributes, "user.name, os.type");
	assert_string_equal(s.mito_ca_file, "/ca");
	assert_string_equal(s.mito_client_certificate_file, "/cert");
	assert_string_equal(s.mito_client_key_file, "/key");
	otlog__settings_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_and_url_switch_the_log_server_on_alone),
		cmocka_unit_test(who_asks_for_otlp_gets_both),
		cmocka_unit_test(none_turns_otlp_off_and_leaves_the_log_server),
		cmocka_unit_test(other_settings_of_otlp_do_not_ask_for_it),
		cmocka_unit_test(the_interval_is_in_seconds_and_never_nothing),
		cmocka_unit_test(a_bad_interval_is_reported_and_ten_seconds_hold),
		cmocka_unit_test(version_one_has_no_log_server),
		cmocka_unit_test(an_unknown_version_is_reported_alone),
		cmocka_unit_test(a_url_without_a_version_is_reported),
		cmocka_unit_test(a_version_without_a_url_is_reported),
		cmocka_unit_test(a_bad_url_is_reported_alone_and_without_its_secrets),
		cmocka_unit_test(the_rest_is_not_looked_at_without_a_log_server),
		cmocka_unit_test(names_and_files_are_kept_as_they_are),
	};
	return cmocka_run_group_tests(tests, start_listening, NULL);
}
