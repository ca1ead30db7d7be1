/* What a sanitizer's own machinery does not stand. */
#ifndef TESTS_SUPPORT_HARNESS_SANITIZED_H
#define TESTS_SUPPORT_HARNESS_SANITIZED_H

#if defined(__has_feature)
#define SANITIZED_HAS(feature) __has_feature(feature)
#else
#define SANITIZED_HAS(feature) 0
#endif

/*
 * The locks of the address sanitizer's allocator may be held by another thread at the moment of a fork: the child can then
 * hang at any allocation.
 */
#if defined(__SANITIZE_ADDRESS__) || SANITIZED_HAS(address_sanitizer)
#define UNDER_ASAN true
#else
#define UNDER_ASAN false
#endif

/*
 * Once in a program whose gRPC looks names up: c-ares keeps what it has read of the machine's own names, and nobody frees
 * that at the end.
 */
#define LEAKS_OF_CARES_ARE_NOT_OURS                    \
	const char *__lsan_default_suppressions(void); \
	const char *__lsan_default_suppressions(void)  \
	{                                              \
		return "leak:libcares";                \
	}

/* The thread sanitizer calls signal handlers itself, as functions, and makes a fork of vfork. */
#if defined(__SANITIZE_THREAD__) || SANITIZED_HAS(thread_sanitizer)
#define UNDER_TSAN true
#else
#define UNDER_TSAN false
#endif

#endif
