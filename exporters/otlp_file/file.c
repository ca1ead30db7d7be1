#include "exporters/otlp_file/file.h"

#include "sdk/base/clock.h"
#include "sdk/base/process/diagnostics.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Others may replace the file while we look; as often as this in a row nobody does. */
#define OPEN_TRIES 64

/* Between two looks at a lock that is held. */
#define LOCK_WAIT_MIN_NANO 50000
#define LOCK_WAIT_MAX_NANO 1000000

bool
otlog__file_init(otlog__file *f, const char *path, const otlog__rotation *rotation, bool sync)
{
	*f = (otlog__file){ .path = strdup(path), .rotation = *rotation, .sync = sync, .stream.fd = -1 };
	return f->path != NULL;
}

bool
otlog__file_sync(otlog__file *f)
{
	if (f->stream.fd < 0 || !f->regular || !f->dirty)
		return true;
	if (fdatasync(f->stream.fd))
		return false;
	f->dirty = false;
	return true;
}

void
otlog__file_close(otlog__file *f)
{
	if (f->stream.fd < 0)
		return;
	if (f->sync)
		otlog__file_sync(f);
	if (f->regular)
		flock(f->stream.fd, LOCK_UN); /* a forked child has the descriptor too, and would go on holding it */
	close(f->stream.fd);
	f->stream.fd = -1;
	f->dirty = false;
}

void
otlog__file_free(otlog__file *f)
{
	otlog__file_close(f);
	free(f->path);
	f->path = NULL;
}

/* ---- Opening ----------------------------------------------------------------------------------------------------- */

/* When the file began, or where that is not recorded, when it was last written to before we came. */
static uint64_t
birth_of(int fd, const struct stat *st)
{
	struct statx x;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &x) == 0 && x.stx_mask & STATX_BTIME)
		return x.stx_btime.tv_sec > 0 ? (uint64_t)x.stx_btime.tv_sec : 0;
	return st->st_mtim.tv_sec > 0 ? (uint64_t)st->st_mtim.tv_sec : 0;
}

/* 0 or an errno. A FIFO is not opened for reading too: it would then never be without a reader. */
static int
open_path(otlog__file *f)
{
	struct stat st;
	bool regular = stat(f->path, &st) || S_ISREG(st.st_mode);
	if (!regular && S_ISDIR(st.st_mode))
		return EISDIR;
	int fd =
	    open(f->path, O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (regular ? O_RDWR | O_CREAT : O_WRONLY), 0640);
	if (fd < 0)
		return errno;
	int error = fstat(fd, &st) ? errno : S_ISREG(st.st_mode) != regular ? EAGAIN : 0; /* swapped meanwhile */
	if (error) {
		close(fd);
		return error;
	}
	otlog__stream_point(&f->stream, fd);
	f->regular = regular;
	f->device = st.st_dev;
	f->inode = st.st_ino;
	f->born_s = birth_of(fd, &st);
	f->end = 0;
	return 0;
}

/* Whether the path still leads to what is open. */
static bool
is_current(const otlog__file *f)
{
	struct stat st;
	return stat(f->path, &st) == 0 && st.st_dev == f->device && st.st_ino == f->inode;
}

/* 0 or an errno. Waits by looking again: a sleeping flock could not be given up at the deadline. */
static int
lock(otlog__file *f, uint64_t deadline_nano)
{
	long wait = LOCK_WAIT_MIN_NANO;
	while (flock(f->stream.fd, LOCK_EX | LOCK_NB)) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK) {
			if (!f->lockless)
				otlog__diagnose_always(
				    OTLOG__WARN,
				    "otlp_file: %.200s lies on a file system without locks. Let only one "
				    "process write it",
				    f->path);
			f->lockless = true;
			return 0;
		}
		if (otlog__stream_cancelled(&f->stream))
			return ECANCELED;
		if (otlog__monotonic_nano() >= deadline_nano)
			return ETIMEDOUT;
		nanosleep(&(struct timespec){ .tv_nsec = wait }, NULL);
		wait = wait * 2 < LOCK_WAIT_MAX_NANO ? wait * 2 : LOCK_WAIT_MAX_NANO;
	}
	return 0;
}

/* Opens and locks what the path leads to now. 0 or an errno. */
static int
take_hold(otlog__file *f, uint64_t deadline_nano)
{
	for (unsigned i = 0; i < OPEN_TRIES; i++) {
		int error = f->stream.fd < 0 ? open_path(f) : 0;
		if (error == EAGAIN)
			continue;
		if (!error && f->regular)
			error = lock(f, deadline_nano);
		if (error)
			return error;
		if (is_current(f))
			return 0;
		otlog__file_close(f);
	}
	return EAGAIN;
}

