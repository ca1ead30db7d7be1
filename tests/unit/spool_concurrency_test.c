/* One thread appends, one takes and finishes, one looks at the books and syncs: nothing is lost, nothing comes twice. */
#include "tests/support/harness/cmocka.h"

#include "tests/support/harness/check.h"
#include "tests/support/queues/spool_folder.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#define MIB (UINT64_C(1) << 20)
#define ENTRIES 3000u
#define MOST_OUT 4u

typedef struct crowd {
	spool_folder folder;
	otlog__spool *spool;
	_Atomic bool appended_all;
	_Atomic bool over;
	uint64_t taken_records;
	uint64_t taken_entries;
} crowd;

static size_t
size_of(uint64_t mark)
{
	return 8 + (size_t)(mark * 7919 % 24000);
}

static void *
append_entries(void *user)
{
	crowd *c = user;
	for (uint64_t mark = 0; mark < ENTRIES;) {
		otlog__spool_result result = spool_put(c->spool, mark, size_of(mark), 1 + (uint32_t)mark % 3);
		CHECK(result != OTLOG__SPOOL_FAILED);
		mark += result == OTLOG__SPOOL_TAKEN;
		if (result == OTLOG__SPOOL_FULL)
			sched_yield();
	}
	atomic_store(&c->appended_all, true);
	return NULL;
}

static void *
take_entries(void *user)
{
	crowd *c = user;
	otlog__buffer out = { 0 };
	uint64_t numbers[MOST_OUT], mark, at_least = 0;
	uint32_t out_count = 0;
	for (;;) {
		bool all = atomic_load(&c->appended_all);
		uint32_t records = otlog__spool_take(c->spool, &out, &numbers[out_count]);
		if (records) {
			memcpy(&mark, out.data, sizeof mark);
			CHECK(mark >= at_least && out.size == size_of(mark) && records == 1 + mark % 3);
			CHECK(spool_request_is(out.data, out.size, mark));
			at_least = mark + 1;
			c->taken_entries++;
			c->taken_records += records;
			out_count++;
		}
		for (uint32_t i = 0; (out_count == MOST_OUT || !records) && i < out_count; i++)
			otlog__spool_finish(c->spool, numbers[i], &(otlog__batch_end){ 0 });
		out_count = out_count == MOST_OUT || !records ? 0 : out_count;
		if (!records && all)
			break;
		if (!records)
			sched_yield();
	}
	atomic_store(&c->over, true);
	otlog__buffer_free(&out);
	return NULL;
}

static void *
look_at_it(void *user)
{
	crowd *c = user;
	while (!atomic_load(&c->over)) {
		otlog__spool_books books = spool_books_of(c->spool);
		CHECK(books.bytes <= MIB);
		CHECK(books.dropped[OTLOG_DROP_DAMAGED] == 0);
		CHECK(otlog__spool_sync(c->spool));
		sched_yield();
	}
	return NULL;
}

static void
run(bool drop_oldest)
{
	crowd *c = calloc(1, sizeof *c);
	assert_non_null(c);
	spool_folder_make(&c->folder);
	c->spool = spool_folder_create(&c->folder, MIB, drop_oldest);
	void *(*const parts[])(void *) = { append_entries, take_entries, look_at_it };
	pthread_t threads[3];
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, parts[i], c), 0);
	for (size_t i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	otlog__spool_books books = spool_books_of(c->spool);
	assert_int_equal(books.spooled, 2 * ENTRIES);
	assert_int_equal(books.delivered, c->taken_records);
	assert_int_equal(books.queued, 0);
	assert_int_equal(books.delivered + books.dropped[OTLOG_DROP_SPOOL_FULL], 2 * ENTRIES);
	if (!drop_oldest)
		assert_int_equal(c->taken_entries, ENTRIES);
	assert_int_equal(spool_folder_files(&c->folder), 0);
	otlog__spool_close(c->spool);
	otlog__spool_free(c->spool);
	spool_folder_remove(&c->folder);
	free(c);
}

static void
who_takes_keeps_up_with_who_appends(void **state)
{
	(void)state;
	run(false);
}

static void
the_oldest_gives_way_under_who_reads_it(void **state)
{
	(void)state;
	run(true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_takes_keeps_up_with_who_appends),
		cmocka_unit_test(the_oldest_gives_way_under_who_reads_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
