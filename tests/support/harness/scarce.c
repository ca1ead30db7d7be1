#include "tests/support/harness/scarce.h"

#include "tests/support/harness/check.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#define TABLE 65536u

static _Atomic uint32_t armed;
static scarce_kind failing;
static uint32_t fail_at, fail_times;
static _Atomic uint32_t calls[2], failed;

/* The blocks that live, by open addressing. */
static atomic_flag table_lock = ATOMIC_FLAG_INIT;
static const void *table[TABLE];
static size_t live;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *block);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);
int __wrap_asprintf(char **out, const char *format, ...) __attribute__((format(printf, 2, 3)));
void __wrap_free(void *block);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);

/* ---- The blocks that live ---------------------------------------------------------------------------------------- */

static size_t
place_of(const void *block)
{
	size_t at = ((uintptr_t)block >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 32 & (TABLE - 1);
	while (table[at] && table[at] != block)
		at = (at + 1) & (TABLE - 1);
	return at;
}

static void
enter(const void *block)
{
	if (!block || !atomic_load(&armed))
		return;
	while (atomic_flag_test_and_set(&table_lock)) {
	}
	CHECK(live < TABLE / 2);
	table[place_of(block)] = block;
	live++;
	atomic_flag_clear(&table_lock);
}

/* Those behind it are put in anew, for one of them may have been there for want of this place. */
static void
forget(const void *block)
{
	while (atomic_flag_test_and_set(&table_lock)) {
	}
	size_t at = place_of(block);
	bool known = block && table[at];
	if (known) {
		table[at] = NULL;
		live--;
	}
	for (at = (at + 1) & (TABLE - 1); known && table[at]; at = (at + 1) & (TABLE - 1)) {
		const void *other = table[at];
		table[at] = NULL;
		table[place_of(other)] = other;
	}
	atomic_flag_clear(&table_lock);
}

/* ---- The calls --------------------------------------------------------------------------------------------------- */

static bool
fails(scarce_kind kind)
{
	if (!atomic_load(&armed))
		return false;
	uint32_t number = atomic_fetch_add(&calls[kind], 1);
	bool does = kind == failing && number >= fail_at && number - fail_at < fail_times;
	if (does) {
		atomic_fetch_add(&failed, 1);
		errno = ENOMEM;
	}
	return does;
}

void *
__wrap_malloc(size_t size)
{
	void *block = fails(SCARCE_MEMORY) ? NULL : __real_malloc(size);
	enter(block);
	return block;
}

void *
__wrap_calloc(size_t count, size_t size)
{
	void *block = fails(SCARCE_MEMORY) ? NULL : __real_calloc(count, size);
	enter(block);
	return block;
}

void *
__wrap_realloc(void *block, size_t size)
{
	if (fails(SCARCE_MEMORY))
		return NULL;
	forget(block);
	void *moved = __real_realloc(block, size);
	CHECK(moved || size == 0);
	enter(moved);
	return moved;
}

void *
__wrap_aligned_alloc(size_t alignment, size_t size)
{
	void *block = fails(SCARCE_MEMORY) ? NULL : __real_aligned_alloc(alignment, size);
	enter(block);
	return block;
}

char *
__wrap_strndup(const char *text, size_t size)
{
	size = strnlen(text, size);
	char *copy = __wrap_malloc(size + 1);
	if (!copy)
		return NULL;
	memcpy(copy, text, size);
	copy[size] = '\0';
	return copy;
}

char *
__wrap_strdup(const char *text)
{
	return __wrap_strndup(text, SIZE_MAX);
}

int
__wrap_asprintf(char **out, const char *format, ...)
{
	va_list arguments;
	if (fails(SCARCE_MEMORY))
		return -1;
	va_start(arguments, format);
	int size = vasprintf(out, format, arguments);
	va_end(arguments);
	CHECK(size >= 0);
	enter(*out);
	return size;
}

void
__wrap_free(void *block)
{
	if (block)
		forget(block);
	__real_free(block);
}

int
__wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
	return fails(SCARCE_THREADS) ? EAGAIN : __real_pthread_create(thread, attributes, run, argument);
}

/* ---- Arming ------------------------------------------------------------------------------------------------------ */

void
scarce_arm(scarce_kind kind, uint32_t at, uint32_t times)
{
	failing = kind;
	fail_at = at;
	fail_times = times;
	atomic_store(&calls[0], 0);
	atomic_store(&calls[1], 0);
	atomic_store(&failed, 0);
	atomic_store(&armed, 1);
}

void
scarce_disarm(void)
{
	atomic_store(&armed, 0);
}

uint32_t
scarce_calls(void)
{
	return atomic_load(&calls[failing]);
}

uint32_t
scarce_failed(void)
{
	return atomic_load(&failed);
}

size_t
scarce_live(void)
{
	return live;
}
