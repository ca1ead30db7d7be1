#include "tests/support/sdk/sdk_books.h"
#include "tests/support/sdk/emitters.h"

#include "tests/support/harness/check.h"
#include "tests/support/harness/threads.h"

static void *
emit_some(void *self)
{
	emitter *e = self;
	for (unsigned i = 0; i < e->records; i++) {
		const otlog_attrs attributes =
		    OTLOG_ATTRS(OTLOG_KV("thread", e->thread), OTLOG_KV("sequence", e->next));
		otlog_emit_result result =
		    otlog_emit(e->logger, &(otlog_record){ .severity = OTLOG_SEVERITY_INFO, .attributes = attributes });
		if (result == OTLOG_EMIT_ACCEPTED)
			e->next++;
		else
			e->refused++;
	}
	return NULL;
}

void
emitters_run(emitter *emitters, unsigned count)
{
	threads_run(emit_some, emitters, count, sizeof *emitters);
}

void
emitters_of(emitter *emitters, unsigned count, otlog_provider *provider, unsigned records)
{
	otlog_logger *logger = otlog_provider_get_logger(provider, &(otlog_logger_options){ .name = "emitters" });
	for (unsigned i = 0; i < count; i++)
		emitters[i] = (emitter){ .logger = logger, .thread = i, .records = records };
}

static size_t
accepted_of(const emitter *emitters, unsigned count)
{
	size_t accepted = 0;
	for (unsigned i = 0; i < count; i++)
		accepted += (size_t)emitters[i].next;
	return accepted;
}

void
emitters_check_books(const emitter *emitters, unsigned count, otlog_provider *provider)
{
	sdk_books books;
	uint64_t accepted = accepted_of(emitters, count);
	sdk_take_books(provider, &books);
	const otlog_pipeline_statistics *p = &books.pipelines[0];
	for (unsigned i = 0; i < count; i++)
		CHECK(emitters[i].refused == 0);
	CHECK(books.totals.accepted == accepted && books.totals.emitted == accepted);
	CHECK(p->delivered == accepted && p->queued == 0 && p->filtered == 0);
	for (int i = 0; i < OTLOG_DROP_REASON_COUNT; i++)
		CHECK(p->dropped[i] == 0);
}

arrivals
arrivals_open(const emitter *emitters, unsigned count)
{
	arrivals a = { .emitters = emitters,
		       .count = count,
		       .times = calloc(count, sizeof *a.times),
		       .accepted = accepted_of(emitters, count) };
	CHECK(a.times);
	for (unsigned i = 0; i < count; i++) {
		a.times[i] = calloc((size_t)emitters[i].next + 1, sizeof **a.times);
		CHECK(a.times[i]);
	}
	return a;
}

static int64_t
number_of(const otlog_record_view *record, const char *key)
{
	otlog_value_view value;
	CHECK(otlog_find_item(otlog_attributes(record), key, &value) && value.type == OTLOG_VALUE_INT64);
	return value.as.int64;
}

size_t
arrivals_enter(arrivals *a, const void *request, size_t size)
{
	otlog_record_view record;
	otlog_batch_reader reader = otlog_batch_records(&(otlog_batch){ .request = request, .request_size = size });
	size_t records = 0;
	for (; otlog_batch_next(&reader, &record); records++) {
		int64_t thread = number_of(&record, "thread"), sequence = number_of(&record, "sequence");
		CHECK(thread >= 0 && thread < a->count);
		CHECK(sequence >= 0 && sequence < a->emitters[thread].next);
		a->times[thread][sequence]++;
	}
	CHECK(!reader.malformed);
	a->arrived += records;
	return records;
}

void
arrivals_close(arrivals *a)
{
	for (unsigned i = 0; i < a->count; i++) {
		for (int64_t j = 0; j < a->emitters[i].next; j++)
			a->missing += a->times[i][j] == 0;
		free(a->times[i]);
	}
	free(a->times);
	a->twice = a->arrived + a->missing - a->accepted;
}
