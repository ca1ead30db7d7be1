/* The ring of a lane, one pipeline: what goes in comes out, wherever it wraps, and what does not fit is refused. */
#include "tests/support/harness/cmocka.h"

#include "sdk/base/clock.h"
#include "sdk/queue/crc32c.h"
#include "sdk/queue/queue.h"
#include "sdk/queue/scopes.h"
#include "tests/support/queues/queue_fixture.h"
#include "tests/support/queues/queue_image.h"
#include "tests/support/records/queue_record.h"
#include "tests/support/sdk/diagnosed.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define REFS 4096u

static const char *const one_pipeline[] = { "sink" };
static otlog__frame_ref refs[REFS];
static otlog__batch_span span;

static void
close_queue(otlog__queue *queue)
{
	otlog__queue_close(queue);
	otlog__queue_free(queue);
}

/* `size` bytes of value `fill`. */
static otlog_emit_result
put(otlog__queue *queue, size_t size, uint8_t fill)
{
	otlog__slot slot;
	otlog_emit_result result = otlog__queue_begin(queue, size, &slot);
	if (result != OTLOG_EMIT_ACCEPTED)
		return result;
	assert_true(slot.capacity >= size);
	memset(slot.bytes, fill, slot.capacity); /* all of it is the caller's */
	otlog__queue_commit(queue, &slot, size, 0, 1);
	return result;
}

/* Reads everything in batches, checks that record i holds only bytes of its value, finishes it. */
static uint32_t
drain(otlog__queue *queue, uint8_t first_fill)
{
	uint32_t total = 0, taken;
	while ((taken = otlog__queue_read_begin(queue, 0, REFS, SIZE_MAX, refs, &span))) {
		for (uint32_t i = 0; i < taken; i++)
			for (uint32_t b = 0; b < refs[i].size; b++)
				assert_int_equal(refs[i].bytes[b], (uint8_t)(first_fill + total + i));
		otlog__queue_read_end(queue, 0);
		otlog__queue_finish(queue, 0, &span, &(otlog__batch_end){ 0 });
		total += taken;
	}
	otlog__queue_read_end(queue, 0);
	return total;
}

static void
takes_until_full_then_refuses_and_has_room_again_after_finish(void **state)
{
	(void)state;
	otlog__queue *queue = queue_open(1, 1, 0);
	uint32_t put_in = 0;
	while (put(queue, 100, (uint8_t)put_in) == OTLOG_EMIT_ACCEPTED)
		put_in++;
	assert_int_equal(put_in, QUEUE_LANE_BYTES / 120); /* 16 + 100, rounded up */
	assert_int_equal(put(queue, 100, 0), OTLOG_EMIT_QUEUE_FULL);

	uint32_t taken = otlog__queue_read_begin(queue, 0, 1, SIZE_MAX, refs, &span);
	otlog__queue_read_end(queue, 0);
	assert_int_equal(taken, 1);
	assert_int_equal(put(queue, 100, 0), OTLOG_EMIT_QUEUE_FULL); /* reading alone makes no room */
	otlog__queue_finish(queue, 0, &span, &(otlog__batch_end){ 0 });
	taken = otlog__queue_read_begin(queue, 0, 1, SIZE_MAX, refs, &span);
	otlog__queue_read_end(queue, 0);
	otlog__queue_finish(queue, 0, &span, &(otlog__batch_end){ 0 });
	assert_int_equal(put(queue, 100, (uint8_t)put_in), OTLOG_EMIT_ACCEPTED);
	assert_int_equal(drain(queue, 2), put_in - 1);
	close_queue(queue);
}

static void
keeps_every_byte_in_order_over_many_laps(void **state)
{
	(void)state;
	otlog__queue *queue = queue_open(1, 1, 0);
	uint32_t emitted = 0, read = 0;
	while (emitted < 50000) {
		for (;;) {
			otlog__slot slot;
			if (otlog__queue_begin(queue, QUEUE_RECORD_MAX, &slot) != OTLOG_EMIT_ACCEPTED)
				break;
			size_t size = queue_record_make(slot.bytes, 7, emitted++);
			otlog__queue_commit(queue, &slot, size, (uint16_t)(emitted % 5), 1);
		}
		uint32_t most = emitted % 97 + 1;
		uint32_t taken = otlog__queue_read_begin(queue, 0, most, SIZE_MAX, refs, &span);
		assert_in_range(taken, 1, most);
		for (uint32_t i = 0; i < taken; i++) {
			uint32_t source, number;
			assert_true(queue_record_read(refs[i].bytes, refs[i].size, &source, &number));
			assert_int_equal(number, read);
			read++;
			assert_int_equal(refs[i].scope, read % 5);
		}
		otlog__queue_read_end(queue, 0);
		otlog__queue_finish(queue, 0, &span, &(otlog__batch_end){ 0 });
	}
	close_queue(queue);
}

