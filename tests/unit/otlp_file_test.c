#include "exporters/json/otlp_json.h"
#include "exporters/otlp_file/file.h"
#include "exporters/otlp_file/rotation.h"
#include "sdk/base/buffer.h"
#include "tests/support/harness/check.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/harness/files.h"
#include "tests/support/records/otlp_request.h"
#include "tests/support/sdk/diagnosed.h"

#include <otlog/exporters.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

typedef struct fixture {
	char directory[64];
	char path[96];      /* directory/log.jsonl, the exporter's */
	otlog_batch batch;  /* one record */
	otlog__buffer line; /* what a batch becomes */
	otlog_exporter exporter;
} fixture;

static int
setup(void **state)
{
	fixture *f = calloc(1, sizeof *f);
	CHECK(f);
	strcpy(f->directory, "/tmp/otlog-file-XXXXXX");
	CHECK(mkdtemp(f->directory));
	snprintf(f->path, sizeof f->path, "%s/log.jsonl", f->directory);
	f->batch = otlp_request_create(1, 20);
	CHECK(otlog__otlp_json_append(f->batch.request, f->batch.request_size, &f->line));
	CHECK(otlog__buffer_append(&f->line, "\n", 1));
	diagnosed_begin();
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	fixture *f = *state;
	char path[400];
	if (f->exporter.functions)
		f->exporter.functions->destroy(f->exporter.self);
	DIR *all = opendir(f->directory);
	CHECK(all);
	for (struct dirent *entry; (entry = readdir(all));) {
		snprintf(path, sizeof path, "%s/%s", f->directory, entry->d_name);
		if (entry->d_name[0] != '.' && unlink(path))
			rmdir(path);
	}
	closedir(all);
	CHECK(rmdir(f->directory) == 0);
	otlp_request_free(&f->batch);
	otlog__buffer_free(&f->line);
	free(f);
	return 0;
}

/* directory/name; one of four buffers, in turns. */
static const char *
in(const fixture *f, const char *name)
{
	static char paths[4][400];
	static unsigned turn;
	char *path = paths[turn++ % 4];
	snprintf(path, sizeof paths[0], "%s/%s", f->directory, name);
	return path;
}

static void
open_exporter(fixture *f, otlog_otlp_file_options options)
{
	options.path = f->path;
	assert_true(otlog_otlp_file_exporter_create(&options, &f->exporter));
	assert_string_equal(f->exporter.name, "otlp_file");
}

static otlog_export_result
give(fixture *f, uint64_t timeout_ms)
{
	otlog_export_result result = { 0 };
	f->exporter.functions->export_batch(f->exporter.self, &f->batch, timeout_ms, &result);
	return result;
}

static void
give_ok(fixture *f, unsigned times)
{
	while (times--) {
		otlog_export_result result = give(f, 10000);
		if (result.verdict != OTLOG_VERDICT_OK)
			fail_msg("%s", result.message);
	}
}

static void
assert_retry(otlog_export_result result, const char *text)
{
	assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
	if (!strstr(result.message, text))
		fail_msg("\"%s\" does not say \"%s\"", result.message, text);
}

/* The file is `before` and then so many lines. */
static void
assert_content(const fixture *f, const char *path, const char *before, unsigned lines)
{
	otlog__buffer expected = { 0 };
	CHECK(otlog__buffer_append(&expected, before, strlen(before)));
	for (unsigned i = 0; i < lines; i++)
		CHECK(otlog__buffer_append(&expected, f->line.data, f->line.size));
	FILE *file = fopen(path, "r");
	if (!file)
		fail_msg("%s: %s", path, strerror(errno));
	char *text = calloc(1, expected.size + 2);
	CHECK(text);
	assert_int_equal(fread(text, 1, expected.size + 1, file), expected.size);
	assert_memory_equal(text, expected.data, expected.size);
	fclose(file);
	free(text);
	otlog__buffer_free(&expected);
}

static bool
exists(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0;
}

/* ---- When to rotate, and how ------------------------------------------------------------------------------------- */

