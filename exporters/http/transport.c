#include "exporters/http/transport.h"

#include "exporters/peer/fork_guard.h"
#include "exporters/http/endpoint.h"
#include "exporters/http/gzip.h"
#include "exporters/http/http_header.h"
#include "exporters/http/options.h"
#include "exporters/http/redirect.h"
#include "exporters/http/secrets.h"
#include "exporters/http/tls.h"
#include "sdk/base/buffer.h"
#include "sdk/base/clock.h"
#include "sdk/base/limits.h"
#include "sdk/base/process/diagnostics.h"
#include "sdk/base/rare/address.h"
#include "sdk/base/rare/header_rules.h"
#include "sdk/base/sigpipe.h"
#include "sdk/base/version.h"

#include <curl/curl.h>

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define RESPONSE_KEPT ((size_t)64 * 1024) /* a larger buffer is given back before the next request */
#define UPLOAD_BUFFER (1024L * 1024)      /* a whole batch in one write; only what is used becomes resident */
#define REDIRECTS_MAX 5
#define USER_AGENT "otlog/" OTLOG__VERSION " OTel-OTLP-Exporter-C/" OTLOG__VERSION

struct otlog__http {
	otlog__http_options options; /* as they were given; never changed, so that a child of fork may read them */
	pthread_mutex_t multi_lock; /* guards the pointer against threads that cancel; only its own thread changes it */
	CURLM *multi;
	CURL *easy;
	CURL *away; /* for where the last request was sent on to; NULL: it was not */
	struct curl_slist *headers;
	struct curl_slist *own_headers; /* those of the transport itself */
	otlog__endpoint endpoint;
	bool follow_redirects;
	otlog__peer_names names;
	otlog__tls *tls;
	bool undelivered; /* the last request was */
	otlog__gzip gzip;
	bool compress;
	_Atomic bool cancelled; /* writers: threads that cancel; it never goes back */

