/* How a gRPC call ended, and what follows from it: a verdict with a message and an error type. Pure. */
#ifndef OTLOG_EXPORTERS_OTLP_GRPC_GRPC_VERDICT_H
#define OTLOG_EXPORTERS_OTLP_GRPC_GRPC_VERDICT_H

#include <otlog/exporter.h>

/*
 * Bytes of an answer that gRPC itself lets through: a little more than OTLOG__ANSWER_BYTES_MAX, by a number that nobody
 * else would choose. A peer's words about a request over its limit are the same as gRPC's about an answer over ours, so
 * that the number in them alone tells these apart.
 */
#define OTLOG__GRPC_RECEIVE_MAX 4194357

/* The error type of an attempt whose time was up; where the receiver's was, it is the status's name. */
#define OTLOG__GRPC_TIMEOUT "timeout"

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
 * "Failures", RESOURCE_EXHAUSTED only with a RetryInfo, and what left the request without an answer.
 */
void otlog__grpc_judge(const otlog__grpc_outcome *outcome, const char *endpoint, otlog_export_result *result);

struct otlog__grpc_failure;

/* Fills *result for what the exporter finds out by itself; `cause` NULL: the failure's. */
void otlog__grpc_fail(const struct otlog__grpc_failure *failure, const char *cause, otlog_export_result *result);

#endif
