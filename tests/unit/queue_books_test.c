/* Several pipelines, eviction, closing: every record is counted once, checked against a model and a walk over frames. */
#include "tests/support/harness/cmocka.h"

#include "sdk/base/clock.h"
#include "sdk/queue/queue.h"
#include "sdk/queue/scopes.h"
/* The inside of a queue: read positions for a second count of the books, and bytes to be damaged as from outside. */
#include "sdk/queue/state.h"
#include "tests/support/queues/queue_fixture.h"
#include "tests/support/queues/queue_image.h"
#include "tests/support/sdk/diagnosed.h"

#include <string.h>

#define MAX_OUT 8u

static otlog__pipeline_books
books_of(otlog__queue *queue, uint32_t pipeline)
{
	otlog__pipeline_books books;
	otlog__pipeline_take_books(queue, pipeline, &books);
	return books;
}

static uint64_t
bytes_used(otlog__queue *queue)
{
	otlog__queue_books books;
	otlog__queue_take_books(queue, &books);
	return books.bytes_used;
}

static void
each_pipeline_gets_the_frames_with_its_bit(void **state)
{
	(void)state;
	otlog__queue *queue = queue_open(1, 3, 0);
	for (uint16_t i = 0; i < 70; i++)
		assert_true(queue_put(queue, 50, i % 7 + 1));
	for (uint32_t p = 0; p < 3; p++) {
		assert_int_equal(queue_drain(queue, p), 40); /* of the masks 1 to 7, four have the bit */
		otlog__pipeline_books books = books_of(queue, p);
		assert_int_equal(books.accepted, 70);
		assert_int_equal(books.delivered, 40);
		assert_int_equal(books.filtered, 30);
		assert_int_equal(books.queued, 0);
	}
	assert_int_equal(bytes_used(queue), 0);
	otlog__queue_free(queue);
}

static void
frames_of_others_give_their_room_back_without_a_batch(void **state)
{
	(void)state;
	otlog__batch_span span;
	otlog__queue *queue = queue_open(1, 2, 0);
	for (int lap = 0; lap < 5; lap++) {
		while (queue_put(queue, 1000, 1)) {
		}
		assert_true(queue_drain(queue, 0) > 0);
		assert_true(bytes_used(queue) > 0);
		assert_int_equal(queue_read(queue, 1, QUEUE_READ_MOST, &span), 0);
		assert_int_equal(bytes_used(queue), 0);
	}
	otlog__queue_free(queue);
}

static void
frames_passed_over_behind_a_batch_wait_for_its_verdict(void **state)
{
	(void)state;
	otlog__batch_span span, empty;
	otlog__queue_mark mark;
	otlog__queue *queue = queue_open(1, 1, 0);
	queue_put(queue, 8, 1);
	assert_int_equal(queue_read(queue, 0, 1, &span), 1);
	for (int i = 0; i < 5; i++)
		queue_put(queue, 8, 2); /* nobody's */
	assert_int_equal(queue_read(queue, 0, 1, &empty), 0);
	otlog__queue_finish(queue, 0, &empty, &(otlog__batch_end){ 0 }); /* may be called, changes nothing */
	otlog__queue_take_mark(queue, &mark);
	assert_int_equal(books_of(queue, 0).filtered, 0);
	assert_int_equal(otlog__queue_waiting(queue, 0), 0);
	assert_false(otlog__queue_passed(queue, 0, &mark));
	otlog__queue_finish(queue, 0, &span, &(otlog__batch_end){ .dropped[OTLOG_DROP_REJECTED] = 1 });
	assert_true(otlog__queue_passed(queue, 0, &mark));
	assert_int_equal(books_of(queue, 0).filtered, 5);
	assert_int_equal(books_of(queue, 0).dropped[OTLOG_DROP_REJECTED], 1);
	assert_int_equal(bytes_used(queue), 0);
	otlog__queue_free(queue);
}

