#include "exporters/http/secrets.h"
#include "tests/support/harness/cmocka.h"

#include <stdio.h>
#include <string.h>

static void
check(const otlog__http_options *options, const char *text, const char *expected)
{
	char shown[256];
	snprintf(shown, sizeof shown, "%s", text);
	otlog__secrets_mask(options, shown);
	assert_string_equal(shown, expected);
}

static void
credentials_of_headers_are_masked(void **state)
{
	static const otlog_header headers[] = { { "Authorization", "Bearer abcdefgh" },
		                                { "X-API-Key", "k-1234567" },
		                                { "X-Tenant", "interop" },
		                                { "X-Token", "" },
		                                { "Cookie", "a" } };
	const otlog__http_options options = { .url = "http://localhost/", .headers = headers, .header_count = 5 };
	(void)state;
	check(&options, "no: Bearer abcdefgh", "no: ***");
	check(&options, "abcdefgh is not abcdefgh", "*** is not ***");
	check(&options, "k-1234567", "***");
	check(&options, "tenant interop is a stranger", "tenant interop is a stranger");
	check(&options, "", "");
}

static void
what_the_url_hides_is_masked(void **state)
{
	const otlog__http_options options = { .url = "https://me:p%40ssword@h.example/in?key=topsecret&v=1&x=hidden" };
	(void)state;
	check(&options, "me:p@ssword, me:p%40ssword", "me:***, me:***");
	check(&options, "/in?key=topsecret&v=1&x=hidden", "/in?***");
	check(&options, "topsecret, hidden", "***, ***");
	check(&options, "v 1", "v 1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(credentials_of_headers_are_masked),
		cmocka_unit_test(what_the_url_hides_is_masked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
