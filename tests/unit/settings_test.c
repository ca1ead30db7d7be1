/* Every row of the table of settings: defaults, good and bad values, precedence, and what is said about bad ones. */
#include "sdk/settings/table.h"
#include "tests/unit/settings_reading.h"

#include <ctype.h>
#include <inttypes.h>

/* Exactly one warning, with all of these in it and a remedy. */
static void
assert_said_once(const char *first, const char *second)
{
	assert_int_equal(said.count, 1);
	assert_int_equal(said.level, OTLOG__WARN);
	if (!strstr(said.text[0], first) || !strstr(said.text[0], second) || !strstr(said.text[0], " instead"))
		fail_msg("not what it should say: %s", said.text[0]);
	if (!strstr(said.text[0], "Set it to ") && !strstr(said.text[0], "Correct it"))
		fail_msg("no remedy: %s", said.text[0]);
}

/* The row's variable set to the value, with what must be set for the row to be read at all. */
static otlog__settings
read_row(const otlog__setting *row, const char *value)
{
	const bool depends = row->wanted;
	const bool is_url = row->offset == offsetof(otlog__settings, mito_url);
	return READ({ row->variable, value }, { depends ? "MITO_CONFIG_VERSION" : "unused", "2" },
	            { depends && !is_url ? "MITO_CONFIG_LOG_SERVER_URL" : "unused", "http://mito" });
}

/* ---- The table --------------------------------------------------------------------------------------------------- */

static void
nothing_set_gives_the_documented_defaults_in_silence(void **state)
{
	(void)state;
	otlog__settings s = read_from((const variable[]){ { NULL, NULL } });
	assert_false(s.sdk_disabled);
	assert_int_equal(s.log_level, OTLOG_DIAGNOSTIC_WARN);
	assert_null(s.service_name);
	assert_null(s.resource_attributes);
	assert_string_equal(s.endpoint, "http://localhost:4318/v1/logs");
	assert_int_equal(s.protocol, OTLOG__HTTP_PROTOBUF);
	assert_null(s.headers);
	assert_int_equal(s.otlp_timeout_ms, 10000);
	assert_int_equal(s.compression, OTLOG_COMPRESSION_NONE);
	assert_null(s.ca_file);
	assert_null(s.client_certificate_file);
	assert_null(s.client_key_file);
	assert_int_equal(s.schedule_delay_ms, 1000);
	assert_int_equal(s.export_timeout_ms, 30000);
	assert_int_equal(s.max_queue_records, 0);
	assert_int_equal(s.max_batch_records, 512);
	assert_int_equal(s.queue_full, OTLOG_QUEUE_FULL_DROP);
	assert_int_equal(s.queue_block_timeout_ms, 5000);
	assert_int_equal(s.queue_bytes, 16 << 20);
	assert_null(s.queue_directory);
	assert_int_equal(s.durability, OTLOG_DURABILITY_NONE);
	assert_int_equal(s.sync_interval_ms, 1000);
	assert_int_equal(s.spool_bytes, 0);
	assert_int_equal(s.spool_full, OTLOG_SPOOL_FULL_DROP_OLDEST);
	assert_false(s.flush_at_exit);
	assert_false(s.crash_handler);
	assert_said_nothing();
	otlog__settings_free(&s);
}

static uint64_t
number_of(const otlog__settings *settings, const otlog__setting *row)
{
	return *(const uint64_t *)((const char *)settings + row->offset);
}

/* What one of the number given is in the number kept. */
static uint64_t
unit_of(const otlog__setting *row)
{
	return row->kind == OTLOG__KIND_SECONDS ? 1000 : 1;
}

static const char *
string_of(const otlog__settings *settings, const otlog__setting *row)
{
	return *(char *const *)((const char *)settings + row->offset);
}

static unsigned
choice_of(const otlog__settings *settings, const otlog__setting *row)
{
	unsigned value;
	memcpy(&value, (const char *)settings + row->offset, sizeof value);
	return value;
}

