/* The pure parts of the otlog tool: its command line, where a destination is, what its port says. */
#include "sdk/tool/doctor/doctor.h"
#include "tests/support/harness/cmocka.h"

#include <stdlib.h>
#include <string.h>

static void
attributes_are_text_unless_typed(void **state)
{
	(void)state;
	char text[] = "disk=sda1=2", whole[] = "n:=-42", real[] = "n:=4.5e3", yes[] = "ok:=true", nothing[] = "x:=null",
	     empty[] = "x=", large[] = "n:=99999999999999999999";
	otlog_attr attr;
	assert_null(otlog__tool_attribute(text, &attr));
	assert_int_equal(attr.key_size, 4);
	assert_int_equal(attr.value.type, OTLOG_VALUE_STRING);
	assert_int_equal(attr.value.as.bytes.size, strlen("sda1=2"));
	assert_null(otlog__tool_attribute(whole, &attr));
	assert_int_equal(attr.key_size, 1);
	assert_int_equal(attr.value.type, OTLOG_VALUE_INT64);
	assert_int_equal(attr.value.as.int64, -42);
	assert_null(otlog__tool_attribute(real, &attr));
	assert_int_equal(attr.value.type, OTLOG_VALUE_DOUBLE);
	assert_true(attr.value.as.float64 == 4500.0);
	assert_null(otlog__tool_attribute(yes, &attr));
	assert_int_equal(attr.value.type, OTLOG_VALUE_BOOL);
	assert_true(attr.value.as.boolean);
	assert_null(otlog__tool_attribute(nothing, &attr));
	assert_int_equal(attr.value.type, OTLOG_VALUE_EMPTY);
	assert_null(otlog__tool_attribute(empty, &attr));
	assert_int_equal(attr.value.type, OTLOG_VALUE_STRING);
	assert_null(otlog__tool_attribute(large, &attr));
	assert_int_equal(attr.value.type, OTLOG_VALUE_DOUBLE);
}

static void
attributes_that_are_none(void **state)
{
	static const char *const wrong[] = {
		"word", "=value", ":=1", "x:=", "x:=word", "x:=1x", "x:=nan", "x:=0x10", ""
	};
	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		char text[16];
		otlog_attr attr;
		snprintf(text, sizeof text, "%s", wrong[i]);
		if (!otlog__tool_attribute(text, &attr))
			fail_msg("taken: %s", wrong[i]);
	}
}

static void
severities_and_seconds(void **state)
{
	int severity = 0;
	uint64_t ms = 0;
	(void)state;
	assert_true(otlog__tool_severity("warn", &severity) && severity == OTLOG_SEVERITY_WARN);
	assert_true(otlog__tool_severity("FATAL4", &severity) && severity == OTLOG_SEVERITY_FATAL4);
	assert_true(otlog__tool_severity("Warning", &severity) && severity == OTLOG_SEVERITY_WARN);
	assert_true(otlog__tool_severity("1", &severity) && severity == OTLOG_SEVERITY_TRACE);
	assert_false(otlog__tool_severity("0", &severity) || otlog__tool_severity("25", &severity) ||
	             otlog__tool_severity("loud", &severity) || otlog__tool_severity("", &severity));
	assert_true(otlog__tool_seconds("1.5", &ms) && ms == 1500);
	assert_true(otlog__tool_seconds("0.0001", &ms) && ms == 1);
	assert_false(otlog__tool_seconds("0", &ms) || otlog__tool_seconds("-1", &ms) ||
	             otlog__tool_seconds("1s", &ms) || otlog__tool_seconds("", &ms) ||
	             otlog__tool_seconds("inf", &ms) || otlog__tool_seconds("1e9", &ms) ||
	             otlog__tool_seconds(".", &ms) || otlog__tool_seconds("86401", &ms));
}

