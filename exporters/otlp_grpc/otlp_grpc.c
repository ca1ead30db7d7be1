#include "exporters/otlp_grpc/otlp_grpc.h"

#include "exporters/peer/printable.h"
#include "exporters/otlp_grpc/grpc_answer.h"
#include "exporters/otlp_grpc/call.h"
#include "exporters/otlp_grpc/channel.h"
#include "exporters/otlp_grpc/core.h"
#include "exporters/otlp_grpc/metadata.h"
#include "exporters/otlp_grpc/call_slot.h"
#include "exporters/otlp_grpc/grpc_verdict_table.h"
#include "sdk/base/limits.h"
#include "sdk/base/process/diagnostics.h"
#include "sdk/base/rare/address.h"
#include "sdk/base/rare/header_rules.h"
#include "sdk/base/sized.h"
#include "sdk/base/strings.h"
#include "sdk/base/version.h"

#include <grpc/slice.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct otlp_grpc {
	otlog__grpc_destination destination;
	otlog__grpc_channels channels;
	otlog__grpc_slots slots;
	size_t request_max;        /* bytes */
	bool usable;               /* false: created in a child of a process that has initialised gRPC */
	_Atomic bool said_foreign; /* writers: threads that export. Such a peer answers every batch the same way */
} otlp_grpc;

const char *
otlog__grpc_version(void)
{
	return OTLOG__VERSION;
}

/* ---- Exporting --------------------------------------------------------------------------------------------------- */

/* Peers quote what they were sent. The values are the same in every slot. */
static void
mask_headers(const otlp_grpc *self, char *text)
{
	for (size_t i = 0; i < self->slots.metadata_count; i++) {
		const grpc_slice *value = &self->slots.items[0].metadata[i].value;
		otlog__grpc_header_mask(GRPC_SLICE_START_PTR(*value), GRPC_SLICE_LENGTH(*value), text);
	}
}

static void
accept_answer(otlp_grpc *self, const otlog__grpc_reply *reply, size_t records, otlog_export_result *result)
{
	const char *endpoint = self->destination.target.display;
	otlog__grpc_answer answer;
	char cause[sizeof result->message];
	if (GRPC_SLICE_LENGTH(reply->body) > OTLOG__ANSWER_BYTES_MAX) {
		snprintf(cause, sizeof cause, "%.100s: %s", endpoint, otlog__grpc_answer_too_large.cause);
		otlog__grpc_fail(&otlog__grpc_answer_too_large, cause, result);
		return;
	}
	otlog__grpc_read_success(reply->has_body ? GRPC_SLICE_START_PTR(reply->body) : NULL,
	                         GRPC_SLICE_LENGTH(reply->body), &answer);
	mask_headers(self, answer.text);
	if (answer.rejected) {
		result->rejected = answer.rejected < records ? (size_t)answer.rejected : records;
		snprintf(cause, sizeof cause, "%.60s refused %zu of %zu record%s: \"%s\"", endpoint, result->rejected,
		         records, otlog__s(records), answer.text);
		otlog__grpc_fail(&otlog__grpc_partial_success, cause, result);
	} else if (*answer.text) {
		otlog__diagnose(OTLOG__WARN, "%.100s took the records, with a warning: \"%s\". See what it asks for",
		                endpoint, answer.text);
	}
	/* Only which thread comes first matters, and the exchange alone settles that. */
	if (answer.foreign && !atomic_exchange_explicit(&self->said_foreign, true, memory_order_relaxed))
		otlog__diagnose_always(OTLOG__WARN,
		                       "%.100s answered OK, but not as an OTLP receiver does: records may be lost. "
		                       "Check OTEL_EXPORTER_OTLP_ENDPOINT",
		                       endpoint);
}

