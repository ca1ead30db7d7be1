/*
 * Addresses of any bytes. libcurl's own parser is the oracle: what ours takes for a URL libcurl takes too, and reads the
 * same parts; and no message or listing shows a byte of user, password or query. Three things are agreed to differ:
 * libcurl writes IPv6 addresses in their shortest form and keeps their zone apart, takes "." and ".." out of the path
 * unless told otherwise, and an empty part is to us one that is not there.
 */
#include "sdk/base/rare/address.h"
#include "sdk/base/rare/grpc_target.h"
#include "tests/support/harness/check.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* libcurl's part; "" where it has none. Free with free(). */
static char *
part_of(CURLU *handle, CURLUPart part, unsigned flags)
{
	char *text = NULL;
	CURLUcode code = curl_url_get(handle, part, &text, flags);
	char *copy = strdup(code == CURLUE_OK ? text : "");
	CHECK(copy && code != CURLUE_URLDECODE);
	curl_free(text);
	return copy;
}

static void
check_part(CURLU *handle, CURLUPart part, unsigned flags, otlog__text ours)
{
	char *theirs = part_of(handle, part, flags);
	CHECK(strlen(theirs) == ours.size && (!ours.size || memcmp(theirs, ours.data, ours.size) == 0));
	free(theirs);
}

/* Both as numbers; the zone stands apart. */
static void
check_ipv6(CURLU *handle, const char *theirs, otlog__text host)
{
	struct in6_addr their_number, our_number;
	otlog__text bare = otlog__host_bare(host);
	const char *zone = memchr(bare.data, '%', bare.size);
	size_t size = zone ? (size_t)(zone - bare.data) : bare.size;
	char *ours = strndup(bare.data, size);
	char *inner = strndup(theirs + 1, strlen(theirs) - 2);
	CHECK(ours && inner && inet_pton(AF_INET6, ours, &our_number) == 1);
	CHECK(inet_pton(AF_INET6, inner, &their_number) == 1);
	CHECK(memcmp(&our_number, &their_number, sizeof our_number) == 0);
	check_part(handle, CURLUPART_ZONEID, 0,
	           zone ? (otlog__text){ zone + 3, bare.size - size - 3 } : (otlog__text){ .size = 0 });
	free(ours);
	free(inner);
}

static void
check_server(CURLU *handle, const otlog__url *url)
{
	char *host = part_of(handle, CURLUPART_HOST, 0);
	char *port = part_of(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	char *scheme = part_of(handle, CURLUPART_SCHEME, 0);
	uint64_t number = 0;
	if (*host == '[')
		check_ipv6(handle, host, url->authority.host);
	else
		check_part(handle, CURLUPART_HOST, 0, url->authority.host);
	CHECK(otlog__parse_u64(otlog__url_port(url), &number) && number == strtoull(port, NULL, 10));
	CHECK(strcasecmp(scheme, url->tls ? "https" : "http") == 0);
	CHECK(otlog__host_is_loopback(url->authority.host) ==
	      (strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
	       (strncmp(host, "127.", 4) == 0 && host[strspn(host, "0123456789.")] == '\0')));
	free(host);
	free(port);
	free(scheme);
}

/* As CURLOPT_URL takes it: user and password decoded. */
static void
check_against_libcurl(const char *text, const otlog__url *url)
{
	CURLU *handle = curl_url();
	CHECK(handle && curl_url_set(handle, CURLUPART_URL, text, 0) == CURLUE_OK);
	check_server(handle, url);
	check_part(handle, CURLUPART_USER, 0, url->authority.user);
	check_part(handle, CURLUPART_PASSWORD, 0, url->authority.password);
	check_part(handle, CURLUPART_QUERY, 0, url->query);
	check_part(handle, CURLUPART_FRAGMENT, 0, url->fragment);
	free(part_of(handle, CURLUPART_USER, CURLU_URLDECODE));
	free(part_of(handle, CURLUPART_PASSWORD, CURLU_URLDECODE));
	CHECK(curl_url_set(handle, CURLUPART_URL, text, CURLU_PATH_AS_IS) == CURLUE_OK);
	check_part(handle, CURLUPART_PATH, 0, url->path.size ? url->path : otlog__text_of("/"));
	curl_url_cleanup(handle);
}

static void
blank(char *from, const char *end)
{
	while (from < end)
		*from++ = 'x';
}

static void
check_same_shown(const char *text, const char *other)
{
	char shown[512], other_shown[sizeof shown];
	for (size_t room = 4; room <= sizeof shown; room = room < 64 ? room + 1 : room * 2) {
		otlog__address_show(otlog__text_of(text), shown, room);
		otlog__address_show(otlog__text_of(other), other_shown, room);
		CHECK(strlen(shown) < room && strcmp(shown, other_shown) == 0);
	}
}

/*
 * What a message shows of any text is the same whatever stands between its scheme and its last '@', and behind the '?' or
 * '#' that follows.
 */
static void
check_shown(const char *text)
{
	char *other = strdup(text);
	CHECK(other);
	char *begin = other;
	while ((*begin >= 'a' && *begin <= 'z') || (*begin >= 'A' && *begin <= 'Z'))
		begin++;
	begin = begin > other && strncmp(begin, "://", 3) == 0 ? begin + 3 : other;
	char *at = strrchr(begin, '@');
	blank(begin, at ? at : begin);
	char *end = at ? at : begin;
	end += strcspn(end, "?#");
	if (*end)
		blank(end + 1, end + strlen(end));
	check_same_shown(text, other);
	free(other);
}

/* The display of a URL is the same whatever its secrets are. */
static void
check_display(const char *text, const otlog__url *url)
{
	const otlog__text secrets[] = { url->authority.user, url->authority.password, url->query, url->fragment };
	char *other = strdup(text);
	otlog__url other_url;
	CHECK(other);
	for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
		if (secrets[i].size)
			blank(other + (secrets[i].data - text), other + (secrets[i].data - text) + secrets[i].size);
	CHECK(!otlog__url_parse(otlog__text_of(other), &other_url));
	char *display = otlog__url_display(url);
	char *other_display = otlog__url_display(&other_url);
	CHECK(display && other_display && strcmp(display, other_display) == 0);
	free(display);
	free(other_display);
	free(other);
}

static void
check_grpc(const char *text, bool url_is_good, const otlog__url *url)
{
	otlog__grpc_target target;
	if (otlog__grpc_target_parse(text, true, &target)) {
		CHECK(!target.name && !target.display);
		return;
	}
	CHECK(target.name && target.display && !strchr(target.display, '?') && !strchr(target.display, '#'));
	if (url_is_good) {
		CHECK(!url->authority.user.size && !url->authority.password.size && target.plaintext == !url->tls);
		CHECK(target.host.data == url->authority.host.data && target.host.size == url->authority.host.size);
	}
	otlog__grpc_target_free(&target);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *text = strndup((const char *)bytes, size);
	otlog__url url;
	CHECK(text);
	bool good = !otlog__url_parse(otlog__text_of(text), &url);
	if (good) {
		check_against_libcurl(text, &url);
		check_display(text, &url);
	}
	check_shown(text);
	check_grpc(text, good, &url);
	free(text);
	return 0;
}
