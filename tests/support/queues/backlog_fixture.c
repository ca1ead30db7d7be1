#include "tests/support/harness/cmocka.h"

#include "tests/support/queues/backlog_fixture.h"
#include "tests/support/queues/queue_directory.h"
#include "tests/support/sdk/diagnosed.h"

const char *const backlog_pipelines[2] = { "otlp_http", "console" };

otlog__backlog *
backlog_open(uint32_t pipelines)
{
	otlog__backlog *backlog = otlog__backlog_create(&(otlog__backlog_options){
	    .directory = directory, .pipelines = backlog_pipelines, .pipeline_count = pipelines });
	assert_non_null(backlog);
	return backlog;
}

void
backlog_end(otlog__backlog *backlog)
{
	otlog__backlog_close(backlog);
	otlog__backlog_free(backlog);
}

int
backlog_files(const char *suffix)
{
	char found[512];
	return queue_directory_find(directory, suffix, found);
}

dead_queue
backlog_queue(uint32_t source, uint32_t records)
{
	return (dead_queue){ .directory = directory,
		             .pipelines = backlog_pipelines,
		             .pipeline_count = 1,
		             .source = source,
		             .records = records };
}

void
backlog_assert_books(otlog__backlog *backlog, uint32_t pipeline, uint64_t delivered, uint64_t queued, uint64_t damaged)
{
	otlog__backlog_books books;
	otlog__backlog_take_books(backlog, pipeline, &books);
	assert_int_equal(books.delivered, delivered);
	assert_int_equal(books.queued, queued);
	assert_int_equal(books.dropped[OTLOG_DROP_DAMAGED], damaged);
	uint64_t sum = books.delivered + books.queued;
	for (uint32_t reason = 0; reason < OTLOG_DROP_REASON_COUNT; reason++)
		sum += books.dropped[reason];
	assert_int_equal(books.adopted, sum);
}
