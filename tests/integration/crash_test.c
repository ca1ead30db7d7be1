/* A process that dies of a signal leaves one record in its queue directory, and dies as it would have without us. */
#include "tests/support/harness/check.h"
#include "tests/support/queues/queue_directory.h"
#include "tests/support/sdk/sdk_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LONG_MS 20000
#define QUEUE_BYTES (1 << 20)
#define TRACE_ID "0af7651916cd43dd8448eb211c80319c"
#define TRACEPARENT "00-" TRACE_ID "-b7ad6b7169203331-01"

static char directory[64];

static otlog_memory *
start(otlog_switch crash_handler)
{
	otlog_pipeline_options pipeline = { .schedule_delay_ms = 3600000 };
	otlog_memory *memory = otlog_memory_exporter_create(NULL, &pipeline.exporter);
	CHECK(memory);
	CHECK(otlog_start(&(otlog_options){ .pipelines = &pipeline,
	                                    .pipeline_count = 1,
	                                    .queue_bytes = QUEUE_BYTES,
	                                    .queue_directory = directory,
	                                    .crash_handler = crash_handler,
	                                    .diagnostic = sdk_silence }));
	return memory;
}

/* A handler that the program has before ours; signal 0: none. */
static struct {
	int signal;
	const struct sigaction *action;
} behind[2];

/* cmocka has handlers of its own, which the children do not want. */
static void
set_handlers(void)
{
	static const int numbers[] = { SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL };
	for (int i = 0; i < 5; i++)
		signal(numbers[i], SIG_DFL);
	for (int i = 0; i < 2; i++)
		if (behind[i].signal)
			sigaction(behind[i].signal, behind[i].action, NULL);
}

/* Runs the function in a child with the SDK, whose end is given back as waitpid has it. */
static int
die_by(void (*die)(void), otlog_switch crash_handler)
{
	fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		const struct rlimit no_core = { 0 };
		setrlimit(RLIMIT_CORE, &no_core);
		CHECK(dup2(open("/dev/null", O_WRONLY), STDERR_FILENO) >= 0); /* sanitizers have much to say */
		alarm(30);
		set_handlers();
		start(crash_handler);
		otlog_context_attach_traceparent(TRACEPARENT);
		die();
		_exit(99);
	}
	int status = -1;
	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	return status;
}

/* ---- What was left ----------------------------------------------------------------------------------------------- */

/* The crash records that the next process finds; the first of them may be read until that ends. */
static size_t
adopt(otlog_memory *memory, otlog_record_view *first)
{
	size_t found = 0;
	otlog_memory_wait(memory, 1, LONG_MS);
	for (size_t i = 0; i < otlog_memory_count(memory); i++) {
		otlog_record_view view;
		size_t size;
		const void *bytes = otlog_memory_record(memory, i, &size);
		assert_true(otlog_record_view_open(bytes, size, &view));
		if (otlog_slice_is(view.event_name, "otlog.crash") && found++ == 0)
			*first = view;
	}
	return found;
}

static void
put_text(const otlog_record_view *record, const char *key, char *out, size_t size)
{
	otlog_value_view value;
	assert_true(otlog_find_item(otlog_attributes(record), key, &value));
	assert_true(otlog_value_text(&value, out, size) < size);
}

static void
check_record(const otlog_record_view *record, const char *signal_name, int signal)
{
	char text[8192], number[16];
	snprintf(number, sizeof number, "%d", signal);
	assert_int_equal(record->severity, OTLOG_SEVERITY_FATAL);
	put_text(record, "otlog.crash.signal", text, sizeof text);
	assert_string_equal(text, signal_name);
	put_text(record, "otlog.crash.signal_number", text, sizeof text);
	assert_string_equal(text, number);
	put_text(record, "otlog.crash.code", text, sizeof text);
	put_text(record, "otlog.crash.address", text, sizeof text);
	assert_int_equal(strncmp(text, "0x", 2), 0);
	put_text(record, "otlog.crash.thread_id", text, sizeof text);
	assert_true(atol(text) > 0);
	put_text(record, "otlog.crash.thread_name", text, sizeof text);
	assert_true(*text);
	put_text(record, "code.stacktrace", text, sizeof text);
	if (!strstr(text, "integration-crash_test+0x"))
		fail_msg("no address of this program in the stack: %s", text);
}

static void
check_trace(const otlog_record_view *record)
{
	char id[33];
	otlog_hex(record->trace_id, id, sizeof id);
	assert_string_equal(id, TRACE_ID);
}

/*
 * Dies with and without the handler: the same way, and leaves one record of that signal, with the thread's trace if it
 * has one.
 */
static void
check_death(void (*die)(void), const char *signal_name, int signal, bool has_trace)
{
	int without = die_by(die, OTLOG_SWITCH_OFF);
	int with = die_by(die, OTLOG_SWITCH_ON);
	assert_int_not_equal(WEXITSTATUS(with), 99);
	assert_int_equal(with, without);
	otlog_record_view record;
	otlog_memory *memory = start(OTLOG_SWITCH_OFF);
	assert_int_equal(adopt(memory, &record), 1);
	check_record(&record, signal_name, signal);
	if (has_trace)
		check_trace(&record);
	otlog_shutdown(LONG_MS);
	otlog_memory_free(memory);
}

