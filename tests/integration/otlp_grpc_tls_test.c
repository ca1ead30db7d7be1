/* The OTLP/gRPC exporter over TLS, with certificates made for the run. SIGPIPE keeps its default action. */
#include "tests/support/harness/cmocka.h"
#include "tests/support/harness/files.h"
#include "tests/support/sdk/diagnosed.h"
#include "tests/support/servers/certificates_fixture.h"
#include "tests/support/servers/grpc/grpc_exporter.h"
#include "tests/support/servers/grpc/grpc_server.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LONG_MS 30000

static otlog_exporter
open_exporter(const otlog_otlp_options *options)
{
	return create_grpc_exporter(options, NULL);
}

static otlog_export_result
export_once(const otlog_otlp_options *options)
{
	return export_and_close(open_exporter(options), LONG_MS);
}

static grpc_receiver *
start_receiver(const certificate *with)
{
	return grpc_receiver_start(&(grpc_receiver_options){ .certificate = with->certificate, .key = with->key });
}

static void
check_kept(const otlog_otlp_options *options, const char *error_type, const char *cause, const char *remedy)
{
	assert_kept(export_once(options), error_type, cause, remedy);
}

static void
a_trusted_server_gets_the_records_over_one_connection(void **state)
{
	grpc_receiver *server = start_receiver(ours);
	otlog_exporter exporter = open_exporter(
	    &(otlog_otlp_options){ .endpoint = grpc_receiver_url(server), .ca_file = ours->certificate_file });
	(void)state;
	for (int i = 0; i < 10; i++)
		assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
	assert_int_equal(grpc_receiver_record_count(server), 30);
	assert_int_equal(grpc_receiver_connection_count(server), 1);
	close_exporter(exporter);
	grpc_receiver_stop(server);
}

static void
an_endpoint_without_a_scheme_speaks_tls_unless_told_otherwise(void **state)
{
	char endpoint[64];
	grpc_receiver *server = start_receiver(ours);
	(void)state;
	snprintf(endpoint, sizeof endpoint, "127.0.0.1:%u", grpc_receiver_port(server));
	const otlog_otlp_options options = { .endpoint = endpoint, .ca_file = ours->certificate_file };
	assert_int_equal(export_once(&options).verdict, OTLOG_VERDICT_OK);
	grpc_receiver_stop(server);

	server = grpc_receiver_start(NULL);
	snprintf(endpoint, sizeof endpoint, "127.0.0.1:%u", grpc_receiver_port(server));
	otlog_exporter exporter = { 0 };
	assert_true(otlog_otlp_grpc_exporter_create(&options, &(otlog_grpc_options){ .insecure = true }, &exporter));
	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
	close_exporter(exporter);
	grpc_receiver_stop(server);
}

static void
what_cannot_be_trusted_is_named_with_the_remedy(void **state)
{
	grpc_receiver *server = start_receiver(ours);
	(void)state;
	check_kept(&(otlog_otlp_options){ .endpoint = grpc_receiver_url(server) }, "tls_untrusted",
	           "certificate cannot be trusted", "Set OTEL_EXPORTER_OTLP_CERTIFICATE to");
	grpc_receiver *other = start_receiver(foreign);
	check_kept(&(otlog_otlp_options){ .endpoint = grpc_receiver_url(other), .ca_file = foreign->certificate_file },
	           "tls_name_mismatch", "certificate is for another name", "OTEL_EXPORTER_OTLP_ENDPOINT");
	certificate *old = certificate_make(&(certificate_options){ .issuer = ours, .expired = true });
	grpc_receiver *late = start_receiver(old);
	/* OpenSSL's words, as gRPC 1.51 hands them on, do not say which. */
	check_kept(&(otlog_otlp_options){ .endpoint = grpc_receiver_url(late), .ca_file = ours->certificate_file },
	           "tls_untrusted", "cannot be trusted, or has expired", "or renew it");
	assert_int_equal(grpc_receiver_call_count(server) + grpc_receiver_call_count(other), 0);
	assert_int_equal(grpc_receiver_call_count(late), 0);
	grpc_receiver_stop(late);
	certificate_free(old);
	grpc_receiver_stop(other);
	grpc_receiver_stop(server);
}

