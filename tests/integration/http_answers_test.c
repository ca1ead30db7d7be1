/* Every answer that an HTTP exporter may get: all statuses, broken bodies, compressed ones, and those of a real proxy. */
#include "exporters/http/gzip.h"
#include "exporters/http/retry_after.h"
#include "proto/logs_service.pb-c.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/records/otlp_request.h"
#include "tests/support/sdk/diagnosed.h"
#include "tests/support/sdk/exporter_fixture.h"
#include "tests/support/servers/nginx.h"
#include "tests/support/servers/raw_server.h"
#include "tests/support/servers/receiver.h"

#include <otlog/exporters.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LONG_MS 30000

/* ExportLogsServiceResponse{ partial_success{ rejected_log_records = 2, error_message = "too old" } } */
static const char partial_protobuf[] = "\x0a\x0b\x08\x02\x12\x07too old";
static const char partial_json[] = "{\"partialSuccess\":{\"rejectedLogRecords\":\"2\",\"errorMessage\":\"too old\"}}";

static otlog_exporter
open_with(exporter_create *create, const char *url)
{
	return create_exporter(create, &(otlog_otlp_options){ .endpoint = url });
}

static otlog_exporter
open_url(const char *url)
{
	return open_with(otlog_otlp_http_exporter_create_sized, url);
}

/* ---- Statuses ---------------------------------------------------------------------------------------------------- */

/* Source: OTLP specification, "Retryable Response Codes"; 400, 413 and 422 are final for the batch as it is. */
static otlog_verdict
verdict_of(unsigned status)
{
	switch (status) {
	case 429:
	case 502:
	case 503:
	case 504:
		return OTLOG_VERDICT_RETRY;
	case 413:
		return OTLOG_VERDICT_TOO_LARGE;
	case 400:
	case 422:
		return OTLOG_VERDICT_INVALID;
	default:
		return status < 300 ? OTLOG_VERDICT_OK : OTLOG_VERDICT_DROP;
	}
}

static void
every_status_on_the_wire_gets_its_verdict(void **state)
{
	receiver *server = receiver_start(NULL);
	otlog_exporter exporter = open_url(receiver_url(server));
	(void)state;
	for (unsigned status = 200; status <= 599; status++) {
		char number[16] = "";
		receiver_script(server, &(receiver_reply){ .status = status });
		otlog_export_result result = export_some(exporter, LONG_MS);
		if (result.verdict != verdict_of(status))
			fail_msg("status %u got verdict %d: %s", status, (int)result.verdict, result.message);
		if (status >= 300)
			snprintf(number, sizeof number, "%u", status);
		assert_string_equal(result.error_type, number);
	}
	assert_int_equal(receiver_request_count(server), 400);
	close_exporter(exporter);
	receiver_stop(server);
}

static void
interim_answers_are_passed_over(void **state)
{
	const raw_play play = { .read = RAW_READ_REQUEST,
		                .answer =
		                    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nRetry-After: 9\r\n\r\n"
		                    "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n" };
	raw_server *server = raw_server_start(&play, 1);
	otlog_exporter exporter = open_url(raw_server_url(server));
	(void)state;
	otlog_export_result result = export_some(exporter, LONG_MS);
	assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
	assert_string_equal(result.error_type, "503");
	assert_int_equal(result.retry_after_ms, 0);
	close_exporter(exporter);
	raw_server_stop(server);
}

/* ---- Retry-After ------------------------------------------------------------------------------------------------- */

static otlog_export_result
export_throttled(const char *retry_after)
{
	const otlog_header header = { "Retry-After", retry_after };
	receiver *server = receiver_start(NULL);
	receiver_script(server, &(receiver_reply){ .status = 429, .headers = &header, .header_count = 1 });
	otlog_exporter exporter = open_url(receiver_url(server));
	otlog_export_result result = export_some(exporter, LONG_MS);
	assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
	close_exporter(exporter);
	receiver_stop(server);
	return result;
}

static void
what_a_server_asks_for_is_obeyed_and_said(void **state)
{
	static const char *const forms[] = { "%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
		                             "%a %b %e %H:%M:%S %Y" };
	(void)state;
	otlog_export_result result = export_throttled("30");
	assert_int_equal(result.retry_after_ms, 30000);
	assert_non_null(strstr(result.message, "429 Too Many Requests and asks to wait 30 s. Send less"));
	for (size_t i = 0; i < 3; i++) {
		char date[64];
		time_t then = time(NULL) + 100;
		struct tm parts;
		strftime(date, sizeof date, forms[i], gmtime_r(&then, &parts));
		assert_in_range(export_throttled(date).retry_after_ms, 80000, 100000);
	}
}

