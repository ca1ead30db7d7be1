#include "exporters/http/http_header.h"

#include <curl/curl.h>

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool
otlog__header_name_valid(const char *name)
{
	static const char token[] = "!#$%&'*+-.^_`|~0123456789"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	return name && *name && name[strspn(name, token)] == '\0';
}

bool
otlog__header_value_valid(const char *value)
{
	if (!value)
		return false;
	for (; *value; value++) {
		unsigned char c = (unsigned char)*value;
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

bool
otlog__header_is_ours(const char *name)
{
	static const char *const ours[] = { "Content-Type",   "Content-Encoding", "Content-Length", "Transfer-Encoding",
		                            "Expect",         "Connection",       "Upgrade",        "TE",
		                            "Accept-Encoding" };
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		if (strcasecmp(name, ours[i]) == 0)
			return true;
	return false;
}

bool
otlog__header_append(struct curl_slist **list, const char *name, const char *value)
{
	value += strspn(value, " \t");
	char *line = NULL;
	/* A colon with nothing behind it would tell libcurl to leave the header out; a semicolon sends it empty. */
	int size = *value ? asprintf(&line, "%s: %s", name, value) : asprintf(&line, "%s;", name);
	if (size < 0)
		return false;
	struct curl_slist *longer = curl_slist_append(*list, line);
	free(line);
	if (!longer)
		return false;
	*list = longer;
	return true;
}
