/* The statistics as Prometheus text: the numbers, the labels, the format, and that the caller's room is kept to. */
#include "tests/support/harness/check.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/records/prometheus.h"
#include "tests/support/sdk/sdk_fixture.h"
#include "tests/support/sdk/sdk_books.h"

#include <otlog/exporters.h>
#include <otlog/sdk.h>

#include <locale.h>
#include <math.h>
#include <string.h>

#define PROCESSOR "otel_component_name=\"batching_log_processor/0\",otel_component_type=\"batching_log_processor\""
#define EXPORTER "otel_component_name=\"memory_log_exporter/0\",otel_component_type=\"memory_log_exporter\""

static sdk_books
one_pipeline(void)
{
	sdk_books all = { .pipeline_count = 1 };
	all.totals = (otlog_statistics_snapshot){
		.emitted = 110,
		.accepted = 100,
		.filtered = 6,
		.refused = { [OTLOG_DROP_QUEUE_FULL] = 3, [OTLOG_DROP_TOO_LARGE] = 1 },
		.queue_bytes = 16777216,
		.queue_bytes_used = 4096,
		.queue_records = 2048,
		.truncated = 2,
		.dropped_attributes = 5,
		.pipeline_count = 1,
	};
	all.pipelines[0] = (otlog_pipeline_statistics){
		.name = "otlp_http",
		.emitted = 110,
		.adopted = 20,
		.delivered = 70,
		.queued = 33,
		.filtered = 6,
		.dropped = { [OTLOG_DROP_QUEUE_FULL] = 5,
		             [OTLOG_DROP_TOO_LARGE] = 3,
		             [OTLOG_DROP_AFTER_SHUTDOWN] = 1,
		             [OTLOG_DROP_REJECTED] = 12 },
		.refused = { [OTLOG_DROP_QUEUE_FULL] = 3, [OTLOG_DROP_TOO_LARGE] = 1 },
		.spooled = 10,
		.in_flight = 8,
		.batches = 12,
		.retries = 4,
		.bytes = 70000,
		.spool_bytes = 12288,
		.last_error = "connection_refused",
		.duration_counts = { 1, 2, 4, 6, 8, 9, 10, 10, 10, 10, 11, 11, 11, 12, 12 },
		.duration_sum_s = 9.125,
	};
	return all;
}

static size_t
put(const sdk_books *all, char *out, size_t out_size)
{
	return otlog_statistics_prometheus(&all->totals, all->pipelines, all->pipeline_count, out, out_size);
}

/* The whole text. Free with free(). */
static char *
text_of(const sdk_books *all)
{
	size_t size = put(all, NULL, 0);
	char *text = malloc(size + 1);
	assert_non_null(text);
	assert_int_equal(put(all, text, size + 1), size);
	assert_int_equal(strlen(text), size);
	return text;
}

static prometheus_page
page_of(const sdk_books *all)
{
	char *text = text_of(all);
	prometheus_page page = prometheus_read(text);
	free(text);
	return page;
}

static void
assert_value(const sdk_books *all, const char *series, double value)
{
	prometheus_page page = page_of(all);
	if (prometheus_value(&page, series) != value)
		fail_msg("%s is %g, not %g", series, prometheus_value(&page, series), value);
	prometheus_free(&page);
}

static void
the_text_is_this_one(void **state)
{
	(void)state;
	static char expected[65536];
	FILE *file = fopen(OTLOG_SOURCE_DIR "/tests/unit/metrics_golden.prom", "r");
	assert_non_null(file);
	expected[fread(expected, 1, sizeof expected - 1, file)] = '\0';
	fclose(file);
	sdk_books all = one_pipeline();
	char *text = text_of(&all);
	assert_string_equal(text, expected);
	free(text);
}

static void
every_metric_is_documented(void **state)
{
	(void)state;
	static char documented[65536];
	FILE *file = fopen(OTLOG_SOURCE_DIR "/docs/metrics.md", "r");
	assert_non_null(file);
	documented[fread(documented, 1, sizeof documented - 1, file)] = '\0';
	fclose(file);
	sdk_books all = one_pipeline();
	prometheus_page page = page_of(&all);
	for (size_t i = 0; i < page.count; i++) {
		char row[128];
		const char *family = page.samples[i].family;
		snprintf(row, sizeof row, "| `%.*s` |", (int)strcspn(family, " "), family);
		if (!strstr(documented, row))
			fail_msg("docs/metrics.md has no row for %s", row);
	}
	prometheus_free(&page);
}

