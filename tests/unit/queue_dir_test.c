/* Whose directory, whose files: what is used, what is refused, what is cleaned up. */
#include "tests/support/harness/cmocka.h"

#include "sdk/base/clock.h"
#include "sdk/queue/file_names.h"
/* How long a queue's name may be: a test keeps one. */
#include "sdk/queue/mapping.h"
#include "tests/support/harness/check.h"
#include "tests/support/queues/dead_image.h"
#include "tests/support/queues/dead_queue.h"
#include "tests/support/queues/queue_fixture.h"
#include "tests/support/sdk/diagnosed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const names[] = { "otlp_http" };

static const char *
in_directory(const char *file)
{
	static char path[200];
	snprintf(path, sizeof path, "%s/%s", directory, file);
	return path;
}

static const char *
own_folder(void)
{
	static char name[32];
	snprintf(name, sizeof name, "otlog-%lu", (unsigned long)geteuid());
	return name;
}

static bool
is_there(const char *file)
{
	struct stat info;
	return lstat(in_directory(file), &info) == 0;
}

static int
files(const char *suffix)
{
	char found[512];
	return queue_directory_find(directory, suffix, found);
}

static otlog__queue *
open_in(const char *where)
{
	otlog__queue *queue = otlog__queue_open(&(otlog__queue_options){ .directory = where,
	                                                                 .service_name = "s",
	                                                                 .bytes = 65536,
	                                                                 .lanes = 1,
	                                                                 .pipelines = names,
	                                                                 .pipeline_count = 1 });
	assert_non_null(queue);
	return queue;
}

static void
a_directory_that_is_missing_is_made_for_its_owner_alone(void **state)
{
	(void)state;
	struct stat info;
	char path[200], found[512];
	snprintf(path, sizeof path, "%s", in_directory("new"));
	mode_t before = umask(0);
	otlog__queue *queue = open_in(path);
	umask(before);
	assert_true(otlog__queue_in_file(queue));
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 07777, 0700);
	assert_int_equal(queue_directory_find(path, ".queue", found), 1);
	assert_int_equal(queue_directory_find(path, ".new", found), 0);
	assert_int_equal(diagnosed_count(), 0);
	otlog__queue_free(queue);
}

static void
where_others_may_write_a_folder_of_our_own_is_used(void **state)
{
	(void)state;
	static const mode_t modes[] = { 01777, 0777, 0770 };
	struct stat info;
	char inner[200], found[512];
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		assert_int_equal(chmod(directory, modes[i]), 0);
		otlog__queue *queue = open_in(directory);
		assert_true(otlog__queue_in_file(queue));
		snprintf(inner, sizeof inner, "%s", in_directory(own_folder()));
		assert_int_equal(stat(inner, &info), 0);
		assert_int_equal(info.st_mode & 07777, 0700);
		assert_int_equal(queue_directory_find(inner, ".queue", found), 1);
		assert_int_equal(files(".queue"), 0);
		otlog__queue_free(queue);
	}
	/* What is left there is found there. */
	dead_queue dead = { .directory = directory, .pipelines = names, .pipeline_count = 1, .records = 10 };
	dead_queue_make(&dead);
	otlog__backlog *backlog = otlog__backlog_create(
	    &(otlog__backlog_options){ .directory = directory, .pipelines = names, .pipeline_count = 1 });
	assert_true(otlog__backlog_look(backlog));
	assert_int_equal(dead_drain(backlog, 0, UINT32_MAX, NULL), 10);
	otlog__backlog_close(backlog);
	otlog__backlog_free(backlog);
}

static void
assert_in_memory(const char *where, const char *cause)
{
	diagnosed_begin();
	otlog__queue *queue = open_in(where);
	assert_false(otlog__queue_in_file(queue));
	assert_int_equal(diagnosed_count(), 1);
	assert_true(diagnosed_says(cause));
	otlog__queue_free(queue);
}

