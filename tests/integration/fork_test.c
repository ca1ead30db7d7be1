/* Forked children of a running SDK: each has a provider of its own at its first emit, and the parent's goes on. */
#include "tests/support/harness/check.h"
#include "tests/support/harness/process.h"
#include "tests/support/harness/sanitized.h"
#include "tests/support/queues/queue_directory.h"
#include "tests/support/sdk/diagnosed.h"
#include "tests/support/sdk/sdk_fixture.h"
#include "tests/support/sdk/sdk_books.h"
#include "tests/support/servers/receiver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define QUEUE_BYTES (1 << 20)
#define LONG_MS 20000

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

/* Runs the function in a child, which must return 0. */
static void
in_child(int (*run)(void *), void *user)
{
	assert_int_equal(process_run(run, user), 0);
}

/* Returns `code` from the child if the condition does not hold. */
#define EXPECT(condition, code)                                                                       \
	do {                                                                                          \
		if (!(condition)) {                                                                   \
			fprintf(stderr, "%s:%d: in the child: %s\n", __FILE__, __LINE__, #condition); \
			return code;                                                                  \
		}                                                                                     \
	} while (0)

/* ---- Over HTTP --------------------------------------------------------------------------------------------------- */

static otlog_pipeline_options
http_pipeline(const receiver *server)
{
	otlog_pipeline_options pipeline = { .schedule_delay_ms = 10 };
	assert_true(otlog_otlp_http_exporter_create(&(otlog_otlp_options){ .endpoint = receiver_url(server) },
	                                            &pipeline.exporter));
	return pipeline;
}

static void
start_global(const receiver *server, const char *directory)
{
	otlog_pipeline_options pipeline = http_pipeline(server);
	assert_true(otlog_start(&(otlog_options){ .service_name = "forking",
	                                          .pipelines = &pipeline,
	                                          .pipeline_count = 1,
	                                          .queue_bytes = QUEUE_BYTES,
	                                          .queue_directory = directory,
	                                          .diagnostic = diagnosed_take }));
}

typedef Opentelemetry__Proto__Common__V1__AnyValue any_value;

/* As a C string, in one of a few buffers that are used in turn. */
static const char *
bytes_text(ProtobufCBinaryData bytes)
{
	static char texts[4][128];
	static unsigned turn;
	char *text = texts[turn++ % 4];
	snprintf(text, sizeof texts[0], "%.*s", (int)bytes.len, (const char *)bytes.data);
	return text;
}

static const char *
text_of(const any_value *value)
{
	assert_non_null(value);
	return bytes_text(value->string_value);
}

static size_t
count_bodies(receiver *server, const char *text)
{
	size_t found = 0;
	for (size_t i = 0; i < receiver_record_count(server); i++) {
		const any_value *body = receiver_record_at(server, i).record->body;
		found += body && strcmp(text_of(body), text) == 0;
	}
	return found;
}

static const any_value *
resource_value(receiver_record from, const char *key)
{
	for (size_t i = 0; i < from.resource->resource->n_attributes; i++)
		if (strcmp(bytes_text(from.resource->resource->attributes[i]->key), key) == 0)
			return from.resource->resource->attributes[i]->value;
	return NULL;
}

static int
log_and_shut_down(void *logger)
{
	EXPECT(sdk_emit_text(logger, "child") == OTLOG_EMIT_ACCEPTED, 1);
	EXPECT(sdk_emit_text(otlog_get_logger("taken in the child", NULL), "child") == OTLOG_EMIT_ACCEPTED, 2);
	EXPECT(!otlog_start(NULL), 3); /* it runs */
	EXPECT(otlog_shutdown(LONG_MS) == OTLOG_DELIVERED, 4);
	sdk_books books;
	sdk_take_global_books(&books);
	EXPECT(books.totals.accepted == 2 && books.pipelines[0].delivered == 2, 5);
	EXPECT(sdk_emit_text(logger, "late") == OTLOG_EMIT_AFTER_SHUTDOWN, 6);
	return 0;
}

static void
check_child_over_http(const char *directory)
{
	receiver *server = receiver_start(NULL);
	diagnosed_begin();
	start_global(server, directory);
	otlog_logger *logger = otlog_get_logger("test", "1");
	for (int i = 0; i < 10; i++)
		assert_int_equal(sdk_emit_text(logger, "parent"), OTLOG_EMIT_ACCEPTED);
	in_child(log_and_shut_down, logger);
	for (int i = 0; i < 10; i++)
		assert_int_equal(sdk_emit_text(logger, "parent"), OTLOG_EMIT_ACCEPTED);
	assert_int_equal(otlog_shutdown(LONG_MS), OTLOG_DELIVERED);

	assert_int_equal(receiver_record_count(server), 22);
	assert_int_equal(count_bodies(server, "parent"), 20);
	assert_int_equal(count_bodies(server, "child"), 2);
	char ids[2][64];
	for (size_t i = 0; i < 22; i++) {
		receiver_record record = receiver_record_at(server, i);
		bool is_parents = strcmp(text_of(record.record->body), "parent") == 0;
		int64_t pid = resource_value(record, "process.pid")->int_value;
		assert_true((pid == getpid()) == is_parents);
		assert_string_equal(text_of(resource_value(record, "service.name")), "forking");
		snprintf(ids[is_parents], sizeof ids[0], "%s", text_of(resource_value(record, "service.instance.id")));
		const char *scope = bytes_text(record.scope->scope->name);
		if (strcmp(scope, "test") != 0)
			assert_string_equal(scope, "taken in the child");
	}
	assert_string_not_equal(ids[0], ids[1]);
	receiver_stop(server);
}

static void
a_child_logs_at_once_and_sends_nothing_of_its_parents(void **state)
{
	(void)state;
	check_child_over_http(NULL);
}

static void
a_child_has_a_file_of_its_own_in_the_same_directory(void **state)
{
	char directory[64], found[512];
	(void)state;
	queue_directory_make(directory);
	check_child_over_http(directory);
	assert_int_equal(queue_directory_find(directory, ".queue", found), 0);
	queue_directory_remove(directory);
}

static int
fork_again(void *logger)
{
	EXPECT(sdk_emit_text(logger, "child") == OTLOG_EMIT_ACCEPTED, 1);
	pid_t pid = fork();
	if (pid == 0) {
		/* The binding that this logger has is the child's: its heir's heir takes the record. */
		if (sdk_emit_text(logger, "grandchild") != OTLOG_EMIT_ACCEPTED)
			_exit(1);
		_exit(otlog_shutdown(LONG_MS) == OTLOG_DELIVERED ? 0 : 2);
	}
	int status = -1;
	EXPECT(waitpid(pid, &status, 0) == pid && status == 0, 2);
	EXPECT(otlog_shutdown(LONG_MS) == OTLOG_DELIVERED, 3);
	return 0;
}

static int
fork_again_without_a_word(void *logger)
{
	pid_t pid = fork();
	if (pid == 0) {
		if (sdk_emit_text(logger, "grandchild") != OTLOG_EMIT_ACCEPTED)
			_exit(1);
		_exit(otlog_shutdown(LONG_MS) == OTLOG_DELIVERED ? 0 : 2);
	}
	int status = -1;
	EXPECT(waitpid(pid, &status, 0) == pid && status == 0, 1);
	return 0;
}

static void
a_grandchild_logs_too(void **state)
{
	(void)state;
	receiver *server = receiver_start(NULL);
	diagnosed_begin();
	start_global(server, NULL);
	otlog_logger *logger = otlog_get_logger("test", "1");
	in_child(fork_again, logger);
	in_child(fork_again_without_a_word, logger);
	assert_int_equal(otlog_shutdown(LONG_MS), OTLOG_DELIVERED);
	assert_int_equal(receiver_record_count(server), 3);
	assert_int_equal(count_bodies(server, "grandchild"), 2);
	receiver_stop(server);
}

/* ---- A provider of one's own ------------------------------------------------------------------------------------- */

static int
use_own_provider(void *fixture)
{
	sdk_fixture *f = fixture;
	sdk_books books;
	sdk_take_books(f->provider, &books);
	EXPECT(books.pipeline_count == 0 && otlog_provider_flush(f->provider, LONG_MS) == OTLOG_DELIVERED, 1);
	EXPECT(sdk_emit_text(f->logger, "child") == OTLOG_EMIT_ACCEPTED, 2);
	otlog_logger *another = otlog_provider_get_logger(f->provider, &(otlog_logger_options){ .name = "another" });
	EXPECT(sdk_emit_text(another, "child") == OTLOG_EMIT_ACCEPTED, 3);
	EXPECT(otlog_provider_flush(f->provider, LONG_MS) == OTLOG_DELIVERED, 4);
	sdk_take_books(f->provider, &books);
	EXPECT(books.pipelines[0].delivered == 2 && books.totals.emitted == 2, 5);
	otlog_provider_destroy(f->provider);
	return 0;
}

static void
a_provider_of_ones_own_has_an_heir_too(void **state)
{
	sdk_fixture *f = *state;
	receiver *server = receiver_start(NULL);
	otlog_pipeline_options pipeline = http_pipeline(server);
	diagnosed_begin();
	f->provider = otlog_provider_create(&(otlog_options){
	    .pipelines = &pipeline, .pipeline_count = 1, .queue_bytes = QUEUE_BYTES, .diagnostic = diagnosed_take });
	f->logger = otlog_provider_get_logger(f->provider, &(otlog_logger_options){ .name = "test" });
	assert_int_equal(sdk_emit_many(f->logger, 5), 5);
	in_child(use_own_provider, f);
	assert_int_equal(otlog_provider_shutdown(f->provider, LONG_MS), OTLOG_DELIVERED);
	assert_int_equal(receiver_record_count(server), 7);
	receiver_stop(server);
}

/* ---- Exporters that cannot be opened again ----------------------------------------------------------------------- */

static int
find_it_off(void *fixture)
{
	sdk_fixture *f = fixture;
	diagnosed_begin();
	for (int i = 0; i < 3; i++)
		EXPECT(sdk_emit_text(f->logger, "child") == OTLOG_EMIT_DISABLED, 1);
	EXPECT(diagnosed_count() == 1 && diagnosed_says("a forked child cannot use it"), 2);
	EXPECT(otlog_provider_shutdown(f->provider, LONG_MS) == OTLOG_DELIVERED, 3);
	EXPECT(!otlog_enabled(f->logger, OTLOG_SEVERITY_FATAL, NULL), 4);
	return 0;
}

static void
without_an_exporter_and_in_memory_the_child_stays_off(void **state)
{
	sdk_fixture *f = *state;
	sdk_start(f, 1, (otlog_options){ 0 }, (otlog_pipeline_options){ 0 });
	assert_true(
	    otlog_start(&(otlog_options){ .diagnostic = diagnosed_take, .queue_bytes = QUEUE_BYTES })); /* the sink */
	in_child(find_it_off, f);
	otlog_shutdown(0);
	assert_int_equal(sdk_emit_many(f->logger, 3), 3);
	assert_int_equal(otlog_provider_shutdown(f->provider, LONG_MS), OTLOG_DELIVERED);
	assert_int_equal(capture_records(f->a), 3);
}

static int
leave_records(void *fixture)
{
	sdk_fixture *f = fixture;
	EXPECT(sdk_emit_many(f->logger, 7) == 7, 1);
	EXPECT(otlog_provider_flush(f->provider, LONG_MS) == OTLOG_DURABLE, 2);
	sdk_books books;
	sdk_take_books(f->provider, &books);
	EXPECT(books.pipelines[0].queued == 7 && books.pipelines[0].delivered == 0, 3);
	EXPECT(otlog_provider_shutdown(f->provider, LONG_MS) == OTLOG_DURABLE, 4);
	return 0;
}

static void
without_an_exporter_records_stay_in_the_directory(void **state)
{
	sdk_fixture *f = *state;
	char found[512];
	queue_directory_make(f->directory);
	sdk_start(f, 1, (otlog_options){ .queue_directory = f->directory }, (otlog_pipeline_options){ 0 });
	in_child(leave_records, f);
	assert_int_equal(queue_directory_find(f->directory, ".queue", found), 2); /* the parent's, and the child's */
	assert_int_equal(sdk_emit_many(f->logger, 3), 3);
	otlog_provider_shutdown(f->provider, LONG_MS);
}

/* ---- Signals, threads, starts ------------------------------------------------------------------------------------ */

static struct {
	otlog_logger *logger;
	otlog_emit_result result;
} handled;

static void
emit_in_handler(int signal)
{
	(void)signal;
	handled.result = sdk_emit_text(handled.logger, "from a handler");
}

static int
emit_first_in_a_handler(void *logger)
{
	handled.logger = logger;
	signal(SIGUSR1, emit_in_handler);
	raise(SIGUSR1);
	EXPECT(handled.result == OTLOG_EMIT_BUSY, 1);
	EXPECT(sdk_emit_text(logger, "child") == OTLOG_EMIT_ACCEPTED, 2);
	raise(SIGUSR1);
	EXPECT(handled.result == OTLOG_EMIT_ACCEPTED, 3);
	EXPECT(otlog_flush(LONG_MS) == OTLOG_DROPPED, 4); /* the first one */
	sdk_books books;
	sdk_take_global_books(&books);
	EXPECT(books.totals.accepted == 2 && books.totals.refused[OTLOG_DROP_BUSY] == 1, 5);
	return 0;
}

static void
a_handlers_emit_makes_no_heir_but_is_counted(void **state)
{
	(void)state;
	if (UNDER_TSAN)
		skip();
	receiver *server = receiver_start(NULL);
	diagnosed_begin();
	start_global(server, NULL);
	in_child(emit_first_in_a_handler, otlog_get_logger("test", "1"));
	assert_int_equal(otlog_shutdown(LONG_MS), OTLOG_DELIVERED);
	receiver_stop(server);
}

#define THREADS 8
#define EACH 200

static void *
emit_each(void *logger)
{
	for (int i = 0; i < EACH; i++)
		CHECK(sdk_emit_text(logger, "child") == OTLOG_EMIT_ACCEPTED);
	return NULL;
}

static int
emit_from_threads(void *logger)
{
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++)
		EXPECT(pthread_create(&threads[i], NULL, emit_each, logger) == 0, 1);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	sdk_books books;
	sdk_take_global_books(&books);
	EXPECT(books.totals.accepted == THREADS * EACH, 2);
	EXPECT(otlog_shutdown(LONG_MS) == OTLOG_DELIVERED, 3);
	return 0;
}

