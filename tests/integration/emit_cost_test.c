/* What emit does not do on the calling thread: no allocation, no blocking lock, hardly a system call. Shown by counting. */
#include "tests/bench/common/workload.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/sdk/sdk_books.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

#define RECORDS 200000

/* volatile: the compiler knows that malloc changes nothing one can see, and would not look again. */
static _Thread_local volatile struct counts {
	bool on;
	uint64_t allocations, locks, system_calls;
} counts;

#ifndef SANITIZED /* the sanitizers put themselves in the same places */

/* Or the libraries would go on calling those of libc. */
#pragma GCC visibility push(default)

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

void *
malloc(size_t size)
{
	counts.allocations += counts.on;
	return __libc_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
	counts.allocations += counts.on;
	return __libc_calloc(count, size);
}

void *
realloc(void *old, size_t size)
{
	counts.allocations += counts.on;
	return __libc_realloc(old, size);
}

int
pthread_mutex_lock(pthread_mutex_t *mutex)
{
	static int (*real)(pthread_mutex_t *);
	counts.locks += counts.on;
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "pthread_mutex_lock");
	return real(mutex);
}

long
syscall(long number, ...)
{
	static long (*real)(long, ...);
	va_list v;
	counts.system_calls += counts.on;
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	va_start(v, number);
	long a = va_arg(v, long), b = va_arg(v, long), c = va_arg(v, long);
	long d = va_arg(v, long), e = va_arg(v, long), f = va_arg(v, long);
	va_end(v);
	return real(number, a, b, c, d, e, f);
}
#pragma GCC visibility pop
#endif

static void
discard(void *self, const otlog_batch *batch, uint64_t timeout_ms, otlog_export_result *result)
{
	(void)self, (void)batch, (void)timeout_ms;
	result->verdict = OTLOG_VERDICT_OK;
}

static void
emit_neither_allocates_nor_locks(void **state)
{
	(void)state;
#ifdef SANITIZED
	skip();
#endif
	static const otlog_exporter_functions functions = { .size = sizeof functions, .export_batch = discard };
	otlog_pipeline_options pipeline = { .exporter = { .functions = &functions, .name = "discard" } };
	otlog_provider *provider =
	    otlog_provider_create(&(otlog_options){ .pipelines = &pipeline, .pipeline_count = 1 });
	assert_non_null(provider);
	otlog_logger *logger = otlog_provider_get_logger(provider, &(otlog_logger_options){ .name = "cost" });

	/* The counters count: or the zeros below would say nothing. */
	counts.on = true;
	void *volatile seen = malloc(1);
	counts.on = false;
	free(seen);
	assert_int_equal(counts.allocations, 1);
	counts.allocations = 0;
	counts.locks = counts.system_calls = 0;
	counts.on = true;

	uint64_t accepted = 0;
	for (unsigned i = 0; i < RECORDS; i++)
		accepted += (i % 2 ? bench_emit_r1 : bench_emit_r2)(logger) == OTLOG_EMIT_ACCEPTED;
	OTLOG_INFO(logger, "by macro", OTLOG_KV("a", 1));
	counts.on = false;

	sdk_books books;
	otlog_provider_flush(provider, 10000);
	sdk_take_books(provider, &books);
	assert_true(accepted > 0);
	assert_int_equal(counts.allocations, 0);
	assert_int_equal(counts.locks, 0);
	assert_in_range(counts.system_calls, 0, books.pipelines[0].batches);
	otlog_provider_destroy(provider);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(emit_neither_allocates_nor_locks) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
