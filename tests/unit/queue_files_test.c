/* Looking into queue directories, as tools do: what is said of the files, and what is read of them. */
#include "tests/support/harness/cmocka.h"

#include <otlog/queue_files.h>

#include "sdk/base/process/diagnostics.h"
#include "sdk/queue/spool/spool.h"
#include "tests/support/harness/check.h"
#include "tests/support/queues/dead_image.h"
#include "tests/support/queues/dead_queue.h"
#include "tests/support/queues/queue_fixture.h"
#include "tests/support/records/queue_record.h"
#include "tests/support/sdk/diagnosed.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const names[] = { "otlp_http", "console" };

/* A log record of no more than a body: field 5, a string value. Made of the number alone. */
static size_t
make_record(uint8_t out[32], uint32_t number)
{
	int text = snprintf((char *)out + 4, 28, "record %u", number);
	out[0] = 5 << 3 | 2;
	out[1] = (uint8_t)(text + 2);
	out[2] = 1 << 3 | 2;
	out[3] = (uint8_t)text;
	return (size_t)text + 4;
}

static void
emit(otlog__queue *queue, uint32_t from, uint32_t to)
{
	for (uint32_t number = from; number < to; number++) {
		uint8_t record[32];
		size_t size = make_record(record, number);
		otlog__slot slot;
		CHECK(otlog__queue_begin(queue, size, &slot) == OTLOG_EMIT_ACCEPTED);
		memcpy(slot.bytes, record, size);
		otlog__queue_commit(queue, &slot, size, 0, (uint16_t)(number % 3 + 1));
	}
}

/* Records 0 … 89: number % 3 is 0 for the first, 1 for the second, 2 for both; 20 delivered by the first. */
static void
emit_real_records(otlog__queue *queue, void *user)
{
	(void)user;
	otlog__frame_ref refs[20];
	otlog__batch_span span;
	emit(queue, 0, 90);
	CHECK(otlog__queue_read_begin(queue, 0, 20, SIZE_MAX, refs, &span) == 20);
	otlog__queue_read_end(queue, 0);
	otlog__queue_finish(queue, 0, &span, &(otlog__batch_end){ 0 });
}

static void
make_dead(bool checksums)
{
	dead_queue queue = { .directory = directory,
		             .pipelines = names,
		             .pipeline_count = 2,
		             .then = emit_real_records,
		             .checksums = checksums };
	dead_queue_make(&queue);
}

typedef struct seen {
	int files;
	otlog_queue_file last;
	char name[128];
	char problem[300];
	char pipelines[OTLOG_MAX_PIPELINES][32];
} seen;

static void
see(void *user, const otlog_queue_file *file)
{
	seen *self = user;
	self->files++;
	self->last = *file;
	snprintf(self->name, sizeof self->name, "%s", file->name);
	snprintf(self->problem, sizeof self->problem, "%s", file->problem);
	for (size_t p = 0; p < file->pipeline_count; p++)
		snprintf(self->pipelines[p], sizeof self->pipelines[p], "%s", file->pipelines[p]);
}

static seen
visit(void)
{
	seen all = { 0 };
	assert_true(otlog_queue_files_visit(directory, see, &all));
	return all;
}

static void
a_dead_queue_is_described(void **state)
{
	(void)state;
	for (int checksums = 0; checksums < 2; checksums++) {
		char path[512];
		make_dead(checksums);
		seen all = visit();
		assert_int_equal(all.files, 1);
		assert_int_equal(all.last.state, OTLOG_QUEUE_FILE_WAITING);
		assert_string_equal(all.problem, "");
		assert_int_equal(all.last.pipeline_count, 2);
		assert_string_equal(all.pipelines[0], "otlp_http");
		assert_string_equal(all.pipelines[1], "console");
		assert_int_equal(all.last.waiting[0], 40);
		assert_int_equal(all.last.waiting[1], 60);
		/* The first has had 20 of its 60: numbers 0, 2, 3, 5, … 29. Of these the odd ones out were its alone. */
		assert_int_equal(all.last.records, 90 - 10);
		assert_int_equal(all.last.damaged + all.last.spooled, 0);
		assert_true(all.last.trusted);
		assert_true(all.last.owner_pid && all.last.created_unix_nano);
		assert_in_range(all.last.bytes, 65536 * 2, 65536 * 3);
		assert_int_equal(queue_directory_find(directory, ".queue", path), 1); /* still */
		assert_int_equal(unlink(path), 0);
	}
}

