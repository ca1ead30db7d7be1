#include "exporters/otlp_grpc/core.h"

#include <grpc/grpc.h>
#include <grpc/support/log.h>

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pid_t owner; /* writer: the thread that initialises, before pthread_once lets others go on */

static void
init(void)
{
	sigset_t signals;
	otlog__grpc_hold_signals(&signals);
	bool first = !grpc_is_initialized();
	grpc_init();
	/* Only who is alone with it may decide how much it says; one above the gravest is silence. */
	if (first && !getenv("GRPC_VERBOSITY") && !getenv("GRPC_TRACE"))
		gpr_set_log_verbosity((gpr_log_severity)(GPR_LOG_SEVERITY_ERROR + 1));
	owner = getpid();
	otlog__grpc_release_signals(&signals);
}

bool
otlog__grpc_usable(void)
{
	pthread_once(&once, init);
	return owner == getpid();
}

void
otlog__grpc_hold_signals(sigset_t *previous)
{
	sigset_t all;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, previous);
}

void
otlog__grpc_release_signals(const sigset_t *previous)
{
	pthread_sigmask(SIG_SETMASK, previous, NULL);
}
