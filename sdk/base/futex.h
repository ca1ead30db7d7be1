/* Sleeping on a 32-bit word. Waking is async-signal-safe, which no condition variable is. errno stays as it was. */
#ifndef OTLOG_BASE_FUTEX_H
#define OTLOG_BASE_FUTEX_H

#include <stdatomic.h>
#include <stdint.h>

/*
 * Sleeps while *word is `seen`, until somebody wakes the word, or until the monotonic clock passes deadline_nano
 * (UINT64_MAX: no deadline). May return early: look at the word again.
 */
void otlog__futex_wait(_Atomic uint32_t *word, uint32_t seen, uint64_t deadline_nano);

/* Wakes every thread of this process that sleeps on the word. */
void otlog__futex_wake_all(_Atomic uint32_t *word);

#endif
