/*
 * The power goes: on the disk is what was synced last, and of all that was written since some pages, some of them torn.
 * Afterwards, in another boot, every record that was on the disk by the stated policy is delivered, and nothing that is not
 * a record as it was emitted, under its own resource and scope.
 *
 * What is on the disk for certain is known from the calls that bring it there: fdatasync and fsync are this program's own.
 *
 * What is promised: by otlog__queue_sync all that was committed before, if frames have checksums (durability interval and
 * batch); by an append to a spool that syncs its records; by a shutdown all that it left, checksums or not. What was
 * delivered may come again.
 *
 * OTLOG_FAULTS_FACTOR times 1,000 images: of each of 100 histories ten.
 */
#include "tests/support/harness/cmocka.h"

#include "sdk/base/clock.h"
#include "sdk/base/process/diagnostics.h"
#include "sdk/base/random.h"
#include "sdk/queue/recovery/backlog.h"
#include "sdk/queue/spool/spool.h"
#include "tests/support/harness/check.h"
#include "tests/support/harness/factor.h"
#include "tests/support/queues/disk.h"
#include "tests/support/queues/queue_directory.h"
#include "tests/support/records/queue_record.h"
#include "tests/support/sdk/sdk_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIPELINES 2u
#define NUMBERS 8192u
#define SOURCE 9u
#define BATCH 64u
#define SCOPES 64u
#define STAGES 3u
#define IMAGES 10u
#define LOOKS 4

static const char *const names[PIPELINES] = { "near", "far" };

typedef struct history {
	uint64_t seed;
	uint64_t random; /* its state */
	bool checksums;
	char live[64];
	char name[160];
	otlog__queue *queue;
	otlog__spool *spool; /* of the far pipeline */
	uint32_t emitted;
	uint32_t scopes;
	uint8_t scope_of[NUMBERS];
	uint32_t in_queue; /* numbers that the queue's own files promise, meta included */
	bool promised[PIPELINES][NUMBERS];
	bool delivered[PIPELINES][NUMBERS];
	disk synced;
	disk stages[STAGES]; /* what was written behind it */
	uint32_t stage_count;
} history;

/* What came out of one image. */
typedef struct tally {
	const history *of;
	uint32_t seen[PIPELINES][NUMBERS];
	uint32_t strange;
	uint64_t records;
} tally;

static history *watched; /* NULL: the power fails before anything more comes to the disk */

/* What is synced has its say over all that was written before. */
static int
sync_now(int fd)
{
	char link[64], path[512], own[512];
	disk now;
	if (!watched)
		return 0;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t size = readlink(link, path, sizeof path - 1);
	CHECK(size > 0);
	path[size] = '\0';
	size_t live = strlen(watched->live), name = strlen(watched->name);
	CHECK(strncmp(path, watched->live, live) == 0);
	snprintf(own, sizeof own, "%s%s", path[live] ? DISK_NAME : "", path[live] ? path + live + 1 + name : "");
	disk_load(&now, watched->live, watched->name);
	disk_sync(&watched->synced, &now, own);
	for (uint32_t i = 0; i < watched->stage_count; i++)
		disk_sync(&watched->stages[i], &now, own);
	disk_free(&now);
	return 0;
}

/* In the place of the C library's. */
int
fdatasync(int fd)
{
	return sync_now(fd);
}

int
fsync(int fd)
{
	return sync_now(fd);
}

static uint32_t
some(history *h, uint32_t most)
{
	uint64_t x = (h->random += UINT64_C(0x9e3779b97f4a7c15));
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	return (uint32_t)((x ^ x >> 32) % (most + 1));
}

/* ---- What happens before the power goes -------------------------------------------------------------------------- */

static void
add_scope(history *h)
{
	if (h->scopes == SCOPES)
		return;
	CHECK(otlog__queue_add_scope(h->queue, &h->scopes, sizeof h->scopes, "url", 3) == h->scopes);
	h->scopes++;
}

static void
emit(history *h, uint32_t count)
{
	otlog__slot slot;
	for (; count && h->emitted < NUMBERS; count--) {
		uint32_t number = h->emitted;
		if (otlog__queue_begin(h->queue, queue_record_size(SOURCE, number), &slot) != OTLOG_EMIT_ACCEPTED)
			return; /* it is full */
		size_t size = queue_record_make(slot.bytes, SOURCE, number);
		h->scope_of[number] = (uint8_t)some(h, h->scopes - 1);
		otlog__queue_commit(h->queue, &slot, size, h->scope_of[number], (1u << PIPELINES) - 1);
		h->emitted++;
	}
}

