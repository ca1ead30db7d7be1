#include "tests/support/harness/threads.h"

#include "tests/support/harness/check.h"

#include <pthread.h>

#define MOST 64

void
threads_run(void *(*run)(void *item), void *items, size_t count, size_t item_size)
{
	pthread_t threads[MOST];
	CHECK(count <= MOST);
	for (size_t i = 0; i < count; i++)
		CHECK(pthread_create(&threads[i], NULL, run, (char *)items + i * item_size) == 0);
	for (size_t i = 0; i < count; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
}
