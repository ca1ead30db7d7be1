/* A valid ExportLogsServiceRequest, for tests of what lies below the encoder. */
#ifndef TESTS_SUPPORT_RECORDS_OTLP_REQUEST_H
#define TESTS_SUPPORT_RECORDS_OTLP_REQUEST_H

#include <otlog/exporter.h>

/* `records` records, each with a body of `body_size` bytes that begins with its number. Free with otlp_request_free. */
otlog_batch otlp_request_create(size_t records, size_t body_size);
void otlp_request_free(otlog_batch *batch);

#endif
