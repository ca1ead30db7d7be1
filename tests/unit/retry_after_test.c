#include "exporters/http/retry_after.h"
#include "tests/support/harness/cmocka.h"

#define NOW INT64_C(784111777) /* Sun, 06 Nov 1994 08:49:37 GMT */
#define CAP OTLOG__RETRY_AFTER_CAP_MS

static void
seconds_are_taken_as_such(void **state)
{
	(void)state;
	assert_int_equal(otlog__retry_after_ms("0", NOW), 0);
	assert_int_equal(otlog__retry_after_ms("1", NOW), 1000);
	assert_int_equal(otlog__retry_after_ms(" 120\t\r\n", NOW), 120000);
	assert_int_equal(otlog__retry_after_ms("007", NOW), 7000);
}

static void
a_date_in_each_of_its_three_forms_is_a_time_from_now(void **state)
{
	static const char *const forms[] = {
		"Sun, 06 Nov 1994 08:49:37 GMT",
		"Sunday, 06-Nov-94 08:49:37 GMT",
		"Sun Nov  6 08:49:37 1994",
		" Sun, 06 Nov 1994 08:49:37 GMT\r\n",
	};
	(void)state;
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		assert_int_equal(otlog__retry_after_ms(forms[i], NOW - 90), 90000);
		assert_int_equal(otlog__retry_after_ms(forms[i], NOW), 0);
		assert_int_equal(otlog__retry_after_ms(forms[i], NOW + 1), 0);
	}
}

static void
garbage_asks_for_nothing(void **state)
{
	static const char *const values[] = { "",     " ",        "-1",   "+5",   "1.5",         "1e3", "5s",  "0x10",
		                              "soon", "tomorrow", "\x01", "5, 6", "Sun, 99 Foo", "NaN", "%s%n" };
	(void)state;
	assert_int_equal(otlog__retry_after_ms(NULL, NOW), 0);
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		assert_int_equal(otlog__retry_after_ms(values[i], NOW), 0);
}

static void
nothing_silences_the_exporter_for_longer_than_the_cap(void **state)
{
	(void)state;
	assert_int_equal(otlog__retry_after_ms("3599", NOW), 3599000);
	assert_int_equal(otlog__retry_after_ms("3600", NOW), CAP);
	assert_int_equal(otlog__retry_after_ms("3601", NOW), CAP);
	assert_int_equal(otlog__retry_after_ms("99999999999999999999999999999999", NOW), CAP);
	assert_int_equal(otlog__retry_after_ms("18446744073709551616", NOW), CAP);
	assert_int_equal(otlog__retry_after_ms("Fri, 31 Dec 2049 23:59:59 GMT", NOW), CAP);
	assert_int_equal(otlog__retry_after_ms("Sun, 06 Nov 1994 08:49:37 GMT", INT64_MIN), CAP);
	assert_int_equal(otlog__retry_after_ms("Sun, 06 Nov 1994 08:49:37 GMT", INT64_MAX), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seconds_are_taken_as_such),
		cmocka_unit_test(a_date_in_each_of_its_three_forms_is_a_time_from_now),
		cmocka_unit_test(garbage_asks_for_nothing),
		cmocka_unit_test(nothing_silences_the_exporter_for_longer_than_the_cap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