/* Reads a batch; numbers[] says which. The request is size and bytes of each record in turn, the scope before them. */
static uint32_t
read_batch(history *h, uint32_t pipeline, uint32_t most, otlog__batch_span *span, otlog__buffer *request,
           uint32_t *numbers)
{
	otlog__frame_ref refs[BATCH];
	uint32_t records =
	    otlog__queue_read_begin(h->queue, pipeline, most < BATCH ? most : BATCH, SIZE_MAX, refs, span);
	request->size = 0;
	for (uint32_t i = 0; i < records; i++) {
		const uint32_t head[2] = { refs[i].size, refs[i].scope };
		memcpy(&numbers[i], refs[i].bytes + 4, sizeof numbers[i]);
		CHECK(otlog__buffer_append(request, head, sizeof head) &&
		      otlog__buffer_append(request, refs[i].bytes, refs[i].size));
	}
	otlog__queue_read_end(h->queue, pipeline);
	return records;
}

static void
deliver(history *h, uint32_t pipeline, uint32_t most)
{
	uint32_t numbers[BATCH];
	otlog__batch_span span;
	otlog__buffer request = { 0 };
	uint32_t records = read_batch(h, pipeline, most, &span, &request, numbers);
	for (uint32_t i = 0; i < records; i++)
		h->delivered[pipeline][numbers[i]] = true;
	otlog__queue_finish(h->queue, pipeline, &span, &(otlog__batch_end){ 0 });
	otlog__buffer_free(&request);
}

/*
 * Into the spool, which syncs: its records are on the disk then. `cut_short`: the power goes before it has synced, so
 * nothing comes after it.
 */
static void
spool(history *h, uint32_t most, bool cut_short)
{
	uint32_t numbers[BATCH];
	otlog__batch_span span;
	otlog__buffer request = { 0 };
	uint64_t number;
	uint32_t records = read_batch(h, 1, most, &span, &request, numbers);
	watched = cut_short ? NULL : h;
	if (records)
		CHECK(otlog__spool_append(h->spool, request.data, request.size, records, false, &number) ==
		      OTLOG__SPOOL_TAKEN);
	otlog__buffer_free(&request);
	if (cut_short)
		return;
	for (uint32_t i = 0; i < records; i++)
		h->promised[1][numbers[i]] = true;
	otlog__queue_finish(h->queue, 1, &span, &(otlog__batch_end){ .spooled = records });
}

/* Calls take for every record of a request; false if it is none. */
static bool
each_record(const uint8_t *request, size_t size, void *user,
            void (*take)(void *user, const uint8_t *record, uint32_t record_size, uint32_t scope))
{
	for (size_t at = 0; at < size;) {
		uint32_t head[2];
		if (size - at < sizeof head)
			return false;
		memcpy(head, request + at, sizeof head);
		at += sizeof head;
		if (head[0] > size - at)
			return false;
		take(user, request + at, head[0], head[1]);
		at += head[0];
	}
	return true;
}

static void
mark_drained(void *user, const uint8_t *record, uint32_t size, uint32_t scope)
{
	history *h = user;
	uint32_t number;
	(void)size, (void)scope;
	memcpy(&number, record + 4, sizeof number);
	h->delivered[1][number] = true;
}

static void
drain_spool(history *h)
{
	otlog__buffer out = { 0 };
	uint64_t number;
	if (otlog__spool_take(h->spool, &out, &number)) {
		CHECK(each_record(out.data, out.size, h, mark_drained));
		otlog__spool_finish(h->spool, number, &(otlog__batch_end){ 0 });
	}
	otlog__buffer_free(&out);
}

static void
go_on(history *h, uint32_t steps)
{
	while (steps--)
		switch (some(h, 9)) {
		case 0:
			add_scope(h);
			break;
		case 1:
		case 2:
			deliver(h, 0, some(h, BATCH));
			break;
		case 3:
			deliver(h, 1, some(h, BATCH));
			break;
		case 4:
			spool(h, 1 + some(h, BATCH), false);
			break;
		case 5:
			drain_spool(h);
			break;
		default:
			emit(h, some(h, 80));
		}
}

static void
promise_all(history *h)
{
	h->in_queue = h->emitted;
	for (uint32_t p = 0; p < PIPELINES; p++)
		for (uint32_t number = 0; number < h->emitted; number++)
			h->promised[p][number] = true;
}

static void
sync_queue(history *h)
{
	CHECK(otlog__queue_sync(h->queue));
	if (h->checksums)
		promise_all(h);
}

static void
end_stage(history *h)
{
	disk_load(&h->stages[h->stage_count++], h->live, h->name);
}