static void
a_file_is_full_by_size_or_age_but_never_empty(void **state)
{
	(void)state;
	const otlog__rotation none = { 0 }, size = { .max_bytes = 100 }, age = { .max_age_s = 60 };
	assert_false(otlog__rotation_due(&none, UINT64_MAX, 1, 0, UINT64_MAX));
	assert_false(otlog__rotation_due(&size, 0, 1000, 0, 0));
	assert_false(otlog__rotation_due(&size, 60, 40, 0, 0));
	assert_true(otlog__rotation_due(&size, 60, 41, 0, 0));
	assert_true(otlog__rotation_due(&size, 200, 1, 0, 0));
	assert_true(otlog__rotation_due(&size, 1, UINT64_MAX, 0, 0));
	assert_false(otlog__rotation_due(&age, 1, 1, 1000, 1059));
	assert_true(otlog__rotation_due(&age, 1, 1, 1000, 1060));
	assert_false(otlog__rotation_due(&age, 0, 1, 1000, 1060));
	assert_false(otlog__rotation_due(&age, 1, 1, 1000, 10)); /* a clock that was set back */
}

static void
full_files_move_up_to_the_first_free_number(void **state)
{
	fixture *f = *state;
	file_write(in(f, "x"), "new");
	file_write(in(f, "x.1"), "1");
	file_write(in(f, "x.2"), "2");
	file_write(in(f, "x.4"), "4");
	assert_int_equal(otlog__rotate(in(f, "x"), 10), 0);
	assert_false(exists(in(f, "x")));
	assert_content(f, in(f, "x.1"), "new", 0);
	assert_content(f, in(f, "x.2"), "1", 0);
	assert_content(f, in(f, "x.3"), "2", 0);
	assert_content(f, in(f, "x.4"), "4", 0);
	assert_false(exists(in(f, "x.5")));
	assert_int_equal(otlog__rotate(in(f, "x"), 10), ENOENT);
}

static void
the_oldest_gives_way(void **state)
{
	fixture *f = *state;
	for (unsigned i = 0; i < 5; i++) {
		char text[2] = { (char)('a' + i), '\0' };
		file_write(in(f, "x"), text);
		assert_int_equal(otlog__rotate(in(f, "x"), 3), 0);
	}
	assert_content(f, in(f, "x.1"), "e", 0);
	assert_content(f, in(f, "x.2"), "d", 0);
	assert_content(f, in(f, "x.3"), "c", 0);
	assert_false(exists(in(f, "x.4")));
}

static void
by_size_each_file_holds_as_many_lines_as_fit(void **state)
{
	fixture *f = *state;
	open_exporter(f, (otlog_otlp_file_options){ .max_file_bytes = f->line.size * 2 + 1, .max_files = 2 });
	give_ok(f, 7);
	assert_content(f, f->path, "", 1);
	assert_content(f, in(f, "log.jsonl.1"), "", 2);
	assert_content(f, in(f, "log.jsonl.2"), "", 2);
	assert_false(exists(in(f, "log.jsonl.3")));
}

static void
a_line_larger_than_a_file_may_be_has_one_of_its_own(void **state)
{
	fixture *f = *state;
	open_exporter(f, (otlog_otlp_file_options){ .max_file_bytes = 1 });
	give_ok(f, 3);
	assert_content(f, f->path, "", 1);
	assert_content(f, in(f, "log.jsonl.1"), "", 1);
	assert_content(f, in(f, "log.jsonl.2"), "", 1);
}

static void
by_age_a_new_file_begins_with_the_next_line(void **state)
{
	fixture *f = *state;
	unsigned lines = 0;
	open_exporter(f, (otlog_otlp_file_options){ .max_age_s = 1 });
	do {
		give_ok(f, 1);
		lines++;
		poll(NULL, 0, 20);
	} while (!exists(in(f, "log.jsonl.1")) && lines < 1000);
	assert_true(lines > 1);
	assert_content(f, in(f, "log.jsonl.1"), "", lines - 1);
	assert_content(f, f->path, "", 1);
}

static void
a_link_stays_and_what_it_leads_to_is_rotated(void **state)
{
	fixture *f = *state;
	assert_int_equal(symlink("real", f->path), 0);
	open_exporter(f, (otlog_otlp_file_options){ .max_file_bytes = f->line.size });
	give_ok(f, 2);
	struct stat st;
	assert_true(lstat(f->path, &st) == 0 && S_ISLNK(st.st_mode));
	assert_content(f, in(f, "real"), "", 1);
	assert_content(f, in(f, "real.1"), "", 1);
}

