/* Endpoints made whole: the path that OTLP's logs go to, or the one that a URL leaves out. */
#ifndef OTLOG_SETTINGS_URL_H
#define OTLOG_SETTINGS_URL_H

#include "sdk/base/rare/address.h"

/*
 * A base URL with `path` ("v1/logs") behind its own path, before its query. Give only what otlog__url_parse accepts.
 * NULL when memory is short; free with free(). Source: specification protocol/exporter.md, "Endpoint URLs for
 * OTLP/HTTP".
 */
char *otlog__url_append(otlog__text base, const char *path);

/* The URL as it is, with '/' where it has no path. As above. */
char *otlog__url_complete(otlog__text url);

#endif
