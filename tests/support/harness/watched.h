/* A lock, and counts under it that a test reads and waits for. */
#ifndef TESTS_SUPPORT_HARNESS_WATCHED_H
#define TESTS_SUPPORT_HARNESS_WATCHED_H

#include <pthread.h>
#include <stddef.h>

/* Who changes a count does it under the lock, and tells by pthread_cond_broadcast. */
typedef struct watched {
	pthread_mutex_t lock;
	pthread_cond_t changed;
} watched;

void watched_init(watched *w);
void watched_destroy(watched *w);

size_t watched_read(watched *w, const size_t *count);

/* Adds one, and tells. Returns what it was before. */
size_t watched_add(watched *w, size_t *count);

/* Until the count has reached that; ends the test program after 30 s, naming `what` is counted. */
void watched_wait(watched *w, const size_t *count, size_t wanted, const char *what);

#endif
