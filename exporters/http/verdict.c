#include "exporters/http/verdict.h"

#include "exporters/http/retry_after.h"

#include <curl/curl.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* In messages of 256 bytes. */
#define URL_MAX 80
#define TEXT_MAX 120

/* Which setting a remedy is about; the exporter gives its name. */
typedef enum setting { NONE, ENDPOINT, HEADERS, TIMEOUT, CA_FILE, CLIENT_CERTIFICATE, BATCH_SIZE } setting;

typedef struct remedy {
	const char *before; /* the setting's name follows */
	setting setting;
	const char *after;
} remedy;

typedef struct status_row {
	long status;
	otlog_verdict verdict;
	const char *phrase;
	remedy remedy;
} status_row;

static const status_row statuses[] = {
	{ 400, OTLOG_VERDICT_DROP, "Bad Request", { "Check that a receiver of logs listens there: ", ENDPOINT, "" } },
	{ 401, OTLOG_VERDICT_DROP, "Unauthorized", { "Set the credentials in ", HEADERS, "" } },
	{ 403, OTLOG_VERDICT_DROP, "Forbidden", { "Check the credentials in ", HEADERS, "" } },
	{ 404, OTLOG_VERDICT_DROP, "Not Found", { "Check the path in ", ENDPOINT, "" } },
	{ 405, OTLOG_VERDICT_DROP, "Method Not Allowed", { "Check the path in ", ENDPOINT, "" } },
	{ 407,
	  OTLOG_VERDICT_DROP,
	  "Proxy Authentication Required",
	  { "Set the credentials in https_proxy", NONE, "" } },
	{ 413, OTLOG_VERDICT_DROP, "Content Too Large", { "Lower ", BATCH_SIZE, " or raise the receiver's limit" } },
	{ 415, OTLOG_VERDICT_DROP, "Unsupported Media Type", { "Check the path in ", ENDPOINT, "" } },
	{ 429, OTLOG_VERDICT_RETRY, "Too Many Requests", { "Send less or give the receiver more room", NONE, "" } },
	{ 502, OTLOG_VERDICT_RETRY, "Bad Gateway", { "See what ails the server behind it", NONE, "" } },
	{ 503, OTLOG_VERDICT_RETRY, "Service Unavailable", { "See whether it is overloaded or starting", NONE, "" } },
	{ 504, OTLOG_VERDICT_RETRY, "Gateway Timeout", { "See what ails the server behind it", NONE, "" } },
};

typedef struct failure_row {
	int code;
	const char *cause; /* stands between the URL and what libcurl says */
	remedy remedy;
} failure_row;

static const remedy check_client = { "The server may want another ", CLIENT_CERTIFICATE, "" };
static const remedy check_endpoint = { "Check ", ENDPOINT, "" };

/*
 * What left the request unanswered is tried again, and so is all that went wrong before there was a connection, TLS
 * included, or made no sense: the batch is not at fault, and a certificate or a port may be put right while records wait.
 */
static const failure_row failures[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, "unknown host", { "Check the name server and ", ENDPOINT, "" } },
	{ CURLE_COULDNT_RESOLVE_PROXY, "unknown host of the proxy", { "Check http_proxy and https_proxy", NONE, "" } },
	{ CURLE_COULDNT_CONNECT, "no connection", { "Start the server or set ", ENDPOINT, "" } },
	{ CURLE_OPERATION_TIMEDOUT, "no answer in time", { "See whether it is overloaded, or raise ", TIMEOUT, "" } },
	{ CURLE_SEND_ERROR, "the connection broke while sending", { "See why the server closes it", NONE, "" } },
	{ CURLE_RECV_ERROR, "the connection broke before the answer", { "See why the server closes it", NONE, "" } },
	{ CURLE_GOT_NOTHING,
	  "the connection was closed without an answer",
	  { "See why the server closes it", NONE, "" } },
	{ CURLE_PARTIAL_FILE,
	  "the connection was closed within the answer",
	  { "See why the server closes it", NONE, "" } },
	{ CURLE_PEER_FAILED_VERIFICATION,
	  "its certificate cannot be trusted",
	  { "Set ", CA_FILE, " to the PEM file of its authority" } },
	{ CURLE_SSL_CACERT_BADFILE,
	  "trusted certificates cannot be read",
	  { "Set ", CA_FILE, " to a readable PEM file" } },
	{ CURLE_SSL_CERTPROBLEM,
	  "the client certificate cannot be used",
	  { "Check ", CLIENT_CERTIFICATE, " and its key" } },
	{ CURLE_SSL_CONNECT_ERROR,
	  "no TLS connection",
	  { "Check that the server speaks TLS, else write http:// in ", ENDPOINT, "" } },
	{ CURLE_OUT_OF_MEMORY, "memory is short", { "Give the process more memory", NONE, "" } },
	{ CURLE_UNSUPPORTED_PROTOCOL,
	  "the answer is not HTTP/1.1",
	  { "OTLP/HTTP is usually on port 4318, gRPC on 4317: check ", ENDPOINT, "" } },
	{ CURLE_WEIRD_SERVER_REPLY,
	  "the answer is not HTTP/1.1",
	  { "OTLP/HTTP is usually on port 4318, gRPC on 4317: check ", ENDPOINT, "" } },
};