typedef struct read_back {
	uint32_t numbers[90];
	uint32_t records;
	uint32_t batches;
	uint32_t stop_after; /* batches; 0: never */
	bool scoped;
} read_back;

static bool
read_batch(void *user, const otlog_batch *batch)
{
	read_back *self = user;
	otlog_batch_reader reader = otlog_batch_records(batch);
	otlog_record_view record;
	uint32_t before = self->records, number;
	while (otlog_batch_next(&reader, &record)) {
		char body[32];
		otlog_value_text(&record.body, body, sizeof body);
		CHECK(sscanf(body, "record %u", &number) == 1 && number < 90);
		self->numbers[number]++;
		self->records++;
	}
	CHECK(self->records - before == batch->records);
	return ++self->batches != self->stop_after;
}

static void
what_waits_is_read(void **state)
{
	(void)state;
	make_dead(false);
	seen all = visit();
	read_back first = { 0 }, second = { 0 }, any = { 0 }, none = { 0 };
	assert_true(otlog_queue_file_read(directory, all.name, "otlp_http", read_batch, &first));
	assert_true(otlog_queue_file_read(directory, all.name, "console", read_batch, &second));
	assert_true(otlog_queue_file_read(directory, all.name, NULL, read_batch, &any));
	assert_true(otlog_queue_file_read(directory, all.name, "nobody", read_batch, &none));
	assert_int_equal(first.records, 40);
	assert_int_equal(second.records, 60);
	assert_int_equal(any.records, 80);
	assert_int_equal(none.batches, 0);
	for (uint32_t number = 0; number < 90; number++) {
		bool for_first = number % 3 != 1 && number >= 30, for_second = number % 3 != 0;
		assert_int_equal(first.numbers[number], for_first);
		assert_int_equal(second.numbers[number], for_second);
		assert_int_equal(any.numbers[number], for_first || for_second);
	}
}

static void
reading_stops_when_it_is_told_to(void **state)
{
	(void)state;
	dead_queue queue = { .directory = directory, .pipelines = names, .pipeline_count = 1, .records = 0 };
	queue.then = emit_real_records;
	queue.lanes = 1;
	dead_queue_make(&queue);
	seen all = visit();
	read_back some = { .stop_after = 1 };
	assert_true(otlog_queue_file_read(directory, all.name, NULL, read_batch, &some));
	assert_int_equal(some.batches, 1);
}

static void
what_cannot_be_read_is_an_error(void **state)
{
	(void)state;
	seen all = { 0 };
	read_back some = { 0 };
	assert_false(otlog_queue_files_visit("/nonexistent/directory", see, &all));
	assert_int_equal(errno, ENOENT);
	assert_false(otlog_queue_files_visit(NULL, see, &all));
	assert_false(otlog_queue_file_read(directory, "no-such-name", NULL, read_batch, &some));
	assert_int_equal(errno, ENOENT);
	assert_false(otlog_queue_file_read(directory, "../escape", NULL, read_batch, &some));
	assert_int_equal(errno, EINVAL);
	assert_true(otlog_queue_files_visit(directory, see, &all));
	assert_int_equal(all.files, 0);
}

/* In a child, for a process does not look at its own. */
static int
sees_a_live_queue(void)
{
	seen all = visit();
	read_back any = { 0 };
	if (all.files != 1 || all.last.state != OTLOG_QUEUE_FILE_LIVE || all.last.records != 90 ||
	    all.last.damaged != 0)
		return 1;
	return otlog_queue_file_read(directory, all.name, NULL, read_batch, &any) && any.records == 90 ? 0 : 2;
}

