/*
 * The connection to one destination, which gRPC calls a channel. One that could not connect is given up, and the next
 * batch opens another: so each attempt really tries, and sees name servers and certificate files as they then are. gRPC
 * left to itself would answer with the last failure until its own back-off is over.
 */
#ifndef OTLOG_EXPORTERS_OTLP_GRPC_CHANNEL_H
#define OTLOG_EXPORTERS_OTLP_GRPC_CHANNEL_H

#include "exporters/otlp_grpc/target.h"

#include <otlog/exporters.h>

#include <grpc/grpc.h>

#include <pthread.h>

/* What every channel to the destination is opened with. Owns its strings. */
typedef struct otlog__grpc_destination {
	otlog__grpc_target target;
	char *ca_file; /* these three: NULL for none */
	char *client_certificate_file;
	char *client_key_file;
	bool compress;
	uint32_t keepalive_time_ms;
	uint32_t keepalive_timeout_ms;
} otlog__grpc_destination;

void otlog__grpc_destination_free(otlog__grpc_destination *destination);

/* False if gRPC cannot make sense of the target, so that no attempt could ever succeed. */
bool otlog__grpc_understands(const otlog__grpc_destination *destination);

typedef struct otlog__grpc_link otlog__grpc_link;

typedef struct otlog__grpc_channels {
	const otlog__grpc_destination *destination;
	pthread_mutex_t lock;      /* guards the rest, and the counts in links */
	otlog__grpc_link *current; /* what the next batch takes; NULL: it opens one */
} otlog__grpc_channels;

/* A channel and who uses it. */
struct otlog__grpc_link {
	grpc_channel *channel;
	unsigned users; /* calls, and `current` */
};

/*
 * The current link, opened if there is none. Does not wait for the network. NULL, with the cause and remedy in `why`, if
 * a certificate file cannot be read or memory is short.
 */
otlog__grpc_link *otlog__grpc_link_take(otlog__grpc_channels *channels, char *why, size_t why_size);

/* Gives it back; `failed`: the call did not succeed, so whether the channel is still good is looked into. */
void otlog__grpc_link_give(otlog__grpc_channels *channels, otlog__grpc_link *link, bool failed);

/* Closes the current link; nobody uses one any more. */
void otlog__grpc_channels_close(otlog__grpc_channels *channels);

#endif
