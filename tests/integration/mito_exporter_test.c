/*
 * The Mito exporter in pipelines, against a log server in Python and against servers that behave badly: what arrives, what
 * the books say, and how often the user hears of it.
 */
#include "tests/support/harness/cmocka.h"
#include "tests/support/records/mito_golden.h"
#include "tests/support/servers/mito_server.h"
#include "tests/support/servers/raw_server.h"
#include "tests/support/servers/receiver.h"
#include "tests/support/sdk/sdk_books.h"

#include <otlog/otlog.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LONG_MS 30000
#define SHORT_MS 300

/* ---- What the SDK says ------------------------------------------------------------------------------------------- */

static struct {
	pthread_mutex_t lock;
	unsigned count;
	char first[1100];
} said = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void
listen_to(void *user, otlog_diagnostic_level level, const char *message)
{
	(void)user;
	(void)level;
	pthread_mutex_lock(&said.lock);
	if (said.count++ == 0)
		snprintf(said.first, sizeof said.first, "%s", message);
	pthread_mutex_unlock(&said.lock);
}

/* How many messages came; the first of them in *first. */
static unsigned
messages(char *first, size_t first_size)
{
	pthread_mutex_lock(&said.lock);
	unsigned count = said.count;
	snprintf(first, first_size, "%s", count ? said.first : "");
	pthread_mutex_unlock(&said.lock);
	return count;
}

static void
assert_said_once(const char *cause, const char *remedy)
{
	char first[sizeof said.first];
	unsigned count = messages(first, sizeof first);
	if (count != 1 || !strstr(first, cause) || !strstr(first, remedy))
		fail_msg("%u messages, the first: %s", count, first);
}

static void
assert_said_nothing(void)
{
	char first[sizeof said.first];
	unsigned count = messages(first, sizeof first);
	if (count)
		fail_msg("%u messages, the first: %s", count, first);
}

/* ---- A provider with one Mito pipeline --------------------------------------------------------------------------- */

typedef struct fixture {
	mito_server *server;
	otlog_provider *provider;
	otlog_logger *logger;
} fixture;

static int
start_server(void **state)
{
	static fixture f;
	f = (fixture){ .server = mito_server_start() };
	*state = &f;
	said.count = 0;
	return 0;
}

static int
stop_server(void **state)
{
	fixture *f = *state;
	otlog_provider_destroy(f->provider);
	mito_server_stop(f->server);
	return 0;
}

static void
open_with(fixture *f, const otlog_mito_options *mito)
{
	otlog_pipeline_options pipeline = { .schedule_delay_ms = 3600 * 1000,
		                            .retry_initial_ms = 1,
		                            .retry_cap_ms = 5 };
	assert_true(otlog_mito_exporter_create(mito, &pipeline.exporter));
	f->provider = otlog_provider_create(&(otlog_options){
	    .pipelines = &pipeline, .pipeline_count = 1, .queue_bytes = 1 << 20, .diagnostic = listen_to });
	assert_non_null(f->provider);
	f->logger = otlog_provider_get_logger(f->provider, &(otlog_logger_options){ .name = "sheet" });
}

static void
open_at(fixture *f, const char *url)
{
	open_with(f, &(otlog_mito_options){ .url = url });
}

static void
emit_edits(otlog_logger *logger, int count)
{
	for (int i = 0; i < count; i++)
		assert_int_equal(mito_log(logger, &(mito_event){ .event = MITO_EVENT_SORT_EDIT,
		                                                 .params = OTLOG_ATTRS(OTLOG_KV("number", i)) }),
		                 OTLOG_EMIT_ACCEPTED);
}

static otlog_pipeline_statistics
books_of(otlog_provider *provider)
{
	sdk_books books;
	sdk_take_books(provider, &books);
	const otlog_pipeline_statistics *p = &books.pipelines[0];
	uint64_t dropped = 0;
	for (int i = 0; i < OTLOG_DROP_REASON_COUNT; i++)
		dropped += p->dropped[i];
	assert_int_equal(books.pipeline_count, 1);
	assert_int_equal(p->emitted, p->delivered + p->queued + p->filtered + dropped);
	return *p;
}

