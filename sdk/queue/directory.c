#include "sdk/queue/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

#define OWNER_ONLY 0700
#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

static int
trouble_is(otlog__directory_trouble *trouble, int error, const char *cause, const char *remedy)
{
	*trouble = (otlog__directory_trouble){ .cause = cause, .remedy = remedy, .error = error };
	return -1;
}

/* Only where fallocate keeps its promise that a mapped write will find room: anything else could raise SIGBUS. */
static bool
file_system_is_trusted(int directory)
{
	struct statfs info;
	if (fstatfs(directory, &info) != 0)
		return false;
	switch ((unsigned long)info.f_type) {
	case EXT4_SUPER_MAGIC:
	case XFS_SUPER_MAGIC:
	case BTRFS_SUPER_MAGIC:
	case TMPFS_MAGIC:
		return true;
	default:
		return false;
	}
}

bool
otlog__directory_is_ours(const struct stat *info)
{
	return info->st_uid == geteuid() && (info->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* Whether the path is a link that somebody else may have laid. */
static bool
is_strange_link(const char *path)
{
	struct stat info;
	return lstat(path, &info) == 0 && S_ISLNK(info.st_mode) && info.st_uid != geteuid() && info.st_uid != 0;
}

/* A folder that was just made is on the disk only once the one that it lies in is. */
static void
keep_name(int folder)
{
	int parent = openat(folder, "..", FOLDER_FLAGS);
	if (parent < 0)
		return;
	fsync(parent); /* where that fails, the files' own syncing will, and says so */
	close(parent);
}

/* The folder of our own inside one that others write to. */
static int
open_inside(int outer, bool create, otlog__directory_trouble *trouble)
{
	char name[32];
	struct stat info;
	snprintf(name, sizeof name, "otlog-%lu", (unsigned long)geteuid());
	bool made = create && mkdirat(outer, name, OWNER_ONLY) == 0;
	if (create && !made && errno != EEXIST)
		return trouble_is(trouble, errno,
		                  "it is not this user's alone, and no folder of our own can be made inside",
		                  "name one that is writable for this user alone (mode 0700)");
	int inner = openat(outer, name, FOLDER_FLAGS | O_NOFOLLOW);
	if (inner < 0)
		return trouble_is(trouble, errno,
		                  "it is not this user's alone, and the folder otlog-<uid> inside cannot be opened",
		                  "remove that, or name a directory that is writable for this user alone (mode 0700)");
	if (fstat(inner, &info) == 0 && otlog__directory_is_ours(&info)) {
		if (made)
			keep_name(inner);
		return inner;
	}
	close(inner);
	return trouble_is(trouble, EPERM, "the folder otlog-<uid> inside it is somebody else's",
	                  "remove that, or name a directory that is writable for this user alone (mode 0700)");
}

int
otlog__directory_open(const char *path, bool create, otlog__directory_trouble *trouble)
{
	struct stat info;
	if (is_strange_link(path))
		return trouble_is(trouble, ELOOP, "it is a link of somebody else's", "name the directory itself");
	int fd = open(path, FOLDER_FLAGS), error = errno;
	if (fd < 0 && error == ENOENT && create && mkdir(path, OWNER_ONLY) == 0) {
		fd = open(path, FOLDER_FLAGS | O_NOFOLLOW);
		error = errno;
		if (fd >= 0)
			keep_name(fd);
	}
	if (fd < 0)
		return trouble_is(trouble, error, "it cannot be opened as a directory",
		                  "create it, readable and writable for this user");
	if (!file_system_is_trusted(fd)) {
		close(fd);
		return trouble_is(trouble, 0, "its file system may run out of room that it has promised",
		                  "choose a directory on ext4, xfs, btrfs or tmpfs; in a container, one on a volume");
	}
	if (fstat(fd, &info) == 0 && otlog__directory_is_ours(&info))
		return fd;
	int inner = open_inside(fd, create, trouble);
	close(fd);
	return inner;
}

/* 0, or the errno that says why the file is not to be used. */
static int
file_fault(const struct stat *info)
{
	if (!S_ISREG(info->st_mode))
		return EINVAL;
	if (info->st_uid != geteuid() || info->st_mode & (S_IWGRP | S_IWOTH))
		return EPERM;
	return info->st_nlink == 1 ? 0 : EMLINK;
}

int
otlog__directory_open_file(int directory, const char *file, int flags)
{
	struct stat info;
	/* O_NONBLOCK: were it a pipe, opening it would wait for the other end. */
	int fd = openat(directory, file, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	int error = fstat(fd, &info) == 0 ? file_fault(&info) : errno;
	if (error == 0)
		return fd;
	close(fd);
	errno = error;
	return -1;
}

bool
otlog__directory_still_has(int directory, const char *file, int fd)
{
	struct stat open_one, named;
	return fstat(fd, &open_one) == 0 && fstatat(directory, file, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       open_one.st_dev == named.st_dev && open_one.st_ino == named.st_ino && file_fault(&open_one) == 0;
}

bool
otlog__directory_visit(int directory, void (*take)(void *user, const char *file), void *user)
{
	struct dirent **entries;
	int count = scandirat(directory, ".", &entries, NULL, alphasort);
	if (count < 0)
		return false;
	for (int i = 0; i < count; i++) {
		if (strcmp(entries[i]->d_name, ".") != 0 && strcmp(entries[i]->d_name, "..") != 0)
			take(user, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return true;
}
