#include "sdk/base/diagnostics.h"

#include "sdk/base/clock.h"
#include "sdk/base/strings.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define QUIET_NANO (10 * OTLOG__NANOS_PER_S)
#define MESSAGE_MAX 1024 /* bytes, NUL included, before the count of what was held back */
#define COUNT_MAX 48
#define PATIENCE 1000
#define PAUSE_NANO 50000

/*
 * Where messages go. No lock: a child that was forked while another thread of its parent held one would hang at its
 * first message. Sink and user belong together, so a reader takes both and looks whether the version is still the same.
 * Writer of all: the thread that made the version odd.
 */
static _Atomic uint32_t version; /* odd while the two below are being changed */
static _Atomic(otlog__diagnostic_sink) current_sink;
static _Atomic(void *) current_user;
static _Atomic int current_level;

/* Waits for a version that is odd to become even. False if it stays the same: who made it odd was not forked with us. */
static bool
wait_for_change(uint32_t odd)
{
	for (int tries = 0; tries < PATIENCE; tries++) {
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NANO }, NULL);
		/* Relaxed: whoever called loads it again. */
		if (atomic_load_explicit(&version, memory_order_relaxed) != odd)
			return true;
	}
	return false;
}

/* Makes the version odd and returns it. */
static uint32_t
begin_change(void)
{
	for (;;) {
		uint32_t seen = atomic_load_explicit(&version, memory_order_relaxed); /* the exchange checks it */
		if ((seen & 1) && wait_for_change(seen))
			continue;
		uint32_t odd = seen + ((seen & 1) ? 2 : 1);
		/* Acquire: what an earlier writer stored comes before what this one stores. */
		if (atomic_compare_exchange_strong_explicit(&version, &seen, odd, memory_order_acquire,
		                                            memory_order_relaxed))
			return odd;
	}
}

void
otlog__diagnostics_set(otlog__diagnostic_sink sink, void *user, int level)
{
	level = level < 0 ? 0 : level > OTLOG__DEBUG ? OTLOG__DEBUG : level;
	uint32_t odd = begin_change();
	/* Release: a reader that sees one of these sees the odd version too, and does not use the pair. */
	atomic_store_explicit(&current_sink, sink, memory_order_release);
	atomic_store_explicit(&current_user, user, memory_order_release);
	atomic_store_explicit(&current_level, level, memory_order_relaxed); /* stands alone */
	atomic_store_explicit(&version, odd + 1, memory_order_release);     /* the pair is whole before it counts */
}

/* False if the pair cannot be had: this is a child that was forked in the middle of a change. */
static bool
take_target(otlog__diagnostic_sink *sink, void **user)
{
	for (;;) {
		/* Acquire, all three: the version is looked at again only after the pair has been read. */
		uint32_t before = atomic_load_explicit(&version, memory_order_acquire);
		*sink = atomic_load_explicit(&current_sink, memory_order_acquire);
		*user = atomic_load_explicit(&current_user, memory_order_acquire);
		if ((before & 1) && !wait_for_change(before))
			return false;
		if (!(before & 1) && atomic_load_explicit(&version, memory_order_relaxed) == before)
			return true;
	}
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
	size_t size = strlen(message);
	for (size_t i = 0; i < size;) {
		size_t length = otlog__utf8_length(message + i, size - i);
		unsigned char first = (unsigned char)message[i];
		bool is_c1 = length == 2 && first == 0xc2 && (unsigned char)message[i + 1] < 0xa0;
		if (first == '\n' || first == '\r' || first == '\t')
			message[i] = ' ';
		else if (length == 0 || first < ' ' || first == 0x7f)
			message[i] = '?';
		else if (is_c1)
			memset(message + i, '?', 2);
		i += length ? length : 1;
	}
}

static void
deliver(int level, const char *message)
{
	otlog__diagnostic_sink sink = NULL;
	void *user = NULL;
	if (take_target(&sink, &user) && sink)
		sink(user, level, message);
	else
		to_stderr(level, message);
}

void
otlog__diagnose_at(otlog__diagnostic_site *site, int level, const char *format, ...)
{
	if (level < OTLOG__ERROR || level > atomic_load_explicit(&current_level, memory_order_relaxed))
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
