/*
 * SIGKILL at random while eight threads log through the whole SDK into a queue directory. The next process logs too, adopts
 * what the dead one has left, delivers it to the same receiver, and is killed in turn; the last one only delivers. No
 * record whose emit had returned may be missing; twice comes what was in flight at a kill, and no more.
 *
 * OTLOG_FAULTS_FACTOR times 200 kills, in chains of 25, each chain with other settings.
 */
#include "tests/support/harness/cmocka.h"

#include "sdk/base/clock.h"
#include "sdk/base/random.h"
#include "tests/support/harness/check.h"
#include "tests/support/harness/factor.h"
#include "tests/support/harness/process.h"
#include "tests/support/queues/queue_directory.h"
#include "tests/support/sdk/sdk_fixture.h"
#include "tests/support/sdk/sdk_books.h"
#include "tests/support/sdk/tally.h"
#include "tests/support/servers/receiver.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_NANO (60 * OTLOG__NANOS_PER_S)
#define THREADS 8u
#define PROCESSES 25u /* of a chain */
#define NUMBERS 16384u
#define MOVED_RECORDS 4096u /* what the keeper puts into a spool at once */

/* The settings of a chain. */
typedef struct profile {
	const char *about;
	uint32_t pipelines;
	uint32_t concurrency;
	uint64_t spool_bytes;
	otlog_durability durability;
	otlog_queue_full full;
	uint64_t max_records;
	uint32_t emits; /* that return before a kill, about */
	bool global;    /* otlog_start instead of a provider */
	bool comes_and_goes;
	bool http;
} profile;

static const profile profiles[] = {
	{ .about = "one destination", .pipelines = 1, .concurrency = 1, .emits = 60000 },
	{ .about = "four requests at once",
	  .pipelines = 1,
	  .concurrency = 4,
	  .full = OTLOG_QUEUE_FULL_BLOCK,
	  .comes_and_goes = true,
	  .emits = 60000 },
	{ .about = "a spool",
	  .pipelines = 1,
	  .concurrency = 1,
	  .spool_bytes = 64 << 20,
	  .full = OTLOG_QUEUE_FULL_BLOCK,
	  .comes_and_goes = true,
	  .emits = 65000 },
	{ .about = "two destinations with a spool each",
	  .pipelines = 2,
	  .concurrency = 2,
	  .spool_bytes = 64 << 20,
	  .full = OTLOG_QUEUE_FULL_BLOCK,
	  .comes_and_goes = true,
	  .emits = 60000 },
	{ .about = "durability interval",
	  .pipelines = 1,
	  .concurrency = 1,
	  .durability = OTLOG_DURABILITY_INTERVAL,
	  .emits = 60000 },
	{ .about = "durability batch and a spool",
	  .pipelines = 1,
	  .concurrency = 2,
	  .durability = OTLOG_DURABILITY_BATCH,
	  .spool_bytes = 64 << 20,
	  .full = OTLOG_QUEUE_FULL_BLOCK,
	  .comes_and_goes = true,
	  .emits = 60000 },
	{ .about = "otlog_start, a queue of 4,096 records",
	  .pipelines = 1,
	  .concurrency = 1,
	  .full = OTLOG_QUEUE_FULL_BLOCK,
	  .max_records = 4096,
	  .global = true,
	  .emits = 65000 },
	{ .about = "OTLP/HTTP", .pipelines = 1, .concurrency = 1, .comes_and_goes = true, .http = true, .emits = 5000 },
};

typedef struct chain {
	const profile *as;
	char directory[64];
	tally *tally;
	receiver *receiver;
	uint32_t process; /* whose turn it is */
	uint32_t spooled; /* processes that left a spool */
} chain;

/* ---- The processes that are killed ------------------------------------------------------------------------------- */

static otlog_exporter
exporter(const chain *c, uint32_t number)
{
	static const char *const names[] = { "near", "far" };
	if (!c->as->http) {
		otlog_exporter exporter = tally_exporter(&c->tally->destinations[number], names[number]);
		exporter.concurrency = c->as->concurrency;
		return exporter;
	}
	otlog_exporter http;
	CHECK(otlog_otlp_http_exporter_create(&(otlog_otlp_options){ .endpoint = receiver_url(c->receiver) }, &http));
	return http;
}

