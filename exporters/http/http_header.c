#include "exporters/http/http_header.h"

#include <curl/curl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