/* A queue whose lane ends `gap` bytes behind its tail, empty. */
static otlog__queue *
queue_with_gap(uint32_t gap)
{
	otlog__queue *queue = queue_open(1, 1, 0);
	for (uint32_t left = QUEUE_LANE_BYTES - gap; left;) {
		/* Never one of fewer than 24 bytes for the last: the header and one unit. */
		uint32_t take = left > 16384 + 24 ? 16384 : left;
		assert_int_equal(put(queue, take - 16, (uint8_t)0), OTLOG_EMIT_ACCEPTED);
		left -= take;
		drain(queue, 0);
	}
	return queue;
}

static void
wraps_at_every_offset(void **state)
{
	(void)state;
	for (uint32_t gap = 8; gap <= 400; gap += 8) {
		otlog__queue *queue = queue_with_gap(gap);
		queue_image image;
		assert_true(queue_image_of(&image, queue));
		uint64_t before = atomic_load(&queue_image_lane(&image, 0)->producer.tail);
		assert_int_equal(before, QUEUE_LANE_BYTES - gap);
		for (uint8_t i = 0; i < 5; i++)
			assert_int_equal(put(queue, 180, (uint8_t)(40 + i)), OTLOG_EMIT_ACCEPTED);
		assert_int_equal(queue_image_walk(&image, 0, before, NULL, NULL), 5);
		assert_int_equal(drain(queue, 40), 5);

		otlog__queue_books books;
		otlog__queue_take_books(queue, &books);
		assert_int_equal(books.bytes_used, 0);
		close_queue(queue);
	}
}

static void
a_cancelled_slot_leaves_nothing_behind(void **state)
{
	(void)state;
	otlog__queue *queue = queue_with_gap(64);
	otlog__slot slot;
	assert_int_equal(otlog__queue_begin(queue, 100, &slot), OTLOG_EMIT_ACCEPTED);
	memset(slot.bytes, 9, slot.capacity);
	otlog__queue_cancel(queue, &slot);
	assert_int_equal(drain(queue, 0), 0);
	assert_int_equal(put(queue, 10, 5), OTLOG_EMIT_ACCEPTED); /* fits before the end */
	assert_int_equal(drain(queue, 5), 1);
	close_queue(queue);
}

static void
a_record_may_be_smaller_than_the_room_it_asked_for(void **state)
{
	(void)state;
	otlog__queue *queue = queue_open(1, 1, 0);
	otlog__slot slot;
	for (uint32_t i = 0; i < 1000; i++) {
		assert_int_equal(otlog__queue_begin(queue, 5000, &slot), OTLOG_EMIT_ACCEPTED);
		memset(slot.bytes, (int)(i & 255), 3);
		otlog__queue_commit(queue, &slot, 3, 0, 1);
	}
	otlog__queue_books books;
	otlog__queue_take_books(queue, &books);
	assert_int_equal(books.bytes_used, 1000 * 24); /* header and 3 bytes, rounded up */
	assert_int_equal(drain(queue, 0), 1000);
	close_queue(queue);
}

static void
the_largest_record_fits_an_empty_lane_wherever_its_tail_stands(void **state)
{
	(void)state;
	otlog__queue *queue = queue_open(1, 1, 0);
	size_t largest = otlog__queue_max_record(queue);
	assert_int_equal(largest, QUEUE_LANE_BYTES / 2 - 16);
	otlog__slot slot;
	assert_int_equal(otlog__queue_begin(queue, largest + 1, &slot), OTLOG_EMIT_TOO_LARGE);
	assert_int_equal(otlog__queue_begin(queue, SIZE_MAX, &slot), OTLOG_EMIT_TOO_LARGE);
	for (uint32_t i = 0; i < 3000; i++) {
		assert_int_equal(put(queue, largest, 1), OTLOG_EMIT_ACCEPTED);
		assert_int_equal(drain(queue, 1), 1);
		assert_int_equal(put(queue, i % 64 * 8 + 1, 2), OTLOG_EMIT_ACCEPTED);
		assert_int_equal(drain(queue, 2), 1);
	}
	close_queue(queue);
}

