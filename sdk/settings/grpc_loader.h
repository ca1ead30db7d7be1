/* Opens the library otlog-grpc where gRPC is chosen, so that a process without gRPC never maps it. */
#ifndef OTLOG_SETTINGS_GRPC_LOADER_H
#define OTLOG_SETTINGS_GRPC_LOADER_H

#include <otlog/exporters.h>

/*
 * As otlog_otlp_grpc_exporter_create, by what was registered
 * (otlog_register_otlp_grpc), else from libotlog-grpc in the folder of libotlog itself, else where the system looks for
 * libraries. It must be of the same version, and stays mapped.
 */
bool otlog__grpc_load_and_create(const otlog_otlp_options *options, const otlog_grpc_options *grpc,
                                 otlog_exporter *out);

/* The same, looking for the library under this file name only. */
otlog_otlp_grpc_create_function otlog__grpc_load(const char *file, char *why, size_t why_size);

#endif
