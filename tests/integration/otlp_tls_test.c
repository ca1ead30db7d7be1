/* The OTLP/HTTP exporter over TLS, with certificates made for the run. SIGPIPE keeps its default action. */
#include "tests/support/harness/cmocka.h"
#include "tests/support/harness/files.h"
#include "tests/support/sdk/diagnosed.h"
#include "tests/support/sdk/exporter_fixture.h"
#include "tests/support/servers/certificates_fixture.h"
#include "tests/support/servers/raw_server.h"
#include "tests/support/servers/receiver.h"

#include <otlog/exporters.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LONG_MS 30000

static otlog_exporter
open_exporter(const otlog_otlp_options *options)
{
	return create_exporter(otlog_otlp_http_exporter_create_sized, options);
}

static otlog_export_result
export_once(const otlog_otlp_options *options)
{
	return export_and_close(open_exporter(options), LONG_MS);
}

static receiver *
start_receiver(const certificate *with)
{
	return receiver_start(&(receiver_options){ .certificate = with->certificate, .key = with->key });
}

static void
a_trusted_server_gets_the_records_over_one_connection(void **state)
{
	receiver *server = start_receiver(ours);
	otlog_exporter exporter =
	    open_exporter(&(otlog_otlp_options){ .endpoint = receiver_url(server), .ca_file = ours->certificate_file });
	(void)state;
	for (int i = 0; i < 10; i++)
		assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
	assert_int_equal(receiver_record_count(server), 30);
	assert_int_equal(receiver_connection_count(server), 1);
	close_exporter(exporter);
	receiver_stop(server);
}

static void
an_unknown_authority_is_named_with_the_remedy(void **state)
{
	receiver *server = start_receiver(ours);
	(void)state;
	otlog_export_result result = export_once(&(otlog_otlp_options){ .endpoint = receiver_url(server) });
	assert_kept(result, "tls_untrusted", "certificate cannot be trusted", "Set OTEL_EXPORTER_OTLP_CERTIFICATE to");
	assert_non_null(strstr(result.message, "self-signed"));
	assert_int_equal(receiver_request_count(server), 0);
	receiver_stop(server);
}

static void
a_certificate_for_another_host_is_not_trusted(void **state)
{
	receiver *server = start_receiver(foreign);
	(void)state;
	otlog_export_result result = export_once(
	    &(otlog_otlp_options){ .endpoint = receiver_url(server), .ca_file = foreign->certificate_file });
	assert_kept(result, "tls_name_mismatch", "certificate is for another name", "OTEL_EXPORTER_OTLP_ENDPOINT");
	assert_int_equal(receiver_request_count(server), 0);
	receiver_stop(server);
}

static void
a_file_of_authorities_that_is_not_there_is_named(void **state)
{
	receiver *server = start_receiver(ours);
	(void)state;
	otlog_export_result result = export_once(
	    &(otlog_otlp_options){ .endpoint = receiver_url(server), .ca_file = "/nonexistent/authority.pem" });
	assert_kept(result, NULL, "/nonexistent/authority.pem", "OTEL_EXPORTER_OTLP_CERTIFICATE");
	receiver_stop(server);
}

/* With a file of authorities of the test's own, whose name goes to `file`: at first these, or NULL: there is none yet. */
static otlog_exporter
open_with_authorities(const receiver *server, const certificate *trusted, char file[96])
{
	snprintf(file, 96, "%s/authority.pem", ours->directory);
	if (trusted)
		file_copy(trusted->certificate_file, file);
	return open_exporter(&(otlog_otlp_options){ .endpoint = receiver_url(server), .ca_file = file });
}

static void
authorities_put_right_under_a_running_exporter_are_seen(void **state)
{
	char file[96];
	receiver *server = start_receiver(ours);
	(void)state;
	otlog_exporter exporter = open_with_authorities(server, foreign, file);

	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_RETRY);
	file_copy(ours->certificate_file, file);
	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);

	close_exporter(exporter);
	receiver_stop(server);
	unlink(file);
}

static void
authorities_that_come_later_are_waited_for(void **state)
{
	char file[96];
	receiver *server = start_receiver(ours);
	(void)state;
	otlog_exporter exporter = open_with_authorities(server, NULL, file);
	assert_int_equal(diagnosed_times("cannot be read: No such file or directory. Nothing is sent over TLS until"),
	                 1);
	for (int i = 0; i < 3; i++) {
		otlog_export_result result = export_some(exporter, LONG_MS);
		assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
		assert_non_null(strstr(result.message, "authority.pem cannot be read"));
	}
	assert_int_equal(diagnosed_count(), 1);
	assert_int_equal(receiver_request_count(server), 0);
	file_copy(ours->certificate_file, file);
	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);

	close_exporter(exporter);
	receiver_stop(server);
	unlink(file);
}

