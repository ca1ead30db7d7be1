/*
 * A destination that is away for 24 h while 5,000 records come a second, on a virtual clock: the schedule of attempts, which
 * knows no other, and a real spool of 64 MiB in real files, which is fed with the batches that the keeper would make in that
 * time. A record is its number here, 4 bytes, or a day would be a hundred gigabytes.
 *
 * At every step the spool is within its bound; attempts come no more often than the back-off says; the process does not
 * grow; and when the destination is back the books and the numbers that come out agree, to the last of 432 million.
 */
#include "tests/support/harness/cmocka.h"

#include "sdk/base/clock.h"
#include "sdk/processor/schedule.h"
#include "tests/support/harness/process.h"
#include "tests/support/queues/spool_folder.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define HOURS 24u
#define PER_SECOND 5000u
#define BATCH_RECORDS 4096u /* as the keeper makes them */
#define MIB (UINT64_C(1) << 20)
#define BOUND (64 * MIB)
#define CAP_MS 30000u
#define INITIAL_MS 1000u

#define BATCH_NANO (OTLOG__NANOS_PER_S * BATCH_RECORDS / PER_SECOND)
#define HOUR_NANO (3600 * OTLOG__NANOS_PER_S)

typedef struct outage {
	spool_folder folder;
	otlog__spool *spool;
	otlog__schedule schedule;
	uint64_t retry_after_ms; /* what the destination asks for; 0: it is not there to ask */
	uint64_t now_nano;
	uint64_t random;
	uint32_t emitted; /* records; the number of the next one */
	uint64_t attempts;
	uint64_t longest_wait_nano;
	uint32_t in_flight; /* records of the batch that is tried */
	uint64_t in_flight_number;
	uint32_t next;      /* number of the next record to come out, or above: what lies between was dropped */
	uint64_t delivered; /* records */
	otlog__buffer out;
} outage;

static uint64_t
next_random(outage *o)
{
	o->random ^= o->random << 13;
	o->random ^= o->random >> 7;
	o->random ^= o->random << 17;
	return o->random;
}

/* Bytes of the files, as the disk has them. */
static uint64_t
bytes_of_files(const outage *o)
{
	char path[512];
	struct stat info;
	uint64_t sum = 0;
	snprintf(path, sizeof path, "%s/%s.spool", o->folder.path, SPOOL_NAME);
	DIR *folder = opendir(path);
	assert_non_null(folder);
	for (struct dirent *entry; (entry = readdir(folder));)
		if (entry->d_name[0] != '.' && fstatat(dirfd(folder), entry->d_name, &info, 0) == 0)
			sum += (uint64_t)info.st_size;
	closedir(folder);
	return sum;
}

/* The keeper: what has come in BATCH_NANO. */
static void
spool_batch(outage *o)
{
	uint32_t request[BATCH_RECORDS];
	uint64_t number;
	for (uint32_t i = 0; i < BATCH_RECORDS; i++)
		request[i] = o->emitted++;
	assert_int_equal(otlog__spool_append(o->spool, request, sizeof request, BATCH_RECORDS, false, &number),
	                 OTLOG__SPOOL_TAKEN);
	assert_true(spool_books_of(o->spool).bytes <= BOUND);
}

/* The worker: takes the oldest batch. False: there is none. */
static bool
take_batch(outage *o)
{
	o->in_flight = otlog__spool_take(o->spool, &o->out, &o->in_flight_number);
	if (!o->in_flight)
		return false;
	assert_int_equal(o->in_flight, BATCH_RECORDS);
	assert_int_equal(o->out.size, BATCH_RECORDS * sizeof(uint32_t));
	return true;
}

/* The worker: the batch in hand was taken by the destination. */
static void
deliver(outage *o)
{
	for (uint32_t i = 0; i < o->in_flight; i++) {
		uint32_t number;
		memcpy(&number, o->out.data + i * sizeof number, sizeof number);
		assert_true(number >= o->next && number < o->emitted);
		assert_true(i == 0 || number == o->next); /* nothing is missing within a batch */
		o->next = number + 1;
	}
	o->delivered += o->in_flight;
	otlog__spool_finish(o->spool, o->in_flight_number, &(otlog__batch_end){ 0 });
}

static void
attempt_in_vain(outage *o)
{
	bool opened;
	otlog__schedule_failed(&o->schedule, o->now_nano, o->schedule.failures, o->retry_after_ms, next_random(o),
	                       &opened);
	uint64_t next = otlog__schedule_next_nano(&o->schedule, true, false);
	assert_true(next >= o->now_nano);
	if (next - o->now_nano > o->longest_wait_nano)
		o->longest_wait_nano = next - o->now_nano;
	o->attempts++;
}

