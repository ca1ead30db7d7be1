/* Start, flush, shutdown and fork: how each ends, whatever the exporters do and whoever calls at the same time. */
#include "tests/support/sdk/sdk_fixture.h"
#include "tests/support/sdk/sdk_books.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void
flush_tells_that_the_time_is_up_and_keeps_to_it(void **state)
{
	sdk_fixture *f = *state;
	sdk_start(f, 1, (otlog_options){ 0 }, (otlog_pipeline_options){ 0 });
	capture_hang(f->a, false);
	sdk_emit_many(f->logger, 10);
	double before = sdk_seconds_now();
	assert_int_equal(otlog_provider_flush(f->provider, 200), OTLOG_TIMEOUT);
	assert_true(sdk_seconds_now() - before < 2.2);
	assert_int_equal(otlog_provider_flush(f->provider, 0), OTLOG_TIMEOUT);
	capture_release(f->a);
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DELIVERED);
}

static void
shutdown_cancels_an_attempt_when_the_time_is_up(void **state)
{
	sdk_fixture *f = *state;
	sdk_start(f, 1, (otlog_options){ 0 }, (otlog_pipeline_options){ 0 });
	capture_hang(f->a, false);
	sdk_emit_many(f->logger, 10);
	capture_wait_hanging(f->a);
	double before = sdk_seconds_now();
	assert_int_equal(otlog_provider_shutdown(f->provider, 200), OTLOG_TIMEOUT);
	assert_true(sdk_seconds_now() - before < 2.2);
	assert_true(capture_cancelled(f->a));
	assert_true(capture_destroyed(f->a));
	sdk_books books;
	sdk_take_books(f->provider, &books);
	assert_int_equal(books.pipelines[0].dropped[OTLOG_DROP_AFTER_SHUTDOWN], 10);
	assert_int_equal(books.pipelines[0].queued, 0);
	sdk_assert_books_balance(f->provider);
}

static void
shutdown_delivers_counts_late_emits_and_repeats_its_answer(void **state)
{
	sdk_fixture *f = *state;
	sdk_start(f, 1, (otlog_options){ 0 }, (otlog_pipeline_options){ .schedule_delay_ms = 3600000 });
	sdk_emit_many(f->logger, 10);
	assert_int_equal(otlog_provider_shutdown(f->provider, 10000), OTLOG_DELIVERED);
	assert_int_equal(capture_records(f->a), 10);
	assert_true(capture_destroyed(f->a));
	assert_int_equal(sdk_emit_text(f->logger, "late"), OTLOG_EMIT_AFTER_SHUTDOWN);
	assert_int_equal(otlog_provider_shutdown(f->provider, 10000), OTLOG_DELIVERED);
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DELIVERED);
	sdk_books books;
	sdk_take_books(f->provider, &books);
	assert_int_equal(books.totals.emitted, 11);
	assert_int_equal(books.pipelines[0].delivered, 10);
	assert_int_equal(books.totals.refused[OTLOG_DROP_AFTER_SHUTDOWN], 1);
	sdk_assert_books_balance(f->provider);
}

static size_t
files_in(const char *directory)
{
	size_t count = 0;
	DIR *d = opendir(directory);
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));)
		count += e->d_name[0] != '.';
	closedir(d);
	return count;
}

