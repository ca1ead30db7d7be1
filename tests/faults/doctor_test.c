/* `otlog doctor` against each kind of destination over HTTP that does not work: it names the cause and the setting. */
#include "tests/faults/doctor_expect.h"
#include "tests/support/harness/files.h"
#include "tests/support/servers/certificates_fixture.h"
#include "tests/support/servers/nginx.h"
#include "tests/support/servers/raw_server.h"
#include "tests/support/servers/receiver.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENDPOINT "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"

/* "https://127.0.0.1:PORT/v1/logs" and the like. */
static const char *
url_of(const char *scheme, unsigned port)
{
	static char url[64];
	snprintf(url, sizeof url, "%s://127.0.0.1:%u/v1/logs", scheme, port);
	return url;
}

static void
a_destination_that_works_gets_one_event(void **state)
{
	receiver *server = receiver_start(NULL);
	(void)state;
	EXPECT(TOOL_LIST(setting(ENDPOINT, receiver_url(server))), NULL, NULL, "");
	assert_int_equal(receiver_record_count(server), 2); /* the doctor came twice */
	receiver_record record = receiver_record_at(server, 0);
	assert_int_equal(record.record->event_name.len, strlen("otlog.doctor"));
	assert_memory_equal(record.record->event_name.data, "otlog.doctor", strlen("otlog.doctor"));
	assert_true(record.resource->resource->n_attributes > 0);
	receiver_stop(server);
}

static void
names_and_ports_that_lead_nowhere(void **state)
{
	char url[64];
	int taken = raw_server_refuse(url, sizeof url);
	(void)state;
	EXPECT(TOOL_LIST("OTEL_EXPORTER_OTLP_ENDPOINT=http://collector.invalid:4318"), "name_not_found",
	       "OTEL_EXPORTER_OTLP_ENDPOINT", "No name server knows the host collector.invalid", "resolve  FAILED");
	EXPECT(TOOL_LIST(setting(ENDPOINT, url)), "connection_refused", ENDPOINT, "Nobody listens on 127.0.0.1",
	       "connect  FAILED");
	close(taken);
}

static void
certificates_that_do_not_hold(void **state)
{
	(void)state;
	for (size_t i = 0; i < BAD_CERTIFICATES; i++) {
		const shown_certificate c = bad_certificate(i, ENDPOINT);
		receiver *server =
		    receiver_start(&(receiver_options){ .certificate = c.shown->certificate, .key = c.shown->key });
		expect_bad_certificate(&c, ENDPOINT, receiver_url(server), NULL);
		receiver_stop(server);
	}
}

static void
a_client_certificate_is_asked_for(void **state)
{
	receiver *server = receiver_start(NULL);
	nginx *proxy = nginx_start(&(nginx_options){ .certificate = ours,
	                                             .client_authorities = foreign->certificate_file,
	                                             .upstream_port = receiver_port(server) });
	(void)state;
	EXPECT(TOOL_LIST(setting(ENDPOINT, nginx_url(proxy)), setting(CA_FILE, ours->certificate_file)),
	       "tls_client_refused", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "wants a client certificate");
	nginx_stop(proxy);
	receiver_stop(server);
}

static void
tls_where_there_is_none_and_the_other_way_round(void **state)
{
	receiver *plain = receiver_start(NULL);
	receiver *tls = receiver_start(&(receiver_options){ .certificate = ours->certificate, .key = ours->key });
	nginx *proxy = nginx_start(&(nginx_options){ .certificate = ours, .upstream_port = receiver_port(plain) });
	(void)state;
	EXPECT(TOOL_LIST(setting(ENDPOINT, url_of("https", receiver_port(plain)))), "plain_port",
	       "Write http:// in " ENDPOINT, "does not speak TLS");
	EXPECT(TOOL_LIST(setting(ENDPOINT, url_of("http", receiver_port(tls)))), "tls_port",
	       "Write https:// in " ENDPOINT, "This port speaks TLS");
	EXPECT(TOOL_LIST(setting(ENDPOINT, url_of("http", nginx_port(proxy)))), "tls_port",
	       "Write https:// in " ENDPOINT, "This port speaks TLS");
	nginx_stop(proxy);
	receiver_stop(tls);
	receiver_stop(plain);
}

