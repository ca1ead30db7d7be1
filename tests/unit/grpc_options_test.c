#include "tests/support/harness/cmocka.h"
#include "tests/support/sdk/diagnosed.h"

#include <otlog/exporters.h>

#include <stdio.h>
#include <string.h>

/* False must come with one diagnostic that says `why` and leave *out alone. */
static void
check_refused(const otlog_otlp_options *options, const char *why)
{
	otlog_exporter out = { .name = "untouched" };
	diagnosed_begin();
	assert_false(otlog_otlp_grpc_exporter_create(options, NULL, &out));
	assert_int_equal(diagnosed_count(), 1);
	assert_true(diagnosed_says(why));
	assert_false(diagnosed_says("secret"));
	assert_string_equal(out.name, "untouched");
}

static void
check_accepted(const otlog_otlp_options *options, size_t options_size, const otlog_grpc_options *grpc, size_t grpc_size,
               size_t diagnostics)
{
	otlog_exporter out = { 0 };
	diagnosed_begin();
	assert_true(otlog_otlp_grpc_exporter_create_sized(options, options_size, grpc, grpc_size, &out));
	assert_int_equal(diagnosed_count(), diagnostics);
	assert_string_equal(out.name, "otlp_grpc");
	out.functions->destroy(out.self);
}

static void
a_bad_endpoint_is_refused_without_its_secrets(void **state)
{
	char long_path[300] = "unix:/";
	static const char *const endpoints[] = { "",
		                                 "ftp://user:secret@host/",
		                                 "http://",
		                                 "http://user:secret@host:4317",
		                                 "http://host\n/?key=secret",
		                                 "host:4317:4318",
		                                 "ipv4:no-number",
		                                 "ipv6:[zz]:1" };
	(void)state;
	for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++)
		check_refused(&(otlog_otlp_options){ .endpoint = endpoints[i] }, "OTEL_EXPORTER_OTLP_ENDPOINT");
	memset(long_path + 6, 'a', 200);
	check_refused(&(otlog_otlp_options){ .endpoint = long_path }, "OTEL_EXPORTER_OTLP_ENDPOINT");
}

/* What is read without complaint must not be refused when gRPC sees it. */
static void
grpc_understands_whatever_is_read(void **state)
{
	static const char *const endpoints[] = {
		"http://h",
		"HTTPS://a_b~c.:00080/p?q#f",
		"http://[fe80::1%25nowhere]:1",
		"https://[::ffff:1.2.3.4]",
		"h",
		"h:1/x",
		"-",
		"[::1]",
		"dns:h",
		"DNS:///h:1",
		"dns://8.8.8.8/h",
		"dns://[::1]:53/[::2]:1",
		"ipv4:1.2.3.4:00005",
		"ipv4:///1.2.3.4:5",
		"IPV4:1.2.3.4:5,1.2.3.5:6,",
		"ipv6:[::1]:5",
		"ipv6:///[::1]:5,[::2]:6",
		"unix:a",
		"UNIX:///a",
		"unix:/a%20%3f%ff",
		"unix:/a[b]|\\\"^`{}<>",
		"unix:/",
		"unix-abstract:x",
		"unix-abstract:/x%20",
	};
	(void)state;
	for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++)
		check_accepted(&(otlog_otlp_options){ .endpoint = endpoints[i] }, sizeof(otlog_otlp_options), NULL, 0,
		               0);
	char name[128] = "unix-abstract:";
	memset(name + strlen(name), 'a', 107);
	check_accepted(&(otlog_otlp_options){ .endpoint = name }, sizeof(otlog_otlp_options), NULL, 0, 0);
}

static void
a_bad_header_is_refused_without_its_value(void **state)
{
	static const otlog_header headers[] = {
		{ NULL, "secret" },
		{ "", "secret" },
		{ "a b secret", "x" },
		{ "Authorization:", "secret" },
		{ "x", "secret\r\nhost: y" },
		{ "x", "secret\xc3\xa4" },
		{ "x", NULL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
		const otlog_header two[] = { { "good", "value" }, headers[i] };
		check_refused(&(otlog_otlp_options){ .headers = two, .header_count = 2 }, "OTEL_EXPORTER_OTLP_HEADERS");
	}
}

static void
headers_of_grpc_itself_are_left_out_with_a_warning(void **state)
{
	const otlog_header headers[] = { { "content-type", "text/plain" }, { "GRPC-Timeout", "3" }, { "a", "b" } };
	const otlog_otlp_options options = { .headers = headers, .header_count = 3 };
	(void)state;
	check_accepted(&options, sizeof options, NULL, 0, 2);
	assert_true(diagnosed_says("GRPC-Timeout"));
}

static void
options_of_older_and_newer_programs_are_understood(void **state)
{
	struct {
		otlog_otlp_options known;
		void *new_in_a_later_version;
	} newer = { { .endpoint = "https://collector.example" }, &newer };
	struct {
		otlog_grpc_options known;
		void *new_in_a_later_version;
	} newer_grpc = { { .requests_in_flight = 2 }, &newer };
	(void)state;
	check_accepted(&newer.known, sizeof newer, &newer_grpc.known, sizeof newer_grpc, 0);
	check_accepted(NULL, 0, NULL, 0, 0);

	/* Behind what an older program gives there is nothing that may be read. */
	otlog_otlp_options older = { .endpoint = "http://localhost/", .headers = (void *)8, .header_count = 1 };
	check_accepted(&older, offsetof(otlog_otlp_options, headers), NULL, 0, 0);
	assert_false(otlog_otlp_grpc_exporter_create_sized(NULL, 0, NULL, 0, NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bad_endpoint_is_refused_without_its_secrets),
		cmocka_unit_test(grpc_understands_whatever_is_read),
		cmocka_unit_test(a_bad_header_is_refused_without_its_value),
		cmocka_unit_test(headers_of_grpc_itself_are_left_out_with_a_warning),
		cmocka_unit_test(options_of_older_and_newer_programs_are_understood),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
