/* Stands in for the backlog until it is there: weak, so that its own takes its place. */
#include "sdk/queue/backlog.h"

#include <string.h>

#define ABSENT __attribute__((weak))

ABSENT otlog__backlog *
otlog__backlog_create(const otlog__backlog_options *options)
{
	(void)options;
	return NULL;
}

ABSENT bool
otlog__backlog_look(otlog__backlog *backlog)
{
	(void)backlog;
	return false;
}

ABSENT uint32_t
otlog__backlog_take(otlog__backlog *backlog, uint32_t pipeline, uint32_t max_records, size_t max_bytes,
                    otlog__backlog_batch *batch)
{
	(void)backlog, (void)pipeline, (void)max_records, (void)max_bytes, (void)batch;
	return 0;
}

ABSENT void
otlog__backlog_finish(otlog__backlog *backlog, uint32_t pipeline, const otlog__backlog_batch *batch,
                      const otlog__batch_end *end)
{
	(void)backlog, (void)pipeline, (void)batch, (void)end;
}

ABSENT void
otlog__backlog_batch_free(otlog__backlog_batch *batch)
{
	(void)batch;
}

ABSENT uint64_t
otlog__backlog_waiting(otlog__backlog *backlog, uint32_t pipeline)
{
	(void)backlog, (void)pipeline;
	return 0;
}

ABSENT void
otlog__backlog_take_books(otlog__backlog *backlog, uint32_t pipeline, otlog__backlog_books *books)
{
	(void)backlog, (void)pipeline;
	memset(books, 0, sizeof *books);
}

ABSENT void
otlog__backlog_close(otlog__backlog *backlog)
{
	(void)backlog;
}

ABSENT void
otlog__backlog_free(otlog__backlog *backlog)
{
	(void)backlog;
}

ABSENT bool
otlog__queue_sync(otlog__queue *queue)
{
	(void)queue;
	return true;
}
