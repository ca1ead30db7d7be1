#include "sdk/provider/provider.h"

#include "sdk/base/clock.h"

/* A name that is not UTF-8 may grow to three times its size: each bad byte becomes U+FFFD. */
#define GROWTH 3

static uint16_t
add_scope(void *self, const otlog_logger_options *scope)
{
	otlog_provider *provider = self;
	otlog__buffer head = { 0 }, tail = { 0 };
	uint16_t id = 0;
	/* Out of memory, the scope's fields are missing, not its records. */
	if (!otlog__scope_encode(scope, &head))
		head.size = 0;
	if (!otlog__schema_url_encode(scope->schema_url, &tail))
		tail.size = 0;
	id = otlog__queue_add_scope(provider->queue, head.data, head.size, tail.data, tail.size);
	otlog__buffer_free(&head);
	otlog__buffer_free(&tail);
	return id;
}

static int
known_severity(int severity)
{
	return severity > 0 && severity < OTLOG__SEVERITIES ? severity : 0;
}

static bool
enabled(const otlog__binding *binding, int severity, const char *event_name)
{
	const otlog_provider *provider = binding->self;
	(void)event_name; /* no filter of ours looks at it */
	return provider->emit.takers[known_severity(severity)] != 0 &&
	       atomic_load_explicit(&provider->stop.state, memory_order_relaxed) == OTLOG__RUNNING; /* a hint */
}

static otlog_emit_result
refuse(otlog_provider *provider, otlog_drop_reason reason, otlog_emit_result result)
{
	otlog__queue_refuse(provider->queue, reason);
	return result;
}

/* Counts why the queue did not take the record. */
static otlog_emit_result
refused(otlog_provider *provider, otlog_emit_result result)
{
	switch (result) {
	case OTLOG_EMIT_QUEUE_FULL:
		return refuse(provider, OTLOG_DROP_QUEUE_FULL, result);
	case OTLOG_EMIT_BUSY:
		return refuse(provider, OTLOG_DROP_BUSY, result);
	case OTLOG_EMIT_AFTER_SHUTDOWN:
		return refuse(provider, OTLOG_DROP_AFTER_SHUTDOWN, result);
	default:
		return result; /* a forked child: this is not its queue to count in */
	}
}

/* Policy block: asks for an early export and waits for room, within the bound. */
static __attribute__((noinline)) otlog_emit_result
wait_for_room(otlog_provider *provider, size_t room, otlog__slot *slot)
{
	uint64_t deadline = otlog__deadline_nano(otlog__monotonic_nano(), provider->emit.block_timeout_ms);
	otlog_emit_result result;
	/* A queue that is bounded by records may be full long before a batch is: nobody would wake the workers. */
	for (size_t i = 0; i < provider->pipeline_count; i++)
		if (provider->pipelines[i].processor)
			otlog__batch_request_room(provider->pipelines[i].processor);
	do {
		result = otlog__queue_begin(provider->queue, room, slot);
		if (result != OTLOG_EMIT_QUEUE_FULL && result != OTLOG_EMIT_BUSY)
			return result;
	} while (otlog__queue_wait_room(provider->queue, room, deadline));
	return result;
}

static inline otlog_emit_result
hold_lane(otlog_provider *provider, size_t room, otlog__slot *slot)
{
	otlog_emit_result result = otlog__queue_begin(provider->queue, room, slot);
	if (result != OTLOG_EMIT_ACCEPTED && provider->emit.block &&
	    (result == OTLOG_EMIT_QUEUE_FULL || result == OTLOG_EMIT_BUSY))
		result = wait_for_room(provider, room, slot);
	return result;
}

static void
note(otlog_provider *provider, const otlog__encode_notes *notes)
{
	/* Relaxed: plain counters. */
	if (notes->dropped_attributes)
		atomic_fetch_add_explicit(&provider->counted.dropped_attributes, notes->dropped_attributes,
		                          memory_order_relaxed);
	if (notes->truncated)
		atomic_fetch_add_explicit(&provider->counted.truncated, 1, memory_order_relaxed);
}

