#include "exporters/http/secrets.h"

#include <curl/curl.h>

#include <string.h>

/* Less than that is found in any text. */
#define SHORTEST 4

static void
mask(char *text, const char *secret)
{
	static const char stars[] = { '*', '*', '*' };
	size_t size = secret ? strlen(secret) : 0;
	if (size < SHORTEST)
		return;
	for (char *at = text; (at = strstr(at, secret)); at += sizeof stars) {
		memcpy(at, stars, sizeof stars);
		memmove(at + sizeof stars, at + size, strlen(at + size) + 1);
	}
}

static bool
is_credential(const char *header)
{
	static const char *const words[] = { "auth", "key", "token", "secret", "pass", "cookie", "credential", "sign" };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcasestr(header, words[i]))
			return true;
	return false;
}

/* A scheme of authentication stands before its credentials: "Bearer abc". */
static void
mask_value(char *text, const char *value)
{
	const char *space = strrchr(value, ' ');
	mask(text, value);
	mask(text, space ? space + 1 : NULL);
}

static void
mask_part(char *text, CURLU *url, CURLUPart part, unsigned flags)
{
	char *secret = NULL;
	if (curl_url_get(url, part, &secret, flags) == CURLUE_OK) {
		mask(text, secret);
		for (char *value = secret; (value = strchr(value, '=')); value++) {
			char *end = strchrnul(value, '&');
			char after = *end;
			*end = '\0';
			mask(text, value + 1);
			*end = after;
		}
	}
	curl_free(secret);
}

void
otlog__secrets_mask(const otlog__http_options *options, char *text)
{
	for (size_t i = 0; i < options->header_count; i++)
		if (is_credential(options->headers[i].name))
			mask_value(text, options->headers[i].value);
	CURLU *url = curl_url();
	if (url && curl_url_set(url, CURLUPART_URL, options->url, 0) == CURLUE_OK) {
		mask_part(text, url, CURLUPART_PASSWORD, 0);
		mask_part(text, url, CURLUPART_PASSWORD, CURLU_URLDECODE);
		mask_part(text, url, CURLUPART_QUERY, 0);
	}
	curl_url_cleanup(url);
}
