/* Counting log records in the bodies that sinks get. */
#ifndef TESTS_BENCH_COMMON_COUNT_H
#define TESTS_BENCH_COMMON_COUNT_H

#include <stddef.h>
#include <stdint.h>

/* Log records in the protobuf bytes of a request, and in OTLP/JSON. */
uint64_t bench_count_protobuf(const uint8_t *body, size_t size);
uint64_t bench_count_json(const uint8_t *body, size_t size);

/* How often the text occurs. */
uint64_t bench_count(const uint8_t *body, size_t size, const char *text);

#endif
