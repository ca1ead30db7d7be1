/*
 * Several processes in one queue directory. Each emits, and is killed or shut down at random, and another one comes in its
 * place, which also delivers what the dead have left; all deliver to one receiver, which is away now and then. No record
 * whose emit had returned may be missing. Nobody delivers what a living process has in its queue: each request says who sent
 * it. Twice comes what was in flight at a kill, and no more.
 *
 * OTLOG_FAULTS_FACTOR times 60 ends of a process.
 */
#include "tests/support/harness/cmocka.h"

#include "sdk/base/clock.h"
#include "sdk/base/random.h"
#include "tests/support/harness/check.h"
#include "tests/support/harness/factor.h"
#include "tests/support/harness/process.h"
#include "tests/support/queues/queue_directory.h"
#include "tests/support/records/queue_record.h"
#include "tests/support/sdk/sdk_fixture.h"
#include "tests/support/sdk/sdk_books.h"
#include "tests/support/sdk/tally.h"
#include "tests/support/servers/receiver_process.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define AT_ONCE 3u /* processes */
#define THREADS 2u /* of each */
#define NUMBERS 40000u
#define BATCH 512u
#define MOVED_RECORDS 4096u /* what the keeper puts into a spool at once */
#define LONG_MS 30000

#define PROCESSES 4096u

/* What the receiver sees beside the records; in shared memory. */
typedef struct watch {
	_Atomic uint8_t alive[PROCESSES]; /* it has its queue for itself */
	_Atomic uint64_t adopted;         /* records that came from another than who emitted them */
	_Atomic uint32_t stolen;          /* of those, from one that lived */
} watch;

typedef struct process {
	pid_t pid;
	uint32_t number;
} process;

static char directory[64];
static tally *records;
static watch *seen;
static receiver_process server;

/* ---- The receiver ------------------------------------------------------------------------------------------------ */

/* Whose records they are. Asked before they are answered, while their owner's life is known. */
static void
look_at_owners(const receiver_request *request, uint32_t sender)
{
	const otlog_batch batch = { .request = request->body, .request_size = request->body_size };
	otlog_batch_reader reader = otlog_batch_records(&batch);
	otlog_record_view record;
	uint32_t source, number;
	while (otlog_batch_next(&reader, &record)) {
		if (!queue_record_read(record.body.as.bytes.data, record.body.as.bytes.size, &source, &number) ||
		    source / THREADS == sender)
			continue;
		atomic_fetch_add(&seen->adopted, 1);
		if (atomic_load(&seen->alive[source / THREADS]))
			atomic_fetch_add(&seen->stolen, 1);
	}
}

static unsigned
judge(void *user, const receiver_request *request)
{
	(void)user;
	const char *sender = receiver_header(request, "x-sender");
	CHECK(sender);
	unsigned status = tally_judge(&records->destinations[0], request);
	if (status == 200)
		look_at_owners(request, (uint32_t)strtoul(sender, NULL, 10));
	return status;
}

/* ---- The processes ----------------------------------------------------------------------------------------------- */

static otlog_provider *
start(uint32_t number)
{
	char text[16];
	snprintf(text, sizeof text, "%u", number);
	const otlog_header header = { .name = "X-Sender", .value = text };
	otlog_pipeline_options pipeline = {
		.max_batch_records = BATCH, .schedule_delay_ms = 10, .retry_initial_ms = 1, .retry_cap_ms = 10
	};
	const otlog_otlp_options http = { .endpoint = server.url, .headers = &header, .header_count = 1 };
	CHECK(otlog_otlp_http_exporter_create(&http, &pipeline.exporter));
	otlog_provider *provider = otlog_provider_create(&(otlog_options){ .pipelines = &pipeline,
	                                                                   .pipeline_count = 1,
	                                                                   .queue_bytes = 1 << 20,
	                                                                   .queue_directory = directory,
	                                                                   .spool_bytes = 64 << 20,
	                                                                   .queue_full = OTLOG_QUEUE_FULL_BLOCK,
	                                                                   .queue_block_timeout_ms = LONG_MS,
	                                                                   .diagnostic = sdk_silence });
	CHECK(provider);
	return provider;
}

typedef struct emitter {
	pthread_t thread;
	otlog_logger *logger;
	uint32_t source;
	_Atomic uint32_t *stop;
} emitter;

static void *
emit(void *self)
{
	const emitter *e = self;
	for (uint32_t i = 0; i < NUMBERS && !atomic_load(e->stop); i++) {
		tally_emit(records, e->logger, e->source);
		if (i % 16 == 0)
			usleep(500);
	}
	return NULL;
}

static _Atomic uint32_t asked_to_end;

static void
ask_to_end(int signal)
{
	(void)signal;
	atomic_store(&asked_to_end, 1);
}

/* Until it is killed, or SIGTERM asks it to shut down: that is quick, so mostly something stays. */
static void
live(uint32_t number)
{
	emitter emitters[THREADS];
	sigset_t none;
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlives a test that was stopped */
	sigemptyset(&none);
	signal(SIGTERM, ask_to_end); /* it is blocked, but for the moments in which it is waited for */
	otlog_provider *provider = start(number);
	for (uint32_t i = 0; i < THREADS; i++) {
		emitters[i] =
		    (emitter){ .logger = otlog_provider_get_logger(provider, &(otlog_logger_options){ .name = "many" }),
			       .source = number * THREADS + i,
			       .stop = &asked_to_end };
		CHECK(pthread_create(&emitters[i].thread, NULL, emit, &emitters[i]) == 0);
	}
	while (!atomic_load(&asked_to_end))
		sigsuspend(&none);
	for (uint32_t i = 0; i < THREADS; i++)
		pthread_join(emitters[i].thread, NULL);
	atomic_store(&seen->alive[number], 0); /* the queue's lock is given up in there */
	otlog_flush_result ended = otlog_provider_shutdown(provider, 20);
	CHECK(ended <= OTLOG_DURABLE);
	otlog_provider_destroy(provider);
}