static void
a_live_queue_is_looked_at_without_harm(void **state)
{
	(void)state;
	int status;
	otlog__queue *queue = otlog__queue_open(&(otlog__queue_options){
	    .directory = directory, .bytes = 65536, .lanes = 1, .pipelines = names, .pipeline_count = 2 });
	assert_true(otlog__queue_in_file(queue));
	emit(queue, 0, 90);
	seen own = visit();
	assert_int_equal(own.files, 0);
	for (int i = 0; i < 2; i++) { /* the second time shows that the lock is still there */
		fflush(NULL);
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0)
			_exit(sees_a_live_queue());
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
	}
	otlog__queue_free(queue);
}

/* Takes over what is being looked at, as a provider's keeper in this process may. */
static void
take_over_meanwhile(void *user, const otlog_queue_file *file)
{
	otlog__backlog *backlog = user;
	(void)file;
	otlog__backlog_look(backlog);
}

static bool
read_and_take_over(void *user, const otlog_batch *batch)
{
	(void)batch;
	take_over_meanwhile(user, NULL);
	return true;
}

static int
can_be_taken_over(void)
{
	otlog__backlog *other = otlog__backlog_create(
	    &(otlog__backlog_options){ .directory = directory, .pipelines = names, .pipeline_count = 2 });
	return otlog__backlog_look(other);
}

static void
looking_at_a_file_does_not_cost_an_adopter_its_lock(void **state)
{
	(void)state;
	make_dead(false);
	for (int reads = 0; reads < 2; reads++) {
		int status;
		otlog__backlog *backlog = otlog__backlog_create(
		    &(otlog__backlog_options){ .directory = directory, .pipelines = names, .pipeline_count = 2 });
		seen dead = visit();
		if (reads)
			otlog_queue_file_read(directory, dead.name, NULL, read_and_take_over, backlog);
		else
			assert_true(otlog_queue_files_visit(directory, take_over_meanwhile, backlog));
		otlog__backlog_look(backlog); /* now at the latest */
		assert_true(otlog__backlog_waiting(backlog, 0) > 0);
		fflush(NULL);
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0)
			_exit(can_be_taken_over());
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
		otlog__backlog_close(backlog);
		otlog__backlog_free(backlog);
	}
}

static void
emit_and_deliver_for_ever(otlog__queue *queue, void *user)
{
	static otlog__frame_ref refs[64];
	otlog__batch_span span;
	(void)user;
	for (;;) {
		emit(queue, 0, 64);
		while (otlog__queue_waiting(queue, 0) > 500 || otlog__queue_waiting(queue, 1) > 500)
			for (uint32_t p = 0; p < 2; p++) {
				otlog__queue_read_begin(queue, p, 64, SIZE_MAX, refs, &span);
				otlog__queue_read_end(queue, p);
				otlog__queue_finish(queue, p, &span, &(otlog__batch_end){ 0 });
			}
	}
}

static void
a_busy_queue_is_looked_at_without_alarm(void **state)
{
	(void)state;
	char path[512];
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dead_queue_live(&(dead_queue){ .directory = directory,
		                               .pipelines = names,
		                               .pipeline_count = 2,
		                               .then = emit_and_deliver_for_ever });
		_exit(4);
	}
	while (queue_directory_find(directory, ".queue", path) == 0)
		sched_yield();
	for (int i = 0; i < 40; i++) {
		seen all = visit();
		read_back any = { 0 };
		assert_int_equal(all.files, 1);
		assert_int_equal(all.last.state, OTLOG_QUEUE_FILE_LIVE);
		assert_int_equal(all.last.damaged, 0);
		assert_string_equal(all.problem, "");
		assert_true(otlog_queue_file_read(directory, all.name, NULL, read_batch, &any));
	}
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	seen all = visit();
	assert_int_equal(all.last.state, OTLOG_QUEUE_FILE_WAITING);
	assert_int_equal(all.last.damaged, 0);
}

