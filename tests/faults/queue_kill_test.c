/*
 * SIGKILL at random while eight threads and the handlers that interrupt them emit into a queue file: afterwards nobody
 * but the file and the callers' own verdicts is left, and no record that emit accepted may be missing.
 *
 * OTLOG_FAULTS_FACTOR times 200 kills.
 */
#include "tests/support/harness/cmocka.h"

#include "sdk/base/clock.h"
#include "sdk/base/random.h"
#include "tests/support/harness/factor.h"
#include "tests/support/queues/queue_crew.h"
#include "tests/support/queues/queue_directory.h"
#include "tests/support/queues/queue_image.h"
#include "tests/support/records/queue_record.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_NANO (30 * OTLOG__NANOS_PER_S)
#define LANE_BYTES 65536u
#define LAPS 3u
#define SLACK_RECORDS (2 * (int64_t)CREW_BATCH) /* what the nearer worker may have in flight */

typedef struct totals {
	uint64_t returned, from_handlers, refused, recovered, twice, evicted;
} totals;

typedef struct trial {
	char directory[64];
	crew_ledger *ledger;
	uint32_t lanes;
	uint64_t max_records;
	pid_t victim;
	queue_image image;
} trial;

/* The process that is to die. */
static void
be_killed(const trial *t)
{
	static const char *const names[] = { "near", "far" };
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlives a test that was stopped */
	otlog__queue *queue = otlog__queue_open(&(otlog__queue_options){ .directory = t->directory,
	                                                                 .service_name = "victim",
	                                                                 .bytes = t->lanes * LANE_BYTES,
	                                                                 .lanes = t->lanes,
	                                                                 .max_records = t->max_records,
	                                                                 .pipelines = names,
	                                                                 .pipeline_count = 2,
	                                                                 .resource = "who I was",
	                                                                 .resource_size = 9 });
	if (!queue || !otlog__queue_in_file(queue))
		_exit(2);
	if (otlog__queue_add_scope(queue, "scope", 5, "url", 3) != 0)
		_exit(3);
	crew crew = { .queue = queue, .ledger = t->ledger, .numbers = CREW_NUMBERS };
	crew_start(&crew);
	for (uint32_t turn = 0;; turn++)
		crew_interrupt(&crew, turn);
}

/* The file of the victim, as soon as its header is there. */
static bool
find_image(trial *t)
{
	char path[512];
	if (t->image.bytes)
		return true;
	if (queue_directory_find(t->directory, ".queue", path) != 1)
		return false;
	if (queue_image_open(&t->image, path))
		return true;
	queue_image_close(&t->image);
	return false;
}

static uint64_t
evicted(const queue_image *image)
{
	uint64_t sum = 0;
	for (uint32_t lane = 0; lane < image->header.lanes; lane++)
		sum += atomic_load(&queue_image_lane(image, lane)->pipeline[1].dropped[OTLOG_DROP_QUEUE_FULL]);
	return sum;
}

/* Every lane has been overwritten, the far pipeline has lost records, both have finished batches, handlers emitted. */
static bool
is_well_under_way(trial *t)
{
	if (!find_image(t))
		return false;
	for (uint32_t lane = 0; lane < t->lanes; lane++)
		if (atomic_load(&queue_image_lane(&t->image, lane)->producer.tail) < LAPS * LANE_BYTES)
			return false;
	uint64_t handled = 0;
	for (uint32_t source = CREW_PRODUCERS; source < CREW_SOURCES; source++)
		handled += atomic_load(&t->ledger->returned[source]);
	return handled > 0 && evicted(&t->image) > 0 && atomic_load(&t->ledger->finished_batches[0]) > 0 &&
	       atomic_load(&t->ledger->finished_batches[1]) > 0;
}

static void
pause_nano(uint64_t nano)
{
	struct timespec pause = { .tv_sec = (time_t)(nano / OTLOG__NANOS_PER_S),
		                  .tv_nsec = (long)(nano % OTLOG__NANOS_PER_S) };
	nanosleep(&pause, NULL);
}

static void
kill_under_way(trial *t)
{
	uint64_t give_up = otlog__monotonic_nano() + PATIENCE_NANO;
	bool under_way;
	while (!(under_way = is_well_under_way(t)) && otlog__monotonic_nano() < give_up &&
	       waitpid(t->victim, NULL, WNOHANG) == 0)
		pause_nano(OTLOG__NANOS_PER_MS);
	pause_nano(otlog__random_u64() % (20 * OTLOG__NANOS_PER_MS));
	int status = 0;
	kill(t->victim, SIGKILL);
	assert_int_equal(waitpid(t->victim, &status, 0), t->victim);
	assert_true(WIFSIGNALED(status));
	assert_true(under_way);
}

typedef struct walk {
	crew_ledger *ledger;
	uint64_t frames;
	uint64_t wrong;
	uint32_t first_seq, last_seq;
	uint32_t pipeline;
} walk;

static void
visit(void *user, uint32_t lane, uint64_t position, const otlog__frame *frame, const uint8_t *record)
{
	walk *w = user;
	uint32_t source, number;
	(void)lane, (void)position;
	if (w->frames++ == 0)
		w->first_seq = frame->seq;
	w->last_seq = frame->seq;
	if (!queue_record_read(record, frame->size, &source, &number) || source >= CREW_SOURCES ||
	    number >= CREW_NUMBERS || frame->scope != source || frame->pipelines != crew_mask(number)) {
		w->wrong++;
		return;
	}
	if (w->pipeline == 0 && (frame->pipelines & 1))
		atomic_fetch_or(&w->ledger->entry[source][number], CREW_RECOVERED);
}

