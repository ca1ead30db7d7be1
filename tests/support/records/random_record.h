/*
 * Records of every shape for the tests of the encoder: all kinds of values, nesting, sizes around the steps of a
 * varint, text that is not UTF-8, keys given twice or not at all, pointers that are NULL.
 *
 * The shape follows from a seed, or from bytes, so that a fuzzer can steer it.
 */
#ifndef TESTS_SUPPORT_RECORDS_RANDOM_RECORD_H
#define TESTS_SUPPORT_RECORDS_RANDOM_RECORD_H

#include "sdk/record/encode.h"

typedef struct random_record {
	otlog_record record;
	const otlog_span_context *context; /* NULL: none */
	uint64_t now_unix_nano;
	otlog__limits limits;
	struct random_block *blocks; /* private: all memory that the record points into */
} random_record;

/* Free what they return. */
random_record *random_record_from_seed(uint64_t seed);
random_record *random_record_from_bytes(const uint8_t *bytes, size_t size);
void random_record_free(random_record *record);

/* A sequence of numbers that follows from its start; xorshift64*, so `state` must not be 0. */
uint64_t random_next(uint64_t *state);

#endif
