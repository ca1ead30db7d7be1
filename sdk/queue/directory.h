/*
 * The queue directory: a folder that nobody else can write to, on a file system where room that was reserved is there.
 *
 * If the one that was named is not there it is created, for its owner alone; its parent must exist. If it belongs to
 * somebody else, or others may write to it (/tmp), a folder `otlog-<uid>` is made inside and used instead: whoever could
 * put files beside ours could have us send them. A link that is not ours nor root's is not followed.
 */
#ifndef OTLOG_QUEUE_DIRECTORY_H
#define OTLOG_QUEUE_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>

/* What went wrong with a queue directory, for the one diagnostic. */
typedef struct otlog__directory_trouble {
	const char *cause;
	const char *remedy;
	int error; /* errno, or 0 */
} otlog__directory_trouble;

/*
 * Returns a descriptor that may be read (readdir) and used for openat, or -1 with *trouble. `create`: makes what is
 * missing; else nothing is changed. May block for the disk.
 */
int otlog__directory_open(const char *path, bool create, otlog__directory_trouble *trouble);

struct stat;

/* Whether nobody else can put files into it. */
bool otlog__directory_is_ours(const struct stat *info);

/*
 * Opens a file that another user may have put there: never a link, a device or a pipe. It must be a file of ours that
 * nobody else may write to, with one name. -1 with errno set: ELOOP, EINVAL (no plain file), EPERM (somebody else's),
 * EMLINK, or the system's.
 */
int otlog__directory_open_file(int directory, const char *file, int flags);

/* Whether the file, which is open, is still what the name stands for, and nothing else does. */
bool otlog__directory_still_has(int directory, const char *file, int fd);

/* Calls the function with every file name in order of the alphabet. False with errno set if it cannot be read. */
bool otlog__directory_visit(int directory, void (*take)(void *user, const char *file), void *user);

#endif
