/*
 * Between libotlog-api and an SDK: how loggers find the provider that takes their records.
 *
 * A logger holds an atomic pointer to a binding. NULL: no-op. A binding is never freed while its registry lives, so
 * emit needs no lock and no reference count.
 */
#ifndef OTLOG_API_BACKEND_H
#define OTLOG_API_BACKEND_H

#include <otlog/logs.h>

typedef struct otlog__binding otlog__binding;

typedef struct otlog__backend {
	/* Registers a scope and returns its number, below 0xffff. Called under the registry's lock. */
	uint16_t (*add_scope)(void *self, const otlog_logger_options *scope);
	/* Takes a whole otlog_record; `context` is the one that holds for it, never NULL. Async-signal-safe. */
	otlog_emit_result (*emit)(const otlog__binding *binding, const otlog_record *record,
	                          const otlog_span_context *context);
	bool (*enabled)(void *self, int severity, const char *event_name);
} otlog__backend;

/* Which provider takes a logger's records, and under which scope. */
struct otlog__binding {
	const otlog__backend *backend;
	void *self;
	struct otlog__binding *older; /* earlier bindings of the same logger: an emit may still hold one */
	/* The one that took its place. Writer: otlog__registry_bind, before the logger shows it; release. */
	_Atomic(struct otlog__binding *) newer;
	uint16_t scope;
};

/* A family of loggers that belong to one provider: the process's global one, or one of an explicit provider. */
typedef struct otlog__registry otlog__registry;

OTLOG_API otlog__registry *otlog__global_registry(void);
OTLOG_API otlog__registry *otlog__registry_create(void);
/* Frees the loggers and bindings too. Never for the global one. */
OTLOG_API void otlog__registry_destroy(otlog__registry *registry);

/*
 * Brings every logger of the registry to life with this backend, and every later one. minimum_severity is what the
 * loggers show: 0 takes all. NULL makes them no-ops again. False when memory is short: they are no-ops then.
 */
OTLOG_API bool otlog__registry_bind(otlog__registry *registry, const otlog__backend *backend, void *self,
                                    int minimum_severity);

/* As otlog_get_logger_with. Never NULL; of a NULL registry, a logger that does nothing. */
OTLOG_API otlog_logger *otlog__registry_get_logger(otlog__registry *registry, const otlog_logger_options *options);

#endif
