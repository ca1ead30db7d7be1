/* Endpoints: checking URLs, completing them, and showing them without their secrets. */
#ifndef OTLOG_SETTINGS_URL_H
#define OTLOG_SETTINGS_URL_H

#include "sdk/base/strings.h"

/* Why this is no http or https URL with a host, a static reason; NULL if it is one. Source: RFC 3986. */
const char *otlog__url_problem(otlog__text url);

/*
 * A base URL with `path` ("v1/logs") behind its own path, before its query. Give only what otlog__url_problem accepts.
 * NULL when memory is short; free with free(). Source: specification protocol/exporter.md, "Endpoint URLs for
 * OTLP/HTTP".
 */
char *otlog__url_append(otlog__text base, const char *path);

/* The URL as it is, with '/' where it has no path. As above. */
char *otlog__url_complete(otlog__text url);

/*
 * Writes what of the URL may stand in a message, also of a malformed one: no user, no password, no query, and the end
 * cut off where out[0…size) has no room for it.
 */
void otlog__url_show(otlog__text url, char *out, size_t size);

#endif