static void
answers_that_refuse(void **state)
{
	static const otlog_header wait = { "Retry-After", "30" };
	static const otlog_header moved = { "Location", "http://127.0.0.1:9/v1/logs" };
	static const struct {
		receiver_reply reply;
		expectation expected;
	} cases[] = {
		{ { .status = 401 }, { "unauthorized", { "wants credentials" }, "OTEL_EXPORTER_OTLP_HEADERS", NULL } },
		{ { .status = 403 }, { "forbidden", { "credentials" }, "OTEL_EXPORTER_OTLP_HEADERS", NULL } },
		{ { .status = 404 }, { "not_found", { "receives no logs at this place" }, "path in " ENDPOINT, NULL } },
		{ { .status = 429, .headers = &wait, .header_count = 1 },
		  { "throttled", { "takes nothing now", "wait 30.0 s" }, "overloaded", NULL } },
		{ { .status = 503 }, { "throttled", { "takes nothing now" }, "overloaded", NULL } },
		{ { .status = 502 }, { "unavailable", { "behind it" }, "server behind it", NULL } },
		{ { .status = 301, .headers = &moved, .header_count = 1 },
		  { "redirected", { "moved" }, "ENDPOINT", NULL } },
		{ { .part = RECEIVER_HANG }, { "timeout", { "in time" }, "OTEL_EXPORTER_OTLP_TIMEOUT", "0.3" } },
		{ { .part = RECEIVER_CLOSE_LATE }, { "connection_closed", { "closes the connection" }, "", NULL } },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		receiver *server = receiver_start(NULL);
		receiver_reply reply = cases[i].reply;
		reply.times = RECEIVER_FOREVER;
		receiver_script(server, &reply);
		const char *const environment[] = { setting(ENDPOINT, receiver_url(server)), NULL };
		expect_text(environment, &cases[i].expected);
		expect_json(environment, &cases[i].expected);
		receiver_stop(server);
	}
}

/* A proxy is there for hosts that are not this machine. */
static void
proxies_in_the_way(void **state)
{
	static const raw_play deny = { .read = RAW_READ_HEAD,
		                       .answer = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
		                       .end = RAW_END_CLOSE };
	static const raw_play ask = { .read = RAW_READ_REQUEST,
		                      .answer = "HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n",
		                      .end = RAW_END_CLOSE };
	const char *plain = "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector.example:4318";
	const char *tls = "OTEL_EXPORTER_OTLP_ENDPOINT=https://collector.example:4318";
	char url[64];
	(void)state;

	int taken = raw_server_refuse(url, sizeof url);
	*strstr(url, "/v1") = '\0';
	EXPECT(TOOL_LIST(plain, setting("http_proxy", url)), "proxy", "http_proxy", "through the proxy 127.0.0.1",
	       "connect  FAILED");
	close(taken);
	EXPECT(TOOL_LIST(plain, "http_proxy=http://proxy.invalid:3128"), "proxy", "http_proxy", "proxy.invalid",
	       "resolve  FAILED");

	raw_server *asking = raw_server_start(&ask, 1);
	EXPECT(TOOL_LIST(plain, setting("http_proxy", raw_server_url(asking))), "proxy", "user and password",
	       "through the proxy", "407");
	raw_server_stop(asking);

	raw_server *denying = raw_server_start(&deny, 1);
	EXPECT(TOOL_LIST(tls, setting("https_proxy", raw_server_url(denying))), "proxy", "https_proxy",
	       "through the proxy");
	raw_server_stop(denying);
}

static void
nothing_is_configured(void **state)
{
	const char *const off[] = { "OTEL_SDK_DISABLED=true", "OTEL_LOGS_EXPORTER=none" };
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		tool_run text = tool_start(OTLOG_TOOL, TOOL_LIST(off[i]), TOOL_LIST("doctor"), NULL);
		assert_int_equal(text.status, 3);
		assert_says(text.out, "There is no destination");
		assert_says(text.out, off[i]);
		assert_null(strstr(text.out, "The library says")); /* that again */
		tool_run json = tool_start(OTLOG_TOOL, TOOL_LIST(off[i]), TOOL_LIST("doctor", "--json"), NULL);
		assert_int_equal(json.status, 3);
		json_tree *report = json_parse(json.out, strlen(json.out));
		assert_non_null(report);
		assert_string_equal(json_member(report, "exit_status")->text, "3");
		json_free(report);
		tool_free(&text);
		tool_free(&json);
	}
}