/* Tries with this much room. TOO_LARGE: the record did not fit it, and nothing was counted. */
static otlog_emit_result
emit_in(otlog_provider *provider, uint16_t scope, uint16_t takers, const otlog_record *record,
        const otlog_span_context *context, const otlog__limits *limits, size_t room)
{
	otlog__slot slot;
	otlog_emit_result result = hold_lane(provider, room, &slot);
	if (result != OTLOG_EMIT_ACCEPTED)
		return refused(provider, result);
	otlog__encode_notes notes = { 0 };
	/* What the caller gives spares the look at the clock. */
	uint64_t now = record->observed_time_unix_nano ? record->observed_time_unix_nano : otlog__unix_nano();
	size_t size = otlog__record_encode(record, context, now, limits, slot.bytes, slot.capacity, &notes);
	if (size == 0 || size > provider->emit.max_record) {
		otlog__queue_cancel(provider->queue, &slot);
		return OTLOG_EMIT_TOO_LARGE;
	}
	otlog__queue_commit(provider->queue, &slot, size, scope, takers);
	note(provider, &notes);
	return OTLOG_EMIT_ACCEPTED;
}

/* The record that needs more than its bound, or more than half a lane: more room, then shorter values, then no. */
static __attribute__((noinline)) otlog_emit_result
emit_large(otlog_provider *provider, uint16_t scope, uint16_t takers, const otlog_record *record,
           const otlog_span_context *context, size_t bound)
{
	otlog_emit_result result = OTLOG_EMIT_TOO_LARGE;
	if (bound <= provider->emit.max_record / GROWTH)
		result = emit_in(provider, scope, takers, record, context, &provider->emit.limits, bound * GROWTH);
	else if (bound <= provider->emit.max_record)
		result = emit_in(provider, scope, takers, record, context, &provider->emit.limits,
		                 provider->emit.max_record);
	if (result != OTLOG_EMIT_TOO_LARGE)
		return result;

	otlog__limits shorter = provider->emit.limits;
	shorter.value_size = otlog__record_value_limit(record, &provider->emit.limits, provider->emit.max_record);
	if (shorter.value_size)
		result = emit_in(provider, scope, takers, record, context, &shorter, provider->emit.max_record);
	return result == OTLOG_EMIT_TOO_LARGE ? refuse(provider, OTLOG_DROP_TOO_LARGE, result) : result;
}

static otlog_emit_result emit(const otlog__binding *binding, const otlog_record *record,
                              const otlog_span_context *context);

/* The queue is a parent's: this process gets its own, and the logger is bound to that already. */
static __attribute__((noinline)) otlog_emit_result
emit_in_child(const otlog__binding *binding, const otlog_record *record, const otlog_span_context *context)
{
	otlog_provider *heir = NULL;
	otlog_emit_result result = otlog__provider_revive(binding->self, &heir);
	if (!heir)
		return result;
	/* Acquire: pairs with the release in the registry. */
	while (binding && binding->self != heir)
		binding = atomic_load_explicit(&binding->newer, memory_order_acquire);
	return binding ? emit(binding, record, context) : OTLOG_EMIT_DISABLED; /* memory was short for a binding */
}

static otlog_emit_result
emit(const otlog__binding *binding, const otlog_record *record, const otlog_span_context *context)
{
	otlog_provider *provider = binding->self;
	uint16_t scope = binding->scope;
	if (!record)
		return refuse(provider, OTLOG_DROP_INVALID, OTLOG_EMIT_INVALID);
	uint16_t takers = provider->emit.takers[known_severity(record->severity)];
	if (takers == 0) {
		atomic_fetch_add_explicit(&provider->counted.filtered, 1, memory_order_relaxed); /* a plain counter */
		return OTLOG_EMIT_FILTERED;
	}
	size_t bound = otlog__record_bound(record, &provider->emit.limits);
	otlog_emit_result result = OTLOG_EMIT_TOO_LARGE;
	if (bound <= provider->emit.max_record)
		result = emit_in(provider, scope, takers, record, context, &provider->emit.limits, bound);
	if (result == OTLOG_EMIT_ACCEPTED)
		return result;
	if (result == OTLOG_EMIT_TOO_LARGE)
		result = emit_large(provider, scope, takers, record, context, bound);
	return result == OTLOG_EMIT_DISABLED ? emit_in_child(binding, record, context) : result;
}

const otlog__backend otlog__provider_backend = { OTLOG__SEAM, add_scope, emit, enabled };