static void
without_pipelines_or_statistics_there_is_little(void **state)
{
	(void)state;
	sdk_books none = { 0 };
	prometheus_page page = page_of(&none);
	assert_int_equal(prometheus_value(&page, "otel_sdk_log_created_total"), 0);
	for (size_t i = 0; i < page.count; i++)
		assert_null(strstr(page.samples[i].series, "otel_component_name"));
	prometheus_free(&page);

	char *text = text_of(&none);
	char *of_null = malloc(strlen(text) + 1);
	const size_t size = strlen(text);
	assert_int_equal(otlog_statistics_prometheus(NULL, NULL, 3, of_null, size + 1), size);
	assert_string_equal(of_null, text);
	free(of_null);
	free(text);
}

/* What an older program's structs do not have yet is zero. */
static void
shorter_structs_are_read_as_far_as_they_go(void **state)
{
	(void)state;
	const sdk_books all = one_pipeline();
	const size_t size = offsetof(otlog_statistics_snapshot, accepted);
	const size_t stride = offsetof(otlog_pipeline_statistics, delivered);
	char *totals = malloc(size), *pipelines = malloc(2 * stride); /* what is behind them is nobody's */
	char text[32768];
	memcpy(totals, &all.totals, size);
	memcpy(pipelines, &all.pipelines[0], stride);
	memcpy(pipelines + stride, &all.pipelines[0], stride);
	size_t written = otlog_statistics_prometheus_sized((otlog_statistics_snapshot *)(void *)totals, size,
	                                                   (otlog_pipeline_statistics *)(void *)pipelines, stride, 2,
	                                                   text, sizeof text);
	assert_in_range(written, 1, sizeof text - 1);
	prometheus_page page = prometheus_read(text);
	assert_int_equal(prometheus_value(&page, "otlog_emitted_records_total"), 110);
	assert_int_equal(prometheus_value(&page, "otlog_accepted_records_total"), 0);
	for (int i = 0; i < 2; i++) {
		char series[256];
		static const char labels[] = "otel_component_type=\"otlp_http_log_exporter\"";
		snprintf(series, sizeof series,
		         "otlog_pipeline_adopted_records_total{otel_component_name=\"otlp_http_log_exporter/%d\",%s}",
		         i, labels);
		assert_int_equal(prometheus_value(&page, series), 20);
		snprintf(series, sizeof series,
		         "otlog_pipeline_delivered_records_total{otel_component_name=\"otlp_http_log_exporter/%d\",%s}",
		         i, labels);
		assert_int_equal(prometheus_value(&page, series), 0);
	}
	prometheus_free(&page);
	free(totals);
	free(pipelines);
}

static void
pipelines_of_the_same_kind_are_numbered(void **state)
{
	(void)state;
	sdk_books all = { .pipeline_count = 5 };
	static const char *const names[] = { "otlp_http", "otlp_grpc", "otlp_http", NULL, "otlp_http_json" };
	for (size_t i = 0; i < 5; i++) {
		all.pipelines[i].name = names[i];
		all.pipelines[i].delivered = i + 1;
		all.pipelines[i].queued = i + 10;
	}
	static const char *const types[] = { "otlp_http_log_exporter/0", "otlp_grpc_log_exporter/0",
		                             "otlp_http_log_exporter/1", "exporter_log_exporter/0",
		                             "otlp_http_json_log_exporter/0" };
	for (size_t i = 0; i < 5; i++) {
		char series[256];
		snprintf(
		    series, sizeof series,
		    "otel_sdk_exporter_log_exported_total{otel_component_name=\"%s\",otel_component_type=\"%.*s\"}",
		    types[i], (int)(strchr(types[i], '/') - types[i]), types[i]);
		assert_value(&all, series, (double)i + 1);
		snprintf(series, sizeof series,
		         "otel_sdk_processor_log_queue_size{otel_component_name=\"batching_log_processor/%zu\","
		         "otel_component_type=\"batching_log_processor\"}",
		         i);
		assert_value(&all, series, (double)i + 10);
	}
}

static void
pipelines_with_names_of_their_own_go_by_them(void **state)
{
	(void)state;
	sdk_books all = { .pipeline_count = 4 };
	static const char *const names[] = { "eu", "us", "eu", "otlp_http" };
	static const char *const components[] = { "eu", "us", "eu/1", "otlp_http_log_exporter/0" };
	for (size_t i = 0; i < 4; i++) {
		all.pipelines[i].name = names[i];
		all.pipelines[i].exporter = "otlp_http";
		all.pipelines[i].delivered = i + 1;
	}
	for (size_t i = 0; i < 4; i++) {
		char series[256];
		snprintf(series, sizeof series,
		         "otlog_pipeline_delivered_records_total{otel_component_name=\"%s\","
		         "otel_component_type=\"otlp_http_log_exporter\"}",
		         components[i]);
		assert_value(&all, series, (double)i + 1);
	}
}

