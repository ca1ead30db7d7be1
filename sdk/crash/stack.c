#include "sdk/crash/stack.h"

#include <unwind.h>

#define FRAMES_MAX 256

typedef struct walk {
	uintptr_t *out;
	size_t most;
	size_t count;
	unsigned frames;
	bool in_handler;
} walk;

/*
 * For the frame that a signal has interrupted the address is that of the instruction itself, not that behind a call: the
 * unwinder knows this from the mark ("S") on the frame from which the kernel called the handler.
 */
static _Unwind_Reason_Code
take(struct _Unwind_Context *context, void *user)
{
	walk *w = user;
	int interrupted = 0;
	uintptr_t address = (uintptr_t)_Unwind_GetIPInfo(context, &interrupted);
	if (interrupted) {
		w->in_handler = true;
		w->count = 0;
	}
	if (w->count < w->most)
		w->out[w->count++] = address;
	else if (w->in_handler)
		return _URC_END_OF_STACK;
	return ++w->frames < FRAMES_MAX ? _URC_NO_REASON : _URC_END_OF_STACK;
}

bool
otlog__in_signal_handler(void)
{
	walk w = { .most = 0 };
	_Unwind_Backtrace(take, &w);
	return w.in_handler;
}

size_t
otlog__stack_addresses(uintptr_t *out, size_t most)
{
	walk w = { .out = out, .most = most };
	_Unwind_Backtrace(take, &w);
	return w.count;
}

void
otlog__stack_prime(void)
{
	otlog__in_signal_handler();
}