static void
threads_that_emit_first_at_once_share_one_heir(void **state)
{
	(void)state;
	receiver *server = receiver_start(NULL);
	diagnosed_begin();
	start_global(server, NULL);
	for (int i = 0; i < 5; i++)
		in_child(emit_from_threads, otlog_get_logger("test", "1"));
	assert_int_equal(otlog_shutdown(LONG_MS), OTLOG_DELIVERED);
	assert_int_equal(count_bodies(server, "child"), 5 * THREADS * EACH);
	receiver_stop(server);
}

static int
start_with_options_of_its_own(void *server)
{
	otlog_logger *logger = otlog_get_logger("test", "1");
	otlog_pipeline_options pipeline = http_pipeline(server);
	EXPECT(
	    otlog_start(&(otlog_options){
		.service_name = "restarted", .pipelines = &pipeline, .pipeline_count = 1, .queue_bytes = QUEUE_BYTES }),
	    1);
	EXPECT(sdk_emit_text(logger, "child") == OTLOG_EMIT_ACCEPTED, 2);
	EXPECT(otlog_shutdown(LONG_MS) == OTLOG_DELIVERED, 3);
	return 0;
}

static int
shut_down_first(void *server)
{
	otlog_logger *logger = otlog_get_logger("test", "1");
	(void)server;
	EXPECT(otlog_shutdown(LONG_MS) == OTLOG_DELIVERED, 1);
	EXPECT(sdk_emit_text(logger, "child") == OTLOG_EMIT_DISABLED, 2);
	EXPECT(otlog_flush(LONG_MS) == OTLOG_DELIVERED, 3);
	return 0;
}

