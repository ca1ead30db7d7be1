#include "sdk/tool/doctor/doctor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/*
 * A problem, how it is recognised, and what is said about it. {endpoint} and the like stand for the name of a variable,
 * {host}, {port} and {proxy} for what they are.
 */
typedef struct rule {
	const char *types;    /* error types with a space behind each, of HTTP statuses and gRPC too */
	const char *words[6]; /* or one of these in a message */
	const char *what;
	const char *remedy; /* NULL: that of the library's message, which knows more */
} rule;

/* One row a line, however long: they are read across. */
/* clang-format off */
static const rule rules[] = {
	[OTLOG__DOCTOR_NONE] = { "", { NULL }, "It takes records.", "" },
	[OTLOG__DOCTOR_NAME_NOT_FOUND] = { "name_not_found ", { "unknown host:", "unknown host", "DNS resolution failed" }, "No name server knows the host {host}.", "Correct the host in {endpoint}, or see whether `getent hosts {host}` finds it on this machine." },
	[OTLOG__DOCTOR_REFUSED] = { "connection_refused ", { "onnection refused", "no such socket" }, "Nobody listens on {host}, port {port}.", "Start the receiver there, or correct host and port in {endpoint}." },
	[OTLOG__DOCTOR_NO_CONNECTION] = { "no_connection ", { "no connection", "unreachable" }, "The network does not lead to {host}, port {port}.", "See the routes and firewalls between here and there, and check {endpoint}." },
	[OTLOG__DOCTOR_TIMEOUT] = { "timeout DEADLINE_EXCEEDED ", { "no answer in time", "DEADLINE_EXCEEDED" }, "It did not answer in time.", "See whether it is overloaded or a firewall swallows packets; if it is only slow, raise {timeout} (here: --timeout)." },
	[OTLOG__DOCTOR_CLOSED] = { "connection_broken no_answer ", { "connection was closed", "connection broke", "Socket closed" }, "It closes the connection instead of answering.", NULL },
	[OTLOG__DOCTOR_NAME_MISMATCH] = { "tls_name_mismatch ", { "for another name", "certificate subject name", "does not match target host", "Peer name" }, "Its certificate is for another name than {host}.", "Write a name that the certificate has in {endpoint}, or give the server a certificate for {host}." },
	[OTLOG__DOCTOR_EXPIRED] = { "tls_expired ", { "has expired", "not yet valid", "not valid now" }, "Its certificate has expired, or is not valid yet.", "Renew the certificate of the server; if it is a new one, correct the clock of this machine." },
	[OTLOG__DOCTOR_UNTRUSTED] = { "tls_untrusted ", { "cannot be trusted", "self-signed", "self signed", "local issuer", "CERTIFICATE_VERIFY_FAILED" }, "Its certificate is of an authority that is not trusted here.", "Set {ca} to the PEM file of that authority." },
	[OTLOG__DOCTOR_TLS_FILES] = { "tls_files ", { "trusted certificates cannot be read", "client certificate cannot be used", "are PEM and belong together" }, "A certificate or key file of this side cannot be used.", NULL },
	[OTLOG__DOCTOR_CLIENT_REFUSED] = { "tls_client_refused ", { "may want another", "wants another", "SSL certificate was sent", "certificate required" }, "It wants a client certificate, or another one than it was shown.", "Set {client} and its key to a certificate that the server trusts." },
	[OTLOG__DOCTOR_TLS_FAILED] = { "tls_failed ", { "no TLS connection", "andshake" }, "No TLS connection came about.", NULL },
	[OTLOG__DOCTOR_GRPC_PORT] = { "", { "as gRPC does" }, "This port speaks gRPC, and was sent OTLP over HTTP/1.1.", "Set OTEL_EXPORTER_OTLP_PROTOCOL=grpc, or set {endpoint} to the port for OTLP/HTTP, which is usually 4318." },
	[OTLOG__DOCTOR_HTTP_PORT] = { "", { "answer is HTTP/1.1, not gRPC", "http1.x server" }, "This port speaks HTTP/1.1, and was sent gRPC.", "Set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, or set {endpoint} to the port for gRPC, which is usually 4317." },
	[OTLOG__DOCTOR_TLS_PORT] = { "", { "it wants TLS", "sent to HTTPS port", "HTTP request to an HTTPS server" }, "This port speaks TLS, and was spoken to without.", "Write https:// in {endpoint}." },
	[OTLOG__DOCTOR_PLAIN_PORT] = { "", { "does not speak TLS", "rong version number", "WRONG_VERSION_NUMBER" }, "This port does not speak TLS, and was spoken to with it.", "Write http:// in {endpoint}, or correct its port." },
	[OTLOG__DOCTOR_WRONG_PROTOCOL] = { "wrong_protocol ", { "answer is not HTTP" }, "What listens there speaks another protocol.", "Check the port in {endpoint}: OTLP/HTTP is usually on 4318, gRPC on 4317." },
	[OTLOG__DOCTOR_PROXY] = { "407 proxy_not_found proxy_refused proxy_authentication proxy_denied proxy_failed ", { "the proxy", "Proxy " }, "The way leads through the proxy {proxy}, and ends there.", "Correct {proxy_variable}, with user and password if the proxy wants them, or name {host} in no_proxy." },
	[OTLOG__DOCTOR_UNAUTHORIZED] = { "401 UNAUTHENTICATED ", { "answered 401", "UNAUTHENTICATED" }, "It wants credentials, or other ones than it was given.", "Set them in {headers}, and see whether they have expired." },
	[OTLOG__DOCTOR_FORBIDDEN] = { "403 PERMISSION_DENIED ", { "answered 403", "PERMISSION_DENIED" }, "It knows the credentials, and they do not allow this.", "Have it allow them to write logs, or set others in {headers}." },
	[OTLOG__DOCTOR_NOT_FOUND] = { "404 405 UNIMPLEMENTED NOT_FOUND ", { "answered 404", "answered 405", "UNIMPLEMENTED", "NOT_FOUND" }, "A server answers, but receives no logs at this place.", "Correct the path in {endpoint}: receivers of OTLP/HTTP usually have /v1/logs; see that they are set up for logs." },
	[OTLOG__DOCTOR_REDIRECTED] = { "301 302 303 307 308 ", { "which is not followed" }, "It has moved.", NULL },
	[OTLOG__DOCTOR_THROTTLED] = { "429 503 RESOURCE_EXHAUSTED ", { "answered 429", "answered 503", "RESOURCE_EXHAUSTED" }, "It is there, but takes nothing now.", "See whether it is overloaded, starting or out of quota; send less or give it more room. Records wait in the queue until then." },
	[OTLOG__DOCTOR_UNAVAILABLE] = { "502 504 UNAVAILABLE ", { "answered 502", "answered 504", "UNAVAILABLE" }, "What answers cannot reach a receiver behind it, or is not ready.", NULL },
	[OTLOG__DOCTOR_TOO_LARGE] = { "413 too_large_request ", { "answered 413" }, "It takes no request of even one record.", NULL },
	[OTLOG__DOCTOR_REJECTED] = { "400 415 422 INVALID_ARGUMENT partial_success ", { "answered 400", "answered 415", "answered 422", "INVALID_ARGUMENT" }, "It understood the request and refused the record.", NULL },
	[OTLOG__DOCTOR_FAILED] = { "", { NULL }, "It did not take the test record.", NULL },
};
/* clang-format on */