static bool
is_number(const otlog__setting *row)
{
	return row->kind == OTLOG__KIND_DURATION || row->kind == OTLOG__KIND_SECONDS ||
	       row->kind == OTLOG__KIND_COUNT || row->kind == OTLOG__KIND_BYTES;
}

static void
every_row_says_what_the_page_needs_and_keeps_its_default_in_range(void **state)
{
	(void)state;
	for (size_t i = 0; i < otlog__setting_count; i++) {
		const otlog__setting *row = &otlog__setting_table[i];
		char initial[OTLOG__INITIAL_SHOWN];
		assert_true(row->group && row->variable && row->in_code && row->about);
		assert_non_null(otlog__setting_initial(row, initial));
		if (is_number(row) && row->initial)
			assert_in_range(row->initial, row->least, row->most);
		for (size_t j = 0; j < i; j++) {
			assert_string_not_equal(row->variable, otlog__setting_table[j].variable);
			assert_int_not_equal(row->offset, otlog__setting_table[j].offset);
		}
	}
}

static void
an_empty_value_counts_as_not_set(void **state)
{
	(void)state;
	for (size_t i = 0; i < otlog__setting_count; i++) {
		const otlog__setting *row = &otlog__setting_table[i];
		otlog__settings unset = read_from((const variable[]){ { NULL, NULL } });
		otlog__settings empty = READ({ row->variable, "" }, { row->general ? row->general : "none", "" });
		assert_said_nothing();
		if (is_number(row))
			assert_int_equal(number_of(&unset, row), number_of(&empty, row));
		else if (row->kind == OTLOG__KIND_ENUM || row->kind == OTLOG__KIND_SET)
			assert_int_equal(choice_of(&unset, row), choice_of(&empty, row));
		else if (row->kind == OTLOG__KIND_URL)
			assert_string_equal(string_of(&unset, row), string_of(&empty, row));
		else if (row->kind != OTLOG__KIND_BOOL && row->kind != OTLOG__KIND_SWITCH)
			assert_null(string_of(&empty, row));
		otlog__settings_free(&unset);
		otlog__settings_free(&empty);
	}
}

/* ---- Booleans and enums ------------------------------------------------------------------------------------------ */

static void
only_true_is_true_in_any_case(void **state)
{
	(void)state;
	static const char *const yes[] = { "true", "True", "TRUE", "tRuE" };
	for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
		otlog__settings s = READ({ "OTEL_SDK_DISABLED", yes[i] });
		assert_true(s.sdk_disabled);
		assert_said_nothing();
		otlog__settings_free(&s);
	}
	otlog__settings s = READ({ "OTEL_SDK_DISABLED", "False" });
	assert_false(s.sdk_disabled);
	assert_said_nothing();
	otlog__settings_free(&s);
}

static void
a_boolean_that_is_neither_is_false_with_one_warning(void **state)
{
	(void)state;
	static const char *const junk[] = { "1", "yes", "on", "true ", " ", "truetrue" };
	for (size_t i = 0; i < sizeof junk / sizeof junk[0]; i++) {
		otlog__settings s = READ({ "OTEL_SDK_DISABLED", junk[i] });
		assert_false(s.sdk_disabled);
		assert_said_once("OTEL_SDK_DISABLED=", "neither true nor false");
		otlog__settings_free(&s);
	}
}

static void
a_switch_of_ours_takes_1_and_0_too(void **state)
{
	(void)state;
	static const char *const on[] = { "1", "true", "TRUE" };
	static const char *const off[] = { "0", "false", "False" };
	for (size_t i = 0; i < 3; i++) {
		otlog__settings s = READ({ "OTLOG_FLUSH_AT_EXIT", on[i] }, { "OTLOG_CRASH_HANDLER", off[i] });
		assert_true(s.flush_at_exit);
		assert_false(s.crash_handler);
		assert_said_nothing();
		otlog__settings_free(&s);
	}
	otlog__settings s = READ({ "OTLOG_CRASH_HANDLER", "yes" });
	assert_false(s.crash_handler);
	assert_said_once("OTLOG_CRASH_HANDLER=\"yes\"", "neither 1 nor 0");
	otlog__settings_free(&s);
}

