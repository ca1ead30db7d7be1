#include "tests/support/harness/small_disk.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static bool
write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	if (fd >= 0)
		close(fd);
	return done;
}

bool
small_disk_mount(const char *directory, const char *options, unsigned long flags)
{
	char users[64], groups[64];
	snprintf(users, sizeof users, "0 %ld 1", (long)getuid());
	snprintf(groups, sizeof groups, "0 %ld 1", (long)getgid());
	if (unshare(CLONE_NEWNS) != 0 &&
	    (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0 || !write_text("/proc/self/uid_map", users) ||
	     !write_text("/proc/self/setgroups", "deny") || !write_text("/proc/self/gid_map", groups)))
		return false;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tiny", directory, "tmpfs", flags, options) == 0;
}