/* An orderly end with records left, and a process that adopts them but does not come to an end. */
static void
shut_down(history *h)
{
	otlog__backlog_batch batch = { 0 };
	otlog__queue_keep_file(h->queue);
	CHECK(otlog__spool_sync(h->spool));
	otlog__spool_close(h->spool);
	CHECK(otlog__queue_close(h->queue));
	promise_all(h);
	otlog__backlog *backlog = otlog__backlog_create(
	    &(otlog__backlog_options){ .directory = h->live, .pipelines = names, .pipeline_count = PIPELINES });
	CHECK(backlog);
	otlog__backlog_look(backlog);
	/* One of the two has its own left, so the files stay. */
	for (uint32_t batches = some(h, 3); batches && otlog__backlog_take(backlog, 0, 20, SIZE_MAX, &batch);
	     batches--) {
		for (uint32_t i = 0; i < batch.records; i++) {
			uint32_t number;
			memcpy(&number, batch.refs[i].bytes + 4, sizeof number);
			h->delivered[0][number] = true;
		}
		otlog__backlog_finish(backlog, 0, &batch, &(otlog__batch_end){ 0 });
	}
	end_stage(h);
	otlog__backlog_close(backlog);
	otlog__backlog_batch_free(&batch);
	otlog__backlog_free(backlog);
}

static void
open_history(history *h, uint64_t seed)
{
	watched = h;
	h->seed = h->random = seed;
	h->checksums = some(h, 3) != 0;
	queue_directory_make(h->live);
	h->queue = otlog__queue_open(&(otlog__queue_options){ .directory = h->live,
	                                                      .service_name = "victim",
	                                                      .bytes = 65536,
	                                                      .lanes = 1u << some(h, 1),
	                                                      .pipelines = names,
	                                                      .pipeline_count = PIPELINES,
	                                                      .resource = "who I was",
	                                                      .resource_size = 9,
	                                                      .checksums = h->checksums });
	CHECK(h->queue && otlog__queue_in_file(h->queue));
	snprintf(h->name, sizeof h->name, "%s", otlog__queue_name(h->queue));
	h->spool = otlog__spool_create(&(otlog__spool_options){ .directory = otlog__queue_directory(h->queue),
	                                                        .name = h->name,
	                                                        .pipeline = 1,
	                                                        .pipeline_name = names[1],
	                                                        .max_bytes = 1 << 20,
	                                                        .sync = true });
	CHECK(h->spool);
	add_scope(h);
}

static history *
live(uint64_t seed)
{
	history *h = calloc(1, sizeof *h);
	CHECK(h);
	open_history(h, seed);
	go_on(h, some(h, 60));
	if (some(h, 7)) /* else the power goes before anything was synced */
		sync_queue(h);
	for (uint32_t stages = 1 + some(h, STAGES - 2); stages; stages--) {
		go_on(h, some(h, 15));
		end_stage(h);
	}
	switch (some(h, 3)) {
	case 0:
		shut_down(h);
		break;
	case 1:
		spool(h, BATCH, true);
		end_stage(h);
		break;
	default:
		break;
	}
	return h;
}

static void
end_history(history *h)
{
	watched = NULL;
	otlog__spool_close(h->spool);
	otlog__spool_free(h->spool);
	otlog__queue_close(h->queue);
	otlog__queue_free(h->queue);
	disk_free(&h->synced);
	for (uint32_t i = 0; i < h->stage_count; i++)
		disk_free(&h->stages[i]);
	queue_directory_remove(h->live);
	free(h);
}

/* ---- What comes out afterwards ----------------------------------------------------------------------------------- */

static uint32_t
enter(tally *t, uint32_t pipeline, const uint8_t *record, uint32_t size)
{
	uint32_t source, number;
	t->records++;
	if (!queue_record_read(record, size, &source, &number) || source != SOURCE || number >= t->of->emitted) {
		t->strange++;
		return NUMBERS;
	}
	t->seen[pipeline][number]++;
	return number;
}

static void
enter_spooled(void *user, const uint8_t *record, uint32_t size, uint32_t scope)
{
	tally *t = user;
	uint32_t number = enter(t, 1, record, size);
	t->strange += number < NUMBERS && scope != t->of->scope_of[number];
}

/*
 * What was synced has its own resource and scope; what was not may have lost them, but has no other. What is in the spool
 * too, where it has them, may come from the queue without.
 */
static bool
is_under_its_own(const tally *t, const otlog__backlog_batch *batch, uint32_t number, uint16_t scope)
{
	otlog__scope_bytes bytes = otlog__scopes_get(batch->scopes, scope);
	bool resource = batch->resource_size == 9 && memcmp(batch->resource, "who I was", 9) == 0;
	uint32_t own = t->of->scope_of[number];
	bool known = bytes.head_size == sizeof own && memcmp(bytes.head, &own, sizeof own) == 0;
	if (resource && known)
		return scope == own;
	return number >= t->of->in_queue && (resource || batch->resource_size == 0) && (known || bytes.head_size == 0);
}