/* ---- Writing ----------------------------------------------------------------------------------------------------- */

/* Whether the file ends within a line. Our own last line did not, if nothing came behind it. */
static bool
is_torn(const otlog__file *f, uint64_t size)
{
	char last;
	return size && size != f->end && pread(f->stream.fd, &last, 1, (off_t)size - 1) == 1 && last != '\n';
}

/* A write over this limit would raise SIGXFSZ. */
static bool
is_over_limit(uint64_t size, size_t more)
{
	struct rlimit limit;
	return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
	       (size > limit.rlim_cur || more > limit.rlim_cur - size);
}

/* Takes back what is out of a line, if nobody without a lock has written behind it. */
static void
undo(const otlog__file *f, uint64_t size, size_t done)
{
	struct stat st;
	if (done && fstat(f->stream.fd, &st) == 0 && (uint64_t)st.st_size == size + done &&
	    ftruncate(f->stream.fd, (off_t)size))
		return; /* it is seen as torn, and ended, by the next line */
}

/* At the end of a locked file of that size. 0 or an errno. */
static int
write_line(otlog__file *f, const uint8_t *text, size_t size, uint64_t at)
{
	size_t done = 0;
	int error = 0;
	if (!is_torn(f, at)) {
		text++;
		size--;
	}
	if (is_over_limit(at, size))
		return EFBIG;
	while (done < size && !error) {
		ssize_t n = write(f->stream.fd, text + done, size - done);
		if (n > 0)
			done += (size_t)n;
		else if (n == 0)
			error = ENOSPC;
		else if (errno != EINTR)
			error = errno;
	}
	if (error) {
		undo(f, at, done);
		return error;
	}
	f->end = at + size;
	f->dirty = true;
	return 0;
}

/* Renames the locked file. False if it stays: a file that is too large is better than none. */
static bool
rotate(otlog__file *f)
{
	char reason[64];
	char *real = realpath(f->path, NULL); /* a link stays, the file behind it is renamed */
	int error = real ? otlog__rotate(real, f->rotation.max_files) : errno;
	free(real);
	if (error)
		otlog__diagnose(
		    OTLOG__WARN,
		    "otlp_file: %.200s is full but cannot be renamed: %s. Let the process write to its folder", f->path,
		    strerror_r(error, reason, sizeof reason));
	return !error;
}

/* 0 or an errno. */
static int
append(otlog__file *f, const uint8_t *text, size_t size, uint64_t deadline_nano)
{
	struct stat st;
	for (bool may_rotate = true;; may_rotate = false) {
		int error = take_hold(f, deadline_nano);
		if (!error && !f->regular)
			return otlog__stream_write(&f->stream, text + 1, size - 1, deadline_nano);
		if (!error && fstat(f->stream.fd, &st))
			error = errno;
		if (error)
			return error;
		uint64_t at = (uint64_t)st.st_size, now_s = otlog__unix_nano() / OTLOG__NANOS_PER_S;
		if (!may_rotate || !otlog__rotation_due(&f->rotation, at, size - 1, f->born_s, now_s) || !rotate(f)) {
			error = write_line(f, text, size, at);
			flock(f->stream.fd, LOCK_UN);
			return error;
		}
		otlog__file_close(f);
	}
}

static const char *
remedy_of(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return "Create its folder, or choose another path";
	case EACCES:
	case EPERM:
	case EROFS:
		return "Let the process write there, or choose another path";
	case EISDIR:
		return "Choose the path of a file";
	case ENOSPC:
	case EDQUOT:
		return "Make room on its disk";
	case EFBIG:
		return "Raise the limit of file sizes (ulimit -f), or set max_file_bytes below it";
	case ENXIO:
	case EPIPE:
		return "Start what reads it";
	case ETIMEDOUT:
		return "See who holds its lock (lslocks), or reads it too slowly";
	case ECANCELED:
		return "The SDK is shutting down; give otlog_shutdown more time";
	default:
		return "See to what is there, or choose another path";
	}
}

void
otlog__file_append(otlog__file *f, const uint8_t *text, size_t size, uint64_t deadline_nano,
                   otlog_export_result *result)
{
	char reason[64];
	int error = otlog__stream_cancelled(&f->stream) ? ECANCELED : append(f, text, size, deadline_nano);
	if (!error) {
		result->verdict = OTLOG_VERDICT_OK;
		return;
	}
	otlog__file_close(f); /* what is there at the next try may be another file */
	result->verdict = OTLOG_VERDICT_RETRY;
	snprintf(result->message, sizeof result->message, "cannot write to %.100s: %s. %s", f->path,
	         strerror_r(error, reason, sizeof reason), remedy_of(error));
}
