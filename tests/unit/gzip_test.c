#include "exporters/http/gzip.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/servers/gunzip.h"

#include <stdlib.h>

static void
check_round_trip(otlog__gzip *gzip, const uint8_t *body, size_t size)
{
	otlog__buffer back = { 0 };
	assert_true(otlog__gzip_compress(gzip, body, size));
	assert_true(gunzip(gzip->out.data, gzip->out.size, &back));
	assert_int_equal(back.size, size);
	if (size)
		assert_memory_equal(back.data, body, size);
	otlog__buffer_free(&back);
}

static void
zlib_unpacks_every_size_from_one_compressor(void **state)
{
	static const size_t sizes[] = { 0, 1, 2, 100, 70000, 3, 1048576, 17 };
	otlog__gzip gzip = { 0 };
	uint8_t *body = malloc(1048576);
	(void)state;
	assert_non_null(body);
	srand(1);
	for (size_t i = 0; i < 1048576; i++)
		body[i] = i % 3 ? (uint8_t)('a' + i % 7) : (uint8_t)rand();
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		check_round_trip(&gzip, body, sizes[i]);
	otlog__gzip_free(&gzip);
	free(body);
}

static void
repetitive_bytes_become_few_and_random_ones_hardly_more(void **state)
{
	otlog__gzip gzip = { 0 };
	uint8_t *body = calloc(1, 100000);
	(void)state;
	assert_non_null(body);
	check_round_trip(&gzip, body, 100000);
	assert_in_range(gzip.out.size, 1, 1000);
	srand(1);
	for (size_t i = 0; i < 100000; i++)
		body[i] = (uint8_t)(rand() >> 7);
	check_round_trip(&gzip, body, 100000);
	assert_in_range(gzip.out.size, 100000, 101000);
	otlog__gzip_free(&gzip);
	free(body);
}

static void
freeing_what_was_never_used_is_harmless(void **state)
{
	otlog__gzip gzip = { 0 };
	(void)state;
	otlog__gzip_free(&gzip);
	otlog__gzip_free(&gzip);
	assert_null(gzip.compressor);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zlib_unpacks_every_size_from_one_compressor),
		cmocka_unit_test(repetitive_bytes_become_few_and_random_ones_hardly_more),
		cmocka_unit_test(freeing_what_was_never_used_is_harmless),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
