#include "exporters/http/http_verdict_table.h"

#include <stdio.h>

#define NONE OTLOG__HTTP_NO_SETTING
#define ENDPOINT OTLOG__HTTP_ENDPOINT
#define HEADERS OTLOG__HTTP_HEADERS
#define TIMEOUT OTLOG__HTTP_TIMEOUT
#define CA_FILE OTLOG__HTTP_CA_FILE
#define CLIENT_CERTIFICATE OTLOG__HTTP_CLIENT_CERTIFICATE
#define BATCH_SIZE OTLOG__HTTP_BATCH_SIZE

#define OK OTLOG_VERDICT_OK
#define RETRY OTLOG_VERDICT_RETRY
#define PARTIAL OTLOG_VERDICT_PARTIAL
#define DROP OTLOG_VERDICT_DROP
#define TOO_LARGE OTLOG_VERDICT_TOO_LARGE
#define INVALID OTLOG_VERDICT_INVALID

/* One row a line, however long: they are read across. */
/* clang-format off */

/* Retryable: OTLP specification, "Retryable Response Codes"; the rest of 4xx and 5xx must not be tried again. */
const otlog__http_status otlog__http_statuses[] = {
	{ 2, OK, "", "it has the batch", { "", NONE, "" } },
	{ 3, DROP, "", "it wants the batch elsewhere; only the Mito exporter follows, and only 307 and 308", { "Set ", ENDPOINT, " to where it should go" } },
	{ 400, INVALID, "Bad Request", "it cannot read something in the batch", { "Check that a receiver of logs listens there: ", ENDPOINT, "" } },
	{ 401, DROP, "Unauthorized", "it wants credentials", { "Set the credentials in ", HEADERS, "" } },
	{ 403, DROP, "Forbidden", "these credentials do not suffice", { "Check the credentials in ", HEADERS, "" } },
	{ 404, DROP, "Not Found", "there is nothing at this path", { "Check the path in ", ENDPOINT, "" } },
	{ 405, DROP, "Method Not Allowed", "nothing at this path takes a POST", { "Check the path in ", ENDPOINT, "" } },
	{ 407, DROP, "Proxy Authentication Required", "the proxy wants credentials", { "Set the credentials in http_proxy and https_proxy", NONE, "" } },
	{ 413, TOO_LARGE, "Content Too Large", "the batch is larger than it takes", { "Lower ", BATCH_SIZE, " or raise the receiver's limit" } },
	{ 415, DROP, "Unsupported Media Type", "nothing at this path takes this form of logs", { "Check the path in ", ENDPOINT, "" } },
	{ 422, INVALID, "Unprocessable Content", "it understands the batch and objects to something in it", { "See its log for which record it objects to", NONE, "" } },
	{ 429, RETRY, "Too Many Requests", "it throttles us", { "Send less or give the receiver more room", NONE, "" } },
	{ 4, DROP, "", "it will never take this batch", { "See the server's log", NONE, "" } },
	{ 502, RETRY, "Bad Gateway", "a proxy cannot reach it", { "See what ails the server behind it", NONE, "" } },
	{ 503, RETRY, "Service Unavailable", "it is overloaded, starting or stopping", { "See whether it is overloaded or starting", NONE, "" } },
	{ 504, RETRY, "Gateway Timeout", "a proxy waits for it in vain", { "See what ails the server behind it", NONE, "" } },
	{ 5, DROP, "", "it failed, and says that it would again", { "See the server's log", NONE, "" } },
	{ 0, DROP, "", "nothing that HTTP has a meaning for", { "See the server's log", NONE, "" } },
};
const size_t otlog__http_status_count = sizeof otlog__http_statuses / sizeof *otlog__http_statuses;

#define SEE_WHY { "See why the server closes it", NONE, "" }
#define PROXIES "http_proxy, https_proxy, all_proxy or no_proxy"

/*
 * What left the request unanswered is tried again, and so is all that went wrong before there was a connection, TLS
 * included, or made no sense: the batch is not at fault, and a certificate or a port may be put right while records wait.
 */
