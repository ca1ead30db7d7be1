/*
 * SIGKILL at an exact place: between any two instructions of a call of the logger, an emit, an acknowledgement, a move into
 * the spool, a drain, a recovery, a start, a shutdown. Afterwards the files alone must give back every record whose commit
 * had returned, as it was; only the batch that was on its way may come twice.
 *
 * OTLOG_FAULTS_FACTOR times 56 places in each of nine paths, spread evenly, each somewhere in its stretch.
 */
#include "tests/support/harness/cmocka.h"

#include "sdk/base/clock.h"
#include "sdk/base/random.h"
#include "sdk/queue/recovery/backlog.h"
#include "sdk/queue/spool/spool.h"
/* The inside of a queue: a lane's tail tells when the next emit will go round its end. */
#include "sdk/queue/state.h"
#include "tests/support/harness/check.h"
#include "tests/support/harness/factor.h"
#include "tests/support/harness/process.h"
#include "tests/support/harness/stepper.h"
#include "tests/support/queues/queue_directory.h"
#include "tests/support/records/queue_record.h"
#include "tests/support/sdk/sdk_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIPELINES 2u
#define NUMBERS 4096u
#define SOURCE 7u
#define LANE_BYTES 65536u
#define BATCH 8u
#define FILLER_BYTES (251u << 10) /* most of a segment of 256 KiB */
#define LOOKS 4                   /* a spool without a queue is given one first, then taken over */

static const char *const names[PIPELINES] = { "near", "far" };

/* Outlives the victim. */
typedef struct ledger {
	_Atomic uint32_t returned; /* commits of numbers 0 … returned - 1 */
	_Atomic uint32_t strange;
	_Atomic uint8_t seen[PIPELINES][NUMBERS];
} ledger;

typedef struct scene {
	char directory[64];
	ledger *ledger;
	bool checksums;
	bool logs;        /* records are those of the logger, not of the bare queue */
	bool looks_twice; /* at every byte of a record; the victim has no time for that */
	/* The victim's own. */
	otlog__queue *queue;
	otlog__spool *spool;
	otlog__backlog *backlog;
	otlog_logger *logger;
} scene;

/* ---- What the victim does ---------------------------------------------------------------------------------------- */

static void
open_queue(void *user)
{
	scene *s = user;
	s->queue = otlog__queue_open(&(otlog__queue_options){ .directory = s->directory,
	                                                      .service_name = "victim",
	                                                      .bytes = LANE_BYTES,
	                                                      .lanes = 1,
	                                                      .pipelines = names,
	                                                      .pipeline_count = PIPELINES,
	                                                      .resource = "who I was",
	                                                      .resource_size = 9,
	                                                      .checksums = s->checksums });
	CHECK(s->queue && otlog__queue_in_file(s->queue));
	CHECK(otlog__queue_add_scope(s->queue, "scope", 5, "url", 3) == 0);
}

static void
emit(scene *s, uint32_t count)
{
	otlog__slot slot;
	while (count--) {
		uint32_t number = atomic_load(&s->ledger->returned);
		CHECK(number < NUMBERS);
		CHECK(otlog__queue_begin(s->queue, queue_record_size(SOURCE, number), &slot) == OTLOG_EMIT_ACCEPTED);
		size_t size = queue_record_make(slot.bytes, SOURCE, number);
		otlog__queue_commit(s->queue, &slot, size, 0, (1u << PIPELINES) - 1);
		atomic_store(&s->ledger->returned, number + 1);
	}
}

static void
note(scene *s, uint32_t pipeline, const void *bytes, size_t size)
{
	otlog_record_view record;
	if (s->logs && otlog_record_view_open(bytes, size, &record) && record.body.type == OTLOG_VALUE_BYTES) {
		bytes = record.body.as.bytes.data;
		size = record.body.as.bytes.size;
	}
	uint32_t source = SOURCE, number = 0;
	if (size >= 16)
		memcpy(&number, (const uint8_t *)bytes + 4, sizeof number);
	if (size >= 16 && number < NUMBERS &&
	    (!s->looks_twice || (queue_record_read(bytes, size, &source, &number) && source == SOURCE)))
		atomic_fetch_add(&s->ledger->seen[pipeline][number], 1);
	else
		atomic_fetch_add(&s->ledger->strange, 1);
}

