/* Who sleeps is woken, by what it waits for and not for ever; and nobody is woken for every record. */
#include "tests/support/harness/cmocka.h"

#include "sdk/base/clock.h"
#include "sdk/queue/queue.h"
/* The inside of a queue: only its wake-up words tell that a thread sleeps, and that nobody was woken for nothing. */
#include "sdk/queue/state.h"
#include "tests/support/queues/queue_fixture.h"

#include <errno.h>
#include <pthread.h>

#define LONG_NANO (60 * OTLOG__NANOS_PER_S) /* no test takes that long unless a wake-up is lost */

static uint64_t
soon(uint64_t ms)
{
	return otlog__monotonic_nano() + ms * OTLOG__NANOS_PER_MS;
}

/* A thread that sleeps in one of the waits, and what came of it. */
typedef struct sleeper {
	otlog__queue *queue;
	void *(*sleep)(void *);
	uint32_t enough;
	bool told;
	uint64_t slept_until;
	uint32_t seen;
	pthread_t thread;
	_Atomic uint32_t done;
} sleeper;

static void
fall_asleep(sleeper *s, otlog__sleeper *bed)
{
	assert_int_equal(pthread_create(&s->thread, NULL, s->sleep, s), 0);
	while (!atomic_load(&bed->sleeping) && !atomic_load(&s->done))
		sched_yield();
}

static void
join(sleeper *s)
{
	pthread_join(s->thread, NULL);
}

static void *
wait_for_records(void *argument)
{
	sleeper *s = argument;
	/* Again as long as there is not enough, as a worker does. */
	while (!(s->told = otlog__queue_wait(s->queue, 0, s->enough, otlog__monotonic_nano() + LONG_NANO))) {
	}
	atomic_store(&s->done, 1);
	return NULL;
}

static void
a_worker_is_woken_when_there_is_enough(void **state)
{
	(void)state;
	static const uint32_t enough[] = { 1, 2, 3, 7, 100, 512 };
	for (uint32_t lanes = 1; lanes <= 8; lanes *= 2)
		for (size_t i = 0; i < sizeof enough / sizeof enough[0]; i++) {
			otlog__queue *queue = queue_open(lanes, 1, 0);
			sleeper s = { .queue = queue, .sleep = wait_for_records, .enough = enough[i] };
			fall_asleep(&s, &queue->pipelines[0].wake);
			uint32_t word = atomic_load(&queue->pipelines[0].wake.word);
			for (uint32_t n = 1; n < enough[i]; n++)
				assert_true(queue_put(queue, 8, 1));
			assert_int_equal(atomic_load(&queue->pipelines[0].wake.word), word); /* not before */
			assert_true(queue_put(queue, 8, 1));
			assert_int_equal(atomic_load(&queue->pipelines[0].wake.word), word + 1);
			join(&s);
			assert_true(s.told);
			for (int n = 0; n < 100; n++)
				queue_put(queue, 8, 1);
			assert_int_equal(atomic_load(&queue->pipelines[0].wake.word), word + 1); /* once */
			otlog__queue_free(queue);
		}
}

static void
a_worker_is_woken_by_bytes_too_and_does_not_spin_on_them(void **state)
{
	(void)state;
	otlog__queue *queue = queue_open(4, 1, 0);
	sleeper s = { .queue = queue, .sleep = wait_for_records, .enough = 1000000 };
	fall_asleep(&s, &queue->pipelines[0].wake);
	for (int i = 0; i < 4; i++)
		assert_true(queue_put(queue, 4080, 1)); /* a quarter of a lane */
	join(&s);
	assert_true(s.told);
	/* Told once; who does not read is not told again. */
	uint64_t until = soon(5);
	assert_false(otlog__queue_wait(queue, 0, 1000000, until));
	while (otlog__monotonic_nano() < until)
		assert_false(otlog__queue_wait(queue, 0, 1000000, until));
	assert_int_equal(queue_drain(queue, 0), 4);
	for (int i = 0; i < 4; i++)
		assert_true(queue_put(queue, 4080, 1));
	assert_true(otlog__queue_wait(queue, 0, 1000000, soon(60000)));
	otlog__queue_free(queue);
}

static void
a_worker_is_woken_where_a_batch_is_more_than_the_queue_may_hold(void **state)
{
	(void)state;
	otlog__queue *queue = queue_open(4, 1, 20);
	sleeper s = { .queue = queue, .sleep = wait_for_records, .enough = 512 };
	fall_asleep(&s, &queue->pipelines[0].wake);
	for (int i = 0; i < 10; i++)
		assert_true(queue_put(queue, 8, 1));
	join(&s);
	otlog__queue_free(queue);
}