/* Walks what the pipeline has left in the lane and compares it with the books in the control page. */
static int64_t
check_lane(const trial *t, uint32_t lane, uint32_t pipeline)
{
	const otlog__lane_page *page = queue_image_lane(&t->image, lane);
	const otlog__lane_cursor *kept = &page->pipeline[pipeline];
	walk w = { .ledger = t->ledger, .pipeline = pipeline };
	int64_t frames = queue_image_walk(&t->image, lane, atomic_load(&kept->cursor), visit, &w);
	assert_true(frames >= 0);
	assert_int_equal(w.wrong, 0);
	uint64_t accepted = atomic_load(&page->producer.accepted);
	if (frames) {
		/* A kill between the two stores leaves `accepted` one ahead. */
		uint32_t ahead = (uint32_t)accepted - (w.last_seq + 1);
		assert_in_range(ahead, 0, 1);
		int32_t off = (int32_t)((uint32_t)atomic_load(&kept->consumed) - w.first_seq);
		assert_in_range(off + SLACK_RECORDS, 0, 2 * SLACK_RECORDS);
	}
	assert_true(atomic_load(&page->released.position) <= atomic_load(&kept->cursor));
	uint64_t done = atomic_load(&kept->delivered) + atomic_load(&kept->filtered);
	for (uint32_t reason = 0; reason < OTLOG__LAYOUT_REASONS; reason++)
		done += atomic_load(&kept->dropped[reason]);
	return (int64_t)(accepted - done) - frames;
}

/* Every verdict that a caller got, against what was finished and what the file still has. */
static uint64_t
check_verdicts(const trial *t, totals *sum)
{
	uint64_t lost = 0;
	for (uint32_t source = 0; source < CREW_SOURCES; source++) {
		uint32_t returned = atomic_load(&t->ledger->returned[source]);
		sum->returned += returned;
		sum->from_handlers += source >= CREW_PRODUCERS ? returned : 0;
		for (uint32_t number = 0; number < returned; number++) {
			uint8_t entry = atomic_load_explicit(&t->ledger->entry[source][number], memory_order_relaxed);
			bool there = entry & (CREW_FINISHED_0 | CREW_RECOVERED);
			if (entry & CREW_REFUSED) {
				sum->refused++;
				lost += there; /* refused, and yet there */
			} else if (crew_mask(number) & 1) {
				lost += !there || !(entry & CREW_ACCEPTED);
				sum->recovered += !(entry & CREW_FINISHED_0);
				sum->twice += (entry & CREW_FINISHED_0) && (entry & CREW_RECOVERED);
			}
		}
	}
	return lost;
}

static void
count_entry(void *user, uint16_t kind, uint16_t number, const uint8_t *payload, size_t size)
{
	uint32_t *kinds = user;
	(void)number, (void)payload, (void)size;
	kinds[kind < 4 ? kind : 0]++;
}

static void
check_meta(const trial *t)
{
	char path[512];
	uint32_t kinds[4] = { 0 };
	assert_int_equal(queue_directory_find(t->directory, ".meta", path), 1);
	assert_int_equal(queue_meta_walk(path, count_entry, kinds), 4);
	assert_int_equal(kinds[1], 1);
	assert_int_equal(kinds[2], 2);
	assert_int_equal(kinds[3], 1);
}

static void
one_kill(uint32_t number, totals *sum)
{
	trial t = { .lanes = 1u << number % 4, .max_records = number % 5 == 4 ? 2000 : 0 };
	t.ledger = crew_ledger_make();
	queue_directory_make(t.directory);
	fflush(NULL);
	t.victim = fork();
	assert_true(t.victim >= 0);
	if (t.victim == 0)
		be_killed(&t);
	kill_under_way(&t);

	for (uint32_t pipeline = 0; pipeline < 2; pipeline++) {
		int64_t off = 0;
		for (uint32_t lane = 0; lane < t.lanes; lane++)
			off += check_lane(&t, lane, pipeline);
		assert_in_range(off + SLACK_RECORDS, 0, 2 * SLACK_RECORDS);
	}
	uint64_t twice = sum->twice;
	assert_int_equal(check_verdicts(&t, sum), 0);
	assert_in_range(sum->twice - twice, 0, SLACK_RECORDS);
	assert_int_equal(atomic_load(&t.ledger->faults), 0);
	check_meta(&t);
	sum->evicted += evicted(&t.image);
	queue_image_close(&t.image);
	queue_directory_remove(t.directory);
	crew_ledger_free(t.ledger);
}

static void
no_accepted_record_is_lost_when_the_process_is_killed(void **state)
{
	(void)state;
	uint32_t kills = faults_count(200);
	uint64_t started_nano = otlog__monotonic_nano();
	totals sum = { 0 };
	for (uint32_t i = 0; i < kills; i++)
		one_kill(i, &sum);
	print_message("%u kills: %lu emits returned, %lu of them in handlers, %lu refused; %lu records recovered, none "
	              "lost, %lu twice; %lu evicted for the pipeline that was away; %.0f s\n",
	              kills, (unsigned long)sum.returned, (unsigned long)sum.from_handlers, (unsigned long)sum.refused,
	              (unsigned long)sum.recovered, (unsigned long)sum.twice, (unsigned long)sum.evicted,
	              (double)(otlog__monotonic_nano() - started_nano) / (double)OTLOG__NANOS_PER_S);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(no_accepted_record_is_lost_when_the_process_is_killed) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
