#include "exporters/http/address.h"

#include <curl/curl.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A part of the URL in a buffer that curl_free takes; NULL if it has none. */
static char *
get_part(CURLU *handle, CURLUPart part, unsigned flags)
{
	char *text = NULL;
	return curl_url_get(handle, part, &text, flags) == CURLUE_OK ? text : NULL;
}

static bool
is_loopback(const char *host)
{
	if (!host)
		return false;
	if (strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
		return true;
	return strncmp(host, "127.", 4) == 0 && host[strspn(host, "0123456789.")] == '\0';
}

static const char *
check_parts(const char *text, CURLU *handle, otlog__address *address)
{
	char *scheme = get_part(handle, CURLUPART_SCHEME, 0);
	char *host = get_part(handle, CURLUPART_HOST, 0);
	char *port = get_part(handle, CURLUPART_PORT, 0);
	const char *authority = strstr(text, "://");
	const char *reason = NULL;

	if (!scheme || (strcasecmp(scheme, "http") != 0 && strcasecmp(scheme, "https") != 0))
		reason = "its scheme is neither http nor https";
	else if (!authority || authority[3] == '/' || !host || !*host) /* libcurl forgives a third slash */
		reason = "it names no host";
	else if (port && strcmp(port, "0") == 0)
		reason = "port 0 cannot be connected to";
	address->loopback = is_loopback(host);

	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	return reason;
}

/* Keeps the URL as given, and once more without its secrets. */
static bool
keep(const char *text, CURLU *handle, otlog__address *address)
{
	address->full = strdup(text);
	curl_url_set(handle, CURLUPART_USER, NULL, 0);
	curl_url_set(handle, CURLUPART_PASSWORD, NULL, 0);
	curl_url_set(handle, CURLUPART_OPTIONS, NULL, 0);
	curl_url_set(handle, CURLUPART_QUERY, NULL, 0);
	curl_url_set(handle, CURLUPART_FRAGMENT, NULL, 0);
	char *display = get_part(handle, CURLUPART_URL, 0);
	address->display = display ? strdup(display) : NULL;
	curl_free(display);
	char *host = get_part(handle, CURLUPART_HOST, 0);
	if (host)
		address->host = *host == '[' ? strndup(host + 1, strcspn(host + 1, "]")) : strdup(host);
	curl_free(host);
	char *port = get_part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	address->port = port ? strdup(port) : NULL;
	curl_free(port);
	return address->full && address->display && address->host && address->port;
}

const char *
otlog__address_parse(const char *text, otlog__address *address)
{
	*address = (otlog__address){ 0 };
	if (!text || !*text)
		return "it is empty";
	CURLU *handle = curl_url();
	if (!handle)
		return "memory is short";

	const char *reason = NULL;
	CURLUcode code = curl_url_set(handle, CURLUPART_URL, text, 0);
	if (code == CURLUE_NO_HOST)
		reason = "it names no host";
	else if (code == CURLUE_BAD_PORT_NUMBER)
		reason = "its port is no number from 1 to 65535";
	else if (code == CURLUE_UNSUPPORTED_SCHEME || code == CURLUE_BAD_SCHEME)
		reason = "it does not begin with http:// or https://";
	else if (code != CURLUE_OK)
		reason = "it is malformed";
	else
		reason = check_parts(text, handle, address);
	if (!reason && !keep(text, handle, address))
		reason = "memory is short";
	if (reason)
		otlog__address_free(address);
	curl_url_cleanup(handle);
	return reason;
}

void
otlog__address_free(otlog__address *address)
{
	free(address->full);
	free(address->display);
	free(address->host);
	free(address->port);
	*address = (otlog__address){ 0 };
}

void
otlog__address_redact(const char *text, char *out, size_t out_size)
{
	size_t used = 0;
	const char *at = strrchr(text, '@');
	if (at) {
		const char *authority = strstr(text, "://");
		const char *secret = authority && authority < at ? authority + 3 : text;
		const char *const pieces[] = { text, "***" };
		const size_t sizes[] = { (size_t)(secret - text), 3 };
		for (size_t i = 0; i < 2; i++)
			for (size_t j = 0; j < sizes[i] && used + 1 < out_size; j++)
				out[used++] = pieces[i][j];
		text = at;
	}
	for (; *text && *text != '?' && *text != '#' && used + 1 < out_size; text++)
		out[used++] = *text;
	for (size_t i = 0; i < used; i++)
		if (out[i] < 0x20 || out[i] > 0x7e)
			out[i] = '?';
	out[used] = '\0';
}
