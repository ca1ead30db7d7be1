#include "exporters/otlp_http/otlp_http.h"

#include "exporters/http/transport.h"
#include "exporters/otlp_http/answer.h"
#include "sdk/base/diagnostics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct otlp_http {
	otlog__http *http;
	bool said_foreign; /* once is enough: such a peer answers every batch the same way */
} otlp_http;

static const otlog__http_names names = {
	.peer = "the collector",
	.endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT",
	.headers = "OTEL_EXPORTER_OTLP_HEADERS",
	.timeout = "OTEL_EXPORTER_OTLP_TIMEOUT",
	.ca_file = "OTEL_EXPORTER_OTLP_CERTIFICATE",
	.client_certificate = "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
	.batch_size = "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE",
};

/* The request is delivered; what the receiver says about it may still be of interest. */
static void
accept_answer(otlp_http *self, const otlog__http_outcome *outcome, size_t records, otlog_export_result *result)
{
	otlog__otlp_answer answer;
	otlog__otlp_read_success(outcome, &answer);
	const char *url = otlog__http_url(self->http);
	result->verdict = OTLOG_VERDICT_OK;
	if (answer.rejected) {
		result->verdict = OTLOG_VERDICT_PARTIAL;
		result->rejected = answer.rejected < records ? (size_t)answer.rejected : records;
		snprintf(result->message, sizeof result->message,
		         "%.60s refused %zu of %zu records: \"%s\". Correct what it names", url, result->rejected,
		         records, answer.text);
	} else if (*answer.text) {
		otlog__diagnose(OTLOG__WARN, "%.100s took the records, with a warning: \"%s\"", url, answer.text);
	}
	if (answer.foreign && !self->said_foreign) {
		self->said_foreign = true;
		otlog__diagnose_always(OTLOG__WARN,
		                       "%.100s answered %ld, but not as an OTLP receiver does: records may be lost. "
		                       "Check %s",
		                       url, outcome->status, names.endpoint);
	}
}

static void
export_batch(void *exporter, const otlog_batch *batch, uint64_t timeout_ms, otlog_export_result *result)
{
	otlp_http *self = exporter;
	if (batch->request_size > OTLOG__OTLP_REQUEST_MAX) {
		result->verdict = OTLOG_VERDICT_DROP;
		snprintf(result->message, sizeof result->message,
		         "a request of %zu bytes is over OTLP's limit of 64 MiB. Lower %s or log smaller records",
		         batch->request_size, names.batch_size);
		return;
	}
	otlog__http_outcome outcome;
	otlog__http_post(self->http, batch->request, batch->request_size, timeout_ms, &outcome);
	if (otlog__http_delivered(&outcome)) {
		accept_answer(self, &outcome, batch->records, result);
		return;
	}
	char text[128];
	otlog__otlp_read_refusal(&outcome, text, sizeof text);
	otlog__http_conclude(self->http, &outcome, text, result);
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
	free(self);
}

static const otlog_exporter_functions functions = {
	.export_batch = export_batch,
	.cancel = cancel,
	.destroy = destroy,
};

bool
otlog_otlp_http_exporter_create_sized(const otlog_otlp_options *options, size_t options_size, otlog_exporter *out)
{
	otlog_otlp_options known = { 0 }; /* an older program's struct may be smaller, a newer one's larger */
	if (options)
		memcpy(&known, options, options_size < sizeof known ? options_size : sizeof known);
	if (!out)
		return false;

	otlp_http *self = calloc(1, sizeof *self);
	if (!self) {
		otlog__diagnose_always(OTLOG__ERROR, "memory is short for the OTLP exporter: nothing is exported");
		return false;
	}
	const otlog__http_options http = {
		.url = known.endpoint ? known.endpoint : OTLOG__OTLP_HTTP_DEFAULT_ENDPOINT,
		.headers = known.headers,
		.header_count = known.headers ? known.header_count : 0,
		.content_type = "application/x-protobuf",
		.compression = known.compression,
		.ca_file = known.ca_file,
		.client_certificate_file = known.client_certificate_file,
		.client_key_file = known.client_key_file,
		.names = names,
	};
	self->http = otlog__http_create(&http);
	if (!self->http) {
		destroy(self);
		return false;
	}
	*out = (otlog_exporter){ .functions = &functions, .self = self, .name = "otlp_http" };
	return true;
}
