/* Copies of the SDK that were made for another libotlog-api than the one of the process. */
#include "tests/support/harness/check.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/sdk/diagnosed.h"

#include "sdk/api/backend.h"

#include <otlog/otlog.h>

#include <dlfcn.h>
#include <string.h>

static bool (*start_other)(const otlog__seam *seam);
static int (*emits_of_other)(void);

/* ISO C has no cast from an object's pointer to a function's; POSIX promises that the bytes are the same. */
static void
find(void *library, const char *name, void *function)
{
	void *symbol = dlsym(library, name);
	CHECK(symbol);
	memcpy(function, &symbol, sizeof symbol);
}

static int
load_other(void **state)
{
	void *library = dlopen(OTLOG_OTHER_SDK, RTLD_NOW | RTLD_LOCAL);
	(void)state;
	CHECK(library);
	find(library, "other_sdk_start", &start_other);
	find(library, "other_sdk_emits", &emits_of_other);
	return 0;
}

static const otlog__seam *
misfit(size_t i)
{
	static otlog__seam seams[4];
	for (size_t s = 0; s < 4; s++)
		seams[s] = (otlog__seam)OTLOG__SEAM;
	seams[0].version++;
	seams[0].release = "9.9.9";
	seams[1].version--;
	seams[2].backend_size = (uint16_t)(seams[2].backend_size + sizeof(void *));
	seams[3].binding_size = (uint16_t)(seams[3].binding_size - sizeof(void *));
	return &seams[i];
}

static void
a_copy_that_does_not_fit_stays_off_and_says_so_once(void **state)
{
	(void)state;
	otlog_logger *logger = otlog_get_logger("seam", NULL);
	for (size_t i = 0; i < 4; i++) {
		diagnosed_begin();
		assert_false(start_other(misfit(i)));
		assert_int_equal(diagnosed_count(), 1);
		assert_true(diagnosed_says("Install libotlog and libotlog-api of the same version"));
		assert_int_equal(diagnosed_says("this copy of it is of otlog 9.9.9 (seam 2,"), i == 0);
		assert_int_equal(otlog_emit(logger, &(otlog_record){ 0 }), OTLOG_EMIT_DISABLED);
	}
	assert_int_equal(emits_of_other(), 0);
}

static void
a_running_sdk_keeps_the_loggers_that_a_misfit_asks_for(void **state)
{
	(void)state;
	otlog_pipeline_options pipeline = { 0 };
	otlog_memory *memory = otlog_memory_exporter_create(NULL, &pipeline.exporter);
	const otlog_options options = {
		.pipelines = &pipeline, .pipeline_count = 1, .queue_directory = "", .diagnostic = diagnosed_take
	};
	assert_non_null(memory);
	assert_true(otlog_start(&options));
	otlog_logger *logger = otlog_get_logger("seam", NULL);
	for (size_t i = 0; i < 4; i++) {
		assert_false(start_other(misfit(i)));
		assert_int_equal(otlog_emit(logger, &(otlog_record){ 0 }), OTLOG_EMIT_ACCEPTED);
	}
	assert_int_equal(otlog_shutdown(10000), OTLOG_DELIVERED);
	assert_int_equal(otlog_memory_count(memory), 4);
	assert_int_equal(emits_of_other(), 0);
	otlog_memory_free(memory);
}

static void
a_copy_that_fits_takes_the_loggers(void **state)
{
	(void)state;
	otlog_logger *logger = otlog_get_logger("seam", NULL);
	diagnosed_begin();
	assert_true(start_other(&(otlog__seam)OTLOG__SEAM));
	assert_int_equal(diagnosed_count(), 0);
	assert_int_equal(otlog_emit(logger, &(otlog_record){ 0 }), OTLOG_EMIT_ACCEPTED);
	assert_int_equal(emits_of_other(), 1);
	assert_true(otlog__registry_bind(otlog__global_registry(), NULL, NULL, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_that_does_not_fit_stays_off_and_says_so_once),
		cmocka_unit_test(a_running_sdk_keeps_the_loggers_that_a_misfit_asks_for),
		cmocka_unit_test(a_copy_that_fits_takes_the_loggers),
	};
	return cmocka_run_group_tests(tests, load_other, NULL);
}
