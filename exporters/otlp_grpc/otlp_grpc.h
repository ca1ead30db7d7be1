/* The OTLP/gRPC exporter. The public side is otlog/exporters.h. */
#ifndef OTLOG_EXPORTERS_OTLP_GRPC_OTLP_GRPC_H
#define OTLOG_EXPORTERS_OTLP_GRPC_OTLP_GRPC_H

#include <otlog/exporters.h>

#define OTLOG__OTLP_GRPC_DEFAULT_ENDPOINT "http://localhost:4317"
#define OTLOG__OTLP_GRPC_DEFAULT_CALLS 4u

/* OTLOG__VERSION of the library otlog-grpc, for libotlog to compare. */
OTLOG_API const char *otlog__grpc_version(void);

#endif