static void
take_over(tally *t, otlog__backlog *backlog, uint32_t pipeline)
{
	otlog__backlog_batch batch = { 0 };
	while (otlog__backlog_take(backlog, pipeline, 100, SIZE_MAX, &batch)) {
		if (!batch.refs && !each_record(batch.bytes.data, batch.bytes.size, t, enter_spooled))
			t->strange++;
		for (uint32_t i = 0; batch.refs && i < batch.records; i++) {
			const otlog__frame_ref *ref = &batch.refs[i];
			uint32_t number = enter(t, pipeline, ref->bytes, ref->size);
			t->strange += number < NUMBERS && !is_under_its_own(t, &batch, number, ref->scope);
		}
		otlog__backlog_finish(backlog, pipeline, &batch, &(otlog__batch_end){ 0 });
	}
	otlog__backlog_batch_free(&batch);
}

/* What is half made is only removed once it is old. Returns how many there are. */
static uint32_t
age(const char *path)
{
	const struct timespec times[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000000 } };
	DIR *directory = opendir(path);
	struct dirent *entry;
	uint32_t count = 0;
	CHECK(directory);
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		utimensat(dirfd(directory), entry->d_name, times, AT_SYMLINK_NOFOLLOW);
		count++;
	}
	closedir(directory);
	return count;
}

/* Delivers the image. Returns the files that nobody removes. */
static uint32_t
recover(tally *t, const disk *image)
{
	char directory[64];
	watched = NULL;
	queue_directory_make(directory);
	disk_put(image, directory);
	for (int i = 0; i < LOOKS && age(directory) > 0; i++) {
		otlog__backlog *backlog = otlog__backlog_create(&(otlog__backlog_options){
		    .directory = directory, .pipelines = names, .pipeline_count = PIPELINES });
		CHECK(backlog);
		otlog__backlog_look(backlog);
		take_over(t, backlog, 1);
		take_over(t, backlog, 0);
		otlog__backlog_close(backlog);
		otlog__backlog_free(backlog);
	}
	uint32_t left = age(directory);
	queue_directory_remove(directory);
	return left;
}

static uint32_t
count_lost(const tally *t)
{
	uint32_t lost = 0;
	for (uint32_t p = 0; p < PIPELINES; p++)
		for (uint32_t number = 0; number < t->of->emitted; number++)
			lost += t->of->promised[p][number] && !t->of->delivered[p][number] && !t->seen[p][number];
	return lost;
}

typedef struct totals {
	uint64_t images, promised, recovered, beyond;
} totals;

static void
add_totals(const tally *t, totals *all)
{
	all->images++;
	all->recovered += t->records;
	for (uint32_t p = 0; p < PIPELINES; p++)
		for (uint32_t number = 0; number < t->of->emitted; number++) {
			bool due = t->of->promised[p][number] && !t->of->delivered[p][number];
			all->promised += due;
			all->beyond += !due && t->seen[p][number];
		}
}

static void
one_image(history *h, totals *all)
{
	disk image, next;
	tally *t = calloc(1, sizeof *t);
	CHECK(t);
	t->of = h;
	disk_cut(&image, &h->synced, &h->stages[0], &h->random);
	for (uint32_t i = 1; i < h->stage_count; i++) {
		disk_cut(&next, &image, &h->stages[i], &h->random);
		disk_free(&image);
		image = next;
	}
	uint32_t left = recover(t, &image), lost = count_lost(t);
	if (lost || t->strange || left)
		print_message("seed %lu, image %lu: %u lost, %u strange, %u files left\n", (unsigned long)h->seed,
		              (unsigned long)(all->images % IMAGES), lost, t->strange, left);
	assert_int_equal(lost, 0);
	assert_int_equal(t->strange, 0);
	assert_int_equal(left, 0);
	add_totals(t, all);
	disk_free(&image);
	free(t);
}

static void
no_synced_record_is_lost_and_no_garbage_delivered(void **state)
{
	uint64_t started_nano = otlog__monotonic_nano();
	const char *seed = getenv("OTLOG_SEED");
	uint64_t first = seed ? strtoull(seed, NULL, 10) : otlog__random_u64() >> 32;
	totals all = { 0 };
	(void)state;
	for (uint64_t i = 0; i < (seed ? 1 : faults_count(100)); i++) {
		history *h = live(first + i);
		for (uint32_t image = 0; image < IMAGES; image++)
			one_image(h, &all);
		end_history(h);
	}
	print_message(
	    "%lu images: %lu records on the disk, none lost; %lu more came out, all as they were emitted; %.0f s\n",
	    (unsigned long)all.images, (unsigned long)all.promised, (unsigned long)all.beyond,
	    (double)(otlog__monotonic_nano() - started_nano) / (double)OTLOG__NANOS_PER_S);
}

int
main(void)
{
	otlog__diagnostics_set(sdk_silence, NULL, OTLOG__WARN);
	const struct CMUnitTest tests[] = { cmocka_unit_test(no_synced_record_is_lost_and_no_garbage_delivered) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
