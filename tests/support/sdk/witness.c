#include "tests/support/sdk/witness.h"

#include "tests/support/harness/check.h"
#include "tests/support/records/queue_record.h"

#include <sys/mman.h>

witness *
witness_make(void)
{
	void *pages =
	    mmap(NULL, sizeof(witness), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(pages != MAP_FAILED);
	return pages;
}

void
witness_free(witness *witness)
{
	munmap(witness, sizeof *witness);
}

static void
scope_name(char out[16], uint32_t thread)
{
	snprintf(out, 16, "thread-%u", thread);
}

otlog_logger *
witness_logger(otlog_provider *provider, uint32_t thread)
{
	char name[16];
	scope_name(name, thread);
	if (!provider)
		return otlog_get_logger(name, NULL);
	return otlog_provider_get_logger(provider, &(otlog_logger_options){ .name = name });
}

bool
witness_emit(witness *w, otlog_logger *logger, uint32_t source, otlog_emit_result *result)
{
	uint8_t bytes[QUEUE_RECORD_MAX];
	uint32_t number = atomic_load_explicit(&w->returned[source], memory_order_relaxed);
	if (number >= WITNESS_NUMBERS)
		return false;
	size_t size = queue_record_make(bytes, source, number);
	*result = otlog_emit(logger, &(otlog_record){ .severity = OTLOG_SEVERITY_INFO,
	                                              .event_name = "numbered",
	                                              .body = otlog_bytes(bytes, size) });
	if (*result != OTLOG_EMIT_ACCEPTED)
		atomic_store_explicit(&w->refused[source][number], 1, memory_order_relaxed);
	atomic_store_explicit(&w->returned[source], number + 1, memory_order_release);
	return true;
}

uint64_t
witness_returned(const witness *w, uint32_t process)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < WITNESS_THREADS; i++)
		sum += atomic_load(&w->returned[process * WITNESS_THREADS + i]);
	return sum;
}

/* Whose the record says to be. False: it is not as it was emitted. */
static bool
identify(const otlog_record_view *record, uint32_t *source, uint32_t *number)
{
	char name[16];
	otlog_value_view victim;
	if (record->body.type != OTLOG_VALUE_BYTES ||
	    !queue_record_read(record->body.as.bytes.data, record->body.as.bytes.size, source, number) ||
	    *source >= WITNESS_SOURCES || *number >= WITNESS_NUMBERS || !otlog_slice_is(record->event_name, "numbered"))
		return false;
	scope_name(name, *source % WITNESS_THREADS);
	return otlog_slice_is(record->scope.name, name) &&
	       otlog_find_item(otlog_resource_attributes(record), WITNESS_ATTRIBUTE, &victim) &&
	       victim.as.int64 == (int64_t)(*source / WITNESS_THREADS);
}

void
witness_enter(witness *w, uint32_t place, const void *request, size_t size)
{
	const otlog_batch batch = { .request = request, .request_size = size };
	otlog_batch_reader reader = otlog_batch_records(&batch);
	otlog_record_view record;
	uint32_t records = 0;
	for (; otlog_batch_next(&reader, &record); records++) {
		uint32_t source, number;
		if (identify(&record, &source, &number))
			atomic_fetch_add_explicit(&w->seen[place][source][number], 1, memory_order_relaxed);
		else
			atomic_fetch_add(&w->strange, 1);
	}
	if (reader.malformed)
		atomic_fetch_add(&w->strange, 1);
	uint32_t largest = atomic_load(&w->largest);
	while (largest < records && !atomic_compare_exchange_weak(&w->largest, &largest, records)) {
	}
}

typedef struct place {
	witness *witness;
	uint32_t number;
} place;

static void
take(void *self, const otlog_batch *batch, uint64_t timeout_ms, otlog_export_result *result)
{
	const place *p = self;
	(void)timeout_ms;
	atomic_fetch_add(&p->witness->attempts, 1);
	if (atomic_load(&p->witness->away[p->number])) {
		result->verdict = OTLOG_VERDICT_RETRY;
		return;
	}
	witness_enter(p->witness, p->number, batch->request, batch->request_size);
	result->verdict = OTLOG_VERDICT_OK;
}

otlog_exporter
witness_exporter(witness *w, uint32_t number, const char *name, uint32_t concurrency)
{
	static const otlog_exporter_functions functions = { .export_batch = take, .destroy = free };
	place *p = malloc(sizeof *p);
	CHECK(p);
	*p = (place){ .witness = w, .number = number };
	return (otlog_exporter){ .functions = &functions, .self = p, .name = name, .concurrency = concurrency };
}

static void
add_source(const witness *w, uint32_t place, uint32_t source, witness_sum *sum)
{
	uint32_t returned = atomic_load(&w->returned[source]);
	for (uint32_t number = 0; number < WITNESS_NUMBERS; number++) {
		uint8_t seen = atomic_load_explicit(&w->seen[place][source][number], memory_order_relaxed);
		bool refused = atomic_load_explicit(&w->refused[source][number], memory_order_relaxed);
		sum->twice += seen > 1 ? seen - 1u : 0;
		if (number < returned)
			sum->lost += refused == (seen > 0);
		else
			sum->unborn += number > returned && seen > 0;
		sum->refused += place == 0 && refused;
	}
	sum->returned += place == 0 ? returned : 0;
}

void
witness_add(const witness *w, uint32_t places, witness_sum *sum)
{
	for (uint32_t place = 0; place < places; place++)
		for (uint32_t source = 0; source < WITNESS_SOURCES; source++)
			add_source(w, place, source, sum);
}
