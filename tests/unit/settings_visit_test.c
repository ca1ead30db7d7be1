/* otlog_settings_visit: every setting with its value, where it is from, and no secret. */
#include "sdk/settings/table.h"
#include "tests/support/harness/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct seen {
	size_t count;
	struct {
		char variable[64];
		char value[128];
		char source[64]; /* "": the default */
	} rows[64];
} seen;

static void
take(void *user, const otlog_setting_view *view)
{
	seen *all = user;
	assert_true(all->count < sizeof all->rows / sizeof *all->rows);
	assert_string_equal(view->variable, otlog__setting_table[all->count].variable);
	assert_true(*view->about);
	snprintf(all->rows[all->count].variable, sizeof all->rows[0].variable, "%s", view->variable);
	snprintf(all->rows[all->count].value, sizeof all->rows[0].value, "%s", view->value);
	snprintf(all->rows[all->count].source, sizeof all->rows[0].source, "%s", view->source ? view->source : "");
	all->count++;
}

static void
assert_setting(const seen *all, const char *variable, const char *value, const char *source)
{
	for (size_t i = 0; i < all->count; i++) {
		if (strcmp(all->rows[i].variable, variable) != 0)
			continue;
		if (strcmp(all->rows[i].value, value) != 0 || strcmp(all->rows[i].source, source) != 0)
			fail_msg("%s is '%s' from '%s', not '%s' from '%s'", variable, all->rows[i].value,
			         all->rows[i].source, value, source);
		return;
	}
	fail_msg("%s was not shown", variable);
}

static int
clear(void **state)
{
	(void)state;
	for (size_t i = 0; i < otlog__setting_count; i++) {
		unsetenv(otlog__setting_table[i].variable);
		if (otlog__setting_table[i].general)
			unsetenv(otlog__setting_table[i].general);
	}
	return 0;
}

static seen
visit(void)
{
	seen all = { 0 };
	assert_true(otlog_settings_visit(take, &all));
	assert_int_equal(all.count, otlog__setting_count);
	return all;
}

static void
an_empty_environment_is_all_defaults(void **state)
{
	seen all = visit();
	(void)state;
	for (size_t i = 0; i < all.count; i++)
		assert_string_equal(all.rows[i].source, "");
	assert_setting(&all, "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://localhost:4318/v1/logs", "");
	assert_setting(&all, "OTEL_LOGS_EXPORTER", "otlp", "");
	assert_setting(&all, "OTEL_BLRP_SCHEDULE_DELAY", "1000", "");
	assert_setting(&all, "MITO_CONFIG_LOG_SERVER_BATCH_INTERVAL", "10", "");
	assert_setting(&all, "MITO_CONFIG_VERSION", "", "");
	assert_setting(&all, "OTEL_BLRP_MAX_QUEUE_SIZE", "", "");
	assert_setting(&all, "OTLOG_QUEUE_BYTES", "16 MiB", "");
}

