#include "sdk/api/rare/registry.h"

#include "sdk/api/rare/clone.h"
#include "sdk/base/process/diagnostics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct otlog__registry {
	pthread_mutex_t lock;
	otlog__registry *next; /* of all there are, but for the global one; under their lock */
	otlog__logger *loggers;
	const otlog__backend *backend; /* NULL: the loggers are no-ops */
	void *self;
	int minimum_severity;
};

static otlog__registry global = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* What get_logger returns when memory is short: it can never be bound. */
static otlog__logger no_op = { .face = { INT_MAX } };

/* Those of providers of one's own. Their lock is never taken under a registry's. */
static pthread_mutex_t others_lock = PTHREAD_MUTEX_INITIALIZER;
static otlog__registry *others;

/* A child that is forked while another thread holds one of the locks must find it free. */
static void
hold_all(void)
{
	pthread_mutex_lock(&others_lock);
	pthread_mutex_lock(&global.lock);
	for (otlog__registry *registry = others; registry; registry = registry->next)
		pthread_mutex_lock(&registry->lock);
}

static void
release_all(void)
{
	for (otlog__registry *registry = others; registry; registry = registry->next)
		pthread_mutex_unlock(&registry->lock);
	pthread_mutex_unlock(&global.lock);
	pthread_mutex_unlock(&others_lock);
}

static void
add_handlers(void)
{
	pthread_atfork(hold_all, release_all, release_all);
}

static void
watch_forks(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, add_handlers);
}

otlog__registry *
otlog__global_registry(void)
{
	watch_forks();
	return &global;
}

otlog__registry *
otlog__registry_create(void)
{
	otlog__registry *registry = calloc(1, sizeof *registry);
	if (!registry)
		return NULL;
	watch_forks();
	pthread_mutex_init(&registry->lock, NULL);
	pthread_mutex_lock(&others_lock);
	registry->next = others;
	others = registry;
	pthread_mutex_unlock(&others_lock);
	return registry;
}

static void
leave_others(otlog__registry *registry)
{
	pthread_mutex_lock(&others_lock);
	otlog__registry **link = &others;
	while (*link && *link != registry)
		link = &(*link)->next;
	if (*link)
		*link = registry->next;
	pthread_mutex_unlock(&others_lock);
}

static void
free_logger(otlog__logger *logger)
{
	if (!logger)
		return;
	otlog__binding *binding = atomic_load_explicit(&logger->binding, memory_order_relaxed);
	while (binding) {
		otlog__binding *older = binding->older;
		free(binding);
		binding = older;
	}
	free((void *)logger->scope.name);
	free((void *)logger->scope.version);
	free((void *)logger->scope.schema_url);
	free((void *)logger->scope.attributes.items);
	free(logger);
}

void
otlog__registry_destroy(otlog__registry *registry)
{
	if (!registry)
		return;
	leave_others(registry);
	while (registry->loggers) {
		otlog__logger *next = registry->loggers->next;
		free_logger(registry->loggers);
		registry->loggers = next;
	}
	pthread_mutex_destroy(&registry->lock);
	free(registry);
}

/* Connects one logger to the registry's backend. The lock is held. */
static bool
bind_logger(otlog__registry *registry, otlog__logger *logger)
{
	otlog__binding *binding = calloc(1, sizeof *binding);
	if (!binding) {
		__atomic_store_n(&logger->face.minimum_severity, INT_MAX, __ATOMIC_RELAXED);
		return false;
	}
	binding->backend = registry->backend;
	binding->self = registry->self;
	binding->scope = registry->backend->add_scope(registry->self, &logger->scope);
	binding->older = atomic_load_explicit(&logger->binding, memory_order_relaxed);
	/* Release: who comes here from the older one finds it whole. */
	if (binding->older)
		atomic_store_explicit(&binding->older->newer, binding, memory_order_release);
	/* Release: an emit that sees the binding sees what it points to. */
	atomic_store_explicit(&logger->binding, binding, memory_order_release);
	/* Relaxed: a call that sees the old minimum a moment longer is only late. */
	__atomic_store_n(&logger->face.minimum_severity, registry->minimum_severity, __ATOMIC_RELAXED);
	return true;
}

