#include "sdk/base/rare/address.h"

#include "sdk/base/hex.h"
#include "sdk/base/utf8.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define HOST_SIZE_MAX 255

/* ---- Pieces of text ---------------------------------------------------------------------------------------------- */

static otlog__text
slice(otlog__text text, size_t from, size_t to)
{
	return (otlog__text){ .data = text.data + from, .size = to - from };
}

/* Where the first of these characters stands, or the size. */
static size_t
find_any(otlog__text text, size_t from, const char *characters)
{
	size_t at = from;
	while (at < text.size && (!text.data[at] || !strchr(characters, text.data[at])))
		at++;
	return at;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* What inet_pton makes of it. */
static bool
read_number(int family, otlog__text text, void *number)
{
	char copy[INET6_ADDRSTRLEN];
	if (text.size >= sizeof copy || memchr(text.data, '\0', text.size))
		return false;
	memcpy(copy, text.data, text.size);
	copy[text.size] = '\0';
	return inet_pton(family, copy, number) == 1;
}

/* ---- Hosts ------------------------------------------------------------------------------------------------------- */

/* Names an interface: %25eth0 behind a link-local address. libcurl takes 15 characters of it. */
static bool
is_zone(otlog__text text)
{
	if (text.size < 4 || text.size > 3 + 15 || memcmp(text.data, "%25", 3) != 0)
		return false;
	for (size_t i = 3; i < text.size; i++)
		if (!is_letter(text.data[i]) && !is_digit(text.data[i]) && !memchr("-._~", text.data[i], 4))
			return false;
	return true;
}

static const char *
bracketed_problem(otlog__text host)
{
	struct in6_addr number;
	otlog__text bare = otlog__host_bare(host);
	size_t zone = find_any(bare, 0, "%");
	if (!read_number(AF_INET6, slice(bare, 0, zone), &number) ||
	    (zone < bare.size && !is_zone(slice(bare, zone, bare.size))))
		return "what stands in the brackets of its host is no IPv6 address";
	return NULL;
}

/* Whether resolvers would take it for a number, of whatever form: its last label is one. */
static bool
ends_in_number(otlog__text host)
{
	size_t end = host.size;
	while (end && host.data[end - 1] == '.')
		end--;
	size_t begin = end;
	while (begin && host.data[begin - 1] != '.')
		begin--;
	if (begin == end || !is_digit(host.data[begin]))
		return false;
	if (end - begin >= 2 && host.data[begin] == '0' && (host.data[begin + 1] | 0x20) == 'x')
		return true;
	while (begin < end && is_digit(host.data[begin]))
		begin++;
	return begin == end;
}

static const char *
host_problem(otlog__text host)
{
	struct in_addr number;
	if (host.data[0] == '[')
		return bracketed_problem(host);
	if (host.size > HOST_SIZE_MAX)
		return "its host is longer than 255 bytes";
	for (size_t i = 0; i < host.size; i++) {
		char c = host.data[i];
		if (!is_letter(c) && !is_digit(c) && !(c & 0x80) && !memchr("-._~", c, 4))
			return "its host has characters that no host name has";
	}
	if (otlog__utf8_valid_size((const uint8_t *)host.data, host.size) != host.size)
		return "its host has characters that no host name has";
	if (ends_in_number(host) && !read_number(AF_INET, host, &number))
		return "its host is a number, but none of the form 127.0.0.1";
	return NULL;
}

otlog__text
otlog__host_bare(otlog__text host)
{
	bool bracketed = host.size >= 2 && host.data[0] == '[' && host.data[host.size - 1] == ']';
	return bracketed ? slice(host, 1, host.size - 1) : host;
}

bool
otlog__host_is_loopback(otlog__text host)
{
	struct in_addr four;
	struct in6_addr six;
	host = otlog__host_bare(host);
	host.size = find_any(host, 0, "%"); /* whatever the interface */
	if (otlog__text_is(host, "localhost"))
		return true;
	if (read_number(AF_INET, host, &four))
		return ntohl(four.s_addr) >> 24 == 127;
	return read_number(AF_INET6, host, &six) && IN6_IS_ADDR_LOOPBACK(&six);
}

/* ---- user:password@host:port ------------------------------------------------------------------------------------- */

static const char *
credential_problem(otlog__text text)
{
	for (size_t i = 0; i < text.size; i++) {
		int byte = (unsigned char)text.data[i];
		if (byte == '%') {
			byte = i + 2 < text.size ? otlog__hex_byte(text.data + i + 1) : -1;
			if (byte < 0)
				return "a % in its user or password is not followed by two hex digits";
			i += 2;
		}
		if (byte < ' ' || byte == 0x7f)
			return "its user or password has a control character";
	}
	return NULL;
}

/* Takes user and password off the front, and leaves host and port. */
static const char *
take_credentials(otlog__text *rest, otlog__authority *out)
{
	size_t at = find_any(*rest, 0, "@");
	if (at == rest->size)
		return NULL;
	if (find_any(*rest, at + 1, "@") < rest->size)
		return "more than one '@' stands before its host: write %40 for one that belongs to user or password";
	otlog__text credentials = slice(*rest, 0, at);
	size_t colon = find_any(credentials, 0, ":");
	out->user = slice(credentials, 0, colon);
	if (colon < at)
		out->password = slice(credentials, colon + 1, at);
	*rest = slice(*rest, at + 1, rest->size);
	return credential_problem(credentials);
}

/* Where the host ends that begins the text. */
static size_t
host_end(otlog__text text)
{
	if (!text.size || text.data[0] != '[')
		return find_any(text, 0, ":");
	size_t bracket = find_any(text, 0, "]");
	return bracket < text.size ? bracket + 1 : bracket;
}

const char *
otlog__authority_parse(otlog__text text, otlog__authority *out)
{
	*out = (otlog__authority){ .user = { .size = 0 } };
	const char *problem = take_credentials(&text, out);
	if (problem)
		return problem;
	size_t end = host_end(text);
	out->host = slice(text, 0, end);
	if (end < text.size && text.data[0] != '[' && find_any(text, end + 1, ":") < text.size)
		return "an IPv6 address stands in brackets, as in [::1]";
	if (!out->host.size)
		return "it names no host";
	problem = host_problem(out->host);
	if (problem || end == text.size)
		return problem;
	uint64_t port = 0;
	out->port = slice(text, end + 1, text.size);
	if (text.data[end] != ':' || !otlog__parse_u64(out->port, &port) || !port || port > 65535)
		return "its port is no number from 1 to 65535";
	return NULL;
}

/* ---- URLs -------------------------------------------------------------------------------------------------------- */

const char *
otlog__url_parse(otlog__text text, otlog__url *out)
{
	*out = (otlog__url){ .tls = otlog__text_starts_with(text, "https://") };
	if (!text.size)
		return "it is empty";
	if (text.size > OTLOG__URL_SIZE_MAX)
		return "it is longer than 8192 bytes";
	for (size_t i = 0; i < text.size; i++)
		if ((unsigned char)text.data[i] <= ' ' || text.data[i] == 0x7f)
			return "a space or a control character stands in it";
	if (!out->tls && !otlog__text_starts_with(text, "http://"))
		return "it does not begin with http:// or https://";
	size_t begin = strlen(out->tls ? "https://" : "http://");
	size_t path = find_any(text, begin, "/?#");
	size_t query = find_any(text, path, "?#");
	size_t fragment = find_any(text, query, "#");
	out->path = slice(text, path, query);
	if (query < fragment)
		out->query = slice(text, query + 1, fragment);
	if (fragment < text.size)
		out->fragment = slice(text, fragment + 1, text.size);
	const char *problem = otlog__authority_parse(slice(text, begin, path), &out->authority);
	if (!problem)
		out->server = slice(text, (size_t)(out->authority.host.data - text.data), path);
	return problem;
}

otlog__text
otlog__url_port(const otlog__url *url)
{
	return url->authority.port.size ? url->authority.port : otlog__text_of(url->tls ? "443" : "80");
}

static char *
put(char *at, otlog__text text)
{
	if (text.size)
		memcpy(at, text.data, text.size);
	return at + text.size;
}

char *
otlog__url_display(const otlog__url *url)
{
	char *display = malloc(strlen("https:///") + url->server.size + url->path.size + 1);
	if (!display)
		return NULL;
	char *end = put(display, otlog__text_of(url->tls ? "https://" : "http://"));
	end = put(end, url->server);
	end = put(end, url->path.size ? url->path : otlog__text_of("/"));
	*end = '\0';
	return display;
}

/* ---- Without secrets --------------------------------------------------------------------------------------------- */

/* The bytes of any scheme with its "://"; 0 if the text does not begin like that. */
static size_t
any_scheme_size(otlog__text address)
{
	size_t at = 0;
	while (at < address.size && is_letter(address.data[at]))
		at++;
	return at && address.size - at >= 3 && memcmp(address.data + at, "://", 3) == 0 ? at + 3 : 0;
}

void
otlog__address_show(otlog__text address, char *out, size_t size)
{
	/* A password may hold any character that a sloppy hand did not encode, so the last '@' counts, wherever it is. */
	size_t scheme = any_scheme_size(address);
	const char *last = address.size ? memrchr(address.data, '@', address.size) : NULL;
	size_t start = last ? (size_t)(last - address.data) : scheme;
	if (start < scheme)
		start = scheme;
	size_t end = find_any(address, start, "?#"); /* a token may stand behind it */
	char *whole = malloc(address.size + 2 * strlen("***") + 1);
	if (!whole) {
		otlog__text_show(otlog__text_of("***"), out, size);
		return;
	}
	char *at = put(whole, slice(address, 0, scheme));
	at = put(at, otlog__text_of(last ? "***" : ""));
	at = put(at, slice(address, start, end < address.size ? end + 1 : end));
	at = put(at, otlog__text_of(end < address.size ? "***" : ""));
	otlog__text_show((otlog__text){ .data = whole, .size = (size_t)(at - whole) }, out, size);
	free(whole);
}