/* Sends three events to where they are refused for good. */
static void
assert_refused(fixture *f, const char *cause, const char *remedy)
{
	emit_edits(f->logger, 3);
	assert_int_equal(otlog_provider_flush(f->provider, LONG_MS), OTLOG_DROPPED);
	assert_int_equal(books_of(f->provider).dropped[OTLOG_DROP_REJECTED], 3);
	assert_said_once(cause, remedy);
}

/* ---- What arrives ------------------------------------------------------------------------------------------------ */

static void
a_session_arrives_as_from_mito_s_own_uploader(void **state)
{
	fixture *f = *state;
	samples samples;
	char expected[8192] = "[";
	samples_fill(&samples);
	open_at(f, mito_server_url(f->server, "127.0.0.1", "/logs"));
	for (size_t i = 0; i < SAMPLE_MITO_COUNT; i++) {
		mito_log(f->logger, &samples.mito[i]);
		strcat(expected, i ? ", " : "");
		strcat(expected, mito_golden[i]);
	}
	strcat(expected, "]");
	assert_int_equal(otlog_provider_flush(f->provider, LONG_MS), OTLOG_DELIVERED);
	const mito_upload *upload = mito_server_next(f->server);
	assert_string_equal(upload->fault, "ok");
	assert_string_equal(upload->path, "/logs");
	assert_string_equal(upload->content_type, "application/json");
	assert_string_equal(upload->body, expected);
	assert_false(mito_server_has_more(f->server));
	assert_int_equal(books_of(f->provider).delivered, SAMPLE_MITO_COUNT);
	assert_said_nothing();
}

static void
other_records_are_events_to_a_log_server_too(void **state)
{
	fixture *f = *state;
	samples samples;
	samples_fill(&samples);
	open_at(f, mito_server_url(f->server, "127.0.0.1", "/logs"));
	for (size_t i = 0; i < SAMPLE_BONITO_COUNT; i++)
		bonito_emit(f->logger, &samples.bonito[i]);
	OTLOG_INFO(f->logger, "order placed", OTLOG_KV("order.id", "o-1"));
	assert_int_equal(otlog_provider_flush(f->provider, LONG_MS), OTLOG_DELIVERED);
	const mito_upload *upload = mito_server_next(f->server);
	assert_string_equal(upload->fault, "ok");
	assert_int_equal(mito_server_occurrences(upload->body, "\"logger\": \"sheet\""), SAMPLE_BONITO_COUNT + 1);
	assert_non_null(strstr(upload->body, "\"event\": \"bonito.gateway.request\""));
	assert_non_null(strstr(upload->body, "\"message\": \"order placed\", \"severity\": \"INFO\""));
}

static void
a_server_that_comes_back_gets_everything_once(void **state)
{
	fixture *f = *state;
	open_at(f, mito_server_url(f->server, "127.0.0.1", "/status/503/3"));
	emit_edits(f->logger, 5);
	assert_int_equal(otlog_provider_flush(f->provider, LONG_MS), OTLOG_DELIVERED);
	for (int i = 0; i < 4; i++)
		assert_int_equal(mito_server_occurrences(mito_server_next(f->server)->body, "sort_edit"), 5);
	assert_false(mito_server_has_more(f->server));
	const otlog_pipeline_statistics books = books_of(f->provider);
	assert_int_equal(books.delivered, 5);
	assert_int_equal(books.retries, 3);
	assert_said_once("answered 503", "See whether it is overloaded");
}

/* ---- Refusals and redirects -------------------------------------------------------------------------------------- */

static void
an_error_of_the_server_drops_and_says_so_once(void **state)
{
	fixture *f = *state;
	open_at(f, mito_server_url(f->server, "127.0.0.1", "/status/500/9"));
	assert_refused(f, "answered 500", "See the server's log");
}

static void
a_wrong_path_names_the_variable(void **state)
{
	fixture *f = *state;
	open_at(f, mito_server_url(f->server, "127.0.0.1", "/nowhere"));
	assert_refused(f, "answered 404", "Check the path in MITO_CONFIG_LOG_SERVER_URL");
}

