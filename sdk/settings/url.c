#include "sdk/settings/url.h"

#include <stdlib.h>
#include <string.h>

/* Where the first of these characters stands, or the size. */
static size_t
find_any(otlog__text text, size_t from, const char *characters)
{
	size_t at = from;
	while (at < text.size && !strchr(characters, text.data[at]))
		at++;
	return at;
}

static otlog__text
slice(otlog__text text, size_t from, size_t to)
{
	return (otlog__text){ .data = text.data + from, .size = to - from };
}

/* Bytes of "http://" or "https://" at the front; 0 if neither is there. */
static size_t
scheme_size(otlog__text url)
{
	static const char *const schemes[] = { "http://", "https://" };
	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
		if (otlog__text_starts_with(url, schemes[i]))
			return strlen(schemes[i]);
	}
	return 0;
}

/* Divides host and port, which still has its colon, of a URL with a scheme. */
static void
split_authority(otlog__text url, otlog__text *host, otlog__text *port)
{
	size_t start = scheme_size(url);
	size_t end = find_any(url, start, "/?#");
	for (size_t i = start; i < end; i++) {
		if (url.data[i] == '@')
			start = i + 1;
	}
	size_t colon = start;
	if (start < end && url.data[start] == '[') {
		while (colon < end && url.data[colon] != ']')
			colon++;
		colon += colon < end;
	} else {
		while (colon < end && url.data[colon] != ':')
			colon++;
	}
	*host = slice(url, start, colon);
	*port = slice(url, colon, end);
}

static bool
is_host(otlog__text host)
{
	bool bracketed = host.size > 2 && host.data[0] == '[' && host.data[host.size - 1] == ']';
	if (bracketed)
		host = slice(host, 1, host.size - 1);
	for (size_t i = 0; i < host.size; i++) {
		char c = host.data[i];
		bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80) ||
		             strchr("-._~%", c) || (bracketed && c == ':');
		if (!plain)
			return false;
	}
	return host.size > 0;
}

const char *
otlog__url_problem(otlog__text url)
{
	for (size_t i = 0; i < url.size; i++) {
		if ((unsigned char)url.data[i] <= ' ' || url.data[i] == 0x7f)
			return "a space or a control character stands in it";
	}
	if (!scheme_size(url))
		return "it does not begin with http:// or https://";
	otlog__text host;
	otlog__text port;
	split_authority(url, &host, &port);
	if (!host.size)
		return "it names no host";
	if (!is_host(host))
		return "its host has characters that no host name has";
	if (!port.size)
		return NULL;
	uint64_t number = 0;
	if (port.data[0] != ':' || !otlog__parse_u64(slice(port, 1, port.size), &number) || !number || number > 65535)
		return "its port is no number from 1 to 65535";
	return NULL;
}

/* The URL with `more` put in front of its query or fragment. */
static char *
insert(otlog__text url, const char *more)
{
	size_t at = find_any(url, scheme_size(url), "?#");
	size_t size = strlen(more);
	char *whole = malloc(url.size + size + 1);
	if (!whole)
		return NULL;
	memcpy(whole, url.data, at);
	memcpy(whole + at, more, size);
	memcpy(whole + at + size, url.data + at, url.size - at);
	whole[url.size + size] = '\0';
	return whole;
}

char *
otlog__url_append(otlog__text base, const char *path)
{
	size_t end = find_any(base, scheme_size(base), "?#");
	bool slash = base.data[end - 1] == '/' && end > scheme_size(base);
	char more[64] = "/";
	strncat(more, path, sizeof more - 2);
	return insert(base, slash ? more + 1 : more);
}

char *
otlog__url_complete(otlog__text url)
{
	size_t path = find_any(url, scheme_size(url), "/?#");
	bool has_path = path < url.size && url.data[path] == '/';
	return insert(url, has_path ? "" : "/");
}

/* The bytes of any scheme with its "://"; 0 if the text does not begin like that. */
static size_t
any_scheme_size(otlog__text url)
{
	size_t at = 0;
	while (at < url.size &&
	       ((url.data[at] >= 'a' && url.data[at] <= 'z') || (url.data[at] >= 'A' && url.data[at] <= 'Z')))
		at++;
	return at && url.size - at >= 3 && memcmp(url.data + at, "://", 3) == 0 ? at + 3 : 0;
}

void
otlog__url_show(otlog__text url, char *out, size_t size)
{
	/*
	 * A password may hold any character that a sloppy hand did not encode, so everything up to the last '@' goes,
	 * wherever that stands. A query may hold a token.
	 */
	size_t scheme = any_scheme_size(url);
	size_t start = scheme;
	for (size_t i = scheme; i < url.size; i++) {
		if (url.data[i] == '@')
			start = i;
	}
	size_t end = find_any(url, start, "?");
	otlog__text parts[] = { slice(url, 0, scheme), otlog__text_of(start > scheme ? "***" : ""),
		                slice(url, start, end), otlog__text_of(end < url.size ? "?***" : "") };
	char *whole = malloc(url.size + 8);
	size_t used = 0;
	if (!whole) {
		otlog__text_show(otlog__text_of("…"), out, size);
		return;
	}
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		if (parts[i].size)
			memcpy(whole + used, parts[i].data, parts[i].size);
		used += parts[i].size;
	}
	otlog__text_show((otlog__text){ .data = whole, .size = used }, out, size);
	free(whole);
}
