#include "tests/support/sdk/scripted.h"

#include "sdk/base/random.h"
#include "tests/support/harness/check.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct scripted {
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	const char *name;
	scripted_rule rule;
	void *user;
	uint32_t concurrency;
	bool shut, cancelled;
	bool holds_back, flushed;
	scripted_books books;
	uint32_t seen, last;                /* records in all; the place of the last one that was taken */
	uint32_t places[SCRIPTED_MOST_IDS]; /* in the order of being seen first, from 1 on */
	uint8_t times[SCRIPTED_MOST_IDS];
};

scripted *
scripted_create(const char *name, scripted_rule rule, void *user, uint32_t concurrency)
{
	scripted *s = calloc(1, sizeof *s);
	CHECK(s);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	s->name = name;
	s->rule = rule;
	s->user = user;
	s->concurrency = concurrency;
	return s;
}

void
scripted_free(scripted *s)
{
	if (!s)
		return;
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* ---- The exporter ------------------------------------------------------------------------------------------------ */

static uint32_t *
read_ids(const otlog_batch *batch)
{
	uint32_t *ids = malloc(batch->records * sizeof *ids);
	otlog_batch_reader reader = otlog_batch_records(batch);
	otlog_record_view record;
	size_t count = 0;
	CHECK(ids && batch->records > 0);
	while (otlog_batch_next(&reader, &record)) {
		CHECK(count < batch->records && record.body.type == OTLOG_VALUE_INT64);
		CHECK(record.body.as.int64 >= 0 && record.body.as.int64 < (int64_t)SCRIPTED_MOST_IDS);
		ids[count++] = (uint32_t)record.body.as.int64;
	}
	CHECK(!reader.malformed && count == batch->records);
	return ids;
}

/* Under the lock. */
static void
take(scripted *s, const uint32_t *ids, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		s->books.taken++;
		s->books.twice += s->times[ids[i]] > 0;
		s->books.out_of_order += s->places[ids[i]] < s->last;
		s->times[ids[i]]++;
		s->last = s->places[ids[i]];
	}
}

static void
judged(scripted *s, const scripted_call *call, const otlog_export_result *result)
{
	scripted_books *b = &s->books;
	size_t size = call->batch->request_size, records = call->batch->records;
	if (size > b->largest_bytes)
		b->largest_bytes = size;
	switch (result->verdict) {
	case OTLOG_VERDICT_OK:
	case OTLOG_VERDICT_PARTIAL: /* the last ones are rejected */
		if (result->verdict == OTLOG_VERDICT_PARTIAL)
			records -= result->rejected < records ? result->rejected : records;
		take(s, call->ids, records);
		if (size > b->largest_taken_bytes)
			b->largest_taken_bytes = size;
		break;
	case OTLOG_VERDICT_TOO_LARGE:
	case OTLOG_VERDICT_INVALID:
	case OTLOG_VERDICT_DROP:
		b->refused_calls++;
		break;
	case OTLOG_VERDICT_RETRY:
		break;
	}
}

static void
export_batch(void *self, const otlog_batch *batch, uint64_t timeout_ms, otlog_export_result *result)
{
	scripted *s = self;
	uint32_t *ids = read_ids(batch);
	scripted_call call = { .self = s, .batch = batch, .ids = ids, .random = otlog__random_u64() };
	(void)timeout_ms;
	pthread_mutex_lock(&s->lock);
	call.number = s->books.calls++;
	for (size_t i = 0; i < batch->records; i++)
		if (!s->places[ids[i]])
			s->places[ids[i]] = ++s->seen;
	s->books.running++;
	if (s->books.running > s->books.most_running)
		s->books.most_running = s->books.running;
	scripted_rule rule = s->rule;
	void *user = s->user;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	if (rule)
		rule(user, &call, result);
	pthread_mutex_lock(&s->lock);
	if (s->cancelled)
		result->verdict = OTLOG_VERDICT_RETRY;
	s->books.running--;
	judged(s, &call, result);
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	free(ids);
}

