/*
 * Nginx as a reverse proxy, mostly with TLS, on a free loopback port, in front of a receiver; from its own
 * configuration in a folder of its own. Ends with the test program, whatever becomes of that.
 */
#ifndef TESTS_SUPPORT_SERVERS_NGINX_H
#define TESTS_SUPPORT_SERVERS_NGINX_H

#include "tests/support/servers/certificates.h"

typedef struct nginx nginx;

typedef struct nginx_options {
	const certificate *certificate; /* its own; NULL: plain HTTP */
	const char *client_authorities; /* a PEM file: only clients with certificates of these. NULL: all */
	unsigned upstream_port;
	const char *answer; /* directives for every request, in the place of the upstream: "return 503;". NULL: none */
	const char *body_limit; /* as nginx writes sizes: "1k". NULL: 64m */
} nginx_options;

/* Ends the test program if there is no nginx. The upstream need not run. */
nginx *nginx_start(const nginx_options *options);

/* Ends it and starts it with other options on the same port; connections that come meanwhile wait. */
void nginx_restart(nginx *nginx, const nginx_options *options);

/* NULL is allowed. */
void nginx_stop(nginx *nginx);

/* "https://127.0.0.1:PORT/v1/logs", or http. Upstream sees the client certificate's subject in the header X-Client. */
const char *nginx_url(const nginx *nginx);
unsigned nginx_port(const nginx *nginx);

#endif
