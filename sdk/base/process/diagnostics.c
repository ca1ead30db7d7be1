#include "sdk/base/process/diagnostics.h"

#include "sdk/base/clock.h"
#include "sdk/base/strings.h"
#include "sdk/base/utf8.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define QUIET_NANO (10 * OTLOG__NANOS_PER_S)
#define MESSAGE_MAX 1024 /* bytes, NUL included, before the count of what was held back */
#define COUNT_MAX 48
#define NOT_SET (-1) /* as a level */

/* A sink and its user, which belong together: never changed once it is published, and never freed. */
typedef struct target {
	otlog_diagnostic_function sink;
	void *user;
	struct target *next;
} target;

/*
 * Where messages go. No lock: a child that was forked while another thread of its parent held one would hang at its
 * first message. All targets there ever were stay in a list, because a thread may be about to call any of them; each
 * pair is in it once, so that starting again and again costs nothing.
 * Writers: the threads that set.
 */
static _Atomic(target *) targets;
static _Atomic(target *) current; /* NULL: stderr */
static _Atomic int current_level = NOT_SET;

/* NULL when memory is short. */
static target *
find_or_add(otlog_diagnostic_function sink, void *user)
{
	/* Acquire, here and below: what a pointer found here points to is whole. */
	target *first = atomic_load_explicit(&targets, memory_order_acquire);
	for (target *t = first; t; t = t->next) {
		if (t->sink == sink && t->user == user)
			return t;
	}
	target *added = malloc(sizeof *added);
	if (!added)
		return NULL;
	*added = (target){ .sink = sink, .user = user, .next = first };
	/* Release: whoever finds it finds it whole. Two threads may add the same pair; that does no harm. */
	while (!atomic_compare_exchange_weak_explicit(&targets, &added->next, added, memory_order_release,
	                                              memory_order_relaxed))
		;
	return added;
}

void
otlog__diagnostics_set(otlog_diagnostic_function sink, void *user, int level)
{
	level = level < 0 ? 0 : level > OTLOG__DEBUG ? OTLOG__DEBUG : level;
	/* Release: as above. */
	atomic_store_explicit(&current, sink ? find_or_add(sink, user) : NULL, memory_order_release);
	atomic_store_explicit(&current_level, level, memory_order_relaxed); /* stands alone */
}

bool
otlog__diagnostics_are_set(void)
{
	return atomic_load_explicit(&current_level, memory_order_relaxed) != NOT_SET; /* stands alone */
}

/*
 * The level in force. Until one is set it is what the environment says, as the settings read it: an exporter is created
 * before the SDK is started, and has to be able to say why it could not be.
 */
static int
level_now(void)
{
	static const char *const names[] = { "none", "error", "warn", "info", "debug" };
	int level = atomic_load_explicit(&current_level, memory_order_relaxed); /* stands alone */
	if (level != NOT_SET)
		return level;
	otlog__text given = otlog__text_trim(otlog__text_of(secure_getenv("OTEL_LOG_LEVEL")));
	for (int i = 0; i <= OTLOG__DEBUG; i++)
		if (otlog__text_is(given, names[i]))
			return i;
	return OTLOG__WARN;
}

/* One write, so that lines of several threads do not mix. Nobody can be told if it fails, the host least of all. */
static void
write_without_sigpipe(const char *line, size_t size)
{
	sigset_t pipe, before, pending;
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	sigpending(&pending);
	if (pthread_sigmask(SIG_BLOCK, &pipe, &before) != 0)
		return;
	ssize_t written = write(STDERR_FILENO, line, size);
	if (written < 0 && errno == EPIPE && !sigismember(&pending, SIGPIPE))
		sigtimedwait(&pipe, NULL, &(struct timespec){ 0 }); /* takes back the one that this write raised */
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void
to_stderr(int level, const char *message)
{
	static const char *const names[] = { "", "error", "warning", "info", "debug" };
	char line[MESSAGE_MAX + COUNT_MAX + 32];
	int size = snprintf(line, sizeof line, "otlog: %s: %s\n", names[level], message);
	write_without_sigpipe(line, (size_t)size);
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

/*
 * What comes from outside (a server's answer, a variable) must neither forge a line of the log nor talk to a terminal:
 * line ends and tabs become spaces; other control characters and what is not UTF-8 become '?'.
 */
static void
make_harmless(char *message)
{
	uint8_t *end = (uint8_t *)message + strlen(message);
	for (uint8_t *at = (uint8_t *)message; at < end;) {
		bool valid;
		size_t size = otlog__utf8_step(at, end, &valid);
		uint32_t character = valid ? otlog__utf8_code_point(at, size) : 0;
		if (character == '\n' || character == '\r' || character == '\t')
			*at = ' ';
		else if (character < ' ' || (character >= 0x7f && character < 0xa0))
			memset(at, '?', size);
		at += size;
	}
}

static void
deliver(int level, const char *message)
{
	const target *to = atomic_load_explicit(&current, memory_order_acquire); /* what it points to is whole */
	if (to)
		to->sink(to->user, (otlog_diagnostic_level)level, message);
	else
		to_stderr(level, message);
}

void
otlog__diagnose_at(otlog__diagnostic_site *site, int level, const char *format, ...)
{
	if (level < OTLOG__ERROR || level > level_now())
		return;
	uint32_t held_back = 0;
	if (site && !may_speak(site, &held_back))
		return;

	int saved = errno; /* the caller may still want it, and so may the format (%m) */
	char whole[2 * MESSAGE_MAX];
	char message[MESSAGE_MAX + COUNT_MAX];
	va_list arguments;
	va_start(arguments, format);
	int size = vsnprintf(whole, sizeof whole, format, arguments);
	va_end(arguments);
	if (size >= 0) {
		otlog__text_show(otlog__text_of(whole), message, MESSAGE_MAX);
		make_harmless(message);
		if (held_back)
			snprintf(message + strlen(message), COUNT_MAX, " (%u more like this were held back)",
			         held_back);
		deliver(level, message);
	}
	errno = saved;
}
