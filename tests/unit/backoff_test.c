#include "tests/support/harness/cmocka.h"

#include "sdk/processor/backoff.h"

static void
the_bound_doubles_up_to_the_cap(void **state)
{
	(void)state;
	/* A random number of 2^64 - 1 modulo (bound + 1) is the bound itself where bound + 1 divides 2^64. */
	static const uint64_t bounds[] = { 1023, 2046, 4092, 8000, 8000 };
	for (uint32_t failures = 1; failures <= 5; failures++) {
		uint64_t most = 0;
		for (uint64_t random = 0; random < 20000; random++) {
			uint64_t wait = otlog__backoff_ms(failures, 1023, 8000, 0, random);
			most = wait > most ? wait : most;
		}
		assert_int_equal(most, bounds[failures - 1]);
	}
}

static void
the_jitter_reaches_down_to_zero(void **state)
{
	(void)state;
	assert_int_equal(otlog__backoff_ms(3, 1000, 30000, 0, 0), 0);
	assert_int_equal(otlog__backoff_ms(3, 1000, 30000, 0, 4001), 0);
	assert_int_equal(otlog__backoff_ms(3, 1000, 30000, 0, 4000), 4000);
}

static void
what_the_server_asks_for_is_the_least(void **state)
{
	(void)state;
	assert_int_equal(otlog__backoff_ms(1, 1000, 30000, 5000, 0), 5000);
	assert_int_equal(otlog__backoff_ms(1, 1000, 30000, 5000, 1000), 6000);
	assert_int_equal(otlog__backoff_ms(1, 1000, 30000, UINT64_MAX, 1000), UINT64_MAX);
}

static void
extreme_options_do_not_overflow(void **state)
{
	(void)state;
	assert_int_equal(otlog__backoff_ms(UINT32_MAX, 1, 2, 0, 5), 2);
	assert_int_equal(otlog__backoff_ms(UINT32_MAX, UINT64_MAX, UINT64_MAX, 0, 42), 42);
	assert_int_equal(otlog__backoff_ms(70, UINT64_MAX / 2, UINT64_MAX, 0, 42), 42);
	assert_int_equal(otlog__backoff_ms(5, 0, 0, 0, 42), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bound_doubles_up_to_the_cap),
		cmocka_unit_test(the_jitter_reaches_down_to_zero),
		cmocka_unit_test(what_the_server_asks_for_is_the_least),
		cmocka_unit_test(extreme_options_do_not_overflow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
