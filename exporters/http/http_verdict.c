#include "exporters/http/http_verdict_table.h"

#include "exporters/http/retry_after.h"

#include <curl/curl.h>
#include <openssl/x509_vfy.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* In messages of 256 bytes. */
#define URL_MAX 80
#define TEXT_MAX 120

/* What messages are made with. */
typedef struct words {
	const char *url;
	const otlog__peer_names *names;
	otlog_export_result *result;
} words;

/* "cause. remedy": the cause loses its end where both do not fit. */
static void
write_message(const words *words, const char *cause, const otlog__http_remedy *remedy)
{
	otlog_export_result *result = words->result;
	char text[160];
	otlog__http_remedy_text(remedy, words->names, text, sizeof text);
	size_t room = sizeof result->message - 1 - strlen(text) - 2;
	snprintf(result->message, sizeof result->message, "%.*s. %s", (int)room, cause, text);
}

bool
otlog__http_delivered(const otlog__http_outcome *outcome)
{
	bool whole = outcome->curl_code == CURLE_OK || outcome->curl_code == CURLE_BAD_CONTENT_ENCODING;
	return whole && !outcome->cancelled && !outcome->too_large && !outcome->request_too_large && !outcome->noise &&
	       outcome->status >= 200 && outcome->status < 300;
}

/* ---- Answers ----------------------------------------------------------------------------------------------------- */

/*
 * Servers that were spoken to without TLS, or shown no certificate that they like, say so with status 400: that is not
 * the batch's fault, which waits until it is put right.
 */
typedef struct tls_refusal {
	const char *text;
	otlog__http_failure failure;
	otlog__http_remedy remedy;
} tls_refusal;

/*
 * Titles of nginx's pages of HTML (src/http/ngx_http_special_response.c); a receiver that quotes a record in its refusal
 * does not write them.
 */
static const tls_refusal of_nginx[] = {
	{ "No required SSL certificate was sent",
	  OTLOG__HTTP_TLS_CLIENT_REFUSED,
	  { "Set ", OTLOG__HTTP_CLIENT_CERTIFICATE, " to one that it trusts" } },
	{ "The SSL certificate error",
	  OTLOG__HTTP_TLS_CLIENT_REFUSED,
	  { "It wants another ", OTLOG__HTTP_CLIENT_CERTIFICATE,
	    ": one that has not expired, of an authority that it trusts" } },
	{ "The plain HTTP request was sent to HTTPS port",
	  OTLOG__HTTP_TLS_PORT,
	  { "Write https:// in ", OTLOG__HTTP_ENDPOINT, "" } },
};

/* The whole body of servers in Go, such as the Collector (net/http/server.go, "badRequestError"). */
static const tls_refusal of_go = { "Client sent an HTTP request to an HTTPS server",
	                           OTLOG__HTTP_TLS_PORT,
	                           { "Write https:// in ", OTLOG__HTTP_ENDPOINT, "" } };

static const tls_refusal *
find_tls_refusal(const otlog__http_outcome *outcome)
{
	static const char html[] = "text/html";
	char wanted[80];
	if (outcome->status != 400 || !outcome->body_size)
		return NULL;
	int size = snprintf(wanted, sizeof wanted, "%s.\n", of_go.text);
	if (outcome->body_size == (size_t)size && memcmp(outcome->body, wanted, (size_t)size) == 0)
		return &of_go;
	if (!outcome->content_type || strncmp(outcome->content_type, html, sizeof html - 1) != 0)
		return NULL;
	for (size_t i = 0; i < sizeof of_nginx / sizeof *of_nginx; i++) {
		size = snprintf(wanted, sizeof wanted, "<title>400 %s</title>", of_nginx[i].text);
		if (memmem(outcome->body, outcome->body_size, wanted, (size_t)size))
			return &of_nginx[i];
	}
	return NULL;
}

static void
judge_tls_refusal(const tls_refusal *refusal, const words *words)
{
	char cause[sizeof words->result->message];
	otlog__http_fail(refusal->failure, words->result);
	snprintf(cause, sizeof cause, "%.*s answered 400 %s", URL_MAX, words->url, refusal->text);
	write_message(words, cause, &refusal->remedy);
}

