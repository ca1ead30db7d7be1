#include "sdk/base/diagnostics.h"

#include "sdk/base/clock.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define QUIET_NANO (10 * OTLOG__NANOS_PER_S)
#define MESSAGE_MAX 1024

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards sink and user; never held while calling them */
static otlog__diagnostic_sink current_sink;
static void *current_user;
static _Atomic int current_level;

void
otlog__diagnostics_set(otlog__diagnostic_sink sink, void *user, int level)
{
	pthread_mutex_lock(&lock);
	current_sink = sink;
	current_user = user;
	atomic_store_explicit(&current_level, level, memory_order_relaxed); /* the lock orders the rest */
	pthread_mutex_unlock(&lock);
}

static void
to_stderr(int level, const char *message)
{
	static const char *const names[] = { "", "error", "warning", "info", "debug" };
	char line[MESSAGE_MAX + 32];
	int size = snprintf(line, sizeof line, "otlog: %s: %s\n", names[level], message);
	/* One write, so that lines of several threads do not mix; if stderr is closed nobody can be told. */
	ssize_t written = write(STDERR_FILENO, line, (size_t)size);
	(void)written;
}

/* True if this site may speak now; counts it as held back otherwise. */
static bool
may_speak(otlog__diagnostic_site *site, uint32_t *held_back)
{
	uint64_t now = otlog__monotonic_nano();
	uint64_t next = atomic_load_explicit(&site->next_nano, memory_order_relaxed);
	/* Only one of several threads gets through; nothing else hangs on the order. */
	if (now < next || !atomic_compare_exchange_strong_explicit(&site->next_nano, &next, now + QUIET_NANO,
								   memory_order_relaxed, memory_order_relaxed)) {
		atomic_fetch_add_explicit(&site->suppressed, 1, memory_order_relaxed);
		return false;
	}
	*held_back = atomic_exchange_explicit(&site->suppressed, 0, memory_order_relaxed);
	return true;
}

void
otlog__diagnose_at(otlog__diagnostic_site *site, int level, const char *format, ...)
{
	if (level > atomic_load_explicit(&current_level, memory_order_relaxed))
		return;
	uint32_t held_back = 0;
	if (site && !may_speak(site, &held_back))
		return;

	char message[MESSAGE_MAX];
	va_list arguments;
	va_start(arguments, format);
	int size = vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	if (size < 0)
		return;
	size_t used = strlen(message);
	if (held_back)
		snprintf(message + used, sizeof message - used, " (%u more like this since)", held_back);

	pthread_mutex_lock(&lock);
	otlog__diagnostic_sink sink = current_sink;
	void *user = current_user;
	pthread_mutex_unlock(&lock);
	if (sink)
		sink(user, level, message);
	else
		to_stderr(level, message);
}