static void
every_choice_is_taken_in_any_case(void **state)
{
	(void)state;
	for (size_t i = 0; i < otlog__setting_count; i++) {
		const otlog__setting *row = &otlog__setting_table[i];
		for (const otlog__choice *c = row->choices; c && c->name; c++) {
			char value[32];
			snprintf(value, sizeof value, " %s", c->name);
			value[1] = (char)toupper(value[1]);
			if (c->refused || c->value == OTLOG__MITO_VERSION) /* see settings_mito_test.c */
				continue;
			otlog__settings s = READ({ row->variable, value });
			assert_said_nothing();
			assert_int_equal(choice_of(&s, row), c->value == OTLOG__TO_NONE ? 0 : c->value);
			otlog__settings_free(&s);
		}
	}
}

static void
an_unknown_choice_is_reported_with_the_known_ones(void **state)
{
	(void)state;
	for (size_t i = 0; i < otlog__setting_count; i++) {
		const otlog__setting *row = &otlog__setting_table[i];
		if (row->kind != OTLOG__KIND_ENUM || row->offset == offsetof(otlog__settings, mito_version))
			continue;
		otlog__settings s = READ({ row->variable, "bogus" });
		assert_int_equal(choice_of(&s, row), row->initial);
		char setting[128];
		snprintf(setting, sizeof setting, "%s=\"bogus\"", row->variable);
		assert_said_once(setting, "none of ");
		for (const otlog__choice *c = row->choices; c->name; c++)
			assert_non_null(strstr(said.text[0], c->name));
		otlog__settings_free(&s);
	}
}

static void
the_log_level_is_known_before_anything_is_said(void **state)
{
	(void)state;
	const variable debug[] = { { "OTEL_LOG_LEVEL", "DEBUG" }, { NULL, NULL } };
	const variable junk[] = { { "OTEL_LOG_LEVEL", "loud" }, { NULL, NULL } };
	said.count = 0;
	assert_int_equal(otlog__settings_log_level(look_up, (void *)debug), OTLOG_DIAGNOSTIC_DEBUG);
	assert_int_equal(otlog__settings_log_level(look_up, (void *)junk), OTLOG_DIAGNOSTIC_WARN);
	assert_int_equal(otlog__settings_log_level(look_up, (void *)&junk[1]), OTLOG_DIAGNOSTIC_WARN);
	assert_said_nothing();
}

/* ---- Numbers ----------------------------------------------------------------------------------------------------- */

static void
the_ends_of_every_range_are_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < otlog__setting_count; i++) {
		const otlog__setting *row = &otlog__setting_table[i];
		if (!is_number(row))
			continue;
		const uint64_t ends[] = { row->least, row->most };
		for (int e = 0; e < 2; e++) {
			char value[32];
			snprintf(value, sizeof value, " %" PRIu64 " ", ends[e]);
			otlog__settings s = read_row(row, value);
			assert_said_nothing();
			/* A schedule delay of 0 would make the worker spin. */
			bool raised = (row->offset == offsetof(otlog__settings, schedule_delay_ms) ||
			               row->kind == OTLOG__KIND_SECONDS) &&
			              ends[e] == 0;
			assert_int_equal(number_of(&s, row), raised ? 1 : ends[e] * unit_of(row));
			otlog__settings_free(&s);
		}
	}
}

