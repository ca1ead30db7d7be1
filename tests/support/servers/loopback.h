/* Sockets on this machine, for servers whose thread waits for bytes and for its own end. */
#ifndef TESTS_SUPPORT_SERVERS_LOOPBACK_H
#define TESTS_SUPPORT_SERVERS_LOOPBACK_H

#include <stdbool.h>
#include <stddef.h>

/* A socket bound to a free port of 127.0.0.1, which goes to *port. Nobody can connect to it before listen(). */
int loopback_bind(unsigned *port);

/* The same, listening. */
int loopback_listen(unsigned *port);

/* Connects to a port that somebody listens on. */
int loopback_connect(unsigned port);

/* What a thread hears wherever it waits: a descriptor that becomes readable once it is rung. */
int loopback_bell_make(void);
void loopback_bell_ring(int stop);

/* True once the descriptor is ready; false if the bell `stop` is rung first, or after `timeout_ms` (-1: never). */
bool loopback_wait(int stop, int fd, short events, int timeout_ms);

/* False if the peer is gone, or `stop` is rung. */
bool loopback_send(int stop, int fd, const void *data, size_t size);

/* Closing the connection will be an RST. */
void loopback_reset(int fd);

#endif
