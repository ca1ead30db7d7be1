/*
 * What became of every record of a run, apart from the queue: in shared memory, so that processes which are killed leave
 * it behind. Record by record: what the emit answered, and how often each destination got it.
 *
 * Records are those of queue_record.h, as bytes in the body, numbered for each source; a source is one thread of one
 * process.
 */
#ifndef TESTS_SUPPORT_SDK_TALLY_H
#define TESTS_SUPPORT_SDK_TALLY_H

#include "tests/support/sdk/sdk_books.h"
#include "tests/support/servers/receiver.h"

#include <otlog/otlog.h>

#include <stdatomic.h>

#define TALLY_DESTINATIONS 2u

/* The resource attribute in which a process has its number, where that is looked at. */
#define TALLY_PROCESS "process"

typedef struct tally tally;

typedef struct tally_destination {
	tally *tally;
	_Atomic uint32_t away; /* it takes nothing at the moment. Writer: the test */
	_Atomic uint8_t *seen; /* by source and number: how often */
} tally_destination;

struct tally {
	uint32_t sources;
	uint32_t numbers; /* of each */
	/*
	 * Not 0: how many sources a process has, those of process p being p * threads … p * threads + threads - 1. Then a
	 * record must also have the scope of its thread (tally_logger) and the resource of its process (TALLY_PROCESS).
	 * Writer: the test, before the first emit.
	 */
	uint32_t threads;
	_Atomic uint32_t attempts;  /* to deliver */
	_Atomic uint32_t strange;   /* records that are none of ours, or damaged, or under another's name */
	_Atomic uint32_t largest;   /* records of one request */
	_Atomic uint32_t *returned; /* by source: emits 0 … returned - 1 have their answer. Writer: the thread */
	_Atomic uint8_t *refused;   /* by source and number */
	tally_destination destinations[TALLY_DESTINATIONS]; /* use as many as there are pipelines */
	size_t size;
};

tally *tally_make(uint32_t sources, uint32_t numbers);
void tally_free(tally *tally);

/* Forgets all, while nobody emits or delivers. */
void tally_clear(tally *tally);

/* The logger of a thread of this process; a NULL provider is the global one. */
otlog_logger *tally_logger(otlog_provider *provider, uint32_t thread);

/* Emits the next number of the source and enters the answer, which it returns. There must be a number left. */
otlog_emit_result tally_emit(tally *tally, otlog_logger *logger, uint32_t source);

/* Whether there is. */
bool tally_has_more(const tally *tally, uint32_t source);

/* Emits that have returned, of the sources from `first` on. */
uint64_t tally_returned(const tally *tally, uint32_t first, uint32_t count);

/* The destination has taken a request. Signal-safe, and allocates nothing. */
void tally_enter(tally_destination *destination, const void *request, size_t size);

/* A destination in this process. Allocates nothing; `name` is not copied. */
otlog_exporter tally_exporter(tally_destination *destination, const char *name);

/* One over HTTP: the judge of a receiver, whose user is the destination. */
unsigned tally_judge(void *destination, const receiver_request *request);

typedef struct tally_sum {
	uint64_t returned; /* emits */
	uint64_t accepted; /* of them */
	uint64_t refused;
	uint64_t seen;    /* of those accepted, at least once */
	uint64_t missing; /* of those accepted, never */
	uint64_t twice;   /* beyond the first time */
	uint64_t wrong;   /* seen although refused, or never emitted */
} tally_sum;

/* Of the sources from `first` on, at one destination. Once nobody emits or delivers any more. */
tally_sum tally_count(const tally_destination *destination, uint32_t first, uint32_t count);

/* CHECKs that every pipeline's books balance. Returns what the first dropped behind emit. */
uint64_t tally_check_books(const sdk_books *books);

/*
 * CHECKs that the books of a provider with one pipeline, which alone has emitted and delivered all of it, are what was
 * seen: to the last record.
 */
void tally_check_statistics(const tally_sum *sum, const sdk_books *books);

#endif