/* ---- Writing ----------------------------------------------------------------------------------------------------- */

static void
a_batch_is_a_line_behind_what_is_there(void **state)
{
	fixture *f = *state;
	struct stat st;
	mode_t mask = umask(0);
	open_exporter(f, (otlog_otlp_file_options){ .sync = true });
	assert_false(exists(f->path)); /* the first batch makes it */
	give_ok(f, 2);
	assert_content(f, f->path, "", 2);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	umask(mask);
	assert_true(f->exporter.functions->flush(f->exporter.self, 1000));
	f->exporter.functions->destroy(f->exporter.self);
	open_exporter(f, (otlog_otlp_file_options){ 0 });
	give_ok(f, 1);
	assert_true(f->exporter.functions->flush(f->exporter.self, 1000));
	assert_content(f, f->path, "", 3);
}

static void
a_line_that_somebody_left_unfinished_is_ended(void **state)
{
	fixture *f = *state;
	file_write(f->path, "{\"resourceLogs\":[{");
	open_exporter(f, (otlog_otlp_file_options){ 0 });
	give_ok(f, 2);
	assert_content(f, f->path, "{\"resourceLogs\":[{\n", 2);
	assert_int_equal(truncate(f->path, 0), 0);
	give_ok(f, 1);
	int fd = open(f->path, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(write(fd, "{", 1), 1); /* while it is open */
	close(fd);
	give_ok(f, 1);
	otlog__buffer expected = { 0 };
	CHECK(otlog__buffer_append(&expected, f->line.data, f->line.size));
	CHECK(otlog__buffer_append(&expected, "{\n", 3));
	assert_content(f, f->path, (const char *)expected.data, 1);
	otlog__buffer_free(&expected);
}

static void
a_file_that_was_renamed_removed_or_emptied_is_noticed(void **state)
{
	fixture *f = *state;
	open_exporter(f, (otlog_otlp_file_options){ 0 });
	give_ok(f, 2);
	assert_int_equal(rename(f->path, in(f, "by-logrotate")), 0);
	give_ok(f, 1);
	assert_content(f, in(f, "by-logrotate"), "", 2);
	assert_content(f, f->path, "", 1);
	assert_int_equal(unlink(f->path), 0);
	give_ok(f, 3);
	assert_content(f, f->path, "", 3);
	assert_int_equal(truncate(f->path, 0), 0);
	give_ok(f, 1);
	assert_content(f, f->path, "", 1);
}

static unsigned
open_descriptors(void)
{
	unsigned count = 0;
	DIR *all = opendir("/proc/self/fd");
	CHECK(all);
	while (readdir(all))
		count++;
	closedir(all);
	return count;
}

static void
no_descriptor_is_left_open(void **state)
{
	fixture *f = *state;
	unsigned before = open_descriptors();
	open_exporter(f, (otlog_otlp_file_options){ .max_file_bytes = 1, .max_files = 2 });
	give_ok(f, 20);
	assert_int_equal(open_descriptors(), before + 1);
	f->exporter.functions->destroy(f->exporter.self);
	f->exporter = (otlog_exporter){ 0 };
	assert_int_equal(open_descriptors(), before);
}

static void
bytes_that_are_no_request_are_dropped(void **state)
{
	fixture *f = *state;
	open_exporter(f, (otlog_otlp_file_options){ 0 });
	f->batch.request_size--;
	assert_int_equal(give(f, 1000).verdict, OTLOG_VERDICT_DROP);
	assert_false(exists(f->path));
	f->batch.request_size++;
	give_ok(f, 1);
	assert_content(f, f->path, "", 1);
}

static void
without_a_path_it_is_standard_output(void **state)
{
	fixture *f = *state;
	static const char *const paths[] = { NULL, "", "-" };
	fflush(stdout);
	int kept = dup(STDOUT_FILENO), fd = open(f->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CHECK(kept >= 0 && fd >= 0 && dup2(fd, STDOUT_FILENO) == STDOUT_FILENO);
	otlog_verdict verdicts[3];
	for (size_t i = 0; i < 3; i++) {
		CHECK(otlog_otlp_file_exporter_create(&(otlog_otlp_file_options){ .path = paths[i] }, &f->exporter));
		verdicts[i] = give(f, 1000).verdict;
		CHECK(strcmp(f->exporter.name, "otlp_file") == 0);
		f->exporter.functions->destroy(f->exporter.self);
		f->exporter = (otlog_exporter){ 0 };
	}
	CHECK(dup2(kept, STDOUT_FILENO) == STDOUT_FILENO);
	close(kept);
	close(fd);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(verdicts[i], OTLOG_VERDICT_OK);
	assert_content(f, f->path, "", 3);
}

/* ---- What is in the way ------------------------------------------------------------------------------------------ */

static void
a_missing_folder_is_named_and_waited_for(void **state)
{
	fixture *f = *state;
	strcpy(f->path, in(f, "later/log.jsonl"));
	open_exporter(f, (otlog_otlp_file_options){ 0 });
	assert_retry(give(f, 1000), "Create its folder");
	assert_int_equal(mkdir(in(f, "later"), 0700), 0);
	give_ok(f, 1);
	assert_content(f, f->path, "", 1);
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(rmdir(in(f, "later")), 0);
	assert_retry(give(f, 1000), "Create its folder");
}

static void
a_folder_in_its_place_is_named_and_waited_for(void **state)
{
	fixture *f = *state;
	assert_int_equal(mkdir(f->path, 0700), 0);
	open_exporter(f, (otlog_otlp_file_options){ 0 });
	assert_retry(give(f, 1000), "Choose the path of a file");
	assert_int_equal(rmdir(f->path), 0);
	give_ok(f, 1);
}

static void
a_path_longer_than_any_is_said(void **state)
{
	fixture *f = *state;
	char path[5000];
	memset(path, 'x', sizeof path - 1);
	path[sizeof path - 1] = '\0';
	assert_true(otlog_otlp_file_exporter_create(&(otlog_otlp_file_options){ .path = path }, &f->exporter));
	assert_retry(give(f, 1000), "choose another path");
}

/* In a child that is nobody: root may write everywhere. Returns its exit status. */
static int
as_nobody(int (*run)(fixture *f), fixture *f)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		if (geteuid() == 0 && (setgid(NOBODY) || setuid(NOBODY)))
			_exit(99);
		_exit(run(f));
	}
	CHECK(child > 0 && waitpid(child, &status, 0) == child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

static int
give_without_permission(fixture *f)
{
	otlog_export_result result = give(f, 1000);
	return result.verdict == OTLOG_VERDICT_RETRY && strstr(result.message, "Let the process write there") ? 0 : 1;
}

static void
a_file_that_may_not_be_written_is_waited_for(void **state)
{
	fixture *f = *state;
	open_exporter(f, (otlog_otlp_file_options){ 0 });
	assert_int_equal(chmod(f->directory, 0555), 0);
	assert_int_equal(as_nobody(give_without_permission, f), 0);
	assert_int_equal(chmod(f->directory, 0755), 0);
	file_write(f->path, "");
	assert_int_equal(chmod(f->path, 0444), 0);
	assert_int_equal(as_nobody(give_without_permission, f), 0);
}

static int
give_where_nothing_can_be_renamed(fixture *f)
{
	for (unsigned i = 0; i < 3; i++)
		if (give(f, 1000).verdict != OTLOG_VERDICT_OK)
			return 1;
	return diagnosed_says("cannot be renamed") ? 0 : 2;
}

static void
a_full_file_that_cannot_be_renamed_goes_on(void **state)
{
	fixture *f = *state;
	file_write(f->path, "");
	assert_int_equal(chmod(f->path, 0666), 0);
	assert_int_equal(chmod(f->directory, 0555), 0);
	open_exporter(f, (otlog_otlp_file_options){ .max_file_bytes = 1 });
	assert_int_equal(as_nobody(give_where_nothing_can_be_renamed, f), 0);
	assert_int_equal(chmod(f->directory, 0755), 0);
	assert_content(f, f->path, "", 3);
}

static void
a_fifo_is_written_to_when_it_has_a_reader(void **state)
{
	fixture *f = *state;
	char got[4096];
	assert_int_equal(mkfifo(f->path, 0600), 0);
	signal(SIGPIPE, SIG_DFL); /* would end this program */
	open_exporter(f, (otlog_otlp_file_options){ .max_file_bytes = 1, .sync = true });
	assert_retry(give(f, 1000), "Start what reads it");
	int reader = open(f->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(reader >= 0);
	give_ok(f, 2);
	assert_int_equal(read(reader, got, sizeof got), f->line.size * 2);
	assert_memory_equal(got, f->line.data, f->line.size);
	assert_true(f->exporter.functions->flush(f->exporter.self, 1000));
	close(reader);
	assert_retry(give(f, 1000), "Start what reads it");
	reader = open(f->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	give_ok(f, 1);
	assert_int_equal(read(reader, got, sizeof got), f->line.size);
	otlog_export_result result;
	while ((result = give(f, 5)).verdict == OTLOG_VERDICT_OK)
		;
	assert_retry(result, "too slowly");
	close(reader);
}

static void
the_limit_of_file_sizes_is_kept_without_a_signal(void **state)
{
	fixture *f = *state;
	struct rlimit before, small;
	signal(SIGXFSZ, SIG_DFL); /* would end this program */
	open_exporter(f, (otlog_otlp_file_options){ 0 });
	give_ok(f, 1);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = f->line.size * 2 - 1;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	otlog_export_result result = give(f, 1000);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_retry(result, "max_file_bytes");
	assert_content(f, f->path, "", 1);
	give_ok(f, 1);
	assert_content(f, f->path, "", 2);
}

static void
a_lock_that_is_held_is_waited_for_in_time(void **state)
{
	fixture *f = *state;
	file_write(f->path, "");
	int other = open(f->path, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(other, LOCK_EX), 0);
	open_exporter(f, (otlog_otlp_file_options){ 0 });
	assert_retry(give(f, 20), "lslocks");
	assert_content(f, f->path, "", 0);
	close(other);
	give_ok(f, 1);
	other = open(f->path, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0); /* none is kept between batches */
	close(other);
}

static void *
give_for_ever(void *fixture_)
{
	fixture *f = fixture_;
	otlog_export_result *result = calloc(1, sizeof *result);
	CHECK(result);
	*result = give(f, 0);
	return result;
}

static void
cancel_ends_the_waiting_for_a_lock(void **state)
{
	fixture *f = *state;
	pthread_t thread;
	void *result;
	file_write(f->path, "");
	int other = open(f->path, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(other, LOCK_EX), 0);
	open_exporter(f, (otlog_otlp_file_options){ 0 });
	assert_int_equal(pthread_create(&thread, NULL, give_for_ever, f), 0);
	f->exporter.functions->cancel(f->exporter.self);
	pthread_join(thread, &result);
	assert_retry(*(otlog_export_result *)result, "shutting down");
	close(other);
	assert_retry(give(f, 0), "shutting down");
	assert_content(f, f->path, "", 0);
	free(result);
}

int
main(void)
{
#define FILE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_full_by_size_or_age_but_never_empty),
		FILE_TEST(full_files_move_up_to_the_first_free_number),
		FILE_TEST(the_oldest_gives_way),
		FILE_TEST(by_size_each_file_holds_as_many_lines_as_fit),
		FILE_TEST(a_line_larger_than_a_file_may_be_has_one_of_its_own),
		FILE_TEST(by_age_a_new_file_begins_with_the_next_line),
		FILE_TEST(a_link_stays_and_what_it_leads_to_is_rotated),
		FILE_TEST(a_batch_is_a_line_behind_what_is_there),
		FILE_TEST(a_line_that_somebody_left_unfinished_is_ended),
		FILE_TEST(a_file_that_was_renamed_removed_or_emptied_is_noticed),
		FILE_TEST(no_descriptor_is_left_open),
		FILE_TEST(bytes_that_are_no_request_are_dropped),
		FILE_TEST(without_a_path_it_is_standard_output),
		FILE_TEST(a_missing_folder_is_named_and_waited_for),
		FILE_TEST(a_folder_in_its_place_is_named_and_waited_for),
		FILE_TEST(a_path_longer_than_any_is_said),
		FILE_TEST(a_file_that_may_not_be_written_is_waited_for),
		FILE_TEST(a_full_file_that_cannot_be_renamed_goes_on),
		FILE_TEST(a_fifo_is_written_to_when_it_has_a_reader),
		FILE_TEST(the_limit_of_file_sizes_is_kept_without_a_signal),
		FILE_TEST(a_lock_that_is_held_is_waited_for_in_time),
		FILE_TEST(cancel_ends_the_waiting_for_a_lock),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
