#include "exporters/otlp_http/answer.h"

#include "proto/logs_service.pb-c.h"

#include <string.h>
#include <strings.h>

typedef Opentelemetry__Proto__Collector__Logs__V1__ExportLogsServiceResponse response_message;
typedef Opentelemetry__Proto__Collector__Logs__V1__ExportLogsPartialSuccess partial_message;

static bool
has_type(const otlog__http_outcome *outcome, const char *type)
{
	size_t size = strlen(type);
	return outcome->content_type && strncasecmp(outcome->content_type, type, size) == 0 &&
	       strchr("; \t", outcome->content_type[size]);
}

void
otlog__otlp_read_success(const otlog__http_outcome *outcome, otlog__otlp_answer *answer)
{
	*answer = (otlog__otlp_answer){ 0 };
	if (outcome->content_type && !has_type(outcome, "application/x-protobuf"))
		answer->foreign = true;
	response_message *response = opentelemetry__proto__collector__logs__v1__export_logs_service_response__unpack(
	    NULL, outcome->body_size, outcome->body);
	if (!response) {
		answer->foreign = true;
		return;
	}
	const partial_message *partial = response->partial_success;
	if (partial) {
		if (partial->rejected_log_records > 0)
			answer->rejected = (uint64_t)partial->rejected_log_records;
		otlog__http_printable(partial->error_message.data, partial->error_message.len, answer->text,
		                      sizeof answer->text);
	}
	opentelemetry__proto__collector__logs__v1__export_logs_service_response__free_unpacked(response, NULL);
}

/* google.rpc.Status has the shape of ExportLogsPartialSuccess: an integer, then the message. */
static void
read_status(const otlog__http_outcome *outcome, char *out, size_t out_size)
{
	partial_message *status = opentelemetry__proto__collector__logs__v1__export_logs_partial_success__unpack(
	    NULL, outcome->body_size, outcome->body);
	if (!status)
		return;
	otlog__http_printable(status->error_message.data, status->error_message.len, out, out_size);
	opentelemetry__proto__collector__logs__v1__export_logs_partial_success__free_unpacked(status, NULL);
}

void
otlog__otlp_read_refusal(const otlog__http_outcome *outcome, char *out, size_t out_size)
{
	out[0] = '\0';
	if (!outcome->body_size)
		return;
	if (has_type(outcome, "application/x-protobuf"))
		read_status(outcome, out, out_size);
	else if (has_type(outcome, "text/plain") || has_type(outcome, "application/json"))
		otlog__http_printable(outcome->body, outcome->body_size, out, out_size);
}
