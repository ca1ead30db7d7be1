#include "tests/support/harness/watched.h"

#include "tests/support/harness/check.h"

void
watched_init(watched *w)
{
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
}

void
watched_destroy(watched *w)
{
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
}

size_t
watched_read(watched *w, const size_t *count)
{
	pthread_mutex_lock(&w->lock);
	size_t now = *count;
	pthread_mutex_unlock(&w->lock);
	return now;
}

size_t
watched_add(watched *w, size_t *count)
{
	pthread_mutex_lock(&w->lock);
	size_t before = (*count)++;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
	return before;
}

void
watched_wait(watched *w, const size_t *count, size_t wanted, const char *what)
{
	struct timespec deadline = check_deadline();
	int error = 0;
	pthread_mutex_lock(&w->lock);
	while (*count < wanted && error == 0)
		error = pthread_cond_timedwait(&w->changed, &w->lock, &deadline);
	if (*count < wanted)
		fprintf(stderr, "only %zu of %zu %s after 30 s\n", *count, wanted, what);
	CHECK(*count >= wanted);
	pthread_mutex_unlock(&w->lock);
}
