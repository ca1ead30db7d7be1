#include "sdk/tool/doctor/doctor.h"

#include <string.h>
#include <strings.h>

#define OTLP_ENDPOINT "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"

static bool
starts_with(const char *text, const char *prefix)
{
	return strncasecmp(text, prefix, strlen(prefix)) == 0;
}

/* host, host:port, [address]:port, with user and password before an @, up to a path. */
static void
read_host(const char *authority, const char *default_port, otlog__doctor_host *out)
{
	size_t size = strcspn(authority, "/?#,");
	const char *at = memrchr(authority, '@', size);
	const char *end = authority + size;
	const char *begin = at ? at + 1 : authority;
	const char *bracket = *begin == '[' ? memchr(begin, ']', (size_t)(end - begin)) : NULL;
	const char *colon = memrchr(bracket ? bracket : begin, ':', (size_t)(end - (bracket ? bracket : begin)));
	const char *name_end = bracket ? bracket : colon ? colon : end;
	begin += bracket != NULL;
	snprintf(out->name, sizeof out->name, "%.*s", (int)(name_end - begin), begin);
	if (colon)
		snprintf(out->port, sizeof out->port, "%.*s", (int)(end - colon - 1), colon + 1);
	else
		snprintf(out->port, sizeof out->port, "%s", default_port);
}

/* One of gRPC's own targets, as far as it says where to connect to. */
static void
read_grpc_target(const char *target, otlog__doctor_place *place)
{
	if (starts_with(target, "unix:")) {
		const char *path = target + strlen("unix:");
		if (starts_with(path, "//"))
			path += 2;
		snprintf(place->socket, sizeof place->socket, "%s", path);
		return;
	}
	if (starts_with(target, "dns:") || starts_with(target, "ipv4:") || starts_with(target, "ipv6:"))
		target = strchr(target, ':') + 1;
	if (starts_with(target, "//")) /* a name server of one's own, then the name */
		target = strchr(target + 2, '/') ? strchr(target + 2, '/') + 1 : "";
	if (!starts_with(target, "unix-abstract:"))
		read_host(target, "4317", &place->host);
}

static void
read_endpoint(otlog__doctor_place *place, bool insecure)
{
	const char *endpoint = place->endpoint;
	if (starts_with(endpoint, "http://") || starts_with(endpoint, "https://")) {
		place->tls = starts_with(endpoint, "https://");
		read_host(strstr(endpoint, "//") + 2, place->tls ? "443" : "80", &place->host);
	} else if (place->grpc) {
		place->tls = !insecure && !starts_with(endpoint, "unix");
		read_grpc_target(endpoint, place);
	}
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

static bool
is_loopback(const char *host)
{
	return strcasecmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
	       (starts_with(host, "127.") && host[strspn(host, "0123456789.")] == '\0');
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
find_proxy(otlog__doctor_place *place, char *(*look_up)(const char *variable))
{
	static const char *const for_grpc[] = { "grpc_proxy", "https_proxy", "http_proxy", NULL };
	static const char *const for_http[] = { "http_proxy", "all_proxy", "ALL_PROXY", NULL };
	static const char *const for_https[] = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", NULL };
	static const char *const exempt_from_grpc[] = { "no_grpc_proxy", "no_proxy", NULL };
	static const char *const exempt_from_http[] = { "no_proxy", "NO_PROXY", NULL };
	if (!*place->host.name || is_loopback(place->host.name))
		return;
	const char *variable, *ignored;
	const char *exempt = first_set(look_up, place->grpc ? exempt_from_grpc : exempt_from_http, &ignored);
	const char *proxy = first_set(look_up, place->grpc ? for_grpc : place->tls ? for_https : for_http, &variable);
	if (!proxy || otlog__doctor_is_exempt(exempt, place->host.name))
		return;
	const char *authority = strstr(proxy, "://");
	place->proxy_variable = variable;
	read_host(authority ? authority + 3 : proxy, "1080", &place->proxy);
}

void
otlog__doctor_place_find(const char *exporter, const otlog__doctor_settings *settings,
                         char *(*proxies)(const char *variable), otlog__doctor_place *place)
{
	*place = (otlog__doctor_place){ 0 };
	const bool mito = strcmp(exporter, "mito") == 0;
	place->grpc = starts_with(exporter, "otlp_grpc");
	if (!mito && !place->grpc && !starts_with(exporter, "otlp_http"))
		return;
	const otlog__doctor_setting *endpoint =
	    otlog__doctor_setting_find(settings, mito ? "MITO_CONFIG_LOG_SERVER_URL" : OTLP_ENDPOINT);
	const char *ca_file = otlog__doctor_setting_find(settings, mito ? "OTLOG_MITO_CERTIFICATE"
	                                                                : "OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE")
	                          ->value;
	place->ca_file = *ca_file ? ca_file : NULL;
	/* Where a variable is set, it is the one to name; else the one that concerns most. */
	place->endpoint_variable = endpoint->source ? endpoint->source
	                           : mito           ? "MITO_CONFIG_LOG_SERVER_URL"
	                                            : "OTEL_EXPORTER_OTLP_ENDPOINT";
	place->headers_variable =
	    mito ? "MITO_CONFIG_LOG_SERVER_URL (https://user:password@host/)" : "OTEL_EXPORTER_OTLP_HEADERS";
	place->ca_variable = mito ? "OTLOG_MITO_CERTIFICATE" : "OTEL_EXPORTER_OTLP_CERTIFICATE";
	place->client_variable = mito ? "OTLOG_MITO_CLIENT_CERTIFICATE" : "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE";
	place->timeout_variable = mito ? "OTEL_BLRP_EXPORT_TIMEOUT" : "OTEL_EXPORTER_OTLP_TIMEOUT";
	snprintf(place->endpoint, sizeof place->endpoint, "%s", endpoint->value);
	const otlog__doctor_setting *insecure =
	    otlog__doctor_setting_find(settings, "OTEL_EXPORTER_OTLP_LOGS_INSECURE");
	read_endpoint(place, strcmp(insecure->value, "true") == 0);
	find_proxy(place, proxies);
}