#define RULES (sizeof rules / sizeof *rules)

const char *
otlog__doctor_problem_word(otlog__doctor_problem problem)
{
	static const char *const words[] = {
#define OTLOG__X(name, word) [OTLOG__DOCTOR_##name] = word,
		OTLOG__DOCTOR_PROBLEMS(OTLOG__X)
#undef OTLOG__X
	};
	_Static_assert(sizeof words / sizeof *words == RULES, "one rule for each problem");
	return words[problem];
}

/* Whether the list has the word, with a space behind it. */
static bool
has_word(const char *list, const char *word)
{
	size_t size = strlen(word);
	for (const char *at = list; size && (at = strstr(at, word)); at += size)
		if ((at == list || at[-1] == ' ') && at[size] == ' ')
			return true;
	return false;
}

static otlog__doctor_problem
find_by_type(const char *type)
{
	for (size_t i = 0; i < RULES; i++)
		if (has_word(rules[i].types, type))
			return (otlog__doctor_problem)i;
	return OTLOG__DOCTOR_FAILED;
}

static otlog__doctor_problem
find_by_message(const char *message)
{
	for (size_t i = 0; i < RULES; i++)
		for (const char *const *word = rules[i].words; *word; word++)
			if (strstr(message, *word))
				return (otlog__doctor_problem)i;
	return OTLOG__DOCTOR_FAILED;
}

