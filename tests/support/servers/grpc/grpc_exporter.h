/* The OTLP/gRPC exporter for exporter_fixture.h. */
#ifndef TESTS_SUPPORT_SERVERS_GRPC_GRPC_EXPORTER_H
#define TESTS_SUPPORT_SERVERS_GRPC_GRPC_EXPORTER_H

#include "tests/support/sdk/exporter_fixture.h"

/* `grpc` NULL: as gRPC comes. Diagnostics are collected from here on (diagnosed.h). */
otlog_exporter create_grpc_exporter(const otlog_otlp_options *options, const otlog_grpc_options *grpc);

#endif