static void
files_that_cannot_be_used_are_named(void **state)
{
	grpc_receiver *server = start_receiver(ours);
	otlog_otlp_options options = { .endpoint = grpc_receiver_url(server) };
	(void)state;
	options.ca_file = "/nonexistent/authority.pem";
	check_kept(&options, "tls_files", "/nonexistent/authority.pem", "OTEL_EXPORTER_OTLP_CERTIFICATE");
	options.ca_file = "/tmp";
	check_kept(&options, "tls_files", "no regular file", "OTEL_EXPORTER_OTLP_CERTIFICATE");
	options.ca_file = OTLOG_SOURCE_DIR "/CMakeLists.txt";
	check_kept(&options, "tls_files", "holds no PEM certificate", "OTEL_EXPORTER_OTLP_CERTIFICATE");

	options.ca_file = ours->certificate_file;
	options.client_certificate_file = "/nonexistent/client.pem";
	options.client_key_file = ours->key_file;
	check_kept(&options, "tls_files", "/nonexistent/client.pem", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE");
	options.client_certificate_file = foreign->certificate_file; /* of another key */
	check_kept(&options, "tls_files", "does not belong", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE");
	assert_int_equal(grpc_receiver_call_count(server), 0);
	options.client_certificate_file = NULL;
	assert_int_equal(export_once(&options).verdict, OTLOG_VERDICT_OK);
	assert_true(diagnosed_says("of no use without a certificate"));
	grpc_receiver_stop(server);
}

static void
authorities_put_right_under_a_running_exporter_are_seen(void **state)
{
	char file[96];
	grpc_receiver *server = start_receiver(ours);
	(void)state;
	snprintf(file, sizeof file, "%s/authority.pem", ours->directory);
	file_copy(foreign->certificate_file, file);
	otlog_exporter exporter =
	    open_exporter(&(otlog_otlp_options){ .endpoint = grpc_receiver_url(server), .ca_file = file });

	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_RETRY);
	file_copy(ours->certificate_file, file);
	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);

	close_exporter(exporter);
	grpc_receiver_stop(server);
	unlink(file);
}

/* Exports until the last call was made with that client's certificate, or something is said; all of them succeed. */
static void
export_until(otlog_exporter exporter, grpc_receiver *server, const char *client, const char *said)
{
	const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };
	for (int i = 0; i < 500; i++) {
		assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
		size_t calls = grpc_receiver_call_count(server);
		bool same = strcmp(grpc_receiver_call_at(server, calls - 1)->client_name, client) == 0;
		if (said ? diagnosed_says(said) : same)
			break;
		nanosleep(&pause, NULL);
	}
	size_t calls = grpc_receiver_call_count(server);
	assert_string_equal(grpc_receiver_call_at(server, calls - 1)->client_name, client);
	assert_true(!said || diagnosed_says(said));
}

static void
certificates_exchanged_under_a_running_exporter_are_used_and_bad_ones_are_not(void **state)
{
	certificate *first = certificate_make(&(certificate_options){ .subject = "first", .issuer = ours });
	certificate *second = certificate_make(&(certificate_options){ .subject = "second", .issuer = ours });
	grpc_receiver *server = grpc_receiver_start(&(grpc_receiver_options){
	    .certificate = ours->certificate, .key = ours->key, .client_authority = ours->certificate });
	otlog_exporter exporter =
	    open_exporter(&(otlog_otlp_options){ .endpoint = grpc_receiver_url(server),
	                                         .ca_file = ours->certificate_file,
	                                         .client_certificate_file = first->certificate_file,
	                                         .client_key_file = first->key_file });
	(void)state;
	export_until(exporter, server, "first", NULL);

	/* Half exchanged, for longer than such a thing takes: the old pair stays, and that is said. */
	file_copy(second->key_file, first->key_file);
	export_until(exporter, server, "first", "What was read before stays in use");
	assert_true(diagnosed_says("does not belong to the certificate"));
	assert_int_equal(grpc_receiver_connection_count(server), 1);

	file_copy(second->certificate_file, first->certificate_file);
	export_until(exporter, server, "second", NULL);
	assert_int_equal(grpc_receiver_connection_count(server), 2);

	close_exporter(exporter);
	grpc_receiver_stop(server);
	certificate_free(first);
	certificate_free(second);
}