static void
nonsense_in_retry_after_asks_for_nothing_and_a_year_for_an_hour(void **state)
{
	static const char *const nonsense[] = { "-5",  "soon", "1.5",       "12 apples",
		                                "0x7", "0",    "1e9999999", "Thu, 01 Jan 1970 00:00:00 GMT" };
	(void)state;
	for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
		otlog_export_result result = export_throttled(nonsense[i]);
		assert_int_equal(result.retry_after_ms, 0);
		assert_null(strstr(result.message, "asks to wait"));
	}
	assert_int_equal(export_throttled("31536000").retry_after_ms, OTLOG__RETRY_AFTER_CAP_MS);
	assert_int_equal(export_throttled("Fri, 31 Dec 2100 23:59:59 GMT").retry_after_ms, OTLOG__RETRY_AFTER_CAP_MS);
	assert_int_equal(export_throttled("99999999999999999999999999").retry_after_ms, OTLOG__RETRY_AFTER_CAP_MS);
}

static void
nginx_throttles_and_fails_as_others_do(void **state)
{
	static const unsigned statuses[] = { 429, 502, 503, 504 };
	(void)state;
	nginx_options options = { .answer = "add_header Retry-After 7 always; return 200;" };
	nginx *nginx = nginx_start(&options);
	otlog_exporter exporter = open_url(nginx_url(nginx));
	for (size_t i = 0; i < 4; i++) {
		char answer[80], number[16];
		snprintf(number, sizeof number, "%u", statuses[i]);
		snprintf(answer, sizeof answer, "add_header Retry-After 7 always; return %u;", statuses[i]);
		options.answer = answer;
		nginx_restart(nginx, &options);
		otlog_export_result result = export_some(exporter, LONG_MS);
		assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
		assert_string_equal(result.error_type, number);
		assert_int_equal(result.retry_after_ms, 7000);
		assert_non_null(strstr(result.message, "asks to wait 7 s"));
	}
	close_exporter(exporter);
	nginx_stop(nginx);
}

/* It answers, and closes, while the body is still on its way. */
static void
nginx_refuses_a_large_body_before_it_has_read_it(void **state)
{
	const nginx_options options = { .answer = "return 200;", .body_limit = "100k" };
	nginx *nginx = nginx_start(&options);
	otlog_exporter exporter = open_url(nginx_url(nginx));
	otlog_batch batch = otlp_request_create(3000, 2000);
	(void)state;
	for (int i = 0; i < 20; i++) {
		otlog_export_result result = export_batch(exporter, &batch, LONG_MS);
		if (result.verdict != OTLOG_VERDICT_TOO_LARGE)
			fail_msg("%s", result.message);
		assert_string_equal(result.error_type, "413");
	}
	otlp_request_free(&batch);
	close_exporter(exporter);
	nginx_stop(nginx);
}

/* ---- Broken bodies ----------------------------------------------------------------------------------------------- */

typedef struct form {
	exporter_create *create;
	const char *content_type;
	const char *body;
	size_t body_size;
} form;

static const form forms[] = {
	{ otlog_otlp_http_exporter_create_sized, "application/x-protobuf", partial_protobuf,
	  sizeof partial_protobuf - 1 },
	{ otlog_otlp_http_json_exporter_create_sized, "application/json", partial_json, sizeof partial_json - 1 },
};

/* Says it has the whole body, and has `size` bytes of it. */
static void
a_body_cut_short_by_its_sender_is_still_a_success(void **state)
{
	(void)state;
	for (size_t f = 0; f < 2; f++) {
		const form *form = &forms[f];
		const otlog_header type = { "Content-Type", form->content_type };
		receiver *server = receiver_start(NULL);
		otlog_exporter exporter = open_with(form->create, receiver_url(server));
		for (size_t size = 0; size <= form->body_size; size++) {
			receiver_script(
			    server, &(receiver_reply){
					.headers = &type, .header_count = 1, .body = form->body, .body_size = size });
			otlog_export_result result = export_some(exporter, LONG_MS);
			bool counted = result.verdict == OTLOG_VERDICT_PARTIAL && result.rejected == 2;
			if (result.verdict != OTLOG_VERDICT_OK && !counted)
				fail_msg("%zu bytes: verdict %d", size, (int)result.verdict);
			assert_true(counted || size < form->body_size);
		}
		assert_true(diagnosed_says("not as an OTLP receiver does"));
		assert_int_equal(diagnosed_count(), 1);
		close_exporter(exporter);
		receiver_stop(server);
	}
}

