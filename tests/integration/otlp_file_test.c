/* Files of JSON lines with everybody at once: processes, threads, rotation, a full disk. Read back by Python. */
#include "tests/support/harness/check.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/sdk/diagnosed.h"

#include <otlog/otlog.h>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES = 4, EXPORTERS = 2, THREADS = 2 };

/*
 * Arguments: where the files' names begin, how many first parts the records' numbers have, and how many records each.
 * Every line of every file must be JSON, every record be there once. A file that was renamed at once may be empty.
 */
static const char reader[] =
    "import collections, glob, json, sys\n"
    "seen = collections.Counter()\n"
    "files = glob.glob(sys.argv[1] + '*')\n"
    "for name in files:\n"
    "    data = open(name, 'rb').read()\n"
    "    assert not data or data.endswith(b'\\n'), name + ' does not end with a line'\n"
    "    for line in data.splitlines():\n"
    "        for resource in json.loads(line)['resourceLogs']:\n"
    "            for scope in resource['scopeLogs']:\n"
    "                seen.update(r['body']['stringValue'].split()[0] for r in scope['logRecords'])\n"
    "wanted = {'%d.%d' % (w, n) for w in range(int(sys.argv[2])) for n in range(int(sys.argv[3]))}\n"
    "print(len(files), 'files,', len(wanted), 'records,', len(wanted - set(seen)), 'missing,',\n"
    "      sum(seen.values()) - len(seen), 'twice')\n"
    "sys.exit(len(files) < int(sys.argv[4]) or set(seen) != wanted or sum(seen.values()) != len(seen))\n";