/* What happens until then, each thing in its time. */
static void
pass_time(outage *o, uint64_t until_nano)
{
	for (;;) {
		bool trying = o->in_flight || take_batch(o);
		uint64_t batch_nano = (uint64_t)(o->emitted / BATCH_RECORDS + 1) * BATCH_NANO;
		uint64_t attempt_nano = trying ? otlog__schedule_next_nano(&o->schedule, true, false) : OTLOG__NOT_YET;
		uint64_t next = attempt_nano < batch_nano ? attempt_nano : batch_nano;
		if (next > until_nano)
			return;
		o->now_nano = next > o->now_nano ? next : o->now_nano;
		if (next == batch_nano)
			spool_batch(o);
		else
			attempt_in_vain(o);
	}
}

static void
come_back(outage *o)
{
	assert_true(otlog__schedule_reached(&o->schedule));
	do
		deliver(o);
	while (take_batch(o));
}

static void
check_books(const outage *o, uint64_t early, uint64_t late)
{
	otlog__spool_books books = spool_books_of(o->spool);
	uint64_t dropped = books.dropped[OTLOG_DROP_SPOOL_FULL];
	print_message(
	    "24 h away on a virtual clock%s: %u records, %lu attempts, %lu s between two at most; spool of 64 MiB; "
	    "%lu delivered, %lu dropped as the oldest and counted, %lu not accounted for; %lu KiB resident after "
	    "1 h, %lu after 24 h\n",
	    o->retry_after_ms ? ", asked to wait 2 min" : "", o->emitted, (unsigned long)o->attempts,
	    (unsigned long)(o->longest_wait_nano / OTLOG__NANOS_PER_S), (unsigned long)o->delivered,
	    (unsigned long)dropped, (unsigned long)(o->emitted - o->delivered - dropped), (unsigned long)(early / 1024),
	    (unsigned long)(late / 1024));
	assert_int_equal(books.spooled, o->emitted);
	assert_int_equal(books.delivered, o->delivered);
	assert_int_equal(o->delivered + dropped, o->emitted);
	assert_int_equal(books.queued + books.bytes, 0);
	assert_int_equal(o->next, o->emitted); /* the newest is there */
	assert_true(o->delivered * sizeof(uint32_t) > BOUND / 2);
	assert_true(late < early + 2 * MIB);
}

static void
a_day_away(uint64_t retry_after_ms)
{
	outage o = { .random = 88172645463325252u,
		     .retry_after_ms = retry_after_ms,
		     .schedule = { .initial_ms = INITIAL_MS, .cap_ms = CAP_MS } };
	uint64_t early = 0;
	spool_folder_make(&o.folder);
	o.spool = spool_folder_create(&o.folder, BOUND, true);
	for (uint64_t hour = 1; hour <= HOURS; hour++) {
		pass_time(&o, hour * HOUR_NANO);
		assert_true(bytes_of_files(&o) <= BOUND);
		if (hour == 1)
			early = process_resident_bytes();
	}
	uint64_t late = process_resident_bytes();
	come_back(&o);
	check_books(&o, early, late);
	assert_int_equal(o.emitted, HOURS * 3600 * PER_SECOND / BATCH_RECORDS * BATCH_RECORDS);
	/* From nothing to the cap, at random: twice a cap on the average, and never less than once. */
	uint64_t caps = HOURS * 3600 * 1000 / (retry_after_ms ? retry_after_ms : CAP_MS);
	assert_in_range(o.attempts, caps / (retry_after_ms ? 2 : 1), retry_after_ms ? caps : caps * 5 / 2);
	assert_true(o.longest_wait_nano <= (retry_after_ms + CAP_MS) * OTLOG__NANOS_PER_MS);
	otlog__spool_close(o.spool);
	otlog__spool_free(o.spool);
	otlog__buffer_free(&o.out);
	assert_int_equal(spool_folder_files(&o.folder), 0);
	spool_folder_remove(&o.folder);
}

static void
a_day_without_an_answer(void **state)
{
	(void)state;
	a_day_away(0);
}

static void
a_day_of_being_asked_to_wait(void **state)
{
	(void)state;
	a_day_away(120000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_day_without_an_answer),
		cmocka_unit_test(a_day_of_being_asked_to_wait),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
