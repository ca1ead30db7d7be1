#include "sdk/base/rare/grpc_target.h"

#include "tests/support/harness/cmocka.h"

#include <string.h>

static void
endpoints_become_what_grpc_resolves(void **state)
{
	static const struct {
		const char *text, *name, *display;
		bool insecure, plaintext, loopback;
	} rows[] = {
		{ "http://localhost:4317", "dns:///localhost:4317", "http://localhost:4317", false, true, true },
		{ "https://collector.example:4317", "dns:///collector.example:4317", "https://collector.example:4317",
		  true, false, false },
		{ "http://localhost:4317/v1/logs?key=secret#x", "dns:///localhost:4317", "http://localhost:4317", false,
		  true, true },
		{ "HTTPS://collector.example", "dns:///collector.example:443", "HTTPS://collector.example", false,
		  false, false },
		{ "http://127.0.0.1/", "dns:///127.0.0.1:80", "http://127.0.0.1", false, true, true },
		{ "http://127.example.org:1", "dns:///127.example.org:1", "http://127.example.org:1", false, true,
		  false },
		{ "http://[::1]:65535", "dns:///[::1]:65535", "http://[::1]:65535", false, true, true },
		{ "collector:4317", "dns:///collector:4317", "collector:4317", false, false, false },
		{ "collector:4317", "dns:///collector:4317", "collector:4317", true, true, false },
		{ "collector", "dns:///collector:4317", "collector", false, false, false },
		{ "[2001:db8::1]", "dns:///[2001:db8::1]:4317", "[2001:db8::1]", false, false, false },
		{ "unix:/run/otel.sock", "unix:/run/otel.sock", "unix:/run/otel.sock", false, true, true },
		{ "unix:///run/otel.sock", "unix:///run/otel.sock", "unix:///run/otel.sock", false, true, true },
		{ "unix-abstract:otel", "unix-abstract:otel", "unix-abstract:otel", false, true, true },
		{ "dns:///collector:4317", "dns:///collector:4317", "dns:///collector:4317", false, false, false },
		{ "ipv4:127.0.0.1:4317", "ipv4:127.0.0.1:4317", "ipv4:127.0.0.1:4317", true, true, false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		otlog__grpc_target target;
		assert_null(otlog__grpc_target_parse(rows[i].text, rows[i].insecure, &target));
		assert_string_equal(target.name, rows[i].name);
		assert_string_equal(target.display, rows[i].display);
		assert_int_equal(target.plaintext, rows[i].plaintext);
		assert_int_equal(target.loopback, rows[i].loopback);
		otlog__grpc_target_free(&target);
		assert_null(target.name);
	}
}

static void
what_is_no_endpoint_is_refused_with_a_reason(void **state)
{
	static const struct {
		const char *text, *reason;
	} rows[] = {
		{ NULL, "empty" },
		{ "", "empty" },
		{ "http://", "host" },
		{ "http:///v1/logs", "host" },
		{ "http://:4317", "host" },
		{ ":4317", "host" },
		{ "http://host:0", "port" },
		{ "http://host:65536", "port" },
		{ "http://host:99999999999999999999", "port" },
		{ "http://host:", "port" },
		{ "http://host:4317x", "port" },
		{ "http://host:-1", "port" },
		{ "http://::1:4317", "brackets" },
		{ "http://[::1", "IPv6" },
		{ "http://[]", "IPv6" },
		{ "http://[::1]x", "port" },
		{ "http://[host]:1", "IPv6" },
		{ "http://ho/st\\", "" },
		{ "http://h%41st:1", "host" },
		{ "http://user:secret@host:4317", "OTEL_EXPORTER_OTLP_HEADERS" },
		{ "user@host", "OTEL_EXPORTER_OTLP_HEADERS" },
		{ "http://a b:1", "space" },
		{ "http://host:1\r\n", "space" },
		{ "http://h\xc3\xb6st:1", "space" },
		{ "ftp://host:1", "scheme" },
		{ "xds:///service", "scheme" },
		{ "unix:", "nothing follows" },
		{ "unix://", "nothing follows" },
		{ "dns:", "nothing follows" },
		{ "dns:///", "nothing follows" },
		{ "dns://collector", "nothing follows" },
		{ "dns:///a/b", "host" },
		{ "dns:///host:x", "port" },
		{ "dns://8.8.8.8:x/host", "port" },
		{ "ipv4:127.0.0.1", "list" },
		{ "ipv4:", "list" },
		{ "ipv4:zz:1", "list" },
		{ "ipv4:127.0.0.1:1,127.0.0.2", "list" },
		{ "ipv4:[::1]:1", "list" },
		{ "ipv6:127.0.0.1:1", "list" },
		{ "ipv6:[::1]", "list" },
		{ "ipv6:::1", "list" },
		{ "ipv6:[fe80::1%25nowhere]:1", "list" },
		{ "unix://a/b", "slash" },
		{ "unix:/a?b", "percent-encoded" },
		{ "unix:/a#b", "percent-encoded" },
		{ "unix:/a%", "hex" },
		{ "unix:/a%00", "hex" },
		{ "unix-abstract://x", "right behind" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		otlog__grpc_target target;
		memset(&target, 0x55, sizeof target);
		const char *reason = otlog__grpc_target_parse(rows[i].text, false, &target);
		if (!*rows[i].reason) { /* the path is not looked at */
			assert_null(reason);
			assert_string_equal(target.name, "dns:///ho:80");
			otlog__grpc_target_free(&target);
			continue;
		}
		assert_non_null(reason);
		assert_non_null(strstr(reason, rows[i].reason));
		assert_null(target.name);
		assert_null(target.display);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(endpoints_become_what_grpc_resolves),
		cmocka_unit_test(what_is_no_endpoint_is_refused_with_a_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