static void
evicts_only_for_a_pipeline_that_has_read_on(void **state)
{
	(void)state;
	otlog__queue *queue = queue_open(1, 2, 0);
	while (queue_put(queue, 1008, 3)) {
	}
	assert_int_equal(otlog__queue_evict(queue), 0); /* nobody is away */
	otlog__queue_set_away(queue, 1, true);
	assert_int_equal(otlog__queue_evict(queue), 0); /* the other has not read them */
	assert_int_equal(queue_drain(queue, 0), 64);
	otlog__queue_set_away(queue, 0, true);
	assert_int_equal(otlog__queue_evict(queue), 0); /* nobody is there to need the room */
	otlog__queue_set_away(queue, 0, false);
	assert_int_equal(otlog__queue_evict(queue), 24); /* down to five eighths of 64 */
	assert_int_equal(otlog__queue_evict(queue), 0);
	assert_int_equal(books_of(queue, 1).dropped[OTLOG_DROP_QUEUE_FULL], 24);
	assert_int_equal(books_of(queue, 1).queued, 40);
	assert_int_equal(books_of(queue, 0).dropped[OTLOG_DROP_QUEUE_FULL], 0);
	assert_true(queue_put(queue, 1008, 3));
	otlog__queue_set_away(queue, 1, false);
	assert_int_equal(queue_drain(queue, 1), 41);
	otlog__queue_free(queue);
}

static void
evicts_by_count_where_records_are_the_bound(void **state)
{
	(void)state;
	otlog__queue *queue = queue_open(1, 2, 16);
	while (queue_put(queue, 8, 3)) {
	}
	assert_int_equal(queue_drain(queue, 0), 16);
	assert_false(queue_put(queue, 8, 3));
	otlog__queue_set_away(queue, 1, true);
	assert_int_equal(otlog__queue_evict(queue), 6);
	assert_true(queue_put(queue, 8, 3));
	otlog__queue_free(queue);
}

static void
a_burst_that_fits_loses_nothing_for_who_is_away(void **state)
{
	(void)state;
	for (uint32_t lanes = 1; lanes <= 8; lanes *= 8)
		for (uint64_t max_records = 0; max_records <= 48; max_records += 48) {
			otlog__queue *queue = queue_open(lanes, 2, max_records);
			uint32_t burst = (max_records ? 48 : lanes * 64) * 6 / 10;
			otlog__queue_set_away(queue, 1, true);
			for (uint32_t i = 0; i < burst; i++) { /* one thread: the lanes fill one after the other */
				assert_true(queue_put(queue, 1008, 3));
				assert_int_equal(queue_drain(queue, 0), 1);
				assert_int_equal(otlog__queue_evict(queue), 0);
			}
			otlog__queue_set_away(queue, 1, false);
			assert_int_equal(queue_drain(queue, 1), burst);
			assert_int_equal(books_of(queue, 1).dropped[OTLOG_DROP_QUEUE_FULL], 0);
			otlog__queue_free(queue);
		}
}

static void
all_that_are_away_give_way_equally(void **state)
{
	(void)state;
	otlog__queue *queue = queue_open(2, 3, 0);
	while (queue_put(queue, 1008, 7)) {
	}
	assert_int_equal(queue_drain(queue, 0), 128);
	otlog__queue_set_away(queue, 1, true);
	otlog__queue_set_away(queue, 2, true);
	assert_int_equal(otlog__queue_evict(queue), 2 * 48);
	assert_int_equal(books_of(queue, 1).dropped[OTLOG_DROP_QUEUE_FULL], 48);
	assert_int_equal(books_of(queue, 2).dropped[OTLOG_DROP_QUEUE_FULL], 48);
	otlog__queue_free(queue);
}