const otlog__http_failure_row otlog__http_failures[] = {
	[OTLOG__HTTP_NAME_NOT_FOUND] = { "name_not_found", RETRY, "unknown host", "no name server knows the host", { "Check the name server and ", ENDPOINT, "" } },
	[OTLOG__HTTP_CONNECTION_REFUSED] = { "connection_refused", RETRY, "connection refused", "nobody listens there", { "Start the server or set ", ENDPOINT, "" } },
	[OTLOG__HTTP_NO_CONNECTION] = { "no_connection", RETRY, "no connection", "the network does not lead there", { "Check the network, the firewall and ", ENDPOINT, "" } },
	[OTLOG__HTTP_CONNECTION_BROKEN] = { "connection_broken", RETRY, "the connection broke", "it was reset, or closed within the request or the answer", SEE_WHY },
	[OTLOG__HTTP_NO_ANSWER] = { "no_answer", RETRY, "the connection was closed without an answer", "the request went out, and nothing came back", { "See why the server closes it, or write https:// in ", ENDPOINT, " if it wants TLS" } },
	[OTLOG__HTTP_TIMED_OUT] = { "timeout", RETRY, "no answer in time", "the time of one attempt was up", { "See whether it is overloaded, or raise ", TIMEOUT, "" } },
	[OTLOG__HTTP_GRPC_PORT] = { "wrong_protocol", RETRY, "it speaks HTTP/2, as gRPC does, not HTTP/1.1", "a port of gRPC", { "OTLP/HTTP is usually on port 4318, gRPC on 4317: check ", ENDPOINT, "" } },
	[OTLOG__HTTP_TLS_PORT] = { "wrong_protocol", RETRY, "it wants TLS", "a port of TLS, spoken to without", { "Write https:// in ", ENDPOINT, "" } },
	[OTLOG__HTTP_PLAIN_PORT] = { "wrong_protocol", RETRY, "it does not speak TLS", "a port without TLS, spoken to with it", { "Write http:// in ", ENDPOINT, ", or check its port" } },
	[OTLOG__HTTP_NOT_HTTP] = { "wrong_protocol", RETRY, "the answer is not HTTP/1.1", "something else listens there", { "OTLP/HTTP is usually on port 4318, gRPC on 4317: check ", ENDPOINT, "" } },
	[OTLOG__HTTP_TLS_NAME_MISMATCH] = { "tls_name_mismatch", RETRY, "its certificate is for another name", "the certificate has not the host's name", { "Write a name that the certificate has in ", ENDPOINT, "" } },
	[OTLOG__HTTP_TLS_EXPIRED] = { "tls_expired", RETRY, "its certificate is not valid now", "expired, or not valid yet", { "Renew the server's certificate, or correct the clock of either machine", NONE, "" } },
	[OTLOG__HTTP_TLS_UNTRUSTED] = { "tls_untrusted", RETRY, "its certificate cannot be trusted", "an authority that we do not know", { "Set ", CA_FILE, " to the PEM file of its authority" } },
	[OTLOG__HTTP_TLS_CA_FILE] = { "tls_files", RETRY, "trusted certificates cannot be read", "our own file of authorities is bad", { "Set ", CA_FILE, " to a readable PEM file" } },
	[OTLOG__HTTP_TLS_CLIENT_FILES] = { "tls_files", RETRY, "the client certificate cannot be used", "our own client certificate or key is bad", { "Check ", CLIENT_CERTIFICATE, " and its key" } },
	[OTLOG__HTTP_TLS_CLIENT_REFUSED] = { "tls_client_refused", RETRY, "it broke the TLS connection off", "it wants another client certificate, or another TLS", { "The server may want another ", CLIENT_CERTIFICATE, "" } },
	[OTLOG__HTTP_TLS_FAILED] = { "tls_failed", RETRY, "no TLS connection", "the two sides found no common TLS", { "Check that the server speaks TLS, else write http:// in ", ENDPOINT, "" } },
	[OTLOG__HTTP_PROXY_NOT_FOUND] = { "proxy_not_found", RETRY, "unknown host of the proxy", "no name server knows the proxy, or it is malformed", { "Check " PROXIES, NONE, "" } },
	[OTLOG__HTTP_PROXY_REFUSED] = { "proxy_refused", RETRY, "no connection to the proxy", "nobody listens where the proxy should", { "Start the proxy, or check " PROXIES, NONE, "" } },
	[OTLOG__HTTP_PROXY_AUTHENTICATION] = { "proxy_authentication", RETRY, "the proxy wants credentials (407)", "the proxy answered CONNECT with 407", { "Set the credentials in https_proxy", NONE, "" } },
	[OTLOG__HTTP_PROXY_DENIED] = { "proxy_denied", RETRY, "the proxy does not let us through", "the proxy answered CONNECT with another refusal", { "Have the proxy allow it, or check " PROXIES, NONE, "" } },
	[OTLOG__HTTP_PROXY_FAILED] = { "proxy_failed", RETRY, "the proxy cannot be used", "what answers is no such proxy, or cannot connect", { "Check " PROXIES, NONE, "" } },
	[OTLOG__HTTP_REQUEST_TOO_LARGE] = { "too_large_request", TOO_LARGE, "a request over OTLP's limit of 64 MiB is not sent", "over 64 MiB before compression; it was not sent", { "Lower ", BATCH_SIZE, " or log smaller records" } },
	[OTLOG__HTTP_ANSWER_TOO_LARGE] = { "too_large_answer", DROP, "the answer is larger than 4 MiB", "over 4 MiB after decompression; it was not read to its end", { "Check ", ENDPOINT, "" } },
	[OTLOG__HTTP_PARTIAL_SUCCESS] = { "partial_success", PARTIAL, "it refused some records", "it has the batch but for some records", { "Correct what its words name", NONE, "" } },
	[OTLOG__HTTP_MALFORMED_BATCH] = { "malformed_batch", DROP, "the batch is malformed", "its bytes are no log records", { "See what has damaged the queue", NONE, "" } },
	[OTLOG__HTTP_OUT_OF_MEMORY] = { "out_of_memory", RETRY, "memory is short", "there was no memory for the request or the answer", { "Give the process more memory", NONE, "" } },
	[OTLOG__HTTP_CANCELLED] = { "cancelled", RETRY, "the attempt was cut short", "the SDK is shutting down", { "", NONE, "" } },
	[OTLOG__HTTP_FAILED] = { "failed", RETRY, "the exchange failed", "anything else that libcurl reports", { "Check ", ENDPOINT, "" } },
};
/* clang-format on */

