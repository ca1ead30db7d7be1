/*
 * The OTLP/gRPC exporter against an HTTP/2 server that ends streams and connections anywhere and answers anything. SIGPIPE
 * keeps its default action.
 */
#include "sdk/base/version.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/sdk/diagnosed.h"
#include "tests/support/servers/grpc/grpc_exporter.h"
#include "tests/support/servers/grpc/h2_server.h"
#include "tests/support/servers/rpc_status.h"

#include <otlog/exporters.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#define LONG_MS 30000

static otlog_exporter
open_exporter(const otlog_otlp_options *options)
{
	return create_grpc_exporter(options, NULL);
}

static otlog_exporter
open_server(const h2_server *server)
{
	return open_exporter(&(otlog_otlp_options){ .endpoint = h2_server_url(server) });
}

/* As the processor does: without a pause, gRPC has no time to find out that a connection is gone. */
static otlog_export_result
export_again(otlog_exporter exporter)
{
	const struct timespec pause = { .tv_nsec = 5 * 1000 * 1000 };
	nanosleep(&pause, NULL);
	return export_some(exporter, LONG_MS);
}

/* What comes of one request that is played to. */
static otlog_export_result
play_to(otlog_exporter exporter, h2_server *server, const h2_play *play)
{
	h2_server_script(server, play);
	otlog_export_result result = export_some(exporter, LONG_MS);
	for (int i = 0; i < 100 && h2_server_plays_left(server); i++)
		result = export_again(exporter);
	assert_int_equal(h2_server_plays_left(server), 0);
	assert_true(result.verdict == OTLOG_VERDICT_OK || *result.error_type);
	assert_true(result.verdict == OTLOG_VERDICT_OK || strstr(result.message, ". "));
	return result;
}

/* The server is well again. */
static void
recover(otlog_exporter exporter)
{
	otlog_export_result result = export_some(exporter, LONG_MS);
	for (int i = 0; i < 100 && result.verdict == OTLOG_VERDICT_RETRY; i++)
		result = export_again(exporter);
	assert_int_equal(result.verdict, OTLOG_VERDICT_OK);
}

/* ---- Connections and streams ------------------------------------------------------------------------------------- */

static void
a_stream_that_is_reset_with_any_code_is_tried_again(void **state)
{
	h2_server *server = h2_server_start();
	otlog_exporter exporter = open_server(server);
	(void)state;
	for (uint32_t code = 0; code <= 15; code++)
		for (int when = H2_AT_BODY; when <= H2_AT_HEAD; when++) {
			const h2_play play = { .when = (h2_when)when, .act = H2_RST_STREAM, .code = code };
			otlog_export_result result = play_to(exporter, server, &play);
			assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
			assert_string_equal(result.error_type, "stream_reset");
			recover(exporter);
		}
	assert_int_equal(h2_server_connection_count(server), 1);
	close_exporter(exporter);
	h2_server_stop(server);
}

static void
a_server_that_goes_away_keeps_the_batch_or_answers_it(void **state)
{
	h2_server *server = h2_server_start();
	otlog_exporter exporter = open_server(server);
	(void)state;
	for (uint32_t code = 0; code <= 13; code++) {
		for (int when = H2_AT_BODY; when <= H2_AT_CONNECT; when++) {
			h2_server_disconnect(server);
			const h2_play play = { .when = (h2_when)when, .act = H2_GOAWAY, .code = code };
			assert_int_equal(play_to(exporter, server, &play).verdict, OTLOG_VERDICT_RETRY);
			recover(exporter);
		}
		if (code)
			continue;
		assert_int_equal(play_to(exporter, server, &(h2_play){ .goaway_first = true }).verdict,
		                 OTLOG_VERDICT_OK);
		recover(exporter);
		assert_int_equal(play_to(exporter, server, &(h2_play){ .goaway_after = true }).verdict,
		                 OTLOG_VERDICT_OK);
		recover(exporter);
	}
	close_exporter(exporter);
	h2_server_stop(server);
}

static void
a_connection_that_ends_anywhere_keeps_the_batch(void **state)
{
	static const struct {
		h2_act act;
		const char *error_type[2]; /* before the request, within it */
	} rows[] = {
		{ H2_RESET, { "connection_broken", "connection_broken" } },
		{ H2_CLOSE, { "connection_broken", "connection_broken" } },
		{ H2_GARBAGE, { "wrong_protocol", "wrong_protocol" } },
	};
	h2_server *server = h2_server_start();
	otlog_exporter exporter = open_server(server);
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (int when = H2_AT_BODY; when <= H2_AT_CONNECT; when++) {
			h2_server_disconnect(server);
			const h2_play play = { .when = (h2_when)when, .act = rows[i].act };
			otlog_export_result result = play_to(exporter, server, &play);
			assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
			assert_string_equal(result.error_type, rows[i].error_type[when != H2_AT_CONNECT]);
			recover(exporter);
		}
	close_exporter(exporter);
	h2_server_stop(server);
}

