/* Random operations on a spool against a model that knows every entry; then what is left is read by another process. */
#include "tests/support/harness/cmocka.h"

#include "tests/support/queues/spool_folder.h"

#include <string.h>

#define MIB (UINT64_C(1) << 20)
#define ENTRIES 4000u
#define MAX_OUT 6u

typedef struct model_entry {
	size_t size;
	uint32_t records;
	bool gone; /* taken, or dropped as the oldest */
} model_entry;

typedef struct play {
	spool_folder folder;
	otlog__spool *spool;
	uint64_t random;
	uint64_t max_bytes;
	bool drop_oldest;
	model_entry entries[ENTRIES];
	uint32_t count;
	uint32_t first; /* the oldest that is not gone */
	uint32_t out[MAX_OUT];
	uint64_t out_number[MAX_OUT];
	uint32_t out_count;
	uint64_t spooled, delivered, rejected, spool_full, out_records;
} play;

static uint32_t
next_random(play *g, uint32_t below)
{
	g->random = g->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(g->random >> 33) % below;
}

static uint64_t
waiting_in(const play *g)
{
	uint64_t sum = 0;
	for (uint32_t i = g->first; i < g->count; i++)
		sum += g->entries[i].gone ? 0 : g->entries[i].records;
	return sum;
}

static void
check_play(play *g)
{
	otlog__spool_books books = spool_books_of(g->spool);
	assert_int_equal(books.spooled, g->spooled);
	assert_int_equal(books.delivered, g->delivered);
	assert_int_equal(books.dropped[OTLOG_DROP_REJECTED], g->rejected);
	assert_int_equal(books.dropped[OTLOG_DROP_SPOOL_FULL], g->spool_full);
	assert_int_equal(books.dropped[OTLOG_DROP_DAMAGED], 0);
	assert_int_equal(books.waiting, waiting_in(g));
	assert_int_equal(books.queued, waiting_in(g) + g->out_records);
	assert_true(books.bytes <= g->max_bytes);
	assert_true((books.bytes == 0) == (spool_folder_files(&g->folder) == 0));
}

/* Whole entries, the oldest first, until the model has dropped what the spool says. */
static void
play_dropped(play *g)
{
	uint64_t dropped = spool_books_of(g->spool).dropped[OTLOG_DROP_SPOOL_FULL];
	assert_true(g->drop_oldest || dropped == 0);
	while (g->spool_full < dropped && g->first < g->count) {
		model_entry *entry = &g->entries[g->first++];
		g->spool_full += entry->gone ? 0 : entry->records;
		entry->gone = true;
	}
	assert_int_equal(g->spool_full, dropped);
}

static void
play_append(play *g)
{
	static const uint32_t sizes[] = { 300, 300, 5000, 5000, 60000, 60000, 60000, 1000000 };
	for (uint32_t burst = next_random(g, 12); burst && g->count < ENTRIES; burst--) {
		model_entry entry = { .size = 8 + next_random(g, sizes[next_random(g, 8)]),
			              .records = 1 + next_random(g, 9) };
		otlog__spool_result result = spool_put(g->spool, g->count, entry.size, entry.records);
		if (result == OTLOG__SPOOL_FULL)
			return;
		assert_int_equal(result, OTLOG__SPOOL_TAKEN);
		g->entries[g->count++] = entry;
		g->spooled += entry.records;
		play_dropped(g);
	}
}

static void
play_append_in_flight(play *g)
{
	uint8_t request[500];
	model_entry entry = { .size = 8 + next_random(g, sizeof request - 8), .records = 2, .gone = true };
	if (waiting_in(g) || g->out_count == MAX_OUT || g->count == ENTRIES)
		return;
	spool_request_fill(request, entry.size, g->count);
	otlog__spool_result result =
	    otlog__spool_append(g->spool, request, entry.size, entry.records, true, &g->out_number[g->out_count]);
	if (result == OTLOG__SPOOL_FULL)
		return;
	assert_int_equal(result, OTLOG__SPOOL_TAKEN);
	g->out[g->out_count++] = g->count;
	g->entries[g->count++] = entry;
	g->spooled += entry.records;
	g->out_records += entry.records;
}

