/* Where an answer sends a request on to, and whether it may keep its credentials there. Pure. */
#ifndef OTLOG_EXPORTERS_HTTP_REDIRECT_H
#define OTLOG_EXPORTERS_HTTP_REDIRECT_H

#include "exporters/http/endpoint.h"

typedef struct otlog__redirect {
	otlog__endpoint target;
	bool same_origin; /* scheme, host and port are those of `from` */
} otlog__redirect;

/*
 * Reads the absolute URL `to`, which answers a request to `from`. At the same origin it gets the user and password of
 * `from` if it has none itself; elsewhere it has none. False, with nothing to free, if it is no URL of an HTTP server or
 * memory is short. Free target with otlog__endpoint_free.
 */
bool otlog__redirect_read(const char *from, const char *to, otlog__redirect *redirect);

#endif
