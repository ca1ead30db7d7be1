/*
 * A witness to what a process emits before it is killed, and to what becomes of it: in shared memory, so that it outlives
 * everybody, and apart from the queue. Record by record: what the emit answered, and how often each place got it.
 *
 * Records are those of queue_record.h, as bytes in the body. Their source is the number of the process times
 * WITNESS_THREADS plus that of the thread, which is in the name of the scope; the process is in the resource. So whoever
 * gets a record can check every byte of it, and what it came under.
 */
#ifndef TESTS_SUPPORT_SDK_WITNESS_H
#define TESTS_SUPPORT_SDK_WITNESS_H

#include <otlog/otlog.h>

#include <stdatomic.h>

#define WITNESS_THREADS 8u
#define WITNESS_PROCESSES 25u
#define WITNESS_SOURCES (WITNESS_THREADS * WITNESS_PROCESSES)
#define WITNESS_NUMBERS 16384u
#define WITNESS_PLACES 2u
#define WITNESS_ATTRIBUTE "victim"

typedef struct witness {
	_Atomic uint32_t away[WITNESS_PLACES]; /* the place takes nothing at the moment. Writer: who kills */
	_Atomic uint32_t strange;              /* records that are none of ours, or damaged, or under another's name */
	_Atomic uint32_t largest;              /* records of one request */
	_Atomic uint32_t attempts;
	_Atomic uint32_t returned[WITNESS_SOURCES]; /* emits 0 … returned - 1 have their answer. Writer: the thread */
	_Atomic uint8_t refused[WITNESS_SOURCES][WITNESS_NUMBERS];
	_Atomic uint8_t seen[WITNESS_PLACES][WITNESS_SOURCES][WITNESS_NUMBERS];
} witness;

witness *witness_make(void);
void witness_free(witness *witness);

/* The logger of a thread, for witness_emit. */
otlog_logger *witness_logger(otlog_provider *provider, uint32_t thread);

/* Emits the next number of the source and enters the answer. False once there are no more numbers. */
bool witness_emit(witness *witness, otlog_logger *logger, uint32_t source, otlog_emit_result *result);

/* Emits that have returned, of one process. */
uint64_t witness_returned(const witness *witness, uint32_t process);

/* A place has taken a request. */
void witness_enter(witness *witness, uint32_t place, const void *request, size_t size);

/* An exporter to the place. A NULL witness is not allowed; `name` is not copied. */
otlog_exporter witness_exporter(witness *witness, uint32_t place, const char *name, uint32_t concurrency);

typedef struct witness_sum {
	uint64_t returned; /* emits */
	uint64_t refused;  /* of them */
	uint64_t lost;     /* accepted, and not seen at a place; or refused, and seen */
	uint64_t twice;    /* beyond the first time, at all places */
	uint64_t unborn;   /* seen, though their emit had not begun */
} witness_sum;

/* Once nobody emits or delivers any more. */
void witness_add(const witness *witness, uint32_t places, witness_sum *sum);

#endif
