/*
 * The calling thread's stack, read from the unwind tables that compilers write. Nothing is allocated. Async-signal-safe
 * once otlog__stack_prime has run, which makes the unwinder set up what it keeps.
 */
#ifndef OTLOG_CRASH_STACK_H
#define OTLOG_CRASH_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void otlog__stack_prime(void);

/*
 * Whether a signal handler is running in this thread: one of the innermost 256 frames is that from which the kernel
 * called it. Frames without unwind tables end the search.
 */
bool otlog__in_signal_handler(void);

/*
 * The return addresses, innermost first, `most` of them at most. Where a signal handler is running, those of what it
 * interrupted only. Returns how many.
 */
size_t otlog__stack_addresses(uintptr_t *out, size_t most);

#endif