static void
json_strings_are_json_whatever_is_in_them(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	(void)state;
	otlog__tool_json_string(out, "a\"b\\c\n\x1b \xc3\xa9 \xff \xc0\xaf \xed\xa0\x80");
	otlog__tool_json_string(out, NULL);
	fclose(out);
	assert_string_equal(text, "\"a\\\"b\\\\c\\u000a\\u001b \xc3\xa9 \xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd "
	                          "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"null");
	free(text);
	out = open_memstream(&text, &size);
	otlog__tool_put(out, "a\x1b[31mb\xc2\x9b\xc3\xa9\xff");
	fclose(out);
	assert_string_equal(text, "a?[31mb?\xc3\xa9?");
	free(text);
}

static void
first_bytes_tell_what_a_port_speaks(void **state)
{
	(void)state;
	assert_int_equal(otlog__doctor_speech_of("", 0), OTLOG__DOCTOR_SILENCE);
	assert_int_equal(otlog__doctor_speech_of("\x15\3\3\0\2\2\x28", 7), OTLOG__DOCTOR_TLS);
	assert_int_equal(otlog__doctor_speech_of("\x16\3\3", 3), OTLOG__DOCTOR_TLS);
	assert_int_equal(otlog__doctor_speech_of("HTTP/1.1 400 Bad", 9), OTLOG__DOCTOR_HTTP1);
	assert_int_equal(otlog__doctor_speech_of("\0\0\x12\4\0\0\0\0\0", 9), OTLOG__DOCTOR_HTTP2);
	assert_int_equal(otlog__doctor_speech_of("\0\0\x12\4\0\0\0\0\1", 9), OTLOG__DOCTOR_GIBBERISH);
	assert_int_equal(otlog__doctor_speech_of("220 smtp", 8), OTLOG__DOCTOR_GIBBERISH);
}

static const char *proxy_name;
static const char *exempt;

static char *
look_up(const char *variable)
{
	if (proxy_name && strcmp(variable, proxy_name) == 0)
		return "http://me:secret@proxy.example:3128/";
	if (exempt && strcmp(variable, "no_proxy") == 0)
		return (char *)exempt;
	return NULL;
}

static otlog__doctor_target
target_of(const char *exporter, const char *url, const char *insecure)
{
	otlog__doctor_setting rows[] = {
		{ "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", (char *)url, "OTEL_EXPORTER_OTLP_ENDPOINT", "" },
		{ "OTEL_EXPORTER_OTLP_LOGS_INSECURE", (char *)insecure, NULL, "" },
	};
	otlog__doctor_target target;
	otlog__doctor_target_find(exporter, &(otlog__doctor_settings){ rows, 2 }, look_up, &target);
	return target;
}

static void
endpoints_have_a_host_and_a_port(void **state)
{
	static const struct {
		const char *exporter, *endpoint, *host, *port, *socket;
		bool tls;
	} cases[] = {
		{ "otlp_http", "http://localhost:4318/v1/logs", "localhost", "4318", "", false },
		{ "otlp_http", "https://********@[::1]/v1/logs", "::1", "443", "", true },
		{ "otlp_http_json", "http://collector", "collector", "80", "", false },
		{ "otlp_grpc", "https://collector:4317", "collector", "4317", "", true },
		{ "otlp_grpc", "collector", "collector", "4317", "", true },
		{ "otlp_grpc", "collector:55", "collector", "55", "", true },
		{ "otlp_grpc", "dns:///collector:55", "collector", "55", "", true },
		{ "otlp_grpc", "dns://8.8.8.8/collector:55", "collector", "55", "", true },
		{ "otlp_grpc", "ipv4:10.0.0.1:55,10.0.0.2:55", "10.0.0.1", "55", "", true },
		{ "otlp_grpc", "ipv6:[::1]:55", "::1", "55", "", true },
		{ "otlp_grpc", "unix:/run/otlp.sock", "", "", "/run/otlp.sock", false },
		{ "otlp_grpc", "unix:///run/otlp.sock", "", "", "/run/otlp.sock", false },
		{ "otlp_grpc", "unix-abstract:name", "", "", "", false },
	};
	(void)state;
	proxy_name = NULL;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		otlog__doctor_target target = target_of(cases[i].exporter, cases[i].endpoint, "false");
		assert_string_equal(target.host.name, cases[i].host);
		assert_string_equal(target.host.port, cases[i].port);
		assert_string_equal(target.socket, cases[i].socket);
		assert_int_equal(target.tls, cases[i].tls);
		assert_string_equal(target.endpoint_variable, "OTEL_EXPORTER_OTLP_ENDPOINT");
	}
	assert_false(target_of("otlp_grpc", "collector:4317", "true").tls);
	assert_string_equal(target_of("console", "http://localhost", "false").host.name, "");
}