/* What the steps before the request say; NONE: they went well, or were not taken. */
static otlog__doctor_problem
judge_reach(const otlog__doctor_target *target, const otlog__doctor_reach *reach)
{
	const bool resolved = reach->resolve.state <= OTLOG__DOCTOR_FINE;
	const bool connected = reach->connect.state <= OTLOG__DOCTOR_FINE;
	if (resolved && connected)
		return OTLOG__DOCTOR_NONE;
	if (target->proxy_variable)
		return OTLOG__DOCTOR_PROXY;
	if (!resolved)
		return OTLOG__DOCTOR_NAME_NOT_FOUND;
	if (reach->connect.state == OTLOG__DOCTOR_TIMED_OUT)
		return OTLOG__DOCTOR_TIMEOUT;
	bool refused = reach->connect.error == ECONNREFUSED || reach->connect.error == ENOENT;
	return refused ? OTLOG__DOCTOR_REFUSED : OTLOG__DOCTOR_NO_CONNECTION;
}

bool
otlog__doctor_is_vague(otlog__doctor_problem problem)
{
	switch (problem) {
	case OTLOG__DOCTOR_TIMEOUT:
	case OTLOG__DOCTOR_CLOSED:
	case OTLOG__DOCTOR_TLS_FAILED:
	case OTLOG__DOCTOR_WRONG_PROTOCOL:
	case OTLOG__DOCTOR_UNAVAILABLE:
	case OTLOG__DOCTOR_REJECTED:
	case OTLOG__DOCTOR_FAILED:
		return true;
	default:
		return false;
	}
}

otlog__doctor_problem
otlog__doctor_judge(const otlog__doctor_target *target, const otlog__doctor_reach *reach,
                    const otlog_export_result *result)
{
	if (result->verdict == OTLOG_VERDICT_OK)
		return OTLOG__DOCTOR_NONE;
	otlog__doctor_problem by_type = find_by_type(result->error_type);
	otlog__doctor_problem by_message = find_by_message(result->message);
	otlog__doctor_problem by_reach = judge_reach(target, reach);
	if (by_reach != OTLOG__DOCTOR_NONE)
		return by_reach;
	if (target->proxy_variable && strstr(result->message, "proxy"))
		return OTLOG__DOCTOR_PROXY;
	/* The type is surer; where it covers several problems, the words tell which. */
	if (otlog__doctor_is_vague(by_type))
		return by_message != OTLOG__DOCTOR_FAILED ? by_message : by_type;
	return by_type;
}

otlog__doctor_problem
otlog__doctor_judge_speech(const otlog__doctor_target *target, otlog__doctor_problem problem,
                           otlog__doctor_speech speech)
{
	switch (speech) {
	case OTLOG__DOCTOR_TLS:
		return target->tls ? problem : OTLOG__DOCTOR_TLS_PORT;
	case OTLOG__DOCTOR_HTTP1:
		return target->tls ? OTLOG__DOCTOR_PLAIN_PORT : target->grpc ? OTLOG__DOCTOR_HTTP_PORT : problem;
	case OTLOG__DOCTOR_HTTP2:
		return target->tls ? OTLOG__DOCTOR_PLAIN_PORT : target->grpc ? problem : OTLOG__DOCTOR_GRPC_PORT;
	case OTLOG__DOCTOR_SILENCE:
	case OTLOG__DOCTOR_GIBBERISH:
		break;
	}
	return problem;
}

/* ---- Words ------------------------------------------------------------------------------------------------------- */