static int
shut_down_first_and_start(void *server)
{
	int code = shut_down_first(server);
	return code ? code : 10 * start_with_options_of_its_own(server);
}

static void
a_child_may_start_for_itself_or_stay_off(void **state)
{
	(void)state;
	receiver *server = receiver_start(NULL);
	diagnosed_begin();
	start_global(server, NULL);
	in_child(start_with_options_of_its_own, server);
	in_child(shut_down_first, server);
	in_child(shut_down_first_and_start, server);
	assert_int_equal(otlog_shutdown(LONG_MS), OTLOG_DELIVERED);
	in_child(shut_down_first, server); /* nothing ran when it was forked */
	assert_int_equal(receiver_record_count(server), 2);
	assert_string_equal(text_of(resource_value(receiver_record_at(server, 0), "service.name")), "restarted");
	receiver_stop(server);
}

/* ---- A file ------------------------------------------------------------------------------------------------------ */

static void
start_pipeline(const otlog_pipeline_options *pipeline)
{
	assert_true(
	    otlog_start(&(otlog_options){ .pipelines = pipeline, .pipeline_count = 1, .queue_bytes = QUEUE_BYTES }));
}

static int
log_as_the_child(void *logger)
{
	EXPECT(sdk_emit_text(logger, "said by the child") == OTLOG_EMIT_ACCEPTED, 1);
	EXPECT(otlog_shutdown(LONG_MS) == OTLOG_DELIVERED, 2);
	return 0;
}

