#include "sdk/base/clock.h"
#include "tests/support/harness/cmocka.h"

#include <stdbool.h>

static void
the_monotonic_clock_never_goes_back(void **state)
{
	(void)state;
	uint64_t last = otlog__monotonic_nano();
	for (int i = 0; i < 10000; i++) {
		uint64_t now = otlog__monotonic_nano();
		assert_true(now >= last);
		last = now;
	}
}

static void
the_unix_clock_agrees_with_time(void **state)
{
	(void)state;
	time_t before = time(NULL);
	uint64_t seconds = otlog__unix_nano() / OTLOG__NANOS_PER_S;
	assert_in_range(seconds, before - 1, before + 10);
}

static void
a_deadline_lies_so_many_milliseconds_ahead(void **state)
{
	(void)state;
	assert_int_equal(otlog__deadline_nano(5, 0), 5);
	assert_int_equal(otlog__deadline_nano(5, 3), 3000005);
}

static void
a_deadline_that_does_not_fit_is_never(void **state)
{
	(void)state;
	static const struct {
		uint64_t now;
		uint64_t ms;
	} cases[] = { { 0, UINT64_MAX },
		      { UINT64_MAX, 1 },
		      { 1, UINT64_MAX / OTLOG__NANOS_PER_MS + 1 },
		      { UINT64_MAX / 2, UINT64_MAX / 2 } };
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_true(otlog__deadline_nano(cases[i].now, cases[i].ms) == UINT64_MAX);
	for (uint64_t ms = 1; ms; ms <<= 1)
		assert_true(otlog__deadline_nano(1000, ms) > 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_monotonic_clock_never_goes_back),
		cmocka_unit_test(the_unix_clock_agrees_with_time),
		cmocka_unit_test(a_deadline_lies_so_many_milliseconds_ahead),
		cmocka_unit_test(a_deadline_that_does_not_fit_is_never),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
