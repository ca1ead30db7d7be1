#include "sdk/base/buffer.h"
#include "sdk/base/clock.h"
#include "sdk/base/process/diagnostics.h"
#include "sdk/base/sized.h"

#include <otlog/exporter.h>
#include <otlog/exporters.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_MAX_BYTES ((size_t)64 * 1024 * 1024)

/* All fields but max_bytes are read and written under the mutex. */
struct otlog_memory {
	pthread_mutex_t mutex;
	pthread_cond_t grown;
	unsigned owners;        /* the caller and the exporter; the last one frees */
	otlog__buffer requests; /* otlog_slice each, of a copy of its own, so that a record stays where it is */
	otlog__buffer records;  /* otlog_slice each, within those */
	size_t bytes;
	size_t max_bytes;
};

static size_t
count_of(const otlog__buffer *slices)
{
	return slices->size / sizeof(otlog_slice);
}

static otlog_slice
slice_at(const otlog__buffer *slices, size_t i)
{
	otlog_slice slice = { .data = NULL };
	if (i < count_of(slices))
		memcpy(&slice, slices->data + i * sizeof slice, sizeof slice);
	return slice;
}

/* ---- The exporter ------------------------------------------------------------------------------------------------ */

/* Under the mutex. 0, ENOMEM, or EINVAL if the bytes are no request of records; nothing is kept then. */
static int
keep(otlog_memory *m, const otlog_batch *batch)
{
	int error = ENOMEM;
	size_t records_before = m->records.size;
	otlog_slice request = { NULL, batch->request_size };
	otlog_record_view record;
	uint8_t *copy = malloc(batch->request_size ? batch->request_size : 1);
	if (!copy)
		goto done;
	memcpy(copy, batch->request, batch->request_size);
	request.data = copy;
	otlog_batch_reader reader =
	    otlog_batch_records(&(otlog_batch){ .request = copy, .request_size = batch->request_size });
	while (otlog_batch_next(&reader, &record))
		if (!otlog__buffer_append(&m->records, &record.encoded, sizeof record.encoded))
			goto done;
	if (reader.malformed) {
		error = EINVAL;
		goto done;
	}
	if (!otlog__buffer_append(&m->requests, &request, sizeof request))
		goto done;
	m->bytes += batch->request_size;
	error = 0;
done:
	if (error) {
		m->records.size = records_before;
		free(copy);
	}
	return error;
}

static void
export_batch(void *exporter, const otlog_batch *batch, uint64_t timeout_ms, otlog_export_result *result)
{
	otlog_memory *m = exporter;
	(void)timeout_ms;
	pthread_mutex_lock(&m->mutex);
	int error = batch->request_size > m->max_bytes - m->bytes ? ENOSPC : keep(m, batch);
	if (!error)
		pthread_cond_broadcast(&m->grown);
	pthread_mutex_unlock(&m->mutex);
	result->verdict = error == 0 ? OTLOG_VERDICT_OK : error == ENOMEM ? OTLOG_VERDICT_RETRY : OTLOG_VERDICT_DROP;
	if (error == ENOSPC)
		snprintf(result->message, sizeof result->message,
		         "its %zu bytes are full. Call otlog_memory_reset between tests, or raise max_bytes",
		         m->max_bytes);
	else if (error == ENOMEM)
		snprintf(result->message, sizeof result->message,
		         "memory is short for a request of %zu bytes. Call otlog_memory_reset between tests",
		         batch->request_size);
	else if (error)
		snprintf(result->message, sizeof result->message,
		         "a request of %zu bytes is no OTLP logs request. Look for what has damaged the queue",
		         batch->request_size);
}

/* Under the mutex. */
static void
forget(otlog_memory *m)
{
	for (size_t i = 0; i < count_of(&m->requests); i++)
		free((void *)slice_at(&m->requests, i).data);
	m->requests.size = m->records.size = m->bytes = 0;
}

static void
let_go(void *memory)
{
	otlog_memory *m = memory;
	if (!m)
		return;
	pthread_mutex_lock(&m->mutex);
	bool last = --m->owners == 0;
	pthread_mutex_unlock(&m->mutex);
	if (!last)
		return;
	forget(m);
	otlog__buffer_free(&m->requests);
	otlog__buffer_free(&m->records);
	pthread_cond_destroy(&m->grown);
	pthread_mutex_destroy(&m->mutex);
	free(m);
}

static const otlog_exporter_functions functions = { .size = sizeof functions,
	                                            .export_batch = export_batch,
	                                            .destroy = let_go };

/* ---- What the caller has of it ----------------------------------------------------------------------------------- */

static void
set_up(otlog_memory *m)
{
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&m->mutex, NULL);
	pthread_cond_init(&m->grown, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

otlog_memory *
otlog_memory_exporter_create_sized(const otlog_memory_options *options, size_t options_size, otlog_exporter *out)
{
	otlog_memory_options known;
	otlog__sized_copy(&known, sizeof known, options, options_size);
	if (!out)
		return NULL;
	otlog_memory *m = calloc(1, sizeof *m);
	if (!m) {
		otlog__diagnose_always(
		    OTLOG__ERROR,
		    "memory is short for the in-memory exporter: nothing is kept. Give the process more memory");
		return NULL;
	}
	set_up(m);
	m->owners = 2;
	m->max_bytes = known.max_bytes ? known.max_bytes : DEFAULT_MAX_BYTES;
	*out = (otlog_exporter){ .functions = &functions, .self = m, .name = "memory" };
	return m;
}

size_t
otlog_memory_count(otlog_memory *m)
{
	if (!m)
		return 0;
	pthread_mutex_lock(&m->mutex);
	size_t count = count_of(&m->records);
	pthread_mutex_unlock(&m->mutex);
	return count;
}

bool
otlog_memory_wait(otlog_memory *m, size_t records, uint64_t timeout_ms)
{
	if (!m)
		return false;
	uint64_t deadline = otlog__deadline_nano(otlog__monotonic_nano(), timeout_ms);
	struct timespec until = { .tv_sec = (time_t)(deadline / OTLOG__NANOS_PER_S),
		                  .tv_nsec = (long)(deadline % OTLOG__NANOS_PER_S) };
	int error = 0;
	pthread_mutex_lock(&m->mutex);
	while (count_of(&m->records) < records && error == 0)
		error = pthread_cond_timedwait(&m->grown, &m->mutex, &until);
	bool there = count_of(&m->records) >= records;
	pthread_mutex_unlock(&m->mutex);
	return there;
}

/* One of either kind; records of no bytes are still there, so they do not come as NULL. */
static const void *
look(otlog_memory *m, const otlog__buffer *slices, size_t i, size_t *size)
{
	static const uint8_t empty;
	otlog_slice slice = { .data = NULL };
	bool there = false;
	if (m) {
		pthread_mutex_lock(&m->mutex);
		there = i < count_of(slices);
		slice = slice_at(slices, i);
		pthread_mutex_unlock(&m->mutex);
	}
	if (size)
		*size = slice.size;
	return there && !slice.size ? &empty : slice.data;
}

const void *
otlog_memory_record(otlog_memory *m, size_t i, size_t *size)
{
	return look(m, m ? &m->records : NULL, i, size);
}

const void *
otlog_memory_request(otlog_memory *m, size_t i, size_t *size)
{
	return look(m, m ? &m->requests : NULL, i, size);
}

void
otlog_memory_reset(otlog_memory *m)
{
	if (!m)
		return;
	pthread_mutex_lock(&m->mutex);
	forget(m);
	pthread_mutex_unlock(&m->mutex);
}

void
otlog_memory_free(otlog_memory *m)
{
	let_go(m);
}
