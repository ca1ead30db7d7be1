/* What the stack tells of signal handlers, and which module an address lies in. */
#include "sdk/crash/modules.h"
#include "sdk/crash/stack.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/harness/sanitized.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static volatile sig_atomic_t seen;
static uintptr_t addresses[64];
static size_t address_count;

static __attribute__((noinline)) int
look_from(int depth)
{
	volatile int below = depth;
	if (depth > 0)
		return look_from(depth - 1) + below - below;
	return otlog__in_signal_handler();
}

static void
look(int signal)
{
	(void)signal;
	seen = look_from(20);
	address_count = otlog__stack_addresses(addresses, 64);
}

static void
only_what_the_kernel_has_called_counts_as_a_handler(void **state)
{
	(void)state;
	if (UNDER_TSAN)
		skip();
	otlog__stack_prime();
	assert_false(otlog__in_signal_handler());
	assert_false(look_from(50));
	look(SIGUSR1); /* a call like any other */
	assert_int_equal(seen, 0);
	signal(SIGUSR1, look);
	raise(SIGUSR1);
	signal(SIGUSR1, SIG_DFL);
	assert_int_equal(seen, 1);
	assert_false(otlog__in_signal_handler());
}

/* The first address is where the signal came: in raise, which is the C library's; this program is further out. */
static void
addresses_begin_with_what_was_interrupted(void **state)
{
	(void)state;
	if (UNDER_TSAN)
		skip();
	bool here = false;
	uintptr_t offset;
	otlog__modules_refresh();
	signal(SIGUSR1, look);
	raise(SIGUSR1);
	signal(SIGUSR1, SIG_DFL);
	assert_true(address_count > 1);
	if (!UNDER_ASAN) {
		const char *first = otlog__modules_find(addresses[0], &offset);
		assert_non_null(first);
		assert_int_equal(strncmp(first, "libc", 4), 0);
	}
	for (size_t i = 0; i < address_count; i++) {
		const char *name = otlog__modules_find(addresses[i], &offset);
		here |= name && strcmp(name, "unit-stack_test") == 0;
	}
	assert_true(here);
}

static void
an_address_is_found_in_its_module(void **state)
{
	(void)state;
	uintptr_t offset = 0;
	int on_the_stack;
	Dl_info info;
	otlog__modules_refresh();
	assert_string_equal(otlog__modules_find((uintptr_t)look_from, &offset), "unit-stack_test");
	assert_true(dladdr((void *)(uintptr_t)look_from, &info) != 0);
	assert_true((uintptr_t)look_from - offset <= (uintptr_t)info.dli_fbase); /* the bias: 0 if it was not moved */
	assert_null(otlog__modules_find((uintptr_t)&on_the_stack, &offset));
	assert_null(otlog__modules_find(0, &offset));
}

static void
a_library_that_comes_later_is_found_after_a_refresh(void **state)
{
	(void)state;
	uintptr_t offset;
	otlog__modules_refresh();
	void *library = dlopen("libresolv.so.2", RTLD_NOW | RTLD_LOCAL);
	void *function = library ? dlsym(library, "ns_name_skip") : NULL;
	if (!function)
		skip();
	otlog__modules_refresh();
	otlog__modules_refresh(); /* nothing new: the same list */
	const char *name = otlog__modules_find((uintptr_t)function, &offset);
	assert_non_null(name);
	assert_int_equal(strncmp(name, "lib", 3), 0);
	dlclose(library);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_the_kernel_has_called_counts_as_a_handler),
		cmocka_unit_test(addresses_begin_with_what_was_interrupted),
		cmocka_unit_test(an_address_is_found_in_its_module),
		cmocka_unit_test(a_library_that_comes_later_is_found_after_a_refresh),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
