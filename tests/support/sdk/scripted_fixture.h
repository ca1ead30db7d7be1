/*
 * A provider with one or two scripted exporters as its pipelines, and a thread that looks at its statistics all the time:
 * the test ends as soon as they do not balance.
 */
#ifndef TESTS_SUPPORT_SDK_SCRIPTED_FIXTURE_H
#define TESTS_SUPPORT_SDK_SCRIPTED_FIXTURE_H

#include "tests/support/sdk/scripted.h"

#include <otlog/sdk.h>

#include <pthread.h>
#include <stdatomic.h>

typedef struct scripted_fixture {
	scripted *a, *b; /* fill in before the start; b: NULL, or a second pipeline */
	otlog_provider *provider;
	otlog_logger *logger; /* "checkout" */
	char directory[64];   /* if not "": removed at the end */
	pthread_t watcher;
	_Atomic bool watching;
} scripted_fixture;

/* For each test: an empty fixture, and its end. */
int scripted_setup(void **state);
int scripted_teardown(void **state);

#define SCRIPTED(test) cmocka_unit_test_setup_teardown(test, scripted_setup, scripted_teardown)

/* How long a flush may take that succeeds. */
#define FLUSH_MS 20000

/* Zero in the options: quick defaults for a test. Diagnostics are collected (diagnosed.h). */
void scripted_start(scripted_fixture *f, otlog_options options, otlog_pipeline_options pipeline);

/* Makes a directory for the options. */
const char *scripted_directory(scripted_fixture *f);

/* Emits the records first … first + count - 1; all must be accepted. */
void scripted_emit_all(scripted_fixture *f, uint32_t first, uint32_t count, size_t padding);

/* The same at the pace of b: as many at a time as there is room for. From 0 on; in steps of 250. */
void scripted_emit_at_the_pace_of_b(scripted_fixture *f, uint32_t count);

/* Those of pipeline 0 or 1. */
otlog_pipeline_statistics scripted_statistics(scripted_fixture *f, size_t pipeline);

/*
 * Emits `count` records and flushes: some are dropped, none is taken twice, and the books of the first pipeline are what
 * its exporter has. Returns how many it has taken.
 */
uint64_t scripted_assert_exact_books(scripted_fixture *f, uint32_t count);

/* Fails unless each of the records 0 … count - 1 was taken once, and those of `but` not at all. */
void scripted_assert_taken_once(scripted *s, uint32_t count, const uint32_t *but, size_t but_count);

#endif
