/* A forked child may call everything, gets nothing, and harms nothing of its parent's. */
#include "tests/support/harness/cmocka.h"

#include "sdk/base/clock.h"
#include "sdk/queue/queue.h"
#include "sdk/queue/scopes.h"
#include "tests/support/harness/check.h"
#include "tests/support/queues/queue_crew.h"
#include "tests/support/queues/queue_directory.h"
#include "tests/support/queues/queue_image.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LANE_BYTES 65536u

static const char *const names[] = { "near", "far" };
static otlog__frame_ref refs[64];

static otlog__queue *
open_queue(const char *directory)
{
	otlog__queue *queue = otlog__queue_open(&(otlog__queue_options){
	    .directory = directory, .bytes = 4 * LANE_BYTES, .lanes = 4, .pipelines = names, .pipeline_count = 2 });
	assert_non_null(queue);
	return queue;
}

static bool
put(otlog__queue *queue, uint16_t mask)
{
	otlog__slot slot;
	if (otlog__queue_begin(queue, 32, &slot) != OTLOG_EMIT_ACCEPTED)
		return false;
	memset(slot.bytes, 'p', 32);
	otlog__queue_commit(queue, &slot, 32, 0, mask);
	return true;
}

static void
child_reads_and_waits(otlog__queue *queue)
{
	otlog__batch_span span;
	otlog__queue_mark mark;
	for (uint32_t p = 0; p < 2; p++) {
		CHECK(otlog__queue_read_begin(queue, p, 64, SIZE_MAX, refs, &span) == 0);
		otlog__queue_read_end(queue, p);
		otlog__queue_finish(queue, p, &span, &(otlog__batch_end){ 0 });
		otlog__queue_set_away(queue, p, true);
		CHECK(otlog__queue_waiting(queue, p) == 0);
		otlog__queue_wait(queue, p, 1, UINT64_MAX);
		otlog__queue_wake(queue, p);
	}
	otlog__queue_take_mark(queue, &mark);
	CHECK(otlog__queue_passed(queue, 0, &mark) && otlog__queue_passed(queue, 1, &mark));
	otlog__queue_wait_progress(queue, 0, UINT64_MAX);
	CHECK(otlog__queue_evict(queue) == 0);
	otlog__queue_wait_filled(queue, UINT64_MAX);
	otlog__queue_wake_keeper(queue);
}

/* Everything there is, in an order that a provider might take. */
static void
be_child(otlog__queue *queue)
{
	otlog__slot slot;
	otlog__queue_books books;
	otlog__pipeline_books pipeline;
	alarm(20); /* a child that hangs is killed, and that is seen */
	CHECK(otlog__queue_begin(queue, 32, &slot) == OTLOG_EMIT_DISABLED);
	otlog__queue_refuse(queue, OTLOG_DROP_BUSY);
	CHECK(otlog__queue_wait_room(queue, 32, UINT64_MAX));
	otlog__queue_add_scope(queue, "child", 5, NULL, 0);
	CHECK(otlog__scopes_get(otlog__queue_scopes(queue), 0).head_size == 6);
	otlog__queue_take_books(queue, &books);
	CHECK(books.accepted == 0 && books.bytes_used == 0);
	otlog__pipeline_take_books(queue, 0, &pipeline);
	CHECK(pipeline.accepted == 0);
	child_reads_and_waits(queue);
	otlog__queue_tell_progress(queue);
	CHECK(otlog__queue_seal(queue, UINT64_MAX));
	CHECK(otlog__queue_close(queue));
	otlog__queue_take_books(queue, &books);
	otlog__queue_free(queue);

	/* And it has a queue of its own at once. */
	otlog__queue *own = open_queue(NULL);
	CHECK(put(own, 1));
	otlog__queue_free(own);
	_exit(0);
}

static void
fork_child(otlog__queue *queue)
{
	fflush(NULL);
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0)
		be_child(queue);
	int status;
	while (waitpid(child, &status, 0) < 0)
		CHECK(errno == EINTR);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void