static void
an_emit_that_finds_no_room_has_some_evicted_although_the_queue_is_not_that_full(void **state)
{
	(void)state;
	otlog__queue *queue = queue_open(1, 2, 0);
	for (int i = 0; i < 40; i++)
		assert_true(queue_put(queue, 1008, 3));
	assert_int_equal(queue_drain(queue, 0), 40);
	otlog__queue_set_away(queue, 1, true);
	assert_int_equal(otlog__queue_evict(queue), 0);
	uint32_t word = atomic_load(&queue->keeper.wake.word);
	assert_false(queue_put(queue, 30 * 1024, 3));
	assert_false(queue_put(queue, 30 * 1024, 3));
	assert_int_equal(atomic_load(&queue->keeper.wake.word), word + 1);
	assert_int_equal(otlog__queue_evict(queue), 16);
	assert_int_equal(otlog__queue_evict(queue), 0);
	otlog__queue_free(queue);
}

/* The keeper as it is after falling asleep, in this thread. */
static uint32_t
keeper_sleeps(otlog__queue *queue)
{
	otlog__queue_wait_filled(queue, 0); /* hears of the wakes that have been */
	otlog__queue_wait_filled(queue, 0); /* sets the alarms */
	atomic_store(&queue->keeper.armed, 1);
	return atomic_load(&queue->keeper.wake.word);
}

/* Nobody but the alarms calls the keeper; the present pipeline reads just before it looks. */
static void
who_is_away_costs_no_emit(uint32_t lanes, uint64_t max_records, size_t size)
{
	otlog__queue *queue = queue_open(lanes, 2, max_records);
	otlog__queue_set_away(queue, 1, true);
	uint64_t evicted = 0, drained = 0, looks = 0, count = (uint64_t)lanes * QUEUE_LANE_BYTES * 6 / size;
	uint32_t word = keeper_sleeps(queue);
	for (uint64_t i = 0; i < count; i++) {
		assert_true(queue_put(queue, 1 + (size_t)(i * 7919 % size), 3));
		if (atomic_load(&queue->keeper.wake.word) == word)
			continue;
		drained += queue_drain(queue, 0);
		evicted += otlog__queue_evict(queue);
		word = keeper_sleeps(queue);
		looks++;
	}
	drained += queue_drain(queue, 0);
	assert_int_equal(drained, count);
	assert_true(evicted > 0 && evicted < count);
	assert_true(looks < count / 2);
	otlog__queue_set_away(queue, 1, false);
	assert_int_equal(queue_drain(queue, 1), count - evicted);
	otlog__queue_free(queue);
}

static void
emits_go_on_while_somebody_is_away_who_holds_everything(void **state)
{
	(void)state;
	for (uint32_t lanes = 1; lanes <= 8; lanes *= 8)
		for (size_t size = 40; size < 8000; size = size * 3 / 2) {
			who_is_away_costs_no_emit(lanes, 0, size);
			if (size < 1000)
				who_is_away_costs_no_emit(lanes, 64, size);
		}
}

static void
a_record_evicted_in_flight_is_counted_once_by_its_verdict(void **state)
{
	(void)state;
	otlog__batch_span first, second, third;
	otlog__queue_mark mark;
	otlog__queue *queue = queue_open(1, 2, 0);
	while (queue_put(queue, 1008, 3)) {
	}
	assert_int_equal(queue_read(queue, 1, 10, &first), 10);
	assert_int_equal(queue_read(queue, 1, 10, &second), 10);
	otlog__queue_take_mark(queue, &mark);
	assert_int_equal(queue_drain(queue, 0), 64);
	otlog__queue_set_away(queue, 1, true);
	assert_int_equal(otlog__queue_evict(queue), 4); /* 24 go, 20 of them were in flight */
	assert_int_equal(bytes_used(queue), 40 * 1024);
	assert_int_equal(books_of(queue, 1).queued, 60); /* those in flight are still open */

	otlog__queue_set_away(queue, 1, false);
	assert_int_equal(queue_read(queue, 1, 10, &third), 10);
	otlog__queue_finish(queue, 1, &first, &(otlog__batch_end){ .dropped[OTLOG_DROP_REJECTED] = 3 });
	assert_int_equal(bytes_used(queue), 40 * 1024); /* the cursor did not go back */
	assert_false(otlog__queue_passed(queue, 1, &mark));
	otlog__queue_finish(queue, 1, &second, &(otlog__batch_end){ 0 });
	otlog__queue_finish(queue, 1, &third, &(otlog__batch_end){ 0 });
	assert_int_equal(bytes_used(queue), 30 * 1024);
	assert_int_equal(queue_drain(queue, 1), 30);
	assert_true(otlog__queue_passed(queue, 1, &mark));
	otlog__pipeline_books books = books_of(queue, 1);
	assert_int_equal(books.delivered, 7 + 10 + 10 + 30);
	assert_int_equal(books.dropped[OTLOG_DROP_REJECTED], 3);
	assert_int_equal(books.dropped[OTLOG_DROP_QUEUE_FULL], 4);
	assert_int_equal(books.queued, 0);
	otlog__queue_free(queue);
}

