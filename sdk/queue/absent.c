/* Stands in for the spool and the backlog until they are there: weak, so that theirs take its place. */
#include "sdk/queue/backlog.h"
#include "sdk/queue/spool.h"

#include <errno.h>
#include <string.h>

#define ABSENT __attribute__((weak))

ABSENT otlog__spool *
otlog__spool_create(const otlog__spool_options *options)
{
	(void)options;
	return NULL;
}

ABSENT otlog__spool_result
otlog__spool_append(otlog__spool *spool, const void *request, size_t size, uint32_t records, bool in_flight,
                    uint64_t *number)
{
	(void)spool, (void)request, (void)size, (void)records, (void)in_flight, (void)number;
	errno = ENOSYS;
	return OTLOG__SPOOL_FAILED;
}

ABSENT uint32_t
otlog__spool_take(otlog__spool *spool, otlog__buffer *out, uint64_t *number)
{
	(void)spool, (void)out, (void)number;
	return 0;
}

ABSENT void
otlog__spool_finish(otlog__spool *spool, uint64_t number, const otlog__batch_end *end)
{
	(void)spool, (void)number, (void)end;
}

ABSENT bool
otlog__spool_has_room(otlog__spool *spool, size_t size)
{
	(void)spool, (void)size;
	return false;
}

ABSENT void
otlog__spool_take_books(otlog__spool *spool, otlog__spool_books *books)
{
	(void)spool;
	memset(books, 0, sizeof *books);
}

ABSENT bool
otlog__spool_sync(otlog__spool *spool)
{
	(void)spool;
	return true;
}

ABSENT void
otlog__spool_close(otlog__spool *spool)
{
	(void)spool;
}

ABSENT void
otlog__spool_free(otlog__spool *spool)
{
	(void)spool;
}

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
