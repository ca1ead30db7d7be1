/* `otlog emit` against a receiver: what arrives, and what the exit status says. */
#include "tests/support/harness/cmocka.h"
#include "tests/support/servers/raw_server.h"
#include "tests/support/servers/receiver.h"
#include "tests/support/harness/tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef Opentelemetry__Proto__Common__V1__AnyValue any_value;

static const char *
endpoint(const char *url)
{
	static char text[128];
	snprintf(text, sizeof text, "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=%s", url);
	return text;
}

static void
assert_bytes(ProtobufCBinaryData found, const char *expected)
{
	assert_int_equal(found.len, strlen(expected));
	assert_memory_equal(found.data, expected, found.len);
}

static void
assert_done(tool_run *run, int status)
{
	if (run->status != status)
		fail_msg("exit status %d: %s%s", run->status, run->out, run->err);
	if (status == 0)
		assert_string_equal(run->err, "");
	tool_free(run);
}

static void
a_record_arrives_as_it_was_given(void **state)
{
	receiver *server = receiver_start(NULL);
	(void)state;
	tool_run run = tool_start(OTLOG_TOOL,
	                          TOOL_LIST(endpoint(receiver_url(server)), "OTEL_SERVICE_NAME=backup",
	                                    "TRACEPARENT=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
	                          TOOL_LIST("emit", "--severity", "warn", "disk 91% full", "disk=sda1", "used:=91",
	                                    "ok:=false", "--event", "disk.full", "load:=0.5"),
	                          NULL);
	assert_done(&run, 0);
	assert_int_equal(receiver_record_count(server), 1);
	receiver_record got = receiver_record_at(server, 0);
	assert_int_equal(got.record->severity_number, 13);
	assert_bytes(got.record->severity_text, "warn");
	assert_bytes(got.record->event_name, "disk.full");
	assert_true(got.record->time_unix_nano > 0);
	assert_int_equal(got.record->trace_id.len, 16);
	assert_int_equal(got.record->trace_id.data[0], 0x0a);
	assert_int_equal(got.record->span_id.data[7], 0x31);
	assert_int_equal(got.record->body->value_case, OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE);
	assert_bytes(got.record->body->string_value, "disk 91% full");
	assert_int_equal(got.record->n_attributes, 4);
	const any_value *disk = got.record->attributes[0]->value, *used = got.record->attributes[1]->value,
			*ok = got.record->attributes[2]->value, *load = got.record->attributes[3]->value;
	assert_bytes(disk->string_value, "sda1");
	assert_int_equal(used->int_value, 91);
	assert_int_equal(ok->value_case, OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_BOOL_VALUE);
	assert_false(ok->bool_value);
	assert_true(load->double_value == 0.5);
	receiver_stop(server);
}

static void
a_body_comes_from_standard_input(void **state)
{
	receiver *server = receiver_start(NULL);
	size_t size = 300000;
	char *large = malloc(size + 1);
	(void)state;
	assert_non_null(large);
	memset(large, 'x', size);
	large[size] = '\0';
	tool_run run = tool_start(OTLOG_TOOL, TOOL_LIST(endpoint(receiver_url(server))), TOOL_LIST("emit", "-"),
	                          "first line\nsecond line\n");
	assert_done(&run, 0);
	run = tool_start(OTLOG_TOOL, TOOL_LIST(endpoint(receiver_url(server))), TOOL_LIST("emit", "-"), large);
	assert_done(&run, 0);
	run = tool_start(OTLOG_TOOL, TOOL_LIST(endpoint(receiver_url(server))), TOOL_LIST("emit", "-"),
	                 large + size - 8192);
	assert_done(&run, 0);
	assert_bytes(receiver_record_at(server, 0).record->body->string_value, "first line\nsecond line");
	assert_bytes(receiver_record_at(server, 1).record->body->string_value, large);
	assert_bytes(receiver_record_at(server, 2).record->body->string_value, large + size - 8192);
	assert_int_equal(receiver_record_at(server, 0).record->severity_number, 9);
	free(large);
	receiver_stop(server);
}

static void
what_is_not_delivered_fails_and_says_why(void **state)
{
	char url[64];
	int taken = raw_server_refuse(url, sizeof url);
	static const struct receiver_reply refuse = { .status = 400, .times = RECEIVER_FOREVER };
	(void)state;
	tool_run run =
	    tool_start(OTLOG_TOOL, TOOL_LIST(endpoint(url)), TOOL_LIST("emit", "--timeout", "0.3", "lost"), NULL);
	assert_int_equal(run.status, 1);
	assert_non_null(strstr(run.err, "connection refused"));
	assert_non_null(strstr(run.err, "otlog doctor"));
	tool_free(&run);
	close(taken);

	receiver *server = receiver_start(NULL);
	receiver_script(server, &refuse);
	run = tool_start(OTLOG_TOOL, TOOL_LIST(endpoint(receiver_url(server))), TOOL_LIST("emit", "refused"), NULL);
	assert_int_equal(run.status, 1);
	assert_non_null(strstr(run.err, "400"));
	tool_free(&run);
	receiver_stop(server);

	run = tool_start(OTLOG_TOOL, TOOL_LIST("OTEL_SDK_DISABLED=true"), TOOL_LIST("emit", "off"), NULL);
	assert_int_equal(run.status, 1);
	assert_non_null(strstr(run.err, "OTEL_SDK_DISABLED"));
	tool_free(&run);
}

static void
a_record_in_a_queue_directory_is_kept(void **state)
{
	char directory[] = "/tmp/cli_emit_test.XXXXXX";
	char variable[64], command[64], url[64];
	int taken = raw_server_refuse(url, sizeof url);
	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(variable, sizeof variable, "OTLOG_QUEUE_DIR=%s", directory);
	tool_run run = tool_start(OTLOG_TOOL, TOOL_LIST(endpoint(url), variable),
	                          TOOL_LIST("emit", "--timeout", "0.3", "kept"), NULL);
	assert_int_equal(run.status, 0);
	assert_non_null(strstr(run.err, "kept in /tmp/cli_emit_test."));
	assert_non_null(strstr(run.err, "otlog drain"));
	tool_free(&run);
	close(taken);

	receiver *server = receiver_start(NULL);
	run = tool_start(OTLOG_TOOL, TOOL_LIST(endpoint(receiver_url(server))), TOOL_LIST("drain", directory), NULL);
	assert_int_equal(run.status, 0);
	tool_free(&run);
	assert_bytes(receiver_record_at(server, 0).record->body->string_value, "kept");
	receiver_stop(server);
	snprintf(command, sizeof command, "rm -r %s", directory);
	assert_int_equal(system(command), 0);
}

static void
a_malformed_traceparent_is_named_by_its_variable(void **state)
{
	receiver *server = receiver_start(NULL);
	(void)state;
	tool_run run = tool_start(OTLOG_TOOL, TOOL_LIST(endpoint(receiver_url(server)), "TRACEPARENT=00-no"),
	                          TOOL_LIST("emit", "without a trace"), NULL);
	assert_int_equal(run.status, 0);
	assert_non_null(strstr(run.err, "TRACEPARENT is malformed"));
	assert_null(strstr(run.err, "traceparent"));
	tool_free(&run);
	assert_int_equal(receiver_record_at(server, 0).record->trace_id.len, 0);
	receiver_stop(server);
}

static void
a_wrong_command_line_is_told(void **state)
{
	static const struct {
		const char *arguments[5];
		const char *says;
	} cases[] = {
		{ { "emit" }, "there is no BODY" },
		{ { "emit", "--loud", "x" }, "--loud" },
		{ { "emit", "-x" }, "-x" },
		{ { "emit", "--severity" }, "needs a value" },
		{ { "emit", "--severity", "loud", "x" }, "loud is no severity" },
		{ { "emit", "--timeout", "-1", "x" }, "no number of seconds" },
		{ { "emit", "x", "two words" }, "it has no =" },
		{ { "emit", "x", "n:=one" }, "n:=one" },
		{ { "doctor", "now" }, "now" },
		{ { "dcotor" }, "dcotor" },
		{ { NULL }, "usage: otlog COMMAND" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		tool_run run = tool_start(OTLOG_TOOL, NULL, cases[i].arguments, NULL);
		assert_int_equal(run.status, 2);
		assert_string_equal(run.out, "");
		assert_non_null(strstr(run.err, cases[i].says));
		assert_non_null(strstr(run.err, "usage: otlog"));
		tool_free(&run);
	}
}

static void
help_and_version_go_to_standard_output(void **state)
{
	static const struct {
		const char *arguments[3];
		const char *says;
	} cases[] = {
		{ { "--help" }, "doctor" },           { { "help" }, "emit" },
		{ { "doctor", "--help" }, "--json" }, { { "emit", "-h" }, "TRACEPARENT" },
		{ { "help", "doctor" }, "--all" },    { { "--version" }, "otlog 0." },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		tool_run run = tool_start(OTLOG_TOOL, NULL, cases[i].arguments, NULL);
		assert_non_null(strstr(run.out, cases[i].says));
		assert_done(&run, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_arrives_as_it_was_given),
		cmocka_unit_test(a_body_comes_from_standard_input),
		cmocka_unit_test(what_is_not_delivered_fails_and_says_why),
		cmocka_unit_test(a_record_in_a_queue_directory_is_kept),
		cmocka_unit_test(a_malformed_traceparent_is_named_by_its_variable),
		cmocka_unit_test(a_wrong_command_line_is_told),
		cmocka_unit_test(help_and_version_go_to_standard_output),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
