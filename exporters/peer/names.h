#ifndef OTLOG_EXPORTERS_PEER_NAMES_H
#define OTLOG_EXPORTERS_PEER_NAMES_H

/* What messages call the peer and the settings that may be wrong, so that every exporter names its own. */
typedef struct otlog__peer_names {
	const char *peer; /* "the collector" */
	const char *endpoint;
	const char *headers;
	const char *timeout;
	const char *ca_file;
	const char *client_certificate;
	const char *client_key;
	const char *batch_size;
} otlog__peer_names;

#endif
