/*
 * A crew that works a queue as hard as it can: eight producers, each interrupted by signals whose handler emits too; a
 * worker that keeps up; a worker that is away most of the time, with a batch in flight; a keeper that evicts.
 *
 * What each emit answered and what each worker finished is kept in a ledger, record by record, apart from the queue. It
 * may lie in shared memory, so that it outlives the process.
 */
#ifndef TESTS_SUPPORT_QUEUES_QUEUE_CREW_H
#define TESTS_SUPPORT_QUEUES_QUEUE_CREW_H

#include "sdk/queue/queue.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#define CREW_PRODUCERS 8u
#define CREW_SOURCES 16u /* the producers, then the handlers that interrupt them */
#define CREW_NUMBERS (1u << 20)
#define CREW_BATCH 256u

/* Bits of a ledger's entry. */
enum { CREW_ACCEPTED = 1, CREW_REFUSED = 2, CREW_FINISHED_0 = 4, CREW_FINISHED_1 = 8, CREW_RECOVERED = 16 };

typedef struct crew_ledger {
	_Atomic uint32_t returned[CREW_SOURCES]; /* numbers 0 … returned - 1 have their verdict. Writer: the source */
	_Atomic uint32_t faults;                 /* things that must not happen */
	_Atomic uint32_t finished_batches[2];
	_Atomic uint8_t entry[CREW_SOURCES][CREW_NUMBERS];
} crew_ledger;

typedef struct crew {
	otlog__queue *queue;
	crew_ledger *ledger;
	uint32_t numbers; /* per producer; handlers go on up to CREW_NUMBERS */
	bool block;       /* odd producers wait for room instead of dropping */
	_Atomic uint32_t producers_done;
	_Atomic uint32_t stop;
	pthread_t producers[CREW_PRODUCERS];
	pthread_t workers[2];
	pthread_t keeper;
} crew;

/* Pages of zeros, shared with children. */
crew_ledger *crew_ledger_make(void);
void crew_ledger_free(crew_ledger *ledger);

/* Which pipelines take the record: one, the other, or both. */
uint16_t crew_mask(uint32_t number);

void crew_start(crew *crew);

/* Sends each producer in turn a signal. */
void crew_interrupt(const crew *crew, uint32_t turn);

/* Waits until every producer has emitted its numbers, interrupting them all the while. */
void crew_join_producers(crew *crew);

/* Ends workers and keeper once all that is there is done with. */
void crew_join_rest(crew *crew);

#endif