static void
in_a_file_what_is_not_delivered_is_durable(void **state)
{
	sdk_fixture *f = *state;
	strcpy(f->directory, "/tmp/otlog-sdk-test-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	sdk_start(f, 1, (otlog_options){ .queue_directory = f->directory }, (otlog_pipeline_options){ 0 });
	capture_hang(f->a, false);
	sdk_emit_many(f->logger, 10);
	assert_int_equal(otlog_provider_flush(f->provider, 20), OTLOG_DURABLE);
	assert_int_equal(otlog_provider_shutdown(f->provider, 20), OTLOG_DURABLE);
	assert_int_equal(files_in(f->directory), 2); /* the queue and its meta file */
	sdk_assert_books_balance(f->provider);
}

static void
a_file_that_is_empty_at_the_end_is_removed(void **state)
{
	sdk_fixture *f = *state;
	strcpy(f->directory, "/tmp/otlog-sdk-test-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	sdk_start(f, 1, (otlog_options){ .queue_directory = f->directory }, (otlog_pipeline_options){ 0 });
	assert_int_equal(sdk_emit_many(f->logger, 10), 10);
	assert_int_equal(files_in(f->directory), 2);
	assert_int_equal(otlog_provider_shutdown(f->provider, 10000), OTLOG_DELIVERED);
	assert_int_equal(capture_records(f->a), 10);
	assert_int_equal(files_in(f->directory), 0);
}

static void
the_global_sdk_can_be_started_again_after_shutdown(void **state)
{
	sdk_fixture *f = *state;
	otlog_logger *logger = otlog_get_logger("restart", "1");
	for (int round = 0; round < 2; round++) {
		capture *c = capture_create("global");
		otlog_pipeline_options pipeline = { .exporter = capture_exporter(c) };
		otlog_options options = {
			.pipelines = &pipeline, .pipeline_count = 1, .queue_bytes = 1 << 20, .diagnostic = sdk_silence
		};
		assert_true(otlog_start(&options));
		assert_int_equal(sdk_emit_many(logger, 5), 5);
		capture *unused = capture_create("unused");
		pipeline.exporter = capture_exporter(unused);
		assert_false(otlog_start(&options)); /* it runs already; what was handed over is destroyed */
		assert_true(capture_destroyed(unused));
		assert_int_equal(otlog_flush(10000), OTLOG_DELIVERED);
		assert_int_equal(capture_records(c), 5);
		assert_int_equal(otlog_shutdown(10000), OTLOG_DELIVERED);
		assert_int_equal(sdk_emit_text(logger, "late"), OTLOG_EMIT_AFTER_SHUTDOWN);
		capture_free(c);
		capture_free(unused);
	}
	(void)f;
}

/* What the child found is its exit status: 0, or the step that failed. */
static int
in_child(sdk_fixture *f)
{
	sdk_books books;
	alarm(20); /* a child that hangs dies, and the test fails */
	sdk_take_books(f->provider, &books);
	if (books.totals.emitted || otlog_provider_flush(f->provider, 5000) != OTLOG_DELIVERED)
		return 1;
	if (otlog_provider_shutdown(f->provider, 5000) != OTLOG_DELIVERED)
		return 2;
	if (sdk_emit_text(f->logger, "child") != OTLOG_EMIT_DISABLED)
		return 3;
	capture *own = capture_create("child");
	otlog_pipeline_options pipeline = { .exporter = capture_exporter(own) };
	if (!otlog_start(&(otlog_options){ .pipelines = &pipeline, .pipeline_count = 1, .queue_bytes = 1 << 20 }))
		return 4;
	if (sdk_emit_text(otlog_get_logger("child", NULL), "mine") != OTLOG_EMIT_ACCEPTED)
		return 5;
	if (otlog_shutdown(5000) != OTLOG_DELIVERED || capture_records(own) != 1)
		return 6;
	capture_free(own);
	otlog_provider_destroy(f->provider);
	return 0;
}

static void
a_forked_child_touches_nothing_of_its_parents_and_may_start_anew(void **state)
{
	sdk_fixture *f = *state;
	strcpy(f->directory, "/tmp/otlog-sdk-test-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	sdk_start(f, 1, (otlog_options){ .queue_directory = f->directory },
	          (otlog_pipeline_options){ .schedule_delay_ms = 3600000 });
	assert_int_equal(sdk_emit_many(f->logger, 10), 10);
	pid_t pid = fork();
	if (pid == 0)
		_exit(in_child(f));
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(capture_records(f->a), 0);
	assert_int_equal(sdk_emit_many(f->logger, 10), 10);
	assert_int_equal(otlog_provider_shutdown(f->provider, 10000), OTLOG_DELIVERED);
	assert_int_equal(capture_records(f->a), 20);
}

/* An exporter that holds back until it is flushed. */
typedef struct holder {
	_Atomic unsigned flushes;
	bool refuses;
} holder;

static void
export_nothing(void *self, const otlog_batch *batch, uint64_t timeout_ms, otlog_export_result *result)
{
	(void)self, (void)batch, (void)timeout_ms;
	result->verdict = OTLOG_VERDICT_OK;
}

static bool
flush_holder(void *self, uint64_t timeout_ms)
{
	holder *h = self;
	(void)timeout_ms;
	atomic_fetch_add(&h->flushes, 1);
	return !h->refuses;
}

static void
a_flush_reaches_the_exporter_and_hears_its_answer(void **state)
{
	static const otlog_exporter_functions functions = { .size = sizeof functions,
		                                            .export_batch = export_nothing,
		                                            .flush = flush_holder };
	sdk_fixture *f = *state;
	holder h = { 0 };
	otlog_pipeline_options pipeline = { .exporter = { .functions = &functions, .self = &h, .name = "holder" } };
	f->provider = otlog_provider_create(&(otlog_options){
	    .pipelines = &pipeline, .pipeline_count = 1, .queue_bytes = 1 << 20, .diagnostic = sdk_silence });
	assert_non_null(f->provider);
	f->logger = otlog_provider_get_logger(f->provider, &(otlog_logger_options){ .name = "test" });
	sdk_emit_many(f->logger, 1);
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DELIVERED);
	assert_int_equal(atomic_load(&h.flushes), 1);
	/* With nothing to send too: what it holds back came earlier. */
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_DELIVERED);
	assert_int_equal(atomic_load(&h.flushes), 2);
	h.refuses = true;
	assert_int_equal(otlog_provider_flush(f->provider, 10000), OTLOG_TIMEOUT);
	h.refuses = false;
	assert_int_equal(otlog_provider_shutdown(f->provider, 10000), OTLOG_DELIVERED);
	assert_int_equal(atomic_load(&h.flushes), 4);
}