static void
damage_is_counted_and_named(void **state)
{
	(void)state;
	dead_image image;
	make_dead(false);
	dead_image_load(&image, directory);
	dead_image_data(&image, 0)[dead_image_frame(&image, 0, 50) + 3] ^= 8;
	dead_image_put(&image, directory);
	seen all = visit();
	assert_int_equal(all.last.damaged, 1);
	assert_int_equal(all.last.records, 79);
	assert_non_null(strstr(all.problem, "damaged"));

	dead_image_header(&image)->version = 1;
	dead_image_sign(&image);
	dead_image_put(&image, directory);
	all = visit();
	assert_int_equal(all.last.state, OTLOG_QUEUE_FILE_FOREIGN);
	assert_non_null(strstr(all.problem, "version"));

	memset(image.queue, 0x5a, 4096);
	dead_image_put(&image, directory);
	all = visit();
	assert_int_equal(all.last.state, OTLOG_QUEUE_FILE_DAMAGED);
	assert_int_equal(all.last.records, 0);
	read_back any = { 0 };
	assert_false(otlog_queue_file_read(directory, all.name, NULL, read_batch, &any));
	dead_image_free(&image);
}

static void
a_queue_of_before_the_machine_went_down_is_not_trusted(void **state)
{
	(void)state;
	dead_image image;
	make_dead(false);
	dead_image_load(&image, directory);
	dead_image_reboot(&image);
	dead_image_put(&image, directory);
	seen all = visit();
	assert_false(all.last.trusted);
	assert_int_equal(all.last.records, 0);
	assert_int_equal(all.last.damaged, 90);
	assert_non_null(strstr(all.problem, "OTLOG_DURABILITY"));
	dead_image_free(&image);
}

static void
links_and_pipes_are_not_followed(void **state)
{
	(void)state;
	char path[128];
	snprintf(path, sizeof path, "%s/link.queue", directory);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	snprintf(path, sizeof path, "%s/pipe.queue", directory);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(path, sizeof path, "%s/folder.queue", directory);
	assert_int_equal(mkdir(path, 0700), 0);
	seen all = visit();
	assert_int_equal(all.files, 3);
	assert_int_equal(all.last.state, OTLOG_QUEUE_FILE_DAMAGED);
	assert_true(all.problem[0] != '\0');
}

static void
a_directory_is_checked_and_left_as_it_was(void **state)
{
	(void)state;
	char inside[128];
	struct stat info;
	snprintf(inside, sizeof inside, "%s/inside", directory);
	otlog__diagnostics_set(diagnosed_take, NULL, OTLOG__INFO);
	assert_true(otlog_queue_directory_check(directory));
	assert_true(otlog_queue_directory_check(inside));
	assert_int_equal(stat(inside, &info), -1);
	assert_int_equal(rmdir(directory), 0); /* it is empty */
	assert_int_equal(mkdir(directory, 0700), 0);
	assert_false(otlog_queue_directory_check(NULL));
	assert_false(otlog_queue_directory_check(""));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(diagnosed_count(), 0);
	assert_false(otlog_queue_directory_check("/nonexistent/directory"));
	assert_int_equal(diagnosed_times("queue directory /nonexistent/directory: "), 1);
	assert_int_equal(diagnosed_count(), 1);
}

static void
states_have_names(void **state)
{
	(void)state;
	assert_string_equal(otlog_queue_file_state_text(OTLOG_QUEUE_FILE_LIVE), "live");
	assert_string_equal(otlog_queue_file_state_text(OTLOG_QUEUE_FILE_WAITING), "waiting");
	assert_string_equal(otlog_queue_file_state_text(OTLOG_QUEUE_FILE_FOREIGN), "foreign");
	assert_string_equal(otlog_queue_file_state_text(OTLOG_QUEUE_FILE_DAMAGED), "damaged");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(a_dead_queue_is_described),
		IN_DIRECTORY(what_waits_is_read),
		IN_DIRECTORY(reading_stops_when_it_is_told_to),
		IN_DIRECTORY(what_cannot_be_read_is_an_error),
		IN_DIRECTORY(a_live_queue_is_looked_at_without_harm),
		IN_DIRECTORY(looking_at_a_file_does_not_cost_an_adopter_its_lock),
		IN_DIRECTORY(a_busy_queue_is_looked_at_without_alarm),
		IN_DIRECTORY(damage_is_counted_and_named),
		IN_DIRECTORY(a_queue_of_before_the_machine_went_down_is_not_trusted),
		IN_DIRECTORY(links_and_pipes_are_not_followed),
		IN_DIRECTORY(a_directory_is_checked_and_left_as_it_was),
		cmocka_unit_test(states_have_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
