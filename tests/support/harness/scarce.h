/*
 * Memory and threads that are not there: the n-th allocation of ours fails, or the n-th thread cannot be made. For programs
 * that are linked with --wrap for each of these calls (tests/CMakeLists.txt), so that libraries keep theirs.
 */
#ifndef TESTS_SUPPORT_HARNESS_SCARCE_H
#define TESTS_SUPPORT_HARNESS_SCARCE_H

#include <stddef.h>
#include <stdint.h>

typedef enum scarce_kind { SCARCE_MEMORY, SCARCE_THREADS } scarce_kind;

#define SCARCE_FOR_GOOD UINT32_MAX

/* Calls from number `at` on fail, `times` of them in a row. */
void scarce_arm(scarce_kind kind, uint32_t at, uint32_t times);
void scarce_disarm(void);

/* How many calls of the kind there were since, and how many failed. */
uint32_t scarce_calls(void);
uint32_t scarce_failed(void);

/* Blocks that were allocated since, and not freed. */
size_t scarce_live(void);

#endif
