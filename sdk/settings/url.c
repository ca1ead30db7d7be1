#include "sdk/settings/url.h"

#include <stdlib.h>
#include <string.h>

/* The URL with `more` put behind its path. */
static char *
insert(otlog__text text, const otlog__url *url, const char *more)
{
	size_t at = (size_t)(url->path.data + url->path.size - text.data);
	size_t size = strlen(more);
	char *whole = malloc(text.size + size + 1);
	if (!whole)
		return NULL;
	memcpy(whole, text.data, at);
	memcpy(whole + at, more, size);
	memcpy(whole + at + size, text.data + at, text.size - at);
	whole[text.size + size] = '\0';
	return whole;
}

char *
otlog__url_append(otlog__text base, const char *path)
{
	otlog__url url;
	otlog__url_parse(base, &url);
	bool slash = url.path.size && url.path.data[url.path.size - 1] == '/';
	char more[64] = "/";
	strncat(more, path, sizeof more - 2);
	return insert(base, &url, slash ? more + 1 : more);
}

char *
otlog__url_complete(otlog__text text)
{
	otlog__url url;
	otlog__url_parse(text, &url);
	return insert(text, &url, url.path.size ? "" : "/");
}