static void
a_child_appends_to_the_same_file(void **state)
{
	char directory[64], path[128], text[8192] = "";
	otlog_pipeline_options pipeline = { .schedule_delay_ms = 10 };
	(void)state;
	queue_directory_make(directory);
	snprintf(path, sizeof path, "%s/logs.jsonl", directory);
	assert_true(otlog_otlp_file_exporter_create(&(otlog_otlp_file_options){ .path = path }, &pipeline.exporter));
	start_pipeline(&pipeline);
	otlog_logger *logger = otlog_get_logger("test", "1");
	assert_int_equal(sdk_emit_text(logger, "parent"), OTLOG_EMIT_ACCEPTED);
	assert_int_equal(otlog_flush(LONG_MS), OTLOG_DELIVERED);
	in_child(log_as_the_child, logger);
	assert_int_equal(otlog_shutdown(LONG_MS), OTLOG_DELIVERED);

	FILE *in = fopen(path, "r");
	assert_non_null(in);
	size_t size = fread(text, 1, sizeof text - 1, in);
	fclose(in);
	assert_true(size > 0 && text[size - 1] == '\n');
	char *first_end = strchr(text, '\n');
	assert_true(strstr(text, "\"parent\"") && strstr(text, "\"parent\"") < first_end);
	assert_non_null(strstr(first_end, "\"said by the child\""));
	assert_int_equal(strchr(first_end + 1, '\n') - text, size - 1); /* two lines */
	queue_directory_remove(directory);
}

