#include "tests/support/queues/queue_fixture.h"

#include "tests/support/harness/cmocka.h"
#include "tests/support/sdk/diagnosed.h"

#include <string.h>

char directory[64];

int
queue_fixture_setup(void **state)
{
	(void)state;
	queue_directory_make(directory);
	diagnosed_begin();
	return 0;
}

int
queue_fixture_teardown(void **state)
{
	(void)state;
	queue_directory_remove(directory);
	return 0;
}

otlog__queue *
queue_open(uint32_t lanes, uint32_t pipelines, uint64_t max_records)
{
	static const char *const names[] = { "a", "b", "c" };
	otlog__queue *queue = otlog__queue_open(&(otlog__queue_options){ .bytes = (uint64_t)lanes * QUEUE_LANE_BYTES,
	                                                                 .lanes = lanes,
	                                                                 .max_records = max_records,
	                                                                 .pipelines = names,
	                                                                 .pipeline_count = pipelines });
	assert_non_null(queue);
	return queue;
}

bool
queue_put(otlog__queue *queue, size_t size, uint16_t mask)
{
	otlog__slot slot;
	if (otlog__queue_begin(queue, size, &slot) != OTLOG_EMIT_ACCEPTED)
		return false;
	memset(slot.bytes, 'x', size);
	otlog__queue_commit(queue, &slot, size, 0, mask);
	return true;
}

uint32_t
queue_read(otlog__queue *queue, uint32_t pipeline, uint32_t most, otlog__batch_span *span)
{
	static _Thread_local otlog__frame_ref refs[QUEUE_READ_MOST];
	assert_in_range(most, 1, QUEUE_READ_MOST);
	uint32_t taken = otlog__queue_read_begin(queue, pipeline, most, SIZE_MAX, refs, span);
	otlog__queue_read_end(queue, pipeline);
	return taken;
}

uint32_t
queue_drain(otlog__queue *queue, uint32_t pipeline)
{
	otlog__batch_span span;
	uint32_t total = 0, taken;
	while ((taken = queue_read(queue, pipeline, QUEUE_READ_MOST, &span))) {
		otlog__queue_finish(queue, pipeline, &span, &(otlog__batch_end){ 0 });
		total += taken;
	}
	return total;
}
