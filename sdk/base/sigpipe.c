#include "sdk/base/sigpipe.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <time.h>

void
otlog__sigpipe_hold(sigset_t *previous)
{
	sigset_t pipe;
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, previous);
}

void
otlog__sigpipe_release(const sigset_t *previous)
{
	if (sigismember(previous, SIGPIPE))
		return; /* blocked by the caller: a pending one is no harm, and may be the caller's */
	sigset_t pipe;
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	const struct timespec at_once = { 0, 0 };
	while (sigtimedwait(&pipe, NULL, &at_once) < 0 && errno == EINTR)
		;
	pthread_sigmask(SIG_SETMASK, previous, NULL);
}
