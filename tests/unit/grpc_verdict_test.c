#include "exporters/otlp_grpc/grpc_verdict.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/servers/rpc_status.h"

#include <stdio.h>
#include <string.h>

static const char endpoint[] = "http://localhost:4317";

static otlog_export_result
judge(otlog__grpc_outcome outcome)
{
	otlog_export_result result;
	memset(&result, 0x55, sizeof result);
	otlog__grpc_judge(&outcome, endpoint, &result);
	assert_non_null(memchr(result.message, '\0', sizeof result.message));
	return result;
}

static otlog_export_result
judge_text(int status, const char *text, bool tls)
{
	return judge((otlog__grpc_outcome){ .status = status, .text = text, .text_size = strlen(text), .tls = tls });
}

/* OTLP specification, "Failures": the table of retryable codes. */
static otlog_verdict
expected_verdict(int status)
{
	switch (status) {
	case 0:
		return OTLOG_VERDICT_OK;
	case 1:  /* CANCELLED */
	case 4:  /* DEADLINE_EXCEEDED */
	case 10: /* ABORTED */
	case 11: /* OUT_OF_RANGE */
	case 14: /* UNAVAILABLE */
	case 15: /* DATA_LOSS */
		return OTLOG_VERDICT_RETRY;
	case 3: /* INVALID_ARGUMENT */
		return OTLOG_VERDICT_INVALID;
	default:
		return OTLOG_VERDICT_DROP;
	}
}

static const char *
expected_type(int status)
{
	static const char *const names[] = { "",
		                             "CANCELLED",
		                             "UNKNOWN",
		                             "INVALID_ARGUMENT",
		                             "DEADLINE_EXCEEDED",
		                             "NOT_FOUND",
		                             "ALREADY_EXISTS",
		                             "PERMISSION_DENIED",
		                             "RESOURCE_EXHAUSTED",
		                             "FAILED_PRECONDITION",
		                             "ABORTED",
		                             "OUT_OF_RANGE",
		                             "UNIMPLEMENTED",
		                             "INTERNAL",
		                             "UNAVAILABLE",
		                             "DATA_LOSS",
		                             "UNAUTHENTICATED",
		                             "17",
		                             "18",
		                             "19",
		                             "20" };
	return status < 0 ? "-1" : names[status];
}

static void
every_status_gets_the_verdict_that_otlp_names(void **state)
{
	(void)state;
	for (int status = -1; status <= 20; status++) {
		char number[16];
		snprintf(number, sizeof number, " %d", status);
		otlog_export_result result = judge_text(status, "why", false);
		assert_int_equal(result.verdict, expected_verdict(status));
		assert_int_equal(result.retry_after_ms, 0);
		assert_int_equal(result.rejected, 0);
		assert_string_equal(result.error_type, expected_type(status));
		if (status == 0) {
			assert_string_equal(result.message, "");
			continue;
		}
		assert_non_null(strstr(result.message, endpoint));
		assert_non_null(strstr(result.message, number));
		assert_non_null(strstr(result.message, "\"why\". ")); /* and a remedy behind it */
	}
}

static void
a_retry_info_delays_what_is_retryable_and_makes_exhaustion_so(void **state)
{
	rpc_status info = rpc_status_with_delay(3, 0);
	(void)state;
	for (int status = 0; status <= 20; status++) {
		otlog__grpc_outcome outcome = { .status = status, .details = info.bytes, .details_size = info.size };
		otlog_export_result result = judge(outcome);
		otlog_verdict expected = status == 8 ? OTLOG_VERDICT_RETRY : expected_verdict(status);
		assert_int_equal(result.verdict, expected);
		assert_int_equal(result.retry_after_ms, expected == OTLOG_VERDICT_RETRY ? 3000 : 0);
	}
}

static void
exhaustion_with_details_of_another_kind_is_final(void **state)
{
	rpc_status help = rpc_status_with("type.googleapis.com/google.rpc.Help", "", 0);
	(void)state;
	otlog__grpc_outcome outcome = { .status = 8, .details = help.bytes, .details_size = help.size };
	assert_int_equal(judge(outcome).verdict, OTLOG_VERDICT_DROP);
	outcome.details = "\xff\xff";
	outcome.details_size = 2;
	assert_int_equal(judge(outcome).verdict, OTLOG_VERDICT_DROP);
}

