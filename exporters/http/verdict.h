/* How an HTTP exchange ended, and what follows from it: OK, RETRY or DROP, with a message. Pure. */
#ifndef OTLOG_EXPORTERS_HTTP_VERDICT_H
#define OTLOG_EXPORTERS_HTTP_VERDICT_H

#include "exporters/http/printable.h"

#include <otlog/exporter.h>

/* What messages call the peer and the settings that may be wrong, so that every exporter names its own. */
typedef struct otlog__http_names {
	const char *peer; /* "the collector" */
	const char *endpoint;
	const char *headers;
	const char *timeout;
	const char *ca_file;
	const char *client_certificate;
	const char *client_key;
	const char *batch_size;
} otlog__http_names;

/* Everything is borrowed from the transport until its next request. */
typedef struct otlog__http_outcome {
	int curl_code;         /* a CURLcode */
	const char *curl_text; /* what libcurl adds to the code; may be "" */
	int os_error;          /* errno of a connection that failed; 0: unknown */
	bool cancelled;
	bool too_large;          /* the response went over the limit and was not read to its end */
	long status;             /* of the final response; 0: none came */
	const char *retry_after; /* these headers; NULL: not given */
	const char *content_type;
	const char *location; /* absolute, without credentials */
	const uint8_t *body;
	size_t body_size;
} otlog__http_outcome;

/* True if a 2xx response came in whole: the peer has the batch. */
bool otlog__http_delivered(const otlog__http_outcome *outcome);

/*
 * Fills *result. Retryable are the statuses 429, 502, 503, 504 (OTLP specification, "Retryable Response Codes") and
 * everything that left the request without an answer. `url` is the printable one; `text` is what the peer says about
 * its refusal, from the body, or NULL.
 */
void otlog__http_judge(const otlog__http_outcome *outcome, const char *url, const otlog__http_names *names,
                       const char *text, int64_t now_unix_s, otlog_export_result *result);

#endif