	/* The answer to the last request. */
	otlog__buffer body;
	size_t header_bytes;
	bool head_ended; /* by its empty line */
	otlog__http_noise noise;
	bool too_large;
	bool retry_after_given;
	char retry_after[64];
	otlog__endpoint location;
	otlog__endpoint target; /* of `away` */
	char error[CURL_ERROR_SIZE];
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static bool curl_ready;

/* Never undone: other parts of the program may use libcurl, and may outlive us. */
static void
init_curl(void)
{
	curl_ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

/* ---- Reading the answer ------------------------------------------------------------------------------------------ */

static void
drop_answer(otlog__http *http)
{
	http->body.size = 0;
	if (http->body.capacity > RESPONSE_KEPT)
		otlog__buffer_free(&http->body);
	http->header_bytes = 0;
	http->head_ended = false;
	http->noise = OTLOG__HTTP_NO_NOISE;
	http->too_large = false;
	http->retry_after_given = false;
	otlog__endpoint_free(&http->location);
	http->error[0] = '\0';
}

static void
forget_last(otlog__http *http)
{
	drop_answer(http);
	otlog__endpoint_free(&http->target);
	if (http->away) {
		otlog__fork_guard_enter();
		curl_easy_cleanup(http->away);
		otlog__fork_guard_leave();
	}
	http->away = NULL;
}

/* What speaks without a status line: see "HTTP/0.9" below. Sources: RFC 8446 section 5.1, RFC 9113 section 4.1. */
static otlog__http_noise
recognise(const char *data, size_t size)
{
	if (size >= 2 && data[0] == 0x15 && data[1] == 0x03) /* an alert, of whatever version */
		return OTLOG__HTTP_NOISE_TLS;
	if (size >= 9 && data[0] == 0 && data[3] == 4) /* length, SETTINGS */
		return OTLOG__HTTP_NOISE_HTTP2;
	return OTLOG__HTTP_NOISE_OTHER;
}

/* Called by libcurl with a piece of the decompressed body. Taking less than all of it ends the transfer. */
static size_t
take_body(char *data, size_t one, size_t size, void *self)
{
	otlog__http *http = self;
	(void)one; /* always 1 */
	if (http->header_bytes == 0) {
		http->noise = recognise(data, size);
		return 0;
	}
	if (http->header_bytes + http->body.size + size > OTLOG__ANSWER_BYTES_MAX) {
		http->too_large = true;
		return 0;
	}
	return otlog__buffer_append(&http->body, data, size) ? size : 0;
}

/* Called by libcurl with one header line, those of interim responses included. */
static size_t
take_header(char *line, size_t one, size_t size, void *self)
{
	static const char name[] = "Retry-After:";
	const size_t name_size = sizeof name - 1;
	otlog__http *http = self;
	(void)one;
	http->header_bytes += size;
	if (http->header_bytes > OTLOG__ANSWER_BYTES_MAX) {
		http->too_large = true;
		return 0;
	}
	if (size >= 5 && memcmp(line, "HTTP/", 5) == 0) /* those of an interim answer are forgotten */
		http->head_ended = http->retry_after_given = false;
	if (size <= 2)
		http->head_ended = true;
	if (size < name_size || strncasecmp(line, name, name_size) != 0)
		return size;
	size_t value_size = size - name_size;
	if (value_size < sizeof http->retry_after) {
		memcpy(http->retry_after, line + name_size, value_size);
		http->retry_after[value_size] = '\0';
		http->retry_after_given = true;
	}
	return size;
}

/* ---- Creating ---------------------------------------------------------------------------------------------------- */

/* Says what is wrong with header i, without its value: that may be a secret. */
static void
say_fault(otlog__header_fault fault, const otlog__http_options *options, size_t i)
{
	const otlog_header *header = &options->headers[i];
	if (fault == OTLOG__HEADER_BAD_NAME)
		otlog__diagnose_always(OTLOG__ERROR,
		                       "the name of header %zu is no HTTP header name. Nothing is exported until %s is "
		                       "corrected",
		                       i + 1, options->names.headers);
	else if (fault == OTLOG__HEADER_BAD_VALUE)
		otlog__diagnose_always(OTLOG__ERROR,
		                       "the value of header %.64s holds a line end or another control character. "
		                       "Nothing is exported until %s is corrected",
		                       header->name, options->names.headers);
	else if (fault == OTLOG__HEADER_OURS)
		otlog__diagnose_always(OTLOG__WARN,
		                       "header %.64s is left out: the exporter sets it itself. Remove it "
		                       "from %s",
		                       header->name, options->names.headers);
}

static bool
add_own_headers(struct curl_slist **list, bool compress, const otlog__http_options *options)
{
	if (!otlog__header_append(list, "Content-Type", options->content_type) ||
	    (compress && !otlog__header_append(list, "Content-Encoding", "gzip")))
		return false;
	/* Left to itself libcurl asks before it sends a large body, and waits for the answer. */
	struct curl_slist *longer = curl_slist_append(*list, "Expect:");
	if (longer)
		*list = longer;
	return longer;
}

static bool
add_headers(otlog__http *http, const otlog__http_options *options)
{
	for (size_t i = 0; i < options->header_count; i++) {
		const otlog_header *header = &options->headers[i];
		otlog__header_fault fault = otlog__http_header_check(header);
		say_fault(fault, options, i);
		if (fault == OTLOG__HEADER_OURS)
			continue;
		if (fault != OTLOG__HEADER_GOOD)
			return false;
		if (!otlog__header_append(&http->headers, header->name, header->value))
			goto no_memory;
	}
	if (add_own_headers(&http->headers, http->compress, options) &&
	    add_own_headers(&http->own_headers, http->compress, options))
		return true;
no_memory:
	otlog__diagnose_always(
	    OTLOG__ERROR, "memory is short for an HTTP exporter: nothing is exported. Give the process more memory");
	return false;
}

static void
set_protocols(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
	/* One request at a time gains nothing from HTTP/2, and some versions of libcurl fail on reused connections. */
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	/* What is not HTTP at all libcurl calls HTTP/0.9: only so it shows what came, which tells what is wrong. */
	curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 1L);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L); /* a proxy's are not the answer */
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L); /* see follow: libcurl would take the headers along */
}

static otlog__tls *
create_tls(const otlog__http_options *options)
{
	const otlog__tls_options tls = { .ca_file = options->ca_file,
		                         .client_certificate_file = options->client_certificate_file,
		                         .client_key_file = options->client_key_file,
		                         .names = options->names };
	return otlog__tls_create(&tls, otlog__monotonic_nano());
}

