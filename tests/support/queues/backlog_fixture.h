/* A backlog over the directory of queue_fixture.h, for tests of taking over. */
#ifndef TESTS_SUPPORT_QUEUES_BACKLOG_FIXTURE_H
#define TESTS_SUPPORT_QUEUES_BACKLOG_FIXTURE_H

#include "tests/support/queues/dead_queue.h"
#include "tests/support/queues/queue_fixture.h"

/* "otlp_http" and "console". */
extern const char *const backlog_pipelines[2];

/* With the first one or both of the pipelines. */
otlog__backlog *backlog_open(uint32_t pipelines);
/* Closes and frees it. */
void backlog_end(otlog__backlog *backlog);

/* Files in the directory whose names end so. */
int backlog_files(const char *suffix);

/* Of one pipeline. */
dead_queue backlog_queue(uint32_t source, uint32_t records);

/* That these are the pipeline's books, and that they balance. */
void backlog_assert_books(otlog__backlog *backlog, uint32_t pipeline, uint64_t delivered, uint64_t queued,
                          uint64_t damaged);

#endif
