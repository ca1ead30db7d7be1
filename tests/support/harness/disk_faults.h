/*
 * A disk that fails at the n-th call, for a library to be preloaded: it stands before libc's calls and has those on files of
 * one directory fail. The rest of the world is as it was.
 *
 *   disk_faults_preload(library, argv);                in main(): the program starts again with the library
 *   disk_faults_arm(DISK_WRITE, 3, 1, ENOSPC, path);   the fourth call fails, once
 *
 * A forked child goes on with what was armed, and counts for itself.
 */
#ifndef TESTS_SUPPORT_HARNESS_DISK_FAULTS_H
#define TESTS_SUPPORT_HARNESS_DISK_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum disk_call {
	DISK_CREATE, /* open and openat with O_CREAT */
	DISK_MKDIR,
	DISK_ALLOCATE, /* posix_fallocate */
	DISK_WRITE,    /* write, writev, pwrite, pwritev */
	DISK_SYNC,     /* fsync, fdatasync */
	DISK_TRUNCATE, /* a write, and every ftruncate behind it */
	DISK_RENAME,
	DISK_CALLS
} disk_call;

#define DISK_FOR_GOOD UINT32_MAX

/* False: there is no library (NULL), for a sanitizer stands in its place. */
bool disk_faults_preload(const char *library, char **argv);

/* Calls of the kind from number `at` on fail, `times` of them in a row. `path` is the directory's real one. */
void disk_faults_arm(disk_call call, uint32_t at, uint32_t times, int error, const char *path);
void disk_faults_disarm(void);

/* How many calls of the kind there were since, and how many failed. */
uint32_t disk_faults_calls(void);
uint32_t disk_faults_failed(void);

const char *disk_call_name(disk_call call);

/* What the library shares with the program. */
typedef struct disk_faults_plan {
	_Atomic uint32_t armed;
	disk_call call;
	uint32_t at;
	uint32_t times;
	int error;
	char path[128];
	_Atomic uint32_t calls;
	_Atomic uint32_t failed;
} disk_faults_plan;

#endif