static void
more_pipelines_than_there_can_be_are_not_read(void **state)
{
	(void)state;
	sdk_books all = { .pipeline_count = SIZE_MAX };
	prometheus_page page = page_of(&all);
	size_t found = 0;
	for (size_t i = 0; i < page.count; i++)
		found += strncmp(page.samples[i].series, "otlog_pipeline_batches_total{", 29) == 0;
	assert_int_equal(found, OTLOG_MAX_PIPELINES);
	prometheus_free(&page);
}

static void
names_and_errors_are_escaped(void **state)
{
	(void)state;
	sdk_books all = { .pipeline_count = 1 };
	all.pipelines[0].name = "a\"b\\c\nd\xff\xc3\xa9{,";
	memcpy(all.pipelines[0].last_error, "\"1234567890123456789012345678901", 32); /* and no NUL */
	assert_value(&all,
	             "otlog_pipeline_failing{"
	             "otel_component_name=\"a\\\"b\\\\c\\nd\xef\xbf\xbd\xc3\xa9{,_log_exporter/0\","
	             "otel_component_type=\"a\\\"b\\\\c\\nd\xef\xbf\xbd\xc3\xa9{,_log_exporter\","
	             "error_type=\"\\\"1234567890123456789012345678901\"}",
	             1);
}

static void
every_size_of_out_is_kept_to(void **state)
{
	(void)state;
	sdk_books all = one_pipeline();
	char *whole = text_of(&all);
	size_t size = strlen(whole);
	char *out = malloc(size + 16);
	assert_non_null(out);
	for (size_t room = 0; room <= size + 2; room++) {
		memset(out, 'x', size + 16);
		CHECK(put(&all, out, room) == size);
		size_t written = room == 0 ? 0 : room - 1 < size ? room - 1 : size;
		CHECK(memcmp(out, whole, written) == 0);
		CHECK(room == 0 || out[written] == '\0');
		for (size_t i = room; i < room + 8 && i < size + 16; i++)
			CHECK(out[i] == 'x');
	}
	free(out);
	free(whole);
}

static void
the_queue_has_a_capacity_in_records_only_where_it_is_bounded_by_them(void **state)
{
	(void)state;
	sdk_books all = one_pipeline();
	assert_value(&all, "otel_sdk_processor_log_queue_capacity{" PROCESSOR "}", 2048);
	all.totals.queue_records = 0;
	assert_value(&all, "otel_sdk_processor_log_queue_capacity{" PROCESSOR "}", -1);
	assert_value(&all, "otlog_queue_bytes", 16777216);
}

static void
sums_of_seconds_are_numbers_in_every_locale(void **state)
{
	(void)state;
	static const struct {
		double sum_s;
		const char *text;
	} cases[] = {
		{ 0, "0.000000000" },
		{ 1e-9, "0.000000001" },
		{ 1.5, "1.500000000" },
		{ 0.9999999999, "1.000000000" },
		{ -1, "0.000000000" },
		{ NAN, "0.000000000" },
		{ 1e300, "1000000000.000000000" },
	};
	static const char series[] = "otel_sdk_exporter_operation_duration_seconds_sum{" EXPORTER "} ";
	bool commas = setlocale(LC_NUMERIC, "de_DE.UTF-8") || setlocale(LC_NUMERIC, "fr_FR.UTF-8");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		sdk_books all = { .pipeline_count = 1 };
		all.pipelines[0].name = "memory";
		all.pipelines[0].duration_sum_s = cases[i].sum_s;
		char *text = text_of(&all);
		const char *at = strstr(text, series);
		assert_non_null(at);
		size_t size = strlen(cases[i].text);
		assert_memory_equal(at + sizeof series - 1, cases[i].text, size);
		assert_int_equal(at[sizeof series - 1 + size], '\n');
		free(text);
	}
	setlocale(LC_NUMERIC, "C");
	if (!commas)
		print_message("no locale with decimal commas here: only C was tried\n");
}

