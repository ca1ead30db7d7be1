#include "exporters/http/endpoint.h"
#include "exporters/http/http_header.h"
#include "exporters/http/http_verdict.h"
#include "sdk/base/sigpipe.h"
#include "sdk/base/version.h"
#include "tests/support/harness/cmocka.h"

#include <curl/curl.h>
#include <openssl/x509_vfy.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const otlog__peer_names names = { "the collector", "THE_ENDPOINT", "THE_HEADERS",    "THE_TIMEOUT",
	                                 "THE_CA_FILE",   "THE_CLIENT",   "THE_CLIENT_KEY", "THE_BATCH_SIZE" };
static const char url[] = "http://localhost:4318/v1/logs";

static otlog_export_result
judge(otlog__http_outcome outcome, const char *text)
{
	otlog_export_result result;
	memset(&result, 0x55, sizeof result);
	otlog__http_judge(&outcome, url, &names, text, 1000, &result);
	assert_non_null(memchr(result.message, '\0', sizeof result.message));
	return result;
}

/* ---- Verdicts ---------------------------------------------------------------------------------------------------- */

static otlog_verdict
expected_verdict(long status)
{
	switch (status) {
	case 429:
	case 502:
	case 503:
	case 504:
		return OTLOG_VERDICT_RETRY;
	case 400:
	case 422:
		return OTLOG_VERDICT_INVALID;
	case 413:
		return OTLOG_VERDICT_TOO_LARGE;
	default:
		return status >= 200 && status < 300 ? OTLOG_VERDICT_OK : OTLOG_VERDICT_DROP;
	}
}

static void
every_status_gets_the_verdict_that_otlp_names(void **state)
{
	(void)state;
	for (long status = 100; status <= 599; status++) {
		char number[16];
		snprintf(number, sizeof number, " %ld", status);
		otlog_export_result result = judge((otlog__http_outcome){ .status = status }, NULL);
		assert_int_equal(result.verdict, expected_verdict(status));
		assert_int_equal(result.rejected, 0);
		if (result.verdict == OTLOG_VERDICT_OK) {
			assert_string_equal(result.message, "");
			assert_string_equal(result.error_type, "");
		} else {
			assert_string_equal(result.error_type, number + 1);
			assert_non_null(strstr(result.message, url));
			assert_non_null(strstr(result.message, number));
		}
	}
}

static void
a_refusal_stays_one_when_the_connection_breaks_in_its_body(void **state)
{
	(void)state;
	for (long status = 200; status <= 599; status++) {
		otlog_verdict expected = status < 300 ? OTLOG_VERDICT_RETRY : expected_verdict(status);
		otlog__http_outcome outcome = { .status = status, .curl_code = CURLE_RECV_ERROR };
		assert_int_equal(judge(outcome, NULL).verdict, expected);
	}
}

static void
what_left_the_request_unanswered_is_tried_again(void **state)
{
	static const int codes[] = { CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY,
		                     CURLE_COULDNT_CONNECT,      CURLE_OPERATION_TIMEDOUT,
		                     CURLE_SEND_ERROR,           CURLE_RECV_ERROR,
		                     CURLE_GOT_NOTHING,          CURLE_PARTIAL_FILE,
		                     CURLE_SSL_CONNECT_ERROR,    CURLE_PEER_FAILED_VERIFICATION,
		                     CURLE_SSL_CACERT_BADFILE,   CURLE_SSL_CERTPROBLEM,
		                     CURLE_OUT_OF_MEMORY };
	(void)state;
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		otlog_export_result result = judge((otlog__http_outcome){ .curl_code = codes[i] }, NULL);
		assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
		assert_int_equal(result.retry_after_ms, 0);
		assert_non_null(strstr(result.message, url));
	}
}

static void
an_answer_that_makes_no_sense_is_tried_again_and_names_the_endpoint(void **state)
{
	static const int codes[] = { CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY, CURLE_URL_MALFORMAT,
		                     CURLE_BAD_CONTENT_ENCODING };
	(void)state;
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		otlog_export_result result = judge((otlog__http_outcome){ .curl_code = codes[i] }, NULL);
		assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
		assert_non_null(strstr(result.message, "THE_ENDPOINT"));
	}
}