static void
an_evicted_record_in_flight_has_not_passed_before_its_verdict(void **state)
{
	(void)state;
	otlog__batch_span first, second;
	otlog__queue_mark mark;
	otlog__queue *queue = queue_open(1, 2, 0);
	for (int i = 0; i < 20; i++)
		assert_true(queue_put(queue, 1008, 3));
	otlog__queue_take_mark(queue, &mark);
	assert_int_equal(queue_read(queue, 1, 10, &first), 10);
	assert_int_equal(queue_read(queue, 1, 10, &second), 10);
	while (queue_put(queue, 1008, 3)) {
	}
	assert_int_equal(queue_drain(queue, 0), 64);
	otlog__queue_set_away(queue, 1, true);
	assert_int_equal(otlog__queue_evict(queue), 4);
	assert_true(otlog__queue_passed(queue, 0, &mark));
	assert_false(otlog__queue_passed(queue, 1, &mark));
	otlog__queue_finish(queue, 1, &first, &(otlog__batch_end){ 0 });
	assert_false(otlog__queue_passed(queue, 1, &mark));
	otlog__queue_finish(queue, 1, &second, &(otlog__batch_end){ 0 });
	assert_true(otlog__queue_passed(queue, 1, &mark));
	otlog__queue_free(queue);
}

/* What the test itself knows of a pipeline. */
typedef struct model {
	uint64_t accepted_ours, accepted_others;
	uint64_t delivered, rejected, evicted;
	otlog__batch_span out[MAX_OUT];
	uint32_t out_count;
	uint64_t out_records;
} model;

typedef struct play {
	otlog__queue *queue;
	queue_image image;
	model models[3];
	uint32_t pipelines;
	uint64_t random;
} play;

static uint32_t
next_random(play *g, uint32_t below)
{
	g->random = g->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(g->random >> 33) % below;
}

/* The books against the model, and the frames that a walk from each pipeline's read position finds. */
static void
check_play(play *g)
{
	for (uint32_t p = 0; p < g->pipelines; p++) {
		const model *m = &g->models[p];
		otlog__pipeline_books books = books_of(g->queue, p);
		uint64_t waiting = 0;
		for (uint32_t lane = 0; lane < g->image.header.lanes; lane++) {
			uint64_t ours, others;
			uint64_t read = atomic_load(&g->queue->pipelines[p].readers[lane].read);
			assert_true(queue_image_count(&g->image, lane, read, p, &ours, &others));
			waiting += ours;
			assert_true(atomic_load(&queue_image_lane(&g->image, lane)->released.position) <=
			            atomic_load(&queue_image_lane(&g->image, lane)->pipeline[p].cursor));
		}
		assert_int_equal(books.accepted, m->accepted_ours + m->accepted_others);
		assert_int_equal(books.delivered, m->delivered);
		assert_int_equal(books.dropped[OTLOG_DROP_REJECTED], m->rejected);
		assert_int_equal(books.dropped[OTLOG_DROP_QUEUE_FULL], m->evicted);
		assert_int_equal(m->accepted_ours, m->delivered + m->rejected + m->evicted + m->out_records + waiting);
		assert_in_range(books.filtered, 0, m->accepted_others);
		assert_in_range(books.queued, m->out_records + waiting,
		                m->out_records + waiting + m->accepted_others - books.filtered);
		assert_int_equal(books.queued, m->out_records + waiting + m->accepted_others - books.filtered);
	}
}

