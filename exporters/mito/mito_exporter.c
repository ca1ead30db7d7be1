#include "exporters/mito/mito_object.h"

#include "exporters/http/transport.h"
#include "exporters/http/http_verdict_table.h"
#include "sdk/base/process/diagnostics.h"
#include "sdk/base/sized.h"
#include "sdk/base/strings.h"

#include <otlog/exporters.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct mito {
	otlog__http *http;
	otlog__flat flat;
	otlog__flat_extra
	    *extras; /* in the order of the options; names are owned, values are of the current resource */
	size_t extra_count;
} mito;

/* A body being made from a request. */
typedef struct progress {
	size_t written;
	size_t malformed;
	bool no_memory;
} progress;

static const otlog__peer_names names = {
	.peer = "the log server",
	.endpoint = "MITO_CONFIG_LOG_SERVER_URL",
	.headers = "MITO_CONFIG_LOG_SERVER_URL or otlog_mito_options.headers",
	.timeout = "OTEL_BLRP_EXPORT_TIMEOUT",
	.ca_file = "OTLOG_MITO_CERTIFICATE",
	.client_certificate = "OTLOG_MITO_CLIENT_CERTIFICATE",
	.client_key = "OTLOG_MITO_CLIENT_KEY",
	.batch_size = "otlog_pipeline_options.max_batch_bytes",
};

/* ---- The body ---------------------------------------------------------------------------------------------------- */

/* Finds what of the resource goes into every object. */
static void
find_extras(mito *self, const otlog_record_view *record)
{
	for (size_t i = 0; i < self->extra_count; i++)
		otlog_find_item(otlog_resource_attributes(record), self->extras[i].name, &self->extras[i].value);
}

static void
write_objects(mito *self, const otlog_batch *batch, progress *progress)
{
	otlog_batch_reader reader = otlog_batch_records(batch);
	otlog_record_view record;
	const otlog__flat_extras extras = { self->extras, self->extra_count };
	while (otlog_batch_next(&reader, &record) || reader.can_skip) {
		if (reader.malformed) {
			reader.malformed = false;
			progress->malformed++;
			continue;
		}
		if (record.new_resource)
			find_extras(self, &record);
		if (!(otlog__is_mito_event(&record) ? otlog__flat_put_event(&self->flat, &record, extras)
		                                    : otlog__flat_put_record(&self->flat, &record, extras))) {
			progress->no_memory = true;
			return;
		}
		progress->written++;
	}
	if (reader.malformed && progress->written + progress->malformed < batch->records)
		progress->malformed = batch->records - progress->written;
}

/* Writes the array of objects. False, with the verdict, if there is nothing to send. */
static bool
write_body(mito *self, const otlog_batch *batch, progress *progress, otlog_export_result *result)
{
	self->flat.out.size = 0;
	if (otlog__buffer_append(&self->flat.out, "[", 1))
		write_objects(self, batch, progress);
	else
		progress->no_memory = true;
	if (!progress->no_memory && progress->written && otlog__buffer_append(&self->flat.out, "]", 1))
		return true;
	if (progress->written == 0 && !progress->no_memory) {
		otlog__http_fail(OTLOG__HTTP_MALFORMED_BATCH, result);
		snprintf(result->message, sizeof result->message,
		         "none of the batch can be read as log records. Report this to the authors of otlog");
	} else {
		otlog__http_fail(OTLOG__HTTP_OUT_OF_MEMORY, result);
		snprintf(result->message, sizeof result->message,
		         "memory is short for the JSON of a batch. Give the process more memory or lower %s",
		         names.batch_size);
	}
	return false;
}

/* ---- The exporter ------------------------------------------------------------------------------------------------ */