static otlog_provider *
start(const chain *c)
{
	const profile *as = c->as;
	otlog_pipeline_options pipelines[TALLY_DESTINATIONS];
	for (uint32_t i = 0; i < as->pipelines; i++)
		pipelines[i] = (otlog_pipeline_options){
			.exporter = exporter(c, i), .schedule_delay_ms = 20, .retry_initial_ms = 1, .retry_cap_ms = 5
		};
	const otlog_attr attributes[] = { OTLOG_KV(TALLY_PROCESS, (int)c->process) };
	const otlog_options options = { .service_name = "victim",
		                        .resource_attributes = { attributes, 1 },
		                        .pipelines = pipelines,
		                        .pipeline_count = as->pipelines,
		                        .queue_directory = c->directory,
		                        .queue_bytes = 1 << 20,
		                        .max_queue_records = as->max_records,
		                        .queue_full = as->full ? as->full : OTLOG_QUEUE_FULL_DROP,
		                        .queue_block_timeout_ms = 30000,
		                        .durability = as->durability,
		                        .sync_interval_ms = 20,
		                        .spool_bytes = as->spool_bytes,
		                        .diagnostic = sdk_silence };
	if (as->global) {
		CHECK(otlog_start(&options));
		return NULL;
	}
	otlog_provider *provider = otlog_provider_create(&options);
	CHECK(provider);
	return provider;
}

typedef struct emitter {
	pthread_t thread;
	tally *tally;
	otlog_logger *logger;
	uint32_t source;
} emitter;

static void *
emit(void *self)
{
	const emitter *e = self;
	while (tally_has_more(e->tally, e->source))
		if (tally_emit(e->tally, e->logger, e->source) != OTLOG_EMIT_ACCEPTED)
			usleep(50); /* or the numbers are used up by refusals */
	return NULL;
}

static void
be_killed(const chain *c)
{
	emitter emitters[THREADS];
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlives a test that was stopped */
	otlog_provider *provider = start(c);
	for (uint32_t i = 0; i < THREADS; i++) {
		emitters[i] = (emitter){ .tally = c->tally,
			                 .logger = tally_logger(provider, i),
			                 .source = c->process * THREADS + i };
		CHECK(pthread_create(&emitters[i].thread, NULL, emit, &emitters[i]) == 0);
	}
	for (;;)
		pause();
}

/* ---- The one that cleans up -------------------------------------------------------------------------------------- */

static void
take_statistics(otlog_provider *provider, sdk_books *out)
{
	if (provider)
		sdk_take_books(provider, out);
	else
		sdk_take_global_books(out);
}

/* Delivers what there is for as long as something moves. */
static void
deliver_some(const chain *c)
{
	sdk_books now;
	otlog_provider *provider = start(c);
	uint64_t moved_nano = otlog__monotonic_nano(), delivered = 0;
	while (otlog__monotonic_nano() - moved_nano < 200 * OTLOG__NANOS_PER_MS &&
	       process_count_files(c->directory) > 2) {
		uint64_t sum = 0;
		take_statistics(provider, &now);
		for (size_t i = 0; i < now.pipeline_count; i++) {
			sum += now.pipelines[i].delivered;
			for (int reason = 0; reason < OTLOG_DROP_REASON_COUNT; reason++)
				CHECK(now.pipelines[i].dropped[reason] == 0);
		}
		if (sum != delivered)
			moved_nano = otlog__monotonic_nano();
		delivered = sum;
		usleep(2000);
	}
	CHECK((provider ? otlog_provider_shutdown(provider, 30000) : otlog_shutdown(30000)) == OTLOG_DELIVERED);
	otlog_provider_destroy(provider);
}

static void
clean_up(const chain *c)
{
	uint64_t give_up = otlog__monotonic_nano() + PATIENCE_NANO;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (process_count_files(c->directory) > 0 && otlog__monotonic_nano() < give_up)
		deliver_some(c);
	_exit(process_count_files(c->directory) > 0);
}

/* ---- Killing ----------------------------------------------------------------------------------------------------- */

static pid_t
launch(const chain *c, void (*run)(const chain *))
{
	fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		run(c);
		_exit(0);
	}
	return pid;
}

