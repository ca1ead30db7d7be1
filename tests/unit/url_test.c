#include "sdk/settings/url.h"
#include "tests/support/harness/cmocka.h"

#include <string.h>

static void
usable_urls_have_no_problem(void **state)
{
	(void)state;
	static const char *const good[] = {
		"http://h",
		"https://collector.example.com:4318/v1/logs?x=1#y",
		"HTTP://H:1",
		"http://127.0.0.1:65535/",
		"http://[::1]:4318",
		"http://[fe80::1%25eth0]/x",
		"http://user:pass@h:4318/",
		"http://user:p:w@h",
		"http://b\xc3\xbc\x63her.example/",
		"http://my_host:80",
	};
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		const char *problem = otlog__url_problem(otlog__text_of(good[i]));
		if (problem)
			fail_msg("%s: %s", good[i], problem);
	}
}

static void
what_is_no_http_url_is_found_with_its_reason(void **state)
{
	(void)state;
	static const char *const bad[][2] = {
		{ "", "http://" },
		{ "localhost:4318", "http://" },
		{ "//h", "http://" },
		{ "ftp://h", "http://" },
		{ "http:/h", "http://" },
		{ "http//h", "http://" },
		{ "http://", "no host" },
		{ "http:///v1/logs", "no host" },
		{ "http://:4318", "no host" },
		{ "http://user@", "no host" },
		{ "http://?x", "no host" },
		{ "http://h:", "port" },
		{ "http://h:0", "port" },
		{ "http://h:65536", "port" },
		{ "http://h:43 18", "space" },
		{ "http://h:4a", "port" },
		{ "http://h:-1", "port" },
		{ "http://::1:4318", "no host" },
		{ "http://[::1", "host" },
		{ "http://[::1]x", "port" },
		{ "http://[]", "host" },
		{ "http://a b", "space" },
		{ "http://h/a\nb", "control" },
		{ "http://h/\x7f", "control" },
		{ "http://h\\path", "host" },
		{ "http://\"h\"", "host" },
		{ "http://<host>:4318", "host" },
		{ "http://${HOST}:4318", "host" },
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		const char *problem = otlog__url_problem(otlog__text_of(bad[i][0]));
		if (!problem || !strstr(problem, bad[i][1]))
			fail_msg("%s: %s", bad[i][0], problem ? problem : "no problem found");
	}
}

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

static void
neither_user_nor_password_nor_query_is_shown(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{ "http://h:1/p", "http://h:1/p" },
		{ "http://u:hush@h:1/p", "http://***@h:1/p" },
		{ "http://u:hu/sh@h", "http://***@h" },
		{ "http://u:hu?sh@h", "http://***@h" },
		{ "http://u:hu@sh@h", "http://***@h" },
		{ "u:hush@h:4318", "***@h:4318" },
		{ "ftp://u:hush@h", "ftp://***@h" },
		{ "http://h/?token=hush", "http://h/?***" },
		{ "", "" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char shown[64];
		otlog__url_show(otlog__text_of(cases[i][0]), shown, sizeof shown);
		assert_string_equal(shown, cases[i][1]);
	}
}

static void
a_long_url_is_cut(void **state)
{
	(void)state;
	char shown[16];
	otlog__url_show(otlog__text_of("http://u:p@a-rather-long-host-name"), shown, sizeof shown);
	assert_string_equal(shown, "http://***@a…");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usable_urls_have_no_problem),
		cmocka_unit_test(what_is_no_http_url_is_found_with_its_reason),
		cmocka_unit_test(a_path_is_appended_with_one_slash_before_the_query),
		cmocka_unit_test(a_url_without_a_path_gets_a_slash),
		cmocka_unit_test(neither_user_nor_password_nor_query_is_shown),
		cmocka_unit_test(a_long_url_is_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