/* Not for programs that the host executes: one that lives on would keep the connection open. */
static curl_socket_t
open_socket(void *unused, curlsocktype purpose, struct curl_sockaddr *address)
{
	(void)unused, (void)purpose;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static bool
set_options(otlog__http *http)
{
	CURL *easy = http->easy;
	set_protocols(easy);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
#if LIBCURL_VERSION_NUM >= 0x075700
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* do not wait for a name server at the end of the time */
#endif
	if (http->endpoint.loopback)
		curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* a proxy's loopback is another one */
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, http->headers);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, http);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, http);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, http->error);
	return curl_easy_setopt(easy, CURLOPT_URL, http->endpoint.full) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_USERAGENT, USER_AGENT) == CURLE_OK && otlog__tls_apply(http->tls, easy);
}

static bool
init_handles(otlog__http *http)
{
	otlog__fork_guard_enter();
	pthread_once(&curl_once, init_curl);
	http->multi = curl_ready ? curl_multi_init() : NULL;
	http->easy = curl_ready ? curl_easy_init() : NULL;
	otlog__fork_guard_leave();
	return http->multi && http->easy;
}

otlog__http *
otlog__http_create(const otlog__http_options *options)
{
	otlog__http *http = calloc(1, sizeof *http);
	if (!http)
		goto no_memory;
	pthread_mutex_init(&http->multi_lock, NULL);
	http->names = options->names;
	http->compress = options->compression == OTLOG_COMPRESSION_GZIP;
	http->follow_redirects = options->follow_redirects;

	const char *reason = otlog__endpoint_read(options->url, &http->endpoint);
	if (reason) {
		char shown[128];
		otlog__address_show(otlog__text_of(options->url), shown, sizeof shown);
		otlog__diagnose_always(OTLOG__ERROR,
		                       "endpoint \"%s\" is no URL to send to: %s. Nothing is exported until %s is "
		                       "corrected, for example to http://localhost:4318",
		                       shown, reason, options->names.endpoint);
		goto failed;
	}
	if (!add_headers(http, options))
		goto failed;
	if (!otlog__http_options_copy(options, &http->options))
		goto no_memory;
	if (!init_handles(http))
		goto no_memory;
	http->tls = create_tls(options);
	if (!http->tls)
		goto failed;
	if (!set_options(http))
		goto no_memory;
	return http;

no_memory:
	otlog__diagnose_always(
	    OTLOG__ERROR, "memory is short for an HTTP exporter: nothing is exported. Give the process more memory");
failed:
	otlog__http_destroy(http);
	return NULL;
}

otlog__http *
otlog__http_reopen(const otlog__http *http)
{
	if (otlog__fork_guard_is_sound())
		return otlog__http_create(&http->options);
	otlog__diagnose(OTLOG__WARN,
	                "this process was forked while libcurl or OpenSSL was busy for long, and cannot use them: it "
	                "exports nothing over HTTP. Run a program in it (exec), or fork again");
	return NULL;
}

/* ---- One request ------------------------------------------------------------------------------------------------- */

static bool
is_cancelled(otlog__http *http)
{
	/* Nothing hangs on the order: the wake-up behind the store is a system call, and so is the poll before the
	 * load. */
	return atomic_load_explicit(&http->cancelled, memory_order_relaxed);
}

/* Runs the prepared request to its end, or until it is cancelled. */
static CURLcode
run(otlog__http *http, CURL *easy)
{
	CURLcode code = CURLE_OUT_OF_MEMORY;
	int running = 1;
	otlog__fork_guard_enter();
	bool added = curl_multi_add_handle(http->multi, easy) == CURLM_OK;
	while (added && !is_cancelled(http)) {
		if (curl_multi_perform(http->multi, &running) != CURLM_OK || !running)
			break;
		otlog__fork_guard_leave();
		/* libcurl wakes for its own timers, the request's time-out among them, and for otlog__http_cancel; the
		 * second is for a process that had no descriptors left for waking when the exporter was made. */
		CURLMcode polled = curl_multi_poll(http->multi, NULL, 0, 1000, NULL);
		otlog__fork_guard_enter();
		if (polled != CURLM_OK)
			break;
	}
	int left = 0;
	CURLMsg *message;
	while ((message = curl_multi_info_read(http->multi, &left)))
		if (message->msg == CURLMSG_DONE)
			code = message->data.result;
	if (added)
		curl_multi_remove_handle(http->multi, easy);
	otlog__fork_guard_leave();
	return code;
}

/* Closes the connections: they are the multi handle's. */
static bool
renew_multi(otlog__http *http)
{
	CURLM *old = http->multi;
	otlog__fork_guard_enter();
	CURLM *new = curl_multi_init();
	if (new) {
		pthread_mutex_lock(&http->multi_lock);
		http->multi = new;
		pthread_mutex_unlock(&http->multi_lock);
		curl_multi_cleanup(old);
	}
	otlog__fork_guard_leave();
	return new;
}

