/*
 * Forks under load: while threads of the parent emit, children log and exec, exit at once, or shut down. None hangs, none
 * sends what is its parent's, and the parent loses nothing.
 */
#include "tests/support/harness/check.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/harness/factor.h"
#include "tests/support/harness/sanitized.h"
#include "tests/support/queues/queue_directory.h"
#include "tests/support/sdk/sdk_fixture.h"
#include "tests/support/sdk/sdk_books.h"
#include "tests/support/servers/receiver.h"

#include <otlog/otlog.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FORKS 1000
#define EMITTERS 4
#define AT_ONCE 4
#define LONG_MS 30000

/* A child that has not ended after this hangs: it needs some milliseconds, on a machine that others use too. */
#define CHILD_MS 10000
#define HANG_MS 3000 /* what one call of it may take: a second, and the noise of other processes */

typedef enum ending { BY_SHUTDOWN, BY_EXIT, BY_EXEC, ENDINGS } ending;

/* A parent and its emitters. */
typedef struct load {
	otlog_logger *logger;
	_Atomic bool stop;
	_Atomic uint64_t accepted;
} load;

static uint64_t
now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static otlog_emit_result
emit(otlog_logger *logger, const char *who, int64_t number)
{
	return otlog_emit(logger, &(otlog_record){ .severity = OTLOG_SEVERITY_INFO,
	                                           .body = otlog_string(who),
	                                           .attributes = OTLOG_ATTRS(OTLOG_KV("number", number)) });
}

static void *
emit_on(void *self)
{
	load *l = self;
	const struct timespec pause = { .tv_nsec = 200000 };
	while (!atomic_load(&l->stop)) {
		for (int i = 0; i < 4; i++)
			if (emit(l->logger, "parent", 0) == OTLOG_EMIT_ACCEPTED)
				atomic_fetch_add(&l->accepted, 1);
		otlog_get_logger("parent", "2"); /* its lock is held at some of the forks */
		nanosleep(&pause, NULL);
	}
	return NULL;
}

/* The child's whole life. */
static void
be_child(otlog_logger *logger, int64_t number)
{
	uint64_t before = now_ms();
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlives a test that was stopped */
	if (emit(logger, "child", number) != OTLOG_EMIT_ACCEPTED)
		_exit(2);
	if (emit(otlog_get_logger("child", NULL), "child", number) != OTLOG_EMIT_ACCEPTED)
		_exit(3);
	if (now_ms() - before > HANG_MS)
		_exit(4);
	switch ((ending)(number % ENDINGS)) {
	case BY_SHUTDOWN:
		_exit(otlog_shutdown(LONG_MS) == OTLOG_DELIVERED ? 0 : 5);
	case BY_EXEC:
		execl("/bin/true", "true", NULL);
		_exit(6);
	default:
		_exit(0);
	}
}

typedef struct child {
	pid_t pid;
	int handle;
} child;

static child
fork_child(otlog_logger *logger, int64_t number)
{
	child c = { .pid = fork() };
	CHECK(c.pid >= 0);
	if (c.pid == 0)
		be_child(logger, number);
	c.handle = (int)syscall(SYS_pidfd_open, c.pid, 0);
	CHECK(c.handle >= 0);
	return c;
}

/* Its exit status; ends the test if it hangs. */
static void
await(child c, int64_t number)
{
	struct pollfd p = { .fd = c.handle, .events = POLLIN };
	int ready;
	while ((ready = poll(&p, 1, CHILD_MS)) < 0)
		CHECK(errno == EINTR);
	if (ready == 0) {
		fprintf(stderr, "child %d (number %lld) hangs\n", (int)c.pid, (long long)number);
		kill(c.pid, SIGKILL);
	}
	int status = -1;
	CHECK(waitpid(c.pid, &status, 0) == c.pid);
	close(c.handle);
	if (status != 0)
		fail_msg("child number %lld ended with status %#x", (long long)number, (unsigned)status);
}

static void
fork_many(otlog_logger *logger, int64_t forks)
{
	child children[AT_ONCE];
	for (int64_t number = 0; number < forks; number += AT_ONCE) {
		for (int i = 0; i < AT_ONCE; i++)
			children[i] = fork_child(logger, number + i);
		for (int i = 0; i < AT_ONCE; i++)
			await(children[i], number + i);
	}
}

static bool
is_text(ProtobufCBinaryData bytes, const char *text)
{
	return bytes.len == strlen(text) && memcmp(bytes.data, text, bytes.len) == 0;
}