/* Other authorities would not have trusted the connection that is there; the same ones, written again, do. */
static void
only_a_change_of_authorities_costs_a_new_connection(void **state)
{
	char file[96];
	receiver *server = start_receiver(ours);
	(void)state;
	otlog_exporter exporter = open_with_authorities(server, ours, file);
	file_copy(ours->certificate_file, file);
	const struct timespec second = { .tv_sec = 1, .tv_nsec = 1000 * 1000 };
	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
	nanosleep(&second, NULL); /* so often are files looked at while all goes well */
	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
	assert_int_equal(receiver_connection_count(server), 1);

	file_copy(foreign->certificate_file, file);
	nanosleep(&second, NULL);
	otlog_export_result result = export_some(exporter, LONG_MS);
	assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
	assert_non_null(strstr(result.message, "certificate cannot be trusted"));
	assert_int_equal(receiver_connection_count(server), 2);

	close_exporter(exporter);
	receiver_stop(server);
	unlink(file);
}

static void
an_expired_server_certificate_is_not_trusted(void **state)
{
	receiver *server = start_receiver(expired);
	(void)state;
	otlog_export_result result = export_once(
	    &(otlog_otlp_options){ .endpoint = receiver_url(server), .ca_file = expired->certificate_file });
	assert_kept(result, "tls_expired", "certificate has expired", "Renew");
	assert_int_equal(receiver_request_count(server), 0);
	receiver_stop(server);
}

static void
without_tls_bad_files_are_in_nobodys_way(void **state)
{
	receiver *server = receiver_start(NULL);
	(void)state;
	otlog_export_result result = export_once(&(otlog_otlp_options){ .endpoint = receiver_url(server),
	                                                                .ca_file = "/nonexistent/authority.pem",
	                                                                .client_certificate_file = "/nonexistent.pem",
	                                                                .client_key_file = "/nonexistent.pem" });
	assert_int_equal(result.verdict, OTLOG_VERDICT_OK);
	receiver_stop(server);
}

static void
a_key_given_as_text_is_shown_to_nobody(void **state)
{
	char line[32];
	receiver *server = start_receiver(ours);
	(void)state;
	snprintf(line, sizeof line, "%.16s", strchr(ours->key, '\n') + 1);
	otlog_export_result result =
	    export_once(&(otlog_otlp_options){ .endpoint = receiver_url(server),
	                                       .ca_file = ours->certificate_file,
	                                       .client_certificate_file = ours->certificate_file,
	                                       .client_key_file = ours->key });
	assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
	assert_non_null(strstr(result.message, "what stands in OTEL_EXPORTER_OTLP_CLIENT_KEY is no name of a file"));
	assert_null(strstr(result.message, line));
	assert_true(diagnosed_says("OTEL_EXPORTER_OTLP_CLIENT_KEY"));
	assert_false(diagnosed_says(line));
	receiver_stop(server);
}

static void
tls_to_a_server_without_it_is_named(void **state)
{
	char url[64];
	receiver *server = receiver_start(NULL);
	(void)state;
	snprintf(url, sizeof url, "https://127.0.0.1:%u/v1/logs", receiver_port(server));
	otlog_export_result result = export_once(&(otlog_otlp_options){ .endpoint = url });
	assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
	/* It closes, with a word or without. */
	assert_non_null(strstr(result.message, "rite http:// in OTEL_EXPORTER_OTLP_ENDPOINT"));
	receiver_stop(server);

	const raw_play play = { .read = RAW_READ_NOTHING, .answer = "HTTP/1.1 400 Bad Request\r\n\r\n" };
	raw_server *raw = raw_server_start(&play, 1);
	snprintf(url, sizeof url, "https%s", raw_server_url(raw) + 4);
	result = export_once(&(otlog_otlp_options){ .endpoint = url });
	assert_kept(result, "wrong_protocol", "does not speak TLS", "Write http:// in OTEL_EXPORTER_OTLP_ENDPOINT");
	raw_server_stop(raw);
}

