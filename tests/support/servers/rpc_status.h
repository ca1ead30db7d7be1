/* google.rpc.Status messages, as servers put them into the trailer grpc-status-details-bin. */
#ifndef TESTS_SUPPORT_SERVERS_RPC_STATUS_H
#define TESTS_SUPPORT_SERVERS_RPC_STATUS_H

#include <stdint.h>

#include <stddef.h>

typedef struct rpc_status {
	uint8_t bytes[256];
	size_t size;
} rpc_status;

/* One with a detail of another type first, then a RetryInfo with this delay. */
rpc_status rpc_status_with_delay(int64_t seconds, int32_t nanos);

/* One with a single detail of this type and value. */
rpc_status rpc_status_with(const char *type_url, const void *value, size_t value_size);

#endif
