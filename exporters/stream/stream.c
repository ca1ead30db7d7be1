#include "exporters/stream/stream.h"

#include "sdk/base/clock.h"
#include "sdk/base/sigpipe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* How long a cancelled write may go on waiting. */
#define LOOK_MS 20

/* How bytes get to one descriptor without blocking. */
typedef struct target {
	int fd;
	int own;     /* a description of our own, to be closed; or -1 */
	size_t step; /* bytes at a time: what a pipe that polls as writable takes without blocking, or no limit */
	bool socket;
} target;

/* FNV-1a: tells one text from another, no more. */
static uint64_t
hash_of(const uint8_t *text, size_t size)
{
	uint64_t hash = 0xcbf29ce484222325;
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ text[i]) * 0x100000001b3;
	return hash;
}

bool
otlog__stream_cancelled(const otlog__stream *s)
{
	return atomic_load_explicit(&s->cancel, memory_order_relaxed); /* nothing else is handed over with it */
}

void
otlog__stream_cancel(otlog__stream *s)
{
	atomic_store_explicit(&s->cancel, true, memory_order_relaxed);
}

/* 0, or EFBIG if the write would go over RLIMIT_FSIZE: trying it would raise SIGXFSZ. */
static int
check_limit(int fd, int flags, const struct stat *st, size_t size)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_FSIZE, &limit) || limit.rlim_cur == RLIM_INFINITY)
		return 0;
	off_t at = flags & O_APPEND ? st->st_size : lseek(fd, 0, SEEK_CUR);
	return at >= 0 && ((uint64_t)at > limit.rlim_cur || size > limit.rlim_cur - (uint64_t)at) ? EFBIG : 0;
}

/* 0 or an errno. */
static int
aim(const otlog__stream *s, size_t size, target *t)
{
	struct stat st;
	char path[40];
	int flags = fcntl(s->fd, F_GETFL);
	*t = (target){ .fd = s->fd, .own = -1, .step = SIZE_MAX };
	if (flags < 0 || fstat(s->fd, &st))
		return errno;
	if (!s->open || st.st_dev != s->device || st.st_ino != s->inode)
		return EBADF;
	if ((flags & O_ACCMODE) == O_RDONLY)
		return EBADF; /* opened anew, it might be writable */
	if (S_ISREG(st.st_mode))
		return check_limit(s->fd, flags, &st, size);
	t->socket = S_ISSOCK(st.st_mode);
	if (t->socket || flags & O_NONBLOCK || (!S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode)))
		return 0;
	snprintf(path, sizeof path, "/proc/self/fd/%d", s->fd);
	t->own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (t->own >= 0)
		t->fd = t->own;
	else if (errno == ENXIO && S_ISFIFO(st.st_mode))
		return EPIPE; /* it has no reader */
	else
		t->step = PIPE_BUF; /* another user's, or no /proc */
	return 0;
}

static int
wait_writable(const otlog__stream *s, int fd, uint64_t deadline_nano)
{
	for (;;) {
		uint64_t now = otlog__monotonic_nano();
		if (otlog__stream_cancelled(s))
			return ECANCELED;
		if (now >= deadline_nano)
			return ETIMEDOUT;
		uint64_t left_ms = (deadline_nano - now) / OTLOG__NANOS_PER_MS + 1;
		struct pollfd p = { .fd = fd, .events = POLLOUT };
		int ready = poll(&p, 1, left_ms < LOOK_MS ? (int)left_ms : LOOK_MS);
		if (ready > 0)
			return 0;
		if (ready < 0 && errno != EINTR)
			return errno;
	}
}

/* Writes until all is out or something is in the way; *done says how much is. 0 or an errno. */
static int
write_all(const otlog__stream *s, const target *t, const uint8_t *text, size_t size, uint64_t deadline_nano,
          size_t *done)
{
	while (*done < size) {
		size_t part = size - *done < t->step ? size - *done : t->step;
		int error = t->step == SIZE_MAX ? 0 : wait_writable(s, t->fd, deadline_nano);
		if (error)
			return error;
		ssize_t n = t->socket ? send(t->fd, text + *done, part, MSG_DONTWAIT | MSG_NOSIGNAL)
		                      : write(t->fd, text + *done, part);
		if (n > 0)
			*done += (size_t)n;
		else if (n < 0 && errno != EAGAIN && errno != EINTR)
			return errno;
		else if ((error = wait_writable(s, t->fd, deadline_nano)) != 0)
			return error;
	}
	return 0;
}

/* How much of the text is out from an earlier try. Of another text, that is: nothing. */
static size_t
resume_at(const otlog__stream *s, const uint8_t *text, size_t size)
{
	return s->sent && s->sent <= size && hash_of(text, s->sent) == s->sent_hash ? s->sent : 0;
}

static void
remember(otlog__stream *s, const uint8_t *text, size_t done)
{
	s->sent = done;
	s->sent_hash = done ? hash_of(text, done) : 0;
	if (done)
		s->torn = text[done - 1] != '\n';
}

/* 0 or an errno. */
static int
send_text(otlog__stream *s, const uint8_t *text, size_t size, uint64_t deadline_nano)
{
	target t;
	size_t done = resume_at(s, text, size), line_end = 0;
	int error = aim(s, size - done, &t);
	if (!error && !done && s->torn) {
		error = write_all(s, &t, (const uint8_t *)"\n", 1, deadline_nano, &line_end);
		s->torn = line_end == 0;
	}
	if (!error)
		error = write_all(s, &t, text, size, deadline_nano, &done);
	if (t.own >= 0)
		close(t.own);
	remember(s, text, error == 0 || error == EPIPE ? 0 : done);
	if (error == 0 || error == EPIPE)
		s->torn = false; /* whoever reads next has seen nothing of this */
	return error;
}

void
otlog__stream_point(otlog__stream *s, int fd)
{
	struct stat st = { 0 };
	s->fd = fd;
	s->open = fd >= 0 && fstat(fd, &st) == 0;
	s->device = st.st_dev;
	s->inode = st.st_ino;
}

int
otlog__stream_write(otlog__stream *s, const void *text, size_t size, uint64_t deadline_nano)
{
	sigset_t signals;
	if (otlog__stream_cancelled(s))
		return ECANCELED;
	otlog__sigpipe_hold(&signals);
	int error = send_text(s, text, size, deadline_nano);
	otlog__sigpipe_release(&signals);
	return error;
}

uint64_t
otlog__stream_deadline(uint64_t timeout_ms)
{
	return timeout_ms ? otlog__deadline_nano(otlog__monotonic_nano(), timeout_ms) : UINT64_MAX;
}