static void
expand(const char *text, const otlog__doctor_target *target, char *out, size_t out_size)
{
	const struct {
		const char *name;
		const char *value;
	} names[] = {
		{ "{endpoint}", target->endpoint_variable },
		{ "{headers}", target->headers_variable },
		{ "{ca}", target->ca_variable },
		{ "{client}", target->client_variable },
		{ "{timeout}", target->timeout_variable },
		{ "{host}", target->host.name },
		{ "{port}", target->host.port },
		{ "{proxy}", target->proxy.name },
		{ "{proxy_variable}", target->proxy_variable ? target->proxy_variable : "http_proxy and https_proxy" },
	};
	size_t used = 0;
	while (*text && used + 1 < out_size) {
		size_t i = 0;
		while (i < sizeof names / sizeof *names && strncmp(text, names[i].name, strlen(names[i].name)) != 0)
			i++;
		if (i == sizeof names / sizeof *names) {
			out[used++] = *text++;
			continue;
		}
		int size = snprintf(out + used, out_size - used, "%s", names[i].value ? names[i].value : "");
		used = used + (size_t)size < out_size ? used + (size_t)size : out_size - 1;
		text += strlen(names[i].name);
	}
	out[used] = '\0';
}

/* A message is "cause. remedy"; both ends may be missing. */
static void
split_message(const char *message, char *cause, size_t cause_size, char *remedy, size_t remedy_size)
{
	const char *end = NULL;
	for (const char *at = message; (at = strstr(at, ". ")); at += 2)
		end = at;
	snprintf(cause, cause_size, "%.*s", (int)(end ? (size_t)(end - message) : strlen(message)), message);
	snprintf(remedy, remedy_size, "%s%s", end ? end + 2 : "", end ? "." : "");
}

static void
add(char *out, size_t out_size, const char *text)
{
	size_t used = strlen(out);
	snprintf(out + used, out_size - used, "%s", text);
}

/* What there is to be done about a path at which nothing receives logs. */
static const char *
mend_path(const otlog__doctor_target *target, const rule *rule)
{
	if (strstr(target->endpoint, "/v1/logs/v1/logs"))
		return "Correct the path in {endpoint}: /v1/logs is put behind it, and stands there already.";
	if (target->endpoint_variable && strncmp(target->endpoint_variable, "MITO_", 5) == 0)
		return "Correct the path in {endpoint}.";
	return rule->remedy;
}

void
otlog__doctor_explain(const otlog__doctor_target *target, const otlog__doctor_reach *reach,
                      const otlog_export_result *result, otlog__doctor_problem problem, otlog__doctor_finding *finding)
{
	const rule *rule = &rules[problem];
	char remedy[sizeof finding->remedy];
	char wait[64];
	*finding = (otlog__doctor_finding){ .problem = problem };
	expand(rule->what, target, finding->what, sizeof finding->what);
	split_message(result->message, finding->detail, sizeof finding->detail, remedy, sizeof remedy);
	if (rule->remedy)
		expand(problem == OTLOG__DOCTOR_NOT_FOUND ? mend_path(target, rule) : rule->remedy, target,
		       finding->remedy, sizeof finding->remedy);
	else
		snprintf(finding->remedy, sizeof finding->remedy, "%s",
		         *remedy ? remedy : "See the log of the receiver.");
	if (problem == OTLOG__DOCTOR_NAME_NOT_FOUND && reach->resolve.state == OTLOG__DOCTOR_TIMED_OUT)
		snprintf(finding->what, sizeof finding->what, "No name server answers about %.*s.",
		         (int)sizeof finding->what - 40, target->host.name);
	if (problem == OTLOG__DOCTOR_REFUSED && *target->socket)
		snprintf(finding->what, sizeof finding->what, "Nobody listens on the socket %s.", target->socket);
	if (problem != OTLOG__DOCTOR_NONE && result->retry_after_ms) {
		snprintf(wait, sizeof wait, " It asks to wait %" PRIu64 ".%" PRIu64 " s.",
		         result->retry_after_ms / 1000, result->retry_after_ms % 1000 / 100);
		add(finding->what, sizeof finding->what, wait);
	}
}
