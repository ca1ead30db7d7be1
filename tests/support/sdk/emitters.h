/* Threads that emit numbered records all at once: each has its `thread` and `sequence` as attributes. */
#ifndef TESTS_SUPPORT_SDK_EMITTERS_H
#define TESTS_SUPPORT_SDK_EMITTERS_H

#include <otlog/otlog.h>

/* One thread's: its records are numbered on from one run to the next. */
typedef struct emitter {
	otlog_logger *logger;
	int64_t thread;
	int64_t next;     /* sequence */
	uint64_t refused; /* by emit; these have no number */
	unsigned records; /* a run */
} emitter;

/* Runs them all, a thread each, until each has emitted its records. Ends the test program if it cannot. */
void emitters_run(emitter *emitters, unsigned count);

#endif
