#include "sdk/queue/recovery/litter.h"

#include "sdk/base/clock.h"
#include "sdk/queue/directory.h"
#include "sdk/queue/file_names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OLD_S 60

bool
otlog__queue_name_of(const char *file, const char *suffix, char name[OTLOG__QUEUE_NAME_MAX])
{
	size_t whole = strlen(file), end = strlen(suffix);
	if (whole <= end || whole - end >= OTLOG__QUEUE_NAME_MAX || strcmp(file + whole - end, suffix) != 0)
		return false;
	memcpy(name, file, whole - end);
	name[whole - end] = '\0';
	return true;
}

/* Whether it is of this user and was last changed a while ago, or in the future: the clock may have been set. */
static bool
is_old(int directory, const char *file)
{
	struct stat info;
	if (fstatat(directory, file, &info, AT_SYMLINK_NOFOLLOW) != 0 || info.st_uid != geteuid())
		return false;
	int64_t age = (int64_t)(otlog__unix_nano() / OTLOG__NANOS_PER_S) - (int64_t)info.st_mtim.tv_sec;
	return age > OLD_S || age < -OLD_S;
}

static bool
is_there(int directory, const char *name, const char *suffix)
{
	char file[OTLOG__QUEUE_NAME_MAX + 8];
	snprintf(file, sizeof file, "%s%s", name, suffix);
	return faccessat(directory, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

/* A queue that was never finished: its maker died, or would hold the lock. */
static void
remove_unfinished(int directory, const char *file, const char *name)
{
	char meta[OTLOG__QUEUE_NAME_MAX + 8];
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	if (!otlog__names_claim(name))
		return;
	int fd = otlog__directory_open_file(directory, file, O_RDWR);
	if (fd >= 0 && fcntl(fd, F_SETLK, &lock) == 0 && otlog__directory_still_has(directory, file, fd)) {
		snprintf(meta, sizeof meta, "%s.meta", name);
		unlinkat(directory, meta, 0);
		unlinkat(directory, file, 0);
	}
	if (fd >= 0)
		close(fd);
	otlog__names_give_up(name);
}

/* An empty NAME.queue, which can be locked. */
static void
give_queue(int directory, const char *name)
{
	char file[OTLOG__QUEUE_NAME_MAX + 8];
	if (!otlog__names_claim(
		name)) /* this process has it open, and closing another descriptor would give up the lock */
		return;
	snprintf(file, sizeof file, "%s.queue", name);
	int fd = openat(directory, file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	otlog__names_give_up(name);
}

void
otlog__litter_remove(int directory, const char *file)
{
	char name[OTLOG__QUEUE_NAME_MAX];
	bool unfinished = otlog__queue_name_of(file, ".new", name);
	bool meta = !unfinished && otlog__queue_name_of(file, ".meta", name);
	bool spool = !unfinished && !meta && otlog__queue_name_of(file, ".spool", name);
	if ((!unfinished && !meta && !spool) || !is_old(directory, file) || otlog__names_has(name))
		return;
	if (unfinished)
		remove_unfinished(directory, file, name);
	/* In this order: NAME.new becomes NAME.queue. */
	else if (is_there(directory, name, ".new") || is_there(directory, name, ".queue"))
		return;
	else if (meta)
		unlinkat(directory, file, 0);
	else
		give_queue(directory, name);
}
