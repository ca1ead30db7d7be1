#include "tests/support/sdk/diagnosed.h"

#include "sdk/base/process/diagnostics.h"
#include "tests/support/harness/check.h"

#include <pthread.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards the rest */
static char messages[64][1024];
static size_t count;

void
diagnosed_take(void *user, otlog_diagnostic_level level, const char *message)
{
	(void)user;
	(void)level;
	pthread_mutex_lock(&lock);
	CHECK(count < sizeof messages / sizeof *messages);
	snprintf(messages[count++], sizeof *messages, "%s", message);
	pthread_mutex_unlock(&lock);
}

void
diagnosed_begin(void)
{
	pthread_mutex_lock(&lock);
	count = 0;
	pthread_mutex_unlock(&lock);
	otlog__diagnostics_set(diagnosed_take, NULL, OTLOG__DEBUG);
}

size_t
diagnosed_count(void)
{
	pthread_mutex_lock(&lock);
	size_t now = count;
	pthread_mutex_unlock(&lock);
	return now;
}

size_t
diagnosed_times(const char *text)
{
	size_t times = 0;
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < count; i++)
		times += strstr(messages[i], text) ? 1 : 0;
	pthread_mutex_unlock(&lock);
	return times;
}

bool
diagnosed_says(const char *text)
{
	return diagnosed_times(text) > 0;
}
