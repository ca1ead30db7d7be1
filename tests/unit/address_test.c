#include "sdk/base/rare/address.h"

#include "tests/support/harness/cmocka.h"

#include <stdlib.h>
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
		"http://127.example.org",
		"http://1a/",
		"http://h:000080",
		"http://a%40b:%3a@h",
	};
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		otlog__url url;
		const char *problem = otlog__url_parse(otlog__text_of(good[i]), &url);
		if (problem)
			fail_msg("%s: %s", good[i], problem);
	}
}

static void
what_is_no_http_url_is_found_with_its_reason(void **state)
{
	(void)state;
	static const char *const bad[][2] = {
		{ "", "empty" },
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
		{ "http://h:+80", "port" },
		{ "http://h:-1", "port" },
		{ "http://::1:4318", "brackets" },
		{ "http://[::1", "host" },
		{ "http://[::1]x", "port" },
		{ "http://[]", "IPv6" },
		{ "http://[zz]:4318", "IPv6" },
		{ "http://[::1%25]", "IPv6" },
		{ "http://[::1%eth0]", "IPv6" },
		{ "http://[1.2.3.4]", "IPv6" },
		{ "http://a%20b:4318", "host" },
		{ "http://h%41st", "host" },
		{ "http://127.1", "127.0.0.1" },
		{ "http://0x7f000001", "127.0.0.1" },
		{ "http://2130706433:4318", "127.0.0.1" },
		{ "http://127.0.0.01", "127.0.0.1" },
		{ "http://127.0.0.1.", "127.0.0.1" },
		{ "http://127..", "127.0.0.1" },
		{ "http://1.2.3.4.5", "127.0.0.1" },
		{ "http://256.0.0.1", "127.0.0.1" },
		{ "http://\xff", "host" },
		{ "http://a@b@h", "%40" },
		{ "http://a%@h", "two hex digits" },
		{ "http://a:b%0a@h", "control" },
		{ "http://a b", "space" },
		{ "http://h/a\nb", "control" },
		{ "http://h/\x7f", "control" },
		{ "http://h\\path", "host" },
		{ "http://\"h\"", "host" },
		{ "http://<host>:4318", "host" },
		{ "http://${HOST}:4318", "host" },
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		otlog__url url;
		const char *problem = otlog__url_parse(otlog__text_of(bad[i][0]), &url);
		if (!problem || !strstr(problem, bad[i][1]))
			fail_msg("%s: %s", bad[i][0], problem ? problem : "no problem found");
	}
}

static void
assert_part(otlog__text part, const char *wanted)
{
	char *copy = otlog__text_copy(part);
	assert_string_equal(copy, wanted);
	free(copy);
}

static void
a_url_is_divided_into_its_parts(void **state)
{
	static const struct {
		const char *text, *user, *password, *host, *port, *server, *path, *query, *fragment, *display;
	} rows[] = {
		{ "http://h", "", "", "h", "80", "h", "", "", "", "http://h/" },
		{ "HTTPS://u:p:w@H.example:8443/a/b?c=d?e#f?g#h", "u", "p:w", "H.example", "8443", "H.example:8443",
		  "/a/b", "c=d?e", "f?g#h", "https://H.example:8443/a/b" },
		{ "https://u@[::1]?q", "u", "", "[::1]", "443", "[::1]", "", "q", "", "https://[::1]/" },
		{ "http://:p@127.0.0.1:1#f/?", "", "p", "127.0.0.1", "1", "127.0.0.1:1", "", "", "f/?",
		  "http://127.0.0.1:1/" },
		{ "http://h/a@b:c", "", "", "h", "80", "h", "/a@b:c", "", "", "http://h/a@b:c" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		otlog__url url;
		assert_null(otlog__url_parse(otlog__text_of(rows[i].text), &url));
		assert_int_equal(url.tls, rows[i].display[4] == 's');
		assert_part(url.authority.user, rows[i].user);
		assert_part(url.authority.password, rows[i].password);
		assert_part(url.authority.host, rows[i].host);
		assert_part(otlog__url_port(&url), rows[i].port);
		assert_part(url.server, rows[i].server);
		assert_part(url.path, rows[i].path);
		assert_part(url.query, rows[i].query);
		assert_part(url.fragment, rows[i].fragment);
		char *display = otlog__url_display(&url);
		assert_string_equal(display, rows[i].display);
		free(display);
	}
}

static void
this_machine_is_known_by_name_and_number(void **state)
{
	static const char *const here[] = { "localhost", "LocalHost", "127.0.0.1",         "127.255.1.2",
		                            "[::1]",     "::1",       "[0:0:0:0:0:0:0:1]", "[::1%25lo]" };
	static const char *const elsewhere[] = { "",     "h",     "127.example.org",   "128.0.0.1",
		                                 "[::]", "[::2]", "localhost.example", "[::1" };
	(void)state;
	for (size_t i = 0; i < sizeof here / sizeof here[0]; i++)
		assert_true(otlog__host_is_loopback(otlog__text_of(here[i])));
	for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++)
		assert_false(otlog__host_is_loopback(otlog__text_of(elsewhere[i])));
}

static void
what_is_too_long_is_refused(void **state)
{
	(void)state;
	char text[OTLOG__URL_SIZE_MAX + 2];
	otlog__url url;
	memset(text, 'h', sizeof text);
	memcpy(text, "http://", 7);
	text[7 + 256] = '/';
	text[sizeof text - 1] = '\0';
	assert_non_null(strstr(otlog__url_parse(otlog__text_of(text), &url), "8192"));
	text[sizeof text - 2] = '\0';
	assert_non_null(strstr(otlog__url_parse(otlog__text_of(text), &url), "255"));
	text[7 + 255] = '/';
	assert_null(otlog__url_parse(otlog__text_of(text), &url));
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
		{ "http://h/p#hush", "http://h/p#***" },
		{ "http://h/p#hush?x", "http://h/p#***" },
		{ "http://h/p#a@b?hush", "http://***@b?***" },
		{ "@", "***@" },
		{ "://@?", "***@?***" },
		{ "", "" },
		{ "localhost:4318", "localhost:4318" },
		{ "http://user:secret@host:70000/in", "http://***@host:70000/in" },
		{ "http://user:sec@ret/@host:70000/in?key=secret", "http://***@host:70000/in?***" },
		{ "user:secret@host", "***@host" },
		{ "user:sec@ret@host", "***@host" },
		{ "ftp://host/in?key=secret", "ftp://host/in?***" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char shown[64];
		otlog__address_show(otlog__text_of(cases[i][0]), shown, sizeof shown);
		assert_string_equal(shown, cases[i][1]);
	}
}

static void
a_long_url_is_cut(void **state)
{
	(void)state;
	char shown[16];
	otlog__address_show(otlog__text_of("http://u:p@a-rather-long-host-name"), shown, sizeof shown);
	assert_string_equal(shown, "http://***@a…");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usable_urls_have_no_problem),
		cmocka_unit_test(what_is_no_http_url_is_found_with_its_reason),
		cmocka_unit_test(a_url_is_divided_into_its_parts),
		cmocka_unit_test(this_machine_is_known_by_name_and_number),
		cmocka_unit_test(what_is_too_long_is_refused),
		cmocka_unit_test(neither_user_nor_password_nor_query_is_shown),
		cmocka_unit_test(a_long_url_is_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
