/*
 * The power goes while a queue with checksums is at work: of the pages that have changed since the last sync some are on
 * the disk, some are not, some are torn. What was synced and not delivered comes back, once; nothing else than records.
 *
 * OTLOG_IMAGES sets the number of images (1000).
 */
#include "tests/support/cmocka.h"

#include "tests/support/check.h"
#include "tests/support/dead_image.h"
#include "tests/support/dead_queue.h"
#include "tests/support/diagnosed.h"
#include "tests/support/queue_image.h"
#include "tests/support/queue_record.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PER_STORY 40
#define LANES 4u
#define CHUNK 40u

enum { SYNCED = 1, DELIVERED = 2 };

static const char *const names[] = { "otlp_http" };
static char directory[64];

/* What the child has done with each record; shared with it. */
typedef struct story {
	uint64_t random;
	uint32_t emitted;
	uint32_t synced;
	uint8_t record[DEAD_MAX];
} story;

static uint32_t
below(story *s, uint32_t bound)
{
	s->random = s->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(s->random >> 33) % bound;
}

typedef struct chunk {
	otlog__queue *queue;
	uint32_t first;
	uint32_t taken;
} chunk;

/* In a thread of its own, which therefore has a lane of its own. */
static void *
emit_chunk(void *argument)
{
	chunk *c = argument;
	const dead_queue as = { .source = 6, .pipeline_count = 1 };
	while (c->taken < CHUNK && dead_queue_emit(c->queue, &as, c->first + c->taken, 1))
		c->taken++;
	return NULL;
}

static void
emit_some(otlog__queue *queue, story *s)
{
	chunk c = { .queue = queue, .first = s->emitted };
	pthread_t thread;
	CHECK(pthread_create(&thread, NULL, emit_chunk, &c) == 0 && pthread_join(thread, NULL) == 0);
	s->emitted += c.taken;
}

static void
deliver_some(otlog__queue *queue, story *s)
{
	otlog__frame_ref refs[CHUNK];
	otlog__batch_span span;
	uint32_t taken = otlog__queue_read_begin(queue, 0, 1 + below(s, CHUNK), SIZE_MAX, refs, &span);
	for (uint32_t i = 0; i < taken; i++) {
		uint32_t number;
		memcpy(&number, refs[i].bytes + 4, sizeof number);
		s->record[number] |= DELIVERED;
	}
	otlog__queue_read_end(queue, 0);
	otlog__queue_finish(queue, 0, &span, &(otlog__batch_end){ 0 });
}

/* Emits and delivers at random. */
static void
go_on(otlog__queue *queue, story *s, uint32_t steps)
{
	while (steps--) {
		if (s->emitted + CHUNK < DEAD_MAX && below(s, 2))
			emit_some(queue, s);
		else
			deliver_some(queue, s);
	}
}

static void
keep_what_is_on_the_disk(void)
{
	char path[200];
	dead_image image;
	dead_image_load(&image, directory);
	snprintf(path, sizeof path, "%s/kept", directory);
	FILE *file = fopen(path, "w");
	CHECK(file && fwrite(image.queue, 1, image.queue_size, file) == image.queue_size && fclose(file) == 0);
	dead_image_free(&image);
}

static void
live(otlog__queue *queue, void *user)
{
	story *s = user;
	go_on(queue, s, 10 + below(s, 100));
	CHECK(otlog__queue_sync(queue));
	keep_what_is_on_the_disk();
	s->synced = s->emitted;
	go_on(queue, s, below(s, 60));
}

static void
load_kept(dead_image *synced, const dead_image *now)
{
	char path[200];
	dead_image_copy(synced, now);
	snprintf(path, sizeof path, "%s/kept", directory);
	FILE *file = fopen(path, "r");
	CHECK(file && fread(synced->queue, 1, synced->queue_size, file) == synced->queue_size);
	fclose(file);
	CHECK(unlink(path) == 0);
}

static void
assert_synced_records_come_back(const story *s, const dead_image *image)
{
	char path[512];
	dead_tally *tally = dead_tally_make(6);
	diagnosed_begin();
	dead_image_put(image, directory);
	otlog__backlog *backlog = otlog__backlog_create(
	    &(otlog__backlog_options){ .directory = directory, .pipelines = names, .pipeline_count = 1 });
	CHECK(backlog);
	otlog__backlog_look(backlog);
	dead_drain(backlog, 0, UINT32_MAX, tally);
	otlog__backlog_close(backlog);
	otlog__backlog_free(backlog);
	assert_int_equal(tally->strange, 0);
	for (uint32_t number = 0; number < s->emitted; number++) {
		bool owed = number < s->synced && !(s->record[number] & DELIVERED);
		if (tally->seen[number] > 1 || (owed && tally->seen[number] != 1))
			fail_msg("record %u of %u, %u of them synced: seen %u times", number, s->emitted, s->synced,
			         tally->seen[number]);
	}
	for (uint32_t number = s->emitted; number < DEAD_MAX; number++)
		assert_int_equal(tally->seen[number], 0);
	assert_int_equal(queue_directory_find(directory, ".queue", path), 0);
	assert_int_equal(queue_directory_find(directory, ".meta", path), 0);
	free(tally);
}

static void
what_was_synced_comes_back_whatever_the_disk_has(void **state)
{
	(void)state;
	const char *wanted = getenv("OTLOG_IMAGES");
	int images = wanted && atoi(wanted) > 0 ? atoi(wanted) : 1000;
	uint64_t random = 1;
	story *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(s, MAP_FAILED);
	queue_directory_make(directory);
	for (int done = 0; done < images; done += PER_STORY) {
		dead_image now, synced;
		memset(s, 0, sizeof *s);
		s->random = (uint64_t)done + 1;
		dead_queue_make(&(dead_queue){ .directory = directory,
		                               .pipelines = names,
		                               .pipeline_count = 1,
		                               .source = 6,
		                               .lanes = LANES,
		                               .checksums = true,
		                               .then = live,
		                               .user = s });
		dead_image_load(&now, directory);
		load_kept(&synced, &now);
		for (int i = 0; i < PER_STORY; i++) {
			dead_image cut;
			dead_image_power_cut(&cut, &synced, &now, &random);
			dead_image_reboot(&cut);
			assert_synced_records_come_back(s, &cut);
			dead_image_free(&cut);
		}
		dead_image_free(&now);
		dead_image_free(&synced);
	}
	queue_directory_remove(directory);
	munmap(s, sizeof *s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_synced_comes_back_whatever_the_disk_has),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