static void
one_of_two_fails(void **state)
{
	receiver *server = receiver_start(NULL);
	char refused[64];
	int taken = raw_server_refuse(refused, sizeof refused);
	(void)state;
	tool_run run = tool_start(OTLOG_TOOL,
	                          TOOL_LIST(setting(ENDPOINT, receiver_url(server)), "MITO_CONFIG_VERSION=2",
	                                    setting("MITO_CONFIG_LOG_SERVER_URL", refused)),
	                          TOOL_LIST("doctor"), NULL);
	assert_int_equal(run.status, 1);
	assert_says(run.out, "take no records: 1 of 2.");
	assert_says(run.out, "otlp_http to ");
	assert_says(run.out, "mito to ");
	assert_says(run.out, "MITO_CONFIG_LOG_SERVER_URL.");
	tool_free(&run);
	close(taken);
	receiver_stop(server);
}

/* Puts the library NAME of the build into the folder. */
static void
link_library(const char *folder, const char *name)
{
	char from[PATH_MAX], to[PATH_MAX];
	const char *slash = strrchr(OTLOG_TOOL, '/');
	snprintf(from, sizeof from, "%.*s/../lib/%s", (int)(slash - OTLOG_TOOL), OTLOG_TOOL, name);
	snprintf(to, sizeof to, "%s/%s", folder, name);
	assert_int_equal(symlink(from, to), 0);
}

/* What stands where the library for gRPC should be is none: that is not "nothing to do". */
static void
a_destination_that_cannot_be_made_fails(void **state)
{
	(void)state;
	char folder[] = "/tmp/otlog-doctor-XXXXXX";
	assert_non_null(mkdtemp(folder));
	char no_library[sizeof folder + 32];
	snprintf(no_library, sizeof no_library, "%s/libotlog-grpc.so.0", folder);
	link_library(folder, "libotlog.so.0");
	link_library(folder, "libotlog-api.so.0");
	file_write(no_library, "no library");
	const char *const environment[] = { setting("LD_LIBRARY_PATH", folder), "OTEL_LOGS_EXPORTER=otlp,console",
		                            "OTEL_EXPORTER_OTLP_PROTOCOL=grpc", NULL };
	tool_run run = tool_start(OTLOG_TOOL, environment, TOOL_LIST("doctor", "--json"), NULL);
	assert_int_equal(run.status, 1);
	json_tree *report = json_parse(run.out, strlen(run.out));
	assert_non_null(report);
	assert_string_equal(json_member(report, "missing")->text, "1");
	assert_true(json_member(report, "notes")->count > 0);
	json_free(report);
	tool_free(&run);
	run = tool_start(OTLOG_TOOL, environment, TOOL_LIST("doctor"), NULL);
	assert_int_equal(run.status, 1);
	assert_says(run.out, "take no records: 1 of 2.");
	tool_free(&run);
	file_remove_all(folder);
}

/* With --json the console's record must not stand in the report. */
static void
the_console_stays_out_of_the_json(void **state)
{
	(void)state;
	tool_run run =
	    tool_start(OTLOG_TOOL, TOOL_LIST("OTEL_LOGS_EXPORTER=console"), TOOL_LIST("doctor", "--json"), NULL);
	assert_int_equal(run.status, 0);
	json_tree *report = json_parse(run.out, strlen(run.out));
	assert_non_null(report);
	json_free(report);
	assert_says(run.err, "test record of otlog doctor");
	tool_free(&run);
}

static void
settings_show_where_they_come_from_but_no_secret(void **state)
{
	(void)state;
	const char *const environment[] = { "OTEL_EXPORTER_OTLP_ENDPOINT=http://anna:hunter2@127.0.0.1:9?key=hunter2",
		                            "OTEL_EXPORTER_OTLP_HEADERS=x-key=hunter2",
		                            "MITO_CONFIG_VERSION=2",
		                            "MITO_CONFIG_LOG_SERVER_URL=http://:hunter2@127.0.0.1:9/?token=hunter2",
		                            "http_proxy=http://me:hunter2@127.0.0.1:9",
		                            "OTEL_BLRP_SCHEDULE_DELAY=soon",
		                            NULL };
	const char *const forms[] = { "--all", "--json" };
	for (size_t i = 0; i < 2; i++) {
		tool_run run = tool_start(OTLOG_TOOL, environment, TOOL_LIST("doctor", forms[i]), NULL);
		assert_int_equal(run.status, 1);
		assert_null(strstr(run.out, "hunter2"));
		assert_null(strstr(run.err, "hunter2"));
		assert_says(run.out, "OTEL_EXPORTER_OTLP_ENDPOINT");
		assert_says(run.out, "OTEL_BLRP_SCHEDULE_DELAY=");
		assert_says(run.out, "soon");
		tool_free(&run);
	}
}