static void
play_emit(play *g)
{
	for (uint32_t burst = next_random(g, 60); burst; burst--) {
		uint16_t mask = (uint16_t)(next_random(g, (1u << g->pipelines) - 1) + 1);
		if (!queue_put(g->queue, next_random(g, 3000), mask))
			return;
		for (uint32_t p = 0; p < g->pipelines; p++) {
			g->models[p].accepted_ours += mask >> p & 1;
			g->models[p].accepted_others += !(mask >> p & 1);
		}
	}
}

static void
play_read(play *g, uint32_t p)
{
	model *m = &g->models[p];
	if (m->out_count == MAX_OUT || (p && next_random(g, 3)))
		return;
	uint32_t taken = queue_read(g->queue, p, next_random(g, p ? 20 : 80) + 1, &m->out[m->out_count]);
	m->out_count += taken > 0;
	m->out_records += taken;
}

static void
play_finish(play *g, uint32_t p)
{
	model *m = &g->models[p];
	if (m->out_count == 0)
		return;
	uint32_t records = m->out[0].records;
	uint32_t rejected = next_random(g, 3) ? 0 : next_random(g, records + 1);
	otlog__queue_finish(g->queue, p, &m->out[0], &(otlog__batch_end){ .dropped[OTLOG_DROP_REJECTED] = rejected });
	m->delivered += records - rejected;
	m->rejected += rejected;
	m->out_records -= records;
	memmove(&m->out[0], &m->out[1], (MAX_OUT - 1) * sizeof m->out[0]);
	m->out_count--;
}

static void
play_evict(play *g)
{
	uint64_t before[3], total = 0;
	for (uint32_t p = 0; p < g->pipelines; p++)
		before[p] = books_of(g->queue, p).dropped[OTLOG_DROP_QUEUE_FULL];
	uint64_t told = otlog__queue_evict(g->queue);
	for (uint32_t p = 0; p < g->pipelines; p++) {
		uint64_t here = books_of(g->queue, p).dropped[OTLOG_DROP_QUEUE_FULL] - before[p];
		g->models[p].evicted += here;
		total += here;
	}
	assert_int_equal(told, total);
}

static void
play_to_the_end(play *g)
{
	for (uint32_t p = 0; p < g->pipelines; p++) {
		while (g->models[p].out_count)
			play_finish(g, p);
		g->models[p].delivered += queue_drain(g->queue, p);
		assert_int_equal(books_of(g->queue, p).queued, 0);
		assert_int_equal(books_of(g->queue, p).filtered, g->models[p].accepted_others);
	}
	check_play(g);
	assert_int_equal(bytes_used(g->queue), 0);
}

static void
the_books_balance_in_every_state_of_a_long_random_play(void **state)
{
	(void)state;
	uint64_t evicted = 0;
	for (uint64_t seed = 1; seed <= 24; seed++) {
		static play g;
		g = (play){ .pipelines = (uint32_t)(seed % 3 + 1), .random = seed };
		g.queue = queue_open(1u << seed % 3, g.pipelines, seed % 4 == 3 ? 40 : 0);
		assert_true(queue_image_of(&g.image, g.queue));
		for (int step = 0; step < 1500; step++) {
			uint32_t p = next_random(&g, g.pipelines);
			switch (next_random(&g, 6)) {
			case 0:
				play_emit(&g);
				break;
			case 1:
			case 2:
				play_read(&g, p);
				break;
			case 3:
				play_finish(&g, p);
				break;
			case 4:
				play_evict(&g);
				break;
			default:
				/* Mostly the last: then there is somebody to give way to. */
				if (p || next_random(&g, 8) == 0)
					otlog__queue_set_away(g.queue, p, next_random(&g, 3) && p);
			}
			check_play(&g);
		}
		play_to_the_end(&g);
		for (uint32_t p = 0; p < g.pipelines; p++)
			evicted += g.models[p].evicted;
		otlog__queue_free(g.queue);
	}
	print_message("%lu evicted\n", (unsigned long)evicted);
	assert_true(evicted > 1000); /* or the play was too tame */
}

