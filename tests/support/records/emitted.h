/* A logger whose records are kept as the bytes the encoder makes of them: the last one, for tests of what emits. */
#ifndef TESTS_SUPPORT_RECORDS_EMITTED_H
#define TESTS_SUPPORT_RECORDS_EMITTED_H

#include "sdk/api/backend.h"
#include "tests/support/records/values.h"

#include <otlog/exporter.h>

/* The observed time of every record. */
#define EMITTED_NOW UINT64_C(1772442845123456789)

typedef struct emitted {
	otlog_logger *logger;
	uint8_t *bytes; /* of the last record, a block of exactly this size: the sanitizer sees reads beyond it */
	size_t size;
	unsigned count;      /* of records so far */
	unsigned null_count; /* of emits of nothing */
	otlog__registry *registry;
} emitted;

/* A logger of its own registry. Severities below the minimum do not get here. */
void emitted_open(emitted *e, int minimum_severity);
void emitted_close(emitted *e);

/* The only one of a test, open from its set-up to its tear-down. */
extern emitted out;
int emitted_setup(void **state);
int emitted_teardown(void **state);

/* Both have had as many records, and the last ones are the same to the byte. */
void emitted_assert_same(const emitted *a, const emitted *b);

/*
 * The last record as damage would leave it, for each round another way: first cut at every byte, then whole with some
 * bytes changed. A block of exactly *size bytes; free it.
 */
uint8_t *emitted_damaged(const emitted *e, random_values *random, size_t round, size_t *size);

/* The fields of the last record; the test fails if it is none. */
otlog_record_view emitted_view(const emitted *e);

/* Its attribute of that key, the only one; false if there is none. */
bool emitted_find(const emitted *e, const char *key, otlog_value_view *value);

size_t emitted_attribute_count(const emitted *e);

/* Assertions. NULL as text: the attribute is absent. */
void emitted_assert_text(const emitted *e, const char *key, const char *text);
void emitted_assert_int64(const emitted *e, const char *key, int64_t number);
void assert_slice(otlog_slice slice, const char *text);

#endif
