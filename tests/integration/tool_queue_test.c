/* `otlog queue` and `otlog drain` on a directory in which dead processes, and a living one, have records. */
#include "tests/support/harness/cmocka.h"
#include "tests/support/records/json_tree.h"
#include "tests/support/servers/raw_server.h"
#include "tests/support/servers/receiver.h"
#include "tests/support/harness/tool.h"

#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct fixture {
	char directory[64];
	char in_directory[96]; /* OTLOG_QUEUE_DIR=… */
	char nowhere[128];     /* the endpoint's variable, with a port that refuses */
	int taken;             /* holds that port */
} fixture;

static const char *
endpoint(const char *url)
{
	static char text[128];
	snprintf(text, sizeof text, "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=%s", url);
	return text;
}

static int
begin(void **state)
{
	static fixture all;
	char url[64];
	all.taken = raw_server_refuse(url, sizeof url);
	snprintf(all.nowhere, sizeof all.nowhere, "%s", endpoint(url));
	snprintf(all.directory, sizeof all.directory, "/tmp/cli_queue_test.XXXXXX");
	assert_non_null(mkdtemp(all.directory));
	snprintf(all.in_directory, sizeof all.in_directory, "OTLOG_QUEUE_DIR=%s", all.directory);
	*state = &all;
	return 0;
}

static int
end(void **state)
{
	fixture *self = *state;
	char command[96];
	close(self->taken);
	snprintf(command, sizeof command, "rm -r %s", self->directory);
	return system(command);
}

/* A process logs one record, cannot deliver it, and ends. */
static void
leave_record(const fixture *self, const char *body)
{
	tool_run run = tool_start(OTLOG_TOOL, TOOL_LIST(self->nowhere, self->in_directory, "OTEL_SERVICE_NAME=gone"),
	                          TOOL_LIST("emit", "--timeout", "0.1", "--severity", "warn", body, "n:=1"), NULL);
	assert_int_equal(run.status, 0);
	tool_free(&run);
}

static tool_run
run_queue(const char *what, const char *option, const char *directory)
{
	return option ? tool_start(OTLOG_TOOL, NULL, TOOL_LIST("queue", what, option, directory), NULL)
	              : tool_start(OTLOG_TOOL, NULL, TOOL_LIST("queue", what, directory), NULL);
}

static void
assert_says(const tool_run *run, const char *word)
{
	if (!strstr(run->out, word) && !strstr(run->err, word))
		fail_msg("'%s' does not stand in:\n%s%s", word, run->out, run->err);
}

static size_t
count_files(const fixture *self, const char *pattern, char *first, size_t first_size)
{
	char path[128];
	glob_t found;
	snprintf(path, sizeof path, "%s/%s", self->directory, pattern);
	int result = glob(path, 0, NULL, &found);
	size_t count = result == 0 ? found.gl_pathc : 0;
	if (count && first)
		snprintf(first, first_size, "%s", found.gl_pathv[0]);
	if (result == 0)
		globfree(&found);
	return count;
}

static void
what_waits_is_listed_and_shown(void **state)
{
	const fixture *self = *state;
	tool_run run = run_queue("ls", NULL, self->directory);
	assert_int_equal(run.status, 0);
	assert_says(&run, "no queue lies in");
	tool_free(&run);

	leave_record(self, "first words");
	leave_record(self, "last words");
	run = run_queue("ls", NULL, self->directory);
	assert_int_equal(run.status, 0);
	assert_says(&run, "NAME ");
	assert_says(&run, "gone-");
	assert_says(&run, "waiting");
	assert_says(&run, "otlp_http:1");
	tool_free(&run);

	run = run_queue("cat", NULL, self->directory);
	assert_int_equal(run.status, 0);
	assert_says(&run, "WARN");
	assert_says(&run, "gone/otlog.emit first words n=1");
	assert_says(&run, "last words");
	tool_free(&run);
	run = run_queue("cat", "--pipeline=mito", self->directory);
	assert_int_equal(run.status, 0);
	assert_string_equal(run.out, "");
	tool_free(&run);
	run = run_queue("check", NULL, self->directory);
	assert_int_equal(run.status, 0);
	assert_says(&run, "queues: 2, not sound: 0");
	tool_free(&run);
	assert_int_equal(count_files(self, "*.queue", NULL, 0), 2);
}

