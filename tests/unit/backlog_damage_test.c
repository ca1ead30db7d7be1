/* Damaged files of dead processes: what is intact is delivered, what is lost is counted, and nothing else happens. */
#include "tests/support/harness/cmocka.h"

#include "sdk/queue/crc32c.h"
#include "tests/support/harness/check.h"
#include "tests/support/queues/dead_image.h"
#include "tests/support/queues/dead_queue.h"
#include "tests/support/queues/queue_directory.h"
#include "tests/support/records/queue_record.h"
#include "tests/support/sdk/diagnosed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RECORDS 60u
#define DELIVERED 20u /* of them, by the owner; the rest waits */

static const char *const names[] = { "otlp_http" };
static char directory[64];

/* Images of a queue with one lane: without checksums, and with. */
static dead_image plain;
static dead_image summed;

static void
make_image(dead_image *image, bool checksums)
{
	dead_queue queue = { .directory = directory,
		             .pipelines = names,
		             .pipeline_count = 1,
		             .source = 9,
		             .records = RECORDS,
		             .delivered = DELIVERED,
		             .closed = true,
		             .checksums = checksums };
	char path[512];
	dead_queue_make(&queue);
	dead_image_load(image, directory);
	assert_int_equal(queue_directory_find(directory, ".queue", path), 1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(queue_directory_find(directory, ".meta", path), 1);
	assert_int_equal(unlink(path), 0);
}

static int
make_all(void **state)
{
	(void)state;
	queue_directory_make(directory);
	diagnosed_begin();
	make_image(&plain, false);
	make_image(&summed, true);
	return 0;
}

static int
remove_all(void **state)
{
	(void)state;
	dead_image_free(&plain);
	dead_image_free(&summed);
	queue_directory_remove(directory);
	return 0;
}

/* What came of an image. */
typedef struct outcome {
	uint32_t delivered; /* different ones of the records that waited */
	uint32_t again;     /* the same once more, and what had been delivered before */
	uint32_t strange;   /* no record of ours */
	uint64_t damaged;   /* as the books say */
	int left;           /* files */
} outcome;

static void
enter(outcome *out, uint32_t seen[RECORDS], const otlog__backlog_batch *batch)
{
	for (uint32_t i = 0; i < batch->records; i++) {
		uint32_t source = 0, number = 0;
		if (!queue_record_read(batch->refs[i].bytes, batch->refs[i].size, &source, &number) || source != 9 ||
		    number >= RECORDS)
			out->strange++;
		else if (seen[number]++ || number < DELIVERED)
			out->again++;
		else
			out->delivered++;
	}
}

/* Puts the image there, has it adopted and delivered, and takes away what is left. */
static outcome
deliver(const dead_image *image)
{
	char path[512];
	outcome out = { 0 };
	uint32_t seen[RECORDS] = { 0 };
	otlog__backlog_batch batch = { 0 };
	otlog__backlog_books books;
	diagnosed_begin();
	dead_image_put(image, directory);
	otlog__backlog *backlog = otlog__backlog_create(
	    &(otlog__backlog_options){ .directory = directory, .pipelines = names, .pipeline_count = 1 });
	CHECK(backlog);
	otlog__backlog_look(backlog);
	while (otlog__backlog_take(backlog, 0, 16, 1 << 20, &batch)) {
		enter(&out, seen, &batch);
		otlog__backlog_finish(backlog, 0, &batch, &(otlog__batch_end){ 0 });
	}
	otlog__backlog_take_books(backlog, 0, &books);
	CHECK(books.queued == 0 && books.adopted == books.delivered + books.dropped[OTLOG_DROP_DAMAGED]);
	CHECK(books.delivered == out.delivered + out.again + out.strange);
	out.damaged = books.dropped[OTLOG_DROP_DAMAGED];
	otlog__backlog_close(backlog);
	otlog__backlog_free(backlog);
	otlog__backlog_batch_free(&batch);
	while (queue_directory_find(directory, ".queue", path) || queue_directory_find(directory, ".meta", path)) {
		out.left++;
		CHECK(unlink(path) == 0);
	}
	return out;
}

/* All that waited has come, once. */
static void
assert_all(outcome out)
{
	assert_int_equal(out.delivered, RECORDS - DELIVERED);
	assert_int_equal(out.again + out.strange, 0);
	assert_int_equal(out.damaged, 0);
	assert_int_equal(out.left, 0);
}

static void
sound_files_are_delivered_whole(void **state)
{
	(void)state;
	assert_all(deliver(&plain));
	assert_all(deliver(&summed));
	assert_int_equal(diagnosed_times("damaged"), 0);
}

static void
no_bit_of_the_header_page_matters_alone(void **state)
{
	(void)state;
	dead_image image;
	dead_image_copy(&image, &plain);
	for (size_t bit = 0; bit < sizeof(otlog__queue_header) * 8; bit++) {
		uint8_t *bytes[2] = { image.queue + bit / 8, image.queue + OTLOG__QUEUE_COPY_OFFSET + bit / 8 };
		for (int copy = 0; copy < 2; copy++) {
			*bytes[copy] ^= (uint8_t)(1u << bit % 8);
			assert_all(deliver(&image));
			*bytes[copy] ^= (uint8_t)(1u << bit % 8);
		}
	}
	dead_image_free(&image);
}

static void
a_bad_header_loses_one_record_and_says_so(void **state)
{
	(void)state;
	dead_image image;
	const uint32_t at[] = { DELIVERED, DELIVERED + 1, RECORDS / 2, RECORDS - 1 };
	dead_image_copy(&image, &plain);
	for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
		uint8_t *frame = dead_image_data(&image, 0) + dead_image_frame(&image, 0, at[i]);
		for (size_t bit = 0; bit < sizeof(otlog__frame) * 8; bit++) {
			frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
			outcome out = deliver(&image);
			frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
			assert_int_equal(out.delivered, RECORDS - DELIVERED - 1);
			assert_int_equal(out.damaged, 1);
			assert_int_equal(out.again + out.strange + (uint32_t)out.left, 0);
			assert_int_equal(diagnosed_times(": 1 record lost: "), 1);
		}
	}
	dead_image_free(&image);
}

