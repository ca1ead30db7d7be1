/* The thread's current span context, for emit, which takes it without a copy. */
#ifndef OTLOG_API_CONTEXT_H
#define OTLOG_API_CONTEXT_H

#include <otlog/context.h>

/* Points into the thread's own storage: valid until the next attach or detach. Never NULL. Async-signal-safe. */
const otlog_span_context *otlog__context_current(void);

#endif
