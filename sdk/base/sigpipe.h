/*
 * Keeps SIGPIPE from the host, where something is written that nobody may read any more. libcurl's own sockets never
 * raise it, but a TLS library writes to the socket itself, also when a connection is closed, which may happen in an
 * application's thread.
 */
#ifndef OTLOG_BASE_SIGPIPE_H
#define OTLOG_BASE_SIGPIPE_H

#include <signal.h>

/* Blocks SIGPIPE in the calling thread; *previous is for otlog__sigpipe_release. */
void otlog__sigpipe_hold(sigset_t *previous);

/* Swallows a SIGPIPE that came meanwhile and brings the thread's signal mask back. */
void otlog__sigpipe_release(const sigset_t *previous);

#endif
