/*
 * An exporter for tests: keeps what it is given, and answers as the test says. Everything is thread-safe.
 *
 * The test owns the capture; it must outlive the provider.
 */
#ifndef TESTS_SUPPORT_SDK_CAPTURE_H
#define TESTS_SUPPORT_SDK_CAPTURE_H

#include <otlog/sdk.h>

#include "proto/logs_service.pb-c.h"

typedef Opentelemetry__Proto__Collector__Logs__V1__ExportLogsServiceRequest capture_request;

typedef struct capture capture;

capture *capture_create(const char *name);
void capture_free(capture *c); /* NULL is allowed */

otlog_exporter capture_exporter(capture *c);

/* How the next `attempts` attempts end (UINT32_MAX: all); `rejected` is for PARTIAL, `retry_after_ms` for RETRY. */
void capture_answer(capture *c, uint32_t attempts, otlog_verdict verdict, size_t rejected, uint64_t retry_after_ms);

/* Attempts hang until released or cancelled; `deaf`: not even cancel ends them. */
void capture_hang(capture *c, bool deaf);
void capture_release(capture *c);

/* Waits (30 s at most, then the program ends) for attempts, taken records, or for one attempt to be hanging. */
void capture_wait_attempts(capture *c, size_t attempts);
void capture_wait_records(capture *c, size_t records);
void capture_wait_hanging(capture *c);

size_t capture_attempts(capture *c);
size_t capture_records(capture *c); /* in batches answered OK or PARTIAL */
bool capture_destroyed(capture *c);
bool capture_cancelled(capture *c);

/* The i-th attempt's request, whatever the answer was; NULL if there is none. Valid until capture_free. */
const capture_request *capture_request_at(capture *c, size_t i);
/* Its bytes. */
const uint8_t *capture_bytes_at(capture *c, size_t i, size_t *size);

#endif
