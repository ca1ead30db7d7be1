/*
 * OTLP/HTTP through nginx, which ends TLS, asks for client certificates and sets limits, to a receiver behind it. The
 * certificates change while records are on their way.
 */
#include "exporters/http/transport.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/harness/files.h"
#include "tests/support/records/otlp_request.h"
#include "tests/support/sdk/diagnosed.h"
#include "tests/support/sdk/exporter_fixture.h"
#include "tests/support/servers/certificate_files.h"
#include "tests/support/servers/nginx.h"
#include "tests/support/servers/receiver.h"
#include "tests/support/sdk/sdk_books.h"

#include <otlog/exporters.h>
#include <otlog/sdk.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LONG_MS 30000

static certificate *server_one;
static certificate *server_two;
static certificate *client_one;
static certificate *client_two;
static certificate *stranger; /* of an authority that nobody trusts */
static certificate *expired;
static certificate *authority; /* of the clients */

/* What the exporter is given: files that tests change. */
typedef struct fixture {
	certificate_files files;
	receiver *receiver;
	nginx *nginx;
	otlog_provider *provider;
	otlog_logger *logger;
	pthread_t emitter;
	bool loaded;       /* the emitter runs */
	size_t said;       /* messages before it did */
	_Atomic bool stop; /* writer: the test */
	uint64_t accepted; /* writer: the emitter; read after its end */
} fixture;

static int
make_certificates(void **state)
{
	(void)state;
	server_one = certificate_make(&(certificate_options){ .subject = "server one" });
	server_two = certificate_make(&(certificate_options){ .subject = "server two" });
	authority = certificate_make(&(certificate_options){ .subject = "authority" });
	client_one = certificate_make(&(certificate_options){ .subject = "one", .issuer = authority });
	client_two = certificate_make(&(certificate_options){ .subject = "two", .issuer = authority });
	expired = certificate_make(&(certificate_options){ .subject = "old", .issuer = authority, .expired = true });
	stranger = certificate_make(&(certificate_options){ .subject = "stranger" });
	return 0;
}

static int
remove_certificates(void **state)
{
	certificate *const all[] = { server_one, server_two, client_one, client_two, stranger, expired, authority };
	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		certificate_free(all[i]);
	return 0;
}

static void
put_pair(fixture *f, const certificate *from)
{
	file_replace(f->files.certificate, from->certificate);
	file_replace(f->files.key, from->key);
}

static nginx_options
strict(const fixture *f)
{
	return (nginx_options){ .certificate = server_one,
		                .client_authorities = authority->certificate_file,
		                .upstream_port = receiver_port(f->receiver) };
}

static int
setup(void **state)
{
	fixture *f = calloc(1, sizeof *f);
	certificate_files_make(&f->files);
	file_replace(f->files.authority, server_one->certificate);
	f->receiver = receiver_start(NULL);
	const nginx_options options = strict(f);
	f->nginx = nginx_start(&options);
	diagnosed_begin();
	*state = f;
	return 0;
}

static void
stop_load(fixture *f)
{
	if (!f->loaded)
		return;
	f->loaded = false;
	atomic_store_explicit(&f->stop, true, memory_order_relaxed);
	assert_int_equal(pthread_join(f->emitter, NULL), 0);
}

static int
teardown(void **state)
{
	fixture *f = *state;
	stop_load(f);
	otlog_provider_destroy(f->provider);
	nginx_stop(f->nginx);
	receiver_stop(f->receiver);
	certificate_files_remove(&f->files);
	free(f);
	return 0;
}

static otlog_exporter
open_exporter(const fixture *f, bool with_pair)
{
	otlog_exporter exporter = { 0 };
	assert_true(otlog_otlp_http_exporter_create(
	    &(otlog_otlp_options){ .endpoint = nginx_url(f->nginx),
	                           .ca_file = f->files.authority,
	                           .client_certificate_file = with_pair ? f->files.certificate : NULL,
	                           .client_key_file = with_pair ? f->files.key : NULL },
	    &exporter));
	return exporter;
}

static otlog_export_result
export_large(otlog_exporter exporter)
{
	otlog_batch batch = otlp_request_create(3, 500);
	otlog_export_result result = export_batch(exporter, &batch, LONG_MS);
	otlp_request_free(&batch);
	return result;
}

static otlog_export_result
export_once(const fixture *f, bool with_pair)
{
	otlog_exporter exporter = open_exporter(f, with_pair);
	otlog_export_result result = export_large(exporter);
	close_exporter(exporter);
	return result;
}

static void
assert_retried(otlog_export_result result, const char *cause, const char *remedy)
{
	assert_kept(result, NULL, cause, remedy);
}

