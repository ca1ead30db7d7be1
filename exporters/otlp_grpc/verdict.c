#include "exporters/otlp_grpc/verdict.h"

#include "exporters/otlp_grpc/answer.h"

#include <grpc/status.h>

#include <stdio.h>
#include <string.h>

/* In messages of 256 bytes. */
#define ENDPOINT_MAX 80
#define TEXT_MAX 120

#define ENDPOINT "OTEL_EXPORTER_OTLP_ENDPOINT"
#define HEADERS "OTEL_EXPORTER_OTLP_HEADERS"
#define TIMEOUT "OTEL_EXPORTER_OTLP_TIMEOUT"
#define CA_FILE "OTEL_EXPORTER_OTLP_CERTIFICATE"
#define CLIENT_CERTIFICATE "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"
#define BATCH_SIZE "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE"

typedef struct status_row {
	const char *name;
	otlog_verdict verdict;
	const char *remedy;
} status_row;

/* By number. Source: OTLP specification, "Failures", the table of retryable codes. */
static const status_row statuses[] = {
	[GRPC_STATUS_OK] = { "OK", OTLOG_VERDICT_OK, "" },
	[GRPC_STATUS_CANCELLED] = { "CANCELLED", OTLOG_VERDICT_RETRY,
	                            "See in the receiver's log why it breaks calls off" },
	[GRPC_STATUS_UNKNOWN] = { "UNKNOWN", OTLOG_VERDICT_DROP, "See the receiver's log" },
	[GRPC_STATUS_INVALID_ARGUMENT] = { "INVALID_ARGUMENT", OTLOG_VERDICT_DROP,
	                                   "Check that a receiver of logs listens there: " ENDPOINT },
	[GRPC_STATUS_DEADLINE_EXCEEDED] = { "DEADLINE_EXCEEDED", OTLOG_VERDICT_RETRY,
	                                    "See whether it is overloaded, or raise " TIMEOUT },
	[GRPC_STATUS_NOT_FOUND] = { "NOT_FOUND", OTLOG_VERDICT_DROP, "Check " ENDPOINT },
	[GRPC_STATUS_ALREADY_EXISTS] = { "ALREADY_EXISTS", OTLOG_VERDICT_DROP, "See the receiver's log" },
	[GRPC_STATUS_PERMISSION_DENIED] = { "PERMISSION_DENIED", OTLOG_VERDICT_DROP,
	                                    "Check the credentials in " HEADERS },
	[GRPC_STATUS_RESOURCE_EXHAUSTED] = { "RESOURCE_EXHAUSTED", OTLOG_VERDICT_DROP,
	                                     "Lower " BATCH_SIZE " or raise the receiver's limit" },
	[GRPC_STATUS_FAILED_PRECONDITION] = { "FAILED_PRECONDITION", OTLOG_VERDICT_DROP, "See the receiver's log" },
	[GRPC_STATUS_ABORTED] = { "ABORTED", OTLOG_VERDICT_RETRY, "See the receiver's log" },
	[GRPC_STATUS_OUT_OF_RANGE] = { "OUT_OF_RANGE", OTLOG_VERDICT_RETRY, "See the receiver's log" },
	[GRPC_STATUS_UNIMPLEMENTED] = { "UNIMPLEMENTED", OTLOG_VERDICT_DROP,
	                                "Check that it receives logs over gRPC, and check " ENDPOINT },
	[GRPC_STATUS_INTERNAL] = { "INTERNAL", OTLOG_VERDICT_DROP, "See the receiver's log" },
	[GRPC_STATUS_UNAVAILABLE] = { "UNAVAILABLE", OTLOG_VERDICT_RETRY,
	                              "See whether it is overloaded or starting, and check " ENDPOINT },
	[GRPC_STATUS_DATA_LOSS] = { "DATA_LOSS", OTLOG_VERDICT_RETRY, "See the receiver's log" },
	[GRPC_STATUS_UNAUTHENTICATED] = { "UNAUTHENTICATED", OTLOG_VERDICT_DROP, "Set the credentials in " HEADERS },
};

/*
 * gRPC says UNAVAILABLE for all that goes wrong before a connection stands, and why in words alone. The first row whose
 * words are found counts; its cause takes the place of gRPC's text, NULL leaves that.
 */
typedef struct failure_row {
	const char *words;
	const char *cause;
	const char *remedy;
	const char *remedy_tls; /* instead, where TLS is spoken; NULL: the same */
} failure_row;

#define CHECK_PORT "gRPC is usually on port 4317, OTLP/HTTP on 4318: check " ENDPOINT
#define CHECK_TLS "See its log, and write https:// in " ENDPOINT " if it wants TLS"
#define CHECK_CLIENT "See its log; it may want another " CLIENT_CERTIFICATE
#define SET_CA "Set " CA_FILE " to the PEM file of its authority"
#define WRITE_HTTP "Write http:// in " ENDPOINT