/* A request of the spool: size and bytes of each record in turn. */
static void
note_request(scene *s, uint32_t pipeline, const uint8_t *request, size_t size)
{
	uint32_t record;
	for (size_t at = 0; at < size; at += sizeof record + record) {
		memcpy(&record, request + at, sizeof record);
		if (record > size - at - sizeof record) {
			atomic_fetch_add(&s->ledger->strange, 1);
			return;
		}
		note(s, pipeline, request + at + sizeof record, record);
	}
}

/* Reads a batch and hands it to the receiver. Returns its records. */
static uint32_t
deliver(scene *s, uint32_t pipeline)
{
	otlog__frame_ref refs[BATCH];
	otlog__batch_span span;
	uint32_t records = otlog__queue_read_begin(s->queue, pipeline, BATCH, SIZE_MAX, refs, &span);
	for (uint32_t i = 0; i < records; i++)
		note(s, pipeline, refs[i].bytes, refs[i].size);
	otlog__queue_read_end(s->queue, pipeline);
	otlog__queue_finish(s->queue, pipeline, &span, &(otlog__batch_end){ 0 });
	return records;
}

/* A queue whose next emits go round the end of the lane. */
static void
prepare_emit(void *user)
{
	scene *s = user;
	open_queue(s);
	while (atomic_load(&otlog__lane(s->queue, 0)->producer.tail) < LANE_BYTES - 600) {
		emit(s, 1);
		if (atomic_load(&s->ledger->returned) % 40 == 0)
			while (deliver(s, 0) && deliver(s, 1)) {
			}
	}
}

static void
walk_emit(void *user)
{
	emit(user, 5);
}

static void
be_away(void *self, const otlog_batch *batch, uint64_t timeout_ms, otlog_export_result *result)
{
	(void)self, (void)batch, (void)timeout_ms;
	result->verdict = OTLOG_VERDICT_RETRY;
}

static void
walk_log(void *user)
{
	scene *s = user;
	uint8_t bytes[QUEUE_RECORD_MAX];
	for (int i = 0; i < 3; i++) {
		uint32_t number = atomic_load(&s->ledger->returned);
		size_t size = queue_record_make(bytes, SOURCE, number);
		const otlog_record record = { .severity = OTLOG_SEVERITY_INFO,
			                      .body = otlog_bytes(bytes, size),
			                      .attributes = OTLOG_ATTRS(OTLOG_KV("number", (int)number),
			                                                OTLOG_KV("step", "by step")) };
		CHECK(otlog_emit(s->logger, &record) == OTLOG_EMIT_ACCEPTED);
		atomic_store(&s->ledger->returned, number + 1);
	}
}

static void
prepare_log(void *user)
{
	static const otlog_exporter_functions functions = { .size = sizeof functions, .export_batch = be_away };
	scene *s = user;
	otlog_pipeline_options pipelines[PIPELINES];
	for (uint32_t p = 0; p < PIPELINES; p++)
		pipelines[p] = (otlog_pipeline_options){ .exporter = { .functions = &functions, .name = names[p] } };
	otlog_provider *provider = otlog_provider_create(
	    &(otlog_options){ .service_name = "victim",
	                      .pipelines = pipelines,
	                      .pipeline_count = PIPELINES,
	                      .queue_directory = s->directory,
	                      .queue_bytes = 1 << 20,
	                      .durability = s->checksums ? OTLOG_DURABILITY_INTERVAL : OTLOG_DURABILITY_NONE,
	                      .diagnostic = sdk_silence });
	CHECK(provider);
	s->logger = otlog_provider_get_logger(provider, &(otlog_logger_options){ .name = "steps" });
	walk_log(s);
}