/* A connection goes on with the certificates that it was made with: other ones want another connection. */
static bool
follow_certificates(otlog__http *http)
{
	return !otlog__tls_refresh(http->tls, otlog__monotonic_nano(), http->undelivered) ||
	       (renew_multi(http) && otlog__tls_apply(http->tls, http->easy));
}

static void
set_timeout(CURL *easy, uint64_t timeout_ms)
{
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms < INT_MAX ? (long)timeout_ms : (long)INT_MAX);
}

static bool
prepare(otlog__http *http, const void *body, size_t body_size, uint64_t timeout_ms)
{
	if (http->compress) {
		if (!otlog__gzip_compress(&http->gzip, body, body_size))
			return false;
		body = http->gzip.out.data;
		body_size = http->gzip.out.size;
	}
	curl_easy_setopt(http->easy, CURLOPT_POSTFIELDS, body ? body : "");
	curl_easy_setopt(http->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body_size);
	set_timeout(http->easy, timeout_ms);
	return true;
}

/* The request that was run last. */
static CURL *
last_of(const otlog__http *http)
{
	return http->away ? http->away : http->easy;
}

/* Where a redirect points; without credentials, for they are not ours to print either. */
static const char *
printable_location(otlog__http *http)
{
	char *location = NULL;
	curl_easy_getinfo(last_of(http), CURLINFO_REDIRECT_URL, &location);
	return location && !otlog__endpoint_read(location, &http->location) ? http->location.display : NULL;
}

/* The same request for another place; elsewhere than at our own destination, with nothing that could be a secret. */
static bool
prepare_away(otlog__http *http, const otlog__redirect *redirect)
{
	CURL *away = curl_easy_duphandle(http->easy);
	if (!away || curl_easy_setopt(away, CURLOPT_URL, redirect->target.full) != CURLE_OK) {
		curl_easy_cleanup(away);
		return false;
	}
	if (!redirect->same_origin) {
		curl_easy_setopt(away, CURLOPT_HTTPHEADER, http->own_headers);
		otlog__tls_hide_client(away);
		curl_easy_setopt(away, CURLOPT_PROXY, redirect->target.loopback ? "" : NULL);
	}
	forget_last(http);
	http->away = away;
	http->target = redirect->target;
	return true;
}

/*
 * Prepares the request again for where the answer sends it. Only 307 and 308 want it to stay what it is (RFC 9110
 * section 15.4). False if it is not to be followed.
 */
static bool
follow(otlog__http *http, uint64_t deadline_nano)
{
	long status = 0;
	char *location = NULL;
	otlog__redirect redirect;
	curl_easy_getinfo(last_of(http), CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(last_of(http), CURLINFO_REDIRECT_URL, &location);
	if (!http->follow_redirects || (status != 307 && status != 308) || !location ||
	    !otlog__redirect_read(http->endpoint.full, location, &redirect))
		return false;
	uint64_t now = otlog__monotonic_nano();
	if (now >= deadline_nano || !prepare_away(http, &redirect)) {
		otlog__endpoint_free(&redirect.target);
		return false;
	}
	if (deadline_nano != UINT64_MAX)
		set_timeout(http->away, (deadline_nano - now) / OTLOG__NANOS_PER_MS + 1);
	return true;
}

/* Before 8.7 libcurl tells that there was a proxy only by naming it. */
static bool
failed_at_proxy(const otlog__http *http)
{
	const otlog__endpoint *to = http->away ? &http->target : &http->endpoint;
	static const char *const variables[] = { "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" };
	bool given = false;
	for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
		given = given || getenv(variables[i]);
	if (!given || to->loopback)
		return false;
	char ours[320];
	snprintf(ours, sizeof ours, "Failed to connect to %.255s port %s ", to->host, to->port);
	return strncmp(http->error, ours, strlen(ours)) != 0 || strstr(http->error, " via ");
}

static void
read_outcome(otlog__http *http, otlog__http_outcome *outcome)
{
	CURL *easy = last_of(http);
	/* An attempt that had come to its end counts as what it was. */
	outcome->cancelled = outcome->curl_code != CURLE_OK && is_cancelled(http);
	const char *certificates = otlog__tls_problem(http->tls, outcome->curl_code);
	outcome->curl_text = certificates ? certificates : http->error;
	outcome->too_large = http->too_large;
	if (outcome->curl_code == CURLE_WRITE_ERROR && !http->too_large)
		outcome->curl_code = CURLE_OUT_OF_MEMORY;
	long os_error = 0;
	if (outcome->curl_code == CURLE_COULDNT_CONNECT)
		curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_error);
	outcome->os_error = (int)os_error;
	outcome->to_proxy = outcome->curl_code == CURLE_COULDNT_CONNECT && failed_at_proxy(http);
	outcome->noise = http->noise;
	/* libcurl takes a head that breaks off behind a line for a whole one without a body. */
	if (outcome->curl_code == CURLE_OK && !http->head_ended)
		outcome->curl_code = CURLE_PARTIAL_FILE;
	curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &outcome->verify_result);
	curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &outcome->connect_status);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &outcome->status);
	char *content_type = NULL;
	curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &content_type);
	outcome->content_type = content_type;
	outcome->retry_after = http->retry_after_given ? http->retry_after : NULL;
	outcome->location = printable_location(http);
	outcome->body = http->body.data;
	outcome->body_size = http->body.size;
}