static void
tls_and_plaintext_that_meet_name_the_scheme(void **state)
{
	char url[64];
	grpc_receiver *plain = grpc_receiver_start(NULL);
	grpc_receiver *tls = start_receiver(ours);
	(void)state;
	snprintf(url, sizeof url, "https://127.0.0.1:%u", grpc_receiver_port(plain));
	check_kept(&(otlog_otlp_options){ .endpoint = url, .ca_file = ours->certificate_file }, "wrong_protocol",
	           "does not speak TLS", "http://");
	snprintf(url, sizeof url, "http://127.0.0.1:%u", grpc_receiver_port(tls));
	check_kept(&(otlog_otlp_options){ .endpoint = url }, "connection_broken", "closed", "https://");
	grpc_receiver_stop(tls);
	grpc_receiver_stop(plain);
}

static void
a_client_certificate_is_shown_to_who_asks(void **state)
{
	grpc_receiver *server = grpc_receiver_start(&(grpc_receiver_options){
	    .certificate = ours->certificate, .key = ours->key, .client_authority = ours->certificate });
	otlog_otlp_options options = { .endpoint = grpc_receiver_url(server),
		                       .ca_file = ours->certificate_file,
		                       .client_certificate_file = ours->certificate_file,
		                       .client_key_file = ours->key_file };
	(void)state;
	assert_int_equal(export_once(&options).verdict, OTLOG_VERDICT_OK);

	options.client_certificate_file = foreign->certificate_file;
	options.client_key_file = foreign->key_file;
	check_kept(&options, NULL, grpc_receiver_url(server), "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE");
	options.client_certificate_file = options.client_key_file = NULL;
	check_kept(&options, NULL, grpc_receiver_url(server), "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE");
	assert_int_equal(grpc_receiver_call_count(server), 1);
	grpc_receiver_stop(server);
}

static void
a_server_that_breaks_the_connection_raises_no_signal(void **state)
{
	grpc_receiver *server = start_receiver(ours);
	const grpc_receiver_options again = { .port = grpc_receiver_port(server),
		                              .certificate = ours->certificate,
		                              .key = ours->key };
	otlog_exporter exporter = open_exporter(
	    &(otlog_otlp_options){ .endpoint = grpc_receiver_url(server), .ca_file = ours->certificate_file });
	(void)state;
	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
	grpc_receiver_stop(server);
	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_RETRY);
	server = grpc_receiver_start(&again);
	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
	grpc_receiver_stop(server);
	close_exporter(exporter); /* says good-bye to a connection that is closed */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_trusted_server_gets_the_records_over_one_connection),
		cmocka_unit_test(an_endpoint_without_a_scheme_speaks_tls_unless_told_otherwise),
		cmocka_unit_test(what_cannot_be_trusted_is_named_with_the_remedy),
		cmocka_unit_test(files_that_cannot_be_used_are_named),
		cmocka_unit_test(authorities_put_right_under_a_running_exporter_are_seen),
		cmocka_unit_test(certificates_exchanged_under_a_running_exporter_are_used_and_bad_ones_are_not),
		cmocka_unit_test(tls_and_plaintext_that_meet_name_the_scheme),
		cmocka_unit_test(a_client_certificate_is_shown_to_who_asks),
		cmocka_unit_test(a_server_that_breaks_the_connection_raises_no_signal),
	};
	return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