static void
a_bad_number_gives_the_default_and_one_warning(void **state)
{
	(void)state;
	for (size_t i = 0; i < otlog__setting_count; i++) {
		const otlog__setting *row = &otlog__setting_table[i];
		char over[32];
		char under[32];
		if (!is_number(row))
			continue;
		snprintf(over, sizeof over, "%" PRIu64, row->most + 1);
		snprintf(under, sizeof under, "%" PRId64, (int64_t)row->least - 1);
		const char *const bad[] = {
			over, under, "-1", "abc", "1.5", "1e3", "0x10", "+5", "5s", " ", "99999999999999999999999999"
		};
		for (size_t b = 0; b < sizeof bad / sizeof bad[0]; b++) {
			otlog__settings s = read_row(row, bad[b]);
			char setting[128];
			snprintf(setting, sizeof setting, "%s=\"%s\"", row->variable, bad[b]);
			assert_said_once(setting, row->kind == OTLOG__KIND_BYTES ? "bytes from" : "whole number");
			assert_int_equal(number_of(&s, row), row->initial * unit_of(row));
			otlog__settings_free(&s);
		}
	}
}

static void
bytes_may_have_a_unit(void **state)
{
	(void)state;
	static const struct {
		const char *value;
		uint64_t bytes;
	} cases[] = { { "524288", 524288 },
		      { "512KiB", 512 << 10 },
		      { "64 MiB", 64 << 20 },
		      { "64mib", 64 << 20 },
		      { "1GiB", 1 << 30 } };
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		otlog__settings s = READ({ "OTLOG_QUEUE_BYTES", cases[i].value });
		assert_said_nothing();
		assert_int_equal(s.queue_bytes, cases[i].bytes);
		otlog__settings_free(&s);
	}
	static const char *const bad[] = { "16MB", "MiB", "511KiB", "2GiB", "17179869184GiB", "1.5MiB" };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		otlog__settings s = READ({ "OTLOG_QUEUE_BYTES", bad[i] });
		assert_said_once("OTLOG_QUEUE_BYTES", "16 MiB");
		assert_int_equal(s.queue_bytes, 16 << 20);
		otlog__settings_free(&s);
	}
}

static void
a_timeout_of_zero_is_kept_and_means_none(void **state)
{
	(void)state;
	otlog__settings s = READ({ "OTEL_EXPORTER_OTLP_TIMEOUT", "0" }, { "OTEL_BLRP_EXPORT_TIMEOUT", "0" });
	assert_int_equal(s.otlp_timeout_ms, 0);
	assert_int_equal(s.export_timeout_ms, 0);
	assert_said_nothing();
	otlog__settings_free(&s);
}