void
otlog__http_post(otlog__http *http, const void *body, size_t body_size, uint64_t timeout_ms,
                 otlog__http_outcome *outcome)
{
	*outcome = (otlog__http_outcome){ .curl_code = CURLE_OUT_OF_MEMORY, .curl_text = "" };
	sigset_t signals;
	otlog__sigpipe_hold(&signals);
	forget_last(http);
	outcome->cancelled = is_cancelled(http);
	outcome->request_too_large = body_size > OTLOG__REQUEST_BYTES_MAX;
	if (outcome->cancelled || outcome->request_too_large || !follow_certificates(http) ||
	    !prepare(http, body, body_size, timeout_ms))
		goto done;

	uint64_t deadline = timeout_ms ? otlog__deadline_nano(otlog__monotonic_nano(), timeout_ms) : UINT64_MAX;
	outcome->curl_code = run(http, http->easy);
	for (int i = 0; i < REDIRECTS_MAX && outcome->curl_code == CURLE_OK && follow(http, deadline); i++)
		outcome->curl_code = run(http, http->away);
	read_outcome(http, outcome);
	http->undelivered = !otlog__http_delivered(outcome);
done:
	otlog__sigpipe_release(&signals);
}

void
otlog__http_conclude(const otlog__http *http, const otlog__http_outcome *outcome, const char *text,
                     otlog_export_result *result)
{
	int64_t now_s = (int64_t)(otlog__unix_nano() / OTLOG__NANOS_PER_S);
	char shown[sizeof result->message] = "";
	if (text)
		snprintf(shown, sizeof shown, "%s", text);
	otlog__http_mask(http, shown);
	otlog__http_judge(outcome, otlog__http_url(http), &http->names, shown, now_s, result);
}

void
otlog__http_mask(const otlog__http *http, char *text)
{
	if (*text)
		otlog__secrets_mask(&http->options, text);
}

void
otlog__http_cancel(otlog__http *http)
{
	atomic_store_explicit(&http->cancelled, true, memory_order_relaxed);
	/* Held for no longer than it takes to exchange the pointer. A handle that comes after this one is polled only
	 * after the flag was looked at. */
	pthread_mutex_lock(&http->multi_lock);
	curl_multi_wakeup(http->multi);
	pthread_mutex_unlock(&http->multi_lock);
}

const char *
otlog__http_url(const otlog__http *http)
{
	return http->target.display ? http->target.display : http->endpoint.display;
}

void
otlog__http_destroy(otlog__http *http)
{
	if (!http)
		return;
	sigset_t signals;
	otlog__sigpipe_hold(&signals);
	forget_last(http);
	otlog__fork_guard_enter();
	curl_easy_cleanup(http->easy);
	if (http->multi)
		curl_multi_cleanup(http->multi);
	otlog__fork_guard_leave();
	otlog__sigpipe_release(&signals);
	pthread_mutex_destroy(&http->multi_lock);
	otlog__tls_free(http->tls);
	curl_slist_free_all(http->headers);
	curl_slist_free_all(http->own_headers);
	otlog__endpoint_free(&http->endpoint);
	otlog__gzip_free(&http->gzip);
	otlog__buffer_free(&http->body);
	otlog__http_options_free(&http->options);
	free(http);
}
