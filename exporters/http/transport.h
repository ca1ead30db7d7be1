/*
 * The HTTP transport that every HTTP exporter shares: one destination, one request at a time, on a connection that is
 * kept. TLS, gzip, limits and headers have their place here; what an answer means is in http_verdict.h.
 */
#ifndef OTLOG_EXPORTERS_HTTP_TRANSPORT_H
#define OTLOG_EXPORTERS_HTTP_TRANSPORT_H

#include "exporters/http/http_verdict.h"

#include <otlog/exporters.h>

typedef struct otlog__http otlog__http;

/* Everything is copied, but for the names: these must be static strings. */
typedef struct otlog__http_options {
	const char *url;
	const otlog_header *headers; /* of every request */
	size_t header_count;
	const char *content_type;
	otlog_compression compression;
	const char *ca_file; /* these three: NULL or "" for none */
	const char *client_certificate_file;
	const char *client_key_file;
	/*
	 * Sends the request on where a 307 or 308 says so, five times at most; headers, user, password and client
	 * certificate stay behind where that is another host, port or scheme. Other redirects are never followed.
	 */
	bool follow_redirects;
	otlog__peer_names names;
} otlog__http_options;

/*
 * Checks the options. Returns NULL, with one diagnostic, if the URL or a header is malformed or memory is short.
 * Headers that the transport sets itself are left out with a warning. Does not touch the network. Thread-safe.
 */
otlog__http *otlog__http_create(const otlog__http_options *options);

/*
 * A transport to the same destination, in a child that fork has made. Of `http`, which is the parent's, only what has not
 * changed since it was created is used: neither its lock nor anything of libcurl's. NULL as otlog__http_create.
 */
otlog__http *otlog__http_reopen(const otlog__http *http);

/*
 * Posts the body, unless it is over OTLOG__REQUEST_BYTES_MAX, and reads the answer, OTLOG__ANSWER_BYTES_MAX of it at most.
 * The body is sent from where it lies. Returns within timeout_ms (0: no limit). *outcome borrows from the transport until
 * the next post. One thread at a time.
 */
void otlog__http_post(otlog__http *http, const void *body, size_t body_size, uint64_t timeout_ms,
                      otlog__http_outcome *outcome);

/* otlog__http_judge with this transport's URL and names, at this moment. */
void otlog__http_conclude(const otlog__http *http, const otlog__http_outcome *outcome, const char *text,
                          otlog_export_result *result);

/* Takes our credentials out of what the peer says, which otlog__http_conclude does itself. */
void otlog__http_mask(const otlog__http *http, char *text);

/* Makes a post that is running return at once, and every later one too. Any thread; does not wait. */
void otlog__http_cancel(otlog__http *http);

/* Where the last request went, or the next one goes, without secrets, for messages. */
const char *otlog__http_url(const otlog__http *http);

/* Closes the connection and frees everything. NULL is allowed. */
void otlog__http_destroy(otlog__http *http);

#endif