static void
a_trap_in_place_of_our_folder_is_not_stepped_into(void **state)
{
	(void)state;
	char other[64];
	queue_directory_make(other);
	assert_int_equal(chmod(directory, 01777), 0);
	assert_int_equal(symlink(other, in_directory(own_folder())), 0);
	assert_in_memory(directory, "otlog-<uid> inside cannot be opened");
	assert_int_equal(unlink(in_directory(own_folder())), 0);

	assert_int_equal(mkdir(in_directory(own_folder()), 0700), 0);
	assert_int_equal(chmod(in_directory(own_folder()), 0770), 0);
	assert_in_memory(directory, "somebody else's");
	assert_int_equal(rmdir(in_directory(own_folder())), 0);

	close(open(in_directory(own_folder()), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_in_memory(directory, "cannot be opened");
	queue_directory_remove(other);
}

static void
what_belongs_to_somebody_else_is_not_used(void **state)
{
	(void)state;
	char path[200];
	if (geteuid() != 0)
		skip(); /* only root can give things away */
	assert_int_equal(mkdir(in_directory(own_folder()), 0700), 0);
	assert_int_equal(chown(in_directory(own_folder()), 65534, 65534), 0);
	assert_int_equal(chmod(directory, 01777), 0);
	assert_in_memory(directory, "somebody else's");
	assert_int_equal(chmod(directory, 0700), 0);

	snprintf(path, sizeof path, "%s", in_directory("link"));
	assert_int_equal(symlink(directory, path), 0);
	assert_int_equal(lchown(path, 65534, 65534), 0);
	assert_in_memory(path, "a link of somebody else's");
}

static otlog__backlog *
look(void)
{
	otlog__backlog *backlog = otlog__backlog_create(
	    &(otlog__backlog_options){ .directory = directory, .pipelines = names, .pipeline_count = 1 });
	CHECK(backlog);
	otlog__backlog_look(backlog);
	otlog__backlog_look(backlog);
	return backlog;
}

static void
end(otlog__backlog *backlog)
{
	otlog__backlog_close(backlog);
	otlog__backlog_free(backlog);
}

/* A dead queue under a name of the test's. */
static void
put_dead(const char *name)
{
	dead_queue dead = { .directory = directory, .pipelines = names, .pipeline_count = 1, .records = 10 };
	char path[512];
	dead_image image;
	dead_queue_make(&dead);
	dead_image_load(&image, directory);
	assert_int_equal(queue_directory_find(directory, ".queue", path), 1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(queue_directory_find(directory, ".meta", path), 1);
	assert_int_equal(unlink(path), 0);
	snprintf(image.name, sizeof image.name, "%s", name);
	dead_image_put(&image, directory);
	dead_image_free(&image);
}

static void
assert_not_taken(const char *file)
{
	diagnosed_begin();
	otlog__backlog *backlog = look();
	assert_int_equal(otlog__backlog_waiting(backlog, 0), 0);
	assert_int_equal(diagnosed_times("is not delivered"), 1); /* although it was looked at twice */
	assert_true(is_there(file));
	end(backlog);
}

static void
files_with_two_names_are_refused(void **state)
{
	(void)state;
	char other[200];
	put_dead("a");
	snprintf(other, sizeof other, "%s", in_directory("other-name"));
	assert_int_equal(link(in_directory("a.queue"), other), 0);
	assert_not_taken("a.queue");
	assert_int_equal(unlink(other), 0);
	otlog__backlog *backlog = look();
	assert_int_equal(otlog__backlog_waiting(backlog, 0), 10);
	end(backlog);
}

static void
links_pipes_and_folders_are_refused(void **state)
{
	(void)state;
	char elsewhere[200];
	put_dead("a");
	snprintf(elsewhere, sizeof elsewhere, "%s", in_directory("elsewhere"));
	assert_int_equal(rename(in_directory("a.queue"), elsewhere), 0);
	assert_int_equal(symlink(elsewhere, in_directory("a.queue")), 0);
	assert_not_taken("a.queue");
	assert_int_equal(unlink(in_directory("a.queue")), 0);
	assert_int_equal(mkfifo(in_directory("a.queue"), 0600), 0);
	assert_not_taken("a.queue");
	assert_int_equal(unlink(in_directory("a.queue")), 0);
	assert_int_equal(mkdir(in_directory("a.queue"), 0700), 0);
	assert_not_taken("a.queue");
}

static void
files_that_others_may_change_are_refused(void **state)
{
	(void)state;
	put_dead("a");
	assert_int_equal(chmod(in_directory("a.queue"), 0666), 0);
	assert_not_taken("a.queue");
	assert_int_equal(chmod(in_directory("a.queue"), 0600), 0);
	if (geteuid() == 0) { /* only root can give things away */
		assert_int_equal(chown(in_directory("a.queue"), 65534, 65534), 0);
		assert_not_taken("a.queue");
	}
}

/* Sets when the file was changed last. */
static void
age(const char *file, int64_t seconds)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT } };
	times[1].tv_sec = (time_t)((int64_t)(otlog__unix_nano() / OTLOG__NANOS_PER_S) - seconds);
	assert_int_equal(utimensat(AT_FDCWD, in_directory(file), times, AT_SYMLINK_NOFOLLOW), 0);
}

