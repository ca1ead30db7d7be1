#include "tests/support/sdk/load.h"

#include "sdk/base/clock.h"
#include "tests/support/harness/check.h"

#include <pthread.h>

#define TICK_MS 10u

typedef struct emitter {
	pthread_t thread;
	load *load;
	uint32_t source;
} emitter;

struct load {
	tally *tally;
	otlog_logger *logger;
	uint32_t each; /* records of a thread in a tick */
	_Atomic uint32_t stop;
	emitter *emitters;
};

static void *
emit(void *self)
{
	const emitter *e = self;
	uint64_t next = otlog__monotonic_nano();
	while (!atomic_load(&e->load->stop)) {
		for (uint32_t i = 0; i < e->load->each; i++)
			tally_emit(e->load->tally, e->load->logger, e->source);
		next += TICK_MS * OTLOG__NANOS_PER_MS;
		struct timespec until = { .tv_sec = (time_t)(next / OTLOG__NANOS_PER_S),
			                  .tv_nsec = (long)(next % OTLOG__NANOS_PER_S) };
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	}
	return NULL;
}

load *
load_start(tally *tally, otlog_logger *logger, uint32_t per_second)
{
	load *l = calloc(1, sizeof *l);
	CHECK(l);
	*l = (load){ .tally = tally,
		     .logger = logger,
		     .each = per_second * TICK_MS / 1000 / tally->sources,
		     .emitters = calloc(tally->sources, sizeof *l->emitters) };
	CHECK(l->emitters && l->each > 0);
	for (uint32_t i = 0; i < tally->sources; i++) {
		l->emitters[i] = (emitter){ .load = l, .source = i };
		CHECK(pthread_create(&l->emitters[i].thread, NULL, emit, &l->emitters[i]) == 0);
	}
	return l;
}

void
load_stop(load *l)
{
	atomic_store(&l->stop, 1);
	for (uint32_t i = 0; i < l->tally->sources; i++)
		pthread_join(l->emitters[i].thread, NULL);
	free(l->emitters);
	free(l);
}
