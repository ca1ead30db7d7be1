/* Where an HTTP exporter sends to: a URL of base/address, kept as the transport and its messages need it. */
#ifndef OTLOG_EXPORTERS_HTTP_ENDPOINT_H
#define OTLOG_EXPORTERS_HTTP_ENDPOINT_H

#include <stdbool.h>

typedef struct otlog__endpoint {
	char *full;    /* as given; may hold user, password or a key: never print it */
	char *display; /* scheme, host, port and path only */
	char *host;    /* an IPv6 address without its brackets */
	char *port;    /* also where the URL leaves it to its scheme */
	bool loopback; /* the host is this machine by its name or number */
} otlog__endpoint;

/*
 * Fills *endpoint. Returns NULL, or why the text is no URL of an HTTP server: a static string, with *endpoint left {0}.
 * NULL counts as empty. Free with otlog__endpoint_free in every case.
 */
const char *otlog__endpoint_read(const char *text, otlog__endpoint *endpoint);
void otlog__endpoint_free(otlog__endpoint *endpoint);

#endif
