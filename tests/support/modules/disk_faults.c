/*
 * The library of tests/support/harness/disk_faults.h: libc's calls, some of which fail. They go to the kernel by
 * themselves.
 */
#include "tests/support/harness/disk_faults.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

extern disk_faults_plan otlog_test_disk_faults;
EXPORT disk_faults_plan otlog_test_disk_faults;

/* Whether the path, or what the descriptor stands for, lies in the directory. */
static bool
is_within(const char *path)
{
	size_t size = strlen(otlog_test_disk_faults.path);
	return strncmp(path, otlog_test_disk_faults.path, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

static bool
is_ours(int fd)
{
	char link[32], path[512];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t size = readlink(link, path, sizeof path - 1);
	if (size < 0)
		return false;
	path[size] = '\0';
	return is_within(path);
}

static bool
names_ours(int directory, const char *path)
{
	return path[0] == '/' ? is_within(path) : directory != AT_FDCWD && is_ours(directory);
}

/* Whether this call of a file of ours is to fail. */
static bool
fails(disk_call call)
{
	disk_faults_plan *p = &otlog_test_disk_faults;
	if (p->call != call && (p->call != DISK_TRUNCATE || call != DISK_WRITE))
		return false;
	uint32_t number = atomic_fetch_add(&p->calls, 1);
	bool does = number >= p->at && number - p->at < p->times;
	if (does) {
		atomic_fetch_add(&p->failed, 1);
		errno = p->error;
	}
	return does;
}

static bool
is_armed(void)
{
	return atomic_load(&otlog_test_disk_faults.armed) != 0;
}

static bool
fails_at(int fd, disk_call call)
{
	int error = errno;
	if (is_armed() && is_ours(fd) && fails(call))
		return true;
	errno = error;
	return false;
}

static int
open_at(int directory, const char *path, int flags, va_list more)
{
	mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
	int error = errno;
	if (flags & O_CREAT && is_armed() && names_ours(directory, path) && fails(DISK_CREATE))
		return -1;
	errno = error;
	return (int)syscall(SYS_openat, directory, path, flags, mode);
}

EXPORT int
openat(int directory, const char *path, int flags, ...)
{
	va_list more;
	va_start(more, flags);
	int fd = open_at(directory, path, flags, more);
	va_end(more);
	return fd;
}

EXPORT int
open(const char *path, int flags, ...)
{
	va_list more;
	va_start(more, flags);
	int fd = open_at(AT_FDCWD, path, flags, more);
	va_end(more);
	return fd;
}

EXPORT int
mkdirat(int directory, const char *path, mode_t mode)
{
	if (is_armed() && names_ours(directory, path) && fails(DISK_MKDIR))
		return -1;
	return (int)syscall(SYS_mkdirat, directory, path, mode);
}

EXPORT int
mkdir(const char *path, mode_t mode)
{
	return mkdirat(AT_FDCWD, path, mode);
}

EXPORT int
posix_fallocate(int fd, off_t offset, off_t size)
{
	int error = errno;
	if (fails_at(fd, DISK_ALLOCATE))
		return otlog_test_disk_faults.error;
	int result = syscall(SYS_fallocate, fd, 0, offset, size) == 0 ? 0 : errno;
	errno = error;
	return result;
}

EXPORT ssize_t
write(int fd, const void *bytes, size_t size)
{
	return fails_at(fd, DISK_WRITE) ? -1 : syscall(SYS_write, fd, bytes, size);
}

EXPORT ssize_t
writev(int fd, const struct iovec *parts, int count)
{
	return fails_at(fd, DISK_WRITE) ? -1 : syscall(SYS_writev, fd, parts, count);
}

EXPORT ssize_t
pwrite(int fd, const void *bytes, size_t size, off_t position)
{
	return fails_at(fd, DISK_WRITE) ? -1 : syscall(SYS_pwrite64, fd, bytes, size, position);
}

/* One that fails has written a part before, every other time. */
EXPORT ssize_t
pwritev(int fd, const struct iovec *parts, int count, off_t position)
{
	if (!fails_at(fd, DISK_WRITE))
		return syscall(SYS_pwritev, fd, parts, count, position, 0);
	int error = errno;
	if (atomic_load(&otlog_test_disk_faults.failed) % 2 == 0)
		syscall(SYS_pwrite64, fd, parts->iov_base, parts->iov_len, position);
	errno = error;
	return -1;
}

EXPORT int
fdatasync(int fd)
{
	return fails_at(fd, DISK_SYNC) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

EXPORT int
fsync(int fd)
{
	return fails_at(fd, DISK_SYNC) ? -1 : (int)syscall(SYS_fsync, fd);
}

EXPORT int
ftruncate(int fd, off_t size)
{
	const disk_faults_plan *p = &otlog_test_disk_faults;
	if (!is_armed() || p->call != DISK_TRUNCATE || atomic_load(&p->failed) == 0 || !is_ours(fd))
		return (int)syscall(SYS_ftruncate, fd, size);
	errno = p->error;
	return -1;
}

EXPORT int
renameat(int from_directory, const char *from, int to_directory, const char *to)
{
	if (is_armed() && names_ours(to_directory, to) && fails(DISK_RENAME))
		return -1;
	return (int)syscall(SYS_renameat2, from_directory, from, to_directory, to, 0);
}