static void
closing_counts_what_is_left_and_keeps_the_books(void **state)
{
	(void)state;
	otlog__batch_span span;
	otlog__queue *queue = queue_open(2, 2, 0);
	for (int i = 0; i < 30; i++)
		assert_true(queue_put(queue, 20, i % 3 == 0 ? 1 : 3));
	assert_int_equal(queue_read(queue, 1, 5, &span), 5);
	otlog__queue_finish(queue, 1, &span, &(otlog__batch_end){ 0 });
	assert_int_equal(queue_read(queue, 1, 5, &span), 5); /* its verdict never comes */
	otlog__queue_close(queue);

	otlog__pipeline_books books = books_of(queue, 0);
	assert_int_equal(books.dropped[OTLOG_DROP_AFTER_SHUTDOWN], 30);
	assert_int_equal(books.queued, 0);
	books = books_of(queue, 1);
	assert_int_equal(books.accepted, 30);
	assert_int_equal(books.delivered, 5);
	assert_int_equal(books.filtered, 10);
	assert_int_equal(books.dropped[OTLOG_DROP_AFTER_SHUTDOWN], 15);
	assert_int_equal(books.queued, 0);
	otlog__queue_free(queue);
}

static void
everything_may_be_called_after_close(void **state)
{
	(void)state;
	otlog__batch_span span, late;
	otlog__slot slot;
	otlog__queue_mark mark;
	otlog__queue_books books;
	otlog__queue *queue = queue_open(2, 1, 0);
	queue_put(queue, 20, 1);
	queue_put(queue, 20, 1);
	assert_int_equal(queue_read(queue, 0, 1, &late), 1);
	assert_true(otlog__queue_close(queue));
	assert_true(otlog__queue_close(queue));
	assert_true(otlog__queue_seal(queue, UINT64_MAX));
	assert_int_equal(otlog__queue_begin(queue, 8, &slot), OTLOG_EMIT_AFTER_SHUTDOWN);
	otlog__queue_refuse(queue, OTLOG_DROP_AFTER_SHUTDOWN);
	otlog__queue_take_books(queue, &books);
	assert_int_equal(books.refused[OTLOG_DROP_AFTER_SHUTDOWN], 1);
	assert_int_equal(books.accepted, 2);
	assert_true(otlog__queue_wait_room(queue, 8, UINT64_MAX)); /* does not wait for ever */
	assert_int_equal(queue_read(queue, 0, 1, &span), 0);
	otlog__queue_finish(queue, 0, &late, &(otlog__batch_end){ 0 }); /* too late: it has been counted */
	assert_int_equal(books_of(queue, 0).dropped[OTLOG_DROP_AFTER_SHUTDOWN], 2);
	assert_int_equal(books_of(queue, 0).delivered, 0);
	otlog__queue_set_away(queue, 0, true);
	assert_int_equal(otlog__queue_evict(queue), 0);
	otlog__queue_take_mark(queue, &mark);
	assert_true(otlog__queue_passed(queue, 0, &mark));
	assert_int_equal(otlog__queue_add_scope(queue, "x", 1, NULL, 0), 0);
	assert_int_equal(otlog__scopes_get(otlog__queue_scopes(queue), 0).head_size, 1);
	otlog__queue_free(queue);
}