static void
a_redirect_that_would_lose_the_body_is_a_refusal(void **state)
{
	fixture *f = *state;
	for (int code = 301; code <= 303; code++) {
		char path[128], cause[64];
		said.count = 0;
		snprintf(path, sizeof path, "/move/%d/%s", code, mito_server_url(f->server, "127.0.0.1", "/logs"));
		snprintf(cause, sizeof cause, "answered %d and points to http://127.0.0.1", code);
		open_at(f, mito_server_url(f->server, "127.0.0.1", path));
		assert_refused(f, cause, "Set MITO_CONFIG_LOG_SERVER_URL to where it should go");
		assert_string_equal(mito_server_next(f->server)->path, path);
		assert_false(mito_server_has_more(f->server));
		otlog_provider_destroy(f->provider);
		f->provider = NULL;
	}
}

/* Sends to 127.0.0.1 with credentials of all kinds, to be sent on with this code to that host. */
static const mito_upload *
send_on(fixture *f, int code, const char *host)
{
	static const otlog_header token = { "x-token", "hush" };
	char path[128];
	snprintf(path, sizeof path, "/move/%d/%s", code, mito_server_url(f->server, host, "/logs"));
	open_with(f, &(otlog_mito_options){ .url = mito_server_url(f->server, "ann:secret@127.0.0.1", path),
	                                    .headers = &token,
	                                    .header_count = 1 });
	emit_edits(f->logger, 2);
	assert_int_equal(otlog_provider_flush(f->provider, LONG_MS), OTLOG_DELIVERED);
	assert_int_equal(books_of(f->provider).delivered, 2);
	assert_said_nothing();
	otlog_provider_destroy(f->provider);
	f->provider = NULL;
	const mito_upload *upload = mito_server_next(f->server);
	assert_string_equal(upload->path, path);
	assert_string_equal(upload->authorization, "Basic YW5uOnNlY3JldA==");
	assert_string_equal(upload->token, "hush");
	upload = mito_server_next(f->server);
	assert_string_equal(upload->path, "/logs");
	assert_string_equal(upload->fault, "ok");
	assert_int_equal(mito_server_occurrences(upload->body, "sort_edit"), 2);
	return upload;
}

static void
a_redirect_that_keeps_the_body_is_followed_with_credentials_at_home(void **state)
{
	for (int code = 307; code <= 308; code++) {
		const mito_upload *upload = send_on(*state, code, "127.0.0.1");
		assert_string_equal(upload->authorization, "Basic YW5uOnNlY3JldA==");
		assert_string_equal(upload->token, "hush");
	}
}

static void
a_redirect_to_another_host_gets_no_credentials(void **state)
{
	for (int code = 307; code <= 308; code++) {
		const mito_upload *upload = send_on(*state, code, "localhost");
		assert_string_equal(upload->authorization, "-");
		assert_string_equal(upload->token, "-");
	}
}

static void
a_circle_of_redirects_ends(void **state)
{
	fixture *f = *state;
	open_at(f, mito_server_url(f->server, "127.0.0.1", "/loop"));
	assert_refused(f, "answered 308", "MITO_CONFIG_LOG_SERVER_URL");
	for (int i = 0; i < 6; i++)
		assert_string_equal(mito_server_next(f->server)->path, "/loop");
	assert_false(mito_server_has_more(f->server));
}

static void
a_redirect_out_of_http_is_not_followed(void **state)
{
	fixture *f = *state;
	open_at(f, mito_server_url(f->server, "127.0.0.1", "/move/307/file:///etc/passwd"));
	assert_refused(f, "answered 307", "See the server's log");
	mito_server_next(f->server);
	assert_false(mito_server_has_more(f->server));
}

static void
a_redirect_to_where_it_is_refused_names_that_place(void **state)
{
	fixture *f = *state;
	char path[128];
	snprintf(path, sizeof path, "/move/308/%s", mito_server_url(f->server, "localhost", "/away"));
	open_at(f, mito_server_url(f->server, "127.0.0.1", path));
	assert_refused(f, "/away answered 404", "MITO_CONFIG_LOG_SERVER_URL");
}