check_parent(const char *directory)
{
	otlog__queue *queue = open_queue(directory);
	otlog__queue_books books;
	otlog__pipeline_books pipeline;
	otlog__batch_span span;
	assert_int_equal(otlog__queue_add_scope(queue, "parent", 6, NULL, 0), 0);
	for (int i = 0; i < 10; i++)
		assert_true(put(queue, 3));
	fork_child(queue);
	for (int i = 0; i < 10; i++)
		assert_true(put(queue, 3));
	otlog__queue_take_books(queue, &books);
	assert_int_equal(books.accepted, 20);
	assert_int_equal(books.refused[OTLOG_DROP_BUSY], 0);
	assert_int_equal(otlog__queue_evict(queue), 0);
	assert_int_equal(otlog__queue_read_begin(queue, 0, 64, SIZE_MAX, refs, &span), 20);
	otlog__queue_read_end(queue, 0);
	otlog__queue_finish(queue, 0, &span, &(otlog__batch_end){ 0 });
	otlog__pipeline_take_books(queue, 0, &pipeline);
	assert_int_equal(pipeline.delivered, 20);
	assert_int_equal(otlog__queue_add_scope(queue, "another", 7, NULL, 0), 1);
	if (directory) {
		char path[512];
		assert_int_equal(queue_directory_find(directory, ".queue", path), 1); /* the child removed nothing */
		assert_int_equal(queue_directory_find(directory, ".meta", path), 1);
		assert_int_equal(queue_meta_walk(path, NULL, NULL), 1 + 2 + 2); /* and wrote nothing */
	}
	otlog__queue_free(queue);
}

static void
a_child_leaves_its_parents_memory_alone(void **state)
{
	(void)state;
	check_parent(NULL);
}

static void
a_child_leaves_its_parents_file_alone(void **state)
{
	char directory[64];
	(void)state;
	queue_directory_make(directory);
	check_parent(directory);
	queue_directory_remove(directory);
}

static void
a_child_may_be_forked_while_a_lock_is_held(void **state)
{
	(void)state;
	otlog__batch_span span;
	otlog__slot slot;
	otlog__queue *queue = open_queue(NULL);
	otlog__queue_add_scope(queue, "parent", 6, NULL, 0);
	put(queue, 3);
	assert_int_equal(otlog__queue_begin(queue, 32, &slot), OTLOG_EMIT_ACCEPTED);
	assert_int_equal(otlog__queue_read_begin(queue, 0, 64, SIZE_MAX, refs, &span), 1);
	fork_child(queue);
	otlog__queue_read_end(queue, 0);
	otlog__queue_cancel(queue, &slot);
	otlog__queue_free(queue);
}

static void
forks_under_load_lose_nothing(void **state)
{
	char directory[64];
	(void)state;
	queue_directory_make(directory);
	otlog__queue *queue = open_queue(directory);
	otlog__queue_add_scope(queue, "parent", 6, NULL, 0);
	crew_ledger *ledger = crew_ledger_make();
	crew crew = { .queue = queue, .ledger = ledger, .numbers = 20000 };
	crew_start(&crew);
	for (int i = 0; i < 20; i++)
		fork_child(queue);
	crew_join_producers(&crew);
	crew_join_rest(&crew);

	uint64_t lost = 0, accepted = 0;
	for (uint32_t source = 0; source < CREW_SOURCES; source++)
		for (uint32_t number = 0; number < atomic_load(&ledger->returned[source]); number++) {
			uint8_t entry = atomic_load_explicit(&ledger->entry[source][number], memory_order_relaxed);
			accepted += (entry & CREW_ACCEPTED) != 0;
			lost += (entry & CREW_ACCEPTED) && (crew_mask(number) & 1) && !(entry & CREW_FINISHED_0);
		}
	otlog__queue_books books;
	otlog__queue_take_books(queue, &books);
	assert_int_equal(books.accepted, accepted);
	assert_int_equal(lost, 0);
	assert_int_equal(atomic_load(&ledger->faults), 0);
	otlog__queue_free(queue);
	queue_directory_remove(directory);
	crew_ledger_free(ledger);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_leaves_its_parents_memory_alone),
		cmocka_unit_test(a_child_leaves_its_parents_file_alone),
		cmocka_unit_test(a_child_may_be_forked_while_a_lock_is_held),
		cmocka_unit_test(forks_under_load_lose_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
