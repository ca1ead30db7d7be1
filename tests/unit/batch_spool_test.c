/* The keeper's part of a batch processor: what happens around a spool that is full, or that the disk does not take. */
#include "tests/support/harness/check.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/sdk/diagnosed.h"
#include "tests/support/sdk/scripted_fixture.h"
#include "tests/support/sdk/sdk_books.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void
away(void *user, const scripted_call *call, otlog_export_result *result)
{
	(void)user, (void)call;
	scripted_answer(result, OTLOG_VERDICT_RETRY, "away");
}

/* The first pipeline's destination is away; the second's is there. */
static void
start(scripted_fixture *f, otlog_options options)
{
	f->a = scripted_create("away", away, NULL, 1);
	f->b = scripted_create("there", NULL, NULL, 1);
	options.queue_directory = scripted_directory(f);
	options.queue_bytes = 1 << 20;
	options.queue_full = OTLOG_QUEUE_FULL_BLOCK;
	scripted_start(f, options, (otlog_pipeline_options){ 0 });
}

static void
a_full_spool_is_no_burden_to_the_other_pipelines(void **state)
{
	scripted_fixture *f = *state;
	enum { RECORDS = 40000 };
	start(f, (otlog_options){ .spool_bytes = 1 << 20, .spool_full = OTLOG_SPOOL_FULL_DROP_NEWEST });
	scripted_emit_at_the_pace_of_b(f, RECORDS);
	assert_int_equal(scripted_statistics(f, 1).dropped[OTLOG_DROP_QUEUE_FULL], 0);
	otlog_pipeline_statistics gone = scripted_statistics(f, 0);
	assert_int_equal(gone.delivered, 0);
	assert_true(gone.spooled > 0 && gone.spool_bytes <= 1 << 20);
	assert_true(gone.dropped[OTLOG_DROP_SPOOL_FULL] + gone.dropped[OTLOG_DROP_QUEUE_FULL] > 0);

	/* It is back: what was kept arrives, each record once, the oldest first. */
	scripted_set_rule(f->a, NULL, NULL);
	assert_int_equal(otlog_provider_flush(f->provider, FLUSH_MS), OTLOG_DROPPED);
	gone = scripted_statistics(f, 0);
	assert_int_equal(gone.queued, 0);
	assert_int_equal(scripted_take_books(f->a).twice, 0);
	assert_int_equal(scripted_take_books(f->a).taken, gone.delivered);
	assert_int_equal(scripted_times(f->a, 0), 1);
}

static void
the_oldest_give_way_where_that_is_wanted(void **state)
{
	scripted_fixture *f = *state;
	enum { RECORDS = 40000 };
	start(f, (otlog_options){ .spool_bytes = 2 << 20, .spool_full = OTLOG_SPOOL_FULL_DROP_OLDEST });
	scripted_emit_at_the_pace_of_b(f, RECORDS);
	scripted_set_rule(f->a, NULL, NULL);
	assert_int_equal(otlog_provider_flush(f->provider, FLUSH_MS), OTLOG_DROPPED);
	assert_int_equal(scripted_statistics(f, 1).delivered, RECORDS);
	otlog_pipeline_statistics back = scripted_statistics(f, 0);
	assert_int_equal(back.queued, 0);
	assert_int_equal(scripted_take_books(f->a).taken, back.delivered);
	assert_int_equal(back.delivered + back.dropped[OTLOG_DROP_SPOOL_FULL] + back.dropped[OTLOG_DROP_QUEUE_FULL],
	                 RECORDS);
	assert_int_equal(scripted_times(f->a, RECORDS - 1), 1);
}

/* What a full spool has cost is no matter of time: more of it would not help. */
static void
a_shutdown_does_not_blame_the_time_for_a_full_spool(void **state)
{
	scripted_fixture *f = *state;
	start(f, (otlog_options){ .spool_bytes = 2 << 20, .spool_full = OTLOG_SPOOL_FULL_DROP_OLDEST });
	scripted_emit_at_the_pace_of_b(f, 40000);
	assert_int_equal(otlog_provider_shutdown(f->provider, 100), OTLOG_DROPPED);
	otlog_pipeline_statistics gone = scripted_statistics(f, 0);
	assert_true(gone.dropped[OTLOG_DROP_SPOOL_FULL] > 0);
	assert_int_equal(gone.dropped[OTLOG_DROP_AFTER_SHUTDOWN], 0);
	assert_false(diagnosed_says("the time is up"));
}

/* ---- A disk that does not take it -------------------------------------------------------------------------------- */

/* Puts a file where the folder of the spool would be. */
static void
block_spool(const char *directory)
{
	char path[512] = "";
	DIR *d = opendir(directory);
	CHECK(d);
	for (struct dirent *e; (e = readdir(d));) {
		char *end = strstr(e->d_name, ".queue");
		if (end)
			snprintf(path, sizeof path, "%s/%.*s.spool", directory, (int)(end - e->d_name), e->d_name);
	}
	closedir(d);
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	close(fd);
}

/* What a host may do with a message: look at the statistics. */
static void
look_and_take(void *user, otlog_diagnostic_level level, const char *message)
{
	scripted_fixture *f = user;
	sdk_books all;
	diagnosed_take(NULL, level, message);
	if (f->provider)
		sdk_take_books(f->provider, &all);
}

static void
a_disk_that_fails_is_told_under_no_lock_and_burdens_nobody(void **state)
{
	scripted_fixture *f = *state;
	enum { RECORDS = 20000 };
	alarm(60); /* rather than hang */
	start(f, (otlog_options){ .spool_bytes = 8 << 20, .diagnostic = look_and_take, .diagnostic_user = f });
	block_spool(f->directory);
	scripted_emit_at_the_pace_of_b(f, RECORDS);
	assert_true(diagnosed_says("away: the spool cannot be written"));
	scripted_set_rule(f->a, NULL, NULL);
	assert_int_equal(otlog_provider_flush(f->provider, FLUSH_MS), OTLOG_DROPPED);
	assert_int_equal(scripted_statistics(f, 1).delivered, RECORDS);
	otlog_pipeline_statistics back = scripted_statistics(f, 0);
	assert_int_equal(back.delivered, scripted_take_books(f->a).taken);
	assert_int_equal(scripted_take_books(f->a).twice, 0);
	alarm(0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SCRIPTED(a_full_spool_is_no_burden_to_the_other_pipelines),
		SCRIPTED(the_oldest_give_way_where_that_is_wanted),
		SCRIPTED(a_shutdown_does_not_blame_the_time_for_a_full_spool),
		SCRIPTED(a_disk_that_fails_is_told_under_no_lock_and_burdens_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
