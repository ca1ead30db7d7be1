#include "sdk/settings/url.h"
#include "tests/support/harness/cmocka.h"

#include <stdlib.h>

static void
a_path_is_appended_with_one_slash_before_the_query(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{ "http://h", "http://h/v1/logs" },
		{ "http://h/", "http://h/v1/logs" },
		{ "http://h/p", "http://h/p/v1/logs" },
		{ "http://h/p/", "http://h/p/v1/logs" },
		{ "http://h?q=/", "http://h/v1/logs?q=/" },
		{ "http://h/?q", "http://h/v1/logs?q" },
		{ "http://h/p#f?x", "http://h/p/v1/logs#f?x" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *url = otlog__url_append(otlog__text_of(cases[i][0]), "v1/logs");
		assert_string_equal(url, cases[i][1]);
		free(url);
	}
}

static void
a_url_without_a_path_gets_a_slash(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{ "http://h", "http://h/" },     { "http://h/", "http://h/" },   { "http://h?q=/", "http://h/?q=/" },
		{ "http://h#f", "http://h/#f" }, { "http://h/p", "http://h/p" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *url = otlog__url_complete(otlog__text_of(cases[i][0]));
		assert_string_equal(url, cases[i][1]);
		free(url);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_is_appended_with_one_slash_before_the_query),
		cmocka_unit_test(a_url_without_a_path_gets_a_slash),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
