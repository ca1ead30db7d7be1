#include "exporters/otlp_http/http_answer.h"

#include "exporters/json/json_reader.h"
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
	*answer = (otlog__otlp_answer){ .foreign = outcome->curl_code != 0 };
	if (answer->foreign)
		return;
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

static void
read_json_partial(otlog_slice value, otlog__otlp_answer *answer)
{
	otlog_slice name, member;
	otlog__json_object partial = otlog__json_object_of(value.data, value.size);
	while (otlog__json_next_member(&partial, &name, &member)) {
		int64_t rejected = 0;
		char text[sizeof answer->text];
		if (otlog_slice_is(name, "rejectedLogRecords")) {
			if (!otlog__json_read_int64(member, &rejected))
				answer->foreign = true;
			answer->rejected = rejected > 0 ? (uint64_t)rejected : 0;
		} else if (otlog_slice_is(name, "errorMessage") && otlog__json_read_string(member, text, sizeof text)) {
			otlog__http_printable(text, strlen(text), answer->text, sizeof answer->text);
		}
	}
	answer->foreign |= partial.malformed;
}

void
otlog__otlp_read_json_success(const otlog__http_outcome *outcome, otlog__otlp_answer *answer)
{
	*answer = (otlog__otlp_answer){ .foreign = outcome->curl_code != 0 };
	if (answer->foreign)
		return;
	if (outcome->content_type && !has_type(outcome, "application/json"))
		answer->foreign = true;
	if (!outcome->body_size) /* no JSON, but said often enough, for example with status 204 */
		return;
	otlog_slice name, member;
	otlog__json_object response = otlog__json_object_of(outcome->body, outcome->body_size);
	while (otlog__json_next_member(&response, &name, &member))
		if (otlog_slice_is(name, "partialSuccess") && !otlog_slice_is(member, "null"))
			read_json_partial(member, answer);
	answer->foreign |= response.malformed;
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

/* The message of a google.rpc.Status in JSON, if it is one. */
static void
read_json_status(const otlog__http_outcome *outcome, char *out, size_t out_size)
{
	otlog_slice name, member;
	otlog__json_object status = otlog__json_object_of(outcome->body, outcome->body_size);
	while (otlog__json_next_member(&status, &name, &member)) {
		char text[256];
		if (otlog_slice_is(name, "message") && otlog__json_read_string(member, text, sizeof text))
			otlog__http_printable(text, strlen(text), out, out_size);
	}
}

void
otlog__otlp_read_refusal(const otlog__http_outcome *outcome, char *out, size_t out_size)
{
	out[0] = '\0';
	if (!outcome->body_size)
		return;
	if (has_type(outcome, "application/x-protobuf"))
		read_status(outcome, out, out_size);
	else if (has_type(outcome, "application/json"))
		read_json_status(outcome, out, out_size);
	if (!*out && (has_type(outcome, "text/plain") || has_type(outcome, "application/json")))
		otlog__http_printable(outcome->body, outcome->body_size, out, out_size);
}
