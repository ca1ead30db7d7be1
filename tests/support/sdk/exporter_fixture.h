/*
 * An exporter of batches, driven as a processor does it, but by the test: opened, given batches, cancelled, closed. What it
 * sends to is the test's (tests/support/servers).
 */
#ifndef TESTS_SUPPORT_SDK_EXPORTER_FIXTURE_H
#define TESTS_SUPPORT_SDK_EXPORTER_FIXTURE_H

#include <otlog/exporters.h>

#include <pthread.h>

/* otlog_otlp_http_exporter_create_sized, or that of JSON. gRPC's is in grpc_exporter.h. */
typedef bool exporter_create(const otlog_otlp_options *options, size_t options_size, otlog_exporter *out);

/* Diagnostics are collected from here on (diagnosed.h). */
otlog_exporter create_exporter(exporter_create *create, const otlog_otlp_options *options);
void close_exporter(otlog_exporter exporter);

/* One attempt. `timeout_ms` 0: no time-out. */
otlog_export_result export_batch(otlog_exporter exporter, const otlog_batch *batch, uint64_t timeout_ms);

/* With three small records. */
otlog_export_result export_some(otlog_exporter exporter, uint64_t timeout_ms);

/* The same, the last one. */
otlog_export_result export_and_close(otlog_exporter exporter, uint64_t timeout_ms);

/* The batch is kept, and the message says why and names the setting to change. NULL: any error type. */
void assert_kept(otlog_export_result result, const char *error_type, const char *cause, const char *remedy);

/* Attempts in threads of their own: for what is to happen meanwhile. */
typedef struct attempt {
	otlog_exporter exporter;
	uint64_t timeout_ms;
	otlog_export_result result; /* once it is joined */
	pthread_t thread;
} attempt;

void start_attempts(attempt *attempts, size_t count, otlog_exporter exporter, uint64_t timeout_ms);
/* Waits for their ends. Each must have come to this. */
void join_attempts(attempt *attempts, size_t count, otlog_verdict expected);

#endif