/* What breaks off on the wire, at every byte of head and body, is no answer. */
static void
an_answer_that_breaks_off_is_none(void **state)
{
	(void)state;
	for (size_t f = 0; f < 2; f++) {
		char answer[512];
		int head = snprintf(answer, sizeof answer,
		                    "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n",
		                    forms[f].content_type, forms[f].body_size);
		memcpy(answer + head, forms[f].body, forms[f].body_size);
		size_t size = (size_t)head + forms[f].body_size;
		raw_play plays[512];
		for (size_t i = 0; i <= size; i++)
			plays[i] = (raw_play){ .read = RAW_READ_REQUEST,
				               .answer = i ? answer : NULL,
				               .answer_size = i,
				               .end = i % 2 ? RAW_END_CLOSE : RAW_END_RESET };
		plays[size].end = RAW_END_CLOSE;
		raw_server *server = raw_server_start(plays, size + 1);
		otlog_exporter exporter = open_with(forms[f].create, raw_server_url(server));
		for (size_t i = 0; i < size; i++) {
			otlog_export_result result = export_some(exporter, LONG_MS);
			if (result.verdict != OTLOG_VERDICT_RETRY || !*result.error_type)
				fail_msg("%zu bytes: verdict %d, type %s", i, (int)result.verdict, result.error_type);
		}
		assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_PARTIAL);
		close_exporter(exporter);
		raw_server_stop(server);
	}
}

static otlog_export_result
export_answered(const char *answer, size_t padding)
{
	const raw_play play = { .read = RAW_READ_REQUEST, .answer = answer, .padding = padding };
	raw_server *server = raw_server_start(&play, 1);
	otlog_exporter exporter = open_url(raw_server_url(server));
	otlog_export_result result = export_some(exporter, LONG_MS);
	close_exporter(exporter);
	raw_server_stop(server);
	return result;
}

static void
odd_answers_have_their_verdicts(void **state)
{
	static const struct {
		const char *answer;
		size_t padding;
		otlog_verdict verdict;
		const char *error_type;
	} rows[] = {
		{ "HTTP/1.1 200 OK\r\n\r\n", 0, OTLOG_VERDICT_OK, "" }, /* its end is the connection's */
		{ "HTTP/1.1 200 OK\r\n", 0, OTLOG_VERDICT_RETRY, "connection_broken" },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: trailer\r\n\r\n", 0, OTLOG_VERDICT_OK,
		  "" },
		{ "HTTP/1.0 200\r\n\r\n", 0, OTLOG_VERDICT_OK, "" },
		{ "HTTP/1.1 204 No Content\r\n\r\n", 0, OTLOG_VERDICT_OK, "" },
		{ "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>", 1000, OTLOG_VERDICT_OK, "" },
		{ "HTTP/1.1 200 OK\r\n\r\n", 10 << 20, OTLOG_VERDICT_DROP, "too_large_answer" },
		{ "HTTP/1.1 200 OK\r\nX: ", 10 << 20, OTLOG_VERDICT_RETRY, NULL }, /* libcurl's own limit of a header */
		{ "HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\nx", 0, OTLOG_VERDICT_RETRY, "503" },
		{ "HTTP/1.1 404 Gone\r\nContent-Length: 9\r\n\r\nx", 0, OTLOG_VERDICT_DROP, "404" },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 0, OTLOG_VERDICT_RETRY, NULL },
		{ "ICY 200 OK\r\n\r\n", 0, OTLOG_VERDICT_RETRY, "wrong_protocol" },
		{ "\r\n", 0, OTLOG_VERDICT_RETRY, NULL },
		{ "SSH-2.0-OpenSSH_9.2p1\r\n", 0, OTLOG_VERDICT_RETRY, "wrong_protocol" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		otlog_export_result result = export_answered(rows[i].answer, rows[i].padding);
		if (result.verdict != rows[i].verdict ||
		    (rows[i].error_type && strcmp(result.error_type, rows[i].error_type) != 0))
			fail_msg("row %zu: verdict %d, type %s: %s", i, (int)result.verdict, result.error_type,
			         result.message);
		assert_true(result.verdict == OTLOG_VERDICT_OK || *result.error_type);
	}
}

/* ---- Compressed answers ------------------------------------------------------------------------------------------ */

