#include "tests/support/queues/queue_crew.h"

#include "sdk/base/clock.h"
#include "tests/support/harness/check.h"
#include "tests/support/harness/process.h"
#include "tests/support/records/queue_record.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#define NOT_A_PRODUCER 99u

static crew *current; /* one crew at a time; set before any thread starts */
static _Thread_local volatile uint32_t producer = NOT_A_PRODUCER;

crew_ledger *
crew_ledger_make(void)
{
	return process_share(sizeof(crew_ledger));
}

void
crew_ledger_free(crew_ledger *ledger)
{
	process_unshare(ledger, sizeof *ledger);
}

uint16_t
crew_mask(uint32_t number)
{
	static const uint16_t masks[8] = { 3, 3, 1, 3, 3, 2, 3, 1 };
	return masks[number % 8];
}

static otlog_emit_result
emit(otlog__queue *queue, uint32_t source, uint32_t number)
{
	otlog__slot slot;
	size_t size = queue_record_size(source, number);
	/* More room than is used at the end, as with an encoder's upper bound. */
	otlog_emit_result result = otlog__queue_begin(queue, size + number % 3 * 100, &slot);
	if (result != OTLOG_EMIT_ACCEPTED)
		return result;
	queue_record_make(slot.bytes, source, number);
	if (number % 61 == 60) {
		otlog__queue_cancel(queue, &slot);
		return OTLOG_EMIT_INVALID;
	}
	otlog__queue_commit(queue, &slot, size, (uint16_t)source, crew_mask(number));
	return result;
}

/* Emits the source's next number and enters the verdict. */
static otlog_emit_result
emit_next(crew *c, uint32_t source, bool block)
{
	crew_ledger *ledger = c->ledger;
	uint32_t number = atomic_load_explicit(&ledger->returned[source], memory_order_relaxed);
	if (number >= CREW_NUMBERS)
		return OTLOG_EMIT_DISABLED;
	errno = EXDEV;
	otlog_emit_result result = emit(c->queue, source, number);
	while (block && result == OTLOG_EMIT_QUEUE_FULL) {
		otlog__queue_wait_room(c->queue, queue_record_size(source, number),
		                       otlog__monotonic_nano() + OTLOG__NANOS_PER_S);
		result = emit(c->queue, source, number);
	}
	if (result != OTLOG_EMIT_ACCEPTED && result != OTLOG_EMIT_INVALID)
		otlog__queue_refuse(c->queue, result == OTLOG_EMIT_BUSY ? OTLOG_DROP_BUSY : OTLOG_DROP_QUEUE_FULL);
	if (errno != EXDEV)
		atomic_fetch_add(&ledger->faults, 1);
	atomic_fetch_or_explicit(&ledger->entry[source][number],
	                         result == OTLOG_EMIT_ACCEPTED ? CREW_ACCEPTED : CREW_REFUSED, memory_order_relaxed);
	atomic_store_explicit(&ledger->returned[source], number + 1, memory_order_release);
	return result;
}

static void
on_signal(int number)
{
	(void)number;
	int saved = errno;
	if (producer < CREW_PRODUCERS)
		emit_next(current, producer + CREW_PRODUCERS, false);
	errno = saved;
}

static void *
produce(void *argument)
{
	crew *c = current;
	producer = (uint32_t)(uintptr_t)argument;
	while (atomic_load_explicit(&c->ledger->returned[producer], memory_order_relaxed) < c->numbers)
		if (emit_next(c, producer, c->block && producer % 2) == OTLOG_EMIT_QUEUE_FULL)
			sched_yield(); /* or the numbers are used up by refusals */
	atomic_fetch_add(&c->producers_done, 1);
	while (atomic_load(&c->producers_done) < CREW_PRODUCERS + 1) /* nobody is signalled after it has gone */
		sched_yield();
	producer = NOT_A_PRODUCER;
	return NULL;
}

/* Checks what was read and notes who it is, as an exporter would copy it. */
static void
copy_batch(crew *c, uint32_t pipeline, const otlog__frame_ref *refs, uint32_t taken, uint32_t (*copies)[2])
{
	for (uint32_t i = 0; i < taken; i++) {
		uint32_t source, number;
		if (queue_record_read(refs[i].bytes, refs[i].size, &source, &number) && source < CREW_SOURCES &&
		    number < CREW_NUMBERS && refs[i].scope == source && (crew_mask(number) >> pipeline & 1)) {
			copies[i][0] = source;
			copies[i][1] = number;
		} else {
			copies[i][0] = CREW_SOURCES;
			atomic_fetch_add(&c->ledger->faults, 1);
		}
	}
}

/* The receiver has them: entered before the queue may forget them. */
static void
deliver(crew *c, uint32_t pipeline, uint32_t taken, uint32_t (*copies)[2])
{
	uint8_t bit = pipeline ? CREW_FINISHED_1 : CREW_FINISHED_0;
	for (uint32_t i = 0; i < taken; i++)
		if (copies[i][0] < CREW_SOURCES &&
		    (atomic_fetch_or_explicit(&c->ledger->entry[copies[i][0]][copies[i][1]], bit,
		                              memory_order_relaxed) &
		     bit))
			atomic_fetch_add(&c->ledger->faults, 1);
}