static otlog__grpc_link_state
run(otlp_grpc *self, otlog__grpc_slot *slot, const otlog__grpc_request *request, size_t records,
    otlog_export_result *result)
{
	static const otlog__grpc_outcome cut_short = { .cancelled = true };
	const char *endpoint = self->destination.target.display;
	grpc_call *call = otlog__grpc_call_create(request, slot->queue);
	if (!call || !otlog__grpc_slot_publish(&self->slots, slot, call)) {
		otlog__grpc_judge(&cut_short, endpoint, result);
		if (call)
			grpc_call_unref(call);
		return OTLOG__GRPC_LINK_GOOD;
	}
	otlog__grpc_reply reply;
	char said[512];
	otlog__grpc_call_run(call, request, slot->queue, &reply);
	otlog__http_printable(reply.outcome.text, reply.outcome.text_size, said, sizeof said);
	mask_headers(self, said);
	reply.outcome.text = said;
	reply.outcome.text_size = strlen(said);
	reply.outcome.tls = !self->destination.target.plaintext;
	/* An attempt that had come to its end counts as what it was. */
	reply.outcome.cancelled =
	    otlog__grpc_slot_withdraw(&self->slots, slot) && reply.outcome.status == GRPC_STATUS_CANCELLED;
	grpc_call_unref(call);
	otlog__grpc_judge(&reply.outcome, endpoint, result);
	if (reply.outcome.status == GRPC_STATUS_OK)
		accept_answer(self, &reply, records, result);
	otlog__grpc_reply_free(&reply);
	if (strcmp(result->error_type, OTLOG__GRPC_TIMEOUT) == 0)
		return OTLOG__GRPC_LINK_SILENT;
	return result->verdict == OTLOG_VERDICT_RETRY ? OTLOG__GRPC_LINK_DOUBTFUL : OTLOG__GRPC_LINK_GOOD;
}

static void
export_in(otlp_grpc *self, otlog__grpc_slot *slot, const otlog_batch *batch, uint64_t timeout_ms,
          otlog_export_result *result)
{
	otlog__grpc_link *link = otlog__grpc_link_take(&self->channels, result);
	if (!link)
		return;
	const otlog__grpc_request request = {
		.channel = link->channel,
		.metadata = slot->metadata,
		.metadata_count = self->slots.metadata_count,
		.body = batch->request,
		.body_size = batch->request_size,
		.timeout_ms = timeout_ms,
	};
	otlog__grpc_link_give(&self->channels, link, run(self, slot, &request, batch->records, result));
}

/* What can be told without the network. Returns true if the batch is not to be sent. */
static bool
judge_early(const otlp_grpc *self, const otlog_batch *batch, otlog_export_result *result)
{
	char cause[sizeof result->message];
	if (!self->usable || !otlog__grpc_usable()) {
		otlog__grpc_fail(&otlog__grpc_forked, NULL, result);
		return true;
	}
	if (batch->request_size > self->request_max) {
		snprintf(cause, sizeof cause, "a request of %zu bytes is over the limit of %zu bytes and was not sent",
		         batch->request_size, self->request_max);
		otlog__grpc_fail(&otlog__grpc_request_too_large, cause, result);
		return true;
	}
	return false;
}

static void
export_batch(void *exporter, const otlog_batch *batch, uint64_t timeout_ms, otlog_export_result *result)
{
	otlp_grpc *self = exporter;
	if (judge_early(self, batch, result))
		return;
	bool cancelled;
	otlog__grpc_slot *slot = otlog__grpc_slot_take(&self->slots, &cancelled);
	if (!slot) {
		otlog__grpc_fail(cancelled ? &otlog__grpc_cancelled : &otlog__grpc_busy, NULL, result);
		return;
	}
	sigset_t signals;
	otlog__grpc_hold_signals(&signals);
	export_in(self, slot, batch, timeout_ms, result);
	otlog__grpc_release_signals(&signals);
	otlog__grpc_slot_give(&self->slots, slot);
}

static void
cancel(void *exporter)
{
	otlp_grpc *self = exporter;
	if (!self->usable || !otlog__grpc_usable())
		return;
	sigset_t signals;
	otlog__grpc_hold_signals(&signals);
	otlog__grpc_slots_cancel(&self->slots);
	otlog__grpc_release_signals(&signals);
}