static void
what_waits_already_needs_no_sleep(void **state)
{
	(void)state;
	otlog__queue *queue = queue_open(2, 1, 0);
	for (int i = 0; i < 10; i++)
		queue_put(queue, 8, 1);
	assert_true(otlog__queue_wait(queue, 0, 10, UINT64_MAX));
	uint64_t until = soon(3);
	assert_false(otlog__queue_wait(queue, 0, 11, until));
	assert_true(otlog__monotonic_nano() >= until);
	otlog__queue_free(queue);
}

static void
a_wake_before_the_wait_is_not_lost(void **state)
{
	(void)state;
	otlog__queue *queue = queue_open(2, 2, 0);
	otlog__queue_wake(queue, 1);
	otlog__queue_wait(queue, 1, UINT32_MAX, UINT64_MAX);
	otlog__queue_wake(queue, 1);
	otlog__queue_wait(queue, 1, 5, UINT64_MAX);
	otlog__queue_wake_keeper(queue);
	otlog__queue_wait_filled(queue, UINT64_MAX);
	otlog__queue_free(queue);
}

static void
records_do_not_end_a_sleep_that_waits_for_a_wake_only(void **state)
{
	(void)state;
	otlog__queue *queue = queue_open(1, 1, 0);
	while (queue_put(queue, 1000, 1)) {
	}
	uint64_t until = soon(5);
	assert_false(otlog__queue_wait(queue, 0, UINT32_MAX, until));
	assert_true(otlog__monotonic_nano() >= until);
	otlog__queue_free(queue);
}

static void *
wait_for_room(void *argument)
{
	sleeper *s = argument;
	s->told = otlog__queue_wait_room(s->queue, 1000, otlog__monotonic_nano() + LONG_NANO);
	atomic_store(&s->done, 1);
	return NULL;
}

static void
who_waits_for_room_is_woken_by_finish_and_by_seal(void **state)
{
	(void)state;
	otlog__queue *queue = queue_open(1, 1, 0);
	sleeper s = { .queue = queue, .sleep = wait_for_room };
	while (queue_put(queue, 1000, 1)) {
	}
	fall_asleep(&s, &queue->room);
	assert_false(atomic_load(&s.done));
	queue_drain(queue, 0);
	join(&s);
	assert_true(s.told);

	while (queue_put(queue, 1000, 1)) {
	}
	s.done = 0;
	fall_asleep(&s, &queue->room);
	otlog__queue_seal(queue, UINT64_MAX);
	join(&s);
	assert_true(s.told);
	otlog__queue_free(queue);
}

static void
who_waits_for_room_in_vain_hears_so_and_errno_is_kept(void **state)
{
	(void)state;
	otlog__queue *queue = queue_open(1, 1, 0);
	while (queue_put(queue, 1000, 1)) {
	}
	uint64_t until = soon(5);
	errno = EXDEV;
	while (otlog__queue_wait_room(queue, 1000, until)) {
	}
	assert_int_equal(errno, EXDEV);
	assert_true(otlog__monotonic_nano() >= until);
	assert_false(otlog__queue_wait_room(queue, 1000, 0));
	assert_true(otlog__queue_wait_room(queue, 8, UINT64_MAX)); /* that much is free: no sleep */
	otlog__queue_free(queue);
}

static void
a_full_queue_wakes_a_worker_that_would_sleep_on(void **state)
{
	(void)state;
	otlog__queue *queue = queue_open(1, 1, 0);
	sleeper s = { .queue = queue, .sleep = wait_for_records, .enough = 1000000 };
	fall_asleep(&s, &queue->pipelines[0].wake);
	atomic_store(&queue->alarms[0].seq, OTLOG__NEVER); /* as if the alarm had been missed */
	atomic_store(&queue->alarms[0].position, OTLOG__NEVER);
	while (queue_put(queue, 1000, 1)) {
	}
	join(&s);
	otlog__queue_free(queue);
}

static void *
wait_for_progress(void *argument)
{
	sleeper *s = argument;
	uint32_t seen = s->seen;
	while (seen == s->seen)
		seen = otlog__queue_wait_progress(s->queue, seen, otlog__monotonic_nano() + LONG_NANO);
	atomic_store(&s->done, 1);
	return NULL;
}

