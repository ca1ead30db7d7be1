/* Options as programs give them: of other sizes, and with more pipelines than there can be. */
#include "sdk/settings/given_options.h"

#include "tests/support/harness/check.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/sdk/diagnosed.h"

#include <stdlib.h>
#include <string.h>

#define MORE 3

static int destroyed[OTLOG_MAX_PIPELINES + MORE];
static int delivered[OTLOG_MAX_PIPELINES + MORE];

static void
count_batch(void *self, const otlog_batch *batch, uint64_t timeout_ms, otlog_export_result *result)
{
	(void)timeout_ms, (void)result;
	delivered[(int *)self - destroyed] += (int)batch->records;
}

static void
count_destroyed(void *self)
{
	++*(int *)self;
}

static const otlog_exporter_functions functions = { .size = sizeof functions,
	                                            .export_batch = count_batch,
	                                            .destroy = count_destroyed };

/* Elements of `size` bytes each, of their exact size together. Free with free(). */
static otlog_pipeline_options *
make_pipelines(size_t count, size_t size)
{
	char *bytes = calloc(count, size);
	CHECK(bytes);
	memset(destroyed, 0, sizeof destroyed);
	memset(delivered, 0, sizeof delivered);
	for (size_t i = 0; i < count; i++) {
		const otlog_pipeline_options pipeline = { .exporter = { .functions = &functions,
			                                                .self = &destroyed[i] },
			                                  .max_batch_records = (uint32_t)i + 1 };
		memset(bytes + i * size, 0xff, size);
		memcpy(bytes + i * size, &pipeline, size < sizeof pipeline ? size : sizeof pipeline);
	}
	return (otlog_pipeline_options *)(void *)bytes;
}

static void
pipelines_of_any_size_come_out_in_their_places(void **state)
{
	(void)state;
	const size_t sizes[] = { offsetof(otlog_pipeline_options, max_batch_bytes), sizeof(otlog_pipeline_options),
		                 sizeof(otlog_pipeline_options) + 24 };
	for (size_t s = 0; s < 3; s++) {
		otlog_pipeline_options *pipelines = make_pipelines(4, sizes[s]);
		const otlog_options options = { .pipelines = pipelines, .pipeline_count = 4, .queue_bytes = 7 };
		otlog__given_options given;
		memset(&given, 0xff, sizeof given);
		otlog__given_options_take(&given, &options, sizeof options, sizes[s]);
		assert_int_equal(given.options.queue_bytes, 7);
		assert_int_equal(otlog__given_pipelines(&given.options), 4);
		for (size_t i = 0; i < 4; i++) {
			assert_ptr_equal(given.options.pipelines[i].exporter.self, &destroyed[i]);
			assert_int_equal(given.options.pipelines[i].max_batch_records, i + 1);
			assert_int_equal(given.options.pipelines[i].minimum_severity, 0);
		}
		free(pipelines);
	}
}

static void
options_that_are_not_there_are_zero(void **state)
{
	(void)state;
	otlog__given_options given;
	const otlog_options zero = { 0 };
	memset(&given, 0xff, sizeof given);
	otlog__given_options_take(&given, NULL, sizeof(otlog_options), sizeof(otlog_pipeline_options));
	assert_memory_equal(&given.options, &zero, sizeof zero);
	assert_int_equal(otlog__given_pipelines(&given.options), 0);
	/* A count alone gives none. */
	otlog__given_options_take(&given, &(otlog_options){ .pipeline_count = 5 }, sizeof(otlog_options), 8);
	assert_null(given.options.pipelines);
	assert_int_equal(otlog__given_pipelines(&given.options), 0);
}

static void
pipelines_beyond_the_most_are_destroyed_and_the_others_work(void **state)
{
	(void)state;
	const size_t count = OTLOG_MAX_PIPELINES + MORE;
	otlog_pipeline_options *pipelines = make_pipelines(count, sizeof *pipelines);
	diagnosed_begin();
	otlog_provider *provider = otlog_provider_create(&(otlog_options){ .pipelines = pipelines,
	                                                                   .pipeline_count = count,
	                                                                   .queue_directory = "",
	                                                                   .queue_bytes = 1 << 20,
	                                                                   .diagnostic = diagnosed_take });
	free(pipelines);
	assert_non_null(provider);
	assert_int_equal(diagnosed_count(), 1);
	assert_true(diagnosed_says("the pipelines from number 16 on are left out: a provider has 16 at most"));
	otlog_logger *logger = otlog_provider_get_logger(provider, &(otlog_logger_options){ .name = "many" });
	assert_int_equal(otlog_emit(logger, &(otlog_record){ 0 }), OTLOG_EMIT_ACCEPTED);
	assert_int_equal(otlog_provider_shutdown(provider, 10000), OTLOG_DELIVERED);
	otlog_provider_destroy(provider);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(delivered[i], i < OTLOG_MAX_PIPELINES);
		assert_int_equal(destroyed[i], 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pipelines_of_any_size_come_out_in_their_places),
		cmocka_unit_test(options_that_are_not_there_are_zero),
		cmocka_unit_test(pipelines_beyond_the_most_are_destroyed_and_the_others_work),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
