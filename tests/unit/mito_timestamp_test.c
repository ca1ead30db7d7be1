/* Times as the Mito log server writes them, against the C library's calendar. */
#include <otlog/mito.h>

#include "tests/support/harness/cmocka.h"

#include <time.h>

#define S UINT64_C(1000000000)

static void
every_second_is_written_and_read_as_the_c_library_does(void **state)
{
	(void)state;
	/* Steps that meet every month, leap day and hour of 585 years; the last second that fits comes at the end. */
	const uint64_t last = UINT64_MAX / S;
	for (uint64_t seconds = 0;; seconds += 40009) {
		if (seconds > last)
			seconds = last;
		char expected[32], text[MITO_TIMESTAMP_SIZE];
		const time_t clock = (time_t)seconds;
		struct tm parts;
		uint64_t back = 1;
		strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&clock, &parts));
		mito_format_timestamp(seconds * S, text);
		if (strcmp(text, expected) != 0 || !mito_parse_timestamp(text, &back) || back != seconds * S)
			fail_msg("%s is written as %s", expected, text);
		if (seconds == last)
			break;
	}
}

static void
parts_of_a_second_are_cut(void **state)
{
	char text[MITO_TIMESTAMP_SIZE];
	(void)state;
	mito_format_timestamp(S - 1, text);
	assert_string_equal(text, "1970-01-01T00:00:00Z");
	mito_format_timestamp(UINT64_MAX, text);
	assert_string_equal(text, "2554-07-21T23:34:33Z");
}

static void
what_is_no_time_or_fits_no_number_is_refused(void **state)
{
	static const char *const texts[] = {
		NULL,
		"",
		"2026-03-02",
		"2026-03-02T09:14:05",
		"2026-03-02T09:14:05z",
		"2026-03-02 09:14:05Z",
		"2026-03-02T09:14:05Z ",
		" 2026-03-02T09:14:05Z",
		"2026-03-02T09:14:05.5Z",
		"2026-03-02T09:14:05+00:00",
		"2026-3-2T09:14:05Z000",
		"+026-03-02T09:14:05Z",
		"2026-0:-02T09:14:05Z",
		"2026-00-02T09:14:05Z",
		"2026-13-02T09:14:05Z",
		"2026-03-00T09:14:05Z",
		"2026-03-32T09:14:05Z",
		"2026-04-31T09:14:05Z",
		"2026-02-29T09:14:05Z",
		"2100-02-29T09:14:05Z",
		"2026-03-02T24:00:00Z",
		"2026-03-02T23:60:00Z",
		"2026-03-02T23:59:60Z",
		"0000-01-01T00:00:00Z",
		"1969-12-31T23:59:59Z",
		"2554-07-21T23:34:34Z",
		"2600-01-01T00:00:00Z",
		"9999-12-31T23:59:59Z",
	};
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		uint64_t unix_nano = 77;
		assert_false(mito_parse_timestamp(texts[i], &unix_nano));
		assert_true(unix_nano == 77);
	}
}

static void
leap_days_are_days(void **state)
{
	uint64_t unix_nano;
	(void)state;
	assert_true(mito_parse_timestamp("2024-02-29T00:00:00Z", &unix_nano));
	assert_true(unix_nano == 1709164800 * S);
	assert_true(mito_parse_timestamp("2000-02-29T00:00:00Z", &unix_nano));
	assert_true(unix_nano == 951782400 * S);
	assert_true(mito_parse_timestamp("2400-02-29T00:00:00Z", &unix_nano));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_second_is_written_and_read_as_the_c_library_does),
		cmocka_unit_test(parts_of_a_second_are_cut),
		cmocka_unit_test(what_is_no_time_or_fits_no_number_is_refused),
		cmocka_unit_test(leap_days_are_days),
	};
	return cmocka_run_group_tests_name("mito_timestamp", tests, NULL, NULL);
}