static void
an_empty_record_is_a_record(void **state)
{
	(void)state;
	otlog__queue *queue = queue_open(1, 1, 0);
	assert_int_equal(put(queue, 0, 0), OTLOG_EMIT_ACCEPTED);
	assert_int_equal(otlog__queue_read_begin(queue, 0, 8, SIZE_MAX, refs, &span), 1);
	assert_int_equal(refs[0].size, 0);
	otlog__queue_read_end(queue, 0);
	otlog__queue_finish(queue, 0, &span, &(otlog__batch_end){ 0 });
	close_queue(queue);
}

static void
is_bounded_by_records_where_asked(void **state)
{
	(void)state;
	static const struct {
		uint32_t lanes;
		uint64_t bound, takes;
	} cases[] = { { 1, 10, 10 }, { 4, 40, 40 }, { 8, 3, 2 }, { 8, 15, 8 }, { 2, 1, 1 } };
	for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
		otlog__queue *queue = queue_open(cases[c].lanes, 1, cases[c].bound);
		for (int lap = 0; lap < 3; lap++) {
			uint64_t taken = 0;
			while (put(queue, 20, 1) == OTLOG_EMIT_ACCEPTED)
				taken++;
			assert_int_equal(taken, cases[c].takes);
			uint32_t read = otlog__queue_read_begin(queue, 0, REFS, SIZE_MAX, refs, &span);
			otlog__queue_read_end(queue, 0);
			assert_int_equal(read, taken);
			otlog__queue_finish(queue, 0, &span, &(otlog__batch_end){ 0 });
		}
		close_queue(queue);
	}
}

static void
a_batch_ends_at_its_records_or_its_bytes(void **state)
{
	(void)state;
	otlog__queue *queue = queue_open(1, 1, 0);
	for (uint8_t i = 0; i < 20; i++)
		put(queue, 100, i);
	assert_int_equal(otlog__queue_read_begin(queue, 0, 7, SIZE_MAX, refs, &span), 7);
	otlog__queue_read_end(queue, 0);
	assert_int_equal(otlog__queue_waiting(queue, 0), 13); /* those in flight do not wait */
	otlog__queue_finish(queue, 0, &span, &(otlog__batch_end){ 0 });
	assert_int_equal(otlog__queue_read_begin(queue, 0, 50, 399, refs, &span), 3);
	otlog__queue_read_end(queue, 0);
	otlog__queue_finish(queue, 0, &span, &(otlog__batch_end){ 0 });
	assert_int_equal(otlog__queue_read_begin(queue, 0, 50, 400, refs, &span), 4);
	otlog__queue_read_end(queue, 0);
	otlog__queue_finish(queue, 0, &span, &(otlog__batch_end){ 0 });
	assert_int_equal(otlog__queue_read_begin(queue, 0, 50, 1, refs, &span),
	                 1); /* at least one, whatever its size */
	otlog__queue_read_end(queue, 0);
	otlog__queue_finish(queue, 0, &span, &(otlog__batch_end){ 0 });
	assert_int_equal(drain(queue, 15), 5);
	close_queue(queue);
}

static void
batches_in_flight_finish_in_order_and_give_room_as_they_do(void **state)
{
	(void)state;
	otlog__queue *queue = queue_open(1, 1, 0);
	static otlog__batch_span spans[3];
	otlog__queue_mark mark;
	otlog__queue_books used;
	for (uint8_t i = 0; i < 30; i++)
		put(queue, 104, i);
	for (int b = 0; b < 3; b++) {
		assert_int_equal(otlog__queue_read_begin(queue, 0, 10, SIZE_MAX, refs, &spans[b]), 10);
		otlog__queue_read_end(queue, 0);
	}
	otlog__queue_take_mark(queue, &mark);
	for (int b = 0; b < 3; b++) {
		assert_false(otlog__queue_passed(queue, 0, &mark));
		otlog__queue_finish(queue, 0, &spans[b],
		                    &(otlog__batch_end){ .dropped[OTLOG_DROP_REJECTED] = b == 1 ? 4 : 0 });
		otlog__queue_take_books(queue, &used);
		assert_int_equal(used.bytes_used, (2 - b) * 10 * 120);
	}
	assert_true(otlog__queue_passed(queue, 0, &mark));
	otlog__pipeline_books books;
	otlog__pipeline_take_books(queue, 0, &books);
	assert_int_equal(books.delivered, 26);
	assert_int_equal(books.dropped[OTLOG_DROP_REJECTED], 4);
	assert_int_equal(books.queued, 0);
	close_queue(queue);
}

static void *
put_one(void *queue)
{
	return (void *)(uintptr_t)put(queue, 10, 1);
}

