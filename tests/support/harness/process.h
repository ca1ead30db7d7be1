/* What a process takes of its machine, for tests that it stays within bounds; and processes of a test's own. */
#ifndef TESTS_SUPPORT_HARNESS_PROCESS_H
#define TESTS_SUPPORT_HARNESS_PROCESS_H

#include <stddef.h>
#include <stdint.h>

/* Resident bytes of this process, pages of files that it has mapped included. */
uint64_t process_resident_bytes(void);

/* Those of them that are nobody else's and no file's. */
uint64_t process_private_bytes(void);

/* Open descriptors, and threads. */
unsigned process_descriptors(void);
unsigned process_threads(void);

/* Entries of the directory, hidden ones not counted. */
unsigned process_count_files(const char *directory);

/*
 * Runs the function in a child. Returns what it returned, as an exit status; 1000 and the signal if one ended the child. One
 * that hangs is killed after a minute.
 */
int process_run(int (*act)(void *user), void *user);

/* Zeroed memory that children of this process share; room that is not used costs nothing. */
void *process_share(size_t size);
void process_unshare(void *shared, size_t size);

#endif
