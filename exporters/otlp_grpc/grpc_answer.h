/* What an OTLP/gRPC receiver answers: the messages in a response and in its trailers. Pure. */
#ifndef OTLOG_EXPORTERS_OTLP_GRPC_GRPC_ANSWER_H
#define OTLOG_EXPORTERS_OTLP_GRPC_GRPC_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct otlog__grpc_answer {
	bool foreign;      /* no ExportLogsServiceResponse: the peer may be no OTLP receiver */
	uint64_t rejected; /* records it will never take */
	char text[128];    /* its own words, printable; "" if it has none */
} otlog__grpc_answer;

/* Reads the response of a call that ended with OK. Source: OTLP specification, "Full Success", "Partial Success". */
void otlog__grpc_read_success(const void *body, size_t body_size, otlog__grpc_answer *answer);

/*
 * Looks into a google.rpc.Status, the value of the trailer grpc-status-details-bin, for a RetryInfo. Returns false if
 * there is none. *delay_ms is an hour at most, and 0 where no delay is named.
 * Source: OTLP specification, "OTLP/gRPC Throttling".
 */
bool otlog__grpc_read_retry_info(const void *details, size_t details_size, uint64_t *delay_ms);

#endif
