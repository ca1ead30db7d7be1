#include "sdk/base/clock.h"
#include "sdk/base/futex.h"
#include "tests/support/harness/check.h"
#include "tests/support/harness/cmocka.h"

#include <errno.h>
#include <pthread.h>

#define WAITERS 4

static void
a_word_that_has_changed_already_is_not_waited_for(void **state)
{
	(void)state;
	_Atomic uint32_t word = 1;
	otlog__futex_wait(&word, 0, UINT64_MAX); /* would hang, and the test with it */
	assert_int_equal(atomic_load(&word), 1);
}

static void
a_deadline_ends_the_wait_and_not_before_it(void **state)
{
	(void)state;
	_Atomic uint32_t word = 0;
	uint64_t deadline = otlog__deadline_nano(otlog__monotonic_nano(), 20);
	while (otlog__monotonic_nano() < deadline)
		otlog__futex_wait(&word, 0, deadline);
	otlog__futex_wait(&word, 0, deadline); /* in the past */
	otlog__futex_wait(&word, 0, 0);
	assert_true(otlog__monotonic_nano() >= deadline);
}

static void
errno_stays_as_it_was(void **state)
{
	(void)state;
	_Atomic uint32_t word = 0;
	errno = EDOM;
	otlog__futex_wait(&word, 1, UINT64_MAX);
	otlog__futex_wait(&word, 0, 1);
	otlog__futex_wake_all(&word);
	assert_int_equal(errno, EDOM);
}

typedef struct gate {
	_Atomic uint32_t word;
	_Atomic uint32_t waiting;
	int payload; /* written by the opener before it opens */
} gate;

static void *
wait_for_gate(void *argument)
{
	gate *gate = argument;
	atomic_fetch_add(&gate->waiting, 1);
	while (atomic_load_explicit(&gate->word, memory_order_acquire) == 0)
		otlog__futex_wait(&gate->word, 0, UINT64_MAX);
	CHECK(gate->payload == 42);
	return NULL;
}

static void
a_wake_reaches_every_waiter(void **state)
{
	(void)state;
	for (int round = 0; round < 50; round++) {
		gate gate = { 0 };
		pthread_t waiters[WAITERS];
		for (int i = 0; i < WAITERS; i++)
			assert_int_equal(pthread_create(&waiters[i], NULL, wait_for_gate, &gate), 0);
		/* Sometimes before all of them sleep: a wake that comes too early must not be lost either. */
		while (atomic_load(&gate.waiting) < (uint32_t)(round % (WAITERS + 1)))
			;
		gate.payload = 42;
		atomic_store_explicit(&gate.word, 1, memory_order_release);
		otlog__futex_wake_all(&gate.word);
		for (int i = 0; i < WAITERS; i++)
			pthread_join(waiters[i], NULL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_that_has_changed_already_is_not_waited_for),
		cmocka_unit_test(a_deadline_ends_the_wait_and_not_before_it),
		cmocka_unit_test(errno_stays_as_it_was),
		cmocka_unit_test(a_wake_reaches_every_waiter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
