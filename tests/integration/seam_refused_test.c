/* This library beside a libotlog-api of another version, whose answer is defined here and so found first. */
#include "tests/support/harness/cmocka.h"
#include "tests/support/harness/process.h"
#include "tests/support/sdk/diagnosed.h"

#include "sdk/api/backend.h"

#include <otlog/otlog.h>

static int asked;
static int destroyed;

bool
otlog__seam_fits(const otlog__seam *seam)
{
	assert_int_equal(seam->version, OTLOG__SEAM_VERSION);
	asked++;
	return false;
}

static void
export_nothing(void *self, const otlog_batch *batch, uint64_t timeout_ms, otlog_export_result *result)
{
	(void)self, (void)batch, (void)timeout_ms, (void)result;
}

static void
count_destroyed(void *self)
{
	(void)self;
	destroyed++;
}

static void
the_sdk_stays_off_beside_another_api_and_gives_up_what_it_was_given(void **state)
{
	static const otlog_exporter_functions functions = { .size = sizeof functions,
		                                            .export_batch = export_nothing,
		                                            .destroy = count_destroyed };
	otlog_pipeline_options pipeline = { .exporter = { .functions = &functions } };
	const otlog_options options = { .pipelines = &pipeline, .pipeline_count = 1, .diagnostic = diagnosed_take };
	const unsigned before = process_threads();
	(void)state;
	diagnosed_begin();
	assert_false(otlog_start(&options));
	assert_int_equal(asked, 1);
	assert_int_equal(destroyed, 1);
	assert_null(otlog_provider_create(&options));
	assert_int_equal(asked, 2);
	assert_int_equal(destroyed, 2);
	assert_false(otlog_start(NULL));
	/* Its libotlog-api has said why; neither that one's sink nor its loggers were touched. */
	assert_int_equal(diagnosed_count(), 0);
	assert_int_equal(process_threads(), before);
	assert_int_equal(otlog_emit(otlog_get_logger("seam", NULL), &(otlog_record){ 0 }), OTLOG_EMIT_DISABLED);
	assert_int_equal(otlog_shutdown(1000), OTLOG_DELIVERED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sdk_stays_off_beside_another_api_and_gives_up_what_it_was_given),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
