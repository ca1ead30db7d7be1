/* The address of a destination: checked once, and printable without the credentials it may hold. Pure. */
#ifndef OTLOG_EXPORTERS_HTTP_ADDRESS_H
#define OTLOG_EXPORTERS_HTTP_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct otlog__address {
	char *full;    /* as given; may hold user, password or a key: never print it */
	char *display; /* scheme, host, port and path only */
	char *host;    /* a number without its brackets */
	char *port;    /* also where the URL leaves it to its scheme */
	bool loopback; /* the host is this machine by its name or number */
} otlog__address;

/*
 * Fills *address. Returns NULL, or why the text is no URL of an HTTP server: a static string, with *address left {0}. Free with
 * otlog__address_free in every case.
 */
const char *otlog__address_parse(const char *text, otlog__address *address);
void otlog__address_free(otlog__address *address);

/*
 * Writes text that is no URL so that it may be printed: without anything before an `@`, without a query, and with `?`
 * for what is not printable ASCII. Always NUL-terminated.
 */
void otlog__address_redact(const char *text, char *out, size_t out_size);

#endif
