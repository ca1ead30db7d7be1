#include "exporters/otlp_grpc/grpc_verdict_table.h"

#define ENDPOINT "OTEL_EXPORTER_OTLP_ENDPOINT"
#define HEADERS "OTEL_EXPORTER_OTLP_HEADERS"
#define TIMEOUT "OTEL_EXPORTER_OTLP_TIMEOUT"
#define CA_FILE "OTEL_EXPORTER_OTLP_CERTIFICATE"
#define CLIENT_CERTIFICATE "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"
#define BATCH_SIZE "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE"

#define OK OTLOG_VERDICT_OK
#define RETRY OTLOG_VERDICT_RETRY
#define PARTIAL OTLOG_VERDICT_PARTIAL
#define DROP OTLOG_VERDICT_DROP
#define TOO_LARGE OTLOG_VERDICT_TOO_LARGE
#define INVALID OTLOG_VERDICT_INVALID

#define SEE_LOG "See the receiver's log"
#define LOWER_BATCH "Lower " BATCH_SIZE " or raise the receiver's limit"

/* One row a line, however long: they are read across. */
/* clang-format off */

/* Retryable: OTLP specification, "Failures". */
const otlog__grpc_status otlog__grpc_statuses[OTLOG__GRPC_STATUS_COUNT] = {
	[GRPC_STATUS_OK] = { "OK", OK, "it has the batch", "" },
	[GRPC_STATUS_CANCELLED] = { "CANCELLED", RETRY, "it broke the call off", "See in the receiver's log why it breaks calls off" },
	[GRPC_STATUS_UNKNOWN] = { "UNKNOWN", DROP, "it failed, and does not say how", SEE_LOG },
	[GRPC_STATUS_INVALID_ARGUMENT] = { "INVALID_ARGUMENT", INVALID, "it objects to something in the batch", "Check that a receiver of logs listens there: " ENDPOINT },
	[GRPC_STATUS_DEADLINE_EXCEEDED] = { "DEADLINE_EXCEEDED", RETRY, "what it waits for took too long", "See whether it is overloaded, or raise " TIMEOUT },
	[GRPC_STATUS_NOT_FOUND] = { "NOT_FOUND", DROP, "it will never take this batch", "Check " ENDPOINT },
	[GRPC_STATUS_ALREADY_EXISTS] = { "ALREADY_EXISTS", DROP, "it will never take this batch", SEE_LOG },
	[GRPC_STATUS_PERMISSION_DENIED] = { "PERMISSION_DENIED", DROP, "these credentials do not suffice", "Check the credentials in " HEADERS },
	[GRPC_STATUS_RESOURCE_EXHAUSTED] = { "RESOURCE_EXHAUSTED", DROP, "a quota is used up, and it does not say for how long", "Send less or give the receiver more room" },
	[GRPC_STATUS_FAILED_PRECONDITION] = { "FAILED_PRECONDITION", DROP, "it will never take this batch", SEE_LOG },
	[GRPC_STATUS_ABORTED] = { "ABORTED", RETRY, "something came between", SEE_LOG },
	[GRPC_STATUS_OUT_OF_RANGE] = { "OUT_OF_RANGE", RETRY, "it cannot take it now", SEE_LOG },
	[GRPC_STATUS_UNIMPLEMENTED] = { "UNIMPLEMENTED", DROP, "it receives no logs", "Check that it receives logs over gRPC, and check " ENDPOINT },
	[GRPC_STATUS_INTERNAL] = { "INTERNAL", DROP, "it failed, and says that it would again", SEE_LOG },
	[GRPC_STATUS_UNAVAILABLE] = { "UNAVAILABLE", RETRY, "it is overloaded, starting or stopping", "See whether it is overloaded or starting, and check " ENDPOINT },
	[GRPC_STATUS_DATA_LOSS] = { "DATA_LOSS", RETRY, "it lost what it was given", SEE_LOG },
	[GRPC_STATUS_UNAUTHENTICATED] = { "UNAUTHENTICATED", DROP, "it wants credentials", "Set the credentials in " HEADERS },
};
const otlog__grpc_status otlog__grpc_throttled = { "RESOURCE_EXHAUSTED", RETRY, "it throttles us: it says when to come back (RetryInfo)", "Send less or give the receiver more room" };
const otlog__grpc_status otlog__grpc_other_status = { "", DROP, "nothing that gRPC has a meaning for", SEE_LOG };

#define BIT(status) (1u << GRPC_STATUS_##status)
#define ANY (~0u)

