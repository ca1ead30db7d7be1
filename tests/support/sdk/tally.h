/*
 * What became of every record of a run, apart from the queue: in shared memory, so that processes which are killed leave
 * it behind. Record by record: what the emit answered, and how often the destination got it.
 *
 * Records are those of queue_record.h, as bytes in the body, numbered for each source; a source is one thread of one
 * process.
 */
#ifndef TESTS_SUPPORT_SDK_TALLY_H
#define TESTS_SUPPORT_SDK_TALLY_H

#include "tests/support/servers/receiver.h"

#include <otlog/otlog.h>

#include <stdatomic.h>

typedef struct tally {
	uint32_t sources;
	uint32_t numbers;           /* of each */
	_Atomic uint32_t away;      /* the destination takes nothing at the moment */
	_Atomic uint32_t attempts;  /* to deliver */
	_Atomic uint32_t strange;   /* records that are none of ours, or damaged */
	_Atomic uint32_t largest;   /* records of one request */
	_Atomic uint32_t *returned; /* by source: emits 0 … returned - 1 have their answer. Writer: the thread */
	_Atomic uint8_t *refused;   /* by source and number */
	_Atomic uint8_t *seen;      /* the same */
	size_t size;
} tally;

tally *tally_make(uint32_t sources, uint32_t numbers);
void tally_free(tally *tally);

/* Forgets all, while nobody emits or delivers. */
void tally_clear(tally *tally);

/* Emits the next number of the source and enters the answer, which it returns. There must be a number left. */
otlog_emit_result tally_emit(tally *tally, otlog_logger *logger, uint32_t source);

/* The destination has taken a request. Signal-safe, and allocates nothing. */
void tally_enter(tally *tally, const void *request, size_t size);

/* A destination in this process. Allocates nothing; `name` is not copied. */
otlog_exporter tally_exporter(tally *tally, const char *name);

/* One over HTTP: the judge of a receiver, whose user is the tally. */
unsigned tally_judge(void *tally, const receiver_request *request);

typedef struct tally_sum {
	uint64_t returned; /* emits */
	uint64_t accepted; /* of them */
	uint64_t refused;
	uint64_t seen;    /* of those accepted, at least once */
	uint64_t missing; /* of those accepted, never */
	uint64_t twice;   /* beyond the first time */
	uint64_t wrong;   /* seen although refused, or never emitted */
} tally_sum;

/* Of the sources from `first` on. Once nobody emits or delivers any more. */
tally_sum tally_count(const tally *tally, uint32_t first, uint32_t count);

/* CHECKs that every pipeline's books balance. Returns what the first dropped behind emit. */
uint64_t tally_check_books(const otlog_statistics_snapshot *books);

/*
 * CHECKs that the books of a provider with one pipeline, which alone has emitted and delivered all of it, are what was
 * seen: to the last record.
 */
void tally_check_statistics(const tally_sum *sum, const otlog_statistics_snapshot *books);

#endif