/* ---- What nginx refuses ------------------------------------------------------------------------------------------ */

static void
a_trusted_client_delivers(void **state)
{
	fixture *f = *state;
	put_pair(f, client_one);
	assert_int_equal(export_once(f, true).verdict, OTLOG_VERDICT_OK);
	assert_int_equal(receiver_record_count(f->receiver), 3);
	assert_string_equal(receiver_header(receiver_request_at(f->receiver, 0), "X-Client"), "CN=one");
}

static void
without_a_client_certificate_records_wait_for_one(void **state)
{
	fixture *f = *state;
	assert_retried(export_once(f, false), "No required SSL certificate was sent",
	               "Set OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE to one that it trusts");
	assert_int_equal(receiver_request_count(f->receiver), 0);
}

static void
a_client_certificate_that_is_not_trusted_can_be_exchanged_for_one_that_is(void **state)
{
	fixture *f = *state;
	put_pair(f, stranger);
	otlog_exporter exporter = open_exporter(f, true);
	assert_retried(export_large(exporter), "The SSL certificate error",
	               "It wants another OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE");
	assert_int_equal(receiver_request_count(f->receiver), 0);
	put_pair(f, client_two);
	assert_int_equal(export_large(exporter).verdict, OTLOG_VERDICT_OK); /* at once: the last attempt had failed */
	assert_int_equal(receiver_record_count(f->receiver), 3);
	close_exporter(exporter);
}

static void
an_expired_client_certificate_is_named_by_both_sides(void **state)
{
	fixture *f = *state;
	put_pair(f, expired);
	assert_retried(export_once(f, true), "The SSL certificate error", "one that has not expired");
	assert_true(diagnosed_says("certificate.pem has expired"));
}

static void
an_expired_server_certificate_is_not_trusted(void **state)
{
	fixture *f = *state;
	nginx_options options = strict(f);
	file_replace(f->files.authority, authority->certificate);
	put_pair(f, client_one);
	options.certificate = expired;
	nginx_restart(f->nginx, &options);
	assert_retried(export_once(f, true), "certificate has expired", "Renew the server's certificate");
	assert_int_equal(receiver_request_count(f->receiver), 0);
}

static void
a_key_of_another_certificate_waits_for_its_own(void **state)
{
	fixture *f = *state;
	put_pair(f, client_one);
	file_replace(f->files.key, client_two->key);
	otlog_exporter exporter = open_exporter(f, true);
	assert_true(diagnosed_says("does not belong to the certificate in"));
	assert_retried(export_large(exporter), "the client certificate cannot be used",
	               "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and its key");
	assert_int_equal(receiver_request_count(f->receiver), 0);
	file_replace(f->files.certificate, client_two->certificate);
	assert_int_equal(export_large(exporter).verdict, OTLOG_VERDICT_OK);
	assert_int_equal(diagnosed_times("does not belong"), 1);
	close_exporter(exporter);
}

static void
a_body_over_the_proxys_limit_is_too_large(void **state)
{
	fixture *f = *state;
	nginx_options options = strict(f);
	options.body_limit = "1k";
	put_pair(f, client_one);
	nginx_restart(f->nginx, &options);
	otlog_export_result result = export_once(f, true);
	assert_int_equal(result.verdict, OTLOG_VERDICT_TOO_LARGE);
	assert_non_null(strstr(result.message, "answered 413 Content Too Large"));
	assert_non_null(strstr(result.message, "Lower OTEL_BLRP_MAX_EXPORT_BATCH_SIZE"));
}

static void
an_upstream_that_is_down_is_waited_for(void **state)
{
	fixture *f = *state;
	const receiver_options same_port = { .port = receiver_port(f->receiver) };
	put_pair(f, client_one);
	otlog_exporter exporter = open_exporter(f, true);
	receiver_stop(f->receiver);
	assert_retried(export_large(exporter), "answered 502 Bad Gateway", "the server behind it");
	f->receiver = receiver_start(&same_port);
	assert_int_equal(export_large(exporter).verdict, OTLOG_VERDICT_OK);
	assert_int_equal(receiver_record_count(f->receiver), 3);
	close_exporter(exporter);
}

static void
plain_http_to_its_tls_port_keeps_the_records(void **state)
{
	fixture *f = *state;
	char url[64];
	otlog_exporter exporter = { 0 };
	snprintf(url, sizeof url, "http://127.0.0.1:%u/v1/logs", nginx_port(f->nginx));
	assert_true(otlog_otlp_http_exporter_create(&(otlog_otlp_options){ .endpoint = url }, &exporter));
	assert_retried(export_large(exporter), "plain HTTP request was sent to HTTPS port",
	               "Write https:// in OTEL_EXPORTER_OTLP_ENDPOINT");
	close_exporter(exporter);
}

