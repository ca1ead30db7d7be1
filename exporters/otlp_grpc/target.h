/* The endpoint of a gRPC exporter: what gRPC is to resolve, whether with TLS, and how messages show it. Pure. */
#ifndef OTLOG_EXPORTERS_OTLP_GRPC_TARGET_H
#define OTLOG_EXPORTERS_OTLP_GRPC_TARGET_H

#include <stdbool.h>
#include <stddef.h>

typedef struct otlog__grpc_target {
	char *name;    /* in gRPC's form: dns:///host:port, unix:path, … */
	char *display; /* as the user wrote it, without path and query */
	bool plaintext;
	bool loopback; /* this machine, by its name or number */
} otlog__grpc_target;

/*
 * Takes http:// and https:// URLs, whose scheme decides about TLS and whose path is ignored (specification
 * protocol/exporter.md: there is no path per signal in gRPC); gRPC's own forms unix:, unix-abstract:, dns:, ipv4: and
 * ipv6:; and host or host:port. Without a scheme that decides, `insecure` does.
 *
 * Returns NULL, or why the text is none of these: a static string, with *target left {0}. Free with
 * otlog__grpc_target_free in every case.
 */
const char *otlog__grpc_target_parse(const char *text, bool insecure, otlog__grpc_target *target);
void otlog__grpc_target_free(otlog__grpc_target *target);

/* Writes an endpoint that could not be parsed so that it may be printed: nothing before an `@`, no query, ASCII. */
void otlog__grpc_target_redact(const char *text, char *out, size_t out_size);

#endif
