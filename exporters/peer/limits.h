/* Bounds that hold whatever the transport is. */
#ifndef OTLOG_EXPORTERS_PEER_LIMITS_H
#define OTLOG_EXPORTERS_PEER_LIMITS_H

#include <stdint.h>

/* A server that asks for more is asked again after this time: a typing error there must not silence us for days. */
#define OTLOG__RETRY_AFTER_CAP_MS (UINT64_C(60) * 60 * 1000)

#endif