static void
who_waits_for_progress_is_woken_by_finish_by_telling_and_by_eviction(void **state)
{
	(void)state;
	otlog__queue *queue = queue_open(1, 2, 0);
	sleeper s = { .queue = queue, .sleep = wait_for_progress };
	while (queue_put(queue, 1000, 3)) {
	}
	fall_asleep(&s, &queue->progress);
	queue_drain(queue, 0);
	join(&s);
	s.seen = otlog__queue_wait_progress(queue, UINT32_MAX, 0);
	s.done = 0;
	fall_asleep(&s, &queue->progress);
	otlog__queue_tell_progress(queue);
	join(&s);
	s.seen = otlog__queue_wait_progress(queue, UINT32_MAX, 0);
	s.done = 0;
	fall_asleep(&s, &queue->progress);
	otlog__queue_set_away(queue, 1, true);
	assert_true(otlog__queue_evict(queue) > 0);
	join(&s);
	otlog__queue_free(queue);
}

static void *
wait_half_full(void *argument)
{
	sleeper *s = argument;
	otlog__queue_wait_filled(s->queue, s->slept_until = otlog__monotonic_nano() + LONG_NANO);
	atomic_store(&s->done, 1);
	return NULL;
}

static void
the_keeper_is_woken_when_the_queue_is_three_quarters_full(void **state)
{
	(void)state;
	for (uint32_t lanes = 1; lanes <= 8; lanes *= 8)
		for (uint64_t max_records = 0; max_records <= 40; max_records += 40) {
			otlog__queue *queue = queue_open(lanes, 2, max_records);
			uint32_t room = max_records ? 40 : lanes * 64, count = room * 3 / 4;
			sleeper s = { .queue = queue, .sleep = wait_half_full };
			fall_asleep(&s, &queue->keeper.wake);
			for (uint32_t i = 0; i < count; i++)
				assert_true(queue_put(queue, 1008, 3));
			assert_int_equal(atomic_load(&queue->keeper.wake.word), 0);
			while (atomic_load(&queue->keeper.wake.word) == 0 && queue_put(queue, 1008, 3))
				count++;
			join(&s);
			assert_in_range(count, room * 3 / 4, lanes == 1 ? room * 3 / 4 + 1 : room * 7 / 8);
			assert_int_equal(atomic_load(&queue->keeper.wake.word), 1);
			otlog__queue_free(queue);
		}
}

static void
the_keeper_sleeps_although_room_is_short_if_it_can_do_nothing(void **state)
{
	(void)state;
	otlog__queue *queue = queue_open(1, 2, 0);
	for (int i = 0; i < 50; i++)
		assert_true(queue_put(queue, 1008, 3));
	otlog__queue_wait_filled(queue, UINT64_MAX); /* has not looked yet: at once */
	assert_int_equal(otlog__queue_evict(queue), 0);
	uint64_t until = soon(3);
	otlog__queue_wait_filled(queue, until);
	assert_true(otlog__monotonic_nano() >= until);
	while (queue_put(queue, 1008, 3)) {
	}
	otlog__queue_wait_filled(queue, UINT64_MAX); /* much has come since */
	otlog__queue_evict(queue);
	otlog__queue_set_away(queue, 1, true);
	otlog__queue_wait_filled(queue, UINT64_MAX); /* somebody is away now */
	assert_int_equal(otlog__queue_evict(queue), 0);
	queue_drain(queue, 0);
	otlog__queue_wait_filled(queue, UINT64_MAX); /* and the other has read on */
	assert_int_equal(otlog__queue_evict(queue), 24);
	otlog__queue_free(queue);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_worker_is_woken_when_there_is_enough),
		cmocka_unit_test(a_worker_is_woken_by_bytes_too_and_does_not_spin_on_them),
		cmocka_unit_test(a_worker_is_woken_where_a_batch_is_more_than_the_queue_may_hold),
		cmocka_unit_test(what_waits_already_needs_no_sleep),
		cmocka_unit_test(a_wake_before_the_wait_is_not_lost),
		cmocka_unit_test(records_do_not_end_a_sleep_that_waits_for_a_wake_only),
		cmocka_unit_test(who_waits_for_room_is_woken_by_finish_and_by_seal),
		cmocka_unit_test(who_waits_for_room_in_vain_hears_so_and_errno_is_kept),
		cmocka_unit_test(a_full_queue_wakes_a_worker_that_would_sleep_on),
		cmocka_unit_test(who_waits_for_progress_is_woken_by_finish_by_telling_and_by_eviction),
		cmocka_unit_test(the_keeper_is_woken_when_the_queue_is_three_quarters_full),
		cmocka_unit_test(the_keeper_sleeps_although_room_is_short_if_it_can_do_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
