/*
 * What the SDK says about itself: one line per message, cause first, then the remedy, rate-limited per call site.
 *
 * A message is valid UTF-8 on one line: control characters in what it quotes are replaced, and what is over 1,023 bytes
 * is cut off with "…". errno stays as it was. No lock is held or taken, so a forked child can speak at once.
 *
 * The state lives in libotlog-api, once per process. Until the SDK starts, messages go to stderr, up to the level that
 * OTEL_LOG_LEVEL says; the API alone is silent. Never call this from emit: it calls the user back. Emit counts; the
 * keeper thread reports.
 */
#ifndef OTLOG_BASE_PROCESS_DIAGNOSTICS_H
#define OTLOG_BASE_PROCESS_DIAGNOSTICS_H

#include <otlog/sdk.h>

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define OTLOG__ERROR OTLOG_DIAGNOSTIC_ERROR
#define OTLOG__WARN OTLOG_DIAGNOSTIC_WARN
#define OTLOG__INFO OTLOG_DIAGNOSTIC_INFO
#define OTLOG__DEBUG OTLOG_DIAGNOSTIC_DEBUG

/* When this call site spoke last; one static per site. */
typedef struct otlog__diagnostic_site {
	_Atomic uint64_t next_nano; /* monotonic; writer: the thread that wins the exchange */
	_Atomic uint32_t suppressed;
} otlog__diagnostic_site;

/*
 * Where messages go, up to which level. A NULL sink: lines on stderr. Level 0: silence. A message that another thread
 * is giving at this moment may still reach the old sink: what belongs to that must live on. Where memory is too short
 * to remember a sink, stderr takes its place.
 */
OTLOG_API void otlog__diagnostics_set(otlog_diagnostic_function sink, void *user, int level);

/* Whether that was ever called. Of libotlog-api only. */
bool otlog__diagnostics_are_set(void);

OTLOG_API void otlog__diagnose_at(otlog__diagnostic_site *site, int level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* At most one message per call site in ten seconds; what was held back is counted in the next one. */
#define otlog__diagnose(level, ...)                                     \
	do {                                                            \
		static otlog__diagnostic_site otlog_site_;              \
		otlog__diagnose_at(&otlog_site_, (level), __VA_ARGS__); \
	} while (0)

/* The same for libotlog-api, which says nothing in a program that starts no SDK. */
#define otlog__diagnose_once_started(level, ...)               \
	do {                                                   \
		if (otlog__diagnostics_are_set())              \
			otlog__diagnose((level), __VA_ARGS__); \
	} while (0)

/* Every message, for things that are said once by their nature, such as settings at start. */
#define otlog__diagnose_always(level, ...) otlog__diagnose_at(NULL, (level), __VA_ARGS__)

#endif