static void
prepare_records(void *user)
{
	open_queue(user);
	emit(user, 50);
	deliver(user, 1);
}

static void
walk_acknowledge(void *user)
{
	deliver(user, 0);
	deliver(user, 1);
	deliver(user, 0);
}

static void
make_spool(scene *s)
{
	s->spool = otlog__spool_create(&(otlog__spool_options){ .directory = otlog__queue_directory(s->queue),
	                                                        .name = otlog__queue_name(s->queue),
	                                                        .pipeline = 1,
	                                                        .pipeline_name = names[1],
	                                                        .max_bytes = 1 << 20,
	                                                        .sync = s->checksums });
	CHECK(s->spool);
}

/* What the keeper does: a batch of the queue into the spool, then the cursor. */
static void
move(scene *s, uint32_t most)
{
	uint8_t request[BATCH * (QUEUE_RECORD_MAX + 4)];
	otlog__frame_ref refs[BATCH];
	otlog__batch_span span;
	uint64_t number;
	size_t size = 0;
	uint32_t records = otlog__queue_read_begin(s->queue, 1, most, SIZE_MAX, refs, &span);
	for (uint32_t i = 0; i < records; i++) {
		memcpy(request + size, &refs[i].size, 4);
		memcpy(request + size + 4, refs[i].bytes, refs[i].size);
		size += 4 + refs[i].size;
	}
	otlog__queue_read_end(s->queue, 1);
	CHECK(otlog__spool_append(s->spool, request, size, records, false, &number) == OTLOG__SPOOL_TAKEN);
	otlog__queue_finish(s->queue, 1, &span, &(otlog__batch_end){ .spooled = records });
}

/* A segment that is all but full, of an entry that is done with and a short one. */
static void
prepare_spool(void *user)
{
	static uint8_t filler[FILLER_BYTES];
	scene *s = user;
	otlog__buffer out = { 0 };
	uint64_t number;
	prepare_records(s);
	make_spool(s);
	CHECK(otlog__spool_append(s->spool, filler, sizeof filler, 1, false, &number) == OTLOG__SPOOL_TAKEN);
	move(s, 2);
	CHECK(otlog__spool_take(s->spool, &out, &number) == 1);
	otlog__spool_finish(s->spool, number, &(otlog__batch_end){ 0 });
	otlog__buffer_free(&out);
}

static void
walk_spool(void *user)
{
	move(user, 2);
	move(user, 8);
	move(user, 8);
}

/* Two segments, of which the first is done with soon. */
static void
prepare_drain(void *user)
{
	scene *s = user;
	prepare_spool(s);
	walk_spool(s);
}

static void
walk_drain(void *user)
{
	scene *s = user;
	otlog__buffer out = { 0 };
	uint64_t number;
	while (otlog__spool_take(s->spool, &out, &number)) {
		note_request(s, 1, out.data, out.size);
		otlog__spool_finish(s->spool, number, &(otlog__batch_end){ 0 });
	}
	otlog__spool_close(s->spool);
	otlog__buffer_free(&out);
}

static void
take_over(scene *s, uint32_t pipeline)
{
	otlog__backlog_batch batch = { 0 };
	while (otlog__backlog_take(s->backlog, pipeline, BATCH, SIZE_MAX, &batch)) {
		bool framed =
		    s->logs || (batch.refs && batch.resource_size == 9 && memcmp(batch.resource, "who I was", 9) == 0 &&
		                otlog__scopes_get(batch.scopes, 0).head_size == 5);
		if (!batch.refs)
			note_request(s, pipeline, batch.bytes.data, batch.bytes.size);
		for (uint32_t i = 0; batch.refs && i < batch.records; i++)
			note(s, pipeline, batch.refs[i].bytes, framed ? batch.refs[i].size : 0);
		otlog__backlog_finish(s->backlog, pipeline, &batch, &(otlog__batch_end){ 0 });
	}
	otlog__backlog_batch_free(&batch);
}

