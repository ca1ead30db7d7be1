#include "tests/support/sdk/tally.h"

#include "tests/support/harness/check.h"
#include "tests/support/harness/process.h"
#include "tests/support/records/queue_record.h"
#include "tests/support/sdk/sdk_books.h"

#include <string.h>

tally *
tally_make(uint32_t sources, uint32_t numbers)
{
	size_t cells = (size_t)sources * numbers, words = (size_t)sources * sizeof(uint32_t);
	size_t size = sizeof(tally) + words + (1 + TALLY_DESTINATIONS) * cells;
	tally *t = process_share(size);
	t->sources = sources;
	t->numbers = numbers;
	t->size = size;
	t->returned = (void *)(t + 1);
	t->refused = (void *)((uint8_t *)(t + 1) + words);
	for (uint32_t i = 0; i < TALLY_DESTINATIONS; i++) {
		t->destinations[i].tally = t;
		t->destinations[i].seen = t->refused + (1 + i) * cells;
	}
	return t;
}

void
tally_free(tally *t)
{
	process_unshare(t, t->size);
}

void
tally_clear(tally *t)
{
	size_t cells = (size_t)t->sources * t->numbers;
	memset((void *)t->returned, 0, t->sources * sizeof(uint32_t));
	memset((void *)t->refused, 0, (1 + TALLY_DESTINATIONS) * cells);
}

/* ---- Emitting ---------------------------------------------------------------------------------------------------- */

static void
scope_name(char out[24], uint32_t thread)
{
	snprintf(out, 24, "thread-%u", thread);
}

otlog_logger *
tally_logger(otlog_provider *provider, uint32_t thread)
{
	char name[24];
	scope_name(name, thread);
	if (!provider)
		return otlog_get_logger(name, NULL);
	return otlog_provider_get_logger(provider, &(otlog_logger_options){ .name = name });
}

bool
tally_has_more(const tally *t, uint32_t source)
{
	return atomic_load_explicit(&t->returned[source], memory_order_relaxed) < t->numbers;
}

otlog_emit_result
tally_emit(tally *t, otlog_logger *logger, uint32_t source)
{
	uint8_t bytes[QUEUE_RECORD_MAX];
	uint32_t number = atomic_load_explicit(&t->returned[source], memory_order_relaxed);
	CHECK(number < t->numbers);
	size_t size = queue_record_make(bytes, source, number);
	otlog_emit_result result = otlog_emit(logger, &(otlog_record){ .severity = OTLOG_SEVERITY_INFO,
	                                                               .event_name = "numbered",
	                                                               .body = otlog_bytes(bytes, size) });
	if (result != OTLOG_EMIT_ACCEPTED)
		atomic_store_explicit(&t->refused[(size_t)source * t->numbers + number], 1, memory_order_relaxed);
	atomic_store_explicit(&t->returned[source], number + 1, memory_order_release);
	return result;
}

uint64_t
tally_returned(const tally *t, uint32_t first, uint32_t count)
{
	uint64_t sum = 0;
	for (uint32_t source = first; source < first + count; source++)
		sum += atomic_load(&t->returned[source]);
	return sum;
}

/* ---- Delivering -------------------------------------------------------------------------------------------------- */

/* Whose the record says to be. False: it is not as it was emitted. */
static bool
identify(const tally *t, const otlog_record_view *record, uint32_t *source, uint32_t *number)
{
	char name[24];
	otlog_value_view process;
	if (record->body.type != OTLOG_VALUE_BYTES ||
	    !queue_record_read(record->body.as.bytes.data, record->body.as.bytes.size, source, number) ||
	    *source >= t->sources || *number >= t->numbers || !otlog_slice_is(record->event_name, "numbered"))
		return false;
	if (!t->threads)
		return true;
	scope_name(name, *source % t->threads);
	return otlog_slice_is(record->scope.name, name) &&
	       otlog_find_item(otlog_resource_attributes(record), TALLY_PROCESS, &process) &&
	       process.as.int64 == (int64_t)(*source / t->threads);
}

