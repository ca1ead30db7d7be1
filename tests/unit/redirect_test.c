/* Where redirects lead, and where credentials may go along. */
#include "exporters/http/redirect.h"
#include "tests/support/harness/cmocka.h"

static void
credentials_go_along_to_the_same_origin_only(void **state)
{
	(void)state;
	static const struct {
		const char *from, *to, *target;
		bool same;
	} cases[] = {
		{ "http://ann:pw@h/a", "http://h/b", "http://ann:pw@h/b", true },
		{ "http://ann:pw@h/a", "http://H:80/b?q=1", "http://ann:pw@H:80/b?q=1", true },
		{ "http://ann:pw@h/a", "http://bob@h/b", "http://bob@h/b", true },
		{ "https://ann:pw@h/a", "https://h:443/", "https://ann:pw@h:443/", true },
		{ "http://h/a", "http://h/b", "http://h/b", true },
		{ "http://ann:pw@h/a", "http://other/b", "http://other/b", false },
		{ "http://ann:pw@h/a", "http://h:81/b", "http://h:81/b", false },
		{ "http://ann:pw@h/a", "https://h/b", "https://h/b", false },
		{ "https://ann:pw@h/a", "http://h/b", "http://h/b", false },
		{ "http://ann:pw@h/a", "http://ann:pw@other/b", "http://other/b", false },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		otlog__redirect redirect;
		assert_true(otlog__redirect_read(cases[i].from, cases[i].to, &redirect));
		assert_string_equal(redirect.target.full, cases[i].target);
		assert_int_equal(redirect.same_origin, cases[i].same);
		otlog__endpoint_free(&redirect.target);
	}
}

static void
only_http_servers_are_led_to(void **state)
{
	(void)state;
	static const char *const bad[] = { "file:///etc/passwd", "ftp://h/",     "http://",
		                           "http://h:0/",        "gopher://h/x", "" };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		otlog__redirect redirect;
		assert_false(otlog__redirect_read("http://h/", bad[i], &redirect));
		assert_null(redirect.target.full);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(credentials_go_along_to_the_same_origin_only),
		cmocka_unit_test(only_http_servers_are_led_to),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
