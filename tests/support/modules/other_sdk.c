/* Takes the place of a copy of the SDK inside of a plugin, made for the libotlog-api that the caller says. */
#include "sdk/api/backend.h"

static int emits;

static uint16_t
add_scope(void *self, const otlog_logger_options *scope)
{
	(void)self, (void)scope;
	return 0;
}

static otlog_emit_result
emit(const otlog__binding *binding, const otlog_record *record, const otlog_span_context *context)
{
	(void)binding, (void)record, (void)context;
	emits++;
	return OTLOG_EMIT_ACCEPTED;
}

static bool
enabled(const otlog__binding *binding, int severity, const char *event_name)
{
	(void)binding, (void)severity, (void)event_name;
	return true;
}

/* Asks for the process's loggers, as the start of an SDK does. */
OTLOG_API bool other_sdk_start(const otlog__seam *seam);

bool
other_sdk_start(const otlog__seam *seam)
{
	static otlog__backend backend = { OTLOG__SEAM, add_scope, emit, enabled };
	backend.seam = *seam;
	return otlog__registry_bind(otlog__global_registry(), &backend, NULL, 0);
}

OTLOG_API int other_sdk_emits(void);

int
other_sdk_emits(void)
{
	return emits;
}