#define CHECK_PORT "gRPC is usually on port 4317, OTLP/HTTP on 4318: check " ENDPOINT
#define CHECK_TLS "See its log, and write https:// in " ENDPOINT " if it wants TLS"
#define CHECK_CLIENT "See its log; it may want another " CLIENT_CERTIFICATE
#define CHECK_NETWORK "Check the network, the firewall and " ENDPOINT

#define REFUSED { "connection_refused", RETRY, "connection refused: nobody listens there", false, "Start the collector or set " ENDPOINT, NULL }
#define NO_SOCKET { "connection_refused", RETRY, "there is no such socket", false, "Start the collector or set " ENDPOINT, NULL }
#define NO_NAME { "name_not_found", RETRY, "unknown host", false, "Check the name server and " ENDPOINT, NULL }
#define NO_WAY { "no_connection", RETRY, "the network does not lead there", true, CHECK_NETWORK, NULL }
#define BY_PROXY { "proxy_denied", RETRY, "the proxy does not let us through", true, "Have the proxy allow it, or check http_proxy and no_proxy", NULL }
#define OTHER_NAME { "tls_name_mismatch", RETRY, "its certificate is for another name", false, "Write a name that the certificate has in " ENDPOINT, NULL }
#define EXPIRED { "tls_expired", RETRY, "its certificate has expired", false, "Renew the server's certificate, or correct the clock of either machine", NULL }
#define UNTRUSTED { "tls_untrusted", RETRY, "its certificate cannot be trusted, or has expired", false, "Set " CA_FILE " to the PEM file of its authority, or renew it", NULL }
#define NO_TLS { "wrong_protocol", RETRY, "it does not speak TLS", false, "Write http:// in " ENDPOINT, NULL }
#define CLIENT_REFUSED { "tls_client_refused", RETRY, "it broke the TLS connection off", true, CHECK_CLIENT, NULL }
#define TLS_FAILED { "tls_failed", RETRY, "no TLS connection", true, "Check that it speaks TLS, else write http:// in " ENDPOINT, NULL }
#define HTTP_1 { "wrong_protocol", RETRY, "the answer is HTTP/1.1, not gRPC", false, CHECK_PORT, NULL }
#define NO_HTTP_2 { "wrong_protocol", RETRY, "the answer is not HTTP/2", false, CHECK_PORT, NULL }
#define NO_GRPC { "wrong_protocol", RETRY, "the answer is not gRPC's, or breaks off", false, "Check that a gRPC receiver listens there: " ENDPOINT, NULL }
#define CLOSED { "connection_broken", RETRY, "the connection was closed", false, CHECK_TLS, CHECK_CLIENT }
#define LEAVING { NULL, RETRY, "the receiver is going away (GOAWAY)", false, "If that does not end, see its log", NULL }
#define STREAM_RESET { "stream_reset", RETRY, "it broke the request off without an answer (RST_STREAM)", true, SEE_LOG, NULL }
#define NO_TIME { OTLOG__GRPC_TIMEOUT, RETRY, "no answer in time", false, "See whether it is overloaded, or raise " TIMEOUT, NULL }
#define OVER_LIMIT { NULL, TOO_LARGE, "the batch is larger than the receiver takes", true, LOWER_BATCH, NULL }
#define NO_ADDRESS { NULL, RETRY, "gRPC has nowhere to connect to", true, "Check the name server and " ENDPOINT, "Check that the files of " CA_FILE ", _CLIENT_CERTIFICATE and _CLIENT_KEY are PEM and belong together" }

/*
 * What left the request unanswered is tried again, and so is all that went wrong before there was a connection, TLS
 * included, or made no sense: the batch is not at fault, and a certificate or a port may be put right while records wait.
 */