static void
play_take(play *g)
{
	if (g->out_count == MAX_OUT)
		return;
	otlog__buffer out = { 0 };
	uint32_t records = otlog__spool_take(g->spool, &out, &g->out_number[g->out_count]);
	while (g->first < g->count && g->entries[g->first].gone)
		g->first++;
	assert_int_equal(records > 0, g->first < g->count);
	if (records) {
		assert_int_equal(records, g->entries[g->first].records);
		assert_int_equal(out.size, g->entries[g->first].size);
		assert_true(spool_request_is(out.data, out.size, g->first));
		g->entries[g->first].gone = true;
		g->out[g->out_count++] = g->first;
		g->out_records += records;
	}
	otlog__buffer_free(&out);
}

static void
play_finish(play *g)
{
	if (!g->out_count)
		return;
	uint32_t records = g->entries[g->out[0]].records;
	uint32_t rejected = next_random(g, 4) ? 0 : next_random(g, records + 1);
	otlog__spool_finish(g->spool, g->out_number[0],
	                    &(otlog__batch_end){ .dropped[OTLOG_DROP_REJECTED] = rejected });
	g->delivered += records - rejected;
	g->rejected += rejected;
	g->out_records -= records;
	g->out_count--;
	memmove(g->out, g->out + 1, g->out_count * sizeof g->out[0]);
	memmove(g->out_number, g->out_number + 1, g->out_count * sizeof g->out_number[0]);
}

/* After the process has gone: what was not finished, but for what gave way while it was in flight. */
static void
check_what_is_left(play *g)
{
	otlog__buffer out = { 0 };
	uint64_t number, waiting = waiting_in(g);
	uint32_t records, at = g->out_count ? g->out[0] : g->first;
	otlog__spool_files *files = otlog__spool_files_open(g->folder.directory, SPOOL_NAME, true);
	if (!files)
		assert_int_equal(waiting, 0);
	while (files && otlog__spool_files_pipeline_count(files) &&
	       (records = otlog__spool_files_take(files, 0, &out, &number))) {
		while (at < g->count && !spool_request_is(out.data, 8, at))
			assert_true(g->entries[at++].gone);
		assert_true(at < g->count);
		assert_int_equal(records, g->entries[at].records);
		assert_int_equal(out.size, g->entries[at].size);
		assert_true(spool_request_is(out.data, out.size, at));
		waiting -= g->entries[at].gone ? 0 : records;
		at++;
		otlog__spool_files_finish(files, 0, number);
	}
	assert_int_equal(waiting, 0);
	otlog__buffer_free(&out);
	otlog__spool_files_close(files);
	assert_int_equal(spool_folder_files(&g->folder), 0);
}

typedef struct totals {
	uint64_t spooled, delivered, spool_full;
} totals;

static void
one_play(uint64_t seed, totals *sum)
{
	play *g = calloc(1, sizeof *g);
	assert_non_null(g);
	g->random = seed;
	g->max_bytes = MIB + next_random(g, 4) * MIB;
	g->drop_oldest = next_random(g, 2);
	spool_folder_make(&g->folder);
	g->spool = spool_folder_create(&g->folder, g->max_bytes, g->drop_oldest);
	uint32_t hunger = next_random(g, 10);
	for (uint32_t step = 0; step < 300; step++) {
		uint32_t what = next_random(g, 10 + hunger);
		if (what < 3)
			play_append(g);
		else if (what < 4)
			play_append_in_flight(g);
		else if (what < 7 + hunger)
			play_take(g);
		for (uint32_t i = next_random(g, 4); i; i--)
			play_finish(g);
		check_play(g);
	}
	sum->spooled += g->spooled;
	sum->delivered += g->delivered;
	sum->spool_full += g->spool_full;
	otlog__spool_close(g->spool);
	check_what_is_left(g);
	otlog__spool_free(g->spool);
	spool_folder_remove(&g->folder);
	free(g);
}

static void
books_agree_with_a_model_after_every_operation(void **state)
{
	(void)state;
	totals sum = { 0 };
	for (uint64_t seed = 1; seed <= 15; seed++)
		one_play(seed * 7919, &sum);
	assert_true(sum.spool_full > 1000 && sum.delivered > 1000 && sum.spooled > sum.delivered + sum.spool_full);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(books_agree_with_a_model_after_every_operation) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