static void
with_checksums_a_bad_record_is_not_delivered(void **state)
{
	(void)state;
	dead_image image;
	dead_image_copy(&image, &summed);
	uint64_t from = dead_image_frame(&image, 0, 30), to = dead_image_frame(&image, 0, 31);
	uint8_t *data = dead_image_data(&image, 0);
	otlog__frame frame;
	memcpy(&frame, data + from, sizeof frame);
	for (uint64_t at = from; at < to; at++) {
		data[at] ^= 0x10;
		outcome out = deliver(&image);
		data[at] ^= 0x10;
		uint32_t lost = at < from + sizeof frame + frame.size; /* else it is the filling behind it */
		assert_int_equal(out.delivered, RECORDS - DELIVERED - lost);
		assert_int_equal(out.damaged, lost);
		assert_int_equal(out.again + out.strange + (uint32_t)out.left, 0);
	}
	dead_image_free(&image);
}

static void
no_bit_of_the_control_words_loses_a_record(void **state)
{
	(void)state;
	dead_image image;
	dead_image_copy(&image, &plain);
	otlog__lane_page *lane = dead_image_lane(&image, 0);
	const size_t words[] = {
		offsetof(otlog__lane_page, producer.owner),       offsetof(otlog__lane_page, producer.tail),
		offsetof(otlog__lane_page, producer.accepted),    offsetof(otlog__lane_page, released.position),
		offsetof(otlog__lane_page, released.seq),         offsetof(otlog__lane_page, pipeline[0].cursor),
		offsetof(otlog__lane_page, pipeline[0].consumed), offsetof(otlog__lane_page, pipeline[0].delivered)
	};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		for (size_t bit = 0; bit < 64; bit++) {
			uint8_t *byte = (uint8_t *)lane + words[i] + bit / 8;
			*byte ^= (uint8_t)(1u << bit % 8);
			outcome out = deliver(&image);
			*byte ^= (uint8_t)(1u << bit % 8);
			if (out.delivered != RECORDS - DELIVERED || out.damaged || out.strange || out.left)
				fail_msg("word at %zu, bit %zu: %u delivered, %llu damaged, %u strange, %d left",
				         words[i], bit, out.delivered, (unsigned long long)out.damaged, out.strange,
				         out.left);
		}
	dead_image_free(&image);
}

