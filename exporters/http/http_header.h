/* Headers that the user configures: checked before they reach a request. Pure. */
#ifndef OTLOG_EXPORTERS_HTTP_HTTP_HEADER_H
#define OTLOG_EXPORTERS_HTTP_HTTP_HEADER_H

#include <stdbool.h>

struct curl_slist;

/* A token (RFC 9110 section 5.1): what a header may be called. NULL and "" are not. */
bool otlog__header_name_valid(const char *name);

/* No control characters but tabs (RFC 9110 section 5.5): nothing that could end the line. NULL is not valid. */
bool otlog__header_value_valid(const char *value);

/* True for headers that describe the body or the connection: the transport alone sets these. */
bool otlog__header_is_ours(const char *name);

/* Appends the header to the list. False, with the list unchanged, when memory is short. */
bool otlog__header_append(struct curl_slist **list, const char *name, const char *value);

#endif
