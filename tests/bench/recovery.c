/* Starting, with and without a full queue that a dead process has left: until the first emit has returned, and after. */
#include "tests/bench/bench.h"
#include "tests/bench/common/workload.h"

#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct recovery_case {
	const bench_options *options;
	bool with_backlog;
	char directory[256]; /* a new one each round */
	pthread_mutex_t lock;
	pthread_cond_t more;
	uint64_t got;
	bool away;
	uint64_t missing;
} recovery_case;

static void
take(void *self, const otlog_batch *batch, uint64_t timeout_ms, otlog_export_result *result)
{
	recovery_case *c = self;
	(void)timeout_ms;
	result->verdict = c->away ? OTLOG_VERDICT_RETRY : OTLOG_VERDICT_OK;
	pthread_mutex_lock(&c->lock);
	c->got += c->away ? 0 : batch->records;
	pthread_cond_signal(&c->more);
	pthread_mutex_unlock(&c->lock);
}

static otlog_provider *
start_provider(recovery_case *c)
{
	static const otlog_exporter_functions functions = { .size = sizeof functions, .export_batch = take };
	const otlog_pipeline_options pipeline = { .exporter = {
						      .functions = &functions, .self = c, .name = "counted" } };
	return otlog_provider_create(&(otlog_options){ .service_name = "bench",
	                                               .pipelines = &pipeline,
	                                               .pipeline_count = 1,
	                                               .queue_directory = c->directory,
	                                               .diagnostic = bench_say_nothing });
}

static otlog_emit_result
emit_one(otlog_provider *provider)
{
	return bench_emit_r1(otlog_provider_get_logger(provider, &(otlog_logger_options){ .name = "bench" }));
}

/* A process that fills its queue and dies. Returns how many records are in it. */
static uint64_t
leave_a_full_queue(recovery_case *c)
{
	int ends[2];
	uint64_t records = 0;
	if (pipe(ends) != 0)
		bench_fail("no pipe");
	pid_t child = fork();
	if (child == 0) {
		c->away = true;
		otlog_provider *provider = start_provider(c);
		otlog_logger *logger = otlog_provider_get_logger(provider, &(otlog_logger_options){ .name = "bench" });
		while (provider && bench_emit_r1(logger) == OTLOG_EMIT_ACCEPTED)
			records++;
		_exit(write(ends[1], &records, sizeof records) == sizeof records ? 0 : 1);
	}
	close(ends[1]);
	if (child < 0 || read(ends[0], &records, sizeof records) != sizeof records || records == 0)
		bench_fail("no process that leaves a queue");
	close(ends[0]);
	waitpid(child, NULL, 0);
	return records;
}

static void *
start(const bench_options *options, const bench_sink *sink, const char *name)
{
	(void)sink;
	recovery_case *c = calloc(1, sizeof *c);
	if (!c)
		bench_fail("out of memory");
	c->options = options;
	c->with_backlog = strcmp(name, "start_recovery") == 0;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->more, NULL);
	return c;
}

static int
remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where)
{
	(void)info, (void)kind, (void)where;
	return remove(path);
}

static void
round_start(void *self, bench_result *result)
{
	recovery_case *c = self;
	const char *parent = c->options->queue_dir ? c->options->queue_dir : "/tmp";
	snprintf(c->directory, sizeof c->directory, "%s/otlog-bench-XXXXXX", parent);
	if (!mkdtemp(c->directory))
		bench_fail("no directory for the queue; choose one with --queue-dir");
	uint64_t records = c->with_backlog ? leave_a_full_queue(c) : 0;
	c->got = 0;
	uint64_t before = bench_now_ns();
	otlog_provider *provider = start_provider(c);
	if (!provider || emit_one(provider) != OTLOG_EMIT_ACCEPTED)
		bench_fail("the provider cannot be started");
	bench_add(&result->ns_per_op, (double)(bench_now_ns() - before));
	pthread_mutex_lock(&c->lock);
	while (c->got < records)
		pthread_cond_wait(&c->more, &c->lock);
	pthread_mutex_unlock(&c->lock);
	if (records)
		bench_add(&result->records_per_s, (double)records / ((double)(bench_now_ns() - before) / 1e9));
	otlog_provider_shutdown(provider, 10000);
	c->missing += records + 1 - c->got;
	otlog_provider_destroy(provider);
	nftw(c->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void
end(void *self, bench_result *result)
{
	recovery_case *c = self;
	result->dropped = c->missing;
	result->drops_apply = true;
	free(c);
}

const bench_case bench_recovery_cases[] = {
	{ "start", start, round_start, end, "a start in an empty queue directory, until the first emit has returned" },
	{ "start_recovery", start, round_start, end,
	  "the same beside a full queue that a dead process has left, and its records per second" },
	{ .name = NULL },
};