/* Behind a connection that is silent there may be nobody any more; its own end can be a quarter of an hour away. */
static void
a_server_that_says_nothing_or_a_byte_at_a_time_costs_the_time_out_once(void **state)
{
	static const h2_play plays[] = {
		{ .act = H2_SILENCE },
		{ .when = H2_AT_HEAD, .act = H2_SILENCE },
		{ .when = H2_AT_CONNECT, .act = H2_SILENCE },
		{ .pause_ms = 1000 },
	};
	h2_server *server = h2_server_start();
	(void)state;
	for (size_t i = 0; i < sizeof plays / sizeof *plays; i++) {
		otlog_exporter exporter = open_server(server);
		h2_server_script(server, &plays[i]);
		otlog_export_result result = export_some(exporter, 100);
		assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
		assert_string_equal(result.error_type, "timeout");
		assert_non_null(strstr(result.message, "OTEL_EXPORTER_OTLP_TIMEOUT"));
		assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
		assert_int_equal(h2_server_connection_count(server), 2 * (i + 1));
		close_exporter(exporter);
	}
	h2_server_stop(server);
}

/* ---- Answers ----------------------------------------------------------------------------------------------------- */

static void
every_status_has_its_verdict_with_a_body_and_without(void **state)
{
	static const struct {
		const char *status;
		otlog_verdict verdict;
		const char *error_type;
	} rows[] = {
		{ "0", OTLOG_VERDICT_OK, "" },
		{ "1", OTLOG_VERDICT_RETRY, "CANCELLED" },
		{ "2", OTLOG_VERDICT_DROP, "UNKNOWN" },
		{ "3", OTLOG_VERDICT_INVALID, "INVALID_ARGUMENT" },
		{ "4", OTLOG_VERDICT_RETRY, "DEADLINE_EXCEEDED" },
		{ "5", OTLOG_VERDICT_DROP, "NOT_FOUND" },
		{ "6", OTLOG_VERDICT_DROP, "ALREADY_EXISTS" },
		{ "7", OTLOG_VERDICT_DROP, "PERMISSION_DENIED" },
		{ "8", OTLOG_VERDICT_DROP, "RESOURCE_EXHAUSTED" },
		{ "9", OTLOG_VERDICT_DROP, "FAILED_PRECONDITION" },
		{ "10", OTLOG_VERDICT_RETRY, "ABORTED" },
		{ "11", OTLOG_VERDICT_RETRY, "OUT_OF_RANGE" },
		{ "12", OTLOG_VERDICT_DROP, "UNIMPLEMENTED" },
		{ "13", OTLOG_VERDICT_DROP, "INTERNAL" },
		{ "14", OTLOG_VERDICT_RETRY, "UNAVAILABLE" },
		{ "15", OTLOG_VERDICT_RETRY, "DATA_LOSS" },
		{ "16", OTLOG_VERDICT_DROP, "UNAUTHENTICATED" },
		{ "17", OTLOG_VERDICT_DROP, "17" },
		{ "100", OTLOG_VERDICT_DROP, "100" },
		{ "-1", OTLOG_VERDICT_DROP, "-1" },
		{ "text", OTLOG_VERDICT_DROP, "UNKNOWN" },
		{ "99999999999999999999", OTLOG_VERDICT_DROP, "UNKNOWN" },
		{ "", OTLOG_VERDICT_RETRY, "wrong_protocol" },
	};
	h2_server *server = h2_server_start();
	otlog_exporter exporter = open_server(server);
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (int bare = 0; bare < 2; bare++) {
			otlog_export_result result =
			    play_to(exporter, server, &(h2_play){ .grpc_status = rows[i].status, .no_body = bare });
			assert_int_equal(result.verdict, rows[i].verdict);
			assert_string_equal(result.error_type, rows[i].error_type);
			assert_int_equal(result.retry_after_ms, 0);
		}
	assert_int_equal(h2_server_connection_count(server), 1);
	close_exporter(exporter);
	h2_server_stop(server);
}

