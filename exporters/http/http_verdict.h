/* How an HTTP exchange ended, and what follows from it: a verdict, an error type, and a message. Pure. */
#ifndef OTLOG_EXPORTERS_HTTP_HTTP_VERDICT_H
#define OTLOG_EXPORTERS_HTTP_HTTP_VERDICT_H

#include "exporters/peer/names.h"
#include "exporters/peer/printable.h"

#include <otlog/exporter.h>

/* What came in the place of an HTTP/1.1 answer. */
typedef enum otlog__http_noise {
	OTLOG__HTTP_NO_NOISE,
	OTLOG__HTTP_NOISE_TLS,   /* an alert: the server was spoken to without TLS */
	OTLOG__HTTP_NOISE_HTTP2, /* a SETTINGS frame, the first word of a gRPC server */
	OTLOG__HTTP_NOISE_OTHER
} otlog__http_noise;

/* Everything is borrowed from the transport until its next request. */
typedef struct otlog__http_outcome {
	int curl_code;         /* a CURLcode */
	const char *curl_text; /* what libcurl adds to the code; may be "" */
	int os_error;          /* errno of a connection that failed; 0: unknown */
	long verify_result;    /* why TLS does not trust the peer: a number of X509_V_ERR_ */
	long connect_status;   /* of the proxy's answer to CONNECT; 0: none */
	bool to_proxy;         /* a connection that failed was one to a proxy */
	bool cancelled;
	bool request_too_large;  /* it was not sent */
	bool too_large;          /* the response went over the limit and was not read to its end */
	otlog__http_noise noise; /* with it, there is no response */
	long status;             /* of the final response; 0: none came */
	const char *retry_after; /* these headers; NULL: not given */
	const char *content_type;
	const char *location; /* absolute, without credentials */
	const uint8_t *body;  /* decompressed */
	size_t body_size;
} otlog__http_outcome;

/*
 * True if a 2xx response came in whole: the peer has the batch. It counts as such too where its body cannot be
 * decompressed: a peer that does that would do it again, and take the batch each time.
 */
bool otlog__http_delivered(const otlog__http_outcome *outcome);

/*
 * Fills *result by the tables of http_verdict_table.h. A status has itself as its error type, a failure a word. `url` is the
 * printable one; `text` is what the peer says about its refusal, from the body, or NULL.
 */
void otlog__http_judge(const otlog__http_outcome *outcome, const char *url, const otlog__peer_names *names,
                       const char *text, int64_t now_unix_s, otlog_export_result *result);

#endif
