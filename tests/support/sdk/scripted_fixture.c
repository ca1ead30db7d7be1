#include "tests/support/sdk/scripted_fixture.h"

#include "tests/support/harness/check.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/harness/files.h"
#include "tests/support/sdk/diagnosed.h"
#include "tests/support/sdk/sdk_books.h"

#include <string.h>
#include <time.h>

#define LOOK_NANO 500000

/* One look: the books of every pipeline balance, and what is in flight is queued. */
static void
look(otlog_provider *provider, uint64_t *delivered_before)
{
	sdk_books all;
	sdk_take_books(provider, &all);
	for (size_t i = 0; i < all.pipeline_count; i++) {
		const otlog_pipeline_statistics *p = &all.pipelines[i];
		uint64_t dropped = 0;
		for (size_t reason = 0; reason < OTLOG_MAX_DROP_REASONS; reason++)
			dropped += p->dropped[reason];
		CHECK(p->emitted + p->adopted == p->delivered + p->queued + dropped + p->filtered);
		CHECK(p->in_flight <= p->queued);
		CHECK(p->spooled <= p->queued);
		CHECK(p->delivered >= delivered_before[i]);
		delivered_before[i] = p->delivered;
	}
}

static void *
watch(void *self)
{
	scripted_fixture *f = self;
	uint64_t delivered[OTLOG_MAX_PIPELINES] = { 0 };
	while (f->watching) {
		look(f->provider, delivered);
		nanosleep(&(struct timespec){ .tv_nsec = LOOK_NANO }, NULL);
	}
	look(f->provider, delivered);
	return NULL;
}

int
scripted_setup(void **state)
{
	*state = calloc(1, sizeof(scripted_fixture));
	diagnosed_begin();
	return *state == NULL;
}

int
scripted_teardown(void **state)
{
	scripted_fixture *f = *state;
	scripted *all[] = { f->a, f->b };
	for (size_t i = 0; i < 2; i++)
		if (all[i])
			scripted_set_gate(all[i], true);
	if (f->watching) {
		f->watching = false;
		pthread_join(f->watcher, NULL);
	}
	otlog_provider_destroy(f->provider);
	scripted_free(f->a);
	scripted_free(f->b);
	if (f->directory[0])
		file_remove_all(f->directory);
	free(f);
	return 0;
}

const char *
scripted_directory(scripted_fixture *f)
{
	strcpy(f->directory, "/tmp/otlog-scripted-XXXXXX");
	CHECK(mkdtemp(f->directory));
	return f->directory;
}

void
scripted_start(scripted_fixture *f, otlog_options options, otlog_pipeline_options pipeline)
{
	otlog_pipeline_options all[2];
	if (!pipeline.schedule_delay_ms)
		pipeline.schedule_delay_ms = 10;
	if (!pipeline.retry_initial_ms)
		pipeline.retry_initial_ms = 1;
	if (!pipeline.retry_cap_ms)
		pipeline.retry_cap_ms = 4;
	all[0] = all[1] = pipeline;
	all[0].exporter = scripted_exporter(f->a);
	if (f->b)
		all[1].exporter = scripted_exporter(f->b);
	options.pipelines = all;
	options.pipeline_count = f->b ? 2 : 1;
	if (!options.diagnostic)
		options.diagnostic = diagnosed_take;
	options.diagnostic_level = OTLOG_DIAGNOSTIC_DEBUG;
	f->provider = otlog_provider_create(&options);
	assert_non_null(f->provider);
	f->logger = otlog_provider_get_logger(f->provider, &(otlog_logger_options){ .name = "checkout" });
	f->watching = true;
	CHECK(pthread_create(&f->watcher, NULL, watch, f) == 0);
}

void
scripted_emit_all(scripted_fixture *f, uint32_t first, uint32_t count, size_t padding)
{
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(scripted_emit(f->logger, first + i, padding), OTLOG_EMIT_ACCEPTED);
}

void
scripted_emit_at_the_pace_of_b(scripted_fixture *f, uint32_t count)
{
	const uint32_t step = 250;
	for (uint32_t at = 0; at < count; at += step) {
		scripted_emit_all(f, at, step, 100);
		scripted_wait_taken(f->b, at + step);
	}
}

otlog_pipeline_statistics
scripted_statistics(scripted_fixture *f, size_t pipeline)
{
	sdk_books all;
	sdk_take_books(f->provider, &all);
	assert_true(pipeline < all.pipeline_count);
	return all.pipelines[pipeline];
}

void
scripted_assert_taken_once(scripted *s, uint32_t count, const uint32_t *but, size_t but_count)
{
	for (uint32_t id = 0; id < count; id++) {
		unsigned expected = 1;
		for (size_t i = 0; i < but_count; i++)
			expected -= but[i] == id;
		if (scripted_times(s, id) != expected)
			fail_msg("record %u was taken %u times", id, scripted_times(s, id));
	}
}

uint64_t
scripted_assert_exact_books(scripted_fixture *f, uint32_t count)
{
	scripted_emit_all(f, 0, count, 20);
	assert_int_equal(otlog_provider_flush(f->provider, FLUSH_MS), OTLOG_DROPPED);
	otlog_pipeline_statistics s = scripted_statistics(f, 0);
	scripted_books books = scripted_take_books(f->a);
	assert_int_equal(books.twice, 0);
	assert_int_equal(s.delivered, books.taken);
	assert_int_equal(s.queued, 0);
	assert_int_equal(s.dropped[OTLOG_DROP_REJECTED] + s.dropped[OTLOG_DROP_TOO_LARGE], count - books.taken);
	return books.taken;
}