/* ---- Deaths ------------------------------------------------------------------------------------------------------ */

static volatile int zero;
static volatile int *volatile nowhere = (volatile int *)64;

static void
write_to_nowhere(void)
{
	*nowhere = 1;
}

static void
divide_by_zero(void)
{
#if defined(__x86_64__) || defined(__i386__)
	int quotient;
	__asm__ volatile("cltd; idivl %2" : "=a"(quotient) : "a"(1), "r"(zero) : "edx");
	zero = quotient;
#else
	raise(SIGFPE);
#endif
}

static void
run_no_instruction(void)
{
	__builtin_trap();
}

static void
read_behind_a_file(void)
{
	char path[128];
	snprintf(path, sizeof path, "%s/short", directory);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	CHECK(fd >= 0 && unlink(path) == 0);
	const volatile char *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(page != MAP_FAILED);
	zero = *page;
}

static void
be_killed(void)
{
	kill(getpid(), SIGSEGV);
	pause();
}

static void
each_signal_leaves_a_record_and_the_death_it_would_have_been(void **state)
{
	(void)state;
	check_death(write_to_nowhere, "SIGSEGV", SIGSEGV, true);
	check_death(be_killed, "SIGSEGV", SIGSEGV, true);
	check_death(abort, "SIGABRT", SIGABRT, true);
	check_death(divide_by_zero, "SIGFPE", SIGFPE, true);
	check_death(read_behind_a_file, "SIGBUS", SIGBUS, true);
#if defined(__x86_64__) || defined(__i386__)
	check_death(run_no_instruction, "SIGILL", SIGILL, true);
#endif
}

static volatile char last_byte;

/* So that no compiler makes a loop of it. */
static __attribute__((noinline)) int
grow_stack(int depth)
{
	volatile char frame[4096];
	frame[depth % 4096] = (char)depth;
	last_byte = frame[0];
	return depth < 0 ? 0 : grow_stack(depth + 1) + frame[depth % 4096];
}

static void
overflow(void)
{
	zero = grow_stack(0);
}

static void *
overflow_in_thread(void *unused)
{
	CHECK(otlog_crash_prepare_thread());
	overflow();
	return unused;
}

static void
overflow_another_stack(void)
{
	pthread_t thread;
	CHECK(pthread_create(&thread, NULL, overflow_in_thread, NULL) == 0);
	pthread_join(thread, NULL);
}

static void
an_overflow_of_the_stack_is_seen(void **state)
{
	(void)state;
	check_death(overflow, "SIGSEGV", SIGSEGV, true);
	check_death(overflow_another_stack, "SIGSEGV", SIGSEGV, false);
}

#define THREADS 4
static pthread_barrier_t together;

static void *
crash_together(void *unused)
{
	pthread_barrier_wait(&together);
	write_to_nowhere();
	return unused;
}

static void
crash_in_threads(void)
{
	pthread_t threads[THREADS];
	pthread_barrier_init(&together, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, crash_together, NULL) == 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static void
threads_that_crash_at_once_leave_one_record(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		check_death(crash_in_threads, "SIGSEGV", SIGSEGV, false);
}

/* ---- Handlers of the program's own ------------------------------------------------------------------------------- */

static void
exit_with_42(int signal, siginfo_t *info, void *context)
{
	sigset_t mask;
	CHECK(info->si_addr == (const volatile void *)nowhere && context);
	CHECK(pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0);
	CHECK(sigismember(&mask, signal) && sigismember(&mask, SIGUSR2));
	_exit(42);
}

static void
exit_with_43(int signal)
{
	(void)signal;
	_exit(43);
}

static void
crash_again(int signal)
{
	(void)signal;
	write_to_nowhere();
}

static sigjmp_buf way_out;

static void
jump_out(int signal)
{
	(void)signal;
	siglongjmp(way_out, 1);
}

/* A child whose handler was there first. */
static int
die_behind(const struct sigaction *action, int signal, void (*die)(void))
{
	behind[0].signal = signal;
	behind[0].action = action;
	int status = die_by(die, OTLOG_SWITCH_ON);
	behind[0].signal = 0;
	return status;
}

static size_t
count_left(void)
{
	otlog_record_view record;
	otlog_memory *memory = start(OTLOG_SWITCH_OFF);
	size_t count = adopt(memory, &record);
	otlog_shutdown(LONG_MS);
	otlog_memory_free(memory);
	return count;
}

static void
the_handler_that_was_there_before_is_called(void **state)
{
	(void)state;
	struct sigaction with_info = { .sa_sigaction = exit_with_42, .sa_flags = SA_SIGINFO };
	sigaddset(&with_info.sa_mask, SIGUSR2);
	int status = die_behind(&with_info, SIGSEGV, write_to_nowhere);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 42);
	assert_int_equal(count_left(), 1);

	struct sigaction plain = { .sa_handler = exit_with_43 };
	status = die_behind(&plain, SIGABRT, abort);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 43);
	assert_int_equal(count_left(), 1);
}