/* ---- Servers that are none --------------------------------------------------------------------------------------- */

static void
nobody_there_keeps_the_backlog_and_says_so(void **state)
{
	fixture *f = *state;
	char url[64];
	int port = raw_server_refuse(url, sizeof url);
	open_at(f, url);
	emit_edits(f->logger, 4);
	assert_int_equal(otlog_provider_flush(f->provider, SHORT_MS), OTLOG_TIMEOUT);
	assert_int_equal(books_of(f->provider).queued, 4);
	assert_true(books_of(f->provider).retries > 1);
	char first[sizeof said.first];
	unsigned count = messages(first, sizeof first);
	assert_in_range(count, 1, 2); /* that it failed, and that it stays away */
	assert_non_null(strstr(first, "nobody listens at http://127.0.0.1"));
	assert_non_null(strstr(first, "Start the log server or set MITO_CONFIG_LOG_SERVER_URL"));
	assert_int_equal(otlog_provider_shutdown(f->provider, 0), OTLOG_TIMEOUT);
	assert_int_equal(books_of(f->provider).dropped[OTLOG_DROP_AFTER_SHUTDOWN], 4);
	close(port);
}

static void
a_bad_peer_loses_nothing_but_its_own_answers(void **state)
{
	fixture *f = *state;
	static const raw_play plays[] = {
		{ .read = RAW_READ_HEAD, .end = RAW_END_RESET },
		{ .read = RAW_READ_REQUEST, .answer = "\x16\x03\x01 not HTTP at all\r\n\r\n" },
		{ .read = RAW_READ_REQUEST, .answer = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nshort" },
		{ .read = RAW_READ_REQUEST,
		  .answer = "HTTP/1.1 308 Go\r\nLocation: http://127.0.0.1:1/logs\r\n"
		            "Content-Length: 0\r\n\r\n" },
		{ .read = RAW_READ_REQUEST, .answer = "HTTP/1.1 204 No Content\r\n\r\n" },
	};
	raw_server *raw = raw_server_start(plays, sizeof plays / sizeof plays[0]);
	open_at(f, raw_server_url(raw));
	emit_edits(f->logger, 3);
	assert_int_equal(otlog_provider_flush(f->provider, LONG_MS), OTLOG_DELIVERED);
	const otlog_pipeline_statistics books = books_of(f->provider);
	assert_int_equal(books.delivered, 3);
	assert_int_equal(books.retries, 4);
	assert_int_equal(said.count, 1);
	otlog_provider_destroy(f->provider);
	f->provider = NULL;
	raw_server_stop(raw);
}

static void
records_that_cannot_be_read_are_counted_as_rejected(void **state)
{
	fixture *f = *state;
	/* ResourceLogs, ScopeLogs, an empty record, and one that is none. */
	static const uint8_t half[] = { 0x0a, 7, 0x12, 5, 0x12, 0, 0x12, 1, 0xff };
	static const uint8_t none[] = { 0x0a, 5, 0x12, 3, 0x12, 1, 0xff };
	const otlog_mito_options mito = { .url = mito_server_url(f->server, "127.0.0.1", "/logs") };
	otlog_export_result result = { .verdict = OTLOG_VERDICT_OK };
	otlog_exporter exporter;
	assert_true(otlog_mito_exporter_create(&mito, &exporter));
	exporter.functions->export_batch(exporter.self,
	                                 &(otlog_batch){ .request = half, .request_size = sizeof half, .records = 2 },
	                                 LONG_MS, &result);
	assert_int_equal(result.verdict, OTLOG_VERDICT_PARTIAL);
	assert_int_equal(result.rejected, 1);
	assert_string_equal(mito_server_next(f->server)->body,
	                    "[{\"timestamp_gmt\": \"1970-01-01T00:00:00Z\", \"event\": \"log\"}]");
	result = (otlog_export_result){ .verdict = OTLOG_VERDICT_OK };
	exporter.functions->export_batch(exporter.self,
	                                 &(otlog_batch){ .request = none, .request_size = sizeof none, .records = 1 },
	                                 LONG_MS, &result);
	assert_int_equal(result.verdict, OTLOG_VERDICT_DROP);
	/* A request that ends too early. */
	result = (otlog_export_result){ .verdict = OTLOG_VERDICT_OK };
	exporter.functions->export_batch(
	    exporter.self, &(otlog_batch){ .request = half, .request_size = sizeof half - 4, .records = 2 }, LONG_MS,
	    &result);
	assert_int_equal(result.verdict, OTLOG_VERDICT_DROP);
	assert_false(mito_server_has_more(f->server));
	exporter.functions->destroy(exporter.self);
}

static void
a_bad_url_is_refused_with_one_message(void **state)
{
	fixture *f = *state;
	static const char *const bad[] = { "", "logs.example.com/mito", "ftp://h/", "http://", "http://ann:hush@h:0/" };
	open_at(f, mito_server_url(f->server, "127.0.0.1", "/logs")); /* for its diagnostics */
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		otlog_exporter exporter = { 0 };
		said.count = 0;
		assert_false(otlog_mito_exporter_create(&(otlog_mito_options){ .url = bad[i] }, &exporter));
		assert_null(exporter.functions);
		assert_said_once("is no URL to send to", "MITO_CONFIG_LOG_SERVER_URL");
		assert_null(strstr(said.first, "hush"));
	}
}