void
tally_enter(tally_destination *destination, const void *request, size_t size)
{
	tally *t = destination->tally;
	const otlog_batch batch = { .request = request, .request_size = size };
	otlog_batch_reader reader = otlog_batch_records(&batch);
	otlog_record_view record;
	uint32_t records = 0, source, number;
	for (; otlog_batch_next(&reader, &record); records++) {
		if (identify(t, &record, &source, &number))
			atomic_fetch_add_explicit(&destination->seen[(size_t)source * t->numbers + number], 1,
			                          memory_order_relaxed);
		else
			atomic_fetch_add(&t->strange, 1);
	}
	if (reader.malformed)
		atomic_fetch_add(&t->strange, 1);
	uint32_t largest = atomic_load(&t->largest);
	while (largest < records && !atomic_compare_exchange_weak(&t->largest, &largest, records)) {
	}
}

/* Enters the request, unless the destination is away. */
static bool
attempt(tally_destination *destination, const void *request, size_t size)
{
	atomic_fetch_add(&destination->tally->attempts, 1);
	if (atomic_load(&destination->away))
		return false;
	tally_enter(destination, request, size);
	return true;
}

static void
take(void *self, const otlog_batch *batch, uint64_t timeout_ms, otlog_export_result *result)
{
	(void)timeout_ms;
	bool taken = attempt(self, batch->request, batch->request_size);
	result->verdict = taken ? OTLOG_VERDICT_OK : OTLOG_VERDICT_RETRY;
}

otlog_exporter
tally_exporter(tally_destination *destination, const char *name)
{
	static const otlog_exporter_functions functions = { .size = sizeof functions, .export_batch = take };
	return (otlog_exporter){ .functions = &functions, .self = destination, .name = name };
}

unsigned
tally_judge(void *destination, const receiver_request *request)
{
	return attempt(destination, request->body, request->body_size) ? 200 : 503;
}

/* ---- Counting ---------------------------------------------------------------------------------------------------- */

tally_sum
tally_count(const tally_destination *destination, uint32_t first, uint32_t count)
{
	const tally *t = destination->tally;
	tally_sum sum = { 0 };
	for (uint32_t source = first; source < first + count; source++) {
		uint32_t returned = atomic_load(&t->returned[source]);
		const _Atomic uint8_t *all_seen = destination->seen + (size_t)source * t->numbers;
		const _Atomic uint8_t *all_refused = t->refused + (size_t)source * t->numbers;
		sum.returned += returned;
		for (uint32_t number = 0; number < t->numbers; number++) {
			uint8_t seen = atomic_load_explicit(&all_seen[number], memory_order_relaxed);
			bool refused = atomic_load_explicit(&all_refused[number], memory_order_relaxed);
			bool accepted = number < returned && !refused;
			sum.accepted += accepted;
			sum.refused += refused;
			sum.seen += accepted && seen > 0;
			sum.missing += accepted && seen == 0;
			sum.twice += seen > 1 ? seen - 1u : 0;
			/* An emit that was killed may have been accepted already. */
			sum.wrong += seen > 0 && (refused || number > returned);
		}
	}
	return sum;
}

uint64_t
tally_check_books(const sdk_books *books)
{
	uint64_t dropped_behind = 0;
	for (size_t i = books->pipeline_count; i-- > 0;) {
		const otlog_pipeline_statistics *p = &books->pipelines[i];
		uint64_t dropped = 0, refused = 0;
		for (int reason = 0; reason < OTLOG_DROP_REASON_COUNT; reason++) {
			dropped += p->dropped[reason];
			refused += p->refused[reason];
		}
		CHECK(p->emitted + p->adopted == p->delivered + p->queued + p->filtered + dropped);
		CHECK(dropped >= refused);
		dropped_behind = dropped - refused;
	}
	return dropped_behind;
}

void
tally_check_statistics(const tally_sum *sum, const sdk_books *books)
{
	const otlog_pipeline_statistics *p = &books->pipelines[0];
	uint64_t dropped = tally_check_books(books);
	CHECK(books->totals.emitted == sum->returned);
	CHECK(books->totals.accepted == sum->accepted);
	CHECK(p->delivered == sum->seen);
	CHECK(p->queued + dropped == sum->missing);
	CHECK(sum->wrong == 0);
}
