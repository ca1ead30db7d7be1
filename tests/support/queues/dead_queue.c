#include "tests/support/queues/dead_queue.h"

#include "tests/support/harness/check.h"
#include "tests/support/records/queue_record.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Protobuf, as what is read of them may be: schema URLs. */
#define RESOURCE "\x1a\x07I was I"
#define TAIL "\x1a\x01u"
static const char scopes[3][5] = { "\x1a\x02s0", "\x1a\x02s1", "\x1a\x02s2" };

uint32_t
dead_queue_emit(otlog__queue *queue, const dead_queue *as, uint32_t first, uint32_t count)
{
	uint32_t taken = 0;
	for (uint32_t number = first; number < first + count; number++) {
		otlog__slot slot;
		uint16_t mask = as->mask ? as->mask(number) : (uint16_t)((1u << as->pipeline_count) - 1);
		if (otlog__queue_begin(queue, queue_record_size(as->source, number), &slot) != OTLOG_EMIT_ACCEPTED)
			continue;
		size_t size = queue_record_make(slot.bytes, as->source, number);
		otlog__queue_commit(queue, &slot, size, (uint16_t)(number % 3), mask);
		taken++;
	}
	return taken;
}

static void
deliver(otlog__queue *queue, uint32_t records)
{
	static otlog__frame_ref refs[64];
	otlog__batch_span span;
	while (records) {
		uint32_t taken = otlog__queue_read_begin(queue, 0, records < 64 ? records : 64, SIZE_MAX, refs, &span);
		otlog__queue_read_end(queue, 0);
		otlog__queue_finish(queue, 0, &span, &(otlog__batch_end){ 0 });
		CHECK(taken > 0);
		records -= taken;
	}
}

void
dead_queue_live(const dead_queue *as)
{
	uint32_t lanes = as->lanes ? as->lanes : 1;
	otlog__queue *queue =
	    otlog__queue_open(&(otlog__queue_options){ .directory = as->directory,
	                                               .service_name = "dead",
	                                               .bytes = as->bytes ? as->bytes : lanes * 65536u,
	                                               .lanes = lanes,
	                                               .pipelines = as->pipelines,
	                                               .pipeline_count = as->pipeline_count,
	                                               .resource = RESOURCE,
	                                               .resource_size = 9,
	                                               .checksums = as->checksums });
	CHECK(queue && otlog__queue_in_file(queue));
	for (uint16_t scope = 0; scope < 3; scope++)
		CHECK(otlog__queue_add_scope(queue, scopes[scope], 4, TAIL, 3) == scope);
	CHECK(dead_queue_emit(queue, as, 0, as->records) == as->records);
	deliver(queue, as->delivered);
	if (as->then)
		as->then(queue, as->user);
	if (as->synced)
		CHECK(otlog__queue_sync(queue));
	if (as->closed)
		CHECK(otlog__queue_close(queue));
}

void
dead_queue_make(const dead_queue *queue)
{
	int status;
	fflush(NULL);
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		dead_queue_live(queue);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

dead_tally *
dead_tally_make(uint32_t source)
{
	dead_tally *tally = calloc(1, sizeof *tally);
	CHECK(tally);
	tally->source = source;
	tally->in_order = true;
	return tally;
}

/* Whether the scope's bytes are those that the owner gave it. */
static bool
scope_fits(const otlog__backlog_batch *batch, uint32_t number, uint16_t scope)
{
	otlog__scope_bytes bytes = otlog__scopes_get(batch->scopes, scope);
	return scope == number % 3 && bytes.head_size == 4 && bytes.tail_size == 3 &&
	       memcmp(bytes.head, scopes[scope], 4) == 0 && memcmp(bytes.tail, TAIL, 3) == 0;
}

void
dead_tally_enter(dead_tally *tally, const otlog__backlog_batch *batch)
{
	CHECK(batch->refs && batch->resource_size == 9 && memcmp(batch->resource, RESOURCE, 9) == 0);
	for (uint32_t i = 0; i < batch->records; i++) {
		uint32_t source = 0, number = 0;
		tally->records++;
		if (!queue_record_read(batch->refs[i].bytes, batch->refs[i].size, &source, &number) ||
		    source != tally->source || number >= DEAD_MAX || !scope_fits(batch, number, batch->refs[i].scope)) {
			tally->strange++;
			continue;
		}
		tally->seen[number]++;
		tally->in_order &= tally->records == 1 || number > tally->last;
		tally->last = number;
	}
}

uint32_t
dead_tally_once(const dead_tally *tally, uint32_t from, uint32_t to)
{
	uint32_t once = 0;
	for (uint32_t number = from; number < to; number++)
		once += tally->seen[number] == 1;
	return once;
}

uint32_t
dead_drain(otlog__backlog *backlog, uint32_t pipeline, uint32_t most, dead_tally *tally)
{
	otlog__backlog_batch batch = { 0 };
	uint32_t records = 0;
	while (most-- && otlog__backlog_take(backlog, pipeline, 50, 1 << 20, &batch)) {
		records += batch.records;
		if (tally)
			dead_tally_enter(tally, &batch);
		otlog__backlog_finish(backlog, pipeline, &batch, &(otlog__batch_end){ 0 });
	}
	otlog__backlog_batch_free(&batch);
	return records;
}