static void
threads_spread_over_the_lanes(void **state)
{
	(void)state;
	otlog__queue *queue = queue_open(64, 1, 0);
	queue_image image;
	assert_true(queue_image_of(&image, queue));
	for (int i = 0; i < 64; i++) {
		pthread_t thread;
		assert_int_equal(pthread_create(&thread, NULL, put_one, queue), 0);
		pthread_join(thread, NULL);
	}
	for (uint32_t lane = 0; lane < 64; lane++)
		assert_int_equal(atomic_load(&queue_image_lane(&image, lane)->producer.accepted), 1);
	close_queue(queue);
}

static void
a_lane_that_is_held_or_full_sends_the_emit_to_the_next(void **state)
{
	(void)state;
	otlog__queue *queue = queue_open(4, 1, 0);
	otlog__slot slots[5];
	uint32_t seen = 0;
	for (int i = 0; i < 4; i++) {
		assert_int_equal(otlog__queue_begin(queue, 100, &slots[i]), OTLOG_EMIT_ACCEPTED);
		seen |= 1u << slots[i].lane;
	}
	assert_int_equal(seen, 15);
	assert_int_equal(otlog__queue_begin(queue, 100, &slots[4]), OTLOG_EMIT_BUSY);
	for (int i = 0; i < 4; i++)
		otlog__queue_cancel(queue, &slots[i]);
	uint32_t taken = 0;
	while (put(queue, 1008, 1) == OTLOG_EMIT_ACCEPTED)
		taken++;
	assert_int_equal(taken, 4 * QUEUE_LANE_BYTES / 1024);
	close_queue(queue);
}

static void
no_lane_starves_behind_a_busy_one(void **state)
{
	(void)state;
	otlog__queue *queue = queue_open(4, 1, 0);
	queue_image image;
	assert_true(queue_image_of(&image, queue));
	/* Hold lanes so that each lane gets 40 records. */
	for (int lane = 0; lane < 4; lane++) {
		otlog__slot held[4];
		for (int i = 0; i < 4; i++)
			assert_int_equal(otlog__queue_begin(queue, 8, &held[i]), OTLOG_EMIT_ACCEPTED);
		for (int i = 0; i < 4; i++) {
			if (held[i].lane == (uint32_t)lane)
				otlog__queue_cancel(queue, &held[i]);
		}
		for (int i = 0; i < 40; i++)
			assert_int_equal(put(queue, 8, (uint8_t)lane), OTLOG_EMIT_ACCEPTED);
		for (int i = 0; i < 4; i++) {
			if (held[i].lane != (uint32_t)lane)
				otlog__queue_cancel(queue, &held[i]);
		}
	}
	uint32_t lanes_seen = 0;
	for (int b = 0; b < 4; b++) {
		assert_int_equal(otlog__queue_read_begin(queue, 0, 10, SIZE_MAX, refs, &span), 10);
		lanes_seen |= 1u << refs[0].bytes[0];
		otlog__queue_read_end(queue, 0);
		otlog__queue_finish(queue, 0, &span, &(otlog__batch_end){ 0 });
	}
	assert_int_equal(lanes_seen, 15);
	close_queue(queue);
}

static void
refusals_are_counted_by_reason(void **state)
{
	(void)state;
	otlog__queue *queue = queue_open(2, 1, 0);
	for (int reason = 0; reason < OTLOG_DROP_REASON_COUNT; reason++)
		for (int i = 0; i <= reason; i++)
			otlog__queue_refuse(queue, (otlog_drop_reason)reason);
	otlog__queue_refuse(queue, OTLOG_DROP_REASON_COUNT); /* not a reason */
	otlog__queue_books books;
	otlog__queue_take_books(queue, &books);
	for (int reason = 0; reason < OTLOG_DROP_REASON_COUNT; reason++)
		assert_int_equal(books.refused[reason], reason + 1);
	close_queue(queue);
}

static void
sizes_are_rounded_and_bad_options_give_no_queue(void **state)
{
	(void)state;
	static const struct {
		uint64_t bytes;
		uint32_t lanes;
		uint64_t gives, lanes_given;
	} cases[] = { { 0, 0, 8 * 65536, 8 },
		      { 1, 1, 65536, 1 },
		      { 65537, 1, 131072, 1 },
		      { 3 << 20, 3, 4 << 20, 4 },
		      { 1, 1000, 64 * 65536, 64 } };
	for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
		otlog__queue *queue = otlog__queue_open(&(otlog__queue_options){
		    .bytes = cases[c].bytes, .lanes = cases[c].lanes, .pipelines = one_pipeline, .pipeline_count = 1 });
		otlog__queue_books books;
		queue_image image;
		assert_non_null(queue);
		otlog__queue_take_books(queue, &books);
		assert_int_equal(books.bytes, cases[c].gives);
		assert_true(queue_image_of(&image, queue));
		assert_int_equal(image.header.lanes, cases[c].lanes_given);
		close_queue(queue);
	}
	assert_null(otlog__queue_open(NULL));
	assert_null(otlog__queue_open(&(otlog__queue_options){ .pipeline_count = 0 }));
	assert_null(otlog__queue_open(&(otlog__queue_options){ .pipeline_count = OTLOG_MAX_PIPELINES + 1 }));
	otlog__queue_free(NULL);
}

