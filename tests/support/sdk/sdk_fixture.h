/* A provider with captures as its pipelines, and what tests of the whole SDK ask of it. */
#ifndef TESTS_SUPPORT_SDK_SDK_FIXTURE_H
#define TESTS_SUPPORT_SDK_SDK_FIXTURE_H

#include "tests/support/sdk/capture.h"
#include "tests/support/harness/cmocka.h"

#include <otlog/otlog.h>

typedef struct sdk_fixture {
	capture *a, *b;
	otlog_provider *provider;
	otlog_logger *logger;
	char directory[64];
} sdk_fixture;

/* For each test: an empty fixture, and its end; a directory in it is removed. */
int sdk_setup(void **state);
int sdk_teardown(void **state);

/* A diagnostics sink that says nothing. */
void sdk_silence(void *user, otlog_diagnostic_level level, const char *message);

/* A provider with one or two captures as its pipelines. Zero in options: quick defaults for a test. */
void sdk_start(sdk_fixture *f, size_t pipelines, otlog_options options, otlog_pipeline_options pipeline);

otlog_emit_result sdk_emit_text(otlog_logger *logger, const char *text);
/* Emits n records and returns how many were accepted. */
uint64_t sdk_emit_many(otlog_logger *logger, unsigned n);

uint64_t sdk_dropped_of(const otlog_pipeline_statistics *p);
void sdk_assert_books_balance(otlog_provider *provider);
double sdk_seconds_now(void);

#endif
