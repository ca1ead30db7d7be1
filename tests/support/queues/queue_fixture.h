/* Queues for tests of one at a time: a directory from set-up to tear-down, and a queue in memory that is easily worked. */
#ifndef TESTS_SUPPORT_QUEUES_QUEUE_FIXTURE_H
#define TESTS_SUPPORT_QUEUES_QUEUE_FIXTURE_H

#include "sdk/queue/queue.h"
#include "tests/support/queues/queue_directory.h"

#include <stdbool.h>

/* The directory of the test that runs. Diagnostics are collected meanwhile (diagnosed.h). */
extern char directory[64];
int queue_fixture_setup(void **state);
int queue_fixture_teardown(void **state);

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, queue_fixture_setup, queue_fixture_teardown)

/* Of a lane, the least that one can have. */
#define QUEUE_LANE_BYTES 65536u

/* In memory; the pipelines are "a", "b", "c". `max_records` 0: bounded by its bytes alone. */
otlog__queue *queue_open(uint32_t lanes, uint32_t pipelines, uint64_t max_records);

/* Emits `size` bytes of 'x'. False if there is no room. */
bool queue_put(otlog__queue *queue, size_t size, uint16_t mask);

#define QUEUE_READ_MOST 4096u

/* Reads a batch, whose verdict is still to come. Returns how many records. */
uint32_t queue_read(otlog__queue *queue, uint32_t pipeline, uint32_t most, otlog__batch_span *span);

/* Delivers all there is. Returns how many records. */
uint32_t queue_drain(otlog__queue *queue, uint32_t pipeline);

#endif