const otlog__http_status *
otlog__http_status_find(long status)
{
	const otlog__http_status *found = &otlog__http_statuses[otlog__http_status_count - 1];
	for (size_t i = 0; i < otlog__http_status_count; i++) {
		const otlog__http_status *row = &otlog__http_statuses[i];
		if (row->status == status && status >= 100)
			return row;
		if (row->status == status / 100 && row->status)
			found = row;
	}
	return found;
}

static const char *
setting_name(otlog__http_setting setting, const otlog__peer_names *names)
{
	switch (setting) {
	case ENDPOINT:
		return names->endpoint;
	case HEADERS:
		return names->headers;
	case TIMEOUT:
		return names->timeout;
	case CA_FILE:
		return names->ca_file;
	case CLIENT_CERTIFICATE:
		return names->client_certificate;
	case BATCH_SIZE:
		return names->batch_size;
	case NONE:
		break;
	}
	return "";
}

void
otlog__http_remedy_text(const otlog__http_remedy *remedy, const otlog__peer_names *names, char *out, size_t out_size)
{
	snprintf(out, out_size, "%s%s%s", remedy->before, setting_name(remedy->setting, names), remedy->after);
}

void
otlog__http_fail(otlog__http_failure failure, otlog_export_result *result)
{
	const otlog__http_failure_row *row = &otlog__http_failures[failure];
	result->verdict = row->verdict;
	snprintf(result->error_type, sizeof result->error_type, "%s", row->error_type);
}
