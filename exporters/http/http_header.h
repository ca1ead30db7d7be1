/* Headers of a request, in the form that libcurl takes. */
#ifndef OTLOG_EXPORTERS_HTTP_HTTP_HEADER_H
#define OTLOG_EXPORTERS_HTTP_HTTP_HEADER_H

#include <stdbool.h>

struct curl_slist;

/* Appends the header to the list. False, with the list unchanged, when memory is short. */
bool otlog__header_append(struct curl_slist **list, const char *name, const char *value);

#endif