static const char *
setting_name(setting setting, const otlog__http_names *names)
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

/* "cause. remedy": the cause loses its end where both do not fit. */
static void
write_message(otlog_export_result *result, const char *cause, const remedy *remedy, const otlog__http_names *names)
{
	char text[128];
	snprintf(text, sizeof text, "%s%s%s", remedy->before, setting_name(remedy->setting, names), remedy->after);
	size_t room = sizeof result->message - 1 - strlen(text) - 2;
	snprintf(result->message, sizeof result->message, "%.*s. %s", (int)room, cause, text);
}

bool
otlog__http_delivered(const otlog__http_outcome *outcome)
{
	return outcome->curl_code == CURLE_OK && !outcome->cancelled && !outcome->too_large && outcome->status >= 200 &&
	       outcome->status < 300;
}

static void
judge_redirect(const otlog__http_outcome *outcome, const char *url, const otlog__http_names *names,
               otlog_export_result *result)
{
	char cause[sizeof result->message];
	snprintf(cause, sizeof cause, "%.*s answered %ld and points to %.*s, which is not followed", URL_MAX, url,
	         outcome->status, URL_MAX, outcome->location);
	result->verdict = OTLOG_VERDICT_DROP;
	write_message(result, cause, &(remedy){ "Set ", ENDPOINT, " to where it should go" }, names);
}

/*
 * Nginx shakes hands with every client and says in a page of HTML, with status 400, what was wrong with that: not with
 * the batch, which waits until it is put right. Its pages have these titles (src/http/ngx_http_special_response.c); a
 * receiver that quotes a record in its refusal does not write them.
 */
static const status_row *
find_tls_refusal(const otlog__http_outcome *outcome)
{
	static const status_row refusals[] = {
		{ 400,
		  OTLOG_VERDICT_RETRY,
		  "No required SSL certificate was sent",
		  { "Set ", CLIENT_CERTIFICATE, " to one that it trusts" } },
		{ 400,
		  OTLOG_VERDICT_RETRY,
		  "The SSL certificate error",
		  { "It wants another ", CLIENT_CERTIFICATE,
		    ": one that has not expired, of an authority that it trusts" } },
		{ 400,
		  OTLOG_VERDICT_RETRY,
		  "The plain HTTP request was sent to HTTPS port",
		  { "Write https:// in ", ENDPOINT, "" } },
	};
	static const char html[] = "text/html";
	if (outcome->status != 400 || !outcome->body_size || !outcome->content_type ||
	    strncmp(outcome->content_type, html, sizeof html - 1) != 0)
		return NULL;
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		char title[80];
		int size = snprintf(title, sizeof title, "<title>400 %s</title>", refusals[i].phrase);
		if (memmem(outcome->body, outcome->body_size, title, (size_t)size))
			return &refusals[i];
	}
	return NULL;
}