static void
destroy(void *exporter)
{
	otlp_grpc *self = exporter;
	if (!self)
		return;
	bool usable = self->usable && otlog__grpc_usable();
	sigset_t signals;
	otlog__grpc_hold_signals(&signals);
	if (usable)
		otlog__grpc_slots_destroy(&self->slots);
	otlog__grpc_channels_close(&self->channels, usable);
	otlog__grpc_release_signals(&signals);
	otlog__grpc_target_free(&self->destination.target);
	pthread_mutex_destroy(&self->channels.lock);
	free(self);
}

/*
 * An exporter initialises gRPC when it is created, so a child of a process that has one can never use gRPC: its threads are
 * not there, and its locks may be held for ever.
 */
static bool
reopen(const void *exporter, otlog_exporter *out)
{
	(void)exporter, (void)out;
	return false; /* what becomes of the records is said for the pipeline */
}

static const otlog_exporter_functions functions = {
	.size = sizeof functions,
	.export_batch = export_batch,
	.cancel = cancel,
	.destroy = destroy,
	.reopen = reopen,
};

/* ---- Creating ---------------------------------------------------------------------------------------------------- */

/* Says what is wrong with header i, without its value: that may be a secret. Returns false if nothing can be sent. */
static bool
check_header(const otlog_header *header, size_t i, bool *send)
{
	otlog__header_fault fault = otlog__grpc_header_check(header);
	*send = fault == OTLOG__HEADER_GOOD;
	if (fault == OTLOG__HEADER_BAD_NAME)
		otlog__diagnose_always(
		    OTLOG__ERROR,
		    "the name of header %zu is none that gRPC can send (letters, digits, -, _ and .). "
		    "Nothing is exported until OTEL_EXPORTER_OTLP_HEADERS is corrected",
		    i + 1);
	else if (fault == OTLOG__HEADER_BAD_VALUE)
		otlog__diagnose_always(
		    OTLOG__ERROR,
		    "the value of header %.64s is more than printable ASCII, which is all that gRPC can "
		    "send. Nothing is exported until OTEL_EXPORTER_OTLP_HEADERS is corrected",
		    header->name);
	else if (fault == OTLOG__HEADER_OURS)
		otlog__diagnose_always(OTLOG__WARN,
		                       "header %.64s is left out: gRPC sets it itself. Remove it from "
		                       "OTEL_EXPORTER_OTLP_HEADERS",
		                       header->name);
	return fault == OTLOG__HEADER_GOOD || fault == OTLOG__HEADER_OURS;
}

static grpc_slice
lower_case_slice(const char *name)
{
	grpc_slice slice = grpc_slice_from_copied_string(name);
	otlog__grpc_header_lower((char *)GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice));
	return slice;
}

/* Headers as *metadata, which has room for all of them. False, with one diagnostic, if one is malformed. */
static bool
read_headers(const otlog_header *headers, size_t count, grpc_metadata *metadata, size_t *metadata_count)
{
	for (size_t i = 0; i < count; i++) {
		bool send;
		if (!check_header(&headers[i], i, &send))
			return false;
		if (send)
			metadata[(*metadata_count)++] =
			    (grpc_metadata){ .key = lower_case_slice(headers[i].name),
				             .value = grpc_slice_from_copied_string(headers[i].value) };
	}
	return true;
}

static void
say_no_memory(void)
{
	otlog__diagnose_always(
	    OTLOG__ERROR, "memory is short for the OTLP exporter: nothing is exported. Give the process more memory");
}

static void
say_endpoint(const char *endpoint, const char *reason)
{
	char shown[128];
	otlog__address_show(otlog__text_of(endpoint), shown, sizeof shown);
	otlog__diagnose_always(OTLOG__ERROR,
	                       "endpoint \"%s\" is none that gRPC can send to: %s. Nothing is exported until "
	                       "OTEL_EXPORTER_OTLP_ENDPOINT is corrected, for example to http://localhost:4317",
	                       shown, reason);
}