static int64_t
pid_of(receiver_record record)
{
	for (size_t i = 0; i < record.resource->resource->n_attributes; i++)
		if (is_text(record.resource->resource->attributes[i]->key, "process.pid"))
			return record.resource->resource->attributes[i]->value->int_value;
	return 0;
}

/*
 * Every record of the parent's exactly once and from the parent; those of children from themselves, where they must come:
 * in a directory all of them do, for others take over what the dead have left.
 */
static void
check_received(receiver *server, uint64_t accepted, int64_t forks, bool all)
{
	uint8_t *came = calloc((size_t)forks, 1);
	uint64_t parents = 0;
	CHECK(came);
	for (size_t i = 0; i < receiver_record_count(server); i++) {
		receiver_record record = receiver_record_at(server, i);
		bool from_parent = pid_of(record) == getpid();
		assert_true(is_text(record.record->body->string_value, from_parent ? "parent" : "child"));
		parents += from_parent;
		if (from_parent)
			continue;
		int64_t number = record.record->attributes[0]->value->int_value;
		assert_in_range(number, 0, forks - 1);
		came[number]++;
	}
	assert_int_equal(parents, accepted);
	for (int64_t number = 0; number < forks; number++) {
		if (all)
			assert_in_range(came[number], 2, UINT8_MAX); /* what was in flight at its death comes twice */
		else if (number % ENDINGS == BY_SHUTDOWN)
			assert_int_equal(came[number], 2);
		else
			assert_in_range(came[number], 0, 2); /* as far as it came */
	}
	free(came);
}

static void
start(const receiver *server, const char *directory)
{
	otlog_pipeline_options pipeline = { .schedule_delay_ms = 5 };
	assert_true(otlog_otlp_http_exporter_create(&(otlog_otlp_options){ .endpoint = receiver_url(server) },
	                                            &pipeline.exporter));
	assert_true(otlog_start(&(otlog_options){ .pipelines = &pipeline,
	                                          .pipeline_count = 1,
	                                          .queue_bytes = 1 << 20,
	                                          .queue_directory = directory,
	                                          .queue_full = OTLOG_QUEUE_FULL_BLOCK,
	                                          .queue_block_timeout_ms = LONG_MS,
	                                          .diagnostic = sdk_silence }));
}

/* Until no other file is left than that of a process which does nothing but deliver them. */
static void
deliver_rest(const receiver *server, const char *directory)
{
	char found[512];
	uint64_t deadline = now_ms() + LONG_MS;
	start(server, directory);
	while (queue_directory_find(directory, ".queue", found) > 1 && now_ms() < deadline)
		nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	assert_int_equal(otlog_shutdown(LONG_MS), OTLOG_DELIVERED);
	assert_int_equal(queue_directory_find(directory, ".queue", found), 0);
}

static void
fork_under_load(const char *directory, int64_t forks)
{
	receiver *server = receiver_start(NULL);
	start(server, directory);
	load l = { .logger = otlog_get_logger("parent", "1") };
	pthread_t emitters[EMITTERS];
	for (int i = 0; i < EMITTERS; i++)
		CHECK(pthread_create(&emitters[i], NULL, emit_on, &l) == 0);
	fork_many(l.logger, forks);
	atomic_store(&l.stop, true);
	for (int i = 0; i < EMITTERS; i++)
		pthread_join(emitters[i], NULL);
	sdk_books books;
	assert_int_equal(otlog_shutdown(LONG_MS), OTLOG_DELIVERED);
	sdk_take_global_books(&books);
	assert_int_equal(books.totals.accepted, atomic_load(&l.accepted));
	if (directory)
		deliver_rest(server, directory);
	check_received(server, books.totals.accepted, forks, directory);
	receiver_stop(server);
}

static void
in_memory(void **state)
{
	(void)state;
	if (UNDER_ASAN)
		skip();
	fork_under_load(NULL, faults_count(FORKS) / 2 / AT_ONCE * AT_ONCE);
}

static void
in_a_directory(void **state)
{
	char directory[64];
	(void)state;
	if (UNDER_ASAN)
		skip();
	queue_directory_make(directory);
	fork_under_load(directory, faults_count(FORKS) / 2 / AT_ONCE * AT_ONCE);
	queue_directory_remove(directory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(in_memory), cmocka_unit_test(in_a_directory) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
