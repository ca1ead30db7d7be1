/* For the tests' helpers, which also run in threads where cmocka's assertions do not work. */
#ifndef TESTS_SUPPORT_HARNESS_CHECK_H
#define TESTS_SUPPORT_HARNESS_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Ends the test program if the condition does not hold. */
#define CHECK(condition)                                                                               \
	do {                                                                                           \
		if (!(condition)) {                                                                    \
			fprintf(stderr, "%s:%d: %s: does not hold\n", __FILE__, __LINE__, #condition); \
			abort();                                                                       \
		}                                                                                      \
	} while (0)

/* 30 s from now on the real-time clock: how long a helper waits for what must come. */
static inline struct timespec
check_deadline(void)
{
	struct timespec deadline;
	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += 30;
	return deadline;
}

#endif