/* ---- By environment ---------------------------------------------------------------------------------------------- */

static const char *const variables[] = { "MITO_CONFIG_VERSION",         "MITO_CONFIG_LOG_SERVER_URL",
	                                 "OTEL_EXPORTER_OTLP_ENDPOINT", "MITO_CONFIG_LOG_SERVER_BATCH_INTERVAL",
	                                 "OTEL_LOGS_EXPORTER",          "OTLOG_MITO_RESOURCE_ATTRIBUTES",
	                                 "OTEL_RESOURCE_ATTRIBUTES" };

static int
forget_environment(void **state)
{
	for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
		unsetenv(variables[i]);
	otlog_shutdown(0);
	return stop_server(state);
}

static void
set_mito(fixture *f, const char *interval)
{
	setenv("MITO_CONFIG_VERSION", "2", 1);
	setenv("MITO_CONFIG_LOG_SERVER_URL", mito_server_url(f->server, "127.0.0.1", "/logs"), 1);
	setenv("MITO_CONFIG_LOG_SERVER_BATCH_INTERVAL", interval, 1);
}

/* Starts the SDK as otlog_start(NULL) does, but for where its messages go. */
static otlog_logger *
start_by_environment(void)
{
	assert_true(otlog_start(&(otlog_options){ .queue_bytes = 1 << 20, .diagnostic = listen_to }));
	return otlog_get_logger("sheet", NULL);
}

/* The names of the pipelines, with commas between. */
static const char *
pipeline_names(void)
{
	static char names[128];
	sdk_books books;
	sdk_take_global_books(&books);
	names[0] = '\0';
	for (size_t i = 0; i < books.pipeline_count; i++)
		snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", i ? "," : "",
		         books.pipelines[i].name);
	return names;
}

static void
mito_variables_alone_upload_at_the_interval(void **state)
{
	fixture *f = *state;
	set_mito(f, "1");
	assert_true(otlog_start(NULL));
	assert_string_equal(pipeline_names(), "mito");
	emit_edits(otlog_get_logger("sheet", NULL), 3);
	const mito_upload *upload = mito_server_next(f->server); /* comes by itself */
	assert_string_equal(upload->fault, "ok");
	assert_int_equal(mito_server_occurrences(upload->body, "sort_edit"), 3);
	assert_int_equal(otlog_shutdown(LONG_MS), OTLOG_DELIVERED);
	assert_false(mito_server_has_more(f->server));
}

static void
no_number_of_events_goes_before_the_interval_while_there_is_room(void **state)
{
	fixture *f = *state;
	set_mito(f, "3600");
	assert_true(otlog_start(&(otlog_options){ .diagnostic = listen_to }));
	emit_edits(otlog_get_logger("sheet", NULL), 3000);
	assert_int_equal(otlog_flush(LONG_MS), OTLOG_DELIVERED);
	assert_int_equal(mito_server_occurrences(mito_server_next(f->server)->body, "sort_edit"), 3000);
	assert_false(mito_server_has_more(f->server));
	assert_said_nothing();
}

