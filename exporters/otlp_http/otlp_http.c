#include "exporters/otlp_http/otlp_http.h"

#include "exporters/http/transport.h"
#include "exporters/http/http_verdict_table.h"
#include "exporters/json/otlp_json.h"
#include "exporters/otlp_http/http_answer.h"
#include "sdk/base/limits.h"
#include "sdk/base/process/diagnostics.h"
#include "sdk/base/sized.h"
#include "sdk/base/strings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A larger buffer is given back after its request. */
#define JSON_KEPT ((size_t)8 * 1024 * 1024)

/* What tells one exporter from the other. */
typedef struct body_form {
	const char *exporter;
	const char *content_type;
	bool json;
	void (*read_success)(const otlog__http_outcome *outcome, otlog__otlp_answer *answer);
} body_form;

typedef struct otlp_http {
	const body_form *form;
	otlog__http *http;
	otlog__buffer json; /* the batch that is on its way */
	bool said_foreign;  /* once is enough: such a peer answers every batch the same way */
} otlp_http;

static const otlog__peer_names names = {
	.peer = "the collector",
	.endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT",
	.headers = "OTEL_EXPORTER_OTLP_HEADERS",
	.timeout = "OTEL_EXPORTER_OTLP_TIMEOUT",
	.ca_file = "OTEL_EXPORTER_OTLP_CERTIFICATE",
	.client_certificate = "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
	.client_key = "OTEL_EXPORTER_OTLP_CLIENT_KEY",
	.batch_size = "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE",
};

static const body_form protobuf_form = {
	.exporter = "otlp_http",
	.content_type = "application/x-protobuf",
	.read_success = otlog__otlp_read_success,
};

static const body_form json_form = {
	.exporter = "otlp_http_json",
	.content_type = "application/json",
	.json = true,
	.read_success = otlog__otlp_read_json_success,
};

/* The request is delivered; what the receiver says about it may still be of interest. */
static void
accept_answer(otlp_http *self, const otlog__http_outcome *outcome, size_t records, otlog_export_result *result)
{
	otlog__otlp_answer answer;
	self->form->read_success(outcome, &answer);
	otlog__http_mask(self->http, answer.text);
	const char *url = otlog__http_url(self->http);
	result->verdict = OTLOG_VERDICT_OK;
	if (answer.rejected) {
		otlog__http_fail(OTLOG__HTTP_PARTIAL_SUCCESS, result);
		result->rejected = answer.rejected < records ? (size_t)answer.rejected : records;
		snprintf(result->message, sizeof result->message,
		         "%.60s refused %zu of %zu record%s: \"%s\". Correct what it names", url, result->rejected,
		         records, otlog__s(records), answer.text);
	} else if (*answer.text) {
		otlog__diagnose(OTLOG__WARN, "%.100s took the records, with a warning: \"%s\". See what it asks for",
		                url, answer.text);
	}
	if (answer.foreign && !self->said_foreign) {
		self->said_foreign = true;
		otlog__diagnose_always(OTLOG__WARN,
		                       "%.100s answered %ld, but not as an OTLP receiver does: records may be lost. "
		                       "Check %s",
		                       url, outcome->status, names.endpoint);
	}
}

static bool
convert(otlp_http *self, const otlog_batch *batch, otlog_export_result *result)
{
	self->json.size = 0;
	if (otlog__otlp_json_append(batch->request, batch->request_size, &self->json))
		return true;
	bool no_memory = errno == ENOMEM;
	otlog__http_fail(no_memory ? OTLOG__HTTP_OUT_OF_MEMORY : OTLOG__HTTP_MALFORMED_BATCH, result);
	if (no_memory)
		snprintf(result->message, sizeof result->message,
		         "memory is short for the JSON of %zu record%s. Give the process more memory, or lower %s",
		         batch->records, otlog__s(batch->records), names.batch_size);
	else
		snprintf(
		    result->message, sizeof result->message,
		    "%zu record%s cannot be written as JSON: the %zu bytes are no OTLP request. See what has damaged "
		    "the queue",
		    batch->records, otlog__s(batch->records), batch->request_size);
	return false;
}

