/*
 * An HTTP proxy on a free loopback port that leads everywhere to one place: a request that names any host goes to a server
 * on this machine, by CONNECT or whole. One connection at a time.
 */
#ifndef TESTS_SUPPORT_SERVERS_CONNECT_PROXY_H
#define TESTS_SUPPORT_SERVERS_CONNECT_PROXY_H

typedef struct connect_proxy connect_proxy;

/* `refusal`: it answers every request with that status; 0: it lets them through. */
connect_proxy *connect_proxy_start(unsigned upstream_port, unsigned refusal);
unsigned connect_proxy_port(const connect_proxy *proxy);

/* Connections taken so far. */
unsigned connect_proxy_connections(connect_proxy *proxy);

/* The head of the last connection's first request; good until the next one comes. "" if there was none. */
const char *connect_proxy_head(connect_proxy *proxy);

void connect_proxy_stop(connect_proxy *proxy);

#endif
