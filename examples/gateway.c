/*
 * A small AI gateway that logs Bonito entries. It checks the caller's key, picks a provider for the model, pretends to
 * ask it (no network), and answers. Every entry of a request bears the trace of its `traceparent` header.
 *
 *   gateway [--port N] [--port-file FILE] [--emitted FILE]
 *
 *   curl localhost:8080/v1/chat/completions -H 'authorization: Bearer demo-ana' \
 *        -H 'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' -d '{"model":"gpt-4o"}'
 *
 * Where the entries go is for the environment to say (OTEL_EXPORTER_OTLP_ENDPOINT). SIGTERM ends it; the exit status is
 * 0 only if every entry was delivered.
 */
#include "serve.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <otlog/otlog.h>
#include <stdatomic.h>
#include <strings.h>
#include <time.h>

#define ORGANISATION "5f0f4c1e-7b1c-4f0a-9a55-0a4f0f6b8d21"

typedef struct gateway {
	otlog_logger *log;
	FILE *emitted; /* NULL, or where each accepted entry is noted as `<event name> <time>` */
	_Atomic uint64_t last_time;
	_Atomic unsigned long long requests;
	_Atomic unsigned long long entries;
	_Atomic unsigned long long refused;
} gateway;

/* One request on its way through. */
typedef struct exchange {
	gateway *self;
	const serve_request *request;
	const char *user_id;
	char model[64];
	int64_t input_tokens;
	uint64_t started;
} exchange;

static const struct {
	const char *key;
	const char *user_id;
} users[] = {
	{ "demo-ana", "c3a1b7de-2f5e-4d9b-8c3a-77b9e0f4a610" },
	{ "demo-ben", "41c7d7a2-58f9-4f0e-a0a5-f2b8f9f8c0d1" },
};

typedef enum mood { HEALTHY, TIMES_OUT, OVERLOADED } mood;

/* Which provider has which model, the preferred one first, and how it behaves today. */
typedef struct route {
	const char *model;
	const char *provider;
	mood mood;
	long latency_ms;
	double cost_per_token; /* USD */
} route;

static const route routes[] = {
	{ "gpt-4o", "openai", HEALTHY, 12, 0.00003 },
	{ "claude-sonnet", "anthropic", TIMES_OUT, 40, 0.00002 },
	{ "claude-sonnet", "aws.bedrock", HEALTHY, 18, 0.000022 },
	{ "llama-3-70b", "groq", OVERLOADED, 1, 0.000001 },
	{ "mistral-large", "mistral_ai", TIMES_OUT, 30, 0.00001 },
};
#define ROUTES (sizeof routes / sizeof *routes)

/* Now, but never the same twice: the event name and the time tell the entries of this program apart. */
static uint64_t
unique_time(gateway *self)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	uint64_t time = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	uint64_t last = atomic_load(&self->last_time);

	do {
		if (time <= last)
			time = last + 1;
	} while (!atomic_compare_exchange_weak(&self->last_time, &last, time));
	return time;
}

static void
note(gateway *self, const char *event, uint64_t time, otlog_emit_result result)
{
	if (result != OTLOG_EMIT_ACCEPTED) {
		atomic_fetch_add(&self->refused, 1);
		fprintf(stderr, "gateway: %s: %s\n", event, otlog_emit_result_text(result));
		return;
	}
	atomic_fetch_add(&self->entries, 1);
	if (self->emitted)
		fprintf(self->emitted, "%s %llu\n", event, (unsigned long long)time);
}

static int64_t
elapsed_ms(const exchange *call)
{
	return (int64_t)((unique_time(call->self) - call->started) / 1000000u);
}