static void
judge_status(const otlog__http_outcome *outcome, const char *url, const otlog__http_names *names, const char *text,
             int64_t now_unix_s, otlog_export_result *result)
{
	static const status_row other = { 0, OTLOG_VERDICT_DROP, "", { "See the server's log", NONE, "" } };
	const status_row *row = &other;
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
		if (statuses[i].status == outcome->status)
			row = &statuses[i];
	const status_row *refusal = find_tls_refusal(outcome);
	if (refusal)
		row = refusal;
	result->verdict = row->verdict;
	if (row->verdict == OTLOG_VERDICT_RETRY)
		result->retry_after_ms = otlog__retry_after_ms(outcome->retry_after, now_unix_s);

	bool says = text && *text;
	char cause[sizeof result->message];
	snprintf(cause, sizeof cause, "%.*s answered %ld%s%s%s%.*s%s", URL_MAX, url, outcome->status,
	         *row->phrase ? " " : "", row->phrase, says ? ": \"" : "", says ? TEXT_MAX : 0, says ? text : "",
	         says ? "\"" : "");
	write_message(result, cause, &row->remedy, names);
}

/* Nobody at the other end is by far the commonest case, so it gets its own words. */
static void
judge_refused(const char *url, const otlog__http_names *names, otlog_export_result *result)
{
	char cause[sizeof result->message];
	char start[64];
	snprintf(cause, sizeof cause, "nobody listens at %.*s: connection refused", URL_MAX, url);
	snprintf(start, sizeof start, "Start %s or set ", names->peer);
	result->verdict = OTLOG_VERDICT_RETRY;
	write_message(result, cause, &(remedy){ start, ENDPOINT, "" }, names);
}

static void
judge_failure(const otlog__http_outcome *outcome, const char *url, const otlog__http_names *names,
              otlog_export_result *result)
{
	static const failure_row other = { 0, "the exchange failed", { "Check ", ENDPOINT, "" } };
	const failure_row *row = &other;
	for (size_t i = 0; i < sizeof failures / sizeof *failures; i++)
		if (failures[i].code == outcome->curl_code)
			row = &failures[i];
	const char *says = outcome->curl_text && *outcome->curl_text ? outcome->curl_text
	                                                             : curl_easy_strerror((CURLcode)outcome->curl_code);
	if (outcome->os_error)
		says = strerror(outcome->os_error);
	char printable[TEXT_MAX];
	otlog__http_printable(says, strlen(says), printable, sizeof printable);

	char cause[sizeof result->message];
	snprintf(cause, sizeof cause, "%.*s: %s: %s", URL_MAX, url, row->cause, printable);
	result->verdict = OTLOG_VERDICT_RETRY;
	/* An alert is the server's: it speaks TLS well, but not with us. */
	bool alert = strstr(says, " alert ") != NULL;
	write_message(result, cause, alert ? &check_client : &row->remedy, names);
}

void
otlog__http_judge(const otlog__http_outcome *outcome, const char *url, const otlog__http_names *names, const char *text,
                  int64_t now_unix_s, otlog_export_result *result)
{
	*result = (otlog_export_result){ 0 };
	if (outcome->cancelled) {
		result->verdict = OTLOG_VERDICT_RETRY;
		snprintf(result->message, sizeof result->message,
		         "the attempt was cut short: the SDK is shutting down");
	} else if (outcome->too_large) {
		char cause[sizeof result->message];
		snprintf(cause, sizeof cause, "the answer of %.*s is larger than 4 MiB", URL_MAX, url);
		result->verdict = OTLOG_VERDICT_DROP;
		write_message(result, cause, &check_endpoint, names);
	} else if (otlog__http_delivered(outcome)) {
		result->verdict = OTLOG_VERDICT_OK;
	} else if (outcome->status >= 300 && outcome->status < 400 && outcome->location) {
		judge_redirect(outcome, url, names, result);
	} else if (outcome->curl_code == CURLE_OK || outcome->status >= 300) {
		/* A refusal counts, also where the connection broke in the middle of its explanation. */
		judge_status(outcome, url, names, text, now_unix_s, result);
	} else if (outcome->curl_code == CURLE_COULDNT_CONNECT && outcome->os_error == ECONNREFUSED) {
		judge_refused(url, names, result);
	} else {
		judge_failure(outcome, url, names, result);
	}
}
