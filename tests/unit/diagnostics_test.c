#include "sdk/base/process/diagnostics.h"
#include "tests/support/harness/cmocka.h"

#include <otlog/context.h>
#include <otlog/exporters.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct heard {
	int count;
	int level;
	char text[2048];
} heard;

static void
listen(void *user, otlog_diagnostic_level level, const char *message)
{
	heard *heard = user;
	heard->count++;
	heard->level = level;
	snprintf(heard->text, sizeof heard->text, "%s", message);
	errno = EDOM;
}

static int
silence(void **state)
{
	(void)state;
	otlog__diagnostics_set(NULL, NULL, 0);
	return 0;
}

static void
levels_up_to_the_one_set_reach_the_sink(void **state)
{
	(void)state;
	heard h = { 0 };
	for (int set = 0; set <= OTLOG__DEBUG; set++) {
		otlog__diagnostics_set(listen, &h, set);
		for (int level = OTLOG__ERROR; level <= OTLOG__DEBUG; level++) {
			h = (heard){ 0 };
			otlog__diagnose_always(level, "message %d", level);
			assert_int_equal(h.count, level <= set);
			assert_int_equal(h.level, level <= set ? level : 0);
		}
	}
}

static void
levels_that_do_not_exist_do_no_harm(void **state)
{
	(void)state;
	heard h = { 0 };
	otlog__diagnostics_set(listen, &h, 99);
	otlog__diagnose_always(5, "no such level");
	otlog__diagnose_always(0, "no such level");
	otlog__diagnose_always(-1, "no such level");
	assert_int_equal(h.count, 0);
	otlog__diagnose_always(OTLOG__DEBUG, "a real one");
	assert_int_equal(h.count, 1);
	otlog__diagnostics_set(listen, &h, -3);
	otlog__diagnose_always(OTLOG__ERROR, "silenced");
	assert_int_equal(h.count, 1);
}

static void
a_site_speaks_once_and_counts_what_it_holds_back(void **state)
{
	(void)state;
	heard h = { 0 };
	otlog__diagnostic_site site = { 0 };
	otlog__diagnostics_set(listen, &h, OTLOG__WARN);
	for (int i = 0; i < 42; i++)
		otlog__diagnose_at(&site, OTLOG__WARN, "again");
	assert_int_equal(h.count, 1);
	assert_string_equal(h.text, "again");

	site.next_nano = 0; /* the quiet time is over */
	otlog__diagnose_at(&site, OTLOG__WARN, "again");
	assert_int_equal(h.count, 2);
	assert_string_equal(h.text, "again (41 more like this were held back)");

	site.next_nano = 0;
	otlog__diagnose_at(&site, OTLOG__WARN, "again");
	assert_string_equal(h.text, "again");
}

static void
a_message_below_the_level_costs_its_site_nothing(void **state)
{
	(void)state;
	heard h = { 0 };
	otlog__diagnostic_site site = { 0 };
	otlog__diagnostics_set(listen, &h, OTLOG__WARN);
	otlog__diagnose_at(&site, OTLOG__INFO, "quiet");
	assert_int_equal(site.suppressed, 0);
	otlog__diagnose_at(&site, OTLOG__WARN, "loud");
	assert_string_equal(h.text, "loud");
}

static void
each_call_site_has_its_own_quiet_time(void **state)
{
	(void)state;
	heard h = { 0 };
	otlog__diagnostics_set(listen, &h, OTLOG__WARN);
	for (int i = 0; i < 3; i++) {
		otlog__diagnose(OTLOG__WARN, "one");
		otlog__diagnose(OTLOG__WARN, "two");
		otlog__diagnose_always(OTLOG__WARN, "always");
	}
	assert_int_equal(h.count, 2 + 3);
}

static void
control_characters_and_bad_utf8_are_made_harmless(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{ "two\nlines\r\n", "two lines  " },
		{ "tab\there", "tab here" },
		{ "\x1b[31mred\x07\x7f", "?[31mred??" },
		{ "c1 \xc2\x9b 31m \xc2\x85", "c1 ?? 31m ??" },
		{ "latin1 \xe9t\xe9 \x9b", "latin1 ?t? ?" },
		{ "good é … \xc2\xa0 \U0001f600", "good é … \xc2\xa0 \U0001f600" },
		{ "cut \xe2\x80", "cut ??" },
		{ "", "" },
	};
	heard h = { 0 };
	otlog__diagnostics_set(listen, &h, OTLOG__WARN);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		otlog__diagnose_always(OTLOG__WARN, "%s", cases[i][0]);
		assert_string_equal(h.text, cases[i][1]);
	}
}