static process
launch(uint32_t number)
{
	process p = { .number = number };
	atomic_store(&seen->alive[number], 1);
	fflush(NULL);
	p.pid = fork();
	assert_true(p.pid >= 0);
	if (p.pid == 0) {
		live(number);
		_exit(0);
	}
	return p;
}

/* Returns whether it was killed. */
static bool
end_one(const process *p)
{
	int status;
	bool kills = otlog__random_u64() % 2;
	if (kills)
		atomic_store(&seen->alive[p->number], 0);
	kill(p->pid, kills ? SIGKILL : SIGTERM);
	assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
	if (kills)
		assert_true(WIFSIGNALED(status));
	else
		assert_int_equal(status, 0);
	return kills;
}

/*
 * Queues and spools in the directory. A process that was killed while it started has left NAME.new and NAME.meta, without a
 * record, which nobody removes within a minute.
 */
static int
count_queues(void)
{
	char path[512];
	return queue_directory_find(directory, ".queue", path) + queue_directory_find(directory, ".spool", path);
}

/* Delivers what there is for as long as there is something. */
static void
clean_up(uint32_t number)
{
	uint64_t give_up = otlog__monotonic_nano() + LONG_MS * OTLOG__NANOS_PER_MS;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (count_queues() > 0 && otlog__monotonic_nano() < give_up) {
		sdk_books now;
		otlog_provider *provider = start(number);
		uint64_t before = UINT64_MAX;
		for (uint32_t still = 0; still < 20 && count_queues() > 1; still++) {
			usleep(5000);
			sdk_take_books(provider, &now);
			CHECK(tally_check_books(&now) == 0);
			still = now.pipelines[0].delivered == before ? still : 0;
			before = now.pipelines[0].delivered;
		}
		CHECK(otlog_provider_shutdown(provider, LONG_MS) == OTLOG_DELIVERED);
		otlog_provider_destroy(provider);
	}
	if (count_queues() > 0)
		fprintf(stderr, "%d queues and spools are left\n", count_queues());
	_exit(count_queues() > 0);
}

/* ---- The run ----------------------------------------------------------------------------------------------------- */

static uint32_t
come_and_go(process *processes, uint32_t ends)
{
	_Atomic uint32_t *away = &records->destinations[0].away;
	uint32_t number = 0, kills = 0;
	for (; number < AT_ONCE; number++)
		processes[number] = launch(number);
	for (uint32_t i = 0; i < ends; i++) {
		usleep((useconds_t)(10000 + otlog__random_u64() % 60000));
		if (otlog__random_u64() % 3 == 0)
			atomic_store(away, !atomic_load(away));
		process *p = &processes[otlog__random_u64() % AT_ONCE];
		kills += end_one(p);
		*p = launch(number++);
	}
	atomic_store(away, 0);
	for (uint32_t i = 0; i < AT_ONCE; i++)
		kills += end_one(&processes[i]);
	return kills;
}

static void
check(uint32_t processes, uint32_t kills)
{
	tally_sum sum = tally_count(&records->destinations[0], 0, processes * THREADS);
	print_message(
	    "%u processes, %u at a time, in one directory, %u killed: %lu records emitted, %lu lost, %lu twice; "
	    "%lu delivered by another process than their own, %u of them while that lived\n",
	    processes, AT_ONCE, kills, (unsigned long)sum.returned, (unsigned long)(sum.missing + sum.refused),
	    (unsigned long)sum.twice, (unsigned long)atomic_load(&seen->adopted), atomic_load(&seen->stolen));
	assert_int_equal(sum.missing + sum.refused + sum.wrong, 0);
	assert_int_equal(atomic_load(&records->strange), 0);
	assert_int_equal(atomic_load(&seen->stolen), 0);
	assert_true(atomic_load(&seen->adopted) > 0);
	assert_in_range(sum.twice, 0, (uint64_t)processes * (atomic_load(&records->largest) + MOVED_RECORDS));
}

static void
processes_that_share_a_directory_lose_and_steal_nothing(void **state)
{
	const uint32_t ends = faults_count(60), all = ends + AT_ONCE;
	process processes[AT_ONCE];
	sigset_t term;
	int status;
	(void)state;
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	queue_directory_make(directory);
	records = tally_make((all + 1) * THREADS, NUMBERS);
	seen = process_share(sizeof *seen);
	CHECK(all < PROCESSES);
	receiver_process_start(&server, &(receiver_options){ .judge = judge, .forgets = true });
	uint32_t kills = come_and_go(processes, ends);
	fflush(NULL);
	pid_t last = fork();
	if (last == 0)
		clean_up(all);
	assert_int_equal(waitpid(last, &status, 0), last);
	assert_int_equal(status, 0);
	receiver_process_stop(&server);
	check(all, kills);
	queue_directory_remove(directory);
	process_unshare(seen, sizeof *seen);
	tally_free(records);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(processes_that_share_a_directory_lose_and_steal_nothing) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