static void
one_queue_is_shown_as_json(void **state)
{
	const fixture *self = *state;
	char path[160];
	leave_record(self, "first");
	leave_record(self, "last");
	assert_int_equal(count_files(self, "*.queue", path, sizeof path), 2);
	*strstr(path, ".queue") = '\0';
	tool_run run = tool_start(OTLOG_TOOL, NULL,
	                          TOOL_LIST("queue", "cat", "--json", self->directory, strrchr(path, '/') + 1), NULL);
	assert_int_equal(run.status, 0);
	char *line_end = strchr(run.out, '\n');
	assert_non_null(line_end);
	assert_string_equal(line_end, "\n"); /* one line: the other queue is left out */
	json_tree *line = json_parse(run.out, strlen(run.out));
	assert_non_null(line);
	assert_non_null(json_member(line, "resourceLogs"));
	json_free(line);
	tool_free(&run);
	run = tool_start(OTLOG_TOOL, NULL, TOOL_LIST("queue", "cat", self->directory, "nothing-1-2"), NULL);
	assert_int_equal(run.status, 1);
	assert_says(&run, "nothing-1-2");
	tool_free(&run);
}

static void
queues_are_listed_and_checked_as_json(void **state)
{
	static const char *const whats[] = { "ls", "check" };
	const fixture *self = *state;
	leave_record(self, "kept");
	for (size_t i = 0; i < sizeof whats / sizeof *whats; i++) {
		tool_run run = run_queue(whats[i], "--json", self->directory);
		assert_int_equal(run.status, 0);
		json_tree *line = json_parse(run.out, strlen(run.out));
		assert_non_null(line);
		assert_string_equal(json_member(line, "state")->text, "waiting");
		assert_true(json_member(line, "sound")->boolean);
		assert_int_equal(json_member(line, "problem")->kind, JSON_NULL);
		assert_non_null(strchr(json_member(line, "created")->text, 'Z'));
		assert_string_equal(json_member(line, "records")->text, "1");
		const json_tree *waiting = json_member(line, "waiting");
		assert_int_equal(waiting->count, 1);
		assert_string_equal(json_member(&waiting->items[0], "pipeline")->text, "otlp_http");
		assert_string_equal(json_member(&waiting->items[0], "records")->text, "1");
		json_free(line);
		tool_free(&run);
	}
}

/* Bytes of anything, from the beginning to the end. */
static void
check_finds_what_is_not_sound(void **state)
{
	const fixture *self = *state;
	char path[160];
	struct stat info;
	leave_record(self, "lost");
	assert_int_equal(count_files(self, "*.queue", path, sizeof path), 1);
	assert_int_equal(stat(path, &info), 0);
	FILE *file = fopen(path, "r+");
	assert_non_null(file);
	for (off_t i = 0; i < info.st_size; i++)
		putc('x', file);
	fclose(file);
	tool_run run = run_queue("check", NULL, self->directory);
	assert_int_equal(run.status, 1);
	assert_says(&run, "NOT SOUND");
	tool_run json = run_queue("check", "--json", self->directory);
	assert_int_equal(json.status, 1);
	assert_says(&json, "\"sound\":false");
	tool_free(&json);
	assert_says(&run, "queues: 1, not sound: 1");
	tool_free(&run);
	run = run_queue("check", NULL, "/nonexistent");
	assert_int_equal(run.status, 1);
	assert_says(&run, "/nonexistent cannot be read");
	tool_free(&run);
}

static tool_run
drain(const fixture *self, const char *variable, const char *timeout)
{
	return tool_start(OTLOG_TOOL, TOOL_LIST(variable), TOOL_LIST("drain", "--timeout", timeout, self->directory),
	                  NULL);
}

static void
a_drain_delivers_everything_and_leaves_nothing(void **state)
{
	const fixture *self = *state;
	receiver *server = receiver_start(NULL);
	for (int i = 0; i < 3; i++)
		leave_record(self, "left behind");
	tool_run run = drain(self, endpoint(receiver_url(server)), "30");
	if (run.status)
		fail_msg("exit status %d:\n%s%s", run.status, run.out, run.err);
	assert_says(&run, "records delivered: 3, dropped: 0, left: 0");
	assert_says(&run, "for the destinations of the environment: 3");
	tool_free(&run);
	assert_int_equal(receiver_record_count(server), 3);
	assert_int_equal(count_files(self, "*", NULL, 0), 0);
	run = drain(self, endpoint(receiver_url(server)), "30");
	assert_int_equal(run.status, 0);
	assert_says(&run, "records delivered: 0");
	tool_free(&run);
	receiver_stop(server);
}

static void
what_cannot_be_delivered_is_told(void **state)
{
	const fixture *self = *state;
	leave_record(self, "left behind");
	tool_run run = drain(self, self->nowhere, "0.5");
	assert_int_equal(run.status, 1);
	assert_says(&run, "otlp_http: records left: 1; the last error is connection_refused");
	assert_says(&run, "left: 1\n");
	tool_free(&run);
	run = drain(self, "OTEL_LOGS_EXPORTER=console", "30");
	assert_int_equal(run.status, 1);
	assert_says(&run, "wait for otlp_http, which the environment does not set up: 1");
	assert_null(strstr(run.err, "otlp_http")); /* said once */
	tool_free(&run);
	run = drain(self, "OTEL_SDK_DISABLED=true", "30");
	assert_int_equal(run.status, 3);
	tool_free(&run);
	run = tool_start(OTLOG_TOOL, NULL, TOOL_LIST("drain", "/nonexistent"), NULL);
	assert_int_equal(run.status, 1);
	tool_free(&run);
	assert_int_equal(access("/nonexistent", F_OK), -1);
	run = tool_start(OTLOG_TOOL, NULL, TOOL_LIST("drain"), NULL);
	assert_int_equal(run.status, 2);
	tool_free(&run);
	assert_int_equal(count_files(self, "*.queue", NULL, 0), 1);
}