static void
a_batch_is_never_larger_than_the_queue(void **state)
{
	(void)state;
	otlog__settings s = READ({ "OTEL_BLRP_MAX_QUEUE_SIZE", "100" });
	assert_int_equal(s.max_queue_records, 100);
	assert_int_equal(s.max_batch_records, 100);
	assert_said_nothing();
	otlog__settings_free(&s);

	static const char *const asked[] = { "200", "512" };
	for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
		s = READ({ "OTEL_BLRP_MAX_QUEUE_SIZE", "100" }, { "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", asked[i] });
		assert_int_equal(s.max_batch_records, 100);
		assert_int_equal(said.count, 1);
		assert_non_null(strstr(said.text[0], "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE="));
		assert_non_null(strstr(said.text[0], "OTEL_BLRP_MAX_QUEUE_SIZE=\"100\""));
		assert_non_null(strstr(said.text[0], "Lower the former or raise the latter"));
		otlog__settings_free(&s);
	}

	/* The bad number has been reported; what takes its place is nobody's wish. */
	s = READ({ "OTEL_BLRP_MAX_QUEUE_SIZE", "100" }, { "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "x" });
	assert_int_equal(s.max_batch_records, 100);
	assert_said_once("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "512");
	otlog__settings_free(&s);

	s = READ({ "OTEL_BLRP_MAX_QUEUE_SIZE", "2048" }, { "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "2048" });
	assert_int_equal(s.max_batch_records, 2048);
	assert_said_nothing();
	otlog__settings_free(&s);
}

/* ---- Endpoints --------------------------------------------------------------------------------------------------- */

static void
the_general_endpoint_gets_the_path_of_logs(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{ "http://h:4318", "http://h:4318/v1/logs" },
		{ "http://h:4318/", "http://h:4318/v1/logs" },
		{ "http://h:4318/prefix", "http://h:4318/prefix/v1/logs" },
		{ "http://h:4318/prefix/", "http://h:4318/prefix/v1/logs" },
		{ "https://h?key=a/b", "https://h/v1/logs?key=a/b" },
		{ "https://h/p/?key=1", "https://h/p/v1/logs?key=1" },
		{ " HTTP://[::1]:4318 ", "HTTP://[::1]:4318/v1/logs" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		otlog__settings s = READ({ "OTEL_EXPORTER_OTLP_ENDPOINT", cases[i][0] });
		assert_said_nothing();
		assert_string_equal(s.endpoint, cases[i][1]);
		otlog__settings_free(&s);
	}
}

static void
the_endpoint_of_logs_is_taken_as_it_is(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{ "http://h:4318", "http://h:4318/" },
		{ "http://h:4318/", "http://h:4318/" },
		{ "http://h:4318/my/logs", "http://h:4318/my/logs" },
		{ "http://h?key=1", "http://h/?key=1" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		otlog__settings s = READ({ "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", cases[i][0] },
		                         { "OTEL_EXPORTER_OTLP_ENDPOINT", "http://other:1" });
		assert_said_nothing();
		assert_string_equal(s.endpoint, cases[i][1]);
		otlog__settings_free(&s);
	}
}

static void
an_endpoint_that_is_no_url_gives_the_default_and_one_warning(void **state)
{
	(void)state;
	static const char *const bad[] = { "localhost:4318", "ftp://h",        "http://",           "http://h:0",
		                           "http://h:x",     "not a url",      "http://a%20b:4318", "http://[zz]:4318",
		                           "http://127.1",   "http://h%41st/", "unix:/run/otlp" };
	static const char *const variables[] = { "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT" };
	for (size_t v = 0; v < 2; v++) {
		for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
			otlog__settings s = READ({ variables[v], bad[i] });
			char setting[128];
			snprintf(setting, sizeof setting, "%s=\"%s\"", variables[v], bad[i]);
			assert_said_once(setting, "no http or https URL");
			assert_non_null(strstr(said.text[0], "http://localhost:4318/v1/logs"));
			assert_string_equal(s.endpoint, "http://localhost:4318/v1/logs");
			otlog__settings_free(&s);
		}
	}
}

static void
no_message_shows_a_secret(void **state)
{
	(void)state;
	otlog__settings s = READ({ "OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:hush@h:bad/?token=hush" });
	assert_said_once("OTEL_EXPORTER_OTLP_ENDPOINT=\"http://***@h:bad/?***\"", "port");
	assert_null(strstr(said.text[0], "hush"));
	otlog__settings_free(&s);

	static const char *const headers[] = { "authorization", "=hush", "a=hush%zz", "na me=hush", "a=hu%0ash" };
	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
		s = READ({ "OTEL_EXPORTER_OTLP_HEADERS", headers[i] });
		assert_said_once("OTEL_EXPORTER_OTLP_HEADERS is no list", "percent-encoded");
		assert_null(strstr(said.text[0], "hu"));
		assert_null(s.headers);
		otlog__settings_free(&s);
	}
}

/* ---- Lists, text, precedence ------------------------------------------------------------------------------------- */

static void
good_lists_are_kept_as_they_are(void **state)
{
	(void)state;
	otlog__settings s = READ({ "OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic dXNlcjpwdw==, x-tenant=a%2Cb" },
	                         { "OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=prod,team=a b" });
	assert_said_nothing();
	assert_string_equal(s.headers, "authorization=Basic dXNlcjpwdw==, x-tenant=a%2Cb");
	assert_string_equal(s.resource_attributes, "deployment.environment.name=prod,team=a b");
	otlog__settings_free(&s);
}

static void
one_bad_member_discards_the_resource_attributes_with_one_warning(void **state)
{
	(void)state;
	static const char *const bad[] = { "a=1,b", "a=1,=2", "a=%4", "a=%g1,b=2", "a=%00" };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		otlog__settings s = READ({ "OTEL_RESOURCE_ATTRIBUTES", bad[i] });
		assert_said_once("OTEL_RESOURCE_ATTRIBUTES=", "no list of the form key=value,key=value");
		assert_null(s.resource_attributes);
		otlog__settings_free(&s);
	}
}

static void
a_long_value_does_not_push_the_remedy_out_of_the_message(void **state)
{
	(void)state;
	char value[20000];
	memset(value, 'x', sizeof value - 1);
	value[sizeof value - 1] = '\0';
	for (size_t i = 0; i < otlog__setting_count; i++) {
		const otlog__setting *row = &otlog__setting_table[i];
		if (row->kind == OTLOG__KIND_TEXT || row->kind == OTLOG__KIND_FILE || row->kind == OTLOG__KIND_NAMES ||
		    row->kind == OTLOG__KIND_DIRECTORY)
			continue;
		otlog__settings s = read_row(row, value);
		assert_said_once(row->variable, row->kind == OTLOG__KIND_HEADERS ? " is no list" : "…");
		otlog__settings_free(&s);
	}
}

static void
the_variable_for_logs_wins_over_the_general_one(void **state)
{
	(void)state;
	otlog__settings s =
	    READ({ "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "1" }, { "OTEL_EXPORTER_OTLP_TIMEOUT", "2" },
	         { "OTEL_EXPORTER_OTLP_LOGS_HEADERS", "a=1" }, { "OTEL_EXPORTER_OTLP_HEADERS", "a=2" },
	         { "OTEL_EXPORTER_OTLP_LOGS_COMPRESSION", "gzip" }, { "OTEL_EXPORTER_OTLP_COMPRESSION", "none" },
	         { "OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE", "/logs/ca" }, { "OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca" },
	         { "OTEL_EXPORTER_OTLP_LOGS_CLIENT_KEY", "/logs/key" }, { "OTEL_EXPORTER_OTLP_CLIENT_KEY", "/key" },
	         { "OTEL_EXPORTER_OTLP_LOGS_CLIENT_CERTIFICATE", "/logs/cert" },
	         { "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "/cert" },
	         { "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "http/protobuf" }, { "OTEL_EXPORTER_OTLP_PROTOCOL", "grpc" });
	assert_said_nothing();
	assert_int_equal(s.otlp_timeout_ms, 1);
	assert_string_equal(s.headers, "a=1");
	assert_int_equal(s.compression, OTLOG_COMPRESSION_GZIP);
	assert_string_equal(s.ca_file, "/logs/ca");
	assert_string_equal(s.client_key_file, "/logs/key");
	assert_string_equal(s.client_certificate_file, "/logs/cert");
	otlog__settings_free(&s);
}

static void
the_general_variable_counts_where_the_one_for_logs_is_empty(void **state)
{
	(void)state;
	otlog__settings s =
	    READ({ "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "" }, { "OTEL_EXPORTER_OTLP_TIMEOUT", "2" },
	         { "OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca" }, { "OTEL_EXPORTER_OTLP_CLIENT_KEY", "/key" },
	         { "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "/cert" }, { "OTEL_EXPORTER_OTLP_COMPRESSION", "GZIP" },
	         { "OTEL_EXPORTER_OTLP_HEADERS", "a=2" }, { "OTEL_SERVICE_NAME", "checkout" });
	assert_said_nothing();
	assert_int_equal(s.otlp_timeout_ms, 2);
	assert_string_equal(s.ca_file, "/ca");
	assert_string_equal(s.client_key_file, "/key");
	assert_string_equal(s.client_certificate_file, "/cert");
	assert_int_equal(s.compression, OTLOG_COMPRESSION_GZIP);
	assert_string_equal(s.headers, "a=2");
	assert_string_equal(s.service_name, "checkout");
	otlog__settings_free(&s);
}

static void
a_message_names_the_variable_that_counts(void **state)
{
	(void)state;
	otlog__settings s = READ({ "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "soon" }, { "OTEL_EXPORTER_OTLP_TIMEOUT", "2" });
	assert_said_once("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT=\"soon\"", "10000 ms");
	assert_int_equal(s.otlp_timeout_ms, 10000);
	otlog__settings_free(&s);
	s = READ({ "OTEL_EXPORTER_OTLP_TIMEOUT", "soon" });
	assert_said_once("OTEL_EXPORTER_OTLP_TIMEOUT=\"soon\"", "10000 ms");
	otlog__settings_free(&s);
}

static void
each_bad_value_is_reported_by_itself(void **state)
{
	(void)state;
	otlog__settings s = READ({ "OTEL_LOG_LEVEL", "loud" }, { "OTLOG_QUEUE_FULL", "explode" },
	                         { "OTEL_EXPORTER_OTLP_PROTOCOL", "thrift" }, { "OTEL_BLRP_SCHEDULE_DELAY", "-5" });
	assert_int_equal(said.count, 4);
	otlog__settings_free(&s);
}

static void
without_a_lookup_the_environment_is_read(void **state)
{
	(void)state;
	otlog__settings s;
	assert_int_equal(setenv("OTEL_SERVICE_NAME", "from the environment", 1), 0);
	assert_true(otlog__settings_read(&s, NULL, NULL));
	unsetenv("OTEL_SERVICE_NAME");
	assert_string_equal(s.service_name, "from the environment");
	otlog__settings_free(&s);
	assert_null(s.service_name);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_set_gives_the_documented_defaults_in_silence),
		cmocka_unit_test(every_row_says_what_the_page_needs_and_keeps_its_default_in_range),
		cmocka_unit_test(an_empty_value_counts_as_not_set),
		cmocka_unit_test(only_true_is_true_in_any_case),
		cmocka_unit_test(a_boolean_that_is_neither_is_false_with_one_warning),
		cmocka_unit_test(a_switch_of_ours_takes_1_and_0_too),
		cmocka_unit_test(every_choice_is_taken_in_any_case),
		cmocka_unit_test(an_unknown_choice_is_reported_with_the_known_ones),
		cmocka_unit_test(the_log_level_is_known_before_anything_is_said),
		cmocka_unit_test(the_ends_of_every_range_are_taken),
		cmocka_unit_test(a_bad_number_gives_the_default_and_one_warning),
		cmocka_unit_test(bytes_may_have_a_unit),
		cmocka_unit_test(a_timeout_of_zero_is_kept_and_means_none),
		cmocka_unit_test(a_batch_is_never_larger_than_the_queue),
		cmocka_unit_test(the_general_endpoint_gets_the_path_of_logs),
		cmocka_unit_test(the_endpoint_of_logs_is_taken_as_it_is),
		cmocka_unit_test(an_endpoint_that_is_no_url_gives_the_default_and_one_warning),
		cmocka_unit_test(no_message_shows_a_secret),
		cmocka_unit_test(good_lists_are_kept_as_they_are),
		cmocka_unit_test(one_bad_member_discards_the_resource_attributes_with_one_warning),
		cmocka_unit_test(a_long_value_does_not_push_the_remedy_out_of_the_message),
		cmocka_unit_test(the_variable_for_logs_wins_over_the_general_one),
		cmocka_unit_test(the_general_variable_counts_where_the_one_for_logs_is_empty),
		cmocka_unit_test(a_message_names_the_variable_that_counts),
		cmocka_unit_test(each_bad_value_is_reported_by_itself),
		cmocka_unit_test(without_a_lookup_the_environment_is_read),
	};
	return cmocka_run_group_tests(tests, start_listening, NULL);
}