static void
judge_redirect(const otlog__http_outcome *outcome, const otlog__http_remedy *remedy, const words *words)
{
	char cause[sizeof words->result->message];
	snprintf(cause, sizeof cause, "%.*s answered %ld and points to %.*s, which is not followed", URL_MAX,
	         words->url, outcome->status, URL_MAX, outcome->location);
	write_message(words, cause, remedy);
}

static void
judge_status(const otlog__http_outcome *outcome, const char *text, int64_t now_unix_s, const words *words)
{
	otlog_export_result *result = words->result;
	const otlog__http_status *row = otlog__http_status_find(outcome->status);
	result->verdict = row->verdict;
	snprintf(result->error_type, sizeof result->error_type, "%ld", outcome->status);
	if (row->verdict == OTLOG_VERDICT_RETRY)
		result->retry_after_ms = otlog__retry_after_ms(outcome->retry_after, now_unix_s);
	if (row->status == 3 && outcome->location) {
		judge_redirect(outcome, &row->remedy, words);
		return;
	}
	char wish[64] = "";
	if (result->retry_after_ms)
		snprintf(wish, sizeof wish, " and asks to wait %" PRIu64 " s", (result->retry_after_ms + 999) / 1000);
	bool says = text && *text;
	char cause[sizeof result->message];
	snprintf(cause, sizeof cause, "%.*s answered %ld%s%s%s%s%.*s%s", URL_MAX, words->url, outcome->status,
	         *row->phrase ? " " : "", row->phrase, wish, says ? ": \"" : "", says ? TEXT_MAX : 0, says ? text : "",
	         says ? "\"" : "");
	/* A redirect to nowhere is put right by nobody but the server. */
	write_message(words, cause, row->status == 3 ? &otlog__http_status_find(0)->remedy : &row->remedy);
}

/* ---- Failures ---------------------------------------------------------------------------------------------------- */

static otlog__http_failure
classify_verification(const otlog__http_outcome *outcome)
{
	switch (outcome->verify_result) {
	case X509_V_OK: /* OpenSSL trusts it; libcurl, which looks at the name itself, does not */
	case X509_V_ERR_UNSPECIFIED:
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return OTLOG__HTTP_TLS_NAME_MISMATCH;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return OTLOG__HTTP_TLS_EXPIRED;
	default:
		return OTLOG__HTTP_TLS_UNTRUSTED;
	}
}

static otlog__http_failure
classify_connection(const otlog__http_outcome *outcome)
{
	if (outcome->to_proxy)
		return OTLOG__HTTP_PROXY_REFUSED;
	return outcome->os_error == ECONNREFUSED ? OTLOG__HTTP_CONNECTION_REFUSED : OTLOG__HTTP_NO_CONNECTION;
}

static otlog__http_failure
classify_code(const otlog__http_outcome *outcome)
{
	switch (outcome->curl_code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return OTLOG__HTTP_NAME_NOT_FOUND;
	case CURLE_COULDNT_RESOLVE_PROXY:
		return OTLOG__HTTP_PROXY_NOT_FOUND;
	case CURLE_PROXY:
		return OTLOG__HTTP_PROXY_FAILED;
	case CURLE_COULDNT_CONNECT:
		return classify_connection(outcome);
	case CURLE_OPERATION_TIMEDOUT:
		return OTLOG__HTTP_TIMED_OUT;
	case CURLE_GOT_NOTHING:
		return OTLOG__HTTP_NO_ANSWER;
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_PARTIAL_FILE:
		return OTLOG__HTTP_CONNECTION_BROKEN;
	case CURLE_PEER_FAILED_VERIFICATION:
		return classify_verification(outcome);
	case CURLE_SSL_CACERT_BADFILE:
		return OTLOG__HTTP_TLS_CA_FILE;
	case CURLE_SSL_CERTPROBLEM:
		return OTLOG__HTTP_TLS_CLIENT_FILES;
	case CURLE_SSL_CONNECT_ERROR:
		return OTLOG__HTTP_TLS_FAILED;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		return OTLOG__HTTP_NOT_HTTP;
	case CURLE_OUT_OF_MEMORY:
		return OTLOG__HTTP_OUT_OF_MEMORY;
	default:
		return OTLOG__HTTP_FAILED;
	}
}