static void
make_backlog(void *user)
{
	scene *s = user;
	s->backlog = otlog__backlog_create(
	    &(otlog__backlog_options){ .directory = s->directory, .pipelines = names, .pipeline_count = PIPELINES });
	CHECK(s->backlog);
}

static void
walk_recovery(void *user)
{
	scene *s = user;
	otlog__backlog_look(s->backlog);
	take_over(s, 0);
	take_over(s, 1);
	otlog__backlog_close(s->backlog);
}

static void
walk_start(void *user)
{
	open_queue(user);
	emit(user, 2);
}

/* A shutdown with records left: sealed, and on the disk. */
static void
walk_close(void *user)
{
	scene *s = user;
	otlog__spool_sync(s->spool);
	otlog__spool_close(s->spool);
	otlog__queue_seal(s->queue, 0);
	otlog__queue_close(s->queue);
}

/* ---- The paths --------------------------------------------------------------------------------------------------- */

typedef struct path {
	const char *name;
	void (*ancestor)(void *user); /* what a process that died before has done; NULL: there was none */
	void (*prepare)(void *user);
	void (*walk)(void *user);
	uint32_t most_twice; /* records */
	bool logs;
} path;

static const path paths[] = {
	{ .name = "log", .prepare = prepare_log, .walk = walk_log, .logs = true },
	{ .name = "emit", .prepare = prepare_emit, .walk = walk_emit },
	{ .name = "acknowledge", .prepare = prepare_records, .walk = walk_acknowledge, .most_twice = BATCH },
	{ .name = "move into the spool", .prepare = prepare_spool, .walk = walk_spool, .most_twice = BATCH },
	{ .name = "drain the spool", .prepare = prepare_drain, .walk = walk_drain, .most_twice = BATCH },
	{ .name = "recover",
	  .ancestor = prepare_records,
	  .prepare = make_backlog,
	  .walk = walk_recovery,
	  .most_twice = BATCH },
	{ .name = "recover a spool",
	  .ancestor = prepare_drain,
	  .prepare = make_backlog,
	  .walk = walk_recovery,
	  .most_twice = BATCH },
	{ .name = "start", .walk = walk_start },
	{ .name = "close", .prepare = prepare_drain, .walk = walk_close },
};

/* ---- Before and after -------------------------------------------------------------------------------------------- */

static void
live_and_die(scene *s, void (*run)(void *user))
{
	int status;
	fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		run(s);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
begin(scene *s, const path *on, bool checksums)
{
	*s = (scene){ .checksums = checksums, .logs = on->logs };
	s->ledger = process_share(sizeof *s->ledger);
	queue_directory_make(s->directory);
	if (on->ancestor)
		live_and_die(s, on->ancestor);
}

/* Calls `visit` for every entry of the directory. Returns how many there are. */
static uint32_t
visit_files(const char *path, void (*visit)(int directory, const char *file))
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	uint32_t count = 0;
	assert_non_null(directory);
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		count++;
		if (visit)
			visit(dirfd(directory), entry->d_name);
	}
	closedir(directory);
	return count;
}

/* What is half made is only removed once it is old. */
static void
make_old(int directory, const char *file)
{
	const struct timespec times[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000000 } };
	utimensat(directory, file, times, AT_SYMLINK_NOFOLLOW);
}

static void
recover(scene *s)
{
	for (int i = 0; i < LOOKS && visit_files(s->directory, make_old) > 0; i++) {
		make_backlog(s);
		s->looks_twice = true;
		walk_recovery(s);
		otlog__backlog_free(s->backlog);
	}
	assert_int_equal(visit_files(s->directory, NULL), 0);
}

