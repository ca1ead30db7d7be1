/* What an OTLP/HTTP receiver answers. Pure. */
#ifndef OTLOG_EXPORTERS_OTLP_HTTP_HTTP_ANSWER_H
#define OTLOG_EXPORTERS_OTLP_HTTP_HTTP_ANSWER_H

#include "exporters/http/http_verdict.h"

typedef struct otlog__otlp_answer {
	bool foreign;      /* no ExportLogsServiceResponse: the peer may be no OTLP receiver */
	uint64_t rejected; /* records it will never take */
	char text[128];    /* its own words, printable; "" if it has none */
} otlog__otlp_answer;

/*
 * Reads a 2xx response to a request in protobuf, or in JSON: the answer has the same form. Source: OTLP specification,
 * "Full Success" and "Partial Success".
 */
void otlog__otlp_read_success(const otlog__http_outcome *outcome, otlog__otlp_answer *answer);
void otlog__otlp_read_json_success(const otlog__http_outcome *outcome, otlog__otlp_answer *answer);

/*
 * The peer's words on a refusal: the message of a google.rpc.Status (OTLP specification, "Failures"), else the first
 * line of a text. "" if there is nothing for people to read.
 */
void otlog__otlp_read_refusal(const otlog__http_outcome *outcome, char *out, size_t out_size);

#endif
