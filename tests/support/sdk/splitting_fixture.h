/*
 * Ten thousand records through the whole SDK to a receiver that refuses large requests, or one of the records: what arrives,
 * and what the SDK says of the rest.
 */
#ifndef TESTS_SUPPORT_SDK_SPLITTING_FIXTURE_H
#define TESTS_SUPPORT_SDK_SPLITTING_FIXTURE_H

#include <otlog/otlog.h>

#define SPLITTING_RECORDS 10000u
#define SPLITTING_FLUSH_MS 30000

/* A provider with this pipeline; diagnostics go to diagnosed.h. */
otlog_provider *splitting_start(otlog_pipeline_options pipeline);

/* The records, each with a text of `size` bytes, 1,000 at most; the odd one, an event "poisoned", with `odd_size`. */
void splitting_emit(otlog_provider *provider, size_t size, size_t odd_size);

/* How often each record has come. */
typedef struct splitting_arrivals {
	unsigned times[SPLITTING_RECORDS];
} splitting_arrivals;

/* The receiver has taken a request. */
void splitting_enter(splitting_arrivals *arrivals, const void *request, size_t size);

/* All have come once, but for the odd one where it was refused. */
void splitting_check_arrived(const splitting_arrivals *arrivals, bool without_the_odd_one);

/* So many were dropped, for this reason alone; the others were delivered. */
void splitting_check_books(otlog_provider *provider, otlog_drop_reason reason, uint64_t dropped);

/* One message says that, and names the odd one. */
void splitting_check_named(const char *text);

#endif