/* Returns the records that came twice. */
static uint32_t
compare(const scene *s)
{
	uint32_t returned = atomic_load(&s->ledger->returned), lost = 0, unborn = 0, twice = 0;
	for (uint32_t p = 0; p < PIPELINES; p++)
		for (uint32_t number = 0; number < NUMBERS; number++) {
			uint8_t seen = atomic_load(&s->ledger->seen[p][number]);
			lost += number < returned && seen == 0;
			unborn += number > returned && seen > 0;
			twice += seen > 1 ? seen - 1u : 0;
		}
	assert_int_equal(atomic_load(&s->ledger->strange), 0);
	assert_int_equal(lost, 0);
	assert_int_equal(unborn, 0);
	return twice;
}

static void
explore(const path *on, bool checksums, stepper_trail *trail)
{
	scene s;
	begin(&s, on, checksums);
	stepper_explore(&(stepper_path){ on->prepare, on->walk, &s }, trail);
	queue_directory_remove(s.directory);
	process_unshare(s.ledger, sizeof *s.ledger);
}

static uint32_t
one_place(const path *on, bool checksums, const stepper_trail *trail, uint64_t instructions)
{
	scene s;
	begin(&s, on, checksums);
	stepper_kill(&(stepper_path){ on->prepare, on->walk, &s }, trail, instructions);
	recover(&s);
	uint32_t twice = compare(&s);
	if (twice > on->most_twice)
		print_message("%s, after %lu instructions: %u twice\n", on->name, (unsigned long)instructions, twice);
	assert_in_range(twice, 0, on->most_twice);
	queue_directory_remove(s.directory);
	process_unshare(s.ledger, sizeof *s.ledger);
	return twice;
}

/* Where to kill: half of the rounds go evenly over the instructions, half evenly over the calls of the system. */
static uint64_t
choose(const stepper_trail *trail, uint32_t round, uint32_t rounds)
{
	uint64_t from = trail->instructions * round / rounds, to = trail->instructions * (round + 1) / rounds;
	if (round % 2 && trail->calls) {
		uint64_t call = (uint64_t)trail->calls * round / rounds;
		from = trail->behind[call];
		to = call + 1 < trail->calls ? trail->behind[call + 1] : trail->instructions;
	}
	return from + otlog__random_u64() % (to - from + 1);
}

/* With and without checksums in turn. */
static uint64_t
sweep(const path *on, uint32_t places)
{
	stepper_trail trails[2];
	uint64_t started_nano = otlog__monotonic_nano(), twice = 0;
	for (uint32_t i = 0; i < 2; i++)
		explore(on, i, &trails[i]);
	for (uint32_t round = 0; round < places; round++) {
		const stepper_trail *trail = &trails[round / 2 % 2];
		twice += one_place(on, round / 2 % 2, trail, choose(trail, round, places));
	}
	print_message("  %s: %u places in %lu instructions and %u calls, none lost, %lu twice; %.1f s\n", on->name,
	              places, (unsigned long)trails[1].instructions, trails[1].calls, (unsigned long)twice,
	              (double)(otlog__monotonic_nano() - started_nano) / (double)OTLOG__NANOS_PER_S);
	for (uint32_t i = 0; i < 2; i++)
		stepper_trail_free(&trails[i]);
	return twice;
}

static void
no_record_is_lost_wherever_the_process_is_killed(void **state)
{
	const uint32_t kinds = sizeof paths / sizeof paths[0];
	uint64_t started_nano = otlog__monotonic_nano(), twice = 0;
	uint32_t places = faults_count(56);
	(void)state;
	if (!stepper_allowed()) {
		print_message("skipped: this process may not trace its children\n");
		skip();
	}
	for (uint32_t i = 0; i < kinds; i++)
		twice += sweep(&paths[i], places);
	print_message("%u places: none lost, %lu twice; %.0f s\n", kinds * places, (unsigned long)twice,
	              (double)(otlog__monotonic_nano() - started_nano) / (double)OTLOG__NANOS_PER_S);
}

int
main(int argc, char **argv)
{
	(void)argc;
	stepper_prepare(argv);
	const struct CMUnitTest tests[] = { cmocka_unit_test(no_record_is_lost_wherever_the_process_is_killed) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
