/*
 * An exporter whose verdicts follow a rule of the test's, and that keeps books of its own: which records it has taken, how
 * often, in which order, in how many calls at once. Everything is thread-safe.
 *
 * Records are told apart by a number, from 0 on, which is their body: emit them with scripted_emit. The test owns the
 * exporter; it must outlive the provider.
 */
#ifndef TESTS_SUPPORT_SDK_SCRIPTED_H
#define TESTS_SUPPORT_SDK_SCRIPTED_H

#include <otlog/sdk.h>

#define SCRIPTED_MOST_IDS 200000u

typedef struct scripted scripted;

typedef struct scripted_call {
	scripted *self;
	const otlog_batch *batch;
	const uint32_t *ids; /* of its records, in their order */
	uint64_t number;     /* of the call, from 0 */
	uint64_t random;
} scripted_call;

/* Fills *result, which is zero: OK. Called under no lock, in as many threads as the exporter takes calls at once. */
typedef void (*scripted_rule)(void *user, const scripted_call *call, otlog_export_result *result);

/* NULL as rule: everything is taken. */
scripted *scripted_create(const char *name, scripted_rule rule, void *user, uint32_t concurrency);
void scripted_free(scripted *s); /* NULL is allowed */
otlog_exporter scripted_exporter(scripted *s);
void scripted_set_rule(scripted *s, scripted_rule rule, void *user);

/* Before scripted_exporter: it holds back something, and this is what its flush answers. */
void scripted_set_flush(scripted *s, bool flushed);

/* For rules: does not come back before the gate is open or the exporter is cancelled. It is open at first. */
void scripted_pass_gate(scripted *s);
void scripted_set_gate(scripted *s, bool open);

typedef struct scripted_books {
	uint64_t calls;
	uint64_t waiting; /* at the gate */
	uint64_t running, most_running;
	uint64_t taken;                   /* records */
	uint64_t twice;                   /* of them: taken before */
	uint64_t out_of_order;            /* of them: after one that the exporter had seen later */
	uint64_t flushes, taken_at_flush; /* records taken when the last flush came */
	uint64_t refused_calls;           /* TOO_LARGE, INVALID, DROP */
	uint64_t largest_bytes;           /* of requests, whatever the verdict */
	uint64_t largest_taken_bytes;
} scripted_books;

scripted_books scripted_take_books(scripted *s);
/* The counts of calls and the maxima begin anew. */
void scripted_forget_calls(scripted *s);
/* How often a record was taken. */
unsigned scripted_times(scripted *s, uint32_t id);

/* These wait for 10 s at most, then the test ends. */
void scripted_wait_calls(scripted *s, uint64_t calls);
void scripted_wait_taken(scripted *s, uint64_t records);
void scripted_wait_at_gate(scripted *s, uint64_t calls);

/* For rules: this verdict, with an error type and a message. */
void scripted_answer(otlog_export_result *result, otlog_verdict verdict, const char *error_type);

/* A rule: every call waits at the gate. */
void scripted_hang(void *user, const scripted_call *call, otlog_export_result *result);

/* One of those that are no success, as the number says. */
otlog_verdict scripted_any_failure(uint64_t random);

/* Emits a record of that number, with so many bytes of padding; event "test". */
otlog_emit_result scripted_emit(otlog_logger *logger, uint32_t id, size_t padding);

#endif