static bool
set_destination(otlp_grpc *self, const otlog_otlp_options *options, const otlog_grpc_options *grpc)
{
	otlog__grpc_destination *to = &self->destination;
	const char *endpoint = options->endpoint ? options->endpoint : OTLOG__OTLP_GRPC_DEFAULT_ENDPOINT;
	const char *reason = otlog__grpc_target_parse(endpoint, grpc->insecure, &to->target);
	if (reason) {
		say_endpoint(endpoint, reason);
		return false;
	}
	to->compress = options->compression == OTLOG_COMPRESSION_GZIP;
	to->keepalive_time_ms = grpc->keepalive_time_ms;
	to->keepalive_timeout_ms = grpc->keepalive_timeout_ms;
	if (otlog__grpc_channels_open(&self->channels, to, options))
		return true;
	say_no_memory();
	return false;
}

static bool
create_places(otlp_grpc *self, size_t place_count, const otlog_otlp_options *options)
{
	size_t given = options->headers ? options->header_count : 0;
	size_t count = 0;
	bool done = false;
	grpc_metadata *metadata = calloc(given + 1, sizeof *metadata);
	if (!metadata) {
		say_no_memory();
		return false;
	}
	if (read_headers(options->headers, given, metadata, &count)) {
		done = otlog__grpc_slots_create(&self->slots, place_count, metadata, count);
		if (!done)
			say_no_memory();
	}
	for (size_t i = 0; i < count; i++) {
		grpc_slice_unref(metadata[i].key);
		grpc_slice_unref(metadata[i].value);
	}
	free(metadata);
	return done;
}

/* What needs gRPC itself. In a forked child there is nothing to set up, and every export says why. */
static bool
set_up(otlp_grpc *self, const otlog_otlp_options *options, const otlog_grpc_options *grpc)
{
	size_t place_count = grpc->requests_in_flight ? grpc->requests_in_flight : OTLOG__OTLP_GRPC_DEFAULT_CALLS;
	if (place_count > OTLOG__GRPC_SLOTS_MAX)
		place_count = OTLOG__GRPC_SLOTS_MAX;
	self->usable = otlog__grpc_usable();
	if (!self->usable)
		return true;
	sigset_t signals;
	otlog__grpc_hold_signals(&signals);
	bool done = create_places(self, place_count, options);
	if (done && !otlog__grpc_understands(&self->destination)) {
		say_endpoint(self->destination.target.display, "gRPC does not understand it");
		done = false;
	}
	otlog__grpc_release_signals(&signals);
	return done;
}

static otlp_grpc *
create(const otlog_otlp_options *options, const otlog_grpc_options *grpc)
{
	otlp_grpc *self = calloc(1, sizeof *self);
	if (!self) {
		say_no_memory();
		return NULL;
	}
	pthread_mutex_init(&self->channels.lock, NULL);
	self->request_max = OTLOG__REQUEST_BYTES_MAX;
	if (grpc->max_message_bytes && grpc->max_message_bytes < self->request_max)
		self->request_max = grpc->max_message_bytes;
	if (set_destination(self, options, grpc) && set_up(self, options, grpc))
		return self;
	destroy(self);
	return NULL;
}

bool
otlog_otlp_grpc_exporter_create_sized(const otlog_otlp_options *options, size_t options_size,
                                      const otlog_grpc_options *grpc, size_t grpc_size, otlog_exporter *out)
{
	otlog_otlp_options known;
	otlog_grpc_options known_grpc;
	otlog__sized_copy(&known, sizeof known, options, options_size);
	otlog__sized_copy(&known_grpc, sizeof known_grpc, grpc, grpc_size);
	if (!out)
		return false;
	otlp_grpc *self = create(&known, &known_grpc);
	if (!self)
		return false;
	*out = (otlog_exporter){
		.functions = &functions, .self = self, .name = "otlp_grpc", .concurrency = (uint32_t)self->slots.count
	};
	return true;
}
