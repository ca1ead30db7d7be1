/* How a gRPC call ended, and what follows from it: OK, RETRY or DROP, with a message. Pure. */
#ifndef OTLOG_EXPORTERS_OTLP_GRPC_VERDICT_H
#define OTLOG_EXPORTERS_OTLP_GRPC_VERDICT_H

#include <otlog/exporter.h>

/* Everything is borrowed. */
typedef struct otlog__grpc_outcome {
	int status;       /* a grpc_status_code, the peer's or gRPC's own */
	bool cancelled;   /* by us, before there was a status */
	bool tls;         /* the connection is encrypted, or was to be */
	const char *text; /* what comes with the status; not NUL-terminated */
	size_t text_size;
	const void *details; /* the trailer grpc-status-details-bin; NULL: not given */
	size_t details_size;
} otlog__grpc_outcome;

/*
 * Fills *result; `endpoint` is the printable one. Retryable are the statuses that the OTLP specification lists under
 * "Failures"; RESOURCE_EXHAUSTED is one of them only with a RetryInfo.
 */
void otlog__grpc_judge(const otlog__grpc_outcome *outcome, const char *endpoint, otlog_export_result *result);

#endif