static void
post(otlp_http *self, const otlog_batch *batch, uint64_t timeout_ms, otlog_export_result *result)
{
	bool json = self->form->json && batch->request_size <= OTLOG__REQUEST_BYTES_MAX;
	const void *body = json ? self->json.data : batch->request;
	size_t body_size = json ? self->json.size : batch->request_size;
	otlog__http_outcome outcome;
	otlog__http_post(self->http, body, body_size, timeout_ms, &outcome);
	if (otlog__http_delivered(&outcome)) {
		accept_answer(self, &outcome, batch->records, result);
		return;
	}
	char text[128];
	otlog__otlp_read_refusal(&outcome, text, sizeof text);
	otlog__http_conclude(self->http, &outcome, text, result);
}

static void
export_batch(void *exporter, const otlog_batch *batch, uint64_t timeout_ms, otlog_export_result *result)
{
	otlp_http *self = exporter;
	/* What is too large in protobuf is refused by the transport, before its JSON takes yet more memory. */
	bool fits = batch->request_size <= OTLOG__REQUEST_BYTES_MAX;
	if (!self->form->json || !fits || convert(self, batch, result))
		post(self, batch, timeout_ms, result);
	if (self->json.capacity > JSON_KEPT)
		otlog__buffer_free(&self->json);
}

static void
cancel(void *exporter)
{
	otlp_http *self = exporter;
	otlog__http_cancel(self->http);
}

static void
destroy(void *exporter)
{
	otlp_http *self = exporter;
	if (!self)
		return;
	otlog__http_destroy(self->http);
	otlog__buffer_free(&self->json);
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

/* The transport is a new one for these options, or one for a child like the parent's. */
static bool
open_exporter(const body_form *form, const otlog__http_options *options, const otlog__http *parents,
              otlog_exporter *out)
{
	otlp_http *self = calloc(1, sizeof *self);
	if (!self) {
		otlog__diagnose_always(
		    OTLOG__ERROR,
		    "memory is short for the OTLP exporter: nothing is exported. Give the process more memory");
		return false;
	}
	self->form = form;
	self->http = parents ? otlog__http_reopen(parents) : otlog__http_create(options);
	if (!self->http) {
		destroy(self);
		return false;
	}
	*out = (otlog_exporter){ .functions = &functions, .self = self, .name = form->exporter };
	return true;
}

static bool
reopen(const void *exporter, otlog_exporter *out)
{
	const otlp_http *parents = exporter;
	return open_exporter(parents->form, NULL, parents->http, out);
}

static bool
create(const otlog_otlp_options *options, size_t options_size, const body_form *form, otlog_exporter *out)
{
	otlog_otlp_options known;
	otlog__sized_copy(&known, sizeof known, options, options_size);
	if (!out)
		return false;
	const otlog__http_options http = {
		.url = known.endpoint ? known.endpoint : OTLOG__OTLP_HTTP_DEFAULT_ENDPOINT,
		.headers = known.headers,
		.header_count = known.headers ? known.header_count : 0,
		.content_type = form->content_type,
		.compression = known.compression,
		.ca_file = known.ca_file,
		.client_certificate_file = known.client_certificate_file,
		.client_key_file = known.client_key_file,
		.names = names,
	};
	return open_exporter(form, &http, NULL, out);
}

bool
otlog_otlp_http_exporter_create_sized(const otlog_otlp_options *options, size_t options_size, otlog_exporter *out)
{
	return create(options, options_size, &protobuf_form, out);
}

bool
otlog_otlp_http_json_exporter_create_sized(const otlog_otlp_options *options, size_t options_size, otlog_exporter *out)
{
	return create(options, options_size, &json_form, out);
}
