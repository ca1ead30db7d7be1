#include "exporters/http/secrets.h"

#include "sdk/base/rare/address.h"

#include <stdlib.h>
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
mask_slice(char *text, otlog__text secret)
{
	char *copy = otlog__text_copy(secret);
	if (copy)
		mask(text, copy);
	free(copy);
}

/* As the URL has it, and as the server reads it. */
static void
mask_password(char *text, otlog__text password)
{
	const char *error;
	char *decoded = otlog__percent_decode(password, &error);
	mask_slice(text, password);
	mask(text, decoded);
	free(decoded);
}

/* The whole of it, and each value. */
static void
mask_query(char *text, otlog__text query)
{
	mask_slice(text, query);
	while (query.size) {
		const char *end = memchr(query.data, '&', query.size);
		size_t size = end ? (size_t)(end - query.data) : query.size;
		const char *value = memchr(query.data, '=', size);
		if (value)
			mask_slice(text, (otlog__text){ value + 1, size - (size_t)(value + 1 - query.data) });
		query.data += size + (end != NULL);
		query.size -= size + (end != NULL);
	}
}

void
otlog__secrets_mask(const otlog__http_options *options, char *text)
{
	for (size_t i = 0; i < options->header_count; i++)
		if (is_credential(options->headers[i].name))
			mask_value(text, options->headers[i].value);
	otlog__url url;
	if (!otlog__url_parse(otlog__text_of(options->url), &url)) {
		mask_password(text, url.authority.password);
		mask_query(text, url.query);
	}
}
