#include "exporters/otlp_grpc/target.h"

#include "sdk/base/strings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OTLP_PORT 4317

/* What decides about TLS. */
typedef enum security { PLAINTEXT, TLS, AS_TOLD } security;

typedef struct scheme {
	const char *prefix;
	security security;
	unsigned default_port; /* of a URL; 0: what follows the prefix is gRPC's affair */
} scheme;

static const scheme schemes[] = {
	{ "http://", PLAINTEXT, 80 }, { "https://", TLS, 443 }, { "unix-abstract:", PLAINTEXT, 0 },
	{ "unix:", PLAINTEXT, 0 },    { "dns:", AS_TOLD, 0 },   { "ipv4:", AS_TOLD, 0 },
	{ "ipv6:", AS_TOLD, 0 },
};

static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._";

static bool
is_loopback(otlog__text host)
{
	static const char numbers[] = "127.";
	if (otlog__text_is(host, "localhost") || otlog__text_is(host, "[::1]"))
		return true;
	if (!otlog__text_starts_with(host, numbers))
		return false;
	for (size_t i = 0; i < host.size; i++)
		if (!strchr("0123456789.", host.data[i]))
			return false;
	return true;
}

/* Bytes of the host at the front, brackets included; 0 if it is no host. */
static size_t
host_size(otlog__text authority)
{
	const char *allowed = letters;
	size_t i = 0;
	if (authority.size && *authority.data == '[') {
		const char *end = memchr(authority.data, ']', authority.size);
		allowed = "0123456789abcdefABCDEF:.%";
		size_t inner = end ? (size_t)(end - authority.data) - 1 : 0;
		while (i < inner && strchr(allowed, authority.data[1 + i]))
			i++;
		return inner && i == inner ? inner + 2 : 0;
	}
	while (i < authority.size && authority.data[i] && strchr(allowed, authority.data[i]))
		i++;
	return i;
}

static bool
read_port(otlog__text digits, uint64_t *port)
{
	return digits.size <= 5 && otlog__parse_u64(digits, port) && *port >= 1 && *port <= 65535;
}

/* host, host:port, [address], [address]:port */
static const char *
parse_authority(otlog__text authority, uint64_t default_port, otlog__grpc_target *target)
{
	if (!authority.size)
		return "it names no host";
	if (memchr(authority.data, '@', authority.size))
		return "gRPC cannot send a user and a password from it: give them in OTEL_EXPORTER_OTLP_HEADERS";
	const char *colon = memchr(authority.data, ':', authority.size);
	if (colon && *authority.data != '[' &&
	    memchr(colon + 1, ':', authority.size - 1 - (size_t)(colon - authority.data)))
		return "an IPv6 address stands in brackets, as in [::1]:4317";
	if (colon == authority.data)
		return "it names no host";
	otlog__text host = { authority.data, host_size(authority) };
	otlog__text rest = { authority.data + host.size, authority.size - host.size };
	if (!host.size || (rest.size && *rest.data != ':'))
		return "it is malformed";
	uint64_t port = default_port;
	if (rest.size && !read_port((otlog__text){ rest.data + 1, rest.size - 1 }, &port))
		return "its port is no number from 1 to 65535";
	target->loopback = is_loopback(host);
	if (asprintf(&target->name, "dns:///%.*s:%u", (int)host.size, host.data, (unsigned)port) < 0) {
		target->name = NULL;
		return "memory is short";
	}
	return NULL;
}

static const scheme *
find_scheme(otlog__text text)
{
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
		if (otlog__text_starts_with(text, schemes[i].prefix))
			return &schemes[i];
	return NULL;
}

/* gRPC's own forms are passed on as they are. */
static const char *
parse_native(otlog__text text, const scheme *scheme, otlog__grpc_target *target)
{
	size_t prefix = strlen(scheme->prefix);
	if (text.size == prefix || strcmp(text.data + prefix, "//") == 0)
		return "nothing follows its scheme";
	target->loopback = scheme->security == PLAINTEXT;
	target->name = otlog__text_copy(text);
	return target->name ? NULL : "memory is short";
}

static const char *
parse(otlog__text text, bool insecure, otlog__grpc_target *target)
{
	for (size_t i = 0; i < text.size; i++)
		if ((unsigned char)text.data[i] <= 0x20 || (unsigned char)text.data[i] >= 0x7f)
			return "it holds a space or another character that no address has";

	const scheme *scheme = find_scheme(text);
	otlog__text shown = text;
	const char *reason;
	target->plaintext = !scheme || scheme->security == AS_TOLD ? insecure : scheme->security == PLAINTEXT;
	if (scheme && !scheme->default_port) {
		reason = parse_native(text, scheme, target);
	} else if (!scheme && strstr(text.data, "://")) {
		return "its scheme is none of http, https, unix, unix-abstract, dns, ipv4 and ipv6";
	} else {
		size_t prefix = scheme ? strlen(scheme->prefix) : 0;
		otlog__text authority = { text.data + prefix, strcspn(text.data + prefix, "/?#") };
		shown.size = prefix + authority.size;
		reason = parse_authority(authority, scheme ? scheme->default_port : OTLP_PORT, target);
	}
	if (reason)
		return reason;
	target->display = otlog__text_copy(shown);
	return target->display ? NULL : "memory is short";
}

const char *
otlog__grpc_target_parse(const char *text, bool insecure, otlog__grpc_target *target)
{
	*target = (otlog__grpc_target){ 0 };
	if (!text || !*text)
		return "it is empty";
	const char *reason = parse(otlog__text_of(text), insecure, target);
	if (reason)
		otlog__grpc_target_free(target);
	return reason;
}

void
otlog__grpc_target_free(otlog__grpc_target *target)
{
	free(target->name);
	free(target->display);
	*target = (otlog__grpc_target){ 0 };
}

void
otlog__grpc_target_redact(const char *text, char *out, size_t out_size)
{
	const char *at = strrchr(text, '@');
	size_t used = 0;
	if (at && out_size > 4) {
		memcpy(out, "***", 3);
		used = 3;
		text = at;
	}
	for (; *text && *text != '?' && *text != '#' && used + 1 < out_size; text++)
		out[used++] = *text < 0x20 || *text > 0x7e ? '?' : *text;
	out[used] = '\0';
}
