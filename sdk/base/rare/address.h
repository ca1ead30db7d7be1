/*
 * Addresses of servers: URLs of http and https, and user:password@host:port on its own. Read by one rule wherever one is
 * given, and shown without their secrets. Pure.
 *
 * What is read is what libcurl reads, or it is refused: what libcurl would forgive or change (a third slash, %41 in a
 * host, 127.1) is no address here. Source: RFC 3986, RFC 6874.
 */
#ifndef OTLOG_BASE_RARE_ADDRESS_H
#define OTLOG_BASE_RARE_ADDRESS_H

#include "sdk/base/strings.h"

/* Parts of the text that was read, as they are written there. What is not there is empty. */
typedef struct otlog__authority {
	otlog__text user;
	otlog__text password;
	otlog__text host; /* an IPv6 address with its brackets */
	otlog__text port; /* digits, for 1 to 65535 */
} otlog__authority;

typedef struct otlog__url {
	bool tls; /* https */
	otlog__authority authority;
	otlog__text server; /* host and port as one */
	otlog__text path;
	otlog__text query;    /* behind its '?' */
	otlog__text fragment; /* behind its '#' */
} otlog__url;

/* Bytes that a URL may have. */
#define OTLOG__URL_SIZE_MAX 8192

/* Both return NULL, or why the text is none: a static string that continues "It is no URL: ". *out is then scratch. */
const char *otlog__authority_parse(otlog__text text, otlog__authority *out);
const char *otlog__url_parse(otlog__text text, otlog__url *out);

/* The port, also where the URL leaves it to its scheme. */
otlog__text otlog__url_port(const otlog__url *url);

/* Scheme, host, port and path alone: nothing that could be a secret. NULL if memory is short; free with free(). */
char *otlog__url_display(const otlog__url *url);

/* The host without the brackets of an IPv6 address. */
otlog__text otlog__host_bare(otlog__text host);

/* Whether the host, with or without brackets, is this machine by its name or number. */
bool otlog__host_is_loopback(otlog__text host);

/*
 * Writes what of an address may stand in a message, however malformed it is: `***` for everything before the last '@'
 * and for what follows the '?' or '#', the end cut off where out[0…size) has no room for it. `size`: at least 4.
 */
void otlog__address_show(otlog__text address, char *out, size_t size);

#endif
