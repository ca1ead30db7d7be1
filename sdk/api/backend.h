/*
 * Between libotlog-api and an SDK: how loggers find the provider that takes their records.
 *
 * A logger holds an atomic pointer to a binding. NULL: no-op. A binding is never freed while its registry lives, so
 * emit needs no lock and no reference count.
 */
#ifndef OTLOG_API_BACKEND_H
#define OTLOG_API_BACKEND_H

#include "sdk/base/version.h"

#include <otlog/logs.h>

typedef struct otlog__binding otlog__binding;

/*
 * A process has one libotlog-api, but may have several copies of the SDK: libotlog, and static ones inside of plugins that
 * were linked at another time. A copy that was made for another libotlog-api must stay off, so it shows what it was made
 * for, before it uses anything else of what the two share: this file, what cmake/otlog-api.map lists as private, and the
 * layouts that those functions take. Count the version up with every change of any of it.
 */
#define OTLOG__SEAM_VERSION 1

/* This struct and otlog__seam_fits stay as they are for ever. */
typedef struct otlog__seam {
	uint32_t version;
	uint16_t backend_size; /* bytes; the sizes tell where somebody has forgotten to count */
	uint16_t binding_size;
	const char *release; /* of the copy, for the diagnostic */
} otlog__seam;

#define OTLOG__SEAM                                                                                 \
	{                                                                                           \
		OTLOG__SEAM_VERSION, sizeof(otlog__backend), sizeof(otlog__binding), OTLOG__VERSION \
	}

/* Whether a copy of the SDK fits this libotlog-api. If not, says so in one diagnostic: it must stay off. */
OTLOG_API bool otlog__seam_fits(const otlog__seam *seam);

typedef struct otlog__backend {
	otlog__seam seam; /* OTLOG__SEAM */
	/* Registers a scope and returns its number, below 0xffff. Called under the registry's lock. */
	uint16_t (*add_scope)(void *self, const otlog_logger_options *scope);
	/* Takes a whole otlog_record; `context` is the one that holds for it, never NULL. Async-signal-safe. */
	otlog_emit_result (*emit)(const otlog__binding *binding, const otlog_record *record,
	                          const otlog_span_context *context);
	/* Whether a record of this severity would be taken; `event_name` may be NULL. Async-signal-safe. */
	bool (*enabled)(const otlog__binding *binding, int severity, const char *event_name);
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
 * loggers show: 0 takes all, OTLOG__ASK has `enabled` asked before each emit. NULL makes them no-ops again. Returns
 * false when memory is short, which leaves some of the loggers no-ops, and, with nothing changed, for a backend that does
 * not fit.
 */
OTLOG_API bool otlog__registry_bind(otlog__registry *registry, const otlog__backend *backend, void *self,
                                    int minimum_severity);

/* As otlog_get_logger_with. Never NULL; of a NULL registry, a logger that does nothing. */
OTLOG_API otlog_logger *otlog__registry_get_logger(otlog__registry *registry, const otlog_logger_options *options);

#endif