static void
a_child_writes_to_the_same_console(void **state)
{
	int ends[2];
	char text[1024] = "";
	otlog_pipeline_options pipeline = { .schedule_delay_ms = 10 };
	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_true(otlog_console_exporter_create(&(otlog_console_options){ .fd = ends[1] }, &pipeline.exporter));
	start_pipeline(&pipeline);
	in_child(log_as_the_child, otlog_get_logger("test", "1"));
	assert_int_equal(otlog_shutdown(LONG_MS), OTLOG_DELIVERED);
	close(ends[1]);
	assert_true(read(ends[0], text, sizeof text - 1) > 0);
	assert_non_null(strstr(text, "said by the child"));
	close(ends[0]);
}

/* ---- exec --------------------------------------------------------------------------------------------------------- */

#define DESCRIPTORS 256

/*
 * A connection that the receiver, in this process, has taken bears the receiver's port. And libcurl 7.88 does not mark the
 * pair that it wakes itself with, which nobody else gets to see: two ends of nothing are no harm in another program.
 */
static bool
is_not_ours(int fd, const receiver *server)
{
	struct sockaddr_in own;
	socklen_t size = sizeof own;
	if (getsockname(fd, (struct sockaddr *)&own, &size) != 0)
		return false;
	return own.sin_family == AF_UNIX || (own.sin_family == AF_INET && ntohs(own.sin_port) == receiver_port(server));
}

static void
what_the_sdk_opens_is_closed_by_exec(void **state)
{
	bool before[DESCRIPTORS];
	char directory[64];
	unsigned opened = 0;
	(void)state;
	queue_directory_make(directory);
	receiver *server = receiver_start(NULL);
	for (int fd = 0; fd < DESCRIPTORS; fd++)
		before[fd] = fcntl(fd, F_GETFD) >= 0;
	diagnosed_begin();
	start_global(server, directory);
	assert_int_equal(sdk_emit_text(otlog_get_logger("test", "1"), "parent"), OTLOG_EMIT_ACCEPTED);
	assert_int_equal(otlog_flush(LONG_MS), OTLOG_DELIVERED); /* connected, too */
	for (int fd = 0; fd < DESCRIPTORS; fd++) {
		int flags = fcntl(fd, F_GETFD);
		char link[64], path[256] = "";
		if (before[fd] || flags < 0)
			continue;
		snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
		if (readlink(link, path, sizeof path - 1) < 0 || is_not_ours(fd, server))
			continue;
		opened++;
		if (!(flags & FD_CLOEXEC))
			fail_msg("exec would hand on %d, %s", fd, path);
	}
	assert_true(opened >= 3); /* the directory, the queue's file and its .meta, at least */
	assert_int_equal(otlog_shutdown(LONG_MS), OTLOG_DELIVERED);
	receiver_stop(server);
	queue_directory_remove(directory);
}

