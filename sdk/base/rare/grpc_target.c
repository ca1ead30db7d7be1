#include "sdk/base/rare/grpc_target.h"

#include "sdk/base/hex.h"
#include "sdk/base/rare/address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define OTLP_PORT "4317"
#define DNS_PORT "443" /* gRPC's own default */

#define SOCKET_SIZE_MAX (sizeof((struct sockaddr_un *)0)->sun_path - 1)

static const char *
read_host(otlog__text text, const char *default_port, otlog__grpc_target *target)
{
	otlog__authority authority;
	const char *problem = otlog__authority_parse(text, &authority);
	if (problem)
		return problem;
	if (authority.host.data != text.data)
		return "gRPC cannot send a user and a password from it: give them in OTEL_EXPORTER_OTLP_HEADERS";
	target->host = authority.host;
	target->port = authority.port.size ? authority.port : otlog__text_of(default_port);
	target->loopback = otlog__host_is_loopback(authority.host);
	return NULL;
}

/* http:// and https://; also host and host:port, whose path and query count as little as a URL's. */
static const char *
read_url(otlog__text text, const char *default_port, otlog__grpc_target *target)
{
	size_t size = 0;
	while (size < text.size && !memchr("/?#", text.data[size], 3))
		size++;
	return read_host((otlog__text){ text.data, size }, default_port, target);
}

static const char *
read_http(otlog__text rest, otlog__grpc_target *target)
{
	return read_url(rest, "80", target);
}

static const char *
read_https(otlog__text rest, otlog__grpc_target *target)
{
	return read_url(rest, "443", target);
}

/* host, ///host, or //server/host with a name server of its own. */
static const char *
read_dns(otlog__text rest, otlog__grpc_target *target)
{
	if (otlog__text_starts_with(rest, "//")) {
		const char *server = rest.data + 2;
		const char *slash = memchr(server, '/', rest.size - 2);
		if (!slash)
			return "nothing follows its scheme";
		const char *problem =
		    slash > server ? read_host((otlog__text){ server, (size_t)(slash - server) }, "", target) : NULL;
		if (problem)
			return problem;
		rest = (otlog__text){ slash + 1, rest.size - (size_t)(slash + 1 - rest.data) };
	}
	return rest.size ? read_host(rest, DNS_PORT, target) : "nothing follows its scheme";
}

/* An address with its port. Of an interface none is named: whether it is there, gRPC wants to know at once. */
static bool
read_number(otlog__text member, bool six, otlog__grpc_target *target)
{
	if (read_host(member, "", target) || !target->port.size || memchr(target->host.data, '%', target->host.size))
		return false;
	const char last = target->host.data[target->host.size - 1];
	return six ? last == ']' : last >= '0' && last <= '9';
}

/* Several with commas between, of which the first is kept; a comma may end them. */
static const char *
read_numbers(otlog__text rest, bool six, otlog__grpc_target *target)
{
	otlog__grpc_target later;
	otlog__grpc_target *into = target;
	if (otlog__text_starts_with(rest, "///"))
		rest = (otlog__text){ rest.data + 3, rest.size - 3 };
	do {
		const char *comma = rest.size ? memchr(rest.data, ',', rest.size) : NULL;
		otlog__text member = { rest.data, comma ? (size_t)(comma - rest.data) : rest.size };
		if (!read_number(member, six, into))
			return six ? "it is no list of addresses of the form [::1]:4317"
			           : "it is no list of addresses of the form 127.0.0.1:4317";
		rest.data += member.size + (comma != NULL);
		rest.size -= member.size + (comma != NULL);
		into = &later;
	} while (rest.size);
	return NULL;
}

static const char *
read_ipv4(otlog__text rest, otlog__grpc_target *target)
{
	return read_numbers(rest, false, target);
}

static const char *
read_ipv6(otlog__text rest, otlog__grpc_target *target)
{
	return read_numbers(rest, true, target);
}

/* The name of a socket, which gRPC takes for a part of a URL. */
static const char *
socket_problem(otlog__text name)
{
	size_t size = 0;
	for (size_t i = 0; i < name.size; i++, size++) {
		if (name.data[i] == '?' || name.data[i] == '#')
			return "a ? or # in a socket's name is percent-encoded";
		if (name.data[i] != '%')
			continue;
		if (i + 2 >= name.size || otlog__hex_byte(name.data + i + 1) <= 0)
			return "a % in a socket's name is followed by two hex digits, which are not 00";
		i += 2;
	}
	if (!size)
		return "nothing follows its scheme";
	return size > SOCKET_SIZE_MAX ? "the name of a socket has 107 bytes at most" : NULL;
}

