#include "sdk/base/random.h"
#include "tests/support/harness/cmocka.h"

#define DRAWS 4096

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static void
numbers_do_not_repeat(void **state)
{
	(void)state;
	static uint64_t drawn[DRAWS];
	for (size_t i = 0; i < DRAWS; i++)
		drawn[i] = otlog__random_u64();
	qsort(drawn, DRAWS, sizeof drawn[0], compare);
	for (size_t i = 1; i < DRAWS; i++)
		assert_true(drawn[i] != drawn[i - 1]);
}

/* The mean is 2048 with a deviation of 32: ten times that is beyond chance. */
static void
every_bit_is_set_about_half_of_the_time(void **state)
{
	(void)state;
	unsigned set[64] = { 0 };
	for (size_t i = 0; i < DRAWS; i++) {
		uint64_t bits = otlog__random_u64();
		for (unsigned b = 0; b < 64; b++)
			set[b] += bits >> b & 1;
	}
	for (unsigned b = 0; b < 64; b++)
		assert_in_range(set[b], DRAWS / 2 - 320, DRAWS / 2 + 320);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_do_not_repeat),
		cmocka_unit_test(every_bit_is_set_about_half_of_the_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