/* The living process's records are its own to deliver. */
static void
a_live_owner_keeps_its_records(void **state)
{
	const fixture *self = *state;
	static const receiver_reply busy = { .status = 503, .times = RECEIVER_FOREVER };
	receiver *away = receiver_start(NULL), *server = receiver_start(NULL);
	receiver_script(away, &busy);
	leave_record(self, "of the dead");
	tool_process owner = tool_spawn(OTLOG_TOOL, TOOL_LIST(endpoint(receiver_url(away)), self->in_directory),
	                                TOOL_LIST("emit", "--timeout", "60", "of the living"), NULL);
	receiver_wait_requests(away, 2); /* it tries its own, and what it has taken over */
	tool_run run = run_queue("ls", NULL, self->directory);
	assert_says(&run, "live");
	tool_free(&run);
	leave_record(self, "of the dead, too");
	run = drain(self, endpoint(receiver_url(server)), "20");
	assert_int_equal(run.status, 0);
	tool_free(&run);
	for (size_t i = 0; i < receiver_record_count(server); i++)
		assert_null(memmem(receiver_record_at(server, i).record->body->string_value.data,
		                   receiver_record_at(server, i).record->body->string_value.len, "living", 6));
	kill(owner.pid, SIGKILL);
	run = tool_end(owner);
	tool_free(&run);

	run = drain(self, endpoint(receiver_url(server)), "20");
	assert_int_equal(run.status, 0);
	tool_free(&run);
	assert_int_equal(receiver_record_count(server), 3);
	assert_int_equal(count_files(self, "*", NULL, 0), 0);
	receiver_stop(away);
	receiver_stop(server);
}

static void
an_interrupt_leaves_the_rest_for_the_next(void **state)
{
	const fixture *self = *state;
	static const receiver_reply hang = { .part = RECEIVER_HANG, .times = RECEIVER_FOREVER };
	receiver *server = receiver_start(NULL);
	receiver_script(server, &hang);
	leave_record(self, "left behind");
	tool_process drainer = tool_spawn(OTLOG_TOOL, TOOL_LIST(endpoint(receiver_url(server))),
	                                  TOOL_LIST("drain", self->directory), NULL);
	receiver_wait_requests(server, 1);
	kill(drainer.pid, SIGINT);
	tool_run run = tool_end(drainer);
	assert_int_equal(run.status, 1);
	assert_says(&run, "left: 1 (interrupted)");
	tool_free(&run);
	receiver_stop(server);

	server = receiver_start(NULL);
	run = drain(self, endpoint(receiver_url(server)), "30");
	assert_int_equal(run.status, 0);
	tool_free(&run);
	assert_int_equal(receiver_record_count(server), 1);
	receiver_stop(server);
}

static void
a_wrong_command_line_is_told(void **state)
{
	static const struct {
		const char *arguments[6];
		const char *says;
	} cases[] = {
		{ { "queue" }, "say what to do" },
		{ { "queue", "rm", "/tmp" }, "there is no rm" },
		{ { "queue", "ls" }, "needs the directory" },
		{ { "queue", "ls", "/tmp", "name" }, "one argument too many" },
		{ { "queue", "ls", "--pipeline", "x", "/tmp" }, "belongs to cat" },
		{ { "drain", "/tmp", "/var" }, "one directory" },
		{ { "drain", "--timeout", "soon", "/tmp" }, "no number of seconds" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		tool_run run = tool_start(OTLOG_TOOL, NULL, cases[i].arguments, NULL);
		assert_int_equal(run.status, 2);
		assert_says(&run, cases[i].says);
		tool_free(&run);
	}
}

#define WITH_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_DIRECTORY(what_waits_is_listed_and_shown),
		WITH_DIRECTORY(one_queue_is_shown_as_json),
		WITH_DIRECTORY(queues_are_listed_and_checked_as_json),
		WITH_DIRECTORY(check_finds_what_is_not_sound),
		WITH_DIRECTORY(a_drain_delivers_everything_and_leaves_nothing),
		WITH_DIRECTORY(what_cannot_be_delivered_is_told),
		WITH_DIRECTORY(a_live_owner_keeps_its_records),
		WITH_DIRECTORY(an_interrupt_leaves_the_rest_for_the_next),
		cmocka_unit_test(a_wrong_command_line_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