const otlog__grpc_words otlog__grpc_words_table[] = {
	{ BIT(UNAVAILABLE), "Connection refused", REFUSED },
	{ BIT(UNAVAILABLE), "No such file or directory", NO_SOCKET },
	{ BIT(UNAVAILABLE), "DNS resolution failed", NO_NAME },
	{ BIT(UNAVAILABLE), "Network is unreachable", NO_WAY },
	{ BIT(UNAVAILABLE), "No route to host", NO_WAY },
	{ BIT(UNAVAILABLE), "Connection timed out", NO_WAY },
	{ BIT(UNAVAILABLE), "HTTP proxy returned response code", BY_PROXY },
	{ BIT(UNAVAILABLE), "http1.x server", HTTP_1 },
	{ BIT(UNAVAILABLE), "Failed parsing HTTP/2", NO_HTTP_2 },
	{ BIT(UNAVAILABLE), "empty address list", NO_ADDRESS },
	{ BIT(UNAVAILABLE), "Peer name", OTHER_NAME },
	{ BIT(UNAVAILABLE), " alert ", CLIENT_REFUSED },
	{ BIT(UNAVAILABLE), "certificate has expired", EXPIRED },
	{ BIT(UNAVAILABLE), "CERTIFICATE_VERIFY_FAILED", UNTRUSTED },
	{ BIT(UNAVAILABLE), "certificate verify failed", UNTRUSTED },
	{ BIT(UNAVAILABLE), "WRONG_VERSION_NUMBER", NO_TLS },
	{ BIT(UNAVAILABLE), "wrong version number", NO_TLS },
	{ BIT(UNAVAILABLE), "andshake", TLS_FAILED },
	{ BIT(UNAVAILABLE), "GOAWAY", LEAVING },
	{ BIT(UNAVAILABLE), "Socket closed", CLOSED },
	{ BIT(UNAVAILABLE), "Connection reset", CLOSED },
	{ BIT(UNAVAILABLE), "Broken pipe", CLOSED },
	{ BIT(UNAVAILABLE), "Transport closed", CLOSED },
	{ BIT(UNKNOWN), "Stream removed", NO_GRPC },
	{ BIT(UNKNOWN), "No status received", NO_GRPC },
	{ ANY, "Received RST_STREAM with error code", STREAM_RESET },
	{ BIT(DEADLINE_EXCEEDED), "Deadline Exceeded", NO_TIME },
	/* Servers in C++, Python, Ruby and Node; Go, twice; Java; .NET; Rust */
	{ BIT(RESOURCE_EXHAUSTED), "eceived message larger than max", OVER_LIMIT },
	{ BIT(RESOURCE_EXHAUSTED), "after decompression larger than max", OVER_LIMIT },
	{ BIT(RESOURCE_EXHAUSTED), "message exceeds maximum size", OVER_LIMIT },
	{ BIT(RESOURCE_EXHAUSTED), "exceeds the maximum configured message size", OVER_LIMIT },
	{ BIT(RESOURCE_EXHAUSTED) | BIT(OUT_OF_RANGE), "message length too large", OVER_LIMIT },
};
const size_t otlog__grpc_words_count = sizeof otlog__grpc_words_table / sizeof *otlog__grpc_words_table;

const otlog__grpc_http_status otlog__grpc_http_statuses[] = {
	{ 401, DROP, "Set the credentials in " HEADERS },
	{ 403, DROP, "Check the credentials in " HEADERS },
	{ 413, TOO_LARGE, LOWER_BATCH },
	{ 429, RETRY, "Send less or give the receiver more room" },
	{ 502, RETRY, "See what ails the server behind it" },
	{ 503, RETRY, "See whether it is overloaded or starting" },
	{ 504, RETRY, "See what ails the server behind it" },
	{ 0, DROP, "Check that a gRPC receiver listens there: " ENDPOINT },
};
const size_t otlog__grpc_http_status_count = sizeof otlog__grpc_http_statuses / sizeof *otlog__grpc_http_statuses;

const otlog__grpc_failure otlog__grpc_request_too_large = { "too_large_request", TOO_LARGE, "a request over OTLP's limit of 64 MiB, or over max_message_bytes, is not sent", false, "Lower " BATCH_SIZE " or log smaller records", NULL };
const otlog__grpc_failure otlog__grpc_answer_too_large = { "too_large_answer", DROP, "the answer is larger than 4 MiB", false, "Check " ENDPOINT, NULL };
const otlog__grpc_failure otlog__grpc_partial_success = { "partial_success", PARTIAL, "it refused some records", true, "Correct what it names", NULL };
const otlog__grpc_failure otlog__grpc_tls_files = { "tls_files", RETRY, "our own certificate files are bad", true, "Correct the files, or set others", NULL };
const otlog__grpc_failure otlog__grpc_no_channel = { "no_connection", RETRY, "gRPC opens no channel", true, "Check " ENDPOINT, NULL };
const otlog__grpc_failure otlog__grpc_out_of_memory = { "out_of_memory", RETRY, "memory is short", false, "Give the process more memory", NULL };
const otlog__grpc_failure otlog__grpc_busy = { "busy", RETRY, "more batches at once than the exporter has said it takes", false, "Report this to the authors of otlog", NULL };
const otlog__grpc_failure otlog__grpc_cancelled = { "cancelled", RETRY, "the attempt was cut short: the SDK is shutting down", false, "Give otlog_shutdown more time", NULL };
const otlog__grpc_failure otlog__grpc_forked = { "forked", RETRY, "gRPC does not work in a forked child of a process that uses it", false, "Start gRPC after fork, or set OTEL_EXPORTER_OTLP_PROTOCOL to http/protobuf", NULL };
/* clang-format on */