static void
an_http_status_without_one_of_grpc_is_judged_as_over_http(void **state)
{
	static const char page[] = "<html>no</html>";
	h2_server *server = h2_server_start();
	otlog_exporter exporter = open_server(server);
	(void)state;
	for (int status = 200; status <= 599; status++) {
		char text[8];
		otlog_verdict expected = OTLOG_VERDICT_DROP;
		if (status == 200 || status == 429 || (status >= 502 && status <= 504))
			expected = OTLOG_VERDICT_RETRY;
		if (status == 413)
			expected = OTLOG_VERDICT_TOO_LARGE;
		snprintf(text, sizeof text, "%d", status);
		otlog_export_result result = play_to(exporter, server,
		                                     &(h2_play){ .http_status = text,
		                                                 .content_type = "text/html",
		                                                 .grpc_status = "",
		                                                 .no_body = status % 2,
		                                                 .body = page,
		                                                 .body_size = sizeof page - 1 });
		assert_int_equal(result.verdict, expected);
		assert_string_equal(result.error_type, status == 200 ? "wrong_protocol" : text);
	}
	recover(exporter);
	close_exporter(exporter);
	h2_server_stop(server);
}

static void
a_wrong_content_type_is_no_matter_if_the_rest_is_right(void **state)
{
	static const char *const types[] = { "", "text/html", "application/grpc+json" };
	h2_server *server = h2_server_start();
	otlog_exporter exporter = open_server(server);
	(void)state;
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		assert_int_equal(play_to(exporter, server, &(h2_play){ .content_type = types[i] }).verdict,
		                 OTLOG_VERDICT_OK);
	close_exporter(exporter);
	h2_server_stop(server);
}

static void
who_refuses_for_size_is_sent_less_and_an_answer_over_our_limit_is_final(void **state)
{
	static const char ten_mib[] = "\0\0\xa0\0\0";
	h2_server *server = h2_server_start();
	otlog_exporter exporter = open_server(server);
	(void)state;
	h2_play play = { .grpc_status = "8",
		         .no_body = true,
		         .grpc_message = "grpc: received message larger than max (5000000 vs. 4194304)" };
	otlog_export_result result = play_to(exporter, server, &play);
	assert_int_equal(result.verdict, OTLOG_VERDICT_TOO_LARGE);
	assert_string_equal(result.error_type, "RESOURCE_EXHAUSTED");

	play = (h2_play){ .body = ten_mib, .body_size = 5, .padding = 10 << 20 };
	result = play_to(exporter, server, &play);
	assert_int_equal(result.verdict, OTLOG_VERDICT_DROP);
	assert_string_equal(result.error_type, "too_large_answer");
	recover(exporter);
	close_exporter(exporter);
	h2_server_stop(server);
}

static void
encode_base64(const uint8_t *bytes, size_t size, bool padded, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < size; i += 3) {
		uint32_t group = (uint32_t)bytes[i] << 16;
		group |= i + 1 < size ? (uint32_t)bytes[i + 1] << 8 : 0;
		group |= i + 2 < size ? bytes[i + 2] : 0;
		for (size_t j = 0; j < 4; j++) {
			if (i + j <= size)
				*out++ = digits[group >> (18 - 6 * j) & 63];
			else if (padded)
				*out++ = '=';
		}
	}
	*out = '\0';
}

static void
a_retry_info_in_the_trailers_says_when_to_come_back(void **state)
{
	char details[512];
	rpc_status info = rpc_status_with_delay(1, 234000000);
	h2_server *server = h2_server_start();
	otlog_exporter exporter = open_server(server);
	(void)state;
	for (int padded = 0; padded < 2; padded++) {
		encode_base64(info.bytes, info.size, padded, details);
		const h2_play play = { .grpc_status = "8", .details = details };
		otlog_export_result result = play_to(exporter, server, &play);
		assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
		assert_int_equal(result.retry_after_ms, 1234);
	}
	for (size_t size = 0; size < info.size; size++) { /* cut off after every byte, it is none */
		encode_base64(info.bytes, size, false, details);
		const h2_play play = { .grpc_status = "8", .details = details };
		assert_int_equal(play_to(exporter, server, &play).verdict, OTLOG_VERDICT_DROP);
	}
	const h2_play play = { .grpc_status = "8", .details = "*no base64*" }; /* for gRPC, an answer that breaks off */
	assert_int_equal(play_to(exporter, server, &play).verdict, OTLOG_VERDICT_RETRY);
	recover(exporter);
	close_exporter(exporter);
	h2_server_stop(server);
}

/* ExportLogsServiceResponse{ partial_success{ 2, "too old" } } as a gRPC message */
static const char partial[] = "\0\0\0\0\x0d\x0a\x0b\x08\x02\x12\x07too old";

