/*
 * Keeps fork out of libcurl and OpenSSL. They have locks that are global to the process and are not looked after when it
 * forks: a child of a moment in which a thread of ours held one would wait for it for ever. So our threads stand inside
 * the guard while they call what may take such locks, and a fork waits until they have left.
 *
 * Nothing that blocks is called inside, so that takes moments. A fork waits for half a second at most; where that was
 * not enough the child knows.
 */
#ifndef OTLOG_EXPORTERS_PEER_FORK_GUARD_H
#define OTLOG_EXPORTERS_PEER_FORK_GUARD_H

#include <stdbool.h>

/* Any number of threads may be inside; none may enter twice. The first one ever sets handlers with pthread_atfork. */
void otlog__fork_guard_enter(void);
void otlog__fork_guard_leave(void);

/* False in a child whose fork found a thread inside that did not leave in time. */
bool otlog__fork_guard_is_sound(void);

#endif
