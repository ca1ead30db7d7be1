#include "sdk/api/context.h"

#include "sdk/base/hex.h"
#include "sdk/base/process/diagnostics.h"

#include <stdatomic.h>
#include <string.h>

#define THREAD_LOCAL static _Thread_local __attribute__((tls_model("initial-exec")))

static const otlog_span_context no_context;

/*
 * Initial-exec: the lazy storage of a loaded library allocates at first use, which no signal handler may do.
 * `attached` is 0 while `current` is being written, so that a handler that emits in between sees no span, not a torn
 * one.
 */
THREAD_LOCAL otlog_span_context current;
THREAD_LOCAL volatile uint32_t attached;

const otlog_span_context *
otlog__context_current(void)
{
	return attached ? &current : &no_context;
}

otlog_span_context
otlog_context_current(void)
{
	return *otlog__context_current();
}

static void
set_current(const otlog_span_context *context, uint32_t counts)
{
	attached = 0;
	atomic_signal_fence(
	    memory_order_seq_cst); /* the handler runs in this thread: only the compiler must be held back */
	current = *context;
	atomic_signal_fence(memory_order_seq_cst);
	attached = counts;
}

/*
 * The token holds the bytes as they lie and whether they count. A signal handler that attaches and detaches in the middle
 * of an attach so puts back what it found, half-written or not, and the writing goes on behind it.
 */
otlog_context_token
otlog_context_attach(const otlog_span_context *context)
{
	otlog_context_token token = { .previous = current, .attached = attached };
	set_current(context ? context : &no_context, 1);
	return token;
}

void
otlog_context_detach(otlog_context_token token)
{
	set_current(&token.previous, token.attached);
}

bool
otlog_span_context_is_valid(const otlog_span_context *context)
{
	return context && memcmp(context->trace_id, no_context.trace_id, sizeof context->trace_id) != 0 &&
	       memcmp(context->span_id, no_context.span_id, sizeof context->span_id) != 0;
}

static bool
is_capital(char c)
{
	return c >= 'A' && c <= 'Z';
}

/*
 * Reads 2 × size digits, of which W3C allows no capitals. Stops at the first that is none, so it never reads beyond the
 * final NUL.
 */
static bool
read_hex(const char *text, uint8_t *out, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		int byte = otlog__hex_byte(text + 2 * i);
		if (byte < 0 || is_capital(text[2 * i]) || is_capital(text[2 * i + 1]))
			return false;
		out[i] = (uint8_t)byte;
	}
	return true;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool
otlog_traceparent_parse(const char *text, otlog_span_context *out)
{
	if (!text || !out)
		return false;
	while (is_blank(*text))
		text++;

	uint8_t version;
	otlog_span_context parsed;
	if (!read_hex(text, &version, 1) || version == 0xff || text[2] != '-' ||
	    !read_hex(text + 3, parsed.trace_id, sizeof parsed.trace_id) || text[35] != '-' ||
	    !read_hex(text + 36, parsed.span_id, sizeof parsed.span_id) || text[52] != '-' ||
	    !read_hex(text + 53, &parsed.trace_flags, 1))
		return false;

	const char *rest = text + 55;
	if (version > 0 && *rest == '-') {
		/* A later version may have more fields, which we do not know. */
	} else {
		while (is_blank(*rest))
			rest++;
		if (*rest != '\0')
			return false;
	}
	if (!otlog_span_context_is_valid(&parsed))
		return false;
	*out = parsed;
	return true;
}

void
otlog_traceparent_format(const otlog_span_context *context, char out[OTLOG_TRACEPARENT_SIZE])
{
	static const uint8_t version;
	if (!context)
		context = &no_context;
	char *end = otlog__hex_put(out, &version, 1);
	*end++ = '-';
	end = otlog__hex_put(end, context->trace_id, sizeof context->trace_id);
	*end++ = '-';
	end = otlog__hex_put(end, context->span_id, sizeof context->span_id);
	*end++ = '-';
	end = otlog__hex_put(end, &context->trace_flags, 1);
	*end = '\0';
}

otlog_context_token
otlog_context_attach_traceparent(const char *traceparent)
{
	otlog_span_context parsed = *otlog__context_current();
	if (traceparent && !otlog_traceparent_parse(traceparent, &parsed))
		otlog__diagnose_once_started(
		    OTLOG__WARN,
		    "traceparent \"%.64s\" is malformed; the records of this request keep the context that was "
		    "current. Send the header as W3C Trace Context has it: "
		    "00-<32 hex digits>-<16 hex digits>-<2 hex digits>, lower case, ids not all zero",
		    traceparent);
	return otlog_context_attach(&parsed);
}