static void
a_backlog_is_uploaded_in_requests_that_servers_take(void **state)
{
	fixture *f = *state;
	size_t sum = 0, uploads = 0;
	set_mito(f, "3600");
	otlog_start(&(otlog_options){ .diagnostic = listen_to });
	emit_edits(otlog_get_logger("sheet", NULL), 14000);
	assert_int_equal(otlog_flush(LONG_MS), OTLOG_DELIVERED);
	for (; sum < 14000; uploads++) {
		const mito_upload *upload = mito_server_next(f->server);
		assert_true(strlen(upload->body) < 1024 * 1024);
		sum += mito_server_occurrences(upload->body, "sort_edit");
	}
	assert_int_equal(sum, 14000);
	assert_true(uploads > 1);
}

static void
the_resource_s_attributes_are_added_by_name(void **state)
{
	fixture *f = *state;
	set_mito(f, "3600");
	setenv("OTEL_RESOURCE_ATTRIBUTES", "user.name=ann,os.type=linux,deployment.environment.name=prod", 1);
	setenv("OTLOG_MITO_RESOURCE_ATTRIBUTES", " os.type,user.name ,no.such", 1);
	emit_edits(start_by_environment(), 1);
	assert_int_equal(otlog_flush(LONG_MS), OTLOG_DELIVERED);
	assert_non_null(
	    strstr(mito_server_next(f->server)->body,
	           "{\"params_number\": 0, \"os_type\": \"linux\", \"user_name\": \"ann\", \"timestamp_gmt\": "));
}

static void
otlp_and_the_log_server_both_get_everything(void **state)
{
	fixture *f = *state;
	receiver *collector = receiver_start(NULL);
	char base[64];
	snprintf(base, sizeof base, "http://127.0.0.1:%u", receiver_port(collector));
	set_mito(f, "3600");
	setenv("OTEL_EXPORTER_OTLP_ENDPOINT", base, 1);
	otlog_logger *logger = start_by_environment();
	assert_string_equal(pipeline_names(), "otlp_http,mito");
	emit_edits(logger, 7);
	assert_int_equal(otlog_flush(LONG_MS), OTLOG_DELIVERED);
	assert_int_equal(receiver_record_count(collector), 7);
	assert_int_equal(mito_server_occurrences(mito_server_next(f->server)->body, "sort_edit"), 7);
	otlog_shutdown(LONG_MS);
	receiver_stop(collector);
	assert_said_nothing();
}

static void
a_collector_that_is_away_keeps_nothing_from_the_log_server(void **state)
{
	fixture *f = *state;
	char url[64];
	int port = raw_server_refuse(url, sizeof url);
	set_mito(f, "1");
	setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url, 1);
	emit_edits(start_by_environment(), 7);
	assert_int_equal(mito_server_occurrences(mito_server_next(f->server)->body, "sort_edit"), 7);
	assert_int_equal(otlog_flush(SHORT_MS), OTLOG_TIMEOUT);
	assert_false(mito_server_has_more(f->server));
	assert_said_once("otlp_http: nobody listens", "OTEL_EXPORTER_OTLP_ENDPOINT");
	otlog_shutdown(0);
	close(port);
}

static void
a_log_server_that_is_away_keeps_nothing_from_the_collector(void **state)
{
	fixture *f = *state;
	receiver *collector = receiver_start(NULL);
	char base[64], url[64];
	int port = raw_server_refuse(url, sizeof url);
	snprintf(base, sizeof base, "http://127.0.0.1:%u", receiver_port(collector));
	set_mito(f, "1");
	setenv("MITO_CONFIG_LOG_SERVER_URL", url, 1);
	setenv("OTEL_EXPORTER_OTLP_ENDPOINT", base, 1);
	emit_edits(start_by_environment(), 7);
	receiver_wait_records(collector, 7);
	assert_int_equal(otlog_flush(SHORT_MS), OTLOG_TIMEOUT);
	assert_said_once("mito: nobody listens", "MITO_CONFIG_LOG_SERVER_URL");
	otlog_shutdown(0);
	receiver_stop(collector);
	close(port);
}