static void
a_long_message_is_cut_between_characters_and_keeps_its_count(void **state)
{
	(void)state;
	heard h = { 0 };
	otlog__diagnostic_site site = { .suppressed = UINT32_MAX };
	static char text[10001];
	for (size_t i = 0; i < sizeof text - 2; i += 2)
		memcpy(text + i, "é", 2);
	otlog__diagnostics_set(listen, &h, OTLOG__WARN);
	otlog__diagnose_at(&site, OTLOG__WARN, "%s", text);
	const char *end = strstr(h.text, "…");
	assert_non_null(end);
	assert_string_equal(end, "… (4294967295 more like this were held back)");
	assert_in_range(end - h.text, 1000, 1023);
	assert_memory_equal(end - 2, "é", 2);

	memset(text, 'x', 1023);
	text[1023] = '\0';
	otlog__diagnose_always(OTLOG__WARN, "%s", text);
	assert_string_equal(h.text, text);
}

static void
errno_stays_as_it_was(void **state)
{
	(void)state;
	heard h = { 0 };
	otlog__diagnostics_set(listen, &h, OTLOG__WARN);
	errno = ENOENT;
	otlog__diagnose_always(OTLOG__WARN, "cannot open: %m");
	assert_int_equal(errno, ENOENT);
	assert_non_null(strstr(h.text, "No such file"));
}

static void
say_again(void *user, otlog_diagnostic_level level, const char *message)
{
	(void)message;
	int *depth = user;
	if (++*depth < 3)
		otlog__diagnose_always(level, "from within the sink");
}

static void
a_sink_may_give_messages_itself(void **state)
{
	(void)state;
	int depth = 0;
	otlog__diagnostics_set(say_again, &depth, OTLOG__WARN);
	otlog__diagnose_always(OTLOG__WARN, "first");
	assert_int_equal(depth, 3);
}

/* Runs `act` in a child whose stderr is the pipe's end; what came out of it is in out. */
static int
in_child(void (*act)(void), bool reader_is_gone, char *out, size_t size)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		dup2(ends[1], STDERR_FILENO);
		close(ends[1]);
		close(ends[0]);
		if (reader_is_gone) {
			/* Both ends of it are closed but this one. */
			int broken[2];
			if (pipe(broken) != 0)
				_exit(99);
			dup2(broken[1], STDERR_FILENO);
			close(broken[0]);
			close(broken[1]);
		}
		act();
		_exit(0);
	}
	close(ends[1]);
	size_t used = 0;
	for (ssize_t got = 1; got > 0 && used + 1 < size; used += (size_t)got) {
		got = read(ends[0], out + used, size - 1 - used);
		if (got <= 0)
			break;
	}
	out[used] = '\0';
	close(ends[0]);
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void
speak_to_stderr(void)
{
	otlog__diagnostics_set(NULL, NULL, OTLOG__DEBUG);
	otlog__diagnose_always(OTLOG__ERROR, "a");
	otlog__diagnose_always(OTLOG__WARN, "b\nc");
	otlog__diagnose_always(OTLOG__INFO, "d");
	otlog__diagnose_always(OTLOG__DEBUG, "e");
}

static void
without_a_sink_lines_go_to_stderr(void **state)
{
	(void)state;
	char out[256];
	int status = in_child(speak_to_stderr, false, out, sizeof out);
	assert_int_equal(status, 0);
	assert_string_equal(out, "otlog: error: a\notlog: warning: b c\notlog: info: d\notlog: debug: e\n");
}

static void
speak_and_look_at_sigpipe(void)
{
	sigset_t pending, mask;
	signal(SIGPIPE, SIG_DFL);
	speak_to_stderr();
	sigpending(&pending);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	if (sigismember(&pending, SIGPIPE) || sigismember(&mask, SIGPIPE))
		_exit(1);
}

static void
speak_with_a_sigpipe_waiting(void)
{
	sigset_t pipe_only, pending;
	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	sigprocmask(SIG_BLOCK, &pipe_only, NULL);
	raise(SIGPIPE);
	speak_to_stderr();
	sigpending(&pending);
	if (!sigismember(&pending, SIGPIPE))
		_exit(1);
}

static void
a_stderr_that_nobody_reads_raises_no_sigpipe(void **state)
{
	(void)state;
	char out[16];
	assert_int_equal(in_child(speak_and_look_at_sigpipe, true, out, sizeof out), 0);
	assert_int_equal(in_child(speak_with_a_sigpipe_waiting, true, out, sizeof out), 0);
}

