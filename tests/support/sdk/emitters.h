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

/* Loggers of the provider, and what a run of each emits. */
void emitters_of(emitter *emitters, unsigned count, otlog_provider *provider, unsigned records);

/*
 * CHECKs the books of a provider with one pipeline, which has been shut down: nothing was refused or dropped, and all that
 * they have emitted was delivered.
 */
void emitters_check_books(const emitter *emitters, unsigned count, otlog_provider *provider);

/* What of it has arrived, record by record. */
typedef struct arrivals {
	const emitter *emitters;
	unsigned count;
	unsigned **times;                /* by thread and sequence */
	size_t arrived;                  /* records */
	size_t accepted, missing, twice; /* once it is closed */
} arrivals;

/* Once nothing is emitted any more. */
arrivals arrivals_open(const emitter *emitters, unsigned count);
/* A request that came. CHECKs that all of its records are theirs. Returns how many. */
size_t arrivals_enter(arrivals *arrivals, const void *request, size_t size);
void arrivals_close(arrivals *arrivals);

#endif