/* Where libcurl's code is one for several things, its text tells them apart: the words are OpenSSL's. */
static otlog__http_failure
classify(const otlog__http_outcome *outcome, const char *says)
{
	static const otlog__http_failure of_noise[] = { [OTLOG__HTTP_NOISE_TLS] = OTLOG__HTTP_TLS_PORT,
		                                        [OTLOG__HTTP_NOISE_HTTP2] = OTLOG__HTTP_GRPC_PORT,
		                                        [OTLOG__HTTP_NOISE_OTHER] = OTLOG__HTTP_NOT_HTTP };
	if (outcome->cancelled)
		return OTLOG__HTTP_CANCELLED;
	if (outcome->request_too_large)
		return OTLOG__HTTP_REQUEST_TOO_LARGE;
	if (outcome->too_large)
		return OTLOG__HTTP_ANSWER_TOO_LARGE;
	if (outcome->noise)
		return of_noise[outcome->noise];
	if (outcome->connect_status >= 300)
		return outcome->connect_status == 407 ? OTLOG__HTTP_PROXY_AUTHENTICATION : OTLOG__HTTP_PROXY_DENIED;
	/* An alert is the server's: it speaks TLS well, but not with us. */
	if (strstr(says, " alert "))
		return OTLOG__HTTP_TLS_CLIENT_REFUSED;
	if (outcome->curl_code == CURLE_SSL_CONNECT_ERROR &&
	    (strstr(says, "wrong version number") || strstr(says, "packet length too long")))
		return OTLOG__HTTP_PLAIN_PORT;
	return classify_code(outcome);
}

/* Printable, and without what may be a secret: libcurl quotes a malformed proxy whole. */
static void
quote_curl(const otlog__http_outcome *outcome, char out[TEXT_MAX])
{
	const char *says = outcome->curl_text;
	if (!says || !*says || strstr(says, "://") || strchr(says, '@'))
		says = curl_easy_strerror((CURLcode)outcome->curl_code);
	if (outcome->os_error)
		says = strerror(outcome->os_error);
	otlog__http_printable(says, strlen(says), out, TEXT_MAX);
}

static void
judge_failure(const otlog__http_outcome *outcome, const words *words)
{
	char says[TEXT_MAX];
	quote_curl(outcome, says);
	otlog__http_failure failure = classify(outcome, says);
	const otlog__http_failure_row *row = &otlog__http_failures[failure];
	otlog__http_fail(failure, words->result);

	char cause[sizeof words->result->message];
	bool own = outcome->noise || outcome->too_large || outcome->request_too_large;
	snprintf(cause, sizeof cause, "%.*s: %s%s%s", URL_MAX, words->url, row->cause, own ? "" : ": ",
	         own ? "" : says);
	if (failure == OTLOG__HTTP_CANCELLED) {
		snprintf(words->result->message, sizeof words->result->message,
		         "the attempt was cut short: the SDK is shutting down. Give otlog_shutdown more time");
	} else if (failure == OTLOG__HTTP_CONNECTION_REFUSED) {
		/* By far the commonest, so it gets its own words. */
		char start[64];
		snprintf(cause, sizeof cause, "nobody listens at %.*s: connection refused", URL_MAX, words->url);
		snprintf(start, sizeof start, "Start %s or set ", words->names->peer);
		write_message(words, cause, &(otlog__http_remedy){ start, OTLOG__HTTP_ENDPOINT, "" });
	} else if (failure == OTLOG__HTTP_NO_ANSWER && strncmp(words->url, "https:", 6) == 0) {
		write_message(words, cause, &otlog__http_failures[OTLOG__HTTP_CONNECTION_BROKEN].remedy);
	} else {
		write_message(words, cause, &row->remedy);
	}
}

void
otlog__http_judge(const otlog__http_outcome *outcome, const char *url, const otlog__peer_names *names, const char *text,
                  int64_t now_unix_s, otlog_export_result *result)
{
	const words words = { url, names, result };
	const tls_refusal *refusal;
	*result = (otlog_export_result){ 0 };
	bool ours = outcome->cancelled || outcome->request_too_large || outcome->too_large || outcome->noise;
	if (otlog__http_delivered(outcome))
		result->verdict = OTLOG_VERDICT_OK;
	else if (!ours && (refusal = find_tls_refusal(outcome)))
		judge_tls_refusal(refusal, &words);
	else if (!ours && (outcome->curl_code == CURLE_OK || outcome->status >= 300))
		/* A refusal counts, also where the connection broke in the middle of its explanation. */
		judge_status(outcome, text, now_unix_s, &words);
	else
		judge_failure(outcome, &words);
}
