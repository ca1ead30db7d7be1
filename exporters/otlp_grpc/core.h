/* gRPC's C core as a guest of the process: initialised once, quiet, and with no say about signals and forks. */
#ifndef OTLOG_EXPORTERS_OTLP_GRPC_CORE_H
#define OTLOG_EXPORTERS_OTLP_GRPC_CORE_H

#include <signal.h>
#include <stdbool.h>

/*
 * Initialises gRPC if that has not been done. Returns false in a child of the process that has: gRPC's threads are not
 * there, and nothing of it may be called, not even to free things. Never undone: gRPC's end can wait for others.
 */
bool otlog__grpc_usable(void);

/*
 * gRPC starts threads from whichever call needs one, and they inherit the caller's mask. All signals are to go to the
 * host's own threads.
 */
void otlog__grpc_hold_signals(sigset_t *previous);
void otlog__grpc_release_signals(const sigset_t *previous);

#endif