/* Records that lie before the end of the file, of those that wait. */
static uint32_t
waiting_before(dead_image *image, uint64_t end)
{
	uint64_t start = (uint64_t)(dead_image_data(image, 0) - image->queue);
	uint32_t count = 0;
	for (uint32_t number = DELIVERED; number < RECORDS; number++) {
		uint64_t at = dead_image_frame(image, 0, number);
		otlog__frame frame;
		memcpy(&frame, image->queue + start + at, sizeof frame);
		count += start + at + sizeof frame + frame.size <= end;
	}
	return count;
}

static void
a_file_that_was_cut_off_gives_what_is_left_of_it(void **state)
{
	(void)state;
	dead_image image;
	dead_image_copy(&image, &summed);
	const size_t whole = image.queue_size;
	for (size_t size = 0; size < whole; size += size < 2 * 4096 ? 3 : 509) {
		uint32_t expected = size > 2 * 4096 ? waiting_before(&image, size) : 0;
		image.queue_size = size;
		outcome out = deliver(&image);
		image.queue_size = whole;
		assert_int_equal(out.delivered, expected);
		assert_int_equal(out.again + out.strange + (uint32_t)out.left, 0);
		if (size > 2 * 4096)
			assert_int_equal(out.damaged, RECORDS - DELIVERED - expected);
	}
	dead_image_free(&image);
}

static void
a_meta_file_that_was_cut_off_costs_names_not_records(void **state)
{
	(void)state;
	dead_image image;
	dead_image_copy(&image, &plain);
	for (; image.meta_size > 0; image.meta_size--) {
		outcome out = deliver(&image);
		assert_int_equal(out.delivered, RECORDS - DELIVERED);
		assert_int_equal(out.again + out.strange + (uint32_t)out.left, 0);
		assert_true(diagnosed_times(".meta is damaged") <= 1); /* nothing tells that a last entry is gone */
	}
	dead_image_free(&image);
}