/* ---- A redirect to elsewhere ------------------------------------------------------------------------------------- */

static otlog__http_outcome
post_following(const fixture *f, const char *url, otlog__http **http)
{
	otlog__http_outcome outcome;
	otlog_batch batch = otlp_request_create(1, 20);
	*http = otlog__http_create(&(otlog__http_options){ .url = url,
	                                                   .content_type = "application/x-protobuf",
	                                                   .ca_file = f->files.authority,
	                                                   .client_certificate_file = f->files.certificate,
	                                                   .client_key_file = f->files.key,
	                                                   .follow_redirects = true });
	assert_non_null(*http);
	otlog__http_post(*http, batch.request, batch.request_size, LONG_MS, &outcome);
	otlp_request_free(&batch);
	return outcome;
}

/* Another port is another origin: it gets the body, over TLS that is checked, and is not shown who we are. */
static void
the_client_certificate_stays_at_home(void **state)
{
	fixture *f = *state;
	otlog__http *http;
	const nginx_options options = strict(f);
	nginx *elsewhere = nginx_start(&options);
	const otlog_header location = { "Location", nginx_url(elsewhere) };
	put_pair(f, client_one);

	otlog__http_outcome outcome = post_following(f, nginx_url(elsewhere), &http);
	assert_int_equal(outcome.status, 200); /* it would be taken there */
	otlog__http_destroy(http);

	receiver_script(f->receiver, &(receiver_reply){ .status = 307, .headers = &location, .header_count = 1 });
	outcome = post_following(f, nginx_url(f->nginx), &http);
	assert_int_equal(outcome.status, 400);
	assert_non_null(memmem(outcome.body, outcome.body_size, "No required SSL certificate", 27));
	otlog__http_destroy(http);
	nginx_stop(elsewhere);
}

/* ---- Changes under load ------------------------------------------------------------------------------------------ */