static const failure_row failures[] = {
	{ "Connection refused", "connection refused: nobody listens there", "Start the collector or set " ENDPOINT,
	  NULL },
	{ "No such file or directory", "there is no such socket", "Start the collector or set " ENDPOINT, NULL },
	{ "DNS resolution failed", "unknown host", "Check the name server and " ENDPOINT, NULL },
	{ "http1.x server", "the answer is HTTP/1.1, not gRPC", CHECK_PORT, NULL },
	{ "Failed parsing HTTP/2", "the answer is not HTTP/2", CHECK_PORT, NULL },
	{ "empty address list", NULL, "Check the name server and " ENDPOINT,
	  "Check that the files of " CA_FILE ", _CLIENT_CERTIFICATE and _CLIENT_KEY are PEM and belong together" },
	{ "CERTIFICATE_VERIFY_FAILED", "its certificate cannot be trusted", SET_CA, NULL },
	{ "certificate verify failed", "its certificate cannot be trusted", SET_CA, NULL },
	{ "Peer name", "its certificate is for another name", "Check the host in " ENDPOINT, NULL },
	{ "WRONG_VERSION_NUMBER", "it does not speak TLS", WRITE_HTTP, NULL },
	{ "wrong version number", "it does not speak TLS", WRITE_HTTP, NULL },
	{ "andshake", NULL, "Check that it speaks TLS, else write http:// in " ENDPOINT, NULL },
	{ "Socket closed", "the connection was closed", CHECK_TLS, CHECK_CLIENT },
	{ "Connection reset", "the connection was closed", CHECK_TLS, CHECK_CLIENT },
};

/* "cause. remedy": the cause loses its end where both do not fit. */
static void
write_message(otlog_export_result *result, const char *cause, const char *remedy)
{
	size_t room = sizeof result->message - 1 - strlen(remedy) - 2;
	snprintf(result->message, sizeof result->message, "%.*s. %s", (int)room, cause, remedy);
}

static void
judge_status(const status_row *row, int status, const char *text, const char *endpoint, otlog_export_result *result)
{
	char cause[sizeof result->message];
	snprintf(cause, sizeof cause, "%.*s: gRPC status %d%s%s%s%.*s%s", ENDPOINT_MAX, endpoint, status,
	         *row->name ? " " : "", row->name, *text ? ": \"" : "", TEXT_MAX, text, *text ? "\"" : "");
	write_message(result, cause, row->remedy);
}

/* gRPC lists all addresses that it tried; the last one's fate is enough. */
static const char *
last_error(const char *text)
{
	static const char words[] = "last error: ";
	const char *last = strstr(text, words);
	return last ? last + sizeof words - 1 : text;
}

static void
judge_unavailable(const char *text, bool tls, const char *endpoint, otlog_export_result *result)
{
	const status_row *status = &statuses[GRPC_STATUS_UNAVAILABLE];
	const char *shown = last_error(text);
	for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
		const failure_row *row = &failures[i];
		if (!strstr(text, row->words))
			continue;
		char cause[sizeof result->message];
		snprintf(cause, sizeof cause, "%.*s: %.*s", ENDPOINT_MAX, endpoint, TEXT_MAX,
		         row->cause ? row->cause : shown);
		write_message(result, cause, tls && row->remedy_tls ? row->remedy_tls : row->remedy);
		return;
	}
	judge_status(status, GRPC_STATUS_UNAVAILABLE, shown, endpoint, result);
}

void
otlog__grpc_judge(const otlog__grpc_outcome *outcome, const char *endpoint, otlog_export_result *result)
{
	static const status_row other = { "", OTLOG_VERDICT_DROP, "See the receiver's log" };
	*result = (otlog_export_result){ 0 };
	if (outcome->cancelled) {
		result->verdict = OTLOG_VERDICT_RETRY;
		snprintf(result->message, sizeof result->message,
		         "the attempt was cut short: the SDK is shutting down. Give otlog_shutdown more time");
		return;
	}
	bool known = outcome->status >= 0 && (size_t)outcome->status < sizeof statuses / sizeof *statuses;
	const status_row *row = known ? &statuses[outcome->status] : &other;
	result->verdict = row->verdict;
	if (row->verdict == OTLOG_VERDICT_OK)
		return;

	uint64_t delay_ms = 0;
	bool again =
	    outcome->details && otlog__grpc_read_retry_info(outcome->details, outcome->details_size, &delay_ms);
	if (outcome->status == GRPC_STATUS_RESOURCE_EXHAUSTED && again) {
		static const status_row busy = { "RESOURCE_EXHAUSTED", OTLOG_VERDICT_RETRY,
			                         "Send less or give the receiver more room" };
		row = &busy;
		result->verdict = row->verdict;
	}
	if (result->verdict == OTLOG_VERDICT_RETRY)
		result->retry_after_ms = delay_ms;

	char text[512];
	otlog__grpc_printable(outcome->text, outcome->text_size, text, sizeof text);
	if (outcome->status == GRPC_STATUS_UNAVAILABLE)
		judge_unavailable(text, outcome->tls, endpoint, result);
	else
		judge_status(row, outcome->status, text, endpoint, result);
}