bool
otlog__seam_fits(const otlog__seam *seam)
{
	static const otlog__seam ours = OTLOG__SEAM;
	if (seam->version == ours.version && seam->backend_size == ours.backend_size &&
	    seam->binding_size == ours.binding_size)
		return true;
	otlog__diagnose_always(
	    OTLOG__ERROR,
	    "the SDK stays off: this copy of it is of otlog %.16s (seam %u, %u and %u bytes), but the "
	    "libotlog-api of this process is of otlog %s (seam %u, %u and %u bytes). Install libotlog and "
	    "libotlog-api of the same version, and link again what holds a copy of libotlog.a",
	    seam->release, seam->version, seam->backend_size, seam->binding_size, ours.release, ours.version,
	    ours.backend_size, ours.binding_size);
	return false;
}

bool
otlog__registry_bind(otlog__registry *registry, const otlog__backend *backend, void *self, int minimum_severity)
{
	bool all = true;
	if (backend && !otlog__seam_fits(&backend->seam))
		return false;
	pthread_mutex_lock(&registry->lock);
	registry->backend = backend;
	registry->self = self;
	registry->minimum_severity = minimum_severity;
	for (otlog__logger *logger = registry->loggers; logger; logger = logger->next) {
		if (backend)
			all &= bind_logger(registry, logger);
		else
			__atomic_store_n(&logger->face.minimum_severity, INT_MAX, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&registry->lock);
	return all;
}

static const char *
or_empty(const char *text)
{
	return text ? text : "";
}

static bool
same_text(const char *a, const char *b)
{
	return strcmp(or_empty(a), or_empty(b)) == 0;
}

/* Copies the options into a new logger; NULL when memory is short. */
static otlog__logger *
new_logger(const otlog_logger_options *options)
{
	otlog__logger *logger = calloc(1, sizeof *logger);
	if (!logger)
		return NULL;
	logger->face.minimum_severity = INT_MAX;
	logger->scope.name = strdup(or_empty(options->name));
	logger->scope.version = strdup(or_empty(options->version));
	logger->scope.schema_url = strdup(or_empty(options->schema_url));
	if (otlog__attrs_clone(options->attributes, &logger->scope.attributes) && logger->scope.name &&
	    logger->scope.version && logger->scope.schema_url)
		return logger;
	free_logger(logger);
	return NULL;
}

static otlog__logger *
find_logger(otlog__registry *registry, const otlog_logger_options *scope)
{
	for (otlog__logger *logger = registry->loggers; logger; logger = logger->next)
		if (same_text(logger->scope.name, scope->name) && same_text(logger->scope.version, scope->version) &&
		    same_text(logger->scope.schema_url, scope->schema_url) &&
		    otlog__attrs_equal(logger->scope.attributes, scope->attributes))
			return logger;
	return NULL;
}

static otlog_logger *
get_logger(otlog__registry *registry, const otlog_logger_options *options)
{
	/* Copied first: the copy has a bounded depth, and so has the comparison. */
	otlog__logger *made = new_logger(options);
	if (!made)
		return &no_op.face;
	bool nameless = *made->scope.name == '\0';

	pthread_mutex_lock(&registry->lock);
	otlog__logger *found = find_logger(registry, &made->scope);
	if (!found) {
		made->next = registry->loggers;
		registry->loggers = made;
		if (registry->backend)
			bind_logger(registry, made);
	}
	pthread_mutex_unlock(&registry->lock);

	if (found) {
		free_logger(made);
		return &found->face;
	}
	if (nameless)
		otlog__diagnose_once_started(OTLOG__WARN,
		                             "a logger without a name was asked for; its records will be hard to tell "
		                             "apart. Give otlog_get_logger the name of the library or module");
	return &made->face;
}

otlog_logger *
otlog__registry_get_logger(otlog__registry *registry, const otlog_logger_options *options)
{
	if (!registry)
		return &no_op.face;
	int cancelable;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE,
	                       &cancelable); /* a thread that ended in here would keep the lock */
	otlog_logger *logger = get_logger(registry, options);
	pthread_setcancelstate(cancelable, NULL);
	return logger;
}
