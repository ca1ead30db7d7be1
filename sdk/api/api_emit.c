#include "sdk/api/context.h"
#include "sdk/api/rare/registry.h"
#include "sdk/base/clock.h"

#include <stdatomic.h>

/* The binding that takes this logger's records, or NULL. */
static const otlog__binding *
binding_of(const otlog_logger *face)
{
	if (!face)
		return NULL;
	/* Acquire: pairs with the release in bind_logger. */
	const otlog__binding *binding =
	    atomic_load_explicit(&((const otlog__logger *)face)->binding, memory_order_acquire);
	/* Switched off: a registry without a backend keeps the old bindings for emits that are under way. */
	return __atomic_load_n(&face->minimum_severity, __ATOMIC_RELAXED) == INT_MAX ? NULL : binding;
}

static otlog_emit_result
emit_whole(const otlog__binding *binding, const otlog_record *record)
{
	const otlog_span_context *context = record ? record->span_context : NULL;
	return binding->backend->emit(binding, record, context ? context : otlog__context_current());
}

/* A caller compiled against an older header: what it does not know is not given. Apart, to keep emit's own frame small.
 */
static __attribute__((noinline)) otlog_emit_result
emit_shorter(const otlog__binding *binding, const otlog_record *record, size_t record_size)
{
	otlog_record whole = { 0 };
	memcpy(&whole, record, record_size);
	return emit_whole(binding, &whole);
}

otlog_emit_result
otlog_emit_sized(otlog_logger *logger, const otlog_record *record, size_t record_size)
{
	const otlog__binding *binding = binding_of(logger);
	if (!binding)
		return OTLOG_EMIT_DISABLED;
	if (record && record_size < sizeof *record)
		return emit_shorter(binding, record, record_size);
	return emit_whole(binding, record);
}

bool
otlog_enabled(const otlog_logger *logger, int severity, const char *event_name)
{
	const otlog__binding *binding = binding_of(logger);
	return binding && binding->backend->enabled(binding, severity, event_name);
}

static bool
has_key(otlog_attrs attributes, const otlog_attr *wanted)
{
	for (size_t i = 0; attributes.items && i < attributes.count; i++)
		if (attributes.items[i].key_size == wanted->key_size && attributes.items[i].key &&
		    memcmp(attributes.items[i].key, wanted->key, wanted->key_size) == 0)
			return true;
	return false;
}

otlog_emit_result
otlog_log(otlog_logger *logger, int severity, const otlog_site *site, const char *message, otlog_attrs attributes)
{
	otlog_attr place[3];
	size_t count = 0;
	if (site) {
		/* Names: OpenTelemetry semantic conventions, "Source code attributes" (stable). */
		const otlog_attr all[3] = { OTLOG_KV("code.file.path", site->file),
			                    OTLOG_KV("code.function.name", site->function),
			                    OTLOG_KV("code.line.number", site->line) };
		for (size_t i = 0; i < 3; i++)
			if (!has_key(attributes, &all[i]))
				place[count++] = all[i];
	}
	const otlog_attr_group group = { .attributes = { place, count } };
	const uint64_t now = otlog__unix_nano();
	const otlog_record record = { .time_unix_nano = now,
		                      .observed_time_unix_nano = now,
		                      .severity = severity,
		                      .body = otlog_string(message),
		                      .attributes = attributes,
		                      .groups = &group,
		                      .group_count = 1 };
	return otlog_emit_sized(logger, &record, sizeof record);
}