/* Exit status of the reader. */
static int
read_back(const char *path, unsigned writers, unsigned records, unsigned least_files)
{
	char first[16], second[16], third[16];
	int status;
	snprintf(first, sizeof first, "%u", writers);
	snprintf(second, sizeof second, "%u", records);
	snprintf(third, sizeof third, "%u", least_files);
	pid_t child = fork();
	if (child == 0) {
		execlp("python3", "python3", "-c", reader, path, first, second, third, (char *)NULL);
		_exit(127);
	}
	CHECK(child > 0 && waitpid(child, &status, 0) == child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

typedef struct place {
	char directory[64];
	char path[96];
} place;

static int
setup(void **state)
{
	place *p = calloc(1, sizeof *p);
	CHECK(p);
	strcpy(p->directory, "/tmp/otlog-files-XXXXXX");
	CHECK(mkdtemp(p->directory));
	snprintf(p->path, sizeof p->path, "%s/log.jsonl", p->directory);
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	place *p = *state;
	char path[400];
	DIR *all = opendir(p->directory);
	CHECK(all);
	for (struct dirent *entry; (entry = readdir(all));) {
		snprintf(path, sizeof path, "%s/%s", p->directory, entry->d_name);
		unlink(path);
	}
	closedir(all);
	CHECK(rmdir(p->directory) == 0);
	free(p);
	return 0;
}

/* ---- Writers ----------------------------------------------------------------------------------------------------- */

static void
silence(void *user, otlog_diagnostic_level level, const char *message)
{
	(void)user, (void)level, (void)message;
}

static otlog_provider *
start(const char *path, uint64_t max_file_bytes)
{
	otlog_pipeline_options pipeline = {
		.max_batch_records = 16, .schedule_delay_ms = 5, .retry_initial_ms = 1, .retry_cap_ms = 5
	};
	otlog_otlp_file_options options = { .path = path, .max_file_bytes = max_file_bytes, .max_files = 9999 };
	CHECK(otlog_otlp_file_exporter_create(&options, &pipeline.exporter));
	otlog_provider *provider = otlog_provider_create(&(otlog_options){ .service_name = "files",
	                                                                   .pipelines = &pipeline,
	                                                                   .pipeline_count = 1,
	                                                                   .queue_full = OTLOG_QUEUE_FULL_BLOCK,
	                                                                   .queue_block_timeout_ms = 60000,
	                                                                   .queue_bytes = 1 << 20,
	                                                                   .diagnostic = silence });
	CHECK(provider);
	return provider;
}

typedef struct emitter {
	pthread_t thread;
	otlog_logger *log;
	unsigned number, records;
} emitter;

static void *
emit_all(void *self)
{
	emitter *e = self;
	char body[400];
	for (unsigned i = 0; i < e->records; i++) {
		int size = snprintf(body, sizeof body, "%u.%u ", e->number, i);
		memset(body + size, "x\"\n\x01"[i % 4], i % 300);
		otlog_record record = { .body = otlog_string_n(body, (size_t)size + i % 300) };
		CHECK(otlog_emit(e->log, &record) == OTLOG_EMIT_ACCEPTED);
	}
	return NULL;
}

/* A process of the crew. Returns its exit status. */
static int
write_all(const char *path, uint64_t max_file_bytes, unsigned process, unsigned records)
{
	otlog_provider *providers[EXPORTERS];
	emitter emitters[EXPORTERS * THREADS];
	int status = 0;
	for (unsigned i = 0; i < EXPORTERS; i++)
		providers[i] = start(path, max_file_bytes);
	for (unsigned i = 0; i < EXPORTERS * THREADS; i++) {
		emitters[i] = (emitter){ .log = otlog_provider_get_logger(providers[i % EXPORTERS],
			                                                  &(otlog_logger_options){ .name = "t" }),
			                 .number = process * EXPORTERS * THREADS + i,
			                 .records = records };
		CHECK(pthread_create(&emitters[i].thread, NULL, emit_all, &emitters[i]) == 0);
	}
	for (unsigned i = 0; i < EXPORTERS * THREADS; i++)
		pthread_join(emitters[i].thread, NULL);
	for (unsigned i = 0; i < EXPORTERS; i++) {
		if (otlog_provider_shutdown(providers[i], 60000) != OTLOG_DELIVERED)
			status = 1;
		otlog_provider_destroy(providers[i]);
	}
	return status;
}

static void
start_crew(pid_t crew[PROCESSES], const char *path, uint64_t max_file_bytes, unsigned records)
{
	for (unsigned i = 0; i < PROCESSES; i++) {
		crew[i] = fork();
		CHECK(crew[i] >= 0);
		if (crew[i] == 0)
			_exit(write_all(path, max_file_bytes, i, records));
	}
}

static void
join_crew(const pid_t crew[PROCESSES])
{
	for (unsigned i = 0; i < PROCESSES; i++) {
		int status;
		CHECK(waitpid(crew[i], &status, 0) == crew[i]);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

/* ---- Tests ------------------------------------------------------------------------------------------------------- */

static void
processes_and_threads_share_a_rotated_file_without_losing_a_record(void **state)
{
	place *p = *state;
	pid_t crew[PROCESSES];
	start_crew(crew, p->path, 64 * 1024, 500);
	join_crew(crew);
	assert_int_equal(read_back(p->path, PROCESSES * EXPORTERS * THREADS, 500, 20), 0);
}

static void
a_file_renamed_by_others_all_the_time_loses_no_record(void **state)
{
	place *p = *state;
	pid_t crew[PROCESSES];
	char name[128];
	unsigned running = PROCESSES, renamed = 0;
	start_crew(crew, p->path, 0, 2000);
	while (running) {
		siginfo_t ended = { 0 };
		running = 0;
		for (unsigned i = 0; i < PROCESSES; i++) {
			ended.si_pid = 0;
			CHECK(waitid(P_PID, (id_t)crew[i], &ended, WEXITED | WNOHANG | WNOWAIT) == 0);
			running += ended.si_pid == 0;
		}
		snprintf(name, sizeof name, "%s-%u", p->path, renamed);
		renamed += rename(p->path, name) == 0;
		poll(NULL, 0, 1); /* leaves the processor to them */
	}
	join_crew(crew);
	assert_true(renamed > 1);
	assert_int_equal(read_back(p->path, PROCESSES * EXPORTERS * THREADS, 2000, renamed), 0);
}

static void
a_file_and_a_console_at_the_same_time_get_everything(void **state)
{
	place *p = *state;
	otlog_pipeline_options pipelines[2] = { { .schedule_delay_ms = 5 }, { .schedule_delay_ms = 5 } };
	int console = memfd_create("console", MFD_CLOEXEC);
	assert_true(
	    otlog_otlp_file_exporter_create(&(otlog_otlp_file_options){ .path = p->path }, &pipelines[0].exporter));
	assert_true(otlog_console_exporter_create(&(otlog_console_options){ .fd = console }, &pipelines[1].exporter));
	otlog_provider *provider = otlog_provider_create(
	    &(otlog_options){ .pipelines = pipelines, .pipeline_count = 2, .diagnostic = silence });
	assert_non_null(provider);
	otlog_logger *log = otlog_provider_get_logger(provider, &(otlog_logger_options){ .name = "both" });
	for (unsigned i = 0; i < 1000; i++) {
		char body[16];
		snprintf(body, sizeof body, "0.%u", i);
		assert_int_equal(otlog_emit(log, &(otlog_record){ .body = otlog_string(body) }), OTLOG_EMIT_ACCEPTED);
	}
	assert_int_equal(otlog_provider_shutdown(provider, 10000), OTLOG_DELIVERED);
	otlog_provider_destroy(provider);
	assert_int_equal(read_back(p->path, 1, 1000, 1), 0);
	unsigned lines = 0;
	FILE *text = fdopen(console, "r");
	assert_non_null(text);
	rewind(text);
	for (int c; (c = getc(text)) != EOF;)
		lines += c == '\n';
	assert_int_equal(lines, 1000);
	fclose(text);
}

/* A file system of our own of a mebibyte. False where that is not allowed. */
static bool
mount_small_disk(const char *directory)
{
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return false;
	return mount("none", directory, "tmpfs", 0, "size=1m") == 0;
}

static void
fill_disk(const char *path)
{
	static char block[4096];
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	for (unsigned i = 0; i < 240; i++) /* of 256 */
		CHECK(write(fd, block, sizeof block) == sizeof block);
	close(fd);
}

static bool
ends_with_a_line(const char *path)
{
	char last = 0;
	FILE *file = fopen(path, "r");
	bool ends = file && fseek(file, -1, SEEK_END) == 0 && fread(&last, 1, 1, file) == 1 && last == '\n';
	if (file)
		fclose(file);
	return ends;
}

/* In a process of its own, for the sake of the mount. Returns its exit status. */
static int
meet_a_full_disk(const place *p)
{
	char filler[96];
	if (!mount_small_disk(p->directory))
		return 77;
	snprintf(filler, sizeof filler, "%s/filler", p->directory);
	fill_disk(filler);
	otlog_provider *provider = start(p->path, 0);
	diagnosed_begin();
	emitter e = { .log = otlog_provider_get_logger(provider, &(otlog_logger_options){ .name = "full" }),
		      .records = 600 };
	emit_all(&e);
	for (unsigned i = 0; i < 30000 && !diagnosed_says("Make room on its disk"); i++)
		poll(NULL, 0, 1);
	CHECK(diagnosed_says("Make room on its disk"));
	CHECK(ends_with_a_line(p->path)); /* what did not fit has been taken back */
	CHECK(unlink(filler) == 0);
	CHECK(otlog_provider_shutdown(provider, 30000) == OTLOG_DELIVERED);
	otlog_provider_destroy(provider);
	return read_back(p->path, 1, 600, 1);
}

static void
a_full_disk_is_waited_for_and_leaves_no_half_line(void **state)
{
	place *p = *state;
	int status;
	pid_t child = fork();
	if (child == 0)
		_exit(meet_a_full_disk(p));
	CHECK(child > 0 && waitpid(child, &status, 0) == child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		printf("skipped: a_full_disk_is_waited_for_and_leaves_no_half_line may not mount a tmpfs here\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

int
main(void)
{
#define FILE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		FILE_TEST(processes_and_threads_share_a_rotated_file_without_losing_a_record),
		FILE_TEST(a_file_renamed_by_others_all_the_time_loses_no_record),
		FILE_TEST(a_full_disk_is_waited_for_and_leaves_no_half_line),
		FILE_TEST(a_file_and_a_console_at_the_same_time_get_everything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
