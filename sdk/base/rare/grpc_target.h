/* What gRPC can be told to send to, whether with TLS, and how messages show it. Pure. */
#ifndef OTLOG_BASE_RARE_GRPC_TARGET_H
#define OTLOG_BASE_RARE_GRPC_TARGET_H

#include "sdk/base/strings.h"

typedef struct otlog__grpc_target {
	char *name;    /* in gRPC's form: dns:///host:port, unix:path, … */
	char *display; /* as the user wrote it, without path and query */
	bool plaintext;
	bool loopback; /* this machine, by its name or number */
	/* Where to connect to, parts of the text that was read. All empty: a socket without a path. */
	otlog__text host; /* the first of several; an IPv6 address with its brackets */
	otlog__text port;
	otlog__text socket; /* the path of a Unix socket */
} otlog__grpc_target;

/*
 * Takes http:// and https:// URLs, whose scheme decides about TLS and whose path is ignored (specification
 * protocol/exporter.md: there is no path per signal in gRPC); gRPC's own forms unix:, unix-abstract:, dns:, ipv4: and
 * ipv6:; and host or host:port. Without a scheme that decides, `insecure` does. Source of gRPC's forms: grpc
 * doc/naming.md.
 *
 * Returns NULL, or why the text is none of these: a static string, with *target left {0}. Free with
 * otlog__grpc_target_free in every case.
 */
const char *otlog__grpc_target_parse(const char *text, bool insecure, otlog__grpc_target *target);
void otlog__grpc_target_free(otlog__grpc_target *target);

/* The reason alone; NULL if there is none. */
const char *otlog__grpc_target_problem(otlog__text text);

#endif