static void
export_batch(void *exporter, const otlog_batch *batch, uint64_t timeout_ms, otlog_export_result *result)
{
	mito *self = exporter;
	progress progress = { .written = 0 };
	if (!write_body(self, batch, &progress, result))
		return;
	otlog__http_outcome outcome;
	otlog__http_post(self->http, self->flat.out.data, self->flat.out.size, timeout_ms, &outcome);
	char text[128] = "";
	if (outcome.body_size && !otlog__http_delivered(&outcome))
		otlog__http_printable(outcome.body, outcome.body_size, text, sizeof text);
	otlog__http_conclude(self->http, &outcome, text, result);
	if (result->verdict == OTLOG_VERDICT_OK && progress.malformed) {
		otlog__http_fail(OTLOG__HTTP_PARTIAL_SUCCESS, result);
		result->rejected = progress.malformed;
		snprintf(result->message, sizeof result->message,
		         "%zu record%s left out, which cannot be read. Report this to the authors of otlog",
		         progress.malformed, otlog__s(progress.malformed));
	}
}

static void
cancel(void *exporter)
{
	mito *self = exporter;
	otlog__http_cancel(self->http);
}

static void
destroy(void *exporter)
{
	mito *self = exporter;
	if (!self)
		return;
	otlog__http_destroy(self->http);
	otlog__flat_free(&self->flat);
	for (size_t i = 0; i < self->extra_count; i++)
		free((void *)self->extras[i].name);
	free(self->extras);
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

/* ---- Creating ---------------------------------------------------------------------------------------------------- */

/* Copies the name of an attribute of the resource. False when memory is short. */
static bool
add_extra(mito *self, const char *name)
{
	char *copy = strdup(name);
	if (copy)
		self->extras[self->extra_count++].name = copy;
	return copy;
}

static mito *
create_self(size_t extras)
{
	mito *self = calloc(1, sizeof *self);
	if (self)
		self->extras = calloc(extras ? extras : 1, sizeof *self->extras);
	if (self && self->extras)
		return self;
	destroy(self);
	return NULL;
}

/* Hands out what is whole; frees what is not, and says so where nobody else has. */
static bool
hand_out(mito *self, bool no_memory, otlog_exporter *out)
{
	if (no_memory)
		otlog__diagnose_always(OTLOG__ERROR, "memory is short for the Mito exporter: nothing goes to the log "
		                                     "server. Give the process more memory");
	if (no_memory || !self->http) {
		destroy(self);
		return false;
	}
	*out = (otlog_exporter){ .functions = &functions, .self = self, .name = "mito" };
	return true;
}

static bool
reopen(const void *exporter, otlog_exporter *out)
{
	const mito *parents = exporter;
	mito *self = create_self(parents->extra_count);
	bool no_memory = !self;
	for (size_t i = 0; i < parents->extra_count && !no_memory; i++)
		no_memory = !add_extra(self, parents->extras[i].name);
	if (!no_memory)
		self->http = otlog__http_reopen(parents->http);
	return hand_out(self, no_memory, out);
}

bool
otlog_mito_exporter_create_sized(const otlog_mito_options *options, size_t options_size, otlog_exporter *out)
{
	otlog_mito_options known;
	otlog__sized_copy(&known, sizeof known, options, options_size);
	if (!out)
		return false;
	const size_t count = known.resource_attributes ? known.resource_attribute_count : 0;
	mito *self = create_self(count);
	bool no_memory = !self;
	for (size_t i = 0; i < count && !no_memory; i++) {
		const char *name = known.resource_attributes[i];
		no_memory = name && *name && !add_extra(self, name);
	}
	const otlog__http_options http = {
		.url = known.url,
		.headers = known.headers,
		.header_count = known.headers ? known.header_count : 0,
		.content_type = "application/json",
		.compression = known.compression,
		.ca_file = known.ca_file,
		.client_certificate_file = known.client_certificate_file,
		.client_key_file = known.client_key_file,
		.follow_redirects = true,
		.names = names,
	};
	if (!no_memory)
		self->http = otlog__http_create(&http);
	return hand_out(self, no_memory, out);
}