static void
what_is_set_names_the_variable_that_counted(void **state)
{
	(void)state;
	setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318", 1);
	setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1", 1);
	setenv("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "2", 1);
	setenv("OTEL_LOGS_EXPORTER", "console,otlp", 1);
	setenv("OTEL_BLRP_SCHEDULE_DELAY", "1000", 1); /* the default, in so many words */
	setenv("OTEL_BLRP_EXPORT_TIMEOUT", "soon", 1); /* no number */
	setenv("OTEL_BLRP_MAX_QUEUE_SIZE", "100", 1);
	setenv("OTLOG_QUEUE_BYTES", "1 MiB", 1);
	setenv("OTLOG_QUEUE_FULL", "BLOCK", 1);
	setenv("OTEL_SERVICE_NAME", "shop", 1);
	seen all = visit();
	assert_setting(&all, "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://collector:4318/v1/logs",
	               "OTEL_EXPORTER_OTLP_ENDPOINT");
	assert_setting(&all, "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "2", "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT");
	assert_setting(&all, "OTEL_LOGS_EXPORTER", "otlp,console", "OTEL_LOGS_EXPORTER");
	assert_setting(&all, "OTEL_BLRP_SCHEDULE_DELAY", "1000", "OTEL_BLRP_SCHEDULE_DELAY");
	assert_setting(&all, "OTEL_BLRP_EXPORT_TIMEOUT", "30000", "");
	assert_setting(&all, "OTEL_BLRP_MAX_QUEUE_SIZE", "100", "OTEL_BLRP_MAX_QUEUE_SIZE");
	assert_setting(&all, "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "100", "OTEL_BLRP_MAX_QUEUE_SIZE");
	assert_setting(&all, "OTLOG_QUEUE_BYTES", "1 MiB", "OTLOG_QUEUE_BYTES");
	assert_setting(&all, "OTLOG_QUEUE_FULL", "block", "OTLOG_QUEUE_FULL");
	assert_setting(&all, "OTEL_SERVICE_NAME", "shop", "OTEL_SERVICE_NAME");
}

static void
a_mito_log_server_alone_takes_the_place_of_otlp(void **state)
{
	(void)state;
	setenv("MITO_CONFIG_VERSION", "2", 1);
	setenv("MITO_CONFIG_LOG_SERVER_URL", "https://mito.example/logs", 1);
	seen all = visit();
	assert_setting(&all, "OTEL_LOGS_EXPORTER", "none", "MITO_CONFIG_LOG_SERVER_URL");
	assert_setting(&all, "MITO_CONFIG_VERSION", "2", "MITO_CONFIG_VERSION");
}

static void
secrets_are_masked(void **state)
{
	(void)state;
	setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://anna:secret@collector:4318", 1);
	setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=secret", 1);
	setenv("MITO_CONFIG_VERSION", "2", 1);
	setenv("MITO_CONFIG_LOG_SERVER_URL", "https://:se%40cret@mito.example/logs?token=secret", 1);
	seen all = visit();
	assert_setting(&all, "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://********@collector:4318/v1/logs",
	               "OTEL_EXPORTER_OTLP_ENDPOINT");
	assert_setting(&all, "OTEL_EXPORTER_OTLP_LOGS_HEADERS", "********", "OTEL_EXPORTER_OTLP_HEADERS");
	assert_setting(&all, "MITO_CONFIG_LOG_SERVER_URL", "https://********@mito.example/logs?********",
	               "MITO_CONFIG_LOG_SERVER_URL");
}

static void
pipelines_come_as_the_environment_asks(void **state)
{
	otlog_pipeline_options pipelines[4] = { 0 };
	(void)state;
	setenv("OTEL_LOGS_EXPORTER", "otlp,console", 1);
	setenv("MITO_CONFIG_VERSION", "2", 1);
	setenv("MITO_CONFIG_LOG_SERVER_URL", "https://mito.example/logs", 1);
	size_t count = otlog_environment_pipelines(pipelines, 4);
	assert_int_equal(count, 3);
	assert_string_equal(pipelines[0].exporter.name, "otlp_http");
	assert_string_equal(pipelines[1].exporter.name, "console");
	assert_string_equal(pipelines[2].exporter.name, "mito");
	assert_int_equal(pipelines[2].schedule_delay_ms, 10000);
	for (size_t i = 0; i < count; i++)
		pipelines[i].exporter.functions->destroy(pipelines[i].exporter.self);

	assert_int_equal(otlog_environment_pipelines(pipelines, 1), 1);
	pipelines[0].exporter.functions->destroy(pipelines[0].exporter.self);
	setenv("OTEL_SDK_DISABLED", "true", 1);
	assert_int_equal(otlog_environment_pipelines(pipelines, 4), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_empty_environment_is_all_defaults, clear),
		cmocka_unit_test_setup(what_is_set_names_the_variable_that_counted, clear),
		cmocka_unit_test_setup(a_mito_log_server_alone_takes_the_place_of_otlp, clear),
		cmocka_unit_test_setup(secrets_are_masked, clear),
		cmocka_unit_test_setup(pipelines_come_as_the_environment_asks, clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