static void
jump_out_and_end_well(void)
{
	static volatile int times;
	while (times++ < 100)
		if (sigsetjmp(way_out, 1) == 0)
			write_to_nowhere();
	_exit(44);
}

static void
a_program_that_recovers_goes_on(void **state)
{
	(void)state;
	struct sigaction plain = { .sa_handler = jump_out };
	int status = die_behind(&plain, SIGSEGV, jump_out_and_end_well);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 44);
	assert_int_equal(count_left(), 16); /* enough is enough */
}

static void
a_crash_of_the_other_handler_ends_the_process(void **state)
{
	(void)state;
	struct sigaction plain = { .sa_handler = crash_again };
	int status = die_behind(&plain, SIGSEGV, write_to_nowhere);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	assert_int_equal(count_left(), 1);
}

static void
send_what_is_ignored(void)
{
	kill(getpid(), SIGABRT);
	kill(getpid(), SIGFPE);
	raise(SIGFPE);
	OTLOG_INFO(otlog_get_logger("test", NULL), "alive");
	_exit(45);
}

static void
what_the_program_ignores_stays_ignored(void **state)
{
	(void)state;
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	behind[1].signal = SIGABRT;
	behind[1].action = &ignore;
	int status = die_behind(&ignore, SIGFPE, send_what_is_ignored);
	behind[1].signal = 0;
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 45);
	assert_int_equal(count_left(), 0);
}

/* ---- In and out -------------------------------------------------------------------------------------------------- */

/* The C library adds one of its own. */
#define OURS_TO_SEE (SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESETHAND | SA_RESTART)

static void
shutdown_puts_back_what_was_there(void **state)
{
	(void)state;
	static const int numbers[] = { SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL };
	struct sigaction before[5], during, after;
	for (int i = 0; i < 5; i++)
		sigaction(numbers[i], NULL, &before[i]);
	otlog_memory *memory = start(OTLOG_SWITCH_ON);
	for (int i = 0; i < 5; i++) {
		sigaction(numbers[i], NULL, &during);
		assert_true(during.sa_sigaction != before[i].sa_sigaction);
		assert_true((during.sa_flags & (SA_SIGINFO | SA_ONSTACK)) == (SA_SIGINFO | SA_ONSTACK));
	}
	otlog_shutdown(LONG_MS);
	otlog_memory_free(memory);
	for (int i = 0; i < 5; i++) {
		sigaction(numbers[i], NULL, &after);
		assert_true(after.sa_sigaction == before[i].sa_sigaction);
		assert_int_equal(after.sa_flags & OURS_TO_SEE, before[i].sa_flags & OURS_TO_SEE);
	}
}

static struct sigaction beneath;

static void
hand_down(int signal, siginfo_t *info, void *context)
{
	beneath.sa_sigaction(signal, info, context);
	_exit(46);
}

/* Ours is beneath another one, through a shutdown and a second start. */
static void
crash_with_another_on_top(void)
{
	struct sigaction top = { .sa_sigaction = hand_down, .sa_flags = SA_SIGINFO };
	struct sigaction now;
	sigaction(SIGSEGV, &top, &beneath);
	otlog_shutdown(LONG_MS);
	sigaction(SIGSEGV, NULL, &now);
	CHECK(now.sa_sigaction == hand_down);
	start(OTLOG_SWITCH_ON);
	sigaction(SIGSEGV, NULL, &now);
	CHECK(now.sa_sigaction == hand_down);
	write_to_nowhere();
}

static void
a_handler_on_top_of_ours_keeps_its_place(void **state)
{
	(void)state;
	struct sigaction plain = { .sa_handler = exit_with_43 };
	int status = die_behind(&plain, SIGSEGV, crash_with_another_on_top);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 43); /* handed on to the one below ours */
	assert_int_equal(count_left(), 1);
}

static void *
find_no_stack(void *unused)
{
	stack_t now;
	CHECK(otlog_crash_prepare_thread());
	CHECK(sigaltstack(NULL, &now) == 0);
	CHECK(getenv("ASAN_OPTIONS") || now.ss_flags & SS_DISABLE || now.ss_size > 0);
	return unused;
}

static void
without_a_handler_preparing_a_thread_does_nothing(void **state)
{
	pthread_t thread;
	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, find_no_stack, NULL), 0);
	pthread_join(thread, NULL);
}

static int
set_up(void **state)
{
	(void)state;
	queue_directory_make(directory);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	queue_directory_remove(directory);
	return 0;
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(each_signal_leaves_a_record_and_the_death_it_would_have_been),
		TEST(an_overflow_of_the_stack_is_seen),
		TEST(threads_that_crash_at_once_leave_one_record),
		TEST(the_handler_that_was_there_before_is_called),
		TEST(a_program_that_recovers_goes_on),
		TEST(a_crash_of_the_other_handler_ends_the_process),
		TEST(what_the_program_ignores_stays_ignored),
		TEST(shutdown_puts_back_what_was_there),
		TEST(a_handler_on_top_of_ours_keeps_its_place),
		TEST(without_a_handler_preparing_a_thread_does_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