static tool_run
examine(const char *directory, const char *option)
{
	return tool_start(
	    OTLOG_TOOL,
	    TOOL_LIST("OTEL_LOGS_EXPORTER=console", "OTLOG_DURABILITY=batch", setting("OTLOG_QUEUE_DIR", directory)),
	    option ? TOOL_LIST("doctor", option) : TOOL_LIST("doctor"), NULL);
}

static void
assert_unusable(const char *directory, const char *problem, const char *remedy)
{
	tool_run run = examine(directory, NULL);
	assert_int_equal(run.status, 1);
	assert_says(run.out, "use      FAILED");
	assert_says(run.out, problem);
	assert_says(run.out, remedy);
	assert_says(run.out, "The queue directory cannot be used.");
	assert_null(strstr(run.out, "The library says"));
	tool_free(&run);
	run = examine(directory, "--json");
	assert_int_equal(run.status, 1);
	json_tree *report = json_parse(run.out, strlen(run.out));
	assert_non_null(report);
	const json_tree *found = json_member(report, "queue_directory");
	assert_false(json_member(found, "ok")->boolean);
	assert_says(text_of(found, "path"), directory);
	assert_says(text_of(found, "what"), problem);
	assert_says(text_of(found, "remedy"), remedy);
	assert_int_equal(json_member(report, "notes")->count, 0);
	json_free(report);
	tool_free(&run);
}

static void
a_queue_directory_is_tried(void **state)
{
	char directory[] = "/tmp/doctor_test.XXXXXX", inside[64], command[96];
	(void)state;
	assert_unusable("/nonexistent/x", "cannot be opened as a directory", "Create it");
	assert_unusable("/proc", "its file system may run out of room", "Choose a directory on ext4");
	assert_non_null(mkdtemp(directory));
	/* What is not there yet would be made by the service, and is not left behind by the doctor. */
	snprintf(inside, sizeof inside, "%s/made", directory);
	tool_run run = examine(inside, NULL);
	assert_int_equal(run.status, 0);
	assert_says(run.out, "use      ok");
	assert_null(strstr(run.out, "The library says"));
	tool_free(&run);
	assert_int_equal(rmdir(directory), 0);

	char refused[64];
	int taken = raw_server_refuse(refused, sizeof refused);
	assert_int_equal(mkdir(directory, 0700), 0);
	run = tool_start(OTLOG_TOOL, TOOL_LIST(setting(ENDPOINT, refused), setting("OTLOG_QUEUE_DIR", directory)),
	                 TOOL_LIST("emit", "--timeout", "0.1", "kept"), NULL);
	assert_int_equal(run.status, 0);
	tool_free(&run);
	run = examine(directory, NULL);
	assert_int_equal(run.status, 0);
	assert_says(run.out, "waiting  records of dead processes: 1, queues: 1, live ones: 0");
	tool_free(&run);
	close(taken);
	snprintf(command, sizeof command, "rm -r %s", directory);
	assert_int_equal(system(command), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_destination_that_works_gets_one_event),
		cmocka_unit_test(names_and_ports_that_lead_nowhere),
		cmocka_unit_test(certificates_that_do_not_hold),
		cmocka_unit_test(a_client_certificate_is_asked_for),
		cmocka_unit_test(tls_where_there_is_none_and_the_other_way_round),
		cmocka_unit_test(answers_that_refuse),
		cmocka_unit_test(proxies_in_the_way),
		cmocka_unit_test(nothing_is_configured),
		cmocka_unit_test(one_of_two_fails),
		cmocka_unit_test(a_destination_that_cannot_be_made_fails),
		cmocka_unit_test(the_console_stays_out_of_the_json),
		cmocka_unit_test(a_queue_directory_is_tried),
		cmocka_unit_test(settings_show_where_they_come_from_but_no_secret),
	};
	return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