static void
touch(const char *file, int64_t seconds)
{
	close(open(in_directory(file), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	age(file, seconds);
}

static void
what_was_never_finished_is_cleaned_up(void **state)
{
	(void)state;
	touch("dead.meta", 3600);
	touch("dead.new", 3600);
	touch("young.new", 2);
	touch("young.meta", 2);
	touch("alone.meta", 3600);
	touch("stranger.txt", 3600);
	end(look());
	assert_false(is_there("dead.new") || is_there("dead.meta") || is_there("alone.meta"));
	assert_true(is_there("young.new") && is_there("young.meta") && is_there("stranger.txt"));
	age("young.new", -3600); /* the clock was set back */
	end(look());
	assert_false(is_there("young.new"));
}

static void
a_newborn_is_not_cleaned_up(void **state)
{
	(void)state;
	touch("live.new", 3600);
	int fd = open(in_directory("live.new"), O_RDWR | O_CLOEXEC);
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	assert_int_equal(fcntl(fd, F_SETLK, &lock), 0);
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		end(look());
		_exit(0);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(is_there("live.new"));
	close(fd);
}

static void
names_are_claimed_once_and_not_in_children(void **state)
{
	(void)state;
	assert_false(otlog__names_has("one"));
	assert_true(otlog__names_claim("one"));
	assert_false(otlog__names_claim("one"));
	assert_true(otlog__names_has("one"));
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(otlog__names_has("one") || !otlog__names_claim("one"));
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	otlog__names_give_up("one");
	otlog__names_give_up("never there");
	assert_true(otlog__names_claim("one"));
	otlog__names_give_up("one");
}

static void
a_full_list_of_names_claims_no_more(void **state)
{
	(void)state;
	char name[16];
	int claimed = 0;
	for (; claimed < 5000; claimed++) {
		snprintf(name, sizeof name, "n%d", claimed);
		if (!otlog__names_claim(name))
			break;
	}
	assert_in_range(claimed, 500, 4999);
	assert_in_memory(directory, "too many queues open");
	for (int i = 0; i < claimed; i++) {
		snprintf(name, sizeof name, "n%d", i);
		otlog__names_give_up(name);
	}
	otlog__queue *queue = open_in(directory);
	assert_true(otlog__queue_in_file(queue));
	otlog__queue_free(queue);
}

static void
closing_gives_the_name_up(void **state)
{
	(void)state;
	char name[OTLOG__QUEUE_NAME_MAX];
	otlog__queue *queue = open_in(directory);
	snprintf(name, sizeof name, "%s", otlog__queue_name(queue));
	assert_true(otlog__names_has(name));
	otlog__queue_free(queue);
	assert_false(otlog__names_has(name));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(a_directory_that_is_missing_is_made_for_its_owner_alone),
		IN_DIRECTORY(where_others_may_write_a_folder_of_our_own_is_used),
		IN_DIRECTORY(a_trap_in_place_of_our_folder_is_not_stepped_into),
		IN_DIRECTORY(what_belongs_to_somebody_else_is_not_used),
		IN_DIRECTORY(files_with_two_names_are_refused),
		IN_DIRECTORY(links_pipes_and_folders_are_refused),
		IN_DIRECTORY(files_that_others_may_change_are_refused),
		IN_DIRECTORY(what_was_never_finished_is_cleaned_up),
		IN_DIRECTORY(a_newborn_is_not_cleaned_up),
		IN_DIRECTORY(names_are_claimed_once_and_not_in_children),
		IN_DIRECTORY(a_full_list_of_names_claims_no_more),
		IN_DIRECTORY(closing_gives_the_name_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