/* Which user the key belongs to: NULL and an entry of its own if there is none. */
static const char *
authenticate(const exchange *call)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(call->request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const char *header = serve_header(call->request, "Authorization");
	char address[INET_ADDRSTRLEN] = "";
	const char *user_id = NULL;
	uint64_t time = unique_time(call->self);

	if (info && info->client_addr->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)info->client_addr)->sin_addr, address, sizeof address);
	for (size_t i = 0; header && i < sizeof users / sizeof *users; i++)
		if (!strncasecmp(header, "Bearer ", 7) && !strcmp(header + 7, users[i].key))
			user_id = users[i].user_id;

	bonito_auth_event event = {
		.org_id = ORGANISATION,
		.event_type = user_id ? BONITO_EVENT_AUTH_LOGIN : BONITO_EVENT_AUTH_FAILED_AUTH,
		.timestamp_unix_nano = time,
		.user_id = user_id,
		.ip_address = address,
		.outcome = user_id ? BONITO_OUTCOME_SUCCESS : BONITO_OUTCOME_FAILURE,
		.reason = user_id  ? NULL
		          : header ? "unknown key"
		                   : "no key",
		.message = user_id ? "API key accepted" : "API key refused",
	};
	note(call->self, user_id ? "bonito.auth.login" : "bonito.auth.failed_auth", time,
	     bonito_log_auth_event(call->self->log, &event));
	return user_id;
}

/* A provider did not answer; `next` is asked instead, if there is one. */
static void
log_timeout(const exchange *call, const route *asked, const route *next)
{
	uint64_t time = unique_time(call->self);
	bonito_entry entry = {
		.org_id = ORGANISATION,
		.log_type = BONITO_LOG_GATEWAY,
		.event_type = next ? BONITO_EVENT_GATEWAY_PROVIDER_FAILOVER : BONITO_EVENT_GATEWAY_ERROR,
		.severity = next ? BONITO_SEVERITY_WARN : BONITO_SEVERITY_ERROR,
		.timestamp_unix_nano = time,
		.user_id = call->user_id,
		.resource_type = "model",
		.action = "execute",
		.duration_ms = OTLOG_OPT(elapsed_ms(call)),
		.message = next ? "Failed over to another provider" : "No provider answered",
		.metadata =
		    OTLOG_ATTRS(OTLOG_KV("model", asked->model), OTLOG_KV("provider", asked->provider),
		                OTLOG_KV("reason", "timeout"), OTLOG_KV("next_provider", next ? next->provider : NULL)),
	};
	entry.metadata.count -= !next; /* no next_provider then */
	note(call->self, next ? "bonito.gateway.provider_failover" : "bonito.gateway.error", time,
	     bonito_emit(call->self->log, &entry));
}

/* How a request ended that a provider, or none, has answered. */
static void
log_request(const exchange *call, const char *event_type, const char *provider, const char *status,
            int64_t output_tokens, double cost)
{
	uint64_t time = unique_time(call->self);
	char event[64];
	bonito_gateway_request request = {
		.org_id = ORGANISATION,
		.event_type = event_type,
		.timestamp_unix_nano = time,
		.user_id = call->user_id,
		.model = call->model,
		.provider = provider,
		.status = status,
		.input_tokens = OTLOG_OPT(call->input_tokens),
		.output_tokens = OTLOG_OPT(output_tokens),
		.duration_ms = OTLOG_OPT(elapsed_ms(call)),
		.cost = OTLOG_OPT(cost),
		.message = output_tokens ? "Completed chat completion request" : "Chat completion request failed",
	};

	snprintf(event, sizeof event, "bonito.gateway.%s", event_type);
	note(call->self, event, time, bonito_log_gateway_request(call->self->log, &request));
}

static enum MHD_Result
fail(const exchange *call, unsigned status, const char *reason)
{
	char text[128];
	snprintf(text, sizeof text, "{\"error\":{\"code\":%u,\"message\":\"%s\"}}\n", status, reason);
	return serve_answer(call->request, status, "application/json", text);
}

static enum MHD_Result
complete(const exchange *call, const route *route)
{
	int64_t output_tokens = 42;
	char text[512];

	log_request(call, BONITO_EVENT_GATEWAY_REQUEST, route->provider, "success", output_tokens,
	            (double)(call->input_tokens + output_tokens) * route->cost_per_token);
	snprintf(text, sizeof text,
	         "{\"object\":\"chat.completion\",\"model\":\"%s\",\"provider\":\"%s\",\"choices\":[{\"index\":0,"
	         "\"message\":{\"role\":\"assistant\",\"content\":\"Hello from %s.\"},\"finish_reason\":\"stop\"}],"
	         "\"usage\":{\"prompt_tokens\":%lld,\"completion_tokens\":%lld}}\n",
	         route->model, route->provider, route->provider, (long long)call->input_tokens,
	         (long long)output_tokens);
	return serve_answer(call->request, MHD_HTTP_OK, "application/json", text);
}