static void
speak_without_being_started(void)
{
	otlog__diagnose_always(OTLOG__ERROR, "nobody has asked");
}

static void
a_silenced_process_writes_nothing(void **state)
{
	(void)state;
	char out[64];
	otlog__diagnostics_set(NULL, NULL, 0);
	assert_int_equal(in_child(speak_without_being_started, false, out, sizeof out), 0);
	assert_string_equal(out, "");
}

static void
speak_at_every_level(void)
{
	otlog__diagnose_always(OTLOG__ERROR, "a");
	otlog__diagnose_always(OTLOG__WARN, "b");
	otlog__diagnose_always(OTLOG__INFO, "c");
	otlog__diagnose_always(OTLOG__DEBUG, "d");
}

/* Has to be the first: nothing is ever set back to what it was before. */
static void
before_a_start_the_environment_says_how_much(void **state)
{
	(void)state;
	static const struct {
		const char *level;
		const char *lines;
	} cases[] = {
		{ NULL, "otlog: error: a\notlog: warning: b\n" },
		{ "", "otlog: error: a\notlog: warning: b\n" },
		{ "shout", "otlog: error: a\notlog: warning: b\n" },
		{ "none", "" },
		{ " ERROR ", "otlog: error: a\n" },
		{ "debug", "otlog: error: a\notlog: warning: b\notlog: info: c\notlog: debug: d\n" },
	};
	char out[256];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (cases[i].level)
			setenv("OTEL_LOG_LEVEL", cases[i].level, 1);
		else
			unsetenv("OTEL_LOG_LEVEL");
		assert_int_equal(in_child(speak_at_every_level, false, out, sizeof out), 0);
		assert_string_equal(out, cases[i].lines);
	}
	unsetenv("OTEL_LOG_LEVEL");
}

static void
use_the_api_badly(void)
{
	otlog_get_logger("", "");
	otlog_context_attach_traceparent("nonsense");
}

static void
use_the_api_badly_after_a_start(void)
{
	otlog__diagnostics_set(NULL, NULL, OTLOG__WARN);
	use_the_api_badly();
}

/* After the one before it: the same holds for it. */
static void
the_api_alone_says_nothing(void **state)
{
	(void)state;
	char out[512];
	assert_int_equal(in_child(use_the_api_badly, false, out, sizeof out), 0);
	assert_string_equal(out, "");
	assert_int_equal(in_child(use_the_api_badly_after_a_start, false, out, sizeof out), 0);
	assert_non_null(strstr(out, "otlog: warning: a logger without a name"));
	assert_non_null(strstr(out, "otlog: warning: traceparent \"nonsense\" is malformed"));
}

static void
create_an_exporter_to_nowhere(void)
{
	otlog_exporter exporter;
	if (otlog_otlp_http_exporter_create(&(otlog_otlp_options){ .endpoint = "nowhere" }, &exporter))
		_exit(1);
}

static void
an_exporter_says_before_the_start_why_it_cannot_be(void **state)
{
	(void)state;
	char out[512];
	assert_int_equal(in_child(create_an_exporter_to_nowhere, false, out, sizeof out), 0);
	assert_non_null(strstr(out, "otlog: error: endpoint \"nowhere\" is no URL to send to"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before_a_start_the_environment_says_how_much),
		cmocka_unit_test(the_api_alone_says_nothing),
		cmocka_unit_test(an_exporter_says_before_the_start_why_it_cannot_be),
		cmocka_unit_test(levels_up_to_the_one_set_reach_the_sink),
		cmocka_unit_test(levels_that_do_not_exist_do_no_harm),
		cmocka_unit_test(a_site_speaks_once_and_counts_what_it_holds_back),
		cmocka_unit_test(a_message_below_the_level_costs_its_site_nothing),
		cmocka_unit_test(each_call_site_has_its_own_quiet_time),
		cmocka_unit_test(control_characters_and_bad_utf8_are_made_harmless),
		cmocka_unit_test(a_long_message_is_cut_between_characters_and_keeps_its_count),
		cmocka_unit_test(errno_stays_as_it_was),
		cmocka_unit_test(a_sink_may_give_messages_itself),
		cmocka_unit_test(without_a_sink_lines_go_to_stderr),
		cmocka_unit_test(a_stderr_that_nobody_reads_raises_no_sigpipe),
		cmocka_unit_test(a_silenced_process_writes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, silence);
}