/* Standard output goes nowhere meanwhile: the exporters write to it. */
static void
a_list_of_exporters_runs_all_of_them(void **state)
{
	static const char *const cases[][2] = { { "otlp,console", "otlp_http,console" },
		                                { "console,otlp/stdout", "console,otlp_file" },
		                                { "otlp", "otlp_http" } };
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		receiver *collector = receiver_start(NULL);
		char base[64];
		snprintf(base, sizeof base, "http://127.0.0.1:%u", receiver_port(collector));
		setenv("OTEL_EXPORTER_OTLP_ENDPOINT", base, 1);
		setenv("OTEL_LOGS_EXPORTER", cases[i][0], 1);
		fflush(stdout);
		int kept = dup(STDOUT_FILENO), nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
		dup2(nowhere, STDOUT_FILENO);
		emit_edits(start_by_environment(), 2);
		otlog_flush_result ended = otlog_shutdown(LONG_MS);
		dup2(kept, STDOUT_FILENO);
		close(kept);
		close(nowhere);
		assert_int_equal(ended, OTLOG_DELIVERED);
		assert_string_equal(pipeline_names(), cases[i][1]);
		assert_int_equal(receiver_record_count(collector), strstr(cases[i][0], "otlp") == cases[i][0] ? 2 : 0);
		receiver_stop(collector);
		assert_said_nothing();
	}
}

static void
none_turns_the_sdk_off_in_silence(void **state)
{
	(void)state;
	setenv("OTEL_LOGS_EXPORTER", "none", 1);
	assert_false(otlog_start(&(otlog_options){ .diagnostic = listen_to }));
	assert_int_not_equal(mito_log(otlog_get_logger("sheet", NULL), &(mito_event){ .event = "edit" }),
	                     OTLOG_EMIT_ACCEPTED);
	assert_said_nothing();
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, start_server, stop_server)
#define BY_ENVIRONMENT(test) cmocka_unit_test_setup_teardown(test, start_server, forget_environment)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SERVER(a_session_arrives_as_from_mito_s_own_uploader),
		WITH_SERVER(other_records_are_events_to_a_log_server_too),
		WITH_SERVER(a_server_that_comes_back_gets_everything_once),
		WITH_SERVER(an_error_of_the_server_drops_and_says_so_once),
		WITH_SERVER(a_wrong_path_names_the_variable),
		WITH_SERVER(a_redirect_that_would_lose_the_body_is_a_refusal),
		WITH_SERVER(a_redirect_that_keeps_the_body_is_followed_with_credentials_at_home),
		WITH_SERVER(a_redirect_to_another_host_gets_no_credentials),
		WITH_SERVER(a_circle_of_redirects_ends),
		WITH_SERVER(a_redirect_out_of_http_is_not_followed),
		WITH_SERVER(a_redirect_to_where_it_is_refused_names_that_place),
		WITH_SERVER(nobody_there_keeps_the_backlog_and_says_so),
		WITH_SERVER(a_bad_peer_loses_nothing_but_its_own_answers),
		WITH_SERVER(records_that_cannot_be_read_are_counted_as_rejected),
		WITH_SERVER(a_bad_url_is_refused_with_one_message),
		BY_ENVIRONMENT(mito_variables_alone_upload_at_the_interval),
		BY_ENVIRONMENT(no_number_of_events_goes_before_the_interval_while_there_is_room),
		BY_ENVIRONMENT(a_backlog_is_uploaded_in_requests_that_servers_take),
		BY_ENVIRONMENT(the_resource_s_attributes_are_added_by_name),
		BY_ENVIRONMENT(otlp_and_the_log_server_both_get_everything),
		BY_ENVIRONMENT(a_collector_that_is_away_keeps_nothing_from_the_log_server),
		BY_ENVIRONMENT(a_log_server_that_is_away_keeps_nothing_from_the_collector),
		BY_ENVIRONMENT(a_list_of_exporters_runs_all_of_them),
		BY_ENVIRONMENT(none_turns_the_sdk_off_in_silence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
