/*
 * The connection to one destination, which gRPC calls a channel. One that could not connect is given up, and the next
 * batch opens another: so each attempt really tries, and sees name servers as they then are. gRPC left to itself would
 * answer with the last failure until its own back-off is over, and go on using a connection behind which there is nobody
 * any more. When the certificate files change, the next batch opens
 * another too, while the calls of the old one come to their end.
 */
#ifndef OTLOG_EXPORTERS_OTLP_GRPC_CHANNEL_H
#define OTLOG_EXPORTERS_OTLP_GRPC_CHANNEL_H

#include "exporters/peer/tls_files.h"
#include "sdk/base/rare/grpc_target.h"

#include <otlog/exporters.h>

#include <grpc/grpc.h>

#include <pthread.h>

/* What every channel to the destination is opened with. Owns the target. */
typedef struct otlog__grpc_destination {
	otlog__grpc_target target;
	bool compress;
	uint32_t keepalive_time_ms;
	uint32_t keepalive_timeout_ms;
} otlog__grpc_destination;

/* False if gRPC cannot make sense of the target, so that no attempt could ever succeed. */
bool otlog__grpc_understands(const otlog__grpc_destination *destination);

typedef struct otlog__grpc_link otlog__grpc_link;

typedef struct otlog__grpc_channels {
	const otlog__grpc_destination *destination;
	pthread_mutex_t lock; /* guards the rest, and the counts in links; files may be read under it */
	otlog__tls_files files;
	bool look_at_once;         /* at the files: what has failed may have been put right there */
	otlog__grpc_link *current; /* what the next batch takes; NULL: it opens one */
} otlog__grpc_channels;

/*
 * Reads the certificate files, if the destination wants TLS. What is wrong with them is said, and may be put right later.
 * False if memory is short. Needs no gRPC.
 */
bool otlog__grpc_channels_open(otlog__grpc_channels *channels, const otlog__grpc_destination *destination,
                               const otlog_otlp_options *options);

/* A channel and who uses it. */
struct otlog__grpc_link {
	grpc_channel *channel;
	unsigned users; /* calls, and `current` */
};

/*
 * The current link, opened if there is none. Does not wait for the network. NULL, with *result filled, if there are no good
 * certificates yet or memory is short.
 */
otlog__grpc_link *otlog__grpc_link_take(otlog__grpc_channels *channels, otlog_export_result *result);

typedef enum otlog__grpc_link_state {
	OTLOG__GRPC_LINK_GOOD,
	OTLOG__GRPC_LINK_DOUBTFUL, /* the call was not answered well: whether the channel is still good is looked into */
	OTLOG__GRPC_LINK_SILENT    /* the call was not answered: the next batch gets another channel */
} otlog__grpc_link_state;

/* Gives it back. */
void otlog__grpc_link_give(otlog__grpc_channels *channels, otlog__grpc_link *link, otlog__grpc_link_state state);

/* Closes the current link, if gRPC may be called, and frees the rest; nobody uses one any more. */
void otlog__grpc_channels_close(otlog__grpc_channels *channels, bool usable);

#endif
