#include "sdk/base/rare/address.h"
#include "sdk/base/rare/grpc_target.h"
#include "sdk/tool/doctor/doctor.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define OTLP_ENDPOINT "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"

static bool
starts_with(const char *text, const char *prefix)
{
	return strncasecmp(text, prefix, strlen(prefix)) == 0;
}

/* Host and port as something that connects wants them. */
static void
keep_host(otlog__text host, otlog__text port, otlog__doctor_host *out)
{
	host = otlog__host_bare(host);
	snprintf(out->name, sizeof out->name, "%.*s", (int)host.size, host.data);
	snprintf(out->port, sizeof out->port, "%.*s", (int)port.size, port.data);
}

/* One that gRPC looks up, or the path of a socket. */
static void
read_grpc(otlog__doctor_target *target, bool insecure)
{
	otlog__grpc_target parsed;
	const char *error;
	if (otlog__grpc_target_parse(target->endpoint, insecure, &parsed))
		return;
	target->tls = !parsed.plaintext;
	char *path = otlog__percent_decode(parsed.socket, &error);
	snprintf(target->socket, sizeof target->socket, "%s", path ? path : "");
	free(path);
	keep_host(parsed.host, parsed.port, &target->host);
	otlog__grpc_target_free(&parsed);
}

static void
read_http(otlog__doctor_target *target)
{
	otlog__url url;
	if (otlog__url_parse(otlog__text_of(target->endpoint), &url))
		return;
	target->tls = url.tls;
	keep_host(url.authority.host, otlog__url_port(&url), &target->host);
}

/* host:port with what may be around it; a proxy that cannot be read is named as it is. */
static void
read_proxy(const char *proxy, otlog__doctor_host *out)
{
	const char *scheme = strstr(proxy, "://");
	const char *server = scheme ? scheme + strlen("://") : proxy;
	otlog__authority authority;
	if (!otlog__authority_parse((otlog__text){ server, strcspn(server, "/?#") }, &authority))
		keep_host(authority.host, authority.port.size ? authority.port : otlog__text_of("1080"), out);
	else
		otlog__address_show(otlog__text_of(proxy), out->name, sizeof out->name);
}

bool
otlog__doctor_is_exempt(const char *list, const char *host)
{
	const size_t host_size = strlen(host);
	while (list && *list) {
		list += strspn(list, ", \t");
		size_t size = strcspn(list, ", \t");
		const char *name = list;
		list += size;
		if (size == 1 && *name == '*')
			return true;
		if (size && *name == '.') {
			name++;
			size--;
		}
		bool ends = size && size <= host_size && strncasecmp(host + host_size - size, name, size) == 0;
		if (ends && (size == host_size || host[host_size - size - 1] == '.'))
			return true;
	}
	return false;
}

/* The first of these variables that is set; *name tells which. */
static const char *
first_set(char *(*look_up)(const char *variable), const char *const *names, const char **name)
{
	for (; *names; names++) {
		const char *value = look_up(*names);
		*name = *names;
		if (value && *value)
			return value;
	}
	*name = NULL;
	return NULL;
}

/*
 * As libcurl and gRPC's core choose one; the exporters of otlog use none for this machine. Sources: curl(1), section
 * "ENVIRONMENT"; grpc doc/environment_variables.md.
 */
static void
find_proxy(otlog__doctor_target *target, char *(*look_up)(const char *variable))
{
	static const char *const for_grpc[] = { "grpc_proxy", "https_proxy", "http_proxy", NULL };
	static const char *const for_http[] = { "http_proxy", "all_proxy", "ALL_PROXY", NULL };
	static const char *const for_https[] = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", NULL };
	static const char *const exempt_from_grpc[] = { "no_grpc_proxy", "no_proxy", NULL };
	static const char *const exempt_from_http[] = { "no_proxy", "NO_PROXY", NULL };
	if (!*target->host.name || otlog__host_is_loopback(otlog__text_of(target->host.name)))
		return;
	const char *variable, *ignored;
	const char *exempt = first_set(look_up, target->grpc ? exempt_from_grpc : exempt_from_http, &ignored);
	const char *proxy = first_set(look_up, target->grpc ? for_grpc : target->tls ? for_https : for_http, &variable);
	if (!proxy || otlog__doctor_is_exempt(exempt, target->host.name))
		return;
	target->proxy_variable = variable;
	read_proxy(proxy, &target->proxy);
}

void
otlog__doctor_target_find(const char *exporter, const otlog__doctor_settings *settings,
                          char *(*proxies)(const char *variable), otlog__doctor_target *target)
{
	*target = (otlog__doctor_target){ 0 };
	const bool mito = strcmp(exporter, "mito") == 0;
	target->grpc = starts_with(exporter, "otlp_grpc");
	if (!mito && !target->grpc && !starts_with(exporter, "otlp_http"))
		return;
	const otlog__doctor_setting *endpoint =
	    otlog__doctor_setting_find(settings, mito ? "MITO_CONFIG_LOG_SERVER_URL" : OTLP_ENDPOINT);
	const char *ca_file = otlog__doctor_setting_find(settings, mito ? "OTLOG_MITO_CERTIFICATE"
	                                                                : "OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE")
	                          ->value;
	target->ca_file = *ca_file ? ca_file : NULL;
	/* Remedies name the variable that is set, and where none is, the one that most programs set. */
	target->endpoint_variable = endpoint->source ? endpoint->source
	                            : mito           ? "MITO_CONFIG_LOG_SERVER_URL"
	                                             : "OTEL_EXPORTER_OTLP_ENDPOINT";
	target->headers_variable =
	    mito ? "MITO_CONFIG_LOG_SERVER_URL (https://user:password@host/)" : "OTEL_EXPORTER_OTLP_HEADERS";
	target->ca_variable = mito ? "OTLOG_MITO_CERTIFICATE" : "OTEL_EXPORTER_OTLP_CERTIFICATE";
	target->client_variable = mito ? "OTLOG_MITO_CLIENT_CERTIFICATE" : "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE";
	target->timeout_variable = mito ? "OTEL_BLRP_EXPORT_TIMEOUT" : "OTEL_EXPORTER_OTLP_TIMEOUT";
	snprintf(target->endpoint, sizeof target->endpoint, "%s", endpoint->value);
	const otlog__doctor_setting *insecure =
	    otlog__doctor_setting_find(settings, "OTEL_EXPORTER_OTLP_LOGS_INSECURE");
	if (target->grpc)
		read_grpc(target, strcmp(insecure->value, "true") == 0);
	else
		read_http(target);
	find_proxy(target, proxies);
}