/* Waits until so many emits have returned, while the destinations come and go. */
static bool
wait_for_emits(const chain *c, pid_t victim, uint64_t emits)
{
	uint64_t give_up = otlog__monotonic_nano() + PATIENCE_NANO;
	while (tally_returned(c->tally, c->process * THREADS, THREADS) < emits) {
		if (otlog__monotonic_nano() > give_up || waitpid(victim, NULL, WNOHANG) != 0)
			return false;
		usleep(1000);
		/* The last destination only, if there are two: the other one shall not mind. */
		_Atomic uint32_t *away = &c->tally->destinations[c->as->pipelines - 1].away;
		if (c->as->comes_and_goes && otlog__random_u64() % 8 == 0)
			atomic_store(away, !atomic_load(away));
	}
	return true;
}

static void
one_kill(chain *c)
{
	char path[512];
	int status = 0;
	pid_t victim = launch(c, be_killed);
	bool under_way = wait_for_emits(c, victim, c->as->emits / 2 + otlog__random_u64() % c->as->emits);
	usleep((useconds_t)(otlog__random_u64() % 3000));
	assert_true(under_way);
	kill(victim, SIGKILL);
	assert_int_equal(waitpid(victim, &status, 0), victim);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	c->spooled += queue_directory_find(c->directory, ".spool", path) > 0;
}

typedef struct totals {
	uint64_t returned, refused, twice; /* records */
	uint32_t kills;
} totals;

/* What may come twice because of one kill: each request in flight, and what was on its way into a spool. */
static uint64_t
most_twice(const chain *c)
{
	uint64_t requests = (uint64_t)c->as->concurrency * atomic_load(&c->tally->largest);
	return c->as->pipelines * (requests + (c->as->spool_bytes ? MOVED_RECORDS : 0));
}

static void
check_chain(const chain *c, uint32_t kills, totals *all)
{
	tally_sum sum = tally_count(&c->tally->destinations[0], 0, PROCESSES * THREADS);
	for (uint32_t i = 1; i < c->as->pipelines; i++) {
		tally_sum more = tally_count(&c->tally->destinations[i], 0, PROCESSES * THREADS);
		sum.missing += more.missing;
		sum.twice += more.twice;
		sum.wrong += more.wrong;
	}
	print_message("  %s: %lu returned, %lu refused, %lu lost, %lu twice\n", c->as->about,
	              (unsigned long)sum.returned, (unsigned long)sum.refused, (unsigned long)sum.missing,
	              (unsigned long)sum.twice);
	assert_int_equal(atomic_load(&c->tally->strange), 0);
	assert_int_equal(sum.missing, 0);
	assert_int_equal(sum.wrong, 0);
	assert_true(!c->as->spool_bytes || c->spooled > 0);
	assert_in_range(sum.twice, 0, kills * most_twice(c));
	all->returned += sum.returned;
	all->refused += sum.refused;
	all->twice += sum.twice;
	all->kills += kills;
}

static void
one_chain(const profile *as, uint32_t kills, totals *all)
{
	chain c = { .as = as, .tally = tally_make(PROCESSES * THREADS, NUMBERS) };
	int status = 0;
	c.tally->threads = THREADS;
	queue_directory_make(c.directory);
	if (as->http)
		c.receiver =
		    receiver_start(&(receiver_options){ .judge = tally_judge, .user = &c.tally->destinations[0] });
	for (c.process = 0; c.process < kills; c.process++)
		one_kill(&c);
	for (uint32_t i = 0; i < TALLY_DESTINATIONS; i++)
		atomic_store(&c.tally->destinations[i].away, 0);
	pid_t last = launch(&c, clean_up);
	assert_int_equal(waitpid(last, &status, 0), last);
	assert_int_equal(status, 0);
	receiver_stop(c.receiver);
	check_chain(&c, kills, all);
	queue_directory_remove(c.directory);
	tally_free(c.tally);
}

static void
no_record_is_lost_when_the_process_is_killed(void **state)
{
	const uint32_t kinds = sizeof profiles / sizeof profiles[0];
	uint64_t started_nano = otlog__monotonic_nano();
	totals all = { 0 };
	(void)state;
	for (uint32_t left = faults_count(200), i = 0; left > 0; i++) {
		uint32_t kills = left < PROCESSES ? left : PROCESSES;
		one_chain(&profiles[i % kinds], kills, &all);
		left -= kills;
	}
	print_message("%u kills: %lu emits returned, %lu of them refused; none lost, %lu twice; %.0f s\n", all.kills,
	              (unsigned long)all.returned, (unsigned long)all.refused, (unsigned long)all.twice,
	              (double)(otlog__monotonic_nano() - started_nano) / (double)OTLOG__NANOS_PER_S);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(no_record_is_lost_when_the_process_is_killed) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
