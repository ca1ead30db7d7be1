/*
 * The exporters that come with otlog. A program that is configured by environment variables needs none of this.
 *
 * Each function fills *out with an exporter that the caller owns until a pipeline takes it (otlog_pipeline_options in
 * otlog/sdk.h). Thread-safe; they do not touch the network, but may read certificate files.
 */
#ifndef OTLOG_EXPORTERS_H
#define OTLOG_EXPORTERS_H

#include <otlog/exporter.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum otlog_compression { OTLOG_COMPRESSION_NONE, OTLOG_COMPRESSION_GZIP } otlog_compression;

/* A header of every request. Content-Type and others that the exporter sets itself are left out, with a warning. */
typedef struct otlog_header {
	const char *name OTLOG__INIT;
	const char *value OTLOG__INIT;
} otlog_header;

/* Options of the OTLP exporters. Everything is copied; {0} is valid. Source: specification protocol/exporter.md. */
typedef struct otlog_otlp_options {
	const char *endpoint OTLOG__INIT; /* the full URL; NULL: http://localhost:4318/v1/logs */
	const otlog_header *headers OTLOG__INIT;
	size_t header_count OTLOG__INIT;
	otlog_compression compression OTLOG__INIT;
	const char *ca_file OTLOG__INIT;                 /* PEM; trusted instead of the system's roots. NULL: those */
	const char *client_certificate_file OTLOG__INIT; /* PEM; NULL: none */
	const char *client_key_file OTLOG__INIT;         /* PEM; NULL: none */
} otlog_otlp_options;

/*
 * OTLP/HTTP with binary protobuf bodies, over libcurl. Returns false, with one diagnostic, if the endpoint is no http
 * or https URL, a header is malformed, or memory is short; *out is then untouched.
 */
OTLOG_API bool otlog_otlp_http_exporter_create_sized(const otlog_otlp_options *options, size_t options_size,
                                                     otlog_exporter *out);

static inline bool
otlog_otlp_http_exporter_create(const otlog_otlp_options *options, otlog_exporter *out)
{
	return otlog_otlp_http_exporter_create_sized(options, sizeof *options, out);
}

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
