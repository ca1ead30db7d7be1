/* Threads that run at the same time. */
#ifndef TESTS_SUPPORT_HARNESS_THREADS_H
#define TESTS_SUPPORT_HARNESS_THREADS_H

#include <stddef.h>

/* Runs the function with each of the items, a thread each, and returns once all have ended. At most 64. */
void threads_run(void *(*run)(void *item), void *items, size_t count, size_t item_size);

#endif