/* ---- Not by fork ------------------------------------------------------------------------------------------------- */

static void
a_child_of_raw_clone_logs_too(void **state)
{
	(void)state;
	receiver *server = receiver_start(NULL);
	diagnosed_begin();
	start_global(server, NULL);
	otlog_logger *logger = otlog_get_logger("test", "1");
	assert_int_equal(sdk_emit_text(logger, "parent"), OTLOG_EMIT_ACCEPTED);
	assert_int_equal(otlog_flush(LONG_MS), OTLOG_DELIVERED); /* so that no lock of the C library's is held */
	long pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(30);
		_exit(log_as_the_child(logger));
	}
	int status = -1;
	assert_int_equal(waitpid((pid_t)pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(otlog_shutdown(LONG_MS), OTLOG_DELIVERED);
	assert_int_equal(receiver_record_count(server), 2);
	receiver_stop(server);
}

/* A child of vfork is its parent, but for its descriptors. */
static __attribute__((noinline)) pid_t
emit_in_vfork(otlog_logger *logger)
{
	pid_t pid = vfork();
	if (pid == 0)
		_exit(sdk_emit_text(logger, "vfork") == OTLOG_EMIT_ACCEPTED ? 0 : 1);
	return pid;
}

static void
what_a_child_of_vfork_emits_is_its_parents(void **state)
{
	(void)state;
	if (UNDER_TSAN)
		skip();
	receiver *server = receiver_start(NULL);
	diagnosed_begin();
	start_global(server, NULL);
	otlog_logger *logger = otlog_get_logger("test", "1");
	pid_t pid = emit_in_vfork(logger);
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(otlog_shutdown(LONG_MS), OTLOG_DELIVERED);
	assert_int_equal(receiver_record_count(server), 1);
	assert_int_equal(resource_value(receiver_record_at(server, 0), "process.pid")->int_value, getpid());
	receiver_stop(server);
}

/* ---- Kernels that cannot wipe a page in a child ------------------------------------------------------------------ */

static int
run_without_wiping(void *unused)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])), /* its low half */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MADV_WIPEONFORK, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { .len = sizeof filter / sizeof *filter, .filter = filter };
	(void)unused;
	EXPECT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, 1);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		return 77;
	EXPECT(madvise((void *)((uintptr_t)&filter & ~(uintptr_t)4095), 4096, MADV_WIPEONFORK) < 0, 2);
	check_child_over_http(NULL);
	return 0;
}

static void
without_wiping_by_the_kernel_plain_fork_works_too(void **state)
{
	(void)state;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		alarm(60);
		_exit(run_without_wiping(NULL));
	}
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

static void
leave_out(void **state)
{
	(void)state;
	skip();
}

int
main(void)
{
#define TEST(name)                                                                  \
	{                                                                           \
#name, UNDER_ASAN ? leave_out : name, sdk_setup, sdk_teardown, NULL \
	}
	const struct CMUnitTest tests[] = {
		TEST(without_wiping_by_the_kernel_plain_fork_works_too), /* first: it is a child itself */
		TEST(a_child_logs_at_once_and_sends_nothing_of_its_parents),
		TEST(a_child_has_a_file_of_its_own_in_the_same_directory),
		TEST(a_grandchild_logs_too),
		TEST(a_provider_of_ones_own_has_an_heir_too),
		TEST(without_an_exporter_and_in_memory_the_child_stays_off),
		TEST(without_an_exporter_records_stay_in_the_directory),
		TEST(a_handlers_emit_makes_no_heir_but_is_counted),
		TEST(threads_that_emit_first_at_once_share_one_heir),
		TEST(a_child_may_start_for_itself_or_stay_off),
		TEST(a_child_appends_to_the_same_file),
		TEST(a_child_writes_to_the_same_console),
		TEST(what_the_sdk_opens_is_closed_by_exec),
		TEST(a_child_of_raw_clone_logs_too),
		TEST(what_a_child_of_vfork_emits_is_its_parents),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