static void
sealing_refuses_emitters_and_lets_readers_go_on(void **state)
{
	(void)state;
	otlog__slot slot;
	otlog__queue *queue = queue_open(4, 1, 0);
	for (int i = 0; i < 10; i++)
		assert_true(queue_put(queue, 20, 1));
	assert_true(otlog__queue_seal(queue, UINT64_MAX));
	assert_true(otlog__queue_seal(queue, 0));
	assert_int_equal(otlog__queue_begin(queue, 8, &slot), OTLOG_EMIT_AFTER_SHUTDOWN);
	assert_int_equal(queue_drain(queue, 0), 10);
	otlog__queue_free(queue);
}

static void
an_emit_inside_is_waited_for_in_time_and_sealed_later(void **state)
{
	(void)state;
	otlog__slot inside, late;
	otlog__queue *queue = queue_open(8, 1, 0);
	diagnosed_begin();
	assert_int_equal(otlog__queue_begin(queue, 8, &inside), OTLOG_EMIT_ACCEPTED);
	uint64_t before = otlog__monotonic_nano();
	assert_false(otlog__queue_seal(queue, before));
	assert_true(otlog__monotonic_nano() - before >= 20 * OTLOG__NANOS_PER_MS);
	assert_true(diagnosed_says("never ended"));
	assert_int_equal(otlog__queue_begin(queue, 8, &late), OTLOG_EMIT_AFTER_SHUTDOWN);
	assert_false(otlog__queue_seal(queue, 0));
	otlog__queue_commit(queue, &inside, 8, 0, 1);
	assert_true(otlog__queue_seal(queue, 0));
	assert_int_equal(queue_drain(queue, 0), 1);
	assert_true(otlog__queue_close(queue));
	otlog__queue_free(queue);
}

static void
closing_tells_of_an_emit_inside_and_leaves_it_its_memory(void **state)
{
	(void)state;
	otlog__slot inside;
	otlog__queue *queue = queue_open(2, 1, 0);
	diagnosed_begin();
	assert_int_equal(otlog__queue_begin(queue, 8, &inside), OTLOG_EMIT_ACCEPTED);
	assert_false(otlog__queue_close(queue));
	assert_false(otlog__queue_close(queue));
	memset(inside.bytes, 'x', inside.capacity);
	otlog__queue_commit(queue, &inside, 8, 0, 1);
	otlog__queue_free(queue);
}

/* ---- Bytes that somebody else has changed ------------------------------------------------------------------------ */

static uint8_t *
lane_bytes(otlog__queue *queue, uint64_t offset)
{
	return queue->data + offset;
}

static void
a_damaged_frame_ends_the_reading_of_what_was_there(void **state)
{
	(void)state;
	for (uint32_t byte = 0; byte < 16; byte++)
		for (uint32_t bit = 0; bit < 8; bit++) {
			otlog__queue *queue = queue_open(1, 1, 0);
			diagnosed_begin();
			for (int i = 0; i < 10; i++)
				queue_put(queue, 48, 1);
			*lane_bytes(queue, 4 * 64 + byte) ^= (uint8_t)(1u << bit);
			assert_int_equal(queue_drain(queue, 0), 4);
			assert_int_equal(books_of(queue, 0).dropped[OTLOG_DROP_DAMAGED], 6);
			assert_int_equal(books_of(queue, 0).queued, 0);
			assert_int_equal(diagnosed_count(), 1);
			assert_true(diagnosed_says("changed from outside"));
			assert_true(queue_put(queue, 48, 1)); /* the lane goes on behind the damage */
			assert_int_equal(queue_drain(queue, 0), 1);
			assert_int_equal(bytes_used(queue), 0);
			otlog__queue_free(queue);
		}
}

static void
a_true_frame_in_a_false_place_is_damage(void **state)
{
	(void)state;
	otlog__queue *queue = queue_open(1, 1, 0);
	diagnosed_begin();
	for (int i = 0; i < 10; i++)
		queue_put(queue, 48, 1);
	memcpy(lane_bytes(queue, 4 * 64), lane_bytes(queue, 2 * 64), 64); /* such as from an earlier lap */
	assert_int_equal(queue_drain(queue, 0), 4);
	assert_int_equal(books_of(queue, 0).dropped[OTLOG_DROP_DAMAGED], 6);
	otlog__queue_free(queue);
}

