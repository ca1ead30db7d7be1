/* What the statuses and failures of an HTTP exchange mean: the tables behind http_verdict.h and docs/delivery.md. Pure. */
#ifndef OTLOG_EXPORTERS_HTTP_HTTP_VERDICT_TABLE_H
#define OTLOG_EXPORTERS_HTTP_HTTP_VERDICT_TABLE_H

#include "exporters/http/http_verdict.h"

/* Which setting a remedy is about; the exporter gives its name. */
typedef enum otlog__http_setting {
	OTLOG__HTTP_NO_SETTING,
	OTLOG__HTTP_ENDPOINT,
	OTLOG__HTTP_HEADERS,
	OTLOG__HTTP_TIMEOUT,
	OTLOG__HTTP_CA_FILE,
	OTLOG__HTTP_CLIENT_CERTIFICATE,
	OTLOG__HTTP_BATCH_SIZE
} otlog__http_setting;

typedef struct otlog__http_remedy {
	const char *before; /* the setting's name follows */
	otlog__http_setting setting;
	const char *after;
} otlog__http_remedy;

/* Writes the remedy with the exporter's names; as snprintf. */
void otlog__http_remedy_text(const otlog__http_remedy *remedy, const otlog__peer_names *names, char *out,
                             size_t out_size);

/* ---- Statuses ---------------------------------------------------------------------------------------------------- */

typedef struct otlog__http_status {
	long status; /* 2 to 5: of that class, where there is no row for it alone; 0: any other */
	otlog_verdict verdict;
	const char *phrase; /* in messages; "": none */
	const char *about;  /* on the page */
	otlog__http_remedy remedy;
} otlog__http_status;

extern const otlog__http_status otlog__http_statuses[];
extern const size_t otlog__http_status_count;

/* The row that counts for a status; there is always one. */
const otlog__http_status *otlog__http_status_find(long status);

/* ---- Failures ---------------------------------------------------------------------------------------------------- */

/* What is no matter of a status. */
typedef enum otlog__http_failure {
	OTLOG__HTTP_NAME_NOT_FOUND,
	OTLOG__HTTP_CONNECTION_REFUSED,
	OTLOG__HTTP_NO_CONNECTION,
	OTLOG__HTTP_CONNECTION_BROKEN,
	OTLOG__HTTP_NO_ANSWER,
	OTLOG__HTTP_TIMED_OUT,
	OTLOG__HTTP_GRPC_PORT,
	OTLOG__HTTP_TLS_PORT,
	OTLOG__HTTP_PLAIN_PORT,
	OTLOG__HTTP_NOT_HTTP,
	OTLOG__HTTP_TLS_NAME_MISMATCH,
	OTLOG__HTTP_TLS_EXPIRED,
	OTLOG__HTTP_TLS_UNTRUSTED,
	OTLOG__HTTP_TLS_CA_FILE,
	OTLOG__HTTP_TLS_CLIENT_FILES,
	OTLOG__HTTP_TLS_CLIENT_REFUSED,
	OTLOG__HTTP_TLS_FAILED,
	OTLOG__HTTP_PROXY_NOT_FOUND,
	OTLOG__HTTP_PROXY_REFUSED,
	OTLOG__HTTP_PROXY_AUTHENTICATION,
	OTLOG__HTTP_PROXY_DENIED,
	OTLOG__HTTP_PROXY_FAILED,
	OTLOG__HTTP_REQUEST_TOO_LARGE,
	OTLOG__HTTP_ANSWER_TOO_LARGE,
	OTLOG__HTTP_PARTIAL_SUCCESS,
	OTLOG__HTTP_MALFORMED_BATCH,
	OTLOG__HTTP_OUT_OF_MEMORY,
	OTLOG__HTTP_CANCELLED,
	OTLOG__HTTP_FAILED,
	OTLOG__HTTP_FAILURE_COUNT
} otlog__http_failure;

typedef struct otlog__http_failure_row {
	const char *error_type; /* several rows may have the same, where only people gain from more */
	otlog_verdict verdict;
	const char *cause; /* in messages it stands between the URL and what libcurl says */
	const char *about; /* on the page */
	otlog__http_remedy remedy;
} otlog__http_failure_row;

/* By otlog__http_failure. */
extern const otlog__http_failure_row otlog__http_failures[OTLOG__HTTP_FAILURE_COUNT];

/* Sets verdict and error type by the failure's row. The message is the caller's. */
void otlog__http_fail(otlog__http_failure failure, otlog_export_result *result);

#endif
