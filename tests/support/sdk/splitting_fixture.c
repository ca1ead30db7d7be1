#include "tests/support/sdk/sdk_books.h"
#include "tests/support/sdk/splitting_fixture.h"

#include "tests/support/harness/cmocka.h"
#include "tests/support/sdk/diagnosed.h"

#include <string.h>

#define ODD 4321u

otlog_provider *
splitting_start(otlog_pipeline_options pipeline)
{
	pipeline.retry_initial_ms = 1;
	pipeline.retry_cap_ms = 5;
	/* In a lane there is room for all of it, so that batches grow as large as they may, however slow the emits are. */
	otlog_provider *provider = otlog_provider_create(&(otlog_options){
	    .pipelines = &pipeline, .pipeline_count = 1, .queue_bytes = 128 << 20, .diagnostic = diagnosed_take });
	assert_non_null(provider);
	return provider;
}

void
splitting_emit(otlog_provider *provider, size_t size, size_t odd_size)
{
	char text[1001] = "";
	char *odd_text = calloc(1, odd_size + 1);
	otlog_logger *logger = otlog_provider_get_logger(provider, &(otlog_logger_options){ .name = "splitting" });
	assert_non_null(odd_text);
	assert_true(size < sizeof text);
	memset(odd_text, 'p', odd_size);
	memset(text, 't', size);
	for (int64_t i = 0; i < SPLITTING_RECORDS; i++) {
		bool odd = i == ODD;
		const otlog_record record = { .severity = OTLOG_SEVERITY_INFO,
			                      .event_name = odd ? "poisoned" : NULL,
			                      .body = otlog_string(odd ? odd_text : text),
			                      .attributes = OTLOG_ATTRS(OTLOG_KV("sequence", i)) };
		assert_int_equal(otlog_emit(logger, &record), OTLOG_EMIT_ACCEPTED);
	}
	free(odd_text);
}

void
splitting_enter(splitting_arrivals *arrivals, const void *request, size_t size)
{
	otlog_record_view record;
	otlog_value_view sequence;
	otlog_batch_reader reader = otlog_batch_records(&(otlog_batch){ .request = request, .request_size = size });
	while (otlog_batch_next(&reader, &record)) {
		assert_true(otlog_find_item(otlog_attributes(&record), "sequence", &sequence));
		assert_in_range(sequence.as.int64, 0, SPLITTING_RECORDS - 1);
		arrivals->times[sequence.as.int64]++;
	}
	assert_false(reader.malformed);
}

void
splitting_check_arrived(const splitting_arrivals *arrivals, bool without_the_odd_one)
{
	for (size_t i = 0; i < SPLITTING_RECORDS; i++)
		if (arrivals->times[i] != !(without_the_odd_one && i == ODD))
			fail_msg("record %zu came %u times", i, arrivals->times[i]);
}

void
splitting_check_books(otlog_provider *provider, otlog_drop_reason reason, uint64_t dropped)
{
	sdk_books books;
	sdk_take_books(provider, &books);
	const otlog_pipeline_statistics *p = &books.pipelines[0];
	assert_int_equal(p->emitted, SPLITTING_RECORDS);
	assert_int_equal(p->delivered, SPLITTING_RECORDS - dropped);
	assert_int_equal(p->queued, 0);
	for (int i = 0; i < OTLOG_DROP_REASON_COUNT; i++)
		assert_int_equal(p->dropped[i], i == (int)reason ? dropped : 0);
}

void
splitting_check_named(const char *text)
{
	assert_int_equal(diagnosed_times(text), 1);
	assert_true(diagnosed_says("logger \"splitting\", event \"poisoned\""));
}