static void
damage_met_by_the_keeper_is_counted_too(void **state)
{
	(void)state;
	otlog__queue *queue = queue_open(1, 2, 0);
	diagnosed_begin();
	while (queue_put(queue, 1008, 3)) {
	}
	assert_int_equal(queue_drain(queue, 0), 64);
	*lane_bytes(queue, 5 * 1024) ^= 1;
	otlog__queue_set_away(queue, 1, true);
	assert_int_equal(otlog__queue_evict(queue), 5);
	assert_int_equal(books_of(queue, 1).dropped[OTLOG_DROP_DAMAGED], 59);
	assert_int_equal(books_of(queue, 1).queued, 0);
	assert_int_equal(bytes_used(queue), 0);
	assert_int_equal(diagnosed_count(), 1);
	otlog__queue_free(queue);
}

static void
a_senseless_tail_neither_crashes_nor_hangs(void **state)
{
	(void)state;
	static const uint64_t tails[] = {
		0, 1, 63, 65, QUEUE_LANE_BYTES + 8, UINT64_MAX, UINT64_MAX - 7, UINT64_C(1) << 63
	};
	for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++)
		for (int read_first = 0; read_first < 2; read_first++) {
			otlog__batch_span span;
			otlog__queue *queue = queue_open(2, 2, 0);
			queue_image image;
			assert_true(queue_image_of(&image, queue));
			for (int n = 0; n < 10; n++)
				queue_put(queue, 48, 3);
			if (read_first) {
				assert_true(queue_read(queue, 0, 5, &span) > 0);
				otlog__queue_finish(queue, 0, &span, &(otlog__batch_end){ 0 });
			}
			for (uint32_t lane = 0; lane < 2; lane++)
				atomic_store(&queue_image_lane(&image, lane)->producer.tail, tails[i]);
			queue_drain(queue, 0);
			otlog__queue_set_away(queue, 1, true);
			otlog__queue_evict(queue);
			queue_put(queue, 48, 3);
			queue_drain(queue, 0);
			queue_drain(queue, 1);
			otlog__queue_free(queue);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_pipeline_gets_the_frames_with_its_bit),
		cmocka_unit_test(frames_of_others_give_their_room_back_without_a_batch),
		cmocka_unit_test(frames_passed_over_behind_a_batch_wait_for_its_verdict),
		cmocka_unit_test(evicts_only_for_a_pipeline_that_has_read_on),
		cmocka_unit_test(evicts_by_count_where_records_are_the_bound),
		cmocka_unit_test(a_burst_that_fits_loses_nothing_for_who_is_away),
		cmocka_unit_test(all_that_are_away_give_way_equally),
		cmocka_unit_test(an_emit_that_finds_no_room_has_some_evicted_although_the_queue_is_not_that_full),
		cmocka_unit_test(emits_go_on_while_somebody_is_away_who_holds_everything),
		cmocka_unit_test(a_record_evicted_in_flight_is_counted_once_by_its_verdict),
		cmocka_unit_test(an_evicted_record_in_flight_has_not_passed_before_its_verdict),
		cmocka_unit_test(the_books_balance_in_every_state_of_a_long_random_play),
		cmocka_unit_test(closing_counts_what_is_left_and_keeps_the_books),
		cmocka_unit_test(everything_may_be_called_after_close),
		cmocka_unit_test(sealing_refuses_emitters_and_lets_readers_go_on),
		cmocka_unit_test(an_emit_inside_is_waited_for_in_time_and_sealed_later),
		cmocka_unit_test(closing_tells_of_an_emit_inside_and_leaves_it_its_memory),
		cmocka_unit_test(a_damaged_frame_ends_the_reading_of_what_was_there),
		cmocka_unit_test(a_true_frame_in_a_false_place_is_damage),
		cmocka_unit_test(damage_met_by_the_keeper_is_counted_too),
		cmocka_unit_test(a_senseless_tail_neither_crashes_nor_hangs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
