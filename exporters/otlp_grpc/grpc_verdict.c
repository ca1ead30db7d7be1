#include "exporters/peer/printable.h"
#include "exporters/otlp_grpc/grpc_answer.h"
#include "exporters/otlp_grpc/grpc_verdict_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In messages of 256 bytes. */
#define ENDPOINT_MAX 80
#define TEXT_MAX 120

/* What messages are made with. */
typedef struct words {
	const otlog__grpc_outcome *outcome;
	const char *endpoint;
	const char *text; /* gRPC's, or the peer's; printable */
	otlog_export_result *result;
} words;

/* "cause. remedy": the cause loses its end where both do not fit. */
static void
write_message(otlog_export_result *result, const char *cause, const char *remedy)
{
	size_t room = sizeof result->message - 1 - strlen(remedy) - 2;
	snprintf(result->message, sizeof result->message, "%.*s%s%s", (int)room, cause, *remedy ? ". " : "", remedy);
}

static void
set_error_type(otlog_export_result *result, const char *error_type)
{
	snprintf(result->error_type, sizeof result->error_type, "%s", error_type);
}

static void
judge_status(const otlog__grpc_status *row, const words *words)
{
	char cause[sizeof words->result->message];
	char number[16];
	int status = words->outcome->status;
	snprintf(number, sizeof number, "%d", status);
	words->result->verdict = row->verdict;
	set_error_type(words->result, *row->name ? row->name : number);
	snprintf(cause, sizeof cause, "%.*s: gRPC status %d%s%s%s%.*s%s", ENDPOINT_MAX, words->endpoint, status,
	         *row->name ? " " : "", row->name, *words->text ? ": \"" : "", TEXT_MAX, words->text,
	         *words->text ? "\"" : "");
	write_message(words->result, cause, row->remedy);
}

/* gRPC lists all addresses that it tried; the last one's fate is enough. */
static const char *
last_error(const char *text)
{
	static const char head[] = "last error: ";
	const char *last = strstr(text, head);
	return last ? last + sizeof head - 1 : text;
}

static const otlog__grpc_failure *
find_failure(int status, const char *text)
{
	char own_limit[32];
	snprintf(own_limit, sizeof own_limit, "vs. %d)", OTLOG__GRPC_RECEIVE_MAX);
	if (status == GRPC_STATUS_RESOURCE_EXHAUSTED && strstr(text, own_limit))
		return &otlog__grpc_answer_too_large;
	for (size_t i = 0; i < otlog__grpc_words_count; i++) {
		const otlog__grpc_words *row = &otlog__grpc_words_table[i];
		if (row->statuses >> status & 1 && strstr(text, row->words))
			return &row->failure;
	}
	return NULL;
}

static void
judge_failure(const otlog__grpc_failure *row, const words *words)
{
	char cause[sizeof words->result->message];
	words->result->verdict = row->verdict;
	set_error_type(words->result,
	               row->error_type ? row->error_type : otlog__grpc_statuses[words->outcome->status].name);
	snprintf(cause, sizeof cause, "%.*s: %.*s", ENDPOINT_MAX, words->endpoint, TEXT_MAX,
	         row->quoted ? last_error(words->text) : row->cause);
	write_message(words->result, cause, words->outcome->tls && row->remedy_tls ? row->remedy_tls : row->remedy);
}

/* The status of an HTTP server that speaks no gRPC, which stands in gRPC's words; 0: they are about something else. */
static int
find_http_status(const char *text)
{
	static const char head[] = "Received http2 header with status: ";
	if (strncmp(text, head, sizeof head - 1) != 0)
		return 0;
	int status = atoi(text + sizeof head - 1);
	return status >= 100 && status <= 999 ? status : 0;
}

static void
judge_http_status(int status, const words *words)
{
	const otlog__grpc_http_status *row = &otlog__grpc_http_statuses[otlog__grpc_http_status_count - 1];
	char cause[sizeof words->result->message];
	char number[16];
	for (size_t i = 0; i < otlog__grpc_http_status_count; i++)
		if (otlog__grpc_http_statuses[i].status == status)
			row = &otlog__grpc_http_statuses[i];
	snprintf(number, sizeof number, "%d", status);
	words->result->verdict = row->verdict;
	set_error_type(words->result, number);
	snprintf(cause, sizeof cause, "%.*s: the answer is HTTP status %d, not one of gRPC", ENDPOINT_MAX,
	         words->endpoint, status);
	write_message(words->result, cause, row->remedy);
}

void
otlog__grpc_fail(const otlog__grpc_failure *failure, const char *cause, otlog_export_result *result)
{
	result->verdict = failure->verdict;
	set_error_type(result, failure->error_type);
	write_message(result, cause ? cause : failure->cause, failure->remedy);
}

void
otlog__grpc_judge(const otlog__grpc_outcome *outcome, const char *endpoint, otlog_export_result *result)
{
	char text[512];
	const words words = { outcome, endpoint, text, result };
	*result = (otlog_export_result){ 0 };
	if (outcome->cancelled) {
		otlog__grpc_fail(&otlog__grpc_cancelled, NULL, result);
		return;
	}
	if (outcome->status == GRPC_STATUS_OK)
		return;
	uint64_t delay_ms = 0;
	bool again =
	    outcome->details && otlog__grpc_read_retry_info(outcome->details, outcome->details_size, &delay_ms);
	bool known = outcome->status > 0 && outcome->status < OTLOG__GRPC_STATUS_COUNT;
	otlog__http_printable(outcome->text, outcome->text_size, text, sizeof text);
	int http_status = find_http_status(text);
	const otlog__grpc_failure *failure = known ? find_failure(outcome->status, text) : NULL;
	if (outcome->status == GRPC_STATUS_RESOURCE_EXHAUSTED && again)
		judge_status(&otlog__grpc_throttled, &words);
	else if (http_status)
		judge_http_status(http_status, &words);
	else if (failure)
		judge_failure(failure, &words);
	else
		judge_status(known ? &otlog__grpc_statuses[outcome->status] : &otlog__grpc_other_status, &words);
	if (result->verdict == OTLOG_VERDICT_RETRY)
		result->retry_after_ms = delay_ms;
}
