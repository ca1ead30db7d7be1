#include "sdk/queue/file_names.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

#define MOST 1023u

/* Added to the hash of a name that somebody looks into; there may be several of them. */
#define LOOKING UINT64_C(0x9e3779b97f4a7c15)

/* On pages that fork wipes in the child, so that the list is empty there and the latch free. */
typedef struct name_list {
	_Atomic uint32_t latch; /* writer: who swaps 0 for 1, for a look through the list */
	uint64_t hashes[MOST];  /* under the latch; 0: free */
} name_list;

static name_list *list; /* set once */

static void
make_list(void)
{
	void *pages = mmap(NULL, sizeof *list, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		return;
	/* Where the kernel cannot do this, a child leaves alone what only its parent has open: no harm. */
	madvise(pages, sizeof *list, MADV_WIPEONFORK);
	list = pages;
}

/* FNV-1a, never 0. */
static uint64_t
hash_of(const char *name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
	return hash ? hash : 1;
}

static bool
latch(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	uint32_t open = 0;
	pthread_once(&once, make_list);
	if (!list)
		return false;
	/* Acquire: what the last holder wrote. */
	while (!atomic_compare_exchange_weak_explicit(&list->latch, &open, 1, memory_order_acquire,
	                                              memory_order_relaxed)) {
		open = 0;
		sched_yield();
	}
	return true;
}

static void
unlatch(void)
{
	atomic_store_explicit(&list->latch, 0, memory_order_release); /* to the next holder */
}

/* Where the hash stands; MOST if nowhere. Under the latch. */
static size_t
find(uint64_t hash)
{
	size_t i = 0;
	while (i < MOST && list->hashes[i] != hash)
		i++;
	return i;
}

/* Enters the hash if neither of the others is there. */
static bool
enter(uint64_t hash, uint64_t other, uint64_t another)
{
	if (!latch())
		return false;
	size_t room = find(other) == MOST && find(another) == MOST ? find(0) : MOST;
	if (room < MOST)
		list->hashes[room] = hash;
	unlatch();
	return room < MOST;
}

static void
leave(uint64_t hash)
{
	if (!latch())
		return;
	size_t at = find(hash);
	if (at < MOST)
		list->hashes[at] = 0;
	unlatch();
}

static uint64_t
looking_at(const char *name)
{
	uint64_t hash = hash_of(name) + LOOKING;
	return hash ? hash : 1;
}

bool
otlog__names_claim(const char *name)
{
	return enter(hash_of(name), hash_of(name), looking_at(name));
}

void
otlog__names_give_up(const char *name)
{
	leave(hash_of(name));
}

bool
otlog__names_look(const char *name)
{
	return enter(looking_at(name), hash_of(name), hash_of(name));
}

void
otlog__names_looked(const char *name)
{
	leave(looking_at(name));
}

bool
otlog__names_has(const char *name)
{
	if (!latch())
		return true; /* better to touch no file than to lose a lock */
	bool has = find(hash_of(name)) < MOST;
	unlatch();
	return has;
}