/* Whatever the numbers, what is exported and dropped comes to what the pipeline's books say. */
static void
each_record_that_is_done_with_is_in_one_series(void **state)
{
	(void)state;
	sdk_books all = one_pipeline();
	prometheus_page page = page_of(&all);
	double processed = 0, exported = 0;
	for (size_t i = 0; i < page.count; i++) {
		const prometheus_sample *sample = &page.samples[i];
		if (strncmp(sample->series, "otel_sdk_processor_log_processed_total", 38) == 0)
			processed += sample->value;
		if (strncmp(sample->series, "otel_sdk_exporter_log_exported_total", 36) == 0)
			exported += sample->value;
	}
	assert_int_equal(processed, 70 + sdk_dropped_of(&all.pipelines[0]));
	assert_int_equal(exported, prometheus_value(&page, "otel_sdk_processor_log_processed_total{" PROCESSOR "}"));
	prometheus_free(&page);
}

/* The numbers of a provider that runs, whose sixth record is below its minimum severity. */
static void
a_providers_own_numbers_come_out(void **state)
{
	(void)state;
	otlog_pipeline_options pipeline = { .schedule_delay_ms = 20, .minimum_severity = OTLOG_SEVERITY_INFO };
	otlog_memory *memory = otlog_memory_exporter_create(NULL, &pipeline.exporter);
	assert_non_null(memory);
	otlog_provider *provider = otlog_provider_create(&(otlog_options){ .pipelines = &pipeline,
	                                                                   .pipeline_count = 1,
	                                                                   .queue_bytes = 1 << 20,
	                                                                   .max_queue_records = 1024,
	                                                                   .diagnostic = sdk_silence });
	assert_non_null(provider);
	otlog_logger *logger = otlog_provider_get_logger(provider, &(otlog_logger_options){ .name = "test" });
	assert_int_equal(sdk_emit_many(logger, 5), 5);
	otlog_emit(logger, &(otlog_record){ .severity = OTLOG_SEVERITY_DEBUG });
	assert_int_equal(otlog_provider_flush(provider, 10000), OTLOG_DELIVERED);

	sdk_books all;
	sdk_take_books(provider, &all);
	prometheus_page page = page_of(&all);
	assert_int_equal(prometheus_value(&page, "otel_sdk_log_created_total"), 5);
	assert_int_equal(prometheus_value(&page, "otlog_filtered_records_total"), 1);
	assert_int_equal(prometheus_value(&page, "otel_sdk_processor_log_processed_total{" PROCESSOR "}"), 5);
	assert_int_equal(prometheus_value(&page, "otel_sdk_exporter_log_exported_total{" EXPORTER "}"), 5);
	assert_int_equal(prometheus_value(&page, "otel_sdk_processor_log_queue_size{" PROCESSOR "}"), 0);
	assert_int_equal(prometheus_value(&page, "otel_sdk_processor_log_queue_capacity{" PROCESSOR "}"), 1024);
	assert_int_equal(prometheus_value(&page, "otlog_queue_bytes"), all.totals.queue_bytes);
	assert_int_equal(prometheus_value(&page, "otlog_pipeline_failing{" EXPORTER "}"), 0);
	prometheus_free(&page);

	assert_int_equal(otlog_provider_shutdown(provider, 10000), OTLOG_DELIVERED);
	assert_int_equal(sdk_emit_many(logger, 3), 0);
	sdk_take_books(provider, &all);
	assert_value(&all, "otel_sdk_processor_log_processed_total{" PROCESSOR ",error_type=\"already_shutdown\"}", 3);
	assert_in_range(all.pipelines[0].batches, 1, 5);
	assert_value(&all, "otel_sdk_exporter_operation_duration_seconds_count{" EXPORTER "}",
	             (double)all.pipelines[0].batches);
	otlog_provider_destroy(provider);
	otlog_memory_free(memory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_text_is_this_one),
		cmocka_unit_test(every_metric_is_documented),
		cmocka_unit_test(without_pipelines_or_statistics_there_is_little),
		cmocka_unit_test(shorter_structs_are_read_as_far_as_they_go),
		cmocka_unit_test(pipelines_of_the_same_kind_are_numbered),
		cmocka_unit_test(pipelines_with_names_of_their_own_go_by_them),
		cmocka_unit_test(more_pipelines_than_there_can_be_are_not_read),
		cmocka_unit_test(names_and_errors_are_escaped),
		cmocka_unit_test(every_size_of_out_is_kept_to),
		cmocka_unit_test(the_queue_has_a_capacity_in_records_only_where_it_is_bounded_by_them),
		cmocka_unit_test(sums_of_seconds_are_numbers_in_every_locale),
		cmocka_unit_test(each_record_that_is_done_with_is_in_one_series),
		cmocka_unit_test(a_providers_own_numbers_come_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