static void
a_server_that_breaks_the_connection_raises_no_signal(void **state)
{
	receiver *server = start_receiver(ours);
	unsigned port = receiver_port(server);
	const receiver_options again = { .port = port, .certificate = ours->certificate, .key = ours->key };
	otlog_exporter exporter =
	    open_exporter(&(otlog_otlp_options){ .endpoint = receiver_url(server), .ca_file = ours->certificate_file });
	(void)state;
	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
	receiver_stop(server);
	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_RETRY);
	server = receiver_start(&again);
	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
	receiver_stop(server);
	close_exporter(exporter); /* says good-bye to a connection that is closed */

	struct sigaction action;
	assert_int_equal(sigaction(SIGPIPE, NULL, &action), 0);
	assert_true(action.sa_handler == SIG_DFL);
}

/* ---- Client certificates: openssl s_server insists on them --------------------------------------------------------- */

typedef struct strict_server {
	pid_t pid;
	int in; /* s_server ends when this is closed */
	FILE *said;
	char url[64];
} strict_server;

/* Starts a server that takes only clients with the certificate `ours`, and has its answer ready. */
static strict_server
start_strict_server(void)
{
	static const char answer[] =
	    "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n";
	strict_server server = { 0 };
	int in[2];
	int out[2];
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	server.pid = fork();
	assert_true(server.pid >= 0);
	if (server.pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		dup2(out[1], STDERR_FILENO);
		close(in[1]);
		close(out[0]);
		execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", ours->certificate_file,
		       "-key", ours->key_file, "-CAfile", ours->certificate_file, "-Verify", "1",
		       "-verify_return_error", (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	assert_int_equal(write(in[1], answer, sizeof answer - 1), sizeof answer - 1);
	server.in = in[1];
	server.said = fdopen(out[0], "r");
	char line[256];
	unsigned port = 0;
	while (!port && fgets(line, sizeof line, server.said))
		if (sscanf(line, "ACCEPT 127.0.0.1:%u", &port) != 1)
			port = 0;
	assert_true(port > 0);
	snprintf(server.url, sizeof server.url, "https://127.0.0.1:%u/v1/logs", port);
	return server;
}

static void
stop_strict_server(strict_server *server)
{
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
	close(server->in);
	fclose(server->said);
}

static void
a_client_certificate_is_shown_to_who_asks(void **state)
{
	strict_server server = start_strict_server();
	(void)state;
	otlog_export_result result =
	    export_once(&(otlog_otlp_options){ .endpoint = server.url,
	                                       .ca_file = ours->certificate_file,
	                                       .client_certificate_file = ours->certificate_file,
	                                       .client_key_file = ours->key_file });
	assert_int_equal(result.verdict, OTLOG_VERDICT_OK);
	stop_strict_server(&server);
}

static void
without_a_client_certificate_such_a_server_gets_nothing(void **state)
{
	strict_server server = start_strict_server();
	(void)state;
	otlog_export_result result =
	    export_once(&(otlog_otlp_options){ .endpoint = server.url, .ca_file = ours->certificate_file });
	assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
	assert_non_null(strstr(result.message, "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"));
	stop_strict_server(&server);
}

static void
a_client_certificate_that_cannot_be_read_is_named(void **state)
{
	receiver *server = start_receiver(ours);
	(void)state;
	otlog_export_result result = export_once(&(otlog_otlp_options){ .endpoint = receiver_url(server),
	                                                                .ca_file = ours->certificate_file,
	                                                                .client_certificate_file = "/nonexistent.pem",
	                                                                .client_key_file = ours->key_file });
	assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
	assert_non_null(strstr(result.message, "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"));
	assert_int_equal(receiver_request_count(server), 0);
	receiver_stop(server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_trusted_server_gets_the_records_over_one_connection),
		cmocka_unit_test(an_unknown_authority_is_named_with_the_remedy),
		cmocka_unit_test(a_certificate_for_another_host_is_not_trusted),
		cmocka_unit_test(a_file_of_authorities_that_is_not_there_is_named),
		cmocka_unit_test(authorities_put_right_under_a_running_exporter_are_seen),
		cmocka_unit_test(authorities_that_come_later_are_waited_for),
		cmocka_unit_test(only_a_change_of_authorities_costs_a_new_connection),
		cmocka_unit_test(an_expired_server_certificate_is_not_trusted),
		cmocka_unit_test(without_tls_bad_files_are_in_nobodys_way),
		cmocka_unit_test(a_key_given_as_text_is_shown_to_nobody),
		cmocka_unit_test(tls_to_a_server_without_it_is_named),
		cmocka_unit_test(a_server_that_breaks_the_connection_raises_no_signal),
		cmocka_unit_test(a_client_certificate_is_shown_to_who_asks),
		cmocka_unit_test(without_a_client_certificate_such_a_server_gets_nothing),
		cmocka_unit_test(a_client_certificate_that_cannot_be_read_is_named),
	};
	return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