typedef struct in_flight {
	otlog__batch_span span;
	uint32_t records;
	uint32_t copies[CREW_BATCH][2];
} in_flight;

static uint32_t
take(crew *c, uint32_t pipeline, in_flight *batch)
{
	otlog__frame_ref refs[CREW_BATCH];
	batch->records = otlog__queue_read_begin(c->queue, pipeline, CREW_BATCH, 1 << 20, refs, &batch->span);
	copy_batch(c, pipeline, refs, batch->records, batch->copies);
	otlog__queue_read_end(c->queue, pipeline);
	return batch->records;
}

static void
end(crew *c, uint32_t pipeline, in_flight *batch)
{
	deliver(c, pipeline, batch->records, batch->copies);
	otlog__queue_finish(c->queue, pipeline, &batch->span, &(otlog__batch_end){ 0 });
	if (batch->records)
		atomic_fetch_add_explicit(&c->ledger->finished_batches[pipeline], 1, memory_order_relaxed);
}

/* Keeps up, with two batches in flight. */
static void *
work(void *argument)
{
	crew *c = current;
	in_flight batches[2];
	(void)argument;
	for (;;) {
		bool stop = atomic_load(&c->stop);
		uint32_t taken = take(c, 0, &batches[0]);
		taken += take(c, 0, &batches[1]);
		end(c, 0, &batches[0]);
		end(c, 0, &batches[1]);
		if (taken == 0 && stop)
			return NULL;
		if (taken == 0)
			otlog__queue_wait(c->queue, 0, CREW_BATCH, otlog__monotonic_nano() + OTLOG__NANOS_PER_MS);
	}
}

/* Is away for two milliseconds with every batch. */
static void *
work_far_away(void *argument)
{
	crew *c = current;
	in_flight batch;
	(void)argument;
	for (;;) {
		bool stop = atomic_load(&c->stop);
		uint32_t taken = take(c, 1, &batch);
		if (taken && !stop) {
			uint64_t until = otlog__monotonic_nano() + 2 * OTLOG__NANOS_PER_MS;
			otlog__queue_set_away(c->queue, 1, true);
			while (otlog__monotonic_nano() < until)
				otlog__queue_wait(c->queue, 1, UINT32_MAX, until);
			otlog__queue_set_away(c->queue, 1, false);
		}
		end(c, 1, &batch);
		if (taken == 0 && stop)
			return NULL;
		if (taken == 0)
			otlog__queue_wait(c->queue, 1, 1, otlog__monotonic_nano() + OTLOG__NANOS_PER_MS);
	}
}

static void *
keep(void *argument)
{
	crew *c = current;
	uint64_t delivered = 0;
	(void)argument;
	while (!atomic_load(&c->stop)) {
		otlog__pipeline_books books;
		otlog__queue_wait_filled(c->queue, otlog__monotonic_nano() + OTLOG__NANOS_PER_MS);
		otlog__queue_evict(c->queue);
		otlog__pipeline_take_books(c->queue, 0, &books);
		if (books.delivered < delivered || books.accepted != books.delivered + books.queued + books.filtered)
			atomic_fetch_add(&c->ledger->faults, 1);
		delivered = books.delivered;
	}
	return NULL;
}

void
crew_start(crew *c)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	current = c;
	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
	CHECK(pthread_create(&c->workers[0], NULL, work, NULL) == 0);
	CHECK(pthread_create(&c->workers[1], NULL, work_far_away, NULL) == 0);
	CHECK(pthread_create(&c->keeper, NULL, keep, NULL) == 0);
	for (uintptr_t i = 0; i < CREW_PRODUCERS; i++)
		CHECK(pthread_create(&c->producers[i], NULL, produce, (void *)i) == 0);
}

void
crew_interrupt(const crew *c, uint32_t turn)
{
	struct timespec pause = { .tv_nsec = 20000 };
	pthread_kill(c->producers[turn % CREW_PRODUCERS], SIGUSR1);
	nanosleep(&pause, NULL);
}

void
crew_join_producers(crew *c)
{
	for (uint32_t turn = 0; atomic_load(&c->producers_done) < CREW_PRODUCERS; turn++)
		crew_interrupt(c, turn);
	atomic_fetch_add(&c->producers_done, 1);
	for (uint32_t i = 0; i < CREW_PRODUCERS; i++)
		pthread_join(c->producers[i], NULL);
}

void
crew_join_rest(crew *c)
{
	atomic_store(&c->stop, 1);
	otlog__queue_wake(c->queue, 0);
	otlog__queue_wake(c->queue, 1);
	otlog__queue_wake_keeper(c->queue);
	pthread_join(c->workers[0], NULL);
	pthread_join(c->workers[1], NULL);
	pthread_join(c->keeper, NULL);
}
