#include "sdk/queue/scopes.h"

#include "sdk/base/process/diagnostics.h"
#include "sdk/queue/layout.h"
#include "sdk/queue/meta.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK 256u
#define CHUNKS 256u
#define NO_NAME UINT16_C(0xfffd) /* stays empty. 0xffff marks skip frames; 0xfffe stays free */

enum { MET = 1, REPORTED = 2 };

typedef struct scope {
	size_t head_size;
	size_t tail_size;
	uint8_t bytes[]; /* head, then tail */
} scope;

struct otlog__scopes {
	pthread_mutex_t mutex;
	int meta; /* under the mutex */
	/* Chunks never move, so readers need no lock. Writers: who holds the mutex, with release; readers acquire. */
	_Atomic(scope *) *_Atomic chunks[CHUNKS];
	uint32_t count;            /* under the mutex */
	_Atomic int unwritten;     /* errno, to be reported; 0: none. Writers: who adds, who reports */
	_Atomic uint32_t too_many; /* MET: to be reported. Writers: who adds, who reports */
};

otlog__scopes *
otlog__scopes_create(int meta)
{
	otlog__scopes *scopes = calloc(1, sizeof *scopes);
	if (!scopes || pthread_mutex_init(&scopes->mutex, NULL) != 0) {
		free(scopes);
		if (meta >= 0)
			close(meta);
		return NULL;
	}
	scopes->meta = meta;
	return scopes;
}

static scope *
copy_scope(const void *head, size_t head_size, const void *tail, size_t tail_size)
{
	if (head_size > SIZE_MAX / 4 || tail_size > SIZE_MAX / 4)
		return NULL;
	scope *copy = malloc(sizeof *copy + head_size + tail_size);
	if (!copy)
		return NULL;
	copy->head_size = head_size;
	copy->tail_size = tail_size;
	if (head_size)
		memcpy(copy->bytes, head, head_size);
	if (tail_size)
		memcpy(copy->bytes + head_size, tail, tail_size);
	return copy;
}

/* Under the mutex. */
static bool
keep(otlog__scopes *scopes, uint32_t number, scope *copy)
{
	_Atomic(scope *) *chunk = atomic_load_explicit(&scopes->chunks[number / CHUNK], memory_order_relaxed);
	if (!chunk) {
		chunk = calloc(CHUNK, sizeof *chunk);
		if (!chunk)
			return false;
		/* Release: readers must find the chunk zeroed. */
		atomic_store_explicit(&scopes->chunks[number / CHUNK], chunk, memory_order_release);
	}
	/* Release: readers must find the scope filled. */
	atomic_store_explicit(&chunk[number % CHUNK], copy, memory_order_release);
	return true;
}

uint16_t
otlog__scopes_add(otlog__scopes *scopes, const void *head, size_t head_size, const void *tail, size_t tail_size)
{
	scope *copy = copy_scope(head, head_size, tail, tail_size);
	if (!copy)
		return NO_NAME; /* no name is better than that of another scope */
	uint16_t number = NO_NAME;
	uint32_t none = 0;
	pthread_mutex_lock(&scopes->mutex);
	/* Relaxed: the marks order nothing. The caller may hold locks, so otlog__scopes_report says what they mark. */
	if (scopes->count == NO_NAME) {
		atomic_compare_exchange_strong_explicit(&scopes->too_many, &none, MET, memory_order_relaxed,
		                                        memory_order_relaxed);
	} else if (keep(scopes, scopes->count, copy)) {
		number = (uint16_t)scopes->count++;
		copy = NULL;
		/* Written before anybody knows the number, so no frame can refer to an entry that is not there. */
		if (scopes->meta >= 0 &&
		    !otlog__meta_append_scope(scopes->meta, number, head, head_size, tail, tail_size))
			atomic_store_explicit(&scopes->unwritten, errno, memory_order_relaxed);
	}
	pthread_mutex_unlock(&scopes->mutex);
	free(copy);
	return number;
}

bool
otlog__scopes_put(otlog__scopes *scopes, uint16_t number, const void *head, size_t head_size, const void *tail,
                  size_t tail_size)
{
	scope *copy = number < NO_NAME ? copy_scope(head, head_size, tail, tail_size) : NULL;
	if (!copy)
		return false;
	pthread_mutex_lock(&scopes->mutex);
	bool kept = otlog__scopes_get(scopes, number).head == NULL && keep(scopes, number, copy);
	pthread_mutex_unlock(&scopes->mutex);
	if (!kept)
		free(copy);
	return kept;
}

void
otlog__scopes_report(otlog__scopes *scopes)
{
	/* Relaxed: the marks order nothing. They are read before they are changed, because this is called often. */
	int error = atomic_load_explicit(&scopes->unwritten, memory_order_relaxed);
	if (error)
		error = atomic_exchange_explicit(&scopes->unwritten, 0, memory_order_relaxed);
	if (error)
		otlog__diagnose(OTLOG__WARN,
		                "a logger's name cannot be written beside the queue's file (%s): after a crash its "
		                "records will come without it; free disk space or raise the limit of file sizes",
		                strerror(error));
	uint32_t met = MET;
	if (atomic_load_explicit(&scopes->too_many, memory_order_relaxed) == MET &&
	    atomic_compare_exchange_strong_explicit(&scopes->too_many, &met, REPORTED, memory_order_relaxed,
	                                            memory_order_relaxed))
		otlog__diagnose_always(
		    OTLOG__WARN,
		    "there are more loggers than the %u that can be told apart: records of the others "
		    "go out without their logger's name; get a logger once and use it again, and do "
		    "not put changing values into its name, version or attributes",
		    (unsigned)NO_NAME);
}

otlog__scope_bytes
otlog__scopes_get(const otlog__scopes *scopes, uint16_t number)
{
	/* Acquire, twice: pairs with the releases in keep. */
	_Atomic(scope *) *chunk = atomic_load_explicit(&scopes->chunks[number / CHUNK], memory_order_acquire);
	const scope *found = chunk ? atomic_load_explicit(&chunk[number % CHUNK], memory_order_acquire) : NULL;
	if (!found)
		return (otlog__scope_bytes){ 0 };
	return (otlog__scope_bytes){ .head = found->bytes,
		                     .head_size = found->head_size,
		                     .tail = found->bytes + found->head_size,
		                     .tail_size = found->tail_size };
}

bool
otlog__scopes_sync(otlog__scopes *scopes)
{
	pthread_mutex_lock(&scopes->mutex);
	int meta = scopes->meta;
	pthread_mutex_unlock(&scopes->mutex);
	/*
	 * With no lock held, so that no thread that takes a logger or forks waits for the disk. The descriptor stays open
	 * meanwhile: the thread that syncs is the one that closes it.
	 */
	return meta < 0 || fdatasync(meta) == 0;
}

void
otlog__scopes_close_file(otlog__scopes *scopes)
{
	pthread_mutex_lock(&scopes->mutex);
	if (scopes->meta >= 0)
		close(scopes->meta);
	scopes->meta = -1;
	pthread_mutex_unlock(&scopes->mutex);
}

void
otlog__scopes_free(otlog__scopes *scopes)
{
	if (!scopes)
		return;
	if (scopes->meta >= 0)
		close(scopes->meta);
	for (uint32_t c = 0; c < CHUNKS; c++) {
		_Atomic(scope *) *chunk = atomic_load_explicit(&scopes->chunks[c], memory_order_relaxed);
		for (uint32_t i = 0; chunk && i < CHUNK; i++)
			free(atomic_load_explicit(&chunk[i], memory_order_relaxed));
		free(chunk);
	}
	free(scopes);
}
