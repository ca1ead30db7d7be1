/* Tables of an exporter's functions that are older or newer than this library, and some that are none. */
#include "tests/support/harness/check.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/sdk/diagnosed.h"

#include <otlog/otlog.h>

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* A table of the functions that there are, and room for those of later versions. */
typedef union newer_table {
	otlog_exporter_functions known;
	void (*all[16])(void);
} newer_table;

static int records;
static int destroyed;

static void
count_batch(void *self, const otlog_batch *batch, uint64_t timeout_ms, otlog_export_result *result)
{
	(void)self, (void)timeout_ms, (void)result;
	records += (int)batch->records;
}

static void
count_destroyed(void *self)
{
	(void)self;
	destroyed++;
}

static bool
fail_flush(void *self, uint64_t timeout_ms)
{
	(void)self, (void)timeout_ms;
	return false;
}

static void
never_called(void)
{
	abort();
}

/* Emits one record through a provider whose only pipeline has this table; false if there could be no provider. */
static bool
deliver_one(const otlog_exporter_functions *functions)
{
	otlog_pipeline_options pipeline = { .exporter = { .functions = functions, .name = "tables" } };
	const otlog_options options = {
		.pipelines = &pipeline, .pipeline_count = 1, .queue_directory = "", .diagnostic = diagnosed_take
	};
	records = destroyed = 0;
	diagnosed_begin();
	otlog_provider *provider = otlog_provider_create(&options);
	if (!provider)
		return false;
	otlog_logger *logger = otlog_provider_get_logger(provider, &(otlog_logger_options){ .name = "tables" });
	assert_int_equal(otlog_emit(logger, &(otlog_record){ .severity = OTLOG_SEVERITY_INFO }), OTLOG_EMIT_ACCEPTED);
	assert_int_equal(otlog_provider_shutdown(provider, 10000), OTLOG_DELIVERED);
	otlog_provider_destroy(provider);
	assert_int_equal(records, 1);
	return true;
}

static void
a_shorter_table_has_no_functions_beyond_its_end(void **state)
{
	(void)state;
	/* Of its exact size: the sanitizer sees who reads on. */
	const size_t size = offsetof(otlog_exporter_functions, cancel);
	const otlog_exporter_functions whole = { .size = size, .export_batch = count_batch };
	otlog_exporter_functions *cut = malloc(size);
	assert_non_null(cut);
	memcpy(cut, &whole, size);
	assert_true(deliver_one(cut));
	assert_int_equal(diagnosed_count(), 0);
	free(cut);

	/* The functions are there, but the size says that they are something else. */
	const otlog_exporter_functions misread = {
		.size = size, .export_batch = count_batch, .flush = fail_flush, .destroy = count_destroyed
	};
	assert_true(deliver_one(&misread));
	assert_int_equal(destroyed, 0);
}

static void
a_longer_table_works_and_what_is_not_known_is_said(void **state)
{
	(void)state;
	newer_table table = { .known = { .export_batch = count_batch, .destroy = count_destroyed } };
	table.known.size = sizeof table;
	assert_true(deliver_one(&table.known));
	assert_int_equal(diagnosed_count(), 0);
	assert_int_equal(destroyed, 1);

	table.all[15] = never_called;
	assert_true(deliver_one(&table.known));
	assert_int_equal(diagnosed_times("has functions that this libotlog does not know"), 1);
	assert_int_equal(destroyed, 1);
}

static void
a_table_without_a_size_is_left_out_and_never_called(void **state)
{
	(void)state;
	/* As tables were before they had a size, too small ones, and numbers that are no size of a table. */
	const otlog_exporter_functions forgotten = { .size = 0,
		                                     .export_batch = count_batch,
		                                     .destroy = count_destroyed };
	static void (*const old[])(void) = { never_called, never_called, never_called, never_called, never_called };
	otlog_exporter_functions cut = forgotten, odd = forgotten, huge = forgotten;
	cut.size = offsetof(otlog_exporter_functions, export_batch);
	odd.size = sizeof odd - 1;
	huge.size = SIZE_MAX - 7;
	const otlog_exporter_functions *const tables[] = { &forgotten, &cut, &odd, &huge,
		                                           (const otlog_exporter_functions *)(const void *)old };
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
		assert_false(deliver_one(tables[i]));
		assert_int_equal(diagnosed_times("does not begin with its size. Set otlog_exporter_functions.size"), 1);
		assert_int_equal(destroyed, 0);
	}
}

static void
the_pipelines_beside_one_without_a_size_work(void **state)
{
	(void)state;
	const otlog_exporter_functions bad = { .export_batch = count_batch };
	const otlog_exporter_functions good = { .size = sizeof good, .export_batch = count_batch };
	otlog_pipeline_options pipelines[] = { { .exporter = { .functions = &bad } },
		                               { .exporter = { .functions = &good } } };
	const otlog_options options = {
		.pipelines = pipelines, .pipeline_count = 2, .queue_directory = "", .diagnostic = diagnosed_take
	};
	records = 0;
	diagnosed_begin();
	otlog_provider *provider = otlog_provider_create(&options);
	assert_non_null(provider);
	otlog_logger *logger = otlog_provider_get_logger(provider, &(otlog_logger_options){ .name = "tables" });
	assert_int_equal(otlog_emit(logger, &(otlog_record){ 0 }), OTLOG_EMIT_ACCEPTED);
	assert_int_equal(otlog_provider_shutdown(provider, 10000), OTLOG_DELIVERED);
	assert_int_equal(records, 1);
	assert_true(diagnosed_says("pipeline 0 (exporter) is left out"));
	otlog_provider_destroy(provider);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_shorter_table_has_no_functions_beyond_its_end),
		cmocka_unit_test(a_longer_table_works_and_what_is_not_known_is_said),
		cmocka_unit_test(a_table_without_a_size_is_left_out_and_never_called),
		cmocka_unit_test(the_pipelines_beside_one_without_a_size_work),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