/* path, or ///path. */
static const char *
read_unix(otlog__text rest, otlog__grpc_target *target)
{
	target->socket = rest;
	if (otlog__text_starts_with(rest, "//")) {
		target->socket = (otlog__text){ rest.data + 2, rest.size - 2 };
		if (target->socket.size && *target->socket.data != '/')
			return "a socket's path begins with a slash behind unix://";
	}
	return socket_problem(target->socket);
}

static const char *
read_abstract(otlog__text rest, otlog__grpc_target *target)
{
	(void)target;
	return otlog__text_starts_with(rest, "//") ? "a socket's name stands right behind unix-abstract:"
	                                           : socket_problem(rest);
}

/* ---- All forms --------------------------------------------------------------------------------------------------- */

/* What decides about TLS. */
typedef enum security { PLAINTEXT, TLS, AS_TOLD } security;

typedef struct scheme {
	const char *prefix;
	const char *(*read)(otlog__text rest, otlog__grpc_target *target);
	security security;
	bool is_url; /* gRPC gets the host; else what stands there */
} scheme;

static const scheme schemes[] = {
	{ "http://", read_http, PLAINTEXT, true },
	{ "https://", read_https, TLS, true },
	{ "unix-abstract:", read_abstract, PLAINTEXT, false },
	{ "unix:", read_unix, PLAINTEXT, false },
	{ "dns:", read_dns, AS_TOLD, false },
	{ "ipv4:", read_ipv4, AS_TOLD, false },
	{ "ipv6:", read_ipv6, AS_TOLD, false },
};

static const char *
read_plain(otlog__text rest, otlog__grpc_target *target)
{
	return read_url(rest, OTLP_PORT, target);
}

static const scheme no_scheme = { "", read_plain, AS_TOLD, true };

static const scheme *
find_scheme(otlog__text text)
{
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
		if (otlog__text_starts_with(text, schemes[i].prefix))
			return &schemes[i];
	return memmem(text.data, text.size, "://", 3) ? NULL : &no_scheme;
}

/* The texts that gRPC and messages get. False if memory is short. */
static bool
make_texts(otlog__text text, const scheme *scheme, otlog__grpc_target *target)
{
	size_t prefix = strlen(scheme->prefix);
	otlog__text shown = text;
	int size;
	if (scheme->is_url) {
		uint64_t port = 0;
		otlog__parse_u64(target->port, &port);
		size = asprintf(&target->name, "dns:///%.*s:%u", (int)target->host.size, target->host.data,
		                (unsigned)port);
		shown.size = prefix;
		while (shown.size < text.size && !memchr("/?#", text.data[shown.size], 3))
			shown.size++;
	} else {
		/* With the scheme in lower case, which is how gRPC knows it. */
		size = asprintf(&target->name, "%s%.*s", scheme->prefix, (int)(text.size - prefix), text.data + prefix);
		target->loopback = scheme->security == PLAINTEXT;
	}
	if (size < 0)
		target->name = NULL;
	target->display = otlog__text_copy(shown);
	return target->name && target->display;
}

/* Finds the parts, which are all that needs no memory. */
static const char *
read_parts(otlog__text text, const scheme **scheme, otlog__grpc_target *target)
{
	if (!text.size)
		return "it is empty";
	if (text.size > OTLOG__URL_SIZE_MAX)
		return "it is longer than 8192 bytes";
	for (size_t i = 0; i < text.size; i++)
		if ((unsigned char)text.data[i] <= 0x20 || (unsigned char)text.data[i] >= 0x7f)
			return "it holds a space or another character that no address has";
	*scheme = find_scheme(text);
	if (!*scheme)
		return "its scheme is none of http, https, unix, unix-abstract, dns, ipv4 and ipv6";
	size_t prefix = strlen((*scheme)->prefix);
	return (*scheme)->read((otlog__text){ text.data + prefix, text.size - prefix }, target);
}

const char *
otlog__grpc_target_problem(otlog__text text)
{
	const scheme *scheme;
	otlog__grpc_target target;
	return read_parts(text, &scheme, &target);
}

const char *
otlog__grpc_target_parse(const char *string, bool insecure, otlog__grpc_target *target)
{
	const scheme *scheme;
	otlog__text text = otlog__text_of(string);
	*target = (otlog__grpc_target){ 0 };
	const char *problem = read_parts(text, &scheme, target);
	if (!problem && !make_texts(text, scheme, target))
		problem = "memory is short";
	if (problem)
		otlog__grpc_target_free(target);
	else
		target->plaintext = scheme->security == AS_TOLD ? insecure : scheme->security == PLAINTEXT;
	return problem;
}

void
otlog__grpc_target_free(otlog__grpc_target *target)
{
	free(target->name);
	free(target->display);
	*target = (otlog__grpc_target){ 0 };
}