static void
no_bit_of_the_meta_file_loses_a_record(void **state)
{
	(void)state;
	dead_image image;
	dead_image_copy(&image, &plain);
	for (size_t bit = 0; bit < image.meta_size * 8; bit++) {
		image.meta[bit / 8] ^= (uint8_t)(1u << bit % 8);
		outcome out = deliver(&image);
		image.meta[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(out.delivered, RECORDS - DELIVERED);
		assert_int_equal(out.again + out.strange + (uint32_t)out.left, 0);
		assert_int_equal(diagnosed_times(".meta is damaged"), 1);
	}
	dead_image_free(&image);
}

static void
random_damage_is_counted_to_the_record(void **state)
{
	(void)state;
	srandom(20);
	for (int trial = 0; trial < 1500; trial++) {
		dead_image image;
		dead_image_copy(&image, &summed);
		uint64_t start = (uint64_t)(dead_image_data(&image, 0) - image.queue), end = 64 * 1024 / 4;
		for (int flips = 1 + trial % 20; flips; flips--)
			image.queue[start + (uint64_t)random() % end] ^= (uint8_t)(1u << random() % 8);
		if (trial % 3 == 0) /* a whole stretch of zeros */
			memset(image.queue + start + (uint64_t)random() % end, 0, (size_t)random() % 2000);
		outcome out = deliver(&image);
		assert_int_equal(out.delivered + out.damaged, RECORDS - DELIVERED);
		assert_int_equal(out.again + out.strange + (uint32_t)out.left, 0);
		dead_image_free(&image);
	}
}

static void
a_control_page_of_garbage_loses_no_record(void **state)
{
	(void)state;
	srandom(21);
	for (int trial = 0; trial < 300; trial++) {
		dead_image image;
		dead_image_copy(&image, trial % 2 ? &summed : &plain);
		uint8_t *page = (uint8_t *)dead_image_lane(&image, 0);
		for (size_t at = 0; at < 4096; at++)
			page[at] = (uint8_t)random();
		outcome out = deliver(&image);
		assert_int_equal(out.delivered, RECORDS - DELIVERED); /* the others too: at least once */
		assert_int_equal(out.strange + (uint32_t)out.left, 0);
		dead_image_free(&image);
	}
}

static void
a_lane_of_nothing_but_single_frames_takes_bounded_memory(void **state)
{
	(void)state;
	dead_image image;
	dead_image_copy(&image, &plain);
	uint64_t salt = dead_image_header(&image)->salt;
	uint8_t *data = dead_image_data(&image, 0);
	for (uint32_t i = 0; (i + 1) * 24 <= 65536; i++) {
		otlog__frame frame = { .size = 8, .pipelines = 1, .seq = 2 * i };
		frame.check = otlog__frame_check(&frame, 0, salt);
		memcpy(data + (size_t)i * 24, &frame, sizeof frame);
	}
	outcome out = deliver(&image);
	assert_in_range(out.strange, 1, 512);
	assert_int_equal(out.left, 0);
	dead_image_free(&image);
}

static void
files_of_other_kinds_are_left_alone(void **state)
{
	(void)state;
	for (int kind = 0; kind < 4; kind++) {
		dead_image image;
		dead_image_copy(&image, &plain);
		otlog__queue_header *header = dead_image_header(&image);
		if (kind == 0)
			header->version = 1;
		else if (kind == 1)
			header->version = 3;
		else if (kind == 2)
			header->byte_order = UINT32_C(0x04030201);
		else
			header->word_bytes = 4;
		dead_image_sign(&image);
		outcome out = deliver(&image);
		assert_int_equal(out.delivered + out.again + out.strange, 0);
		assert_int_equal(out.left, 2);
		assert_int_equal(diagnosed_times("another version or architecture"), 1);
		dead_image_free(&image);
	}
}

static void
what_is_no_queue_at_all_is_left_alone(void **state)
{
	(void)state;
	dead_image image;
	dead_image_copy(&image, &plain);
	memset(image.queue, 0xa5, 4096);
	outcome out = deliver(&image);
	assert_int_equal(out.delivered + out.again + out.strange, 0);
	assert_int_equal(out.left, 2);
	assert_int_equal(diagnosed_times("cannot be made out"), 1);
	dead_image_free(&image);
}

static void
a_file_of_zeros_is_removed(void **state)
{
	(void)state;
	dead_image image;
	dead_image_copy(&image, &plain);
	memset(image.queue, 0, image.queue_size);
	outcome out = deliver(&image);
	assert_int_equal(out.delivered + out.again + out.strange + (uint32_t)out.left, 0);
	assert_int_equal(diagnosed_times("OTLOG_DURABILITY"), 1);
	dead_image_free(&image);
}

static void
a_hostile_header_takes_no_memory(void **state)
{
	(void)state;
	dead_image image;
	dead_image_copy(&image, &plain);
	otlog__queue_header *header = dead_image_header(&image);
	header->lanes = 64;
	header->lane_bytes = OTLOG__MAX_LANE_BYTES;
	header->data_offset = otlog__layout_data_offset(64);
	dead_image_sign(&image);
	outcome out = deliver(&image);
	assert_int_equal(out.strange + (uint32_t)out.left, 0);
	dead_image_free(&image);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound_files_are_delivered_whole),
		cmocka_unit_test(no_bit_of_the_header_page_matters_alone),
		cmocka_unit_test(a_bad_header_loses_one_record_and_says_so),
		cmocka_unit_test(with_checksums_a_bad_record_is_not_delivered),
		cmocka_unit_test(no_bit_of_the_control_words_loses_a_record),
		cmocka_unit_test(a_file_that_was_cut_off_gives_what_is_left_of_it),
		cmocka_unit_test(a_meta_file_that_was_cut_off_costs_names_not_records),
		cmocka_unit_test(no_bit_of_the_meta_file_loses_a_record),
		cmocka_unit_test(random_damage_is_counted_to_the_record),
		cmocka_unit_test(a_control_page_of_garbage_loses_no_record),
		cmocka_unit_test(a_lane_of_nothing_but_single_frames_takes_bounded_memory),
		cmocka_unit_test(files_of_other_kinds_are_left_alone),
		cmocka_unit_test(what_is_no_queue_at_all_is_left_alone),
		cmocka_unit_test(a_file_of_zeros_is_removed),
		cmocka_unit_test(a_hostile_header_takes_no_memory),
	};
	return cmocka_run_group_tests(tests, make_all, remove_all);
}