static void
an_answer_cut_off_after_every_byte_keeps_the_batch_and_whole_it_counts(void **state)
{
	otlog_export_result result = { .verdict = OTLOG_VERDICT_RETRY };
	h2_server *server = h2_server_start();
	size_t cut_bytes = 0;
	(void)state;
	while (result.verdict == OTLOG_VERDICT_RETRY) {
		otlog_exporter exporter = open_server(server);
		assert_true(++cut_bytes < 1000);
		const h2_play play = { .body = partial, .body_size = sizeof partial - 1, .cut_bytes = cut_bytes };
		result = play_to(exporter, server, &play);
		close_exporter(exporter);
	}
	assert_int_equal(result.verdict, OTLOG_VERDICT_PARTIAL);
	assert_int_equal(result.rejected, 2);
	assert_string_equal(result.error_type, "partial_success");
	assert_true(cut_bytes > sizeof partial);
	h2_server_stop(server);
}

/* With OK the server has the batch, whatever it says beside. Only whole messages count, and only their own numbers. */
static void
a_message_cut_off_within_a_whole_answer_does_no_harm(void **state)
{
	h2_server *server = h2_server_start();
	otlog_exporter exporter = open_server(server);
	(void)state;
	for (size_t size = 0; size < sizeof partial - 1; size++) {
		char message[sizeof partial];
		memcpy(message, partial, sizeof partial);
		h2_play play = { .body = message, .body_size = size };
		assert_int_equal(play_to(exporter, server, &play).verdict, OTLOG_VERDICT_OK);
		if (size < 5)
			continue;
		message[4] = (char)(size - 5); /* the message of gRPC is whole, OTLP's is not */
		assert_int_equal(play_to(exporter, server, &play).verdict, OTLOG_VERDICT_OK);
	}
	assert_int_equal(diagnosed_times("not as an OTLP receiver does"), 1);
	assert_int_equal(
	    play_to(exporter, server, &(h2_play){ .body = partial, .body_size = sizeof partial - 1 }).verdict,
	    OTLOG_VERDICT_PARTIAL);
	close_exporter(exporter);
	h2_server_stop(server);
}

/* ---- What is on the wire ----------------------------------------------------------------------------------------- */

static void
who_we_are_comes_first_and_a_secret_that_is_quoted_is_not_shown(void **state)
{
	static const otlog_header headers[] = { { "Authorization", "Bearer s3cret-token" } };
	static const char *const statuses[] = { "16", "14", "3" };
	h2_server *server = h2_server_start();
	otlog_exporter exporter = open_exporter(
	    &(otlog_otlp_options){ .endpoint = h2_server_url(server), .headers = headers, .header_count = 1 });
	(void)state;
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
		const h2_play play = { .grpc_status = statuses[i], .echo_headers = true };
		otlog_export_result result = play_to(exporter, server, &play);
		assert_non_null(strstr(result.message, "****"));
		assert_null(strstr(result.message, "s3cret"));
	}
	/* partial_success{ 1, "bad s3cret-token" } */
	static const char quoted[] = "\0\0\0\0\x16\x0a\x14\x08\x01\x12\x10"
				     "bad s3cret-token";
	otlog_export_result result =
	    play_to(exporter, server, &(h2_play){ .body = quoted, .body_size = sizeof quoted - 1 });
	assert_int_equal(result.verdict, OTLOG_VERDICT_PARTIAL);
	assert_non_null(strstr(result.message, "bad ****"));

	recover(exporter);
	const h2_request *request = h2_server_request_at(server, h2_server_request_count(server) - 1);
	static const char agent[] = "otlog/" OTLOG__VERSION " OTel-OTLP-Exporter-C/" OTLOG__VERSION " ";
	assert_memory_equal(request->user_agent, agent, strlen(agent));
	assert_string_equal(request->authorization, "Bearer s3cret-token");
	assert_false(diagnosed_says("s3cret"));
	close_exporter(exporter);
	h2_server_stop(server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_that_is_reset_with_any_code_is_tried_again),
		cmocka_unit_test(a_server_that_goes_away_keeps_the_batch_or_answers_it),
		cmocka_unit_test(a_connection_that_ends_anywhere_keeps_the_batch),
		cmocka_unit_test(a_server_that_says_nothing_or_a_byte_at_a_time_costs_the_time_out_once),
		cmocka_unit_test(every_status_has_its_verdict_with_a_body_and_without),
		cmocka_unit_test(an_http_status_without_one_of_grpc_is_judged_as_over_http),
		cmocka_unit_test(a_wrong_content_type_is_no_matter_if_the_rest_is_right),
		cmocka_unit_test(who_refuses_for_size_is_sent_less_and_an_answer_over_our_limit_is_final),
		cmocka_unit_test(a_retry_info_in_the_trailers_says_when_to_come_back),
		cmocka_unit_test(an_answer_cut_off_after_every_byte_keeps_the_batch_and_whole_it_counts),
		cmocka_unit_test(a_message_cut_off_within_a_whole_answer_does_no_harm),
		cmocka_unit_test(who_we_are_comes_first_and_a_secret_that_is_quoted_is_not_shown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