static void
script_gzip(receiver *server, unsigned status, const void *body, size_t body_size)
{
	static const otlog_header headers[] = { { "Content-Type", "application/x-protobuf" },
		                                { "Content-Encoding", "gzip" } };
	receiver_script(
	    server,
	    &(receiver_reply){
		.status = status, .headers = headers, .header_count = 2, .body = body, .body_size = body_size });
}

static void
a_compressed_answer_is_read(void **state)
{
	receiver *server = receiver_start(NULL);
	otlog_exporter exporter = open_url(receiver_url(server));
	otlog__gzip gzip = { 0 };
	(void)state;
	assert_true(otlog__gzip_compress(&gzip, partial_protobuf, sizeof partial_protobuf - 1));
	script_gzip(server, 200, gzip.out.data, gzip.out.size);
	otlog_export_result result = export_some(exporter, LONG_MS);
	assert_int_equal(result.verdict, OTLOG_VERDICT_PARTIAL);
	assert_int_equal(result.rejected, 2);
	assert_string_equal(result.error_type, "partial_success");
	assert_string_equal(receiver_header(receiver_request_at(server, 0), "Accept-Encoding"), "gzip");
	close_exporter(exporter);
	receiver_stop(server);
	otlog__gzip_free(&gzip);
}

/* A success is one, however bad its compression: the peer would take the batch again each time. */
static void
a_compressed_answer_cut_at_any_byte_keeps_its_verdict(void **state)
{
	receiver *server = receiver_start(NULL);
	otlog_exporter exporter = open_url(receiver_url(server));
	otlog__gzip gzip = { 0 };
	(void)state;
	assert_true(otlog__gzip_compress(&gzip, partial_protobuf, sizeof partial_protobuf - 1));
	for (size_t size = 0; size < gzip.out.size; size++) {
		script_gzip(server, 200, gzip.out.data, size);
		otlog_verdict verdict = export_some(exporter, LONG_MS).verdict;
		assert_true(verdict == OTLOG_VERDICT_OK || verdict == OTLOG_VERDICT_PARTIAL);
		script_gzip(server, 503, gzip.out.data, size);
		assert_string_equal(export_some(exporter, LONG_MS).error_type, "503");
	}
	script_gzip(server, 200, "this is no gzip", 15);
	assert_int_equal(export_some(exporter, LONG_MS).verdict, OTLOG_VERDICT_OK);
	assert_int_equal(diagnosed_count(), 1);
	close_exporter(exporter);
	receiver_stop(server);
	otlog__gzip_free(&gzip);
}

static void
the_limit_of_4_mib_counts_what_is_decompressed(void **state)
{
	static const size_t sizes[] = { 3 << 20, 5 << 20, 64 << 20 };
	receiver *server = receiver_start(NULL);
	otlog_exporter exporter = open_url(receiver_url(server));
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		otlog__gzip gzip = { 0 };
		void *zeros = calloc(1, sizes[i]);
		assert_true(zeros && otlog__gzip_compress(&gzip, zeros, sizes[i]));
		assert_true(gzip.out.size < 512 << 10);
		script_gzip(server, 200, gzip.out.data, gzip.out.size);
		otlog_export_result result = export_some(exporter, LONG_MS);
		assert_int_equal(result.verdict, i ? OTLOG_VERDICT_DROP : OTLOG_VERDICT_OK);
		assert_string_equal(result.error_type, i ? "too_large_answer" : "");
		free(zeros);
		otlog__gzip_free(&gzip);
	}
	close_exporter(exporter);
	receiver_stop(server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_status_on_the_wire_gets_its_verdict),
		cmocka_unit_test(interim_answers_are_passed_over),
		cmocka_unit_test(what_a_server_asks_for_is_obeyed_and_said),
		cmocka_unit_test(nonsense_in_retry_after_asks_for_nothing_and_a_year_for_an_hour),
		cmocka_unit_test(nginx_throttles_and_fails_as_others_do),
		cmocka_unit_test(nginx_refuses_a_large_body_before_it_has_read_it),
		cmocka_unit_test(a_body_cut_short_by_its_sender_is_still_a_success),
		cmocka_unit_test(an_answer_that_breaks_off_is_none),
		cmocka_unit_test(odd_answers_have_their_verdicts),
		cmocka_unit_test(a_compressed_answer_is_read),
		cmocka_unit_test(a_compressed_answer_cut_at_any_byte_keeps_its_verdict),
		cmocka_unit_test(the_limit_of_4_mib_counts_what_is_decompressed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