static void
scopes_keep_their_bytes_and_an_unknown_one_is_empty(void **state)
{
	(void)state;
	otlog__queue *queue = queue_open(1, 1, 0);
	for (uint32_t i = 0; i < 1000; i++) {
		char head[32], tail[32];
		snprintf(head, sizeof head, "head %u", i);
		snprintf(tail, sizeof tail, "%u", i);
		assert_int_equal(otlog__queue_add_scope(queue, head, strlen(head), tail, strlen(tail)), i);
	}
	otlog__scope_bytes scope = otlog__scopes_get(otlog__queue_scopes(queue), 417);
	assert_int_equal(scope.head_size, 8);
	assert_memory_equal(scope.head, "head 417", 8);
	assert_int_equal(scope.tail_size, 3);
	assert_memory_equal(scope.tail, "417", 3);
	assert_int_equal(otlog__scopes_get(otlog__queue_scopes(queue), 1000).head_size, 0);
	assert_int_equal(otlog__scopes_get(otlog__queue_scopes(queue), 0xffff).tail_size, 0);
	close_queue(queue);
}

static void
scopes_beyond_the_numbers_are_empty_and_that_is_said_once_later(void **state)
{
	(void)state;
	otlog__queue *queue = queue_open(1, 1, 0);
	diagnosed_begin();
	for (uint32_t i = 0; i < 0xfffd; i++)
		assert_int_equal(otlog__queue_add_scope(queue, "a", 1, NULL, 0), i);
	otlog__queue_evict(queue);
	assert_int_equal(diagnosed_count(), 0);
	for (int turn = 0; turn < 2; turn++) {
		assert_int_equal(otlog__queue_add_scope(queue, "b", 1, NULL, 0), 0xfffd);
		assert_int_equal(otlog__queue_add_scope(queue, "c", 1, NULL, 0), 0xfffd);
		assert_int_equal(otlog__scopes_get(otlog__queue_scopes(queue), 0xfffd).head_size, 0);
		assert_int_equal(diagnosed_count(), turn); /* the caller may hold locks */
		otlog__queue_read_begin(queue, 0, 0, 0, NULL, &(otlog__batch_span){ 0 });
		otlog__queue_read_end(queue, 0);
		assert_int_equal(diagnosed_count(), 1);
	}
	assert_true(diagnosed_says("without their logger's name"));
	close_queue(queue);
}

static void
the_crc_is_castagnolis(void **state)
{
	(void)state;
	uint8_t zeros[32] = { 0 };
	assert_int_equal(otlog__crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(otlog__crc32c(0, zeros, sizeof zeros), 0x8a9136aa); /* RFC 3720, B.4 */
	assert_int_equal(otlog__crc32c(otlog__crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_until_full_then_refuses_and_has_room_again_after_finish),
		cmocka_unit_test(keeps_every_byte_in_order_over_many_laps),
		cmocka_unit_test(wraps_at_every_offset),
		cmocka_unit_test(a_cancelled_slot_leaves_nothing_behind),
		cmocka_unit_test(a_record_may_be_smaller_than_the_room_it_asked_for),
		cmocka_unit_test(the_largest_record_fits_an_empty_lane_wherever_its_tail_stands),
		cmocka_unit_test(an_empty_record_is_a_record),
		cmocka_unit_test(is_bounded_by_records_where_asked),
		cmocka_unit_test(a_batch_ends_at_its_records_or_its_bytes),
		cmocka_unit_test(batches_in_flight_finish_in_order_and_give_room_as_they_do),
		cmocka_unit_test(threads_spread_over_the_lanes),
		cmocka_unit_test(a_lane_that_is_held_or_full_sends_the_emit_to_the_next),
		cmocka_unit_test(no_lane_starves_behind_a_busy_one),
		cmocka_unit_test(refusals_are_counted_by_reason),
		cmocka_unit_test(sizes_are_rounded_and_bad_options_give_no_queue),
		cmocka_unit_test(scopes_keep_their_bytes_and_an_unknown_one_is_empty),
		cmocka_unit_test(scopes_beyond_the_numbers_are_empty_and_that_is_said_once_later),
		cmocka_unit_test(the_crc_is_castagnolis),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
