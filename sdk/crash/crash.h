/*
 * The crash handler: one record of a deadly signal, then whatever would have happened without it. See "Crash records" in
 * otlog/sdk.h.
 *
 * Whoever handled the signal before is called afterwards, with its own mask; where nobody did, the signal takes its
 * course under the default action, so that core dump and exit status are those that they would have been. A handler that
 * was set behind ours and hands on to it still finds it here after it was removed.
 */
#ifndef OTLOG_CRASH_CRASH_H
#define OTLOG_CRASH_CRASH_H

#include <otlog/sdk.h>

/* The logger, one of the global provider's, takes the records. Never at the same time as otlog__crash_remove. */
void otlog__crash_install(otlog_logger *takes);

/* Looks at which libraries have been loaded since. Any thread, now and again; not in a signal handler. */
void otlog__crash_refresh(void);

/* Puts back what was there before, for each signal that nobody else has taken since. */
void otlog__crash_remove(void);

#endif
