/* Two pipelines with the same exporter, told apart by names of their own. */
#include "tests/support/harness/check.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/sdk/diagnosed.h"
#include "tests/support/sdk/scripted.h"
#include "tests/support/sdk/sdk_books.h"

#include <otlog/otlog.h>

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define RECORDS 3

typedef struct fixture {
	char directory[64];
	scripted *places[2];
	otlog_provider *provider;
} fixture;

static void
be_away(void *user, const scripted_call *call, otlog_export_result *result)
{
	(void)user, (void)call;
	result->verdict = OTLOG_VERDICT_RETRY;
	strcpy(result->message, "it is away. Wait");
}

static int
setup(void **state)
{
	static fixture f;
	f = (fixture){ .directory = "/tmp/otlog-pipeline-name-XXXXXX" };
	CHECK(mkdtemp(f.directory));
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	fixture *f = *state;
	otlog_provider_destroy(f->provider);
	for (int i = 0; i < 2; i++)
		scripted_free(f->places[i]);
	return rmdir(f->directory); /* everything was delivered */
}

/* Starts with two pipelines of these names; the first takes errors alone. The names need not live on. */
static void
start(fixture *f, const char *first, const char *second, scripted_rule rule)
{
	char names[2][300];
	otlog_pipeline_options pipelines[2];
	snprintf(names[0], sizeof names[0], "%s", first ? first : "");
	snprintf(names[1], sizeof names[1], "%s", second ? second : "");
	for (int i = 0; i < 2; i++) {
		f->places[i] = scripted_create("otlp_http", rule, NULL, 1);
		pipelines[i] = (otlog_pipeline_options){ .exporter = scripted_exporter(f->places[i]),
			                                 .name = names[i],
			                                 .schedule_delay_ms = 10,
			                                 .retry_initial_ms = 10 };
	}
	pipelines[0].minimum_severity = OTLOG_SEVERITY_ERROR;
	diagnosed_begin();
	f->provider = otlog_provider_create(&(otlog_options){ .pipelines = pipelines,
	                                                      .pipeline_count = 2,
	                                                      .queue_directory = f->directory,
	                                                      .diagnostic = diagnosed_take });
	memset(names, 'x', sizeof names);
	assert_non_null(f->provider);
}

static void
stop(fixture *f)
{
	otlog_provider_destroy(f->provider);
	f->provider = NULL;
	for (int i = 0; i < 2; i++) {
		scripted_free(f->places[i]);
		f->places[i] = NULL;
	}
}

static void
emit(fixture *f, int severity, uint32_t id)
{
	otlog_logger *logger = otlog_provider_get_logger(f->provider, &(otlog_logger_options){ .name = "names" });
	const otlog_record record = { .severity = severity, .body = otlog_int64(id) };
	assert_int_equal(otlog_emit(logger, &record), OTLOG_EMIT_ACCEPTED);
}

static void
statistics_and_diagnostics_say_the_pipelines_name(void **state)
{
	fixture *f = *state;
	start(f, "eu", NULL, NULL);
	scripted_set_rule(f->places[0], be_away, NULL);
	sdk_books books;
	sdk_take_books(f->provider, &books);
	assert_string_equal(books.pipelines[0].name, "eu");
	assert_string_equal(books.pipelines[1].name, "otlp_http");
	for (int i = 0; i < 2; i++)
		assert_string_equal(books.pipelines[i].exporter, "otlp_http");
	emit(f, OTLOG_SEVERITY_ERROR, 0);
	scripted_wait_calls(f->places[0], 1);
	while (!diagnosed_says("eu: it is away."))
		usleep(1000);
	scripted_set_rule(f->places[0], NULL, NULL);
	assert_int_equal(otlog_provider_shutdown(f->provider, 10000), OTLOG_DELIVERED);
	assert_false(diagnosed_says("otlp_http:"));
}

static void
what_a_pipeline_has_left_is_taken_over_by_one_of_its_name(void **state)
{
	fixture *f = *state;
	start(f, "eu", "us", be_away);
	for (uint32_t id = 0; id < RECORDS; id++)
		emit(f, OTLOG_SEVERITY_INFO, id);
	assert_int_equal(otlog_provider_shutdown(f->provider, 0), OTLOG_DURABLE);
	stop(f);

	/* In the other order. */
	start(f, "us", "eu", NULL);
	scripted_wait_taken(f->places[0], RECORDS);
	assert_int_equal(otlog_provider_shutdown(f->provider, 10000), OTLOG_DELIVERED);
	assert_int_equal(scripted_take_books(f->places[1]).taken, 0);
}

static void
a_name_is_kept_to_255_bytes(void **state)
{
	fixture *f = *state;
	char longest[300];
	memset(longest, 'n', sizeof longest);
	longest[280] = '\0';
	start(f, longest, "us", NULL);
	sdk_books books;
	sdk_take_books(f->provider, &books);
	longest[255] = '\0';
	assert_string_equal(books.pipelines[0].name, longest);
	assert_int_equal(otlog_provider_shutdown(f->provider, 10000), OTLOG_DELIVERED);
}

static void
a_forked_child_has_the_names_too(void **state)
{
	fixture *f = *state;
	start(f, "eu", "us", NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		/* The scripted exporters are not made again there: the records stay for another process. */
		sdk_books books;
		emit(f, OTLOG_SEVERITY_INFO, 0);
		sdk_take_books(f->provider, &books);
		_exit(strcmp(books.pipelines[0].exporter, "otlp_http") == 0 &&
		              strcmp(books.pipelines[0].name, "eu") == 0 &&
		              strcmp(books.pipelines[1].name, "us") == 0 && diagnosed_says("eu: a forked child")
		          ? 0
		          : 1);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(otlog_provider_shutdown(f->provider, 10000), OTLOG_DELIVERED);
	stop(f);

	start(f, "eu", "us", NULL);
	scripted_wait_taken(f->places[1], 1);
	assert_int_equal(otlog_provider_shutdown(f->provider, 10000), OTLOG_DELIVERED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(statistics_and_diagnostics_say_the_pipelines_name),
		TEST(what_a_pipeline_has_left_is_taken_over_by_one_of_its_name),
		TEST(a_name_is_kept_to_255_bytes),
		TEST(a_forked_child_has_the_names_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
