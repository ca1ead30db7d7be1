/* Values for tests of round trips: what comes back of one, and random ones of every kind. */
#ifndef TESTS_SUPPORT_RECORDS_VALUES_H
#define TESTS_SUPPORT_RECORDS_VALUES_H

#include <otlog/logs.h>

/*
 * Whether `got` is what a record gives back of `given`: the same, but text that is not UTF-8 as bytes, unsigned numbers
 * as signed ones or decimal text, and NaN for NaN of the same bits.
 */
bool value_came_back(const otlog_value *given, const otlog_value *got);
bool attrs_came_back(otlog_attrs given, otlog_attrs got);

/* Equal texts, or both NULL. */
bool text_is(const char *text, const char *expected);

/* Random things; all that they point to is freed at once. The same seed gives the same ones. */
typedef struct random_values {
	uint64_t state;
	void *blocks;
	unsigned keys; /* made so far: no two are alike */
} random_values;

random_values random_values_of(uint64_t seed);
void random_values_free(random_values *random);

uint64_t random_number(random_values *random, uint64_t below);
/* A C string: UTF-8 or not, empty or long; NULL at times. */
const char *random_text(random_values *random);
/* Up to `most` attributes with keys that are UTF-8, none twice; values of every kind, containers up to `depth`. */
otlog_attrs random_attrs(random_values *random, size_t most, unsigned depth);

#endif
