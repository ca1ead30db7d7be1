/* What the ends of gRPC calls mean: the tables behind grpc_verdict.h and docs/delivery.md. Pure. */
#ifndef OTLOG_EXPORTERS_OTLP_GRPC_GRPC_VERDICT_TABLE_H
#define OTLOG_EXPORTERS_OTLP_GRPC_GRPC_VERDICT_TABLE_H

#include "exporters/otlp_grpc/grpc_verdict.h"

#include <grpc/status.h>

/* What a status of the receiver means. Its name is the error type. */
typedef struct otlog__grpc_status {
	const char *name;
	otlog_verdict verdict;
	const char *about; /* on the page */
	const char *remedy;
} otlog__grpc_status;

#define OTLOG__GRPC_STATUS_COUNT (GRPC_STATUS_UNAUTHENTICATED + 1)

/* By number. */
extern const otlog__grpc_status otlog__grpc_statuses[OTLOG__GRPC_STATUS_COUNT];
extern const otlog__grpc_status otlog__grpc_throttled;    /* RESOURCE_EXHAUSTED with a RetryInfo */
extern const otlog__grpc_status otlog__grpc_other_status; /* any that is not in the table; it has no name */

/* What a status alone does not tell. */
typedef struct otlog__grpc_failure {
	const char *error_type; /* NULL: the status's name */
	otlog_verdict verdict;
	const char *cause; /* in messages, and on the page; takes the place of gRPC's words */
	bool quoted;       /* in messages, those are quoted in its place */
	const char *remedy;
	const char *remedy_tls; /* instead, where TLS is spoken; NULL: the same */
} otlog__grpc_failure;

/* gRPC, of release 1.51 and later ones, says what happened in the words that come with a status, and there alone. */
typedef struct otlog__grpc_words {
	unsigned statuses; /* a bit for each that they come with */
	const char *words;
	otlog__grpc_failure failure;
} otlog__grpc_words;

/* The first row whose words are found counts. */
extern const otlog__grpc_words otlog__grpc_words_table[];
extern const size_t otlog__grpc_words_count;

/* What a server of HTTP answers that speaks no gRPC. The last row is for all others. */
typedef struct otlog__grpc_http_status {
	int status; /* its error type; 0: any other */
	otlog_verdict verdict;
	const char *remedy;
} otlog__grpc_http_status;

extern const otlog__grpc_http_status otlog__grpc_http_statuses[];
extern const size_t otlog__grpc_http_status_count;

/* What the exporter finds out by itself. */
extern const otlog__grpc_failure otlog__grpc_request_too_large;
extern const otlog__grpc_failure otlog__grpc_answer_too_large;
extern const otlog__grpc_failure otlog__grpc_partial_success;
extern const otlog__grpc_failure otlog__grpc_tls_files;
extern const otlog__grpc_failure otlog__grpc_no_channel;
extern const otlog__grpc_failure otlog__grpc_out_of_memory;
extern const otlog__grpc_failure otlog__grpc_busy;
extern const otlog__grpc_failure otlog__grpc_cancelled;
extern const otlog__grpc_failure otlog__grpc_forked;

#endif
