/*
 * Writing to a descriptor that others use too: a terminal, a pipe, a socket, a file that somebody redirected to.
 *
 * Bounded in time although such a descriptor may block: it is not made non-blocking, because that would show in every
 * process that shares it. A pipe or terminal is opened anew for the time of a write instead. No SIGPIPE, no SIGXFSZ.
 *
 * A text that could only be written in part is taken up where it stopped when it is written again, so that a batch that
 * is tried twice does not appear twice.
 */
#ifndef OTLOG_EXPORTERS_STREAM_STREAM_H
#define OTLOG_EXPORTERS_STREAM_STREAM_H

#include <otlog/exporter.h>

#include <sys/types.h>

/* {0} is one to begin with. */
typedef struct otlog__stream {
	int fd;    /* the caller's */
	bool open; /* it was when the stream was pointed at it, at this file: */
	dev_t device;
	ino_t inode;
	size_t sent;         /* how much of a text is out that did not get through; mostly 0 */
	uint64_t sent_hash;  /* of that */
	bool torn;           /* what is out ends within a line */
	_Atomic bool cancel; /* writer: any thread; ends the write that is running, and later ones at once */
} otlog__stream;

/*
 * Points the stream at a descriptor. When that no longer is the file it is now, nothing is written any more: a program
 * that has closed its standard output may open its database under the same number.
 */
void otlog__stream_point(otlog__stream *stream, int fd);

/*
 * Writes all of it, waiting until the deadline (monotonic; UINT64_MAX: for ever). 0, or the errno of what is in the way;
 * ETIMEDOUT and ECANCELED when it is over before that. EPIPE where nobody reads.
 */
int otlog__stream_write(otlog__stream *stream, const void *text, size_t size, uint64_t deadline_nano);

bool otlog__stream_cancelled(const otlog__stream *stream);

/* Thread-safe. */
void otlog__stream_cancel(otlog__stream *stream);

/* The deadline of an attempt that begins now; timeout_ms 0 means no limit. */
uint64_t otlog__stream_deadline(uint64_t timeout_ms);

#endif