static void
cancel(void *self)
{
	scripted *s = self;
	pthread_mutex_lock(&s->lock);
	s->cancelled = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static bool
flush(void *self, uint64_t timeout_ms)
{
	scripted *s = self;
	(void)timeout_ms;
	pthread_mutex_lock(&s->lock);
	s->books.flushes++;
	s->books.taken_at_flush = s->books.taken;
	bool flushed = s->flushed;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return flushed;
}

static const otlog_exporter_functions functions = { .size = sizeof functions,
	                                            .export_batch = export_batch,
	                                            .cancel = cancel };
static const otlog_exporter_functions holding_back = {
	.size = sizeof holding_back, .export_batch = export_batch, .cancel = cancel, .flush = flush
};

void
scripted_set_flush(scripted *s, bool flushed)
{
	pthread_mutex_lock(&s->lock);
	s->holds_back = true;
	s->flushed = flushed;
	pthread_mutex_unlock(&s->lock);
}

otlog_exporter
scripted_exporter(scripted *s)
{
	return (otlog_exporter){ .functions = s->holds_back ? &holding_back : &functions,
		                 .self = s,
		                 .name = s->name,
		                 .concurrency = s->concurrency };
}

void
scripted_set_rule(scripted *s, scripted_rule rule, void *user)
{
	pthread_mutex_lock(&s->lock);
	s->rule = rule;
	s->user = user;
	pthread_mutex_unlock(&s->lock);
}

void
scripted_pass_gate(scripted *s)
{
	pthread_mutex_lock(&s->lock);
	s->books.waiting++;
	pthread_cond_broadcast(&s->changed);
	while (s->shut && !s->cancelled)
		pthread_cond_wait(&s->changed, &s->lock);
	s->books.waiting--;
	pthread_mutex_unlock(&s->lock);
}

void
scripted_set_gate(scripted *s, bool open)
{
	pthread_mutex_lock(&s->lock);
	s->shut = !open;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

/* ---- Its books --------------------------------------------------------------------------------------------------- */

scripted_books
scripted_take_books(scripted *s)
{
	pthread_mutex_lock(&s->lock);
	scripted_books books = s->books;
	pthread_mutex_unlock(&s->lock);
	return books;
}

void
scripted_forget_calls(scripted *s)
{
	pthread_mutex_lock(&s->lock);
	s->books.calls = s->books.refused_calls = 0;
	s->books.most_running = s->books.running;
	s->books.largest_bytes = s->books.largest_taken_bytes = 0;
	pthread_mutex_unlock(&s->lock);
}

unsigned
scripted_times(scripted *s, uint32_t id)
{
	pthread_mutex_lock(&s->lock);
	unsigned times = s->times[id];
	pthread_mutex_unlock(&s->lock);
	return times;
}

static void
wait_for(scripted *s, const uint64_t *value, uint64_t wanted, const char *what)
{
	struct timespec until;
	int error = 0;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 10;
	pthread_mutex_lock(&s->lock);
	while (*value < wanted && error == 0)
		error = pthread_cond_timedwait(&s->changed, &s->lock, &until);
	if (*value < wanted)
		fprintf(stderr, "%s: only %zu of %zu %s after 10 s\n", s->name, (size_t)*value, (size_t)wanted, what);
	CHECK(*value >= wanted);
	pthread_mutex_unlock(&s->lock);
}

void
scripted_wait_calls(scripted *s, uint64_t calls)
{
	wait_for(s, &s->books.calls, calls, "calls");
}

void
scripted_wait_taken(scripted *s, uint64_t records)
{
	wait_for(s, &s->books.taken, records, "records");
}

void
scripted_wait_at_gate(scripted *s, uint64_t calls)
{
	wait_for(s, &s->books.waiting, calls, "calls at the gate");
}

void
scripted_answer(otlog_export_result *result, otlog_verdict verdict, const char *error_type)
{
	result->verdict = verdict;
	snprintf(result->message, sizeof result->message, "as the test says");
	snprintf(result->error_type, sizeof result->error_type, "%s", error_type);
}

void
scripted_hang(void *user, const scripted_call *call, otlog_export_result *result)
{
	(void)user, (void)result;
	scripted_pass_gate(call->self);
}

otlog_verdict
scripted_any_failure(uint64_t random)
{
	static const otlog_verdict all[] = { OTLOG_VERDICT_RETRY,   OTLOG_VERDICT_RETRY,     OTLOG_VERDICT_PARTIAL,
		                             OTLOG_VERDICT_INVALID, OTLOG_VERDICT_TOO_LARGE, OTLOG_VERDICT_DROP };
	return all[random % (sizeof all / sizeof *all)];
}

otlog_emit_result
scripted_emit(otlog_logger *logger, uint32_t id, size_t padding)
{
	static const char fill[1 << 20] = { 0 };
	CHECK(padding <= sizeof fill);
	const otlog_attr attributes[] = { otlog_attr_of("padding", otlog_bytes(fill, padding)) };
	return otlog_emit(logger, &(otlog_record){ .severity = OTLOG_SEVERITY_INFO,
	                                           .body = otlog_int64(id),
	                                           .event_name = "test",
	                                           .attributes = { attributes, 1 } });
}