static void
cancelled_is_tried_again_and_too_large_is_not(void **state)
{
	(void)state;
	otlog__http_outcome cancelled = { .cancelled = true, .curl_code = CURLE_OUT_OF_MEMORY };
	assert_int_equal(judge(cancelled, NULL).verdict, OTLOG_VERDICT_RETRY);
	otlog__http_outcome large = { .too_large = true, .curl_code = CURLE_WRITE_ERROR, .status = 200 };
	assert_int_equal(judge(large, NULL).verdict, OTLOG_VERDICT_DROP);
	assert_false(otlog__http_delivered(&large));
	large.status = 503;
	assert_int_equal(judge(large, NULL).verdict, OTLOG_VERDICT_DROP);
}

/* Each kind of failure has its word, and its message the word's cause. */
static void
failures_are_told_apart(void **state)
{
	static const struct {
		otlog__http_outcome outcome;
		const char *error_type, *says;
	} rows[] = {
		{ { .curl_code = CURLE_COULDNT_RESOLVE_HOST }, "name_not_found", "Check the name server" },
		{ { .curl_code = CURLE_COULDNT_CONNECT, .os_error = ECONNREFUSED }, "connection_refused", "nobody" },
		{ { .curl_code = CURLE_COULDNT_CONNECT, .os_error = ENETUNREACH }, "no_connection", "unreachable" },
		{ { .curl_code = CURLE_COULDNT_CONNECT, .os_error = ECONNREFUSED, .to_proxy = true },
		  "proxy_refused",
		  "Start the proxy" },
		{ { .curl_code = CURLE_COULDNT_RESOLVE_PROXY }, "proxy_not_found", "http_proxy" },
		{ { .curl_code = CURLE_PROXY }, "proxy_failed", "http_proxy" },
		{ { .curl_code = CURLE_RECV_ERROR, .connect_status = 407 }, "proxy_authentication", "credentials" },
		{ { .curl_code = CURLE_RECV_ERROR, .connect_status = 502 }, "proxy_denied", "allow it" },
		{ { .curl_code = CURLE_OPERATION_TIMEDOUT }, "timeout", "THE_TIMEOUT" },
		{ { .curl_code = CURLE_GOT_NOTHING }, "no_answer", "https:// in THE_ENDPOINT" },
		{ { .curl_code = CURLE_SEND_ERROR }, "connection_broken", "See why" },
		{ { .curl_code = CURLE_RECV_ERROR }, "connection_broken", "See why" },
		{ { .curl_code = CURLE_PARTIAL_FILE }, "connection_broken", "See why" },
		{ { .curl_code = CURLE_WRITE_ERROR, .noise = OTLOG__HTTP_NOISE_TLS }, "wrong_protocol", "https://" },
		{ { .curl_code = CURLE_WRITE_ERROR, .noise = OTLOG__HTTP_NOISE_HTTP2 }, "wrong_protocol", "gRPC" },
		{ { .curl_code = CURLE_WRITE_ERROR, .noise = OTLOG__HTTP_NOISE_OTHER }, "wrong_protocol", "4318" },
		{ { .curl_code = CURLE_SSL_CONNECT_ERROR, .curl_text = "SSL routines::wrong version number" },
		  "wrong_protocol",
		  "Write http:// in THE_ENDPOINT" },
		{ { .curl_code = CURLE_SSL_CONNECT_ERROR, .curl_text = "no shared cipher" },
		  "tls_failed",
		  "THE_ENDPOINT" },
		{ { .curl_code = CURLE_SSL_CONNECT_ERROR, .curl_text = "sslv3 alert bad certificate" },
		  "tls_client_refused",
		  "THE_CLIENT" },
		{ { .curl_code = CURLE_PEER_FAILED_VERIFICATION, .verify_result = X509_V_ERR_UNSPECIFIED },
		  "tls_name_mismatch",
		  "another name" },
		{ { .curl_code = CURLE_PEER_FAILED_VERIFICATION, .verify_result = X509_V_ERR_HOSTNAME_MISMATCH },
		  "tls_name_mismatch",
		  "another name" },
		{ { .curl_code = CURLE_PEER_FAILED_VERIFICATION, .verify_result = X509_V_ERR_CERT_HAS_EXPIRED },
		  "tls_expired",
		  "Renew" },
		{ { .curl_code = CURLE_PEER_FAILED_VERIFICATION, .verify_result = X509_V_ERR_CERT_NOT_YET_VALID },
		  "tls_expired",
		  "clock" },
		{ { .curl_code = CURLE_PEER_FAILED_VERIFICATION,
		    .verify_result = X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY },
		  "tls_untrusted",
		  "THE_CA_FILE" },
		{ { .curl_code = CURLE_SSL_CACERT_BADFILE }, "tls_files", "THE_CA_FILE" },
		{ { .curl_code = CURLE_SSL_CERTPROBLEM }, "tls_files", "THE_CLIENT" },
		{ { .curl_code = CURLE_OUT_OF_MEMORY }, "out_of_memory", "memory" },
		{ { .cancelled = true, .curl_code = CURLE_OUT_OF_MEMORY }, "cancelled", "shutting down" },
		{ { .curl_code = CURLE_URL_MALFORMAT }, "failed", "THE_ENDPOINT" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		otlog_export_result result = judge(rows[i].outcome, NULL);
		assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
		if (strcmp(result.error_type, rows[i].error_type) != 0 || !strstr(result.message, rows[i].says))
			fail_msg("row %zu: %s: %s", i, result.error_type, result.message);
	}
	otlog__http_outcome unsent = { .request_too_large = true, .curl_code = CURLE_OUT_OF_MEMORY };
	assert_int_equal(judge(unsent, NULL).verdict, OTLOG_VERDICT_TOO_LARGE);
	assert_string_equal(judge(unsent, NULL).error_type, "too_large_request");
}

/* It quotes a malformed proxy with its password. */
static void
what_libcurl_quotes_is_not_passed_on(void **state)
{
	otlog__http_outcome outcome = { .curl_code = CURLE_COULDNT_RESOLVE_PROXY,
		                        .curl_text = "Unsupported proxy syntax in 'http://user:secret@host:x'" };
	(void)state;
	assert_null(strstr(judge(outcome, NULL).message, "secret"));
	outcome.curl_text = "something about user:secret@host";
	assert_null(strstr(judge(outcome, NULL).message, "secret"));
	outcome.curl_text = "Could not resolve proxy: squid.internal";
	assert_non_null(strstr(judge(outcome, NULL).message, "squid.internal"));
}

static void
retry_after_counts_with_retryable_statuses_only(void **state)
{
	(void)state;
	otlog__http_outcome outcome = { .status = 503, .retry_after = "7" };
	assert_int_equal(judge(outcome, NULL).retry_after_ms, 7000);
	outcome.status = 429;
	outcome.retry_after = "Thu, 01 Jan 1970 00:17:00 GMT"; /* 1020 s; the test's now is 1000 s */
	assert_int_equal(judge(outcome, NULL).retry_after_ms, 20000);
	outcome.status = 400;
	assert_int_equal(judge(outcome, NULL).retry_after_ms, 0);
}

static void
messages_name_cause_and_remedy(void **state)
{
	(void)state;
	otlog__http_outcome refused = { .curl_code = CURLE_COULDNT_CONNECT, .os_error = ECONNREFUSED };
	assert_string_equal(judge(refused, NULL).message,
	                    "nobody listens at http://localhost:4318/v1/logs: connection refused. "
	                    "Start the collector or set THE_ENDPOINT");
	assert_string_equal(judge((otlog__http_outcome){ .status = 401 }, "no token").message,
	                    "http://localhost:4318/v1/logs answered 401 Unauthorized: \"no token\". "
	                    "Set the credentials in THE_HEADERS");
	otlog__http_outcome moved = { .status = 301, .location = "https://example.org/in" };
	assert_string_equal(judge(moved, NULL).message,
	                    "http://localhost:4318/v1/logs answered 301 and points to https://example.org/in, which "
	                    "is not followed. Set THE_ENDPOINT to where it should go");
	otlog__http_outcome tls = { .curl_code = CURLE_PEER_FAILED_VERIFICATION,
		                    .curl_text = "SSL certificate problem: self-signed certificate",
		                    .verify_result = X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT };
	assert_non_null(strstr(judge(tls, NULL).message, "self-signed certificate"));
	assert_non_null(strstr(judge(tls, NULL).message, "Set THE_CA_FILE"));
	otlog__http_outcome alert = { .curl_code = CURLE_RECV_ERROR, .curl_text = "tlsv13 alert certificate required" };
	assert_non_null(strstr(judge(alert, NULL).message, "THE_CLIENT"));
	assert_non_null(strstr(judge((otlog__http_outcome){ .status = 413 }, NULL).message, "Lower THE_BATCH_SIZE"));
	otlog__http_outcome late = { .curl_code = CURLE_OPERATION_TIMEDOUT };
	assert_non_null(strstr(judge(late, NULL).message, "raise THE_TIMEOUT"));
}

static void
a_long_cause_does_not_push_the_remedy_out(void **state)
{
	char text[1000];
	char long_url[1000];
	otlog_export_result result;
	(void)state;
	memset(text, 't', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	snprintf(long_url, sizeof long_url, "http://%.900s/", text);
	for (long status = 300; status <= 599; status++) {
		otlog__http_outcome outcome = { .status = status, .location = long_url };
		otlog__http_judge(&outcome, long_url, &names, text, 0, &result);
		assert_non_null(memchr(result.message, '\0', sizeof result.message));
		if (status == 401)
			assert_non_null(strstr(result.message, "Set the credentials in THE_HEADERS"));
		if (status < 400)
			assert_non_null(strstr(result.message, "Set THE_ENDPOINT to where it should go"));
	}
}

static void
text_of_a_peer_is_one_line_of_printable_ascii(void **state)
{
	char out[16];
	(void)state;
	otlog__http_printable("\r\n  one\x1b[31m \xc2\x9b \ntwo", 20, out, sizeof out);
	assert_string_equal(out, "one?[31m ??");
	otlog__http_printable("0123456789abcdefghij", 20, out, sizeof out);
	assert_string_equal(out, "0123456789abcde");
	otlog__http_printable("a\0b", 3, out, sizeof out);
	assert_string_equal(out, "a?b");
	otlog__http_printable(NULL, 0, out, sizeof out);
	assert_string_equal(out, "");
}

/* ---- Addresses --------------------------------------------------------------------------------------------------- */

static void
addresses_are_shown_without_secrets(void **state)
{
	static const struct {
		const char *text, *display;
		bool loopback;
	} rows[] = {
		{ "http://localhost:4318/v1/logs", "http://localhost:4318/v1/logs", true },
		{ "http://127.0.0.1", "http://127.0.0.1/", true },
		{ "https://[::1]:4318/x", "https://[::1]:4318/x", true },
		{ "HTTPS://collector.example/v1/logs", "https://collector.example/v1/logs", false },
		{ "https://user:secret@h.example:8443/in?key=secret#secret", "https://h.example:8443/in", false },
		{ "http://127.example.org/", "http://127.example.org/", false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		otlog__endpoint endpoint;
		assert_null(otlog__endpoint_read(rows[i].text, &endpoint));
		assert_string_equal(endpoint.full, rows[i].text);
		assert_string_equal(endpoint.display, rows[i].display);
		assert_int_equal(endpoint.loopback, rows[i].loopback);
		otlog__endpoint_free(&endpoint);
	}
}

static void
what_is_no_http_url_is_refused_with_a_reason(void **state)
{
	static const struct {
		const char *text, *reason;
	} rows[] = {
		{ NULL, "empty" },
		{ "", "empty" },
		{ "localhost:4318", "http://" },
		{ "localhost", "http://" },
		{ "ftp://host/x", "http" },
		{ "file:///etc/passwd", "http" },
		{ "http://", "host" },
		{ "http:///v1/logs", "host" },
		{ "http://:4318/", "host" },
		{ "http://host:0/", "port" },
		{ "http://host:70000/", "port" },
		{ "http://a b/", "space" },
		{ "http://host/\r\nX: y", "control" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		otlog__endpoint endpoint;
		memset(&endpoint, 0x55, sizeof endpoint);
		const char *reason = otlog__endpoint_read(rows[i].text, &endpoint);
		assert_non_null(reason);
		assert_non_null(strstr(reason, rows[i].reason));
		assert_null(endpoint.full);
		assert_null(endpoint.display);
	}
}

/* ---- Headers ----------------------------------------------------------------------------------------------------- */

static void
an_empty_value_is_sent_as_such(void **state)
{
	struct curl_slist *list = NULL;
	(void)state;
	assert_true(otlog__header_append(&list, "A", " b c"));
	assert_true(otlog__header_append(&list, "B", ""));
	assert_string_equal(list->data, "A: b c");
	assert_string_equal(list->next->data, "B;"); /* libcurl's way to write an empty header */
	assert_null(list->next->next);
	curl_slist_free_all(list);
}

/* ---- SIGPIPE ----------------------------------------------------------------------------------------------------- */

static void
a_sigpipe_between_hold_and_release_is_swallowed(void **state)
{
	sigset_t before, held, after, pending;
	(void)state;
	pthread_sigmask(SIG_BLOCK, NULL, &before);
	assert_false(sigismember(&before, SIGPIPE));
	otlog__sigpipe_hold(&held);
	raise(SIGPIPE);
	otlog__sigpipe_release(&held); /* it would end the program here */
	pthread_sigmask(SIG_BLOCK, NULL, &after);
	assert_false(sigismember(&after, SIGPIPE));
	sigpending(&pending);
	assert_false(sigismember(&pending, SIGPIPE));
}

static void
a_thread_that_blocks_sigpipe_goes_on_blocking_it(void **state)
{
	sigset_t pipe, held, after;
	(void)state;
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, NULL);
	otlog__sigpipe_hold(&held);
	otlog__sigpipe_release(&held);
	pthread_sigmask(SIG_UNBLOCK, &pipe, &after);
	assert_true(sigismember(&after, SIGPIPE));
}

/* ---- Version ----------------------------------------------------------------------------------------------------- */

static void
the_version_is_that_of_the_build(void **state)
{
	char line[256];
	bool found = false;
	(void)state;
	FILE *file = fopen(OTLOG_SOURCE_DIR "/CMakeLists.txt", "r");
	assert_non_null(file);
	while (fgets(line, sizeof line, file))
		found = found || strstr(line, "project(otlog VERSION " OTLOG__VERSION " ");
	fclose(file);
	assert_true(found);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_status_gets_the_verdict_that_otlp_names),
		cmocka_unit_test(a_refusal_stays_one_when_the_connection_breaks_in_its_body),
		cmocka_unit_test(what_left_the_request_unanswered_is_tried_again),
		cmocka_unit_test(an_answer_that_makes_no_sense_is_tried_again_and_names_the_endpoint),
		cmocka_unit_test(cancelled_is_tried_again_and_too_large_is_not),
		cmocka_unit_test(failures_are_told_apart),
		cmocka_unit_test(what_libcurl_quotes_is_not_passed_on),
		cmocka_unit_test(retry_after_counts_with_retryable_statuses_only),
		cmocka_unit_test(messages_name_cause_and_remedy),
		cmocka_unit_test(a_long_cause_does_not_push_the_remedy_out),
		cmocka_unit_test(text_of_a_peer_is_one_line_of_printable_ascii),
		cmocka_unit_test(addresses_are_shown_without_secrets),
		cmocka_unit_test(what_is_no_http_url_is_refused_with_a_reason),
		cmocka_unit_test(an_empty_value_is_sent_as_such),
		cmocka_unit_test(a_sigpipe_between_hold_and_release_is_swallowed),
		cmocka_unit_test(a_thread_that_blocks_sigpipe_goes_on_blocking_it),
		cmocka_unit_test(the_version_is_that_of_the_build),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