static void
cancelled_by_us_is_tried_again(void **state)
{
	(void)state;
	otlog_export_result result = judge((otlog__grpc_outcome){ .cancelled = true, .status = 1 });
	assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
	assert_string_equal(result.message,
	                    "the attempt was cut short: the SDK is shutting down. Give otlog_shutdown more time");
	assert_string_equal(result.error_type, "cancelled");
}

static void
check_text(int status, const char *text, otlog_verdict verdict, const char *error_type)
{
	otlog_export_result result = judge_text(status, text, false);
	assert_int_equal(result.verdict, verdict);
	assert_string_equal(result.error_type, error_type);
	assert_non_null(strstr(result.message, ". ")); /* a remedy */
}

static void
words_tell_more_than_the_status(void **state)
{
	static const struct {
		int status;
		const char *text;
		otlog_verdict verdict;
		const char *error_type;
	} rows[] = {
		{ 14, "x: Failed to connect to remote host: Connection refused", OTLOG_VERDICT_RETRY,
		  "connection_refused" },
		{ 14, "DNS resolution failed for x: C-ares status is not ARES_SUCCESS", OTLOG_VERDICT_RETRY,
		  "name_not_found" },
		{ 14, "x: Peer name a is not in peer certificate", OTLOG_VERDICT_RETRY, "tls_name_mismatch" },
		{ 14, "x: certificate verify failed: certificate has expired", OTLOG_VERDICT_RETRY, "tls_expired" },
		{ 14, "x: SSL routines::certificate verify failed", OTLOG_VERDICT_RETRY, "tls_untrusted" },
		{ 14, "x: sslv3 alert certificate expired", OTLOG_VERDICT_RETRY, "tls_client_refused" },
		{ 14, "x: SSL routines::wrong version number", OTLOG_VERDICT_RETRY, "wrong_protocol" },
		{ 14, "Trying to connect an http1.x server", OTLOG_VERDICT_RETRY, "wrong_protocol" },
		{ 14, "Failed parsing HTTP/2", OTLOG_VERDICT_RETRY, "wrong_protocol" },
		{ 14, "recvmsg:Connection reset by peer", OTLOG_VERDICT_RETRY, "connection_broken" },
		{ 14, "GOAWAY received", OTLOG_VERDICT_RETRY, "UNAVAILABLE" },
		{ 13, "Connection refused", OTLOG_VERDICT_DROP, "INTERNAL" }, /* the peer's words about another */
		{ 2, "Stream removed", OTLOG_VERDICT_RETRY, "wrong_protocol" },
		{ 13, "Received RST_STREAM with error code 2", OTLOG_VERDICT_RETRY, "stream_reset" },
		{ 7, "Received RST_STREAM with error code 12", OTLOG_VERDICT_RETRY, "stream_reset" },
		{ 4, "Deadline Exceeded", OTLOG_VERDICT_RETRY, "timeout" },
		{ 4, "context deadline exceeded", OTLOG_VERDICT_RETRY, "DEADLINE_EXCEEDED" },
		{ 12, "Received http2 header with status: 404", OTLOG_VERDICT_DROP, "404" },
		{ 2, "Received http2 header with status: 413", OTLOG_VERDICT_TOO_LARGE, "413" },
		{ 14, "Received http2 header with status: 503", OTLOG_VERDICT_RETRY, "503" },
		{ 2, "Received http2 header with status: 99999", OTLOG_VERDICT_DROP, "UNKNOWN" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		check_text(rows[i].status, rows[i].text, rows[i].verdict, rows[i].error_type);
}

static void
too_large_for_the_receiver_is_split_and_too_large_for_us_is_final(void **state)
{
	static const char *const refusals[] = {
		"Received message larger than max (4194305 vs. 4194304)",
		"SERVER: Received message larger than max (4194305 vs. 4194304)",
		"grpc: received message larger than max (4194305 vs. 4194304)",
		"grpc: received message after decompression larger than max (4194305 vs. 4194304)",
		"grpc: received message after decompression larger than max 4194304",
		"gRPC message exceeds maximum size 4194304: 4194305",
		"Received message exceeds the maximum configured message size.",
		"Error, decoded message length too large: found 4194305 bytes, the limit is: 4194304 bytes",
	};
	(void)state;
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
		check_text(8, refusals[i], OTLOG_VERDICT_TOO_LARGE, "RESOURCE_EXHAUSTED");
	check_text(11, refusals[7], OTLOG_VERDICT_TOO_LARGE, "OUT_OF_RANGE");
	check_text(8, "Received message larger than max (5000000 vs. 4194357)", OTLOG_VERDICT_DROP, "too_large_answer");
	check_text(8, "Sent message larger than max (5 vs. 4)", OTLOG_VERDICT_DROP, "RESOURCE_EXHAUSTED");
	check_text(8, "quota exceeded", OTLOG_VERDICT_DROP, "RESOURCE_EXHAUSTED");

	/* Who says when to come back means that it will do then. */
	rpc_status info = rpc_status_with_delay(1, 0);
	otlog__grpc_outcome outcome = { .status = 8, .text = refusals[0], .text_size = strlen(refusals[0]) };
	outcome.details = info.bytes;
	outcome.details_size = info.size;
	assert_int_equal(judge(outcome).verdict, OTLOG_VERDICT_RETRY);
}

static void
messages_name_cause_and_remedy(void **state)
{
	(void)state;
	assert_string_equal(
	    judge_text(14,
	               "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:4317: "
	               "Failed to connect to remote host: Connection refused",
	               false)
		.message,
	    "http://localhost:4317: connection refused: nobody listens there. Start the collector or set "
	    "OTEL_EXPORTER_OTLP_ENDPOINT");
	assert_string_equal(
	    judge_text(16, "no token", false).message,
	    "http://localhost:4317: gRPC status 16 UNAUTHENTICATED: \"no token\". Set the credentials in "
	    "OTEL_EXPORTER_OTLP_HEADERS");
	assert_non_null(strstr(judge_text(4, "Deadline Exceeded", false).message, "raise OTEL_EXPORTER_OTLP_TIMEOUT"));
	assert_non_null(strstr(judge_text(8, "received message larger than max", false).message,
	                       "Lower OTEL_BLRP_MAX_EXPORT_BATCH_SIZE"));
	assert_non_null(strstr(judge_text(14, "Trying to connect an http1.x server", false).message, "4318"));
	assert_non_null(strstr(judge_text(14, "x: CERTIFICATE_VERIFY_FAILED: y", true).message,
	                       "Set OTEL_EXPORTER_OTLP_CERTIFICATE to"));
	assert_non_null(strstr(judge_text(14, "Socket closed", false).message, "https://"));
	assert_non_null(strstr(judge_text(14, "Socket closed", true).message, "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"));
	assert_non_null(strstr(judge_text(14, "words nobody knows", true).message, "\"words nobody knows\""));
}

static void
a_long_cause_does_not_push_the_remedy_out(void **state)
{
	char text[2000];
	char long_endpoint[1000];
	(void)state;
	memset(text, 't', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	snprintf(long_endpoint, sizeof long_endpoint, "http://%.900s", text);
	for (int status = 1; status <= 20; status++) {
		otlog__grpc_outcome outcome = { .status = status, .text = text, .text_size = sizeof text - 1 };
		otlog_export_result result;
		otlog__grpc_judge(&outcome, long_endpoint, &result);
		assert_non_null(memchr(result.message, '\0', sizeof result.message));
		if (status == 16)
			assert_non_null(strstr(result.message, "Set the credentials in OTEL_EXPORTER_OTLP_HEADERS"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_status_gets_the_verdict_that_otlp_names),
		cmocka_unit_test(a_retry_info_delays_what_is_retryable_and_makes_exhaustion_so),
		cmocka_unit_test(exhaustion_with_details_of_another_kind_is_final),
		cmocka_unit_test(cancelled_by_us_is_tried_again),
		cmocka_unit_test(words_tell_more_than_the_status),
		cmocka_unit_test(too_large_for_the_receiver_is_split_and_too_large_for_us_is_final),
		cmocka_unit_test(messages_name_cause_and_remedy),
		cmocka_unit_test(a_long_cause_does_not_push_the_remedy_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
