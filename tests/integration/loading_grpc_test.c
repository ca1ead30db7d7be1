/*
 * How gRPC comes into a process: only where it is chosen. This program links neither gRPC nor the exporter. The order of
 * the tests matters: a library that has been opened stays.
 */
#include "sdk/settings/grpc_loader.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/sdk/diagnosed.h"
#include "tests/support/sdk/exporter_fixture.h"
#include "tests/support/servers/raw_server.h"
#include "tests/support/servers/receiver.h"

#include <otlog/sdk.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* True if a line of the stream holds the word; closes it. */
static bool
says(FILE *stream, int (*end)(FILE *), const char *word)
{
	char line[1024];
	bool found = false;
	bool any = false;
	assert_non_null(stream);
	while (fgets(line, sizeof line, stream)) {
		any = true;
		found = found || strstr(line, word);
	}
	end(stream);
	assert_true(any);
	return found;
}

static bool
is_mapped(const char *name)
{
	return says(fopen("/proc/self/maps", "r"), fclose, name);
}

static void
libotlog_does_not_depend_on_grpc(void **state)
{
	(void)state;
	assert_true(says(popen("ldd " OTLOG_LIBRARY, "r"), pclose, "libcurl"));
	assert_false(says(popen("ldd " OTLOG_LIBRARY, "r"), pclose, "grpc.so"));
	assert_true(says(popen("ldd " OTLOG_GRPC_LIBRARY, "r"), pclose, "libgrpc.so"));
	assert_false(says(popen("ldd " OTLOG_GRPC_LIBRARY, "r"), pclose, "libotlog.so"));
}

static void
a_process_that_exports_over_http_never_maps_grpc(void **state)
{
	receiver *server = receiver_start(NULL);
	otlog_pipeline_options pipeline = { .max_batch_records = 1 };
	(void)state;
	diagnosed_begin();
	assert_true(otlog_otlp_http_exporter_create(&(otlog_otlp_options){ .endpoint = receiver_url(server) },
	                                            &pipeline.exporter));
	assert_true(otlog_start(&(otlog_options){ .pipelines = &pipeline, .pipeline_count = 1 }));
	OTLOG_INFO(otlog_get_logger("test", NULL), "over HTTP");
	assert_int_equal(otlog_flush(30000), OTLOG_DELIVERED);
	assert_int_equal(receiver_record_count(server), 1);
	assert_true(is_mapped("libotlog-api"));
	assert_false(is_mapped("grpc.so"));
	assert_int_equal(otlog_shutdown(30000), OTLOG_DELIVERED);
	assert_false(is_mapped("grpc.so"));
	receiver_stop(server);
}

static void
a_library_that_cannot_be_used_is_named(void **state)
{
	char why[512];
	(void)state;
	assert_null(otlog__grpc_load("/nonexistent/libotlog-grpc.so.0", why, sizeof why));
	assert_non_null(strstr(why, "/nonexistent/libotlog-grpc.so.0"));
	assert_null(otlog__grpc_load("libz.so.1", why, sizeof why));
	assert_non_null(strstr(why, "libz.so.1 is not otlog's"));
	assert_null(otlog__grpc_load(OTLOG_OLD_GRPC_LIBRARY, why, sizeof why));
	assert_non_null(strstr(why, "otlog 0.0.1"));
	assert_false(is_mapped("libgrpc.so"));
}

static unsigned created;

static bool
create_registered(const otlog_otlp_options *options, size_t options_size, const otlog_grpc_options *grpc,
                  size_t grpc_size, otlog_exporter *out)
{
	created++;
	assert_int_equal(options_size, sizeof *options);
	assert_string_equal(options->endpoint, "http://collector:4317");
	assert_null(grpc);
	assert_int_equal(grpc_size, 0);
	out->name = "registered";
	return true;
}

static void
what_is_registered_takes_the_librarys_place(void **state)
{
	otlog_exporter out = { 0 };
	(void)state;
	otlog_register_otlp_grpc(create_registered);
	assert_true(
	    otlog__grpc_load_and_create(&(otlog_otlp_options){ .endpoint = "http://collector:4317" }, NULL, &out));
	otlog_register_otlp_grpc(NULL);
	assert_int_equal(created, 1);
	assert_string_equal(out.name, "registered");
	assert_false(is_mapped("libgrpc.so"));
}

/* Exports to a port where nobody listens, with standard error going into a file; returns the size of that. */
static off_t
bytes_said_while_failing(const char *url, const char *scratch)
{
	otlog_exporter exporter = { 0 };
	otlog_export_result result = { 0 };
	struct stat said;
	int before = dup(STDERR_FILENO);
	int file = open(scratch, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_true(before >= 0 && file >= 0);
	dup2(file, STDERR_FILENO);
	bool made = otlog__grpc_load_and_create(&(otlog_otlp_options){ .endpoint = url }, NULL, &exporter);
	if (made)
		result = export_and_close(exporter, 30000);
	dup2(before, STDERR_FILENO);
	close(before);
	assert_true(made);
	assert_string_equal(exporter.name, "otlp_grpc");
	assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
	assert_non_null(strstr(result.message, url));
	assert_int_equal(fstat(file, &said), 0);
	close(file);
	return said.st_size;
}

static void
where_it_is_chosen_it_is_opened_and_says_nothing_by_itself(void **state)
{
	char directory[] = "/tmp/otlog-grpc-XXXXXX";
	char scratch[64];
	char url[2][64];
	const raw_play play = { .answer = "no TLS here", .end = RAW_END_CLOSE };
	raw_server *server = raw_server_start(&play, 1);
	int taken = raw_server_refuse(url[0], sizeof url[0]);
	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(scratch, sizeof scratch, "%s/stderr", directory);
	snprintf(url[1], sizeof url[1], "https%s", strstr(raw_server_url(server), "://"));
	diagnosed_begin();
	for (size_t i = 0; i < 2; i++) {
		char *path = strstr(url[i], "/v1");
		if (path)
			*path = '\0';
		assert_int_equal(bytes_said_while_failing(url[i], scratch), 0);
	}
	assert_true(is_mapped("libotlog-grpc.so"));
	assert_true(is_mapped("libgrpc.so"));
	assert_int_equal(diagnosed_count(), 0);
	unlink(scratch);
	rmdir(directory);
	raw_server_stop(server);
	close(taken);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(libotlog_does_not_depend_on_grpc),
		cmocka_unit_test(a_process_that_exports_over_http_never_maps_grpc),
		cmocka_unit_test(a_library_that_cannot_be_used_is_named),
		cmocka_unit_test(what_is_registered_takes_the_librarys_place),
		cmocka_unit_test(where_it_is_chosen_it_is_opened_and_says_nothing_by_itself),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