static void
proxies_are_chosen_as_the_exporters_choose_them(void **state)
{
	(void)state;
	proxy_name = "https_proxy";
	otlog__doctor_target target = target_of("otlp_http", "https://collector.example/v1/logs", "false");
	assert_string_equal(target.proxy.name, "proxy.example");
	assert_string_equal(target.proxy.port, "3128");
	assert_string_equal(target.proxy_variable, "https_proxy");
	assert_null(target_of("otlp_http", "http://collector.example/", "false").proxy_variable);
	assert_null(target_of("otlp_http", "https://127.0.0.1/", "false").proxy_variable);
	assert_null(target_of("otlp_http", "https://localhost/", "false").proxy_variable);
	assert_non_null(target_of("otlp_grpc", "http://collector.example", "false").proxy_variable);
	proxy_name = "HTTP_PROXY"; /* a server's CGI may set it: nobody heeds it */
	assert_null(target_of("otlp_http", "http://collector.example/", "false").proxy_variable);
	proxy_name = "https_proxy";
	exempt = "other, .example";
	assert_null(target_of("otlp_http", "https://collector.example/", "false").proxy_variable);
	exempt = NULL;

	assert_true(otlog__doctor_is_exempt("a,example.com", "logs.example.com"));
	assert_true(otlog__doctor_is_exempt("*", "anything"));
	assert_true(otlog__doctor_is_exempt("LOGS.example.com", "logs.example.com"));
	assert_false(otlog__doctor_is_exempt("ample.com", "logs.example.com"));
	assert_false(otlog__doctor_is_exempt("", "logs"));
	assert_false(otlog__doctor_is_exempt(NULL, "logs"));
}

/* Where an exporter says no error type, its words decide. */
static void
problems_follow_from_type_and_words(void **state)
{
	static const struct {
		const char *type, *message, *word;
	} cases[] = {
		{ "404", "http://h answered 404 Not Found. Check the path in X", "not_found" },
		{ "", "http://h answered 404 Not Found. Check the path in X", "not_found" },
		{ "tls_expired", "", "tls_expired" },
		{ "", "its certificate is not valid now: certificate has expired. Renew", "tls_expired" },
		{ "wrong_protocol", "it wants TLS. Write https:// in X", "tls_port" },
		{ "wrong_protocol", "it mumbles. Check X", "wrong_protocol" },
		{ "UNAVAILABLE", "http://h: it wants rest", "unavailable" },
		{ "", "unheard of", "failed" },
		{ "some_new_type", "http://h answered 401 Unauthorized. Set X", "unauthorized" },
	};
	const otlog__doctor_reach reach = { 0 };
	const otlog__doctor_target target = { 0 };
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		otlog_export_result result = { .verdict = OTLOG_VERDICT_DROP };
		snprintf(result.error_type, sizeof result.error_type, "%s", cases[i].type);
		snprintf(result.message, sizeof result.message, "%s", cases[i].message);
		assert_string_equal(otlog__doctor_problem_word(otlog__doctor_judge(&target, &reach, &result)),
		                    cases[i].word);
	}
}

static void
every_problem_has_words_and_no_braces_left(void **state)
{
	otlog__doctor_target target;
	const otlog__doctor_reach reach = { 0 };
	(void)state;
	proxy_name = "https_proxy";
	target = target_of("otlp_http", "https://collector.example:4318/v1/logs", "false");
	for (int i = OTLOG__DOCTOR_NAME_NOT_FOUND; i <= OTLOG__DOCTOR_FAILED; i++) {
		const otlog_export_result result = { .verdict = OTLOG_VERDICT_DROP,
			                             .message = "it. said. Do what you can" };
		otlog__doctor_finding finding;
		otlog__doctor_explain(&target, &reach, &result, (otlog__doctor_problem)i, &finding);
		assert_true(*finding.what && *finding.remedy);
		assert_null(strpbrk(finding.what, "{}"));
		assert_null(strpbrk(finding.remedy, "{}"));
		assert_string_equal(finding.detail, "it. said");
		assert_true(finding.remedy[strlen(finding.remedy) - 1] == '.');
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attributes_are_text_unless_typed),
		cmocka_unit_test(attributes_that_are_none),
		cmocka_unit_test(severities_and_seconds),
		cmocka_unit_test(json_strings_are_json_whatever_is_in_them),
		cmocka_unit_test(first_bytes_tell_what_a_port_speaks),
		cmocka_unit_test(endpoints_have_a_host_and_a_port),
		cmocka_unit_test(proxies_are_chosen_as_the_exporters_choose_them),
		cmocka_unit_test(problems_follow_from_type_and_words),
		cmocka_unit_test(every_problem_has_words_and_no_braces_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
