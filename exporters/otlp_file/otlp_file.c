#include "exporters/otlp_file/file.h"
#include "exporters/stream/json_line.h"
#include "sdk/base/process/diagnostics.h"
#include "sdk/base/sized.h"

#include <otlog/exporters.h>

#include <stdlib.h>
#include <string.h>

#define DEFAULT_MAX_FILES 10

typedef struct otlp_file {
	otlog__file file;
	otlog__buffer text; /* a newline and the batch's line; kept for the next one */
} otlp_file;

static void
export_batch(void *exporter, const otlog_batch *batch, uint64_t timeout_ms, otlog_export_result *result)
{
	otlp_file *self = exporter;
	uint64_t deadline = otlog__stream_deadline(timeout_ms);
	self->text.size = 1; /* the newline, there since the beginning */
	if (otlog__json_line_append(batch, &self->text, result))
		otlog__file_append(&self->file, self->text.data, self->text.size, deadline, result);
}

static void
cancel(void *exporter)
{
	otlp_file *self = exporter;
	otlog__stream_cancel(&self->file.stream);
}

static bool
flush(void *exporter, uint64_t timeout_ms)
{
	otlp_file *self = exporter;
	(void)timeout_ms;
	return !self->file.sync || otlog__file_sync(&self->file);
}

static void
destroy(void *exporter)
{
	otlp_file *self = exporter;
	if (!self)
		return;
	otlog__file_free(&self->file);
	otlog__buffer_free(&self->text);
	free(self);
}

static bool reopen(const void *exporter, otlog_exporter *out);

static const otlog_exporter_functions functions = {
	.size = sizeof functions,
	.export_batch = export_batch,
	.cancel = cancel,
	.flush = flush,
	.destroy = destroy,
	.reopen = reopen,
};

static bool
create(const char *path, const otlog__rotation *rotation, bool sync, otlog_exporter *out)
{
	otlp_file *self = calloc(1, sizeof *self);
	if (!self || !otlog__file_init(&self->file, path, rotation, sync) ||
	    !otlog__buffer_append(&self->text, "\n", 1)) {
		otlog__diagnose_always(
		    OTLOG__ERROR,
		    "memory is short for the file exporter: nothing is written. Give the process more memory");
		destroy(self);
		return false;
	}
	*out = (otlog_exporter){ .functions = &functions, .self = self, .name = "otlp_file" };
	return true;
}

/* The same file by its path, under a lock of its own: the descriptor that came along shares the parent's. */
static bool
reopen(const void *exporter, otlog_exporter *out)
{
	const otlp_file *parent = exporter;
	return create(parent->file.path, &parent->file.rotation, parent->file.sync, out);
}

/* Nothing can be rotated there, and others write to it too, as to a console. */
static bool
create_on_stdout(otlog_exporter *out)
{
	if (!otlog_console_exporter_create(&(otlog_console_options){ .format = OTLOG_CONSOLE_JSON }, out))
		return false;
	out->name = "otlp_file";
	return true;
}

bool
otlog_otlp_file_exporter_create_sized(const otlog_otlp_file_options *options, size_t options_size, otlog_exporter *out)
{
	otlog_otlp_file_options known;
	otlog__sized_copy(&known, sizeof known, options, options_size);
	if (!out)
		return false;
	if (!known.path || !*known.path || strcmp(known.path, "-") == 0)
		return create_on_stdout(out);

	otlog__rotation rotation = { .max_bytes = known.max_file_bytes,
		                     .max_age_s = known.max_age_s,
		                     .max_files = known.max_files ? known.max_files : DEFAULT_MAX_FILES };
	if (rotation.max_files > OTLOG__ROTATION_FILES_MAX)
		rotation.max_files = OTLOG__ROTATION_FILES_MAX;
	return create(known.path, &rotation, known.sync, out);
}