/* Asks one provider after the other. */
static enum MHD_Result
dispatch(const exchange *call)
{
	for (size_t i = 0; i < ROUTES; i++) {
		const route *asked = &routes[i];
		if (strcmp(asked->model, call->model))
			continue;
		nanosleep(&(struct timespec){ .tv_nsec = asked->latency_ms * 1000000 }, NULL);
		if (asked->mood == HEALTHY)
			return complete(call, asked);
		if (asked->mood == OVERLOADED) {
			log_request(call, BONITO_EVENT_GATEWAY_RATE_LIMIT, asked->provider, "rate_limited", 0, 0);
			return fail(call, MHD_HTTP_TOO_MANY_REQUESTS, "the provider is overloaded");
		}
		const route *next = i + 1 < ROUTES && !strcmp(routes[i + 1].model, call->model) ? asked + 1 : NULL;
		log_timeout(call, asked, next);
		if (!next)
			return fail(call, MHD_HTTP_BAD_GATEWAY, "no provider answered");
	}
	log_request(call, BONITO_EVENT_GATEWAY_ERROR, NULL, "unknown_model", 0, 0);
	return fail(call, MHD_HTTP_BAD_REQUEST, "unknown model");
}

static enum MHD_Result
on_request(void *user, const serve_request *request)
{
	gateway *self = user;
	exchange call = { .self = self, .request = request, .started = unique_time(self) };
	const char *body = request->body.data ? (const char *)request->body.data : "";
	const char *model = strstr(body, "\"model\""); /* a real service parses its JSON */

	if (strcmp(request->url, "/v1/chat/completions") || strcmp(request->method, "POST"))
		return fail(&call, MHD_HTTP_NOT_FOUND, "POST /v1/chat/completions is all there is");
	atomic_fetch_add(&self->requests, 1);
	if (model)
		sscanf(model, "\"model\" : \"%63[^\"\\]", call.model);
	call.input_tokens = (int64_t)request->body.size / 4;

	otlog_context_token token = otlog_context_attach_traceparent(serve_header(request, "traceparent"));
	call.user_id = authenticate(&call);
	enum MHD_Result result = call.user_id ? dispatch(&call) : fail(&call, MHD_HTTP_UNAUTHORIZED, "unknown key");
	otlog_context_detach(token);
	return result;
}

int
main(int argc, char **argv)
{
	static const struct option names[] = {
		{ "port", required_argument, NULL, 'p' },
		{ "port-file", required_argument, NULL, 'f' },
		{ "emitted", required_argument, NULL, 'e' },
		{ 0 },
	};
	gateway self = { 0 };
	serve_options options = {
		.program = "gateway", .port = 8080, .threads = 4, .handler = on_request, .user = &self
	};

	for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
		if (option == 'p' && serve_set_port(&options, optarg)) {
			continue;
		} else if (option == 'f') {
			options.port_file = optarg;
		} else if (option != 'e') {
			fputs("usage: gateway [--port N] [--port-file FILE] [--emitted FILE]\n", stderr);
			return 2;
		} else if (!(self.emitted = fopen(optarg, "w"))) {
			fprintf(stderr, "gateway: cannot write %s: %s\n", optarg, strerror(errno));
			return 1;
		}
	}
	sigset_t ends = serve_block_signals();
	otlog_start(&(otlog_options){ .service_name = getenv("OTEL_SERVICE_NAME") ? NULL : "gateway" });
	self.log = otlog_get_logger("gateway", "1.0.0");

	bool served = serve(&options, &ends);
	otlog_flush_result result = otlog_shutdown(5000);
	printf("gateway: %llu requests, %llu entries: %s\n", atomic_load(&self.requests), atomic_load(&self.entries),
	       otlog_flush_result_text(result));
	if (self.emitted && fclose(self.emitted))
		served = false;
	return served && !atomic_load(&self.refused) && result == OTLOG_DELIVERED ? 0 : 1;
}
