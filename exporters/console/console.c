#include "exporters/console/console_lines.h"
#include "exporters/stream/json_line.h"
#include "exporters/stream/stream.h"
#include "sdk/base/process/diagnostics.h"
#include "sdk/base/sized.h"
#include "sdk/base/strings.h"

#include <otlog/exporters.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct console {
	otlog__stream stream;
	otlog__buffer text; /* of the batch; kept for the next one */
	bool json;
	bool colour;
	char descriptor[24]; /* its number, for messages */
} console;

/* Makes the batch's text. False if it cannot be had, with *result saying why. */
static bool
render(console *self, const otlog_batch *batch, otlog_export_result *result)
{
	self->text.size = 0;
	if (self->json)
		return otlog__json_line_append(batch, &self->text, result);
	switch (otlog__console_lines(batch, self->colour, &self->text)) {
	case OTLOG__CONSOLE_DONE:
		return true;
	case OTLOG__CONSOLE_NO_MEMORY:
		result->verdict = OTLOG_VERDICT_RETRY;
		snprintf(result->message, sizeof result->message,
		         "memory is short for the lines of %zu record%s. Give the process more memory", batch->records,
		         otlog__s(batch->records));
		return false;
	case OTLOG__CONSOLE_MALFORMED:
		break;
	}
	result->verdict = OTLOG_VERDICT_DROP;
	snprintf(result->message, sizeof result->message,
	         "a request of %zu bytes is no OTLP logs request. Look for what has damaged the queue",
	         batch->request_size);
	return false;
}

/* What an errno of a write means for the batch. */
static void
conclude(const console *self, int error, otlog_export_result *result)
{
	const char *remedy = "See what it is connected to";
	result->verdict = OTLOG_VERDICT_DROP;
	switch (error) {
	case EPIPE:
	case ECONNRESET:
	case EIO:
		remedy = "Whoever read it has gone; use another exporter if records are to outlive that";
		break;
	case EBADF:
		remedy = "The program has closed or replaced it, or it is for reading; redirect it before otlog starts";
		break;
	case ETIMEDOUT:
		result->verdict = OTLOG_VERDICT_RETRY;
		remedy = "See why whoever reads it does not keep up";
		break;
	case ECANCELED:
		result->verdict = OTLOG_VERDICT_RETRY;
		remedy = "The SDK is shutting down; give otlog_shutdown more time";
		break;
	case ENOSPC:
	case EDQUOT:
		result->verdict = OTLOG_VERDICT_RETRY;
		remedy = "Make room on the disk it lies on";
		break;
	case EFBIG:
		result->verdict = OTLOG_VERDICT_RETRY;
		remedy = "Raise the limit of file sizes (ulimit -f), or empty the file";
		break;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ENOBUFS:
		result->verdict = OTLOG_VERDICT_RETRY;
		remedy = "The system is short of it now; close what is not needed, or raise the limit";
		break;
	}
	char reason[64];
	const char *where = self->stream.fd == STDOUT_FILENO ? "standard output" : self->descriptor;
	snprintf(result->message, sizeof result->message, "cannot write to %s: %s. %s", where,
	         strerror_r(error, reason, sizeof reason), remedy);
}

static void
export_batch(void *exporter, const otlog_batch *batch, uint64_t timeout_ms, otlog_export_result *result)
{
	console *self = exporter;
	uint64_t deadline = otlog__stream_deadline(timeout_ms);
	if (!render(self, batch, result))
		return;
	int error = otlog__stream_write(&self->stream, self->text.data, self->text.size, deadline);
	if (error)
		conclude(self, error, result);
}

static void
cancel(void *exporter)
{
	console *self = exporter;
	otlog__stream_cancel(&self->stream);
}

static void
destroy(void *exporter)
{
	console *self = exporter;
	if (!self)
		return;
	otlog__buffer_free(&self->text);
	free(self);
}

static bool reopen(const void *exporter, otlog_exporter *out);

static const otlog_exporter_functions functions = {
	.size = sizeof functions,
	.export_batch = export_batch,
	.cancel = cancel,
	.destroy = destroy,
	.reopen = reopen,
};

/* NULL, said once, when memory is short. */
static console *
make(void)
{
	console *self = calloc(1, sizeof *self);
	if (!self)
		otlog__diagnose_always(
		    OTLOG__ERROR,
		    "memory is short for the console exporter: nothing is written. Give the process more memory");
	return self;
}

/* The same descriptor, which a child shares. What the parent has written to it in part is the parent's to end. */
static bool
reopen(const void *exporter, otlog_exporter *out)
{
	const console *parent = exporter;
	console *self = make();
	if (!self)
		return false;
	self->stream = (otlog__stream){ .fd = parent->stream.fd,
		                        .open = parent->stream.open,
		                        .device = parent->stream.device,
		                        .inode = parent->stream.inode };
	self->json = parent->json;
	self->colour = parent->colour;
	memcpy(self->descriptor, parent->descriptor, sizeof self->descriptor);
	*out = (otlog_exporter){ .functions = &functions, .self = self, .name = "console" };
	return true;
}

/* Source: no-color.org: any value but an empty one. */
static bool
wants_colour(const otlog_console_options *options, int fd)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	if (options->format != OTLOG_CONSOLE_TEXT || options->colour == OTLOG_CONSOLE_COLOUR_NEVER)
		return false;
	if (options->colour == OTLOG_CONSOLE_COLOUR_ALWAYS)
		return true;
	return !(no_color && *no_color) && term && *term && strcmp(term, "dumb") != 0 && isatty(fd);
}

bool
otlog_console_exporter_create_sized(const otlog_console_options *options, size_t options_size, otlog_exporter *out)
{
	otlog_console_options known;
	otlog__sized_copy(&known, sizeof known, options, options_size);
	if (!out)
		return false;

	console *self = make();
	if (!self)
		return false;
	int fd = known.fd ? known.fd : STDOUT_FILENO;
	snprintf(self->descriptor, sizeof self->descriptor, "descriptor %d", fd);
	otlog__stream_point(&self->stream, fd);
	self->json = known.format == OTLOG_CONSOLE_JSON;
	self->colour = wants_colour(&known, fd);
	*out = (otlog_exporter){ .functions = &functions, .self = self, .name = "console" };
	return true;
}