static void *
shut_down_in_3_s(void *self)
{
	otlog_provider_shutdown(self, 3000);
	return NULL;
}

static void
a_flush_and_a_second_shutdown_do_not_claim_what_the_first_has_not_done(void **state)
{
	sdk_fixture *f = *state;
	pthread_t thread;
	sdk_start(f, 1, (otlog_options){ 0 }, (otlog_pipeline_options){ 0 });
	capture_hang(f->a, false);
	sdk_emit_many(f->logger, 10);
	capture_wait_hanging(f->a);
	assert_int_equal(pthread_create(&thread, NULL, shut_down_in_3_s, f->provider), 0);
	while (sdk_emit_text(f->logger, "until it is sealed") != OTLOG_EMIT_AFTER_SHUTDOWN)
		sched_yield();
	double before = sdk_seconds_now();
	assert_int_equal(otlog_provider_flush(f->provider, 50), OTLOG_TIMEOUT);
	assert_int_equal(otlog_provider_shutdown(f->provider, 50), OTLOG_TIMEOUT);
	assert_true(sdk_seconds_now() - before < 2);
	capture_release(f->a);
	pthread_join(thread, NULL);
	assert_int_equal(otlog_provider_shutdown(f->provider, 50), OTLOG_DROPPED); /* the late emits, or delivered */
}

static void
several_exporters_that_hang_are_cancelled_at_the_same_time(void **state)
{
	sdk_fixture *f = *state;
	sdk_start(f, 2, (otlog_options){ 0 }, (otlog_pipeline_options){ 0 });
	capture_hang(f->a, true); /* deaf: they do not even hear the cancel */
	capture_hang(f->b, true);
	sdk_emit_many(f->logger, 10);
	capture_wait_hanging(f->a);
	capture_wait_hanging(f->b);
	double before = sdk_seconds_now();
	assert_int_equal(otlog_provider_shutdown(f->provider, 50), OTLOG_TIMEOUT);
	assert_true(sdk_seconds_now() - before < 1.9);
	/* Their threads still use them: they are left behind, and so is the provider. Static: that is no leak. */
	static sdk_fixture left_behind;
	left_behind = *f;
	f->provider = NULL;
	f->a = f->b = NULL;
	capture_release(left_behind.a);
	capture_release(left_behind.b);
}

static void
call_back(void *user, otlog_diagnostic_level level, const char *message)
{
	sdk_books books;
	unsigned *calls = user;
	(void)level, (void)message;
	sdk_take_global_books(&books);
	otlog_get_logger("from the sink", NULL);
	++*calls;
}

static void
a_sink_may_ask_the_sdk_while_it_starts(void **state)
{
	(void)state;
	unsigned calls = 0;
	capture *c = capture_create("sink");
	otlog_pipeline_options pipeline = { .exporter = capture_exporter(c) };
	setenv("OTEL_BLRP_SCHEDULE_DELAY", "abc", 1);
	assert_true(otlog_start(&(otlog_options){
	    .pipelines = &pipeline, .pipeline_count = 1, .diagnostic = call_back, .diagnostic_user = &calls }));
	unsetenv("OTEL_BLRP_SCHEDULE_DELAY");
	assert_true(calls > 0);
	assert_int_equal(otlog_shutdown(10000), OTLOG_DELIVERED);
	assert_false(otlog_enabled(otlog_get_logger("after", NULL), OTLOG_SEVERITY_FATAL, NULL));
	capture_free(c);
	assert_true(otlog_start(
	    &(otlog_options){ .diagnostic = sdk_silence, .queue_bytes = 1 << 20 })); /* not &calls any more */
	otlog_shutdown(0);
}

