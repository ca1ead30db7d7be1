#include "tests/support/sdk/capture.h"

#include "tests/support/harness/cmocka.h"
#include "tests/support/harness/watched.h"

#include <pthread.h>
#include <string.h>

#define MAX_ATTEMPTS 65536

typedef struct attempt {
	uint8_t *bytes;
	size_t size;
	capture_request *request; /* decoded when asked for */
} attempt;

struct capture {
	watched w;
	const char *name;
	attempt attempts[MAX_ATTEMPTS];
	size_t attempt_count, records;
	uint32_t scripted; /* attempts that end as below; the others OK */
	otlog_export_result script;
	bool hang, deaf, cancelled, destroyed;
	size_t hanging;
};

capture *
capture_create(const char *name)
{
	capture *c = calloc(1, sizeof *c);
	assert_non_null(c);
	watched_init(&c->w);
	c->name = name;
	return c;
}

void
capture_free(capture *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->attempt_count; i++) {
		free(c->attempts[i].bytes);
		if (c->attempts[i].request)
			opentelemetry__proto__collector__logs__v1__export_logs_service_request__free_unpacked(
			    c->attempts[i].request, NULL);
	}
	watched_destroy(&c->w);
	free(c);
}

static void
export_batch(void *self, const otlog_batch *batch, uint64_t timeout_ms, otlog_export_result *result)
{
	capture *c = self;
	(void)timeout_ms;
	pthread_mutex_lock(&c->w.lock);
	if (c->attempt_count < MAX_ATTEMPTS) {
		attempt *a = &c->attempts[c->attempt_count++];
		a->size = batch->request_size;
		a->bytes = malloc(batch->request_size);
		memcpy(a->bytes, batch->request, batch->request_size);
	}
	pthread_cond_broadcast(&c->w.changed);
	c->hanging++;
	while (c->hang && (c->deaf || !c->cancelled))
		pthread_cond_wait(&c->w.changed, &c->w.lock);
	c->hanging--;
	if (c->scripted) {
		*result = c->script;
		c->scripted -= c->scripted != UINT32_MAX;
	}
	if (c->cancelled)
		result->verdict = OTLOG_VERDICT_RETRY;
	if (result->verdict == OTLOG_VERDICT_OK)
		c->records += batch->records;
	if (result->verdict == OTLOG_VERDICT_PARTIAL)
		c->records += batch->records - result->rejected;
	pthread_cond_broadcast(&c->w.changed);
	pthread_mutex_unlock(&c->w.lock);
}

static void
set(capture *c, bool *flag, bool value)
{
	pthread_mutex_lock(&c->w.lock);
	*flag = value;
	pthread_cond_broadcast(&c->w.changed);
	pthread_mutex_unlock(&c->w.lock);
}

static void
cancel(void *self)
{
	capture *c = self;
	set(c, &c->cancelled, true);
}

static void
destroy(void *self)
{
	capture *c = self;
	set(c, &c->destroyed, true);
}

static const otlog_exporter_functions functions = {
	.size = sizeof functions, .export_batch = export_batch, .cancel = cancel, .destroy = destroy
};

otlog_exporter
capture_exporter(capture *c)
{
	return (otlog_exporter){ .functions = &functions, .self = c, .name = c->name };
}

void
capture_answer(capture *c, uint32_t attempts, otlog_verdict verdict, size_t rejected, uint64_t retry_after_ms)
{
	pthread_mutex_lock(&c->w.lock);
	c->scripted = attempts;
	c->script = (otlog_export_result){ .verdict = verdict,
		                           .rejected = rejected,
		                           .retry_after_ms = retry_after_ms,
		                           .message = "as the test says" };
	pthread_mutex_unlock(&c->w.lock);
}

void
capture_hang(capture *c, bool deaf)
{
	set(c, &c->deaf, deaf);
	set(c, &c->hang, true);
}

void
capture_release(capture *c)
{
	set(c, &c->hang, false);
}

void
capture_wait_attempts(capture *c, size_t attempts)
{
	watched_wait(&c->w, &c->attempt_count, attempts, "attempts");
}

void
capture_wait_records(capture *c, size_t records)
{
	watched_wait(&c->w, &c->records, records, "records");
}

void
capture_wait_hanging(capture *c)
{
	watched_wait(&c->w, &c->hanging, 1, "hanging attempts");
}

size_t
capture_attempts(capture *c)
{
	return watched_read(&c->w, &c->attempt_count);
}

size_t
capture_records(capture *c)
{
	return watched_read(&c->w, &c->records);
}

bool
capture_destroyed(capture *c)
{
	pthread_mutex_lock(&c->w.lock);
	bool now = c->destroyed;
	pthread_mutex_unlock(&c->w.lock);
	return now;
}

bool
capture_cancelled(capture *c)
{
	pthread_mutex_lock(&c->w.lock);
	bool now = c->cancelled;
	pthread_mutex_unlock(&c->w.lock);
	return now;
}

const uint8_t *
capture_bytes_at(capture *c, size_t i, size_t *size)
{
	pthread_mutex_lock(&c->w.lock);
	const attempt *a = i < c->attempt_count ? &c->attempts[i] : NULL;
	pthread_mutex_unlock(&c->w.lock);
	*size = a ? a->size : 0;
	return a ? a->bytes : NULL;
}

const capture_request *
capture_request_at(capture *c, size_t i)
{
	pthread_mutex_lock(&c->w.lock);
	attempt *a = i < c->attempt_count ? &c->attempts[i] : NULL;
	if (a && !a->request)
		a->request = opentelemetry__proto__collector__logs__v1__export_logs_service_request__unpack(
		    NULL, a->size, a->bytes);
	pthread_mutex_unlock(&c->w.lock);
	return a ? a->request : NULL;
}
