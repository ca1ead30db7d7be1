#include "tests/support/sdk/emitters.h"

#include "tests/support/harness/check.h"

#include <pthread.h>

#define MOST 64

static void *
emit_some(void *self)
{
	emitter *e = self;
	for (unsigned i = 0; i < e->records; i++) {
		const otlog_attrs attributes =
		    OTLOG_ATTRS(OTLOG_KV("thread", e->thread), OTLOG_KV("sequence", e->next));
		otlog_emit_result result =
		    otlog_emit(e->logger, &(otlog_record){ .severity = OTLOG_SEVERITY_INFO, .attributes = attributes });
		if (result == OTLOG_EMIT_ACCEPTED)
			e->next++;
		else
			e->refused++;
	}
	return NULL;
}

void
emitters_run(emitter *emitters, unsigned count)
{
	pthread_t threads[MOST];
	CHECK(count <= MOST);
	for (unsigned i = 0; i < count; i++)
		CHECK(pthread_create(&threads[i], NULL, emit_some, &emitters[i]) == 0);
	for (unsigned i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}