/* Some 10,000 records a second, numbered, until it is told to stop. */
static void *
emit_on(void *self)
{
	fixture *f = self;
	const struct timespec pause = { .tv_nsec = 1000 * 1000 };
	/* Nothing hangs on the order: the count is read after the thread was joined. */
	while (!atomic_load_explicit(&f->stop, memory_order_relaxed)) {
		for (int i = 0; i < 10; i++)
			if (otlog_emit(f->logger, &(otlog_record){ .severity = OTLOG_SEVERITY_INFO,
			                                           .body = otlog_int64((int64_t)f->accepted) }) ==
			    OTLOG_EMIT_ACCEPTED)
				f->accepted++;
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static void
start_load(fixture *f)
{
	const otlog_pipeline_options pipeline = {
		.exporter = open_exporter(f, true), .schedule_delay_ms = 5, .retry_initial_ms = 5, .retry_cap_ms = 20
	};
	f->provider = otlog_provider_create(&(otlog_options){ .pipelines = &pipeline,
	                                                      .pipeline_count = 1,
	                                                      .diagnostic = diagnosed_take,
	                                                      .diagnostic_level = OTLOG_DIAGNOSTIC_WARN });
	assert_non_null(f->provider);
	f->logger = otlog_provider_get_logger(f->provider, &(otlog_logger_options){ .name = "test" });
	f->said = diagnosed_count();
	assert_int_equal(pthread_create(&f->emitter, NULL, emit_on, f), 0);
	f->loaded = true;
}

/* Ends the load. Every record that was accepted must have arrived; returns how many more did, again. */
static size_t
assert_none_lost(fixture *f)
{
	sdk_books books;
	stop_load(f);
	assert_int_equal(otlog_provider_shutdown(f->provider, LONG_MS), OTLOG_DELIVERED);
	sdk_take_books(f->provider, &books);
	assert_true(f->accepted > 0);
	assert_int_equal(books.pipelines[0].delivered, f->accepted);

	uint8_t *seen = calloc(f->accepted, 1);
	size_t count = receiver_record_count(f->receiver);
	uint64_t missing = f->accepted;
	for (size_t i = 0; i < count; i++) {
		int64_t number = receiver_record_at(f->receiver, i).record->body->int_value;
		assert_in_range(number, 0, f->accepted - 1);
		missing -= seen[number] == 0;
		seen[number] = 1;
	}
	free(seen);
	assert_int_equal(missing, 0);
	return count - f->accepted;
}

/* Who the next request came from; waits for it. */
static const char *
next_client(fixture *f)
{
	size_t next = receiver_request_count(f->receiver);
	receiver_wait_requests(f->receiver, next + 1);
	return receiver_header(receiver_request_at(f->receiver, next), "X-Client");
}

static void
wait_for_client(fixture *f, const char *client)
{
	while (strcmp(next_client(f), client) != 0)
		;
}

static void
deliver_for_a_while(fixture *f, const char *client)
{
	for (int i = 0; i < 20; i++)
		assert_string_equal(next_client(f), client);
}

static void
the_clients_pair_changes_under_load_without_loss(void **state)
{
	fixture *f = *state;
	put_pair(f, client_one);
	start_load(f);
	deliver_for_a_while(f, "CN=one");

	file_replace(f->files.certificate, client_two->certificate); /* its key comes later */
	deliver_for_a_while(f, "CN=one");
	file_replace(f->files.key, client_two->key);
	wait_for_client(f, "CN=two");
	deliver_for_a_while(f, "CN=two");

	/* Back, and never a request of anybody else. */
	put_pair(f, client_one);
	wait_for_client(f, "CN=one");
	size_t count = receiver_request_count(f->receiver);
	unsigned changes = 0;
	for (size_t i = 1; i < count; i++)
		changes += strcmp(receiver_header(receiver_request_at(f->receiver, i), "X-Client"),
		                  receiver_header(receiver_request_at(f->receiver, i - 1), "X-Client")) != 0;
	assert_int_equal(changes, 2);
	assert_int_equal(assert_none_lost(f), 0);
	assert_int_equal(diagnosed_count(), f->said);
}

static void
a_bad_pair_under_load_harms_nobody_and_is_said_once(void **state)
{
	fixture *f = *state;
	put_pair(f, client_one);
	start_load(f);
	deliver_for_a_while(f, "CN=one");

	file_replace(f->files.key, client_two->key);
	while (!diagnosed_says("stays in use; correct the file, or OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and "
	                       "OTEL_EXPORTER_OTLP_CLIENT_KEY"))
		assert_string_equal(next_client(f), "CN=one");
	unlink(f->files.certificate);
	unlink(f->files.key);
	while (!diagnosed_says("certificate.pem cannot be read: No such file or directory. What was read before stays"))
		assert_string_equal(next_client(f), "CN=one");
	deliver_for_a_while(f, "CN=one");
	assert_int_equal(diagnosed_times("does not belong to the certificate"), 1);
	assert_int_equal(diagnosed_count(), f->said + 2);

	put_pair(f, client_two);
	wait_for_client(f, "CN=two");
	assert_int_equal(assert_none_lost(f), 0);
	assert_int_equal(diagnosed_count(), f->said + 2);
}

static void
the_authority_changes_under_load_without_loss(void **state)
{
	fixture *f = *state;
	nginx_options options = strict(f);
	put_pair(f, client_one);
	start_load(f);
	deliver_for_a_while(f, "CN=one");

	options.certificate = server_two; /* the server first, then what it is trusted by … */
	nginx_restart(f->nginx, &options);
	file_replace(f->files.authority, server_two->certificate);
	deliver_for_a_while(f, "CN=one");

	file_replace(f->files.authority, server_one->certificate); /* … and the other way round */
	options.certificate = server_one;
	nginx_restart(f->nginx, &options);
	deliver_for_a_while(f, "CN=one");

	file_replace(f->files.authority, "rubbish");
	while (!diagnosed_says("stays in use; correct the file, or OTEL_EXPORTER_OTLP_CERTIFICATE"))
		next_client(f);
	assert_none_lost(f); /* twice is allowed: nginx may end between the records and their answer */
	assert_int_equal(diagnosed_times("ca.pem holds no PEM certificate"), 1);
}

int
main(void)
{
#define THROUGH_NGINX(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		THROUGH_NGINX(a_trusted_client_delivers),
		THROUGH_NGINX(without_a_client_certificate_records_wait_for_one),
		THROUGH_NGINX(a_client_certificate_that_is_not_trusted_can_be_exchanged_for_one_that_is),
		THROUGH_NGINX(an_expired_client_certificate_is_named_by_both_sides),
		THROUGH_NGINX(an_expired_server_certificate_is_not_trusted),
		THROUGH_NGINX(a_key_of_another_certificate_waits_for_its_own),
		THROUGH_NGINX(a_body_over_the_proxys_limit_is_too_large),
		THROUGH_NGINX(an_upstream_that_is_down_is_waited_for),
		THROUGH_NGINX(plain_http_to_its_tls_port_keeps_the_records),
		THROUGH_NGINX(the_client_certificate_stays_at_home),
		THROUGH_NGINX(the_clients_pair_changes_under_load_without_loss),
		THROUGH_NGINX(a_bad_pair_under_load_harms_nobody_and_is_said_once),
		THROUGH_NGINX(the_authority_changes_under_load_without_loss),
	};
	return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