static void
a_flush_asked_during_an_attempt_ends_the_back_off_behind_it(void **state)
{
	sdk_fixture *f = *state;
	sdk_start(f, 1, (otlog_options){ 0 },
	          (otlog_pipeline_options){ .retry_initial_ms = 3600000, .retry_cap_ms = 3600000 });
	capture_answer(f->a, 1, OTLOG_VERDICT_RETRY, 0, 0);
	capture_hang(f->a, false);
	sdk_emit_many(f->logger, 10);
	capture_wait_hanging(f->a);
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, shut_down_in_3_s, f->provider), 0);
	while (sdk_emit_text(f->logger, "until it is sealed") != OTLOG_EMIT_AFTER_SHUTDOWN)
		sched_yield();
	capture_release(f->a);
	pthread_join(thread, NULL);
	sdk_books books;
	sdk_take_books(f->provider, &books);
	assert_int_equal(books.pipelines[0].dropped[OTLOG_DROP_AFTER_SHUTDOWN],
	                 books.totals.refused[OTLOG_DROP_AFTER_SHUTDOWN]);
	assert_int_equal(books.pipelines[0].delivered, books.totals.accepted);
}

static void
emitters_that_wait_for_room_do_not_hurry_a_back_off(void **state)
{
	sdk_fixture *f = *state;
	sdk_start(f, 1, (otlog_options){ .queue_full = OTLOG_QUEUE_FULL_BLOCK, .queue_block_timeout_ms = 5 },
	          (otlog_pipeline_options){ .retry_initial_ms = 3600000, .retry_cap_ms = 3600000 });
	capture_answer(f->a, UINT32_MAX, OTLOG_VERDICT_RETRY, 0, 0);
	unsigned refused = 0;
	while (refused < 50)
		refused += sdk_emit_text(f->logger, "some text of a record") == OTLOG_EMIT_QUEUE_FULL;
	assert_int_equal(capture_attempts(f->a), 1);
}

static void
no_provider_gives_a_logger_that_does_nothing(void **state)
{
	(void)state;
	otlog_logger *logger = otlog_provider_get_logger(NULL, &(otlog_logger_options){ .name = "none" });
	assert_int_equal(sdk_emit_text(logger, "nowhere"), OTLOG_EMIT_DISABLED);
	assert_int_equal(otlog_provider_flush(NULL, 1), OTLOG_DELIVERED);
	assert_int_equal(otlog_provider_shutdown(NULL, 1), OTLOG_DELIVERED);
	otlog_provider_destroy(NULL);
}

static void
a_disabled_sdk_takes_nothing(void **state)
{
	(void)state;
	capture *c = capture_create("off");
	otlog_pipeline_options pipeline = { .exporter = capture_exporter(c) };
	setenv("OTEL_SDK_DISABLED", "TRUE", 1);
	assert_false(
	    otlog_start(&(otlog_options){ .pipelines = &pipeline, .pipeline_count = 1, .diagnostic = sdk_silence }));
	unsetenv("OTEL_SDK_DISABLED");
	assert_true(capture_destroyed(c));
	capture_free(c);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sdk_setup, sdk_teardown)
	const struct CMUnitTest tests[] = {
		TEST(flush_tells_that_the_time_is_up_and_keeps_to_it),
		TEST(shutdown_cancels_an_attempt_when_the_time_is_up),
		TEST(shutdown_delivers_counts_late_emits_and_repeats_its_answer),
		TEST(in_a_file_what_is_not_delivered_is_durable),
		TEST(a_file_that_is_empty_at_the_end_is_removed),
		TEST(the_global_sdk_can_be_started_again_after_shutdown),
		TEST(a_forked_child_touches_nothing_of_its_parents_and_may_start_anew),
		TEST(a_flush_reaches_the_exporter_and_hears_its_answer),
		TEST(a_flush_and_a_second_shutdown_do_not_claim_what_the_first_has_not_done),
		TEST(several_exporters_that_hang_are_cancelled_at_the_same_time),
		TEST(a_sink_may_ask_the_sdk_while_it_starts),
		TEST(a_flush_asked_during_an_attempt_ends_the_back_off_behind_it),
		TEST(emitters_that_wait_for_room_do_not_hurry_a_back_off),
		TEST(no_provider_gives_a_logger_that_does_nothing),
		TEST(a_disabled_sdk_takes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
